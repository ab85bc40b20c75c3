"""Each index at its cut-offs, and every refusal, with numbers worked out by hand."""

from collections.abc import Callable
from math import cos, inf, nan, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.errors import GeometryError
from necroangle.geometry import Arc, Circle
from necroangle.measurement.arcs import AnatomicalAxes
from necroangle.measurement.indices import (
    ANTERIOR_COLLAPSE_DEG,
    LATERAL_SPARED_DEG,
    anterior_necrotic_deg,
    arco2021_type,
    collapse_arco,
    collapse_depth_mm,
    collapse_jic,
    jic_extent,
    jic_type,
    jic_w,
    koo_kim_index,
    koo_kim_size,
    lateral_spared_deg,
    lcea_deg,
)

HEAD = Circle((0.0, 0.0), 24.0)
AXES = AnatomicalAxes(superior=(0.0, -1.0), positive=(1.0, 0.0))
TEARDROP, EDGE = (-42.7, 20.0), (14.0, -24.2)
NECK = ((0.0, 40.0), (0.0, 30.0))


def over_the_top(start_deg: float, end_deg: float) -> tuple[Arc, ...]:
    """One arc between two angles from superior, lateral being +u."""
    return (Arc((270.0 + start_deg) % 360.0, end_deg - start_deg, 0.0, 0.0),)


@pytest.mark.parametrize(
    ("depth", "arco", "jic"),
    [
        (0.0, "3A", "3A"),
        (2.0, "3A", "3A"),
        (2.0 + 4e-7, "3A", "3A"),
        (2.000001, "3B", "3A"),
        (2.01, "3B", "3A"),
        (2.999999, "3B", "3A"),
        (3.0 - 4e-7, "3B", "3B"),
        (3.0, "3B", "3B"),
        (-4e-7, "3A", "3A"),
    ],
)
def test_two_millimetres_is_3a_of_arco_and_three_3b_of_jic(
    depth: float, arco: str, jic: str
) -> None:
    assert (collapse_arco(depth), collapse_jic(depth)) == (arco, jic)


@given(st.floats(0, 24))
def test_the_depth_is_read_off_the_radius(depth: float) -> None:
    found = collapse_depth_mm(HEAD, (0.0, depth - 24.0))
    assert found == pytest.approx(depth, abs=1e-6)
    assert found == round(found, 6)
    assert collapse_arco(found) == collapse_arco(depth)


@pytest.mark.parametrize(
    ("w", "expected"),
    [
        (-5.0, "A"),
        (0.0, "A"),
        (1 / 3, "A"),
        (0.333333, "A"),
        (0.333334, "B"),
        (2 / 3, "B"),
        (0.666667, "B"),
        (0.666668, "C1"),
        (0.999999, "C1"),
        (1.0 - 4e-7, "C2"),
        (1.0, "C2"),
    ],
)
def test_jic_types_at_their_thirds(w: float, expected: str) -> None:
    assert jic_type(w) == expected
    assert jic_type(w, reaches_edge=True) == "C2"


@pytest.mark.parametrize(("end", "w"), [(0.0, 0.0), (30.0, 1 / 3), (90.0, 2 / 3), (-30.0, -1 / 3)])
def test_w_of_a_level_line_is_the_share_of_its_half(end: float, w: float) -> None:
    point = (24.0 * sin(radians(end)), -24.0 * cos(radians(end)))
    assert jic_w(point, (-36.0, 0.0), (36.0, 0.0)) == pytest.approx(w, abs=1e-6)


@pytest.mark.parametrize(
    ("boundary", "edge", "expected"),
    [
        (-1e-6, 30.0, 1),
        (-4e-7, 30.0, 2),
        (0.0, 30.0, 2),
        (30.0, 30.0, 2),
        (30.0 + 4e-7, 30.0, 2),
        (30.000001, 30.0, 3),
        (0.0, 0.0, 2),
        (200.0, 30.0, 3),
    ],
)
def test_arco_2021_at_apex_and_edge(boundary: float, edge: float, expected: int) -> None:
    assert arco2021_type(boundary, edge) == expected


@pytest.mark.parametrize(
    ("index", "size"),
    [
        (0.0, "small"),
        (33.0 - 4e-7, "medium"),
        (66.999999, "medium"),
        (67.0, "large"),
        (400, "large"),
    ],
)
def test_koo_kim_sizes_leave_no_gap(index: float, size: str) -> None:
    assert koo_kim_size(index) == size


@given(st.floats(0, 360), st.floats(0, 360))
def test_koo_kim_is_a_product_and_is_not_clipped(a: float, b: float) -> None:
    assert koo_kim_index(a, b) == koo_kim_index(b, a)
    assert koo_kim_index(a, b) == pytest.approx(a * b / 324.0, abs=1e-6)
    assert koo_kim_index(180.0, 180.0) == 100.0 < koo_kim_index(200.0, 180.0)


@pytest.mark.parametrize(
    ("start", "end", "spared"),
    [(-40.0, 70.0, LATERAL_SPARED_DEG), (-40.0, 90.0, 0.0), (-40.0, 120.0, 0.0), (-40, -10, 100.0)],
)
def test_spared_arc_ends_at_a_right_angle_to_the_neck(
    start: float, end: float, spared: float
) -> None:
    found = lateral_spared_deg(HEAD, over_the_top(start, end), *NECK, turn=1)
    assert found == pytest.approx(spared, abs=1e-6)


@pytest.mark.parametrize(
    ("start", "expected"), [(-79.0, ANTERIOR_COLLAPSE_DEG), (-120.0, 120.0), (15.0, -15.0)]
)
def test_the_anterior_angle_grows_forward(start: float, expected: float) -> None:
    found = anterior_necrotic_deg(HEAD, over_the_top(start, 40.0), *NECK, turn=1)
    assert found == pytest.approx(expected, abs=1e-6)


def test_the_outermost_of_several_boundaries_counts() -> None:
    several = over_the_top(-70.0, -50.0) + over_the_top(-10.0, 25.0)
    assert lateral_spared_deg(HEAD, several, *NECK, turn=1) == pytest.approx(65.0)
    assert anterior_necrotic_deg(HEAD, several, *NECK, turn=1) == pytest.approx(70.0)
    one = jic_extent(HEAD, over_the_top(-70.0, 25.0), TEARDROP, EDGE)
    assert jic_extent(HEAD, several, TEARDROP, EDGE) == one


@pytest.mark.parametrize("end", [30.05, 45.0, 75.0, 100.0, 120.0])
def test_a_necrosis_at_the_edge_is_c2_though_no_point_of_the_head_has_w_of_one(end: float) -> None:
    assert max(jic_w((24 * sin(x / 50), -24 * cos(x / 50)), TEARDROP, EDGE) for x in range(150)) < 1
    found = jic_extent(HEAD, over_the_top(0.0, end), TEARDROP, EDGE)
    assert (found.jic_type, found.reaches_edge, found.medial_of_wb) == ("C2", True, False)
    assert found.w < 1.0


def test_a_lesion_just_within_the_weight_bearing_portion_is_not_medial_of_it() -> None:
    found = jic_extent(HEAD, over_the_top(-110.0, -58.0), TEARDROP, EDGE)
    assert 0.0 < found.w < 0.1
    assert (found.jic_type, found.medial_of_wb) == ("A", False)


def test_a_lesion_medial_of_the_weight_bearing_portion_is_a_and_says_so() -> None:
    found = jic_extent(HEAD, over_the_top(-110.0, -70.0), TEARDROP, EDGE)
    assert (found.jic_type, found.medial_of_wb, found.reaches_edge) == ("A", True, False)
    assert found.w < 0.0


REFUSALS: list[tuple[Callable[[], object], str]] = [
    (lambda: koo_kim_index(-1.0, 90.0), "0 to 360°, found -1°"),
    (lambda: koo_kim_index(90.0, 360.1), "found 360.1°"),
    (lambda: koo_kim_index(nan, 90.0), "a necrotic angle is not a finite number"),
    (lambda: koo_kim_size(-0.1), "0 or more, found -0.1"),
    (lambda: koo_kim_size(inf), "not a finite number"),
    (lambda: jic_w((0.0, 0.0), EDGE, EDGE), "teardrop and acetabular edge are one point"),
    (lambda: jic_w((nan, 0.0), TEARDROP, EDGE), "the lateral boundary is not a finite"),
    (lambda: jic_w((0.0, 0.0), (0.0, inf), EDGE), "teardrop and acetabular edge is not a finite"),
    (lambda: jic_type(nan), "w is not a finite number"),
    (lambda: jic_extent(HEAD, (), TEARDROP, EDGE), "there is no lateral boundary"),
    (lambda: jic_extent(HEAD, over_the_top(0, 9), TEARDROP, HEAD.centre_mm), "are one point"),
    (
        lambda: jic_extent(HEAD, over_the_top(0, 9), (-40.0, 20.0), (24.0, -12.0)),
        "known which side is lateral",
    ),
    (
        lambda: jic_extent(HEAD, over_the_top(0, 9), (-40.0, 20.0), (24.0, -13.5)),
        "known which side is lateral",
    ),
    (
        lambda: jic_extent(HEAD, over_the_top(0, 9), EDGE, TEARDROP, turn=1),
        "the teardrop lies lateral of the acetabular edge",
    ),
    (lambda: lcea_deg(HEAD, AXES, (24.0, 0.0)), "not above the head's centre"),
    (lambda: lcea_deg(HEAD, AXES, TEARDROP), "not above the head's centre"),
    (lambda: lcea_deg(HEAD, AXES, HEAD.centre_mm), "are one point"),
    (lambda: arco2021_type(10.0, -0.5), "0.5° medial of the head's apex"),
    (lambda: arco2021_type(nan, 30.0), "not a finite number"),
    (lambda: lateral_spared_deg(HEAD, (), *NECK, turn=1), "there is no lateral boundary"),
    (
        lambda: lateral_spared_deg(HEAD, over_the_top(0, 9), *NECK[::-1], turn=1),
        "distal point is nearer to the head",
    ),
    (lambda: anterior_necrotic_deg(HEAD, (), *NECK, turn=1), "there is no anterior boundary"),
    (
        lambda: anterior_necrotic_deg(HEAD, over_the_top(0, 9), NECK[0], NECK[0], turn=1),
        "the two neck points are one point",
    ),
    (lambda: collapse_depth_mm(HEAD, (0.0, -24.3)), "0.30 mm outside the head circle"),
    (lambda: collapse_depth_mm(HEAD, (nan, 0.0)), "not a finite number"),
    (lambda: collapse_arco(-0.01), "0 mm or more, found -0.01 mm"),
    (lambda: collapse_jic(nan), "not a finite number"),
]


@pytest.mark.parametrize(("compute", "message"), REFUSALS)
def test_what_gives_no_index_is_refused_in_words(
    compute: Callable[[], object], message: str
) -> None:
    with pytest.raises(GeometryError, match=message):
        compute()
