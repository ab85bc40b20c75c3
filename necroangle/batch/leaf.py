"""One reading file, wherever it lies; and what every source of them offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from necroangle.batch.worker import Refusal, read_or_refuse

__all__ = ["Leaf", "Source"]


@dataclass(frozen=True, slots=True)
class Leaf:
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

    def loaded(self) -> "Leaf | Refusal":
        """The same with its bytes at hand, to be sent to another machine."""
        raw = self.load()
        return raw if isinstance(raw, Refusal) else Leaf(self.name, None, raw, self.sha256)


class Source(Protocol):
    """Some reading files in a fixed order, that can be gone through more than once."""

    @property
    def count(self) -> int:
        """How many there are."""

    def leaves(self) -> Iterator[Leaf | Refusal]:
        """The files, and what lies among them that cannot be opened."""

    def keys(self) -> Iterator[tuple[str, ...] | None] | None:
        """The keys of the readings in the same order, where they are known without the files."""
