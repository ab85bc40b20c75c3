"""Readings behind a URL, opened by fsspec: an object store, a web server, an archive in one."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from necroangle.annotation import SUFFIX
from necroangle.annotation.file import MAX_BYTES
from necroangle.batch.leaf import Leaf
from necroangle.batch.worker import Refusal
from necroangle.errors import ReadingError

__all__ = ["RemoteSource", "open_remote"]


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

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The files, by path."""
        for path in self.paths:
            yield self._leaf(path)

    def keys(self) -> None:
        """Not known without the files."""
        return

    def _leaf(self, path: str) -> Leaf | Refusal:
        name = f"{self.scheme}://{path}"
        try:
            with self.store.open(path, "rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            return Refusal(name, "", f"cannot be read: {error}")
        if len(raw) > MAX_BYTES:
            return Refusal(name, "", "larger than 1 MiB: not a reading file")
        return Leaf(name, None, raw)


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
    files = found if found == [path] else [one for one in found if one.endswith(SUFFIX)]
    return RemoteSource(store, url.split("://", 1)[0], tuple(sorted(files)))
