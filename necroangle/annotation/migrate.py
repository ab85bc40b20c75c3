"""Reading files of earlier versions, read as the present one.

Version 1 had no passport, conduct, revision or consensus: such a reading is one made with no
loader at hand, outside of a reader study, in its first revision. Nothing else is changed.
"""

from typing import Literal

import msgspec
from msgspec import Struct

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
    ReadView,
    UnreadView,
)
from necroangle.annotation.provenance import FIRST_REVISION, FREE_READING, Conduct, Revision
from necroangle.annotation.words import Identifier, ReadNo, Software, Text, UtcTime
from necroangle.decoding import MalformedError, from_json
from necroangle.terms import ArcoStage, Finding, JicType, Laterality, Observation, View

__all__ = ["migrated", "version_of"]

_ADDED_TO_HIP = 3 + len(Conduct.__struct_fields__) + len(Revision.__struct_fields__)
_ADDED_TO_VIEW = 1


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
    version: Literal[1]
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


_DECODER_1 = msgspec.json.Decoder(_HipReading1)
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


def migrated(raw: bytes) -> tuple[HipReading, int]:
    """Decode a file of version 1; gives the reading and how many keys such a file holds.

    Raises
    ------
    MalformedError
        If it does not fit the schema of version 1.
    """
    old = from_json(raw, _DECODER_1)
    first, second = (_view(view) for view in old.views)
    own = {name: getattr(old, name) for name in old.__struct_fields__}
    reading = HipReading(
        **{
            **own,
            "version": VERSION,
            "views": (first, second),
            "conduct": FREE_READING,
            "revision": FIRST_REVISION,
            "consensus_of": (),
        }
    )
    read = sum(isinstance(view, ReadView) for view in reading.views)
    return reading, expected_keys(reading) - _ADDED_TO_HIP - _ADDED_TO_VIEW * read


def _view(view: _ReadView1 | UnreadView) -> ReadView | UnreadView:
    if isinstance(view, UnreadView):
        return view
    own = {name: getattr(view, name) for name in view.__struct_fields__}
    return ReadView(**own, passport=None)
