"""A real window with a real mouse: open, mark, drag, save; the batch road finds the same row."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from necroangle.annotation import HipReading, ReadView, load_reading, sha256_of
from necroangle.batch import measure_files
from necroangle.cohort import to_row
from necroangle.geometry import PatientPoints
from necroangle.terms import Finding, Laterality, View

pytestmark = pytest.mark.screen

MOVE_MS = 15
"""vispy drops a mouse move that comes less than 10 ms after the last."""


class Answers:
    """Answers every question of the dock as the test says, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[Sequence[str]], str | None] = lambda _: None

    def choose(self, title: str, words: str, answers: Sequence[str]) -> str | None:
        self.asked.append(f"{title}: {words}")
        return self.answer(answers)

    def tell(self, title: str, words: str) -> None:
        self.asked.append(f"{title}: {words}")


class Reader:
    """A reader's hand on the two canvases of a window."""

    def __init__(self, viewer: Any, dock: Any, qtbot: Any) -> None:
        self.dock = dock
        self.qtbot = qtbot
        self.canvases = (viewer.window._qt_viewer.canvas, dock.second.canvas.canvas)

    def place(self, view: int, uv_mm: tuple[float, float]) -> Any:
        """Where a point of the picture stands on its canvas, in whole pixels."""
        from qtpy.QtCore import QPoint

        node = self.canvases[view].layer_to_visual[self.dock.planes[view].points].node
        x, y, _, w = node.get_transform("visual", "canvas").map([*uv_mm, 0, 1])
        return QPoint(round(x / w), round(y / w))

    def click(self, view: int, uv_mm: tuple[float, float]) -> None:
        """Click on a point of the picture."""
        from qtpy.QtCore import Qt

        native = self.canvases[view].native
        spot = self.place(view, uv_mm)
        self.move(native, spot, pressed=False)
        self.qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=spot)
        self.qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spot)
        self.qtbot.wait(MOVE_MS)

    def drag(
        self,
        view: int,
        path: Sequence[tuple[float, float]],
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        """Press at the first point, move through the others, release at the last."""
        from qtpy.QtCore import Qt

        native = self.canvases[view].native
        spots = [self.place(view, uv) for uv in path]
        self.qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=spots[0])
        for spot in spots[1:]:
            self.move(native, spot, pressed=True)
            watch()
        self.qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spots[-1])
        self.qtbot.wait(MOVE_MS)

    def move(self, native: Any, spot: Any, *, pressed: bool) -> None:
        """Move the mouse, slowly enough for vispy."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        held = Qt.MouseButton.LeftButton if pressed else Qt.MouseButton.NoButton
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(spot),
            QPointF(native.mapToGlobal(spot)),
            Qt.MouseButton.NoButton,
            held,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(native, event)
        self.qtbot.wait(MOVE_MS)

    def mark(self, view: int, entry: ReadView) -> None:
        """Mark a view as a saved reading marks it: rim, Next, arc."""
        plane = self.dock.planes[view]
        here = plane.picture.volume.planes[plane.slice_index]

        def uv(patient_mm: tuple[float, float, float]) -> tuple[float, float]:
            u, v = here.patient_to_plane(PatientPoints(np.array([patient_mm])))[0].tolist()
            return u, v

        for one in entry.rim:
            self.click(view, uv(one.patient_mm))
        self.dock.steps.next.click()
        for one in (entry.arcs[0].start, entry.arcs[0].end, entry.arcs[0].via):
            self.click(view, uv(one.patient_mm))


def test_a_window_shows_what_it_is_given(make_napari_viewer: Any, qtbot: Any) -> None:
    """The guard: without this, black pictures would let every other test here pass."""
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.ones((64, 64)), contrast_limits=(0, 1))
    qtbot.wait(300)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    middle = picture[picture.shape[0] // 2, picture.shape[1] // 2, :3]
    assert middle.min() > 200


@pytest.fixture
def study(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study, with room for readings beside it."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


@pytest.fixture
def window(make_napari_viewer: Any, qtbot: Any) -> Iterator[tuple[Any, Any, Answers]]:
    """A napari window of 1700 x 950 with the dock in it."""
    from napari_necroangle._widget import ReadingDock

    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1700, 950)
    dock: Any = ReadingDock(viewer)
    answers = Answers()
    dock.asker = answers
    viewer.window.add_dock_widget(dock, name="Hip reading", area="right")
    qtbot.wait(500)
    yield viewer, dock, answers
    answers.answer = lambda choices: choices[-1]
    dock.shutdown()


def truth_of(samples: Path, subject: str, side: str) -> HipReading:
    """The sample's own reading, marked at the truth."""
    return load_reading(
        samples / "readings" / f"{subject}__{side}__baseline__truth__1.reading.json"
    )


def test_the_road_from_folder_to_row(
    window: tuple[Any, Any, Answers], qtbot: Any, samples: Path, study: Path
) -> None:
    viewer, dock, answers = window
    dock.open_folder(study)
    qtbot.wait(300)
    passport = dock.study.series[1].widget.toolTip()
    assert "step 3.8500 mm" in passport
    assert "coded R, by place R" in passport
    reader = Reader(viewer, dock, qtbot)
    truth = truth_of(samples, "PHANTOM-01", "R")
    expected = [view for view in truth.views if isinstance(view, ReadView)]
    reader.mark(0, expected[0])
    reader.mark(1, expected[1])
    session = dock.desk.case.session
    hip = session.outcome().hip
    assert [len(view.rim) for view in session.draft.views] == [len(v.rim) for v in expected]
    for view, entry in zip(session.draft.views, expected, strict=True):
        assert view.on is not None
        assert view.on.image == entry.image
    assert hip.cna_deg == pytest.approx(_cna(truth), abs=4.0)

    qtbot.keyClicks(dock.entries.texts["reader"], "reader-1")
    path = dock.save()
    assert answers.asked == []
    assert path == study.parent / "readings" / "PHANTOM-01__R__baseline__reader-1__1.reading.json"
    assert not session.is_unsaved

    result = measure_files([path])
    row = to_row(load_reading(path), session.outcome().hip, sha256_of(path.read_bytes()))
    assert result.refusals == ()
    assert result.rows == (row,)


def test_a_drag_is_seen_live_and_dragged_back_is_the_same(
    window: tuple[Any, Any, Answers], qtbot: Any, samples: Path, study: Path
) -> None:
    viewer, dock, _ = window
    dock.open_folder(study)
    qtbot.wait(300)
    reader = Reader(viewer, dock, qtbot)
    entry = truth_of(samples, "PHANTOM-01", "R").views[0]
    assert isinstance(entry, ReadView)
    reader.mark(0, entry)
    plane = dock.planes[0]
    session = dock.desk.case.session
    from napari_necroangle._draft import Handle, Role

    handle = Handle(Role.END, 0)
    before = session.outcome().views[0].measurement.angle_deg
    home = plane.uv_of(handle)
    away = [(home[0] + 1.5 * step, home[1] + 1.5 * step) for step in range(6)]
    seen: list[tuple[float, str, float]] = []

    def watch() -> None:
        seen.append(
            (
                session.outcome().views[0].measurement.angle_deg,
                viewer.canvas.overlays["necroangle_title"].text,
                float(plane.points.data[-2][2]),
            )
        )

    reader.drag(0, away, watch)
    assert len({angle for angle, _, _ in seen}) >= 4
    assert len({text for _, text, _ in seen}) >= 4
    assert len({u for _, _, u in seen}) >= 4
    moved = session.outcome().views[0].measurement.angle_deg
    assert abs(moved - before) > 5
    assert f"{moved:.1f}" in dock.steps.tabs[0].text()

    reader.drag(0, [plane.uv_of(handle), *away[4:0:-1], home])
    assert plane.uv_of(handle) == pytest.approx(home, abs=0.5)
    dock.steps.undo.click()
    dock.steps.undo.click()
    assert plane.uv_of(handle) == home
    assert session.outcome().views[0].measurement.angle_deg == before


def test_saving_twice_over_another_reading_asks_and_keeps_both(
    window: tuple[Any, Any, Answers], qtbot: Any, study: Path
) -> None:
    _, dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    case = dock.desk.case
    for view in (View.CORONAL, View.SAGITTAL):
        case.choose(view, Finding.NO_NECROSIS, 5)
    assert dock.save() is None
    assert "Reader: enter a code" in answers.asked.pop()
    qtbot.keyClicks(dock.entries.texts["reader"], "r1")
    first = dock.save()
    before = first.read_bytes()
    case.session.file_sha256 = None
    case.session.enter(notes="as if from another day")
    answers.answer = lambda choices: choices[0]
    second = dock.save()
    assert "Already there" in answers.asked[-1]
    assert second.name.endswith("__2.reading.json")
    assert first.read_bytes() == before


def test_an_unfinished_view_is_asked_about_before_it_is_saved(
    window: tuple[Any, Any, Answers], qtbot: Any, study: Path
) -> None:
    _, dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    case = dock.desk.case
    qtbot.keyClicks(dock.entries.texts["reader"], "r1")
    case.choose(View.SAGITTAL, Finding.NO_NECROSIS, 5)
    case.click(View.CORONAL, 5, (60.0, 60.0))
    assert dock.save() is None
    assert "mark 2 more rim points" in answers.asked[-1]
    answers.answer = lambda choices: choices[0]
    assert dock.save() is not None
    assert case.session.is_unsaved


def test_switching_hips_keeps_marks_and_closing_asks(
    window: tuple[Any, Any, Answers], qtbot: Any, study: Path
) -> None:
    viewer, dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    dock.desk.case.click(View.CORONAL, 5, (60.0, 60.0))
    dock.study.sides[Laterality.LEFT].click()
    assert dock.desk.key.side is Laterality.LEFT
    assert dock.desk.case.session.draft.views[0].rim == ()
    dock.study.sides[Laterality.RIGHT].click()
    assert len(dock.desk.case.session.draft.views[0].rim) == 1
    assert len(dock.planes[0].points.data) == 1
    viewer.window._qt_window.close()
    assert "right hip" in answers.asked[-1]
    assert viewer.window._qt_window.isVisible()
    assert dock.second is not None


def test_a_saved_reading_opens_on_its_slices(
    window: tuple[Any, Any, Answers], qtbot: Any, samples: Path
) -> None:
    _, dock, answers = window
    dock.open_folder(samples / "oblique")
    path = samples / "readings" / "PHANTOM-02__L__baseline__truth__1.reading.json"
    dock.open_reading(path)
    qtbot.wait(200)
    assert answers.asked == []
    assert dock.desk.key.side is Laterality.LEFT
    for plane in dock.planes:
        assert plane.slice_index == dock.desk.case.marks_index(plane.view)
        assert len(plane.points.data) >= 11
    assert dock.desk.case.session.outcome().hip.cna_deg == _cna(load_reading(path))
    assert dock.status.text() != "Not saved"


def test_a_radiograph_pair_can_be_read(
    window: tuple[Any, Any, Answers], qtbot: Any, samples: Path
) -> None:
    _, dock, answers = window
    dock.open_folder(samples / "radiographs")
    dock.open_reading(samples / "readings" / "PHANTOM-06__R__baseline__truth__1.reading.json")
    qtbot.wait(200)
    assert answers.asked == []
    assert [plane.view for plane in dock.planes] == [View.AP, View.FROG_LEG]
    assert "lesion" in dock.result.grade.text()
    assert dock.viewer.canvas.overlays.scale_bar.visible is False


def _cna(reading: HipReading) -> float:
    from necroangle.measurement import measure

    found = measure(reading).cna_deg
    assert found is not None
    return found
