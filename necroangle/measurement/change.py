"""Change between two visits: how much, how sure, and at which boundary."""

import math
from dataclasses import dataclass

from necroangle.errors import MethodError
from necroangle.measurement.measuring import HipMeasurement, ViewMeasurement
from necroangle.measurement.row import RowColumns
from necroangle.measurement.uncertainty import Estimate
from necroangle.protocol.noise import StudyNoise
from necroangle.protocol.pair_error import (
    PAIR_COLUMNS,
    PairError,
    PairRead,
    pair_error,
    welch_dof,
)
from necroangle.protocol.study import CutOffs
from necroangle.terms import Weighting


@dataclass(frozen=True, slots=True)
class ViewChange:
    """Change of one view.

    Attributes
    ----------
    change
        Later less earlier angle, with its standard error by marking alone.
    start_growth_deg, end_growth_deg
        How far the medial (anterior) and the lateral (posterior) boundary moved outward: positive
        where the necrosis grew. None without an arc at both visits, and on radiographs.
    overlap_deg
        Angle that was necrotic at both visits; None likewise.
    weightings
        What weighted the images of the earlier and of the later visit; None where it is not kept.
    """

    change: Estimate
    start_growth_deg: float | None
    end_growth_deg: float | None
    overlap_deg: float | None
    weightings: tuple[Weighting | None, Weighting | None] = (None, None)

    @property
    def weightings_differ(self) -> bool:
        """Whether the visits were read on images of unlike weighting: a border may seem to move."""
        return Weighting.differ(*self.weightings)


@dataclass(frozen=True, slots=True)
class HipChange:
    """Change of a hip between two visits.

    Attributes
    ----------
    cna
        Later less earlier combined angle with the error of this pair of readings; None where one
        is missing.
    error
        What that error is of; None likewise.
    mdc95_deg
        Smallest change of this pair that is beyond measuring error: ``t(0.975, dof) se``; None
        where it is not judged.
    is_real
        Whether the change is beyond it; None where it is not judged, between two readers whom the
        study has not compared. Of a change on the marked slices read ``verdict``: what a slice
        shows is not the head's plane.
    decreased_by_rule
        Whether the angle decreased by more than the study's threshold. It does not ask whether
        the decrease is beyond measuring error: read ``is_real`` beside it.
    rule_deg
        That threshold, degrees; 20 in Yoon 2024.
    a, b
        The views; None where one was not read at both visits.
    """

    cna: Estimate | None
    error: PairError | None
    mdc95_deg: float | None
    is_real: bool | None
    decreased_by_rule: bool | None
    rule_deg: float
    a: ViewChange | None
    b: ViewChange | None

    @property
    def verdict(self) -> str:
        """Whether the change is more than error, in words.

        Examples
        --------
        >>> HipChange(None, None, None, None, None, 20.0, None, None).verdict
        'not judged'
        """
        if self.error is None or self.is_real is None:
            return f"{self.error.kind}: not judged" if self.error else "not judged"
        if not self.is_real:
            return "not beyond measuring error"
        return "beyond measuring error on the marked slices" if self.error.on_slices else "real"


def change_between(
    earlier: HipMeasurement,
    later: HipMeasurement,
    cut_offs: CutOffs | None = None,
    *,
    noise: StudyNoise | None = None,
    consensus: tuple[bool, bool] = (False, False),
) -> HipChange:
    """Compare two visits of one hip.

    Parameters
    ----------
    earlier, later
        The two measurements.
    cut_offs
        The study's own: a decrease by more than its ``change_deg`` counts.
    noise
        The study's measuring error from repeat reads and comparisons of readers.
    consensus
        Whether each of the two readings unites others.

    Raises
    ------
    MethodError
        If they were measured by different methods or versions.

    References
    ----------
    Yoon et al. 2024, doi 10.1007/s13770-024-00647-z (the 20 degree rule).

    Examples
    --------
    >>> from necroangle.measurement.measuring import measure
    >>> from necroangle.measurement.method import method_named
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> before, after = (
    ...     readings_of(sample_studies()[f"two_visits/{visit}"])[0]
    ...     for visit in ("baseline", "month_12")
    ... )
    >>> change = change_between(measure(before), measure(after))
    >>> round(change.cna.value, 1), change.verdict, change.decreased_by_rule
    (-26.3, 'beyond measuring error on the marked slices', True)
    >>> change_between(measure(before), measure(after, method_named("largest_slice")))
    Traceback (most recent call last):
    ...
    necroangle.errors.MethodError: visits measured by ('ha_mr_midslice', 1) and ...
    """
    ways = [(one.method.name, one.method.version) for one in (earlier, later)]
    if ways[0] != ways[1]:
        raise MethodError(
            f"visits measured by {ways[0]} and {ways[1]} cannot be compared; measure both by one"
        )
    rule_deg = (cut_offs or CutOffs()).change_deg
    pair = [
        pair_read(one, is_consensus=agreed)
        for one, agreed in zip((earlier, later), consensus, strict=True)
    ]
    change = error = None
    if pair[0] is not None and pair[1] is not None:
        error = pair_error(pair[0], pair[1], noise)
        change = Estimate(pair[1].cna_deg - pair[0].cna_deg, error.se_deg, error.dof)
    return HipChange(
        cna=change,
        error=error,
        mdc95_deg=error.mdc95_deg if error and error.is_judged else None,
        is_real=error.is_beyond(change.value) if change and error else None,
        decreased_by_rule=change.value < -rule_deg if change else None,
        rule_deg=rule_deg,
        a=_view_change(earlier.a, later.a),
        b=_view_change(earlier.b, later.b),
    )


def pair_read(hip: HipMeasurement, *, is_consensus: bool = False) -> PairRead | None:
    """What the table says of the reading: outcomes of a cohort are judged by the same.

    None of a reading in the making that may not be kept: no table has it.
    """
    if hip.blocked:
        return None
    measured, place = hip.source
    files = ["" for _ in range(len(measured))]
    rows = RowColumns.measured(files, files, measured, PAIR_COLUMNS)
    kept = [one for one in range(len(measured)) if one not in measured.refused]
    (cells,) = rows.select([kept.index(place)]).cells(PAIR_COLUMNS)
    row = dict(zip(PAIR_COLUMNS, cells, strict=True))
    return PairRead.of_row(row, is_consensus=is_consensus)


def overlap_deg(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Angle common to two arcs given as (start, end) in degrees, end >= start.

    Examples
    --------
    >>> overlap_deg((-60.0, 40.0), (-40.0, 70.0))
    80.0
    >>> overlap_deg((-170.0, 170.0), (160.0, 200.0))  # common on both sides of 180
    20.0
    """
    turns = (-720.0, -360.0, 0.0, 360.0, 720.0)
    shared = (min(first[1], second[1] + turn) - max(first[0], second[0] + turn) for turn in turns)
    return math.fsum(part for part in shared if part > 0)


def _view_change(
    earlier: ViewMeasurement | None, later: ViewMeasurement | None
) -> ViewChange | None:
    if earlier is None or later is None:
        return None
    change = _difference(earlier.estimate, later.estimate)
    weightings = earlier.weighting, later.weighting
    old, new = _limits(earlier), _limits(later)
    if old is None or new is None:
        return ViewChange(change, None, None, None, weightings)
    turn = 360.0 * round((sum(old) - sum(new)) / 720.0)  # the same dome, not one turn away
    new = new[0] + turn, new[1] + turn
    growth = old[0] - new[0], new[1] - old[1]
    return ViewChange(change, *growth, overlap_deg(old, new), weightings)


def _limits(view: ViewMeasurement) -> tuple[float, float] | None:
    if view.start_deg is None or view.end_deg is None:
        return None
    return view.start_deg, view.end_deg


def _difference(earlier: Estimate, later: Estimate) -> Estimate:
    """The difference of two angles, by marking alone: the views share what else there is."""
    parts = [(one.se_marking**2, one.dof) for one in (earlier, later)]
    error = math.sqrt(math.fsum(variance for variance, _ in parts))
    return Estimate(later.value - earlier.value, error, welch_dof(parts), error)
