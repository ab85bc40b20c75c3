"""Both views together: pooled noise, and the variance of shared or separate centres."""

from collections.abc import Sequence

import numpy as np

from necroangle.geometry import SphereFit
from necroangle.geometry.triple import dot3, quadratic2, quadratic3
from necroangle.measurement.modes import ModeAngle
from necroangle.measurement.settings import Settings
from necroangle.measurement.uncertainty import RimNoise, VarianceFactors, pooled_noise
from necroangle.measurement.view import MarkedView

__all__ = ["combined_factors", "rim_noise"]


def rim_noise(
    marked: Sequence[MarkedView | None], sphere: SphereFit | None, settings: Settings
) -> RimNoise:
    """Click noise of the rim: of both views' circles, or of the joint sphere where it is used."""
    if sphere is not None:
        return pooled_noise([(sphere.rss_mm2, sphere.count - 4)], settings)
    fits = [one.head.fit for one in marked if one is not None and one.head is not None]
    return pooled_noise([(fit.rss_mm2, fit.count - 3) for fit in fits], settings)


def combined_factors(found: Sequence[ModeAngle], sphere: SphereFit | None) -> VarianceFactors:
    """Variance factors of the sum of angles.

    About one joint centre the views' gradients add before they are squared; about separate centres
    their variances add.
    """
    ends = float(sum(one.end_factor for one in found))
    shared = [one.gradient_mm for one in found if one.own_fit is None]
    rim = 0.0
    if sphere is not None and shared:
        pull = sum(shared, np.zeros(3)).tolist()
        (xx, xy, xz, _), (_, yy, yz, _), (_, _, zz, _), _ = sphere.unit_covariance
        rim += quadratic3((xx, xy, xz, yy, yz, zz), pull)
    for one in found:
        if one.own_fit is not None:
            plane, gradient = one.own_fit.plane, one.gradient_mm.tolist()
            pull = dot3(plane.row_cosine, gradient), dot3(plane.column_cosine, gradient)
            (uu, uv, _), (_, vv, _), _ = one.own_fit.fit.unit_covariance
            rim += quadratic2((uu, uv, vv), pull)
    return VarianceFactors(rim, ends)
