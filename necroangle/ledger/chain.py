"""The chain of the ledger: every event carries the hash of the one before it.

What an event says of a patient (its key, reason and content) is sealed first, SHA-256 over one line
of compact JSON (UTF-8, no spaces, letters beyond ASCII as they are)::

    [salt, key, reason, payload, idempotency_key]

The hash of the event is SHA-256 over another::

    [previous_hash, seq, at, server_at, server_user, actor, kind, action, sealed]

``key`` and ``payload`` are JSON texts themselves and stand there as strings, exactly as stored, so
that anyone can repeat the sums with nothing but a JSON writer and SHA-256. The first event's
previous hash is 64 zeros. Events are numbered from 1 without a gap: the order is the number's, not
the clock's, which may go backwards.

The salt is 128 random bits. Where a patient's consent is withdrawn, salt, key, reason and content
are removed; the seal stays and tells nothing without the salt, so the chain holds as before.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

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
        UTC to the millisecond by the writer's clock, ``2026-01-31T08:15:00.000Z``.
    server_at, server_user
        The same by a database server's clock, and who was logged in there; None in a file.
    actor
        Who did it.
    kind, key
        What it is about; the key as a JSON list of texts, empty where it was erased.
    action
        ``"create"``, ``"change"`` or ``"withdraw"``.
    reason
        Why, in the actor's words.
    payload
        The full new content as JSON; None withdraws.
    idempotency_key
        The same write, tried again, carries the same one; None where it needs none.
    salt
        Random, in hexadecimal; None where the content was erased.
    sealed
        Hash of salt and content.
    previous_hash, hash
        The chain.
    """

    seq: int
    at: str
    server_at: str | None
    server_user: str | None
    actor: str
    kind: str
    key: str
    action: str
    reason: str
    payload: str | None
    idempotency_key: str | None
    salt: str | None
    sealed: str
    previous_hash: str
    hash: str


LINK_COLUMNS = Link._fields


class Break(NamedTuple):
    """A place where the chain does not hold: the number of the event, and what is wrong."""

    seq: int
    problem: str


def new_salt() -> str:
    """128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def link(
    previous_hash: str,
    seq: int,
    stamp: tuple[str, str | None, str | None, str],
    said: tuple[str, str, str, str, str | None, str | None],
    salt: str,
) -> Link:
    """An event, sealed and chained.

    Parameters
    ----------
    previous_hash
        Hash of the event before it.
    stamp
        ``at``, ``server_at``, ``server_user`` and ``actor`` of :class:`Link`.
    said
        ``kind`` to ``idempotency_key`` of :class:`Link`, in that order.
    salt
        As :func:`new_salt` gives it.

    Examples
    --------
    >>> stamp = ("2026-01-31T08:15:00.000Z", None, None, "r1")
    >>> said = ("subject", '["S01"]', "create", "", '{"sex":"F"}', None)
    >>> link(GENESIS, 1, stamp, said, "00" * 16).hash[:16]
    '222288a2b0644cdb'
    """
    kind, key, action, reason, payload, name = said
    sealed = _hashed((salt, key, reason, payload, name))
    own = _hashed((previous_hash, seq, *stamp, kind, action, sealed))
    return Link._make((seq, *stamp, *said, salt, sealed, previous_hash, own))


def rebuilt(one: Link) -> Link:
    """The event with the hashes that it ought to have; an erased one keeps its seal."""
    sealed = one.sealed
    if not is_erased(one):
        sealed = _hashed((one.salt, one.key, one.reason, one.payload, one.idempotency_key))
    own = _hashed((one.previous_hash, *one[:6], one.action, sealed))  # seq to kind
    return one._replace(sealed=sealed, hash=own)


def is_erased(one: Link) -> bool:
    """Whether nothing but the seal is left of what an event said."""
    said = (one.salt, one.key, one.reason, one.payload, one.idempotency_key)
    return said == (None, "", "", None, None)


def broken_links(links: Iterable[Link]) -> Iterator[Break]:
    """The places where a chain does not hold, in the order of the events.

    An event that was changed is named once: the ones after it are judged by the hash that it
    carries, not by the one that it ought to have.

    Examples
    --------
    >>> stamp = ("2026-01-31T08:15:00.000Z", None, None, "r1")
    >>> one = link(GENESIS, 1, stamp, ("subject", '["S01"]', "create", "", "{}", None), "00" * 16)
    >>> list(broken_links([one]))
    []
    >>> [found.problem for found in broken_links([one._replace(actor="r2")])]
    ['its content was changed: the hash does not fit']
    >>> erased = one._replace(salt=None, key="", payload=None)
    >>> list(broken_links([erased]))
    []
    """
    previous, number = GENESIS, 0
    for one in links:
        if one.seq < 1:
            yield Break(one.seq, "no event has such a number: added from outside")
            continue
        if one.seq != number + 1:
            yield Break(one.seq, _gap(number, one.seq))
        elif one.previous_hash != previous:
            yield Break(one.seq, f"its link to event {number} was changed, or that event's hash")
        if not _PLAIN.issuperset(map(type, one)) or rebuilt(one) != one:
            yield Break(one.seq, "its content was changed: the hash does not fit")
        previous, number = one.hash, one.seq


def _hashed(parts: tuple[object, ...]) -> str:
    return hashlib.sha256(_ENCODE(parts)).hexdigest()


def _gap(before: int, found: int) -> str:
    missing = "" if found == before + 2 else f" to {found - 1}"
    return f"before it, event {before + 1}{missing} is missing"
