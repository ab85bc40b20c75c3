"""Imports that are undone: each record as it was before, as events with a reason."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from necroangle.clinical.importing import IMPORT_OF
from necroangle.clinical.records import Key, parents_of
from necroangle.entries import KINDS
from necroangle.errors import CohortError
from necroangle.ledger.events import decode_payload
from necroangle.ledger.records import ENROLLED, QUERY, Entry, Recorded, decode_key
from necroangle.ledger.schema import LEDGER
from necroangle.ledger.store import CohortStore

_REASON = re.compile(rf"{IMPORT_OF}([0-9a-f]{{16}})(?:: .*)?", re.DOTALL)
Place = tuple[str, str]
"""Kind and key, as they stand in the ledger."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One table that was imported once.

    Attributes
    ----------
    table
        The first 16 digits of the table's SHA-256.
    at, actor
        When and by whom.
    first
        Number of its first event.
    events
        Kind and key of each record that it wrote, to the number of the event.
    standing
        How many of them still stand as it wrote them.
    """

    table: str
    at: str
    actor: str
    first: int
    events: dict[Place, int]
    standing: int

    @property
    def counts(self) -> Counter[str]:
        """How many records of each kind it wrote."""
        return Counter(kind for kind, _ in self.events if kind in KINDS)

    def __str__(self) -> str:
        """One line for people."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.counts.items())
        total = len(self.events)
        state = "stands" if self.standing == total else f"{self.standing} of {total} stand"
        return f"{self.table}  {self.at}  {self.actor}  {kinds or 'nothing'}  {state}"


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What undoing an import would write.

    Attributes
    ----------
    run
        The import.
    entries
        For the ledger, without their reason.
    changed
        Records that were changed after the import, and are left as they are.
    kept
        Subjects and hips that the import made and to which other records belong by now: they stay.
    """

    run: ImportRun
    entries: tuple[Entry, ...]
    changed: tuple[str, ...]
    kept: tuple[str, ...]


def imports_of(store: CohortStore) -> list[ImportRun]:
    """Every import of which the ledger tells, the first one first."""
    columns = (LEDGER.c.seq, LEDGER.c.at, LEDGER.c.actor, LEDGER.c.reason, LEDGER.c.kind)
    query = sa.select(*columns, LEDGER.c.key).where(LEDGER.c.reason.startswith(IMPORT_OF))
    runs: list[tuple[tuple[str, str, str], dict[Place, int]]] = []
    with store.reading() as connection:
        for seq, at, actor, reason, kind, key in connection.execute(query.order_by(LEDGER.c.seq)):
            found = _REASON.fullmatch(reason)
            if found is None:
                continue
            head = (found[1], at, actor)
            if not runs or runs[-1][0] != head:
                runs.append((head, {}))
            runs[-1][1][kind, key] = seq
        last = set(connection.execute(sa.select(sa.func.max(LEDGER.c.seq)).group_by(
            LEDGER.c.kind, LEDGER.c.key)).scalars())  # fmt: skip
    return [
        ImportRun(*head, min(events.values()), events, sum(seq in last for seq in events.values()))
        for head, events in runs
    ]


def plan_undo(store: CohortStore, table: str) -> UndoPlan:
    """What undoing the last import of a table would write.

    Parameters
    ----------
    table
        The first digits of the table's SHA-256, as :func:`imports_of` gives them.

    Raises
    ------
    CohortError
        If no import of such a table stands, or several tables begin so.
    """
    runs = [run for run in imports_of(store) if run.table.startswith(table.lower()[:16])]
    if len({run.table for run in runs}) > 1:
        raise CohortError(f"{store.name}: several tables begin with {table}; give more digits")
    standing = [run for run in runs if run.standing]
    if not standing:
        known = "nothing of it stands" if runs else "there is no such import"
        raise CohortError(f"{store.name}: {table}: {known}; `necroangle undo` lists the imports")
    run = standing[-1]
    entries, changed = _restored(store, run)
    entries, kept = _without_needed(store, entries)
    return UndoPlan(run, tuple(entries), tuple(changed), tuple(kept))


def undo_import(store: CohortStore, plan: UndoPlan, *, actor: str, reason: str) -> Recorded:
    """Write what was planned.

    Raises
    ------
    CohortError
        If no reason is given.
    """
    if not reason.strip():
        raise CohortError(f"{store.name}: say why the import is undone")
    why = f"undo of import {plan.run.table}: {reason}"
    entries = [Entry(one.kind, one.key, one.values, why, one.expected) for one in plan.entries]
    return store.record(entries, actor=actor)


def _restored(store: CohortStore, run: ImportRun) -> tuple[list[Entry], list[str]]:
    """Each record as it was before, and those that were changed since."""
    before, now = _states(store, run.first), _states(store, None)
    entries, changed = [], []
    for (kind, key), seq in run.events.items():
        parts = decode_key(key)
        last, payload = now[kind, key]
        if last != seq:
            if kind in (*KINDS, ENROLLED) and payload is not None:
                changed.append(f"{kind} {' '.join(parts)}")
            continue
        old = before.get((kind, key), (0, None))[1]
        values = None if old is None else decode_payload(old, f"event {last}")
        entries.append(Entry(kind, parts, values, "", last))
    return entries, changed


def _states(store: CohortStore, first: int | None) -> dict[Place, tuple[int, str | None]]:
    """Number and content of the last event of each record; of those before a number, or of all."""
    found: dict[Place, tuple[int, str | None]] = {}
    kinds = (*KINDS, ENROLLED, QUERY)
    query = sa.select(LEDGER.c.kind, LEDGER.c.key, LEDGER.c.seq, LEDGER.c.payload)
    query = query.where(LEDGER.c.kind.in_(kinds))
    if first is not None:
        query = query.where(LEDGER.c.seq < first)
    with store.reading() as connection:
        for kind, key, seq, payload in connection.execute(query.order_by(LEDGER.c.seq)):
            found[kind, key] = (seq, payload)
    return found


def _without_needed(store: CohortStore, entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Without the withdrawals of subjects and hips to which other records still belong."""
    gone = {(one.kind, one.key) for one in entries if one.values is None}
    there: set[tuple[str, Key]] = {
        (kind, record.key) for kind in KINDS for record in store.current(kind)
    }
    left = there - gone
    stay = {parent for kind, key in left for parent in parents_of(kind, key)} & gone
    stay |= {(ENROLLED, (subject,)) for subject in {key[0] for _, key in left}} & gone
    kept = [f"{kind} {' '.join(key)}" for kind, key in sorted(stay) if kind != ENROLLED]
    return [one for one in entries if (one.kind, one.key) not in stay], kept
