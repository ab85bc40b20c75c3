"""The session: every entry kept, every step undone, the same numbers as the batch road."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.session import ReadingSession

from necroangle.annotation import ReadView, UnreadView, decode_reading, encode_reading
from necroangle.errors import ReadingError
from necroangle.measurement import measure
from necroangle.terms import Finding, Flag, Observation, UnreadReason, View

MarkRim = Callable[[Case, View], None]
MarkArc = Callable[[Case, View, tuple[float, float]], None]
Point = Callable[[float], tuple[float, float]]

A, B = View.CORONAL, View.SAGITTAL


def test_a_fresh_session_has_two_views_to_do(case: Case) -> None:
    outcome = case.session.outcome()
    assert [view.missing for view in outcome.views] == ["not started", "not started"]
    assert outcome.hip.cna_deg is None
    assert Flag.VIEW_NOT_READ in outcome.hip.flags
    assert not case.session.is_unsaved


def test_the_angle_is_the_one_that_was_marked(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    for view, ends in ((A, (200.0, 320.0)), (B, (150.0, 345.0))):
        mark_rim(case, view)
        mark_arc(case, view, ends)
    outcome = case.session.outcome()
    assert outcome.is_complete
    assert outcome.hip.cna_deg == pytest.approx(120 + 195, abs=1e-5)
    assert outcome.view(B).measurement is not None
    assert Flag.ARC_ABOVE_180 in outcome.views[1].measurement.flags  # type: ignore[union-attr]


def test_what_is_missing_is_said_step_by_step(
    case: Case, mark_rim: MarkRim, circle_point: Point
) -> None:
    said = []
    for turn in (130.0, 200.0, 300.0):
        case.click(A, 2, circle_point(turn))
        said.append(case.session.outcome().views[0].missing)
    case.next_aim(A)
    for turn in (200.0, 300.0, 250.0):
        case.click(A, 2, circle_point(turn))
        said.append(case.session.outcome().views[0].missing)
    assert said == [
        "mark 2 more rim points",
        "mark 1 more rim point",
        "mark the necrotic arc, or choose what you found",
        "mark the other end of the arc",
        "mark a point between them on the necrotic side",
        "",
    ]


def test_marks_that_give_no_circle_are_a_text(case: Case) -> None:
    for u in (10.0, 20.0, 30.0):
        case.click(A, 2, (u, 10.0))
    assert "straight line" in case.session.outcome().views[0].missing


def test_a_view_is_marked_on_one_slice(case: Case, mark_rim: MarkRim) -> None:
    mark_rim(case, A)
    before = case.session.draft
    case.click(A, 3, (10.0, 10.0))
    assert case.session.draft is before
    assert "slice 3" in case.notice
    with pytest.raises(ReadingError, match="another slice"):
        case.session.place(A, Handle(Role.RIM, 9), case.pictures[A].marked_slice(1), (1.0, 1.0))


def test_a_drag_is_one_step_of_undo(case: Case, mark_rim: MarkRim) -> None:
    mark_rim(case, A)
    before = case.session.draft
    for step in range(20):
        case.drag(A, Handle(Role.RIM, 0), (30.0 + step, 30.0))
    case.session.settle()
    moved = case.session.draft
    case.session.undo()
    assert case.session.draft == before
    case.session.redo()
    assert case.session.draft == moved


def test_undo_takes_every_step_back_to_the_start(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    start = case.session.draft
    mark_rim(case, A)
    mark_arc(case, A, (200.0, 300.0))
    case.choose(A, Finding.NO_NECROSIS, 2)
    case.session.observe(A, Observation.FLATTENED, True)
    case.remove_selected(A)
    case.session.enter(notes="seen twice")
    case.clear(A)
    while case.session.can_undo:
        case.session.undo()
    assert case.session.draft == start


def test_no_necrosis_keeps_the_arc_but_does_not_count_it(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    mark_rim(case, A)
    mark_arc(case, A, (200.0, 300.0))
    case.choose(A, Finding.NO_NECROSIS, 2)
    entry = case.session.reading().views[0]
    assert isinstance(entry, ReadView)
    assert entry.arcs == ()
    assert case.session.outcome().views[0].measurement.angle_deg == 0.0  # type: ignore[union-attr]
    case.choose(A, Finding.NECROSIS, 2)
    assert case.session.outcome().views[0].measurement.angle_deg == pytest.approx(100, abs=1e-5)  # type: ignore[union-attr]


def test_two_arcs_are_measured_as_their_union(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc, circle_point: Point
) -> None:
    mark_rim(case, A)
    mark_arc(case, A, (200.0, 240.0))
    case.aim_at_new_arc(A)
    for turn in (280.0, 320.0, 300.0):
        case.click(A, 2, circle_point(turn))
    measured = case.session.outcome().views[0].measurement
    assert measured is not None
    assert measured.angle_deg == pytest.approx(80, abs=1e-5)
    assert measured.arc_count == 2


def test_an_unfinished_view_is_saved_as_not_read_and_stays_unsaved(
    case: Case, mark_rim: MarkRim
) -> None:
    mark_rim(case, A)
    reading = case.session.reading()
    assert reading.views[0] == UnreadView(A, UnreadReason.NOT_DONE)
    case.session.mark_saved("0" * 64)
    assert case.session.is_unsaved


def test_a_reading_restored_from_its_bytes_is_the_same_reading(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    mark_rim(case, A)
    mark_arc(case, A, (200.0, 300.0))
    case.choose(B, UnreadReason.NOT_READABLE, 0)
    moment = datetime(2026, 1, 31, 9, 15, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    reading = case.session.reading(moment)
    assert reading.saved_at == "2026-01-31T08:15:00.123Z"
    again = ReadingSession((A, B))
    again.restore(decode_reading(encode_reading(reading)), "0" * 64)
    assert again.reading(moment) == reading
    assert again.outcome().hip == measure(reading) == case.session.outcome().hip
    assert not again.is_unsaved


def test_restoring_over_unsaved_marks_can_be_undone(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    case.choose(A, Finding.NO_NECROSIS, 2)
    saved = case.session.reading(datetime.now(UTC))
    case.clear(A)
    mark_rim(case, A)
    mine = case.session.draft
    case.session.restore(saved, "0" * 64)
    case.session.undo()
    assert case.session.draft == mine


def test_removing_the_last_mark_frees_the_slice(case: Case, circle_point: Point) -> None:
    case.click(A, 2, circle_point(200.0))
    case.remove_selected(A)
    assert case.session.draft.view(A).on is None
    case.click(A, 3, circle_point(200.0))
    assert case.marks_index(A) == 3


def test_a_removed_arc_end_is_what_the_next_click_sets(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    mark_rim(case, A)
    mark_arc(case, A, (200.0, 300.0))
    case.selected[A] = Handle(Role.END, 0)
    case.remove_selected(A)
    assert case.aim(A) == Handle(Role.END, 0)


def test_the_other_view_is_proposed_at_the_head(case: Case, mark_rim: MarkRim) -> None:
    assert case.proposed_index(B) == 2
    case.aim_at(A, Role.RIM)
    for turn in range(120, 320, 20):
        u, v = 55.6 + 10 * math.cos(math.radians(turn)), 20 + 10 * math.sin(math.radians(turn))
        case.click(A, 2, (u, v))
    assert case.proposed_index(B) == 0


def test_listeners_hear_every_change_once(case: Case, circle_point: Point) -> None:
    heard: list[int] = []

    def listener() -> None:
        heard.append(len(case.session.draft.view(A).rim))

    case.session.listen(listener)
    case.session.listen(listener)
    case.click(A, 2, circle_point(200.0))
    case.session.unlisten(listener)
    case.click(A, 2, circle_point(220.0))
    assert heard == [1]


def test_a_new_edit_drops_what_was_undone(case: Case, circle_point: Point) -> None:
    for turn in (130.0, 200.0):
        case.click(A, 2, circle_point(turn))
    case.session.undo()
    assert case.session.can_redo
    case.click(A, 2, circle_point(300.0))
    marked = case.session.draft
    assert not case.session.can_redo
    case.session.redo()
    assert case.session.draft == marked


def test_an_outline_stays_behind_when_the_marks_move(
    case: Case, mark_rim: MarkRim, circle_point: Point
) -> None:
    """It was seen on its own slice; on another one it would be a place that nobody marked."""
    mark_rim(case, A)
    case.aim_at(A, Role.CONTOUR)
    for turn in (0.0, 90.0, 180.0):
        case.click(A, 2, circle_point(turn))
    case.session.move_to(A, case.pictures[A].marked_slice(3))
    moved = case.session.draft.view(A)
    assert len(moved.rim) == 10
    assert moved.contour == ()
    assert moved.neighbours == ()
    case.session.undo()
    assert len(case.session.draft.view(A).contour) == 3


def test_a_file_opened_on_an_untouched_session_is_its_beginning(
    case: Case, mark_rim: MarkRim, mark_arc: MarkArc
) -> None:
    for view in (A, B):
        mark_rim(case, view)
        mark_arc(case, view, (200.0, 300.0))
    fresh = ReadingSession((A, B))
    fresh.restore(case.session.reading(), "0" * 64)
    assert not fresh.can_undo
    assert not fresh.is_unsaved
    fresh.undo()
    assert fresh.draft.views == case.session.draft.views
