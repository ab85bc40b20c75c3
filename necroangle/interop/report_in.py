"""A DICOM structured report in: our own as the reading it was, those of others as drawings.

OHIF, dwv, highdicom, dcmjs, dcmqi and MITK write the same template in different ways: coordinates
below their number, beside it or above it, by name or by reference. So the tree is walked as it
stands, and what is not said at the coordinates themselves (number, image, side) is taken from where
it stands nearest, if it is said there only once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import isfinite, pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from necroangle.annotation import HipReading, decode_reading
from necroangle.dicom.guard import pydicom_door
from necroangle.errors import DicomError, NecroangleError
from necroangle.interop.codes import ARC_MARKS, LARGER_ANGLE
from necroangle.interop.drawings import (
    APART,
    CLOSED,
    MISMATCH_DEG,
    Array,
    Drawing,
    Number,
    Taken,
    angle_deg,
    corner_of,
)
from necroangle.interop.headers import BLOCK, CREATOR, READING, read_dataset
from necroangle.measurement import measure, method_named
from necroangle.terms import Laterality

_ANGLES = {"1483009", "285285000", "121224", "110859"}
_ANGLE_UNITS = {
    "rad": 180.0 / pi, "mrad": 0.18 / pi, "gon": 0.9, "'": 1.0 / 60.0, "''": 1.0 / 3600.0,
    "deg": 1.0, "[deg]": 1.0, "{deg}": 1.0, "°": 1.0, "º": 1.0, "degree": 1.0, "degrees": 1.0,
    "radian": 180.0 / pi, "radians": 180.0 / pi,
}  # fmt: skip
"""Degrees in a unit: those of UCUM, and what is written in their place."""

_LENGTH_UNITS = {"mm": 1.0, "cm": 10.0, "um": 1e-3, "m": 1e3}
_AREA_UNITS = {f"{unit}2": mm * mm for unit, mm in _LENGTH_UNITS.items()}
_RADII: tuple[tuple[str, str, Mapping[str, float], Callable[[float], float]], ...] = (
    ("radius", "131190003", _LENGTH_UNITS, lambda length: length),
    ("diameter", "81827009", _LENGTH_UNITS, lambda length: length / 2.0),
    ("area", "42798000", _AREA_UNITS, lambda area: sqrt(max(area, 0.0) / pi)),
    ("perimeter", "131191004", _LENGTH_UNITS, lambda length: length / (2.0 * pi)),
)
"""Numbers that give a circle's radius, the best first: word, code, units, radius of mm or mm2."""

_GROUP, _TRACKING = "125007", "112039"
_SITES, _SIDE = {"363698007", "G-C0E3"}, {"272741003", "G-C171"}
_LABELS = {"122438", "TextPosition", "ControlPoints"}
"""Coordinates that say where a label stands, or what a curve was made of."""

_SIDES = {
    "7771000": Laterality.LEFT,
    "24028007": Laterality.RIGHT,
    "G-A101": Laterality.LEFT,
    "G-A100": Laterality.RIGHT,
}
_SIDE_WORDS = {"left": Laterality.LEFT, "right": Laterality.RIGHT}
_NO_REPORTS = {
    "PR": "a presentation state: lines and words over a picture, no measurements",
    "SEG": "a segmentation: areas, no angle and no circle",
    "KO": "a selection of key images: no measurements",
    "RTSTRUCT": "contours for radiotherapy: no angle and no circle",
}
"""What other objects that lie beside images are, by modality."""

_TOOLS = {
    "necroangle": "necroangle",
    "cornerstone3dtools": "ohif",
    "cornerstonetools": "ohif",
    "dwv": "dwv",
    "mitk": "mitk",
    "dcmqi": "dcmqi",
    "highdicom": "highdicom",
    "dcmjs": "dcmjs",
}
"""Words by which a tool is known, in its tracking identifiers or its name."""

MOST_ITEMS = 100_000


@dataclass(eq=False)
class _Item:
    """One content item with what lies above and below it."""

    kind: str
    concept: str
    meaning: str
    data: Dataset
    parent: "_Item | None"
    children: "list[_Item]" = field(default_factory=list)

    def below(self) -> "Iterator[_Item]":
        for one in self.children:
            yield one
            yield from one.below()

    def around(self) -> "Iterator[list[_Item]]":
        """What is said of this item: below it, then below what holds it, up to the top.

        Left out is what is said of other numbers, coordinates and groups.
        """
        item: _Item | None = self
        came: _Item | None = None
        while item is not None:
            yield [one for child in item.children if child is not came for one in child.said()]
            item, came = item.parent, item

    def said(self) -> "Iterator[_Item]":
        """Itself and what lies below it, unless that is of another thing than what holds it."""
        if self.kind not in ("CONTAINER", "NUM", "SCOORD", "SCOORD3D"):
            yield self
            for one in self.children:
                yield from one.said()

    @property
    def group(self) -> "_Item":
        """The measurement group that it stands in; else the top."""
        item = self
        while item.parent is not None and item.concept != _GROUP:
            item = item.parent
        return item


def take_report(path: Path) -> Taken:
    """What a structured report holds.

    Raises
    ------
    DicomError
        If it is no DICOM file, no structured report, or damaged.
    """
    dataset = read_dataset(path, path.name)
    modality = str(dataset.get("Modality") or "SR")
    if modality != "SR" or "ContentSequence" not in dataset:
        kind = _NO_REPORTS.get(modality, "no structured report")
        raise DicomError(kind, file=path.name, tag="Modality")
    with pydicom_door(path.name, "reading the report", stage="header"):
        top = _tree(dataset)
        reading = _own_reading(dataset)
        if reading is not None:
            return Taken(path.name, (reading,), notes=tuple(_against(reading, top)))
        return _foreign(path.name, dataset, top)


# ---- our own -----------------------------------------------------------------------------------


def _own_reading(dataset: Dataset) -> HipReading | None:
    """The reading that a report carries, or None; refused where it is damaged."""
    with suppress(KeyError):
        raw = dataset.private_block(BLOCK, CREATOR)[READING].value
        try:
            return decode_reading(bytes(raw).rstrip(b"\0 "))
        except NecroangleError as error:
            raise DicomError(f"the reading that it carries is damaged: {error}") from None
    return None


def _against(reading: HipReading, top: _Item) -> Iterator[str]:
    """What the report says otherwise than its reading."""
    methods = [one for one in top.below() if one.concept == "370129005"]
    name = next((_code(one.data, "ConceptCodeSequence")[0] for one in methods), "")
    try:
        measured = measure(reading, method_named(name) if name else None)
    except NecroangleError as error:
        yield f"its reading can no longer be measured: {error}"
        return
    written = [_value(one) for one in top.below() if one.concept == "cna_deg"]
    found = None if measured.cna is None else measured.cna.value
    for number in written:
        if number is not None and (found is None or abs(number - found) > MISMATCH_DEG):
            yield f"the report says {number:.1f} degrees, its reading measures {_shown(found)}"


def _shown(number: float | None) -> str:
    return "nothing" if number is None else f"{number:.1f}"


# ---- of others ---------------------------------------------------------------------------------


def _foreign(file: str, dataset: Dataset, top: _Item) -> Taken:
    tracked = (_text(one, _TRACKING) for one in top.below() if one.concept == _GROUP)
    tool = _tool(" ".join(tracked)) or _tool(*_names(dataset)) or "another_tool"
    drawings: list[Drawing] = []
    notes: list[str] = []
    used: dict[int, Drawing] = {}
    for item in top.below():
        if item.kind not in ("SCOORD", "SCOORD3D") or item.concept in _LABELS:
            continue
        numbers = _numbers_of(item)
        drawn = _drawing(item, numbers, tool)
        if isinstance(drawn, str):
            notes.append(drawn)
        else:
            drawings.append(drawn)
            used.update(dict.fromkeys(map(id, numbers), drawn))
    told = [_number(one, used) for one in top.below() if one.kind == "NUM"]
    found = tuple(one for one in told if one is not None)
    if not drawings and not notes:
        notes.append("no coordinates in it: nothing to mark on an image")
    return Taken(file, drawings=tuple(drawings), numbers=found, notes=tuple(dict.fromkeys(notes)))


def _drawing(item: _Item, numbers: Sequence[_Item], tool: str) -> Drawing | str:
    """An angle or a circle, or why there is none."""
    points = _points(item)
    if isinstance(points, str):
        return points
    image = _image(item)
    if isinstance(image, str):
        return f"{_named(item)}: {image}"
    frame = str(item.data.get("ReferencedFrameOfReferenceUID") or "") or None
    drawn = partial(
        Drawing, points=points, tool=tool, image=image, side=_side(item), frame_uid=frame
    )
    graphic = str(item.data.get("GraphicType") or "").strip().upper()
    if item.concept == ARC_MARKS.value and len(points) == 3:
        return drawn("arc")
    if graphic == "MULTIPOINT" and any(one.concept.endswith("_rim_count") for one in numbers):
        return drawn("rim")
    if graphic in ("CIRCLE", "ELLIPSE"):
        if len(points) != (2 if graphic == "CIRCLE" else 4):
            return f"{_named(item)}: {graphic.lower()} of {len(points)} points"
        return drawn("circle", written_mm=_written_mm(numbers))
    angles = [one for one in numbers if _is_angle(one)]
    if graphic in ("POLYLINE", "MULTIPOINT", "POLYGON") and angles:
        written = _directed(_degrees(angles[0]), item)
        corner = corner_of(points)
        if corner is not None:
            return drawn("angle", points=corner, written_deg=written)
        words = "an angle" if written is None else f"{written:g} degrees"
        return f"{_named(item)}: {words} between {APART}"
    if _is_closed(graphic, points):
        return drawn("circle", written_mm=_written_mm(numbers))
    return f"{_named(item)}: {graphic.lower() or 'no shape'}, neither an angle nor a circle"


def _is_closed(graphic: str, points: Array) -> bool:
    """Whether it is a closed line: whether it is a circle is seen where millimetres are known."""
    if len(points) < CLOSED or graphic not in ("POLYGON", "POLYLINE"):
        return False
    return graphic == "POLYGON" or not np.abs(points[0] - points[-1]).max()


def _points(item: _Item) -> Array | str:
    """(N, 2) row and column, or (N, 3) patient mm; or what is wrong with them."""
    size = 3 if item.kind == "SCOORD3D" else 2
    values = item.data.get("GraphicData")
    numbers = np.array([] if values is None else values, float).reshape(-1)
    if not len(numbers) or len(numbers) % size or not np.isfinite(numbers).all():
        return f"{_named(item)}: its coordinates are damaged"
    points = numbers.reshape(-1, size)
    return points if size == 3 else points[:, ::-1] - 0.5


def _named(item: _Item) -> str:
    """Where in the report, in words that name nobody: tracking identifiers are free text."""
    numbers = [one.meaning for one in _numbers_of(item) if one.meaning]
    return numbers[0] if numbers else item.meaning or item.kind.lower()


def _numbers_of(item: _Item) -> list[_Item]:
    """The numbers that belong to coordinates: above, below, or beside them."""
    parent = item.parent
    if parent is None:
        return []
    if parent.kind == "NUM":
        group = parent.parent
        beside = [] if group is None or len(_shapes(group)) > 1 else _lone_numbers(group)
        return [parent, *beside]
    inner = [one for one in item.children if one.kind == "NUM"]
    if inner:
        return inner
    found, shapes = _lone_numbers(parent), [one for one in parent.children if _is_shape(one)]
    if len(shapes) < 2:
        return found
    angles = [one for one in found if _is_angle(one)]
    return [angles[shapes.index(item)]] if len(angles) == len(shapes) else []


def _lone_numbers(group: _Item) -> list[_Item]:
    """The numbers of a group that have no coordinates of their own."""
    numbers = (one for one in group.children if one.kind == "NUM")
    return [one for one in numbers if not any(map(_is_shape, one.children))]


def _shapes(group: _Item) -> list[_Item]:
    return [one for one in group.below() if _is_shape(one)]


def _is_shape(item: _Item) -> bool:
    return item.kind in ("SCOORD", "SCOORD3D") and item.concept not in _LABELS


def _is_angle(item: _Item) -> bool:
    """Whether a number is an angle: by its unit; without a unit by its code or its meaning."""
    if _unit(item) in ("", "1"):
        return item.concept in _ANGLES or "angle" in item.meaning.casefold()
    return _per_unit(item, _ANGLE_UNITS) is not None


def _degrees(item: _Item) -> float | None:
    """An angle in degrees; one without a unit is taken to be in degrees."""
    value, degrees = _value(item), _per_unit(item, _ANGLE_UNITS)
    return None if value is None else value * (1.0 if degrees is None else degrees)


def _directed(written_deg: float | None, item: _Item) -> float | None:
    """An angle that our own label calls the larger of two: other tools write the smaller one."""
    texts = (str(one.data.get("TextValue") or "") for said in item.around() for one in said)
    if written_deg is not None and any(LARGER_ANGLE in one for one in texts):
        return max(written_deg, 360.0 - written_deg)
    return written_deg


def _written_mm(numbers: Sequence[_Item]) -> float | None:
    """The radius of a circle by the number that gives it best, mm."""
    for word, code, units, radius in _RADII:
        for one in numbers:
            scale, value = _per_unit(one, units), _value(one)
            is_meant = one.concept == code or word in one.meaning.casefold()
            if is_meant and scale is not None and value is not None:
                return radius(value * scale)
    return None


def _per_unit(item: _Item, units: Mapping[str, float]) -> float | None:
    """How much a unit is worth, by its code or by its name."""
    for one in item.data.get("MeasuredValueSequence") or ():
        for word in _code(one, "MeasurementUnitsCodeSequence"):
            found = units.get(word.strip().replace("²", "2").replace("^2", "2").casefold())
            if found is not None:
                return found
    return None


def _number(item: _Item, used: Mapping[int, Drawing]) -> Number | None:
    value = _value(item)
    if value is None:
        return None
    drawn = used.get(id(item))
    if drawn is not None:
        is_angle = drawn.kind == "angle" and _is_angle(item)
        points = drawn.points
        found = angle_deg(points[1], points[[0, 2]]) if is_angle else None
        return Number(item.meaning or item.concept, value, _unit(item), drawn.kind, found)
    has_place = any(one.kind.startswith("SCOORD") for one in (item, *item.group.below()))
    note = "no: neither an angle nor a circle" if has_place else "no: it has no coordinates"
    return Number(item.meaning or item.concept, value, _unit(item), note)


def _side(item: _Item) -> Laterality | None:
    """The side where it is said nearest: by its code, else by a word of the finding site."""
    for said in item.around():
        coded = {_side_of(one) for one in said if one.concept in _SIDE} - {None}
        if not coded:
            coded = {_side_of(one) for one in said if one.concept in _SITES} - {None}
        if coded:
            return coded.pop() if len(coded) == 1 else None
    return None


def _side_of(item: _Item) -> Laterality | None:
    code, meaning = _code(item.data, "ConceptCodeSequence")
    words = {_SIDE_WORDS[one] for one in re.findall(r"\b(?:left|right)\b", meaning.casefold())}
    return _SIDES.get(code) or (words.pop() if len(words) == 1 else None)


def _image(item: _Item) -> tuple[str, int | None] | str | None:
    """The image where it is said nearest, and its frame; or why none can be taken."""
    for said in item.around():
        images = {one: None for item in said if item.kind == "IMAGE" for one in _references(item)}
        if len(images) > 1:
            return f"it names {len(images)} images or frames: on which it was drawn is not said"
        if images:
            return next(iter(images))
        if item.kind == "SCOORD3D":  # its place needs no image; one of its own only is used
            return None
    return "coordinates without an image"


def _references(item: _Item) -> Iterator[tuple[str, int | None]]:
    for reference in item.data.get("ReferencedSOPSequence") or ():
        uid = str(reference.get("ReferencedSOPInstanceUID") or "")
        frames = reference.get("ReferencedFrameNumber")
        listed = (
            frames if isinstance(frames, Sequence) and not isinstance(frames, str) else [frames]
        )
        for frame in listed or [None]:
            if uid:
                yield uid, None if frame is None else int(frame)


# ---- the tree ----------------------------------------------------------------------------------


def _tree(dataset: Dataset) -> _Item:
    """All content items; the walk of the file has bounded their number and their depth."""
    top = _item(dataset, None)
    todo, count = [top], 0
    while todo:
        item = todo.pop()
        for child in item.data.get("ContentSequence") or ():
            count += 1
            if count > MOST_ITEMS:
                raise DicomError(f"more than {MOST_ITEMS} items", tag="ContentSequence")
            item.children.append(_item(child, item))
        todo += item.children
    _resolve(top)
    return top


def _resolve(top: _Item) -> None:
    """Put coordinates and images where a reference stands: a number for each level, from 1."""
    pairs = [(one, _referred(top, one)) for one in top.below() if _path(one) is not None]
    for item, found in pairs:
        if found is None or any(_path(one) is not None for one in (found, *found.below())):
            continue
        item.kind, item.concept, item.meaning = found.kind, found.concept, found.meaning
        item.data, item.children = found.data, [_copied(one, item) for one in found.children]
    for _, found in pairs:
        if found is not None and found.parent is not None and _is_shape(found):
            found.parent.children = [one for one in found.parent.children if one is not found]


def _path(item: _Item) -> Any:
    return item.data.get("ReferencedContentItemIdentifier")


def _referred(top: _Item, item: _Item) -> _Item | None:
    path = _path(item)
    found = top
    for number in list(path)[1:] if isinstance(path, Sequence) else []:
        if not 0 < number <= len(found.children):
            return None
        found = found.children[number - 1]
    return found if found.kind in ("SCOORD", "SCOORD3D", "IMAGE") else None


def _copied(item: _Item, parent: _Item) -> _Item:
    made = _Item(item.kind, item.concept, item.meaning, item.data, parent)
    made.children = [_copied(one, made) for one in item.children]
    return made


def _item(data: Dataset, parent: _Item | None) -> _Item:
    concept, meaning = _code(data, "ConceptNameCodeSequence")
    return _Item(str(data.get("ValueType") or ""), concept, meaning, data, parent)


def _code(data: Dataset, keyword: str) -> tuple[str, str]:
    for one in data.get(keyword) or ():
        value = one.get("CodeValue") or one.get("LongCodeValue") or one.get("URNCodeValue") or ""
        return str(value), str(one.get("CodeMeaning") or "")
    return "", ""


def _value(item: _Item) -> float | None:
    for one in item.data.get("MeasuredValueSequence") or ():
        exact = one.get("FloatingPointValue")
        values = exact if exact is not None else one.get("NumericValue")
        try:
            number = float(values[0] if isinstance(values, Sequence) else values)
        except (TypeError, ValueError, IndexError):
            return None
        return number if isfinite(number) else None
    return None


def _unit(item: _Item) -> str:
    for one in item.data.get("MeasuredValueSequence") or ():
        return _code(one, "MeasurementUnitsCodeSequence")[0]
    return ""


def _text(group: _Item, concept: str) -> str:
    return next(
        (str(one.data.get("TextValue") or "") for one in group.children if one.concept == concept),
        "",
    )


def _names(dataset: Dataset) -> Iterator[str]:
    meta = getattr(dataset, "file_meta", {})
    yield str(meta.get("ImplementationVersionName") or "")
    yield str(dataset.get("Manufacturer") or "")
    yield str(dataset.get("ManufacturerModelName") or "")
    for one in dataset.get("ContributingEquipmentSequence") or ():
        yield str(one.get("ManufacturerModelName") or "")


def _tool(*names: str) -> str:
    """A tool by its names, in a word of ours; nothing else of them is kept."""
    told = " ".join(names).casefold()
    return next((word for known, word in _TOOLS.items() if known in told), "")
