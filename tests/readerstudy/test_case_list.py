"""The list with its statuses: wash-out, locks, lost files, clocks, and who may see what."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from necroangle.annotation import HipReading, encode_reading, file_name
from necroangle.batch.other_visits import earlier_readings
from necroangle.errors import ReadingError
from necroangle.readerstudy import (
    ListedCase,
    Status,
    Worklist,
    case_list,
    clock_doubt,
    conduct_of,
    next_case,
    progress_of,
    reading_list,
)
from necroangle.terms import View

MakeStudy = Callable[..., Worklist]
MakeReading = Callable[..., HipReading]

LATE = date(2026, 12, 31)


@pytest.fixture
def study(make_study: MakeStudy) -> Worklist:
    return make_study(washout_days=14)


@pytest.fixture
def first_session(study: Worklist, read_case: MakeReading) -> list[HipReading]:
    """Every case of r1's first session, the last one submitted on the 10th."""
    listed = [one for one in reading_list(study, "r1") if one.session == 1]
    readings = [read_case(study, one) for one in listed]
    readings[3] = read_case(study, listed[3], day="2026-02-10")
    return readings


def statuses(items: object) -> list[str]:
    return [item.status.value for item in items]  # type: ignore[attr-defined]


def test_at_the_start_the_second_session_is_locked(study: Worklist) -> None:
    items = case_list(study, "r1", LATE, [])
    assert statuses(items) == ["open"] * 16 + ["locked"] * 8
    assert items[-1].words == "opens after the first session"
    progress = progress_of(items)
    assert (progress.total, progress.submitted, progress.to_read, progress.locked) == (24, 0, 16, 8)
    assert progress.fraction == 0


@pytest.mark.parametrize(
    ("today", "status"),
    [(date(2026, 2, 10), "locked"), (date(2026, 2, 23), "locked"), (date(2026, 2, 24), "open")],
)
def test_the_second_session_opens_after_the_wash_out(
    study: Worklist, first_session: list[HipReading], today: date, status: str
) -> None:
    items = case_list(study, "r1", today, first_session)
    assert statuses(items) == ["submitted"] * 16 + [status] * 8
    opens = date(2026, 2, 24) if status == "locked" else None
    assert progress_of(items).opens_on == opens


def test_a_clock_set_back_opens_nothing_and_is_told(
    study: Worklist, first_session: list[HipReading]
) -> None:
    items = case_list(study, "r1", date(2020, 1, 1), first_session)
    assert progress_of(items).locked == 8
    assert "2026-02-10" in clock_doubt(first_session, date(2020, 1, 1))
    assert clock_doubt(first_session, date(2026, 2, 10)) == ""


def test_a_reopened_case_puts_the_second_session_off(
    study: Worklist, first_session: list[HipReading]
) -> None:
    conduct = msgspec.structs.replace(first_session[0].conduct, submitted=False)
    first_session[0] = msgspec.structs.replace(first_session[0], conduct=conduct)
    items = case_list(study, "r1", LATE, first_session)
    assert items[0].words == "begun"
    assert progress_of(items).locked == 8


def test_what_was_begun_in_the_second_session_can_be_ended(
    study: Worklist, first_session: list[HipReading], read_case: MakeReading
) -> None:
    last = reading_list(study, "r1")[-1]
    begun = read_case(study, last, day="2026-03-01", submitted=False)
    items = case_list(study, "r1", LATE, [*first_session[1:], begun])
    assert items[-1].status is Status.OPEN
    assert items[-2].status is Status.LOCKED


def test_a_lost_file_is_missing_not_open(study: Worklist, first_session: list[HipReading]) -> None:
    items = case_list(study, "r1", LATE, first_session[1:], first_session)
    assert items[0].status is Status.MISSING
    assert progress_of(items).missing == 1
    assert progress_of(items).locked == 8


def test_readings_of_an_edited_worklist_are_refused(
    study: Worklist, first_session: list[HipReading]
) -> None:
    edited = msgspec.structs.replace(study, washout_days=0)
    with pytest.raises(ReadingError, match="before this one was edited"):
        case_list(edited, "r1", LATE, first_session)
    assert len(case_list(edited, "r2", LATE, first_session)) == 24


def test_two_files_of_one_place_are_refused_unless_they_are_copies(
    study: Worklist, first_session: list[HipReading]
) -> None:
    copy = first_session[0]
    case_list(study, "r1", LATE, [*first_session, copy])
    other = msgspec.structs.replace(copy, notes="other")
    with pytest.raises(ReadingError, match="two different files claim to be the reading"):
        case_list(study, "r1", LATE, [*first_session, other])
    revision = msgspec.structs.replace(copy.revision, number=2, reason="slip")
    newer = msgspec.structs.replace(other, revision=revision)
    assert case_list(study, "r1", LATE, [newer, *first_session])[0].revision == 2


def test_a_date_that_is_none_is_refused(study: Worklist, first_session: list[HipReading]) -> None:
    bad = msgspec.structs.replace(first_session[0], saved_at="2026-02-30T08:00:00.000Z")
    with pytest.raises(ReadingError, match="is no date"):
        case_list(study, "r1", LATE, [bad, *first_session[1:]])


def test_the_next_case_goes_round(study: Worklist, read_case: MakeReading) -> None:
    listed = reading_list(study, "r1")
    readings = [read_case(study, listed[1])]
    items = case_list(study, "r1", LATE, readings)

    def order(after: int) -> int:
        item = next_case(items, after)
        assert item is not None
        return item.listed.read_order

    assert [order(0), order(1), order(15), order(16)] == [1, 3, 16, 1]
    assert next_case([item for item in items if item.status is Status.LOCKED]) is None


def _case_of(study: Worklist, subject: str, visit: str, read_no: int) -> ListedCase:
    return next(
        one
        for one in reading_list(study, "r1")
        if (one.case.subject, one.case.visit, one.read_no) == (subject, visit, read_no)
    )


@pytest.mark.parametrize("blinded", [True, False])
def test_nobody_sees_anothers_marks(
    make_study: MakeStudy, read_case: MakeReading, blinded: bool, tmp_path: Path
) -> None:
    """A reader is shown their own of the hip's other visits, and nothing where it is blinded."""
    study = make_study(blinded=blinded, repeats=20)
    first, repeat = (_case_of(study, "P00", "m00", number) for number in (1, 2))
    side = first.case.laterality
    later = next(
        one
        for one in reading_list(study, "r1")
        if one.case.key == ("P00", side, "m12") and one.read_no == 1
    )
    mine = [read_case(study, one) for one in (first, repeat, later)]
    others = [read_case(study, one, reader=name) for one in (first, later) for name in ("r2", "x")]
    of_two = ("a" * 64, "b" * 64)
    consensus = msgspec.structs.replace(mine[2], reader="consensus", consensus_of=of_two)
    for one in (*mine, *others, consensus):
        (tmp_path / file_name(one)).write_bytes(encode_reading(one))
    conduct = conduct_of(study, repeat, 0.0, submitted=False)
    seen = earlier_readings(tmp_path, mine[1].key, View.CORONAL, conduct)
    assert [one.reading for one in seen] == ([] if blinded else [mine[2]])
