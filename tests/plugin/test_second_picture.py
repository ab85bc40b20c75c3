"""A second picture beside the first: a series with the same marks, the other visit's picture."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pydicom
import pytest
from napari_necroangle.canvas.overlay import Anchor
from pydicom.uid import UID
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtTest import QTest

from necroangle.annotation import load_reading
from necroangle.geometry import PatientPoints
from necroangle.terms import Laterality, View

pytestmark = pytest.mark.screen

A, B = View.CORONAL, View.SAGITTAL


@pytest.fixture
def open_study(make_napari_viewer: Any, qtbot: Any) -> Iterator[Callable[[Path], Any]]:
    from napari_necroangle.window import HipReading

    opened = []

    def open_study(folder: Path) -> Any:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(1280, 800)
        dock: Any = HipReading(viewer)
        dock.dialogs = SimpleNamespace(choose=lambda _, __, choices: choices[-1])
        viewer.window.add_dock_widget(dock, name="Hip reading", area="right")
        opened.append(dock)
        qtbot.wait(300)
        dock.workspace.reader = "r1"
        dock.open_folder(folder)
        qtbot.wait(200)
        return dock

    yield open_study
    for dock in opened:
        dock.shutdown()


def add_stir(folder: Path) -> None:
    """Add the coronal series again as a STIR that begins two slices later."""
    images = [(path, pydicom.dcmread(path)) for path in folder.rglob("*.dcm")]
    coronal = [one for one in images if one[1].SeriesNumber == 1]
    coronal.sort(key=lambda one: float(one[1].ImagePositionPatient[1]))
    for number, (path, image) in enumerate(coronal[2:]):
        uid = UID(f"1.2.3.9.{number + 1}")
        image.SeriesInstanceUID, image.SeriesNumber = UID("1.2.3.9"), 9
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid
        image.ScanningSequence, image.InversionTime = ["SE", "IR"], 150
        image.RepetitionTime, image.EchoTime = 4000, 30
        image.save_as(path.with_name(f"stir{number}.dcm"))


def mark(dock: Any, name: str, samples: Path) -> None:
    """Mark both rims as a saved reading has them."""
    case = dock.workspace.case
    entries: Any = load_reading(samples / "readings" / name).views
    for place, view in enumerate(entries):
        plane = dock.planes[place]
        uids = [one.instance_uid for one in plane.picture.volume.sources]
        plane.go_to(uids.index(view.image.instance_uid))
        here = plane.picture.volume.planes[plane.slice_index]
        rim = PatientPoints(np.array([one.patient_mm for one in view.rim]))
        points = [(u, v) for u, v in here.patient_to_plane(rim).tolist()]
        case.draw(plane.view, plane.slice_index, points)
        case.end_stroke(plane.view)
    dock.refresh_all()


def press(dock: Any, key: Qt.Key) -> None:
    dock.canvases.focus()
    QTest.keyClick(dock.canvases.native, key)


def test_stir_beside_t1_with_the_same_marks(
    open_study: Callable[[Path], Any], samples: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(samples / "plain", tmp_path / "plain")
    add_stir(study)
    dock = open_study(study)
    mark(dock, "PHANTOM-01__R__baseline__truth__1.reading.json", samples)
    dock.turn_to(A)
    plane, pane = dock.planes[0], dock._second
    press(dock, Qt.Key.Key_D)
    assert pane.isVisible()
    assert pane.parent() is dock.canvases.native_of(1)
    assert "#9 STIR" in pane.sketch.texts[Anchor.TOP_LEFT]
    assert pane.sketch.index == plane.slice_index - 2
    assert len(pane.sketch.marks) == len(plane.sketch.marks) > 0
    for there, here in zip(pane.sketch.marks, plane.sketch.marks, strict=True):
        assert (there.index, here.index) == (pane.sketch.index, plane.slice_index)
        assert there.uv_mm == pytest.approx(here.uv_mm)
    width, level = plane.greys.figures
    words = pane.sketch.texts[Anchor.TOP_RIGHT]
    assert f"W {width:.5g}  L {level:.5g}" in words
    assert "#9 STIR" in words
    assert f"zoom {100 * plane.lens.zoom * 0.85:.0f} %" in words
    assert pane.sketch.has_bar
    plane.go_to(plane.slice_index + 1)
    assert pane.sketch.index == plane.slice_index - 2
    plane.go_to(0)
    assert "no slice here: the nearest is 8.8 mm away" in pane.sketch.texts[Anchor.TOP_LEFT]
    assert not pane.sketch.visible
    assert (pane.sketch.has_bar, pane.sketch.texts[Anchor.TOP_RIGHT]) == (False, "")
    before = dock.workspace.case.session.draft
    QTest.mouseClick(pane, Qt.MouseButton.LeftButton)
    assert dock.workspace.case.session.draft is before
    dock.turn_to(B)
    assert not pane.isVisible()
    dock.turn_to(A)
    assert pane.isVisible()
    press(dock, Qt.Key.Key_D)
    assert not pane.isVisible()


def test_the_mouse_shows_its_place_in_both_pictures(
    open_study: Callable[[Path], Any], qtbot: Any, samples: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(samples / "plain", tmp_path / "plain")
    add_stir(study)
    dock = open_study(study)
    dock.turn_to(A)
    plane, pane, status = dock.planes[0], dock._second, dock.window().statusBar()
    press(dock, Qt.Key.Key_D)
    native = dock.canvases.native_of(0)
    at = QPoint(native.width() // 3, native.height() // 2)
    QTest.mouseMove(native, at)
    qtbot.waitUntil(lambda: bool(pane.sketch.lines("cursor")), timeout=60_000)
    (lines,) = pane.sketch.lines("cursor").values()
    here = dock.canvases.all[0].ground.to_mm(np.array([(at.x(), at.y())]))[0]
    assert lines.mean(axis=(0, 1)) == pytest.approx(here)
    assert status.currentMessage().startswith("Coronal: grey")
    at = QPoint(pane.width() // 4, pane.height() // 2)
    QTest.mouseMove(pane, at)
    qtbot.waitUntil(
        lambda: status.currentMessage().startswith("Beside, coronal: grey"), timeout=60_000
    )
    (lines,) = plane.sketch.lines("cursor").values()
    assert list(plane.sketch.lines("cursor")) == [plane.slice_index]
    there = pane._ground.to_mm(np.array([(at.x(), at.y())]))[0]
    assert lines.mean(axis=(0, 1)) == pytest.approx(there)
    press(dock, Qt.Key.Key_P)
    QTest.mouseMove(pane, at + QPoint(9, 9))
    qtbot.wait(50)
    assert not plane.sketch.lines("cursor")
    QCoreApplication.sendEvent(pane, QEvent(QEvent.Type.Leave))
    assert status.currentMessage() == ""


def test_the_other_visits_picture_lies_by_the_heads_centre(
    open_study: Callable[[Path], Any], samples: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(samples / "two_visits", tmp_path / "study" / "two_visits")
    dock = open_study(study)
    visit = next(one for one in dock.workspace.visits if one.visit == "month_12")
    dock.free.take(visit, Laterality.RIGHT, (A, B))
    dock.turn_to(A)
    press(dock, Qt.Key.Key_D)
    assert "no reading of this view" in dock.parts.steps.line.text()
    readings = study.parent / "readings"
    readings.mkdir()
    name = "PHANTOM-04__R__{}__truth__1.reading.json"
    shutil.copy(samples / "readings" / name.format("baseline"), readings)
    mark(dock, name.format("month_12"), samples)
    dock.commands.followup.look(again=True)
    dock.turn_to(A)
    press(dock, Qt.Key.Key_D)
    pane = dock._second
    assert pane.isVisible()
    assert "baseline (earlier): #1 T1" in pane.sketch.texts[Anchor.TOP_LEFT]
    first = dock.planes[0]
    said = " ".join(pane.sketch.texts[Anchor.TOP_LEFT].split())
    assert re.search(r"head turned [+−]?\d+\.\d° ± \d+\.\d°, circle placed to ± \d\.\d mm", said)
    circle = dock.workspace.case.session.outcome().view(A).circle
    laid = np.concatenate([one.reshape(-1, 2) for one in first.sketch.lines("ghost").values()])
    assert (laid.max(axis=0) + laid.min(axis=0)) / 2 == pytest.approx(circle.centre_mm, abs=1.0)
    assert dock.commands.followup.ghost(A).placed_by == "registration"
    prior: Any = load_reading(samples / "readings" / name.format("baseline")).views[0]
    ghost = np.concatenate([one.reshape(-1, 2) for one in pane.sketch.lines("ghost").values()])
    centre = dock.workspace.case.session.outcome().view(A).circle.centre_mm
    away = np.array(first.lens.centre_mm) - centre
    middle = (ghost.max(axis=0) + ghost.min(axis=0)) / 2
    assert pane._ground.to_mm(np.array([(pane.width() / 2, pane.height() / 2)]))[0] == (
        pytest.approx(middle + away, abs=1.0)
    )
    assert list(pane.sketch.lines("ghost")) == [
        [one.instance_uid for one in pane._second.picture.volume.sources].index(
            prior.image.instance_uid
        )
    ]


def test_there_is_none_where_hips_are_handed_out(
    open_study: Callable[[Path], Any], samples: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(samples / "plain", tmp_path / "plain")
    add_stir(study)
    dock = open_study(study)
    assert [one.words for one in dock.commands.beside.offers(A)] == ["#9 STIR"]
    dock.mode.may_choose_hip = False
    assert dock.commands.beside.offers(A) == ()
    press(dock, Qt.Key.Key_D)
    assert "handed out" in dock.parts.steps.line.text()
    assert not dock._second.isVisible()
