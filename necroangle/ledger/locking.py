"""Named states: while one is locked, nothing of the cohort changes, and what is made of it says so.

A lock is an event; opening it is another. Names are used once.
"""

from typing import NamedTuple

import sqlalchemy as sa

from necroangle.ledger.records import decode_key
from necroangle.ledger.schema import LEDGER, UNLOCKED_KINDS

__all__ = ["LOCK", "UNLOCKED_KINDS", "LockedState", "locked_state"]

LOCK = "lock"


class LockedState(NamedTuple):
    """A state that is locked: its name, when and by whom it was locked, and the event before it."""

    name: str
    at: str
    actor: str
    seq: int


def locked_state(connection: sa.Connection) -> LockedState | None:
    """The state that is locked now; None where the cohort is open."""
    query = sa.select(LEDGER.c.seq, LEDGER.c.at, LEDGER.c.actor, LEDGER.c.key, LEDGER.c.payload)
    query = query.where(LEDGER.c.kind == LOCK).order_by(LEDGER.c.seq.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    if found is None or found.payload is None:
        return None
    return LockedState(decode_key(found.key)[0], found.at, found.actor, found.seq - 1)
