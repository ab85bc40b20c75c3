"""Which readings are claimed by more than one file: found before a row is written.

Two files that claim one reading with different content are both refused, wherever they lie and
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

from necroangle.batch.leaf import Source
from necroangle.batch.worker import Refusal
from necroangle.decoding import MalformedError, from_json
from necroangle.measurement.row import RowColumns, RowKey

__all__ = ["claims_of", "contested", "key_of", "settle"]

Claims = NDArray[np.uint64]


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
    """The key that the bytes of a reading file claim; None where it cannot be told.

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


def claims_of(sources: Iterable[Source]) -> Claims:
    """A number for the key of every file of some sources, in their order; 0 where there is none."""
    return np.fromiter(map(_number, chain.from_iterable(map(_keys, sources))), np.uint64)


def contested(claims: Claims) -> Claims:
    """The numbers that more than one file has, growing.

    Examples
    --------
    >>> contested(np.array([5, 0, 7, 5, 0], np.uint64)).tolist()
    [5]
    """
    ordered = np.sort(claims[claims > 0])
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def settle(columns: RowColumns) -> tuple[RowColumns, list[Refusal]]:
    """One row per key, ordered by key; files that contradict each other are refused.

    Examples
    --------
    >>> settle(RowColumns.of([], []))[1]
    []
    """
    sha256, keys = columns.data["annotation_sha256"], columns.keys()
    claims: dict[RowKey, list[int]] = {}
    for place in sorted(range(len(columns)), key=columns.files.__getitem__):
        claims.setdefault(keys[place], []).append(place)
    kept: list[int] = []
    refusals: list[Refusal] = []
    for key in sorted(claims):
        claim = claims[key]
        if len({sha256[place] for place in claim}) == 1:
            kept.append(claim[0])
        else:
            refusals.extend(_conflicts(key, [columns.files[place] for place in claim]))
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
    for leaf in source.leaves():
        raw = leaf if isinstance(leaf, Refusal) else leaf.load()
        yield None if isinstance(raw, Refusal) else key_of(raw)


def _number(key: tuple[str, ...] | None) -> int:
    if key is None:
        return 0
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") | 1
