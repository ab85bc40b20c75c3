"""The earlier visit's marks over the present one: where they fall.

Two visits have two frames of reference, and the patient never lies twice alike. What they share is
the femoral head: an earlier mark is carried to the present visit by the way from the earlier head
centre to the present one, patient axes kept. On radiographs, whose millimetres are the detector's,
the head's radius gives the scale as well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_necroangle.reading.case import Case, Picture
from napari_necroangle.reading.drawing import Drawing, drawing_of
from napari_necroangle.reading.followup import change_words, earlier_words, followed_of
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.outcome import Outcome
from napari_necroangle.reading.texts import VIEWS
from necroangle.batch.other_visits import Earlier, StudyRules, earlier_readings
from necroangle.batch.study_settings import measuring_in
from necroangle.geometry import PatientPoints, PlanePoints
from necroangle.terms import View

_Vector = NDArray[np.float64]

LABEL_LETTERS = 14
"""So many letters of a visit's name fit beside the scale bar of a small window."""

_NOT_TIED = "Mark a head circle first: the head's place ties the two visits together."


@dataclass(frozen=True, slots=True, eq=False)
class Ghost:
    """An earlier view over a slice of the present one.

    Attributes
    ----------
    slice_index
        The slice of the present stack that cuts the head where the earlier slice did.
    drawing
        Circle, rays and arcs, plane mm of that slice.
    placed_by
        What carried them there: ``"frame of reference"``, ``"own circle"``, ``"other view"`` or
        ``"registration"``.
    """

    slice_index: int
    drawing: Drawing
    placed_by: str


def ghost_of(earlier: Earlier, view: View, outcome: Outcome, picture: Picture) -> Ghost | None:
    """Where an earlier view's circle and arcs fall on the present stack.

    ``outcome``: what is marked by now: the head centre of this view, or of the other.

    Returns
    -------
    Ghost or None
        None where the earlier view has no circle, or nothing yet ties the two visits together.
    """
    found = earlier.view(view)
    if found is None:
        return None
    entry, measured = found
    circle, old = measured.circle, entry.plane.plane()
    tie, centre = tie_of(earlier, view, outcome, picture), earlier.head_centre(view)
    if tie is None or circle is None or centre is None:
        return None
    shift_mm, placed_by = tie
    own = outcome.view(view)
    there = PatientPoints(centre + shift_mm)
    index = picture.volume.nearest_index(there) if len(picture) > 1 else 0
    scale = 1.0
    if view.is_radiograph and own.circle is not None:
        scale = own.circle.radius_mm / circle.radius_mm

    def carry(points_mm: _Vector) -> _Vector:
        about = np.array(circle.centre_mm)
        scaled = PlanePoints(about + (points_mm - about) * scale)
        patient = PatientPoints(old.plane_to_patient(scaled) + shift_mm)
        return np.asarray(picture.volume.planes[index].patient_to_plane(patient), float)

    drawing = drawing_of(circle, measured.arcs, has_cross=False).carried(carry)
    return Ghost(index, drawing, placed_by)


def tie_of(
    earlier: Earlier, view: View, outcome: Outcome, picture: Picture
) -> tuple[_Vector, str] | None:
    """The way from an earlier visit to the present one, (3,) patient mm, and what tells it.

    None where the view was not read then, or nothing yet ties the two visits together.
    """
    found = earlier.view(view)
    if found is None:
        return None
    frame = found[0].image.frame_of_reference_uid
    if frame is not None and frame == picture.volume.sources[0].frame_of_reference_uid:
        return np.zeros(3), "frame of reference"
    order = [view] if view.is_radiograph else [view, outcome.other(view)]
    for name, one in zip(("own circle", "other view"), order, strict=False):
        before, now = earlier.head_centre(one), outcome.view(one).head_centre
        if before is not None and now is not None:
            return (now - before)[0], name
    return None


class FollowupOverlay:
    """The reading of another visit that the present hip is held against.

    It is taken off at every other hip: a reader marks first and compares afterwards, unless they
    ask for it. A blinded reader has none.

    ``choices``: the readings of other visits, the reader's own first.
    ``rules``: what the study says of the hip, where it has readings of other visits.
    """

    def __init__(
        self,
        case: Callable[[], Case | None],
        folder: Callable[[], Path | None],
        show: Callable[[View, Ghost | None, str], None],
        go_to: Callable[[View, int], None],
    ) -> None:
        self._case, self._folder = case, folder
        self._show, self._go_to = show, go_to
        self.choices: tuple[Earlier, ...] = ()
        self.chosen: Earlier | None = None
        self.is_on = False
        self._asked: tuple[object, ...] = ()
        self._of: Case | None = None
        self._ghosts: dict[View, tuple[tuple[object, ...], Ghost | None]] = {}
        self._words: tuple[Outcome | None, Earlier | None, str] = (None, None, "")
        self.rules = StudyRules()
        self.acts: dict[str, Callable[[Case, View], None]] = {
            "ghost": lambda case, _: self._toggle(case),
            "recall": self._go_to_ghost,
        }

    def look(self, *, again: bool = False) -> None:
        """Find the readings of other visits; ``again`` looks anew even for the same hip."""
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
        if case is not None:
            case.session.measure_by(measuring_in(folder))
        self.choices = earlier_readings(folder, *draft.asked) if folder and draft else ()
        if self.choices and draft:
            self.rules = StudyRules.of(folder, draft.subject, draft.laterality)
        if self.chosen not in self.choices:
            self.chosen = self.choices[0] if self.choices else None
        self.is_on = self.is_on and self.chosen is not None
        self._follow()

    def choose(self, earlier: Earlier) -> None:
        """Compare with another reading."""
        self.chosen = earlier
        self._follow()
        self.draw()

    def _follow(self) -> None:
        """Let the slices be held against those of the chosen reading."""
        case = self._case()
        if case is not None:
            reader = case.session.draft.reader
            chosen = self.chosen
            case.followed = followed_of(chosen, reader, self.rules) if chosen else None

    def draw(self) -> None:
        """Show the ghosts as they stand on every canvas, or none."""
        self.look()
        for view in self._views():
            ghost = self.ghost(view) if self.is_on else None
            self._show(view, ghost, self._label(ghost))

    def ghost(self, view: View) -> Ghost | None:
        """Where the chosen reading's marks fall on a view; found anew only if a circle changed."""
        case = self._case()
        picture = case.pictures.get(view) if case is not None else None
        if case is None or picture is None or self.chosen is None:
            return None
        outcome, state = case.session.outcome(), self._state(case, picture)
        known = self._ghosts.get(view)
        if known is None or not _same(known[0], state):
            self._ghosts[view] = known = (state, ghost_of(self.chosen, view, outcome, picture))
        return known[1]

    def lay(self, view: View, earlier: Earlier, ghost: Ghost | None) -> None:
        """Show a reading's marks where they were found otherwise, until a circle changes."""
        case = self._case()
        if case is not None and view in case.pictures:
            self.chosen, self.is_on = earlier, True
            self._ghosts[view] = (self._state(case, case.pictures[view]), ghost)

    def _state(self, case: Case, picture: Picture) -> tuple[object, ...]:
        """What the place of a ghost hangs on."""
        views = case.session.outcome().views
        return (self.chosen, picture, *((one.circle, one.plane) for one in views))

    def words(self) -> str:
        """The change since the chosen reading, in one line; empty where there is none."""
        case = self._case()
        if case is None or self.chosen is None:
            return ""
        outcome = case.session.outcome()
        if self._words[0] is not outcome or self._words[1] is not self.chosen:
            visit = case.session.draft.visit
            change = self.rules.change(self.chosen, outcome.hip, visit)
            said = change_words(self.chosen, change, self.rules, visit)
            self._words = (outcome, self.chosen, said)
        return self._words[2]

    def _views(self) -> tuple[View, ...]:
        case = self._case()
        if case is None:
            return ()
        views = (draft.view for draft in case.session.draft.views)
        return tuple(view for view in views if view in case.pictures)

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
            self._say_where(case)

    def _say_where(self, case: Case) -> None:
        chosen = self.chosen
        case.say(self._where(), lambda: self.is_on and self.chosen is chosen)

    def _where(self) -> str:
        """Which slices the ghosts lie on."""
        ghosts = [(view, self.ghost(view)) for view in self._views()]
        places = [
            f"{VIEWS[view].lower()} slice {ghost.slice_index + 1}"
            for view, ghost in ghosts
            if ghost
        ]
        if not places:
            return _NOT_TIED
        chosen = earlier_words(self.chosen) if self.chosen is not None else ""
        shown = f"Dashed: {chosen}, on {' and '.join(places)}."
        return f"{shown} {key_label('recall')}: go there."

    def _go_to_ghost(self, case: Case, view: View) -> None:
        """Show the ghost, on the slice that it lies on."""
        if self.chosen is None:
            self._toggle(case)
            return
        ghost = self.ghost(view)
        if ghost is None:
            case.notice = _NOT_TIED
            return
        self.is_on = True
        self._go_to(view, ghost.slice_index)
        self._say_where(case)


def _same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Whether all parts are the very same or equal; pictures are compared by what they are."""
    return first[0] is second[0] and first[1] is second[1] and first[2:] == second[2:]
