"""Letters and lines: what is drawn is what was measured."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.drawing import drawing_of
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.reading.texts import (
    canvas_title,
    doubts,
    grade_lines,
    instruction,
    interval_line,
    offset_words,
)

from necroangle.geometry import Circle, arc_polyline
from necroangle.phantom import readings_of, sample_studies
from necroangle.terms import Finding, Laterality, UnreadReason, View

MarkRim = Callable[[Case, View], None]
MarkArc = Callable[[Case, View, tuple[float, float]], None]


@given(st.floats(0, 360), st.floats(-359, 359).filter(lambda extent: abs(extent) > 1e-3))
def test_a_drawn_arc_lies_on_its_circle_from_end_to_end(start: float, extent: float) -> None:
    circle = Circle((12.0, -7.0), 24.0)
    points = arc_polyline(circle, start, extent) - circle.centre_mm
    assert np.allclose(np.hypot(*points.T), 24.0)
    turns = np.unwrap(np.arctan2(points[:, 1], points[:, 0]))
    assert math.degrees(turns[-1] - turns[0]) == pytest.approx(extent, abs=1e-6)


def test_the_drawing_of_a_view_is_its_measurement(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    nothing = drawing_of(None, ())
    assert [len(part) for part in (nothing.circle, nothing.rays, nothing.arcs)] == [0, 0, 0]
    mark_rim(case, View.CORONAL)
    mark_arc(case, View.CORONAL, (150.0, 345.0))
    outcome = case.session.outcome().views[0]
    drawing = drawing_of(outcome.circle, outcome.arcs)
    lengths = np.hypot(*(drawing.arcs[:, 1] - drawing.arcs[:, 0]).T)
    assert lengths.sum() == pytest.approx(math.radians(195) * 20, rel=1e-3)
    assert outcome.circle is not None
    assert np.allclose(drawing.rays[:, 0], outcome.circle.centre_mm)
    ends = [drawing.arcs[0, 0], drawing.arcs[-1, 1]]
    assert np.allclose(drawing.rays[:, 1], ends)


def test_words_say_the_angle_and_the_next_step(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    view = View.CORONAL

    def said() -> str:
        outcome = case.session.outcome().view(view)
        return instruction(case.session.draft.view(view), outcome, case.aim(view))

    assert "in one drag" in said()
    case.click(view, 2, (40.0, 20.0))
    assert "1 of 8" in said()
    case.session.undo()
    mark_rim(case, view)
    assert "10 rim points" in said()
    corner = canvas_title(view, 2, 11, case.session.outcome().view(view))
    assert corner == "Coronal 3 / 11\nrim 180° round, fit 0.0 mm"
    mark_arc(case, view, (200.0, 295.0))
    assert said().startswith("Done")
    title = canvas_title(view, 5, 11, case.session.outcome().view(view))
    assert title == "Coronal 6 / 11\nA = 95.0°"
    case.choose(View.SAGITTAL, Finding.NO_NECROSIS, 2)
    outcome = case.session.outcome()
    assert grade_lines(outcome) == ("Grade 1 (> 99 %)", "low risk of collapse")
    assert interval_line(outcome).startswith("95 % interval: 8")
    assert doubts(outcome) == ()
    case.choose(view, UnreadReason.NOT_READABLE, 2)
    assert said() == "This view is left unread."
    assert grade_lines(case.session.outcome()) == ("", "")


def test_the_offsets_of_the_slices_are_said_in_words() -> None:
    session = ReadingSession((View.CORONAL, View.SAGITTAL), laterality=Laterality.RIGHT)
    reading = readings_of(sample_studies()["oblique"])[1]
    session.restore(reading, "0" * 64)
    judge = session.outcome().hip.judge
    assert judge is not None
    assert offset_words(View.CORONAL, judge.a_offset_mm) == "1.9 mm before"
    assert offset_words(View.SAGITTAL, judge.b_offset_mm) == "1.4 mm right of"
