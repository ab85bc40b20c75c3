"""Several marked slices through the whole measurement: centre plane, largest slice, dead share."""

import math

import msgspec
import numpy as np
import pytest
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
from necroangle.errors import MethodError
from necroangle.measurement import METHODS, Settings, measure
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
from necroangle.terms import Finding, Flag, Laterality, View

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
    assert found.a.angle_deg == pytest.approx(max(around), abs=0.01)
    assert found.a.angle_deg > mid.a.angle_deg + 5
    assert abs(found.a.slice_shift_mm) > 3
    assert mid.a.slice_shift_mm == 0


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


def test_the_centre_plane_needs_one_frame_of_reference() -> None:
    reading = make_reading(100.0, 80.0)
    second = reading.views[1]
    assert isinstance(second, ReadView)
    image = msgspec.structs.replace(second.image, frame_of_reference_uid="1.9")
    moved = msgspec.structs.replace(second, image=image)
    with pytest.raises(MethodError, match="one frame of reference"):
        measure(make_reading(views=(reading.views[0], moved)), CENTRE)


def test_settings_do_not_change_the_centre_of_the_centre_plane() -> None:
    reading = with_neighbours(study(15, 5, 55, 0.7, 3.6), 1)
    joint = measure(reading, CENTRE, Settings(centre="sphere"))
    assert joint.cna_deg == measure(reading, CENTRE).cna_deg
