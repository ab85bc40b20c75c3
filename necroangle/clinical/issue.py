"""One contradiction between records."""

from dataclasses import dataclass

__all__ = ["Issue"]


@dataclass(frozen=True, slots=True)
class Issue:
    """A contradiction, at the record that shows it.

    Attributes
    ----------
    kind, key, field
        Where; the field may be a part of the key.
    message
        What contradicts what. Never a date: days are told as differences.
    is_fatal
        Whether the record cannot stand; else it is a doubt.
    """

    kind: str
    key: tuple[str, ...]
    field: str
    message: str
    is_fatal: bool = True

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.kind} {' '.join(self.key)}: {self.field}: {self.message}"
