"""One canvas: a picture, the marks on it, and what they measure. Any napari viewer model will do.

Every layer of marks is in plane mm with a scale of 1, so that a mark's data are its plane mm. The
picture has its spacing as scale and never an affine: napari draws tilted affines on wrong slices.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Points
from numpy.typing import NDArray

from napari_necroangle.canvas import style
from napari_necroangle.canvas.drawer import Drawer, best_drawer, place_points
from napari_necroangle.canvas.layers import PENS, picture_layers, show_in_layers, write_text
from napari_necroangle.canvas.lens import Lens
from napari_necroangle.reading.case import Case, Picture, reference_ends
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.drawing import (
    PenLines,
    as_vectors,
    dashed,
    drawing_of,
    ghost_lines,
    outline_of,
)
from napari_necroangle.reading.followup import Ghost
from napari_necroangle.reading.texts import canvas_title
from necroangle.annotation import Mark
from necroangle.geometry import PatientPoints
from necroangle.terms import View

__all__ = ["PlaneView"]

_EDGES = {
    "left": "middle_left",
    "right": "middle_right",
    "top": "top_center",
    "bottom": "bottom_center",
}


_MEASURED = ("outline", "circle", "rays", "arc")
"""The lines that are drawn from the draft."""
_GUESTS = ("first reader", "second reader")
"""Whose lines are not the draft's."""


class PlaneView:
    """A view of the case on a viewer model.

    Parameters
    ----------
    model
        The main viewer, or the model of a second canvas.
    fast_lines
        Whether lines are drawn straight on the canvas, where the installed napari allows it.
    """

    def __init__(self, model: ViewerModel, *, fast_lines: bool = True) -> None:
        self.model = model
        self.drawer: Drawer | None = None
        self.fast_lines = fast_lines
        self.case: Case | None = None
        self.picture: Picture | None = None
        self._layers: dict[str, Any] = {}
        self._widths_for = 0.0
        self._shown: tuple[Handle, ...] = ()
        self._painted: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._reference: object = None
        self._ghost: tuple[Ghost | None, str] = (None, "")
        self._preset = 0
        self.overlay_on = True
        self.is_active = False
        self.settling: Handle | None = None
        self.lens = Lens(model)
        self._proposed: int | None = None
        model.dims.events.current_step.connect(self._on_step)
        model.scene.camera.events.zoom.connect(self._on_zoom)

    @property
    def view(self) -> View:
        """Which view is shown."""
        assert self.picture is not None  # noqa: S101
        return self.picture.view

    @property
    def slice_index(self) -> int:
        """The slice that is shown, from 0."""
        return int(self.model.dims.current_step[0]) if self.picture is not None else 0

    @property
    def points(self) -> Points:
        """The layer of marks."""
        return self._layers["marks"]

    @property
    def image(self) -> Image:
        """The layer of the picture."""
        return self._layers["image"]

    @property
    def lines(self) -> Mapping[str, NDArray[np.float64]]:
        """What is drawn over the picture, by part: (N, 2, 3), start and direction in mm."""
        return self.drawer.lines if self.drawer is not None else {}

    def show(self, case: Case, picture: Picture) -> None:
        """Show a picture of a case, at the slice with the marks or the proposed one."""
        self.case = self.settling = None
        self._lay_layers(picture)
        self.case, self.picture = case, picture
        self._preset = 0
        marked = case.marks_index(picture.view)
        if marked is None:
            self._propose(case)
        else:
            self.go_to(marked)
        case.see(self.view, self.slice_index)
        self.lens.look_at(picture, self.slice_index, case.centre_seen_in_other(picture.view))
        self.points.help = self.model.help = style.MOUSE_HELP
        self.refresh()

    def clear(self) -> None:
        """Take everything that was shown away again."""
        self.case = self.picture = None
        for layer in self._layers.values():
            if layer in self.model.layers:
                self.model.layers.remove(layer)
        self._layers = {}
        if self.drawer is not None:
            self.drawer.close()
            self.drawer = None
        self._shown = self._painted = self._drawn = ()
        self._reference = None
        self._ghost = (None, "")
        for name in (
            "necroangle_title",
            "necroangle_ghost",
            *(f"necroangle_{edge}" for edge in _EDGES),
        ):
            self.model.canvas.overlays.pop(name, None)

    def bring_back(self, index: int) -> bool:
        """Show the picture again, on a slice, where a layer of it is gone; whether one was."""
        case, picture = self.case, self.picture
        if case is None or picture is None or self.has_all_layers():
            return False
        self.clear()
        self.show(case, picture)
        self.go_to(index)
        return True

    def has_all_layers(self) -> bool:
        """Whether nobody has taken a layer of the picture away."""
        drawn = self.drawer.layers if self.drawer is not None else ()
        return all(one in self.model.layers for one in (*self._layers.values(), *drawn))

    def close(self) -> None:
        """Clear, and leave the model as it was found."""
        self.clear()
        self.model.dims.events.current_step.disconnect(self._on_step)
        self.model.scene.camera.events.zoom.disconnect(self._on_zoom)

    def go_to(self, index: int) -> None:
        """Show a slice, kept within the stack."""
        assert self.picture is not None  # noqa: S101
        self.model.dims.set_current_step(0, min(max(index, 0), len(self.picture) - 1))

    def follow(self) -> None:
        """Go where the other view now shows the head, unless this view was turned or marked."""
        if self.case is None or self.slice_index != self._proposed:
            return
        if self.case.is_untouched(self.view):
            self._propose(self.case)

    def _propose(self, case: Case) -> None:
        self._proposed = case.proposed_index(self.view)
        self.go_to(self._proposed)

    def fit(self) -> None:
        """Fit the picture to the canvas anew, unless the reader has moved or zoomed it."""
        if self.case is None or self.picture is None or not self.lens.is_untouched:
            return
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

    def next_window(self) -> str:
        """Show the next preset of grey values, and say its name."""
        assert self.picture is not None  # noqa: S101
        presets = self.picture.windows()
        self._preset = (self._preset + 1) % len(presets)
        name, limits = presets[self._preset]
        self.image.contrast_limits = limits
        return name

    def show_overlay(self, on: bool) -> None:
        """Show or hide all that is drawn over the picture."""
        self.overlay_on = on
        if self.drawer is not None:
            self.drawer.visible = on
            self.points.visible = on

    def hit(self, uv_mm: tuple[float, float], within_px: float) -> Handle | None:
        """The mark of the shown slice nearest to a point, if it is near enough."""
        if self.case is None or not self._shown or not self.overlay_on:
            return None
        data = self.points.data
        away = np.hypot(*(data[:, 2:0:-1] - uv_mm).T)
        away[data[:, 0] != self.slice_index] = np.inf
        nearest = int(np.argmin(away))
        reach_mm = within_px / self.model.scene.camera.zoom
        return self._shown[nearest] if away[nearest] <= reach_mm else None

    def uv_under(
        self, place_px: tuple[float, float], size_px: tuple[int, int]
    ) -> tuple[float, float]:
        """Plane mm under a place on a canvas of this size, in Qt's pixels."""
        camera = self.model.scene.camera
        *_, v, u = camera.center
        x, y = (place_px[axis] - size_px[axis] / 2 for axis in (0, 1))
        return float(u + x / camera.zoom), float(v + y / camera.zoom)

    def uv_of(self, handle: Handle) -> tuple[float, float]:
        """Plane mm of a mark that is drawn."""
        _, v, u = self.points.data[self._shown.index(handle)].tolist()
        return u, v

    def draws(self, handle: Handle) -> bool:
        """Whether a mark lies on the picture that is shown."""
        return handle in self._shown

    def end_magnifying(self) -> None:
        """Show again what was shown before an arc end was magnified."""
        self.settling = None
        self.lens.back()

    def slice_of(self, handle: Handle) -> int:
        """The slice of a mark that is drawn."""
        return int(self.points.data[self._shown.index(handle)][0])

    def refresh(self, *, with_texts: bool = True) -> None:
        """Draw the case as it stands; without texts, all but what is written on the canvas.

        For each letter that changes napari lays all texts of a canvas out again: costly in a drag.
        """
        if self.case is None or self.picture is None:
            return
        state = (self.case.session.draft.view(self.view), self.case.selected.get(self.view))
        if state != self._drawn:
            self._draw_marks()
            self._draw_lines()
            self._drawn = state
        self.draw_reference()
        if with_texts:
            self._draw_texts()

    def draw_reference(self) -> None:
        """Draw where the slice of the other view cuts this one."""
        if self.case is None or self.picture is None:
            return
        state = (self.slice_index, reference_ends(self.case, self.view))
        if state != self._reference:
            self._reference = state
            lines = as_vectors(dashed(state[1]), self.slice_index)
            self._show_lines({"reference": lines})

    def show_guests(self, lines: Sequence[PenLines], slice_index: int) -> None:
        """Show what others drew, on its slice; what was shown of it before goes."""
        parts = {pen: np.zeros((0, 2, 3)) for pen in PENS if pen.startswith(_GUESTS)}
        parts.update({one.pen: as_vectors(one.segments, slice_index) for one in lines})
        self._show_lines(parts)

    def show_ghost(self, ghost: Ghost | None, label: str) -> None:
        """Show an earlier visit's marks in dashes on their slice, and name them; or none."""
        if self.picture is None or (self._ghost[0] is ghost and self._ghost[1] == label):
            return
        self._ghost = (ghost, label)
        empty = np.zeros((0, 2, 3))
        thin, arcs = (empty, empty)
        if ghost is not None:
            lines = ghost_lines(ghost.drawing)
            thin, arcs = (as_vectors(one, ghost.slice_index) for one in lines)
        self._show_lines({"ghost": thin, "ghost arc": arcs})
        self._draw_texts()

    def _lay_layers(self, picture: Picture) -> None:
        """Show a picture without marks: in the layers that are there, else in new ones."""
        self._shown = self._painted = self._drawn = ()
        self._reference = None
        self._ghost = (None, "")
        self._widths_for = 0.0
        name, step_mm = f"{picture.view.value} lines", picture.volume.scale_mm[0]
        if self.drawer is not None and self.has_all_layers():
            show_in_layers(self._layers, picture)
            self.drawer.begin(name, step_mm)
            return
        self.clear()
        self._layers = picture_layers(picture)
        self.model.layers.append(self.image)
        self.drawer = best_drawer(self.model, PENS, name, step_mm, fast=self.fast_lines)
        self.model.layers.append(self.points)
        self.model.layers.selection.active = self.points
        self.points.mode = "pan_zoom"
        self.model.dims.axis_labels = ("slice", "down", "across")

    def _draw_marks(self) -> None:
        assert self.case is not None  # noqa: S101
        places = self._places()
        handles, data = [], []
        for handle, mark in self.case.session.draft.view(self.view).all_marks:
            index = places.get(handle.slice_no)
            if index is not None:
                handles.append(handle)
                data.append((index, *self._uv(index, (mark,))[0, ::-1]))
        if self.points.selected_data:
            self.points.selected_data = set()
        place_points(self.points, np.array(data, dtype=float).reshape(-1, 3))
        self._shown = tuple(handles)
        looks = (self._shown, self.case.selected.get(self.view))
        if handles and looks != self._painted:
            self._paint(self._shown)
        self._painted = looks

    def _places(self) -> dict[int, int]:
        """Which slice of the picture each marked slice of the view is."""
        assert self.case is not None  # noqa: S101
        assert self.picture is not None  # noqa: S101
        draft = self.case.session.draft.view(self.view)
        slices = (draft.on, *(one.on for one in draft.neighbours))
        found = ((number, self.picture.index_of(on)) for number, on in enumerate(slices))
        return {number: index for number, index in found if index is not None}

    def _uv(self, index: int, marks: Sequence[Mark]) -> NDArray[np.float64]:
        """(N, 2) plane mm of marks on a slice."""
        assert self.picture is not None  # noqa: S101
        patient = PatientPoints(np.array([mark.patient_mm for mark in marks]).reshape(-1, 3))
        return self.picture.volume.planes[index].patient_to_plane(patient)

    def _paint(self, handles: tuple[Handle, ...]) -> None:
        """Give every mark the look of its role, the selected one a white border."""
        assert self.case is not None  # noqa: S101
        points = self.points
        selected = self.case.selected.get(self.view)
        roles = [handle.role for handle in handles]
        points.features = {"role": [role.value for role in roles]}
        points.face_color = [style.MARK_COLOURS[role] for role in roles]
        points.symbol = [style.MARK_SYMBOLS[role] for role in roles]
        points.border_width = 0.12
        points.border_color = [
            style.SELECTED_COLOUR if handle == selected else "#101010" for handle in handles
        ]
        points.size = self._sizes_mm(roles)

    def _draw_lines(self) -> None:
        assert self.case is not None  # noqa: S101
        outcome = self.case.session.outcome().view(self.view)
        places = self._places()
        slices = ((outcome.circle, outcome.arcs), *((o.circle, o.arcs) for o in outcome.beside))
        lines: dict[str, list[NDArray[np.float64]]] = {part: [] for part in _MEASURED}
        for number, (circle, arcs) in enumerate(slices):
            if number in places:
                for part, segments in drawing_of(circle, arcs).parts:
                    lines[part].append(as_vectors(segments, places[number]))
        if 0 in places:
            contour = self.case.session.draft.view(self.view).contour
            outline = outline_of(self._uv(places[0], contour))
            lines["outline"].append(as_vectors(outline, places[0]))
        none = np.zeros((0, 2, 3))
        self._show_lines({part: np.concatenate((*found, none)) for part, found in lines.items()})
        self._on_zoom()

    def _show_lines(self, parts: Mapping[str, NDArray[np.float64]]) -> None:
        if self.drawer is not None:
            self.drawer.show(parts)

    def _draw_texts(self) -> None:
        assert self.case is not None  # noqa: S101
        assert self.picture is not None  # noqa: S101
        overlays = self.model.canvas.overlays
        outcome = self.case.session.outcome().view(self.view)
        centre = self.case.head_centre(self.view)
        away = None if centre is None else self.picture.offset_mm(self.slice_index, centre)
        title = canvas_title(self.view, self.slice_index, len(self.picture), outcome, away)
        title = f"{'▸ ' if self.is_active else ''}{title}"
        write_text(overlays, "necroangle_title", title, "top_left", 10)
        if not self.view.is_radiograph:
            letters = self.picture.volume.planes[self.slice_index].edge_letters()
            for edge, position in _EDGES.items():
                write_text(overlays, f"necroangle_{edge}", letters[edge], position, 15)
        else:
            for edge in _EDGES:
                overlays.pop(f"necroangle_{edge}", None)
        if self._ghost[1]:
            write_text(overlays, "necroangle_ghost", self._ghost[1], "bottom_left", 10)
        else:
            overlays.pop("necroangle_ghost", None)
        bar = overlays.scale_bar
        bar.font_size = 11
        bar.colored, bar.color = True, style.LABEL_COLOUR
        bar.box, bar.box_color = True, style.LABEL_BOX
        bar.visible = self.picture.calibrated

    def _sizes_mm(self, roles: list[Role]) -> NDArray[np.float64]:
        zoom = max(self.model.scene.camera.zoom, 1e-6)
        return np.array([style.MARK_SIZES_PX[role] / zoom for role in roles])

    def _on_step(self) -> None:
        if self.case is not None and self.picture is not None:
            self.case.see(self.view, self.slice_index)
            self.draw_reference()
            self._draw_texts()

    def _on_zoom(self) -> None:
        """Keep marks as wide on the screen at every zoom; the drawer does so with its lines."""
        zoom = self.model.scene.camera.zoom
        if self.case is None or not zoom or abs(zoom / (self._widths_for or 1e-9) - 1) < 1e-3:
            return
        self._widths_for = zoom
        if self._shown:
            self.points.size = self._sizes_mm([handle.role for handle in self._shown])
