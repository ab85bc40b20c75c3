"""Marks at the truth of any phantom measure its true angles, whatever the geometry."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from necroangle.annotation import decode_reading, encode_reading
from necroangle.measurement import measure
from necroangle.phantom import (
    Lesion,
    PhantomHip,
    PhantomStudy,
    SeriesGeometry,
    lesion_axis,
    readings_of,
)
from necroangle.phantom.model import PATIENT_POSITIONS
from necroangle.phantom.mr import mr_series
from necroangle.phantom.truth import cut, mid_index
from necroangle.terms import Laterality, View

TOLERANCE_DEG = 0.01

tilts = st.tuples(*[st.floats(-25, 25)] * 3)
spacings = st.sampled_from([(0.5, 0.9), (0.9, 0.5), (0.7, 0.7), (1.2, 0.4)])


@st.composite
def stacks(draw: st.DrawFn, view: View) -> SeriesGeometry:
    row, column = draw(spacings)
    shift = (draw(st.floats(-5, 5)), draw(st.floats(-5, 5)), draw(st.floats(-2, 2)))
    size = {"rows": 300, "columns": 600, "slices": 31 if view is View.CORONAL else 11}
    return SeriesGeometry(view, row, column, **size, tilt_deg=draw(tilts), shift_mm=shift)


@st.composite
def hips(draw: st.DrawFn, side: Laterality) -> PhantomHip:
    """A hip whose lesion is cut by both mid slices, from 10 to 350 degrees wide."""
    sign = 1.0 if side is Laterality.LEFT else -1.0
    centre = (sign * draw(st.floats(75, 95)), draw(st.floats(-5, 5)), draw(st.floats(-5, 5)))
    axis = lesion_axis(side, draw(st.floats(-15, 15)), draw(st.floats(-15, 15)))
    half = draw(st.floats(5, 175))
    return PhantomHip(side, centre, draw(st.floats(20, 28)), (Lesion(axis, half),))


@st.composite
def studies(draw: st.DrawFn) -> PhantomStudy:
    return PhantomStudy(
        "ANY",
        (draw(hips(Laterality.RIGHT)), draw(hips(Laterality.LEFT))),
        draw(stacks(View.CORONAL)),
        draw(stacks(View.SAGITTAL)),
        patient_position=draw(st.sampled_from(PATIENT_POSITIONS)),
    )


def true_angles_deg(study: PhantomStudy) -> dict[tuple[Laterality, View], float]:
    """The exact angle on each hip's mid slices, by the phantom's own closed form."""
    angles = {}
    for hip in study.hips:
        for series in mr_series(study):
            if series.laterality in (None, hip.laterality):
                slices = [cut(hip, plane) for plane in series.planes]
                truth = slices[mid_index(slices)].angle_deg
                assert truth is not None
                angles[hip.laterality, series.geometry.view] = truth
    return angles


@settings(max_examples=150, deadline=None)
@given(studies())
def test_every_view_of_every_phantom_measures_its_truth(study: PhantomStudy) -> None:
    truths = true_angles_deg(study)
    assume(all(10 <= truth <= 350 for truth in truths.values()))
    for reading in readings_of(study):
        found = measure(decode_reading(encode_reading(reading)))
        for view in (found.a, found.b):
            assert view is not None
            truth = truths[reading.laterality, view.view]
            assert view.angle_deg == pytest.approx(truth, abs=TOLERANCE_DEG)
