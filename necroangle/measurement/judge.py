"""The head sphere as the judge of both views: whether they show one and the same head."""

import math
from dataclasses import dataclass

import numpy as np

from necroangle.geometry import (
    CircleFit,
    ImagePlane,
    PatientPoints,
    SphereFit,
    fit_sphere,
)
from necroangle.geometry.triple import cross3, dot3, quadratic2
from necroangle.measurement.projection import in_patient, plane_columns

__all__ = ["HeadJudge", "MarkedCircle", "judge_head"]


@dataclass(frozen=True, slots=True, eq=False)
class MarkedCircle:
    """The head circle of a slice and the rim points that it was fitted to.

    Attributes
    ----------
    plane
        The slice.
    rim_mm
        (N, 3) patient points that the fit used.
    fit
        The circle, plane mm.
    """

    plane: ImagePlane
    rim_mm: PatientPoints
    fit: CircleFit

    @property
    def centre_mm(self) -> PatientPoints:
        """(3,) centre of the circle in patient mm."""
        centre = np.array(self.fit.circle.centre_mm)
        return PatientPoints(np.array(in_patient(centre, plane_columns(self.plane))))

    @property
    def normal(self) -> tuple[float, float, float]:
        """Unit normal of the slice."""
        return cross3(self.plane.row_cosine, self.plane.column_cosine)


@dataclass(frozen=True, slots=True)
class HeadJudge:
    """What the two views say of each other.

    Attributes
    ----------
    sphere
        The joint sphere, patient LPS mm.
    centre_gap_mm
        How far the two circles' centres differ along the line that both slices share (mostly up
        and down): 0 when both show one head that has not moved.
    radius_gap_mm
        Difference of the head's radius, B view less A view, each circle brought to the centre.
    p_value
        Chance of the two circles to differ this much from one sphere by click noise alone (F test
        of 4 against 6 parameters); None where the marks have no freedom left.
    a_offset_mm, b_offset_mm
        Signed distance of each slice from the centre that the other view found: coronal positive
        behind it, sagittal positive to the patient's left.
    a_offset_unit, b_offset_unit
        Standard error of each offset for a click noise of 1 mm.
    """

    sphere: SphereFit
    centre_gap_mm: float
    radius_gap_mm: float
    p_value: float | None
    a_offset_mm: float
    b_offset_mm: float
    a_offset_unit: float
    b_offset_unit: float


def judge_head(a: MarkedCircle, b: MarkedCircle) -> HeadJudge:
    """Hold two views of one head against each other.

    Parameters
    ----------
    a, b
        The A view's and the B view's circles, in one frame of reference.

    Raises
    ------
    RimError
        If both slices lie in one plane.

    References
    ----------
    F test of nested least squares: ``((RSS_sphere - RSS_two) / 2) / (RSS_two / (n - 6))``.

    Examples
    --------
    >>> from necroangle.measurement.measure import measure
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> judge = measure(readings_of(sample_studies()["plain"])[0]).judge
    >>> round(judge.sphere.sphere.radius_mm, 3), abs(round(judge.centre_gap_mm, 6))
    (24.0, 0.0)
    >>> round(judge.a_offset_mm, 2), round(judge.b_offset_mm, 2)  # of the two marked slices
    (0.3, 0.6)
    """
    sphere = fit_sphere(PatientPoints(np.vstack((a.rim_mm, b.rim_mm))))
    a_offset, a_unit = _offset(a, b)
    b_offset, b_unit = _offset(b, a)
    shared = cross3(a.normal, b.normal)
    length = math.sqrt(dot3(shared, shared))
    between = (b.centre_mm - a.centre_mm).tolist()
    gap = dot3(between, shared) / length if length else 0.0
    radii = (
        math.hypot(a.fit.circle.radius_mm, a_offset),
        math.hypot(b.fit.circle.radius_mm, b_offset),
    )
    return HeadJudge(
        sphere=sphere,
        centre_gap_mm=gap,
        radius_gap_mm=radii[1] - radii[0],
        p_value=_p_value(sphere, a.fit, b.fit),
        a_offset_mm=a_offset,
        b_offset_mm=b_offset,
        a_offset_unit=a_unit,
        b_offset_unit=b_unit,
    )


def _offset(slice_: MarkedCircle, other: MarkedCircle) -> tuple[float, float]:
    """Signed distance of a slice from the other view's centre, and its error for 1 mm of noise."""
    normal = slice_.normal
    facing = 1.0 if max(normal, key=abs) > 0 else -1.0
    distance = dot3((other.centre_mm - slice_.plane.origin_mm).tolist(), normal)
    across = dot3(other.plane.row_cosine, normal), dot3(other.plane.column_cosine, normal)
    (uu, uv, _), (_, vv, _), _ = other.fit.unit_covariance
    return 0.0 - facing * distance, math.sqrt(quadratic2((uu, uv, vv), across))


def _p_value(sphere: SphereFit, a: CircleFit, b: CircleFit) -> float | None:
    from scipy.special import fdtrc

    freedom = a.count + b.count - 6
    apart = a.rss_mm2 + b.rss_mm2
    if freedom < 1 or apart < 1e-12 * (a.count + b.count):
        return None
    ratio = max(0.0, (sphere.rss_mm2 - apart) / 2) / (apart / freedom)
    return float(fdtrc(2, freedom, ratio))
