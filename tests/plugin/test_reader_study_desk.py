"""The worklist and its reader: from case to case, timed, saved, submitted, reopened."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from napari_necroangle.modes.worklist import ListCase, WorklistSession
from napari_necroangle.reading.case import Case
from napari_necroangle.store.autosave import Autosave, Context
from napari_necroangle.store.recovery import recoverable

from necroangle.annotation import load_reading
from necroangle.errors import ReadingError
from necroangle.readerstudy import StudyCase, make_worklist, save_worklist
from necroangle.terms import Finding, Laterality, View

MR = (View.CORONAL, View.SAGITTAL)


class Days:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def worklist(tmp_path: Path) -> Path:
    """Six hips, two of them twice, a fortnight between the sessions."""
    cases = [
        StudyCase(
            subject=f"P-{number}",
            laterality=Laterality.LEFT,
            visit="baseline",
            views=MR,
            folder=f"p{number}",
        )
        for number in range(6)
    ]
    study = make_worklist(cases, ["r1", "r2"], study="images", repeats=2, washout_days=14)
    path = tmp_path / "study.worklist.json"
    save_worklist(study, path)
    return path


@pytest.fixture
def reader(worklist: Path, days: Days) -> WorklistSession:
    return WorklistSession(worklist, "r1", now=days)


def read(case: ListCase, pictures: Case) -> None:
    """Find no necrosis in either view."""
    at = Case(case.session, pictures.pictures)
    for view in MR:
        at.choose(view, Finding.NO_NECROSIS, 2)
        case.clock.act()


def test_a_whole_study(reader: WorklistSession, case: Case, days: Days, tmp_path: Path) -> None:
    orders = []
    item = reader.next()
    while item is not None:
        opened = reader.open(item.listed)
        read(opened, case)
        saved = reader.save(opened, submit=True)
        assert not opened.session.is_unsaved
        assert saved.path.parent == tmp_path / "readings" / "r1"
        orders.append(item.listed.read_order)
        item = reader.next(item.listed)
        if item is None and len(orders) == 4:
            assert reader.state().progress.opens_on == days.now.date() + timedelta(days=14)
            days.now += timedelta(days=14)
            item = reader.next()
    assert orders == list(range(1, 9))
    assert reader.state().progress.fraction == 1
    assert reader.state().doubts == ()
    files = [load_reading(path) for path in saved.path.parent.glob("*.reading.json")]
    assert sorted(reading.conduct.read_order or 0 for reading in files) == orders
    assert sum(reading.read_no == 2 for reading in files) == 2


def test_the_session_has_all_entries_but_none_to_be_typed(reader: WorklistSession) -> None:
    item = reader.next()
    assert item is not None
    opened = reader.open(item.listed)
    draft = opened.session.draft
    assert (draft.subject, draft.laterality, draft.visit) == item.listed.case.key
    assert (draft.reader, draft.read_no) == ("r1", 1)
    assert draft.subject not in item.listed.label
    assert reader.images_of(item.listed) == reader.images / item.listed.case.folder


def test_a_case_goes_on_with_its_marks_and_its_time(reader: WorklistSession, case: Case) -> None:
    item = reader.next()
    assert item is not None
    opened = reader.open(item.listed)
    read(opened, case)
    opened.clock.seconds = 30.0
    reader.save(opened)
    again = reader.open(item.listed)
    assert again.session.draft.views == opened.session.draft.views
    assert again.clock.seconds == 30.0
    again.session.enter(notes="more")
    reader.save(again)


def test_reopened_and_submitted_again(reader: WorklistSession, case: Case) -> None:
    item = reader.next()
    assert item is not None
    opened = reader.open(item.listed)
    read(opened, case)
    first = reader.save(opened, submit=True)
    opened.session.enter(notes="too late")
    with pytest.raises(ReadingError, match="submitted and locked"):
        reader.save(opened)
    again = reader.reopen(item.listed, "a slip")
    again.session.enter(notes="in time")
    second = reader.save(again, submit=True)
    assert second.reading.revision.previous_sha256 == first.sha256
    assert second.reading.notes == "in time"
    first.path.unlink()
    assert reader.own.bring_back(item.listed).reading == second.reading


def test_an_unsaved_case_survives_a_crash_and_can_be_submitted(
    reader: WorklistSession, case: Case
) -> None:
    item = reader.next()
    assert item is not None
    opened = reader.open(item.listed)
    autosave = Autosave()
    autosave.watch(opened.session, reader.folder, lambda: Context(case_code=item.listed.code))
    read(opened, case)
    autosave.close()
    (found,) = recoverable(reader.folder)
    assert found.context.case_code == item.listed.code
    assert found.draft == opened.session.draft
    assert reader.state().items[0].words == "to read"


def test_an_edited_worklist_is_refused_at_the_door(
    reader: WorklistSession, worklist: Path, case: Case
) -> None:
    item = reader.next()
    assert item is not None
    opened = reader.open(item.listed)
    read(opened, case)
    reader.save(opened)
    text = worklist.read_text().replace('"washout_days": 14', '"washout_days": 0')
    worklist.write_text(text)
    with pytest.raises(ReadingError, match="before this one was edited"):
        WorklistSession(worklist, "r1")
    assert WorklistSession(worklist, "r2").state().progress.submitted == 0
