"""Angles and circles of MITK (``.pf``), of AIM 4 (XML) and of the table that OHIF exports (CSV).

MITK gives millimetres on a plane of its own, and that plane in the patient. AIM gives pixels from
the first pixel's corner, as DICOM does, and the image. OHIF's table gives patient millimetres
(LPS) and the image; commas in names stand in it without quotation marks.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from necroangle.errors import NecroangleError
from necroangle.interop.drawings import (
    APART,
    CLOSED,
    Array,
    Drawing,
    Number,
    Taken,
    angle_deg,
    corner_of,
)
from necroangle.interop.other_files import name_of, xml_of

_NEITHER = "neither an angle nor a circle"
_FAR_MM = 1e6


def _numbers(values: Sequence[object], where: str) -> Array:
    """Numbers, each a place within 1 km.

    Raises
    ------
    NecroangleError
        If one is none.
    """
    try:
        found = np.array([float(str(value)) for value in values])
    except ValueError:
        raise NecroangleError(f"{where}: a coordinate is no number") from None
    if not (np.abs(found) < _FAR_MM).all():
        raise NecroangleError(f"{where}: a coordinate is no place within 1 km")
    return found


def _angle(points: Array, drawn: Drawing) -> Drawing | None:
    """An angle of three points, or of two lines that meet."""
    corner = corner_of(points)
    return None if corner is None else replace(drawn, kind="angle", points=corner)


def _told(drawing: Drawing, what: str, value: float, unit: str) -> Number:
    is_angle = drawing.kind == "angle"
    found = angle_deg(drawing.points[1], drawing.points[[0, 2]]) if is_angle else None
    return Number(what, value, unit, drawing.kind, found)


# ---- MITK --------------------------------------------------------------------------------------


def take_mitk(path: Path) -> Taken:
    """The angles and circles of a file of MITK's planar figures.

    Raises
    ------
    NecroangleError
        If it is no such file, or is damaged.
    """
    figures = [one for one in xml_of(path, many_tops=True).iter() if name_of(one) == "PlanarFigure"]
    if not figures:
        raise NecroangleError(f"{path.name}: no planar figure of MITK in it")
    drawings: list[Drawing] = []
    notes: list[str] = []
    for figure in figures:
        kind = figure.get("type") or "figure without a type"
        drawn = _mitk(kind, _mitk_points(figure, path.name))
        if isinstance(drawn, Drawing):
            drawings.append(drawn)
        else:
            notes.append(f"{kind}: {drawn}")
    return Taken(path.name, drawings=tuple(drawings), notes=tuple(dict.fromkeys(notes)))


def _mitk(kind: str, points: Array) -> Drawing | str:
    if kind in ("PlanarAngle", "PlanarFourPointAngle"):
        return _angle(points, Drawing("angle", points, "mitk")) or APART
    is_circle = kind == "PlanarCircle" and len(points) == 2
    if is_circle or (kind == "PlanarPolygon" and len(points) >= CLOSED):
        return Drawing("circle", points, "mitk")
    return _NEITHER


def _mitk_points(figure: Element, file: str) -> Array:
    """(N, 3) patient mm: the points lie on the figure's plane, in mm from its corner."""
    by_name = {name_of(one): one for one in figure.iter()}
    vertices = [one for one in figure.iter() if name_of(one) == "Vertex"]
    vertices.sort(
        key=lambda one: int(one.get("id") or 0) if (one.get("id") or "0").isdigit() else 0
    )
    transform = by_name.get("transformParam")
    if transform is None or not vertices:
        raise NecroangleError(f"{file}: a figure without its points, or without its plane")
    flat = [x for one in vertices for x in (one.get("x"), one.get("y"))]
    places = _numbers(flat, file).reshape(-1, 2)
    matrix = _numbers([transform.get(f"param{n}") for n in range(12)], file)
    axes = matrix[:9].reshape(3, 3)[:, :2]
    spacing = np.linalg.norm(axes, axis=0)
    if not (spacing > 0.0).all():
        raise NecroangleError(f"{file}: the plane of a figure is none")
    return np.asarray(places / spacing @ axes.T + matrix[9:])


# ---- AIM ---------------------------------------------------------------------------------------

AIM_TOP = "ImageAnnotationCollection"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_AIM_DEGREES = {"deg", "degree", "degrees", "\N{DEGREE SIGN}"}


@dataclass(frozen=True, slots=True)
class _Calculation:
    what: str
    value: float
    unit: str

    @property
    def is_angle(self) -> bool:
        return self.unit.casefold() in _AIM_DEGREES


def take_aim(path: Path) -> Taken:
    """The angles and circles of annotations in AIM 4.

    Raises
    ------
    NecroangleError
        If it is no such file, or is damaged.
    """
    top = xml_of(path)
    if name_of(top) != AIM_TOP:
        raise NecroangleError(f"{path.name}: no annotations of AIM 4 in it")
    drawings: list[Drawing] = []
    numbers: list[Number] = []
    notes: list[str] = []
    for one in top.iter():
        if name_of(one) != "ImageAnnotation":
            continue
        calculations = _calculations(one)
        markups = [part for part in one.iter() if name_of(part) == "MarkupEntity"]
        of_markup = _belonging(one, calculations, markups)
        used: set[str] = set()
        for markup in markups:
            named = of_markup.get(_root(markup, "uniqueIdentifier"), [])
            own = [calculations[uid] for uid in named]
            drawn = _aim(markup, own, path.name)
            if isinstance(drawn, str):
                notes.append(drawn)
                continue
            drawings.append(drawn)
            numbers += [_told(drawn, part.what, part.value, part.unit) for part in own]
            used.update(named)
        rest = [part for uid, part in calculations.items() if uid not in used]
        numbers += [Number(p.what, p.value, p.unit, f"no: {_NEITHER}") for p in rest]
    if not drawings and not notes:
        notes.append("no angle and no circle in it")
    return Taken(
        path.name,
        drawings=tuple(drawings),
        numbers=tuple(numbers),
        notes=tuple(dict.fromkeys(notes)),
    )


def _aim(markup: Element, own: Sequence[_Calculation], file: str) -> Drawing | str:
    kind = (markup.get(_TYPE) or "markup without a type").rpartition(":")[2]
    places = [one for one in markup.iter() if name_of(one) == "TwoDimensionSpatialCoordinate"]
    if not places:
        return f"{kind}: {_NEITHER}"
    indices = _numbers([_value(one, "coordinateIndex") for one in places], file)
    flat = [_value(one, axis) for one in places for axis in ("y", "x")]
    points = _numbers(flat, file).reshape(-1, 2)[np.argsort(indices, kind="stable")] - 0.5
    uid = _root(markup, "imageReferenceUid")
    if not uid:
        return f"{kind}: coordinates without an image"
    frame = _value(markup, "referencedFrameNumber")
    image = (uid, int(frame) if frame.isdigit() and int(frame) > 0 else None)
    angles = [one.value for one in own if one.is_angle]
    drawn = Drawing("circle", points, "aim", image)
    if kind in ("TwoDimensionPolyline", "TwoDimensionMultiPoint") and angles:
        found = _angle(points, replace(drawn, written_deg=angles[0]))
        return found or f"{kind}: {angles[0]:g} degrees between {APART}"
    size = {"TwoDimensionCircle": 2, "TwoDimensionEllipse": 4}.get(kind)
    is_closed = kind == "TwoDimensionPolyline" and len(points) >= CLOSED
    return drawn if len(points) == size or is_closed else f"{kind}: {_NEITHER}"


def _calculations(annotation: Element) -> dict[str, _Calculation]:
    """The numbers of an annotation, by their identifiers."""
    found: dict[str, _Calculation] = {}
    for one in annotation.iter():
        if name_of(one) != "CalculationEntity":
            continue
        by_name = {name_of(part): part for part in one.iter()}
        data, value = by_name.get("CalculationData"), ""
        value = _value(one if data is None else data, "value")
        try:
            number = float(value)
        except ValueError:
            continue
        uid = _root(one, "uniqueIdentifier") or str(len(found))
        if np.isfinite(number):
            what = _value(one, "description") or "calculation"
            found[uid] = _Calculation(what, number, _value(one, "unitOfMeasure"))
    return found


def _belonging(
    annotation: Element, calculations: Mapping[str, _Calculation], markups: Sequence[Element]
) -> dict[str, list[str]]:
    """Which numbers belong to which markup: as it is stated, else to the only one."""
    found: dict[str, list[str]] = {}
    for one in annotation.iter():
        subject, target = (_root(one, f"{name}UniqueIdentifier") for name in ("subject", "object"))
        if subject in calculations and target:
            found.setdefault(target, []).append(subject)
    if not found and len(markups) == 1:
        found[_root(markups[0], "uniqueIdentifier")] = list(calculations)
    return found


def _root(element: Element, name: str) -> str:
    return next((one.get("root") or "" for one in element if name_of(one) == name), "")


def _value(element: Element, name: str) -> str:
    """The value of a part that is the nearest of its name."""
    return next((one.get("value") or "" for one in element.iter() if name_of(one) == name), "")


# ---- OHIF's table ------------------------------------------------------------------------------

OHIF_COLUMNS = ("AnnotationType", "points")
_UID = re.compile(r"[0-2](\.\d+)+")
_AREAS = {"mm2": 1.0, "mm\N{SUPERSCRIPT TWO}": 1.0, "cm2": 100.0, "cm\N{SUPERSCRIPT TWO}": 100.0}


def take_ohif_table(path: Path) -> Taken:
    """The angles and circles of the table of measurements that OHIF exports.

    Raises
    ------
    NecroangleError
        If it is no such table, or a line of it is damaged: file, line and what was found.
    """
    try:
        rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error):
        raise NecroangleError(f"{path.name}: no CSV in UTF-8") from None
    heading = [name.strip() for name in rows[0]] if rows else []
    if any(name not in heading for name in OHIF_COLUMNS):
        raise NecroangleError(
            f"{path.name}: no table of OHIF: no column {' or '.join(OHIF_COLUMNS)}"
        )
    found = [
        _ohif(row, heading, f"{path.name}: line {number}")
        for number, row in enumerate(rows[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    return Taken(
        path.name,
        drawings=tuple(one for drawn, _, _ in found for one in drawn),
        numbers=tuple(one for _, numbers, _ in found for one in numbers),
        notes=tuple(dict.fromkeys(note for _, _, notes in found for note in notes)),
    )


def _ohif(
    row: Sequence[str], heading: Sequence[str], where: str
) -> tuple[list[Drawing], list[Number], list[str]]:
    """A line: what was drawn, its number, and why nothing was taken."""
    shift = len(row) - len(heading)
    if shift < 0:
        raise NecroangleError(f"{where}: fewer cells than columns")
    cells = {name: row[place + shift].strip() for place, name in enumerate(heading)}
    kind = cells["AnnotationType"].rpartition(":")[2] or "line without a type"
    uids = [cell.strip() for cell in row[: heading.index("AnnotationType")] if _UID.fullmatch(cell)]
    image = (uids[2], None) if len(uids) > 2 else None
    points = _ohif_points(cells["points"], where)
    drawn = Drawing("circle", points, "ohif", image, frame_uid=_frame(cells))
    angle = next((cells[name] for name in heading if name.startswith("Angle")), "")
    if kind in ("Angle", "CobbAngle"):
        written = float(_numbers([angle], where)[0]) if angle else None
        found = _angle(points, replace(drawn, written_deg=written))
        if found is None:
            return [], [], [f"{kind}: {APART}"]
        told = [] if written is None else [_told(found, kind, written, "deg")]
        return [found], told, []
    if kind == "CircleROI" and len(points) >= 2:
        return [replace(drawn, points=points[:2], written_mm=_radius_mm(cells, where))], [], []
    if kind == "EllipticalROI" and len(points) == 4:
        return [replace(drawn, written_mm=_radius_mm(cells, where))], [], []
    return [], [], [f"{kind}: {_NEITHER}"]


def _ohif_points(text: str, where: str) -> Array:
    places = [place.split() for place in text.split(";")]
    points = _numbers([part for place in places for part in place], where)
    if any(len(place) != 3 for place in places):
        raise NecroangleError(f"{where}: points that are no three numbers each")
    return points.reshape(-1, 3)


def _frame(cells: Mapping[str, str]) -> str | None:
    uid = cells.get("FrameOfReferenceUID", "")
    return uid if _UID.fullmatch(uid) else None


def _radius_mm(cells: Mapping[str, str], where: str) -> float | None:
    scale = _AREAS.get(cells.get("Unit", ""))
    if scale is None or not cells.get("Area"):
        return None
    return sqrt(max(float(_numbers([cells["Area"]], where)[0]), 0.0) * scale / pi)
