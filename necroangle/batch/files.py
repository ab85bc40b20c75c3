"""Reading files on this machine's disk, and in ZIP archives on it."""

import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from necroangle.annotation import SUFFIX
from necroangle.annotation.file import MAX_BYTES
from necroangle.batch.leaf import Leaf
from necroangle.batch.worker import Refusal

__all__ = ["FileSource", "ZipSource", "find_readings", "open_zip"]


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files on this machine's disk."""

    paths: tuple[Path, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The files."""
        return (Leaf(str(path), path) for path in self.paths)

    def keys(self) -> None:
        """Not known without the files."""
        return


@dataclass(frozen=True, slots=True)
class ZipSource:
    """The reading files in a ZIP archive."""

    path: Path
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The members, by name."""
        with zipfile.ZipFile(self.path) as archive:
            for name in self.names:
                yield _member(archive, name, f"{self.path}/{name}")

    def keys(self) -> None:
        """Not known without the files."""
        return


def open_zip(path: Path) -> ZipSource | Refusal:
    """The readings in a ZIP archive, or why it cannot be read."""
    if not path.is_file():
        return Refusal(str(path), "", "there is no such file")
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in set(archive.namelist()) if name.endswith(SUFFIX))
    except (zipfile.BadZipFile, OSError) as error:
        return Refusal(str(path), "", f"not a ZIP archive that can be read: {error}")
    return ZipSource(path, tuple(names))


def find_readings(paths: Iterable[Path]) -> tuple[list[Path], list[Refusal]]:
    """The reading files of files and folders, each once, sorted; and folders that stay shut."""
    found: dict[Path, Path] = {}
    refusals: list[Refusal] = []
    for path in sorted(paths):
        for file in _walk(path, refusals) if path.is_dir() else (path,):
            found.setdefault(file.absolute(), file)
    return sorted(found.values()), refusals


def _walk(folder: Path, refusals: list[Refusal]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        refusals.append(Refusal(str(error.filename), "", f"cannot be read: {error.strerror}"))

    for parent, _, names in os.walk(folder, onerror=refuse):
        yield from (Path(parent, name) for name in names if name.endswith(SUFFIX))


def _member(archive: zipfile.ZipFile, name: str, shown: str) -> Leaf | Refusal:
    if archive.getinfo(name).file_size > MAX_BYTES:
        return Refusal(shown, "", "larger than 1 MiB: not a reading file")
    try:
        with archive.open(name) as file:
            raw = file.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        return Refusal(shown, "", f"cannot be read: {error}")
    if len(raw) > MAX_BYTES:
        return Refusal(shown, "", "larger than 1 MiB: not a reading file")
    return Leaf(shown, None, raw)
