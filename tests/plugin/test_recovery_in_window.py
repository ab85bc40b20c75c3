"""kill -9 in a real window: the next start offers the reading as it was, on its slices."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import readingroom
from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.store.autosave import AutosaveState

from necroangle.annotation import ReaderEntries
from necroangle.terms import Finding, Laterality, View

pytestmark = pytest.mark.screen

KILLS = 2


@pytest.fixture
def study(samples: Path, tmp_path: Path) -> Path:
    """A copy of the plain study, with room for readings beside it."""
    return shutil.copytree(samples / "plain", tmp_path / "plain")


def killed_after(study: Path, edits: int) -> tuple[list[str], list[int]]:
    """Edit in a window of another process, kill it; what it acknowledged, and its slices."""
    code = [sys.executable, readingroom.__file__, str(study)]
    with subprocess.Popen(
        code, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None
        lines = []
        for line in child.stdout:
            lines.append(line.split())
            if len(lines) >= edits:
                break
        os.kill(child.pid, signal.SIGKILL)
        lines += [line.split() for line in child.stdout if line.endswith("\n")]
    assert len(lines) >= edits, "the editor ended by itself"
    return [line[0] for line in lines], [int(at) for at in lines[-1][1:]]


def digest_of(draft: ReadingDraft) -> str:
    return hashlib.sha256(msgspec.json.encode(draft)).hexdigest()


def states_of(path: Path) -> list[str]:
    """Digests of all states that an autosave file holds, first to last."""
    lines = path.read_bytes().splitlines()[1:]
    return [digest_of(last_state_of(line)) for line in lines]


def last_state_of(line: bytes) -> ReadingDraft:
    return msgspec.json.decode(line.split(b" ", 1)[1], type=AutosaveState).draft


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_killed_at_any_moment_the_next_window_offers_it(dock: Any, qtbot: Any, study: Path) -> None:
    for number in range(KILLS):
        digests, slices = killed_after(study, random.Random(number).randint(2, 14))
        dock.open_folder(study)
        assert len(dock.recovery.waiting) == 1
        assert dock.recovery.isVisible()
        found = dock.recovery.waiting[0]
        kept = states_of(found.path)
        dock.recovery.take_button.click()
        qtbot.wait(100)
        digest = digest_of(dock.workspace.case.session.draft)
        assert digest == kept[-1]
        assert digests[-1] in kept[-2:]
        if digest == digests[-1]:
            for plane, shown in zip(dock.planes, slices, strict=True):
                # a view without marks may have followed the other one after the edit was kept
                if not dock.workspace.case.is_untouched(plane.view):
                    assert plane.slice_index == shown
        assert not found.path.exists()
        assert not dock.recovery.isVisible()
        dock.workspace.autosave.forget(dock.workspace.case.session)
        dock.workspace.close_folder()
        dock.workspace.forget_cases()
    assert dock.dialogs.asked == []


def test_another_hip_is_left_alone_and_the_offer_can_wait(
    dock: Any, open_dock: Callable[[], Any], qtbot: Any, samples: Path, study: Path
) -> None:
    """Later keeps it, putting aside moves it; other hips and folders are not touched."""
    shutil.copytree(samples / "oblique", study.parent / "oblique")
    dock.open_folder(study)
    dock.parts.study.sides[Laterality.LEFT].click()
    dock.planes[1].go_to(3)
    session = dock.workspace.case.session
    session.enter(reader="r1", entries=ReaderEntries.of({"arco": "2"}))
    session.enter(notes="kept")
    dock.shutdown()
    folder = study.parent / "readings" / ".autosave"
    assert len(list(folder.glob("*.autosave"))) == 1

    again: Any = open_dock()
    again.open_folder(study.parent / "oblique")
    assert again.recovery.waiting == ()
    again.open_folder(study)
    assert "left hip by r1 was not saved" in again.recovery.words.text()
    again.recovery.later_button.click()
    assert not again.recovery.isVisible()
    again.open_folder(study)
    again.recovery.take_button.click()
    qtbot.wait(100)
    assert again.workspace.key.side is Laterality.LEFT
    assert again.planes[1].slice_index == 3
    assert again.workspace.case.session.draft.notes == "kept"
    assert again.workspace.case.session.is_unsaved
    again.dialogs.answer = lambda choices: choices[0]
    assert again.may_close()
    assert "left hip" in again.dialogs.asked[-1]
    again.shutdown()
    assert len(list(folder.glob("*.autosave"))) == 1

    last: Any = open_dock()
    last.open_folder(study)
    last.recovery.aside_button.click()
    assert list(folder.glob("*.autosave")) == []
    assert len(list((folder / "set_aside").iterdir())) == 1


def test_a_saved_reading_goes_on_in_its_file_and_undo_shows_it(
    dock: Any, open_dock: Callable[[], Any], qtbot: Any, study: Path
) -> None:
    dock.workspace.reader = "r1"
    dock.open_folder(study)
    for view in (View.CORONAL, View.SAGITTAL):
        dock.workspace.case.choose(view, Finding.NO_NECROSIS, 5)
    path = dock.save()
    folder = study.parent / "readings" / ".autosave"
    assert list(folder.glob("*.autosave")) == []
    dock.workspace.case.session.enter(notes="after it was saved")
    dock.shutdown()

    again: Any = open_dock()
    again.open_folder(study)
    again.recovery.take_button.click()
    session = again.workspace.case.session
    assert session.is_unsaved
    session.undo()
    assert not session.is_unsaved
    session.redo()
    assert again.save() == path
    assert again.dialogs.asked == []
    assert list(folder.glob("*.autosave")) == []


def test_closing_and_losing_them_loses_them(dock: Any, study: Path) -> None:
    dock.open_folder(study)
    dock.workspace.case.session.enter(notes="not worth it")
    dock.dialogs.answer = lambda _: None
    assert not dock.may_close()
    dock.dialogs.answer = lambda choices: choices[1]
    assert dock.may_close()
    assert list((study.parent / "readings" / ".autosave").glob("*.autosave")) == []


def test_a_file_that_cannot_be_read_is_set_aside_and_told(dock: Any, study: Path) -> None:
    folder = study.parent / "readings" / ".autosave"
    folder.mkdir(parents=True)
    (folder / "broken.autosave").write_bytes(b"no autosave at all\n")
    dock.open_folder(study)
    assert dock.recovery.waiting == ()
    assert "broken.autosave" in dock.dialogs.asked[-1]
    assert dock.workspace.case is not None
