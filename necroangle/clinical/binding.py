"""Headings to fields: which column feeds which kinds of record, with which key."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from necroangle.clinical.identity import heading_tells_identity
from necroangle.clinical.mapping import (
    IGNORE,
    KEY_PARTS,
    OCCURRED,
    Rule,
    TableMapping,
)
from necroangle.clinical.problem import Problem, fatal
from necroangle.clinical.sheet import Sheet
from necroangle.clinical.values import Reading
from necroangle.entries import CLINICAL_FIELDS, KEYS, Field, field_named

__all__ = ["Binding", "Group", "Source", "bind", "known_headings", "suggest"]

DEFAULT_NUMBER = "1"
_KEY_WORDS = {"side": "laterality", **{part: part for part in KEY_PARTS}}


@dataclass(frozen=True, slots=True)
class Source:
    """One column and how it is read.

    Attributes
    ----------
    column
        From 1.
    heading
        Its heading.
    field
        The field that it feeds; None for a part of the key and for ``event.occurred``.
    reading
        How its cells are read.
    """

    column: int
    heading: str
    field: Field | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that speak of one record in each row.

    Attributes
    ----------
    kind
        Kind of the record.
    fixed
        Parts of its key that the columns stand for, with the table's constants.
    sources
        The columns of its fields.
    occurred
        The columns that say with yes or no whether the event came.
    constants
        Fields that hold for every row.
    """

    kind: str
    fixed: Mapping[str, str]
    sources: tuple[Source, ...]
    occurred: tuple[Source, ...]
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Binding:
    """What a table's columns mean.

    Attributes
    ----------
    keys
        Part of the key to its column.
    groups
        Records that each row may speak of.
    ignored
        Columns, from 1, that are not read.
    problems
        Columns that cannot be understood.
    """

    keys: Mapping[str, Source]
    groups: tuple[Group, ...]
    ignored: frozenset[int]
    problems: tuple[Problem, ...]


def known_headings(kind: str | None = None) -> Mapping[str, tuple[str, ...]]:
    """Headings that are understood without a mapping, to their targets.

    Names, labels and aliases of fields, ``kind.name``, and the parts of the key; in any case, with
    blanks or dashes for underscores.

    Examples
    --------
    >>> known_headings()["harris_hip_score"], known_headings()["treatment_date"]
    (('visit.hhs',), ('hip.treatment_date', 'treatment.treatment_date'))
    >>> known_headings("treatment")["treatment_date"]
    ('treatment.treatment_date',)
    """
    found: dict[str, tuple[str, ...]] = {word: (part,) for word, part in _KEY_WORDS.items()}
    for field in CLINICAL_FIELDS:
        if kind is not None and field.kind != kind:
            continue
        words = (field.path, field.name, *map(_plain, (field.label, *field.aliases)))
        for word in dict.fromkeys(words):
            found[word] = (*found.get(word, ()), field.path)
    return MappingProxyType(found)


def bind(
    sheet: Sheet, mapping: TableMapping, codes: Mapping[str, str], kind: str | None
) -> Binding:
    """Understand a table's columns.

    Parameters
    ----------
    sheet
        The table.
    mapping
        Its mapping, which may be empty.
    codes
        The study's codes for missing values, to their reasons.
    kind
        The only kind of record to look for, or None for every kind.
    """
    rules = list(_all_rules(sheet, mapping, kind))
    refused = (_refusal(sheet, column, found) for column, found in enumerate(rules, 1))
    problems = [problem for problem in refused if problem is not None]
    sources = [
        (rule, _source(column, sheet.headings[column - 1], rule, mapping, codes))
        for column, found in enumerate(rules, 1)
        for rule in found
        if rule.to != IGNORE
    ]
    keys: dict[str, Source] = {}
    for rule, source in sources:
        if rule.to in keys:
            problems.append(_twice(sheet, source, keys[rule.to].column))
        elif rule.to in KEY_PARTS:
            keys[rule.to] = source
    groups = tuple(_groups(sources, mapping, keys))
    problems += _group_problems(sheet, groups, keys)
    problems += _mapping_problems(sheet, mapping, keys)
    read = {source.column for _, source in sources}
    ignored = frozenset(range(1, len(rules) + 1)) - read
    return Binding(keys, groups, ignored, tuple(problems))


def suggest(sheet: Sheet, mapping: TableMapping, kind: str | None) -> list[tuple[str, str, str]]:
    """Heading, target and remark of each column, for a mapping file to go on from."""
    found = []
    for column, rules in enumerate(_all_rules(sheet, mapping, kind), 1):
        heading = sheet.headings[column - 1]
        if heading_tells_identity(heading, as_subject=_is_subject(rules)):
            found.append((heading, IGNORE, "looks like a patient's identity"))
        elif not rules:
            found.append((heading, IGNORE, "not known: name its field, or leave it out"))
        else:
            remark = f"and {', '.join(rule.to for rule in rules[1:])}" if rules[1:] else ""
            found.append((heading, rules[0].to, remark))
    return found


def _all_rules(sheet: Sheet, mapping: TableMapping, kind: str | None) -> Iterator[tuple[Rule, ...]]:
    """The rules of each column: the mapping's, else those of a heading that is known."""
    known = known_headings(kind)
    targets = [known.get(_plain(heading), ()) for heading in sheet.headings]
    sure = {target.partition(".")[0] for found in targets if len(found) == 1 for target in found}
    for heading, found in zip(sheet.headings, targets, strict=True):
        if heading in mapping.columns:
            yield mapping.rules(heading)
        elif len(found) > 1:  # a date of treatment: the hip's, and the treatment's where one is
            yield tuple(
                Rule(target)
                for target in found
                if target.startswith("hip.") or target.partition(".")[0] in sure
            )
        elif found:
            yield tuple(map(Rule, found))
        else:
            yield (Rule(IGNORE),) if mapping.unmapped == "ignore" else ()


def _refusal(sheet: Sheet, column: int, rules: tuple[Rule, ...]) -> Problem | None:
    heading = sheet.headings[column - 1]
    is_ignored = bool(rules) and rules[0].to == IGNORE
    message = ""
    if not is_ignored and heading_tells_identity(heading, as_subject=_is_subject(rules)):
        message = (
            "the heading names what may tell who a patient is; nothing of it is read: take the "
            'column out, or map it to "ignore"'
        )
    elif not rules and heading:
        message = 'no known field; name its field in a mapping, or map it to "ignore"'
    if not message:
        return None
    return fatal(message, row=sheet.heading_row, column=column, heading=heading)


def _is_subject(rules: tuple[Rule, ...]) -> bool:
    return bool(rules) and rules[0].to == "subject"


def _source(
    column: int, heading: str, rule: Rule, mapping: TableMapping, codes: Mapping[str, str]
) -> Source:
    in_field = "." in rule.to and rule.to != OCCURRED
    reading = Reading(
        rule.values,
        {**codes, **rule.missing},
        rule.dates or mapping.dates,
        rule.decimal or mapping.decimal,
    )
    return Source(column, heading, field_named(*rule.to.split(".")) if in_field else None, reading)


def _groups(
    sources: Iterable[tuple[Rule, Source]], mapping: TableMapping, keys: Mapping[str, Source]
) -> Iterator[Group]:
    """Columns of one kind with one fixed key, together."""
    together: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[Rule, Source]]] = {}
    for rule, source in sources:
        if rule.to not in KEY_PARTS:
            kind = rule.to.partition(".")[0]
            together.setdefault((kind, tuple(rule.fixed.items())), []).append((rule, source))
    if "event" in keys:
        together.setdefault(("event", ()), [])
    for (kind, fixed), found in together.items():
        everywhere = {
            part: str(mapping.constants[part]) for part in KEYS[kind] if part in mapping.constants
        }
        yield Group(
            kind,
            {**everywhere, **dict(fixed)},
            tuple(source for rule, source in found if rule.to != OCCURRED),
            tuple(source for rule, source in found if rule.to == OCCURRED),
            {
                name.partition(".")[2]: str(value)
                for name, value in mapping.constants.items()
                if name.startswith(f"{kind}.")
            },
        )


def _group_problems(
    sheet: Sheet, groups: Iterable[Group], keys: Mapping[str, Source]
) -> Iterator[Problem]:
    """Fields that come twice, and keys that nothing gives."""
    row = sheet.heading_row
    for group in groups:
        seen: dict[str, int] = {}
        for source in group.sources:
            name = source.field.name if source.field else ""
            if name in seen:
                yield _twice(sheet, source, seen[name])
            seen.setdefault(name, source.column)
        for part in KEYS[group.kind]:
            if part not in keys and part not in group.fixed and part != "number":
                columns = (*group.sources, *group.occurred, *keys.values())
                message = (
                    f"nothing gives the {part} that this belongs to: name a column of the table "
                    "for it, or state it in the mapping"
                )
                place = columns[0]
                yield fatal(message, row=row, column=place.column, heading=place.heading)
    if not groups:
        yield fatal("no column is a field; map the columns", row=row)


def _mapping_problems(
    sheet: Sheet, mapping: TableMapping, keys: Mapping[str, Source]
) -> Iterator[Problem]:
    """What the mapping says that this table does not bear out."""
    for heading in mapping.columns:
        if heading not in sheet.headings:
            yield fatal(f"the mapping names a column {heading!r:.60}; there is none")
    for part, source in keys.items():
        if part in mapping.constants:
            message = f"the mapping states one {part} for all rows, and this column gives others"
            yield fatal(message, column=source.column, heading=source.heading)


def _twice(sheet: Sheet, source: Source, first: int) -> Problem:
    message = f"feeds the same as column {first}"
    return fatal(message, row=sheet.heading_row, column=source.column, heading=source.heading)


def _plain(heading: str) -> str:
    return re.sub(r"[\s\-]+", "_", heading.strip().casefold())
