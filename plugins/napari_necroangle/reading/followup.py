"""The earlier visit beside the present one: where its marks fall, and what has changed since.

Two visits have two frames of reference, and the patient never lies twice alike. What they share is
the femoral head: an earlier mark is carried to the present visit by the way from the earlier head
centre to the present one, patient axes kept. On radiographs, whose millimetres are the detector's,
the head's radius gives the scale as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_necroangle.reading.drawing import Drawing, arc_polyline
from napari_necroangle.reading.other_visits import Earlier
from napari_necroangle.reading.outcome import Outcome
from napari_necroangle.reading.picture import Picture
from necroangle.annotation import ReadView
from necroangle.errors import MethodError, NecroangleError
from necroangle.geometry import Circle, ImagePlane, PatientPoints, PlanePoints
from necroangle.measurement import HipChange, ViewMeasurement, change_between, show_deg
from necroangle.protocol.ending import VisitState
from necroangle.protocol.study import CutOffs
from necroangle.study import find_study
from necroangle.terms import View

__all__ = ["Ghost", "StudyRules", "change_from", "change_words", "earlier_words", "ghost_of"]

_Vector = NDArray[np.float64]


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
        What carried them there: ``"frame of reference"``, ``"own circle"`` or ``"other view"``.
    """

    slice_index: int
    drawing: Drawing
    placed_by: str


DEFAULT_CUT_OFFS = CutOffs()


@dataclass(frozen=True, slots=True)
class StudyRules:
    """What the study says of a change of this hip.

    Attributes
    ----------
    cut_offs
        The threshold of a change.
    states
        The state of the hip's visits in the analysis set, by their names.
    """

    cut_offs: CutOffs = DEFAULT_CUT_OFFS
    states: Mapping[str, VisitState] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path | None, subject: str, laterality: str) -> "StudyRules":
        """The rules of the study that a folder of readings belongs to.

        A study or a cohort that cannot be read is passed over: the commands tell what is wrong.
        """
        try:
            study = find_study(folder) if folder is not None else None
            if study is None:
                return cls()
            place, protocol = study.cohort, study.protocol
            if isinstance(place, Path) and not place.is_file():
                return cls(protocol.cut_offs)
            from necroangle.analysis.stored import states_of_hip  # the database, for a study alone
            from necroangle.ledger.store import CohortStore

            with CohortStore.open(place, create=False) as store:
                states = states_of_hip(store, subject, laterality, protocol)
            return cls(protocol.cut_offs, states)
        except NecroangleError:
            return cls()

    def censored(self, *visits: str) -> str:
        """The first of some visits that holds no value of the natural hip; empty where none."""
        for visit in visits:
            if (state := self.states.get(visit)) is not None and state.is_censored:
                return visit
        return ""


def change_from(
    earlier: Earlier, outcome: Outcome, rules: StudyRules | None = None
) -> HipChange | None:
    """The change since an earlier visit, with its interval; None where it cannot be said."""
    try:
        return change_between(earlier.measurement, outcome.hip, (rules or StudyRules()).cut_offs)
    except MethodError:
        return None


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
    since = f"Change since {earlier.reading.visit}"
    if censored := (rules or StudyRules()).censored(earlier.reading.visit, visit):
        return f"{since}: visit {censored} lies after the hip was replaced, or after death."
    if earlier.measurement.cna_deg is None:
        return f"{since}: that reading has no combined angle."
    if change is None or change.cna is None:
        return f"{since}: known once both views are read."
    low, high = (_signed(bound) for bound in change.cna.interval_95())
    if change.is_real is None or change.mdc95_deg is None:
        return f"{since}: {_signed(change.cna.value)}"
    limit = show_deg(change.mdc95_deg)
    verdict = f"real, beyond {limit}" if change.is_real else f"within measuring error, {limit}"
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
    if found is None or found[1].circle is None:
        return None
    entry, measured = found
    assert measured.circle is not None  # noqa: S101
    old = entry.plane.plane()
    tie = _tie(earlier, entry, view, outcome, picture)
    if tie is None:
        return None
    shift_mm, placed_by = tie
    centre = _patient(old, [measured.circle.centre_mm])[0] + shift_mm
    own = outcome.view(view)
    index = picture.volume.nearest_index(PatientPoints(centre[None])) if len(picture) > 1 else 0
    scale = 1.0
    if view.is_radiograph and own.circle is not None:
        scale = own.circle.radius_mm / measured.circle.radius_mm
    carrier = _Carrier(old, shift_mm, picture.volume.planes[index], measured.circle, scale)
    return Ghost(index, carrier.draw(measured), placed_by)


@dataclass(frozen=True, slots=True, eq=False)
class _Carrier:
    """Carries plane points of an earlier slice to a present one."""

    old: ImagePlane
    shift_mm: _Vector
    new: ImagePlane
    circle: Circle
    scale: float

    def carry(self, points_mm: _Vector) -> _Vector:
        middle = np.array(self.circle.centre_mm)
        scaled = middle + (points_mm - middle) * self.scale
        patient = _patient(self.old, scaled) + self.shift_mm
        return np.asarray(self.new.patient_to_plane(PatientPoints(patient)), float)

    def draw(self, measured: ViewMeasurement) -> Drawing:
        middle = self.carry(np.array([self.circle.centre_mm]))[0]
        around = _steps(self.carry(arc_polyline(self.circle, 0.0, 360.0)))
        lines = [
            self.carry(arc_polyline(self.circle, arc.start_deg, arc.extent_deg))
            for arc in measured.arcs
        ]
        rays = [(middle, end) for line in lines for end in (line[0], line[-1])]
        arcs = [_steps(line) for line in lines]
        return Drawing(
            circle=around,
            rays=np.array(rays).reshape(-1, 2, 2),
            arcs=np.concatenate(arcs) if arcs else np.zeros((0, 2, 2)),
        )


def _tie(
    earlier: Earlier, entry: ReadView, view: View, outcome: Outcome, picture: Picture
) -> tuple[_Vector, str] | None:
    """The way from the earlier visit to the present one, patient mm, and what tells it."""
    frame = entry.image.frame_of_reference_uid
    if frame is not None and frame == picture.volume.sources[0].frame_of_reference_uid:
        return np.zeros(3), "frame of reference"
    order = [view] if view.is_radiograph else [view, _other(view, outcome)]
    for name, one in zip(("own circle", "other view"), order, strict=False):
        before, now = _earlier_centre(earlier, one), _present_centre(outcome, one)
        if before is not None and now is not None:
            return now - before, name
    return None


def _other(view: View, outcome: Outcome) -> View:
    return next(one.view for one in outcome.views if one.view is not view)


def _earlier_centre(earlier: Earlier, view: View) -> _Vector | None:
    found = earlier.view(view)
    if found is None or found[1].circle is None:
        return None
    return _point(found[0].plane.plane(), found[1].circle.centre_mm)


def _present_centre(outcome: Outcome, view: View) -> _Vector | None:
    now = outcome.view(view)
    if now.circle is None or now.plane is None:
        return None
    return _point(now.plane, now.circle.centre_mm)


def _point(plane: ImagePlane, point_mm: tuple[float, float]) -> _Vector:
    return np.asarray(_patient(plane, [point_mm])[0])


def _patient(plane: ImagePlane, points_mm: object) -> _Vector:
    points = PlanePoints(np.asarray(points_mm, float).reshape(-1, 2))
    return np.asarray(plane.plane_to_patient(points), float)


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


def _steps(line: _Vector) -> _Vector:
    return np.stack((line[:-1], line[1:]), axis=1)
