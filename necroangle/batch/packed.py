"""The reading files of a pack: a Parquet file, a row a reading, as :func:`pack` writes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from necroangle.batch.leaf import Leaf, Source
from necroangle.batch.worker import Refusal
from necroangle.errors import ReadingError

__all__ = ["KEYS", "NAMES", "PackSource", "open_pack", "parquet"]

KEYS = ("subject", "laterality", "visit", "reader", "read_no")
NAMES = ("file", *KEYS, "sha256", "content")
"""Columns of a pack; the bytes of each file stand in the last."""


@dataclass(frozen=True, slots=True)
class PackSource:
    """The reading files of a pack."""

    path: Path
    count: int

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The files, in the order of the pack."""
        for names, sha256, content in self._columns("file", "sha256", "content"):
            for name, digest, raw in zip(names, sha256, content, strict=True):
                yield Leaf(f"{self.path}/{name}", None, raw, digest)

    def keys(self) -> Iterator[tuple[str, ...] | None]:
        """The keys, which stand in columns of their own."""
        for columns in self._columns(*KEYS):
            for key in zip(*columns, strict=True):
                yield None if key[0] is None else tuple(map(str, key))

    def _columns(self, *names: str) -> Iterator[list[list[Any]]]:
        with parquet().ParquetFile(self.path) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=list(names), use_threads=False)
                yield [rows.column(name).to_pylist() for name in names]


def open_pack(path: Path) -> Source | Refusal:
    """The readings of a pack, or why it cannot be read."""
    if not path.is_file():
        return Refusal(str(path), "", "there is no such file")
    try:
        with parquet().ParquetFile(path) as file:
            found, count = set(file.schema_arrow.names), file.metadata.num_rows
    except (OSError, ValueError) as error:  # pyarrow's own error is a ValueError
        return Refusal(str(path), "", f"not a pack that can be read: {error}")
    if not set(NAMES) <= found:
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
