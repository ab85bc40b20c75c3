"""How the pictures are looked at: slices, zoom, grey values, the mouse; and a second one beside.

The second picture is another series of the first one's plane, or the one of another visit. It is
painted without napari over the canvas that is not read at the moment, turns and zooms with the
first, and takes no mark.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from textwrap import fill

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_necroangle.canvas.lens import (
    Greys,
    corner_words,
    cross,
    point_words,
    tile_of,
    window_words,
)
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
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.drawing import Drawing, Segments, drawing_of, ghost_lines
from napari_necroangle.reading.ghosts import Ghost
from napari_necroangle.reading.texts import VIEWS, signed
from necroangle.batch.other_visits import Earlier
from necroangle.geometry import ImagePlane, PatientPoints, PlanePoints
from necroangle.imaging import HeadMotion, HeadPicture, Unregistered, Volume, register_heads
from necroangle.terms import View

Act = Callable[[Case, View], object]
"""A command, done on a view of a case."""

WORDS_WIDE = 40
"""So many letters fit on a line of a narrow canvas."""
_NOTCH = 120
"""What Qt says of one notch of a wheel."""
_ON_OFF = ("on", "off")
_SWITCHES = {
    "link": ("is_linked", "Contrast of the views is", ("linked", "not linked")),
    "cursor": ("has_cursor", "The mouse's cross in the other view is", _ON_OFF),
    "loupe": ("has_loupe", "The loupe at the mouse is", _ON_OFF),
}
"""Settings of all canvases by their commands, and what is said of them."""


class Looking:
    """Slices, zoom, grey values, overlay, the mouse's cross, and the second look at the arc ends.

    Nothing of the reading is changed by it.

    Attributes
    ----------
    is_linked
        Whether a window that is set on one canvas is set on the others: by name where it has one,
        else in parts of the window as stored.
    has_cursor, has_loupe
        Whether the other canvases show where the mouse points to, and this one a loupe.
    on_point
        Called with where the mouse points to on a canvas, or None: for what stands beside it.
    """

    def __init__(
        self, planes: Callable[[], Sequence[PlaneView]], turn_to: Callable[[View], None]
    ) -> None:
        self._planes, self._turn_to = planes, turn_to
        self._looked: tuple[View, Handle] | None = None
        self.is_linked, self.has_cursor, self.has_loupe = False, True, False
        self.on_greys: Callable[[], None] = lambda: None
        self.on_point: Callable[[PlaneView, PatientPoints | None], None] = lambda *_: None
        self.tell: Callable[[str], None] = lambda _: None
        self.acts: dict[str, Act] = {
            "second_look": self._second_look,
            "head": lambda _, view: self._on_plane(view, PlaneView.zoom_to_head),
            "reset_view": self._reset_view,
            "jump": self._jump,
            "slice_up": lambda _, view: self._step(view, 1),
            "slice_down": lambda _, view: self._step(view, -1),
            "overlay": self._toggle_overlay,
            "window": self._next_window,
            "window_reset": lambda _, view: self.reset_window(view),
            "invert": lambda _, view: self._invert(view),
            **{name: partial(self._switch, name) for name in _SWITCHES},
        }

    def plane(self, view: View) -> PlaneView | None:
        """The canvas that shows a view, if one does."""
        shown = (plane for plane in self._planes() if plane.picture is not None)
        return next((plane for plane in shown if plane.view is view), None)

    def go_to(self, view: View, index: int) -> None:
        """Turn a view to a slice, kept within its stack."""
        self._on_plane(view, lambda plane: plane.go_to(index))

    def _on_plane(self, view: View, act: Callable[[PlaneView], object]) -> None:
        plane = self.plane(view)
        if plane is not None:
            act(plane)

    def _second_look(self, case: Case, _: View) -> None:
        """Magnify the next arc end of either view; after the last one, show all as before."""
        ends = [
            (draft.view, handle)
            for draft in case.session.draft.views
            for handle, _ in draft.all_marks
            if handle.role in (Role.START, Role.END) and self.plane(draft.view) is not None
        ]
        at = ends.index(self._looked) + 1 if self._looked in ends else 0
        for one in self._planes():
            one.end_magnifying()
        self._looked = ends[at] if at < len(ends) else None
        if self._looked is None:
            case.notice = "That was every arc end." if ends else "There is no arc end yet."
            return
        self._magnify(
            case, *self._looked, f"Arc end {at + 1} of {len(ends)}: drag it if it is off."
        )

    def _magnify(self, case: Case, view: View, handle: Handle, words: str) -> None:
        plane = self.plane(view)
        mark = plane.mark_of(handle) if plane is not None else None
        if plane is None or mark is None:
            return
        self._turn_to(view)
        plane.go_to(mark.index)
        plane.lens.magnify(mark.uv_mm, centred=True)
        case.selected[view] = handle
        case.say(words, lambda: plane.lens.is_magnifying and plane.slice_index == mark.index)

    def _reset_view(self, case: Case, view: View) -> None:
        """Show a view as at first, and say which: the other one stays as it is."""
        plane = self.plane(view)
        if plane is not None:
            plane.reset()
            case.say(f"{VIEWS[view]} view: shown as at first.", lambda: plane.lens.is_untouched)

    def _jump(self, case: Case, view: View) -> None:
        """Show the slice at the head's centre, as the other view shows it."""
        if not view.is_radiograph:
            self._on_plane(view, lambda plane: plane.go_to(case.proposed_index(view)))

    def _step(self, view: View, step: int) -> None:
        self._on_plane(view, lambda plane: plane.go_to(plane.slice_index + step))

    def _toggle_overlay(self, *_: object) -> None:
        on = not all(plane.sketch.visible for plane in self._planes())
        for plane in self._planes():
            plane.sketch.show(visible=on)

    def greys(self, view: View) -> Greys | None:
        """How the grey values of a view are shown; None where it has no picture."""
        plane = self.plane(view)
        return plane.greys if plane is not None else None

    def set_figures(self, view: View, width: float, level: float) -> None:
        """Show this width and level on a view."""
        greys = self.greys(view)
        if greys is not None:
            greys.figures = (width, level)
            self.windowed(view)
            self._turn_to(view)

    def set_preset(self, view: View, name: str) -> None:
        """Show the window of this name on a view."""
        greys = self.greys(view)
        if greys is not None:
            greys.preset = name
            self.windowed(view)
            self._turn_to(view)

    def reset_window(self, view: View) -> None:
        """Show the grey values of a view as they are stored."""
        greys = self.greys(view)
        if greys is not None:
            greys.reset()
            self.windowed(view)

    def windowed(self, view: View) -> None:
        """Take the other canvases along where they are linked, and tell of it."""
        greys = self.greys(view)
        for plane in self._planes():
            if self.is_linked and greys is not None and plane.greys not in (None, greys):
                assert plane.greys is not None  # noqa: S101
                plane.greys.window = greys.on(plane.greys.stored)
                plane.greys.preset = greys.preset
                plane.greys.is_inverted = greys.is_inverted
            plane.write_corner()
        self.on_greys()

    def pointed(self, view: View, uv_mm: tuple[float, float] | None) -> None:
        """Show in the other canvases where the mouse points to, and say what lies there.

        A cross is shown in the same frame of reference alone: in another the same mm are another
        place.
        """
        plane = self.plane(view)
        if plane is None or plane.picture is None:
            return
        picture, index = plane.picture, plane.slice_index
        is_inside = uv_mm is not None and picture.holds(uv_mm)
        plane.show_loupe(uv_mm if self.has_loupe and is_inside else None)
        self.tell(point_words(picture, index, uv_mm) if uv_mm is not None else "")
        point = None
        if uv_mm is not None and is_inside and self.has_cursor and not view.is_radiograph:
            point = picture.patient_mm(index, uv_mm)
        frame = picture.volume.sources[index].frame_of_reference_uid
        for other in self._planes():
            if other is not plane and other.picture is not None:
                there = other.picture.volume.sources[other.slice_index].frame_of_reference_uid
                other.show_cross(point if frame and frame == there else None)
        self.on_point(plane, point)

    def pointed_beside(self, first: PlaneView, point: PatientPoints | None, words: str) -> None:
        """The mouse points to a place of the second picture: show it in the first, and say it."""
        first.show_cross(point if self.has_cursor else None)
        self.tell(words)

    def _next_window(self, case: Case, view: View) -> None:
        greys = self.greys(view)
        if greys is not None:
            name = greys.next()
            case.say(f"Contrast: {name}.", lambda: greys.preset == name)
            self.windowed(view)

    def _invert(self, view: View) -> None:
        greys = self.greys(view)
        if greys is not None:
            greys.is_inverted = not greys.is_inverted
            self.windowed(view)

    def _switch(self, name: str, case: Case, view: View) -> None:
        """Switch a setting of all canvases, and say so as long as it holds."""
        setting, words, states = _SWITCHES[name]
        is_on = not getattr(self, setting)
        setattr(self, setting, is_on)
        words = f"{words} {states[not is_on]}."
        case.say(words, lambda: bool(getattr(self, setting) == is_on))
        self.pointed(view, None)
        self.windowed(view)


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """What stands beside a picture.

    ``shift_mm``: (3,) patient mm: the way from its frame of reference to the first picture's.
    ``own``: circle and arcs that were marked on it, with their plane; None where it shows the
    marks of the first picture.
    """

    picture: Picture
    words: str
    shift_mm: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    own: tuple[ImagePlane, Drawing] | None = None


def registered(
    case: Case, view: View, earlier: Earlier, prior: Picture
) -> HeadMotion | Unregistered | None:
    """The head of an earlier visit on today's slice; None where either has no circle there."""
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
    centre, centre_then = (
        case.head_centre(view),
        earlier.head_centre(case.session.draft.other(view)),
    )
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
        f"head turned {signed(motion.rotation_deg)} ± {turn:.1f}°,\n"
        f"circle placed to ± {place:.1f} mm (95 %)"
    )


def ghost_by(motion: HeadMotion, earlier: Earlier, view: View, index: int) -> Ghost | None:
    """The earlier circle and arcs on today's slice, turned and moved as the head was."""
    found = earlier.view(view)
    if found is None:
        return None
    arcs = [replace(arc, start_deg=arc.start_deg + motion.rotation_deg) for arc in found[1].arcs]
    return Ghost(index, drawing_of(motion.ghost, arcs, has_cross=False), "registration")


class SecondPane(QWidget):
    """Shows a second picture over a canvas.

    ``on_pointed``: called where the mouse points to on it: with the first picture's canvas, the
    place in that one's frame of reference, None for nowhere, and what lies there in words.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.sketch = Sketch()
        self.on_pointed: Callable[[PlaneView, PatientPoints | None, str], None] = lambda *_: None
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
            self._first.on_look = lambda: None
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
        window = first.greys.on(second.picture.volume.shown_window())
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
        shown = window_words(window, inverted=inverted)
        words = corner_words(second.picture, shown, self._zoom)
        self.sketch.write(Anchor.TOP_RIGHT, words if reaches else "")
        self.sketch.has_bar = reaches and second.picture.calibrated
        self.sketch.show(index=index, visible=reaches and first.sketch.visible)
        self.update()

    def show_cross(self, first: PlaneView, point: PatientPoints | None) -> None:
        """Show where (1, 3) patient mm of the first picture's frame of reference lie here."""
        lines: dict[int, Segments] = {}
        if point is not None and first is self._first and self._second is not None:
            volume, index = self._second.picture.volume, self.sketch.index
            there = PatientPoints(point - self._second.shift_mm)
            u, v = volume.planes[index].patient_to_plane(there)[0].tolist()
            lines[index] = cross((u, v), is_near=volume.nearest_index(there) == index)
        self.sketch.draw("cursor", lines)

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

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Say what lies under the mouse, and show where that is in the first picture."""
        first, second = self._first, self._second
        if first is None or second is None:
            return
        at = (event.position().x(), event.position().y())
        u, v = self._to_mm(np.array([at]))[0].tolist()
        picture, index = second.picture, self.sketch.index
        if self._tile is None or not picture.holds((u, v)):
            self.on_pointed(first, None, "")
            return
        there = picture.patient_mm(index, (u, v)) + second.shift_mm
        words = point_words(picture, index, (u, v))
        self.on_pointed(first, PatientPoints(there), f"Beside, {words[:1].lower()}{words[1:]}")

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """The mouse points to nothing here any more."""
        super().leaveEvent(event)
        if self._first is not None:
            self.on_pointed(self._first, None, "")

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
