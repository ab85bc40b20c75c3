"""A named state is locked for analysis, and opened again."""

import re
from typing import TYPE_CHECKING

from necroangle.errors import CohortError
from necroangle.ledger.locking import LOCK
from necroangle.ledger.records import Entry
from necroangle.ledger.store import CohortStore
from necroangle.protocol.visits import IDENTIFIER

if TYPE_CHECKING:
    from necroangle.measurement.row import Cell


def lock(store: CohortStore, name: str, *, actor: str, reason: str) -> str:
    """Lock the state that the cohort has now; its canonical hash.

    Raises
    ------
    CohortError
        If a state is locked already, or the name is none or was used before.
    """
    found = store.locked()
    if found is not None:
        raise CohortError(f"{store.name}: the state {found.name!r} is locked already")
    if not re.search(IDENTIFIER, name):
        raise CohortError(f"{name!r:.80} is no name: letters, digits, dots, dashes, underscores")
    if store.history(LOCK, (name,)):
        raise CohortError(f"{store.name}: a state {name!r} was locked before; give another name")
    anchor, canonical = store.anchor(), store.canonical_sha256()
    if anchor is None:
        raise CohortError(f"{store.name}: the cohort is empty")
    told: dict[str, Cell] = {
        "canonical_sha256": canonical,
        "events": anchor.seq,
        "head": anchor.head,
    }
    store.record([Entry(LOCK, (name,), told, reason, expected=0)], actor=actor)
    now = store.locked()
    if now is None or now.seq != anchor.seq:
        open_lock(store, actor=actor, reason="another wrote while it was locked")
        raise CohortError(f"{store.name}: another wrote meanwhile; lock it by a new name")
    return canonical


def open_lock(store: CohortStore, *, actor: str, reason: str) -> str:
    """Open the state that is locked; its name.

    Raises
    ------
    CohortError
        If none is locked.
    """
    found = store.locked()
    if found is None:
        raise CohortError(f"{store.name}: no state is locked")
    store.record([Entry(LOCK, (found.name,), None, reason)], actor=actor)
    return found.name
