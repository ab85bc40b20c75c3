"""Marks at the truth give the true angle, whatever the plane, spacing, side, position or size."""

from math import cos, radians, sin

import msgspec
import numpy as np
import pytest
from hipmaker import make_plane, make_reading, make_rim, make_view
from hipstrategy import spacings_mm, turns_deg
from hypothesis import assume, given
from hypothesis import strategies as st
from viewmeasure import measure_view

from necroangle.annotation import (
    HipReading,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    StackPassport,
)
from necroangle.errors import ArcError, MethodError, RimError
from necroangle.geometry import ImagePlane
from necroangle.measurement import METHODS, measure, measure_draft
from necroangle.measurement.columns import COLUMNS
from necroangle.measurement.row import to_row
from necroangle.terms import Finding, Flag, Laterality, Observation, UnreadReason, View

angles = st.floats(10, 350)
directions = st.floats(0, 360)
sides = st.sampled_from(Laterality)
offsets = st.floats(-8, 8)


def read_view(view: View, angle_deg: float, **how: object) -> ReadView:
    made = make_view(view, angle_deg, **how)  # type: ignore[arg-type]
    assert isinstance(made, ReadView)
    return made


@given(angles, angles, sides, turns_deg, spacings_mm)
def test_the_true_angles_come_back(
    a: float,
    b: float,
    side: Laterality,
    turn: tuple[float, float, float],
    spacing: tuple[float, float],
) -> None:
    reading = make_reading(a, b, laterality=side, turn_deg=turn, spacing_mm=spacing)
    found = measure_draft(reading)
    assert found.a is not None
    assert found.b is not None
    assert found.a.angle_deg == pytest.approx(a, abs=1e-5)
    assert found.b.angle_deg == pytest.approx(b, abs=1e-5)
    assert found.cna_deg == round(found.a.angle_deg + found.b.angle_deg, 6)
    assert found.a.radius_mm == pytest.approx(24.0)


@given(angles, offsets, directions)
def test_unequal_spacing_of_half_and_nine_tenths(angle: float, offset: float, start: float) -> None:
    view = read_view(View.CORONAL, angle, spacing_mm=(0.5, 0.9), offset_mm=offset, start_deg=start)
    assert measure_view(view).angle_deg == pytest.approx(angle, abs=1e-5)


def moved(reading: HipReading, matrix: list[list[float]], shift: list[float]) -> HipReading:
    """The reading of a patient who was turned, mirrored, scaled and shifted as a whole."""
    linear, factor = np.array(matrix), float(np.cbrt(abs(np.linalg.det(matrix))))

    def place(point: tuple[float, ...]) -> tuple[float, float, float]:
        x, y, z = (linear @ point + shift).tolist()
        return x, y, z

    def turn(cosine: tuple[float, ...]) -> tuple[float, float, float]:
        x, y, z = (linear @ cosine / factor).tolist()
        return x, y, z

    def move_mark(mark: Mark) -> Mark:
        return Mark(place(mark.patient_mm), mark.pixel)

    def move_view(view: ReadView) -> ReadView:
        plane = view.plane
        return msgspec.structs.replace(
            view,
            plane=msgspec.structs.replace(
                plane,
                origin_mm=place(plane.origin_mm),
                row_cosine=turn(plane.row_cosine),
                column_cosine=turn(plane.column_cosine),
                row_spacing_mm=plane.row_spacing_mm * factor,
                column_spacing_mm=plane.column_spacing_mm * factor,
            ),
            rim=tuple(map(move_mark, view.rim)),
            arcs=tuple(
                NecroticArc(*(move_mark(mark) for mark in (arc.start, arc.end, arc.via)))
                for arc in view.arcs
            ),
        )

    first, second = (move_view(view) for view in reading.views if isinstance(view, ReadView))
    return msgspec.structs.replace(reading, views=(first, second))


@given(
    angles,
    angles,
    directions,
    st.floats(0.3, 3),
    st.lists(st.floats(-500, 500), min_size=3, max_size=3),
)
def test_turned_scaled_and_shifted_the_angles_stay(
    a: float, b: float, turn: float, factor: float, shift: list[float]
) -> None:
    reading = make_reading(a, b)
    c, s = factor * cos(radians(turn)), factor * sin(radians(turn))
    there = measure_draft(moved(reading, [[c, -s, 0], [s, c, 0], [0, 0, factor]], shift))
    here = measure(reading)
    assert there.cna_deg == pytest.approx(here.cna_deg, abs=2e-6)


@given(angles, angles)
def test_a_hip_and_its_mirror_image_measure_alike(a: float, b: float) -> None:
    reading = make_reading(a, b, laterality=Laterality.LEFT)
    mirrored = moved(reading, [[-1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0])
    mirrored = msgspec.structs.replace(mirrored, laterality=Laterality.RIGHT)
    assert measure(mirrored).cna_deg == pytest.approx(measure(reading).cna_deg, abs=2e-6)


@given(angles)
def test_an_arc_and_its_complement_make_360(angle: float) -> None:
    assume(abs(angle - 180) > 1e-3)
    there = measure_view(read_view(View.CORONAL, angle, start_deg=20))
    rest = measure_view(read_view(View.CORONAL, 360 - angle, start_deg=20 + angle))
    assert there.angle_deg + rest.angle_deg == pytest.approx(360, abs=2e-6)


@pytest.mark.parametrize("b_view", [View.FROG_LEG, View.CROSS_TABLE])
def test_radiographs_are_measured_by_kerboul_and_get_no_ha_grade(b_view: View) -> None:
    found = measure(make_reading(120, 100, b_view=b_view))
    assert found.method.name == "kerboul_radiograph"
    assert found.cna_deg == pytest.approx(220, abs=1e-5)
    assert (found.ha_grade, found.ha_risk, found.kerboul) == (None, None, "large")
    assert found.a is not None
    assert (found.a.plane_name, found.a_slice_offset_mm) == (None, None)


def test_a_method_for_other_images_is_refused() -> None:
    with pytest.raises(MethodError, match="kerboul_radiograph measures radiographs"):
        measure(make_reading(), METHODS["kerboul_radiograph"])


def test_without_necrosis_there_is_an_angle_and_no_category() -> None:
    """No grade, no risk, no size, no chance of one: in the value and in the row alike."""
    for normal in (make_reading(0.0, 0.0), make_reading(0.0, 0.0, b_view=View.FROG_LEG)):
        found = measure(normal)
        assert found.cna_deg == 0.0
        assert (found.ha_grade, found.ha_risk, found.kerboul) == (None, None, None)
        assert (found.grade_probability, found.risk_probability) == ((), ())
        assert found.indices.koo_kim_size is None
        row = to_row(normal, found, "a" * 64)
        assert (row["cna_deg"], row["a_status"], row["b_status"]) == (
            0.0,
            "no_necrosis",
            "no_necrosis",
        )
        names = [one.name for one in COLUMNS if one.name.startswith(("ha_", "kerboul"))]
        assert {row[name] for name in (*names, "koo_kim_size_prov")} == {None}
        assert "near_cutoff" not in str(row["flags"])


def test_a_lesion_on_one_view_or_on_other_slices_alone_has_a_grade() -> None:
    elsewhere = make_view(View.SAGITTAL, 0.0, finding=Finding.OFF_MIDSLICE)
    for hip in (
        make_reading(0.0, 20.0),
        make_reading(views=(make_view(View.CORONAL, 0.0), elsewhere)),
    ):
        found = measure(hip)
        assert not found.no_necrosis
        assert (found.ha_grade, found.ha_risk, found.kerboul) == (1, "low", "small")


def test_no_necrosis_is_zero_and_not_read_is_nothing() -> None:
    normal = measure(make_reading(0.0, 0.0))
    assert normal.cna_deg == 0.0
    assert normal.flags == ()
    assert normal.no_necrosis
    unread = measure(make_reading(100.0, None))
    assert (unread.cna_deg, unread.ha_grade, unread.kerboul, unread.indices.koo_kim_index) == (
        None,
    ) * 4
    assert unread.flags == (Flag.VIEW_NOT_READ,)
    assert unread.a is not None
    assert unread.a.angle_deg == pytest.approx(100, abs=1e-5)


def test_a_replaced_hip_is_censored() -> None:
    found = measure(make_reading(None, None, reason=UnreadReason.PROSTHESIS))
    assert found.flags == (Flag.VIEW_NOT_READ, Flag.CENSORED_BY_THA)
    assert found.cna_deg is None


def test_koo_kim_is_not_clipped() -> None:
    assert measure(make_reading(90, 120)).indices.koo_kim_index == pytest.approx(
        100 * 0.5 * 120 / 180
    )
    above = measure(make_reading(200, 190))
    assert above.indices.koo_kim_index == pytest.approx(117.28395, abs=1e-4)
    assert above.a is not None
    assert above.a.flags == (Flag.ARC_ABOVE_180,)


@pytest.mark.parametrize(
    ("how", "flag"),
    [
        ({"rim_count": 7}, Flag.FEW_RIM_POINTS),
        ({"observations": (Observation.FLATTENED,)}, Flag.COLLAPSED_FIT),
        ({"observations": (Observation.POSTOP_TRACK,)}, Flag.POSTOP_TRACK),
        ({"turn_deg": (0.0, 0.0, 25.0)}, Flag.OBLIQUE_PLANE),
        ({"turn_deg": (0.0, 0.0, 80.0)}, Flag.PLANE_NOT_OF_VIEW),
        ({"calibrated": False}, Flag.UNCALIBRATED),
    ],
)
def test_a_doubt_about_a_view_is_a_flag(how: dict[str, object], flag: Flag) -> None:
    assert measure_view(read_view(View.CORONAL, 100, **how)).flags == (flag,)
    assert measure_view(read_view(View.CORONAL, 100)).flags == ()


def test_a_stack_that_is_not_regular_is_a_flag_of_its_view() -> None:
    """As the loader's passport says it, which stands in the reading."""
    regular = StackPassport(
        kind="stack", modality="MR", split_by="", slices=20, plane="coronal", obliquity_deg=0.0,
        order_source="positions along the normal", step_mm=3.3, deviation_mm=0.0, gaps=0, missing=0,
        duplicates=0, shear_deg=0.0, shift_mm=0.0, spacing_source="PixelSpacing",
        magnification=None, coded_side=None, found_side=None, side_rule="", contrast="T1",
        fat_suppressed=False, contrast_rule="", patient_position=None, is_secondary=False,
        burned_in="not stated", charset_known=True, executable_preamble=False, decoder="native",
        refused=0,
    )  # fmt: skip
    words = "1 slice missing behind slice 7"
    lacking = msgspec.structs.replace(regular, gaps=1, missing=1, irregular=words)
    view = read_view(View.CORONAL, 100)
    for passport, flags in ((regular, ()), (lacking, (Flag.IRREGULAR_STACK,))):
        shown = msgspec.structs.replace(view, passport=passport)
        assert measure_view(shown).flags == flags


@pytest.mark.parametrize(
    ("finding", "flag"),
    [
        (Finding.NOT_SUBCHONDRAL, Flag.NOT_SUBCHONDRAL),
        (Finding.OFF_MIDSLICE, Flag.OFF_MIDSLICE),
    ],
)
def test_a_lesion_that_does_not_reach_the_surface_here_is_zero_and_flagged(
    finding: Finding, flag: Flag
) -> None:
    found = measure_view(read_view(View.SAGITTAL, 0.0, finding=finding))
    assert (found.angle_deg, found.flags) == (0.0, (flag,))


def rim_and_arcs(
    plane: ImagePlane,
    rim_directions: list[float],
    arcs: list[tuple[float, float]],
    gap_mm: float = 0,
) -> ReadView:
    """A coronal view about (70, 75) plane mm, its arcs as (start, angle), ends off by a gap."""
    centre = (70.0, 75.0)

    def marks(start: float, angle: float) -> NecroticArc:
        ends = make_rim(plane, centre, 24.0 + gap_mm, (start, start + angle))
        return NecroticArc(*ends, *make_rim(plane, centre, 24.0, (start + angle / 2,)))

    view = read_view(View.CORONAL, 100)
    return msgspec.structs.replace(
        view,
        plane=PlaneRecord.of(plane, (256, 320)),
        rim=make_rim(plane, centre, 24.0, rim_directions),
        arcs=tuple(marks(start, angle) for start, angle in arcs),
    )


def test_a_short_rim_and_ends_off_the_circle_are_flagged_and_measured() -> None:
    plane = make_plane(View.CORONAL)
    found = measure_view(
        rim_and_arcs(plane, [float(d) for d in range(0, 141, 20)], [(200, 90)], 3.5)
    )
    assert found.flags == (
        Flag.SHORT_RIM,
        Flag.EDGE_OFF_CIRCLE,
        Flag.ARC_BEYOND_RIM,
        Flag.TURNED_VIEW,
    )
    assert found.edge_gap_mm == pytest.approx(3.5)
    assert found.angle_deg == pytest.approx(90, abs=1e-5)


def test_several_arcs_are_their_union_with_the_span_beside_it() -> None:
    plane = make_plane(View.CORONAL)
    rim = [float(d) for d in range(0, 360, 30)]
    apart = measure_view(rim_and_arcs(plane, rim, [(200, 40), (260, 30)]))
    assert (apart.angle_deg, apart.span_deg) == pytest.approx((70, 90), abs=1e-5)
    assert (apart.arc_count, apart.flags) == (2, (Flag.MULTI_ARC,))
    overlapping = measure_view(rim_and_arcs(plane, rim, [(200, 40), (220, 50)]))
    assert (overlapping.angle_deg, overlapping.span_deg) == pytest.approx((70, 70), abs=1e-5)


def test_a_rough_rim_is_flagged() -> None:
    plane = make_plane(View.CORONAL)
    view = rim_and_arcs(plane, [0, 90, 180, 270], [(200, 90)])
    outside = make_rim(plane, (70.0, 75.0), 27.0, (45, 135, 225, 315))
    found = measure_view(msgspec.structs.replace(view, rim=(*view.rim, *outside)))
    assert found.flags == (Flag.ROUGH_RIM,)
    assert found.rim_rms_mm == pytest.approx(1.5, abs=0.01)


def test_marks_that_give_nothing_are_refused_naming_the_view() -> None:
    plane = make_plane(View.CORONAL)
    with pytest.raises(RimError, match="coronal view: the rim points span only"):
        measure_view(rim_and_arcs(plane, [0, 10, 20, 30, 40], [(200, 90)]))
    with pytest.raises(ArcError, match="coronal view: start and end lie"):
        measure_view(rim_and_arcs(plane, [0, 90, 180, 270], [(200, 360)]))


@pytest.mark.parametrize("offset", [-6.0, 0.0, 2.5, 4.0])
def test_the_slices_distance_from_the_centre_is_seen_by_the_other_view(offset: float) -> None:
    coronal = read_view(View.CORONAL, 100, offset_mm=offset)
    plane = coronal.plane.plane()
    found = measure(make_reading(views=(coronal, read_view(View.SAGITTAL, 80))))
    behind = offset * plane.normal[1]
    assert found.a_slice_offset_mm == pytest.approx(behind, abs=1e-6)
    assert found.b_slice_offset_mm == pytest.approx(0, abs=1e-6)
    assert (Flag.SLICE_OFF_CENTRE in found.flags) == (abs(offset) > 3)
    assert Flag.RADII_DIFFER not in found.flags


def test_views_of_two_frames_of_reference_are_not_compared() -> None:
    sagittal = read_view(View.SAGITTAL, 80)
    other = msgspec.structs.replace(sagittal.image, frame_of_reference_uid="1.2.9")
    sagittal = msgspec.structs.replace(sagittal, image=other)
    found = measure(make_reading(views=(read_view(View.CORONAL, 40), sagittal)))
    assert found.flags == (Flag.FRAMES_DIFFER,)
    assert (found.a_slice_offset_mm, found.b_slice_offset_mm) == (None, None)
    assert found.cna_deg == pytest.approx(120, abs=1e-5)


def test_heads_of_two_sizes_are_flagged() -> None:
    coronal, sagittal = read_view(View.CORONAL, 40), read_view(View.SAGITTAL, 80)
    plane = sagittal.plane.plane()
    u, v = 0.45 * (320 - 1) / 2, 0.6 * (256 - 1) / 2
    larger = msgspec.structs.replace(sagittal, rim=make_rim(plane, (u, v), 27.0))
    assert measure(make_reading(views=(coronal, larger))).flags == (Flag.RADII_DIFFER,)
    assert measure(make_reading(views=(coronal, sagittal))).flags == ()


def test_a_coronal_view_on_a_sagittal_slice_has_an_angle_and_no_lateral_direction() -> None:
    first, second = read_view(View.SAGITTAL, 100.0), read_view(View.SAGITTAL, 80.0)
    image = msgspec.structs.replace(first.image, instance_uid="1.2.3.99")
    first = msgspec.structs.replace(first, view=View.CORONAL, image=image)
    hip = measure(make_reading(views=(first, second)))
    assert hip.a is not None
    assert hip.a.angle_deg == pytest.approx(100.0, abs=1e-5)
    assert (hip.a.start_deg, hip.a.middle_deg) == (None, None)
    assert Flag.PLANE_NOT_OF_VIEW in hip.a.flags


def test_notes_that_seem_to_tell_who_somebody_is_are_a_doubt() -> None:
    for notes, is_told in (("", False), ("second look", False), ("Mrs. Miller called", True)):
        flags = measure(make_reading(notes=notes)).flags
        assert (Flag.NOTES_NAME_SOMEONE in flags) is is_told
