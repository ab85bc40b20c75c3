"""An earlier visit laid over the present one: which, whether it is shown, and on which slices."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.reading.case import Case
from napari_necroangle.reading.followup import (
    Ghost,
    StudyRules,
    change_from,
    change_words,
    earlier_words,
    ghost_of,
)
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.other_visits import Earlier, earlier_readings
from napari_necroangle.reading.texts import VIEWS
from necroangle.terms import View

if TYPE_CHECKING:
    from napari_necroangle.reading.outcome import Outcome

__all__ = ["Recall"]

LABEL_LETTERS = 14
"""So many letters of a visit's name fit beside the scale bar of a small window."""

_NOT_TIED = "Mark a head circle first: the head's place ties the two visits together."


class Recall:
    """The reading of another visit that the present hip is held against.

    It is taken off at every other hip: a reader marks first and compares afterwards, unless she
    asks for it. A blinded reader has none.

    Parameters
    ----------
    case
        Gives the case that is read, or None.
    folder
        Gives the folder of the readings, or None.
    planes
        Gives the canvases.

    Attributes
    ----------
    choices
        The readings of other visits, her own first.
    chosen
        The one that is compared with; None where there is none.
    is_on
        Whether its marks are shown.
    acts
        Its commands by their names.
    """

    def __init__(
        self,
        case: Callable[[], Case | None],
        folder: Callable[[], Path | None],
        planes: Callable[[], Sequence[PlaneView]],
    ) -> None:
        self._case, self._folder, self._planes = case, folder, planes
        self.choices: tuple[Earlier, ...] = ()
        self.chosen: Earlier | None = None
        self.is_on = False
        self._asked: tuple[object, ...] = ()
        self._of: Case | None = None
        self._ghosts: dict[View, tuple[tuple[object, ...], Ghost | None]] = {}
        self._words: tuple[Outcome | None, Earlier | None, str] = (None, None, "")
        self._rules = StudyRules()
        self.acts: dict[str, Callable[[Case, View], None]] = {
            "ghost": lambda case, _: self._toggle(case),
            "recall": self._go_to_ghost,
        }

    def look(self, *, again: bool = False) -> None:
        """Find the readings of other visits; ``again`` looks at the folder even for the same hip.

        Parameters
        ----------
        again
            Whether something may have come into the folder: a case was opened, or saved.
        """
        case, folder = self._case(), self._folder()
        draft = case.session.draft if case is not None else None
        asked = (
            folder,
            draft and (draft.subject, draft.laterality, draft.visit, draft.reader, draft.conduct),
        )
        if case is not self._of:
            self.is_on, self._of, self._ghosts = False, case, {}
        elif asked == self._asked and not again:
            return
        self._asked = asked
        self.choices = earlier_readings(folder, draft) if folder and draft else ()
        if self.choices and draft:
            self._rules = StudyRules.of(folder, draft.subject, draft.laterality)
        if self.chosen not in self.choices:
            self.chosen = self.choices[0] if self.choices else None
        self.is_on = self.is_on and self.chosen is not None

    def choose(self, earlier: Earlier) -> None:
        """Compare with another reading."""
        self.chosen = earlier
        self.draw()

    def draw(self) -> None:
        """Show the ghosts as they stand on every canvas, or none."""
        self.look()
        for plane in self._planes():
            if plane.case is not None:
                ghost = self.ghost(plane.view) if self.is_on else None
                plane.show_ghost(ghost, self._label(ghost))

    def ghost(self, view: View) -> Ghost | None:
        """Where the chosen reading's marks fall on a view; found anew only if a circle changed."""
        case = self._case()
        picture = case.pictures.get(view) if case is not None else None
        if case is None or picture is None or self.chosen is None:
            return None
        outcome = case.session.outcome()
        state = (self.chosen, picture, *((one.circle, one.plane) for one in outcome.views))
        known = self._ghosts.get(view)
        if known is None or not _same(known[0], state):
            self._ghosts[view] = known = (state, ghost_of(self.chosen, view, outcome, picture))
        return known[1]

    def words(self) -> str:
        """The change since the chosen reading, in one line; empty where there is none."""
        case = self._case()
        if case is None or self.chosen is None:
            return ""
        outcome = case.session.outcome()
        if self._words[0] is not outcome or self._words[1] is not self.chosen:
            change = change_from(self.chosen, outcome, self._rules)
            said = change_words(self.chosen, change, self._rules, case.session.draft.visit)
            self._words = (outcome, self.chosen, said)
        return self._words[2]

    def _label(self, ghost: Ghost | None) -> str:
        if ghost is None or self.chosen is None:
            return ""
        visit = self.chosen.reading.visit
        short = visit if len(visit) <= LABEL_LETTERS else f"{visit[: LABEL_LETTERS - 1]}…"
        return f"dashed: {short}\non slice {ghost.slice_index + 1}"

    def _toggle(self, case: Case) -> None:
        if self.chosen is None:
            case.notice = "There is no reading of this hip at another visit in the readings folder."
            return
        self.is_on = not self.is_on
        if self.is_on:
            case.notice = self._where()

    def _where(self) -> str:
        """Which slices the ghosts lie on."""
        assert self.chosen is not None  # noqa: S101
        views = [plane.view for plane in self._planes() if plane.case is not None]
        ghosts = [(view, self.ghost(view)) for view in views]
        places = [
            f"{VIEWS[view].lower()} slice {ghost.slice_index + 1}"
            for view, ghost in ghosts
            if ghost
        ]
        if not places:
            return _NOT_TIED
        shown = f"Dashed: {earlier_words(self.chosen)}, on {' and '.join(places)}."
        return f"{shown} {key_label('recall')}: go there."

    def _go_to_ghost(self, case: Case, view: View) -> None:
        """Show the ghost, on the slice that it lies on."""
        if self.chosen is None:
            self._toggle(case)
            return
        ghost = self.ghost(view)
        plane = next(
            (one for one in self._planes() if one.case is not None and one.view is view), None
        )
        if ghost is None or plane is None:
            case.notice = _NOT_TIED
            return
        self.is_on = True
        plane.go_to(ghost.slice_index)
        case.notice = self._where()


def _same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Whether all parts are the very same or equal; pictures are compared by what they are."""
    return first[0] is second[0] and first[1] is second[1] and first[2:] == second[2:]
