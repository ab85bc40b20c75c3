"""What of a picture is shown, and how: part, zoom, grey values; and what is said of it."""

from functools import cached_property

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from numpy.typing import NDArray

from napari_necroangle.canvas.overlay import Tile
from napari_necroangle.reading.case import Picture
from napari_necroangle.reading.drawing import Segments
from napari_necroangle.reading.texts import VIEWS
from necroangle.geometry import Circle, PatientPoints

Window = tuple[float, float]
"""The grey values that are shown black and white."""

_COLOURS = ("gray", "gray_r")
_ARMS_MM = ((2.0, 9.0), (6.0, 9.0))
"""Where the arms of the cross begin and end: on the slice of the point, and off it."""
_AXES = ("LR", "PA", "SI")
"""The letters of growing and falling patient LPS mm."""
_HEAD_FIELD_MM = 110.0
"""How much of the picture is shown at first, where the head's place is known."""
_CIRCLE_FIELD = 3.0
"""How many radii are shown where the head itself is known."""
_GAIN = 3.0
"""How much larger an arc end is shown."""
_MARGIN = 0.02
ZOOMS = (0.2, 100.0)
"""Pixels a millimetre, at the least and the most."""

Frame = tuple[tuple[float, ...], float]
Points = NDArray[np.float64]


class Lens:
    """The camera of one canvas."""

    def __init__(self, model: ViewerModel) -> None:
        self._model = model
        self._fitted: Frame | None = None
        self._before: Frame | None = None

    @property
    def zoom(self) -> float:
        """Logical pixels a millimetre."""
        return max(float(self._model.scene.camera.zoom), 1e-6)

    @property
    def centre_mm(self) -> tuple[float, float]:
        """(u, v) plane mm in the middle of the canvas."""
        *_, v, u = self._model.scene.camera.center
        return float(u), float(v)

    @property
    def is_magnifying(self) -> bool:
        """Whether an arc end is magnified."""
        return self._before is not None

    @property
    def is_untouched(self) -> bool:
        """Whether the picture stands as it was fitted: the reader has not moved or zoomed it."""
        return self._fitted == self._frame

    def to_px(self, uv_mm: Points, size_px: tuple[int, int]) -> Points:
        """Where (N, 2) plane mm stand on a canvas of this size, logical pixels (x, y)."""
        return np.array(size_px) / 2 + (uv_mm - self.centre_mm) * self.zoom

    def to_mm(self, places_px: Points, size_px: tuple[int, int]) -> Points:
        """(N, 2) plane mm (u, v) under logical pixels (x, y) of a canvas of this size."""
        return np.array(self.centre_mm) + (places_px - np.array(size_px) / 2) / self.zoom

    def centre_on(self, uv_mm: tuple[float, float]) -> None:
        """Bring a point, plane mm, into the middle."""
        self._show(uv_mm, self.zoom)

    def zoom_at(self, uv_mm: tuple[float, float], factor: float) -> None:
        """Show all larger by a factor; a point, plane mm, stays where it stands."""
        zoom = float(np.clip(self.zoom * factor, *ZOOMS))
        u, v = np.array(uv_mm) + (np.array(self.centre_mm) - uv_mm) * self.zoom / zoom
        self._show((float(u), float(v)), zoom)

    def look_at(self, picture: Picture, index: int, point: PatientPoints | None) -> None:
        """Bring the head into the middle where its place is known, else show all."""
        self._fit()
        rows, columns = self._size(picture)
        if point is not None and not picture.view.is_radiograph:
            u, v = picture.volume.planes[index].patient_to_plane(point)[0].tolist()
            if 0 < u < columns and 0 < v < rows and max(rows, columns) > _HEAD_FIELD_MM:
                self._show((u, v), self.zoom * max(rows, columns) / _HEAD_FIELD_MM)
        self._fitted = self._frame

    def look_at_circle(self, picture: Picture, circle: Circle) -> None:
        """Let the head fill the canvas."""
        self._fit()
        size = max(self._size(picture))
        self._show(circle.centre_mm, self.zoom * size / (_CIRCLE_FIELD * circle.radius_mm))

    def show_all(self) -> None:
        """Show the whole picture."""
        self._fit()
        self._fitted = self._frame

    def _fit(self) -> None:
        self._model.reset_view(margin=_MARGIN)
        self._before = None

    def magnify(self, uv_mm: tuple[float, float], *, centred: bool) -> None:
        """Magnify a point, in the middle or where it stands on the canvas."""
        before = self._before or self._frame
        middle_v, middle_u = before[0][-2:]
        u, v = uv_mm
        if not centred:
            u += (middle_u - u) / _GAIN
            v += (middle_v - v) / _GAIN
        self._show((u, v), before[1] * _GAIN)
        self._before = before

    def back(self) -> None:
        """Show again what was shown before a point was magnified."""
        if self._before is not None:
            self._put(self._before)
            self._before = None

    @property
    def _frame(self) -> Frame:
        camera = self._model.scene.camera
        return tuple(camera.center), float(camera.zoom)

    def _put(self, frame: Frame) -> None:
        camera = self._model.scene.camera
        camera.center, camera.zoom = frame

    def _show(self, uv_mm: tuple[float, float], zoom: float) -> None:
        self._put(((0.0, uv_mm[1], uv_mm[0]), zoom))

    def _size(self, picture: Picture) -> tuple[float, float]:
        _, rows, columns = picture.volume.pixels.shape
        _, down, across = picture.volume.scale_mm
        return rows * down, columns * across


class Greys:
    """The grey values of one picture, on the layer that shows it."""

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
        return self._picture.volume.shown_window()

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

    def on(self, stored: Window) -> Window:
        """The same window on another picture: in parts of the stored ones.

        Grey values of MR have no unit of their own.
        """
        low, high = self.stored
        first, last = ((limit - low) / (high - low) for limit in self.window)
        return stored[0] + first * (stored[1] - stored[0]), stored[0] + last * (
            stored[1] - stored[0]
        )

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
        return window_words(self.window, inverted=self.is_inverted)


def window_words(window: Window, *, inverted: bool = False) -> str:
    """Width and level of a window in one line.

    Examples
    --------
    >>> window_words((0.0, 800.0), inverted=True)
    'W 800  L 400, inverted'
    """
    low, high = window
    return f"W {high - low:.5g}  L {(low + high) / 2:.5g}{', inverted' if inverted else ''}"


def tile_of(
    picture: Picture,
    index: int,
    window: Window,
    *,
    inverted: bool = False,
    within_mm: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> Tile:
    """A slice as it is shown, to be painted without napari.

    ``within_mm``: (u, v) plane mm of two corners, of which the pixels between are wanted; None
    for all.
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
    black, white = window
    shown = np.clip((part.astype(np.float64) - black) / (white - black), 0.0, 1.0)
    bright = 255.0 * (1.0 - shown if inverted else shown)
    corners = (np.array((low, high)) - 0.5) * spacing
    return Tile(np.rint(bright).astype(np.uint8), corners)


def corner_words(picture: Picture, shown: str, zoom: float) -> str:
    """What stands in the corner of a picture: what it is, spacing, window, zoom.

    ``zoom``: logical pixels a millimetre.
    """
    step, down, across = picture.volume.scale_mm
    sizes = (down, across, step) if len(picture) > 1 else (down, across)
    spacing = " × ".join(f"{size:.3g}" for size in sizes) + " mm"
    enlarged = f"zoom {100 * zoom * across:.0f} %"
    if not picture.calibrated:
        spacing = "scale not known"
    return "\n".join(filter(None, (picture.sequence, spacing, shown, enlarged)))


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
