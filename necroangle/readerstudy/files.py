"""Reading files that are looked at again and again: each is decoded once until it changes."""

from dataclasses import dataclass
from pathlib import Path

from necroangle.annotation import HipReading, decode_reading, read_bytes, sha256_of
from necroangle.errors import ReadingError

__all__ = ["ReadingFiles", "SavedReading"]

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class SavedReading:
    """A reading file: where, what it says, and the digest of its bytes."""

    path: Path
    reading: HipReading
    sha256: str


class ReadingFiles:
    """Reads reading files, and remembers what they say until they change.

    Examples
    --------
    >>> ReadingFiles().read(Path("nowhere.reading.json"))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: nowhere.reading.json: there is no such file
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, SavedReading]] = {}

    def read(self, path: Path) -> SavedReading:
        """What a file says.

        Raises
        ------
        ReadingError
            If it is not a valid reading.
        """
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        raw = read_bytes(path)
        saved = SavedReading(path, decode_reading(raw, file=path.name), sha256_of(raw))
        self._known[path] = (stamp, saved)
        return saved


def _stamp(path: Path) -> _Stamp:
    try:
        facts = path.stat()
    except OSError as error:
        raise ReadingError("there is no such file", file=path.name) from error
    return (facts.st_ino, facts.st_size, facts.st_mtime_ns)
