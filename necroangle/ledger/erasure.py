"""Erasure: where consent is withdrawn, nothing that was said of a patient is left.

An event of kind ``erasure`` is chained first and tells which events, by number, lose what they
said; it names no patient. Then key, reason, content and salt of these go, with the rows and kept
readings of the patient. Their seals stay, so the chain, and every anchor, holds as before. What the
file held is overwritten, and the file is written anew, so that no old page keeps a value.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.events import LedgerEnd
from necroangle.ledger.records import OWN_KINDS, QUERY, decode_key, encode_key, encode_values
from necroangle.ledger.schema import CONTENT, LEDGER, ROWS
from necroangle.protocol.near_names import NearNames

if TYPE_CHECKING:
    from necroangle.measurement.row import Cell

ERASURE = "erasure"
_ONLY_SAID = {"key": "", "reason": "", "payload": None, "idempotency_key": None, "salt": None}
_AT_ONCE = 400
_WORD = re.compile(r"\w[\w.-]*\w|\w")


class _Tombstone(msgspec.Struct):
    """What an event of an erasure says; ``events`` has a space before and after every number."""

    events: str
    rows: int
    readings: int


_TOMBSTONE = msgspec.json.Decoder(_Tombstone)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, in numbers.

    Attributes
    ----------
    events, rows, readings
        Events that lost what they said, measured rows, kept readings.
    seq
        Number of the event that tells of it.
    mentions
        Events of others that name the patient: they stay as they are.
    """

    events: int
    rows: int
    readings: int
    seq: int
    mentions: tuple[int, ...]


def erased_by(payload: object) -> tuple[set[int], int]:
    """The numbers of the events that an event of an erasure tells, and how many rows went.

    Examples
    --------
    >>> erased_by('{"events":" 3 4 ","readings":1,"rows":1}')
    ({3, 4}, 1)
    """
    try:
        found = _TOMBSTONE.decode(str(payload))
        return set(map(int, found.events.split())), found.rows
    except (msgspec.MsgspecError, ValueError, UnicodeEncodeError):
        return set(), 0


def events_of(connection: sa.Connection, subject: str) -> list[int]:
    """The numbers of the events whose key begins with a patient's pseudonym.

    And of the queries of other patients that name this one: they are asked anew by themselves.
    """
    text = encode_key((subject,))
    start = text[:-1] + ","
    begins = sa.func.substr(LEDGER.c.key, 1, len(start)) == start
    query = sa.select(LEDGER.c.seq).where(sa.or_(LEDGER.c.key == text, begins))
    found = set(connection.execute(query).scalars())
    queries = sa.select(LEDGER.c.seq, LEDGER.c.key, LEDGER.c.reason, LEDGER.c.payload).where(
        LEDGER.c.kind == QUERY, LEDGER.c.key != ""
    )
    for seq, *texts in connection.execute(queries):
        if any(_names(str(text), subject) for text in texts if text):
            found.add(seq)
    return sorted(found)


def erased_numbers(connection: sa.Connection) -> frozenset[int]:
    """The numbers of all events that were erased."""
    query = sa.select(LEDGER.c.payload).where(LEDGER.c.kind == ERASURE)
    return frozenset(
        seq for payload in connection.execute(query).scalars() for seq in erased_by(payload)[0]
    )


def subjects_of(connection: sa.Connection, numbers: Iterable[int]) -> set[str]:
    """The pseudonyms that the events of some numbers still tell of."""
    found: set[str] = set()
    for some in _portions(sorted(numbers)):
        query = sa.select(LEDGER.c.key).where(
            LEDGER.c.seq.in_(some), LEDGER.c.key != "", LEDGER.c.kind != QUERY
        )  # a query that went may have been another patient's
        found.update(decode_key(key)[0] for key in connection.execute(query).scalars())
    return found


def erase_events(connection: sa.Connection, end: LedgerEnd, subject: str, reason: str) -> Erased:
    """Erase what was said of a patient, within the caller's transaction.

    Raises
    ------
    CohortError
        If nothing is said of the patient, or the reason is empty or names the patient.
    """
    if not reason.strip() or _names(reason, subject):
        raise CohortError("say why, without the patient's pseudonym: the reason is kept")
    seqs = events_of(connection, subject)
    if not seqs:
        raise CohortError(f"nothing is said of a patient {subject!r:.80}")
    readings = _readings_of(connection, seqs)
    rows = connection.execute(ROWS.delete().where(ROWS.c.subject == subject)).rowcount
    numbers = "".join(f" {seq}" for seq in seqs) + " "
    told: dict[str, Cell] = {"events": numbers, "readings": len(readings), "rows": rows}
    at = end.append(
        ERASURE, encode_key((str(end.seq + 1),)), "create", encode_values(told), reason=reason
    )
    end.write()
    for some in _portions(seqs):
        connection.execute(LEDGER.update().where(LEDGER.c.seq.in_(some)).values(_ONLY_SAID))
    for some in _portions(readings):
        connection.execute(CONTENT.delete().where(CONTENT.c.sha256.in_(some)))
    return Erased(len(seqs), rows, len(readings), at, tuple(_mentions(connection, subject)))


def _readings_of(connection: sa.Connection, seqs: list[int]) -> list[str]:
    """The hashes of the kept readings that some events tell of."""
    found = set()
    for some in _portions(seqs):
        query = sa.select(LEDGER.c.payload).where(
            LEDGER.c.seq.in_(some), LEDGER.c.kind == "reading_file", LEDGER.c.payload.is_not(None)
        )
        for payload in connection.execute(query).scalars():
            found.add(str(msgspec.json.decode(payload)["sha256"]))
    return sorted(found)


def _mentions(connection: sa.Connection, subject: str) -> Iterator[int]:
    """Events of others that name a patient, or a name alike, in their reason or content."""
    names = NearNames([subject])
    query = sa.select(LEDGER.c.seq, LEDGER.c.reason, LEDGER.c.payload).where(
        LEDGER.c.kind.not_in(OWN_KINDS)
    )
    for seq, *found in connection.execute(query.order_by(LEDGER.c.seq)):
        words = {word for text in found if text for word in _WORD.findall(str(text))}
        if any(word == subject or names.alike(word) for word in words):
            yield seq
        elif any(_names(str(text), subject) for text in found if text):
            yield seq  # a pseudonym that is more than one word


def _names(text: str, subject: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(subject)}(?!\w)", text) is not None


def _portions(items: list[Any]) -> Iterable[list[Any]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
