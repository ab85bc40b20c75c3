"""The tour in a real window: four steps by mouse and keys, and nothing is left of it."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_necroangle.help.tour import Tour, TourCard, TourStep
from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reader import above_180, plain
from napari_necroangle.store import readings as first_run

from necroangle.annotation import HipReading, ReadView, load_reading
from necroangle.geometry import PatientPoints
from necroangle.terms import View

screen = pytest.mark.screen


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader who has never started the program, and a temporary folder of her own."""
    monkeypatch.setattr(first_run, "config_folder", lambda: tmp_path / "config")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    return tmp_path / "config"


@pytest.fixture
def dock(open_dock: Callable[[], Any], config: Path) -> Any:
    """The dock of a reader whose settings lie in the test's own place."""
    return open_dock()


@pytest.fixture
def truth(samples: Path) -> HipReading:
    return load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")


def left_behind(config: Path) -> list[str]:
    """Every file but the note that the tour was offered."""
    places = (config, config.parent / "scratch")
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return [path.name for path in files if path.name != "tour-offered"]


def mark(dock: Any, place: int, entry: ReadView, what: str) -> None:
    """Draw a saved view's rim, or click its arc, on the slice that carries it."""
    plane, case = dock.planes[place], dock.workspace.case
    dock.commands.magnifies = False
    dock.commands.touched(plane.view)
    uids = [one.instance_uid for one in plane.picture.volume.sources]
    plane.go_to(uids.index(entry.image.instance_uid))
    (arc,) = entry.arcs
    marks = entry.rim if what == "rim" else (arc.start, arc.end, arc.via)
    slice_ = plane.picture.volume.planes[plane.slice_index]
    patient = PatientPoints(np.array([one.patient_mm for one in marks]))
    spots = [(u, v) for u, v in slice_.patient_to_plane(patient).tolist()]
    if what == "rim":
        case.draw(plane.view, plane.slice_index, spots)
        case.end_stroke(plane.view)
        dock.commands.stroked()
        return
    for spot in spots:
        dock.commands.clicked(plane.view, case.click(plane.view, plane.slice_index, spot))


@screen
def test_the_tour_waits_for_each_step_and_leaves_nothing(
    dock: Any, qtbot: Any, config: Path, truth: HipReading
) -> None:
    views = [view for view in truth.views if isinstance(view, ReadView)]
    assert dock.parts.offer.words.isVisible()
    dock.parts.offer.tour.click()
    qtbot.wait(150)

    def at() -> TourStep:
        found: TourCard = dock.guide.tour.card()
        assert dock.guide.card_over.isVisible()
        assert dock.guide.card_over.title.text() == found.title
        assert dock.guide.card_over.words.text() == found.words
        return found.step

    assert at() is TourStep.HEAD
    dock.planes[0].go_to(dock.planes[0].slice_index + 1)
    dock.refresh()
    assert at() is TourStep.HEAD  # it waits
    mark(dock, 0, views[0], "rim")
    assert at() is TourStep.SLICE
    mark(dock, 1, views[1], "rim")
    assert at() is TourStep.ARC
    mark(dock, 0, views[0], "arc")
    assert at() is TourStep.ARC
    mark(dock, 1, views[1], "arc")
    assert at() is TourStep.RESULT
    dock.workspace.case.session.undo()
    assert at() is TourStep.ARC
    dock.workspace.case.session.redo()
    assert at() is TourStep.RESULT
    qtbot.keyClick(dock.canvases.native, "s")
    qtbot.wait(50)
    assert at() is TourStep.END
    dock.workspace.case.click(View.CORONAL, dock.planes[0].slice_index, (60.0, 60.0))
    dock.workspace.case.choose(View.CORONAL, None, 0)
    dock.guide.card_over.leave.click()
    qtbot.wait(50)
    assert not dock.guide.card_over.isVisible()
    assert dock.workspace.case is None
    assert dock.workspace.unsaved == ()
    assert left_behind(config) == []
    assert not dock.parts.offer.words.isVisible()
    assert dock.parts.offer.tour.isVisible()


@screen
@pytest.mark.parametrize("edits", [0, 3])
def test_what_was_open_is_there_again(
    dock: Any, qtbot: Any, samples: Path, config: Path, edits: int
) -> None:
    """Marks, hip and readings folder; the marks of a skipped tour ask nothing and are gone."""
    kept = config.parent / "mine"
    dock.workspace.keep_readings_in(kept)
    dock.workspace.reader = "r1"
    dock.open_folder(shutil.copytree(samples / "oblique", config.parent / "oblique"))
    assert dock.mode.neighbour(1) == ""
    key = dock.workspace.key
    dock.workspace.case.click(View.CORONAL, 4, (60.0, 60.0))
    draft = dock.workspace.case.session.draft
    dock.parts.tour.click()
    qtbot.wait(100)
    assert dock.workspace.key != key
    assert kept not in (dock.workspace.readings, *dock.workspace.readings.parents)
    for number in range(edits):
        dock.workspace.case.click(View.CORONAL, 5, (60.0 + 5 * number, 60.0))
    dock.guide.card_over.leave.click()
    qtbot.wait(100)
    assert dock.workspace.key == key
    assert dock.workspace.readings == kept
    assert dock.workspace.reader == "r1"
    assert dock.workspace.case.session.draft == draft
    assert dock.workspace.unsaved == (key,)
    assert dock.planes[0].picture is dock.workspace.case.pictures[View.CORONAL]
    assert not kept.exists()
    assert list((config.parent / "scratch").iterdir()) == []


@screen
def test_the_card_stands_beside_what_it_speaks_of(dock: Any, qtbot: Any) -> None:
    from qtpy.QtCore import QPoint, QRect

    dock.guide.begin()
    qtbot.wait(200)
    shown = dock.canvases.native_of(0)
    head = QRect(shown.mapTo(dock.window(), QPoint(0, 0)), shown.size())
    assert not head.intersects(dock.guide.card_over.geometry())
    assert dock.window().rect().contains(dock.guide.card_over.geometry())
    dock.toggle_layout()
    qtbot.wait(200)
    assert dock.guide.card_over.isVisible()
    assert dock.window().rect().contains(dock.guide.card_over.geometry())
    found = dock.guide.card_over
    assert found.words.height() >= found.words.heightForWidth(found.words.width())


@screen
def test_closing_the_window_in_mid_tour_asks_nothing(dock: Any, qtbot: Any, config: Path) -> None:
    dock.guide.begin()
    dock.workspace.case.click(View.CORONAL, 5, (60.0, 60.0))
    dock.dialogs = None  # a question would fail
    assert dock.may_close()
    assert left_behind(config) == []


def test_the_offer_is_made_once(config: Path) -> None:
    assert not first_run.was_offered()
    first_run.note_offer()
    first_run.note_offer()
    assert first_run.was_offered()


def test_an_offer_that_cannot_be_noted_is_made_again(config: Path) -> None:
    config.parent.mkdir(exist_ok=True)
    config.write_bytes(b"a file where the folder should be")
    first_run.note_offer()
    assert not first_run.was_offered()


def test_the_samples_of_the_menu_open_and_leave_nothing(config: Path) -> None:
    for sample in (plain, above_180):
        layers = sample()
        assert layers
        assert {kind for _, _, kind in layers} == {"image"}
        assert all(np.ptp(pixels) > 0 for pixels, _, _ in layers)
    assert left_behind(config) == []


def test_the_tour_reads_a_copy_of_the_sample(config: Path, samples: Path) -> None:
    space = Workspace()
    tour = Tour(space, space.open, space.take)
    tour.begin()
    assert space.folder is not None
    assert samples not in space.folder.parents
    assert len(space.scan.series) == 3
    names = {path.name for path in (samples / "plain").rglob("*")}
    assert {path.name for path in space.folder.rglob("*")} == names
    tour.end()
    assert left_behind(config) == []
    assert list((config.parent / "scratch").iterdir()) == []


@screen
def test_the_first_picture_loads_no_library_while_the_window_waits(dock: Any) -> None:
    """napari asks for its units, and for xarray and pandas, with the first layer of a program."""
    before = set(sys.modules)
    dock.guide.begin()
    assert dock.workspace.case is not None
    loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert loaded & {"xarray", "pandas", "pint", "flexparser"} == set()
