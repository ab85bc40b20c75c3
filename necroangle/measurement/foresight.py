"""What would make an error smaller, while there is still time: of a rim, a slice, a neighbour.

Each figure is that of the error budget and of a pair's error, foreseen for marks that are not made
yet: what is not marked is taken as the budget takes it where it knows nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from necroangle.measurement.measuring import HipMeasurement, ViewMeasurement
from necroangle.measurement.method import DEFAULTS
from necroangle.measurement.rim_shape import Rims, rim_errors
from necroangle.protocol.noise import UNKNOWN_READER, EndNoise, StudyNoise, t_quantile
from necroangle.protocol.pair_error import (
    RADIUS_MM,
    PairRead,
    pair_error,
    slope_per_mm,
    welch_dof,
)
from necroangle.terms import View

USUAL_ANGLE_DEG = 100.0
"""Of a view whose arc is not marked yet."""

STEEP_DEG = 3.0
"""A view whose angle is foretold to change by more than this from its slice to the head's centre
needs a neighbouring slice."""

_LEAST_SPAN_DEG, _MOST_SPAN_DEG = 40.0, 359.0
_LEAST_DOF = 4.0


@dataclass(frozen=True, slots=True)
class SeenRim:
    """A rim that is being marked.

    Attributes
    ----------
    count
        Number of marks.
    span_deg
        How far they reach round.
    rms_mm
        Root mean square of their distances from the circle.
    radius_mm
        Radius of the circle; of a radiograph 24, for millimetres are no true ones there.
    """

    count: int
    span_deg: float
    rms_mm: float = 0.0
    radius_mm: float = RADIUS_MM

    def longer(self, more_deg: float) -> "SeenRim":
        """The same rim carried on, its marks as dense."""
        span = min(self.span_deg + more_deg, _MOST_SPAN_DEG)
        return replace(self, span_deg=span, count=round(self.count * span / self.span_deg))


def foreseen_reach_deg(
    rims: Sequence[SeenRim],
    ends: EndNoise = UNKNOWN_READER,
    angle_deg: float = USUAL_ANGLE_DEG,
) -> float:
    """Half width of the 95 % interval of the sum of some views' angles, their slices on centre.

    Parameters
    ----------
    rims
        One for each view; its middle is taken as that of the arc.
    ends
        How the reader marks arc ends.
    angle_deg
        The angle of each view.

    Examples
    --------
    >>> for span in (130.0, 180.0, 220.0):
    ...     print(round(foreseen_reach_deg([SeenRim(12, span)] * 2)))
    23
    17
    15
    """
    errors = rim_errors(
        _rims(rims),
        np.array([(0.0, -_pull(rim, angle_deg)) for rim in rims]).T,
        np.zeros(len(rims), np.intp),
        np.array([len(rims) == 2]),
        np.array([DEFAULTS.rim_sd_mm] * len(rims)),
    )
    held = float(np.sum(errors.rim + errors.shape) + 2 * errors.shared.sum())
    spread = math.fsum(2 * (ends.sd_mm / rim.radius_mm) ** 2 for rim in rims)
    habit = (ends.bias_mm * math.fsum(2 / rim.radius_mm for rim in rims)) ** 2
    freedom = max(float(errors.freedom.sum()) / 2, _LEAST_DOF)
    parts = [(held, freedom), (spread + habit, ends.dof)]
    total = math.fsum(variance for variance, _ in parts)
    return math.degrees(t_quantile(welch_dof(parts)) * math.sqrt(total))


def _pull(rim: SeenRim, angle_deg: float) -> float:
    """Radians that an angle grows by where the centre moves 1 mm towards the arc's middle."""
    return 2 * math.sin(math.radians(angle_deg) / 2) / rim.radius_mm


def _rims(rims: Sequence[SeenRim]) -> Rims:
    """Rims like these, evenly marked about superior, with noise that is white along the rim."""
    points = []
    for rim in rims:
        half = math.radians(max(rim.span_deg, _LEAST_SPAN_DEG)) / 2
        turn = np.linspace(-half, half, rim.count)
        white = np.where(np.arange(rim.count) // 2 % 2 == 0, 1.0, -1.0)
        away = rim.radius_mm + max(DEFAULTS.rim_sd_mm, rim.rms_mm) * white
        points.append(away * np.array((np.sin(turn), -np.cos(turn))))
    count = np.array([rim.count for rim in rims])
    return Rims(
        points=np.concatenate(points, axis=1),
        start=np.cumsum(count) - count,
        count=count,
        centre_mm=np.zeros((2, len(rims))),
        radius_mm=np.array([rim.radius_mm for rim in rims]),
        superior=np.array([(0.0, -1.0)] * len(rims)).T,
        weight=np.zeros(len(rims)),
    )


def foreseen_change_deg(
    earlier: PairRead,
    offsets_mm: tuple[float | None, float | None],
    noise: StudyNoise | None = None,
) -> float:
    """Smallest real change since an earlier reading, were the hip read like that on some slices.

    Parameters
    ----------
    earlier
        The earlier reading; the later is taken as one by the same reader.
    offsets_mm
        Distance of the later A and B slices from the head's centre; None: not known.
    noise
        The study's measuring error.

    Examples
    --------
    >>> from necroangle.protocol.pair_error import PairView
    >>> view = PairView(100.0, 1, 24.0, 0.0, 0.0, 220.0, 12, 3.0, 0.3)
    >>> read = PairRead("kim", False, True, False, False, 200.0, 4.9, EndNoise(), view, view)
    >>> near, far = (foreseen_change_deg(read, (at, at)) for at in (2.5, -1.0))
    >>> near < 0.8 * far
    True
    """
    views = (
        replace(view, offset_mm=offset)
        for view, offset in zip(earlier.views, offsets_mm, strict=True)
    )
    a, b = views
    return pair_error(earlier, replace(earlier, a=a, b=b), noise).mdc95_deg


@dataclass(frozen=True, slots=True)
class SteepView:
    """A view whose angle changes steeply from slice to slice, as the two views foretell it.

    Attributes
    ----------
    view
        The view.
    slope_deg_mm
        Degrees for each mm along the slices' normal; either way.
    offset_mm
        Distance of its slice from the head's centre.
    """

    view: View
    slope_deg_mm: float
    offset_mm: float


def steep_views(hip: HipMeasurement) -> tuple[SteepView, ...]:
    """The views that need a neighbouring slice, the steepest first.

    For a lesion that is a cap the middle directions of its arcs foretell its tilt out of either
    plane, ``tan t_A = tan m_B cos m_A``: and with it how the angle changes beside the slice. For
    irregular borders the foretold slope is correlated with the true one by 0.5 to 0.8: enough to
    ask for a slice, not to correct an angle.
    """
    if hip.a is None or hip.b is None or hip.a_slice_offset is None or hip.b_slice_offset is None:
        return ()
    pairs = (
        (hip.a, hip.b, hip.a_slice_offset.value),
        (hip.b, hip.a, hip.b_slice_offset.value),
    )
    found = [
        SteepView(own.view, slope, offset)
        for own, other, offset in pairs
        if (slope := _foretold_deg_mm(own, other)) is not None and abs(slope * offset) > STEEP_DEG
    ]
    return tuple(sorted(found, key=lambda one: -abs(one.slope_deg_mm * one.offset_mm)))


def _foretold_deg_mm(own: ViewMeasurement, other: ViewMeasurement) -> float | None:
    middles = own.middle_deg, other.middle_deg
    if middles[0] is None or middles[1] is None or not own.radius_mm:
        return None
    tilt = math.tan(math.radians(middles[1])) * math.cos(math.radians(middles[0]))
    return math.degrees(slope_per_mm(own.angle_deg, own.radius_mm) * abs(tilt))
