"""How pictures are looked at: window in figures and by name, cross, loupe, what is said of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_necroangle.canvas.lens import corner_words, point_words, tile_of
from napari_necroangle.canvas.looking import Looking
from napari_necroangle.canvas.overlay import Anchor
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case, Picture
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest

from necroangle.geometry import PatientPoints
from necroangle.terms import View

A, B = View.CORONAL, View.SAGITTAL


@pytest.fixture
def planes(case: Case) -> Iterator[tuple[PlaneView, PlaneView]]:
    made = PlaneView(ViewerModel()), PlaneView(ViewerModel())
    for plane, view in zip(made, (A, B), strict=True):
        plane.show(case, case.pictures[view])
    yield made
    for plane in made:
        plane.close()


@pytest.fixture
def looking(planes: tuple[PlaneView, PlaneView]) -> Looking:
    return Looking(lambda: planes, lambda _: None)


def shown(plane: PlaneView) -> tuple[float, float]:
    assert plane.greys is not None
    return plane.greys.window


def test_a_window_goes_along_only_where_it_is_linked(
    planes: tuple[PlaneView, PlaneView], looking: Looking, case: Case
) -> None:
    first, second = planes
    looking.set_figures(A, 20000.0, 30000.0)
    assert (shown(first), shown(second)) == ((20000.0, 40000.0), (0.0, 60000.0))
    looking.acts["link"](case, A)
    assert shown(second) == pytest.approx((20000.0, 40000.0))
    looking.set_preset(B, "marrow")
    assert shown(first) == pytest.approx(case.pictures[A].windows()[1][1])
    looking.acts["invert"](case, B)
    assert first.greys is not None
    assert first.greys.is_inverted
    assert "inverted" in first.sketch.texts[Anchor.TOP_RIGHT]
    looking.reset_window(A)
    assert [shown(one) for one in planes] == [(0.0, 60000.0)] * 2
    assert not first.greys.is_inverted


def test_w_goes_through_the_presets_from_the_one_that_is_shown(
    looking: Looking, case: Case
) -> None:
    greys = looking.greys(A)
    assert greys is not None
    names = list(greys.presets)
    assert greys.preset == "as stored"
    assert [greys.next() for _ in names] == [*names[1:], names[0]]
    greys.figures = (123.0, 456.0)
    assert (greys.preset, greys.next()) == ("", names[0])
    greys.figures = (0.0, 456.0)
    assert greys.figures[0] > 0.0
    assert case.session.draft.view(A).marks == ()


def test_the_cross_lies_on_the_same_point_of_the_patient(
    planes: tuple[PlaneView, PlaneView], looking: Looking, case: Case
) -> None:
    """Small where the slice shown is not the nearest; none in another frame of reference."""
    first, second = planes
    uv = (60.0, 20.0)
    looking.pointed(A, uv)
    point = case.pictures[A].patient_mm(2, uv)
    lines = second.sketch.lines("cursor")[2]
    there = lines.mean(axis=(0, 1))
    expected = second_uv(case.pictures[B], point)
    assert there == pytest.approx(expected)
    near = case.pictures[B].volume.nearest_index(point)
    assert near != 2
    assert np.hypot(*(lines - there).T).min() == pytest.approx(6.0)
    second.go_to(near)
    looking.pointed(A, uv)
    lines = second.sketch.lines("cursor")[near]
    assert np.hypot(*(lines - there).T).min() == pytest.approx(2.0)
    looking.pointed(A, (-5.0, 0.0))
    assert not second.sketch.lines("cursor")
    looking.acts["cursor"](case, A)
    looking.pointed(A, uv)
    assert not second.sketch.lines("cursor")
    assert not first.sketch.lines("cursor")


def second_uv(picture: Picture, point: PatientPoints) -> tuple[float, float]:
    u, v = picture.volume.planes[2].patient_to_plane(point)[0].tolist()
    return u, v


def test_no_cross_between_frames_of_reference(
    planes: tuple[PlaneView, PlaneView], looking: Looking, case: Case
) -> None:
    from dataclasses import replace

    volume = case.pictures[B].volume
    sources = tuple(replace(one, frame_of_reference_uid="1.2.8") for one in volume.sources)
    case.pictures[B] = Picture(B, replace(volume, sources=sources))
    planes[1].show(case, case.pictures[B])
    looking.pointed(A, (60.0, 20.0))
    assert not planes[1].sketch.lines("cursor")


def test_what_is_said_of_a_picture_and_a_point(
    planes: tuple[PlaneView, PlaneView], case: Case
) -> None:
    picture, greys = case.pictures[A], planes[0].greys
    assert greys is not None
    assert corner_words(picture, greys.words(), 5.0).split("\n") == [
        "0.5 × 0.8 × 4 mm",
        "W 60000  L 30000",
        "zoom 400 %",
    ]
    assert point_words(picture, 2, (0.8, 0.5)) == (
        f"Coronal: grey {picture.volume.pixels[2, 1, 1]}, patient R 46.8  P 0.0  S 24.2 mm"
    )
    assert point_words(picture, 2, (-1.0, 0.0)) == ""


def test_a_tile_is_the_part_of_the_slice_between_its_corners(
    planes: tuple[PlaneView, PlaneView], case: Case
) -> None:
    greys = planes[0].greys
    assert greys is not None
    picture = case.pictures[A]
    whole = tile_of(picture, 2, greys.window)
    assert whole.greys.shape == (100, 120)
    part = tile_of(
        picture, 2, greys.window, within_mm=(np.array((8.0, 5.0)), np.array((16.0, 10.0)))
    )
    column, row = np.rint(part.corners_mm[0] / (0.8, 0.5) + 0.5).astype(int).tolist()
    rows, columns = part.greys.shape
    assert np.array_equal(part.greys, whole.greys[row : row + rows, column : column + columns])
    assert part.corners_mm[0].tolist() < [8.0, 5.0]
    assert part.corners_mm[1].tolist() > [16.0, 10.0]
    apart = tile_of(picture, 2, greys.window, inverted=True).greys + whole.greys.astype(int) - 255
    assert np.abs(apart).max() <= 1


@pytest.fixture
def window(
    make_napari_viewer: Any, qtbot: Any, samples: Path
) -> Iterator[Callable[[str, tuple[int, int]], Any]]:
    """Opens a sample in a window of a size."""
    from napari_necroangle.window import HipReading

    opened = []

    def open_sample(sample: str, size: tuple[int, int]) -> Any:
        viewer = make_napari_viewer(show=True)
        viewer.window.resize(*size)
        dock: Any = HipReading(viewer)
        dock.dialogs = SimpleNamespace(choose=lambda _, __, choices: choices[-1])
        viewer.window.add_dock_widget(dock, name="Hip reading", area="right")
        opened.append(dock)
        qtbot.wait(300)
        dock.workspace.reader = "r1"
        dock.open_folder(samples / sample)
        qtbot.wait(300)
        return dock

    yield open_sample
    for dock in opened:
        dock.shutdown()


def point(native: Any, x: int, y: int) -> None:
    """Move the mouse to a place of a canvas, with no button held."""
    at = QPointF(x, y)
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    there = QPointF(native.mapToGlobal(QPoint(x, y)))
    event = QMouseEvent(QEvent.Type.MouseMove, at, there, none[0], *none)
    QCoreApplication.sendEvent(native, event)


@pytest.mark.screen
def test_mouse_and_keys_of_looking(
    window: Callable[[str, tuple[int, int]], Any], qtbot: Any
) -> None:
    """Cross, status line, loupe, typed figures, keys; then the mouse leaves and all of it goes."""
    dock = window("plain", (1280, 800))
    first, second = dock.planes
    native = dock.canvases.native_of(0)
    point(native, 160, 300)
    status = dock.window().statusBar()
    qtbot.waitUntil(lambda: "Coronal: grey" in status.currentMessage(), timeout=60_000)
    assert second.sketch.lines("cursor")
    dock.canvases.focus()
    QTest.keyClick(dock.canvases.native, Qt.Key.Key_Q)
    point(native, 170, 310)
    qtbot.waitUntil(lambda: first.sketch.loupe is not None, timeout=60_000)
    QCoreApplication.sendEvent(native, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: first.sketch.loupe is None, timeout=60_000)
    assert not second.sketch.lines("cursor")
    assert status.currentMessage() == ""

    look, view = dock.parts.look, dock.parts.tools.view
    dock.parts.looks.open(True)
    look.width_box.setFocus()
    look.width_box.selectAll()
    QTest.keyClicks(look.width_box, "100")
    QTest.keyClick(look.width_box, Qt.Key.Key_Return)
    greys = dock.commands.looking.greys(view)
    assert greys.figures[0] == pytest.approx(100.0)
    assert look.presets.widget.currentText() == "By hand"
    assert dock.window().focusWidget() is dock.canvases.native
    QTest.keyClick(dock.canvases.native, Qt.Key.Key_W, Qt.KeyboardModifier.ShiftModifier)
    assert look.presets.widget.currentText() == "As stored"
    QTest.keyClick(dock.canvases.native, Qt.Key.Key_I)
    assert greys.is_inverted
    assert look.buttons["invert"].isChecked()
    QTest.keyClick(dock.canvases.native, Qt.Key.Key_F11)
    assert dock.window().isFullScreen()
    QTest.keyClick(dock.canvases.native, Qt.Key.Key_F11)
    assert not dock.window().isFullScreen()


@pytest.mark.screen
def test_a_radiograph_has_the_letters_of_its_file(
    window: Callable[[str, tuple[int, int]], Any],
) -> None:
    dock = window("radiographs", (1280, 800))
    texts = dock.planes[0].sketch.texts
    assert (texts[Anchor.LEFT], texts[Anchor.RIGHT], texts[Anchor.TOP]) == ("R", "L", "S")
    assert "AP" in texts[Anchor.TOP_RIGHT]
