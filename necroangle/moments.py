"""Moments as every file and table writes them: UTC with milliseconds."""

from datetime import UTC, datetime, timedelta

__all__ = ["is_before", "utc_now", "utc_text"]

_CLOCKS_DIFFER = timedelta(minutes=5)
"""So far apart the clocks of two computers may be, or a writer have waited for its turn."""


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


def is_before(at: str, earlier: str) -> bool:
    """Whether a moment lies before one that came earlier, by more than clocks differ.

    Examples
    --------
    >>> is_before("2026-01-31T08:00:00.000Z", "2026-01-31T08:04:00.000Z")
    False
    >>> is_before("2019-01-31T08:00:00.000Z", "2026-01-31T08:04:00.000Z")
    True
    """
    try:
        gap = datetime.fromisoformat(earlier) - datetime.fromisoformat(at)
    except (TypeError, ValueError):  # tampered with
        return False
    return gap > _CLOCKS_DIFFER
