"""Nothing that names a patient leaves the loader: canaries in every identifying attribute."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from necroangle.cli.series import command
from necroangle.dicom import scan_folder

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
    assert (shown.exit_code, table.exit_code) == (0, 0)
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
