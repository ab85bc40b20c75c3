"""The mapping file: which column of a table is which field, and how its words are read."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from necroangle.clinical.dates import DateOrder
from necroangle.decoding import MalformedError, from_toml
from necroangle.entries import CLINICAL_FIELDS, KEYS, KINDS_OF_EVENT, LATERALITIES
from necroangle.errors import CohortError

__all__ = [
    "IGNORE",
    "KEY_PARTS",
    "OCCURRED",
    "Rule",
    "TableMapping",
    "decode_mapping",
    "load_mapping",
    "mapping_toml",
]

IGNORE = "ignore"
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
        raise CohortError(f"{path.name}: cannot be read: {error.strerror}") from error
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
    try:
        mapping = from_toml(raw.removeprefix(b"\xef\xbb\xbf"), TableMapping)
    except MalformedError as error:
        raise CohortError(f"{file}: {error}") from error
    for place, problem in _problems(mapping):
        raise CohortError(f"{file}: {place}: {problem}")
    return mapping


def mapping_toml(columns: list[tuple[str, str, str]]) -> bytes:
    """A mapping file to go on from.

    Parameters
    ----------
    columns
        Heading, target and a remark, which may be empty.

    Examples
    --------
    >>> print(mapping_toml([("Side", "laterality", "")]).decode().splitlines()[-1])
    "Side" = "laterality"
    """
    lines = [*_HEAD.splitlines()]
    for heading, target, remark in columns:
        key = json.dumps(heading, ensure_ascii=False).replace("\x7f", "\\u007f")
        lines.append(f'{key} = "{target}"{f"  # {remark}" if remark else ""}')
    return ("\n".join(lines) + "\n").encode()


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


_HEAD = """\
# Which column of a table is which field.
#   "heading" = "kind.field", or "subject", "laterality", "visit", "event", "number", or "ignore"
#   "heading" = { to = "visit.vas", visit = "m06" }          the column stands for one visit
#   "heading" = { to = "laterality", values = { "Right" = "R", "Left" = "L" } }
#   "heading" = { to = "hip.treatment_date", dates = "DD/MM/YYYY" }
#   "heading" = { to = "visit.hhs", missing = { "ND" = "not done" } }

# How the table writes dates ("year first", "DD/MM/YYYY", "MM/DD/YYYY") and decimals ("." or ",").
dates = "year first"
decimal = "."

# What holds for every row, for instance "visit.vas_scale" = 100.
[constants]

[columns]"""
