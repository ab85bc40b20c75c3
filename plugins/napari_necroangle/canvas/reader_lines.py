"""Two readers' outlines over a canvas: the first in whole lines, the second dashed."""

from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Vectors

from napari_necroangle.canvas.style import PURPLE, YELLOW
from napari_necroangle.reading.difference import Outline
from napari_necroangle.reading.drawing import Segments, as_vectors

__all__ = ["READER_COLOURS", "ReaderLines", "segments_of"]

READER_COLOURS = (YELLOW, PURPLE)
"""Of the first and the second reader: told apart by every kind of colour vision."""

_WIDTHS_PX = {"circle": 1.8, "arcs": 4.5}
_UNITS = ("mm", "mm", "mm")


class ReaderLines:
    """The outlines of two readers on one canvas.

    Parameters
    ----------
    model
        The viewer model of the canvas.
    """

    def __init__(self, model: ViewerModel) -> None:
        self._model = model
        self._layers: list[tuple[str, Vectors]] = []
        model.scene.camera.events.zoom.connect(self._on_zoom)

    def show(
        self, outlines: tuple[Outline | None, Outline | None], slice_index: int, step_mm: float
    ) -> None:
        """Draw both over a slice, below the marks; whatever was drawn before goes.

        Parameters
        ----------
        outlines
            Of the first and the second reader.
        slice_index, step_mm
            The slice they are drawn on, and the distance of the slices.
        """
        self.clear()
        active = self._model.layers.selection.active
        for number, outline in enumerate(outlines):
            if outline is not None:
                for part in _WIDTHS_PX:
                    segments = segments_of(outline, part, is_dashed=number == 1)
                    self._add(number, part, as_vectors(segments, slice_index), step_mm)
        if active is not None:
            self._model.layers.selection.active = active
        self._on_zoom()

    def show_or_hide(self, shown: bool) -> None:
        """Show or hide all lines."""
        for _, layer in self._layers:
            layer.visible = shown

    def clear(self) -> None:
        """Take all lines away."""
        for _, layer in self._layers:
            if layer in self._model.layers:
                self._model.layers.remove(layer)
        self._layers = []

    def close(self) -> None:
        """Clear, and watch the zoom no longer."""
        self.clear()
        self._model.scene.camera.events.zoom.disconnect(self._on_zoom)

    def _add(self, number: int, part: str, vectors: Any, step_mm: float) -> None:
        layer = Vectors(
            vectors,
            ndim=3,
            name=f"reader {number + 1} {part}",
            scale=(step_mm, 1.0, 1.0),
            units=_UNITS,
            vector_style="line",
            edge_color=READER_COLOURS[number],
            opacity=1.0,
        )
        self._model.layers.insert(1 + len(self._layers), layer)
        self._layers.append((part, layer))

    def _on_zoom(self) -> None:
        zoom = self._model.scene.camera.zoom or 1.0
        for part, layer in self._layers:
            layer.edge_width = _WIDTHS_PX[part] / zoom


def segments_of(outline: Outline, part: str, *, is_dashed: bool) -> Segments:
    """(N, 2, 2) plane mm of the circle or the arcs of an outline.

    Parameters
    ----------
    outline
        What a reader drew.
    part
        ``"circle"``, with a cross at its centre, or ``"arcs"``.
    is_dashed
        Whether every second pair of segments is left out.

    Examples
    --------
    >>> line = tuple((float(number), 0.0) for number in range(9))
    >>> outline = Outline(centre=(0.0, 0.0), circle=line, arcs=())
    >>> len(segments_of(outline, "circle", is_dashed=False))
    10
    >>> len(segments_of(outline, "circle", is_dashed=True))
    6
    """
    lines = (outline.circle,) if part == "circle" else outline.arcs
    found = [_steps(np.array(line), is_dashed=is_dashed) for line in lines]
    if part == "circle":
        found.append(_cross(outline))
    return np.concatenate((*found, np.zeros((0, 2, 2))))


def _steps(points_mm: np.ndarray, *, is_dashed: bool) -> Segments:
    segments = np.stack((points_mm[:-1], points_mm[1:]), axis=1)
    return segments[np.arange(len(segments)) % 4 < 2] if is_dashed else segments


def _cross(outline: Outline) -> Segments:
    u, v = outline.centre
    arm = 0.05 * float(np.hypot(*(np.array(outline.circle[0]) - outline.centre)))
    return np.array(
        (((u - arm, v - arm), (u + arm, v + arm)), ((u - arm, v + arm), (u + arm, v - arm)))
    )
