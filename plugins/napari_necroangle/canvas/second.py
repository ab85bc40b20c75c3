"""A second picture beside the first: another series of its plane, or the one of another visit.

It is painted without napari over the canvas that is not read at the moment, turns and zooms with
the first, and takes no mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from textwrap import fill

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
from napari_necroangle.reading.case import Case, Picture
from napari_necroangle.reading.drawing import Drawing, Segments, drawing_of, ghost_lines
from napari_necroangle.reading.followup import Earlier, Ghost
from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints
from necroangle.imaging import HeadMotion, HeadPicture, Unregistered, Volume, register_heads
from necroangle.terms import View

__all__ = ["Second", "SecondPane", "ghost_by", "motion_words", "registered"]

WORDS_WIDE = 40
"""So many letters fit on a line of a narrow canvas."""
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


def registered(
    case: Case, view: View, earlier: Earlier, prior: Picture
) -> HeadMotion | Unregistered | None:
    """The head of an earlier visit on today's slice; None where either has no circle there.

    Parameters
    ----------
    case, view
        What is read now.
    earlier, prior
        The earlier reading, and the picture that it was made on.
    """
    then, today = earlier.view(view), case.pictures[view]
    now = case.session.outcome().view(view)
    index = case.marks_index(view)
    if then is None or then[1].circle is None or now.circle is None or index is None:
        return None
    entry, measured = then
    index_then = prior.index_of_image(entry.image)
    if index_then is None or measured.circle is None:
        return None
    side = case.session.draft.laterality
    other = next(one.view for one in case.session.draft.views if one.view is not view)
    centre, beside = case.head_centre(view), earlier.view(other)
    centre_then = None
    if beside is not None and beside[1].circle is not None:
        at = PlanePoints(np.array([beside[1].circle.centre_mm]))
        centre_then = beside[0].plane.plane().plane_to_patient(at)
    return register_heads(
        HeadPicture(
            prior.volume.slice(index_then),
            measured.circle,
            side,
            tuple(measured.arcs),
            None if centre_then is None else prior.offset_mm(index_then, centre_then),
        ),
        HeadPicture(
            today.volume.slice(index),
            now.circle,
            side,
            tuple(now.arcs),
            None if centre is None else today.offset_mm(index, centre),
        ),
    )


def motion_words(motion: HeadMotion | Unregistered | None) -> str:
    """What a registration has found, with its 95 % errors; or why there is none."""
    if motion is None:
        return "laid by the head's centre"
    if isinstance(motion, Unregistered):
        return fill(f"laid by the head's centre: {motion.meaning}", WORDS_WIDE)
    turn, place = 1.96 * motion.rotation_se_deg, 1.96 * max(motion.shift_se_mm)
    return (
        f"head turned {motion.rotation_deg:+.1f}° ± {turn:.1f}°,\n"
        f"circle placed to ± {place:.1f} mm (95 %)"
    )


def ghost_by(motion: HeadMotion, earlier: Earlier, view: View, index: int) -> Ghost | None:
    """The earlier circle and arcs on today's slice, turned and moved as the head was."""
    found = earlier.view(view)
    if found is None:
        return None
    arcs = [replace(arc, start_deg=arc.start_deg + motion.rotation_deg) for arc in found[1].arcs]
    return Ghost(index, drawing_of(motion.ghost, arcs), "registration")


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
