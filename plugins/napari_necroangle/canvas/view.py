"""One canvas: a picture, the marks on it, and what they measure. Any napari viewer model will do.

napari draws the picture and nothing else: it has its spacing as scale, so that the model's world is
plane mm, and never an affine, for napari draws tilted affines on wrong slices. All that lies over
it is a :class:`~napari_necroangle.canvas.overlay.Sketch`. What the letters and the title say is
computed from the slice that is shown; axes that are exchanged, a third dimension and a grid are set
back.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from numpy.typing import NDArray

from napari_necroangle.canvas.lens import Greys, Lens, corner_words, cross, tile_of
from napari_necroangle.canvas.overlay import LOUPE_GAIN, LOUPE_PX, PENS, Anchor, DrawnMark, Sketch
from napari_necroangle.reading.case import Case, Picture, reference_ends
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.drawing import (
    PenLines,
    Segments,
    dashed,
    drawing_of,
    ghost_lines,
    outline_of,
)
from napari_necroangle.reading.ghosts import Ghost
from napari_necroangle.reading.guidance import rim_gain
from napari_necroangle.reading.outcome import ViewOutcome
from napari_necroangle.reading.texts import canvas_title
from necroangle.annotation import Mark
from necroangle.dicom.decoders import load_decoders
from necroangle.geometry import PatientPoints
from necroangle.terms import View

EDGES = {"left": Anchor.LEFT, "right": Anchor.RIGHT, "top": Anchor.TOP, "bottom": Anchor.BOTTOM}
MEASURED = ("outline", "circle", "rays", "arc")
"""The lines that are drawn from the draft."""
_GUESTS = ("first reader", "second reader")
"""Whose lines are not the draft's."""
_PLANE = 2
"""How many dimensions a canvas shows."""
_UPRIGHT = ("towards", "down", "right")
"""How the axes run on a canvas: rows down, columns to the right."""
_HELD = {
    "visible": True,
    "opacity": 1.0,
    "translate": np.zeros(3),
    "rotate": np.eye(3),
    "shear": np.zeros(3),
    "affine": np.eye(4),
    "projection_mode": "none",
}
"""What a picture's layer keeps, so that it lies under its marks and shows one slice."""
_BLACK = np.zeros((1, 1, 1), np.uint16)
"""What is shown where there is no picture."""


def make_ready() -> None:
    """Load what is asked for with the first picture: the window is not shown yet.

    napari's units, and xarray with pandas behind it, take half a second; decoders, and what an
    angle's error needs, take a fifth.
    """
    load_decoders()
    import_module("scipy.special")
    Image(np.zeros((1, 1, 1)), units=("mm",) * 3)


class PlaneView:
    """A view of the case on a viewer model.

    ``settling``: the arc end that is magnified, to be set exactly; None for none.
    ``on_look``: called when another part or slice is shown, or in other greys.
    """

    def __init__(self, model: ViewerModel) -> None:
        self.model, self.sketch, self.lens = model, Sketch(), Lens(model)
        self.case: Case | None = None
        self.picture: Picture | None = None
        self.greys: Greys | None = None
        self._image: Image | None = None
        self._keeps_layer = False
        self._drawn: tuple[object, ...] = (None,) * 4
        self._reference: object = None
        self._ghost: tuple[Ghost | None, str] = (None, "")
        self.is_active = False
        self.on_look: Callable[[], None] = lambda: None
        self.settling: Handle | None = None
        self._proposed: int | None = None
        self._orientation = model.scene.camera.orientation
        model.canvas.background_color_override = "black"
        for event, react in self._events():
            event.connect(react)
        self._set_back()

    @property
    def view(self) -> View:
        """Which view is shown."""
        return self._shown.view

    @property
    def _shown(self) -> Picture:
        assert self.picture is not None  # noqa: S101
        return self.picture

    @property
    def slice_index(self) -> int:
        """The slice that is shown, from 0."""
        if self.picture is None:
            return 0
        return min(int(self.model.dims.current_step[0]), len(self.picture) - 1)

    @property
    def image(self) -> Image:
        """The layer of the picture."""
        assert self._image is not None  # noqa: S101
        return self._image

    @property
    def has_picture(self) -> bool:
        """Whether the model holds the picture, or there is none to hold."""
        return self._image is None or self._image in self.model.layers

    @property
    def is_undisturbed(self) -> bool:
        """Whether the model holds the picture alone; nothing, where there is none."""
        return self.has_picture and not self.others

    @property
    def others(self) -> list[Layer]:
        """The layers of the model that are not the picture's."""
        return [layer for layer in self.model.layers if layer is not self._image]

    def show(self, case: Case, picture: Picture) -> None:
        """Show a picture of a case, at the slice with the marks or the proposed one."""
        self.case = self.settling = None
        self._forget()
        self._show_image(picture)
        self.case, self.picture = case, picture
        marked = case.marks_index(picture.view)
        if marked is None:
            self._propose(case)
        else:
            self.go_to(marked)
        case.see(self.view, self.slice_index)
        self.sketch.has_bar = picture.calibrated
        self.sketch.show(index=self.slice_index)
        self.lens.look_at(picture, self.slice_index, case.centre_seen_in_other(picture.view))
        self.refresh()

    def keep_layer(self) -> None:
        """Have a layer that is black where there is no picture, and keep it from now on.

        To make one takes a tenth of a second, in which the window would not answer; it is made
        before the window is shown.
        """
        self._keeps_layer = True
        self._put_layer(_BLACK, (1.0, 1.0, 1.0), "none", (0.0, 1.0))

    def clear(self) -> None:
        """Take everything that was shown away again."""
        self.case = self.picture = self.greys = None
        if self._keeps_layer and self._image is not None:
            self._image.data = _BLACK
        else:
            if self._image in self.model.layers:
                self.model.layers.remove(self._image)
            self._image = None
        self._forget()

    def bring_back(self, index: int) -> None:
        """Show the picture and a slice again, whatever was done to the model's layers."""
        if self.picture is None:
            return
        if not self.has_picture:
            self.model.layers.append(self.image)
            self.model.layers.selection.clear()
        self.go_to(index)
        self.sketch.show(index=self.slice_index)

    def close(self) -> None:
        """Clear, and leave the model as it was found."""
        self._keeps_layer = False
        self.clear()
        self.model.canvas.background_color_override = None
        for event, react in self._events():
            event.disconnect(react)
        self.model.scene.camera.orientation = self._orientation

    def go_to(self, index: int) -> None:
        """Show a slice, kept within the stack."""
        self.model.dims.set_current_step(0, min(max(index, 0), len(self._shown) - 1))

    def follow(self) -> None:
        """Go where the other view now shows the head, unless this view was turned or marked."""
        if self.case is None or self.slice_index != self._proposed:
            return
        if self.case.is_untouched(self.view):
            self._propose(self.case)

    def fit(self) -> None:
        """Fit the picture to the canvas anew, unless the reader has moved or zoomed it."""
        if self.lens.is_untouched:
            self.reset()

    def reset(self) -> None:
        """Show the part of the picture that was shown at first."""
        if self.case is not None and self.picture is not None:
            centre = self.case.centre_seen_in_other(self.view)
            self.lens.look_at(self.picture, self.slice_index, centre)

    def zoom_to_head(self) -> None:
        """Let the head fill the canvas, or, where it does, show all."""
        if self.case is None or self.picture is None:
            return
        circle = self.case.session.outcome().view(self.view).circle
        if circle is None or not self.lens.is_untouched:
            self.lens.show_all()
        else:
            self.lens.look_at_circle(self.picture, circle)

    def hit(self, uv_mm: tuple[float, float], within_px: float) -> Handle | None:
        """The mark of the shown slice nearest to a point, if it is near enough."""
        here = [
            one
            for one in self.sketch.marks
            if one.index == self.slice_index and one.handle.role is not Role.MARKER
        ]
        if self.case is None or not here or not self.sketch.visible:
            return None
        away = np.hypot(*(np.array([one.uv_mm for one in here]) - uv_mm).T)
        nearest = int(np.argmin(away))
        return here[nearest].handle if away[nearest] * self.lens.zoom <= within_px else None

    def mark_of(self, handle: Handle) -> DrawnMark | None:
        """A mark as it is drawn; None where it does not lie on the picture that is shown."""
        return next((one for one in self.sketch.marks if one.handle == handle), None)

    def uv_of(self, handle: Handle) -> tuple[float, float]:
        """Plane mm of a mark that is drawn."""
        mark = self.mark_of(handle)
        assert mark is not None  # noqa: S101
        return mark.uv_mm

    def end_magnifying(self) -> None:
        """Show again what was shown before an arc end was magnified."""
        self.settling = None
        self.lens.back()

    def refresh(self) -> None:
        """Show the case as it stands, in lines and words."""
        if self.case is None or self.picture is None:
            return
        self._draw(self.case, self.case.session.outcome().view(self.view))
        self.draw_reference()
        self._write_texts()

    def draw_drag(self) -> None:
        """Draw marks and lines of a drag that is under way; nothing is measured for it."""
        if self.case is not None and self.picture is not None:
            self._draw(self.case, self.case.session.drawn(self.view))

    def draw_reference(self) -> None:
        """Draw where the slice of the other view cuts this one."""
        if self.case is None or self.picture is None:
            return
        state = (self.slice_index, reference_ends(self.case, self.view))
        if state != self._reference:
            self._reference = state
            self.sketch.draw("reference", {self.slice_index: dashed(state[1])})

    def show_cross(self, point: PatientPoints | None) -> None:
        """Show where (1, 3) patient mm lie on the slice: a cross, small for a point beside it."""
        lines: dict[int, Segments] = {}
        if point is not None and self.picture is not None:
            volume, index = self.picture.volume, self.slice_index
            u, v = volume.planes[index].patient_to_plane(point)[0].tolist()
            lines[index] = cross((u, v), is_near=volume.nearest_index(point) == index)
        self.sketch.draw("cursor", lines)

    def show_loupe(self, uv_mm: tuple[float, float] | None) -> None:
        """Show the picture round a point, plane mm, larger; or no more."""
        if uv_mm is None or self.picture is None or self.greys is None:
            self.sketch.magnify(None)
            return
        reach = LOUPE_PX / LOUPE_GAIN / self.lens.zoom
        low, high = np.subtract(uv_mm, reach), np.add(uv_mm, reach)
        tile = tile_of(
            self.picture,
            self.slice_index,
            self.greys.window,
            inverted=self.greys.is_inverted,
            within_mm=(low, high),
        )
        self.sketch.magnify((uv_mm, tile))

    def show_guests(self, lines: Sequence[PenLines], slice_index: int) -> None:
        """Show what others drew, on its slice; what was shown of it before goes."""
        drawn = {one.pen: one.segments for one in lines}
        for pen in PENS:
            if pen.startswith(_GUESTS):
                self.sketch.draw(pen, {slice_index: drawn[pen]} if pen in drawn else {})

    def show_ghost(self, ghost: Ghost | None, label: str) -> None:
        """Show an earlier visit's marks in dashes on their slice, and name them; or none."""
        if self.picture is None or (self._ghost[0] is ghost and self._ghost[1] == label):
            return
        self._ghost = (ghost, label)
        thin: Mapping[int, Segments] = {}
        arcs: Mapping[int, Segments] = {}
        if ghost is not None:
            thin, arcs = ({ghost.slice_index: one} for one in ghost_lines(ghost.drawing))
        self.sketch.draw("ghost", thin)
        self.sketch.draw("ghost arc", arcs)
        self.sketch.write(Anchor.BOTTOM_LEFT, label)

    def _show_image(self, picture: Picture) -> None:
        """Show a picture, in the grey values that are stored."""
        name = picture.view.value.replace("_", "-")
        volume = picture.volume
        layer = self._put_layer(volume.pixels, volume.scale_mm, name, volume.shown_window())
        self.greys = Greys(layer, picture)

    def _put_layer(
        self,
        pixels: NDArray[Any],
        scale_mm: tuple[float, float, float],
        name: str,
        shown: tuple[float, float],
    ) -> Image:
        """Pixels in the layer that is there, which is far faster, else in a new one."""
        if self._image is None or self._image not in self.model.layers:
            self._image = Image(
                pixels,
                name=name,
                scale=scale_mm,
                units=("mm",) * 3,
                contrast_limits=shown,
                colormap="gray",
                interpolation2d="linear",
                **_HELD,
            )
            self.model.layers.append(self._image)
            self.model.layers.selection.clear()  # napari's menus act on what is selected
            for held in ("scale", *_HELD):
                getattr(self._image.events, held).connect(self._hold_image)
        else:
            self._image.data = pixels
            self._image.scale = scale_mm
            self._image.name = name
        return self._image

    def _forget(self) -> None:
        """Nothing is drawn any more."""
        self._drawn, self._reference, self._ghost = (None,) * 4, None, (None, "")
        self.sketch.clear()

    def _propose(self, case: Case) -> None:
        self._proposed = case.proposed_index(self.view)
        self.go_to(self._proposed)

    def _draw(self, case: Case, outcome: ViewOutcome) -> None:
        """Draw marks and what they give, unless it is drawn already."""
        draft, ends = case.session.draft.view(self.view), case.marker_ends(self.view)
        state = (draft, case.selected.get(self.view), outcome, ends)
        if all(one is other for one, other in zip(state, self._drawn, strict=True)):
            return
        places = self._places(case)
        self._draw_marks(case, places)
        self._draw_lines(case, places, outcome)
        self._drawn = state

    def _draw_marks(self, case: Case, places: Mapping[int, int]) -> None:
        selected, drawn = case.selected.get(self.view), []
        marks = case.session.draft.view(self.view).all_marks
        for number, index in places.items():
            here = [(handle, mark) for handle, mark in marks if handle.slice_no == number]
            there = self._uv(index, [mark for _, mark in here]).tolist()
            for (handle, _), (u, v) in zip(here, there, strict=True):
                drawn.append(DrawnMark(handle, index, (u, v), handle == selected))
        for number, end in enumerate(case.marker_ends(self.view)):
            drawn.append(DrawnMark(Handle(Role.MARKER, number), 0, self._shown.uv_of(end)))
        self.sketch.put(tuple(drawn))

    def _places(self, case: Case) -> dict[int, int]:
        """Which slice of the picture each marked slice of the view is."""
        draft = case.session.draft.view(self.view)
        slices = (draft.on, *(one.on for one in draft.neighbours))
        found = ((number, self._shown.index_of(on)) for number, on in enumerate(slices))
        return {number: index for number, index in found if index is not None}

    def _uv(self, index: int, marks: Sequence[Mark]) -> NDArray[np.float64]:
        """(N, 2) plane mm of marks on a slice."""
        patient = PatientPoints(np.array([mark.patient_mm for mark in marks]).reshape(-1, 3))
        return self._shown.volume.planes[index].patient_to_plane(patient)

    def _draw_lines(self, case: Case, places: Mapping[int, int], outcome: ViewOutcome) -> None:
        slices = ((outcome.circle, outcome.arcs), *((o.circle, o.arcs) for o in outcome.beside))
        lines: dict[str, dict[int, Segments]] = {part: {} for part in MEASURED}
        for number, (circle, arcs) in enumerate(slices):
            if number in places:
                for part, segments in drawing_of(circle, arcs).parts:
                    lines[part][places[number]] = segments
        if 0 in places:
            contour = case.session.draft.view(self.view).contour
            lines["outline"][places[0]] = outline_of(self._uv(places[0], contour))
        for part, found in lines.items():
            self.sketch.draw(part, found)

    def _write_texts(self) -> None:
        assert self.case is not None  # noqa: S101
        outcome = self.case.session.outcome().view(self.view)
        centre = self.case.head_centre(self.view)
        away = None if centre is None else self._shown.offset_mm(self.slice_index, centre)
        gain = rim_gain(self.case.session, self.view)
        title = canvas_title(self.view, self.slice_index, len(self._shown), outcome, away, gain)
        self.sketch.write(Anchor.TOP_LEFT, f"{'▸ ' if self.is_active else ''}{title}")
        letters = self._shown.edge_letters(self.slice_index)
        for edge, anchor in EDGES.items():
            self.sketch.write(anchor, letters.get(edge, ""))
        self.write_corner()

    def _on_step(self) -> None:
        if self.case is not None and self.has_picture:  # without it napari has no slices to turn
            self.case.see(self.view, self.slice_index)
            self.sketch.show(index=self.slice_index)
            self.draw_reference()
            self._write_texts()

    def write_corner(self) -> None:
        """Say what is shown, and how."""
        if self.picture is not None and self.greys is not None and self.case is not None:
            words = corner_words(self.picture, self.greys.words(), self.lens.zoom)
            self.sketch.write(Anchor.TOP_RIGHT, words)
            self.on_look()

    def _on_camera(self) -> None:
        self.write_corner()
        self.sketch.on_change(None)

    def _hold_image(self) -> None:
        """Leave the picture where its marks are, whatever was done to its layer."""
        if self.case is None or self.picture is None:
            return
        for name, value in {"scale": self.picture.volume.scale_mm, **_HELD}.items():
            if not np.array_equal(np.asarray(getattr(self.image, name)), np.asarray(value)):
                setattr(self.image, name, value)

    def _set_back(self) -> None:
        """Show a slice of the stack, whatever else the host was told to show."""
        if self.model.scene.camera.orientation != _UPRIGHT:
            self.model.scene.camera.orientation = _UPRIGHT
        dims, order = self.model.dims, tuple(range(self.model.dims.ndim))
        if dims.ndisplay != _PLANE:
            dims.ndisplay = _PLANE
        if tuple(dims.order) != order:
            dims.order = order
        if self.model.canvas.grid.enabled:
            self.model.canvas.grid.enabled = False

    def _events(self) -> tuple[tuple[Any, Any], ...]:
        """What is listened to in the model, and by whom."""
        dims, camera = self.model.dims.events, self.model.scene.camera.events
        return (
            (dims.current_step, self._on_step),
            (camera.zoom, self._on_camera),
            (camera.center, self._on_camera),
            (camera.orientation, self._set_back),
            (dims.order, self._set_back),
            (dims.ndisplay, self._set_back),
            (self.model.canvas.grid.events.enabled, self._set_back),
            (self.model.canvas.events.size, self.fit),
        )
