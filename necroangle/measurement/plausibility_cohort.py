"""What speaks against readings that are held together: a hip's visits, both hips, a whole cohort.

What a reading is held by is small: who and where, its images, its rim marks, the head's radius and
place, the middles of its arcs. It is taken as readings are measured, :func:`prints_of`, so that
nothing is read twice; :func:`held_together` tells what does not fit.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite, isnan, nan
from statistics import median
from typing import NamedTuple

import numpy as np

from necroangle.geometry.point_sets import runs
from necroangle.measurement.marks import in_patient
from necroangle.measurement.measuring import Measured
from necroangle.measurement.plausibility import CHECKS, PLAUSIBLE, head_radius_mm, head_x_mm
from necroangle.terms import Flag, Laterality

Hip = tuple[str, str]


class ReadingPrint(NamedTuple):
    """What a reading is held by.

    Attributes
    ----------
    subject, laterality, visit, reader, read_no
        The reading's key.
    images, studies
        SOPInstanceUID and frame of its views; and their StudyInstanceUIDs.
    marks
        The places of its rim marks to 0.001 mm, eight bytes each.
    radius_mm, x_mm
        The head's radius, and how far it lies to the patient's left; NaN where unknown.
    middles_deg
        Middles of the arcs of its two views from superior; NaN without an arc.
    is_consensus
        Whether it unites other readings, and may have their marks.
    """

    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int
    images: tuple[tuple[str, int], ...]
    studies: tuple[str, ...]
    marks: bytes
    radius_mm: float
    x_mm: float
    middles_deg: tuple[float, float]
    is_consensus: bool

    @property
    def hip(self) -> Hip:
        """Which hip it is of."""
        return self.subject, self.laterality

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """The reading's key."""
        return self.subject, self.laterality, self.visit, self.reader, self.read_no

    def __str__(self) -> str:
        """One line for messages."""
        words = f"{self.subject} {self.laterality} {self.visit}, reader {self.reader}"
        return f"{words}, read {self.read_no}"


@dataclass(frozen=True, slots=True, order=True)
class Misfit:
    """Readings that do not fit together.

    Attributes
    ----------
    check
        The word of the check: :data:`necroangle.measurement.plausibility.CHECKS`.
    place
        Which readings.
    problem
        What was found, and what to look at.
    """

    check: str
    place: str
    problem: str

    def __str__(self) -> str:
        """One line: ``place: problem``."""
        return f"{self.place}: {self.problem}"


def prints_of(measured: Measured) -> list[ReadingPrint]:
    """What measured readings are held by; those whose marks give no circle are left out."""
    batch, heads = measured.batch, measured.heads
    radius, x = head_radius_mm(batch, heads, measured.judges), head_x_mm(batch, heads)
    radius = np.where(batch.flat_hip, nan, radius)  # films magnify, each as it was taken
    marks = _marks(measured)
    middles = np.full((2, batch.size), nan)
    middles[batch.side, batch.hip] = measured.views.middle
    facts = batch.hips
    key = zip(
        *(facts.subject, facts.laterality, facts.visit, facts.reader, facts.read_no), strict=True
    )
    return [
        ReadingPrint(
            *(subject, str(side), visit, reader, read_no),
            images=facts.images[hip],
            studies=facts.studies[hip],
            marks=marks.get(hip, b""),
            radius_mm=float(radius[hip]),
            x_mm=float(x[hip]),
            middles_deg=(float(middles[0, hip]), float(middles[1, hip])),
            is_consensus=facts.is_consensus[hip],
        )
        for hip, (subject, side, visit, reader, read_no) in enumerate(key)
        if hip not in measured.refused or hip in measured.implausible
    ]


def _marks(measured: Measured) -> dict[int, bytes]:
    """The places of all rim marks on the views' own slices, by hip."""
    batch = measured.batch
    planes = batch.own_planes
    start, count = batch.rim_start[batch.own], batch.rim_count[batch.own]
    view = np.repeat(np.arange(len(count)), count)
    patient = in_patient(batch.points[:, runs(start, count)], planes.of(view))
    x, y, z = (np.rint(part * 1000).astype(np.int64) for part in patient)
    numbers = (x * 1_000_003 + y) * 1_000_003 + z
    hips, first = np.unique(batch.hip[view], return_index=True)
    parts = np.split(numbers, first[1:]) if len(hips) else []
    return {hip: part.tobytes() for hip, part in zip(hips.tolist(), parts, strict=True)}


def held_together(prints: Iterable[ReadingPrint]) -> tuple[Misfit, ...]:
    """What does not fit between readings, in order.

    Examples
    --------
    >>> one = ReadingPrint(
    ...     "S1", "L", "m00", "r1", 1, (("1.2", 1),), ("1",), b"", 24.0, 88.0, (5.0, 9.0), False
    ... )
    >>> other = one._replace(visit="m12", images=(), studies=(), radius_mm=26.0)
    >>> print(*held_together([one, other]))
    S1 L: the head's radius is 24.0 mm at m00 and 26.0 mm at m12; look at spacing and rim
    >>> print(*held_together([one, one._replace(subject="S2")]))
    S1 L m00, reader r1, read 1 and S2 L m00, reader r1, read 1: marked on one and the same ...
    """
    every = [one for _, one in sorted({one.key: one for one in prints}.items())]
    found: list[Misfit] = []
    by_subject: dict[str, list[ReadingPrint]] = defaultdict(list)
    for one in every:
        by_subject[one.subject].append(one)
    for subject, readings in by_subject.items():
        found += _between_hips(subject, readings)
        by_hip: dict[Hip, list[ReadingPrint]] = defaultdict(list)
        for one in readings:
            by_hip[one.hip].append(one)
        for hip, own in by_hip.items():
            found += _between_visits(" ".join(hip), own)
            found += _within_visits(own)
    found += _images_twice(every)
    found += _study_twice(every)
    found += _marks_twice(every)
    return tuple(sorted(set(found)))


def told_of_rows(rows: Iterable[tuple[str, Iterable[str | None]]]) -> Iterator[Misfit]:
    """What the checks of one reading said of rows: their name, and their flags in words.

    Examples
    --------
    >>> print(*told_of_rows([("S1 L m00", ["few_rim_points rim_on_neck", None])]))
    S1 L m00: the last rim marks leave the circle: look whether they lie on the neck
    """
    for name, texts in rows:
        for text in texts:
            for word in (text or "").split():
                if word in _OF_READINGS:
                    yield Misfit(word, name, Flag(word).meaning)


_OF_READINGS = frozenset(check.name for check in CHECKS if check.scope == "reading")


def _per_visit(values: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The median of each visit's values; NaN does not count."""
    found: dict[str, list[float]] = defaultdict(list)
    for visit, value in values:
        if isfinite(value):
            found[visit].append(value)
    return {visit: median(some) for visit, some in found.items()}


def _between_visits(hip: str, readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    radii = _per_visit((one.visit, one.radius_mm) for one in readings)
    far = _farthest(radii)
    if far and abs(radii[far[0]] - radii[far[1]]) > PLAUSIBLE.visit_radius_mm:
        yield Misfit(
            "radius_unlike_visit",
            hip,
            f"the head's radius is {radii[far[0]]:.1f} mm at {far[0]} and {radii[far[1]]:.1f} mm "
            f"at {far[1]}; look at spacing and rim",
        )
    for place, view in enumerate(("first", "second")):
        middles = _per_visit((one.visit, one.middles_deg[place]) for one in readings)
        turned = _farthest(middles)
        if turned and _turn(middles[turned[0]], middles[turned[1]]) > PLAUSIBLE.turned_deg:
            yield Misfit(
                "arc_turned",
                hip,
                f"the arc of the {view} view has its middle at {middles[turned[0]]:.0f}° at "
                f"{turned[0]} and at {middles[turned[1]]:.0f}° at {turned[1]}; look whether a view "
                "is mirrored or of another hip",
            )


def _within_visits(readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    """The readings of one hip at one visit are of one study, and show one head and one lesion."""
    for one, other in combinations((one for one in readings if not one.is_consensus), 2):
        if one.visit != other.visit:
            continue
        pair = f"{one} and {other}"
        if one.studies and other.studies and not set(one.studies) & set(other.studies):
            yield Misfit(
                "visit_of_two_studies",
                pair,
                "one visit, but marked on two studies; look which of them is of the visit",
            )
        apart = abs(one.radius_mm - other.radius_mm)
        turns = (_turn(*both) for both in zip(one.middles_deg, other.middles_deg, strict=True))
        turn = max((turn for turn in turns if isfinite(turn)), default=0.0)
        if apart > PLAUSIBLE.other_radius_mm or turn > PLAUSIBLE.turned_deg:
            yield Misfit(
                "reads_unlike",
                pair,
                f"radii {one.radius_mm:.1f} and {other.radius_mm:.1f} mm, an arc's middle turned "
                f"by {turn:.0f}°; look whether one of them is of other images, or mirrored",
            )


def _farthest(values: dict[str, float]) -> tuple[str, str] | None:
    """The visits with the least and the largest value, in their order; None for one alone."""
    if len(values) < 2:
        return None
    ordered = sorted(values, key=lambda visit: values[visit])
    first, last = sorted((ordered[0], ordered[-1]))
    return first, last


def _turn(one: float, other: float) -> float:
    return abs((one - other + 180.0) % 360.0 - 180.0)


def _between_hips(subject: str, readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    """Two hips of one patient are alike in size, and lie on either side."""
    right, left = (
        [one for one in readings if one.laterality == side]
        for side in (Laterality.RIGHT, Laterality.LEFT)
    )
    sizes = [_middle(one.radius_mm for one in some) for some in (right, left)]
    if abs(sizes[0] - sizes[1]) > PLAUSIBLE.other_radius_mm:
        yield Misfit(
            "radius_unlike_other_hip",
            subject,
            f"the head's radius is {sizes[0]:.1f} mm on the right and {sizes[1]:.1f} mm on the "
            "left; look at spacing and rim of both",
        )
    places = [_per_visit((one.visit, one.x_mm) for one in some) for some in (right, left)]
    for visit in sorted(places[0].keys() & places[1].keys()):
        apart = places[1][visit] - places[0][visit]
        if apart < PLAUSIBLE.both_hips_mm:
            yield Misfit(
                "hips_on_one_side",
                f"{subject} {visit}",
                f"the head of the left hip lies {apart:.0f} mm to the left of that of the right "
                "hip; look which hip each reading is of",
            )


def _middle(values: Iterable[float]) -> float:
    some = [one for one in values if not isnan(one)]
    return median(some) if some else nan


def _images_twice(readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    """One image has one patient and one visit; it may well show both hips."""
    seen: dict[tuple[str, int], dict[tuple[str, str], ReadingPrint]] = defaultdict(dict)
    for one in readings:
        for image in one.images:
            seen[image].setdefault((one.subject, one.visit), one)
    for owners in seen.values():
        if len(owners) > 1:
            yield Misfit(
                "images_twice",
                _several(list(owners.values())),
                "marked on one and the same image; check which patient and visit it is of",
            )


def _study_twice(readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    """One study has one patient and one visit. One and the same image is told as such."""
    owners: dict[str, dict[tuple[str, str], ReadingPrint]] = defaultdict(dict)
    for one in readings:
        for study in one.studies:
            owners[study].setdefault((one.subject, one.visit), one)
    for some in owners.values():
        images = Counter(image for one in some.values() for image in set(one.images))
        if len(some) > 1 and max(images.values(), default=0) < 2:
            yield Misfit(
                "study_twice",
                _several(list(some.values())),
                "marked on one and the same study; check which patient and visit it is of",
            )


def _marks_twice(readings: Sequence[ReadingPrint]) -> Iterator[Misfit]:
    """No two readings have marks in the very same places."""
    own = [one for one in readings if not one.is_consensus]
    marks = np.frombuffer(b"".join(one.marks for one in own), np.int64)
    owner = np.repeat(np.arange(len(own)), [len(one.marks) // _BYTES for one in own])
    order = np.argsort(marks, kind="stable")
    ends = np.flatnonzero(np.diff(marks[order])) + 1
    size = np.diff(np.concatenate(([0], ends, [len(marks)])))
    first = np.concatenate(([0], ends))[size > 1]
    together: dict[tuple[int, int], int] = defaultdict(int)
    for start, number in zip(first.tolist(), size[size > 1].tolist(), strict=True):
        alike = sorted(set(owner[order[start : start + number]].tolist()))
        for pair in combinations(alike[:_MOST_NAMED], 2):
            together[pair] += 1
    for (one, other), number in sorted(together.items()):
        if number >= PLAUSIBLE.copied_marks:
            yield Misfit(
                "marks_twice",
                f"{own[one]} and {own[other]}",
                f"{number} rim marks lie in the very same places; look which was copied",
            )


_BYTES = 8
_MOST_NAMED = 3


def _several(readings: Sequence[ReadingPrint]) -> str:
    named = " and ".join(str(one) for one in readings[:_MOST_NAMED])
    more = len(readings) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named
