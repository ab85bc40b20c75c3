"""One canvas: a picture, the marks on it, and what they measure. Any napari viewer model will do.

Every layer of marks is in plane mm with a scale of 1, so that a mark's data are its plane mm. The
picture has its spacing as scale and never an affine: napari draws tilted affines on wrong slices.
"""

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Points
from numpy.typing import NDArray

from napari_necroangle import _style as style
from napari_necroangle._case import Case
from napari_necroangle._draft import Handle, Role, ViewDraft
from napari_necroangle._layers import (
    LINE_COLOURS,
    LINE_WIDTHS_PX,
    picture_layers,
    show_in_layers,
    write_text,
)
from napari_necroangle._letters import edge_letters
from napari_necroangle._overlay import Drawing, as_vectors, drawing_of
from napari_necroangle._picture import Picture
from napari_necroangle._words import canvas_title
from necroangle.geometry import PatientPoints
from necroangle.terms import View

__all__ = ["PlaneView"]

_EDGES = {
    "left": "middle_left",
    "right": "middle_right",
    "top": "top_center",
    "bottom": "bottom_center",
}
_HEAD_FIELD_MM = 110.0
"""How much of the picture is shown at first, where the head's place is known."""


class PlaneView:
    """A view of the case on a viewer model.

    Parameters
    ----------
    model
        The main viewer, or the model of a second canvas.
    """

    def __init__(self, model: ViewerModel) -> None:
        self.model = model
        self.case: Case | None = None
        self.picture: Picture | None = None
        self._layers: dict[str, Any] = {}
        self._widths_for = 0.0
        self._shown: tuple[Handle, ...] = ()
        self._painted: tuple[object, ...] = ()
        self._drawn: tuple[object, ...] = ()
        self._fitted: tuple[object, float] | None = None
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

    def show(self, case: Case, picture: Picture) -> None:
        """Show a picture of a case, at the slice with the marks or the proposed one."""
        self.case = None
        self._lay_layers(picture)
        self.case, self.picture = case, picture
        marked = case.marks_index(picture.view)
        if marked is None:
            self._propose(case)
        else:
            self.go_to(marked)
        self.look_at(case.centre_seen_in_other(picture.view))
        self.model.help = style.MOUSE_HELP
        self.refresh()

    def clear(self) -> None:
        """Take everything that was shown away again."""
        self.case = self.picture = None
        for layer in self._layers.values():
            if layer in self.model.layers:
                self.model.layers.remove(layer)
        self._layers = {}
        self._shown = self._painted = self._drawn = ()
        for name in ("necroangle_title", *(f"necroangle_{edge}" for edge in _EDGES)):
            self.model.canvas.overlays.pop(name, None)

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
        camera = self.model.scene.camera
        if self.case is None or self._fitted != (tuple(camera.center), camera.zoom):
            return
        self.look_at(self.case.centre_seen_in_other(self.view))

    def look_at(self, point: PatientPoints | None) -> None:
        """Bring the head into the middle where its place is known, else show all."""
        self._frame(point)
        camera = self.model.scene.camera
        self._fitted = (tuple(camera.center), camera.zoom)

    def _frame(self, point: PatientPoints | None) -> None:
        assert self.picture is not None  # noqa: S101
        self.model.reset_view(margin=0.02)
        _, rows, columns = self.image.extent.world[1]
        if point is None or self.view.is_radiograph or max(rows, columns) <= _HEAD_FIELD_MM:
            return
        plane = self.picture.volume.planes[self.slice_index]
        u, v = plane.patient_to_plane(point)[0].tolist()
        if not (0 < u < columns and 0 < v < rows):
            return
        camera = self.model.scene.camera
        camera.center = (0.0, v, u)
        camera.zoom *= max(rows, columns) / _HEAD_FIELD_MM

    def hit(self, uv_mm: tuple[float, float], within_px: float) -> Handle | None:
        """The mark of the shown slice nearest to a point, if it is near enough."""
        draft = self._draft_here()
        if draft is None or not self._shown:
            return None
        away = np.hypot(*(self.points.data[:, 2:0:-1] - uv_mm).T)
        nearest = int(np.argmin(away))
        reach_mm = within_px / self.model.scene.camera.zoom
        return self._shown[nearest] if away[nearest] <= reach_mm else None

    def uv_of(self, handle: Handle) -> tuple[float, float]:
        """Plane mm of a mark that is shown."""
        _, v, u = self.points.data[self._shown.index(handle)].tolist()
        return u, v

    def refresh(self) -> None:
        """Draw the case as it stands."""
        if self.case is None or self.picture is None:
            return
        state = (self.case.session.draft.view(self.view), self.case.selected.get(self.view))
        if state != self._drawn:
            self._draw_marks()
            self._draw_lines()
            self._drawn = state
        self._draw_texts()

    def _draft_here(self) -> ViewDraft | None:
        """The view's draft where its marks lie on the slice that is shown."""
        if self.case is None or self.case.marks_index(self.view) != self.slice_index:
            return None
        return self.case.session.draft.view(self.view)

    def _lay_layers(self, picture: Picture) -> None:
        """Show a picture without marks: in the layers that are there, else in new ones."""
        self._shown = self._painted = self._drawn = ()
        self._widths_for = 0.0
        if self._layers and all(one in self.model.layers for one in self._layers.values()):
            show_in_layers(self._layers, picture)
            return
        self.clear()
        self._layers = picture_layers(picture)
        for layer in self._layers.values():
            self.model.layers.append(layer)
        self.model.layers.selection.active = self.points
        self.points.mode = "pan_zoom"
        self.model.dims.axis_labels = ("slice", "down", "across")

    def _draw_marks(self) -> None:
        assert self.case is not None  # noqa: S101
        index = self.case.marks_index(self.view)
        marks = self.case.session.draft.view(self.view).marks if index is not None else ()
        data = np.zeros((len(marks), 3))
        planes = self.picture.volume.planes if self.picture is not None else ()
        if marks and index is not None:
            patient = PatientPoints(np.array([mark.patient_mm for _, mark in marks]))
            data[:, 0] = index
            data[:, 2:0:-1] = planes[index].patient_to_plane(patient)
        handles = tuple(handle for handle, _ in marks)
        self.points.selected_data = set()
        self.points.data = data
        self._shown = handles
        looks = (handles, self.case.selected.get(self.view))
        if handles and looks != self._painted:
            self._paint(handles)
        self._painted = looks

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
        index = self.case.marks_index(self.view)
        drawing = drawing_of(self.case.session.outcome().view(self.view))
        if index is None:
            drawing = Drawing(*(np.zeros((0, 2, 2)) for _ in range(3)))
        for part, segments in (
            ("circle", drawing.circle),
            ("rays", drawing.rays),
            ("arc", drawing.arcs),
        ):
            layer = self._layers[part]
            vectors = as_vectors(segments, index or 0)
            if not np.array_equal(vectors, layer.data):
                layer.data = vectors
                layer.edge_color = LINE_COLOURS[part]
        self._on_zoom()

    def _draw_texts(self) -> None:
        assert self.case is not None  # noqa: S101
        assert self.picture is not None  # noqa: S101
        overlays = self.model.canvas.overlays
        outcome = self.case.session.outcome().view(self.view)
        title = canvas_title(self.view, self.slice_index, len(self.picture), outcome)
        write_text(overlays, "necroangle_title", title, "top_left", 12)
        if not self.view.is_radiograph:
            letters = edge_letters(self.picture.volume.planes[self.slice_index])
            for edge, position in _EDGES.items():
                write_text(overlays, f"necroangle_{edge}", getattr(letters, edge), position, 15)
        else:
            for edge in _EDGES:
                overlays.pop(f"necroangle_{edge}", None)
        bar = overlays.scale_bar
        bar.font_size = 11
        bar.colored, bar.color = True, style.LABEL_COLOUR
        bar.box_color = style.LABEL_BOX
        bar.visible = self.picture.calibrated

    def _sizes_mm(self, roles: list[Role]) -> NDArray[np.float64]:
        zoom = max(self.model.scene.camera.zoom, 1e-6)
        return np.array([style.MARK_SIZES_PX[role] / zoom for role in roles])

    def _on_step(self) -> None:
        if self.case is not None:
            self._draw_texts()

    def _on_zoom(self) -> None:
        """Keep marks and lines as wide on the screen at every zoom."""
        zoom = self.model.scene.camera.zoom
        if self.case is None or not zoom or abs(zoom / (self._widths_for or 1e-9) - 1) < 1e-3:
            return
        self._widths_for = zoom
        for part, width_px in LINE_WIDTHS_PX.items():
            self._layers[part].edge_width = width_px / zoom
        if self._shown:
            self.points.size = self._sizes_mm([handle.role for handle in self._shown])
