"""The part of a slice that a picture shows: square millimetres, the head in the middle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PlanePoints
from necroangle.imaging import Slice
from necroangle.report.picture import Image, load_cv2

__all__ = ["ViewFrame"]


@dataclass(frozen=True, slots=True)
class ViewFrame:
    """A square window on an image plane.

    Attributes
    ----------
    centre_mm
        (u, v) plane mm shown in the middle.
    field_mm
        Side of the window.
    size_px
        Side of the picture.
    """

    centre_mm: tuple[float, float]
    field_mm: float
    size_px: int

    @property
    def px_per_mm(self) -> float:
        """Picture pixels per mm, the same in both directions whatever the pixel spacing."""
        return self.size_px / self.field_mm

    def to_picture(self, points: PlanePoints) -> NDArray[np.float64]:
        """(N, 2) plane mm to (N, 2) picture pixels (x, y)."""
        offsets = np.asarray(points, float).reshape(-1, 2) - self.centre_mm
        return np.asarray(offsets * self.px_per_mm + (self.size_px - 1) / 2)

    def render(self, image: Slice) -> Image:
        """The slice as a grey picture, windowed, resampled to square mm (cubic)."""
        cv2 = load_cv2()
        grey = _windowed(image)
        half = (self.size_px - 1) / 2
        plane = image.plane
        steps = np.array((plane.column_spacing_mm, plane.row_spacing_mm))
        first = (np.array(self.centre_mm) - half / self.px_per_mm) / steps
        scale = 1 / (self.px_per_mm * steps)
        matrix = np.array([[scale[0], 0, first[0]], [0, scale[1], first[1]]])
        shown = cv2.warpAffine(
            grey,
            matrix,
            (self.size_px, self.size_px),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        )
        coloured: Image = cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR)
        return coloured

    @classmethod
    def whole(cls, plane: ImagePlane, shape: tuple[int, int], size_px: int) -> "ViewFrame":
        """The window that shows a whole image of (rows, columns)."""
        height = shape[0] * plane.row_spacing_mm
        width = shape[1] * plane.column_spacing_mm
        middle = (
            (shape[1] - 1) / 2 * plane.column_spacing_mm,
            (shape[0] - 1) / 2 * plane.row_spacing_mm,
        )
        return cls(middle, max(height, width), size_px)


def _windowed(image: Slice) -> NDArray[np.uint8]:
    pixels = np.asarray(image.pixels, np.float32)
    low, high = image.window or tuple(np.percentile(pixels, (1.0, 99.7)))
    span = max(float(high) - float(low), 1e-6)
    return np.asarray(np.clip((pixels - low) / span, 0, 1) * 255, np.uint8)
