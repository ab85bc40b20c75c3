"""What part of the picture is shown: all of it, the head, or one arc end magnified."""

import numpy as np
from napari.components import ViewerModel
from numpy.typing import NDArray

from napari_necroangle.reading.case import Picture
from necroangle.geometry import Circle, PatientPoints

__all__ = ["Lens"]

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
    """The camera of one canvas.

    Parameters
    ----------
    model
        The viewer model.
    """

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
        self._model.reset_view(margin=_MARGIN)
        self._before = None
        rows, columns = self._size(picture)
        if point is not None and not picture.view.is_radiograph:
            u, v = picture.volume.planes[index].patient_to_plane(point)[0].tolist()
            if 0 < u < columns and 0 < v < rows and max(rows, columns) > _HEAD_FIELD_MM:
                self._show((u, v), self.zoom * max(rows, columns) / _HEAD_FIELD_MM)
        self._fitted = self._frame

    def look_at_circle(self, picture: Picture, circle: Circle) -> None:
        """Let the head fill the canvas."""
        self._model.reset_view(margin=_MARGIN)
        self._before = None
        size = max(self._size(picture))
        self._show(circle.centre_mm, self.zoom * size / (_CIRCLE_FIELD * circle.radius_mm))

    def show_all(self) -> None:
        """Show the whole picture."""
        self._model.reset_view(margin=_MARGIN)
        self._before = None
        self._fitted = self._frame

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
