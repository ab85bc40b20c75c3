"""Which readings are claimed by more than one file: found before a row is written.

Two files that number one reading with different content are both refused, wherever they lie and
whichever worker meets them; copies give one row. Eight bytes of a hash are kept for each file, so
that a million of them need 8 MB.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import NDArray

from necroangle.batch.sources import Source
from necroangle.batch.worker import Refusal
from necroangle.decoding import MalformedError, from_json
from necroangle.measurement.row import RowColumns, RowKey

KeyNumbers = NDArray[np.uint64]


class _Key(msgspec.Struct):
    subject: str
    laterality: str
    visit: str
    reader: str
    read_no: int


_WORD = rb'"([^"\\\x00-\x1f\x80-\xff]+)"'
_HEAD = re.compile(
    rb'\s*{\s*"format"\s*:\s*"necroangle.reading"\s*,\s*"version"\s*:\s*\d+\s*'
    rb',\s*"subject"\s*:\s*'
    + _WORD
    + rb'\s*,\s*"laterality"\s*:\s*'
    + _WORD
    + rb'\s*,\s*"visit"\s*:\s*'
    + _WORD
    + rb'\s*,\s*"reader"\s*:\s*'
    + _WORD
    + rb'\s*,\s*"read_no"\s*:\s*([1-9]\d{0,2})\s*[,}]'
)
"""How every file that this program wrote begins: a plain key is read from it at once."""

_DECODER = msgspec.json.Decoder(_Key)


def key_of(raw: bytes) -> tuple[str, ...] | None:
    """The key that the bytes of a reading file number; None where it cannot be told.

    Examples
    --------
    >>> key_of(b'{"subject":"S","laterality":"L","visit":"m00","reader":"r1","read_no":1}')
    ('S', 'L', 'm00', 'r1', '1')
    >>> key_of(b"{}")
    """
    if (head := _HEAD.match(raw)) is not None:
        return tuple(part.decode() for part in head.groups())
    try:
        key = from_json(raw, _DECODER)
    except MalformedError:
        return None
    return key.subject, key.laterality, key.visit, key.reader, str(key.read_no)


def key_numbers(sources: Iterable[Source]) -> KeyNumbers:
    """A number for the key of every file of some sources, in their order; 0 where there is none."""
    return np.fromiter(map(_number, chain.from_iterable(map(_keys, sources))), np.uint64)


def shared_numbers(numbers: KeyNumbers) -> KeyNumbers:
    """The numbers that more than one file has, growing.

    Examples
    --------
    >>> shared_numbers(np.array([5, 0, 7, 5, 0], np.uint64)).tolist()
    [5]
    """
    ordered = np.sort(numbers[numbers > 0])
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def one_row_per_key(columns: RowColumns) -> tuple[RowColumns, list[Refusal]]:
    """One row per key, ordered by key; files that contradict each other are refused.

    Examples
    --------
    >>> one_row_per_key(RowColumns.of([], []))[1]
    []
    """
    sha256, keys = columns.data["annotation_sha256"], columns.keys()
    of_key: dict[RowKey, list[int]] = {}
    for place in sorted(range(len(columns)), key=columns.files.__getitem__):
        of_key.setdefault(keys[place], []).append(place)
    kept: list[int] = []
    refusals: list[Refusal] = []
    for key in sorted(of_key):
        places = of_key[key]
        if len({sha256[place] for place in places}) == 1:
            kept.append(places[0])
        else:
            refusals.extend(_conflicts(key, [columns.files[place] for place in places]))
    return columns.select(kept), refusals


def _conflicts(key: RowKey, files: list[str]) -> Iterator[Refusal]:
    for file in files:
        others = ", ".join(other for other in files if other != file)
        yield Refusal(file, "", f"the same reading ({key}) lies in {others}; keep one")


def _keys(source: Source) -> Iterator[tuple[str, ...] | None]:
    known = source.keys()
    if known is not None:
        yield from known
        return
    for item in source.items():
        raw = item if isinstance(item, Refusal) else item.load()
        yield None if isinstance(raw, Refusal) else key_of(raw)


def _number(key: tuple[str, ...] | None) -> int:
    if key is None:
        return 0
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") | 1
