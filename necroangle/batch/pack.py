"""A pack: many reading files in one Parquet file, byte for byte, with their keys beside them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from necroangle.batch.duplicates import key_of
from necroangle.batch.sources import (
    KEYS,
    NAMES,
    Source,
    SourceItem,
    open_pack,
    open_sources,
    parquet,
)
from necroangle.batch.worker import Refusal
from necroangle.errors import ReadingError, system_words
from necroangle.storage import (
    name_problem,
    rename_over,
    same_file_key,
    sha256_of,
    write_atomically,
)

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed or unpacked: how many files, and what was refused."""

    count: int
    refusals: tuple[Refusal, ...]


def pack(places: Iterable[Path | str], path: Path) -> Packed:
    """Pack reading files into one Parquet file, which stands there whole or not at all.

    Files that are no readings are packed as well, byte for byte: measuring tells what is wrong.

    Parameters
    ----------
    places
        As for :func:`necroangle.batch.open_sources`.
    path
        The pack; an old one is replaced.

    Raises
    ------
    ReadingError
        If pyarrow is not installed, or the pack cannot be written.
    """
    sources, refusals = open_sources(places)
    writing = parquet()
    part = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with writing.ParquetWriter(part, _schema(), compression="zstd") as writer:
            for items in _in_groups(sources, refusals):
                writer.write_table(table_of(items))
                count += len(items)
        rename_over(part, path)
    except OSError as error:
        raise ReadingError(f"cannot be written: {system_words(error)}", file=str(path)) from error
    finally:
        part.unlink(missing_ok=True)
    return Packed(count, tuple(sorted(refusals)))


def unpack(path: Path, folder: Path) -> Packed:
    """Put the files of a pack in a folder, byte for byte as they were.

    A file that lies there with other content is left alone and refused, and so is one whose name
    leads out of the folder, is none on some system or is that of another file of the pack, whose
    content is damaged, or which the disk refuses.
    """
    source = open_pack(path)
    if isinstance(source, Refusal):
        return Packed(0, (source,))
    count, refusals, taken = 0, [], dict[str, str]()
    for item in source.items():
        problem = item if isinstance(item, Refusal) else _put(item, path, folder, taken)
        if problem is None:
            count += 1
        else:
            refusals.append(problem)
    return Packed(count, tuple(sorted(refusals)))


def _put(item: SourceItem, path: Path, folder: Path, taken: dict[str, str]) -> Refusal | None:
    name, raw = item.name.removeprefix(f"{path}/"), item.raw or b""
    if problem := name_problem(name):
        return Refusal(item.name, "", f"its name {problem}; it was not unpacked")
    if sha256_of(raw) != item.sha256:
        return Refusal(item.name, "", "its content is damaged; it was not unpacked")
    other = taken.setdefault(same_file_key(name), name)
    if other != name:
        return Refusal(item.name, "", f"not every system tells its name from {other}")
    try:
        return _written(item, folder, folder / name, raw)
    except OSError as error:
        return Refusal(item.name, "", f"cannot be written: {system_words(error)}")


def _written(item: SourceItem, folder: Path, target: Path, raw: bytes) -> Refusal | None:
    if not target.resolve().is_relative_to(folder.resolve()):  # by a link that lies there
        return Refusal(item.name, "", "its name leads out of the folder; it was not unpacked")
    if target.exists():
        if target.is_file() and target.read_bytes() == raw:
            return None
        return Refusal(item.name, "", f"other content lies at {target}; it was left alone")
    write_atomically(target, raw)
    return None


def _in_groups(sources: Iterable[Source], refusals: list[Refusal]) -> Iterator[list[SourceItem]]:
    group: list[SourceItem] = []
    for source in sources:
        for item in source.items():
            found = item if isinstance(item, Refusal) else item.loaded()
            if isinstance(found, Refusal):
                refusals.append(found)
                continue
            group.append(found)
            if len(group) == ROWS_AT_ONCE:
                yield group
                group = []
    yield group


def table_of(items: list[SourceItem]) -> Any:
    """Some files, their bytes at hand, as rows of a pack (a ``pyarrow.Table``)."""
    raws = [item.raw or b"" for item in items]
    keys = [key_of(raw) or (None,) * len(KEYS) for raw in raws]
    names = [_inner(item.name) for item in items]
    columns = [names, *map(list, zip(*keys, strict=True)), list(map(sha256_of, raws)), raws]
    columns = columns if items else [[] for _ in NAMES]
    table = import_module("pyarrow").table
    return table(dict(zip(NAMES, columns, strict=True)), schema=_schema())


def _inner(name: str) -> str:
    """The name under which a file is kept: no drive, no root, no way up."""
    parts = Path(name.split("://", 1)[-1]).parts
    return "/".join(
        part for part in parts if part not in ("/", "\\", "..", ".") and ":" not in part
    )


def _schema() -> Any:
    pa = import_module("pyarrow")
    texts = [pa.field(name, pa.string()) for name in NAMES[:-1]]
    return pa.schema([*texts, pa.field("content", pa.binary())])
