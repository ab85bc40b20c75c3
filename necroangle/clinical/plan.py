"""What an import would do: compare with what stands there, check the whole, write nothing yet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from necroangle.clinical.cells import Stated, stated_values
from necroangle.clinical.checks import Issue, ReadVisit
from necroangle.clinical.drafts import Draft, Drafts, Statement
from necroangle.clinical.queries import entries_of
from necroangle.clinical.raw_table import Problem, fatal, warning
from necroangle.clinical.records import Key, State, parents_of
from necroangle.clinical.rules import check_subject
from necroangle.entries import Field, field_named, fields_of, missing_name
from necroangle.ledger.records import Entry, Record
from necroangle.measurement.row import Cell
from necroangle.protocol.study import StudyProtocol


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the cohort.

    Attributes
    ----------
    records
        Current records, by kind and key.
    withdrawn
        Records that were withdrawn.
    """

    records: Mapping[tuple[str, Key], Record]
    withdrawn: frozenset[tuple[str, Key]] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would write.

    Attributes
    ----------
    entries
        For the ledger.
    problems
        All that was found; nothing may be written where one is fatal.
    new, changed, unchanged
        Numbers of records by kind.
    """

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    new: Counter[str]
    changed: Counter[str]
    unchanged: Counter[str]

    @property
    def is_fatal(self) -> bool:
        """Whether a problem forbids the import."""
        return any(problem.severity == "fatal" for problem in self.problems)


def make_plan(
    drafts: Drafts,
    standing: Standing,
    *,
    protocol: StudyProtocol | None,
    empty: str,
    update: bool,
    reason: str,
    readings: Mapping[str, Iterable[ReadVisit]] | None = None,
) -> Plan:
    """Compare what a table states with what stands there.

    Parameters
    ----------
    drafts
        What the table states.
    standing
        What stands in the cohort for the same subjects.
    protocol
        The study's, where there is one.
    empty
        What an empty cell says, ``"not done"``; it never replaces what stands there.
    update
        Whether a value that stands there otherwise is replaced; else that is a fatal problem.
    reason
        For the ledger.
    readings
        The readings of the same subjects: what the table says is held against them.
    """
    problems: list[Problem] = []
    drafts = _with_parents(drafts, standing)
    counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
    entries = []
    for (kind, key), draft in drafts.items():
        record = standing.records.get((kind, key))
        before = record.values if record is not None else {}
        if not update:
            problems += _conflicts(kind, draft, record, (kind, key) in standing.withdrawn)
        values = merge(kind, before, draft, empty)
        is_same = record is not None and values == before
        counts[2 if is_same else record is not None][kind] += 1
        if not is_same:
            revision = record.revision if record is not None else 0
            entries.append(Entry(kind, key, values, reason, revision))
    issues = list(_new_issues(entries, standing, protocol, readings or {}))
    problems += [_placed(issue, drafts.get((issue.kind, issue.key))) for issue in issues]
    entries += entries_of((issue for issue in issues if not issue.is_fatal), reason)
    return Plan(tuple(entries), tuple(problems), *counts)


def _with_parents(drafts: Drafts, standing: Standing) -> Drafts:
    """The drafts, and an empty one of each subject and hip that stands nowhere yet."""
    found: Drafts = {}
    for (kind, key), draft in drafts.items():
        for parent in parents_of(kind, key):
            if parent not in drafts and parent not in standing.records:
                found.setdefault(parent, Draft(draft.row, draft.keys))
        found[kind, key] = draft
    return found


def merge(kind: str, before: Mapping[str, Cell], draft: Draft, empty: str) -> dict[str, Cell]:
    """A record's content with what is stated now; what an empty cell says comes last."""
    values = dict(before)
    for name, statement in draft.statements.items():
        values.pop(missing_name(name), None)
        values.update(stated_values(name, statement.stated))
    for name in draft.empty - values.keys():
        if _can_be_missing(field_named(kind, name)):
            values.update(stated_values(name, Stated(reason=empty)))
    order = {field.name: place for place, field in enumerate(fields_of(kind))}
    return {
        name: values[name]
        for name in sorted(values, key=lambda name: order.get(name.removesuffix("_missing"), 99))
    }


def _can_be_missing(field: Field) -> bool:
    """Whether emptiness says something: not of dates, nor of free text."""
    return field.type != "date" and (field.type != "text" or bool(field.values))


def _conflicts(
    kind: str, draft: Draft, record: Record | None, withdrawn: bool
) -> Iterator[Problem]:
    """Values that stand there otherwise than the table says."""
    if record is None:
        if withdrawn:
            message = (
                f"this {kind} was withdrawn; --update with --reason puts it back as the table says"
            )
            yield fatal(message, row=draft.row)
        return
    for name, statement in draft.statements.items():
        found = Stated(record.values.get(name), _text(record.values.get(missing_name(name))))
        if not found.is_nothing and found != statement.stated:
            yield _conflict(field_named(kind, name), found, statement, record)


def _conflict(field: Field, found: Stated, statement: Statement, record: Record) -> Problem:
    said = f"{_shown(field, found)} by {record.actor} on {record.at[:10]}"
    why = f" ({record.reason:.80})" if record.reason else ""
    message = (
        f"stands as {said}{why}, the table says {_shown(field, statement.stated)}; --update with "
        "--reason puts the table's in its place"
    )
    return fatal(message, row=statement.row, column=statement.column, heading=statement.heading)


def _shown(field: Field, stated: Stated) -> str:
    if stated.reason is not None:
        return stated.reason
    if field.private:
        return "another date"
    return f"{stated.value:g}" if isinstance(stated.value, float) else f"{stated.value!s:.40}"


def _new_issues(
    entries: Iterable[Entry],
    standing: Standing,
    protocol: StudyProtocol | None,
    readings: Mapping[str, Iterable[ReadVisit]],
) -> Iterator[Issue]:
    """Contradictions that the import would bring."""
    before = {place: record.values for place, record in standing.records.items()}
    after = {**before, **{(one.kind, one.key): one.values or {} for one in entries}}
    old, new = State(before), State(after)
    for subject in dict.fromkeys(entry.key[0] for entry in entries):
        own = tuple(readings.get(subject, ()))
        known = set(check_subject(old, subject, protocol, readings=own))
        for issue in check_subject(new, subject, protocol, readings=own):
            if issue not in known:
                yield issue


def _placed(issue: Issue, draft: Draft | None) -> Problem:
    make = fatal if issue.is_fatal else warning
    if draft is None:
        return make(str(issue))
    statement = draft.statements.get(issue.field)
    if issue.field in draft.keys:
        column, heading = draft.keys[issue.field]
        return make(issue.message, row=draft.row, column=column, heading=heading)
    if statement is None or not statement.row:
        return make(f"{issue.kind}, {issue.field}: {issue.message}", row=draft.row)
    place = {"row": statement.row, "column": statement.column}
    return make(issue.message, heading=statement.heading, **place)


def _text(cell: Cell) -> str | None:
    return cell if isinstance(cell, str) else None
