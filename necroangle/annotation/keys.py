"""Whether every key of a reading file stands in it once: what a decoder does not tell."""

import json
import re
from typing import Any

from msgspec import UNSET, UnsetType

from necroangle.annotation.model import (
    HipReading,
    ImageRecord,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReadView,
    UnreadView,
)
from necroangle.annotation.provenance import (
    Conduct,
    OfferedSeries,
    Revision,
    SeriesChoice,
    StackPassport,
)
from necroangle.errors import ReadingError

_MARK_KEYS = len(Mark.__struct_fields__)
_IMAGE_KEYS = len(ImageRecord.__struct_fields__) - 1 + len(PlaneRecord.__struct_fields__)
_PASSPORT_KEYS = len(StackPassport.__struct_fields__) - 4  # four stand there only at times
_CHOICE_KEYS, _OFFERED_KEYS = (len(one.__struct_fields__) for one in (SeriesChoice, OfferedSeries))
_HIP_KEYS = sum(len(one.__struct_fields__) for one in (HipReading, Conduct, Revision))
_ARC_KEYS = len(NecroticArc.__struct_fields__) + 3 * _MARK_KEYS
_LANDMARK_KEYS = len(Landmark.__struct_fields__) + _MARK_KEYS
_NEIGHBOUR_KEYS = len(NeighbourSlice.__struct_fields__) + _IMAGE_KEYS
_VIEW_KEYS = len(ReadView.__struct_fields__) + 1 + _IMAGE_KEYS  # and the tag
_UNREAD_KEYS = len(UnreadView.__struct_fields__) + 1
_KEY = re.compile(rb'"(?:[^"\\]|\\.)*"\s*(:?)')


def count_keys(raw: bytes) -> int:
    """How many keys stand in a JSON text."""
    return _KEY.findall(raw).count(b":")


def expected_keys(reading: HipReading) -> int:
    """How many keys a file with this content holds, each key standing once."""
    count = _HIP_KEYS + len(reading.entries.made())
    for view in reading.views:
        if not isinstance(view, ReadView):
            count += _UNREAD_KEYS
            continue
        count += (
            _VIEW_KEYS + _knows_class(view.image) + _MARK_KEYS * (len(view.rim) + len(view.contour))
        )
        count += _ARC_KEYS * len(view.arcs) + _LANDMARK_KEYS * len(view.landmarks)
        if view.passport is not None:
            count += _passport_keys(view.passport)
        for neighbour in view.neighbours:
            count += _NEIGHBOUR_KEYS + _knows_class(neighbour.image)
            count += _MARK_KEYS * len(neighbour.rim)
            count += _ARC_KEYS * len(neighbour.arcs)
    return count


def _knows_class(image: ImageRecord) -> bool:
    return not isinstance(image.sop_class_uid, UnsetType)


def _passport_keys(passport: StackPassport) -> int:
    count = _PASSPORT_KEYS + sum(
        one is not UNSET for one in (passport.irregular, passport.patient_no)
    )
    if not isinstance(passport.marker, UnsetType):
        count += 1 + len(passport.marker.__struct_fields__)
    if isinstance(passport.choice, UnsetType):
        return count
    return count + 1 + _CHOICE_KEYS + _OFFERED_KEYS * len(passport.choice.offered)


def name_duplicate(raw: bytes) -> str:
    """Say which key stands twice."""

    def refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise ReadingError(f"the key {key!r} occurs twice in one object")
            seen[key] = value
        return seen

    try:
        json.loads(raw, object_pairs_hook=refuse_twice)
    except ReadingError as error:
        return error.problem
    return "a key occurs twice"
