"""A plane of any place and tilt out of a 3-D acquisition."""

import math

import numpy as np
from numpy.typing import NDArray

from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints
from necroangle.imaging.volume import Slice, Volume

_EDGE_PX = 1e-6
"""A point this little outside the outermost pixel centres lies on them."""

_WHOLE_PX = 1e-10
"""A place this near to a pixel's centre is that centre: acquired pixels come back as they are."""


def reslice(
    volume: Volume, plane: ImagePlane, shape: tuple[int, int], fill: float = math.nan
) -> Slice:
    """Interpolate a volume linearly on a plane.

    A plane's point ``p`` lies at depth ``(p - o) · n``; between the two acquired slices beside it
    both the picture and its place are interpolated, so that uneven steps and slices shifted within
    their plane are followed as they are. There is no smoothing: a plane of far coarser spacing than
    the volume leaves pixels out.

    Parameters
    ----------
    volume
        Slices of one orientation.
    plane
        Where the picture shall lie, patient LPS mm, in the volume's frame of reference.
    shape
        Its (rows, columns).
    fill
        Grey value outside the outermost pixel centres of the volume.

    Returns
    -------
    Slice
        (rows, columns) float64 pixels; ``resampled`` says how they were computed, and
        ``through_plane_mm`` how far the acquired slices lie apart. Nothing is refused for a coarse
        step: that is the caller's to flag.

    Raises
    ------
    PlaneError
        If the volume is not regular: what lies between its slices is not known.

    Examples
    --------
    >>> from necroangle.terms import SourceImage
    >>> planes = tuple(
    ...     ImagePlane.from_dicom((0, 0, z), (1, 0, 0, 0, 1, 0), (1, 1)) for z in (0, 2, 4)
    ... )
    >>> sources = tuple(SourceImage("1.2", "1.2.3", f"1.2.3.{n}") for n in (1, 2, 3))
    >>> pixels = np.broadcast_to(np.array([0.0, 20.0, 40.0])[:, None, None], (3, 8, 8))
    >>> coronal = ImagePlane.from_dicom((2, 3, 4.5), (1, 0, 0, 0, 0, -1), (1.5, 1))
    >>> made = reslice(Volume(pixels, planes, sources, 2.0), coronal, (4, 2))
    >>> made.pixels[:, 0].tolist()  # at z = 4.5, 3, 1.5 and 0 mm
    [nan, 30.0, 15.0, 0.0]
    >>> made.resampled
    'linear interpolation between 3 axial slices 2 mm apart; nan outside'
    """
    if volume.irregular:
        raise PlaneError(f"no picture between slices: {volume.irregular}; read it in its slices")
    rows, columns = np.indices(shape, dtype=np.float64).reshape(2, -1)
    points = plane.pixel_to_patient(PixelPoints(np.column_stack((rows, columns))))
    places = _places(volume, points)
    middle = PixelPoints(np.array([[(shape[0] - 1) / 2, (shape[1] - 1) / 2]]))
    nearest = volume.nearest_index(plane.pixel_to_patient(middle))
    return Slice(
        pixels=_interpolated(volume.pixels, places, fill).reshape(shape),
        plane=plane,
        source=volume.sources[nearest],
        window=volume.window,
        resampled=_words(volume, fill),
        through_plane_mm=volume.step_mm,
    )


def _words(volume: Volume, fill: float) -> str:
    name = volume.planes[0].name().name
    between = f"between {len(volume)} {name} slices {volume.step_mm:.4g} mm apart"
    within = f"within one {name} slice"
    return f"linear interpolation {between if len(volume) > 1 else within}; {fill:g} outside"


def _places(volume: Volume, points: PatientPoints) -> NDArray[np.float64]:
    """(3, N) slice, row and column of patient points, as fractions; slices beyond 0 and the last.

    A point before the first or behind the last slice gets a place outside by its distance in mm.
    """
    first = volume.planes[len(volume) // 2]
    origins = np.array([plane.origin_mm for plane in volume.planes])
    depths = (origins - origins[0]) @ first.normal
    deep = (points - origins[0]) @ first.normal
    numbers = np.arange(len(depths), dtype=np.float64)
    slices = np.interp(deep, depths, numbers)
    starts = np.column_stack([np.interp(slices, numbers, axis) for axis in origins.T])
    offsets = points - starts
    beyond = np.minimum(deep - depths[0], 0.0) + np.maximum(deep - depths[-1], 0.0)
    return np.array(
        (
            slices + beyond,
            offsets @ np.array(first.column_cosine) / first.row_spacing_mm,
            offsets @ np.array(first.row_cosine) / first.column_spacing_mm,
        )
    )


def _interpolated(
    pixels: NDArray[np.generic], places: NDArray[np.float64], fill: float
) -> NDArray[np.float64]:
    """(N,) linear interpolation of (slices, rows, columns) pixels at (3, N) places."""
    from scipy.ndimage import map_coordinates

    last = np.array(pixels.shape, dtype=np.float64)[:, None] - 1.0
    inside = np.all((places >= -_EDGE_PX) & (places <= last + _EDGE_PX), axis=0)
    whole = np.round(places)
    places = np.where(np.abs(places - whole) <= _WHOLE_PX, whole, places)
    values = map_coordinates(
        pixels, np.clip(places, 0.0, last), output=np.float64, order=1, mode="nearest"
    )
    return np.where(inside, values, fill)
