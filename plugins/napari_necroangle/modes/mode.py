"""What a mode of reading is, and what it may ask of the window it happens in.

A mode says what there is to read, in which order, and how it is saved. The window holds one and
never asks which: a new one is a class here and a way to begin it, and nothing else changes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_necroangle.modes.workspace import Workspace
from napari_necroangle.reading.drawing import PenLines
from napari_necroangle.reading.texts import breakable
from napari_necroangle.store.recovery import Recovered, Remains
from necroangle.dicom import SeriesSummary
from necroangle.terms import View


class Dialogs(Protocol):
    """Asks the reader, and tells what went wrong."""

    def choose(self, title: str, words: str, answers: Sequence[str]) -> str | None:
        """Ask a question with these answers; None if the reader turns away."""

    def text(self, title: str, words: str, start: str = "") -> str:
        """Ask for a line of text; empty if the reader turns away."""

    def tell(self, title: str, words: str) -> None:
        """Tell what went wrong."""


class Window(Protocol):
    """The window that a mode happens in, whatever it is made of."""

    workspace: Workspace

    @property
    def mode(self) -> "Mode":
        """What is read here now."""

    @property
    def dialogs(self) -> Dialogs:
        """Asks the reader."""

    def leave_case(self) -> None:
        """Take up what is still being typed, and listen to the case no longer."""

    def show_current(self) -> None:
        """Show what is open now, a case or nothing."""

    def refresh(self) -> None:
        """Show everything as it stands."""

    def turn_to(self, view: View) -> None:
        """Show the tools of a view, and its canvas where there is one only."""

    def go_to_slices(self) -> None:
        """Turn the canvases to the slices that the mode wants to be seen."""

    def offer_unsaved(self) -> None:
        """Offer what an earlier window left unsaved."""

    def read_freely(self) -> None:
        """End the mode; the reader chooses the hip again."""

    def save(self, *, final: bool = False) -> Path | None:
        """Save the case, or submit it where that is another thing."""

    def toggle_layout(self) -> None:
        """One canvas, or two."""

    def toggle_help(self) -> None:
        """Show or hide all keys."""

    def toggle_full_screen(self) -> None:
        """Fill the screen, or no more."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list of cases.

    ``key``: what :meth:`Mode.open` opens it by.
    ``is_done``: whether there is nothing to do in it.
    ``in_turn``: whether going on, or back, comes by it.
    """

    key: Hashable
    words: str
    tip: str = ""
    is_open: bool = False
    is_done: bool = False
    can_open: bool = True
    in_turn: bool = True


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a mode."""

    words: str
    tip: str
    run: Callable[[], object]
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Board:
    """What the dock shows of a mode above all else; its buttons stand below it.

    Attributes
    ----------
    progress
        How many of how many are done; None where that says nothing.
    legend
        Pens and whose lines they draw.
    table
        Rows of words, the first with the names of its columns.
    """

    heading: str
    leave: Action
    words: str = ""
    progress: tuple[int, int] | None = None
    legend: tuple[tuple[str, str], ...] = ()
    table: tuple[tuple[str, ...], ...] = ()
    doubts: str = ""
    asks: str = ""
    actions: tuple[Action, ...] = ()


class Mode(ABC):
    """A way of reading: what is read, in which order, and how it is saved."""

    may_choose_hip = False
    """Whether the reader chooses visit and hip, and says whose reading it is."""

    case_words = "one"
    """What one of :meth:`cases` is called."""

    @abstractmethod
    def begin(self) -> bool:
        """Open what there is to read first; whether the mode could be begun."""

    @abstractmethod
    def close(self) -> None:
        """Put down what is open; what is not saved is kept."""

    @abstractmethod
    def cases(self) -> tuple[CaseRow, ...]:
        """What there is to read, in its order."""

    @abstractmethod
    def open(self, key: Hashable) -> bool:
        """Open a case of :meth:`cases`; whether it is open now."""

    @abstractmethod
    def next(self) -> str:
        """Open what is to be read next; words where there is nothing."""

    @abstractmethod
    def save(self, *, final: bool) -> Path | None:
        """Save the open case, or submit it; its path, or None where it was not saved."""

    @abstractmethod
    def unsaved(self) -> Remains:
        """What earlier windows left unsaved of what is open."""

    @abstractmethod
    def recover(self, found: Recovered) -> None:
        """Take up one of them, on the series that it was read on."""

    @abstractmethod
    def label(self, found: Recovered) -> str:
        """What the reader knows it by."""

    def neighbour(self, step: int) -> str:
        """Open the case so many places further; words where there is none."""
        key = self.key_at(step)
        if key is None:
            return f"This is the {'last' if step > 0 else 'first'} {self.case_words}."
        self.open(key)
        return ""

    def key_at(self, step: int) -> Hashable | None:
        """The case so many places further, the first while none is open; None without one."""
        rows = [one for one in self.cases() if one.is_open or (one.can_open and one.in_turn)]
        keys = [one.key for one in rows]
        now = next((one.key for one in rows if one.is_open), None)
        at = 0 if now is None else keys.index(now) + step
        return keys[at] if 0 <= at < len(keys) else None

    def next_words(self) -> str:
        """What the button that saves and goes on says; empty where nothing comes after."""
        return ""

    def saved_words(self, path: Path) -> str:
        """What is said of a reading that is saved."""
        return f"Saved: {breakable(path.name)}"

    def mask(self, words: str) -> str:
        """Words for this reader's eyes: without what they are not to know."""
        return words

    def board(self) -> Board | None:
        """What the dock shows of the mode; None where that is nothing."""
        return None

    def drawings(self, view: View) -> tuple[PenLines, ...]:  # noqa: ARG002
        """What others drew on a view."""
        return ()

    def slice_of(self, view: View) -> int | None:  # noqa: ARG002
        """The slice of the shown series that the mode wants to be seen; None where any will do."""
        return None

    def ahead(self) -> tuple[SeriesSummary, ...]:
        """The series that will be wanted next."""
        return ()

    def act(self) -> None:  # noqa: B027 - most modes keep no time
        """The reader did something."""
