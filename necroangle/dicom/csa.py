"""Siemens' private "CSA" header: names with their values, in a block of bytes."""

import struct

from pydicom.dataset import Dataset

__all__ = ["csa_fields", "private_bytes"]

MAX_FIELDS = 1024
MAX_VALUES = 4096
"""More fields, or more values of a field, than these are not read."""

_CSA_MAGIC = b"SV10\x04\x03\x02\x01"


def private_bytes(dataset: Dataset, group: int, element: int, creator: str) -> bytes:
    """The value of an element in block 10 of a private group, as bytes.

    Empty where it is absent, or the block is another creator's. A whole number comes as two
    bytes, little endian.
    """
    places = ((group, 0x0010), (group, 0x1000 + element))
    if any(place not in dataset for place in places):
        return b""
    owner, value = (dataset[place].value for place in places)
    if str(owner).strip() != creator:
        return b""
    if isinstance(value, int):
        return (value & 0xFFFF).to_bytes(2, "little")
    return value if isinstance(value, bytes) else b""


def csa_fields(header: bytes) -> dict[str, tuple[str, ...]]:
    r"""The values of a CSA header (version 2) by name; empty where it is none, or broken.

    Examples
    --------
    >>> csa_fields(b"anything else")
    {}
    """
    if not header.startswith(_CSA_MAGIC):
        return {}
    fields: dict[str, tuple[str, ...]] = {}
    try:
        (count,) = struct.unpack_from("<I", header, 8)
        place = 16
        for _ in range(min(count, MAX_FIELDS)):
            name, _, _, _, items, _ = struct.unpack_from("<64si4siii", header, place)
            place += 84
            values = []
            for _ in range(min(max(items, 0), MAX_VALUES)):
                length = struct.unpack_from("<4i", header, place)[1]
                if not 0 <= length <= len(header):
                    return {}
                values.append(_text(header[place + 16 : place + 16 + length]))
                place += 16 + (length + 3) // 4 * 4
            fields[_text(name)] = tuple(value for value in values if value)
    except struct.error:
        return {}
    return fields


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace").strip()
