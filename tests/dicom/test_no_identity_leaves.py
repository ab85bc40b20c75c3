"""Nothing that names a patient leaves the loader: canaries in every identifying attribute."""

import json
import logging
import threading
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from dicombytes import mr_file
from hipmaker import make_reading
from pydicom.misc import warn_and_log
from secrets_of_every_kind import ALLOWED, secret_elements, spoilt_elements

from necroangle.annotation import ImageRecord, ReadView, encode_reading
from necroangle.cli.images.index import command as index_command
from necroangle.cli.images.series import command
from necroangle.dicom import Refusal, Scan, SeriesSummary, read_volume, scan_folder
from necroangle.dicom.guard import pydicom_door
from necroangle.dicom.worker import read_volume_guarded
from necroangle.errors import DicomError
from necroangle.measurement import measure
from necroangle.measurement.row import to_row
from necroangle.report import overlay
from necroangle.terms import View

UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
WriteSlices = Callable[..., list[Path]]

CANARIES = {
    "PatientName": "CANARY^NAME",
    "PatientID": "CANARYID",
    "PatientBirthDate": "19700131",
    "PatientAddress": "CANARY STREET",
    "StudyDate": "20240229",
    "StudyDescription": "CANARY STUDY",
    "SeriesDescription": "CANARY SERIES",
    "ProtocolName": "CANARY PROTOCOL",
    "InstitutionName": "CANARY HOSPITAL",
    "ReferringPhysicianName": "CANARY^DOCTOR",
    "AccessionNumber": "CANARYACC",
    "ImageComments": "CANARY COMMENT",
    "StationName": "CANARYSTATION",
}
MARKS = ("CANARY", "19700131", "20240229")


@pytest.mark.parametrize("spoilt", [{}, {"Rows": 0}, {"PixelSpacing": None}], ids=str)
def test_canaries_stay_inside(
    tmp_path: Path,
    write_slices: WriteSlices,
    spoilt: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_slices(tmp_path, [(0, 0, 0), (0, 3, 0)], **CANARIES, **spoilt)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        scan = scan_folder(tmp_path)
        shown = CliRunner().invoke(command, [str(tmp_path), "--json"])
        table = CliRunner().invoke(command, [str(tmp_path)])
    assert shown.exit_code == table.exit_code == (0 if scan.series else 1)
    assert len(scan.series) + len(scan.refused) == 1
    text = "".join((repr(scan), str(scan), shown.output, table.output, caplog.text))
    assert [mark for mark in MARKS if mark in text] == []
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    ("attributes", "subject", "visit"),
    [
        ({"PatientID": "X1"}, None, None),
        ({"PatientID": "X1", "PatientIdentityRemoved": "NO"}, None, None),
        ({"PatientID": "X1", "PatientIdentityRemoved": "YES"}, "X1", None),
        (
            {
                "PatientID": "X1",
                "ClinicalTrialSubjectID": "S-07",
                "ClinicalTrialTimePointID": "V2",
            },
            "S-07",
            "V2",
        ),
    ],
)
def test_only_pseudonyms_name_the_subject(
    tmp_path: Path,
    write_slices: WriteSlices,
    attributes: dict[str, Any],
    subject: str | None,
    visit: str | None,
) -> None:
    write_slices(tmp_path, [(0, 0, 0)], **attributes)
    (series,) = scan_folder(tmp_path).series
    assert (series.subject, series.visit) == (subject, visit)


def test_values_that_pydicom_quotes_are_withheld(
    tmp_path: Path, write_slices: WriteSlices, caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = write_slices(tmp_path, [(0, 0, 0)], FrameOfReferenceUID="1.2.3.44")
    path.write_bytes(path.read_bytes().replace(b"1.2.3.44", b"CANARY^X"))
    caplog.clear()
    scan = scan_folder(tmp_path)
    assert scan.refused[0].tag == "FrameOfReferenceUID"
    assert "CANARY" not in repr(scan) + caplog.text


def test_one_thread_that_leaves_does_not_let_another_be_heard(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    first_is_in, first_is_out, second_is_in = (threading.Event() for _ in range(3))

    def read() -> None:
        first_is_in.wait(60)
        with pydicom_door("2.dcm", "reading", stage="header"):
            second_is_in.set()
            first_is_out.wait(60)
            warn_and_log("the name is CANARY^X")

    logger = logging.getLogger("pydicom")
    before = logger.propagate, list(warnings.filters)
    other = threading.Thread(target=read)
    other.start()
    with pydicom_door("1.dcm", "reading", stage="header"):
        first_is_in.set()
        second_is_in.wait(60)
    first_is_out.set()
    other.join()
    assert "CANARY" not in caplog.text + "".join(str(one.message) for one in recwarn)
    assert (logger.propagate, list(warnings.filters)) == before
    warn_and_log("what others say is heard")
    assert "what others say is heard" in caplog.text
    assert len(recwarn) == 1


def all_that_is_said(
    folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> tuple[Scan, str]:
    """A scan, and every word that leaves the loader and the command while all is read."""
    caplog.clear()
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        scan = scan_folder(folder)
        for series in scan.series:
            try:
                said.append(repr(read_volume(series)))
            except DicomError as error:
                said += [str(error), repr(error), "".join(traceback.format_exception(error))]
        for options in ([], ["--json"]):
            shown = CliRunner().invoke(command, [str(folder), *options])
            assert shown.exit_code == (0 if scan.series else 1)
            said += [shown.stdout, shown.stderr]
    records: list[SeriesSummary | Refusal] = [*scan.series, *scan.refused]
    said += [repr(scan), str(scan), *map(repr, records), *map(str, records)]
    said += [json.dumps(asdict(record), default=str) for record in records]
    printed = capfd.readouterr()
    return scan, "\n".join([*said, caplog.text, printed.out, printed.err])


def write_secrets(path: Path) -> tuple[list[str], list[str]]:
    """A good slice with every listed attribute; its secrets, and those let through on purpose."""
    extra: dict[int, bytes] = {}
    inside: list[str] = []
    allowed: list[str] = []
    for tag, keyword, raw, secrets in secret_elements():
        extra[tag] = raw
        (allowed if keyword in ALLOWED else inside).extend(secrets)
    path.write_bytes(mr_file(extra=extra))
    return inside, allowed


def test_no_listed_attribute_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    inside, allowed = write_secrets(tmp_path / "a.dcm")
    scan, said = all_that_is_said(tmp_path, caplog, capfd)
    assert (len(scan.series), scan.refused) == (1, ())
    assert len(inside) > 640
    assert [secret for secret in inside if secret in said] == []
    assert [secret for secret in allowed if secret in said] == allowed


def test_no_listed_attribute_is_said_of_a_file_that_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    inside, _ = write_secrets(tmp_path / "a.dcm")
    whole = (tmp_path / "a.dcm").read_bytes()
    for number, part in enumerate((0.2, 0.5, 0.9)):
        (tmp_path / f"cut{number}.dcm").write_bytes(whole[: int(len(whole) * part)])
    (tmp_path / "a.dcm").write_bytes(whole.replace(b"0.5\\0.5 ", b"0.5\\abc "))
    scan, said = all_that_is_said(tmp_path, caplog, capfd)
    assert sum(refusal.files for refusal in scan.refused) == 4
    assert [secret for secret in inside if secret in said] == []


def test_no_malformed_attribute_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    count = 0
    for tag, keyword, raw in spoilt_elements():
        if keyword in ("ClinicalTrialSubjectID", "ClinicalTrialTimePointID"):
            continue
        count += 1
        own = {name: f"1.2.5.{count}.{place}" for place, name in enumerate(UIDS)}
        (tmp_path / f"{count}.dcm").write_bytes(mr_file(own, {tag: raw}))
    scan, said = all_that_is_said(tmp_path, caplog, capfd)
    assert len(scan.series) + sum(refusal.files for refusal in scan.refused) == count
    assert len(scan.series) > 600
    assert "SECRET" not in said


def test_no_listed_attribute_reaches_reading_row_or_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, allowed = write_secrets(tmp_path / "a.dcm")
    (series,) = scan_folder(tmp_path).series
    volume = read_volume(series)
    first, second = make_reading().views
    assert isinstance(first, ReadView)
    image = ImageRecord.of(volume.sources[0])
    marked = msgspec.structs.replace(first, image=image)
    reading = make_reading(subject="P-1", views=(marked, second))
    measured = measure(reading)
    drawn: list[str] = []
    monkeypatch.setattr(overlay, "write_text", lambda _, text, *__, **___: drawn.append(text))
    overlay.draw_reading(reading, measured, {View.CORONAL: volume.slice(0)})
    written = encode_reading(reading).decode()
    row = to_row(reading, measured, "0" * 64)
    exported = repr(row) + repr([row[name] for name in row]) + "\n".join(drawn)
    assert len(drawn) > 5
    assert "P-1" in exported
    assert [secret for secret in inside if secret in written + exported] == []
    assert [secret for secret in allowed if secret in exported] == []
    assert image.instance_uid in allowed
    assert image.instance_uid in written


def test_no_listed_attribute_reaches_the_index(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, kept = tmp_path / "study", tmp_path / "index.db"
    folder.mkdir()
    inside, allowed = write_secrets(folder / "HONG_19700131.dcm")
    whole = (folder / "HONG_19700131.dcm").read_bytes()
    (folder / "cut.dcm").write_bytes(whole[:9000])
    said = {}
    for option in ("", "--json", "--identifiers"):
        options = ["--json", "--identifiers"] if option == "--identifiers" else [option]
        asked = [str(folder), "--db", str(kept), *filter(None, options)]
        shown = CliRunner().invoke(index_command, asked)
        assert shown.exit_code == 0
        said[option] = shown.stdout + shown.stderr
    printed = capfd.readouterr()
    everything = "".join((*said.values(), printed.out, printed.err))
    everything += kept.read_bytes().decode("latin-1")
    assert [secret for secret in inside if secret in everything] == []
    assert '"refusal"' in said["--json"]
    assert [secret for secret in (*inside, *allowed) if secret in said["--json"]] == []
    assert not any(word in said["--json"] for word in ("HONG", "cut.dcm"))
    in_lines = [secret for secret in allowed if secret in said["--identifiers"]]
    assert len(in_lines) == len(allowed) - 2
    assert all(word in said["--identifiers"] for word in ("HONG_19700131.dcm", "cut.dcm"))


def test_lines_of_a_scan_carry_codes_alone(tmp_path: Path) -> None:
    inside, allowed = write_secrets(tmp_path / "HONG_19700131.dcm")
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "HONG_19700131.dcm").read_bytes()[:9000])
    shown = CliRunner().invoke(command, [str(tmp_path), "--json"])
    records = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [record["record"] for record in records] == ["series", "refusal"]
    assert [secret for secret in (*inside, *allowed) if secret in shown.output] == []
    assert not any(word in shown.output for word in ("HONG", "cut.dcm"))


def test_the_worker_says_no_more(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inside, _ = write_secrets(tmp_path / "a.dcm")
    (series,) = scan_folder(tmp_path).series
    whole = (tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(whole[:-40])
    with pytest.raises(DicomError) as caught:
        read_volume_guarded(series)
    printed = capfd.readouterr()
    assert printed.err == ""
    assert [secret for secret in inside if secret in str(caught.value) + printed.out] == []
