"""Every event of one key, with its content by name."""

import sqlalchemy as sa

from necroangle.ledger.chain import Link
from necroangle.ledger.measured import MEASUREMENT, decode_row
from necroangle.ledger.read import decode_payload
from necroangle.ledger.records import Event, decode_key, encode_key
from necroangle.ledger.schema import LEDGER
from necroangle.measurement.row import Cell

__all__ = ["history"]


def history(connection: sa.Connection, kind: str, key: tuple[str, ...]) -> list[Event]:
    """Every event of one key, the first one first."""
    query = sa.select(*LEDGER.columns).order_by(LEDGER.c.seq)
    found = connection.execute(query.where(LEDGER.c.kind == kind, LEDGER.c.key == encode_key(key)))
    return [_event(connection, Link(*row)) for row in found.all()]


def _event(connection: sa.Connection, link: Link) -> Event:
    return Event(
        seq=link.seq,
        at=link.at,
        actor=link.actor,
        kind=link.kind,
        key=decode_key(link.key),
        action=link.action,
        reason=link.reason,
        payload=link.payload,
        previous_hash=link.previous_hash,
        hash=link.hash,
        values=None if link.payload is None else _values(connection, link, link.payload),
        idempotency_key=link.idempotency_key,
    )


def _values(connection: sa.Connection, link: Link, payload: str) -> dict[str, Cell]:
    place = f"event {link.seq}"
    if link.kind == MEASUREMENT:
        return decode_row(connection, payload, place)
    return decode_payload(payload, place)
