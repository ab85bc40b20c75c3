"""Where reading files lie, in a fixed order: files, folders, globs, ZIPs, manifests, packs, URLs.

Each source offers its items more than once, so that keys can be told before anything is measured;
an item that cannot be opened stands as a refusal in its place.
"""

import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from necroangle.annotation.file import MAX_BYTES, names_reading
from necroangle.batch.worker import Refusal, read_or_refuse
from necroangle.errors import ReadingError, system_words


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One reading file, wherever it lies.

    Attributes
    ----------
    name
        As a refusal names it.
    path
        Where it lies on this machine's disk, if it does.
    raw
        Its bytes, where they have been read already.
    sha256
        What they should hash to, where that is known.
    """

    name: str
    path: str | None = None
    raw: bytes | None = None
    sha256: str | None = None

    def load(self) -> bytes | Refusal:
        """Its bytes, or why there are none."""
        if self.raw is not None:
            return self.raw
        assert self.path is not None  # noqa: S101
        return read_or_refuse(self.path, self.name)

    def loaded(self) -> "SourceItem | Refusal":
        """The same with its bytes at hand, to be sent to another machine."""
        raw = self.load()
        return raw if isinstance(raw, Refusal) else SourceItem(self.name, None, raw, self.sha256)


class Source(Protocol):
    """Some reading files in a fixed order, that can be gone through more than once."""

    @property
    def count(self) -> int:
        """How many there are."""

    def items(self) -> Iterator[SourceItem | Refusal]:
        """The files, and what lies among them that cannot be opened."""

    def keys(self) -> Iterator[tuple[str, ...] | None] | None:
        """The keys of the readings in the same order, where they are known without the files."""


_HERE = f".{os.sep}"


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files on this machine's disk; paths as text, which is quicker made, sorted and sent."""

    paths: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def items(self) -> Iterator[SourceItem | Refusal]:
        """The files."""
        return (SourceItem(path, path) for path in self.paths)

    def keys(self) -> None:
        """Not known without the files."""
        return


_NO_MEMBER = (
    *(zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError),
    *(zlib.error, lzma.LZMAError, struct.error, MemoryError, OverflowError),
)
"""What Python's module raises at archives that are damaged, locked, or made to do harm."""


@dataclass(frozen=True, slots=True)
class ZipSource:
    """The reading files in a ZIP archive."""

    path: Path
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    def items(self) -> Iterator[SourceItem | Refusal]:
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
            names = sorted(filter(_is_reading, set(archive.namelist())))
    except _NO_MEMBER as error:
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
        refusals.append(Refusal(str(error.filename), "", f"cannot be read: {system_words(error)}"))

    for parent, _, names in os.walk(folder, onerror=refuse):
        inside = (
            "" if parent == os.curdir else f"{parent.removeprefix(_HERE).rstrip(os.sep)}{os.sep}"
        )
        yield from (inside + name for name in names if names_reading(name))


def _is_reading(name: str) -> bool:
    """Whether a member of an archive, or a file of a store, is named as a reading file."""
    return names_reading(name.rsplit("/", 1)[-1])


def _member(archive: zipfile.ZipFile, name: str, shown: str) -> SourceItem | Refusal:
    if archive.getinfo(name).file_size > MAX_BYTES:
        return Refusal(shown, "", "larger than 1 MiB: not a reading file")
    try:
        with archive.open(name) as file:
            raw = file.read(MAX_BYTES + 1)
    except _NO_MEMBER as error:
        return Refusal(shown, "", f"cannot be read: {error}")
    if len(raw) > MAX_BYTES:
        return Refusal(shown, "", "larger than 1 MiB: not a reading file")
    return SourceItem(shown, None, raw)


KEYS = ("subject", "laterality", "visit", "reader", "read_no")
NAMES = ("file", *KEYS, "sha256", "content")
"""Columns of a pack; the bytes of each file stand in the last."""

_COLUMNS = {*((name, "string") for name in NAMES[:-1]), (NAMES[-1], "binary")}
_ROWS_AT_ONCE = 1000
_MOST_IN_GROUP = 1 << 30


@dataclass(frozen=True, slots=True)
class PackSource:
    """The reading files of a pack."""

    path: Path
    count: int

    def items(self) -> Iterator[SourceItem | Refusal]:
        """The files, in the order of the pack."""
        row = 0
        try:
            for columns in self._columns("file", "sha256", "content"):
                for cells in zip(*columns, strict=True):
                    row += 1
                    yield self._item(row, *cells)
        except ReadingError as error:
            yield Refusal(str(self.path), "", f"after row {row}: {error.problem}")

    def _item(
        self, row: int, name: bytes | None, digest: bytes | None, raw: bytes | None
    ) -> SourceItem | Refusal:
        shown = f"{self.path}/{(name or b'').decode(errors='replace')}"
        if not name or raw is None:
            return Refusal(f"{self.path} row {row}", "", "has no name, or no content of its size")
        try:
            name.decode()
        except UnicodeDecodeError:
            return Refusal(shown, "", "its name is no text")
        return SourceItem(shown, None, raw, (digest or b"").decode(errors="replace"))

    def keys(self) -> Iterator[tuple[str, ...] | None]:
        """The keys, which stand in columns of their own."""
        for columns in self._columns(*KEYS):
            for key in zip(*columns, strict=True):
                whole = None not in key
                yield tuple(one.decode(errors="replace") for one in key) if whole else None

    def _columns(self, *names: str) -> Iterator[list[list[Any]]]:
        """The cells of some columns, as bytes, so many rows at a time as a pack has in a group.

        What stands once in the file stands once in memory, however often its rows name it.
        """
        try:
            with parquet().ParquetFile(self.path, read_dictionary=list(names)) as file:
                for group in range(file.num_row_groups):
                    if file.metadata.row_group(group).total_byte_size > _MOST_IN_GROUP:
                        raise ReadingError("a group of its rows is larger than 1 GiB: no pack")
                    for batch in file.iter_batches(
                        _ROWS_AT_ONCE, [group], list(names), use_threads=False
                    ):
                        yield [_cells(batch.column(name)) for name in names]
        except _pack_errors() as error:
            if isinstance(error, ReadingError):
                raise
            problem = (str(error).splitlines() or [type(error).__name__])[0]
            raise ReadingError(f"is damaged: {problem:.200}", file=str(self.path)) from error


def _pack_errors() -> tuple[type[Exception], ...]:
    """What pyarrow raises at packs that are damaged, or made to do harm."""
    return OSError, ValueError, LookupError, MemoryError, import_module("pyarrow").ArrowException


def _cells(column: Any) -> list[bytes | None]:
    """The cells of a column as bytes; None where there is nothing, or more than a file may have."""
    pa = import_module("pyarrow")
    values = column.dictionary.cast(pa.binary())
    known = [None if len(one.as_buffer() or b"") > MAX_BYTES else one.as_py() for one in values]
    return [None if place is None else known[place] for place in column.indices.to_pylist()]


def open_pack(path: Path) -> Source | Refusal:
    """The readings of a pack, or why it cannot be read."""
    if not path.is_file():
        return Refusal(str(path), "", "there is no such file")
    try:
        with parquet().ParquetFile(path) as file:
            names, kinds = file.schema_arrow.names, map(str, file.schema_arrow.types)
            found, count = set(zip(names, kinds, strict=True)), file.metadata.num_rows
    except _pack_errors() as error:
        return Refusal(str(path), "", f"not a pack that can be read: {error}")
    if not found >= _COLUMNS or len(names) != len(set(names)):
        return Refusal(str(path), "", "a Parquet file, but not one that `necroangle pack` wrote")
    return PackSource(path, count)


def parquet() -> Any:
    """The module that reads and writes Parquet.

    Raises
    ------
    ReadingError
        If pyarrow is not installed.
    """
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise ReadingError(f"a pack needs pyarrow ({error}); install necroangle[pack]") from error


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """The reading files behind a URL."""

    store: Any
    scheme: str
    paths: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    def items(self) -> Iterator[SourceItem | Refusal]:
        """The files, by path."""
        for path in self.paths:
            yield self._leaf(path)

    def keys(self) -> None:
        """Not known without the files."""
        return

    def _leaf(self, path: str) -> SourceItem | Refusal:
        name = f"{self.scheme}://{path}"
        try:
            with self.store.open(path, "rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            return Refusal(name, "", f"cannot be read: {error}")
        if len(raw) > MAX_BYTES:
            return Refusal(name, "", "larger than 1 MiB: not a reading file")
        return SourceItem(name, None, raw)


def open_remote(url: str) -> RemoteSource:
    """The reading files of a URL: one file, or all below a folder.

    Raises
    ------
    ReadingError
        If fsspec is not installed or does not know the URL, or nothing can be listed there.

    Examples
    --------
    >>> open_remote("nosuch://bucket/study")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: nosuch://bucket/study: cannot be opened: Protocol not known...
    """
    try:
        store, path = import_module("fsspec.core").url_to_fs(url)
        found = store.find(path) if store.isdir(path) else [path]
    except ImportError as error:
        raise ReadingError(f"cannot be opened: {error}; install `fsspec`", file=url) from error
    except (OSError, ValueError) as error:
        raise ReadingError(f"cannot be opened: {error}", file=url) from error
    files = found if found == [path] else list(filter(_is_reading, found))
    return RemoteSource(store, url.split("://", 1)[0], tuple(sorted(files)))


PACK_SUFFIX, MANIFEST_SUFFIX, ZIP_SUFFIX = ".parquet", ".txt", ".zip"


def open_sources(places: Iterable[Path | str]) -> tuple[list[Source], list[Refusal]]:
    """The sources of readings among some places, and what cannot be opened.

    Parameters
    ----------
    places
        Reading files; folders, searched with all their sub-folders for ``*.reading.json``; globs;
        ``.zip`` archives; manifests (``.txt``: a path a line, relative to the manifest); packs
        (``.parquet``, as ``necroangle pack`` writes them); and URLs (``s3://bucket/study``), which
        fsspec opens.

    Examples
    --------
    >>> sources, refusals = open_sources(["no.zip", "a.reading.json"])
    >>> [source.count for source in sources], [str(one) for one in refusals]
    ([1], ['no.zip: there is no such file'])
    """
    plain: list[Path] = []
    sources: list[Source] = []
    refusals: list[Refusal] = []
    for place in sorted({str(one) for one in places}):
        path = Path(place)
        if "://" in place:
            sources.append(open_remote(place))
        elif path.suffix.lower() in (ZIP_SUFFIX, PACK_SUFFIX) and not path.is_dir():
            is_pack = path.suffix.lower() == PACK_SUFFIX
            found = open_pack(path) if is_pack else open_zip(path)
            (refusals if isinstance(found, Refusal) else sources).append(found)  # type: ignore[arg-type]
        elif path.suffix.lower() == MANIFEST_SUFFIX and path.is_file():
            plain.extend(_manifest(path, refusals))
        elif any(sign in place for sign in "*?[") and not path.exists():
            plain.extend(_globbed(path))
        else:
            plain.append(path)
    files, shut = find_paths(plain)
    if files:
        sources.insert(0, FileSource(tuple(files)))
    return sources, [*refusals, *shut]


def _globbed(pattern: Path) -> list[Path]:
    """The paths that a pattern finds below the first of its folders that is named in full."""
    parts = pattern.parts
    wild = next(place for place, part in enumerate(parts) if set(part) & set("*?["))
    return sorted(Path(*parts[:wild]).glob(str(Path(*parts[wild:]))))


def _manifest(path: Path, refusals: list[Refusal]) -> Sequence[Path]:
    """The paths that a manifest lists; empty lines and those after ``#`` say nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refusals.append(Refusal(str(path), "", f"not a manifest that can be read: {error}"))
        return ()
    wanted = (line.strip() for line in lines)
    return [path.parent / line for line in wanted if line and not line.startswith("#")]
