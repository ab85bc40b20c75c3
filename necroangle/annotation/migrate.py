"""Reading files of earlier versions, read as the present one.

Version 1 had no passport, conduct, revision or consensus: such a reading is one made with no
loader at hand, outside of a reader study, in its first revision. Up to version 2 ARCO stage and JIC
type stood beside the key, empty where they were not entered. Nothing else is changed.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from necroangle.annotation.keys import expected_keys
from necroangle.annotation.model import (
    VERSION,
    HipReading,
    ImageRecord,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReaderEntries,
    ReadView,
    UnreadView,
)
from necroangle.annotation.provenance import FIRST_REVISION, FREE_READING, Conduct, Revision
from necroangle.annotation.words import Identifier, ReadNo, Sha256, Software, Text, UtcTime
from necroangle.decoding import MalformedError, from_json
from necroangle.terms import ArcoStage, Finding, JicType, Laterality, Observation, View

_SINCE_VERSION_2 = 3 + len(Conduct.__struct_fields__) + len(Revision.__struct_fields__)
_SINCE_VERSION_2_IN_VIEW = 1


class _Version(Struct):
    version: int


class _ReadView1(Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="read"):
    view: View
    finding: Finding
    image: ImageRecord
    plane: PlaneRecord
    rim: tuple[Mark, ...]
    arcs: tuple[NecroticArc, ...]
    observations: tuple[Observation, ...]
    neighbours: tuple[NeighbourSlice, ...]
    landmarks: tuple[Landmark, ...]
    contour: tuple[Mark, ...]


class _HipReading1(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["necroangle.reading"]
    version: Annotated[int, Meta(ge=1, le=1)]
    subject: Identifier
    laterality: Laterality
    visit: Identifier
    reader: Identifier
    read_no: ReadNo
    views: tuple[_ReadView1 | UnreadView, _ReadView1 | UnreadView]
    arco: ArcoStage | None
    jic: JicType | None
    notes: Text
    saved_at: UtcTime
    software: Software


class HipReading2(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reading as version 2 kept it."""

    format: Literal["necroangle.reading"]
    version: Annotated[int, Meta(ge=2, le=2)]
    subject: Identifier
    laterality: Laterality
    visit: Identifier
    reader: Identifier
    read_no: ReadNo
    views: tuple[ReadView | UnreadView, ReadView | UnreadView]
    arco: ArcoStage | None
    jic: JicType | None
    notes: Text
    conduct: Conduct
    revision: Revision
    consensus_of: tuple[Sha256, ...]
    saved_at: UtcTime
    software: Software


_DECODER_1 = msgspec.json.Decoder(_HipReading1)
_DECODER_2 = msgspec.json.Decoder(HipReading2)
_VERSION_DECODER = msgspec.json.Decoder(_Version)


def version_of(raw: bytes) -> int:
    """The version that a reading file states; the present one where it states none.

    Examples
    --------
    >>> version_of(b'{"format": "necroangle.reading", "version": 1}')
    1
    """
    try:
        return from_json(raw, _VERSION_DECODER).version
    except MalformedError:
        return VERSION


def migrated(raw: bytes, version: int) -> tuple[HipReading, int]:
    """Decode a file of version 1 or 2; gives the reading and how many keys such a file holds.

    Raises
    ------
    MalformedError
        If it does not fit the schema of its version.
    """
    if version == 1:
        return _of_version_1(from_json(raw, _DECODER_1))
    return of_version_2(from_json(raw, _DECODER_2))


def _of_version_1(old: _HipReading1) -> tuple[HipReading, int]:
    first, second = (_view(view) for view in old.views)
    reading, keys = of_version_2(
        HipReading2(
            **{
                **_fields(old),
                "version": 2,
                "views": (first, second),
                "conduct": FREE_READING,
                "revision": FIRST_REVISION,
                "consensus_of": (),
            }
        )
    )
    read = sum(isinstance(view, ReadView) for view in reading.views)
    return reading, keys - _SINCE_VERSION_2 - _SINCE_VERSION_2_IN_VIEW * read


def of_version_2(old: HipReading2) -> tuple[HipReading, int]:
    """The reading, and how many keys its file of version 2 holds if none stands twice."""
    own = _fields(old)
    entries = {name: own.pop(name) for name in ("arco", "jic")}
    reading = HipReading(**{**own, "version": VERSION, "entries": ReaderEntries.of(entries)})
    made = 1 + len(reading.entries.made())  # the object of the entries, and what stands in it
    return reading, expected_keys(reading) - made + len(entries)


def _view(view: _ReadView1 | UnreadView) -> ReadView | UnreadView:
    if isinstance(view, UnreadView):
        return view
    return ReadView(**_fields(view), passport=None)


def _fields(old: Struct) -> dict[str, Any]:
    return {name: getattr(old, name) for name in old.__struct_fields__}
