"""What the rows of a table state, gathered by record: several rows may speak of one record."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from necroangle.clinical.cells import (
    Reading,
    Stated,
    UnknownWordError,
    parse_cell,
    parse_key_part,
)
from necroangle.clinical.mapping import Binding, Group, Source
from necroangle.clinical.raw_table import MAX_PROBLEMS, Problem, RawRow, RawTable, fatal, warning
from necroangle.clinical.records import Key
from necroangle.entries import KEYS, NO_YES, Field, field_named

_SMALL = re.compile(r"[a-z][a-z /+-]{0,39}")
_OCCURRED = Field("event", "occurred", "whole", "Occurred", "the event came", choices=NO_YES)


class Statement(NamedTuple):
    """What one cell states, and where it stands; row and column 0 for a constant."""

    stated: Stated
    row: int
    column: int
    heading: str


@dataclass(slots=True)
class Draft:
    """What a table states about one record.

    Attributes
    ----------
    row
        The first row that speaks of it.
    statements
        By field.
    empty
        Fields whose cells were empty in some row.
    keys
        Column and heading of each part of the key that a column gives.
    """

    row: int
    keys: Mapping[str, tuple[int, str]]
    statements: dict[str, Statement] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)


Drafts = dict[tuple[str, Key], Draft]


def gather(
    sheet: RawTable, binding: Binding, codes: Mapping[str, str]
) -> tuple[Drafts, list[Problem]]:
    """Read every row of a table.

    Parameters
    ----------
    sheet, binding
        The table and what its columns mean.
    codes
        The study's codes for missing values, for the mapping's constants.

    Returns
    -------
    tuple
        What is stated, by kind and key, and every problem.
    """
    gatherer = _Gatherer(sheet, binding)
    constants = [gatherer.constants(group, codes) for group in binding.groups]
    for row in sheet.rows:
        keys = gatherer.keys(row)
        for group, fixed_values in zip(binding.groups, constants, strict=True):
            gatherer.take(row, keys, group, fixed_values)
        if len(gatherer.problems) > MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS:,} problems; the rows below were not looked at"
            gatherer.problems.append(fatal(message, row=row.number))
            break
    return gatherer.drafts, gatherer.told()


class _Gatherer:
    def __init__(self, sheet: RawTable, binding: Binding) -> None:
        self.drafts: Drafts = {}
        self.problems: list[Problem] = []
        self._words: dict[int, UnknownWordError] = {}
        self._subjects: dict[str, set[str]] = {}
        self._sheet = sheet
        self._binding = binding
        self._places = {
            part: (source.column, source.heading) for part, source in binding.keys.items()
        }

    def constants(self, group: Group, codes: Mapping[str, str]) -> dict[str, Statement]:
        found = {}
        for name, text in group.constants.items():
            try:
                stated = parse_cell(field_named(group.kind, name), text, Reading(missing=codes))
            except ValueError as error:
                self.problems.append(fatal(f"the mapping's constant {group.kind}.{name}: {error}"))
            else:
                found[name] = Statement(stated, 0, 0, "")
        return found

    def keys(self, row: RawRow) -> dict[str, str]:
        """The parts of the key that a row gives; an unusable one is told and left out."""
        found = {}
        for part, source in self._binding.keys.items():
            text = row.cells[source.column - 1]
            if not text:
                continue
            try:
                found[part] = parse_key_part(part, text, source.reading)
            except ValueError as error:
                self._tell(row, source, error)
        return found

    def take(
        self, row: RawRow, keys: Mapping[str, str], group: Group, constants: dict[str, Statement]
    ) -> None:
        """Take what a row states about one record."""
        statements = dict(self._statements(row, group.sources))
        given = {name: one for name, one in statements.items() if not one.stated.is_nothing}
        if not self._is_record(row, keys, group, given):
            return
        key = self._key(row, keys, group)
        if key is None:
            return
        draft = self.drafts.setdefault((group.kind, key), Draft(row.number, self._places))
        for name, statement in {**constants, **given}.items():
            self._state(draft, name, statement)
        draft.empty.update(statements.keys() - given.keys())

    def _statements(
        self, row: RawRow, sources: tuple[Source, ...]
    ) -> Iterator[tuple[str, Statement]]:
        for source in sources:
            assert source.field is not None  # noqa: S101  (a group's sources feed fields)
            stated = self._parse(row, source, source.field)
            if stated is not None:
                where = (row.number, source.column, source.heading)
                yield source.field.name, Statement(stated, *where)

    def _parse(self, row: RawRow, source: Source, wanted: Field) -> Stated | None:
        text = row.cells[source.column - 1]
        try:
            stated = parse_cell(wanted, text, source.reading)
        except ValueError as error:
            self._tell(row, source, error)
            return None
        if wanted.type == "text" and not wanted.values and text.startswith(("=", "+", "@")):
            message = "begins like a formula; it is kept as text and made harmless in exports"
            place = {"row": row.number, "column": source.column}
            self.problems.append(warning(message, heading=source.heading, **place))
        return stated

    def _is_record(
        self,
        row: RawRow,
        keys: Mapping[str, str],
        group: Group,
        given: Mapping[str, Statement],
    ) -> bool:
        """Whether a row speaks of the group's record at all."""
        if group.kind != "event":
            return bool(given)
        if "event" not in group.fixed:
            return "event" in keys or bool(given)
        has_value = any(one.stated.value is not None for one in given.values())
        for source in group.occurred:
            stated = self._parse(row, source, _OCCURRED)
            if stated is not None and stated.value == 0 and has_value:
                self._tell(row, source, "says no, and another column of the event says more")
            has_value = has_value or (stated is not None and stated.value == 1)
        return has_value

    def _key(self, row: RawRow, keys: Mapping[str, str], group: Group) -> Key | None:
        """The record's key, or None where a part is missing; that is told."""
        parts = {"number": "1", **keys, **group.fixed}
        lacking = [part for part in KEYS[group.kind] if part not in parts]
        for part in lacking:
            source = self._binding.keys.get(part)
            if source is not None and not row.cells[source.column - 1]:
                self._tell(row, source, f"empty; a {group.kind} needs its {part}")
        return None if lacking else tuple(parts[part] for part in KEYS[group.kind])

    def _state(self, draft: Draft, name: str, statement: Statement) -> None:
        """Add a statement; a constant gives way, another cell must say the same."""
        before = draft.statements.get(name)
        if before is None or before.row == 0:
            draft.statements[name] = statement
        elif statement.row and before.stated != statement.stated:
            message = f"row {before.row} says otherwise about the same record"
            place = {"row": statement.row, "column": statement.column}
            self.problems.append(fatal(message, heading=statement.heading, **place))

    def _tell(self, row: RawRow, source: Source, message: str | ValueError) -> None:
        if isinstance(message, UnknownWordError):
            self._words[len(self.problems)] = message
            own = self._binding.keys.get("subject")
            subject = row.cells[own.column - 1] if own is not None else str(row.number)
            self._subjects.setdefault(message.text, set()).add(subject)
        place = {"row": row.number, "column": source.column}
        problem = fatal(str(message), heading=source.heading, **place)
        if not self.problems or problem != self.problems[-1]:
            self.problems.append(problem)

    def told(self) -> list[Problem]:
        """The problems; a word that is no list's is shown where it can be no person's name.

        A name belongs to one patient. A word that stands with several, or that is written in small
        Latin letters, is the table's own word for something.
        """
        found = list(self.problems)
        for place, word in self._words.items():
            is_small = bool(_SMALL.fullmatch(word.text))
            if place < len(found) and (is_small or len(self._subjects[word.text]) > 1):
                message = f"{word.text[:40]!r} is none of {word.allowed}"
                found[place] = replace(found[place], message=message)
        return found
