"""Queries: what a monitor asks about a cohort, and what became of each question.

A query is found anew from the records and readings each time; the ledger holds its state. Where the
finding itself changes, an earlier answer no longer speaks of it and the query is open again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import sqlalchemy as sa

from necroangle.clinical.checks import Issue, ReadVisit
from necroangle.clinical.records import State, read_state
from necroangle.clinical.rules import check_cohort, rule_named
from necroangle.errors import CohortError
from necroangle.ledger.admission import enrolment_of
from necroangle.ledger.records import QUERY, Entry, Record, encode_key
from necroangle.ledger.schema import ROWS
from necroangle.ledger.store import CohortStore
from necroangle.protocol.study import StudyProtocol

QueryState = Literal["open", "answered", "accepted", "resolved"]
STATES: tuple[QueryState, ...] = ("open", "answered", "accepted", "resolved")
"""Asked; told something, and still so; so and accepted, with a reason; no longer so."""


_SAID: tuple[QueryState, ...] = ("answered", "accepted")


@dataclass(frozen=True, slots=True)
class Query:
    """One question.

    Attributes
    ----------
    id
        Eight letters, the same for the same question for ever.
    issue
        What was found, and where.
    asks
        What is asked.
    state
        One of :data:`STATES`.
    answer, by, at
        The last that was said, by whom and when; empty where nothing was.
    """

    id: str
    issue: Issue
    asks: str
    state: QueryState
    answer: str = ""
    by: str = ""
    at: str = ""

    @property
    def place(self) -> str:
        """Which record or reading, in words."""
        return " ".join((self.issue.kind, *self.issue.key))

    def __str__(self) -> str:
        """One line: id, state, place, what was found, what is asked."""
        field = f", {self.issue.field}" if self.issue.field else ""
        words = f"{self.id}  {self.state:8}  {self.place}{field}: {self.issue.message}"
        said = f" [{self.by}: {self.answer}]" if self.answer else ""
        return f"{words}; {self.asks}{said}"


def find_queries(
    store: CohortStore,
    protocol: StudyProtocol | None,
    *,
    today: date | None = None,
    records: Mapping[str, Iterable[Record]] | None = None,
) -> list[Query]:
    """Every query of a cohort, those that are resolved included, in the order of the places.

    Parameters
    ----------
    store
        The cohort.
    protocol
        The study's, where there is one.
    today
        Later dates are asked about; None for the day itself.
    records
        The clinical records by kind, where they have been read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> store = CohortStore.open(Path(mkdtemp()) / "cohort.sqlite")
    >>> visits = {"m00": "3A", "m12": "2"}
    >>> rows = [Entry("visit", ("S1", "L", one), {"arco": arco}) for one, arco in visits.items()]
    >>> _ = store.record([Entry("subject", ("S1",), {}), *rows], actor="nurse")
    >>> [str(query)[8:77] for query in find_queries(store, None)]
    ['  open      visit S1 L m12, arco: ARCO stage 2, after 3A at m00; whic']
    """
    found = read_state(store) if records is None else records
    kept = [record for some in found.values() for record in some]
    readings = read_visits(store)
    state = State({(one.kind, one.key): one.values for one in kept})
    subjects = {record.key[0] for record in kept} | readings.keys()
    issues = check_cohort(state, subjects, protocol, readings, enrolment_of(store), today)
    said = {record.key: record for record in store.current(QUERY)}
    return sorted(_queries(issues, said), key=lambda query: (query.issue.key, query.issue.rule))


def read_visits(
    store: CohortStore, subjects: Iterable[str] | None = None
) -> dict[str, list[ReadVisit]]:
    """The measured readings of some subjects, or of all; of several methods the first by name."""
    names = ("subject", "laterality", "visit", "reader", "read_no", "cna_deg", "a_deg", "b_deg")
    columns = [ROWS.c[name] for name in (*names, "arco")]
    query = sa.select(*columns).order_by(*columns[:5], ROWS.c.method)
    if subjects is not None:
        query = query.where(ROWS.c.subject.in_(sorted(subjects)))
    found: dict[str, list[ReadVisit]] = {}
    last: tuple[object, ...] = ()
    with store.reading() as connection:
        for subject, side, *rest in connection.execute(query):
            if (key := (subject, side, *rest[:3])) != last:
                found.setdefault(subject, []).append(ReadVisit((subject, side), *rest))
            last = key
    return found


def entries_of(issues: Iterable[Issue], reason: str) -> list[Entry]:
    """What puts open queries in the ledger."""
    return [
        Entry(QUERY, key, {"state": "open", "finding": text}, reason)
        for key, (_, text) in _by_key(issues).items()
    ]


def record_queries(store: CohortStore, queries: Iterable[Query], *, actor: str) -> int:
    """Put in the ledger what is open and not yet there, and what is resolved; how many."""
    there = {record.key: record for record in store.current(QUERY)}
    entries = []
    for query in queries:
        key, before = _key(query.issue), there.get(_key(query.issue))
        values = {"state": query.state, "finding": query.issue.message}
        stands = before is not None and before.values == values
        if query.state in ("open", "resolved") and not stands:
            entries.append(Entry(QUERY, key, values, "found by the rules"))
    done = store.record(entries, actor=actor)
    return done.created + done.changed


def settle(
    store: CohortStore,
    queries: Iterable[Query],
    ids: Iterable[str],
    state: QueryState,
    *,
    actor: str,
    reason: str,
) -> list[Query]:
    """Give queries another state, with a reason.

    Raises
    ------
    CohortError
        If one of the ids is no query's, or no reason is given.
    """
    if not reason.strip():
        raise CohortError("say why: a query is answered or accepted with a reason")
    by_id = {query.id: query for query in queries}
    wanted = list(dict.fromkeys(ids))
    for one in wanted:
        if one not in by_id:
            raise CohortError(f"there is no query {one}; `necroangle queries` lists them")
    found = [by_id[one] for one in wanted]
    entries = [
        Entry(QUERY, _key(query.issue), {"state": state, "finding": query.issue.message}, reason)
        for query in found
    ]
    store.record(entries, actor=actor)
    return found


def _queries(issues: Iterable[Issue], said: Mapping[tuple[str, ...], Record]) -> Iterator[Query]:
    found = _by_key(issues)
    for key, (issue, text) in found.items():
        state, answer = _state(said.get(key), text)
        yield _query(key, issue, state, answer)
    for key, record in said.items():
        if key not in found:
            rule, _, field = key[-1].partition(".")
            kind = {2: "subject", 3: "hip", 4: "visit"}.get(len(key), "event")
            text = str(record.values.get("finding", ""))
            issue = Issue(kind, key[:-1], field, text, is_fatal=False, rule=rule)
            yield _query(key, issue, "resolved", record)


def _state(record: Record | None, finding: str) -> tuple[QueryState, Record | None]:
    """What became of a finding: an answer to another finding does not speak of it."""
    if record is None or record.values.get("finding") != finding:
        return "open", None
    for state in _SAID:
        if record.values.get("state") == state:
            return state, record
    return "open", record


def _query(key: tuple[str, ...], issue: Issue, state: QueryState, record: Record | None) -> Query:
    rule = rule_named(issue.rule)
    asks = "" if rule is None else rule.asks
    said = record is not None and state in ("answered", "accepted")
    if record is None or not said:
        return Query(_id(key), issue, asks, state)
    return Query(_id(key), issue, asks, state, record.reason, record.actor, record.at)


def _by_key(issues: Iterable[Issue]) -> dict[tuple[str, ...], tuple[Issue, str]]:
    """Each question once; what several findings say of one place is one text."""
    found: dict[tuple[str, ...], tuple[Issue, str]] = {}
    for issue in issues:
        key = _key(issue)
        first, text = found.get(key, (issue, ""))
        whole = f"{text}; {issue.message}" if text else issue.message
        found[key] = (
            Issue(first.kind, first.key, first.field, whole, first.is_fatal, first.rule),
            whole,
        )
    return found


def _key(issue: Issue) -> tuple[str, ...]:
    return (*issue.key, f"{issue.rule}.{issue.field}")


def _id(key: tuple[str, ...]) -> str:
    return hashlib.sha256(encode_key(key).encode()).hexdigest()[:8]
