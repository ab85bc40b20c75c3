"""The saved reading as a report for the archive, from the window."""

import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest

from necroangle.interop.saved import write_report
from necroangle.terms import Finding, View


@pytest.fixture
def study(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study, with room for readings beside it."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


def test_a_saved_reading_becomes_a_report(samples: Path, tmp_path: Path) -> None:
    from necroangle.dicom import scan_folder

    (reading,) = (samples / "readings").glob("PHANTOM-01__R*")
    assert write_report(reading, scan_folder(samples / "plain"), tmp_path) == 5
    (report,) = tmp_path.glob("*.report-standard.dcm")
    assert pydicom.dcmread(report).PatientID == "PHANTOM-01"


@pytest.mark.screen
def test_the_button_is_there_once_the_reading_is_saved(
    dock: Any, qtbot: Any, study: Path, tmp_path: Path
) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    button = dock.parts.report_button
    assert not button.isVisible()
    for view in (View.CORONAL, View.SAGITTAL):
        dock.workspace.case.choose(view, Finding.NO_NECROSIS, 5)
    dock.save()
    assert button.isVisible()
    out = tmp_path / "out"
    dock.dialogs.folder = lambda *_: out
    button.click()
    assert len(list(out.glob("*.report-standard.dcm"))) == 1
    dock.workspace.case.session.enter(notes="once more")
    dock.refresh()
    assert not button.isVisible(), "what is reported is what is saved"
    told = []
    dock.dialogs.tell = lambda *words: told.append(words)
    dock.save()
    for image in study.rglob("*.dcm"):
        image.unlink()
    button.click()
    assert told[0][0] == "No report was written"
