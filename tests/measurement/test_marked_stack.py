"""Several marked slices through the whole measurement: centre plane, largest slice, dead share."""

import math
from typing import TypeVar

import msgspec
import numpy as np
import pytest
from doubtinghand import Case, read_stacks
from hipmaker import make_reading
from hypothesis import given, settings
from hypothesis import strategies as st

from necroangle.annotation import (
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    UnreadView,
    decode_reading,
    encode_reading,
)
from necroangle.errors import MethodError, RimError
from necroangle.geometry import PlanePoints
from necroangle.measurement import METHODS, Settings, measure
from necroangle.measurement.arcs import covered_deg
from necroangle.measurement.measuring import measure_batch
from necroangle.phantom import (
    Lesion,
    PhantomHip,
    PhantomStudy,
    SeriesGeometry,
    lesion_axis,
    readings_of,
)
from necroangle.phantom.mr import MrSeries, mr_series
from necroangle.phantom.truth import cap_union_deg, cut
from necroangle.terms import Finding, Flag, Laterality, UnreadReason, View

CENTRE = METHODS["centre_plane"]


def study(
    anterior: float, lateral: float, half: float, shift: float, thickness: float
) -> PhantomStudy:
    """A right hip whose lesion is tilted, in stacks shifted against the head."""
    hips = tuple(
        PhantomHip(
            side, (x, 3.0, -2.0), 24.0, (Lesion(lesion_axis(side, anterior, lateral), half),)
        )
        for side, x in ((Laterality.RIGHT, -86.0), (Laterality.LEFT, 86.0))
    )
    return PhantomStudy(
        "STACK",
        (hips[0], hips[1]),
        SeriesGeometry(
            View.CORONAL, 0.6, 0.8, 300, 600, slices=15, thickness_mm=thickness,
            shift_mm=(0.0, 0.0, shift + 3.0),
        ),
        SeriesGeometry(
            View.SAGITTAL, 0.6, 0.8, 300, 600, slices=15, thickness_mm=thickness,
            shift_mm=(0.0, 0.0, -shift),
        ),
    )  # fmt: skip


def with_neighbours(phantom: PhantomStudy, reach: int) -> HipReading:
    """The right hip's reading with the slices beside the mid slice marked too."""
    hip = phantom.hips[0]
    reading = readings_of(phantom)[0]
    all_series = [one for one in mr_series(phantom) if one.laterality in (None, hip.laterality)]
    views = []
    for view, series in zip(reading.views, all_series, strict=True):
        assert isinstance(view, ReadView)
        uids = [series.source(index).instance_uid for index in range(len(series.planes))]
        middle = uids.index(view.image.instance_uid)
        beside = [i for i in range(middle - reach, middle + reach + 1) if i != middle]
        slices = [neighbour(hip, series, index) for index in beside if 0 <= index < len(uids)]
        views.append(msgspec.structs.replace(view, neighbours=tuple(one for one in slices if one)))
    first, second = views
    return msgspec.structs.replace(reading, views=(first, second))


def neighbour(hip: PhantomHip, series: MrSeries, index: int) -> NeighbourSlice | None:
    plane = series.planes[index]
    truth = cut(hip, plane)
    if truth.centre_mm is None:
        return None
    arcs = tuple(
        NecroticArc(*(Mark.at_patient(plane, p) for p in (arc.start_mm, arc.end_mm, arc.via_mm)))
        for arc in truth.arcs
    )
    turns = np.radians(np.arange(0, 240, 30))
    centre = Mark.at_patient(plane, truth.centre_mm).pixel
    u, v = centre[1] * plane.column_spacing_mm, centre[0] * plane.row_spacing_mm
    rim = tuple(
        Mark.at_plane(
            plane, u + truth.radius_mm * math.cos(turn), v + truth.radius_mm * math.sin(turn)
        )
        for turn in turns
    )
    return NeighbourSlice(
        image=ImageRecord.of(series.source(index)),
        plane=PlaneRecord.of(plane, (300, 600)),
        rim=rim,
        arcs=arcs,
    )


tilts = st.floats(-25, 25)
Slice = TypeVar("Slice", ReadView, NeighbourSlice)


@settings(max_examples=40, deadline=None)
@given(tilts, tilts, st.floats(35, 62), st.floats(-2, 2), st.floats(3, 4))
def test_the_centre_plane_is_found_wherever_the_slices_lie(
    anterior: float, lateral: float, half: float, shift: float, thickness: float
) -> None:
    phantom = study(anterior, lateral, half, shift, thickness)
    reading = decode_reading(encode_reading(with_neighbours(phantom, 1)))
    found = measure(reading, CENTRE)
    hip = phantom.hips[0]
    for measured, series in zip((found.a, found.b), mr_series(phantom), strict=False):
        assert measured is not None
        plane = series.planes[0]
        axes = np.array((plane.row_cosine, plane.column_cosine, plane.normal))
        truth = sum(high - low for low, high in cap_union_deg(hip, 0.0, axes))
        assert measured.angle_deg == pytest.approx(truth, abs=0.01)
        assert Flag.NOT_BRACKETED not in measured.flags
    assert found.cna is not None
    assert found.cna.se > 0
    assert Flag.SPHERE_CENTRE not in found.flags


def test_the_dead_share_is_that_of_the_cap() -> None:
    phantom = study(15, 5, 55, 0.7, 3.6)
    found = measure(with_neighbours(phantom, 7))
    truth = (1 - math.cos(math.radians(55))) / 2
    for view in (found.a, found.b):
        assert view is not None
        assert view.surface_share == pytest.approx(truth, rel=0.03)
        assert Flag.LESION_NOT_COVERED not in view.flags


def test_slices_that_do_not_cover_the_lesion_give_a_lower_bound_and_a_flag() -> None:
    phantom = study(15, 5, 55, 0.7, 3.6)
    found = measure(with_neighbours(phantom, 1)).a
    assert found is not None
    assert Flag.LESION_NOT_COVERED in found.flags
    assert found.surface_share is not None
    assert found.surface_share < (1 - math.cos(math.radians(55))) / 2


def test_neighbours_change_nothing_in_the_default_method() -> None:
    phantom = study(15, 5, 55, 0.7, 3.6)
    bare, full = measure(readings_of(phantom)[0]), measure(with_neighbours(phantom, 2))
    assert bare.cna_deg == full.cna_deg
    assert bare.cna is not None
    assert full.cna is not None
    assert full.cna.se_marking == bare.cna.se_marking
    assert full.cna.se < bare.cna.se, "they tell the slope, which else is a prior"
    assert bare.a is not None
    assert bare.a.surface_share is None


def test_the_largest_slice_is_chosen_and_its_place_told() -> None:
    phantom = study(25, 0, 45, 0.0, 4.0)
    reading = with_neighbours(phantom, 3)
    found, mid = measure(reading, METHODS["largest_slice"]), measure(reading)
    assert found.a is not None
    assert mid.a is not None
    slices = [cut(phantom.hips[0], plane) for plane in mr_series(phantom)[0].planes]
    around = [slices[i].angle_deg or 0.0 for i in range(len(slices))]
    view = reading.views[0]
    assert isinstance(view, ReadView)
    assert found.a.arcs[0].angle_deg == pytest.approx(max(around), abs=0.01)
    assert max(around) - 1 < found.a.angle_deg < max(around), "the largest of several is too large"
    assert found.a.angle_deg > mid.a.angle_deg + 5
    assert abs(found.a.slice_shift_mm) > 3
    assert mid.a.slice_shift_mm == 0


@pytest.mark.parametrize("method", ["centre_plane", "largest_slice"])
def test_the_head_lies_in_the_patient_where_the_measured_plane_has_it(method: str) -> None:
    """Not on the view's own slice, which lies beside it."""
    phantom = study(25, 0, 45, 2.2, 4.0)
    reading = with_neighbours(phantom, 3)
    found = measure(reading, METHODS[method])
    for view, one in zip(reading.views, (found.a, found.b), strict=True):
        assert isinstance(view, ReadView)
        assert one is not None
        assert one.circle is not None
        plane = view.plane.plane()
        on_it = one.lies_on(plane).plane_to_patient(PlanePoints(np.array([one.circle.centre_mm])))
        assert on_it[0] == pytest.approx(one.centre_mm, abs=1e-9)
        off_mm = plane.distance_mm(on_it)[0]
        assert off_mm == pytest.approx(one.slice_shift_mm, abs=1e-9)
        if method == "centre_plane":
            assert one.centre_mm == pytest.approx(phantom.hips[0].centre_mm, abs=0.02)
        else:
            away = np.array(one.centre_mm) - phantom.hips[0].centre_mm
            assert np.linalg.norm(np.cross(away, plane.normal)) < 0.02
    assert found.a is not None
    assert abs(found.a.slice_shift_mm) > 0.8


def test_the_largest_of_slices_that_show_one_angle_is_not_too_large() -> None:
    hips = read_stacks(Case("alike", half_deg=(50.0, 60.0)), 300, 5, 4)
    found = measure_batch(hips.batch, METHODS["largest_slice"], judged=False)
    marked = covered_deg(found.angles.arcs, len(found.batch.own))
    truth = hips.truth_deg.ravel()
    assert np.mean(marked - truth) > 1.5
    assert abs(np.mean(found.views.angle.value - truth)) < 0.7
    assert np.std(found.views.angle.value - truth) <= np.std(marked - truth)


def test_one_slice_alone_is_told_by_the_centre_plane() -> None:
    found = measure(readings_of(study(10, 5, 50, 1.2, 3.5))[0], CENTRE)
    assert found.a is not None
    assert Flag.NOT_BRACKETED in found.a.flags


def test_a_normal_hip_and_one_without_rims_are_zero() -> None:
    normal = make_reading(0.0, 0.0)
    assert measure(normal, CENTRE).cna_deg == 0.0
    bare = [
        msgspec.structs.replace(view, rim=(), finding=Finding.NO_NECROSIS)
        for view in normal.views
        if not isinstance(view, UnreadView)
    ]
    reading = make_reading(views=(bare[0], bare[1]))
    assert measure(reading, CENTRE).cna_deg == 0.0


def in_two_frames(reading: HipReading) -> HipReading:
    second = reading.views[1]
    assert isinstance(second, ReadView)
    image = msgspec.structs.replace(second.image, frame_of_reference_uid="1.9")
    moved = msgspec.structs.replace(second, image=image)
    return msgspec.structs.replace(reading, views=(reading.views[0], moved))


def test_two_frames_of_reference_need_a_second_rim_of_each_stack() -> None:
    with pytest.raises(MethodError, match="rim on two slices of each stack"):
        measure(in_two_frames(make_reading(100.0, 80.0)), CENTRE)


def test_two_rims_of_a_stack_tell_the_centre_plane_without_the_other_view() -> None:
    reading = with_neighbours(study(15, 5, 55, 0.7, 3.6), 1)
    whole, apart = measure(reading, CENTRE), measure(in_two_frames(reading), CENTRE)
    assert apart.cna_deg == pytest.approx(whole.cna_deg, abs=1e-3)
    assert apart.a is not None
    assert apart.a.moved_mm is None
    for one in reading.views:
        assert isinstance(one, ReadView)
    alone = (reading.views[0], UnreadView(View.SAGITTAL, UnreadReason.NOT_DONE))
    single = measure(msgspec.structs.replace(reading, views=alone), CENTRE).a
    assert single is not None
    assert single.angle_deg == pytest.approx(apart.a.angle_deg, abs=1e-3)


def test_one_view_with_one_rim_has_no_centre_plane() -> None:
    reading = make_reading(100.0, 80.0)
    alone = (reading.views[0], UnreadView(View.SAGITTAL, UnreadReason.NOT_DONE))
    with pytest.raises(RimError, match="on one slice alone"):
        measure(msgspec.structs.replace(reading, views=alone), CENTRE)


@settings(max_examples=20, deadline=None)
@given(tilts, st.floats(40, 60), st.floats(-2, 2), st.sampled_from((View.CORONAL, View.SAGITTAL)))
def test_a_patient_who_moved_between_the_series_keeps_both_angles(
    tilt: float, half: float, shift: float, moved: View
) -> None:
    reading = with_neighbours(study(tilt, 10, half, shift, 3.5), 1)
    side = [one.view for one in reading.views].index(moved)
    there = measure(reading, CENTRE)
    for by_mm in (3.0, -3.0):
        shifted = along_the_normal(reading, side, by_mm)
        found = measure(shifted, CENTRE)
        for one, other in ((found.a, there.a), (found.b, there.b)):
            assert one is not None
            assert other is not None
            assert one.angle_deg == pytest.approx(other.angle_deg, abs=0.3)
        view = (found.a, found.b)[side]
        assert view is not None
        assert Flag.HEAD_MOVED in view.flags
        assert view.moved_mm is not None
        facing = 1.0 if facing_normal(reading, side) else -1.0
        assert view.moved_mm.value == pytest.approx(facing * by_mm, abs=0.05)


def facing_normal(reading: HipReading, side: int) -> bool:
    """Whether the slices' normal looks behind, or to the patient's left."""
    view = reading.views[side]
    assert isinstance(view, ReadView)
    normal = view.plane.plane().normal
    return bool(normal[np.argmax(np.abs(normal))] > 0)


def along_the_normal(reading: HipReading, side: int, by_mm: float) -> HipReading:
    """One view and its marks, moved along its normal."""
    view = reading.views[side]
    assert isinstance(view, ReadView)
    step = by_mm * np.array(view.plane.plane().normal)

    def move(plane: PlaneRecord) -> PlaneRecord:
        origin = tuple((np.array(plane.origin_mm) + step).tolist())
        return msgspec.structs.replace(plane, origin_mm=origin)

    def mark(one: Mark, plane: PlaneRecord) -> Mark:
        return Mark.at_pixel(plane.plane(), *one.pixel)

    def part(one: Slice) -> Slice:
        plane = move(one.plane)
        return msgspec.structs.replace(
            one,
            plane=plane,
            rim=tuple(mark(each, plane) for each in one.rim),
            arcs=tuple(
                NecroticArc(*(mark(each, plane) for each in (arc.start, arc.end, arc.via)))
                for arc in one.arcs
            ),
        )

    whole = msgspec.structs.replace(
        part(view), neighbours=tuple(part(one) for one in view.neighbours)
    )
    views = list(reading.views)
    views[side] = whole
    return msgspec.structs.replace(reading, views=(views[0], views[1]))


def test_settings_do_not_change_the_centre_of_the_centre_plane() -> None:
    reading = with_neighbours(study(15, 5, 55, 0.7, 3.6), 1)
    joint = measure(reading, CENTRE, Settings(centre="sphere"))
    assert joint.cna_deg == measure(reading, CENTRE).cna_deg
