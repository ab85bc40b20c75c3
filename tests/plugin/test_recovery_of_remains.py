"""Recovery: whatever lies in the folder, the start goes on, and no whole state is lost."""

import os
from pathlib import Path
from zlib import crc32

import pytest
from napari_necroangle.reading.session import ReadingSession
from napari_necroangle.store.autosave import Autosave
from napari_necroangle.store.recovery import discard, recoverable, remains, restore

from necroangle.errors import ReadingError
from necroangle.terms import View

VIEWS = (View.CORONAL, View.SAGITTAL)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A file of three edits, left by a window that is gone."""
    session = ReadingSession(VIEWS)
    autosave = Autosave()
    autosave.watch(session, tmp_path)
    for word in ("one", "two", "three"):
        session.enter(notes=word)
    autosave.close()
    return recoverable(tmp_path)[0].path


def test_cut_off_anywhere_the_last_whole_state_is_offered(left: Path, tmp_path: Path) -> None:
    raw = left.read_bytes()
    ends = [at + 1 for at, byte in enumerate(raw) if byte == ord("\n")]
    words = {0: [], 1: ["one"], 2: ["two"], 3: ["three"]}
    for cut in range(1, len(raw) + 1, 7):
        left.write_bytes(raw[:cut])
        whole = sum(cut >= end - 1 for end in ends) - 1  # a line is whole without its line feed
        found = remains(tmp_path)
        assert [one.draft.notes for one in found.recovered] == words[max(whole, 0)]
        assert len(found.set_aside) == (whole <= 0)
        left.unlink(missing_ok=True)


def test_a_damaged_last_line_is_told(left: Path, tmp_path: Path) -> None:
    raw = left.read_bytes()
    left.write_bytes(raw[:-10] + b"x" + raw[-9:])
    (found,) = recoverable(tmp_path)
    assert (found.draft.notes, found.damaged) == ("two", 1)


def _line(text: bytes) -> bytes:
    return b"%08x %s\n" % (crc32(text), text)


HEADER = b'{"format":"necroangle.autosave","version":%d,"software":"x","process":1}'


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"\x00" * 5000, "first line is damaged"),
        (os.urandom(5000), "first line is damaged"),
        (_line(HEADER % 3), "no autosave file of versions 1 and 2"),
        (_line(HEADER % 2), "no state of the reading is left whole"),
        (_line(HEADER % 1), "no state of the reading is left whole"),
        (_line(HEADER % 1) + _line(b"[" * 100_000), "no state of the reading is left whole"),
        (_line(HEADER % 1) + _line(b'{"edit":1}'), "no state of the reading is left whole"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_told(
    raw: bytes, problem: str, left: Path, tmp_path: Path
) -> None:
    bad = left.with_name("bad.autosave")
    bad.write_bytes(raw)
    found = remains(tmp_path)
    assert [one.draft.notes for one in found.recovered] == ["three"]
    (aside,) = found.set_aside
    assert problem in aside.problem
    assert aside.path.read_bytes() == raw
    assert not bad.exists()
    assert remains(tmp_path).set_aside == ()


def test_an_empty_file_goes_once_nobody_can_be_writing_it(left: Path, tmp_path: Path) -> None:
    empty = left.with_name("empty.autosave")
    empty.touch()
    assert remains(tmp_path).set_aside == ()
    assert empty.exists()
    os.utime(empty, (0, 0))
    remains(tmp_path)
    assert not empty.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_left_alone(left: Path, tmp_path: Path) -> None:
    os.mkfifo(left.with_name("pipe.autosave"))
    left.with_name("folder.autosave").mkdir()
    left.with_name("link.autosave").symlink_to(left)
    assert len(recoverable(tmp_path)) == 1


def test_the_latest_comes_first(left: Path, tmp_path: Path) -> None:
    session = ReadingSession(VIEWS)
    autosave = Autosave()
    autosave.watch(session, tmp_path)
    session.enter(notes="later")
    autosave.close()
    found = recoverable(tmp_path)
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
    assert {one.draft.notes for one in found} == {"later", "three"}


def test_taken_up_elsewhere_it_is_refused(left: Path, tmp_path: Path) -> None:
    (found,) = recoverable(tmp_path)
    assert restore(found) == found.draft
    left.unlink()
    with pytest.raises(ReadingError, match="another window"):
        restore(found)


def test_a_discarded_reading_is_moved_not_deleted(left: Path, tmp_path: Path) -> None:
    raw = left.read_bytes()
    (found,) = recoverable(tmp_path)
    assert discard(found).read_bytes() == raw
    assert recoverable(tmp_path) == ()
