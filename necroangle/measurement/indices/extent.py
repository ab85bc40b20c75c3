"""Koo and Kim's index of necrotic extent, and the modified index: one formula, two slice choices.

``index = (A / 180)(B / 180) x 100``. With A and B of the mid-coronal and mid-sagittal slice it is
Koo and Kim's; with those of the slices where the lesion is largest, the modified index.
"""

from necroangle.errors import GeometryError
from necroangle.measurement.grades import KOO_KIM_SIZES, KooKimSize
from necroangle.measurement.indices.marks import refuse_not_finite, stored

__all__ = ["KooKimSize", "koo_kim_index", "koo_kim_size"]


def koo_kim_index(a_deg: float, b_deg: float) -> float:
    """``(A / 180)(B / 180) x 100``, stored to 1e-6; not clipped: above 180 degrees it passes 100.

    Parameters
    ----------
    a_deg, b_deg
        Necrotic angles of the coronal and the sagittal slice, 0 to 360 degrees. The modified
        index takes those of the slices where the lesion is largest in each plane.

    Raises
    ------
    GeometryError
        If an angle is not between 0 and 360 degrees.

    References
    ----------
    Koo and Kim 1995, J Bone Joint Surg Br 77-B:875. Modified: Cherian et al. 2003, J Bone Joint
    Surg Am 85:309, as Saraf 2025 states it, doi 10.7759/cureus.82945.

    Examples
    --------
    >>> koo_kim_index(90, 120)
    33.333333
    >>> koo_kim_index(90, 370)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: a necrotic angle is 0 to 360°, found 370°
    """
    for angle in (a_deg, b_deg):
        refuse_not_finite("a necrotic angle", angle)
        if not 0.0 <= angle <= 360.0:
            raise GeometryError(f"a necrotic angle is 0 to 360°, found {angle:g}°")
    return stored((a_deg / 180.0) * (b_deg / 180.0) * 100.0)


def koo_kim_size(index: float) -> KooKimSize:
    """Size by the stored index. Provisional.

    Printed as small < 33, medium 34 to 66, large 67 to 100, in whole numbers. Here what lies below
    33 is small, what reaches 67 is large, and all between is medium.

    Raises
    ------
    GeometryError
        If the index is negative or not finite.

    References
    ----------
    The bins go with Koo and Kim 1995, J Bone Joint Surg Br 77-B:875, but its text was not seen.

    Examples
    --------
    >>> [str(koo_kim_size(index)) for index in (32.999999, 33, 66.999999, 67)]
    ['small', 'medium', 'medium', 'large']
    >>> koo_kim_size(-1)
    Traceback (most recent call last):
    ...
    necroangle.errors.GeometryError: an index of extent is 0 or more, found -1
    """
    refuse_not_finite("an index of extent", index)
    if index < 0:
        raise GeometryError(f"an index of extent is 0 or more, found {index:g}")
    return KOO_KIM_SIZES.of(stored(index))
