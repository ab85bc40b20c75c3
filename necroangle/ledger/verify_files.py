"""The reading files of a folder against the readings that the rows were measured from."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from necroangle.annotation import SUFFIX, decode_reading, read_bytes, sha256_of
from necroangle.errors import ReadingError
from necroangle.ledger.verify_report import Problem

__all__ = ["FoundFiles", "check_files"]

_PART = ".part"
_OLD_S = 3600.0
"""A temporary file that is older than this was left by a program that was cut off."""

ReadingId = tuple[str, ...]
Kept = Callable[[str], bytes | None]


@dataclass(slots=True)
class FoundFiles:
    """What a folder holds.

    Attributes
    ----------
    by_hash
        SHA-256 to the file, for the files that rows were measured from.
    count
        Reading files, all of them.
    """

    by_hash: dict[str, Path] = field(default_factory=dict)
    count: int = 0


class _Look:
    """A look at one file after the other, remembering which readings a problem explains."""

    def __init__(
        self,
        measured: Mapping[str, ReadingId],
        older: Mapping[str, str],
        kept: Kept,
        found: FoundFiles,
    ) -> None:
        self._measured, self._older, self._kept = measured, older, kept
        self._hashes = {key: sha256 for sha256, key in measured.items()}
        self.found = found
        self.explained: set[ReadingId] = set()

    def at(self, file: Path) -> str:
        """The problem of a file; nothing where a row was measured from it."""
        try:
            raw = read_bytes(file)
            sha256 = sha256_of(raw)
            if sha256 in self._measured:
                self.found.by_hash.setdefault(sha256, file)
                return ""
            key = tuple(map(str, decode_reading(raw).key))
        except ReadingError as error:
            return ": ".join(part for part in (error.place, error.problem) if part)
        self.explained.add(key)
        if sha256 in self._older:
            return "an older version than the one that was measured; bring the newer one back"
        return _changed(raw, self._hashes.get(key), self._kept)


def check_files(
    folder: Path,
    measured: Mapping[str, ReadingId],
    older: Mapping[str, str],
    kept: Kept,
    found: FoundFiles,
) -> Iterator[Problem]:
    """The problems of a folder of reading files; ``found`` is filled on the way.

    Parameters
    ----------
    folder
        Searched with all its sub-folders.
    measured
        SHA-256 to the key of the reading, for the readings that rows were measured from.
    older
        SHA-256 to the name of the reading, for versions that were replaced.
    kept
        The bytes that are kept under a hash, or None.
    """
    look = _Look(measured, older, kept, found)
    for file in _walk(folder):
        name = file.relative_to(folder).as_posix()
        if file.name.endswith(_PART):
            if time.time() - file.stat().st_mtime > _OLD_S:
                yield Problem("file", name, "left by a program that was cut off; remove it")
            continue
        found.count += 1
        problem = look.at(file)
        if problem:
            yield Problem("file", name, problem)
    yield from _lost(measured, look)


def _lost(measured: Mapping[str, ReadingId], look: "_Look") -> Iterator[Problem]:
    for sha256, key in sorted(measured.items(), key=lambda one: one[1]):
        if sha256 not in look.found.by_hash and key not in look.explained:
            yield Problem(
                "file",
                " ".join(key),
                "no file holds the reading that was measured: lost or changed",
            )


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith((SUFFIX, SUFFIX + _PART)) or (
                name.startswith(".") and SUFFIX in name and name.endswith(_PART)
            ):
                yield Path(parent, name)


def _changed(raw: bytes, sha256: str | None, kept: Kept) -> str:
    if sha256 is None:
        return "an orphan: no row was measured from it; run `necroangle measure`"
    before = kept(sha256)
    where = "" if before is None else f" in {_first_difference(before, raw)}"
    return f"changed{where} since it was measured; run `necroangle measure`, or bring it back"


def _first_difference(before: bytes, now: bytes) -> str:
    lines = zip(before.split(b"\n"), now.split(b"\n"), strict=False)
    for number, (old, new) in enumerate(lines, start=1):
        if old != new:
            return f"line {number} ({old.strip().decode(errors='replace'):.60})"
    return "its length"
