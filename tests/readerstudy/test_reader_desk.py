"""A reader's folder: saved, submitted and locked, reopened with both versions, never lost."""

import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hipmaker import make_reading

from necroangle.annotation import SUFFIX, HipReading, load_reading, sha256_of
from necroangle.errors import ReadingError
from necroangle.readerstudy import ListedCase, ReaderWorklist, Status, Worklist, worklist_id

MakeStudy = Callable[..., Worklist]

TODAY = date(2026, 2, 1)
NOW = "2026-02-01T09:00:00.000Z"


@pytest.fixture
def desk(make_study: MakeStudy, tmp_path: Path) -> ReaderWorklist:
    return ReaderWorklist(make_study(), "r1", tmp_path / "readings")


def reading_of(listed: ListedCase, notes: str = "", a_deg: float | None = 100.0) -> HipReading:
    case = listed.case
    return make_reading(
        a_deg,
        subject=case.subject,
        laterality=case.laterality,
        visit=case.visit,
        reader="r1",
        read_no=listed.read_no,
        notes=notes,
    )


def status(desk: ReaderWorklist, place: int = 0) -> Status:
    return desk.state(TODAY).items[place].status


def test_a_saved_case_says_how_it_was_conducted(desk: ReaderWorklist, tmp_path: Path) -> None:
    listed = desk.listed[4]
    saved = desk.save(listed, reading_of(listed), today=TODAY, duration_s=71.25)
    assert saved.path.parent == tmp_path / "readings" / "r1"
    conduct = load_reading(saved.path).conduct
    assert conduct.worklist == worklist_id(desk.worklist)
    assert (conduct.read_order, conduct.blinded, conduct.submitted) == (5, True, False)
    assert conduct.duration_s == 71.2
    assert desk.load(listed) == saved
    assert desk.state(TODAY).items[4].words == "begun"


def test_a_submitted_case_is_locked(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    saved = desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    assert status(desk) is Status.SUBMITTED
    assert desk.state(TODAY).doubts == ()
    with pytest.raises(ReadingError, match="submitted and locked; reopen it with a reason"):
        desk.save(
            listed,
            reading_of(listed, "a second thought"),
            today=TODAY,
            duration_s=60,
            replaces=saved.sha256,
        )
    assert sha256_of(saved.path.read_bytes()) == saved.sha256


def test_reopening_needs_a_reason_and_keeps_both(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    with pytest.raises(ReadingError, match="was not submitted"):
        desk.reopen(listed, "a slip", saved_at=NOW)
    first = desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    raw = first.path.read_bytes()
    with pytest.raises(ReadingError, match="say why"):
        desk.reopen(listed, "  ", saved_at=NOW)
    opened = desk.reopen(listed, "wrong slice", saved_at=NOW)
    assert opened.reading.revision.number == 2
    assert opened.reading.revision.previous_sha256 == first.sha256
    assert opened.reading.revision.reason == "wrong slice"
    assert desk.state(TODAY).items[0].words == "reopened"
    again = desk.save(
        listed,
        reading_of(listed, "now right"),
        today=TODAY,
        duration_s=80,
        replaces=opened.sha256,
        submit=True,
    )
    assert load_reading(again.path).revision == opened.reading.revision
    versions = sorted((desk.folder / "history").iterdir())
    assert {sha256_of(path.read_bytes()) for path in versions} == {first.sha256, again.sha256}
    assert raw in [path.read_bytes() for path in versions]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o222 for path in versions} == {0}
    assert desk.state(TODAY).doubts == ()


def test_old_versions_are_not_taken_for_readings(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    desk.reopen(listed, "again", saved_at=NOW)
    assert list(desk.folder.rglob(f"*{SUFFIX}")) == [desk.path_of(listed)]


def test_a_lost_reading_is_told_and_comes_back(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    saved = desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    raw = saved.path.read_bytes()
    saved.path.unlink()
    state = desk.state(TODAY)
    assert state.items[0].status is Status.MISSING
    assert state.doubts == ("1 submitted readings are gone from r1",)
    with pytest.raises(ReadingError, match="put it back"):
        desk.save(listed, reading_of(listed), today=TODAY, duration_s=60)
    assert desk.bring_back(listed).sha256 == saved.sha256
    assert saved.path.read_bytes() == raw
    assert status(desk) is Status.SUBMITTED
    with pytest.raises(ReadingError, match="nothing to restore"):
        desk.bring_back(listed)
    with pytest.raises(ReadingError, match="the history has no version"):
        desk.bring_back(desk.listed[1])


def test_a_reading_changed_behind_the_programs_back_is_told(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    saved = desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    text = saved.path.read_text()
    saved.path.write_text(text.replace('"notes": ""', '"notes": "better"'))
    (doubt,) = desk.state(TODAY).doubts
    assert "was changed after it was submitted" in doubt


def test_a_damaged_version_is_told(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    desk.save(listed, reading_of(listed), today=TODAY, duration_s=60, submit=True)
    (version,) = (desk.folder / "history").iterdir()
    version.chmod(0o644)
    version.write_bytes(version.read_bytes().replace(b"60.0", b"61.0"))
    assert any("not what its name says" in doubt for doubt in desk.state(TODAY).doubts)


def test_another_window_is_not_overwritten(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    first = desk.save(listed, reading_of(listed, "first"), today=TODAY, duration_s=1)
    for submit in (False, True):
        with pytest.raises(ReadingError, match="another version"):
            desk.save(
                listed, reading_of(listed, "second"), today=TODAY, duration_s=1, submit=submit
            )
    assert load_reading(first.path).notes == "first"
    assert not (desk.folder / "history").exists()


def test_a_locked_case_cannot_be_read(desk: ReaderWorklist) -> None:
    listed = desk.listed[-1]
    with pytest.raises(ReadingError, match="cannot be read yet: it opens after the first session"):
        desk.save(listed, reading_of(listed), today=TODAY, duration_s=1)


def test_what_is_not_the_listed_case_is_refused(desk: ReaderWorklist) -> None:
    listed, other = desk.listed[:2]
    with pytest.raises(ReadingError, match="of another case, reader or repeat"):
        desk.save(listed, reading_of(other), today=TODAY, duration_s=1)
    someone = msgspec.structs.replace(reading_of(listed), reader="r2")
    with pytest.raises(ReadingError, match="of another case, reader or repeat"):
        desk.save(listed, someone, today=TODAY, duration_s=1)


def test_a_view_that_is_not_done_is_not_submitted(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    half = reading_of(listed, a_deg=None)
    with pytest.raises(ReadingError, match="the coronal view is not done"):
        desk.save(listed, half, today=TODAY, duration_s=1, submit=True)
    desk.save(listed, half, today=TODAY, duration_s=1)
    assert status(desk) is Status.OPEN


def test_a_file_that_cannot_be_read_is_told_and_kept(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    path = desk.path_of(listed)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    (doubt,) = desk.state(TODAY).doubts
    assert path.name in doubt
    with pytest.raises(ReadingError, match=path.name):
        desk.save(listed, reading_of(listed), today=TODAY, duration_s=1)
    assert path.read_text() == "{"


def test_an_edited_worklist_is_refused(desk: ReaderWorklist, tmp_path: Path) -> None:
    listed = desk.listed[0]
    desk.save(listed, reading_of(listed), today=TODAY, duration_s=1)
    edited = msgspec.structs.replace(desk.worklist, repeats=0)
    again = ReaderWorklist(edited, "r1", tmp_path / "readings")
    with pytest.raises(ReadingError, match="before this one was edited"):
        again.state(TODAY)


def test_a_reading_of_someone_else_in_her_folder_is_told(desk: ReaderWorklist) -> None:
    listed = desk.listed[0]
    saved = desk.save(listed, reading_of(listed), today=TODAY, duration_s=1)
    text = saved.path.read_text().replace('"reader": "r1"', '"reader": "r2"')
    (desk.folder / "stray.reading.json").write_text(text)
    assert desk.state(TODAY).doubts == (
        "stray.reading.json: a reading of someone else; move it out of this folder",
    )
