"""A DICOM structured report in: our own as the reading it was, those of others as drawings.

OHIF, dwv, highdicom, dcmjs, dcmqi and MITK write the same template in different ways: coordinates
below their number, beside it or above it. So the tree is walked as it stands, and a number belongs
to the coordinates that are nearest to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from necroangle.annotation import HipReading, decode_reading
from necroangle.dicom.guard import pydicom_door
from necroangle.errors import DicomError, NecroangleError
from necroangle.interop.codes import ARC_MARKS
from necroangle.interop.drawings import (
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

_ANGLES = {"1483009", "285285000", "121224", "110859", "C-21119"}
_DEGREES = {"deg", "°", "degree", "degrees"}
_GROUP, _TRACKING, _SIDE = "125007", "112039", "272741003"
_LABELS = {"122438"}
"""Coordinates that say where a label stands."""

_SIDES = {
    "7771000": Laterality.LEFT,
    "24028007": Laterality.RIGHT,
    "G-A101": Laterality.LEFT,
    "G-A100": Laterality.RIGHT,
}
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
    if str(dataset.get("Modality") or "SR") != "SR" or "ContentSequence" not in dataset:
        raise DicomError("no structured report", file=path.name, tag="Modality")
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
    image = _image(item)
    if isinstance(points, str):
        return points
    if image is None and points.shape[1] == 2:
        return f"{_named(item)}: coordinates without an image"
    graphic = str(item.data.get("GraphicType") or "")
    side, written = _side(item.group), _written(numbers)
    if item.concept == ARC_MARKS.value and len(points) == 3:
        return Drawing("arc", points, tool, image, side=side)
    if graphic == "MULTIPOINT" and any(one.concept.endswith("_rim_count") for one in numbers):
        return Drawing("rim", points, tool, image, side=side)
    if graphic in ("CIRCLE", "ELLIPSE"):
        return Drawing("circle", _on_circle(graphic, points), tool, image, side=side)
    if graphic in ("POLYLINE", "MULTIPOINT", "POLYGON") and written is not None:
        corner = corner_of(points)
        if corner is None:
            return (
                f"{_named(item)}: {written:g} degrees between lines that do not meet: no angle at "
                "the centre of a head"
            )
        return Drawing("angle", corner, tool, image, written, side)
    return f"{_named(item)}: {graphic.lower()}, neither an angle nor a circle"


def _on_circle(graphic: str, points: Array) -> Array:
    """Four points on a circle: of an ellipse the ends of its axes."""
    if graphic == "ELLIPSE" or len(points) != 2:
        return points
    centre, away = points[0], points[1] - points[0]
    turned = np.array((-away[1], away[0])) if len(away) == 2 else away
    return np.array([centre + away, centre + turned, centre - away, centre - turned])


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
        return [parent]
    for near in (item.children, parent.children):
        found = [one for one in near if one.kind == "NUM"]
        if found:
            return found
    return []


def _written(numbers: Sequence[_Item]) -> float | None:
    """The first angle among numbers, degrees."""
    for one in numbers:
        if _unit(one) in _DEGREES or (one.concept in _ANGLES and not _unit(one)):
            return _value(one)
    return None


def _number(item: _Item, used: Mapping[int, Drawing]) -> Number | None:
    value = _value(item)
    if value is None:
        return None
    drawn = used.get(id(item))
    if drawn is not None:
        is_angle = drawn.kind == "angle" and _unit(item) in _DEGREES
        points = drawn.points
        found = angle_deg(points[1], points[[0, 2]]) if is_angle else None
        return Number(item.meaning or item.concept, value, _unit(item), drawn.kind, found)
    has_place = any(one.kind.startswith("SCOORD") for one in (item, *item.group.below()))
    note = "no: neither an angle nor a circle" if has_place else "no: it has no coordinates"
    return Number(item.meaning or item.concept, value, _unit(item), note)


def _side(group: _Item) -> Laterality | None:
    for one in group.below():
        if one.concept in (_SIDE, "G-C171"):
            return _SIDES.get(_code(one.data, "ConceptCodeSequence")[0])
    return None


def _image(item: _Item) -> tuple[str, int] | None:
    images = [one for one in item.below() if one.kind == "IMAGE"]
    if not images and item.kind == "SCOORD":
        images = [one for one in item.group.below() if one.kind == "IMAGE"][:1]
    for one in images:
        for reference in one.data.get("ReferencedSOPSequence") or ():
            frames = reference.get("ReferencedFrameNumber")
            frame = frames[0] if isinstance(frames, Sequence) and frames else frames
            uid = str(reference.get("ReferencedSOPInstanceUID") or "")
            if uid:
                return uid, int(frame or 1)
    return None


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
    return top


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
