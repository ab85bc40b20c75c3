"""The window of our own: its menu, how it shares its width, and that it closes without a trace."""

import gc
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.screen

SIZES = [(960, 540), (1280, 800), (1900, 1000)]
LEAST_SHARE = 0.6


@pytest.fixture
def study(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study, with room for readings beside it."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


def actions(window: Any) -> dict[str, Any]:
    """What the menu offers, by its words."""
    menus = [action.menu() for action in window.menuBar().actions()]
    found = (action for menu in menus for action in menu.actions() if action.text())
    return {action.text().replace("&", "").split("\t")[0]: action for action in found}


def test_the_menu_does_what_the_keys_do(dock: Any, qtbot: Any, study: Path) -> None:
    window, ran = dock.window(), []
    offered = actions(window)
    offered["One canvas or two"].trigger()
    assert [one.native.isVisible() for one in dock.canvases.all] == [True, False]
    offered["One canvas or two"].trigger()
    offered["Undo"].trigger()
    dock.open_folder(study)
    dock.commands.run = lambda name, _: ran.append(name)
    for words in ("Save", "Undo", "Redo", "Reset"):
        offered[words].trigger()
    assert ran == ["save", "undo", "redo", "reset_view"]
    del dock.commands.run
    offered["All keys"].trigger()
    assert dock.help.isVisible()
    offered["All keys"].trigger()
    keys = {words: [key.toString() for key in one.shortcuts()] for words, one in offered.items()}
    assert sorted(keys["Redo"]) == ["Ctrl+Shift+Z", "Ctrl+Y"]
    assert (keys["Save"], keys["Full screen"]) == (["Ctrl+S"], ["F11"])
    assert [words for words, one in offered.items() if one.autoRepeat()] == ["Undo", "Redo"]
    offered["Full screen"].trigger()
    qtbot.waitUntil(window.isFullScreen, timeout=60_000)
    offered["Full screen"].trigger()
    qtbot.waitUntil(lambda: not window.isFullScreen(), timeout=60_000)
    dock.dialogs.folder = lambda *_: study
    dock.workspace.close_folder()
    offered["Open folder…"].trigger()
    assert dock.workspace.case is not None


def test_shortcuts_are_heard_once_wherever_the_keys_go(dock: Any, qtbot: Any, study: Path) -> None:
    """On a canvas as in a field of the dock."""
    from qtpy.QtCore import Qt

    dock.open_folder(study)
    window, ran = dock.window(), []
    window.activateWindow()
    qtbot.wait(100)
    dock.commands.run = lambda name, _: ran.append(name)
    control = Qt.KeyboardModifier.ControlModifier
    for widget in (dock.canvases.native_of(0), dock.parts.save_button, dock.parts.entries.read_no):
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_S, control)
        qtbot.keyClick(widget, Qt.Key.Key_Y, control)
        assert ran == ["save", "redo"], widget
        ran.clear()
    del dock.commands.run


@pytest.mark.parametrize("size", SIZES)
def test_the_picture_gets_the_room(dock: Any, qtbot: Any, study: Path, size: Any) -> None:
    """One canvas at least 60 % of the width; two are alike; the dock is as wide as ever."""
    from napari_necroangle.canvas.hosts import DOCK_WIDTH_PX

    window = dock.window()
    dock.open_folder(study)
    window.resize(*size)
    qtbot.wait(200)
    first, second = (dock.canvases.native_of(place) for place in (0, 1))

    def widths() -> tuple[int, int]:
        qtbot.wait(200)
        return tuple(one.width() if one.isVisible() else 0 for one in (first, second))  # type: ignore[return-value]

    assert window.width() == size[0]
    both = widths()
    assert abs(both[0] - both[1]) <= 2
    assert dock.width() == pytest.approx(DOCK_WIDTH_PX, abs=8)
    dock.do("layout")
    for _ in range(2):
        alone = widths()
        assert min(alone) == 0
        assert max(alone) >= LEAST_SHARE * size[0]
        dock.do("other_view")
    dock.do("layout")
    assert widths() == both


def test_a_low_window_shows_steps_and_tools(dock: Any, qtbot: Any, study: Path) -> None:
    """Without scrolling; and the sheet of keys fits into it."""
    from qtpy.QtCore import QRect

    dock.workspace.reader = "r1"
    dock.window().resize(960, 540)
    dock.open_folder(study)
    seen = dock.parts._scroll.viewport()

    def both_are_seen() -> None:
        for part in (dock.parts.steps, dock.parts.tools):
            place = QRect(part.mapTo(seen, part.rect().topLeft()), part.size())
            assert seen.rect().contains(place), (part, place, seen.rect())

    qtbot.waitUntil(both_are_seen, timeout=60_000)
    dock.toggle_help()
    assert dock.window().rect().contains(dock.help.geometry())


def test_every_button_can_be_hit(dock: Any, qtbot: Any, study: Path) -> None:
    """By a pen or a finger, whether it is on, off or not to be pressed now."""
    from napari_necroangle.dock.parts import LEAST_TARGET_PX
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit

    dock.workspace.reader = "r1"
    dock.window().resize(1280, 800)
    dock.open_folder(study)
    parts = dock.parts
    for fold in (parts.who, parts.looks, parts.extras, parts.keys):
        fold.open(True)
    qtbot.wait(300)
    found: list[Any] = []
    for kind in (QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox):
        found += [one for one in parts.findChildren(kind) if one.isVisible()]
    found = [one for one in found if one.height() and one.objectName() != "qt_spinbox_lineedit"]
    assert len(found) > 40
    small = [(one, one.size()) for one in found if one.width() < LEAST_TARGET_PX]
    low = [(one, one.size()) for one in found if one.height() < LEAST_TARGET_PX]
    assert (small, low) == ([], [])


def test_what_is_seen_in_a_view_is_ticked_and_unticked(dock: Any, qtbot: Any, study: Path) -> None:
    dock.open_folder(study)
    session = dock.workspace.case.session
    for observation, box in dock.parts.tools.observations.items():
        box.click()
        assert observation in session.draft.view(dock.parts.tools.view).observations
        box.click()
        assert observation not in session.draft.view(dock.parts.tools.view).observations


def test_moves_stay_whole_until_the_last_window_is_closed(qtbot: Any) -> None:
    from napari_necroangle.window import close_window, open_window
    from qtpy.QtCore import QCoreApplication, Qt

    def merges() -> bool:
        merging = Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents
        return QCoreApplication.testAttribute(merging)

    before = merges()
    first, second = (open_window((1000, 600)) for _ in range(2))
    assert not merges()
    close_window(first)
    assert not merges()
    close_window(second)
    assert merges() == before


def test_layers_of_a_script_do_not_stay_in_our_models(dock: Any, qtbot: Any, study: Path) -> None:
    """Nor does it change the slice that is shown; a picture that it takes out comes back."""
    import numpy as np
    from napari.layers import Image, Points

    dock.open_folder(study)
    for plane in dock.planes:
        plane.go_to(3)
        image, shown = plane.image, plane.greys.window
        plane.model.layers.append(Image(np.zeros((40, 9, 9))))
        plane.model.layers.append(Points(np.zeros((2, 2))))
        qtbot.waitUntil(lambda plane=plane: plane.is_undisturbed, timeout=60_000)
        assert list(plane.model.layers) == [image]
        plane.model.layers.clear()
        qtbot.waitUntil(lambda plane=plane: plane.is_undisturbed, timeout=60_000)
        assert list(plane.model.layers) == [image]
        assert (plane.slice_index, plane.sketch.index) == (3, 3)
        assert plane.greys.window == shown


def test_reset_says_which_view_it_was(dock: Any, qtbot: Any, study: Path) -> None:
    from qtpy.QtCore import Qt

    dock.workspace.reader = "r1"
    dock.open_folder(study)
    for place, name in enumerate(("Coronal", "Sagittal")):
        dock.turn_to(dock.planes[place].view)
        qtbot.keyClick(dock.canvases.native, Qt.Key.Key_Home)
        assert dock.parts.steps.line.text() == f"{name} view: shown as at first."


def test_a_hip_with_nothing_marked_is_no_reading(dock: Any, qtbot: Any, study: Path) -> None:
    """It is not saved; with notes it is asked about; "no necrosis" is said, and then saved."""
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    assert dock.save() is None
    assert dock.dialogs.asked[-1].startswith("Nothing to save yet: Neither view has a mark")
    session = dock.workspace.case.session
    session.enter(notes="movement")
    assert dock.save() is None
    assert dock.dialogs.asked[-1].startswith("Nothing is marked: ")
    dock.dialogs.answer = lambda answers: answers[0]
    assert dock.save() is not None
    dock.dialogs.asked.clear()
    dock.do("normal")
    assert dock.save() is not None
    assert dock.dialogs.asked == []


def test_doubts_never_push_the_tools_out_of_sight(dock: Any, qtbot: Any, study: Path) -> None:
    dock.workspace.reader = "r1"
    dock.window().resize(1280, 800)
    dock.open_folder(study)
    qtbot.wait(300)
    parts = dock.parts
    seen, before = parts._scroll.viewport(), parts._scroll.viewport().height()
    doubts = "\n".join(f"doubt {number}" for number in range(14))
    parts.result.show_change(doubts)
    qtbot.waitUntil(lambda: seen.height() < before - 100, timeout=60_000)
    qtbot.wait(50)
    place = parts.tools.mapTo(seen, parts.tools.rect().bottomLeft())
    assert place.y() <= seen.height()


def test_a_picture_fits_the_canvas_that_it_gets(dock: Any, qtbot: Any, study: Path) -> None:
    dock.open_folder(study)
    plane = dock.planes[1]
    qtbot.wait(100)
    before = plane.lens.zoom
    dock.window().resize(1000, 500)
    qtbot.waitUntil(lambda: plane.lens.zoom < 0.8 * before, timeout=60_000)
    plane.lens.zoom_at((30.0, 30.0), 1.5)
    moved = plane.lens.zoom
    dock.window().resize(1700, 950)
    qtbot.wait(200)
    assert plane.lens.zoom == pytest.approx(moved)


def test_the_dock_follows_the_theme_of_the_settings(dock: Any) -> None:
    from napari.settings import get_settings

    appearance = get_settings().appearance
    before, dark = appearance.theme, dock.styleSheet()
    appearance.theme = "light"
    assert dock.styleSheet() != dark
    assert all(plane.model.theme == "light" for plane in dock.planes)
    appearance.theme = before
    assert dock.styleSheet() == dark


def test_windows_leave_nothing_behind(
    open_dock: Callable[[], Any], qtbot: Any, study: Path
) -> None:
    """Three opened, read in and closed: no canvas and no model of theirs is alive."""
    from napari.qt import QtViewer
    from napari_necroangle.canvas.pair import SMALL_PX
    from napari_necroangle.window import close_window, open_window

    gc.collect()
    others = sum(isinstance(one, QtViewer) for one in gc.get_objects())
    left: list[weakref.ref[Any]] = []
    for width in (1000, 1200, 1000):
        dock: Any = open_window((width, 600), reader="r1")
        assert dock.canvases.is_single is (width < SMALL_PX)
        dock.open_folder(study)
        qtbot.wait(50)
        for one in dock.canvases.all:
            left += [weakref.ref(part) for part in (one.plane, one.plane.model, one.native, one)]
        close_window(dock)
        del dock, one
    gc.collect()
    assert [one() for one in left if one() is not None] == []
    assert sum(isinstance(one, QtViewer) for one in gc.get_objects()) == others
