"""Pictures of a study's slices: partial volume, bias field, Rician noise, whole grey values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from necroangle.geometry import ImagePlane, PixelPoints
from necroangle.phantom.anatomy import t1_signal
from necroangle.phantom.shapes import Field
from necroangle.phantom.stack import SeriesGeometry
from necroangle.phantom.study import PhantomStudy

__all__ = ["FAT_GREY", "MOST_GREY", "NoiseKey", "render_slice"]

FAT_GREY = 260.0
"""Grey value of a signal of 1 before the bias field."""
MOST_GREY = 1023
"""The largest grey value: 10 bits are stored."""

_IN_PLANE = (-0.25, 0.25)
_ACROSS = (-1 / 3, 0.0, 1 / 3)


@dataclass(frozen=True, slots=True)
class NoiseKey:
    """What seeds a slice's noise: the study's seed, the series' number, the slice's index."""

    seed: int
    series: int
    index: int


def render_slice(
    study: PhantomStudy, series: SeriesGeometry, plane: ImagePlane, key: NoiseKey
) -> NDArray[np.uint16]:
    """Draw one slice.

    Each pixel is the mean signal of 2 x 2 places in the plane at 3 depths of the slice.

    Parameters
    ----------
    study
        The hips and the noise.
    series
        Size and thickness of the slice.
    plane
        Where it lies.
    key
        Seed of its noise.

    Returns
    -------
    NDArray[np.uint16]
        (rows, columns) grey values, 0 to ``MOST_GREY``.
    """
    pixels = np.indices((series.rows, series.columns)).reshape(2, -1).T.astype(float)
    signal = np.zeros(len(pixels), np.float32)
    for row_step in _IN_PLANE:
        for column_step in _IN_PLANE:
            places = plane.pixel_to_patient(PixelPoints(pixels + np.array((row_step, column_step))))
            for part in _ACROSS:
                shifted = places + plane.normal * part * series.thickness_mm
                signal += t1_signal(shifted.astype(np.float32), study)
    signal /= len(_IN_PLANE) ** 2 * len(_ACROSS)
    grey = FAT_GREY * signal * _bias(pixels, series)
    return _with_noise(grey, study.snr, key).reshape(series.rows, series.columns)


def _bias(pixels: NDArray[np.float64], series: SeriesGeometry) -> Field:
    """A smooth sensitivity of the coil, about 0.86 to 1.14 over the picture."""
    row, column = (pixels / (series.rows, series.columns)).T - 0.5
    field = 1 + 0.10 * np.cos(2.2 * row + 0.4) * np.cos(3.0 * column) - 0.08 * row + 0.10 * column
    return np.asarray(field, np.float32)


def _with_noise(grey: Field, snr: float, key: NoiseKey) -> NDArray[np.uint16]:
    """Rician noise: the length of a complex signal with equal Gaussian noise in both parts."""
    generator = np.random.default_rng((key.seed, key.series, key.index))
    real, imaginary = generator.normal(0.0, FAT_GREY / snr, (2, len(grey)))
    noisy = np.rint(np.hypot(grey + real, imaginary))
    return np.asarray(np.clip(noisy, 0, MOST_GREY), np.uint16)
