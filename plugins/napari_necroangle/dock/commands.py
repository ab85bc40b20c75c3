"""What the keys and buttons of the window do; no Qt, so that a test can press them all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from napari_necroangle.canvas.looking import (
    Act,
    Looking,
    Second,
    ghost_by,
    motion_words,
    registered,
)
from napari_necroangle.canvas.view import PlaneView
from napari_necroangle.modes.mode import Window
from napari_necroangle.modes.workspace import OpenCase
from napari_necroangle.reading.case import LOCKED, Case, Picture
from napari_necroangle.reading.draft import LANDMARKS, Handle, Role
from napari_necroangle.reading.drawing import drawing_of
from napari_necroangle.reading.ghosts import FollowupOverlay, Ghost, tie_of
from napari_necroangle.reading.guidance import saving_words
from napari_necroangle.reading.keys import FINDING_COMMANDS, OBSERVATION_COMMANDS, key_label
from napari_necroangle.reading.steps import Flow, Step
from napari_necroangle.reading.texts import VIEWS
from necroangle.batch.other_visits import Earlier
from necroangle.dicom import SeriesSummary
from necroangle.dicom.contrast import contrast_of
from necroangle.dicom.visits import Visit, sequence_words
from necroangle.errors import NecroangleError, ReadingError
from necroangle.imaging import HeadMotion, Unregistered
from necroangle.terms import Finding, LandmarkName, Observation, UnreadReason, View, Weighting

_ROLES = {"rim": Role.RIM, "start": Role.START, "end": Role.END, "via": Role.VIA}
_AIMING = (*_ROLES, "another_arc", "outline", "scale")
"""Commands after which a click in their view must not be taken for a turn to it."""
_LOOKS = (
    *("go_on", "go_back", "other_view", "layout", "help", "next_hip", "previous_hip"),
    *("full_screen", "second_picture"),
)
"""What can be done with a submitted reading beside all looks: it is only looked at."""
_KEEP_MAGNIFIED = (
    *("window", "window_reset", "link", "invert", "cursor", "loupe", "overlay", "ghost"),
    *("help", "magnify", "layout", "full_screen", "second_picture"),
)


class Commands:
    """Everything that a key can do."""

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
            self.looking.go_to,
        )
        self._without_hip = {
            "layout": window.toggle_layout,
            "help": window.toggle_help,
            "full_screen": window.toggle_full_screen,
        }
        self.beside = Beside(window, self._plane, self.followup)
        self._acts: dict[str, Act] = {
            "second_picture": self.beside.next,
            **{name: partial(self._aim, role) for name, role in _ROLES.items()},
            **{name: partial(self._find, choice) for name, choice in FINDING_COMMANDS.items()},
            **{name: partial(self._observe, one) for name, one in OBSERVATION_COMMANDS.items()},
            **self.looking.acts,
            **self.followup.acts,
            "go_on": lambda *_: self._follow(self._flow.go_on()),
            "go_back": lambda *_: self._follow(self._flow.go_back()),
            "other_view": self._other_view,
            "move_to_best": self._move_to_best,
            "normal": lambda case, _: self._say_normal(case),
            "normal_next": self._normal_next,
            "another_arc": lambda case, view: case.aim_at_new_arc(view),
            "landmark": self._next_landmark,
            "outline": lambda case, view: case.aim_at(view, Role.CONTOUR),
            "scale": self._scale,
            "beside": lambda case, _: case.mark_beside(not case.beside_on),
            "remove": lambda case, view: case.remove_selected(view),
            "clear": lambda case, view: case.clear(view),
            "magnify": self._toggle_magnifying,
            **{name: partial(_alone, act) for name, act in self._without_hip.items()},
            "save": lambda *_: self._save(),
            "save_next": lambda *_: self._save_next(),
            "submit": lambda *_: self._save(final=True),
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
        """The reader has turned to a canvas with the mouse: what was said before is over."""
        now = self._workspace.current
        if now is not None:
            now.case.notice = ""
            now.flow.turn_to(view)
        self._window.turn_to(view)

    def clicked(self, view: View, handle: Handle | None) -> None:
        """A click has set a mark: magnify a fresh arc end, else go on."""
        plane = self._plane(view)
        if plane is None or handle is None:
            return
        if handle.role is Role.MARKER:
            self._scale_by(view)
            return
        mark = plane.mark_of(handle) if handle.role in (Role.START, Role.END) else None
        if mark is not None and self.magnifies and not plane.lens.is_magnifying:
            plane.lens.magnify(mark.uv_mm, centred=False)
            plane.settling = handle
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

    def _follow(self, step: Step) -> None:
        """Show the view of a step, on the slice with its marks or the proposed one."""
        view = self._flow.view_of(step)
        if view is None:
            return
        self._window.turn_to(view)
        index = self._case.marks_index(view)
        if index is not None:
            self.looking.go_to(view, index)

    def _step_through_time(self, step: Callable[[], None]) -> None:
        """Undo or redo; the list of steps goes along where one is open again, or done again."""
        before, case = self._flow.first_open, self._case
        step()
        if self._workspace.follow_scales():
            self._window.show_current()
        for draft in case.session.draft.views:
            case.aim_again(draft.view)
        if self._flow.first_open is not before:
            self._follow(self._flow.go_to(self._flow.first_open))

    def _aim(self, role: Role, case: Case, view: View) -> None:
        case.aim_at(view, role)

    def _find(self, choice: Finding | UnreadReason | None, case: Case, view: View) -> None:
        plane = self._plane(view)
        index = plane.slice_index if plane is not None else 0
        if choice is Finding.NO_NECROSIS and case.slice_no(view):
            self._free(case, view, index)
            return
        case.choose(view, choice, index)
        if self._flow.view_of(self._flow.current) is view and choice is not None:
            self._follow(self._flow.go_on())

    def _free(self, case: Case, view: View, index: int) -> None:
        try:
            case.session.declare_free(view, case.pictures[view].marked_slice(index))
            case.notice = f"Slice {index + 1} is noted as free of necrosis."
        except ReadingError as error:
            case.notice = error.problem

    def _observe(self, observation: Observation, case: Case, view: View) -> None:
        seen = observation not in case.session.draft.view(view).observations
        case.session.observe(view, observation, seen)

    def _other_view(self, case: Case, view: View) -> None:
        other = case.session.draft.other(view)
        self._flow.turn_to(other)
        self._window.turn_to(other)

    def _move_to_best(self, case: Case, _: View) -> None:
        moved = [self._flow.move_to_best(check.view) for check in self._flow.doubtful_slices()]
        for check in moved:
            if check is not None:
                self.looking.go_to(check.view, check.best_index)
                words = VIEWS[check.view].lower()
                case.notice = (
                    f"The {words} rim is on slice {check.best_index + 1} now: see that it fits "
                    f"there. {key_label('undo')} takes it back."
                )
        if not moved:
            case.notice = "Both views lie on the slices that are the nearest."

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
        marked_on = {view: case.marks_index(view) for view in shown}
        places = {view: at if at is not None else shown[view] for view, at in marked_on.items()}
        on = {view: case.pictures[view].marked_slice(index) for view, index in places.items()}
        case.session.choose_both(Finding.NO_NECROSIS, on)
        self._flow.go_to(Step.SAVE)
        named = " and ".join(f"{VIEWS[one].lower()} slice {at + 1}" for one, at in places.items())
        case.notice = f"No necrosis, read on {named}. {saving_words(case.session.draft)}"
        return True

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

    def _scale(self, case: Case, view: View) -> None:
        """Ask how large the marker is, and let the next two clicks set its ends."""
        picture = case.pictures.get(view)
        if picture is None or not view.is_radiograph:
            case.notice = "Slices have their scale from the scanner; a marker is for radiographs."
            return
        own = () if picture.marker is None else (_OWN_SCALE,)
        words = "How far do the two points lie apart that you will click?"
        answer = self._window.dialogs.choose("Marker of known size", words, (*_SIZES, *own))
        if answer is None:
            return
        if answer == _OWN_SCALE:
            self._workspace.scale_by(view, None)
            self._window.show_current()
            return
        size_mm = _SIZES[answer]
        if size_mm is None:
            typed = self._window.dialogs.text("Marker of known size", "Its size in mm:", "28")
            try:
                size_mm = float(typed.replace(",", "."))
            except ValueError:
                case.notice = f"{typed!r} is no size in mm." if typed else ""
                return
        case.aim_at_marker(view, size_mm)

    def _scale_by(self, view: View) -> None:
        """After a click on an end of a marker: with both ends the radiograph has its scale."""
        case, marker = self._case, self._case.take_marker(view)
        if marker is not None:
            try:
                self._workspace.scale_by(view, marker)
            except NecroangleError as error:
                case.notice = f"No scale: {error}."
            else:
                self._window.show_current()
                spacing = case.pictures[view].volume.scale_mm[2]
                case.notice = (
                    f"1 pixel is {spacing:.3g} mm now: true at the depth of the marker alone. "
                    f"{key_label('scale')} sets it again."
                )
        self._window.refresh()

    def _toggle_magnifying(self, case: Case, _: View) -> None:
        self.magnifies = not self.magnifies
        case.notice = f"Magnifying at arc ends is {'on' if self.magnifies else 'off'}."

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


@dataclass(frozen=True, slots=True)
class Offer:
    """A series that can stand beside the one that is read.

    ``key``: the visit, empty for the present one, and what weights the series.
    """

    key: tuple[str, str]
    words: str
    series: SeriesSummary
    visit: Visit


class Beside:
    """The second picture beside the first: another series of its plane, or another visit's.

    It is off where hips are handed out, and taken off at every other hip.
    """

    def __init__(
        self, window: Window, plane: Callable[[View], PlaneView | None], followup: FollowupOverlay
    ) -> None:
        self._window, self._plane, self._followup = window, plane, followup
        self._of: Case | None = None
        self._wanted: tuple[str, str] | None = None
        self._read: tuple[SeriesSummary, Picture] | None = None
        self._laid: tuple[object, HeadMotion | Unregistered | None] = (None, None)
        self._known: tuple[object, tuple[Offer, ...]] = (None, ())
        self.show: Callable[[View, Second | None], None] = lambda *_: None

    def offers(self, view: View) -> tuple[Offer, ...]:
        """What can stand beside a view: the present visit's series first, one of each weighting."""
        space = self._window.workspace
        shown, now = space.chosen(view), space.current
        if now is None or shown is None or view.is_radiograph or not self._allows:
            return ()
        state = (id(space.scan), now.key, view, shown, self._followup.rules.planned)
        if self._known[0] != state:
            self._known = (state, self._look(now, view, shown))
        return self._known[1]

    def _look(self, now: OpenCase, view: View, shown: SeriesSummary) -> tuple[Offer, ...]:
        space = self._window.workspace
        side, frame = now.key.side, shown.sources[0].frame_of_reference_uid
        found = [
            (one, now.visit)
            for one in space.choices(view)
            if one != shown and frame and one.sources[0].frame_of_reference_uid == frame
        ]
        for visit in space.visits:
            if visit is not now.visit and visit.subject and visit.subject == now.visit.subject:
                alike = (
                    one
                    for one in space.likeliest(visit, view, side)
                    if not Weighting.differ(_weighting(one), _weighting(shown))
                )
                found += [(one, visit) for one in alike][:1]
        made = [
            self._offer(one, visit, now.visit)
            for one, visit in found
            if visit.side_of(one) in (side, None)
        ]
        return tuple({one.key: one for one in reversed(made)}.values())[::-1]

    def _offer(self, series: SeriesSummary, visit: Visit, present: Visit) -> Offer:
        contrast, sequence = str(contrast_of(series.modality, series.facts)), sequence_words(series)
        if visit is present:
            return Offer(("", contrast), sequence, series, visit)
        when = self._followup.rules.order(visit.visit, present.visit)
        return Offer((visit.label, contrast), f"{visit.label} ({when}): {sequence}", series, visit)

    def chosen(self, view: View) -> Offer | None:
        """What stands beside a view, or would."""
        case = self._window.workspace.case
        if case is not self._of:
            self._of, self._wanted, self._read = case, None, None
        if self._wanted is None:
            return None
        return next((one for one in self.offers(view) if one.key == self._wanted), None)

    def choose(self, view: View, offer: Offer | None) -> None:
        """Put this beside the views, or nothing."""
        self.chosen(view)
        self._wanted = None if offer is None else offer.key
        self.refresh(view)
        self._window.refresh()

    def next(self, case: Case, view: View) -> None:
        """Put the next of what there is beside a view; after the last one nothing."""
        offers, now = self.offers(view), self.chosen(view)
        if not offers:
            case.notice = _NO_SECOND if self._allows else _SECOND_OFF
            return
        at = offers.index(now) + 1 if now in offers else 0
        chosen = offers[at] if at < len(offers) else None
        words = f"Beside: {chosen.words}." if chosen else "Nothing stands beside the picture."
        case.say(words, lambda: self.chosen(view) == chosen)
        self.choose(view, chosen)

    def refresh(self, view: View) -> None:
        """Show what stands beside a view now; what cannot be shown is taken off with its reason."""
        offer, case = self.chosen(view), self._window.workspace.case
        if offer is None or case is None or self._plane(view) is None:
            self.show(view, None)
            return
        try:
            self.show(view, self._second(case, view, offer))
        except NecroangleError as error:
            self._wanted = None
            case.notice = f"{error}."
            self.show(view, None)

    @property
    def _allows(self) -> bool:
        return self._window.mode.may_choose_hip

    def _second(self, case: Case, view: View, offer: Offer) -> Second:
        if self._read is None or self._read[0] != offer.series:
            picture = self._window.workspace.picture_of(view, offer.series)
            self._read = (offer.series, picture)
        picture = self._read[1]
        if not offer.key[0]:
            return Second(picture, offer.words)
        readings = (
            one
            for one in self._followup.choices
            if one.reading.visit == offer.visit.visit and one.view(view) is not None
        )
        earlier = next(readings, None)
        if earlier is None:
            raise ReadingError(
                f"{offer.visit.label}: no reading of this view there says where the head lies"
            )
        tie = tie_of(earlier, view, case.session.outcome(), case.pictures[view])
        entry = earlier.view(view)
        if tie is None or entry is None:
            raise ReadingError("Mark a head circle first: it ties the two visits together")
        read, measured = entry
        drawn = drawing_of(measured.circle, measured.arcs, has_cross=False)
        state = (view, offer.series, earlier, case.session.outcome().view(view).circle)
        if self._laid[0] != state:
            self._laid = (state, registered(case, view, earlier, picture))
        motion, index = self._laid[1], case.marks_index(view)
        if isinstance(motion, HeadMotion) and index is not None:
            self._followup.lay(view, earlier, ghost_by(motion, earlier, view, index))
        return Second(
            picture, f"{offer.words}\n{motion_words(motion)}", tie[0], (read.plane.plane(), drawn)
        )


_SIZES: dict[str, float | None] = {
    "25 mm ball": 25.0,
    "30 mm ball": 30.0,
    "100 mm of a ruler": 100.0,
    "Another size…": None,
}
_OWN_SCALE = "The file's own scale"

_NO_SECOND = "There is no other series of this plane here, and no other visit of this patient."
_SECOND_OFF = "Only what is handed out is looked at here."


def _weighting(series: SeriesSummary) -> Weighting:
    return contrast_of(series.modality, series.facts).family


def _alone(act: Callable[[], None], *_: object) -> None:
    """Do what needs no hip."""
    act()
