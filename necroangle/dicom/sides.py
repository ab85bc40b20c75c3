"""The side of a hip: what speaks for it, and how surely. The only place where it is judged.

Patient x grows to the patient's left. Evidence is compared within one study and one frame of
reference. Silent rather than wrong: kinds of evidence that contradict each other name no side, and
a code alone never does, for a wrong code is the commonest error.

The limits were tried on 3,000 made studies (fields of 140 to 450 mm, one or both hips, midline up
to 60 mm off the origin, pictures up to 40 mm off the midline, codes right, wrong or absent): none
may be wrong. ``tests/dicom/test_sides.py`` tries as many as NECROANGLE_MADE_STUDIES says.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from necroangle.dicom.records import SeriesSummary
from necroangle.geometry import PatientPoints, PixelPoints
from necroangle.terms import Laterality, SourceImage

BOTH_HIPS_MM = 250.0
"""A coronal or axial picture at least so wide shows both hips, or may: it has no side."""

BOTH_HIPS_DEEP_MM = 140.0
"""A sagittal stack at least so deep reaches from one hip towards the other: it has no side."""

PAIR_MM = (110.0, 280.0)
"""Two narrow stacks of one view with centres so far aside are of the two hips: heads lie 160 to
200 mm apart, and the middle of a stack misses its head by up to 25 mm."""

LARGE_FIELD_MM = 310.0
"""A narrower picture may be a large field of one hip, centred up to 30 mm beside its head; a wider
one has the midline near its middle."""

SURE_OF_LARGE_MM, SURE_MM, LIKELY_MM = 45.0, 60.0, 30.0
"""How far beside the middle of a large picture, or of anything else, a centre is surely of that
side; and likely so."""

AMID_MM = 20.0
"""A centre nearer than this to the middle of a large picture is of no hip: a pair is mistaken."""

NEAR_MM = 45.0
"""A stack whose centre lies no further aside from one whose side is sure shows the same hip."""


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """One thing that speaks for a side.

    Attributes
    ----------
    side
        Which.
    sure
        Whether it says so for certain, or only likely.
    rule
        What the place was compared with.
    """

    side: Laterality
    sure: bool
    rule: str


@dataclass(frozen=True, slots=True)
class HipSide:
    """The side of a stack or of a marked head.

    Attributes
    ----------
    side
        The side that may be used, or None where it cannot be told.
    confidence
        ``"sure"``, ``"likely"``, ``"differ"`` (code and place contradict each other),
        ``"coded only"``, or ``"silent"``.
    coded, placed
        As the header codes it, and as its place tells it; None where either is silent.
    rule
        What the place was compared with.
    evidence
        What of its place speaks for a side.
    """

    side: Laterality | None
    confidence: str
    coded: Laterality | None
    placed: Laterality | None
    rule: str
    evidence: tuple[SideEvidence, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether code and place both speak and contradict each other."""
        return None not in (self.coded, self.placed) and self.coded is not self.placed

    def speaks_against(self, side: Laterality) -> bool:
        """Whether anything, code or place, names the other hip."""
        return any(named not in (side, None) for named in (self.coded, self.placed))

    def rules_out(self, side: Laterality) -> bool:
        """Whether code and place both name the other hip: neither of them does so alone."""
        return all(named not in (side, None) for named in (self.coded, self.placed))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a stack lies in its frame of reference, as far as its side asks for it."""

    plane: str
    x_mm: float
    wide_mm: float

    @property
    def is_narrow(self) -> bool:
        return self.wide_mm < (BOTH_HIPS_DEEP_MM if self.plane == "sagittal" else BOTH_HIPS_MM)

    @property
    def may_show_both(self) -> bool:
        return self.plane in ("coronal", "axial") and self.wide_mm >= BOTH_HIPS_MM


class StudySides:
    """Tells the sides of stacks and marked heads against all that is known of their study.

    Parameters
    ----------
    series
        What was listed; each is compared with those of its study and frame of reference.

    Examples
    --------
    >>> StudySides(()).of_head(SourceImage("1.2", "1.2.3", "1.2.3.4"), (70.0, 0.0, 0.0)).side
    <Laterality.LEFT: 'L'>
    """

    def __init__(self, series: Iterable[SeriesSummary]) -> None:
        self._places: dict[tuple[str, str | None], set[_Place]] = defaultdict(set)
        patients: dict[tuple[str, str | None], set[int]] = defaultdict(set)
        for one in series:
            patients[_frame(one.sources[0])].add(one.patient_no)
            compared = one.plane is not None and "uneven" not in one.regularity.flags
            if compared and one.sources[0].frame_of_reference_uid is not None:
                self._places[_frame(one.sources[0])].add(_place(one))
        for frame in [one for one, several in patients.items() if len(several) > 1]:
            self._places.pop(frame, None)  # one patient's hip says nothing of another's

    def of(self, summary: SeriesSummary) -> HipSide:
        """The side of a stack; a picture that has no place is at most ``"coded only"``."""
        coded = summary.laterality
        if summary.plane is None:
            return _judged((), coded, "no stack: no place in the patient")
        if "uneven" in summary.regularity.flags:
            return _judged((), coded, "uneven slices: they may be of both hips")
        place = _place(summary)
        if not place.is_narrow:
            return _judged((), coded, "both hips in one picture")
        return self._of_place(place, summary.sources[0], coded)

    def of_head(self, source: SourceImage, centre_mm: Sequence[float]) -> HipSide:
        """The side of a marked head.

        Parameters
        ----------
        source
            The image that it was marked on.
        centre_mm
            Its centre, patient LPS mm.
        """
        return self._of_place(_Place("sagittal", float(centre_mm[0]), 0.0), source, None)

    def _of_place(self, place: _Place, source: SourceImage, coded: Laterality | None) -> HipSide:
        around = self._places.get(_frame(source), set())
        evidence = tuple(_evidence(place, around)) or tuple(_of_neighbours(place, around))
        return _judged(evidence, coded, _compared_with(around))


def width_mm(summary: SeriesSummary) -> float:
    """How far a stack reaches along patient x: its picture, or the depth of a sagittal one."""
    plane = summary.planes[0]
    across = (summary.columns - 1) * plane.column_spacing_mm * abs(plane.row_cosine[0])
    down = (summary.rows - 1) * plane.row_spacing_mm * abs(plane.column_cosine[0])
    deep = abs(summary.planes[-1].origin_mm[0] - plane.origin_mm[0])
    is_sagittal = summary.plane is not None and summary.plane.name == "sagittal"
    return float(deep if is_sagittal else max(across, down))


def _frame(source: SourceImage) -> tuple[str, str | None]:
    return source.study_uid, source.frame_of_reference_uid


def _place(summary: SeriesSummary) -> _Place:
    middle = PixelPoints(np.array([[(summary.rows - 1) / 2, (summary.columns - 1) / 2]]))
    ends = [PatientPoints(summary.planes[end].pixel_to_patient(middle))[0, 0] for end in (0, -1)]
    return _Place(
        plane=summary.plane.name if summary.plane is not None else "",
        x_mm=round(float(sum(ends) / 2), 3),
        wide_mm=round(width_mm(summary), 3),
    )


def _widest(around: Iterable[_Place]) -> _Place | None:
    """The widest picture that may show both hips; the coronal one of two."""
    wide = [other for other in around if other.may_show_both]
    return max(wide, key=lambda one: (one.wide_mm, one.plane == "coronal", one.x_mm), default=None)


def _compared_with(around: Iterable[_Place]) -> str:
    wide = _widest(around)
    if wide is None:
        return "against the origin of its frame of reference"
    return f"against the middle of the {wide.plane} picture"


def _evidence(place: _Place, around: Iterable[_Place]) -> Iterator[SideEvidence]:
    """What speaks for the side of a narrow stack: pair, wide picture and origin."""
    wide = _widest(around)
    is_large = wide is not None and wide.wide_mm >= LARGE_FIELD_MM
    beside_mm = place.x_mm - wide.x_mm if wide is not None else 0.0
    others = {
        _side(place.x_mm - other.x_mm)
        for other in around
        if other.plane == place.plane
        and other.is_narrow
        and PAIR_MM[0] <= abs(other.x_mm - place.x_mm) <= PAIR_MM[1]
    }
    # others on both sides: three places, and which two are the hips cannot be told
    if len(others) == 1 and not (is_large and abs(beside_mm) < AMID_MM):
        yield SideEvidence(others.pop(), True, f"against the other {place.plane} stack")
    of_origin = not is_large and abs(place.x_mm) >= LIKELY_MM
    sure = abs(beside_mm) >= (SURE_OF_LARGE_MM if is_large else SURE_MM)
    # a large field of one hip may lie 30 mm to one side of its head and the stack 25 to the other
    if wide is not None and abs(beside_mm) >= LIKELY_MM and (is_large or sure or of_origin):
        rule = f"against the middle of the {wide.plane} picture"
        yield SideEvidence(_side(beside_mm), sure, rule)
    if of_origin:
        rule = "against the origin of its frame of reference"
        yield SideEvidence(_side(place.x_mm), abs(place.x_mm) >= SURE_MM, rule)


def _of_neighbours(place: _Place, around: Iterable[_Place]) -> Iterator[SideEvidence]:
    """The side of narrow stacks right beside, where theirs is sure."""
    beside = (one for one in around if one.is_narrow and abs(one.x_mm - place.x_mm) <= NEAR_MM)
    found = [tuple(_evidence(one, around)) for one in beside]
    sure = [_agreed(one) for one in found if any(each.sure for each in one)]
    sides = {side for side in sure if side is not None}
    if len(sides) == 1:
        yield SideEvidence(sides.pop(), True, "as the stack beside it")


def _agreed(evidence: Sequence[SideEvidence]) -> Laterality | None:
    sides = {one.side for one in evidence}
    return sides.pop() if len(sides) == 1 else None


def _judged(evidence: tuple[SideEvidence, ...], coded: Laterality | None, rule: str) -> HipSide:
    """Place and code together; two kinds of evidence that are likely are sure together."""
    placed = _agreed(evidence)
    rules = " and ".join(one.rule for one in evidence) or rule
    if placed is None:
        confidence = "silent" if coded is None else "coded only"
        return HipSide(None, confidence, coded, None, rules, evidence)
    if coded is not None and coded is not placed:
        return HipSide(None, "differ", coded, placed, rules, evidence)
    sure = coded is not None or len(evidence) > 1 or evidence[0].sure
    return HipSide(placed, "sure" if sure else "likely", coded, placed, rules, evidence)


def _side(to_left_mm: float) -> Laterality:
    return Laterality.LEFT if to_left_mm > 0 else Laterality.RIGHT
