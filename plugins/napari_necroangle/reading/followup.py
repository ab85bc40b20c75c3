"""The earlier visit beside the present one: where its marks fall, and what has changed since.

Two visits have two frames of reference, and the patient never lies twice alike. What they share is
the femoral head: an earlier mark is carried to the present visit by the way from the earlier head
centre to the present one, patient axes kept. On radiographs, whose millimetres are the detector's,
the head's radius gives the scale as well.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_necroangle.reading.case import Case, Followed, Picture
from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.reading.drawing import Drawing, drawing_of
from napari_necroangle.reading.keys import key_label
from napari_necroangle.reading.outcome import (
    BY_IMAGE,
    Measuring,
    Outcome,
    centre_of,
    measuring_in,
)
from napari_necroangle.reading.texts import VIEWS
from necroangle.annotation import SUFFIX, HipReading, ReadView, load_reading
from necroangle.errors import MethodError, NecroangleError
from necroangle.geometry import PatientPoints, PlanePoints
from necroangle.measurement import (
    HipChange,
    HipMeasurement,
    ViewMeasurement,
    change_between,
    show_deg,
)
from necroangle.measurement.change import pair_read
from necroangle.measurement.foresight import foreseen_change_deg
from necroangle.protocol.ending import VisitState
from necroangle.protocol.noise import NO_NOISE, StudyNoise
from necroangle.protocol.study import CutOffs
from necroangle.protocol.visits import Visit as PlannedVisit
from necroangle.protocol.visits import months_of_name
from necroangle.study import find_study
from necroangle.terms import View

__all__ = [
    "Earlier",
    "FollowupOverlay",
    "Ghost",
    "StudyRules",
    "VisitRadius",
    "change_from",
    "change_words",
    "earlier_readings",
    "earlier_words",
    "followed_of",
    "ghost_of",
    "head_radius_mm",
    "radii_of_other_visits",
    "tie_of",
]

FILES_KEPT = 256
"""So many measured files are kept, by their place and time of change."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A reading of the same hip at another visit.

    Attributes
    ----------
    reading
        The reading.
    measurement
        What it measures.
    """

    reading: HipReading
    measurement: HipMeasurement

    @classmethod
    def of(cls, reading: HipReading, measuring: Measuring = BY_IMAGE) -> "Earlier":
        """Measure a reading, as its study does.

        Raises
        ------
        NecroangleError
            If its marks cannot be measured.
        """
        return cls(reading, measuring.measure(reading))

    def view(self, view: View) -> tuple[ReadView, ViewMeasurement] | None:
        """A view that was read, with its measurement."""
        pairs = zip(self.reading.views, (self.measurement.a, self.measurement.b), strict=True)
        for entry, measured in pairs:
            if entry.view is view and isinstance(entry, ReadView) and measured is not None:
                return entry, measured
        return None

    def head_centre(self, view: View) -> PatientPoints | None:
        """(1, 3) patient LPS mm: the centre of a view's head circle, where it has one."""
        found = self.view(view)
        return None if found is None else centre_of(found[1].circle, found[0].plane.plane())


@dataclass(frozen=True, slots=True)
class VisitRadius:
    """The head's radius at another visit.

    Attributes
    ----------
    visit
        The visit's name.
    radius_mm
        Radius of the head, mm.
    """

    visit: str
    radius_mm: float


def earlier_readings(folder: Path, draft: ReadingDraft) -> tuple[Earlier, ...]:
    """The readings of the draft's hip at its other visits, in the same kind of image.

    The reader's own come first, then those of others; within that by visit and read. A blinded
    reader is given none, and one who reads for a study only their own. A file that cannot be read
    or measured is passed over: opening it tells why.

    Parameters
    ----------
    folder
        The folder of the readings; it need not be there.
    draft
        What is being read.
    """
    if draft.conduct.blinded:
        return ()
    found = [one for one in _readings(folder, draft) if _is_other_visit(one.reading, draft)]
    if draft.conduct.worklist is not None:
        found = [one for one in found if one.reading.reader == draft.reader]
    return tuple(
        sorted(found, key=lambda one: (one.reading.reader != draft.reader, *one.reading.key))
    )


def radii_of_other_visits(folder: Path, draft: ReadingDraft) -> tuple[VisitRadius, ...]:
    """The head's radius in the saved readings of this hip, by this reader, at other visits.

    Of MR alone: the millimetres of radiographs are the detector's. A blinded reader is told
    nothing of other visits.
    """
    radii = (
        (one.reading.visit, head_radius_mm(one.measurement))
        for one in earlier_readings(folder, draft)
        if one.reading.reader == draft.reader and not one.reading.is_radiograph
    )
    return tuple(VisitRadius(visit, radius) for visit, radius in radii if radius is not None)


def head_radius_mm(hip: HipMeasurement) -> float | None:
    """The radius of the joint sphere, else of the only circle; None without true mm."""
    if hip.judge is not None:
        return hip.judge.sphere.sphere.radius_mm
    radii = [view.radius_mm for view in (hip.a, hip.b) if view is not None and view.radius_mm]
    return radii[0] if len(radii) == 1 else None


def _readings(folder: Path, draft: ReadingDraft) -> Iterator[Earlier]:
    """What lies in files that may hold the hip: by their name, or by a digest of a long one."""
    if not draft.subject or not folder.is_dir():
        return
    starts = (f"{draft.subject}__{draft.laterality}__", "reading__")
    for path in sorted(folder.iterdir()):
        if path.name.endswith(SUFFIX) and path.name.startswith(starts):
            found = _measured(path)
            if found is not None:
                yield found


def _measured(path: Path) -> Earlier | None:
    try:
        state = path.stat()
    except OSError:
        return None
    by = measuring_in(path.parent)
    return _measured_once(path, by, state.st_mtime_ns, state.st_size, state.st_ino)


@lru_cache(maxsize=FILES_KEPT)
def _measured_once(path: Path, measuring: Measuring, *state: int) -> Earlier | None:  # noqa: ARG001
    """Read and measure a file once in each of its states."""
    try:
        return Earlier.of(load_reading(path), measuring)
    except (NecroangleError, OSError):
        return None


def _is_other_visit(reading: HipReading, draft: ReadingDraft) -> bool:
    same_hip = (reading.subject, reading.laterality) == (draft.subject, draft.laterality)
    kinds = {reading.views[0].view, draft.views[0].view}
    return same_hip and len(kinds) == 1 and reading.visit != draft.visit


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


DEFAULT_CUT_OFFS = CutOffs()
DEFAULT_METHOD = "ha_mr_midslice"


@dataclass(frozen=True, slots=True)
class StudyRules:
    """What the study says of a change of this hip.

    Attributes
    ----------
    cut_offs
        The threshold of a change.
    states
        The state of the hip's visits in the analysis set, by their names.
    noise
        The study's measuring error from repeat reads and comparisons of readers.
    planned
        The study's visits; of others the name may say the months.
    """

    cut_offs: CutOffs = DEFAULT_CUT_OFFS
    states: Mapping[str, VisitState] = field(default_factory=dict)
    noise: StudyNoise = NO_NOISE
    planned: tuple[PlannedVisit, ...] = ()

    @classmethod
    def of(cls, folder: Path | None, subject: str, laterality: str) -> "StudyRules":
        """The rules of the study that a folder of readings belongs to.

        A study or a cohort that cannot be read is passed over: the commands tell what is wrong.
        """
        try:
            study = find_study(folder) if folder is not None else None
            if study is None:
                return cls()
            # the database, for a study alone
            from necroangle.analysis.stored import noise_in_study, states_in_study

            states = states_in_study(study, subject, laterality)
            method = study.protocol.method or DEFAULT_METHOD
            noise = noise_in_study(study, method)
            return cls(study.protocol.cut_offs, states, noise, study.protocol.visits)
        except NecroangleError:
            return cls()

    def order(self, other: str, visit: str) -> Literal["earlier", "later", "other"]:
        """Whether another visit is earlier or later than one, by its planned months or its name.

        Examples
        --------
        >>> rules = StudyRules(planned=(PlannedVisit("late", 60),))
        >>> rules.order("baseline", "month_12"), rules.order("late", "month_12")
        ('earlier', 'later')
        >>> rules.order("visit B", "visit A")
        'other'
        """
        planned = {one.name: one.nominal_months for one in self.planned}
        then, now = (planned.get(name, months_of_name(name)) for name in (other, visit))
        if then is None or now is None or then == now:
            return "other"
        return "earlier" if then < now else "later"

    def censored(self, *visits: str) -> str:
        """The first of some visits that holds no value of the natural hip; empty where none."""
        for visit in visits:
            if (state := self.states.get(visit)) is not None and state.is_censored:
                return visit
        return ""


def change_from(
    earlier: Earlier, outcome: Outcome, rules: StudyRules | None = None, visit: str = ""
) -> HipChange | None:
    """The change between two visits, with its interval; None where it cannot be said.

    It is that from the earlier to the later, also where the present visit, named here and measured
    as its outcome says, is the earlier.
    """
    said = rules or StudyRules()
    pair = (earlier.measurement, outcome.hip)
    united = (len(earlier.reading.consensus_of) > 1, False)
    if said.order(earlier.reading.visit, visit) == "later":
        pair, united = pair[::-1], united[::-1]
    try:
        return change_between(*pair, said.cut_offs, noise=said.noise, consensus=united)
    except MethodError:
        return None


def followed_of(earlier: Earlier, reader: str, rules: StudyRules) -> Followed | None:
    """What an earlier reading asks of the present slices; None where they say nothing of it.

    Between two readers no change is foreseen: how they differ, only comparisons tell.
    """
    read = pair_read(earlier.measurement)
    offsets = (earlier.measurement.a_slice_offset_mm, earlier.measurement.b_slice_offset_mm)
    if read is None or offsets == (None, None):
        return None
    own, noise = earlier.reading.reader == reader, rules.noise

    def limit_deg(later_mm: tuple[float | None, float | None]) -> float | None:
        return foreseen_change_deg(read, later_mm, noise) if own else None

    return Followed(earlier.reading.visit, offsets, limit_deg)


def earlier_words(earlier: Earlier) -> str:
    """An earlier reading in one line.

    Examples
    --------
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> earlier_words(Earlier.of(readings_of(sample_studies()["plain"])[0]))
    'baseline, by truth: 218.3°'
    """
    reading = earlier.reading
    again = f", read {reading.read_no}" if reading.read_no > 1 else ""
    angle = show_deg(earlier.measurement.cna_deg)
    return f"{reading.visit}, by {reading.reader}{again}: {angle}"


def change_words(
    earlier: Earlier, change: HipChange | None, rules: StudyRules | None = None, visit: str = ""
) -> str:
    """The change of the combined angle, its interval, and whether it is more than error and rule.

    Parameters
    ----------
    earlier
        What is compared with.
    change
        Its change to the present visit; None, or one without an angle, while it cannot be said.
    rules
        What the study says; a visit after the hip was replaced, or after death, has no change.
    visit
        The present visit.
    """
    other, said = earlier.reading.visit, rules or StudyRules()
    since = f"Change since {other}"
    if said.order(other, visit) == "later":
        since = f"Change from {visit} to {other}"
    if censored := said.censored(earlier.reading.visit, visit):
        return f"{since}: visit {censored} lies after the hip was replaced, or after death."
    if earlier.measurement.cna_deg is None:
        return f"{since}: that reading has no combined angle."
    if change is None or change.cna is None:
        return f"{since}: known once both views are read."
    low, high = (_signed(bound) for bound in change.cna.interval_95())
    if change.mdc95_deg is None:
        return f"{since}: {_signed(change.cna.value)}; {change.verdict}"
    verdict = f"{change.verdict}, {show_deg(change.mdc95_deg)}"
    rule = "more" if abs(change.cna.value) > change.rule_deg else "not more"
    return (
        f"{since}: {_signed(change.cna.value)} ({low} to {high}); {verdict} (MDC95); {rule} than "
        f"{change.rule_deg:g}°"
    )


def ghost_of(earlier: Earlier, view: View, outcome: Outcome, picture: Picture) -> Ghost | None:
    """Where an earlier view's circle and arcs fall on the present stack.

    Parameters
    ----------
    earlier
        The earlier reading.
    view, picture
        The present view and its stack.
    outcome
        What is marked by now: the head centre of this view, or of the other.

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


class FollowupOverlay:
    """The reading of another visit that the present hip is held against.

    It is taken off at every other hip: a reader marks first and compares afterwards, unless they
    ask for it. A blinded reader has none.

    Parameters
    ----------
    case
        Gives the case that is read, or None.
    folder
        Gives the folder of the readings, or None.
    show
        Shows a ghost with its label on a view, or takes it away.
    go_to
        Turns a view to a slice.

    Attributes
    ----------
    choices
        The readings of other visits, the reader's own first.
    chosen
        The one that is compared with; None where there is none.
    is_on
        Whether its marks are shown.
    rules
        What the study says of the hip, where it has readings of other visits.
    acts
        Its commands by their names.
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
        if case is not None:
            case.session.measure_by(measuring_in(folder))
        self.choices = earlier_readings(folder, draft) if folder and draft else ()
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
            change = change_from(self.chosen, outcome, self.rules, visit)
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
            case.notice = self._where()

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
        case.notice = self._where()


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


def _signed(value_deg: float) -> str:
    """Degrees with their sign, as changes are written.

    Examples
    --------
    >>> _signed(-26.34), _signed(3.0), _signed(-0.01)
    ('−26.3°', '+3.0°', '0.0°')
    """
    size = show_deg(abs(value_deg))
    if size == show_deg(0.0):
        return size
    return f"{'−' if value_deg < 0 else '+'}{size}"


def _same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Whether all parts are the very same or equal; pictures are compared by what they are."""
    return first[0] is second[0] and first[1] is second[1] and first[2:] == second[2:]
