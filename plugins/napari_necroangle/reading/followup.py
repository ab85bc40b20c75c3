"""The readings of a hip at its other visits, and what has changed between two visits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from napari_necroangle.reading.case import Followed
from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.reading.outcome import Outcome, centre_of
from napari_necroangle.reading.texts import signed
from necroangle.annotation import SUFFIX, HipReading, ReadView, load_reading
from necroangle.batch.study_settings import BY_IMAGE, Measuring, measuring_in
from necroangle.errors import MethodError, NecroangleError
from necroangle.geometry import PatientPoints
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

FILES_KEPT = 256
"""So many measured files are kept, by their place and time of change."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A reading of the same hip at another visit."""

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
    """The head's radius at another visit."""

    visit: str
    radius_mm: float


def earlier_readings(folder: Path, draft: ReadingDraft) -> tuple[Earlier, ...]:
    """The readings of the draft's hip at its other visits, in the same kind of image.

    The reader's own come first, then those of others; within that by visit and read. A blinded
    reader is given none, and one who reads for a study only their own. A file that cannot be read
    or measured is passed over: opening it tells why.
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


DEFAULT_CUT_OFFS = CutOffs()
DEFAULT_METHOD = "ha_mr_midslice"


@dataclass(frozen=True, slots=True)
class StudyRules:
    """What the study says of a change of this hip.

    Attributes
    ----------
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
    change
        Its change to the present visit; None, or one without an angle, while it cannot be said.
    rules
        What the study says; a visit after the hip was replaced, or after death, has no change.
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
    low, high = (signed(bound) for bound in change.cna.interval_95())
    if change.mdc95_deg is None:
        return f"{since}: {signed(change.cna.value)}; {change.verdict}"
    verdict = f"{change.verdict}, {show_deg(change.mdc95_deg)}"
    rule = "more" if abs(change.cna.value) > change.rule_deg else "not more"
    return (
        f"{since}: {signed(change.cna.value)} ({low} to {high}); {verdict} (MDC95); {rule} than "
        f"{change.rule_deg:g}°"
    )
