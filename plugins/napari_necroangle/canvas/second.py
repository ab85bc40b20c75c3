"""A second picture beside the first: another series of its plane, or the one of another visit.

It is painted without napari over the canvas that is not read at the moment, turns and zooms with
the first, and takes no mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_necroangle.canvas.lens import tile_of
from napari_necroangle.canvas.overlay import (
    Anchor,
    DrawnMark,
    Ground,
    Overlay,
    Sketch,
    Tile,
    paint_tile,
)
from napari_necroangle.canvas.view import EDGES, MEASURED, PlaneView
from napari_necroangle.reading.case import Picture
from napari_necroangle.reading.drawing import Drawing, Segments, ghost_lines
from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints
from necroangle.imaging import Volume

__all__ = ["Second", "SecondPane"]

_NOTCH = 120
"""What Qt says of one notch of a wheel."""


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """What stands beside a picture.

    Attributes
    ----------
    picture
        The other picture.
    words
        What it is.
    shift_mm
        (3,) patient mm: the way from its frame of reference to the first picture's.
    own
        Circle and arcs that were marked on it, with their plane; None where it shows the marks of
        the first picture.
    """

    picture: Picture
    words: str
    shift_mm: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    own: tuple[ImagePlane, Drawing] | None = None


class SecondPane(QWidget):
    """Shows a second picture over a canvas.

    Attributes
    ----------
    sketch
        What is drawn over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.sketch = Sketch()
        self._first: PlaneView | None = None
        self._second: Second | None = None
        self._tile: Tile | None = None
        self._middle_mm = np.zeros(2)
        self._ground = Ground(self, self._to_px, self._to_mm)
        Overlay(self._ground, self.sketch)
        self.hide()

    def put(self, over: QWidget, first: PlaneView, second: Second) -> None:
        """Show a picture beside the first, over a canvas."""
        if self.parent() is not over:
            self.take_away()
            self.setParent(over)
            over.installEventFilter(self)
        self._first, self._second = first, second
        first.on_look = self.draw
        self.setGeometry(over.rect())
        self.draw()
        self.show()
        self.raise_()

    def take_away(self) -> None:
        """Show the canvas below again."""
        over = self.parent()
        if over is not None:
            over.removeEventFilter(self)
        if self._first is not None:
            self._first.on_look = _unseen
        self._first = self._second = None
        self.hide()
        self.setParent(None)

    def draw(self) -> None:
        """Turn to where the first picture is, and draw the marks."""
        first, second = self._first, self._second
        if first is None or second is None or first.picture is None or first.greys is None:
            return
        volume, step_mm = second.picture.volume, second.picture.volume.step_mm
        point = first.picture.patient_mm(first.slice_index, first.lens.centre_mm) - second.shift_mm
        middle = PatientPoints(point)
        index = volume.nearest_index(middle)
        plane = volume.planes[index]
        away_mm = abs(float(plane.distance_mm(middle)[0]))
        self._middle_mm = np.asarray(plane.patient_to_plane(middle)[0], float)
        reaches = away_mm <= max(step_mm, first.picture.volume.step_mm) / 2 + 0.1
        window = first.greys.on(second.picture.window())
        inverted = first.greys.is_inverted
        self._tile = tile_of(second.picture, index, window, inverted=inverted) if reaches else None
        self._draw_lines(first, second)
        place = f"slice {index + 1} / {len(volume)}, {away_mm:.1f} mm off"
        if not reaches:
            place = f"no slice here: the nearest is {away_mm:.1f} mm away"
        self.sketch.write(Anchor.TOP_LEFT, f"{second.words}\n{place}")
        letters = second.picture.edge_letters(index)
        for edge, anchor in EDGES.items():
            self.sketch.write(anchor, letters.get(edge, ""))
        self.sketch.show(index=index, visible=reaches and first.sketch.visible)
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay as large as the canvas below."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802
        """Paint the slice."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        if self._tile is not None:
            paint_tile(painter, self._ground, self._tile)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Turn the first picture: this one goes along."""
        notches = int(event.angleDelta().y() / _NOTCH)
        if self._first is not None and self._first.picture is not None and notches:
            self._first.go_to(self._first.slice_index - notches)
        event.accept()

    def _draw_lines(self, first: PlaneView, second: Second) -> None:
        volume = second.picture.volume
        if second.own is not None:
            plane, drawing = second.own
            for pen, segments in zip(("ghost", "ghost arc"), ghost_lines(drawing), strict=True):
                self.sketch.draw(pen, dict([_carried(segments, plane, volume)]))
            return
        assert first.picture is not None  # noqa: S101
        planes = first.picture.volume.planes
        for pen in MEASURED:
            lines = first.sketch.lines(pen)
            self.sketch.draw(pen, _all_carried(lines, planes, volume))
        marks = []
        for mark in first.sketch.marks:
            at = np.array(mark.uv_mm).reshape(1, 1, 2)
            index, place = _carried(at, planes[mark.index], volume)
            u, v = place[0, 0].tolist()
            marks.append(DrawnMark(mark.handle, index, (u, v), mark.is_selected))
        self.sketch.put(tuple(marks))

    def _to_px(self, uv_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array((self.width(), self.height())) / 2 + (uv_mm - self._middle_mm) * self._zoom

    def _to_mm(self, places_px: NDArray[np.float64]) -> NDArray[np.float64]:
        half = np.array((self.width(), self.height())) / 2
        return self._middle_mm + (places_px - half) / self._zoom

    @property
    def _zoom(self) -> float:
        """As the first picture's, so that both show a head as large."""
        return self._first.lens.zoom if self._first is not None else 1.0


def _all_carried(
    lines: Mapping[int, Segments], planes: tuple[ImagePlane, ...], volume: Volume
) -> dict[int, Segments]:
    return dict(_carried(one, planes[index], volume) for index, one in lines.items() if len(one))


def _carried(segments: Segments, plane: ImagePlane, volume: Volume) -> tuple[int, Segments]:
    """Plane mm of a slice, through patient mm, on the nearest slice of a stack: its index, mm."""
    points = plane.plane_to_patient(PlanePoints(segments.reshape(-1, 2)))
    index = volume.nearest_index(points)
    there = volume.planes[index].patient_to_plane(points)
    return index, np.asarray(there, float).reshape(segments.shape)


def _unseen() -> None:
    """Nobody looks along."""
