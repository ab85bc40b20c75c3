"""What a reader marked on one hip at one visit, and the file that keeps it."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.annotation.check import check_reading
    from necroangle.annotation.file import (
        SUFFIX,
        decode_reading,
        encode_reading,
        file_name,
        file_name_of,
        load_reading,
        names_reading,
        read_bytes,
        reading_schema,
        save_reading,
    )
    from necroangle.annotation.model import (
        NO_ENTRIES,
        HipReading,
        ImageRecord,
        Landmark,
        Mark,
        NecroticArc,
        NeighbourSlice,
        PlaneRecord,
        ReaderEntries,
        ReadingKey,
        ReadView,
        UnreadView,
    )
    from necroangle.annotation.provenance import (
        FIRST_REVISION,
        FREE_READING,
        STACK_FLAGS,
        Conduct,
        Revision,
        StackPassport,
    )
    from necroangle.storage import sha256_of

__all__ = [
    "FIRST_REVISION",
    "FREE_READING",
    "NO_ENTRIES",
    "STACK_FLAGS",
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
    "ReaderEntries",
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
    "names_reading",
    "read_bytes",
    "reading_schema",
    "save_reading",
    "sha256_of",
]

__getattr__ = later(
    __name__,
    {
        "necroangle.storage": "sha256_of",
        ".check": "check_reading",
        ".file": (
            "SUFFIX decode_reading encode_reading file_name file_name_of load_reading "
            "names_reading read_bytes reading_schema save_reading"
        ),
        ".model": (
            "NO_ENTRIES HipReading ImageRecord Landmark Mark NecroticArc NeighbourSlice "
            "PlaneRecord ReaderEntries ReadingKey ReadView UnreadView"
        ),
        ".provenance": "FIRST_REVISION FREE_READING STACK_FLAGS Conduct Revision StackPassport",
    },
)
