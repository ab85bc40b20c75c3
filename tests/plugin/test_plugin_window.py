"""A real window with a real mouse: open, mark, drag, save; the batch road finds the same row."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from readingroom import Answers

from necroangle.annotation import HipReading, NecroticArc, ReadView, load_reading, sha256_of
from necroangle.batch import measure_files
from necroangle.cohort import to_row
from necroangle.geometry import PatientPoints
from necroangle.terms import Finding, Laterality, View

pytestmark = pytest.mark.screen

Point = tuple[float, float]

MOVE_MS = 5
"""What was begun goes on once Qt has nothing else to tell."""


class Reader:
    """A reader's hand on the mouse and the keys of a window; it counts what it does."""

    def __init__(self, dock: Any, qtbot: Any) -> None:
        self.dock = dock
        self.qtbot = qtbot
        self.presses = 0
        self.keys = 0

    def place(self, view: int, uv_mm: Point) -> Any:
        """Where a point of the picture stands on its canvas, in whole pixels."""
        from qtpy.QtCore import QPoint

        x, y = self.dock.canvases.all[view].place_px(uv_mm)
        return QPoint(round(x), round(y))

    def click(self, view: int, uv_mm: Point) -> None:
        """Click on a point of the picture."""
        from qtpy.QtCore import Qt

        native = self.dock.canvases.native_of(view)
        spot = self.place(view, uv_mm)
        self.move(native, spot, pressed=False)
        self.qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=spot)
        self.qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spot)
        self.qtbot.wait(MOVE_MS)
        self.presses += 1

    def drag(
        self,
        view: int,
        path: Sequence[Point],
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        """Press at the first point, move through the others, release at the last."""
        from qtpy.QtCore import Qt

        native = self.dock.canvases.native_of(view)
        spots = [self.place(view, uv) for uv in path]
        self.qtbot.mousePress(native, Qt.MouseButton.LeftButton, pos=spots[0])
        for spot in spots[1:]:
            self.move(native, spot, pressed=True)
            watch()
        self.qtbot.mouseRelease(native, Qt.MouseButton.LeftButton, pos=spots[-1])
        self.qtbot.wait(MOVE_MS)
        self.presses += 1

    def move(self, native: Any, spot: Any, *, pressed: bool) -> None:
        """Move the mouse."""
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

    def press(self, key: str) -> None:
        """Press a key where the window has its keys, written as napari writes it."""
        press_key(self.qtbot, self.dock.canvases.native, key)
        self.keys += 1

    def uv(self, view: int, patient_mm: tuple[float, float, float]) -> Point:
        """Plane mm of a patient point on the slice that is shown."""
        plane = self.dock.planes[view]
        here = plane.picture.volume.planes[plane.slice_index]
        u, v = here.patient_to_plane(PatientPoints(np.array([patient_mm])))[0].tolist()
        return u, v

    def rim(self, view: int, entry: ReadView) -> None:
        """Draw the rim in one drag, as a saved reading marks it."""
        points = np.array([self.uv(view, mark.patient_mm) for mark in entry.rim])
        at = np.linspace(0, len(points) - 1, 2 * len(points) - 1)
        u, v = (np.interp(at, range(len(points)), column) for column in points.T)
        self.drag(view, list(zip(u.tolist(), v.tolist(), strict=True)))

    def arc(self, view: int, arc: NecroticArc) -> None:
        """Click the ends, each a second time where it is magnified, and the point between."""
        for mark in (arc.start, arc.end):
            self.click(view, self.uv(view, mark.patient_mm))
            if self.dock.commands.magnifies:
                self.click(view, self.uv(view, mark.patient_mm))
        self.click(view, self.uv(view, arc.via.patient_mm))


def press_key(qtbot: Any, widget: Any, key: str) -> None:
    """A real key event; ``key`` as napari writes it."""
    from qtpy.QtCore import Qt

    held = Qt.KeyboardModifier.NoModifier
    *modifiers, name = key.split("-")
    for one in modifiers:
        held |= getattr(Qt.KeyboardModifier, f"{one}Modifier")
    code = getattr(Qt.Key, f"Key_{'Return' if name == 'Enter' else name}")
    qtbot.keyClick(widget, code, held)
    qtbot.wait(5)


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
def window(open_dock: Callable[[], Any]) -> Iterator[tuple[Any, Answers]]:
    """A reading window's dock, and the answers to its questions."""
    dock = open_dock()
    yield dock, dock.dialogs
    dock.dialogs.answer = lambda choices: choices[-1]


@pytest.fixture
def in_napari(make_napari_viewer: Any, qtbot: Any) -> Iterator[Any]:
    """The dock in a napari window of 1700 x 950."""
    from napari_necroangle.window import HipReading

    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1700, 950)
    dock: Any = HipReading(viewer)
    dock.dialogs = Answers()
    viewer.window.add_dock_widget(dock, name="Hip reading", area="right")
    qtbot.wait(500)
    yield dock
    dock.shutdown()


def truth_of(samples: Path, subject: str, side: str) -> HipReading:
    """The sample's own reading, marked at the truth."""
    return load_reading(
        samples / "readings" / f"{subject}__{side}__baseline__truth__1.reading.json"
    )


@pytest.mark.parametrize("host", ["dock", "in_napari"])
def test_the_road_from_folder_to_row(
    request: pytest.FixtureRequest, host: str, qtbot: Any, samples: Path, study: Path
) -> None:
    """A whole hip: its effort is counted, and the batch road finds the same row."""
    dock = request.getfixturevalue(host)
    answers = dock.dialogs
    dock.workspace.reader = "reader-1"
    dock.open_folder(study)
    qtbot.wait(300)
    passport = dock.parts.study.series[1].widget.toolTip()
    assert "step 3.8500 mm" in passport
    assert "coded R, by place R" in passport
    reader = Reader(dock, qtbot)
    truth = truth_of(samples, "PHANTOM-01", "R")
    case = dock.workspace.case
    views = [view for view in truth.views if isinstance(view, ReadView)]
    for place, view in enumerate(views):
        reader.rim(place, view)
    for place, view in enumerate(views):
        reader.arc(place, view.arcs[0])
    hip = case.session.outcome().hip
    assert "Complete" in dock.parts.steps.line.text()
    assert hip.cna_deg == pytest.approx(_cna(truth), abs=3.0)
    reader.press("Control-Enter")
    assert (reader.presses, reader.keys) == (12, 1)
    assert answers.asked == []
    assert dock.workspace.key.side is Laterality.LEFT

    path = study.parent / "readings" / "PHANTOM-01__R__baseline__reader-1__1.reading.json"
    saved = load_reading(path)
    assert [view.image for view in saved.views if isinstance(view, ReadView)] == [
        view.image for view in views
    ]
    assert [view.passport is not None for view in views] == [False, False]
    assert all(view.passport is not None for view in saved.views if isinstance(view, ReadView))
    result = measure_files([path])
    assert result.refusals == ()
    assert result.rows == (to_row(saved, hip, sha256_of(path.read_bytes())),)

    reader.presses = reader.keys = 0
    reader.press("Shift-N")
    assert (reader.presses, reader.keys) == (0, 1)
    left = study.parent / "readings" / "PHANTOM-01__L__baseline__reader-1__1.reading.json"
    assert _cna(load_reading(left)) == 0.0


def test_every_sample_is_read_by_hand(
    window: tuple[Any, Answers], qtbot: Any, samples: Path, tmp_path: Path
) -> None:
    """Both sides, tilted planes, arcs above 180 degrees, two arcs, no necrosis, radiographs."""
    dock, answers = window
    dock.workspace.reader = "r1"
    dock.workspace.keep_readings_in(tmp_path / "readings")
    reader = Reader(dock, qtbot)
    for folder, name in SAMPLES_READ:
        truth = load_reading(samples / "readings" / f"{name}__truth__1.reading.json")
        dock.open_folder(samples / folder)
        dock.parts.study.sides[truth.laterality].click()
        qtbot.wait(200)
        if dock.commands.magnifies:
            reader.press("G")
        for place, view in enumerate(truth.views):
            assert isinstance(view, ReadView)
            _turn_to(reader, place, view)
            reader.rim(place, view)
        for place, view in enumerate(truth.views):
            assert isinstance(view, ReadView)
            _mark_finding(reader, place, view)
        if folder == "oblique":
            assert reader.presses == 8
        outcome = dock.workspace.case.session.outcome()
        assert [view.missing for view in outcome.views] == ["", ""], name
        assert outcome.hip.cna_deg == pytest.approx(_cna(truth), abs=5.0), name
        reader.press("S")
        assert answers.asked == [], name
        assert (tmp_path / "readings" / f"{name}__r1__1.reading.json").exists()
    count = len(list((tmp_path / "readings").iterdir()))
    assert count == len(SAMPLES_READ)


SAMPLES_READ = (
    ("oblique", "PHANTOM-02__R__baseline"),
    ("above_180", "PHANTOM-03__R__baseline"),
    ("above_180", "PHANTOM-03__L__baseline"),
    ("normal", "PHANTOM-05__R__baseline"),
    ("radiographs", "PHANTOM-06__R__baseline"),
)


def _turn_to(reader: Reader, place: int, entry: ReadView) -> None:
    """Turn to the slice of a saved view, by keys."""
    plane = reader.dock.planes[place]
    reader.dock.turn_to(plane.view)
    images = [source.instance_uid for source in plane.picture.volume.sources]
    away = images.index(entry.image.instance_uid) - plane.slice_index
    assert abs(away) <= 1  # the proposal is next to it at the worst
    if away:
        reader.press("Up" if away > 0 else "Down")


def _mark_finding(reader: Reader, place: int, entry: ReadView) -> None:
    reader.dock.turn_to(reader.dock.planes[place].view)
    if entry.finding is not Finding.NECROSIS:
        reader.press({Finding.NO_NECROSIS: "5", Finding.OFF_MIDSLICE: "7"}[entry.finding])
    for number, arc in enumerate(entry.arcs):
        reader.dock.turn_to(reader.dock.planes[place].view)
        reader.press("A" if number else "2")
        reader.arc(place, arc)


def test_every_key_reaches_its_command(
    window: tuple[Any, Answers], qtbot: Any, study: Path
) -> None:
    """On either canvas, from the dock; help and layout work."""
    from napari_necroangle.reading.keys import KEYS

    dock, _ = window
    dock.open_folder(study)
    qtbot.wait(200)
    ran: list[str] = []
    dock.commands.run = lambda name, _: ran.append(name)
    for place, plane in enumerate(dock.planes):
        assert list(plane.model.layers) == [plane.image]
        dock.canvases.turn_to(place)
        for shortcut in KEYS:
            ran.clear()
            press_key(qtbot, dock.canvases.native, shortcut.key)
            assert ran == [shortcut.name], (place, shortcut.key)
    ran.clear()
    press_key(qtbot, dock.parts.keys_button, "N")
    press_key(qtbot, dock, "3")
    assert ran == ["normal", "end"]
    del dock.commands.run
    dock.canvases.turn_to(0)
    reader = Reader(dock, qtbot)
    reader.press("H")
    assert dock.help.isVisible()
    press_key(qtbot, dock.help, "A")
    assert not dock.help.isVisible()
    first, second = (dock.canvases.native_of(place) for place in (0, 1))
    reader.press("K")
    assert (first.isVisible(), second.isVisible()) == (True, False)
    reader.press("V")
    qtbot.wait(100)
    assert (first.isVisible(), second.isVisible()) == (False, True)
    assert second.width() > 900
    reader.press("K")
    assert (first.isVisible(), second.isVisible()) == (True, True)


def test_a_drag_is_seen_live_and_dragged_back_is_the_same(
    window: tuple[Any, Answers], qtbot: Any, samples: Path, study: Path
) -> None:
    dock, _ = window
    dock.open_folder(study)
    dock.open_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    qtbot.wait(300)
    reader = Reader(dock, qtbot)
    plane = dock.planes[0]
    session = dock.workspace.case.session
    from napari_necroangle.dock.dock import MEASURE_MS
    from napari_necroangle.reading.draft import Handle, Role

    handle = Handle(Role.END, 0)
    before = session.outcome().views[0].measurement.angle_deg
    home = plane.uv_of(handle)
    away = [(home[0] + 1.5 * step, home[1] + 1.5 * step) for step in range(6)]
    seen: list[tuple[float, str, float]] = []

    def watch() -> None:
        qtbot.wait(MEASURE_MS + 20)
        seen.append(
            (
                session.outcome().views[0].measurement.angle_deg,
                dock.parts.result.parts.text(),
                plane.uv_of(handle)[0],
            )
        )

    reader.drag(0, away, watch)
    assert len({angle for angle, _, _ in seen}) >= 4
    assert len({text for _, text, _ in seen}) >= 4
    assert len({u for _, _, u in seen}) >= 4
    moved = session.outcome().views[0].measurement.angle_deg
    assert abs(moved - before) > 5
    assert f"{moved:.1f}" in dock.parts.steps.steps["arc_a"].text()
    assert f"{moved:.1f}" in plane.sketch.texts["top left"]

    reader.drag(0, [plane.uv_of(handle), *away[4:0:-1], home])
    assert plane.uv_of(handle) == pytest.approx(home, abs=0.5)
    reader.press("Control-Z")
    dock.parts.tools.tools["undo"].click()
    assert plane.uv_of(handle) == home
    assert session.outcome().views[0].measurement.angle_deg == before


def test_saving_twice_over_another_reading_asks_and_keeps_both(
    window: tuple[Any, Answers], qtbot: Any, study: Path
) -> None:
    dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    case = dock.workspace.case
    for view in (View.CORONAL, View.SAGITTAL):
        case.choose(view, Finding.NO_NECROSIS, 5)
    assert dock.save() is None
    assert "Reader: enter a code" in answers.asked.pop()
    qtbot.keyClicks(dock.parts.entries.texts["reader"], "r1")
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
    window: tuple[Any, Answers], qtbot: Any, study: Path
) -> None:
    dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    case = dock.workspace.case
    qtbot.keyClicks(dock.parts.entries.texts["reader"], "r1")
    case.choose(View.SAGITTAL, Finding.NO_NECROSIS, 5)
    case.click(View.CORONAL, 5, (60.0, 60.0))
    assert dock.save() is None
    assert "mark 2 more rim points" in answers.asked[-1]
    answers.answer = lambda choices: choices[0]
    assert dock.save() is not None
    assert case.session.is_unsaved


def test_switching_hips_keeps_marks_and_closing_asks(
    window: tuple[Any, Answers], qtbot: Any, study: Path
) -> None:
    dock, answers = window
    dock.open_folder(study)
    qtbot.wait(200)
    dock.workspace.case.click(View.CORONAL, 5, (60.0, 60.0))
    dock.parts.study.sides[Laterality.LEFT].click()
    assert dock.workspace.key.side is Laterality.LEFT
    assert dock.workspace.case.session.draft.views[0].rim == ()
    dock.parts.study.sides[Laterality.RIGHT].click()
    assert len(dock.workspace.case.session.draft.views[0].rim) == 1
    assert len(dock.planes[0].sketch.marks) == 1
    dock.window().close()
    assert "right hip" in answers.asked[-1]
    assert dock.window().isVisible()
    assert dock.canvases is not None


def test_saved_readings_open_on_their_slices(
    window: tuple[Any, Answers], qtbot: Any, samples: Path
) -> None:
    dock, answers = window
    dock.open_folder(samples / "oblique")
    path = samples / "readings" / "PHANTOM-02__L__baseline__truth__1.reading.json"
    dock.open_reading(path)
    qtbot.wait(200)
    assert answers.asked == []
    assert dock.workspace.key.side is Laterality.LEFT
    for plane in dock.planes:
        assert plane.slice_index == dock.workspace.case.marks_index(plane.view)
        assert len(plane.sketch.marks) >= 11
    assert dock.workspace.case.session.outcome().hip.cna_deg == _cna(load_reading(path))
    assert dock.parts.status.text() != "Not saved"

    dock.open_folder(samples / "radiographs")
    dock.open_reading(samples / "readings" / "PHANTOM-06__R__baseline__truth__1.reading.json")
    qtbot.wait(200)
    assert answers.asked == []
    assert [plane.view for plane in dock.planes] == [View.AP, View.FROG_LEG]
    assert dock.parts.result.grade.text() in ("Small lesion", "Medium lesion", "Large lesion")
    assert not any(plane.sketch.has_bar for plane in dock.planes)


def _cna(reading: HipReading) -> float:
    from necroangle.measurement import measure

    found = measure(reading).cna_deg
    assert found is not None
    return found
