"""A mapping proposed for a table, from its headings and its values, to be read and finished.

What is understood is filled in. What must be decided is written as ``"?"``: a mapping that holds
one cannot be imported. Every word of a coded column that is not known is listed with its code to
be named.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from necroangle.clinical.cells import Reading, parse_cell, parse_date, parse_key_part
from necroangle.clinical.headings import (
    Understood,
    understood,
    visit_of_months,
    visit_said,
)
from necroangle.clinical.identity import heading_tells_identity
from necroangle.clinical.mapping import HEAD, IGNORE, OCCURRED, UNDECIDED
from necroangle.clinical.raw_table import RawTable
from necroangle.entries import KEYS, NO_YES, Field, field_named
from necroangle.protocol.study import NO_STUDY, StudyProtocol

_MISSING = {
    **dict.fromkeys(
        ("nd", "n.d.", "not done", "未", "未検", "未実施", "미시행", "未测", "未查"), "not done"
    ),
    **dict.fromkeys(("-", "--", ".", "·", "없음", "missing", "fehlt", "k.a."), "not done"),
    **dict.fromkeys(
        ("na", "n/a", "n.a.", "해당없음", "該当なし", "不适用", "entfällt"), "not applicable"
    ),
}
"""What tables write where there is no value."""

_MOST_LISTED = 40
_OCCURRED_FIELD = Field("event", "occurred", "whole", "Occurred", "the event came", choices=NO_YES)


@dataclass(slots=True)
class _Column:
    """One column: its heading, its distinct values, and what is proposed."""

    heading: str
    values: list[str]
    said: Understood | None
    rule: dict[str, object] = field(default_factory=dict)
    remark: str = ""
    is_of_both: bool = False

    @property
    def to(self) -> str:
        """The target."""
        return IGNORE if self.said is None else self.said.to


def propose(table: RawTable, protocol: StudyProtocol | None = None) -> bytes:
    r"""A mapping file for a table, to go on from.

    Parameters
    ----------
    table
        The table.
    protocol
        The study's: its visits and missing codes.

    Examples
    --------
    >>> from necroangle.clinical.raw_table import build_raw_table
    >>> rows = [["환자번호", "측", "수술 전 VAS"], ["K1", "좌", "7"], ["K2", "B", "6"]]
    >>> table = build_raw_table("", list(enumerate(rows, 1)), rectangular=True)
    >>> print(propose(table).decode().split("[constants]")[1])
    <BLANKLINE>
    "visit.vas_scale" = 10
    <BLANKLINE>
    [columns]
    "환자번호" = "subject"
    "측" = { to = "laterality", values = { "B" = "?" } }
    "수술 전 VAS" = { to = "visit.vas", visit = "m00" }
    <BLANKLINE>
    """
    study = protocol or NO_STUDY
    columns = [_column(table, place) for place in range(len(table.headings))]
    _settle_twice(columns)
    order, decimal = _date_order(columns), _decimal(columns)
    for one in columns:
        _fill(one, study, order if order != UNDECIDED else "DD/MM/YYYY", decimal)
    lines = [_head(order, decimal), "[constants]", *_constants(columns, study), "", "[columns]"]
    _of_both_sides(columns)
    return ("\n".join((*lines, *map(_line, columns))) + "\n").encode()


def _column(table: RawTable, place: int) -> _Column:
    heading = table.headings[place]
    values = list(dict.fromkeys(row.cells[place] for row in table.rows if row.cells[place]))
    said = understood(heading)
    is_subject = said is not None and said.to == "subject"
    if heading_tells_identity(heading, as_subject=is_subject):
        return _Column(heading, values, None, remark="looks like a patient's identity")
    remark = "" if said else f"not known: name its field, or leave it out{_instances(values)}"
    return _Column(heading, values, said, remark=remark)


def _instances(values: list[str]) -> str:
    shown = [one for one in values if len(one) <= 6 and one.isascii() and one.isprintable()][:3]
    return f"; it holds {', '.join(shown)}" if shown else ""


def _settle_twice(columns: list[_Column]) -> None:
    """Of several columns that would feed the same, all but the first are left to be decided."""
    seen: set[Understood] = set()
    for one in columns:
        if one.said is None or one.to == IGNORE:
            continue
        if one.said in seen:
            one.said, one.remark = None, f"would feed {one.to} again: decide which column does"
        else:
            seen.add(one.said)


def _fill(one: _Column, study: StudyProtocol, order: str, decimal: str) -> None:
    """The rule of a column."""
    if one.said is None:
        return
    if one.said.months is not None:
        one.rule["visit"] = visit_of_months(one.said.months, study)
    if one.said.laterality is not None:
        one.rule["laterality"] = one.said.laterality
    if one.said.event is not None:
        one.rule["event"] = one.said.event
    if one.to not in (IGNORE, "subject"):
        _translate(one, study, order, decimal)


def _translate(one: _Column, study: StudyProtocol, order: str, decimal: str) -> None:
    """The words of a column: visits by their months, missing values, and what is not known."""
    missing = {text: _MISSING[key] for text in one.values if (key := text.casefold()) in _MISSING}
    codes = {**study.missing.codes, **missing}
    reading = Reading({}, codes, order, decimal)  # type: ignore[arg-type]
    words = [text for text in one.values if text not in codes]
    values: dict[str, str] = {}
    if one.to == "visit":
        said = {text: visit_said(text, study) or UNDECIDED for text in words}
        values = {text: name for text, name in said.items() if text != name}
    elif _has_list(one.to):
        unknown = [text for text in words if not _is_read(one.to, text, reading)]
        values = dict.fromkeys(unknown[:_MOST_LISTED], UNDECIDED)
        one.remark = "and more words: look at the column" if len(unknown) > _MOST_LISTED else ""
    if values:
        one.rule["values"] = values
    if missing:
        one.rule["missing"] = missing


def _has_list(target: str) -> bool:
    wanted = _field(target)
    return target in ("laterality", "event") or (wanted is not None and wanted.choices is not None)


def _field(target: str) -> Field | None:
    if target == OCCURRED:
        return _OCCURRED_FIELD
    return field_named(*target.split(".")) if "." in target else None


def _is_read(target: str, text: str, reading: Reading) -> bool:
    wanted = _field(target)
    try:
        if wanted is None:
            parse_key_part(target, text, reading)
        else:
            parse_cell(wanted, text, reading)
    except ValueError:
        return False
    return True


def _date_order(columns: Iterable[_Column]) -> str:
    """How the table writes its dates, as far as they tell; ``"?"`` where they do not."""
    found: set[str] = set()
    for one in columns:
        wanted = _field(one.to)
        for text in one.values if wanted is not None and wanted.type == "date" else ():
            found.add(_order_of(text))
    known = found - {"", UNDECIDED}
    if len(known) == 1:
        return known.pop()
    return UNDECIDED if known or UNDECIDED in found else "year first"


def _order_of(text: str) -> str:
    """The order that one date tells: empty where it is no date or has its year first."""
    try:
        parse_date(text)
    except ValueError:
        parts = re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2\d{4}.*", text)
        if parts is None:
            return ""
        if int(parts[1]) > 12 or parts[2] == ".":
            return "DD/MM/YYYY"
        return "MM/DD/YYYY" if int(parts[3]) > 12 else UNDECIDED
    return ""


def _decimal(columns: Iterable[_Column]) -> str:
    for one in columns:
        wanted = _field(one.to)
        is_number = wanted is not None and wanted.type in ("real", "whole")
        if is_number and any(re.fullmatch(r"[+-]?\d+,\d+", text) for text in one.values):
            return ","
    return "."


def _constants(columns: list[_Column], study: StudyProtocol) -> Iterator[str]:
    """What holds for every row: the scale of the pain, and parts of the key that nothing gives."""
    targets = {one.to for one in columns if one.said is not None}
    pain = [_number(text) for one in columns if one.to == "visit.vas" for text in one.values]
    numbers = [one for one in pain if one is not None]
    if numbers and "visit.vas_scale" not in targets:
        yield f'"visit.vas_scale" = {100 if max(numbers) > 10 else 10}'
    for part in ("laterality", "visit"):
        needy = [one for one in columns if one.said is not None and _needs(one, part)]
        if part == "laterality" and any(part in one.rule for one in columns):
            continue  # what tells no side is of both
        if needy and part not in targets:
            value = UNDECIDED
            if part == "visit" and study.index_visit and len(needy) == 1:
                value = study.index_visit
            yield f'{part} = "{value}"  # of {", ".join(one.heading for one in needy[:3])}'


def _of_both_sides(columns: list[_Column]) -> None:
    """Where the headings name the sides, what names none is of both hips."""
    if any(one.to == "laterality" for one in columns):
        return
    if any("laterality" in one.rule for one in columns):
        for one in columns:
            one.is_of_both = one.said is not None and _needs(one, "laterality")


def _needs(one: _Column, part: str) -> bool:
    kind = one.to.partition(".")[0]
    return "." in one.to and part in KEYS.get(kind, ()) and part not in one.rule


def _number(text: str) -> float | None:
    plain = text.replace(",", ".")
    return float(plain) if re.fullmatch(r"\d+(\.\d+)?", plain) else None


def _head(order: str, decimal: str) -> str:
    return HEAD.replace(
        'dates = "year first"\ndecimal = "."', f'dates = "{order}"\ndecimal = "{decimal}"'
    )


def _line(one: _Column) -> str:
    value = json.dumps(one.to)
    if one.is_of_both:
        value = f"[{', '.join(_rule(one, {**one.rule, 'laterality': side}) for side in 'LR')}]"
    elif one.rule:
        value = _rule(one, one.rule)
    remark = f"  # {one.remark}" if one.remark else ""
    return f"{_quoted(one.heading)} = {value}{remark}"


def _rule(one: _Column, rule: dict[str, object]) -> str:
    parts = [f"to = {_quoted(one.to)}", *(f"{name} = {_toml(cell)}" for name, cell in rule.items())]
    return f"{{ {', '.join(parts)} }}"


def _toml(cell: object) -> str:
    if isinstance(cell, dict):
        pairs = (f"{_quoted(key)} = {_quoted(value)}" for key, value in cell.items())
        return f"{{ {', '.join(pairs)} }}"
    return _quoted(str(cell))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
