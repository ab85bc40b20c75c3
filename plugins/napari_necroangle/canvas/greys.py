"""How the grey values of a picture are shown, and what is said of it and of a point in it."""

from functools import cached_property

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray

from napari_necroangle.canvas.overlay import Tile
from napari_necroangle.reading.case import Picture
from napari_necroangle.reading.drawing import Segments
from napari_necroangle.reading.texts import VIEWS

__all__ = ["AS_STORED", "Greys", "Window", "corner_words", "cross", "point_words", "tile_of"]

Window = tuple[float, float]
"""The grey values that are shown black and white."""

AS_STORED = "as stored"
_COLOURS = ("gray", "gray_r")
_ARMS_MM = ((2.0, 9.0), (6.0, 9.0))
"""Where the arms of the cross begin and end: on the slice of the point, and off it."""
_AXES = ("LR", "PA", "SI")
"""The letters of growing and falling patient LPS mm."""


class Greys:
    """The grey values of one picture, on the layer that shows it.

    Parameters
    ----------
    layer
        The layer.
    picture
        The picture; its window as stored is shown at first.
    """

    def __init__(self, layer: Image, picture: Picture) -> None:
        self._layer, self._picture = layer, picture
        low, high = self.stored
        pixels, width = picture.volume.pixels, high - low
        layer.contrast_limits_range = (
            min(float(pixels.min()), low - width),
            max(float(pixels.max()), high + width),
        )
        self.reset()

    @cached_property
    def stored(self) -> Window:
        """The file's own window, else the middle 99 percent."""
        return self._picture.window()

    @cached_property
    def presets(self) -> dict[str, Window]:
        """The windows that have a name."""
        return dict(self._picture.windows())

    @property
    def window(self) -> Window:
        """What is shown black and white; kept within what can be."""
        low, high = self._layer.contrast_limits
        return float(low), float(high)

    @window.setter
    def window(self, limits: Window) -> None:
        least, most = self._layer.contrast_limits_range
        narrowest = (most - least) * 1e-3
        low = min(max(limits[0], least), most - narrowest)
        self._layer.contrast_limits = (low, min(max(limits[1], low + narrowest), most))

    @property
    def figures(self) -> tuple[float, float]:
        """(width, level) of the window."""
        low, high = self.window
        return high - low, (low + high) / 2

    @figures.setter
    def figures(self, width_level: tuple[float, float]) -> None:
        width, level = width_level
        self.window = (level - width / 2, level + width / 2)

    @property
    def share(self) -> Window:
        """The window in parts of the stored one: grey values of MR have no unit of their own."""
        low, high = self.stored
        first, last = ((limit - low) / (high - low) for limit in self.window)
        return first, last

    @share.setter
    def share(self, parts: Window) -> None:
        low, high = self.stored
        first, last = (low + part * (high - low) for part in parts)
        self.window = (first, last)

    @property
    def preset(self) -> str:
        """The name of the window that is shown; empty where it has none."""
        shown = (name for name, limits in self.presets.items() if np.allclose(limits, self.window))
        return next(shown, "")

    @preset.setter
    def preset(self, name: str) -> None:
        self.window = self.presets.get(name, self.window)

    def next(self) -> str:
        """Show the next preset, and say its name."""
        names = list(self.presets)
        at = names.index(self.preset) if self.preset else -1
        self.preset = names[(at + 1) % len(names)]
        return self.preset

    @property
    def is_inverted(self) -> bool:
        """Whether low values are bright."""
        return bool(self._layer.colormap.name == _COLOURS[1])

    @is_inverted.setter
    def is_inverted(self, inverted: bool) -> None:
        self._layer.colormap = _COLOURS[inverted]

    def reset(self) -> None:
        """Show the picture as it is stored."""
        self.window, self.is_inverted = self.stored, False

    def words(self) -> str:
        """The figures of the window in one line."""
        width, level = self.figures
        inverted = ", inverted" if self.is_inverted else ""
        return f"W {width:.5g}  L {level:.5g}{inverted}"


def tile_of(
    picture: Picture,
    index: int,
    greys: Greys,
    within_mm: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Tile:
    """A slice as it is shown, to be painted without napari.

    Parameters
    ----------
    picture, index
        The slice.
    greys
        How it is shown.
    within_mm
        (u, v) plane mm of two corners, of which the pixels between are wanted; None for all.
    """
    size = np.array((picture.volume.columns, picture.volume.rows))
    spacing = np.array(picture.volume.scale_mm[:0:-1])
    low, high = np.zeros(2, int), size
    if within_mm is not None:
        low, high = (
            np.clip(np.rint(corner / spacing).astype(int) + beyond, 0, size)
            for corner, beyond in zip(within_mm, (-1, 2), strict=True)
        )
    part = picture.volume.pixels[index, low[1] : high[1], low[0] : high[0]]
    black, white = greys.window
    shown = np.clip((part.astype(np.float64) - black) / (white - black), 0.0, 1.0)
    bright = 255.0 * (1.0 - shown if greys.is_inverted else shown)
    corners = (np.array((low, high)) - 0.5) * spacing
    return Tile(np.rint(bright).astype(np.uint8), corners)


def corner_words(picture: Picture, greys: Greys, zoom: float) -> str:
    """What stands in the corner of a picture: what it is, spacing, window, zoom.

    Parameters
    ----------
    picture, greys
        The picture, and how it is shown.
    zoom
        Logical pixels a millimetre.
    """
    step, down, across = picture.volume.scale_mm
    sizes = (down, across, step) if len(picture) > 1 else (down, across)
    spacing = " × ".join(f"{size:.3g}" for size in sizes) + " mm"
    enlarged = f"zoom {100 * zoom * across:.0f} %"
    if not picture.calibrated:
        spacing = "scale not known"
    return "\n".join(filter(None, (picture.sequence, spacing, greys.words(), enlarged)))


def point_words(picture: Picture, index: int, uv_mm: tuple[float, float]) -> str:
    """Grey value and place of a point in one line; empty outside the picture."""
    grey = picture.grey(index, uv_mm)
    if grey is None:
        return ""
    words = f"{VIEWS[picture.view]}: grey {grey:.5g}"
    if picture.view.is_radiograph:
        return words
    place = picture.patient_mm(index, uv_mm)[0].tolist()
    letters = (
        f"{pair[value < 0]} {abs(value):.1f}" for pair, value in zip(_AXES, place, strict=True)
    )
    return f"{words}, patient {'  '.join(letters)} mm"


def cross(uv_mm: tuple[float, float], *, is_near: bool) -> Segments:
    """A cross at a point, plane mm, open in the middle; with short arms where it lies elsewhere."""
    arms = np.array([(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)])
    begin, end = _ARMS_MM[0 if is_near else 1]
    return np.stack((begin * arms, end * arms), axis=1) + uv_mm
