"""Rims drawn by the screen's own pointer in a real window, held against where the pointer was."""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari_necroangle.reading.draft import Role
from qtpy.QtCore import QEvent, QEventLoop, QObject, QPoint
from qtpy.QtWidgets import QApplication
from screenpointer import Pointer

from necroangle.geometry import PlanePoints, fit_circle

__all__ = ["Drawn", "busy_processes", "circle_px", "draw_live", "errors_mm"]

_LONGEST_S = 60.0
_KINDS = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonRelease,
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of a stroke.

    Attributes
    ----------
    arrived
        At how many of its positions Qt was told of the mouse.
    marks
        How many rim marks it laid.
    radius_mm, centre_mm
        How far radius and centre lie from those of the circle through all its positions.
    """

    arrived: int
    marks: int
    radius_mm: float
    centre_mm: float


class _Heard(QObject):
    """Notes where a widget was told of the mouse, before anyone else hears it."""

    def __init__(self, widget: Any) -> None:
        super().__init__()
        self.places: set[tuple[int, int]] = set()
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802
        """Note it, and let it pass."""
        if event.type() in _KINDS:
            place: Any = event
            self.places.add(tuple(place.position().toPoint().toTuple()))
        return False


def circle_px(
    canvas: Any, count: int, *, radius_px: float, span_deg: float, from_deg: float = 100.0
) -> list[tuple[int, int]]:
    """So many whole pixels of a canvas along a circle about its middle."""
    middle = np.array((canvas.native.width(), canvas.native.height())) / 2
    turns = np.radians(np.linspace(from_deg, from_deg + span_deg, count))
    path = np.round(middle + radius_px * np.column_stack((np.cos(turns), np.sin(turns))))
    return [(int(x), int(y)) for x, y in path]


def draw_live(
    dock: Any,
    place: int,
    path: Sequence[tuple[int, int]],
    pointer: Pointer,
    *,
    lasts_s: float = 0.0,
) -> Drawn:
    """Draw a rim through pixels of a canvas, as the X server would, and take it back.

    Parameters
    ----------
    dock
        The dock, with a hip open.
    place
        Which of its canvases.
    path
        (x, y) pixels.
    pointer
        The screen's pointer.
    lasts_s
        How long the hand takes for it.
    """
    canvas, case = dock.canvases.all[place], dock.workspace.case
    view = case.session.draft.views[place].view
    case.aim_at(view, Role.RIM)
    heard, corner = _Heard(canvas.native), canvas.native.mapToGlobal(QPoint(0, 0))
    before = case.session.draft
    pointer(corner.x() + path[0][0], corner.y() + path[0][1])
    _wait_for(lambda: path[0] in heard.places)
    heard.places.clear()
    pointer(0, 0, 1)
    for x, y in path[1:]:
        time.sleep(lasts_s / len(path))  # the window does nothing meanwhile: it is the worst case
        pointer(corner.x() + x, corner.y() + y)
    pointer(0, 0, -1)
    _wait_for(lambda: case.session.draft != before and case.session.is_settled)
    canvas.native.removeEventFilter(heard)
    outcome, marks = case.session.outcome().view(view), case.session.draft.view(view).rim
    radius, centre = errors_mm(outcome.circle, canvas.ground.to_mm(np.array(path, float)))
    case.session.undo()
    return Drawn(len(heard.places), len(marks), radius, centre)


def errors_mm(circle: Any, path_mm: Any) -> tuple[float, float]:
    """How far radius and centre of a circle lie from those of the one through (N, 2) positions."""
    if circle is None:
        return float("inf"), float("inf")
    own = fit_circle(PlanePoints(np.asarray(path_mm, float))).circle
    away = np.subtract(circle.centre_mm, own.centre_mm)
    return abs(circle.radius_mm - own.radius_mm), float(np.hypot(*away))


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many other processes at full work meanwhile."""
    started = [multiprocessing.get_context("spawn").Process(target=_spin) for _ in range(count)]
    for one in started:
        one.start()
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.join()


def _spin() -> None:
    """Work until killed, or until whoever started it is gone."""
    parent = os.getppid()
    while os.getppid() == parent:
        sum(range(100_000))


def _wait_for(is_so: Callable[[], bool]) -> None:
    start, waits = time.monotonic(), QEventLoop.ProcessEventsFlag.WaitForMoreEvents
    while not is_so():
        if time.monotonic() - start > _LONGEST_S:
            raise TimeoutError("the window has not followed the mouse")
        QApplication.processEvents(waits, 20)
