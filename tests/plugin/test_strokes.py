"""A drawn rim is marked only where the mouse was, however few of its positions arrived."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Role
from napari_necroangle.reading.edits import ENOUGH_POSITIONS, marks_along

from necroangle.geometry import PlanePoints, fit_circle
from necroangle.terms import View

A = View.CORONAL
CENTRE = (48.0, 25.0)
RADIUS_MM = 20.0


def sampled(count: int, span_deg: float, *, uneven: float = 0.0) -> list[tuple[float, float]]:
    """So many positions of a hand that follows a circle."""
    turns = np.linspace(100.0, 100.0 + span_deg, count)
    turns[1:-1] += (
        uneven * span_deg / count * np.random.default_rng(count).uniform(-1, 1, count - 2)
    )
    u = CENTRE[0] + RADIUS_MM * np.cos(np.radians(turns))
    v = CENTRE[1] + RADIUS_MM * np.sin(np.radians(turns))
    return list(zip(u.tolist(), v.tolist(), strict=True))


@pytest.mark.parametrize("count", range(4, 31))
@pytest.mark.parametrize("span_deg", [150.0, 200.0, 250.0])
def test_the_circle_is_that_of_the_positions(count: int, span_deg: float) -> None:
    path = sampled(count, span_deg, uneven=0.4)
    marks = marks_along(path, Role.RIM)
    assert set(marks) <= set(path)
    assert (marks[0], marks[-1]) == (path[0], path[-1])
    assert len(marks) == len(set(marks))
    drawn, own = (fit_circle(PlanePoints(np.array(one))).circle for one in (marks, path))
    assert drawn.radius_mm == pytest.approx(own.radius_mm, abs=0.05)
    assert drawn.centre_mm == pytest.approx(own.centre_mm, abs=0.05)


@pytest.mark.parametrize("role", [Role.RIM, Role.START, Role.CONTOUR])
def test_two_positions_mark_nothing(role: Role) -> None:
    assert marks_along([(0.0, 0.0), (40.0, 0.0)], role) == ()


def test_an_arc_lies_on_three_positions() -> None:
    path = sampled(7, 90.0)
    assert marks_along(path, Role.START) == (path[0], path[3], path[6])


def test_an_outline_keeps_its_positions() -> None:
    path = sampled(40, 350.0)
    marks = marks_along(path, Role.CONTOUR)
    assert set(marks) <= set(path)
    assert len(marks) > 20


@pytest.mark.parametrize("count", [4, ENOUGH_POSITIONS, 12])
def test_a_thin_stroke_is_spoken_of(case: Case, count: int) -> None:
    case.aim_at(A, Role.RIM)
    case.draw(A, 2, marks_along(sampled(count, 200.0), Role.RIM))
    case.end_stroke(A)
    assert ("caught at" in case.notice) == (count < ENOUGH_POSITIONS)


def test_nothing_is_marked_outside_of_the_picture(case: Case) -> None:
    case.aim_at(A, Role.RIM)
    assert case.click(A, 2, (-5.0, 20.0)) is None
    assert "outside" in case.notice
    case.draw(A, 2, [(-5.0, 20.0), *sampled(8, 200.0)])
    case.end_stroke(A)
    rim = case.session.draft.view(A).rim
    assert len(rim) == 8
    handle, _ = case.session.draft.view(A).marks[0]
    before = case.session.draft
    case.drag(A, handle, (500.0, 20.0))
    assert case.session.draft == before


@pytest.mark.screen
def test_a_stroke_on_a_busy_machine_is_that_of_its_positions(
    open_dock: Callable[[], Any], qtbot: Any, samples: Path
) -> None:
    """Drawn in the window while the program is kept from its events between any two of them."""
    from qtpy.QtCore import QTimer

    dock = open_dock()
    dock.workspace.reader = "r1"
    dock.open_folder(samples / "plain")
    qtbot.wait(100)
    canvas, session = dock.canvases.all[0], dock.workspace.case.session
    busy = QTimer()
    busy.timeout.connect(lambda: time.sleep(0.02))
    busy.start(0)
    try:
        for count in (4, 5, 8, 15, 30):
            path = drawn_live(canvas, count)
            qtbot.waitUntil(lambda: session.is_settled, timeout=60_000)
            view = session.outcome().views[0]
            own = fit_circle(PlanePoints(canvas.ground.to_mm(np.array(path)))).circle
            assert view.circle is not None
            assert view.circle.radius_mm == pytest.approx(own.radius_mm, abs=0.05), count
            assert view.circle.centre_mm == pytest.approx(own.centre_mm, abs=0.05), count
            session.undo()
    finally:
        busy.stop()


@pytest.mark.screen
def test_a_stroke_of_the_pointer_beside_busy_processes(
    open_dock: Callable[[], Any], qtbot: Any, samples: Path
) -> None:
    """The X server moves the pointer; a longer table: benchmarks/slow_machine.py."""
    from livestrokes import busy_processes, circle_px, draw_live
    from screenpointer import screen_pointer

    pointer = screen_pointer()
    if pointer is None:
        pytest.skip("no libXtst: the screen's own pointer cannot be moved")
    dock = open_dock()
    dock.workspace.reader = "r1"
    dock.open_folder(samples / "plain")
    qtbot.wait(200)
    with busy_processes(4):
        for count in (4, 17, 30):
            path = circle_px(dock.canvases.all[0], count, radius_px=120.0, span_deg=220.0)
            drawn = draw_live(dock, 0, path, pointer)
            assert drawn.arrived == count
            assert drawn.marks == min(count, 10)
            assert max(drawn.radius_mm, drawn.centre_mm) < 0.05, count


def drawn_live(canvas: Any, count: int) -> list[tuple[float, float]]:
    """Draw a rim of so many positions by events that wait in Qt's queue; where they were."""
    from qtpy.QtCore import QEvent, QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    native, left = canvas.native, Qt.MouseButton.LeftButton
    middle = np.array((native.width(), native.height())) / 2
    turns = np.radians(np.linspace(100.0, 320.0, count))
    path = np.round(middle + 90.0 * np.column_stack((np.cos(turns), np.sin(turns))))
    steps = [(QEvent.Type.MouseButtonPress, path[0], left, left)]
    steps += [(QEvent.Type.MouseMove, at, Qt.MouseButton.NoButton, left) for at in path[1:-1]]
    steps += [(QEvent.Type.MouseButtonRelease, path[-1], left, Qt.MouseButton.NoButton)]
    for kind, at, button, buttons in steps:
        place = QPointF(*at.tolist())
        there = QPointF(native.mapToGlobal(place.toPoint()))
        held = Qt.KeyboardModifier.ShiftModifier
        QApplication.postEvent(native, QMouseEvent(kind, place, there, button, buttons, held))
        QApplication.processEvents()
    return [(float(x), float(y)) for x, y in path]
