"""A mode of its own, made here alone: the window shows it and never asks which it is."""

import shutil
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pytest
from napari_necroangle.modes.mode import Action, Board, CaseRow, Mode, Window
from napari_necroangle.store.recovery import Recovered, Remains

from necroangle.errors import ReadingError
from necroangle.terms import Finding, Laterality, View

pytestmark = pytest.mark.screen

SIDES = (Laterality.LEFT, Laterality.RIGHT)


class Practice(Mode):
    """The hips of one visit, the left one first; a reading is noted and never written."""

    def __init__(self, window: Window, folder: Path) -> None:
        self._window, self._workspace = window, window.workspace
        self._folder = folder
        self.noted: list[Finding | None] = []

    def begin(self) -> bool:
        self._workspace.open(self._folder)
        return bool(self._workspace.visits) and self.open(SIDES[0])

    def close(self) -> None:
        self._window.leave_case()
        self._workspace.close_folder()

    def cases(self) -> tuple[CaseRow, ...]:
        key = self._workspace.key
        return tuple(
            CaseRow(side, f"hip {number}", is_open=key is not None and key.side is side)
            for number, side in enumerate(SIDES, 1)
        )

    def open(self, key: Hashable) -> bool:
        assert isinstance(key, Laterality)
        self._window.leave_case()
        visit = self._workspace.visits[0]
        self._workspace.take(visit, key, visit.pairs[0])
        self._window.show_current()
        return True

    def next(self) -> str:
        return "That was practice." if self.neighbour(1) else ""

    def save(self, *, final: bool) -> Path | None:
        case = self._workspace.case
        if case is None:
            raise ReadingError("nothing is open")
        choice = case.session.draft.views[0].choice
        self.noted.append(choice if isinstance(choice, Finding) else None)
        return Path("noted")

    def unsaved(self) -> Remains:
        return Remains((), ())

    def recover(self, found: Recovered) -> None:
        raise ReadingError("practice keeps nothing")

    def label(self, found: Recovered) -> str:
        return "practice"

    def next_words(self) -> str:
        return "Note, next hip"

    def mask(self, words: str) -> str:
        return words.replace(self._folder.name, "(practice)")

    def board(self) -> Board:
        return Board(
            "Practice",
            Action("Stop", "", self._window.read_freely),
            words=f"{len(self.noted)} noted",
            progress=(len(self.noted), len(SIDES)),
        )


def side_of(dock: Any) -> Laterality:
    side: Laterality = dock.workspace.key.side
    return side


def test_a_new_mode_needs_no_other_file(
    dock: Any, qtbot: Any, samples: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(samples / "plain", tmp_path / "plain")
    assert dock.enter(lambda: Practice(dock, folder), "Not begun")
    qtbot.wait(100)
    assert dock.board.isVisible()
    assert dock.board.heading.text() == "Practice"
    assert dock.board.rows() == ("hip 1", "hip 2")
    assert side_of(dock) is Laterality.LEFT
    assert not dock.parts.who.isVisible()
    assert dock.parts.save_next_button.text() == "Note, next hip"
    dock.workspace.case.choose(View.CORONAL, Finding.NO_NECROSIS, 5)
    dock.commands.run("save_next", View.CORONAL)
    assert side_of(dock) is Laterality.RIGHT
    assert dock.board.words.text() == "1 noted"
    assert dock.board.bar.value() == 1
    dock.commands.run("previous_hip", View.CORONAL)
    assert side_of(dock) is Laterality.LEFT
    dock.board.list.itemClicked.emit(dock.board.list.item(1))
    assert side_of(dock) is Laterality.RIGHT
    dock.commands.run("save_next", View.CORONAL)
    assert "That was practice." in dock.parts.steps.line.text()
    assert dock.mode.noted == [Finding.NO_NECROSIS, None]
    assert not list(tmp_path.glob("readings/*.json"))
    dock.board.leave_button.click()
    assert not dock.board.isVisible()
    assert dock.mode is dock.free


def test_a_mode_that_cannot_be_begun_leaves_the_reader_free(dock: Any, tmp_path: Path) -> None:
    assert not dock.enter(lambda: Practice(dock, tmp_path), "Not begun")
    assert dock.mode is dock.free

    def refuse() -> Mode:
        raise ReadingError("no such thing")

    assert not dock.enter(refuse, "Not begun")
    assert dock.dialogs.asked == ["Not begun: no such thing"]
    assert dock.parts.study.open_button.isVisible()
