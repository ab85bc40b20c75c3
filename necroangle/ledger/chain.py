"""The chain of the ledger: every event carries the hash of the one before it.

The hash of an event is SHA-256 over one line of compact JSON (UTF-8, no spaces, letters beyond
ASCII as they are)::

    [previous_hash, seq, at, actor, kind, key, action, reason, payload, idempotency_key]

``key`` and ``payload`` are JSON texts themselves and stand there as strings, exactly as stored, so
that anyone can repeat the sum with nothing but a JSON writer and SHA-256. The first event's
previous hash is 64 zeros. Events are numbered from 1 without a gap: the order is the number's, not
the clock's, which may go backwards.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

__all__ = ["GENESIS", "LINK_COLUMNS", "Break", "Link", "broken_links", "seal"]

GENESIS = "0" * 64
"""What the first event has for a previous hash."""

_PLAIN = frozenset({int, str, type(None)})
"""Bytes in the place of a text would be hashed like their Base64: they are no event's."""

_ENCODE = msgspec.json.Encoder().encode


class Link(NamedTuple):
    """One event as it is stored, column by column.

    Attributes
    ----------
    seq
        Number of the event, from 1 without a gap.
    at
        UTC to the millisecond, ``2026-01-31T08:15:00.000Z``.
    actor
        Who did it.
    kind, key
        What it is about; the key as a JSON list of texts.
    action
        ``"create"``, ``"change"`` or ``"withdraw"``.
    reason
        Why, in the actor's words.
    payload
        The full new content as JSON; None withdraws.
    idempotency_key
        The same write, tried again, carries the same one; None where it needs none.
    previous_hash, hash
        The chain.
    """

    seq: int
    at: str
    actor: str
    kind: str
    key: str
    action: str
    reason: str
    payload: str | None
    idempotency_key: str | None
    previous_hash: str
    hash: str


LINK_COLUMNS = Link._fields


class Break(NamedTuple):
    """A place where the chain does not hold: the number of the event, and what is wrong."""

    seq: int
    problem: str


def seal(previous_hash: str, content: tuple[object, ...]) -> str:
    """Hash of an event.

    Parameters
    ----------
    previous_hash
        Hash of the event before it.
    content
        ``seq`` to ``idempotency_key`` of :class:`Link`, in that order.

    Examples
    --------
    >>> content = (
    ...     1,
    ...     "2026-01-31T08:15:00.000Z",
    ...     "r1",
    ...     "subject",
    ...     '["S01"]',
    ...     "create",
    ...     "",
    ...     '{"sex":"F"}',
    ...     None,
    ... )
    >>> seal(GENESIS, content)[:16]
    '1ae3ef91970ad9f6'
    """
    return hashlib.sha256(_ENCODE((previous_hash, *content))).hexdigest()


def broken_links(links: Iterable[Link]) -> Iterator[Break]:
    """The places where a chain does not hold, in the order of the events.

    An event that was changed is named once: the ones after it are judged by the hash that it
    carries, not by the one that it ought to have.

    Examples
    --------
    >>> content = (
    ...     1,
    ...     "2026-01-31T08:15:00.000Z",
    ...     "r1",
    ...     "subject",
    ...     '["S01"]',
    ...     "create",
    ...     "",
    ...     "{}",
    ...     None,
    ... )
    >>> link = Link(*content, GENESIS, seal(GENESIS, content))
    >>> list(broken_links([link]))
    []
    >>> [found.problem for found in broken_links([link._replace(actor="r2")])]
    ['its content was changed: the hash does not fit']
    """
    previous, number = GENESIS, 0
    for link in links:
        if link.seq != number + 1:
            yield Break(link.seq, _gap(number, link.seq))
        elif link.previous_hash != previous:
            yield Break(link.seq, f"its link to event {number} was changed, or that event's hash")
        if not _PLAIN.issuperset(map(type, link)) or seal(link[9], link[:9]) != link.hash:
            yield Break(link.seq, "its content was changed: the hash does not fit")
        previous, number = link.hash, link.seq


def _gap(before: int, found: int) -> str:
    missing = "" if found == before + 2 else f" to {found - 1}"
    return f"before it, event {before + 1}{missing} is missing"
