"""Saving: its own file, never over another's."""

from collections.abc import Callable
from pathlib import Path

import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.readings import (
    default_folder,
    load_into,
    next_read_no,
    path_of,
    save_session,
)

from necroangle.annotation import load_reading
from necroangle.errors import ReadingError
from necroangle.terms import Finding, View

MarkRim = Callable[[Case, View], None]


@pytest.fixture
def session(case: Case) -> ReadingSession:
    for view in (View.CORONAL, View.SAGITTAL):
        case.choose(view, Finding.NO_NECROSIS, 2)
    return case.session


def test_a_saved_session_has_nothing_unsaved(session: ReadingSession, tmp_path: Path) -> None:
    assert session.is_unsaved
    path = save_session(session, tmp_path)
    assert path.name == "P-1__L__baseline__r1__1.reading.json"
    assert not session.is_unsaved
    assert load_reading(path).views == session.reading().views


def test_saving_again_replaces_the_own_file(session: ReadingSession, tmp_path: Path) -> None:
    save_session(session, tmp_path)
    session.enter(notes="second look")
    path = save_session(session, tmp_path)
    assert load_reading(path).notes == "second look"


def test_a_file_of_someone_else_is_left_as_it_is(session: ReadingSession, tmp_path: Path) -> None:
    path = save_session(session, tmp_path)
    before = path.read_bytes()
    session.file_sha256 = None
    session.enter(notes="another session")
    with pytest.raises(ReadingError, match="another version"):
        save_session(session, tmp_path)
    assert path.read_bytes() == before
    assert session.is_unsaved
    assert next_read_no(session, tmp_path) == 2
    session.enter(read_no=2)
    assert save_session(session, tmp_path) != path


def test_a_file_changed_since_it_was_loaded_is_left_as_it_is(
    session: ReadingSession, tmp_path: Path
) -> None:
    path = save_session(session, tmp_path)
    mine = ReadingSession((View.CORONAL, View.SAGITTAL))
    load_into(mine, path)
    session.enter(notes="changed meanwhile")
    save_session(session, tmp_path)
    mine.enter(notes="mine")
    with pytest.raises(ReadingError, match="another version"):
        save_session(mine, tmp_path)


def test_under_another_code_it_is_a_new_file(session: ReadingSession, tmp_path: Path) -> None:
    first = save_session(session, tmp_path)
    before = first.read_bytes()
    session.enter(reader="r2")
    second = save_session(session, tmp_path)
    assert second.name == "P-1__L__baseline__r2__1.reading.json"
    assert first.read_bytes() == before


def test_a_code_with_a_space_is_refused_with_its_place(
    session: ReadingSession, tmp_path: Path
) -> None:
    session.enter(subject="Anna Smith")
    with pytest.raises(ReadingError) as caught:
        save_session(session, tmp_path)
    assert caught.value.place == "$.subject"
    assert not path_of(session, tmp_path).exists()


def test_readings_lie_beside_the_study(tmp_path: Path) -> None:
    assert default_folder(tmp_path / "study") == tmp_path / "readings"
