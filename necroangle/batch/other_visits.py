"""The readings of a hip at its other visits, and what a study says of a change between two."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal
from unicodedata import normalize

import numpy as np

from necroangle.annotation import (
    Conduct,
    HipReading,
    ReadingKey,
    ReadView,
    load_reading,
    names_reading,
)
from necroangle.batch.study_settings import BY_IMAGE, Measuring, measuring_in
from necroangle.errors import MethodError, NecroangleError
from necroangle.geometry import PatientPoints, PlanePoints
from necroangle.measurement import HipChange, HipMeasurement, ViewMeasurement, change_between
from necroangle.protocol.ending import VisitState
from necroangle.protocol.noise import NO_NOISE, StudyNoise
from necroangle.protocol.study import CutOffs
from necroangle.protocol.visits import Visit as PlannedVisit
from necroangle.protocol.visits import months_of_name
from necroangle.study import find_study
from necroangle.terms import View

FILES_KEPT = 256
"""So many measured files are kept, by their place and time of change."""

_CUT_OFFS = CutOffs()
_METHOD = "ha_mr_midslice"


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
        if found is None or found[1].circle is None:
            return None
        centre = PlanePoints(np.array([found[1].circle.centre_mm]))
        return found[0].plane.plane().plane_to_patient(centre)


def earlier_readings(
    folder: Path, key: ReadingKey, view: View, conduct: Conduct
) -> tuple[Earlier, ...]:
    """The readings of a hip at its other visits, in the kind of image of an A view.

    The reader's own come first, then those of others; within that by visit and read. A blinded
    reader is given none, and one who reads for a study only their own. A file that cannot be read
    or measured is passed over: opening it tells why.
    """
    if conduct.blinded:
        return ()
    found = [
        one
        for one in _readings(folder, key)
        if one.reading.key[:2] == key[:2]
        and one.reading.visit != key.visit
        and one.reading.views[0].view is view
    ]
    if conduct.worklist is not None:
        found = [one for one in found if one.reading.reader == key.reader]
    return tuple(
        sorted(found, key=lambda one: (one.reading.reader != key.reader, *one.reading.key))
    )


def radii_of_other_visits(
    folder: Path, key: ReadingKey, view: View, conduct: Conduct
) -> tuple[tuple[str, float], ...]:
    """Visit and head's radius, mm, of this reader's saved readings of a hip at its other visits.

    Of MR alone: the millimetres of radiographs are the detector's. A blinded reader is told
    nothing of other visits.
    """
    radii = [
        (one.reading.visit, head_radius_mm(one.measurement))
        for one in earlier_readings(folder, key, view, conduct)
        if one.reading.reader == key.reader and not one.reading.is_radiograph
    ]
    return tuple((visit, radius) for visit, radius in radii if radius is not None)


def head_radius_mm(hip: HipMeasurement) -> float | None:
    """The radius of the joint sphere, else of the only circle; None without true mm."""
    if hip.judge is not None:
        return hip.judge.sphere.sphere.radius_mm
    radii = [view.radius_mm for view in (hip.a, hip.b) if view is not None and view.radius_mm]
    return radii[0] if len(radii) == 1 else None


def _readings(folder: Path, key: ReadingKey) -> Iterator[Earlier]:
    """What lies in files that may hold the hip: by their name, or by a digest of a long one."""
    if not key.subject or not folder.is_dir():
        return
    starts = (normalize("NFC", f"{key.subject}__{key.laterality}__"), "reading__")
    for path in sorted(folder.iterdir()):
        if names_reading(path.name) and normalize("NFC", path.name).startswith(starts):
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

    cut_offs: CutOffs = _CUT_OFFS
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
            method = study.protocol.method or _METHOD
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

    def change(self, earlier: Earlier, hip: HipMeasurement, visit: str = "") -> HipChange | None:
        """The change between two visits, with its interval; None where it cannot be said.

        It is that from the earlier to the later, also where the present visit, named here, is the
        earlier.
        """
        pair, united = (earlier.measurement, hip), (len(earlier.reading.consensus_of) > 1, False)
        if self.order(earlier.reading.visit, visit) == "later":
            pair, united = pair[::-1], united[::-1]
        try:
            return change_between(*pair, self.cut_offs, noise=self.noise, consensus=united)
        except MethodError:
            return None
