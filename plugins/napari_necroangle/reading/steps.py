"""The way through a hip: which steps there are, which are done, and which is next.

Nothing here forces an order. A step is done by what the draft holds, whoever put it there; the
flow only knows at which one the reader is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from napari_necroangle.reading.case import Case
from napari_necroangle.reading.draft import Role
from necroangle.terms import Finding, UnreadReason, View

SAME_MM = 0.25
"""Slices whose distances from the centre differ by less are equally good."""


class Step(StrEnum):
    """One step of reading a hip."""

    HEAD_A = "head_a"
    HEAD_B = "head_b"
    SLICES = "slices"
    ARC_A = "arc_a"
    ARC_B = "arc_b"
    MORE = "more"
    SAVE = "save"

    @property
    def place(self) -> int | None:
        """0 for a step on the A view, 1 on the B view, None for one on both."""
        return {"a": 0, "b": 1}.get(self.value.rpartition("_")[2])

    @property
    def is_head(self) -> bool:
        """Whether it marks a head circle."""
        return self in (Step.HEAD_A, Step.HEAD_B)

    @property
    def is_arc(self) -> bool:
        """Whether it marks an arc, or says that there is none."""
        return self in (Step.ARC_A, Step.ARC_B)


@dataclass(frozen=True, slots=True)
class SliceCheck:
    """Where a view's slice lies from the head's centre that the other view shows.

    Attributes
    ----------
    index, offset_mm
        Its marked slice, from 0, and the signed distance from the centre: coronal positive
        behind it, sagittal positive to the patient's left.
    best_index, best_offset_mm
        The same of the slice nearest to where it should lie.
    shows_centre
        Whether even that one shows it: else the stack ends before the head's middle.
    wanted_mm
        Where it should lie from the centre: 0, or at a follow-up where the earlier one lay.
    """

    view: View
    index: int
    offset_mm: float
    best_index: int
    best_offset_mm: float
    shows_centre: bool
    wanted_mm: float = 0.0

    @property
    def is_best(self) -> bool:
        """Whether no other slice lies clearly nearer to where it should."""
        here, there = (abs(one - self.wanted_mm) for one in (self.offset_mm, self.best_offset_mm))
        return here - there < SAME_MM


def slice_check(case: Case, view: View) -> SliceCheck | None:
    """Hold a view's slice against the centre; None before it is marked and the centre known."""
    state = (case.session.outcome(), case.pictures.get(view), case.followed)
    known = case.checked.get(view)
    if known is None or any(one is not now for one, now in zip(known, state, strict=False)):
        case.checked[view] = known = (*state, _check(case, view))
    found: SliceCheck | None = known[-1]
    return found


def _check(case: Case, view: View) -> SliceCheck | None:
    centre, index = case.head_centre(view), case.marks_index(view)
    picture = case.pictures.get(view)
    if centre is None or index is None or picture is None:
        return None
    best = picture.best_slice(centre, case.wanted_mm(view))
    return SliceCheck(
        view,
        index,
        picture.offset_mm(index, centre),
        best.index,
        best.offset_mm,
        best.shows_centre,
        case.wanted_mm(view),
    )


class Flow:
    """Where the reader is on the way through a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._at: Step | None = None
        self._kept: set[str] = set()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of this case: a view without a series has none, a radiograph no slices."""
        views = self.case.session.draft.views
        has_slices = not views[0].view.is_radiograph and not self.case.lacking
        return tuple(
            step
            for step in Step
            if (step is not Step.SLICES or has_slices)
            and self.view_of(step) not in self.case.lacking
        )

    @property
    def current(self) -> Step:
        """Where the reader is: where they went, else the first step that is not done."""
        return self._at if self._at is not None else self._first_open(self.steps)

    @property
    def first_open(self) -> Step:
        """The first step that is not done; saving, where none is left."""
        return self._first_open(self.steps)

    def view_of(self, step: Step) -> View | None:
        """The view that a step belongs to."""
        place = step.place
        return None if place is None else self.case.session.draft.views[place].view

    def is_done(self, step: Step) -> bool:
        """Whether what a step asks for is there."""
        view = self.view_of(step)
        if view is not None:
            return self._is_head_done(view) if step.is_head else self._is_arc_done(view)
        if step is Step.SLICES:
            return not self.doubtful_slices() and all(
                self._is_head_done(draft.view) for draft in self.case.session.draft.views
            )
        if step is Step.SAVE:
            return not self.case.session.is_unsaved and self.case.session.outcome().is_complete
        return self._has_more()

    def doubtful_slices(self) -> tuple[SliceCheck, ...]:
        """The views whose marks another slice would show better, unless the reader kept them."""
        if self.case.session.draft.views[0].view.is_radiograph:
            return ()
        checks = (slice_check(self.case, draft.view) for draft in self.case.session.draft.views)
        return tuple(
            check
            for check in checks
            if check is not None and not check.is_best and not self._is_kept(check.view)
        )

    def keep_slices(self) -> None:
        """Say that the marks stay on their slices although others lie nearer."""
        for check in self.doubtful_slices():
            on = self.case.session.draft.view(check.view).on
            if on is not None:
                self._kept.add(on.image.instance_uid)

    def move_to_best(self, view: View) -> SliceCheck | None:
        """Carry a view's marks to the slice nearest to the centre, where it is another one."""
        check = slice_check(self.case, view)
        if check is None or check.best_index == check.index:
            return None
        self.case.session.move_to(view, self.case.pictures[view].marked_slice(check.best_index))
        return check

    def go_to(self, step: Step) -> Step:
        """Go to a step, in any order, and aim at what it asks for."""
        self._at = step
        view = self.view_of(step)
        self.case.notice = ""
        if self.case.beside_on and step is not Step.MORE:
            self.case.mark_beside(False)
        if view is not None and step.is_head:
            self.case.aim_at(view, Role.RIM)
        elif view is not None:
            self.case.next_aim(view)
        else:
            for draft in self.case.session.draft.views:
                self.case.aim_at(draft.view, None)
        return step

    def go_back(self) -> Step:
        """Go to the step before."""
        at = self.steps.index(self.current)
        return self.go_to(self.steps[max(at - 1, 0)])

    def go_on(self) -> Step:
        """Go to the next step that is not done, heads first; extras are never asked for."""
        now = self.current
        if now is Step.SLICES:
            self.keep_slices()
        at = self.steps.index(now)
        round_ = (*self.steps[at + 1 :], *self.steps[: at + 1])
        return self.go_to(self._first_open(sorted(round_, key=lambda step: not step.is_head)))

    def turn_to(self, view: View) -> Step:
        """Follow the reader who turns to a view by mouse: to what is open there, if anything."""
        now = self._at = self.current
        if now is Step.MORE or self.view_of(now) is view:
            return now
        own = [step for step in self.steps if self.view_of(step) is view]
        open_steps = [step for step in own if not self.is_done(step)]
        if not open_steps and now in (Step.SAVE, Step.SLICES):
            return now
        return self.go_to((open_steps or own)[0 if open_steps else -1])

    def after_mark(self) -> None:
        """Go on by itself where a step is over without doubt: an arc has its last point."""
        if self.current.is_arc and self.is_done(self.current):
            self.go_on()

    def after_stroke(self) -> None:
        """Go on by itself once a whole rim or arc has been drawn."""
        if self.current is not Step.MORE and self.is_done(self.current):
            self.go_on()

    def _first_open(self, steps: Iterable[Step]) -> Step:
        return next((step for step in steps if self._is_open(step)), Step.SAVE)

    def _is_open(self, step: Step) -> bool:
        """Whether a step has to be done before the hip is complete."""
        if step is Step.SLICES:
            return bool(self.doubtful_slices())
        return (step.is_head or step.is_arc) and not self.is_done(step)

    def _is_head_done(self, view: View) -> bool:
        draft = self.case.session.draft.view(view)
        if draft.choice not in (Finding.NECROSIS, None):
            return True
        return self.case.session.outcome().view(view).circle is not None

    def _is_arc_done(self, view: View) -> bool:
        draft, outcome = self.case.session.draft.view(view), self.case.session.outcome().view(view)
        if isinstance(draft.choice, UnreadReason):
            return True
        return draft.choice is not None and not outcome.missing

    def _has_more(self) -> bool:
        draft = self.case.session.draft
        views = draft.views
        return bool(draft.entries or draft.notes) or any(
            view.observations or view.landmarks or view.contour or view.neighbours for view in views
        )

    def _is_kept(self, view: View) -> bool:
        on = self.case.session.draft.view(view).on
        return on is not None and on.image.instance_uid in self._kept
