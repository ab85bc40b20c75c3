"""Standard errors: the derivatives, the formula of the closed form, the probabilities."""

import math

import numpy as np
import pytest
from hipmaker import make_reading, make_rim, make_view
from hypothesis import given
from hypothesis import strategies as st

from necroangle.annotation import ReadView
from necroangle.errors import MethodError
from necroangle.geometry import Arc, PlanePoints, arc_through
from necroangle.geometry.arc import ArcColumns
from necroangle.measurement import METHODS, Estimate, RadiusPrior, Settings, measure
from necroangle.measurement.arcs import SliceAngles, extent_angles, surface_angles
from necroangle.protocol.noise import EndNoise
from necroangle.terms import Flag, View

directions = st.floats(0, 360)
angles = st.floats(5, 355)
shifts = st.floats(-2, 2)


def surface_angle(*arcs: Arc) -> SliceAngles:
    return surface_angles(ArcColumns.of([arcs]), np.array([24.0]))


def extent_deg(outline: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """Of (N, 2) marks about (0, 0)."""
    start, count = np.array([0]), np.array([len(outline)])
    found, _ = extent_angles(outline.T, start, count, np.zeros((2, 1)), np.array([24.0]))
    return float(found.angle_deg[0])


def arcs_about(centre: tuple[float, float], marks: list[PlanePoints]) -> float:
    arcs = [arc_through(centre, 24.0, points) for points in marks]
    return float(surface_angle(*arcs).angle_deg[0])


def marks_of(start: float, angle: float) -> PlanePoints:
    turn = np.radians([start, start + angle, start + angle / 2])
    return PlanePoints(24.0 * np.column_stack((np.cos(turn), np.sin(turn))))


@given(directions, angles, directions)
def test_the_pull_of_the_centre_is_the_derivative(
    start: float, angle: float, towards: float
) -> None:
    marks = [marks_of(start, angle)]
    found = surface_angle(arc_through((0, 0), 24.0, marks[0]))
    step = 1e-4
    way = np.array((math.cos(math.radians(towards)), math.sin(math.radians(towards))))
    ahead = arcs_about((step * way[0], step * way[1]), marks)
    behind = arcs_about((-step * way[0], -step * way[1]), marks)
    slope = math.radians(ahead - behind) / (2 * step)
    assert slope == pytest.approx(float(way @ found.pull[:, 0]), abs=1e-6)


@pytest.mark.parametrize(
    "pairs",
    [
        ((10, 60), (40, 80)),
        ((10, 110), (10, 110)),
        ((10, 110), (10, 40)),
        ((10, 110), (70, 50)),
        ((10, 50), (60, 60)),
        ((10, 110), (30, 20)),
    ],
    ids=["overlapping", "stored twice", "common start", "common end", "touching", "nested"],
)
def test_several_arcs_have_the_ends_of_their_union_only(
    pairs: tuple[tuple[int, int], ...],
) -> None:
    two = tuple(arc_through((0, 0), 24.0, marks_of(*pair)) for pair in pairs)
    one = (arc_through((0, 0), 24.0, marks_of(10, 110)),)
    joined, whole = surface_angle(*two), surface_angle(*one)
    assert joined.angle_deg == pytest.approx(whole.angle_deg)
    assert joined.pull == pytest.approx(whole.pull)
    assert joined.ends == pytest.approx(whole.ends)


def test_the_published_figures_of_the_ends_alone() -> None:
    """Two ends a view at 0.5, 1 and 2 mm on a head of 24 mm: 2.39, 4.77 and 9.55 degrees."""
    for sd, expected in ((0.5, 2.39), (1.0, 4.77), (2.0, 9.55)):
        cna = measure(make_reading(120, 120), settings=Settings(EndNoise(sd))).cna
        assert cna is not None
        assert cna.se_marking == pytest.approx(expected, abs=0.01)


def test_no_arc_has_no_error_and_one_view_none_of_the_other() -> None:
    found = measure(make_reading(0.0, 90.0))
    assert found.a is not None
    assert found.b is not None
    assert found.cna is not None
    assert (found.a.estimate.se, found.cna.se) == (0.0, found.b.estimate.se)
    low, high = found.a.estimate.interval_95()
    assert low == 0
    assert 5 < high < 50, "a lesion beside the slice may have been overlooked"
    assert found.cna.interval_95()[1] > found.b.estimate.interval_95()[1]


def test_what_both_views_share_is_more_than_their_squares() -> None:
    """The height of the dome, and the reader's habit at all four ends."""
    found = measure(make_reading(100.0, 70.0))
    assert found.a is not None
    assert found.b is not None
    assert found.cna is not None
    a, b = found.a.estimate, found.b.estimate
    assert found.cna.se_marking == pytest.approx(math.hypot(a.se_marking, b.se_marking))
    assert math.hypot(a.se, b.se) < found.cna.se < a.se + b.se


@given(st.floats(100, 350), st.floats(0.5, 15), st.floats(2, 50))
def test_probabilities_add_up_and_lean_to_the_stored_grade(
    angle: float, se: float, dof: float
) -> None:
    cna = Estimate(angle, se, dof)
    below = [cna.probability_below(cut) for cut in (200, 250, 300)]
    assert below == sorted(below)
    low, high = cna.interval_95()
    assert cna.probability_below(high) == pytest.approx(0.975, abs=1e-9)
    assert cna.probability_below(low) == pytest.approx(0.025, abs=1e-9)


def test_grade_probabilities_stand_beside_the_grade() -> None:
    found = measure(make_reading(110.0, 90.5))
    assert found.ha_grade == 2
    assert sum(found.grade_probability) == pytest.approx(1)
    assert found.grade_probability[0] == pytest.approx(0.46, abs=0.02)
    assert len(found.risk_probability) == 3
    assert Flag.NEAR_CUTOFF in found.flags
    assert Flag.NEAR_CUTOFF not in measure(make_reading(60.0, 60.0)).flags


def test_the_sphere_is_used_only_when_asked_for_and_told() -> None:
    reading = make_reading(100.0, 80.0)
    alone, joint = measure(reading), measure(reading, settings=Settings(centre="sphere"))
    assert joint.cna_deg == pytest.approx(alone.cna_deg, abs=1e-5)
    assert Flag.SPHERE_CENTRE in joint.flags
    assert Flag.SPHERE_CENTRE not in alone.flags
    with pytest.raises(MethodError, match="joint sphere needs the rims"):
        measure(make_reading(100.0, None), settings=Settings(centre="sphere"))


def test_a_prior_is_told() -> None:
    settings = Settings(radius_prior=RadiusPrior(24.0, 0.3, "visit m00"))
    assert Flag.RADIUS_PRIOR in measure(make_reading(), settings=settings).flags


def test_the_judge_sees_a_patient_who_moved() -> None:
    coronal, sagittal = make_view(View.CORONAL, 60.0), make_view(View.SAGITTAL, 60.0)
    assert isinstance(sagittal, ReadView)
    plane = sagittal.plane.plane()
    u, v = 0.45 * (320 - 1) / 2, 0.6 * (256 - 1) / 2
    import msgspec

    lower = msgspec.structs.replace(sagittal, rim=make_rim(plane, (u, v + 3.0)))
    found = measure(make_reading(views=(coronal, lower)))
    assert found.judge is not None
    assert abs(found.judge.centre_gap_mm) == pytest.approx(3.0, abs=1e-6)
    assert Flag.CENTRES_DIFFER in found.flags
    still = measure(make_reading(views=(coronal, sagittal)))
    assert still.judge is not None
    assert still.judge.centre_gap_mm == pytest.approx(0, abs=1e-6)
    assert still.flags == ()


@given(st.floats(-20, 20), st.floats(14, 22), directions)
def test_extent_is_the_angle_between_tangents(half_width: float, far: float, turn: float) -> None:
    width = abs(half_width) % 8 + 1
    corners = np.array([[far - 3, -width], [far, -width], [far, width], [far - 3, width]])
    angle = math.radians(turn)
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    found = extent_deg(corners @ rotation)
    assert found == pytest.approx(2 * math.degrees(math.atan2(width, far - 3)), abs=1e-9)


def test_an_outline_round_the_centre_is_the_whole_circle() -> None:
    square = PlanePoints(np.array([[-5.0, -5.0], [5.0, -5.0], [5.0, 5.0], [-5.0, 5.0]]))
    assert extent_deg(square) == 360.0


def test_max_extent_needs_an_outline_and_measures_a_buried_lesion() -> None:
    import msgspec

    from necroangle.annotation import Mark
    from necroangle.terms import Finding

    method = METHODS["max_extent"]
    with pytest.raises(MethodError, match="coronal view: max_extent needs the lesion's outline"):
        measure(make_reading(), method)
    buried = make_view(View.CORONAL, 0.0, finding=Finding.NOT_SUBCHONDRAL)
    assert isinstance(buried, ReadView)
    u, v = 0.45 * (320 - 1) / 2, 0.6 * (256 - 1) / 2
    turn = np.radians(np.arange(0, 360, 2))
    outline = tuple(
        Mark.at_plane(buried.plane.plane(), u + 16 + 12 * math.cos(t), v + 12 * math.sin(t))
        for t in turn
    )
    drawn = msgspec.structs.replace(buried, contour=outline)
    found = measure(make_reading(views=(drawn, make_view(View.SAGITTAL, 0.0))), method)
    assert found.cna_deg == pytest.approx(97.2, abs=0.1)  # the figure of the simulation
    assert measure(make_reading(views=(drawn, make_view(View.SAGITTAL, 0.0)))).cna_deg == 0.0
