"""The records of subjects as plain values: to be checked as one, and as rows for statistics."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Protocol

from necroangle.clinical.harris import with_harris_total
from necroangle.entries import KEYS, KINDS, fields_of, missing_name
from necroangle.ledger.records import Record
from necroangle.measurement.row import Cell
from necroangle.protocol import dates
from necroangle.protocol.dates import index_visit_of
from necroangle.protocol.study import StudyProtocol

Key = tuple[str, ...]
Hip = tuple[str, str]
Values = Mapping[str, Cell]


class Records(Protocol):
    """Where records stand: the cohort's store."""

    def current(self, kind: str, prefix: tuple[str, ...] = ()) -> list[Record]:
        """The current records of a kind."""
        ...


class State:
    """Records by kind and key.

    Examples
    --------
    >>> state = State({("visit", ("S01", "L", "m00")): {"vas": 3.0}})
    >>> list(state.of("visit", ("S01",)))
    [(('S01', 'L', 'm00'), {'vas': 3.0})]
    """

    def __init__(self, records: Mapping[tuple[str, Key], Values]) -> None:
        self._by_subject: dict[tuple[str, str], dict[Key, Values]] = {}
        for (kind, key), values in records.items():
            self._by_subject.setdefault((kind, key[0]), {})[key] = values

    def of(self, kind: str, prefix: Key) -> Iterator[tuple[Key, Values]]:
        """Records of a kind whose key begins with a prefix, which names the subject at least."""
        for key, values in sorted(self._by_subject.get((kind, prefix[0]), {}).items()):
            if key[: len(prefix)] == prefix:
                yield key, values

    def one(self, kind: str, key: Key) -> Values:
        """One record; empty where there is none."""
        return self._by_subject.get((kind, key[0]), {}).get(key, {})

    def hips(self, subject: str) -> list[Hip]:
        """The hips of a subject that any record speaks of."""
        keys = (key for kind in KINDS[1:] for key, _ in self.of(kind, (subject,)))
        return sorted({(key[0], key[1]) for key in keys})


def parents_of(kind: str, key: Key) -> tuple[tuple[str, Key], ...]:
    """The records that a record belongs to: its subject, and its hip.

    Examples
    --------
    >>> parents_of("visit", ("S01", "L", "m00"))
    (('subject', ('S01',)), ('hip', ('S01', 'L')))
    >>> parents_of("subject", ("S01",))
    ()
    """
    above = (("subject", key[:1]), ("hip", key[:2]))
    return above[: {"subject": 0, "hip": 1}.get(kind, 2)]


def read_state(store: Records, subjects: Iterable[str] | None = None) -> dict[str, list[Record]]:
    """The store's clinical records by kind; of some subjects, or of all.

    Parameters
    ----------
    store
        The cohort.
    subjects
        Pseudonyms; None for all.
    """
    wanted = None if subjects is None else frozenset(subjects)
    return {
        kind: [
            record for record in store.current(kind) if wanted is None or record.key[0] in wanted
        ]
        for kind in KINDS
    }


def day_of(values: Values, name: str) -> date | None:
    """A date of a record, or None where there is none that can be read."""
    text = values.get(name)
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def number_of(values: Values, name: str) -> float | None:
    """A number of a record, or None."""
    number = values.get(name)
    return None if number is None or isinstance(number, str) else float(number)


def index_day(state: State, hip: Hip, protocol: StudyProtocol) -> date | None:
    """The day from which the days of a hip's visits count, by the study's rule.

    Examples
    --------
    >>> from necroangle.protocol.study import NO_STUDY
    >>> state = State({("hip", ("S01", "L")): {"treatment_date": "2020-03-04"}})
    >>> index_day(state, ("S01", "L"), NO_STUDY)
    datetime.date(2020, 3, 4)
    """
    own = state.one("hip", hip)
    given = sorted(state.of("treatment", hip), key=lambda record: float(record[0][2]))
    stated = own.get("index_visit")
    visit = index_visit_of(None if stated is None else str(stated), protocol)
    return dates.index_day(
        protocol,
        treatment=day_of(own, "treatment_date")
        or (day_of(given[0][1], "treatment_date") if given else None),
        index_date=day_of(state.one("subject", hip[:1]), "index_date"),
        visit=day_of(state.one("visit", (*hip, visit)), "visit_date") if visit else None,
    )


def clinical_tables(
    store: Records, records: Mapping[str, Iterable[Record]] | None = None
) -> dict[str, list[dict[str, Cell]]]:
    """The current clinical records.

    Parameters
    ----------
    store
        The cohort.
    records
        Its records by kind (:func:`read_state`), where they have been read.

    Returns
    -------
    dict
        For each kind its rows, ordered by key: the key's parts, then every field, None where
        nothing is stated, then ``<name>_missing`` for each field that is missing for a reason. The
        total of the Harris Hip Score is worked out where only its parts are given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from necroangle.cohort import CohortStore
    >>> from necroangle.ledger.records import Entry
    >>> store = CohortStore.open(Path(mkdtemp()) / "cohort.sqlite")
    >>> _ = store.record([Entry("subject", ("S01",), {"sex": "F"})], actor="nurse")
    >>> row = clinical_tables(store)["subject"][0]
    >>> row["subject"], row["sex"], row["smoking"]
    ('S01', 'F', None)
    """
    found = read_state(store) if records is None else records
    return {
        kind: [
            _row(
                kind,
                record.key,
                with_harris_total(record.values) if kind == "visit" else record.values,
            )
            for record in found[kind]
        ]
        for kind in KINDS
    }


def _row(kind: str, key: tuple[str, ...], values: dict[str, Cell]) -> dict[str, Cell]:
    names = [field.name for field in fields_of(kind)]
    reasons = {
        missing_name(name): values[missing_name(name)]
        for name in names
        if missing_name(name) in values
    }
    parts = dict(zip(KEYS[kind], key, strict=True))
    return {**parts, **{name: values.get(name) for name in names}, **reasons}
