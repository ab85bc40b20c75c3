"""Which column of a table is which field: the mapping file, and headings that are understood."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from necroangle.clinical.cells import DateOrder, Reading
from necroangle.clinical.identity import heading_tells_identity
from necroangle.clinical.raw_table import Problem, RawTable, fatal
from necroangle.decoding import MalformedError, from_toml
from necroangle.entries import (
    CLINICAL_FIELDS,
    KEYS,
    KINDS_OF_EVENT,
    LATERALITIES,
    Field,
    field_named,
)
from necroangle.errors import CohortError, system_words

IGNORE = "ignore"
UNDECIDED = "?"
"""What stands in a proposed mapping where a person must decide; nothing is imported by it."""

OCCURRED = "event.occurred"
"""A column that says with yes or no whether an event came."""

KEY_PARTS = tuple(dict.fromkeys(part for parts in KEYS.values() for part in parts))
MAX_BYTES = 1 << 20

_TARGETS = frozenset({*KEY_PARTS, *(field.path for field in CLINICAL_FIELDS), OCCURRED, IGNORE})
_CONSTANTS = frozenset({*KEY_PARTS, *(field.path for field in CLINICAL_FIELDS)}) - {"subject"}


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """How one column is read.

    Attributes
    ----------
    to
        ``"kind.field"``, a part of the key (``"subject"``, ``"laterality"``, ``"visit"``,
        ``"event"``, ``"number"``), ``"event.occurred"``, or ``"ignore"``.
    laterality, visit, event, number
        Parts of the key that the column itself stands for.
    values
        The table's words to codes; an empty code says nothing.
    missing
        The table's words for a missing value, to the reason.
    dates, decimal
        Of this column; otherwise the whole table's.
    """

    to: str
    laterality: Literal["L", "R"] | None = None
    visit: str | None = None
    event: str | None = None
    number: str | None = None
    values: dict[str, str] = {}
    missing: dict[str, Literal["not applicable", "not readable", "not done"]] = {}
    dates: DateOrder | None = None
    decimal: Literal[".", ","] | None = None

    @property
    def fixed(self) -> dict[str, str]:
        """The parts of the key that the column stands for."""
        parts = {part: getattr(self, part) for part in KEY_PARTS[1:]}
        return {part: text for part, text in parts.items() if text is not None}


class TableMapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file.

    Attributes
    ----------
    columns
        Heading to a target, a rule, or several rules.
    constants
        What holds for every row: a part of the key, or a field.
    dates, decimal
        How the table writes dates and numbers.
    unmapped
        Whether a column that is neither mapped nor known is refused or ignored.
    """

    columns: dict[str, str | Rule | tuple[Rule, ...]] = {}
    constants: dict[str, str | int | float] = {}
    dates: DateOrder = "year first"
    decimal: Literal[".", ","] = "."
    unmapped: Literal["refuse", "ignore"] = "refuse"

    def rules(self, heading: str) -> tuple[Rule, ...]:
        """The rules of a column; none where the mapping does not name it."""
        found = self.columns.get(heading, ())
        if isinstance(found, str):
            return (Rule(found),)
        return (found,) if isinstance(found, Rule) else found


def load_mapping(path: Path) -> TableMapping:
    """Read a mapping file.

    Raises
    ------
    CohortError
        Naming the file and the place.
    """
    try:
        if not path.is_file():
            raise CohortError(f"{path.name}: there is no such mapping file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CohortError(f"{path.name}: cannot be read: {system_words(error)}") from error
    if len(raw) > MAX_BYTES:
        raise CohortError(f"{path.name}: larger than 1 MiB: no mapping")
    return decode_mapping(raw, file=path.name)


def decode_mapping(raw: bytes, *, file: str = "mapping.toml") -> TableMapping:
    r"""Decode and check the bytes of a mapping file.

    Raises
    ------
    CohortError
        Naming the file, the place and the problem.

    Examples
    --------
    >>> decode_mapping(b'[columns]\nSide = "laterality"').rules("Side")[0].to
    'laterality'
    >>> decode_mapping(b'[columns]\nSide = "side"')
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: mapping.toml: column 'Side': no field 'side'; ...
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if lines := _undecided(raw):
        raise CohortError(
            f'{file}: line {", ".join(map(str, lines[:5]))}: "?" stands for what a person must '
            "decide; fill it in"
        )
    try:
        mapping = from_toml(raw, TableMapping)
    except MalformedError as error:
        raise CohortError(f"{file}: {error}") from error
    for place, problem in _problems(mapping):
        raise CohortError(f"{file}: {place}: {problem}")
    return mapping


def _undecided(raw: bytes) -> list[int]:
    """The lines of a mapping in which something is still to be decided."""
    lines = raw.decode(errors="replace").splitlines()
    return [
        number
        for number, line in enumerate(lines, start=1)
        if re.search(r'=\s*"\?"', line) and not line.lstrip().startswith("#")
    ]


def _problems(mapping: TableMapping) -> Iterator[tuple[str, str]]:
    """Place and problem of what no table can be read by."""
    for heading in mapping.columns:
        for rule in mapping.rules(heading):
            if problem := _rule_problem(rule):
                yield f"column {heading!r:.60}", problem
    for name in mapping.constants:
        if name not in _CONSTANTS:
            yield "constants", f"no field {name!r:.60}; {_hint(name)}"


def _rule_problem(rule: Rule) -> str:
    if rule.to not in _TARGETS:
        return f"no field {rule.to!r:.60}; {_hint(rule.to)}"
    parts = KEYS.get(rule.to.partition(".")[0], ()) if "." in rule.to else ()
    for part in rule.fixed:
        if part not in parts:
            return f"{rule.to} has no {part}"
    if rule.event not in (*KINDS_OF_EVENT, None):
        return f"event {rule.event!r:.60} is none of {', '.join(KINDS_OF_EVENT)}"
    if rule.event is None and rule.to == OCCURRED:
        return f"{OCCURRED} needs event = one of {', '.join(KINDS_OF_EVENT)}"
    if rule.to == "laterality" and not set(rule.values.values()) <= {*LATERALITIES, ""}:
        return "the sides are L and R"
    return ""


def _hint(name: str) -> str:
    stem = re.sub(r".*\.", "", name)
    near = [field.path for field in CLINICAL_FIELDS if field.name == stem]
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"parts of the key: {', '.join(KEY_PARTS)}; fields are named kind.field"


HEAD = """\
# Which column of a table is which field. "?" must be decided before it can be imported.
#   "heading" = "kind.field", or "subject", "laterality", "visit", "event", "number", or "ignore"
#   "heading" = { to = "visit.vas", visit = "m06" }          the column stands for one visit
#   "heading" = { to = "laterality", values = { "Right" = "R", "Left" = "L" } }
#   "heading" = { to = "hip.treatment_date", dates = "DD/MM/YYYY" }
#   "heading" = { to = "visit.hhs", missing = { "ND" = "not done" } }

# How the table writes dates ("year first", "DD/MM/YYYY", "MM/DD/YYYY") and decimals ("." or ",").
dates = "year first"
decimal = "."

# What holds for every row, for instance "visit.vas_scale" = 100.
"""


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
    sheet: RawTable, mapping: TableMapping, codes: Mapping[str, str], kind: str | None
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


def _all_rules(
    sheet: RawTable, mapping: TableMapping, kind: str | None
) -> Iterator[tuple[Rule, ...]]:
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


def _refusal(sheet: RawTable, column: int, rules: tuple[Rule, ...]) -> Problem | None:
    heading = sheet.headings[column - 1]
    is_ignored = bool(rules) and rules[0].to == IGNORE
    message = ""
    if not is_ignored and heading_tells_identity(heading, as_subject=_is_subject(rules)):
        message = (
            "the heading names what may tell who a patient is; nothing of it is read: take the "
            'column out, or map it to "ignore"'
        )
    elif not rules and heading:
        message = (
            "no known field; name its field in a mapping (--write-mapping proposes one), or map it "
            'to "ignore"'
        )
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
    sheet: RawTable, groups: Iterable[Group], keys: Mapping[str, Source]
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
    sheet: RawTable, mapping: TableMapping, keys: Mapping[str, Source]
) -> Iterator[Problem]:
    """What the mapping says that this table does not bear out."""
    for heading in mapping.columns:
        if heading not in sheet.headings:
            yield fatal(f"the mapping names a column {heading!r:.60}; there is none")
    for part, source in keys.items():
        if part in mapping.constants:
            message = f"the mapping states one {part} for all rows, and this column gives others"
            yield fatal(message, column=source.column, heading=source.heading)


def _twice(sheet: RawTable, source: Source, first: int) -> Problem:
    message = f"feeds the same as column {first}"
    return fatal(message, row=sheet.heading_row, column=source.column, heading=source.heading)


def _plain(heading: str) -> str:
    return re.sub(r"[\s\-]+", "_", heading.strip().casefold())
