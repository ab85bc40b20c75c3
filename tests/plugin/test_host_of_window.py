"""napari's furniture round our canvases: nothing of it may contradict what stands on them."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_necroangle.dock.parts import LEAST_CONTRAST, contrast, style_sheet
from napari_necroangle.reading.texts import breakable
from napari_necroangle.store.readings import default_folder
from napari_necroangle.store.recovery import remains
from readingroom import Answers, mark

from necroangle.annotation import load_reading
from necroangle.terms import Finding, Laterality, View

NAPARI_KEYS = ("T", "E", "G", "R", "U", "Y")
screen = pytest.mark.screen


@pytest.fixture
def study(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study, with room for readings beside it."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


@pytest.fixture
def dock(make_napari_viewer: Any, qtbot: Any) -> Iterator[Any]:
    """The dock in a window of 1700 x 950."""
    from napari_necroangle.window import HipReading

    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1700, 950)
    opened: Any = HipReading(viewer)
    opened.dialogs = Answers()
    viewer.window.add_dock_widget(opened, name="Hip reading", area="right")
    qtbot.wait(500)
    yield opened
    opened.shutdown()


def state_of(model: Any) -> tuple[object, ...]:
    dims = model.dims
    return tuple(dims.order), dims.ndisplay, model.canvas.grid.enabled, len(model.layers)


def press_with_control(qtbot: Any, native: Any, key: str) -> None:
    from qtpy.QtCore import Qt

    qtbot.keyClick(native, getattr(Qt.Key, f"Key_{key}"), Qt.KeyboardModifier.ControlModifier)
    qtbot.wait(20)


@screen
def test_the_keys_change_a_plain_napari(make_napari_viewer: Any, qtbot: Any, samples: Path) -> None:
    """The control: the keys that are dead on our canvases are alive elsewhere."""
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((5, 20, 30)))
    viewer.window.resize(900, 700)
    qtbot.wait(300)
    before = state_of(viewer)
    native = viewer.window._qt_viewer.canvas.native
    press_with_control(qtbot, native, "T")
    assert state_of(viewer) != before


@screen
def test_napari_cannot_turn_our_pictures(dock: Any, qtbot: Any, study: Path) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    qtbot.wait(200)
    before = [state_of(plane.model) for plane in dock.planes]
    for place in (0, 1):
        dock.canvases.turn_to(place)
        for key in NAPARI_KEYS:
            press_with_control(qtbot, dock.canvases.native, key)
    for plane in dock.planes:
        plane.model.dims.ndisplay = 3
        plane.model.dims.order = (1, 0, 2)
        plane.model.canvas.grid.enabled = True
    assert [state_of(plane.model) for plane in dock.planes] == before
    assert dock.dialogs.asked == []
    kept = list(dock._host._shortcuts)
    assert len(kept) > 10
    assert not any(action.shortcuts() for action, _ in kept)
    dock.shutdown()
    assert all(action.shortcuts() == shortcuts for action, shortcuts in kept)


@screen
def test_a_layer_that_is_taken_away_comes_back(
    dock: Any, qtbot: Any, samples: Path, study: Path
) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    truth = load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    mark(dock, truth)
    plane = dock.planes[0]
    plane.go_to(3)
    draft = dock.workspace.case.session.draft
    marks, window = plane.sketch.marks, plane.greys.window
    for _ in range(2):
        plane.model.layers.remove(plane.image)
        qtbot.wait(50)
        assert list(plane.model.layers) == [plane.image]
        assert plane.slice_index == plane.sketch.index == 3
        assert plane.sketch.marks == marks
        assert plane.greys.window == window
    assert dock.workspace.case.session.draft == draft
    ran: list[str] = []
    dock.commands.run = lambda name, _: ran.append(name)
    dock.canvases.turn_to(0)
    press_with_control(qtbot, dock.canvases.native, "Y")
    press_with_control(qtbot, dock.canvases.native, "S")
    assert ran == ["redo", "save"]
    del dock.commands.run


@screen
def test_a_dock_that_is_closed_gives_napari_back_and_comes_again(
    dock: Any, qtbot: Any, study: Path
) -> None:
    """Its layers and docks as they were; and what is open is shown again."""
    viewer, panel = dock.viewer, dock.parent()
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    dock.workspace.case.click(View.CORONAL, 5, (60.0, 60.0))
    draft, image = dock.workspace.case.session.draft, dock.planes[0].image
    for _ in range(2):
        own = viewer.add_image(np.zeros((9, 30, 30)), name="the user's")
        qtbot.wait(50)
        assert list(viewer.layers) == [dock.planes[0].image]
        assert dock.planes[0].slice_index == 5
        assert [one.isHidden() for one in layer_docks(dock)] == [True, True]
        panel.destroyOnClose()
        qtbot.wait(100)
        assert panel.isHidden()
        assert dock.canvases is None
        assert own in viewer.layers
        assert image not in viewer.layers
        assert [one.isHidden() for one in layer_docks(dock)] == [False, False]
        assert viewer.canvas.background_color_override is None
        panel.show()
        qtbot.wait(200)
        assert dock.workspace.case.session.draft == draft
        assert [plane.picture is not None for plane in dock.planes] == [True, True]
        assert len(dock.planes[0].sketch.marks) == 1
        image = dock.planes[0].image
    dock.shutdown()
    assert [layer.name for layer in viewer.layers] == ["the user's", "the user's [1]"]


def layer_docks(dock: Any) -> list[Any]:
    """napari's own docks of layers."""
    from qtpy.QtWidgets import QDockWidget

    names = ("layer list", "layer controls")
    found = dock.window().findChildren(QDockWidget)
    return [one for one in found if one.objectName() in names]


@screen
def test_the_menu_of_plugins_opens_the_dock_that_reads(
    make_napari_viewer: Any, qtbot: Any, study: Path
) -> None:
    """As a napari user opens it; asked for again, the menu hides and shows that one."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1300, 800)
    panel, dock = viewer.window.add_plugin_dock_widget("necroangle", "Hip reading")
    qtbot.wait(300)
    dock.open_folder(study)
    assert dock.planes[0].model is dock.viewer
    assert viewer.window.add_plugin_dock_widget("necroangle", "Hip reading") == (panel, dock)
    dock.shutdown()


@screen
def test_a_dock_that_a_script_takes_out_leaves_nothing_behind(
    make_napari_viewer: Any, qtbot: Any, study: Path
) -> None:
    """Nobody could bring it back; napari goes on as it was, and the marks are kept on the disk."""
    from napari._qt.qt_viewer import QtViewer
    from napari_necroangle.dock.dialogs import WindowGuard

    viewer = make_napari_viewer(show=True)
    panel, dock = viewer.window.add_plugin_dock_widget("necroangle", "Hip reading")
    qtbot.wait(100)
    dock.workspace.reader, dock.dialogs = "r1", Answers()
    dock.open_folder(study)
    own = viewer.add_image(np.zeros((9, 30, 30)), name="the user's")
    qtbot.wait(50)
    dock.workspace.case.click(View.CORONAL, 5, (60.0, 60.0))
    kept = default_folder(study)
    gone: list[str] = []
    dock.destroyed.connect(lambda: gone.append("dock"))
    viewer.window.remove_dock_widget(panel)
    qtbot.wait(50)
    assert gone == ["dock"]
    assert viewer.window._qt_window.findChildren(WindowGuard) == []
    assert len(viewer.window._qt_window.findChildren(QtViewer)) == 1
    assert list(viewer.layers) == [own]
    (left,) = remains(kept).recovered
    assert len(left.draft.views[0].rim) == 1


@screen
def test_the_code_is_asked_for_before_reading(dock: Any, qtbot: Any, study: Path) -> None:
    """Typed where the window looks for it, it makes no finding; asked again where it lacks."""
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    dock.window().activateWindow()
    dock.open_folder(study)
    qtbot.wait(200)
    field = dock.parts.entries.texts["reader"]
    assert dock.window().focusWidget() is field
    assert "Type your code" in dock.parts.steps.line.text()
    dock.canvases.focus()
    assert dock.save() is None
    assert dock.window().focusWidget() is field
    step = dock.workspace.flow.current
    qtbot.keyClicks(dock.window().focusWidget(), "nina")
    qtbot.keyClick(dock.window().focusWidget(), Qt.Key.Key_Return)
    assert dock.workspace.flow.current is step, "Enter ends the line, and no step"
    draft = dock.workspace.case.session.draft
    assert draft.reader == "nina"
    assert [view.choice for view in draft.views] == [None, None]
    dock.canvases.focus()
    dock.toggle_help()
    qtbot.wait(50)
    qtbot.keyClick(dock.help, "a")
    qtbot.wait(50)
    assert dock.window().focusWidget() is dock.canvases.native
    assert QApplication.instance() is not None


@screen
def test_every_hip_says_how_it_stands_and_the_own_reading_opens(
    dock: Any, qtbot: Any, study: Path
) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    for view in (View.CORONAL, View.SAGITTAL):
        dock.workspace.case.choose(view, Finding.NO_NECROSIS, 5)
    assert dock.parts.result.grade.text() == "No necrosis"
    assert dock.parts.result.risk.text() == ""
    path = dock.save()
    dock.mode.neighbour(1)
    dock.workspace.case.click(View.CORONAL, 5, (60.0, 60.0))
    rows = [row.words for row in dock.mode.cases()]
    assert [row.split(" – ")[1] for row in rows] == ["read", "begun"]
    assert "1 of 2 read" in dock.parts.study.hips.line.text()
    listed = dock.parts.study.list
    listed.itemClicked.emit(listed.item(0))
    assert dock.workspace.key.side is Laterality.RIGHT

    dock.workspace.forget_cases()
    dock.open_folder(study)
    draft = dock.workspace.case.session.draft
    assert [view.choice for view in draft.views] == [Finding.NO_NECROSIS] * 2
    assert not dock.workspace.case.session.is_unsaved
    assert breakable(path.name) in dock.parts.status.text()
    dock.workspace.case.session.enter(notes="seen again")
    assert dock.save() == path


@screen
def test_a_code_that_is_typed_is_known_at_every_hip_and_opens_the_own_reading(
    dock: Any, qtbot: Any, samples: Path, study: Path
) -> None:
    from qtpy.QtCore import Qt

    def type_code(code: str) -> None:
        field = dock.parts.entries.texts["reader"]
        field.setText(code)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        qtbot.wait(50)

    dock.open_folder(study)
    type_code("nina")
    dock.free.neighbour(1)
    assert dock.workspace.case.session.draft.reader == "nina"
    dock.free.neighbour(-1)
    truth = load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    mark(dock, truth)
    path = dock.save()
    dock.workspace.forget_cases()
    dock.workspace.reader = ""
    dock.open_folder(study)
    assert dock.workspace.case.session.file_sha256 is None
    type_code("nina")
    session = dock.workspace.case.session
    assert session.outcome().hip.cna_deg == pytest.approx(218.3, abs=0.1)
    assert not session.is_unsaved
    assert dock.save() == path
    dock.workspace.forget_cases()
    dock.workspace.reader = ""
    dock.open_folder(study)
    dock.workspace.case.session.enter(notes="begun")
    type_code("nina")
    draft = dock.workspace.case.session.draft
    assert (draft.notes, draft.reader, draft.views[0].rim) == ("begun", "nina", ())


@screen
def test_a_plane_that_is_missing_is_named(dock: Any, qtbot: Any, study: Path) -> None:
    from napari_necroangle.reading.steps import Step

    dock.workspace.reader = "r1"
    dock.open_folder(study)
    coronal = [one for one in dock.workspace.scan.series if one.plane.name == "coronal"]
    visit = dock.workspace.visits[0]
    alone = type(visit)(visit.label, visit.subject, visit.visit, tuple(coronal))
    dock.workspace.visits = (alone,)
    dock.workspace.forget_cases()
    dock.free.take(alone, Laterality.LEFT, alone.pairs[0])
    dock.turn_to(View.SAGITTAL)
    dock.refresh_all()
    assert "no sagittal series; 1 coronal series here" in dock.parts.study.found.text()
    assert dock.parts.study.series[1].widget.shown_words().startswith("no sagittal")
    (right, left) = dock.mode.cases()
    assert right.words.endswith("right – to read: no sagittal series; 1 coronal series here")
    assert (left.is_open, left.can_open) == (True, True)
    line = dock.parts.steps.line.text()
    assert "No sagittal series; 1 coronal series here." in line
    assert "Only the coronal view can be read" in line
    steps = dock.parts.steps.steps
    assert [steps[one].isEnabled() for one in (Step.HEAD_A, Step.HEAD_B)] == [True, False]


@screen
def test_a_hip_that_no_series_shows_is_not_readable_and_says_why(dock: Any, study: Path) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    visit = dock.workspace.visits[0]
    (axial,) = (
        dataclasses.replace(one, plane=dataclasses.replace(one.plane, name="axial"))
        for one in visit.series
        if one.plane.name == "coronal"
    )
    dock.workspace.visits = (type(visit)("bl", visit.subject, "bl", (axial,)),)
    for row in dock.mode.cases():
        assert row.words.startswith("×  bl, ")
        assert row.words.endswith("not readable: no coronal series; 1 axial series here")
        assert (row.is_done, row.can_open) == (True, False)
    dock.workspace.visits = (visit, *dock.workspace.visits)
    right, left, *_ = dock.mode.cases()
    assert dock.mode.open(right.key)
    assert dock.mode.neighbour(1) == ""
    assert dock.workspace.key == left.key
    assert dock.mode.neighbour(1) == "This is the last hip of the folder."
    assert dock.workspace.key == left.key


@screen
def test_a_folder_says_how_far_it_has_been_looked_through(dock: Any, study: Path) -> None:
    said: list[str] = []
    tell, found = dock.parts.study.show_progress, dock.parts.study.found

    def note(done: int, total: int) -> None:
        tell(done, total)
        said.append(found.text())

    dock.parts.study.show_progress = note
    dock.open_folder(study)
    count = sum(one.is_file() for one in study.rglob("*"))
    assert said[-1] == f"Looking through the folder: {count} of {count} files"
    assert found.text().startswith("plain: 3 series")
    (study.parent / "empty.txt").write_text("no folder")
    dock.open_folder(study.parent / "empty.txt")
    assert dock.dialogs.asked
    assert "Looking" not in found.text()


@screen
def test_the_words_of_a_saved_reading_do_not_widen_the_dock(
    dock: Any, qtbot: Any, samples: Path, study: Path
) -> None:
    dock.workspace.reader = "a-reader-with-a-long-code"
    dock.open_folder(study)
    mark(
        dock, load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    )
    wide = dock.parts.minimumSizeHint().width()
    assert dock.save() is not None
    qtbot.wait(20)
    assert "a-reader-with-a-long-code" in dock.parts.status.text()
    assert dock.parts.minimumSizeHint().width() == wide


@screen
def test_undo_takes_the_steps_along(dock: Any, qtbot: Any, samples: Path, study: Path) -> None:
    from napari_necroangle.reading.steps import Step

    dock.workspace.reader = "r1"
    dock.open_folder(study)
    case, flow = dock.workspace.case, dock.workspace.flow
    plane = dock.planes[0]
    truth = load_reading(samples / "readings" / "PHANTOM-01__R__baseline__truth__1.reading.json")
    mark(dock, truth)
    dock.commands.go_to(Step.SAVE)
    while case.session.draft.views[1].arcs:
        dock.commands.run("undo", plane.view)
    seen = [flow.current]
    while case.session.can_undo:
        dock.commands.run("undo", plane.view)
    seen.append(flow.current)
    while case.session.can_redo:
        dock.commands.run("redo", plane.view)
    seen.append(flow.current)
    assert seen == [Step.ARC_B, Step.HEAD_A, Step.SAVE]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_of_the_dock_can_be_read(theme: str) -> None:
    """Each rule with a colour, on what it stands on."""
    import re

    from napari.utils.theme import get_theme

    ground = get_theme(theme).background.as_hex(format="long")
    rules = re.findall(r"([^{}]+)\{([^}]*)\}", style_sheet(theme))
    assert len(rules) > 20
    for name, body in rules:
        found = dict(re.findall(r"([\w-]+): (#[0-9a-f]{6})", body))
        on = found.get("background", ground)
        if "color" in found and "rule" not in name and "disabled" not in name:
            if "tour QLabel" in name or "offer QLabel" in name:
                continue  # on a ground of its own, seen in the rule before
            assert contrast(found["color"], on) >= LEAST_CONTRAST, name


@screen
def test_axes_that_a_user_turned_do_not_turn_our_pictures(open_dock: Any, study: Path) -> None:
    """A setting of napari turns every new canvas; letters, marks and picture know none."""
    from napari.settings import get_settings

    settings = get_settings().application
    before = settings.vertical_axis_orientation
    settings.vertical_axis_orientation = "up"
    try:
        opened = open_dock()
        opened.open_folder(study)
        upright = ("towards", "down", "right")
        assert [one.model.scene.camera.orientation for one in opened.planes] == [upright] * 2
        opened.planes[0].model.scene.camera.orientation = ("away", "up", "left")
        assert opened.planes[0].model.scene.camera.orientation == upright
    finally:
        settings.vertical_axis_orientation = before


@screen
def test_a_picture_stays_under_its_marks(open_dock: Any, study: Path) -> None:
    """Hidden, moved, scaled or turned in napari's layer list, it is set back at once."""
    opened = open_dock()
    opened.open_folder(study)
    plane = opened.planes[0]
    scale = tuple(plane.picture.volume.scale_mm)
    image = plane.image
    image.visible = False
    image.scale, image.translate, image.rotate = (2.0, 2.0, 2.0), (5.0, 5.0, 5.0), 30.0
    image.affine = np.diag((1.0, 2.0, 2.0, 1.0))
    image.projection_mode = "mean"
    assert image.visible
    assert tuple(image.scale) == scale
    assert image.translate.tolist() == [0.0] * 3
    assert np.array_equal(image.rotate, np.eye(3))
    assert np.array_equal(np.asarray(image.affine), np.eye(4))
    assert image.projection_mode == "none"


@screen
def test_a_second_dock_gives_way_to_the_one_that_reads(dock: Any, qtbot: Any, study: Path) -> None:
    """Opened under another name, by a script or by the menu: one window has one."""
    from napari_necroangle.window import HipReading

    dock.open_folder(study)
    viewer, panel = dock.viewer, dock.parent()
    panel.hide()
    qtbot.wait(100)
    viewer.window.add_plugin_dock_widget("necroangle", "Hip reading")
    qtbot.waitUntil(lambda: len(panel.parent().findChildren(HipReading)) == 1, timeout=60_000)
    qtbot.wait(100)
    assert not panel.isHidden()
    assert list(viewer.layers) == [dock.planes[0].image]
    assert [plane.is_undisturbed for plane in dock.planes] == [True, True]


@screen
def test_docks_of_napari_leave_the_canvases_their_room(dock: Any, qtbot: Any, study: Path) -> None:
    """Shown again in a small window, and dragged as wide as it goes; then all is as it was."""
    from qtpy.QtCore import Qt

    dock.open_folder(study)
    window, natives = dock.window(), [one.native for one in dock.canvases.all]
    window.resize(1000, 650)
    for one in layer_docks(dock):
        one.show()
    window.resizeDocks([dock.parent()], [900], Qt.Orientation.Horizontal)
    qtbot.wait(100)
    assert min(min(one.width(), one.height()) for one in natives) >= 160
    dock.shutdown()
    assert natives[0].minimumSize().isNull()


@screen
def test_a_dock_that_floats_and_was_hidden_comes_back(dock: Any, qtbot: Any, study: Path) -> None:
    dock.open_folder(study)
    panel = dock.parent()
    panel.setFloating(True)
    qtbot.wait(100)
    panel.hide()
    qtbot.waitUntil(lambda: dock.canvases is None, timeout=60_000)
    panel.show()
    qtbot.waitUntil(lambda: dock.canvases is not None, timeout=60_000)
    assert [plane.is_undisturbed for plane in dock.planes] == [True, True]
