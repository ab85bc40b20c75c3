"""Hips as a clinic has them, read by a careful reader; and the same with one mistake planted.

It shares no rule with the measurement: heads of men, women and small-boned people, a little oval
and uneven, a cap of necrosis with an irregular border that leans forward, slices beside the centre,
rims of 150 to 290 degrees away from the neck, neighbouring marks that err alike, ends that each
reader places in an own way. Directions are degrees from superior, towards lateral or posterior.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import acos, cos, degrees, radians, sin, sqrt

import numpy as np
from hipmaker import SHAPE, make_reading
from numpy.typing import NDArray

from necroangle.annotation import HipReading, ImageRecord, Mark, NecroticArc, PlaneRecord, ReadView
from necroangle.geometry import ImagePlane
from necroangle.terms import Finding, Laterality, View

__all__ = [
    "COHORT_MISTAKES",
    "MISTAKES",
    "ClinicHip",
    "clinic_cohort",
    "clinic_hips",
    "clinic_readings",
    "mistaken",
]

Chance = np.random.Generator
Array = NDArray[np.float64]

_SEXES = (((24.4, 1.8), 0.5), ((22.0, 1.5), 0.4), ((20.3, 2.0), 0.1))
"""Mean and standard deviation of the radius, mm, and the share: men, women, small-boned."""


@dataclass(frozen=True)
class Marked:
    """One view as it was marked.

    Attributes
    ----------
    offset_mm
        Where the slice lies from the head's centre, along its normal.
    rim
        (N, 2) direction (degrees) and distance from the centre (mm) of the rim marks.
    ends
        (2, 2) the same of the two ends of the arc.
    via_deg
        Direction of the mark between them.
    spacing_mm
        Between rows and between columns.
    """

    offset_mm: float
    rim: Array
    ends: Array
    via_deg: float
    spacing_mm: tuple[float, float]


@dataclass(frozen=True)
class ClinicHip:
    """A hip that was read.

    Attributes
    ----------
    name
        Its subject and the stem of its images' identifiers.
    side, visit
        As stated in the reading.
    centre_mm
        The head's centre, patient LPS.
    radius_mm
        The head's mean radius.
    views
        The coronal and the sagittal view.
    lateral
        1 where the image's left is the patient's left, -1 where a view was mirrored.
    studies
        The study of each view.
    images
        Stem of the images' identifiers.
    reader, study_of
        Who read; and another stem of the studies' identifiers.
    ratio
        True distance of rows over that of columns, where the file says they are equal.
    """

    name: str
    side: Laterality
    centre_mm: tuple[float, float, float]
    radius_mm: float
    views: tuple[Marked, Marked]
    visit: str = "m00"
    studies: tuple[str, str] = ("1", "1")
    images: str = ""
    reader: str = "r1"
    study_of: str = ""
    scale: float = 1.0
    ratio: float = 1.0
    mirrored: bool = False

    def reading(self) -> HipReading:
        """The reading that was saved."""
        first, second = (self._view(view) for view in (View.CORONAL, View.SAGITTAL))
        return make_reading(
            views=(first, second),
            subject=self.name,
            laterality=self.side,
            visit=self.visit,
            reader=self.reader,
        )

    def _view(self, view: View) -> ReadView:
        marked = self.views[0 if view is View.CORONAL else 1]
        out = -1.0 if view is View.CORONAL and self.centre_mm[0] < 0 else 1.0
        if self.mirrored and view is View.CORONAL:
            out = -out
        down_mm, across_mm = (one * self.scale for one in marked.spacing_mm)
        rows, columns = SHAPE
        row = (1.0, 0.0, 0.0) if view is View.CORONAL else (0.0, 1.0, 0.0)
        middle = (columns - 1) / 2 * across_mm, (rows - 1) / 2 * down_mm
        normal = np.cross(row, (0.0, 0.0, -1.0))
        origin = np.array(self.centre_mm) + marked.offset_mm * normal
        origin = origin - middle[0] * np.array(row) + middle[1] * np.array((0.0, 0.0, 1.0))
        plane = ImagePlane.from_dicom(origin.tolist(), [*row, 0.0, 0.0, -1.0], (down_mm, across_mm))

        def at(deg: float, mm: float) -> Mark:
            u = out * mm * sin(radians(deg)) * self.scale
            v = -mm * cos(radians(deg)) * self.scale / self.ratio
            return Mark.at_plane(plane, middle[0] + u, middle[1] + v)

        start, end = (at(*one) for one in marked.ends.tolist())
        stem = f"1.2.{self.images}.{1 + (view is View.SAGITTAL)}"
        study = self.studies[view is View.SAGITTAL]
        return ReadView(
            view=view,
            finding=Finding.NECROSIS,
            image=ImageRecord(
                f"1.2.{self.study_of or self.images}.9.{study}", stem, f"{stem}.1", 1, "1.2.9"
            ),
            plane=PlaneRecord.of(plane, SHAPE),
            passport=None,
            rim=tuple(at(*one) for one in marked.rim.tolist()),
            arcs=(NecroticArc(start, end, at(marked.via_deg, float(marked.ends[:, 1].mean()))),),
            observations=(),
            neighbours=(),
            landmarks=(),
            contour=(),
        )


def clinic_hips(count: int, seed: int) -> Iterator[ClinicHip]:
    """Sound hips, each from a seed of its own; one after the other."""
    for number in range(count):
        yield _hip(np.random.default_rng((seed, number)), number)


def clinic_readings(count: int, seed: int) -> list[HipReading]:
    """Readings of sound hips."""
    return [hip.reading() for hip in clinic_hips(count, seed)]


def clinic_cohort(count: int, seed: int) -> list[ClinicHip]:
    """Both hips of patients at two visits, each marked anew; the patient lies anew each time."""
    found = []
    for number in range(count):
        chance = np.random.default_rng((seed, number, 2))
        first = _anatomy(chance, Laterality.RIGHT)
        other = _anatomy(chance, Laterality.LEFT)
        alike = replace(other, radius_mm=first.radius_mm + float(chance.normal(0, 0.35)))
        for visit in ("m00", "m12"):
            moved = chance.normal(0, 8, 3)
            for hip in (first, alike):
                x, y, z = (float(part) for part in np.array(hip.centre_mm) + moved)
                centre = x + (first.centre_mm[0] + 88.0 if hip is alike else 0.0), y, z
                laid = replace(hip, centre_mm=centre)
                found.append(_read(chance, laid, f"S{number:05d}", visit))
    return found


@dataclass(frozen=True)
class _Anatomy:
    """A head and its lesion, as they are."""

    side: Laterality
    centre_mm: tuple[float, float, float]
    radius_mm: float
    axes: tuple[float, float, float]
    lean: tuple[float, float]
    half_deg: float


def _hip(chance: Chance, number: int) -> ClinicHip:
    side = Laterality.LEFT if chance.random() < 0.5 else Laterality.RIGHT
    return _read(chance, _anatomy(chance, side), f"S{number:05d}", "m00")


def _anatomy(chance: Chance, side: Laterality) -> _Anatomy:
    mean, spread = _SEXES[int(chance.choice(3, p=[share for _, share in _SEXES]))][0]
    out = 1.0 if side is Laterality.LEFT else -1.0
    x = out * chance.normal(88, 7) + chance.normal(0, 14)
    wide, deep, high = chance.normal(0, 0.02, 3).tolist()
    return _Anatomy(
        side,
        (float(x), float(chance.normal(0, 15)), float(chance.normal(0, 20))),
        float(chance.normal(mean, spread)),
        (wide, deep, high),
        (float(chance.normal(0, 12)), float(chance.normal(18, 12))),
        float(chance.uniform(35, 62)),
    )


def _read(chance: Chance, hip: _Anatomy, name: str, visit: str) -> ClinicHip:
    ends = float(chance.lognormal(0, 0.35)), float(chance.normal(0, 0.3))
    spacing = float(chance.uniform(0.4, 0.9))
    views = tuple(_marked(chance, hip, place, ends, spacing) for place in (0, 1))
    images = f"{1 + int(name[1:])}.{1 + int(visit[1:])}.{1 + (hip.side is Laterality.LEFT)}"
    return ClinicHip(
        name,
        hip.side,
        hip.centre_mm,
        hip.radius_mm,
        (views[0], views[1]),
        visit,
        images=images,
    )


def _marked(
    chance: Chance, hip: _Anatomy, place: int, ends: tuple[float, float], spacing: float
) -> Marked:
    """One view: coronal for place 0, sagittal for 1; spread and bias of the ends in mm."""
    offset, radius = float(chance.uniform(-2.2, 2.2)), hip.radius_mm
    circle = sqrt(radius**2 - offset**2)
    oval = (hip.axes[2] - hip.axes[place]) / 2
    harmonics = {2: (oval, chance.normal(0, 0.006)), 3: tuple(chance.normal(0, 0.006, 2))}

    def contour(deg: Array) -> Array:
        turn = np.radians(deg)
        uneven = sum(c * np.cos(k * turn) + s * np.sin(k * turn) for k, (c, s) in harmonics.items())
        return np.asarray(circle + radius * uneven)

    middle, angle = _cap(hip, circle, offset, place)
    end_sd, bias = ends
    moved = chance.normal(0, 0.08 * angle / 2, 2) + np.degrees(chance.normal(0, end_sd, 2) / radius)
    turn = degrees(bias / radius)
    where = np.array((middle - angle / 2 + moved[0] - turn, middle + angle / 2 + moved[1] + turn))
    span, count = float(chance.uniform(150, 290)), int(chance.integers(9, 17))
    slack = (span - (where[1] - where[0])) / 2 - 8 + chance.normal(0, 6)
    away = float(
        np.clip(
            chance.normal(-35 if place == 0 else 0, 15),
            middle - max(slack, 0),
            middle + max(slack, 0),
        )
    )
    degs = np.linspace(away - span / 2, away + span / 2, count) + chance.normal(
        0, 0.15 * span / count, count
    )
    noise = _alike(chance, count, 0.5, float(chance.uniform(0.0, 0.6)))
    rim = np.column_stack((degs, contour(degs) + noise))
    gaps = chance.normal(0, 0.7, 2)
    return Marked(
        offset,
        rim,
        np.column_stack((where, contour(where) + gaps)),
        float(where.mean() + chance.normal(0, 5)),
        (spacing, spacing),
    )


def _alike(chance: Chance, count: int, sd: float, correlation: float) -> Array:
    """Noise of marks each of which errs as its neighbour does."""
    found = chance.normal(0, sd, count)
    for place in range(1, count):
        found[place] = correlation * found[place - 1] + sqrt(1 - correlation**2) * found[place]
    return found


def _cap(hip: _Anatomy, circle: float, offset: float, place: int) -> tuple[float, float]:
    """Middle and angle of the arc in which a slice beside the centre cuts the cap."""
    out, front = (np.tan(np.radians(one)) for one in hip.lean)
    axis = np.array((out, -front, 1.0)) / sqrt(out**2 + front**2 + 1)
    along, across = (axis[0], axis[1]) if place == 0 else (axis[1], axis[0])
    cosine = hip.radius_mm * cos(radians(hip.half_deg)) - offset * across
    cosine /= circle * sqrt(along**2 + axis[2] ** 2)
    angle = 2 * degrees(acos(float(np.clip(cosine, -0.95, 0.95))))
    return degrees(np.arctan2(along, axis[2])), angle


def _views(hip: ClinicHip, change: Callable[[Marked], Marked]) -> ClinicHip:
    first, second = map(change, hip.views)
    return replace(hip, views=(first, second))


def _with_rim(marked: Marked, rim: Array) -> Marked:
    return replace(marked, rim=rim)


def _on_neck(count: int) -> Callable[[ClinicHip], ClinicHip]:
    """The last marks of both rims run down the neck."""
    steps = {1: (5.7,), 2: (2.8, 5.7)}[count]

    def change(marked: Marked) -> Marked:
        rim = marked.rim.copy()
        rim[-count:, 1] += steps
        return _with_rim(marked, rim)

    return lambda hip: _views(hip, change)


def _sunken(depth_mm: float) -> Callable[[ClinicHip], ClinicHip]:
    """The dome has sunk within the arc, and the rim was marked as it is."""

    def change(marked: Marked) -> Marked:
        low, high = marked.ends[:, 0]
        share = (marked.rim[:, 0] - low) / (high - low)
        inside = (share > 0) & (share < 1)
        rim = marked.rim.copy()
        rim[inside, 1] -= depth_mm * np.sin(np.pi * share[inside]) ** 2
        return _with_rim(marked, rim)

    return lambda hip: _views(hip, change)


def _other_side(marked: Marked) -> Marked:
    """The third mark of the arc is on the healthy side."""
    return replace(marked, via_deg=marked.via_deg + 180.0)


def _on_socket(marked: Marked) -> Marked:
    return _with_rim(marked, marked.rim + np.array((0.0, 4.0)))


def _all_on_socket(marked: Marked) -> Marked:
    return replace(_on_socket(marked), ends=marked.ends + np.array((0.0, 4.0)))


def _beyond_rim(marked: Marked) -> Marked:
    """Rim marks only on the medial side of the arc's last third."""
    low, high = marked.ends[:, 0]
    end = low + 0.45 * (high - low)
    rim = marked.rim.copy()
    rim[:, 0] = np.linspace(end - 150, end, len(rim))
    return _with_rim(marked, rim)


Change = Callable[[Marked], Marked]


def _of_one(change: Change) -> Callable[[ClinicHip], ClinicHip]:
    """A change of the sagittal view alone."""
    return lambda hip: replace(hip, views=(hip.views[0], change(hip.views[1])))


def _of_both(change: Change) -> Callable[[ClinicHip], ClinicHip]:
    return lambda hip: _views(hip, change)


def _sized(times: float) -> Change:
    return lambda marked: replace(
        marked, rim=marked.rim * (1.0, times), ends=marked.ends * (1.0, times)
    )


def _turned(deg: float) -> Change:
    """The image was turned before it was marked."""
    return lambda marked: replace(
        marked,
        rim=marked.rim + np.array((deg, 0.0)),
        ends=marked.ends + np.array((deg, 0.0)),
        via_deg=marked.via_deg + deg,
    )


def _transposed(marked: Marked) -> Marked:
    """Rows were taken for columns."""
    swapped = replace(marked, rim=marked.rim * (-1.0, 1.0), ends=(marked.ends * (-1.0, 1.0))[::-1])
    return _turned(90.0)(replace(swapped, via_deg=-marked.via_deg))


def _moved_marks(first: int, steps: tuple[float, ...]) -> Change:
    """Some neighbouring rim marks lie outside, from the first one or, negative, at the end."""

    def change(marked: Marked) -> Marked:
        rim = marked.rim.copy()
        start = first % len(rim)
        rim[start : start + len(steps), 1] += steps
        return _with_rim(marked, rim)

    return change


def _half_on_socket(marked: Marked) -> Marked:
    return _moved_marks(0, (4.0,) * (len(marked.rim) // 2))(marked)


def _within(marked: Marked) -> Marked:
    """The rim was marked below the surface, on which the ends lie."""
    return _with_rim(marked, marked.rim - np.array((0.0, 3.0)))


def _one_click(away_deg: float) -> Change:
    """Both ends of the arc are one click, the third mark beside it or opposite."""

    def change(marked: Marked) -> Marked:
        first = marked.ends[0]
        ends = np.array((first, first + np.array((1.0, 0.0))))
        return replace(marked, ends=ends, via_deg=float(first[0]) + away_deg)

    return change


def _end_at(deg: float, out_mm: float) -> Change:
    """The second end lies elsewhere."""

    def change(marked: Marked) -> Marked:
        ends = marked.ends.copy()
        ends[1] = deg or ends[1, 0], ends[1, 1] + out_mm
        return replace(marked, ends=ends)

    return change


def _along_arc(marked: Marked) -> Marked:
    """The rim was marked within the lesion only."""
    rim = marked.rim.copy()
    low, high = marked.ends[:, 0].tolist()
    rim[:, 0] = np.linspace(low, high, len(rim))
    return _with_rim(marked, rim)


def _beside(mm: float) -> Change:
    """The slice lies so much farther away than was meant."""
    return lambda marked: replace(marked, offset_mm=marked.offset_mm + mm)


MISTAKES: Mapping[str, Callable[[ClinicHip], ClinicHip]] = {
    "spacing doubled": lambda hip: replace(hip, scale=2.0),
    "spacing halved": lambda hip: replace(hip, scale=0.5),
    "centimetres for millimetres": lambda hip: replace(hip, scale=0.1),
    "square pixels taken, true ratio 1.33": lambda hip: replace(hip, ratio=1.33),
    "square pixels taken, true ratio 1.2": lambda hip: replace(hip, ratio=1.2),
    "square pixels taken, true ratio 1.1": lambda hip: replace(hip, ratio=1.1),
    "wrong side": lambda hip: replace(
        hip, side=Laterality.LEFT if hip.side is Laterality.RIGHT else Laterality.RIGHT
    ),
    "third point on the healthy side": lambda hip: _views(hip, _other_side),
    "arc beyond the rim": lambda hip: _views(hip, _beyond_rim),
    "last mark on the neck": _on_neck(1),
    "last 2 marks on the neck": _on_neck(2),
    "rim on the acetabulum": lambda hip: _views(hip, _on_socket),
    "dome sunk 2 mm, stage not entered": _sunken(2.0),
    "dome sunk 3 mm, stage not entered": _sunken(3.0),
    "dome sunk 4 mm, stage not entered": _sunken(4.0),
    "views from two studies": lambda hip: replace(hip, studies=("1", "2")),
    "one view's spacing 1.5 times": _of_one(_sized(1.5)),
    "one view's spacing 1.2 times": _of_one(_sized(1.2)),
    "one view's spacing 1.1 times": _of_one(_sized(1.1)),
    "one view upside down": _of_one(_turned(180.0)),
    "both views upside down": _of_both(_turned(180.0)),
    "one view turned by 90 degrees": _of_one(_turned(90.0)),
    "rows taken for columns": _of_both(_transposed),
    "one view's rows taken for columns": _of_one(_transposed),
    "last 4 marks on the neck": _of_both(_moved_marks(-4, (2.0, 4.0, 6.0, 8.0))),
    "last 4 marks of one view on the neck": _of_one(_moved_marks(-4, (2.0, 4.0, 6.0, 8.0))),
    "first 2 marks on an osteophyte": _of_both(_moved_marks(0, (4.0, 4.0))),
    "half of the rim on the acetabulum": _of_both(_half_on_socket),
    "rim of one view on the acetabulum": _of_one(_on_socket),
    "rim and ends of one view on the acetabulum": _of_one(_all_on_socket),
    "rim below the surface": _of_both(_within),
    "circle of one view about the lesion": _of_one(_sized(0.7)),
    "both ends in one click": _of_both(_one_click(0.5)),
    "both ends of one view in one click": _of_one(_one_click(0.5)),
    "both ends in one click, third mark opposite": _of_both(_one_click(180.0)),
    "one end on the neck": _of_one(_end_at(130.0, 0.0)),
    "one end on the acetabulum": _of_one(_end_at(0.0, 5.0)),
    "a stray mark in the rim": _of_one(_moved_marks(4, (12.0,))),
    "rim within the lesion only": _of_both(_along_arc),
    "a slice 12 mm off": _of_one(_beside(12.0)),
}
"""What was planted, and the hip with it."""


Cohort = Callable[[list[ClinicHip]], list[ClinicHip]]


def _swapped_sides(hips: list[ClinicHip]) -> list[ClinicHip]:
    """At the second visit both hips were read as the left one's side, half a body too far."""
    return [
        replace(hip, centre_mm=(-hip.centre_mm[0], *hip.centre_mm[1:]))
        if hip.visit == "m12" and hip.side is Laterality.LEFT
        else hip
        for hip in hips
    ]


def _later(change: Callable[[ClinicHip], ClinicHip]) -> Cohort:
    """A change of the second visit alone."""
    return lambda hips: [change(hip) if hip.visit == "m12" else hip for hip in hips]


def _copied(hips: list[ClinicHip]) -> list[ClinicHip]:
    """The marks of the first visit were saved once more as those of the second."""
    first = {(hip.name, hip.side): hip for hip in hips if hip.visit == "m00"}
    return [
        replace(first[hip.name, hip.side], visit="m12", images=hip.images)
        if hip.visit == "m12"
        else hip
        for hip in hips
    ]


def _same_images(hips: list[ClinicHip]) -> list[ClinicHip]:
    """The images of the first patient were filed under all of them."""
    first = {(hip.visit, hip.side): hip.images for hip in reversed(hips)}
    return [replace(hip, images=first[hip.visit, hip.side]) for hip in hips]


def _read_again(change: Callable[[ClinicHip], ClinicHip]) -> Cohort:
    """A second reading of the first visit, by another reader, of other images or hips."""
    return lambda hips: [
        replace(change(hip), visit="m00", reader="r2") if hip.visit == "m12" else hip
        for hip in hips
    ]


def _one_study(hips: list[ClinicHip]) -> list[ClinicHip]:
    """All visits of a patient were marked on one study, on other images of it."""
    return [replace(hip, study_of=f"{hip.name}.one") for hip in hips]


COHORT_MISTAKES: Mapping[str, tuple[str, Cohort]] = {
    "spacing 1.1 times at the second visit": (
        "radius_unlike_visit",
        _later(lambda hip: replace(hip, scale=1.1)),
    ),
    "rim and ends on the acetabulum at the second visit": (
        "radius_unlike_visit",
        _later(lambda hip: _views(hip, _all_on_socket)),
    ),
    "other hip read as this one": ("hips_on_one_side", _swapped_sides),
    "coronal view mirrored at the second visit": (
        "arc_turned",
        _later(lambda hip: replace(hip, mirrored=True)),
    ),
    "marks of the first visit copied": ("marks_twice", _copied),
    "one patient's images under all": ("images_twice", _same_images),
    "two visits marked on one study": ("study_twice", _one_study),
    "second reading on another study": ("visit_of_two_studies", _read_again(lambda hip: hip)),
    "second reading of a mirrored view": (
        "reads_unlike",
        _read_again(lambda hip: replace(hip, mirrored=True)),
    ),
    "second reading with another spacing": (
        "reads_unlike",
        _read_again(lambda hip: replace(hip, scale=1.15)),
    ),
}
"""What was planted in a cohort, the check that is to see it, and the cohort with it."""


def mistaken(name: str, count: int, seed: int) -> list[HipReading]:
    """Readings of hips with a mistake planted."""
    return [MISTAKES[name](hip).reading() for hip in clinic_hips(count, seed)]
