"""Angles of viewers that write files of their own: Weasis (XML), grand-challenge (JSON).

Weasis gives pixels from the first pixel's corner and does not always say of which image.
grand-challenge gives patient millimetres (LPS) and no image.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np

from necroangle.decoding import MalformedError, from_json
from necroangle.errors import NecroangleError
from necroangle.interop.drawings import APART, Drawing, Number, Taken, angle_deg, corner_of

_UID = re.compile(r"[0-2](\.\d+)+")
_WORDS = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*(?:deg|°)")
_ANGLES = {"angle", "openAngle", "fourPointsAngle"}
_CIRCLES = {"threePointsCircle"}


def take_weasis(path: Path) -> Taken:
    """The angles and circles of a file of Weasis' graphics.

    Raises
    ------
    NecroangleError
        If it is no such file.
    """
    return _weasis(path.name, xml_of(path))


def xml_of(path: Path, *, many_tops: bool = False) -> ElementTree.Element:
    """The top of an XML file; ``many_tops`` puts one over several.

    Raises
    ------
    NecroangleError
        If it is no XML, or defines entities.
    """
    raw = path.read_bytes()
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise NecroangleError(f"{path.name}: XML with definitions of its own is not read")
    if many_tops:
        raw = b"<top>" + re.sub(rb"<\?xml.*?\?>", b"", raw.strip(b"\0"), count=1) + b"</top>"
    try:
        return ElementTree.fromstring(raw)  # noqa: S314 (it defines no entities)
    except ElementTree.ParseError:
        raise NecroangleError(f"{path.name}: no valid XML") from None


def name_of(element: ElementTree.Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def _weasis(file: str, top: ElementTree.Element) -> Taken:
    image = next(_images(top), None)
    drawings: list[Drawing] = []
    numbers: list[Number] = []
    notes: list[str] = []
    for element in top.iter():
        kind = name_of(element)
        points = _points(element, file)
        if kind not in _ANGLES | _CIRCLES or points is None:
            continue
        written = _written(element) if kind in _ANGLES else None
        shape = corner_of(points) if kind in _ANGLES else points
        if shape is None or len(shape) < 3:
            notes.append(f"{kind}: {APART}")
            if written is not None:
                numbers.append(Number(kind, written, "deg", "no: lines that do not meet"))
            continue
        if written is not None:
            found = angle_deg(shape[1], shape[[0, 2]])
            numbers.append(Number(kind, written, "deg", "angle", found))
        what = "circle" if kind in _CIRCLES else "angle"
        drawings.append(Drawing(what, shape, "weasis", image, written))  # type: ignore[arg-type]
    if not drawings and not notes:
        notes.append("no angle and no circle in it")
    return Taken(file, drawings=tuple(drawings), numbers=tuple(numbers), notes=tuple(notes))


def _images(top: ElementTree.Element) -> Iterator[tuple[str, None]]:
    """The images that a file names, by identifier; it names no frame."""
    for element in top.iter():
        if name_of(element) != "image":
            continue
        for value in element.attrib.values():
            if _UID.fullmatch(value) and len(value) <= 64:
                yield value, None


def _points(element: ElementTree.Element, file: str) -> Any:
    """(N, 2) row and column of what an element draws, or None."""
    places = [
        (one.get("y"), one.get("x")) for pts in element if name_of(pts) == "pts" for one in pts
    ]
    if not places:
        return None
    try:
        points = np.array([[float(y or ""), float(x or "")] for y, x in places])
    except ValueError:
        raise NecroangleError(f"{file}: a point without two numbers") from None
    if not np.isfinite(points).all():
        raise NecroangleError(f"{file}: a point that is no number")
    return points - 0.5


def _written(element: ElementTree.Element) -> float | None:
    for one in element.iter():
        found = _WORDS.search(one.text or "")
        if found is not None:
            return float(found[1].replace(",", "."))
    return None


def take_grand_challenge(path: Path) -> Taken:
    """The angles of a file of grand-challenge's annotations.

    Raises
    ------
    NecroangleError
        If it is no such file.
    """
    try:
        content = from_json(path.read_bytes(), msgspec.json.Decoder(Any))
    except MalformedError as error:
        raise NecroangleError(f"{path.name}: {error}") from None
    drawings: list[Drawing] = []
    notes: list[str] = []
    for one in _annotations(content):
        points = _three_or_four(one, path.name)
        if points is None:
            continue
        corner = corner_of(points)
        if corner is None:
            notes.append(APART)
        else:
            drawings.append(Drawing("angle", corner, "grand_challenge"))
    if not drawings and not notes:
        raise NecroangleError(f"{path.name}: no angle of grand-challenge in it")
    return Taken(path.name, drawings=tuple(drawings), notes=tuple(notes))


def _annotations(content: Any) -> Iterator[dict[str, Any]]:
    """Single annotations, those of a list, and those that one annotation holds."""
    todo = [content]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one[::-1]
        elif isinstance(one, dict):
            yield one
            inner = one.get("angles")
            todo += inner if isinstance(inner, list) else []


def _three_or_four(one: dict[str, Any], file: str) -> Any:
    lines = one.get("lines") if str(one.get("type", "Angle")) == "Angle" else None
    given = one.get("angle") if lines is None else lines
    if not isinstance(given, list):
        return None
    try:
        points = np.array(given, float).reshape(-1, 3)
    except (TypeError, ValueError):
        raise NecroangleError(f"{file}: an angle whose points are no three numbers each") from None
    if not np.isfinite(points).all() or np.abs(points).max(initial=0.0) > 1e6:
        raise NecroangleError(f"{file}: a point that is no place within 1 km")
    return points
