"""A table file into the cohort: read, understood, checked as a whole, and written or not."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from necroangle.clinical.drafts import Drafts, gather
from necroangle.clinical.identity import short_text
from necroangle.clinical.mapping import TableMapping, bind, known_headings
from necroangle.clinical.plan import Plan, Standing, make_plan
from necroangle.clinical.proposal import propose
from necroangle.clinical.queries import read_visits
from necroangle.clinical.raw_table import Problem, RawTable, fatal, warning
from necroangle.clinical.records import Key, parents_of, read_state
from necroangle.clinical.table_files import read_table
from necroangle.errors import CohortError
from necroangle.ledger.admission import Admission, known_subjects
from necroangle.ledger.events import last_states
from necroangle.ledger.records import Recorded, encode_key
from necroangle.ledger.store import CohortStore
from necroangle.protocol.study import NO_STUDY, Missing, StudyProtocol

IMPORT_OF = "import of table "
"""How the reason of every record begins that a table brought; its hash follows."""


@dataclass(frozen=True, slots=True)
class TableImport:
    """A table that was read, to be imported.

    Attributes
    ----------
    sheet
        Its cells.
    mapping
        What its columns mean.
    kind
        The only kind of record to look for, or None.
    sha256
        Of the file: the ledger tells by it where a value came from.
    """

    sheet: RawTable
    mapping: TableMapping
    kind: str | None
    sha256: str


def open_table(
    path: Path,
    mapping: TableMapping | None = None,
    *,
    kind: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    heading_rows: tuple[int, int] | None = None,
) -> TableImport:
    """Read a table file.

    Parameters
    ----------
    path
        CSV, TSV or XLSX.
    mapping
        What its columns mean; without one, headings that are fields' names or labels are known.
    kind
        The only kind of record to look for; None for all.
    encoding, delimiter, sheet, heading_rows
        As in :func:`necroangle.clinical.table_files.read_table`.

    Raises
    ------
    CohortError
        If the file cannot be read as a table.

    Examples
    --------
    >>> open_table(Path("nowhere.csv"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: nowhere.csv: there is no such file
    """
    mapping = mapping or TableMapping()
    known = {*known_headings(kind), *(heading.casefold() for heading in mapping.columns)}
    found = read_table(
        path,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
        heading_rows=heading_rows,
        expected=frozenset(mapping.columns),
        known=frozenset(known),
    )
    return TableImport(found, mapping, kind, hashlib.sha256(path.read_bytes()).hexdigest())


def plan_import(
    store: CohortStore | None,
    table: TableImport,
    *,
    protocol: StudyProtocol | None = None,
    update_reason: str = "",
    new_subjects: bool = False,
) -> Plan:
    """What importing a table would do; nothing is written.

    Parameters
    ----------
    store
        The cohort; None where there is none yet.
    table
        The table.
    protocol
        The study's, where there is one.
    update_reason
        Why values that stand there otherwise are replaced; empty: they are not, and each is a
        fatal problem.
    new_subjects
        Whether hips that are not in the study's list are taken, and put in it.
    """
    missing = protocol.missing if protocol is not None else Missing()
    binding = bind(table.sheet, table.mapping, missing.codes, table.kind)
    drafts, found = gather(table.sheet, binding, missing.codes)
    reason = _reason(table, update_reason)
    plan = make_plan(
        drafts,
        _standing(store, [*drafts, *(one for place in drafts for one in parents_of(*place))]),
        protocol=protocol,
        empty=missing.empty,
        update=bool(update_reason),
        reason=reason,
        readings=read_visits(store, {key[0] for _, key in drafts}) if store is not None else None,
    )
    gate = Admission.of(store, protocol or NO_STUDY, new_subjects=new_subjects)
    shut_out = list(_of_strangers(drafts, gate, known_subjects(store)))
    read = [one for one in table.sheet.problems if one.column not in binding.ignored]
    spoilt = {(one.row, one.column) for one in read}
    more = (one for one in found if (one.row, one.column) not in spoilt)
    problems = _sorted((*read, *binding.problems, *more, *shut_out, *plan.problems))
    entries = (*plan.entries, *gate.entries(reason))
    return Plan(entries, problems, plan.new, plan.changed, plan.unchanged)


def write_import(store: CohortStore, plan: Plan, *, actor: str) -> Recorded:
    """Write what was planned; writing it again changes nothing.

    Raises
    ------
    CohortError
        If a problem of the plan is fatal, or the database refuses; nothing is then written.
    """
    if plan.is_fatal:
        raise CohortError("a fatal problem forbids the import; nothing was written")
    return store.record(plan.entries, actor=actor)


def suggest_mapping(table: TableImport, protocol: StudyProtocol | None = None) -> bytes:
    """A mapping file for a table, to go on from: what a person must decide is ``"?"``."""
    return propose(table.sheet, protocol)


def _reason(table: TableImport, update_reason: str) -> str:
    """What the ledger says of every record that a table brings: which table, and why."""
    why = f": {update_reason}" if update_reason else ""
    return f"{IMPORT_OF}{table.sha256[:16]}{why}"


def _of_strangers(drafts: Drafts, gate: Admission, known: frozenset[str]) -> Iterator[Problem]:
    """Hips that are not in the study's list, and subjects whose name is nearly another's."""
    near = gate.nearly((key[0] for _, key in drafts), known)
    hips = {key[:2] if kind != "subject" else key[:1]: one for (kind, key), one in drafts.items()}
    for hip, draft in hips.items():
        column, heading = draft.keys.get("subject", (0, ""))
        name = short_text(hip[0])
        if problem := gate.of_hip(*hip):
            yield fatal(f"{name}: {problem}", row=draft.row, column=column, heading=heading)
        elif question := near.pop(hip[0], ""):
            message = f"new subject {name}: {question}"
            yield warning(message, row=draft.row, column=column, heading=heading)


def _standing(store: CohortStore | None, places: list[tuple[str, Key]]) -> Standing:
    if store is None or not places:
        return Standing({})
    records = {
        (record.kind, record.key): record
        for found in read_state(store, {key[0] for _, key in places}).values()
        for record in found
    }
    places = [place for place in dict.fromkeys(places) if place not in records]
    lacking = [(kind, encode_key(key)) for kind, key in places]
    with store.reading() as connection:
        known = last_states(connection, lacking)
    gone = frozenset((kind, key) for kind, key in places if (kind, encode_key(key)) in known)
    return Standing(records, gone)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By row and column, each once; what concerns the whole table first."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda one: (one.row, one.column)))
