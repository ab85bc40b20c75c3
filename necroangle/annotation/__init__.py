"""What a reader marked on one hip at one visit, and the file that keeps it."""

from necroangle.annotation.check import check_reading
from necroangle.annotation.file import (
    SUFFIX,
    decode_reading,
    encode_reading,
    file_name,
    file_name_of,
    load_reading,
    read_bytes,
    reading_schema,
    save_reading,
    sha256_of,
)
from necroangle.annotation.model import (
    HipReading,
    ImageRecord,
    Landmark,
    Mark,
    NecroticArc,
    NeighbourSlice,
    PlaneRecord,
    ReadingKey,
    ReadView,
    UnreadView,
)
from necroangle.annotation.provenance import (
    FIRST_REVISION,
    FREE_READING,
    Conduct,
    Revision,
    StackPassport,
)

__all__ = [
    "FIRST_REVISION",
    "FREE_READING",
    "SUFFIX",
    "Conduct",
    "HipReading",
    "ImageRecord",
    "Landmark",
    "Mark",
    "NecroticArc",
    "NeighbourSlice",
    "PlaneRecord",
    "ReadView",
    "ReadingKey",
    "Revision",
    "StackPassport",
    "UnreadView",
    "check_reading",
    "decode_reading",
    "encode_reading",
    "file_name",
    "file_name_of",
    "load_reading",
    "read_bytes",
    "reading_schema",
    "save_reading",
    "sha256_of",
]
