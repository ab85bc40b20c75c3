"""A real archive: searched, fetched from and sent to, by both protocols."""

import logging
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from orthanc import Orthanc
from patientstudies import PatientStudy, data_set, made_study
from pydicom import dcmread
from pydicom.uid import generate_uid

from necroangle.annotation import HipReading, load_reading
from necroangle.cli import cli
from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.store import ARRIVING
from necroangle.errors import ServerError
from necroangle.interop.saved import write_report
from necroangle.pacs.arrivals import Arrivals
from necroangle.pacs.query import Query
from necroangle.pacs.servers import load_servers
from necroangle.pacs.transfer import (
    Fetched,
    connect,
    fetch_studies,
    find_studies,
    outgoing_files,
    send_files,
)
from necroangle.samples import sample_folder

pytestmark = pytest.mark.orthanc

WAYS = ("web", "get", "move")


def run(*words: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], input=answer)


def put(orthanc: Orthanc, study: PatientStudy, way: str = "web") -> None:
    server = load_servers(orthanc.servers).of(way)
    assert {one.state for one in send_files(server, outgoing_files(study.files))} == {"sent"}


def fetched(orthanc: Orthanc, way: str, study: PatientStudy, folder: Path) -> Fetched:
    server = load_servers(orthanc.servers).of(way)
    connection = connect(server)
    wanted = find_studies(connection, [Query(accession=study.accession)])
    connection.close()
    (done,) = fetch_studies(server, wanted, folder)
    return done


def contents(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*.dcm"))


@pytest.mark.parametrize("way", WAYS)
def test_a_study_comes_back_as_it_was_stored(orthanc: Orthanc, way: str, tmp_path: Path) -> None:
    study = made_study(tmp_path / "original", f"comes back {way}")
    put(orthanc, study)
    done = fetched(orthanc, way, study, tmp_path / "images")
    assert (done.is_whole, done.fetched, done.there) == (True, len(study.files), 0)
    sent = sorted(path.read_bytes() for path in study.files)
    came = contents(tmp_path / "images")
    if way == "web":
        assert came == sent
    assert sorted(map(data_set, came)) == sorted(map(data_set, sent))
    (original,) = scan_folder(tmp_path / "original").series
    (series,) = scan_folder(tmp_path / "images").series
    assert series.series_uid == original.series_uid
    first, second = read_volume(original), read_volume(series)
    assert np.array_equal(first.pixels, second.pixels)
    again = fetched(orthanc, way, study, tmp_path / "images")
    assert (again.is_whole, again.fetched, again.there) == (True, 0, len(study.files))


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HipReading]:
    """All that ``necroangle sr`` writes of a hip, and what the window's button writes."""
    pytest.importorskip("highdicom", reason='needs the extra "interop"')
    folder = tmp_path_factory.mktemp("objects")
    images = folder / "images"
    shutil.copytree(sample_folder("plain"), images)
    (reading, *_) = sorted((sample_folder("plain").parent / "readings").glob("PHANTOM-01*.json"))
    done = run("sr", reading, "--images", images, "-o", folder / "objects",
               "--flavour", "both", "--capture")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert write_report(reading, scan_folder(images), folder / "button") == 5
    shutil.rmtree(images)
    return folder, load_reading(reading)


@pytest.mark.parametrize("way", WAYS)
def test_what_sr_writes_goes_and_comes_equal(
    orthanc: Orthanc, way: str, tmp_path: Path, objects: tuple[Path, HipReading]
) -> None:
    """Reports of both kinds, presentation states, key objects and the capture of a hip.

    Each way sends them as objects of its own: the archive holds what another way has sent.
    """
    folder, reading = objects
    sent: dict[str, Path] = {}
    uids: set[str] = set()
    for path in sorted((folder / "objects").glob("*.dcm")):
        dataset = dcmread(path)
        for keyword in ("StudyInstanceUID", "SOPInstanceUID"):
            uid = generate_uid(entropy_srcs=[way, str(dataset[keyword].value)])
            setattr(dataset, keyword, uid)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        sent[str(dataset.SOPInstanceUID)] = tmp_path / "out" / path.name
        uids.add(str(dataset.StudyInstanceUID))
        (tmp_path / "out").mkdir(exist_ok=True)
        dataset.save_as(tmp_path / "out" / path.name, enforce_file_format=True)
    kinds = sorted(path.name.split(".")[-2] for path in sent.values())
    assert kinds == ["capture", "key-objects", "presentation-a", "presentation-b",
                     "report-ohif", "report-standard"]  # fmt: skip
    (study_uid,) = uids
    where = ("--servers", orthanc.servers, "--server", way)
    for count in (f"{len(sent)} sent, 0 there already", f"0 sent, {len(sent)} there already"):
        done = run("send", tmp_path / "out", *where, "--yes")
        assert done.exit_code == 0, done.output
        assert count in done.output
    images = tmp_path / "images"
    done = run("fetch", *where, "--study-uid", study_uid, "-o", images)
    assert done.exit_code == 0, done.output
    came = {str(dcmread(path).SOPInstanceUID): path for path in images.rglob("*.dcm")}
    assert came.keys() == sent.keys()
    for name, path in sent.items():
        assert data_set(came[name].read_bytes()) == data_set(path.read_bytes())
        if "capture" in path.name:
            assert np.array_equal(dcmread(came[name]).pixel_array, dcmread(path).pixel_array)
    taken = run("take", images, "-o", tmp_path / "taken")
    assert taken.exit_code == 0, taken.output
    (back,) = (tmp_path / "taken").iterdir()
    assert load_reading(back) == reading


def test_what_the_button_wrote_is_sent(orthanc: Orthanc, objects: tuple[Path, HipReading]) -> None:
    """The folder that the window's button wrote goes as it is."""
    done = run(
        "send", objects[0] / "button", "--servers", orthanc.servers, "--server", "web", "--yes"
    )
    assert done.exit_code == 0, done.output
    assert "5 sent, 0 there already, 0 not sent" in done.output
    assert not [one for one in ("PHANTOM-01^", "1.2.") if one in done.output]


@pytest.mark.parametrize("way", WAYS)
def test_a_stopped_fetch_goes_on(
    orthanc: Orthanc, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = made_study(tmp_path / "original", f"stopped {way}")
    put(orthanc, study)
    admit, count = Arrivals.admit, 0

    def stop_after_three(self: Arrivals, *words: object) -> object:
        nonlocal count
        count += 1
        if count > 3:
            raise KeyboardInterrupt if way == "web" else OSError(28, "No space left on device")
        return admit(self, *words)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Arrivals, "admit", stop_after_three)
        with pytest.raises(KeyboardInterrupt if way == "web" else ServerError):
            fetched(orthanc, way, study, tmp_path / "images")
    assert len(contents(tmp_path / "images")) == 3
    assert not list((tmp_path / "images").rglob(f"*{ARRIVING}*"))
    assert len(scan_folder(tmp_path / "images").series[0]) == 3
    done = fetched(orthanc, way, study, tmp_path / "images")
    assert (done.is_whole, done.there) == (True, 3)


def test_two_fetches_at_once_into_one_folder(orthanc: Orthanc, tmp_path: Path) -> None:
    studies = [made_study(tmp_path / f"original {n}", f"at once {n}") for n in (1, 2)]
    for study in studies:
        put(orthanc, study)
    jobs = [(study, way) for study in studies for way in ("web", "get")]
    done: list[Fetched] = []
    threads = [
        threading.Thread(
            target=lambda s=study, w=way: done.append(fetched(orthanc, w, s, tmp_path / "images"))
        )
        for study, way in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.is_whole for one in done] == [True] * 4
    images = tmp_path / "images"
    assert len(contents(images)) == sum(len(study.files) for study in studies)
    assert len(scan_folder(images).series) == 2
    shown = run("index", images, "--json").stdout
    assert shown.count('"record": "series"') == 2


def test_the_commands(orthanc: Orthanc, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Sent after a question, found without a name, fetched, in the list of series."""
    caplog.set_level(logging.DEBUG)
    study = made_study(tmp_path / "original", "commands", 12, ("coronal", "sagittal_l"))
    names = tmp_path / "names.csv"
    names.write_text(f"patient_id,pseudonym\n{study.patient_id},P-07\n", "utf-8")
    where = ("--servers", orthanc.servers, "--server", "web")
    asked = run("send", tmp_path / "original", *where, "--subjects", names, answer="n\n")
    assert asked.exit_code == 1
    assert "of P-07 will go to web" in asked.output
    sent = run("send", tmp_path / "original", *where, "--subjects", names, "--yes")
    assert sent.exit_code == 0, sent.output
    assert f"{len(study.files)} sent, 0 there already, 0 not sent" in sent.output
    assert f"P-07: {len(study.files)} objects sent to web" in caplog.text
    studies = tmp_path / "studies.csv"
    studies.write_text(
        f"accession,patient_id\n{study.accession},{study.patient_id}\nNONE,{study.patient_id}\n"
    )
    found = run("fetch", *where, "--study-list", studies, "--subjects", names, "--find")
    assert found.exit_code == 1
    assert "P-07" in found.output
    assert "not found  row 3: the server has no such study" in found.output
    told = run("fetch", *where, "--accession", study.accession, "--find", "--identifiers")
    assert all(one in told.output for one in ("HONG^GILDONG", study.patient_id, study.study_uid))
    images = tmp_path / "images"
    done = run("fetch", *where, "--study-list", studies, "--subjects", names, "-o", images)
    assert done.exit_code == 1
    assert f"whole  P-07, row 2: {len(study.files)} fetched, 0 there already" in done.output
    listed = run("series", images, "--subjects", names)
    assert listed.exit_code == 0
    cases = run("worklist", "make", images, "--readers", "anna", "--subjects", names,
                "-o", tmp_path / "cases.worklist.json")  # fmt: skip
    assert "1 hip of 1 subject" in cases.output
    nameless = run("worklist", "make", images, "--readers", "anna", "-o", tmp_path / "none.json")
    assert nameless.exit_code != 0
    listing = (tmp_path / "cases.worklist.json").read_text("utf-8")
    assert "P-07" in listing
    printed = (asked, sent, found, done, cases, nameless)
    for text in (*(one.output for one in printed), listing, caplog.text):
        assert not [one for one in study.planted if one in text]
    assert run("servers", "web", "--servers", orthanc.servers).exit_code == 0


def test_a_patient_whom_the_names_do_not_know_is_not_fetched(
    orthanc: Orthanc, tmp_path: Path
) -> None:
    study = made_study(tmp_path / "original", "unknown to the names", most=1)
    put(orthanc, study)
    names = tmp_path / "names.csv"
    names.write_text("patient_id,pseudonym\n1,P-01\n", "utf-8")
    done = run(
        *("fetch", "--servers", orthanc.servers, "--server", "get", "--subjects", names),
        *("--accession", study.accession, "-o", tmp_path / "images"),
    )
    assert done.exit_code == 1
    assert "patient not in the list of pseudonyms: add a row" in done.output
    assert contents(tmp_path / "images") == []


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("web-without-password", "refused the credential"),
        ("wrong-title", "is its AE title 'OTHER'"),
    ],
)
def test_a_refusal_says_what_to_do(orthanc: Orthanc, way: str, words: str, tmp_path: Path) -> None:
    server = load_servers(orthanc.servers).of(way)
    with pytest.raises(ServerError, match=words) as refused:
        find_studies(connect(server), [Query(accession="1")], sleep=lambda _: None)
    assert str(refused.value).startswith(f"{way}: ")
    shown = run("fetch", "--server", way, "--servers", orthanc.servers, "--accession", "1",
                "-o", tmp_path / "images")  # fmt: skip
    assert isinstance(shown.exception, ServerError)
    assert not (tmp_path / "images").exists()


def test_a_destination_that_the_archive_does_not_know(orthanc: Orthanc, tmp_path: Path) -> None:
    study = made_study(tmp_path / "original", "destination", most=1)
    put(orthanc, study)
    server = load_servers(orthanc.servers).of("unknown-destination")
    connection = connect(server)
    wanted = find_studies(connection, [Query(accession=study.accession)])
    (done,) = fetch_studies(server, wanted, tmp_path / "images", sleep=lambda _: None)
    assert not done.is_whole
    assert done.problems


def test_wrong_password(orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NECROANGLE_PASSWORD_WEB", "another secret")
    server = load_servers(orthanc.servers).of("web")
    with pytest.raises(ServerError, match="refused the credential") as refused:
        find_studies(connect(server), [Query(accession="1")])
    assert "another secret" not in str(refused.value)


def test_a_second_run_sends_only_what_is_missing(orthanc: Orthanc, tmp_path: Path) -> None:
    study = made_study(tmp_path / "original", "second run")
    server = load_servers(orthanc.servers).of("get")
    send_files(server, outgoing_files(study.files[:3]))
    broken = tmp_path / "original" / "broken.dcm"
    shutil.copy(study.files[0], broken)
    broken.write_bytes(broken.read_bytes()[:500])
    done = send_files(server, outgoing_files([tmp_path / "original"]))
    states = [one.state for one in done]
    assert (states.count("there"), states.count("refused")) == (3, 1)
    assert states.count("sent") == len(study.files) - 3
