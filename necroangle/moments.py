"""Moments as every file and table writes them: UTC with milliseconds."""

from datetime import UTC, datetime

__all__ = ["utc_now", "utc_text"]


def utc_text(moment: datetime) -> str:
    """A moment of any time zone as text.

    Examples
    --------
    >>> utc_text(datetime(2026, 1, 31, 8, 15, tzinfo=UTC))
    '2026-01-31T08:15:00.000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_now() -> str:
    """The present moment as text."""
    return utc_text(datetime.now(UTC))
