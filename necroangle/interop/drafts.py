"""Drawings of other tools to draft readings, and what is doubtful about them.

A draft holds what was drawn and no more: the arc between the two lines of an angle, about the
circle that was drawn round the head. Where no circle was drawn, one about the angle's corner stands
in. Its rim has four marks, too few to be taken for a rim that a reader has marked: the doubt "few
rim points" stays with it until they are marked anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Literal

import numpy as np

from necroangle import __version__
from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    NO_ENTRIES,
    HipReading,
    ImageRecord,
    Mark,
    NecroticArc,
    PlaneRecord,
    ReadView,
    StackPassport,
    UnreadView,
    check_reading,
)
from necroangle.dicom import SeriesSummary, passport_of
from necroangle.dicom.sides import StudySides
from necroangle.errors import NecroangleError
from necroangle.geometry import ImagePlane, PlanePoints, fit_circle
from necroangle.interop.drawings import MISMATCH_DEG, Array, Drawing, angle_deg
from necroangle.moments import utc_now
from necroangle.review import ImagePlaces
from necroangle.terms import VIEW_PAIRS, Finding, Laterality, UnreadReason, View

RIM_MARKS = 4
ROUND = 0.05
"""An ellipse whose axes differ by more, relative, is no circle."""

OFF_SLICE_MM = 2.0
"""Points in mm may lie so far from the nearest slice."""

EDGE_PX = 1.0
"""Points may lie so far beside the picture: some viewers let a line begin on its edge."""

MISMATCH_MM = 0.5
"""A written radius that differs by more from that of its points is said to."""

UNEQUAL = 1e-3
"""Spacings that differ by more, relative, are unequal: swapped, they give another angle."""

_VIEWS = {"coronal": View.CORONAL, "sagittal": View.SAGITTAL}


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose readings the drafts are, where the images do not say.

    Attributes
    ----------
    subject, visit, side
        As asked for; None where the images say it.
    reader
        The reader; None for the name of the tool.
    """

    subject: str | None = None
    visit: str | None = None
    side: Laterality | None = None
    reader: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft reading.

    Attributes
    ----------
    reading
        The reading, not submitted.
    notes
        What is doubtful about it.
    """

    reading: HipReading
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of some drawings, and what gives none and why."""

    drafts: tuple[Draft, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A drawing on its slice."""

    drawing: Drawing
    series: SeriesSummary
    index: int
    view: View
    side: Laterality
    points: Array
    """(N, 2) plane mm."""

    @property
    def plane(self) -> ImagePlane:
        return self.series.planes[self.index]


def drafts_of(drawings: Iterable[Drawing], places: ImagePlaces, whose: Whose) -> Drafts:
    """Draft readings of drawings, one for each hip, study and tool.

    Parameters
    ----------
    drawings
        Of one file or several.
    places
        The images at hand: they say where a pixel lies.
    whose
        Whose readings they are.
    """
    sides = StudySides(series for scan in places.scans for series in scan.series)
    notes: list[str] = []
    placed: list[_Placed] = []
    for drawing in drawings:
        try:
            placed.append(_placed(drawing, places, sides, whose))
        except NecroangleError as error:
            notes.append(f"{drawing.kind}{_written(drawing)}: {error}")
    hips: dict[tuple[object, ...], list[_Placed]] = defaultdict(list)
    for one in placed:
        drawing = one.drawing
        hips[one.series.study_uid, one.side, drawing.tool, drawing.owner].append(one)
    drafts = []
    for hip in hips.values():
        made: list[str] = []
        try:
            drafts.append(_draft(hip, sides, whose, made))
        except NecroangleError as error:
            notes += [*made, f"{hip[0].side} hip: {error}"]
    return Drafts(tuple(drafts), tuple(dict.fromkeys(notes)))


def _written(drawing: Drawing) -> str:
    return "" if drawing.written_deg is None else f" of {drawing.written_deg:.1f} degrees"


# ---- where a drawing lies ----------------------------------------------------------------------


def _placed(drawing: Drawing, places: ImagePlaces, sides: StudySides, whose: Whose) -> _Placed:
    series, index = _slice_of(drawing, places)
    view = _view_of(series)
    plane = series.planes[index]
    points = drawing.on_plane(plane)
    u, v = points[1].tolist() if drawing.kind == "angle" else points.mean(axis=0).tolist()
    inside = np.array([(u, v)]) if drawing.kind == "circle" else points
    if not _within(inside, series).all():
        raise NecroangleError(
            f"it lies beside the picture of {series.columns} x {series.rows} pixels: it was drawn "
            "on another image"
        )
    centre = plane.plane_to_patient(PlanePoints(np.array([[u, v]])))[0].tolist()
    side = whose.side or drawing.side or series.laterality
    if side is None and series.kind == "stack":
        side = sides.of_head(series.sources[index], centre).side
    if side is None:
        raise NecroangleError("the side of the hip is not known: say --side L or --side R")
    return _Placed(drawing, series, index, view, side, points)


def _slice_of(drawing: Drawing, places: ImagePlaces) -> tuple[SeriesSummary, int]:
    if drawing.image is not None:
        uid, frame = drawing.image
        place = places.place_of(uid, frame or 1)
        if place is None and frame not in (None, 1) and places.place_of(uid, 1) is not None:
            raise NecroangleError(f"its image has no frame {frame} that can be read")
        if place is None:
            raise NecroangleError(
                "its image is in none of the folders (--images): where a pixel lies is not known"
            )
        if frame is None and places.place_of(uid, 2) is not None:
            raise NecroangleError("its image has several frames, and its file names none of them")
        return _checked(drawing, *place)
    if drawing.points.shape[1] == 2:
        raise NecroangleError(
            "its file does not say on which image it was drawn: name it (--image)"
        )
    near = sorted(_distances(drawing, places), key=lambda one: one[0])
    near = [one for one in near if one[0] <= OFF_SLICE_MM]
    if not near:
        words = " in its frame of reference" if drawing.frame_uid is not None else ""
        raise NecroangleError(
            f"no slice is available{words} lies within {OFF_SLICE_MM:g} mm of its points"
        )
    if len({series.study_uid for _, series, _ in near}) > 1:
        raise NecroangleError(
            "slices of several studies lie where it was drawn, and its file names no image: give "
            "the images of one study (--images)"
        )
    return near[0][1:]


def _checked(drawing: Drawing, series: SeriesSummary, index: int) -> tuple[SeriesSummary, int]:
    """The slice that a file names, unless what it says of the patient lies elsewhere."""
    if drawing.points.shape[1] == 3:
        if drawing.frame_uid not in (None, series.sources[index].frame_of_reference_uid):
            raise NecroangleError("its image is in another frame of reference than its points")
        away = _away_mm(drawing, series.planes[index])
        if away > OFF_SLICE_MM:
            raise NecroangleError(f"its points lie {away:.1f} mm off the image that it names")
    return series, index


def _away_mm(drawing: Drawing, plane: ImagePlane) -> float:
    return float(np.abs((drawing.points - np.array(plane.origin_mm)) @ plane.normal).max())


def _distances(drawing: Drawing, places: ImagePlaces) -> Iterator[tuple[float, SeriesSummary, int]]:
    """How far the points lie from each slice that they could have been drawn on."""
    frame = drawing.frame_uid
    for scan in places.scans:
        for series in scan.series:
            if series.kind != "stack":
                continue
            if frame is not None and series.sources[0].frame_of_reference_uid != frame:
                continue
            for index, plane in enumerate(series.planes):
                if _within(drawing.on_plane(plane).mean(axis=0)[None], series).all():
                    yield _away_mm(drawing, plane), series, index


def _within(points: Array, series: SeriesSummary) -> Array:
    """Whether points, (N, 2) plane mm, lie on the pixels of a picture."""
    pixels = points / (series.column_spacing_mm, series.row_spacing_mm) + 0.5
    lies = (pixels >= -EDGE_PX) & (pixels <= np.array((series.columns, series.rows)) + EDGE_PX)
    return np.asarray(lies.all(axis=1))


def _view_of(series: SeriesSummary) -> View:
    if series.kind == "radiograph" and series.view in ("AP", "PA"):
        return View.AP
    if series.plane is not None and series.plane.name in _VIEWS:
        return _VIEWS[series.plane.name]
    seen = series.plane.name if series.plane is not None else series.kind
    raise NecroangleError(f"drawn on a {seen} image: the angle is read on coronal, sagittal or AP")


# ---- what is doubtful --------------------------------------------------------------------------


def _check(placed: _Placed) -> Iterator[str]:
    """What points say otherwise than the number that was written with them."""
    if placed.drawing.kind == "circle":
        yield from _check_circle(placed)
    elif placed.drawing.kind == "angle":
        yield from _check_angle(placed)


def _check_circle(placed: _Placed) -> Iterator[str]:
    written = placed.drawing.written_mm
    if written is None or not placed.series.calibrated:
        return
    around = placed.points - placed.points.mean(axis=0)
    found = float(np.hypot(*around.T).mean())
    if abs(found - written) > MISMATCH_MM and np.ptp(np.hypot(*around.T)) <= ROUND * found:
        yield (
            f"{placed.view.label}: the circle is written with a radius of {written:.1f} mm, its "
            f"points say {found:.1f}"
        )


def _check_angle(placed: _Placed) -> Iterator[str]:
    written, plane = placed.drawing.written_deg, placed.plane
    unequal = abs(plane.row_spacing_mm / plane.column_spacing_mm - 1) > UNEQUAL
    is_pixel = placed.drawing.points.shape[1] == 2
    if unequal and is_pixel and placed.drawing.tool == "ohif":
        yield (
            f"{placed.view.label}: pixels are {plane.row_spacing_mm:.4g} x "
            f"{plane.column_spacing_mm:.4g} mm, and OHIF is known to swap the two "
            "(cornerstone3D issue 2758): look where the points lie"
        )
    if written is None:
        return
    found = angle_deg(placed.points[1], placed.points[[0, 2]])
    if min(abs(found - written), abs(360.0 - found - written)) <= MISMATCH_DEG:
        return
    across = plane.row_spacing_mm / plane.column_spacing_mm
    swapped = placed.points * (across, 1.0 / across)
    turned = angle_deg(swapped[1], swapped[[0, 2]])
    words = f"{placed.view.label}: written as {written:.1f} degrees, its points say {found:.1f}"
    if unequal and is_pixel and abs(turned - written) <= MISMATCH_DEG:
        words += "; with the two spacings swapped they agree"
    yield words


# ---- a hip -------------------------------------------------------------------------------------


def _draft(hip: list[_Placed], sides: StudySides, whose: Whose, notes: list[str]) -> Draft:
    by_view: dict[View, list[_Placed]] = defaultdict(list)
    for one in hip:
        by_view[one.view].append(one)
    views: dict[View, ReadView] = {}
    for view, drawn in by_view.items():
        for one in drawn:
            notes += _check(one)
        views[view] = _read(view, drawn, sides, notes)
    series, tool = hip[0].series, hip[0].drawing.tool
    owner = hip[0].drawing.owner
    subject, visit = whose.subject or series.subject, whose.visit or series.visit
    if owner is not None:
        subject, visit, tool = owner.subject, owner.visit, owner.reader
    if subject is None or visit is None:
        asked = " and ".join(
            f"--{name}" for name, one in (("subject", subject), ("visit", visit)) if one is None
        )
        raise NecroangleError(f"the images do not say whose it is: say {asked}")
    first, second = _pair(views)
    reading = HipReading(
        format="necroangle.reading",
        version=3,
        subject=subject,
        laterality=hip[0].side,
        visit=visit,
        reader=whose.reader or tool,
        read_no=1 if owner is None else owner.read_no,
        views=(first, second),
        entries=NO_ENTRIES,
        notes="; ".join((f"Draft of what was drawn ({hip[0].drawing.tool})", *notes))[:2000],
        conduct=FREE_READING,
        revision=FIRST_REVISION,
        consensus_of=(),
        saved_at=utc_now(),
        software=f"necroangle {__version__}",
    )
    check_reading(reading)
    return Draft(reading, tuple(notes))


def _pair(views: dict[View, ReadView]) -> tuple[ReadView | UnreadView, ReadView | UnreadView]:
    for first, second in VIEW_PAIRS:
        if first in views or second in views:
            one, other = (
                views.get(view) or UnreadView(view, UnreadReason.NOT_DONE)
                for view in (first, second)
            )
            return one, other
    raise NecroangleError("no view of a pair")


def _read(view: View, drawn: list[_Placed], sides: StudySides, notes: list[str]) -> ReadView:
    """One view: what was drawn on the slice that has most of it."""
    slices: dict[tuple[str, int], list[_Placed]] = defaultdict(list)
    for one in drawn:
        slices[one.series.series_uid, one.index].append(one)
    on_one = max(
        slices.values(), key=lambda some: sum(one.drawing.kind != "circle" for one in some)
    )
    if len(slices) > 1:
        notes.append(f"{view.label}: drawn on {len(slices)} slices, one is taken")
    angles = [one for one in on_one if one.drawing.kind in ("angle", "arc")]
    if any(one.drawing.kind == "arc" for one in angles):
        angles = [one for one in angles if one.drawing.kind == "arc"]
    if not angles:
        raise NecroangleError(
            f"{view.label}: a circle without an angle says nothing of necrosis: mark the arc"
        )
    plane, series, index = angles[0].plane, angles[0].series, angles[0].index
    circle = _circle(on_one, angles, notes)
    arcs = {_arc(one, circle, plane): None for one in angles}
    frame: Literal["patient", "detector"] = "patient" if series.kind == "stack" else "detector"
    return ReadView(
        view=view,
        finding=Finding.NECROSIS,
        image=ImageRecord.of(series.sources[index]),
        plane=PlaneRecord.of(
            plane, (series.rows, series.columns), frame=frame, calibrated=series.calibrated
        ),
        passport=StackPassport.of(passport_of(series, sides).to_dict()),
        rim=_rim(on_one, circle, plane),
        arcs=tuple(arcs),
        observations=(),
        neighbours=(),
        landmarks=(),
        contour=(),
    )


Circle = tuple[float, float, float]


def _circle(on_one: Sequence[_Placed], angles: Sequence[_Placed], notes: list[str]) -> Circle:
    """The head circle (u, v, radius) in plane mm: as it was drawn, else about the corner."""
    view = angles[0].view.label
    for one in on_one:
        if one.drawing.kind == "rim":
            fit = fit_circle(PlanePoints(one.points)).circle
            return (*fit.centre_mm, fit.radius_mm)
    near = angles[0].points[1 if angles[0].drawing.kind == "angle" else 0]
    found = []
    for one in on_one:
        if one.drawing.kind != "circle":
            continue
        circle = fit_circle(PlanePoints(one.points)).circle
        reach = np.hypot(*(one.points - np.array(circle.centre_mm)).T)
        if np.ptp(reach) > ROUND * circle.radius_mm:
            notes.append(f"{view}: an ellipse or a line that is no circle is left aside")
            continue
        away = float(np.hypot(*(np.array(circle.centre_mm) - near)))
        found.append((away, (*circle.centre_mm, circle.radius_mm)))
    within = [(away, circle) for away, circle in found if away <= 1.5 * circle[2]]
    if within:
        return min(within)[1]
    if found:
        notes.append(f"{view}: the circle lies elsewhere than the angle, and is left aside")
    notes.append(f"{view}: no circle of the head was drawn; one about the angle's corner stands in")
    start, corner, end = angles[0].points
    u, v = corner.tolist()
    return u, v, float(np.hypot(*(np.array([start, end]) - corner).T).mean())


def _rim(on_one: Sequence[_Placed], circle: Circle, plane: ImagePlane) -> tuple[Mark, ...]:
    for one in on_one:
        if one.drawing.kind == "rim":
            return tuple(Mark.at_plane(plane, u, v) for u, v in one.points.tolist())
    u, v, radius = circle
    turns = [2.0 * pi * place / RIM_MARKS for place in range(RIM_MARKS)]
    return tuple(
        Mark.at_plane(plane, u + radius * cos(turn), v + radius * sin(turn)) for turn in turns
    )


def _arc(placed: _Placed, circle: Circle, plane: ImagePlane) -> NecroticArc:
    """The arc between the lines of an angle, on the side that its number means."""
    points = placed.points
    if placed.drawing.kind == "arc":
        start, via, end = (Mark.at_plane(plane, *one) for one in points.tolist())
        return NecroticArc(start, end, via)
    u, v, radius = circle
    corner = points[1]
    lines = [(one - corner) / hypot(*(one - corner).tolist()) for one in points[[0, 2]]]
    middle = lines[0] + lines[1]
    if np.hypot(*middle) < 1e-9:
        raise NecroangleError(f"{placed.view.label}: its lines are opposite: which side is dead?")
    middle = middle / np.hypot(*middle)
    written = placed.drawing.written_deg
    found = angle_deg(corner, points[[0, 2]])
    if written is not None and abs(360.0 - found - written) < abs(found - written):
        middle = -middle
    ends = [corner + radius * line for line in lines]
    marks = [Mark.at_plane(plane, *one.tolist()) for one in ends]
    via = Mark.at_plane(plane, u + radius * middle[0], v + radius * middle[1])
    return NecroticArc(marks[0], marks[1], via)
