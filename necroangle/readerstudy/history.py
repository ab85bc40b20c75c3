"""Every version that was ever submitted, under the digest of its content, write-protected."""

from collections.abc import Iterator
from pathlib import Path

from necroangle.annotation import read_bytes, sha256_of
from necroangle.errors import ReadingError
from necroangle.readerstudy.files import ReadingFiles, SavedReading
from necroangle.storage import write_atomically

__all__ = ["FOLDER", "keep_version", "kept_versions", "version_path"]

FOLDER = "history"

SUFFIX = ".version.json"
"""Not that of a reading file: a batch over the readings does not take up old versions."""

_READ_ONLY = 0o444


def version_path(readings: Path, sha256: str) -> Path:
    """Where a version is kept.

    Examples
    --------
    >>> version_path(Path("readings"), "ab" * 32).as_posix()[:20]
    'readings/history/aba'
    """
    return readings / FOLDER / f"{sha256}{SUFFIX}"


def keep_version(readings: Path, content: bytes) -> Path:
    """Keep the bytes of a reading file for ever; keeping them twice is keeping them once.

    Raises
    ------
    ReadingError
        If other bytes lie under this digest: the history was tampered with.
    OSError
        If the disk refuses.
    """
    path = version_path(readings, sha256_of(content))
    if path.exists():
        if read_bytes(path) != content:
            raise ReadingError(
                "the kept version is not what its name says; get it back from a backup",
                file=path.name,
            )
        return path
    write_atomically(path, content)
    path.chmod(_READ_ONLY)
    return path


def kept_versions(readings: Path, files: ReadingFiles) -> Iterator[SavedReading | ReadingError]:
    """Every version of a folder, and for each that is damaged why it cannot be used."""
    folder = readings / FOLDER
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        try:
            saved = files.read(path)
            if path.name != f"{saved.sha256}{SUFFIX}":
                raise ReadingError("its content is not what its name says", file=path.name)
            yield saved
        except ReadingError as error:
            yield error
