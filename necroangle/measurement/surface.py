"""How much of the head's surface is dead, from three or more marked slices.

A ring of a sphere between two parallel planes has the area ``2 pi R ds`` wherever it lies
(Archimedes), so the necrotic share of the sphere is ``1 / (4 pi R)`` times the integral of a(s) ds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from necroangle.errors import GeometryError
from necroangle.measurement.boundary import Band, SliceArcs, bands_between, bands_past, in_order

__all__ = ["SurfaceShare", "surface_share"]

MIN_SLICES = 3

POLE_MM = 1.0
"""A slice that cuts less than this off the head shows no contour: it need not be marked."""

_STEPS = 128


@dataclass(frozen=True, slots=True)
class SurfaceShare:
    """How much of the head's surface is necrotic.

    Attributes
    ----------
    share
        Necrotic part of the whole sphere, 0 to 1; a lower bound where not ``covered``.
    solid_angle_sr
        The same as a solid angle, ``4 pi share``, sr.
    covered
        Whether on both sides a slice without necrosis, or the head's end, closes the lesion.
    slice_count
        Number of slices that were marked and cut the head.
    """

    share: float
    solid_angle_sr: float
    covered: bool
    slice_count: int


def surface_share(slices: Sequence[SliceArcs], radius_mm: float) -> SurfaceShare:
    """Necrotic share of the head's surface from three or more marked slices.

    ``share = 1 / (4 pi R) * integral of a(s) ds``, a in radians. Between the slices each stretch
    is followed as :func:`bands_between` says. Beyond the outermost slice nothing is added, unless
    the next one would miss the head, or cut less than 1 mm off it: then the stretches are drawn
    on to the head's end, unless one is new on the outermost slice.

    Parameters
    ----------
    slices
        The marked slices, in any order; those without necrosis count, too: they close the lesion.
    radius_mm
        The head's radius R, mm.

    Raises
    ------
    GeometryError
        For fewer than 3 slices, two slices in one place, or an arc on a slice that misses the
        head.

    Examples
    --------
    >>> cap = [SliceArcs(s, ((270.0, 120.0),) if abs(s) < 20 else ()) for s in (-22, 0, 22)]
    >>> surface_share(cap, 24.0).covered
    True
    >>> surface_share(cap[:2], 24.0)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: the necrotic share of the surface needs 3 marked slices, ...
    """
    ordered = in_order(slices, radius_mm)
    if len(ordered) < MIN_SLICES:
        raise GeometryError(
            f"the necrotic share of the surface needs {MIN_SLICES} marked slices, "
            f"found {len(ordered)} that cut the head; mark more slices"
        )
    parts = [
        _integral(band, near.offset_mm, far.offset_mm, radius_mm)
        for index, (near, far) in enumerate(pairwise(ordered))
        for band in bands_between(ordered, index, radius_mm)
    ]
    mirrored = [SliceArcs(-one.offset_mm, one.arcs) for one in reversed(ordered)]
    ends = [_beyond_last(way, radius_mm) for way in (ordered, mirrored)]
    parts += [part for part in ends if part is not None]
    share = min(max(math.fsum(parts) / (720.0 * radius_mm), 0.0), 1.0)
    return SurfaceShare(share, 4 * math.pi * share, None not in ends, len(ordered))


def _beyond_last(ordered: Sequence[SliceArcs], radius_mm: float) -> float | None:
    """Integral of the angle beyond the last slice, deg mm; None where nothing closes the lesion."""
    before, last = ordered[-2:]
    if not last.arcs:
        return 0.0
    if radius_mm - last.offset_mm > last.offset_mm - before.offset_mm + POLE_MM:
        return None
    lines = bands_past(ordered, radius_mm)
    if lines is None:
        return None
    return math.fsum(_integral(line, last.offset_mm, radius_mm, radius_mm) for line in lines)


def _integral(band: Band, start_mm: float, end_mm: float, radius_mm: float) -> float:
    """Integral of a band's signed angle from one offset to another, deg mm."""
    step = (end_mm - start_mm) / _STEPS
    middles = start_mm + step * (np.arange(_STEPS, dtype=np.float64) + 0.5)
    return band.sign * step * float(np.sum(band.angles_deg(middles, radius_mm)))
