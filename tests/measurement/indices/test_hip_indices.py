"""Whole readings: both sides alike, radiographs give what they can, a bad mark stops one index."""

from dataclasses import fields, replace
from math import cos, radians, sin

import msgspec
import numpy as np
import pytest
from hipmaker import RADIUS_MM, SHAPE, head_centre_mm, make_image, make_plane, make_reading
from hipstrategy import readings, spacings_mm
from hypothesis import given
from hypothesis import strategies as st

from necroangle.annotation import (
    HipReading,
    Landmark,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    UnreadView,
    check_reading,
)
from necroangle.errors import GeometryError
from necroangle.geometry import Circle, PatientPoints, PlanePoints, arc_through, fit_circle
from necroangle.measurement.arcs import AnatomicalAxes, anatomical_axes
from necroangle.measurement.indices import HipIndices, ViewGeometry, hip_indices
from necroangle.terms import Finding, LandmarkName, Laterality, UnreadReason, View

Marks = dict[LandmarkName, tuple[float, float]]
Place = tuple[ReadView, ViewGeometry]


def on_circle(angle_deg: float, radius_mm: float = RADIUS_MM) -> tuple[float, float]:
    """Mm outward and upward of the head's centre, at an angle from superior."""
    return radius_mm * sin(radians(angle_deg)), radius_mm * cos(radians(angle_deg))


A_ARC, B_ARC = (-60.0, 20.0), (-80.0, 30.0)
A_MARKS: Marks = {
    LandmarkName.TEARDROP: (-42.7, -20.0),
    LandmarkName.ACETABULAR_EDGE: on_circle(30.0, 28.0),
    LandmarkName.NECK_DISTAL: on_circle(130.0, 40.0),
    LandmarkName.NECK_PROXIMAL: on_circle(130.0, 28.0),
    LandmarkName.COLLAPSE_DEEPEST: on_circle(5.0, RADIUS_MM - 2.0),
}
B_MARKS: Marks = {
    LandmarkName.NECK_DISTAL: on_circle(180.0, 40.0),
    LandmarkName.NECK_PROXIMAL: on_circle(180.0, 28.0),
    LandmarkName.COLLAPSE_DEEPEST: on_circle(-20.0, RADIUS_MM - 2.5),
}
W = 0.8440204
"""Worked out apart: w of the circle's point at 20 degrees between these two landmarks."""


def make(
    view: View,
    side: Laterality,
    marks: Marks,
    *,
    arc: tuple[float, float] | None = None,
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    spacing_mm: tuple[float, float] = (0.6, 0.45),
    calibrated: bool = True,
) -> Place:
    """A view whose arc (degrees from superior) and marks (mm outward and upward) are known."""
    flat = view.is_radiograph
    centre = (100.0, 90.0, 0.0) if flat else head_centre_mm(side)
    plane = make_plane(view, through_mm=centre, turn_deg=turn_deg, spacing_mm=spacing_mm)
    outward = 1.0 if side is Laterality.LEFT or not view.is_a else -1.0
    axes = anatomical_axes(view, side, plane) or AnatomicalAxes((0.0, -1.0), (outward, 0.0))
    u, v = plane.patient_to_plane(PatientPoints(np.array([centre])))[0].tolist()

    def place(out: float, up: float) -> tuple[float, float]:
        return (
            u + out * axes.positive[0] + up * axes.superior[0],
            v + out * axes.positive[1] + up * axes.superior[1],
        )

    start, end = arc or (A_ARC if view.is_a else B_ARC)
    ends = [place(*on_circle(angle)) for angle in (start, end, (start + end) / 2)]
    found = ReadView(
        view=view,
        finding=Finding.NECROSIS,
        image=make_image(1 + view.is_a, frame_of_reference=None if flat else "1.2.826.0.1"),
        plane=PlaneRecord.of(
            plane, SHAPE, frame="detector" if flat else "patient", calibrated=calibrated
        ),
        passport=None,
        rim=tuple(Mark.at_plane(plane, *place(*on_circle(x))) for x in range(0, 360, 40)),
        arcs=(NecroticArc(*(Mark.at_plane(plane, *point) for point in ends)),),
        observations=(),
        neighbours=(),
        landmarks=tuple(
            Landmark(name, Mark.at_plane(plane, *place(*where))) for name, where in marks.items()
        ),
        contour=(),
    )
    arcs = (arc_through((u, v), RADIUS_MM, PlanePoints(np.array(ends))),)
    return found, ViewGeometry(Circle((u, v), RADIUS_MM), arcs)


def indices(a: Place, b: Place | UnreadView, side: Laterality = Laterality.LEFT) -> HipIndices:
    second, b_head = (b, None) if isinstance(b, UnreadView) else b
    reading = make_reading(laterality=side, views=(a[0], second))
    check_reading(reading)
    return hip_indices(reading, a[1], b_head)


def mr_hip(
    a_marks: Marks, b_marks: Marks, side: Laterality = Laterality.LEFT, **how: object
) -> HipIndices:
    a, b = (
        make(view, side, marks, **how)  # type: ignore[arg-type]
        for view, marks in ((View.CORONAL, a_marks), (View.SAGITTAL, b_marks))
    )
    return indices(a, b, side)


turns = st.tuples(*[st.floats(-15, 15)] * 3)


@given(st.sampled_from(Laterality), turns, spacings_mm)
def test_every_index_of_a_fully_marked_hip_on_either_side(
    side: Laterality, turn: tuple[float, float, float], spacing: tuple[float, float]
) -> None:
    found = mr_hip(A_MARKS, B_MARKS, side, turn_deg=turn, spacing_mm=spacing)
    assert found.koo_kim_index == pytest.approx(80 / 180 * 110 / 180 * 100, abs=1e-5)
    assert found.koo_kim_size == "small"
    assert found.jic_w == pytest.approx(W, abs=1e-5)
    assert (found.jic_type, found.jic_medial_of_wb) == ("C1", False)
    assert found.lcea_deg == pytest.approx(30.0, abs=1e-5)
    assert found.arco2021_type == 2
    assert found.lateral_spared_deg == pytest.approx(20.0, abs=1e-5)
    assert found.anterior_necrotic_deg == pytest.approx(80.0, abs=1e-5)
    assert found.collapse_depth_mm == pytest.approx(2.5, abs=1e-5)
    assert (found.collapse_arco, found.collapse_jic) == ("3B", "3A")
    assert found.refused == ()


def test_two_millimetres_marked_on_a_head_are_3a() -> None:
    found = mr_hip(A_MARKS, {})
    assert (found.collapse_depth_mm, found.collapse_arco) == (2.0, "3A")
    deeper = {LandmarkName.COLLAPSE_DEEPEST: on_circle(5.0, RADIUS_MM - 2.01)}
    found = mr_hip(deeper, {})
    assert (found.collapse_depth_mm, found.collapse_arco) == (2.01, "3B")


@pytest.mark.parametrize(
    ("end", "arco", "jic"), [(-10.0, 1, "B"), (20.0, 2, "C1"), (31.0, 3, "C2"), (110.0, 3, "C2")]
)
@pytest.mark.parametrize("side", Laterality)
def test_the_types_follow_the_lateral_boundary(
    side: Laterality, end: float, arco: int, jic: str
) -> None:
    found = mr_hip(A_MARKS, B_MARKS, side, arc=(-60.0, end))
    assert (found.arco2021_type, found.jic_type) == (arco, jic)


def test_without_landmarks_only_the_extent_is_left() -> None:
    found = mr_hip({}, {})
    assert found == HipIndices(koo_kim_index=found.koo_kim_index, koo_kim_size=found.koo_kim_size)
    assert found.koo_kim_index is not None


@pytest.mark.parametrize("missing", A_MARKS)
def test_an_index_needs_all_of_its_landmarks(missing: LandmarkName) -> None:
    left = {name: where for name, where in A_MARKS.items() if name is not missing}
    found = mr_hip(left, {})
    pelvis = missing in (LandmarkName.TEARDROP, LandmarkName.ACETABULAR_EDGE)
    neck = missing in (LandmarkName.NECK_DISTAL, LandmarkName.NECK_PROXIMAL)
    assert (found.jic_w is None) == (found.jic_type is None) == pelvis
    assert (found.arco2021_type is None) == (missing is LandmarkName.ACETABULAR_EDGE)
    assert (found.lateral_spared_deg is None) == neck
    assert (found.collapse_depth_mm is None) == (missing is LandmarkName.COLLAPSE_DEEPEST)
    assert found.refused == ()


@pytest.mark.parametrize("side", Laterality)
@pytest.mark.parametrize("calibrated", [True, False])
def test_a_radiograph_gives_what_needs_neither_superior_nor_mm(
    side: Laterality, calibrated: bool
) -> None:
    a = make(View.AP, side, A_MARKS, calibrated=calibrated)
    found = indices(a, make(View.FROG_LEG, side, B_MARKS, calibrated=calibrated), side)
    assert found.jic_w == pytest.approx(W, abs=1e-5)
    assert found.jic_type == "C1"
    assert found.lateral_spared_deg == pytest.approx(20.0, abs=1e-5)
    assert found.koo_kim_index is found.lcea_deg is found.arco2021_type is None
    assert found.anterior_necrotic_deg is None
    if calibrated:
        assert found.collapse_depth_mm == pytest.approx(2.5)
        assert found.refused == ()
    else:
        assert (found.collapse_depth_mm, found.collapse_arco, found.collapse_jic) == (None,) * 3
        assert [refusal.index for refusal in found.refused] == ["collapse_depth_mm"] * 2
        assert found.refused[0].problem.startswith("AP view: no true mm")


def test_a_radiograph_without_the_pelvis_has_no_lateral_side() -> None:
    neck = {name: A_MARKS[name] for name in (LandmarkName.NECK_DISTAL, LandmarkName.NECK_PROXIMAL)}
    a = make(View.AP, Laterality.LEFT, neck)
    assert indices(a, make(View.FROG_LEG, Laterality.LEFT, {})) == HipIndices()


BAD: list[tuple[Marks, set[str], str]] = [
    (
        {LandmarkName.COLLAPSE_DEEPEST: on_circle(5.0, RADIUS_MM + 0.4)},
        {"collapse_depth_mm"},
        "coronal view: the deepest point of collapse lies 0.40 mm outside",
    ),
    (
        {
            LandmarkName.TEARDROP: A_MARKS[LandmarkName.ACETABULAR_EDGE],
            LandmarkName.ACETABULAR_EDGE: A_MARKS[LandmarkName.TEARDROP],
        },
        {"jic_type", "lcea_deg"},
        "are the two marks swapped",
    ),
    (
        {LandmarkName.ACETABULAR_EDGE: on_circle(-5.0, 28.0)},
        {"arco2021_type"},
        "5° medial of the head's apex",
    ),
    (
        {
            LandmarkName.NECK_DISTAL: A_MARKS[LandmarkName.NECK_PROXIMAL],
            LandmarkName.NECK_PROXIMAL: A_MARKS[LandmarkName.NECK_DISTAL],
        },
        {"lateral_spared_deg"},
        "the neck's distal point is nearer",
    ),
]


@pytest.mark.parametrize(("marks", "stopped", "problem"), BAD)
def test_a_bad_mark_stops_its_own_index_and_says_why(
    marks: Marks, stopped: set[str], problem: str
) -> None:
    good, found = mr_hip(A_MARKS, {}), mr_hip(A_MARKS | marks, {})
    assert {refusal.index for refusal in found.refused} == stopped
    assert any(problem in refusal.problem for refusal in found.refused)
    assert all(getattr(found, name) is None for name in stopped)
    assert found.koo_kim_index == good.koo_kim_index


def test_a_swapped_neck_stops_the_anterior_angle() -> None:
    swapped = {
        LandmarkName.NECK_DISTAL: B_MARKS[LandmarkName.NECK_PROXIMAL],
        LandmarkName.NECK_PROXIMAL: B_MARKS[LandmarkName.NECK_DISTAL],
    }
    found = mr_hip({}, swapped)
    assert found.anterior_necrotic_deg is None
    assert [refusal.index for refusal in found.refused] == ["anterior_necrotic_deg"]


def test_one_view_gives_its_own_indices() -> None:
    a = make(View.CORONAL, Laterality.LEFT, A_MARKS)
    found = indices(a, UnreadView(View.SAGITTAL, UnreadReason.NOT_DONE))
    assert (found.koo_kim_index, found.koo_kim_size, found.anterior_necrotic_deg) == (None,) * 3
    assert (found.jic_type, found.arco2021_type, found.collapse_depth_mm) == ("C1", 2, 2.0)


def test_a_replaced_hip_has_no_index() -> None:
    a = make(View.CORONAL, Laterality.LEFT, A_MARKS)
    assert indices(a, UnreadView(View.SAGITTAL, UnreadReason.PROSTHESIS)) == HipIndices()


def test_a_healthy_hip_has_an_extent_of_zero_and_a_roof() -> None:
    places = [
        make(view, Laterality.LEFT, marks)
        for view, marks in ((View.CORONAL, A_MARKS), (View.SAGITTAL, B_MARKS))
    ]
    healthy = [
        (
            msgspec.structs.replace(view, arcs=(), finding=Finding.NO_NECROSIS),
            replace(head, arcs=()),
        )
        for view, head in places
    ]
    found = indices(healthy[0], healthy[1])
    assert (found.koo_kim_index, found.lcea_deg) == (0.0, 30.0)
    assert (found.jic_type, found.arco2021_type, found.lateral_spared_deg) == (None,) * 3
    assert found.anterior_necrotic_deg is None
    bare = [(view, ViewGeometry(None, ())) for view, _ in healthy]
    assert indices(bare[0], bare[1]) == HipIndices(
        koo_kim_index=0.0, koo_kim_size=found.koo_kim_size
    )


def fitted(view: ReadView | UnreadView) -> ViewGeometry | None:
    """The head as its marks give it, or None where they give none."""
    if isinstance(view, UnreadView):
        return None
    plane = view.plane.plane()

    def points(*marks: Mark) -> PlanePoints:
        at = np.array([mark.patient_mm for mark in marks], float).reshape(-1, 3)
        return plane.patient_to_plane(PatientPoints(at))

    try:
        circle = fit_circle(points(*view.rim)).circle
        arcs = tuple(
            arc_through(circle.centre_mm, circle.radius_mm, points(arc.start, arc.end, arc.via))
            for arc in view.arcs
        )
    except GeometryError:
        return None
    return ViewGeometry(circle, arcs)


@given(readings())
def test_no_reading_raises_and_a_class_never_stands_without_its_number(reading: HipReading) -> None:
    found = hip_indices(reading, *(fitted(view) for view in reading.views))
    names = {field.name for field in fields(HipIndices)}
    assert {refusal.index for refusal in found.refused} <= names
    assert (found.koo_kim_index is None) == (found.koo_kim_size is None)
    assert (found.jic_w is None) == (found.jic_type is None) == (found.jic_medial_of_wb is None)
    assert (found.collapse_depth_mm is None) == (found.collapse_arco is None)
    assert (found.collapse_depth_mm is None) == (found.collapse_jic is None)
    assert found.arco2021_type is None or found.lcea_deg is not None
