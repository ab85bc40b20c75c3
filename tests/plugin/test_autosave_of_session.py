"""Autosave of a session: written at every step, gone once the reading is safe."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store import autosave as autosave_module
from napari_necroangle.store.autosave import (
    Autosave,
    Context,
    Shown,
    autosave_folder,
    autosave_places,
)
from napari_necroangle.store.readings import (
    config_folder,
    note_offer,
    save_session,
    was_offered,
)
from napari_necroangle.store.recovery import recoverable

from necroangle.terms import Finding, View

MarkRim = Callable[[Case, View], None]

A, B = View.CORONAL, View.SAGITTAL


def files(folder: Path) -> list[Path]:
    return sorted((folder / ".autosave").glob("*.autosave"))


def found_after(autosave: Autosave, folder: Path) -> list[object]:
    """What the next start would offer."""
    autosave.close()
    return [one.draft for one in recoverable(folder)]


def test_every_step_is_kept_with_its_place(case: Case, mark_rim: MarkRim, tmp_path: Path) -> None:
    context = Context(visit="baseline", shown=(Shown(A, "1.2.1", 1, 2),), duration_s=12.5)
    autosave = Autosave()
    autosave.watch(case.session, tmp_path, lambda: context)
    mark_rim(case, A)
    case.session.file_sha256 = "ab" * 32
    case.session.enter(notes="half done")
    autosave.close()
    (found,) = recoverable(tmp_path)
    assert found.draft == case.session.draft
    assert (found.file_sha256, found.context) == ("ab" * 32, context)
    assert found.edits == 11
    assert found.damaged == 0


def test_a_drag_in_progress_is_not_written(case: Case, mark_rim: MarkRim, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    mark_rim(case, A)
    before = case.session.draft
    size = files(tmp_path)[0].stat().st_size
    for step in range(5):
        case.session.move(A, Handle(Role.RIM, 0), (10.0 + step, 10.0))
    assert files(tmp_path)[0].stat().st_size == size
    assert found_after(autosave, tmp_path) == [before]


def test_a_saved_reading_leaves_no_autosave(case: Case, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    for view in (A, B):
        case.choose(view, Finding.NO_NECROSIS, 2)
    assert len(files(tmp_path)) == 1
    save_session(case.session, tmp_path)
    assert files(tmp_path) == []
    case.session.undo()
    assert found_after(autosave, tmp_path) == [case.session.draft]


def test_what_a_save_could_not_hold_stays(case: Case, mark_rim: MarkRim, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    mark_rim(case, A)
    case.choose(B, Finding.NO_NECROSIS, 2)
    save_session(case.session, tmp_path)
    autosave.close()
    (found,) = recoverable(tmp_path)
    assert found.file_sha256 == case.session.file_sha256
    assert len(found.draft.view(A).rim) == 10


def test_undone_to_the_start_there_is_nothing_to_keep(case: Case, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="a word")
    assert len(files(tmp_path)) == 1
    case.session.undo()
    assert files(tmp_path) == []
    autosave.close()


def test_given_up_it_goes(case: Case, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="a word")
    autosave.forget(case.session)
    case.session.enter(notes="unheard")
    assert files(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="modes of a POSIX system")
def test_it_is_for_the_readers_eyes_alone(case: Case, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="a word")
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert str(tmp_path).encode() not in file.read_bytes()
    autosave.close()


def test_a_window_that_is_open_is_left_alone(case: Case, tmp_path: Path) -> None:
    first, second = Autosave(), Autosave()
    other = ReadingSession((A, B))
    first.watch(case.session, tmp_path)
    second.watch(other, tmp_path)
    case.session.enter(notes="first window")
    other.enter(notes="second window")
    assert recoverable(tmp_path) == ()
    assert len(files(tmp_path)) == 2
    second.close()
    assert [one.draft.notes for one in recoverable(tmp_path)] == ["second window"]
    case.session.enter(notes="goes on")
    assert found_after(first, tmp_path) == [case.session.draft, other.draft]


def test_a_recovered_reading_is_kept_before_its_old_file_goes(case: Case, tmp_path: Path) -> None:
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="before the crash")
    autosave.close()
    (found,) = recoverable(tmp_path)
    again = Autosave()
    again.watch(case.session, tmp_path, replaces=found.path)
    (file,) = files(tmp_path)
    assert file != found.path
    assert found_after(again, tmp_path) == [found.draft]


def test_a_long_file_is_begun_anew(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosave_module, "MAX_BYTES", 5000)
    autosave = Autosave()
    autosave.watch(case.session, tmp_path)
    names = set()
    for number in range(40):
        case.session.enter(notes=f"note {number}")
        (file,) = files(tmp_path)
        names.add(file.name)
        assert file.stat().st_size <= 5000
    assert len(names) > 2
    assert found_after(autosave, tmp_path) == [case.session.draft]


def test_a_disk_that_refuses_stops_no_edit(case: Case, tmp_path: Path) -> None:
    (tmp_path / ".autosave").write_text("in the way")
    said: list[str] = []
    autosave = Autosave(said.append)
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="one")
    assert case.session.draft.notes == "one"
    assert said[0].startswith("This reading is not kept against a crash: ")
    (tmp_path / ".autosave").unlink()
    case.session.enter(notes="two")
    assert said[-1] == ""
    assert found_after(autosave, tmp_path) == [case.session.draft]


def test_a_disk_that_fills_up_loses_no_earlier_state(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    autosave = Autosave(said.append)
    autosave.watch(case.session, tmp_path)
    case.session.enter(notes="fits")
    kept = case.session.draft
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:20]))
    case.session.enter(notes="does not fit")
    monkeypatch.undo()
    assert "the disk is full" in said[0]
    (file,) = files(tmp_path)
    assert file.read_bytes().endswith(b"}\n")
    assert found_after(autosave, tmp_path) == [kept]


def test_readings_that_cannot_be_written_have_their_autosaves_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    readings = tmp_path / "HONG_GILDONG"
    assert autosave_folder(readings) == readings / ".autosave"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    apart = autosave_folder(readings)
    assert apart.parent == tmp_path / "state" / "necroangle"
    assert "HONG" not in str(apart.name)
    session = ReadingSession((A, B))
    autosave = Autosave()
    autosave.watch(session, readings)
    session.enter(notes="elsewhere")
    autosave.close()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert [one.draft.notes for one in recoverable(readings)] == ["elsewhere"]


def test_autosaves_in_the_state_folder_of_version_0_1_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a Mac that was Linux's folder, and what lies there is offered as ever."""
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    readings = tmp_path / "readings"
    with monkeypatch.context() as then:
        then.setattr(os, "access", lambda path, mode: False)
        session = ReadingSession((A, B))
        autosave = Autosave()
        autosave.watch(session, readings)
        session.enter(notes="of the former version")
        autosave.close()
        former = autosave_folder(readings)
    mac = tmp_path / "Library" / "Application Support" / "necroangle"
    monkeypatch.setattr(autosave_module, "user_state_path", lambda *_, **__: mac)
    assert autosave_folder(readings) == readings / ".autosave"
    assert former in autosave_places(readings)
    assert mac / former.name in autosave_places(readings)
    assert [one.draft.notes for one in recoverable(readings)] == ["of the former version"]


def test_preferences_lie_where_they_always_lay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    if sys.platform == "linux":
        assert config_folder() == tmp_path / "config" / "necroangle"
    note_offer()
    assert was_offered()
