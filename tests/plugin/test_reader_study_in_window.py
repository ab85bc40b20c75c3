"""A reader study in a real window: the list, blinded; submitted, locked, reopened, recovered."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari_necroangle.canvas.overlay import PENS
from readingroom import all_words, drawn, mark

from necroangle.annotation import HipReading, load_reading
from necroangle.readerstudy import (
    ListedCase,
    StudyCase,
    make_worklist,
    reading_list,
    save_worklist,
)
from necroangle.terms import Laterality, View

pytestmark = pytest.mark.screen

MR = (View.CORONAL, View.SAGITTAL)
SAMPLES = ("plain", "oblique")
SUBJECTS = {"PHANTOM-01": "folder-of-one", "PHANTOM-02": "folder-of-two"}
LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT


@pytest.fixture
def worklist(samples: Path, tmp_path: Path) -> Path:
    """Four hips of two subjects, one of them twice, without a wash-out."""
    return make_study(samples, tmp_path, washout_days=0)


def make_study(samples: Path, place: Path, washout_days: int) -> Path:
    for sample, folder in zip(SAMPLES, SUBJECTS.values(), strict=True):
        shutil.copytree(samples / sample, place / "images" / folder)
    cases = [
        StudyCase(subject=name, laterality=side, visit="baseline", views=MR, folder=folder)
        for name, folder in SUBJECTS.items()
        for side in (RIGHT, LEFT)
    ]
    study = make_worklist(
        cases, ["r1", "r2"], study="images", repeats=1, washout_days=washout_days, seed=3
    )
    path = place / "study.worklist.json"
    save_worklist(study, path)
    return path


def truth_of(samples: Path, listed: ListedCase) -> HipReading:
    subject, side, visit = listed.case.key
    return load_reading(samples / "readings" / f"{subject}__{side}__{visit}__truth__1.reading.json")


def press(qtbot: Any, dock: Any, key: str, modifier: str = "No") -> None:
    from qtpy.QtCore import Qt

    code = getattr(Qt.Key, f"Key_{key}")
    qtbot.keyClick(dock.canvases.native, code, getattr(Qt.KeyboardModifier, f"{modifier}Modifier"))
    qtbot.wait(20)


def test_a_whole_study_blinded(dock: Any, qtbot: Any, samples: Path, worklist: Path) -> None:
    """The core's order; every case by one key; nothing tells whose hip it is."""
    from napari_necroangle.modes.worklist import WorklistSession

    listed = reading_list(WorklistSession(worklist, "r1").worklist, "r1")
    assert dock.open_worklist(worklist, "r1")
    qtbot.wait(200)
    repeated = [one for one in listed if one.read_no == 2]
    assert len(repeated) == 1
    twice = [one for one in listed if one.case.key == repeated[0].case.key]
    assert len({one.label for one in twice}) == 2
    for number, one in enumerate(listed):
        rows = dock.board.rows()
        assert [one.label in row for one, row in zip(listed, rows, strict=True)] == [True] * 5
        assert dock.mode.now.listed == one
        assert dock.workspace.key.side is one.case.laterality
        mark(dock, truth_of(samples, one))
        qtbot.wait(30)
        shown = all_words(dock.window())
        for hidden in (*SUBJECTS, *SUBJECTS.values(), "baseline", "r2"):
            assert hidden not in shown, hidden
        assert "°" in dock.parts.result.sum.text()
        assert dock.board.bar.value() == number
        press(qtbot, dock, "Return", "Control")
        assert dock.dialogs.asked == []
    assert "All cases are done" in dock.parts.steps.line.text()
    assert dock.board.bar.value() == len(listed)
    assert not dock.parts.save_next_button.isVisible()
    files = [load_reading(path) for path in (worklist.parent / "readings" / "r1").glob("*.json")]
    conducts = sorted((one.conduct for one in files), key=lambda one: one.read_order or 0)
    assert [one.read_order for one in conducts] == [1, 2, 3, 4, 5]
    assert all(one.submitted and one.blinded for one in conducts)
    assert all((one.duration_s or 0) > 0 for one in conducts)
    folder = worklist.parent / "readings" / "r1"
    assert list((folder / ".autosave").glob("*.autosave")) == []


def test_from_a_case_whose_file_is_gone_the_reader_goes_on(
    dock: Any, qtbot: Any, samples: Path, worklist: Path
) -> None:
    dock.open_worklist(worklist, "r1")
    first = dock.mode.now.listed
    mark(dock, truth_of(samples, first))
    press(qtbot, dock, "Return", "Control")
    second = dock.mode.now.listed
    press(qtbot, dock, "PageUp")
    assert dock.mode.now.listed == first
    (file,) = (worklist.parent / "readings" / "r1").glob("*.json")
    file.unlink()
    dock.mode.state = dock.mode.study.state()
    press(qtbot, dock, "PageDown")
    assert dock.mode.now.listed == second
    press(qtbot, dock, "PageUp")
    assert "This is the first case of the list." in dock.parts.steps.line.text()


def test_a_locked_case_is_only_looked_at_until_it_is_reopened(
    dock: Any, qtbot: Any, samples: Path, worklist: Path
) -> None:
    dock.open_worklist(worklist, "r1")
    first = dock.mode.now.listed
    assert not dock.board.list.verticalScrollBar().isVisible()
    assert dock.parts.tools.title.text() == "Coronal: next click sets"
    press(qtbot, dock, "N")
    assert "Ctrl+Enter: submit, and open the next case" in dock.parts.steps.line.text()
    assert dock.parts.tools.title.text() == "Coronal"
    press(qtbot, dock, "Z", "Control")
    for plane in dock.planes:
        dock.commands.run("not_readable", plane.view)
    line = dock.parts.steps.line.text()
    assert line == "Complete. Ctrl+Enter: submit, and open the next case."
    result = dock.parts.result
    assert (result.grade.text(), result.risk.text()) == ("Not read", "image not readable")
    assert result.parts.text() == "A not read (Coronal)   +   B not read (Sagittal)"
    for key in "ZZ":
        press(qtbot, dock, key, "Control")
    assert result.grade.text() == ""
    mark(dock, truth_of(samples, first))
    press(qtbot, dock, "S", "Shift")
    folder = worklist.parent / "readings" / "r1"
    (path,) = folder.glob("*.reading.json")
    submitted = path.read_bytes()
    session = dock.workspace.case.session
    before = session.draft
    assert dock.parts.status.text() == "Submitted and locked"
    tools = (dock.parts.tools, dock.parts.tools.extras, dock.parts.save_button)
    assert [one.isEnabled() for one in tools] == [False] * 3
    native = dock.canvases.native
    for key in "1259NFSX":
        press(qtbot, dock, key)
    from qtpy.QtCore import QPoint, Qt

    spot = QPoint(native.width() // 2, native.height() // 2)
    qtbot.mouseClick(native, Qt.MouseButton.LeftButton, pos=spot)
    dock.parts.entries.texts["notes"].setText("changed")
    dock.parts.entries.commit()
    press(qtbot, dock, "Z", "Control")
    assert session.draft == before
    assert path.read_bytes() == submitted
    assert "locked" in dock.parts.steps.line.text()

    dock.mode.reopen()
    assert dock.workspace.case.session.is_locked
    dock.dialogs.typed = "the sagittal arc was too long"
    dock.board.button("Reopen…").click()
    assert not dock.workspace.case.session.is_locked
    assert [one.isEnabled() for one in tools] == [True] * 3
    assert "reopened" in dock.board.rows()[0]
    dock.workspace.case.session.enter(notes="shorter now")
    dock.board.button("Submit").click()
    again = load_reading(path)
    assert again.revision.reason == "the sagittal arc was too long"
    assert again.notes == "shorter now"
    versions = [one.read_bytes() for one in (folder / "history").rglob("*") if one.is_file()]
    assert submitted in versions
    assert path.read_bytes() in versions


def test_readers_do_not_see_each_other(
    dock: Any, qtbot: Any, samples: Path, worklist: Path
) -> None:
    """Another reader's marks, and one's own at another visit, are nowhere on the screen."""
    dock.open_worklist(worklist, "r2")
    listed = dock.mode.now.listed
    mark(dock, truth_of(samples, listed))
    press(qtbot, dock, "Return", "Control")
    dock.open_worklist(worklist, "r1")
    mine = next(
        item.listed
        for item in dock.mode.state.items
        if item.listed.case == listed.case and item.listed.session == 1
    )
    readings = worklist.parent / "readings" / "r1"
    assert len(list((worklist.parent / "readings" / "r2").glob("*.json"))) == 1
    dock.mode.open(mine)
    qtbot.wait(100)
    for plane in dock.planes:
        assert plane.sketch.marks == ()
        assert [pen for pen in PENS if len(drawn(plane, pen))] in ([], ["reference"])
    assert dock.mode.state.progress.submitted == 0
    assert "r2" not in all_words(dock.window())
    assert not list(readings.glob("*.json"))


def test_later_cases_say_when_they_open_and_cannot_be_opened(
    dock: Any, qtbot: Any, samples: Path, tmp_path: Path
) -> None:
    path = make_study(samples, tmp_path / "long", washout_days=14)
    dock.open_worklist(path, "r1")
    locked = [item.listed for item in dock.mode.state.items if item.listed.session == 2]
    assert not dock.mode.open(locked[0])
    assert "opens after the first session" in dock.dialogs.asked.pop()
    while dock.mode.now.listed.session == 1 and dock.mode.state.progress.to_read:
        mark(dock, truth_of(samples, dock.mode.now.listed))
        press(qtbot, dock, "Return", "Control")
    opens_on = str(dock.mode.state.progress.opens_on)
    assert opens_on in dock.board.words.text()
    assert all(opens_on in row for row in dock.board.rows()[-len(locked) :])
    assert opens_on in dock.parts.steps.line.text()
    assert not dock.board.button("Next case").isEnabled()


def test_an_unsaved_case_is_offered_by_its_code(
    dock: Any, open_dock: Callable[[], Any], qtbot: Any, samples: Path, worklist: Path
) -> None:
    dock.open_worklist(worklist, "r1")
    listed = dock.mode.now.listed
    mark(dock, truth_of(samples, listed))
    dock.mode.now.clock.seconds = 42.0
    dock.workspace.case.session.enter(notes="not saved yet")
    draft = dock.workspace.case.session.draft
    dock.shutdown()
    again: Any = open_dock()
    again.open_folder(worklist.parent / "images")
    assert again.recovery.waiting == ()
    again.open_worklist(worklist, "r1")
    assert listed.label in again.recovery.words.text()
    assert not any(name in again.recovery.words.text() for name in SUBJECTS)
    again.recovery.take_button.click()
    assert again.workspace.case.session.draft == draft
    assert again.mode.now.clock.seconds >= 42.0
    press(qtbot, again, "Return", "Control")
    assert again.dialogs.asked == []
    assert again.mode.state.progress.submitted == 1


def test_ending_a_study_gives_the_free_dock_back(
    dock: Any, qtbot: Any, samples: Path, worklist: Path
) -> None:
    dock.open_folder(worklist.parent / "images" / "folder-of-one")
    before = dock.workspace.readings
    dock.open_worklist(worklist, "r1")
    assert not dock.parts.who.isVisible()
    dock.board.leave_button.click()
    assert dock.workspace.readings == before
    assert dock.parts.study.open_button.isVisible()
    assert dock.workspace.case is None
    dock.open_folder(worklist.parent / "images" / "folder-of-one")
    assert dock.parts.who.isVisible()
    views = [plane.view for plane in dock.planes]
    assert tuple(views) == MR


def test_what_is_wrong_is_said(dock: Any, worklist: Path, tmp_path: Path) -> None:
    assert not dock.open_worklist(worklist, "r9")
    assert "has no reader 'r9'" in dock.dialogs.asked[-1]
    assert not dock.open_worklist(tmp_path / "none.json", "r1")
    shutil.rmtree(worklist.parent / "images")
    assert dock.open_worklist(worklist, "r1")
    told = dock.dialogs.asked[-1]
    assert "cannot be opened" in told
    assert not any(name in told for name in (*SUBJECTS, *SUBJECTS.values()))
    assert dock.workspace.case is None
