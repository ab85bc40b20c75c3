"""Change between visits, anatomical direction, and end-point noise from repeat reads."""

from dataclasses import replace

import msgspec
import pytest
from hipmaker import dome, make_reading, make_view
from hypothesis import given
from hypothesis import strategies as st

from necroangle.annotation import HipReading, NecroticArc, ReadView
from necroangle.errors import MethodError
from necroangle.measurement import METHODS, Settings, measure, measure_draft
from necroangle.measurement.change import change_between, overlap_deg
from necroangle.measurement.repeats import settings_from_repeats
from necroangle.protocol.noise import (
    UNKNOWN_READER,
    EndNoise,
    RepeatNoise,
    StudyNoise,
    t_quantile,
)
from necroangle.protocol.pair_error import (
    PAIR_COLUMNS,
    PairKind,
    PairRead,
    PairView,
    pair_error,
)
from necroangle.terms import Laterality, View

sides = st.sampled_from(Laterality)


@given(st.floats(-100, 20), st.floats(10, 130), sides)
def test_boundaries_are_angles_from_superior_in_either_hip(
    start: float, width: float, side: Laterality
) -> None:
    found = measure(dome(start, start + width, side)).a
    assert found is not None
    assert (found.start_deg, found.end_deg) == pytest.approx((start, start + width), abs=1e-5)
    assert found.middle_deg == pytest.approx(start + width / 2, abs=1e-5)


@given(sides)
def test_marking_the_ends_the_other_way_round_keeps_the_boundaries(side: Laterality) -> None:
    reading = dome(-60, 30, side)
    view = reading.views[0]
    assert isinstance(view, ReadView)
    (arc,) = view.arcs
    turned = msgspec.structs.replace(view, arcs=(NecroticArc(arc.end, arc.start, arc.via),))
    other = msgspec.structs.replace(reading, views=(turned, reading.views[1]))
    first, second = measure(reading).a, measure(other).a
    assert first is not None
    assert second is not None
    assert (first.start_deg, first.end_deg) == pytest.approx((second.start_deg, second.end_deg))


def test_growth_is_told_at_each_boundary_with_its_interval() -> None:
    side = Laterality.RIGHT
    change = change_between(measure(dome(-60, 20, side)), measure(dome(-50, 45, side)))
    assert change.a is not None
    assert change.cna is not None
    assert change.a.start_growth_deg == pytest.approx(-10, abs=1e-5)
    assert change.a.end_growth_deg == pytest.approx(25, abs=1e-5)
    assert change.a.overlap_deg == pytest.approx(70, abs=1e-5)
    assert change.cna.value == pytest.approx(30, abs=1e-5)
    assert change.is_real is True
    assert change.decreased_by_rule is False
    assert change.mdc95_deg == pytest.approx(t_quantile(change.cna.dof) * change.cna.se)
    assert change.verdict == "beyond measuring error on the marked slices"
    low, high = change.cna.interval_95()
    assert low < 30 < high


def test_a_decrease_by_the_study_rule_that_error_alone_could_make() -> None:
    side, careless = Laterality.LEFT, Settings(EndNoise(3.0))
    before = measure(dome(-60, 20, side), settings=careless)
    after = measure(dome(-52, 17, side), settings=careless)
    change = change_between(before, after)
    assert change.cna is not None
    assert change.cna.value == pytest.approx(-22, abs=1e-5)
    assert (change.decreased_by_rule, change.is_real) == (True, False)


def test_two_readers_are_not_judged_before_the_study_has_compared_them() -> None:
    side = Laterality.RIGHT
    first = dome(-60, 20, side)
    later = msgspec.structs.replace(dome(-50, 45, side), reader="another")
    before, after = measure(first), measure(later)
    unknown = change_between(before, after)
    assert (unknown.is_real, unknown.mdc95_deg) == (None, None)
    assert unknown.verdict == "two readers: not judged"
    repeats = RepeatNoise(2.0, 40, "repeat reads by the same reader")
    assert change_between(before, after, noise=StudyNoise(repeats)).is_real is None
    compared = StudyNoise(repeats, RepeatNoise(12.0, 20, "first reads by different readers"))
    wide = change_between(before, after, noise=compared)
    assert wide.error is not None
    assert wide.error.kind is PairKind.TWO_READERS
    assert wide.mdc95_deg is not None
    assert wide.mdc95_deg > 2.08 * 2**0.5 * 12.0
    assert wide.is_real is False
    agreed = change_between(before, after, consensus=(True, True))
    assert agreed.error is not None
    assert agreed.error.kind is PairKind.CONSENSUS
    assert agreed.is_real is not None


def test_slices_that_lie_apart_make_a_change_less_sure_and_equal_ones_do_not() -> None:
    def at(offset_mm: float, visit: str) -> HipReading:
        coronal = make_view(View.CORONAL, 100.0, offset_mm=offset_mm)
        return make_reading(views=(coronal, make_view(View.SAGITTAL, 80.0)), visit=visit)

    limits = [
        change_between(measure(at(first, "m00")), measure(at(later, "m12"))).mdc95_deg
        for first, later in ((0.0, 0.0), (3.0, 3.0), (0.0, 3.0), (-3.0, 3.0))
    ]
    assert all(limits)
    centre, equal, apart, far = (one or 0.0 for one in limits)
    assert equal == pytest.approx(centre, rel=0.02)
    assert apart > 1.08 * equal
    assert far > 1.2 * apart


def test_visits_by_two_methods_or_without_a_view_are_not_compared() -> None:
    reading = dome(-60, 20, Laterality.LEFT)
    with pytest.raises(MethodError, match="cannot be compared"):
        change_between(measure(reading), measure(reading, METHODS["largest_slice"]))
    half = change_between(measure(reading), measure(make_reading(100.0, None)))
    assert (half.cna, half.is_real, half.b) == (None, None, None)
    assert half.a is not None


@given(st.floats(-180, 180), st.floats(1, 359), st.floats(-180, 180), st.floats(1, 359))
def test_overlap_is_symmetric_and_bounded(a: float, width: float, b: float, other: float) -> None:
    first, second = (a, a + width), (b, b + other)
    shared = overlap_deg(first, second)
    assert shared == pytest.approx(overlap_deg(second, first), abs=1e-9)
    assert max(0.0, width + other - 360) - 1e-9 <= shared <= min(width, other) + 1e-9


def test_end_point_noise_comes_back_from_repeat_reads() -> None:
    groups = [
        [dome(-60, 25, Laterality.RIGHT, 0.8, seed=1000 * hip + read) for read in range(3)]
        for hip in range(60)
    ]
    found = settings_from_repeats(groups)
    noise = found.noise_of(groups[0][0].reader)
    assert noise.dof == pytest.approx(60 * 2 * 2 * 2, rel=0.03)
    assert noise.sd_mm == pytest.approx(0.8, rel=0.1)
    assert (noise.bias_mm, noise.source) == (0.3, "repeats")
    assert found.noise_of("another") == UNKNOWN_READER


def test_one_arc_marked_the_wrong_way_round_does_not_double_the_noise() -> None:
    side = Laterality.RIGHT
    groups = [
        [dome(-60, 25, side, 0.8, 1000 * hip + read) for read in range(2)] for hip in range(30)
    ]
    clean = settings_from_repeats(groups).noise_of(groups[0][0].reader)
    view = groups[4][1].views[0]
    assert isinstance(view, ReadView)
    (arc,) = view.arcs
    far = NecroticArc(arc.start, arc.end, view.rim[0])
    assert measure(groups[4][1]).a is not None
    wrong = msgspec.structs.replace(view, arcs=(far,))
    groups[4][1] = msgspec.structs.replace(groups[4][1], views=(wrong, groups[4][1].views[1]))
    turned = measure_draft(groups[4][1]).a
    assert turned is not None
    assert turned.angle_deg > 180, "the other side of the head"
    found = settings_from_repeats(groups).noise_of(groups[0][0].reader)
    assert found.sd_mm == pytest.approx(clean.sd_mm, rel=0.05)
    assert clean.dof - 2 <= found.dof <= clean.dof


def test_a_reading_that_may_not_be_kept_has_no_change() -> None:
    """It is followed up while it is drawn: no change is said, and nothing is raised."""
    reading = dome(-60, 25, Laterality.RIGHT)
    view = reading.views[0]
    assert isinstance(view, ReadView)
    (arc,) = view.arcs
    far = msgspec.structs.replace(view, arcs=(NecroticArc(arc.start, arc.end, view.rim[0]),))
    wrong = measure_draft(msgspec.structs.replace(reading, views=(far, reading.views[1])))
    assert wrong.blocked
    for pair in ((measure(reading), wrong), (wrong, measure(reading))):
        change = change_between(*pair)
        assert (change.cna, change.is_real, change.verdict) == (None, None, "not judged")


def test_repeats_that_are_none_are_refused() -> None:
    one = dome(-60, 25, Laterality.RIGHT)
    with pytest.raises(MethodError, match="no arc was marked twice"):
        settings_from_repeats([[one]])
    with pytest.raises(MethodError, match="one hip and visit"):
        settings_from_repeats([[one, msgspec.structs.replace(one, visit="m12")]])


def one_read(**parts: object) -> PairRead:
    """A reading of 100 and 100 degrees by one reader, as a row of the table says it."""
    view = PairView(100.0, 1, 24.0, 0.0, 0.0, 220.0, 12, 1.0, 0.3, 3)
    found = PairRead("kim", False, False, False, False, 200.0, 4.9, EndNoise(), view, view)
    return replace(found, **parts)  # type: ignore[arg-type]


def test_a_centre_plane_that_is_not_bracketed_is_an_angle_on_the_marked_slices() -> None:
    row: dict[str, object] = dict.fromkeys(PAIR_COLUMNS)
    ends = {"end_sd_mm": 1.0, "end_bias_mm": 0.3, "end_dof": 5.0}
    counts = {"a_arc_count": 1, "b_arc_count": 1, "a_rim_count": 12, "b_rim_count": 12}
    row |= {"reader": "kim", "modality": "mr", "cna_deg": 200.0, "cna_se_marking": 5.0}
    row |= {"a_deg": 100.0, "b_deg": 100.0, **ends, **counts}
    for method, flags, on_slices in (
        ("centre_plane", "", False),
        ("centre_plane", "short_rim not_bracketed", True),
        ("ha_mr_midslice", "", True),
    ):
        found = PairRead.of_row(row | {"method": method, "a_flags": flags, "b_flags": ""})
        assert found is not None
        error = pair_error(found, found)
        assert error.on_slices == on_slices
        assert ("on the marked slices" in error.words) == on_slices


def test_the_largest_of_unlike_numbers_of_slices_is_told() -> None:
    few = one_read(is_largest=True)
    more = one_read(is_largest=True, a=replace(few.a, slice_count=5))
    old = one_read(is_largest=True, a=replace(few.a, slice_count=None))
    assert pair_error(few, more).slices_differ
    assert "of unlike numbers of slices" in pair_error(few, more).words
    assert not pair_error(few, few).slices_differ
    assert not pair_error(few, old).slices_differ
    assert not pair_error(one_read(), replace(more, is_largest=False)).slices_differ
