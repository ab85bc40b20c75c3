"""What the keys and buttons of the reading room do; no Qt, so that a test can press them all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.dock.looking import Act, Looking
from napari_necroangle.dock.recall import Recall
from napari_necroangle.modes.workspace import Desk
from napari_necroangle.reading.case import LOCKED, Case
from napari_necroangle.reading.draft import LANDMARKS, Handle, Role
from napari_necroangle.reading.findings import FINDING_COMMANDS, OBSERVATION_COMMANDS
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.other_visits import Earlier
from napari_necroangle.reading.steps import Flow, Step
from napari_necroangle.reading.texts import LANDMARK_WORDS, VIEWS
from necroangle.errors import ReadingError
from necroangle.terms import Finding, LandmarkName, Observation, UnreadReason, View

__all__ = ["Commands", "Room"]


class Room(Protocol):
    """The window round the commands."""

    def turn_to(self, view: View) -> None:
        """Show the tools of a view, and its canvas where there is one only."""

    def save(self, *, final: bool = False) -> Path | None:
        """Save the case, or submit it where it is one of a worklist."""

    def open_neighbour(self, step: int) -> bool:
        """Open the hip so many places further, if there is one."""

    def open_next(self) -> str:
        """Open what is to be read next; words where there is nothing."""

    def toggle_layout(self) -> None:
        """One canvas, or two."""

    def toggle_help(self) -> None:
        """Show or hide all keys."""

    def refresh(self) -> None:
        """Show everything as it stands."""


_ROLES = {"rim": Role.RIM, "start": Role.START, "end": Role.END, "via": Role.VIA}
_AIMING = (*_ROLES, "another_arc", "outline")
"""Commands after which a click in their view must not be taken for a turn to it."""
_LOOKS = (
    *("go_on", "go_back", "other_view", "layout", "help", "next_hip", "previous_hip"),
    *("head", "jump", "slice_up", "slice_down", "overlay", "window", "second_look"),
)
"""What can be done with a submitted reading: it is only looked at."""
_KEEP_MAGNIFIED = ("window", "overlay", "ghost", "help", "magnify", "layout")


class Commands:
    """Everything that a key can do.

    Parameters
    ----------
    desk
        What lies on the desk.
    planes
        Gives the canvases.
    room
        The window.

    Attributes
    ----------
    magnifies
        Whether an arc end is magnified once it is placed.
    recall
        The reading of another visit that the hip is held against.
    """

    def __init__(self, desk: Desk, planes: Callable[[], Sequence[PlaneView]], room: Room) -> None:
        self.magnifies = True
        self._desk = desk
        self._planes = planes
        self._room = room
        self._looking = Looking(planes, room.turn_to)
        self._plane = self._looking.plane
        self.recall = Recall(lambda: desk.case, lambda: desk.readings, planes)
        self._acts: dict[str, Act] = {
            **{name: self._aimer(role) for name, role in _ROLES.items()},
            **{name: self._finder(choice) for name, choice in FINDING_COMMANDS.items()},
            **{name: self._observer(seen) for name, seen in OBSERVATION_COMMANDS.items()},
            **self._looking.acts,
            **self.recall.acts,
            "go_on": lambda *_: self._follow(self._flow.go_on()),
            "go_back": lambda *_: self._follow(self._flow.go_back()),
            "other_view": self._other_view,
            "move_to_best": self._move_to_best,
            "normal": self._normal,
            "normal_next": self._normal_next,
            "another_arc": lambda case, view: case.aim_at_new_arc(view),
            "landmark": self._next_landmark,
            "outline": lambda case, view: case.aim_at(view, Role.CONTOUR),
            "beside": lambda case, _: case.mark_beside(not case.beside_on),
            "remove": lambda case, view: case.remove_selected(view),
            "clear": lambda case, view: case.clear(view),
            "magnify": self._toggle_magnifying,
            "layout": lambda *_: self._room.toggle_layout(),
            "help": lambda *_: self._room.toggle_help(),
            "save": self._save_only,
            "save_next": lambda *_: self._save_next(),
            "submit": self._submit_only,
            "next_hip": lambda *_: self._open(1),
            "previous_hip": lambda *_: self._open(-1),
            "undo": lambda case, _: case.session.undo(),
            "redo": lambda case, _: case.session.redo(),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every command."""
        return tuple(self._acts)

    def run(self, name: str, view: View) -> None:
        """Do what a key says, on the view that the reader is at."""
        case = self._desk.case
        if case is None:
            if name in ("help", "layout"):
                self._acts[name](None, view)  # type: ignore[arg-type]
            return
        case.notice = ""
        if case.session.is_locked and name not in _LOOKS:
            case.notice = LOCKED if name != "save_next" else self._room.open_next()
            self._room.refresh()
            return
        if name in _AIMING:
            self._flow.turn_to(view)
        if self._accept_end(name):
            self._flow.after_mark()
            self._follow(self._flow.current)
        else:
            self._acts[name](case, view)
        self._room.refresh()

    def _accept_end(self, name: str) -> bool:
        """Show all again where an end is magnified; with Enter that is all there is to do."""
        settling = [plane for plane in self._planes() if plane.settling is not None]
        if name in _KEEP_MAGNIFIED:
            return False
        for plane in settling:
            plane.end_magnifying()
        return bool(settling) and name == "go_on"

    def go_to(self, step: Step) -> None:
        """Go to a step of the list."""
        self._follow(self._flow.go_to(step))
        self._room.refresh()

    def compare_with(self, earlier: Earlier) -> None:
        """Hold the hip against another reading of another visit."""
        self.recall.choose(earlier)
        self._room.refresh()

    def touched(self, view: View) -> None:
        """The reader has turned to a canvas with the mouse."""
        flow = self._desk.flow
        if flow is not None:
            flow.turn_to(view)
        self._room.turn_to(view)

    def clicked(self, view: View, handle: Handle | None) -> None:
        """A click has set a mark: magnify a fresh arc end, else go on."""
        plane = self._plane(view)
        if plane is None or handle is None:
            return
        is_end = handle.role in (Role.START, Role.END)
        if is_end and self.magnifies and not plane.lens.is_magnifying:
            plane.lens.magnify(plane.uv_of(handle), centred=False)
            plane.settling = handle
            self._case.notice = "Magnified: click where the arc ends exactly, or press Enter."
            self._room.refresh()
            return
        plane.end_magnifying()
        before = self._flow.current
        self._flow.after_mark()
        if self._flow.current is not before:
            self._follow(self._flow.current)
        self._room.refresh()

    def stroked(self) -> None:
        """A rim or an arc has been drawn."""
        before = self._flow.current
        self._flow.after_stroke()
        if self._flow.current is not before:
            self._follow(self._flow.current)
        self._room.refresh()

    @property
    def _case(self) -> Case:
        assert self._desk.case is not None  # noqa: S101
        return self._desk.case

    @property
    def _flow(self) -> Flow:
        flow = self._desk.flow
        assert flow is not None  # noqa: S101
        return flow

    def _follow(self, step: Step) -> None:
        """Show the view of a step, on the slice with its marks or the proposed one."""
        view = self._flow.view_of(step)
        if view is None:
            return
        self._room.turn_to(view)
        plane = self._plane(view)
        index = self._case.marks_index(view)
        if plane is not None and index is not None:
            plane.go_to(index)

    def _aimer(self, role: Role) -> Act:
        return lambda case, view: case.aim_at(view, role)

    def _finder(self, choice: Finding | UnreadReason | None) -> Act:
        def find(case: Case, view: View) -> None:
            plane = self._plane(view)
            index = plane.slice_index if plane is not None else 0
            if choice is Finding.NO_NECROSIS and case.slice_no(view):
                self._free(case, view, index)
                return
            case.choose(view, choice, index)
            if self._flow.view_of(self._flow.current) is view and choice is not None:
                self._follow(self._flow.go_on())

        return find

    def _free(self, case: Case, view: View, index: int) -> None:
        try:
            case.session.declare_free(view, case.pictures[view].marked_slice(index))
            case.notice = f"Slice {index + 1} is noted as free of necrosis."
        except ReadingError as error:
            case.notice = error.problem

    def _observer(self, observation: Observation) -> Act:
        def observe(case: Case, view: View) -> None:
            seen = observation not in case.session.draft.view(view).observations
            case.session.observe(view, observation, seen)

        return observe

    def _other_view(self, case: Case, view: View) -> None:
        other = next(one.view for one in case.session.draft.views if one.view is not view)
        self._flow.turn_to(other)
        self._room.turn_to(other)

    def _move_to_best(self, case: Case, _: View) -> None:
        moved = [self._flow.move_to_best(check.view) for check in self._flow.doubtful_slices()]
        for check in moved:
            if check is not None:
                plane = self._plane(check.view)
                if plane is not None:
                    plane.go_to(check.best_index)
                words = VIEWS[check.view].lower()
                case.notice = (
                    f"The {words} rim is on slice {check.best_index + 1} now: see that it fits "
                    f"there. {key_label('undo')} takes it back."
                )
        if not moved:
            case.notice = "Both views lie on the slices nearest to the head's centre."

    def _say_normal(self, case: Case) -> bool:
        """Record no necrosis in both views, unless an arc says otherwise."""
        marked = [VIEWS[one.view].lower() for one in case.session.draft.views if one.arcs]
        missing = [one.view for one in case.session.draft.views if one.view not in case.pictures]
        if marked or missing:
            case.notice = (
                f"An arc is marked on the {' and '.join(marked)} view: clear it first."
                if marked
                else f"The {VIEWS[missing[0]].lower()} view has no series: choose one first."
            )
            return False
        shown = {plane.view: plane.slice_index for plane in self._planes() if plane.picture}
        places = {view: self._marked_or(case, view, index) for view, index in shown.items()}
        on = {view: case.pictures[view].marked_slice(index) for view, index in places.items()}
        case.session.choose_both(Finding.NO_NECROSIS, on)
        self._flow.go_to(Step.SAVE)
        named = " and ".join(f"{VIEWS[one].lower()} slice {at + 1}" for one, at in places.items())
        case.notice = f"No necrosis, read on {named}. {key_label('save_next')} saves and goes on."
        return True

    def _marked_or(self, case: Case, view: View, index: int) -> int:
        marked = case.marks_index(view)
        return index if marked is None else marked

    def _normal(self, case: Case, _: View) -> None:
        self._say_normal(case)

    def _normal_next(self, case: Case, _: View) -> None:
        if self._say_normal(case):
            self._save_next()

    def _next_landmark(self, case: Case, view: View) -> None:
        aim = case.aim(view)
        is_one = aim is not None and aim.role is Role.LANDMARK
        at = (aim.index + 1) % len(LANDMARKS) if aim is not None and is_one else 0
        self.aim_at_landmark(LANDMARKS[at], view)

    def aim_at_landmark(self, name: LandmarkName, view: View) -> None:
        """Let the next click of a view set a landmark."""
        self._flow.go_to(Step.MORE)
        self._case.aim_at_landmark(view, name)
        self._case.notice = f"Click the {LANDMARK_WORDS[name]}."

    def _toggle_magnifying(self, case: Case, _: View) -> None:
        self.magnifies = not self.magnifies
        case.notice = f"Magnifying at arc ends is {'on' if self.magnifies else 'off'}."

    def _save_only(self, *_: object) -> None:
        self._save()

    def _submit_only(self, *_: object) -> None:
        self._save(final=True)

    def _save(self, *, final: bool = False) -> bool:
        if self._room.save(final=final) is None:
            return False
        self._flow.go_to(Step.SAVE)
        return True

    def _save_next(self) -> None:
        if self._save(final=True):
            words = self._room.open_next()
            if words:
                self._case.notice = words

    def _open(self, step: int) -> None:
        if not self._room.open_neighbour(step):
            words = "last" if step > 0 else "first"
            what = "case of the list" if self._desk.is_handed_out else "hip of the folder"
            self._case.notice = f"This is the {words} {what}."
