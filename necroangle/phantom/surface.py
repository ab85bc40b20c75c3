"""The surface of a head that is no sphere: its distance from the centre in every direction.

A lesion's edge stays a cone about its axis through the head's centre, so that its angle there is
known whatever the form.
"""

import math

import numpy as np
from numpy.typing import NDArray

from necroangle.phantom.looks import HeadForm
from necroangle.phantom.model import PhantomHip, lateral_sign

Array = NDArray[np.floating]

FOVEA = np.array((-0.88, 0.26, 0.40)) / np.linalg.norm((-0.88, 0.26, 0.40))
"""Middle of the fovea in hip coordinates (lateral, posterior, superior)."""

_FOVEA_HALF_DEG = 11.0


def directions_from(offsets_mm: Array, hip: PhantomHip) -> Array:
    """(..., 3) unit vectors in hip coordinates of offsets from the head's centre, patient mm."""
    mirror = np.array((lateral_sign(hip.laterality), 1.0, 1.0), offsets_mm.dtype)
    arm = np.sqrt(np.einsum("...i,...i->...", offsets_mm, offsets_mm))
    return np.asarray(offsets_mm * mirror / np.maximum(arm, 1e-6)[..., None])


def surface_mm(directions: Array, hip: PhantomHip) -> Array:
    """(...) distance of the head's surface from its centre, mm.

    Parameters
    ----------
    directions
        (..., 3) unit vectors in hip coordinates: lateral, posterior, superior.
    hip
        The hip.

    Examples
    --------
    >>> import numpy as np
    >>> from necroangle.terms import Laterality
    >>> hip = PhantomHip(Laterality.LEFT, (86, 0, 0), 24.0, form=HeadForm(oval=0.05))
    >>> surface_mm(np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), hip).round(2).tolist()
    [24.6, 23.4]
    """
    form = hip.form or HeadForm()
    x, y, z = np.moveaxis(directions, -1, 0)
    radius = hip.radius_mm * (1 + form.oval / 2 * (2 * z * z - 1))
    uneven = np.sin(3.1 * x + 1.3 * z + 0.4) * np.cos(3.4 * y - 1.1 * z + 0.3)
    away = np.degrees(np.arccos(np.clip(directions @ FOVEA.astype(directions.dtype), -1, 1)))
    pit = form.fovea_mm * np.exp(-((away / _FOVEA_HALF_DEG) ** 2))
    return np.asarray(radius + form.aspheric_mm * uneven - pit - sunken_mm(directions, hip))


def sunken_mm(directions: Array, hip: PhantomHip) -> Array:
    """(...) by how much the dome has sunk, mm: most in a lesion's middle, nothing at its edge."""
    depth = hip.form.sunken_mm if hip.form else 0.0
    found = np.zeros(directions.shape[:-1], directions.dtype)
    for lesion in hip.lesions if depth else ():
        x, y, z = lesion.axis
        axis = np.array((x * lateral_sign(hip.laterality), y, z), directions.dtype)
        angle = np.arccos(np.clip(directions @ axis, -1, 1))
        share = np.minimum(angle / math.radians(lesion.half_angle_deg), 1.0)
        found = np.maximum(found, depth * np.cos(np.pi / 2 * share) ** 2)
    return np.asarray(found)
