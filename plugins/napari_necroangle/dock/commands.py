"""What the keys and buttons of the window do; no Qt, so that a test can press them all."""

from collections.abc import Callable, Sequence
from functools import partial

from napari_necroangle.canvas.looking import Act, Looking
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.modes.mode import Window
from napari_necroangle.modes.workspace import OpenCase
from napari_necroangle.reading.case import LOCKED, Case
from napari_necroangle.reading.draft import LANDMARKS, Handle, Role
from napari_necroangle.reading.followup import Earlier, FollowupOverlay, Ghost
from napari_necroangle.reading.keys import FINDING_COMMANDS, OBSERVATION_COMMANDS, key_label
from napari_necroangle.reading.steps import Flow, Step
from napari_necroangle.reading.texts import LANDMARK_WORDS, VIEWS
from necroangle.errors import ReadingError
from necroangle.terms import Finding, LandmarkName, Observation, UnreadReason, View

__all__ = ["Commands"]

_ROLES = {"rim": Role.RIM, "start": Role.START, "end": Role.END, "via": Role.VIA}
_AIMING = (*_ROLES, "another_arc", "outline")
"""Commands after which a click in their view must not be taken for a turn to it."""
_LOOKS = (
    *("go_on", "go_back", "other_view", "layout", "help", "next_hip", "previous_hip"),
    "full_screen",
)
"""What can be done with a submitted reading beside all looks: it is only looked at."""
_KEEP_MAGNIFIED = (
    *("window", "window_reset", "link", "invert", "cursor", "loupe", "overlay", "ghost"),
    *("help", "magnify", "layout", "full_screen"),
)


class Commands:
    """Everything that a key can do.

    Parameters
    ----------
    window
        The window.
    planes
        Gives its canvases.

    Attributes
    ----------
    magnifies
        Whether an arc end is magnified once it is placed.
    looking
        How the pictures are looked at.
    followup
        The reading of another visit that the hip is held against.
    """

    def __init__(self, window: Window, planes: Callable[[], Sequence[PlaneView]]) -> None:
        self.magnifies = True
        self._window, self._workspace = window, window.workspace
        self._planes = planes
        self.looking = Looking(planes, window.turn_to)
        self._plane = self.looking.plane
        self.windowed, self.pointed = self.looking.windowed, self.looking.pointed
        self.followup = FollowupOverlay(
            lambda: self._workspace.case,
            lambda: self._workspace.readings,
            self._show_ghost,
            self._turn_slice,
        )
        self._without_hip = {
            "layout": window.toggle_layout,
            "help": window.toggle_help,
            "full_screen": window.toggle_full_screen,
        }
        self._acts: dict[str, Act] = {
            **{name: self._aimer(role) for name, role in _ROLES.items()},
            **{name: self._finder(choice) for name, choice in FINDING_COMMANDS.items()},
            **{name: self._observer(seen) for name, seen in OBSERVATION_COMMANDS.items()},
            **self.looking.acts,
            **self.followup.acts,
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
            **{name: partial(_alone, act) for name, act in self._without_hip.items()},
            "save": self._save_only,
            "save_next": lambda *_: self._save_next(),
            "submit": self._submit_only,
            "next_hip": lambda *_: self._open(1),
            "previous_hip": lambda *_: self._open(-1),
            "undo": lambda case, _: self._step_through_time(case.session.undo),
            "redo": lambda case, _: self._step_through_time(case.session.redo),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every command."""
        return tuple(self._acts)

    def run(self, name: str, view: View | None) -> None:
        """Do what a key says, on the view that the reader is at."""
        case = self._workspace.case
        if case is None or view is None:
            self._without_hip.get(name, lambda: None)()
            return
        case.notice = ""
        if case.session.is_locked and name not in (*_LOOKS, *self.looking.acts):
            case.notice = LOCKED if name != "save_next" else self._window.mode.next()
            self._window.refresh()
            return
        if name in _AIMING:
            self._flow.turn_to(view)
        if self._accept_end(name):
            self._flow.after_mark()
            self._follow(self._flow.current)
        else:
            self._acts[name](case, view)
        self._window.refresh()

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
        self._window.refresh()

    def compare_with(self, earlier: Earlier) -> None:
        """Hold the hip against another reading of another visit."""
        self.followup.choose(earlier)
        self._window.refresh()

    def touched(self, view: View) -> None:
        """The reader has turned to a canvas with the mouse."""
        flow = self._workspace.flow
        if flow is not None:
            flow.turn_to(view)
        self._window.turn_to(view)

    def clicked(self, view: View, handle: Handle | None) -> None:
        """A click has set a mark: magnify a fresh arc end, else go on."""
        plane = self._plane(view)
        if plane is None or handle is None:
            return
        is_end = handle.role in (Role.START, Role.END)
        if is_end and self.magnifies and not plane.lens.is_magnifying:
            plane.lens.magnify(plane.uv_of(handle), centred=False)
            plane.settling = handle
            go_on = key_label("go_on")
            self._case.notice = f"Magnified: click where the arc ends exactly, or press {go_on}."
            self._window.refresh()
            return
        plane.end_magnifying()
        before = self._flow.current
        self._flow.after_mark()
        if self._flow.current is not before:
            self._follow(self._flow.current)
        self._window.refresh()

    def stroked(self) -> None:
        """A rim or an arc has been drawn."""
        before = self._flow.current
        self._flow.after_stroke()
        if self._flow.current is not before:
            self._follow(self._flow.current)
        self._window.refresh()

    @property
    def _now(self) -> OpenCase:
        """The open case: a command that needs one is not run without (see :meth:`run`)."""
        if self._workspace.current is None:
            raise ReadingError("no hip is open")
        return self._workspace.current

    @property
    def _case(self) -> Case:
        return self._now.case

    @property
    def _flow(self) -> Flow:
        return self._now.flow

    def _show_ghost(self, view: View, ghost: Ghost | None, label: str) -> None:
        plane = self._plane(view)
        if plane is not None:
            plane.show_ghost(ghost, label)

    def _turn_slice(self, view: View, index: int) -> None:
        plane = self._plane(view)
        if plane is not None:
            plane.go_to(index)

    def _follow(self, step: Step) -> None:
        """Show the view of a step, on the slice with its marks or the proposed one."""
        view = self._flow.view_of(step)
        if view is None:
            return
        self._window.turn_to(view)
        plane = self._plane(view)
        index = self._case.marks_index(view)
        if plane is not None and index is not None:
            plane.go_to(index)

    def _step_through_time(self, step: Callable[[], None]) -> None:
        """Undo or redo; the list of steps goes along where one is open again, or done again."""
        before = self._flow.first_open
        step()
        if self._flow.first_open is not before:
            self._follow(self._flow.go_to(self._flow.first_open))

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
        self._window.turn_to(other)

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
        if self._window.save(final=final) is None:
            return False
        self._flow.go_to(Step.SAVE)
        return True

    def _save_next(self) -> None:
        if self._save(final=True):
            words = self._window.mode.next()
            if words:
                self._case.notice = words

    def _open(self, step: int) -> None:
        words = self._window.mode.neighbour(step)
        if words:
            self._case.notice = words


def _alone(act: Callable[[], None], *_: object) -> None:
    """Do what needs no hip."""
    act()
