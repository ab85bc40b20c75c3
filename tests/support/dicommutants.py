"""Spoilt copies of DICOM files, the same ones for the same seed."""

import random
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

MAX_SEED_BYTES = 300_000
"""Larger files are no seeds: they slow the search and add no structure."""

_LENGTHS = (0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF)
_PIECES = (
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff",
    b"\x30\x52\x00\x92SQ\0\0\xff\xff\xff\xff",
    b"\x08\x00\x05\x00CS\x04\0\\\\\\\\",
    b"1e999",
    b"nan ",
    b"\\",
    b"\0" * 16,
    b"\xff\xd8\xff\xc0",
)
_TAGS = (
    (0x0002, 0x0010), (0x0002, 0x0000), (0x0008, 0x0005), (0x0008, 0x0008), (0x0008, 0x0016),
    (0x0008, 0x0060), (0x0010, 0x0020), (0x0018, 0x1164), (0x0020, 0x000E), (0x0020, 0x0032),
    (0x0020, 0x0037), (0x0028, 0x0002), (0x0028, 0x0004), (0x0028, 0x0008), (0x0028, 0x0010),
    (0x0028, 0x0011), (0x0028, 0x0030), (0x0028, 0x0100), (0x0028, 0x0101), (0x0028, 0x0102),
    (0x0028, 0x0103), (0x0028, 0x1050), (0x0028, 0x1052), (0x0028, 0x1053), (0x0028, 0x3000),
    (0x5200, 0x9229), (0x5200, 0x9230), (0x7FE0, 0x0010), (0xFFFE, 0xE000),
)  # fmt: skip

Spoil = Callable[[bytearray, random.Random], None]


def find_seeds(folders: Sequence[Path]) -> list[Path]:
    """The small files of these folders, in a fixed order; no links, no hidden files."""
    files = [path for folder in folders for path in sorted(folder.rglob("*"))]
    return [path for path in files if _is_seed(path)]


def _is_seed(path: Path) -> bool:
    if path.name.startswith(".") or path.is_symlink() or not path.is_file():
        return False
    return 132 < path.stat().st_size <= MAX_SEED_BYTES


def mutant(seeds: Sequence[Path], seed: int, number: int) -> tuple[str, bytes]:
    """One spoilt file: what it was made of, and its bytes."""
    chance = random.Random(f"{seed}/{number}")
    path = chance.choice(seeds)
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(_SPOILERS)(data, chance)
        if len(data) < 8:
            break
    if chance.random() < 0.03:
        other = chance.choice(seeds).read_bytes()
        cut = chance.randrange(len(data) + 1)
        data[cut:] = other[min(cut, len(other) // 2) :]
    return path.name, bytes(data)


def _place(data: bytearray, chance: random.Random) -> int:
    """Mostly in the header, where a byte means more."""
    end = len(data) if chance.random() < 0.3 else min(len(data), 3000)
    return chance.randrange(end)


def _flip(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 8))):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _random_bytes(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    count = min(chance.choice((1, 2, 4, 16)), len(data) - place)
    data[place : place + count] = chance.randbytes(count)


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[_place(data, chance) :]


def _remove(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    del data[place : place + chance.choice((1, 2, 8, 64))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    piece = data[place : place + chance.choice((8, 32, 256))]
    data[place:place] = piece * chance.choice((1, 2, 40))


def _insert(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance)
    data[place:place] = chance.choice(_PIECES) * chance.choice((1, 1, 3, 100))


def _length(data: bytearray, chance: random.Random) -> None:
    place = _place(data, chance) & ~1
    value = chance.choice(_LENGTHS)
    word = struct.pack("<I", value) if chance.random() < 0.5 else struct.pack("<H", value & 0xFFFF)
    data[place : place + len(word)] = word


def _tag(data: bytearray, chance: random.Random) -> None:
    place = data.find(struct.pack("<HH", *chance.choice(_TAGS)))
    if place < 0:
        return
    inside = place + chance.choice((0, 4, 6, 8, 8, 8, 9, 10, 12))
    data[inside : inside + 2] = chance.choice(
        (chance.randbytes(2), b"\0\0", b"\xff\xff", b"\1\0", b"-1", b"SQ", b"UN", b"e9")
    )


def _digits(data: bytearray, chance: random.Random) -> None:
    places = [i for i, byte in enumerate(data[:3000]) if 0x30 <= byte <= 0x39]
    for place in chance.sample(places, min(len(places), chance.choice((1, 3)))):
        data[place] = chance.choice(b"0123456789-.e\\, ")


_SPOILERS: tuple[Spoil, ...] = (
    _flip, _random_bytes, _cut, _remove, _repeat, _insert, _length, _tag, _tag, _tag, _digits,
)  # fmt: skip
