"""The index of a folder: complete, renewed by what changed alone, and silent on identities."""

import errno
import os
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from dicombytes import mr_file
from pydicom import dcmread
from pydicom.uid import RLELossless

from necroangle.dicom import Scan, archive, scan_folder
from necroangle.dicom import index as index_module
from necroangle.dicom.index import Changes, index_path, refresh_index, scan_index
from necroangle.dicom.scanner import HeaderScanner
from necroangle.dicom.store import DATABASE, IndexStore
from necroangle.errors import DicomError

WriteSlices = Callable[..., list[Path]]

PLACES = [(0.0, 3.0 * k, 0.0) for k in range(4)]


@pytest.fixture
def study(tmp_path: Path, write_slices: WriteSlices) -> Path:
    """Two patients with a study each, a refused file, and notes."""
    folder = tmp_path / "study"
    one = {"SeriesInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3", "PatientID": "PAT-1"}
    two = {"SeriesInstanceUID": "1.2.8.4", "StudyInstanceUID": "1.2.8", "PatientID": "PAT-2"}
    write_slices(folder / "a", PLACES, **one)
    write_slices(folder / "b" / "deep", PLACES, **two)
    (folder / "broken.dcm").write_bytes(b"")
    (folder / "notes").write_text("no DICOM")
    return folder


def renewed(folder: Path) -> tuple[Changes, Scan]:
    with closing(IndexStore(folder / DATABASE)) as store:
        return refresh_index(folder, store), scan_index(folder, store)


def test_the_index_says_what_a_scan_says(study: Path) -> None:
    changes, scan = renewed(study)
    assert changes == Changes(10, 0, 0)
    fresh = scan_folder(study)
    assert scan.series == fresh.series
    assert scan.refused == fresh.refused


def test_a_second_run_reads_only_what_changed(
    study: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, before = renewed(study)
    read: list[str] = []
    headers = HeaderScanner.headers

    def watched(self: HeaderScanner, path: Path, file: str) -> Any:
        read.append(file)
        return headers(self, path, file)

    monkeypatch.setattr(HeaderScanner, "headers", watched)
    assert renewed(study) == (Changes(0, 10, 0), before)
    assert read == []
    (study / "a" / "IM003.dcm").unlink()
    os.utime(study / "notes", ns=(1, 1))
    (study / "more").write_text("no DICOM")
    changes, scan = renewed(study)
    assert changes == Changes(2, 8, 1)
    assert read == ["more", "notes"]
    assert [len(series) for series in scan.series] == [3, 4]


def test_an_interrupted_run_keeps_what_it_has_read(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "BATCH", 2)

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with closing(IndexStore(study / DATABASE)) as store, pytest.raises(KeyboardInterrupt):
        refresh_index(study, store, stop)
    changes, scan = renewed(study)
    assert changes == Changes(5, 5, 0)
    assert scan.series == scan_folder(study).series


def test_patients_mixed_in_one_series_are_told_apart_by_a_later_run(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_slices(tmp_path / "a", PLACES[:2], PatientID="PAT-1")
    assert len(renewed(tmp_path)[1].series) == 1
    each = [{"SOPInstanceUID": f"1.2.3.4.9{k}"} for k in range(2)]
    write_slices(tmp_path / "b", PLACES[2:], PatientID="PAT-2", each=each)
    _, scan = renewed(tmp_path)
    assert scan.refused == ()
    assert [(one.patient_no, one.split_by, len(one)) for one in scan.series] == [
        (1, "patient 1 of 2", 2), (2, "patient 2 of 2", 2),
    ]  # fmt: skip


def test_two_walks_at_once_tell_patients_apart(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process gives a number to a new patient while the first is at work.

    The patients share their UIDs, as copies of a phantom do: only the number tells them apart.
    """
    monkeypatch.setattr(index_module, "BATCH", 1)
    folder = tmp_path / "study"

    def write(name: str) -> None:
        each = [{"SOPInstanceUID": f"1.2.3.{ord(name)}.{k}"} for k in range(len(PLACES))]
        uids = {"SeriesInstanceUID": "1.2.3.4", "StudyInstanceUID": "1.2.3"}
        write_slices(folder / name, PLACES, each=each, **uids, PatientID=f"PAT-{name}")

    def meanwhile(count: int, _total: int) -> None:
        if count == 2:
            write("a")
            with closing(IndexStore(folder / DATABASE)) as other:
                refresh_index(folder, other)

    write("b")
    write("c")
    with closing(IndexStore(folder / DATABASE)) as store:
        refresh_index(folder, store, meanwhile)
        assert len({entry.patient for entry in store.entries()}) == 3
        found = scan_index(folder, store)
    assert found.series == scan_folder(folder).series
    assert len(found.series) == 3


def test_an_index_is_made_once_by_many(tmp_path: Path) -> None:
    """Whoever opens it while another makes it finds no table, or all of them."""
    keys: list[bytes] = []
    for number in range(20):
        start = threading.Barrier(4)

        def opened(path: Path, start: threading.Barrier) -> None:
            start.wait()
            with closing(IndexStore(path)) as store:
                keys.append(store.key)

        path = tmp_path / f"{number}.sqlite"
        threads = [threading.Thread(target=opened, args=(path, start)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(keys) == 4 * (number + 1)
        assert len(set(keys)) == number + 1


@pytest.mark.parametrize("other_first", [False, True])
def test_one_patient_stays_one_over_several_runs(
    tmp_path: Path, write_slices: WriteSlices, other_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the patient was first met again under another study."""
    monkeypatch.setattr(index_module, "BATCH", 1)
    write_slices(tmp_path / "m", PLACES[:2])
    renewed(tmp_path)
    each = [{"SOPInstanceUID": f"1.2.3.4.9{k}"} for k in range(2)]
    write_slices(tmp_path / "n", PLACES[2:], each=each)
    other = {"SeriesInstanceUID": "1.2.8.4", "StudyInstanceUID": "1.2.8"}
    write_slices(tmp_path / ("c" if other_first else "z"), PLACES, **other)
    _, scan = renewed(tmp_path)
    assert scan.refused == ()
    assert [len(series) for series in scan.series] == [4, 4]


def test_no_identity_is_kept(tmp_path: Path, write_slices: WriteSlices) -> None:
    secrets = {
        "PatientID": "SECRET-ID-77", "PatientName": "SECRET^NAME", "InstitutionName": "SECRETPLACE",
        "StudyDate": "19990417", "StudyDescription": "SECRETWORDS", "AccessionNumber": "SECRETACC",
    }  # fmt: skip
    write_slices(tmp_path, PLACES, **secrets)
    renewed(tmp_path)
    kept = (tmp_path / DATABASE).read_bytes()
    assert b"1.2.3.4" in kept
    assert not any(secret.encode() in kept for secret in secrets.values())
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        assert database.execute("SELECT DISTINCT patient FROM entries").fetchall() == [(1,)]


def zipped(path: Path, files: list[Path]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.write(file, f"in/{file.name}")
    return path


def test_archives_are_looked_into(tmp_path: Path, write_slices: WriteSlices) -> None:
    files = write_slices(tmp_path / "plain", PLACES)
    dataset = dcmread(files[3])
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(files[3])
    folder = tmp_path / "study"
    folder.mkdir()
    zipped(folder / "all.zip", files)
    zipped(folder / "nameless", files)
    _, scan = renewed(folder)
    (series,) = scan.series
    assert [file for file, _ in series.frames] == [f"all.zip!in/IM00{k}.dcm" for k in range(4)]
    assert (scan.refused, scan.skipped, scan.copies) == ((), 0, 4)
    for file in files:
        file.rename(folder / file.name)
    _, scan = renewed(folder)
    assert [file for file, _ in scan.series[0].frames] == [f"IM00{k}.dcm" for k in range(4)]
    (folder / "IM000.dcm").unlink()
    _, scan = renewed(folder)
    assert next(file for file, _ in scan.series[0].frames) == "all.zip!in/IM000.dcm"
    assert sorted(path.name for path in folder.iterdir()) == [
        DATABASE, "IM001.dcm", "IM002.dcm", "IM003.dcm", "all.zip", "nameless",
    ]  # fmt: skip


def test_patients_of_an_archive_are_told_apart_by_a_later_run(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    zipped(folder / "a.zip", write_slices(tmp_path / "plain", PLACES[:2], PatientID="PAT-1"))
    renewed(folder)
    each = [{"SOPInstanceUID": f"1.2.3.4.9{k}"} for k in range(2)]
    write_slices(folder / "b", PLACES[2:], PatientID="PAT-2", each=each)
    scan = renewed(folder)[1]
    assert scan.refused == ()
    assert [(one.patient_no, len(one)) for one in scan.series] == [(1, 2), (2, 2)]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(archive, "FREE_BYTES", 1000)
    monkeypatch.setattr(archive, "MAX_MEMBER_BYTES", 500_000)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.dcm", bytes(400_000))
        packed.writestr("b.dcm", bytes(600_000))
        packed.writestr("../../c", b"no DICOM")
        packed.writestr("d/", b"")
    whole = (tmp_path / "bomb.zip").read_bytes()
    (tmp_path / "torn.zip").write_bytes(whole[: len(whole) // 2])
    return tmp_path


def test_hostile_archives_are_refused_and_nothing_is_unpacked(hostile: Path) -> None:
    _, scan = renewed(hostile)
    reasons = {refusal.place: refusal.reason for refusal in scan.refused}
    assert reasons["bomb.zip!a.dcm"].endswith("to 400000 bytes: not unpacked")
    assert "600000 bytes in an archive, more than 500000" in reasons["bomb.zip!b.dcm"]
    assert "an archive that cannot be read" in reasons["torn.zip"]
    assert len(reasons) == 3
    assert {path.name for path in hostile.iterdir()} == {"bomb.zip", "torn.zip", DATABASE}


def test_too_many_members(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 2)
    reasons = {refusal.place: refusal.reason for refusal in renewed(hostile)[1].refused}
    assert reasons["bomb.zip"] == "3 members, more than 2: unpack it"


def test_links_and_files_that_vanish(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (study / "loop").symlink_to(study)
    (study / "nowhere").symlink_to(study / "gone")
    os.mkfifo(study / "pipe")

    def vanish(done: int, total: int) -> None:
        (study / "b" / "deep" / "IM003.dcm").unlink(missing_ok=True)

    with closing(IndexStore(study / DATABASE)) as store:
        changes = refresh_index(study, store, vanish)
        scan = scan_index(study, store)
    assert changes.read == 12
    reasons = {refusal.place: refusal.reason for refusal in scan.refused}
    assert "cannot be read" in reasons["nowhere"]
    assert "cannot be read" in reasons["b/deep/IM003.dcm"]
    assert "no regular file" in reasons["pipe"]
    assert [len(series) for series in scan.series] == [4, 3]
    assert renewed(study)[0] == Changes(0, 11, 1)


def test_another_database_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE files (precious)")
    before = path.read_bytes()
    with pytest.raises(DicomError, match=r"other\.sqlite: another kind of database"):
        IndexStore(path)
    assert path.read_bytes() == before
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(DicomError, match=r"cannot be used .DatabaseError.: if it is damaged"):
        IndexStore(path)


def test_an_index_of_another_form_is_made_anew(study: Path) -> None:
    _, before = renewed(study)
    with closing(sqlite3.connect(study / DATABASE)) as database, database:
        database.execute("UPDATE about SET form = 'old'")
    assert renewed(study) == (Changes(10, 0, 0), before)


def test_a_report_holds_until_something_changes(study: Path) -> None:
    with closing(IndexStore(study / DATABASE)) as store:
        assert store.report() is None
        store.keep_report([])
        assert store.report() == []
        store.keep_report(["one", "two"])
        assert store.report() == ["one", "two"]
        refresh_index(study, store)
        assert store.report() is None


def test_a_read_only_folder_is_indexed_in_the_cache(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert index_path(study) == study / DATABASE
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = index_path(study)
    assert place.parent == tmp_path / "cache" / "necroangle"
    assert place != index_path(study / "a")
    assert "study" not in place.name


def test_no_folder(tmp_path: Path) -> None:
    store = IndexStore(tmp_path / "index")
    with closing(store), pytest.raises(DicomError, match="nowhere: no folder"):
        refresh_index(tmp_path / "nowhere", store)


def test_a_folder_that_cannot_be_entered_is_told_every_time(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it can be: then its files are read."""
    whole = renewed(study)[1].tally()
    true_scandir = os.scandir

    def closed(place: bytes) -> object:
        if place.endswith(b"/b"):
            raise PermissionError(errno.EACCES, "closed")
        return true_scandir(place)

    with monkeypatch.context() as patch:
        patch.setattr("necroangle.dicom.index.os.scandir", closed)
        for _ in range(2):
            _, scan = renewed(study)
            (refused,) = (one for one in scan.refused if one.place == "b/")
            assert refused.nameless.startswith("a folder that cannot be entered (EACCES)")
            assert scan.tally().unreadable == 1
            assert scan.tally().walked == scan.walked < whole.walked
        (refused,) = (one for one in scan_folder(study).refused if one.place == "b/")
        assert refused.stage == "open"
    assert renewed(study)[1].tally() == whole


@contextmanager
def nested(folder: Path, name: str, depth: int) -> Iterator[None]:
    """A file in so many nested folders: made and removed step by step, as no recursion could."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(depth):
            Path(name).mkdir()
            os.chdir(name)
        Path("IM1").write_bytes(mr_file())
        yield
        Path("IM1").unlink()
        for _ in range(depth):
            os.chdir("..")
            Path(name).rmdir()
    finally:
        os.chdir(here)


def test_folders_nested_as_deep_as_the_system_allows(tmp_path: Path) -> None:
    with nested(tmp_path, "d", 1500):
        for scan in (scan_folder(tmp_path), renewed(tmp_path)[1]):
            ((file, _),) = scan.series[0].frames
            assert file == "d/" * 1500 + "IM1"


def test_a_path_beyond_the_systems_limit_is_told(tmp_path: Path) -> None:
    with nested(tmp_path, "d" * 100, 50):
        tally = scan_folder(tmp_path).tally()
    assert (tally.opened, tally.unreadable) == (0, 1)


def test_an_archive_beside_its_study_is_not_unpacked(
    tmp_path: Path, write_slices: WriteSlices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its directory is read once, however many members it has."""
    zipped(tmp_path / "all.zip", write_slices(tmp_path, PLACES))
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, path: Path) -> None:
            opened.append(path)
            super().__init__(path)

    monkeypatch.setattr("necroangle.dicom.archive.zipfile.ZipFile", Counted)
    monkeypatch.setattr(archive, "unpacked", pytest.fail)
    scan = scan_folder(tmp_path)
    assert (len(scan.series[0]), scan.copies, scan.walked) == (4, 4, 8)
    assert len(opened) == 2


def test_an_archive_that_grows_as_a_whole_is_refused(
    hostile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each member stays within the limits of a member."""
    monkeypatch.setattr(archive, "FREE_BYTES", 500_000)
    with zipfile.ZipFile(hostile / "many.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(4):
            packed.writestr(f"{number}.dcm", bytes(400_000))
    reasons = {refusal.place: refusal.reason for refusal in scan_folder(hostile).refused}
    assert reasons["many.zip"].endswith("to 1600000 bytes: not unpacked")


def test_an_archive_within_an_archive_is_told(tmp_path: Path, write_slices: WriteSlices) -> None:
    inner = zipped(tmp_path / "inner.zip", write_slices(tmp_path / "plain", PLACES))
    folder = tmp_path / "study"
    folder.mkdir()
    zipped(folder / "outer.zip", [inner])
    (refused,) = scan_folder(folder).refused
    assert (refused.place, refused.reason) == (
        "outer.zip!in/inner.zip", "an archive within an archive: unpack it",
    )  # fmt: skip


def test_a_fault_on_one_file_does_not_end_the_listing(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_headers = HeaderScanner.headers

    def faulty(self: HeaderScanner, path: Path, file: str) -> object:
        if path.name == "IM001.dcm" and path.parent.name == "a":
            raise TypeError("PatientName^Secret")
        return true_headers(self, path, file)

    monkeypatch.setattr(HeaderScanner, "headers", faulty)
    scan = scan_folder(study)
    assert "reading the header failed (TypeError): an internal error" in {
        one.reason for one in scan.refused
    }
    assert "Secret" not in str(scan.refused)
    assert scan.tally().walked == scan.walked
