"""What is foreseen of an error is what the error turns out to be."""

from dataclasses import replace

import numpy as np
import pytest
from doubtinghand import ROWS, Case, read_hips
from hipmaker import make_reading, make_view
from numpy.typing import NDArray

from necroangle.annotation import ReadView
from necroangle.geometry import ImagePlane
from necroangle.measurement import HipMeasurement, change_between, measure, measure_many
from necroangle.measurement.change import pair_read
from necroangle.measurement.foresight import (
    STEEP_DEG,
    SeenRim,
    foreseen_change_deg,
    foreseen_reach_deg,
    steep_views,
)
from necroangle.phantom import Lesion, PhantomHip, PhantomStudy, SeriesGeometry, lesion_axis
from necroangle.phantom.readings import readings_of
from necroangle.phantom.truth import cut
from necroangle.protocol.noise import EndNoise
from necroangle.terms import Laterality, View


@pytest.mark.parametrize("case", [ROWS[0], ROWS[1], ROWS[2]], ids=lambda case: case.name)
def test_the_reach_of_a_rim_is_foreseen(case: Case) -> None:
    """Of a round head on its centre, beside what 200 readings with such rims are said to have."""
    (hips,) = read_hips(case, 200, 4)
    low, high = measure_many(hips.readings).cna_bounds
    rim = SeenRim(case.marks[0], case.span_deg[0])
    assert foreseen_reach_deg([rim, rim]) == pytest.approx(np.mean(high - low) / 2, rel=0.15)


def test_more_of_a_rim_gains_and_more_marks_hardly_do() -> None:
    rim = SeenRim(12, 130.0)
    now, longer = (foreseen_reach_deg([one] * 2) for one in (rim, rim.longer(50.0)))
    assert rim.longer(50.0).span_deg == 180.0
    assert now - longer > 3.0
    assert now - foreseen_reach_deg([SeenRim(24, 130.0)] * 2) < 0.5 * (now - longer)
    assert foreseen_reach_deg([rim.longer(50.0)] * 2, EndNoise(2.0, 1.0, 5.0, "x")) > 1.5 * longer
    assert foreseen_reach_deg([SeenRim(12, 130.0, rms_mm=1.5)] * 2) > now


@pytest.mark.parametrize(("first", "later"), [(0.0, 0.0), (3.0, 2.5), (3.0, -1.0), (-2.0, 2.0)])
def test_the_smallest_real_change_is_foreseen(first: float, later: float) -> None:
    """That of the pair, once the later visit is read on slices at those distances."""

    def hip(offset_mm: float, visit: str) -> HipMeasurement:
        coronal = make_view(View.CORONAL, 100.0, offset_mm=offset_mm)
        return measure(make_reading(views=(coronal, make_view(View.SAGITTAL, 90.0)), visit=visit))

    before, after = hip(first, "m00"), hip(later, "m12")
    read = pair_read(before)
    assert read is not None
    offsets = after.a_slice_offset_mm, after.b_slice_offset_mm
    expected = change_between(before, after).mdc95_deg
    assert expected is not None
    assert foreseen_change_deg(read, offsets) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("front_deg", "out_deg", "count"), [(30.0, 5.0, 1), (16.0, 28.0, 2), (6.0, 3.0, 0)]
)
def test_a_steep_view_is_foretold_by_the_other(
    front_deg: float, out_deg: float, count: int
) -> None:
    """Of a cap, beside what the marked slice and one through the head's centre truly show."""
    side, away_mm = Laterality.LEFT, 2.5
    lesion = Lesion(lesion_axis(side, front_deg, out_deg), 50.0)
    hip = PhantomHip(side, (87.0, 0.0, 0.0), 24.0, (lesion,))
    coronal, sagittal = (
        SeriesGeometry(view, 0.7, 0.7, slices=1, shift_mm=(shift, 0.0, away_mm))
        for view, shift in ((View.CORONAL, 87.0), (View.SAGITTAL, 0.0))
    )
    other = PhantomHip(Laterality.RIGHT, (-87.0, 0.0, 0.0), 24.0)
    study = PhantomStudy("STEEP", (other, hip), coronal, sagittal)
    (reading,) = (one for one in readings_of(study) if one.laterality is side)
    found = {one.view: one for one in steep_views(measure(reading))}
    assert len(found) == count
    for entry in reading.views:
        assert isinstance(entry, ReadView)
        plane = entry.plane.plane()
        at_centre = _moved(plane, -away_mm * np.array(plane.normal))
        angles = [cut(hip, one).angle_deg or 0.0 for one in (plane, at_centre)]
        change = abs(angles[0] - angles[1])
        if entry.view in found:
            steep = found[entry.view]
            assert abs(steep.offset_mm) == pytest.approx(away_mm, abs=0.1)
            assert abs(steep.slope_deg_mm * steep.offset_mm) == pytest.approx(change, rel=0.35)
        else:
            assert change < 1.35 * STEEP_DEG


def _moved(plane: ImagePlane, by_mm: NDArray[np.float64]) -> ImagePlane:
    x, y, z = (np.array(plane.origin_mm) + by_mm).tolist()
    return replace(plane, origin_mm=(x, y, z))
