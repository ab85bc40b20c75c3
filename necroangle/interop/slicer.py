"""3D Slicer markups (``.mrk.json``): readings out, and markups in, in LPS or RAS millimetres.

A view is written as four markups: its marks as a list of points with fixed labels, the angle, the
head circle as a closed curve, and the plane of the slice. The list of points comes back: the
description of its first point holds the reading, so that marks that were moved in Slicer give the
same reading with those marks moved. Fields of our own would be lost there: Slicer saves those alone
that it knows. Angles and closed curves of others become drawings.

The schema is version 1.0.3 of Slicer's markups module.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import cos, pi, sin
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from necroangle.annotation import (
    SUFFIX,
    HipReading,
    Mark,
    ReadView,
    check_reading,
    decode_reading,
    encode_reading,
    file_name,
)
from necroangle.batch.study_settings import BY_IMAGE, Measuring
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import NecroangleError
from necroangle.geometry import ImagePlane, PlanePoints
from necroangle.interop.drawings import Drawing, Number, Taken
from necroangle.measurement import ViewMeasurement
from necroangle.storage import write_atomically
from necroangle.terms import View

MARKUPS = ".mrk.json"
SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/"
    "Schema/markups-schema-v1.0.3.json#"
)
CoordinateSystem = Literal["LPS", "RAS"]
CURVE_POINTS = 36
OWN = "necroangle reading, keep this text: "
"""How the description begins that holds the reading of a list of points."""

_DIRECTED = re.compile(r"necrotic arc \d+: (\d+\.\d+) degrees")

MOST_POINTS = 10_000

Place = tuple[float, float, float]
Json = dict[str, Any]


def write_markups(
    reading: HipReading,
    folder: Path,
    system: CoordinateSystem = "LPS",
    measuring: Measuring = BY_IMAGE,
) -> tuple[Path, ...]:
    """Write a reading as markups, a file each; made anew where there were any.

    Parameters
    ----------
    reading
        An MR reading: a radiograph has no place in the patient.
    folder
        Where they go; made if it is not there.
    system
        The coordinate system of the files. In both, millimetres are the same to the last bit: the
        sign alone differs.
    measuring
        How circle and arcs are measured.

    Raises
    ------
    NecroangleError
        If it is of a radiograph, or cannot be measured.
    OSError
        If a file cannot be written.
    """
    if reading.is_radiograph:
        raise NecroangleError("a radiograph has no place in the patient: Slicer cannot show it")
    measured = measuring.measure(reading)
    folder.mkdir(parents=True, exist_ok=True)
    stem = file_name(reading).removesuffix(SUFFIX)
    files = []
    for view, one in zip(reading.views, (measured.a, measured.b), strict=True):
        if not isinstance(view, ReadView) or one is None:
            continue
        for name, markup in _markups(reading, view, one, partial(_placed, system=system)):
            path = folder / f"{stem}.{view.view}-{name}{MARKUPS}"
            whole = {"@schema": SCHEMA, "markups": [markup | {"coordinateSystem": system}]}
            text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False)
            write_atomically(path, f"{text}\n".encode())
            files.append(path)
    return tuple(files)


def _placed(place: Place, system: str) -> list[float]:
    x, y, z = place
    return [x, y, z] if system == "LPS" else [-x, -y, z]


def _markups(
    reading: HipReading, view: ReadView, measured: ViewMeasurement, placed: Any
) -> Iterator[tuple[str, Json]]:
    plane = view.plane.plane()
    marks = _markup("Fiducial", f"{view.view} marks", placed, dict(_marks(view)))
    if marks["controlPoints"]:
        kept = msgspec.json.encode(json.loads(encode_reading(reading))).decode()
        marks["controlPoints"][0]["description"] = f"{OWN}{view.view} {kept}"
        yield "marks", marks | {"fixedNumberOfControlPoints": True}
    yield "plane", _plane(view, plane, placed)
    circle = measured.circle
    if circle is None:
        return
    (u, v), radius = circle.centre_mm, circle.radius_mm
    plane = measured.lies_on(plane)

    def at(turn: float) -> Place:
        points = PlanePoints(np.array([[u + radius * cos(turn), v + radius * sin(turn)]]))
        x, y, z = plane.plane_to_patient(points)[0].tolist()
        return x, y, z

    turns = {f"head-{n + 1}": at(2 * pi * n / CURVE_POINTS) for n in range(CURVE_POINTS)}
    yield "head", _markup("ClosedCurve", f"{view.view} head", placed, turns)
    centre = plane.plane_to_patient(PlanePoints(np.array([[u, v]])))[0].tolist()
    for number, arc in enumerate(measured.arcs, start=1):
        start, end = (at(pi * d / 180) for d in (arc.start_deg, arc.start_deg + arc.extent_deg))
        three = {"start": start, "centre": centre, "end": end}
        words = f"necrotic arc {number}: {arc.angle_deg:.6f} degrees"
        yield (
            f"angle-{number}",
            _markup("Angle", f"{view.view} angle", placed, three, words)
            | {
                "measurements": [
                    {
                        "name": "angle",
                        "enabled": True,
                        "value": _shown(arc.angle_deg),
                        "units": "deg",
                    }
                ],
            },
        )


def _shown(angle_deg: float) -> float:
    """Slicer's angle has no direction: it never exceeds 180 degrees."""
    return min(angle_deg, 360.0 - angle_deg)


def _markup(
    kind: str, name: str, placed: Any, points: Mapping[str, Place], words: str = ""
) -> Json:
    return {
        "type": kind,
        "name": name,
        "coordinateUnits": "mm",
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": [
            {
                "id": str(number),
                "label": label,
                "description": words,
                "position": placed(place),
                "positionStatus": "defined",
            }
            for number, (label, place) in enumerate(points.items(), start=1)
        ],
    }


def _plane(view: ReadView, plane: ImagePlane, placed: Any) -> Json:
    """The picture's plane: its middle, normal and size."""
    wide = view.plane.columns * plane.column_spacing_mm
    high = view.plane.rows * plane.row_spacing_mm
    half = (wide - plane.column_spacing_mm) / 2, (high - plane.row_spacing_mm) / 2
    x, y, z = plane.plane_to_patient(PlanePoints(np.array([half])))[0].tolist()
    axes = [placed(tuple(map(float, one))) for one in (plane.row_cosine, plane.column_cosine)]
    normal = placed(tuple(plane.normal.tolist()))
    matrix = [*zip(*axes, normal, placed((x, y, z)), strict=True)]
    return _markup("Plane", f"{view.view} slice", placed, {"middle": (x, y, z)}) | {
        "planeType": "pointNormal",
        "sizeMode": "absolute",
        "center": placed((x, y, z)),
        "normal": normal,
        "size": [wide, high, 0.0],
        "objectToBase": [*(number for row in matrix for number in row), 0.0, 0.0, 0.0, 1.0],
    }


def _marks(view: ReadView) -> Iterator[tuple[str, Place]]:
    """Every mark of a view with its label."""
    for number, mark in enumerate(view.rim, start=1):
        yield f"rim-{number}", mark.patient_mm
    for number, arc in enumerate(view.arcs, start=1):
        for name in ("start", "via", "end"):
            yield f"arc-{number}-{name}", getattr(arc, name).patient_mm
    for landmark in view.landmarks:
        yield str(landmark.name), landmark.mark.patient_mm
    for number, mark in enumerate(view.contour, start=1):
        yield f"contour-{number}", mark.patient_mm


# ---- in ----------------------------------------------------------------------------------------


def take_markups(path: Path) -> Taken:
    """What a file of markups holds: marks of a reading of ours, or angles and closed curves.

    Raises
    ------
    NecroangleError
        If it is no file of markups, or is damaged.
    """
    try:
        content = from_json(path.read_bytes(), msgspec.json.Decoder(dict))
    except MalformedError as error:
        raise NecroangleError(f"{path.name}: {error}") from None
    markups = content.get("markups")
    if not isinstance(markups, list) or not all(isinstance(one, dict) for one in markups):
        raise NecroangleError(f"{path.name}: no markups in it")
    found = [_taken(markup, path.name) for markup in markups]
    return Taken(
        path.name,
        views=tuple(x for one in found for x in one.views),
        drawings=tuple(x for one in found for x in one.drawings),
        numbers=tuple(x for one in found for x in one.numbers),
        notes=tuple(x for one in found for x in one.notes),
    )


def _taken(markup: Json, file: str) -> Taken:
    """What one markup is."""
    places, words = _places(markup, file)
    kind = str(markup.get("type"))
    numbers = tuple(_numbers(markup, kind))
    points = np.array([*places.values()])
    kept = next((one for one in words if one.startswith(OWN)), None)
    if kept is not None:
        view, _, raw = kept.removeprefix(OWN).partition(" ")
        return Taken(file, views=((_moved(raw, view, places, file), View(view)),))
    if kind == "Angle" and len(places) == 3:
        drawing = Drawing("angle", points, "slicer", written_deg=_written(words, numbers))
        return Taken(file, drawings=(drawing,), numbers=numbers)
    if kind == "ClosedCurve" and len(places) >= 3:
        return Taken(file, drawings=(Drawing("circle", points, "slicer"),), numbers=numbers)
    if kind == "Plane":
        return Taken(file)
    return Taken(file, numbers=numbers, notes=(f"{kind}: neither an angle nor a closed curve",))


def _places(markup: Json, file: str) -> tuple[dict[str, Place], list[str]]:
    """The points by label, in LPS mm, and their descriptions.

    A label that stands twice has its number beside it.
    """
    sign = -1.0 if markup.get("coordinateSystem", "LPS") == "RAS" else 1.0
    unit = markup.get("coordinateUnits", "mm")
    scale = 1e-3 if unit == "um" or (isinstance(unit, list) and unit[:1] == ["um"]) else 1.0
    found: dict[str, Place] = {}
    words: list[str] = []
    points = markup.get("controlPoints") or []
    if not isinstance(points, list) or len(points) > MOST_POINTS:
        raise NecroangleError(f"{file}: no list of points, or more than {MOST_POINTS}")
    for number, point in enumerate(points):
        position = point.get("position") if isinstance(point, dict) else None
        if isinstance(point, dict) and point.get("positionStatus", "defined") != "defined":
            continue
        try:
            x, y, z = map(float, position)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise NecroangleError(f"{file}: point {number + 1} has no three numbers") from None
        if not all(abs(one) < 1e6 for one in (x, y, z)):
            raise NecroangleError(f"{file}: point {number + 1} is no place within 1 km")
        words.append(str(point.get("description") or ""))
        label = str(point.get("label") or number)
        place = (x * sign * scale, y * sign * scale, z * scale)
        found[label if label not in found else f"{label} {number}"] = place
    return found, words


def _written(words: Sequence[str], numbers: Sequence[Number]) -> float | None:
    """The angle as it is written; one of ours may exceed 180 degrees, which Slicer's never does."""
    for one in words:
        directed = _DIRECTED.fullmatch(one)
        if directed is not None:
            return float(directed[1])
    return next((one.value for one in numbers if one.unit == "deg"), None)


def _numbers(markup: Json, kind: str) -> Iterator[Number]:
    for one in markup.get("measurements") or []:
        if not isinstance(one, dict) or not isinstance(one.get("value"), int | float):
            continue
        unit = one.get("units")
        word = unit[0] if isinstance(unit, list) and unit else unit
        note = "angle" if kind == "Angle" else "no: neither an angle nor a circle"
        yield Number(str(one.get("name") or kind), float(one["value"]), str(word or ""), note)


def _moved(raw: str, name: str, places: Mapping[str, Place], file: str) -> HipReading:
    """The reading that a list of points keeps, with its marks where the points lie."""
    reading = decode_reading(raw.encode(), file=file)
    read = (one for one in reading.views if isinstance(one, ReadView) and one.view == name)
    view = next(read, None)
    if view is None:
        raise NecroangleError(f"{file}: its reading has no such view")
    plane = view.plane.plane()

    def at(label: str, mark: Mark) -> Mark:
        place = places.get(label)
        if place is None or place == mark.patient_mm:
            return mark
        return Mark.at_patient(plane, place)

    changed = msgspec.structs.replace(
        view,
        rim=tuple(at(f"rim-{n}", one) for n, one in enumerate(view.rim, start=1)),
        arcs=tuple(
            msgspec.structs.replace(
                arc,
                **{
                    name: at(f"arc-{n}-{name}", getattr(arc, name))
                    for name in ("start", "via", "end")
                },
            )
            for n, arc in enumerate(view.arcs, start=1)
        ),
        landmarks=tuple(
            msgspec.structs.replace(one, mark=at(str(one.name), one.mark)) for one in view.landmarks
        ),
        contour=tuple(at(f"contour-{n}", one) for n, one in enumerate(view.contour, start=1)),
    )
    views = tuple(changed if one is view else one for one in reading.views)
    moved = msgspec.structs.replace(reading, views=views)
    check_reading(moved)
    return moved
