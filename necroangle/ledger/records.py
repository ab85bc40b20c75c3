"""What is asked of the ledger and what it answers: entries, records, events, conflicts.

The ledger is append-only: nothing in it is ever changed or removed. The current state of a key is
its last event; withdrawing is an event too. What a write does to what stands there is decided here,
in one place, with no database at hand.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from necroangle.errors import CohortError
from necroangle.measurement.row import Cell

OWN_KINDS = frozenset({"measurement", "reading_file", "columns", "sealing", "erasure"})
"""Kinds of events that only the ledger itself writes."""

ENROLLED, STUDY_LIST = "enrolled", "study_list"
"""A subject of the study's list, key ``(subject,)``; and the list itself, key ``("subjects",)``."""

QUERY = "query"
"""What is asked about a record, key ``(subject, ..., rule)``: its state, and the answer."""

RESTORED = "restored"
"""A backup that was put back over later events: its last event, and the last one given up."""

WITHDRAWN_READING = "withdrawn_reading"
"""A reading that was taken out, key ``(subject, laterality, visit, reader, read_no)``."""

_KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ENCODE = msgspec.json.Encoder().encode
_KEY_DECODER = msgspec.json.Decoder(tuple[str, ...])
_LARGEST_WHOLE = 2**63


@dataclass(frozen=True, slots=True)
class Entry:
    """What a writer asks for.

    Attributes
    ----------
    kind
        What it is about, one lower-case word: ``"subject"``, ``"hip"``, ``"visit"``.
    key
        Which one: ``("S01",)``, ``("S01", "L")``, ``("S01", "L", "month_6")``.
    values
        The full new content, or None to withdraw it (nothing is lost: the events stay).
    reason
        Why, in the writer's words.
    expected
        Revision that the writer saw (:attr:`Record.revision`): where another stands by now, the
        entry is not written but returned as a conflict. 0: "there is none". None: no check.
    idempotency_key
        The same write, tried again after a doubtful end, carries the same one and is written
        once. By default it follows from kind, key, content, actor and the revision seen.

    Raises
    ------
    CohortError
        If the kind or the key is malformed.

    Examples
    --------
    >>> Entry("subject", ("S01",), {"sex": "F"}, expected=0).key
    ('S01',)
    >>> Entry("Subject", ("S01",), {})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a kind is one lower-case word, found 'Subject'
    """

    kind: str
    key: tuple[str, ...]
    values: Mapping[str, Cell] | None
    reason: str = ""
    expected: int | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        if not _KIND.fullmatch(self.kind):
            raise CohortError(f"a kind is one lower-case word, found {self.kind!r:.80}")
        parts: object = self.key
        if not isinstance(parts, tuple) or not parts or not all(map(_is_word, parts)):
            raise CohortError(f"a key is one text or more, none empty, found {self.key!r:.80}")


@dataclass(frozen=True, slots=True)
class Record:
    """The current state of one key.

    Attributes
    ----------
    kind, key, values
        As in :class:`Entry`.
    revision
        Number of the event that made it so.
    at, actor, reason
        When (UTC), by whom and why.
    """

    kind: str
    key: tuple[str, ...]
    values: dict[str, Cell]
    revision: int
    at: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the ledger.

    Attributes
    ----------
    seq, at, actor, kind, key, action, reason
        As in :class:`necroangle.ledger.chain.Link`; the key as a tuple.
    payload
        The content as the JSON text that was hashed; None where it was withdrawn.
    previous_hash, hash
        The chain.
    values
        The content by name; None where it was withdrawn.
    idempotency_key
        What makes the same write, tried again, one write.
    """

    seq: int
    at: str
    actor: str
    kind: str
    key: tuple[str, ...]
    action: str
    reason: str
    payload: str | None
    previous_hash: str
    hash: str
    values: dict[str, Cell] | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """An entry that was not written: another writer came first.

    Attributes
    ----------
    key
        Which one.
    expected
        The revision that the writer saw.
    found
        What stands there now; None where there is nothing.
    wanted
        What the writer asked for: offered again, with ``found`` beside it, nothing is lost.
    """

    key: tuple[str, ...]
    expected: int
    found: Record | None
    wanted: Entry

    def __str__(self) -> str:
        """One line for people."""
        who = f"{self.found.actor or 'someone'} at {self.found.at}" if self.found else ""
        now = f"changed by {who}" if self.found else "withdrawn, or never there"
        return f"{self.wanted.kind} {' '.join(self.key)}: {now}; look at it and decide"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a write did, in numbers of entries, and the entries that were not written."""

    created: int = 0
    changed: int = 0
    withdrawn: int = 0
    unchanged: int = 0
    conflicts: tuple[Conflict, ...] = ()


def encode_key(key: tuple[str, ...]) -> str:
    """The key as a JSON list.

    Examples
    --------
    >>> encode_key(("S01", "L"))
    '["S01","L"]'
    """
    return _ENCODE([plain_text(part, "key") for part in key]).decode()


def decode_key(text: str) -> tuple[str, ...]:
    """The key from its JSON list; a text that is none (tampered with) is a key of itself."""
    try:
        return _KEY_DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return (text,)


def encode_values(values: Mapping[str, Cell]) -> str:
    """The content as JSON: names sorted, no spaces, every digit.

    Raises
    ------
    CohortError
        If a value is no text, whole number, finite real number or None.

    Examples
    --------
    >>> encode_values({"vas": 3.5, "sex": "F"})
    '{"sex":"F","vas":3.5}'
    >>> encode_values({"vas": float("nan")})
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: vas: nan is no finite number; leave it empty
    """
    plain = {plain_text(name, "name"): _plain(values[name], name) for name in sorted(values)}
    return _ENCODE(plain).decode()


def plain_text(text: str, place: str) -> str:
    """The text as a plain ``str`` (an enumeration's member as its value), checked.

    Raises
    ------
    CohortError
        If it cannot be written as UTF-8, or holds NUL, which no database server takes.
    """
    plain = str(text)
    if "\0" in plain or (not plain.isprintable() and _has_surrogate(plain)):
        raise CohortError(f"{place}: {plain!a:.80} holds NUL or half a letter; remove it")
    return plain


def _is_word(part: object) -> bool:
    return isinstance(part, str) and part != ""


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _plain(cell: Cell, name: str) -> Cell:
    if cell is None:
        return None
    if isinstance(cell, str):
        return plain_text(cell, name)
    if isinstance(cell, float):
        if not math.isfinite(cell):
            raise CohortError(f"{name}: {cell!r} is no finite number; leave it empty")
        return float(cell) + 0.0
    number: object = cell
    if not isinstance(number, int) or isinstance(number, bool) or abs(number) >= _LARGEST_WHOLE:
        raise CohortError(f"{name}: {number!r:.80} is no text and no number; write 1 for yes")
    return int(number)


class Outcome(StrEnum):
    """What becomes of an entry; the first three are actions of the ledger."""

    CREATE = "create"
    CHANGE = "change"
    WITHDRAW = "withdraw"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"


class State(NamedTuple):
    """The last event of a key: its number and content; None where it was withdrawn."""

    seq: int = 0
    payload: str | None = None

    @property
    def revision(self) -> int:
        """What a writer sees: 0 where there is nothing."""
        return self.seq if self.payload is not None else 0


def decide(state: State, wanted: str | None, expected: int | None) -> Outcome:
    """What becomes of a wish.

    What stands there already is never a conflict, whoever wrote it: both wanted the same.

    Parameters
    ----------
    state
        What stands there; ``State()`` where there was never anything.
    wanted
        The new content, or None to withdraw.
    expected
        The revision that the writer saw, or None for no check.

    Examples
    --------
    >>> decide(State(), '{"sex":"F"}', 0).value
    'create'
    >>> decide(State(7, '{"sex":"M"}'), '{"sex":"F"}', 5).value
    'conflict'
    >>> decide(State(7, '{"sex":"F"}'), '{"sex":"F"}', 5).value
    'unchanged'
    """
    if state.payload == wanted:
        return Outcome.UNCHANGED
    if expected is not None and expected != state.revision:
        return Outcome.CONFLICT
    if wanted is None:
        return Outcome.WITHDRAW
    return Outcome.CREATE if state.payload is None else Outcome.CHANGE
