"""Lines over a picture: a layer of napari's, or straight on the canvas where napari allows it.

Of the time of a drag, drawing the lines is little; the layer machinery round it (extents, slider
ranges, thumbnails, a shader built anew for each layer that changed) is most. So all lines of a
canvas are one layer, changed in place, or no layer at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from napari.components import ViewerModel
from napari.layers import Points, Vectors
from napari.utils.color import transform_color
from numpy.typing import NDArray

from napari_necroangle.canvas.fast_lines import can_draw, new_overlay, ribbons

__all__ = ["Drawer", "OverlayDrawer", "Pen", "VectorsDrawer", "best_drawer", "place_points"]

Lines = NDArray[np.float64]
"""(N, 2, 3): start and direction of each line as (slice, v mm, u mm)."""

_OVERLAY = "necroangle_lines"
_NO_LINES: Lines = np.zeros((0, 2, 3))
_ROOM = 128
"""A layer has room for a multiple of so many lines, so that it seldom grows."""


@dataclass(frozen=True, slots=True)
class Pen:
    """What the lines of a part look like.

    Attributes
    ----------
    colour
        Its name or code.
    width_px
        Its width on the screen, at every zoom.
    """

    colour: str
    width_px: float


class Drawer(Protocol):
    """Draws the lines of one canvas, in parts that each have their pen."""

    visible: bool
    """Whether the lines are shown."""

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers that it has put into the model; none for an overlay."""

    @property
    def lines(self) -> Mapping[str, Lines]:
        """What is drawn, by part."""

    def begin(self, name: str, step_mm: float) -> None:
        """Draw nothing any more: another picture is shown, with this step between its slices."""

    def show(self, parts: Mapping[str, Lines]) -> None:
        """Draw these parts anew; those that are not named stay."""

    def close(self) -> None:
        """Take everything out of the model."""


class _Parts:
    """The lines by part, and which of them changed last."""

    def __init__(self, pens: Mapping[str, Pen]) -> None:
        self.pens = dict(pens)
        self.clear()

    def clear(self) -> None:
        self.lines = dict.fromkeys(self.pens, _NO_LINES)

    def take(self, parts: Mapping[str, Lines]) -> bool:
        """Keep the lines of these parts; whether anything is other than before."""
        changed = {
            part: lines
            for part, lines in parts.items()
            if not np.array_equal(lines, self.lines[part])
        }
        self.lines.update(changed)
        return bool(changed)

    def together(self) -> tuple[Lines, NDArray[np.float64], NDArray[np.float64]]:
        """All lines, with their (N, 4) colours and (N,) widths in pixels."""
        counts = [len(lines) for lines in self.lines.values()]
        colours = np.array([_rgba(pen.colour) for pen in self.pens.values()]).reshape(-1, 4)
        widths = [pen.width_px for pen in self.pens.values()]
        lines = np.concatenate((_NO_LINES, *self.lines.values()))
        return lines, np.repeat(colours, counts, axis=0), np.repeat(widths, counts)


class VectorsDrawer:
    """All lines in one layer, by public means only.

    A layer has one width: a wider line is several of the thinnest side by side. The layer's own
    arrays are changed in place and shown again without thumbnail and extent; spare places repeat
    the last line.

    Parameters
    ----------
    model
        The viewer model; the layer is put on top of what it holds.
    pens
        The look of each part.
    name
        The layer's name.
    step_mm
        Distance between slices.
    """

    def __init__(
        self, model: ViewerModel, pens: Mapping[str, Pen], name: str, step_mm: float
    ) -> None:
        self._model = model
        self._parts = _Parts(pens)
        self._thinnest_px = min(pen.width_px for pen in pens.values())
        self._visible = True
        self._layer = Vectors(
            _NO_LINES, ndim=3, vector_style="line", opacity=1.0, units=("mm",) * 3
        )
        self.begin(name, step_mm)
        model.layers.append(self._layer)
        model.scene.camera.events.zoom.connect(self._on_zoom)

    @property
    def layers(self) -> tuple[Any, ...]:
        """The one layer."""
        return (self._layer,)

    @property
    def lines(self) -> Mapping[str, Lines]:
        """What is drawn, by part."""
        return MappingProxyType(self._parts.lines)

    @property
    def visible(self) -> bool:
        """Whether the lines are shown."""
        return self._visible

    @visible.setter
    def visible(self, on: bool) -> None:
        self._visible = on
        self._draw()

    def begin(self, name: str, step_mm: float) -> None:
        """Draw nothing any more: another picture is shown."""
        self._parts.clear()
        self._layer.visible = False
        self._layer.name = name
        self._layer.scale = (step_mm, 1.0, 1.0)

    def show(self, parts: Mapping[str, Lines]) -> None:
        """Draw these parts anew, (N, 2, 3) in (slice, v mm, u mm); the others stay."""
        if self._parts.take(parts):
            self._draw()

    def close(self) -> None:
        """Take the layer out of the model."""
        self._model.scene.camera.events.zoom.disconnect(self._on_zoom)
        if self._layer in self._model.layers:
            self._model.layers.remove(self._layer)

    def _on_zoom(self) -> None:
        self._draw()

    def _draw(self) -> None:
        layer, zoom = self._layer, _zoom(self._model)
        lines, colours, widths_px = self._parts.together()
        shown = self._visible and len(lines) > 0
        if shown:
            strands, of_line = _strands(lines, widths_px, self._thinnest_px, zoom)
            self._fill(strands, colours[of_line])
            if layer.edge_width != self._thinnest_px / zoom:
                layer.edge_width = self._thinnest_px / zoom
            elif layer.visible:
                layer.refresh(thumbnail=False, extent=False, highlight=False)
        if layer.visible != shown:
            layer.visible = shown

    def _fill(self, lines: Lines, colours: NDArray[np.float64]) -> None:
        """Change the layer's arrays in place; new ones only where there is no room."""
        layer = self._layer
        if len(lines) > len(layer.data):
            room = -(-len(lines) // _ROOM) * _ROOM
            layer.data = np.repeat(lines[:1], room, axis=0)
            layer.edge_color = np.repeat(colours[:1], room, axis=0)
        count = len(lines)
        layer.data[:count], layer.data[count:] = lines, lines[-1]
        layer.edge_color[:count], layer.edge_color[count:] = colours, colours[-1]


class OverlayDrawer:
    """All lines straight on the canvas, only those of the slice that is shown.

    Parameters
    ----------
    model
        The viewer model.
    pens
        The look of each part.

    Raises
    ------
    NotImplementedError
        If the installed napari does not draw overlays in the way that is known.
    """

    layers: tuple[Any, ...] = ()

    def __init__(self, model: ViewerModel, pens: Mapping[str, Pen]) -> None:
        if not _overlays_work():
            raise NotImplementedError("this napari does not draw overlays in the known way")
        self._model = model
        self._parts = _Parts(pens)
        self._overlay: Any = new_overlay(order=1)
        model.scene.overlays[_OVERLAY] = self._overlay
        model.scene.camera.events.zoom.connect(self._draw)
        model.dims.events.current_step.connect(self._draw)

    @property
    def lines(self) -> Mapping[str, Lines]:
        """What is drawn, by part, on whatever slice."""
        return MappingProxyType(self._parts.lines)

    @property
    def visible(self) -> bool:
        """Whether the lines are shown."""
        return bool(self._overlay.visible)

    @visible.setter
    def visible(self, on: bool) -> None:
        self._overlay.visible = on

    def begin(self, name: str, step_mm: float) -> None:  # noqa: ARG002
        """Draw nothing any more: another picture is shown."""
        self._parts.clear()
        self._draw()

    def show(self, parts: Mapping[str, Lines]) -> None:
        """Draw these parts anew, (N, 2, 3) in (slice, v mm, u mm); the others stay."""
        if self._parts.take(parts):
            self._draw()

    def close(self) -> None:
        """Take the overlay out of the model."""
        self._model.scene.camera.events.zoom.disconnect(self._draw)
        self._model.dims.events.current_step.disconnect(self._draw)
        self._model.scene.overlays.pop(_OVERLAY, None)

    def _draw(self) -> None:
        lines, colours, widths_px = self._parts.together()
        here = lines[:, 0, 0] == self._model.dims.current_step[0]
        self._overlay.corners = ribbons(
            lines[here][:, :, 1:], colours[here], widths_px[here], _zoom(self._model)
        )


def best_drawer(
    model: ViewerModel, pens: Mapping[str, Pen], name: str, step_mm: float, *, fast: bool = True
) -> Drawer:
    """The fastest drawer that the installed napari allows; ``fast=False`` for public means only."""
    if fast and _overlays_work():
        return OverlayDrawer(model, pens)
    return VectorsDrawer(model, pens, name, step_mm)


def place_points(layer: Points, data: NDArray[np.float64]) -> None:
    """Move the points of a layer, cheaply where none came or went.

    Parameters
    ----------
    layer
        The layer: its array is changed in place.
    data
        (N, 3) places as (slice, v mm, u mm).

    Examples
    --------
    >>> layer = Points(np.zeros((2, 3)))
    >>> place_points(layer, np.ones((2, 3)))
    >>> layer.data.tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    if layer.data.shape != data.shape:
        layer.data = data
    elif not np.array_equal(layer.data, data):
        layer.data[:] = data
        layer.refresh(thumbnail=False, extent=False, highlight=False)


@cache
def _overlays_work() -> bool:
    return can_draw()


@cache
def _rgba(colour: str) -> tuple[float, ...]:
    return tuple(transform_color(colour)[0].tolist())


def _zoom(model: ViewerModel) -> float:
    return max(float(model.scene.camera.zoom), 1e-6)


def _strands(
    lines: Lines, widths_px: NDArray[np.float64], thinnest_px: float, zoom: float
) -> tuple[Lines, NDArray[np.intp]]:
    """Lines of the least width that lie side by side, and of which line each is a strand."""
    counts = np.ceil(widths_px / thinnest_px - 1e-9).astype(int)
    of_line = np.repeat(np.arange(len(lines)), counts)
    number = np.arange(len(of_line)) - np.repeat(np.cumsum(counts) - counts, counts)
    spread_mm = (widths_px - thinnest_px)[of_line] / zoom
    share = number / np.maximum(counts[of_line] - 1, 1) - 0.5
    strands = lines[of_line]
    along = strands[:, 1, 1:]
    length = np.hypot(*along.T)
    across = along[:, ::-1] * (-1.0, 1.0) / np.where(length > 0.0, length, 1.0)[:, None]
    strands[:, 0, 1:] += across * (share * spread_mm)[:, None]
    return strands, of_line
