"""One record, changed cell by cell, with a reason."""

from collections.abc import Iterable, Mapping

from necroangle.clinical.cells import Reading, parse_cell, parse_key, stated_values
from necroangle.clinical.checks import Issue
from necroangle.clinical.queries import entries_of, read_visits
from necroangle.clinical.records import Key, State, parents_of, read_state
from necroangle.clinical.rules import check_subject
from necroangle.entries import KINDS, Field, field_named, fields_of, missing_name
from necroangle.errors import CohortError
from necroangle.ledger.admission import enrolment_of
from necroangle.ledger.records import Entry, Record
from necroangle.ledger.store import CohortStore
from necroangle.ledger.withdrawal import readings_of, withdraw_reading
from necroangle.measurement.row import Cell
from necroangle.protocol.study import Missing, StudyProtocol


def edit_record(
    store: CohortStore,
    kind: str,
    key: tuple[str, ...],
    changes: Mapping[str, str],
    *,
    actor: str,
    reason: str,
    protocol: StudyProtocol | None = None,
    create: bool = False,
) -> tuple[dict[str, Cell], tuple[Issue, ...]]:
    """Change fields of a record.

    Parameters
    ----------
    store
        The cohort.
    kind, key
        Which record, as typed.
    changes
        Field to text: a value, a missing code, or nothing to take the value out.
    actor, reason
        Who, and why.
    protocol
        The study's, where there is one.
    create
        Whether the record is made where there is none; its hip and subject are made with it.

    Returns
    -------
    tuple
        The record's content now, and doubts that the change brought.

    Raises
    ------
    CohortError
        If there is no such record, a value is refused, the change contradicts other records, no
        reason is given, or another writer came first. Nothing is then written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> store = CohortStore.open(Path(mkdtemp()) / "cohort.sqlite")
    >>> who = {"actor": "nurse", "reason": "file of 2 May"}
    >>> edit_record(store, "subject", ("S01",), {"sex": "f"}, create=True, **who)
    ({'sex': 'F'}, ())
    >>> edit_record(store, "subject", ("S01",), {"sex": "x"}, **who)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: subject S01: sex: 'x' is none of M, F
    """
    _refuse_without_reason(reason)
    key = parse_key(_kind(kind), key)
    record = _find(store, kind, key)
    if record is None and not create:
        raise CohortError(f"there is no {kind} {' '.join(key)}; --create makes it")
    problem = enrolment_of(store).refusal(*key[: min(len(key), 2)]) if record is None else ""
    if problem:
        raise CohortError(f"{key[0]}: {problem} If it is new, enrol it (`necroangle enrol`)")
    missing = protocol.missing if protocol is not None else Missing()
    values = dict(record.values) if record is not None else {}
    for name, text in changes.items():
        values = _changed(kind, key, values, name, text, missing)
    doubts = _check(store, kind, key, values, protocol)
    lacking = [parent for parent in parents_of(kind, key) if _find(store, *parent) is None]
    entries = [Entry(*parent, {}, reason, 0) for parent in lacking]
    entries.append(Entry(kind, key, values, reason, record.revision if record else 0))
    entries += entries_of(doubts, reason)
    _write(store, entries, actor)
    return values, doubts


def withdraw_record(
    store: CohortStore,
    kind: str,
    key: tuple[str, ...],
    *,
    actor: str,
    reason: str,
    with_children: bool = False,
) -> list[str]:
    """Withdraw a record; its history stays.

    Parameters
    ----------
    with_children
        Whether the records and readings that belong to it are withdrawn with it.

    Returns
    -------
    list
        What was withdrawn, in words.

    Raises
    ------
    CohortError
        If there is none, something belongs to it and is not to be withdrawn, no reason is given,
        or another writer came first.
    """
    _refuse_without_reason(reason)
    key = parse_key(_kind(kind), key)
    record = _find(store, kind, key)
    if record is None:
        raise CohortError(f"there is no {kind} {' '.join(key)}")
    below = _below(store, kind, key)
    reads = readings_of(store, key) if with_children and kind in ("subject", "hip", "visit") else {}
    if below and not with_children:
        count = f" and {len(below) - 1} more" if len(below) > 1 else ""
        raise CohortError(
            f"{_name(below[0])}{count} belongs to this {kind}; withdraw that first, or all of it "
            "with `necroangle withdraw ... --with-children`"
        )
    entries = [Entry(one.kind, one.key, None, reason, one.revision) for one in (*below, record)]
    _write(store, entries, actor)
    for reading in reads:
        withdraw_reading(store, reading, actor=actor, reason=reason)
    return [*map(_name, (*below, record)), *(f"reading {' '.join(one)}" for one in reads)]


def _name(record: Record) -> str:
    return f"{record.kind} {' '.join(record.key)}"


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise CohortError(f"there is no kind {kind!r:.40}; there are: {', '.join(KINDS)}")
    return kind


def _refuse_without_reason(reason: str) -> None:
    if not reason.strip():
        raise CohortError("say why: every change of a record has a reason")


def _find(store: CohortStore, kind: str, key: Key) -> Record | None:
    return next((record for record in store.current(kind, key) if record.key == key), None)


def _below(store: CohortStore, kind: str, key: Key) -> list[Record]:
    """The records that belong to this one, the lowest first."""
    found = [record for some in read_state(store, key[:1]).values() for record in some]
    return [one for one in reversed(found) if (kind, key) in parents_of(one.kind, one.key)]


def _changed(
    kind: str, key: Key, values: dict[str, Cell], name: str, text: str, missing: Missing
) -> dict[str, Cell]:
    """The content with one field changed."""
    try:
        stated = parse_cell(_field(kind, name), text.strip(), Reading(missing=missing.codes))
    except ValueError as error:
        raise CohortError(f"{kind} {' '.join(key)}: {name}: {error}") from error
    kept = {one: cell for one, cell in values.items() if one not in (name, missing_name(name))}
    return kept if stated.is_nothing else {**kept, **stated_values(name, stated)}


def _field(kind: str, name: str) -> Field:
    try:
        return field_named(kind, name)
    except KeyError as error:
        names = ", ".join(field.name for field in fields_of(kind))
        raise ValueError(f"no field of a {kind}; there are: {names}") from error


def _check(
    store: CohortStore,
    kind: str,
    key: Key,
    values: Mapping[str, Cell],
    protocol: StudyProtocol | None,
) -> tuple[Issue, ...]:
    """The doubts that the change brings; a contradiction is refused."""
    found: Iterable[list[Record]] = read_state(store, key[:1]).values()
    before = {(one.kind, one.key): one.values for records in found for one in records}
    own = read_visits(store, key[:1]).get(key[0], [])
    known = set(check_subject(State(before), key[0], protocol, readings=own))
    after = State({**before, (kind, key): values})
    found_now = check_subject(after, key[0], protocol, readings=own)
    issues = [issue for issue in found_now if issue not in known]
    for issue in issues:
        if issue.is_fatal:
            raise CohortError(str(issue))
    return tuple(issues)


def _write(store: CohortStore, entries: list[Entry], actor: str) -> None:
    for conflict in store.record(entries, actor=actor).conflicts:
        raise CohortError(f"nothing was written: {conflict}")
