"""The window says what makes the error smaller while there is time for it."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Role
from napari_necroangle.reading.followup import followed_of
from napari_necroangle.reading.guidance import guide_line, rim_gain
from napari_necroangle.reading.steps import Flow, Step, slice_check

from necroangle.annotation import HipReading, load_reading
from necroangle.batch.other_visits import Earlier, StudyRules
from necroangle.batch.study_settings import Measuring
from necroangle.geometry import PatientPoints
from necroangle.measurement import method_named
from necroangle.terms import View

A, B = View.CORONAL, View.SAGITTAL
HEAD_MM = np.zeros(3)


def mark_head(case: Case, view: View, index: int, span_deg: float = 240.0, count: int = 10) -> None:
    """Click the rim of a head of 20 mm about the patient's origin, as a slice cuts it."""
    picture = case.pictures[view]
    plane = picture.volume.planes[index]
    away = float(plane.distance_mm(PatientPoints(HEAD_MM[None]))[0])
    u, v = plane.patient_to_plane(PatientPoints(HEAD_MM[None]))[0].tolist()
    radius = (20.0**2 - away**2) ** 0.5
    for turn in np.radians(np.linspace(-span_deg / 2, span_deg / 2, count) - 90.0):
        case.click(view, index, (u + radius * np.cos(turn), v + radius * np.sin(turn)))


@pytest.fixture
def earlier(samples: Path) -> HipReading:
    return msgspec.structs.replace(
        load_reading(samples / "readings" / "PHANTOM-04__R__baseline__truth__1.reading.json"),
        reader="r1",
    )


def test_at_a_follow_up_the_slice_at_the_earlier_offset_is_offered(
    case: Case, earlier: HipReading
) -> None:
    """Slices lie at -8, -4, 0, 4 and 8 mm; the earlier ones lay 1 mm before and 0.4 mm beside."""
    found = Earlier.of(earlier)
    case.followed = followed_of(found, "r1", StudyRules())
    assert case.followed is not None
    assert case.followed.offsets_mm == (
        found.measurement.a_slice_offset_mm,
        found.measurement.b_slice_offset_mm,
    )
    mark_head(case, A, 3)
    mark_head(case, B, 2)
    check = slice_check(case, A)
    assert check is not None
    assert check.wanted_mm == pytest.approx(-1.0, abs=0.01)
    assert check.offset_mm == pytest.approx(4.0)
    assert check.best_offset_mm == pytest.approx(0.0)
    flow = Flow(case)
    flow.go_to(Step.SLICES)
    told = guide_line(flow, A, ())
    said = re.search(r"nearest to baseline, .* change is (\d+)° in place of (\d+)°", told)
    assert said, told
    there, here = (case.followed.limit_deg((one, 0.0)) for one in (0.0, 4.0))
    assert there is not None
    assert here is not None
    assert [int(one) for one in said.groups()] == [round(there), round(here)]
    assert there < 0.85 * here
    flow.move_to_best(A)
    assert "nearest to baseline (coronal 1.0 mm before" in guide_line(flow, A, ())


def test_between_two_readers_no_change_is_foreseen(case: Case, earlier: HipReading) -> None:
    case.followed = followed_of(Earlier.of(earlier), "lee", StudyRules())
    assert case.followed is not None
    mark_head(case, A, 3)
    mark_head(case, B, 2)
    flow = Flow(case)
    flow.go_to(Step.SLICES)
    told = guide_line(flow, A, ())
    assert "the earlier one 1.0 mm before it; slice 3 is the nearest" in told
    assert "real change" not in told


def test_a_farther_earlier_slice_is_not_met(case: Case, earlier: HipReading) -> None:
    """What lay too far off the centre then is no slice to read on now."""
    found = followed_of(Earlier.of(earlier), "r1", StudyRules())
    assert found is not None
    for offset, wanted in ((2.9, 2.9), (-6.0, 0.0)):
        case.followed = type(found)("m00", (offset, None), found.limit_deg)
        assert case.wanted_mm(A) == wanted
        assert case.wanted_mm(B) == 0.0


def test_what_more_of_the_rim_gains_is_said_while_it_is_marked(case: Case) -> None:
    mark_head(case, A, 2, span_deg=130.0)
    short = rim_gain(case.session, A)
    more, now = map(int, re.findall(r"±(\d+)°", short))
    assert short.startswith("50° more: ")
    assert more + 3 < now
    assert f"is uncertain ({short}). Click more" in guide_line(_rim_flow(case), A, ())
    case.clear(A)
    mark_head(case, A, 2, span_deg=170.0)
    longer = rim_gain(case.session, A)
    assert f"170° round; {longer}. Drag one" in guide_line(_rim_flow(case), A, ())
    case.clear(A)
    mark_head(case, A, 2, span_deg=320.0)
    assert rim_gain(case.session, A) == "", "there is hardly more to gain"


def _rim_flow(case: Case) -> Flow:
    flow = Flow(case)
    flow.go_to(Step.HEAD_A)
    return flow


def test_a_neighbour_is_asked_for_where_the_views_foretell_a_steep_slope(
    case: Case, earlier: HipReading
) -> None:
    """The same marks are fine where the slice goes through the head's centre."""
    tilted = [_steep(case, index) for index in (2, 3)]
    assert "mark the next slice" not in tilted[0]
    assert re.search(r"Coronal: about \d+° a mm are foretold here, 4\.0 mm off", tilted[1])


def _steep(case: Case, index: int) -> str:
    """Mark a lesion far to the front, the coronal view on a slice."""
    for view, at, middle_deg in ((A, index, -90.0), (B, 2, -130.0)):
        case.clear(view)
        mark_head(case, view, at, 300.0, 14)
        mark_arc(case, view, at, middle_deg)
    return told_at_the_end(case)


def test_a_third_rim_is_asked_for_where_the_centre_plane_is_measured(case: Case) -> None:
    case.session.measure_by(Measuring(method_named("centre_plane")))
    for view in (A, B):
        mark_head(case, view, 2, 300.0, 14)
        mark_arc(case, view, 2, -100.0)
    assert "third" not in told_at_the_end(case)
    case.mark_beside(True)
    for index, rims in ((3, 2), (1, 3)):
        for view in (A, B):
            case.see(view, index)
            case.aim_at(view, Role.RIM)
            mark_head(case, view, index, 300.0, 14)
            case.next_aim(view)
            mark_arc(case, view, index, -100.0)
        assert case.session.outcome().hip.method.name == "centre_plane"
        told = told_at_the_end(case)
        assert ("Coronal: 2 rims; a third, two slices from the first, tells" in told) == (rims < 3)


def mark_arc(case: Case, view: View, index: int, middle_deg: float) -> None:
    plane = case.pictures[view].volume.planes[index]
    u, v = plane.patient_to_plane(PatientPoints(HEAD_MM[None]))[0].tolist()
    case.next_aim(view)
    for turn in np.radians((middle_deg - 45, middle_deg + 45, middle_deg)):
        case.click(view, index, (u + 19.6 * np.cos(turn), v + 19.6 * np.sin(turn)))


def told_at_the_end(case: Case) -> str:
    flow = Flow(case)
    flow._at = Step.SAVE
    return guide_line(flow, A, ())
