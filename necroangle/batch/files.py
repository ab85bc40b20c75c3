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

__all__ = ["FileSource", "ZipSource", "find_paths", "find_readings", "open_zip"]

_HERE = f".{os.sep}"


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files on this machine's disk; paths as text, which is quicker made, sorted and sent."""

    paths: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The files."""
        return (Leaf(path, path) for path in self.paths)

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
    found, refusals = find_paths(paths)
    return [Path(one) for one in found], refusals


def find_paths(paths: Iterable[Path]) -> tuple[list[str], list[Refusal]]:
    """The same as text: a folder may hold hundreds of thousands."""
    found: dict[str, str] = {}
    refusals: list[Refusal] = []
    here = str(Path.cwd())
    for path in sorted(paths):
        for file in _walk(str(path), refusals) if path.is_dir() else (str(path),):
            found.setdefault(os.path.join(here, file), file)  # noqa: PTH118 (text is wanted)
    return sorted(found.values(), key=_parts), refusals


def _parts(path: str) -> list[str]:
    """The order of paths: folder by folder."""
    return path.split(os.sep)  # noqa: PTH206


def _walk(folder: str, refusals: list[Refusal]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        refusals.append(Refusal(str(error.filename), "", f"cannot be read: {error.strerror}"))

    for parent, _, names in os.walk(folder, onerror=refuse):
        inside = (
            "" if parent == os.curdir else f"{parent.removeprefix(_HERE).rstrip(os.sep)}{os.sep}"
        )
        yield from (inside + name for name in names if name.endswith(SUFFIX))


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
