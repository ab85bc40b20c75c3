"""REDCap: data dictionary, events and records, to be uploaded in this order.

One record is a patient, one event a visit, one instance of the repeating instrument
``hip_reading`` a row of the table.
"""

from collections.abc import Iterable, Iterator, Sequence

from necroangle.errors import CohortError
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.export.csv_file import csv_bytes
from necroangle.export.table import ExportTable
from necroangle.plain_text import quoted

DICTIONARY_HEADING = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
"""The 18 columns of a data dictionary."""

REDCAP_FILES = ("redcap_dictionary.csv", "redcap_events.csv", "redcap_records.csv")
REDCAP_WARNING = (
    "uploading redcap_dictionary.csv REPLACES all instruments of a REDCap project: use an empty "
    "project; make hip_reading a repeating instrument in every event before the records"
)

_EVENT_HEADING = ("event_name", "arm_num", "day_offset", "offset_min", "offset_max")
_RECORD = "patient_id"
_FORMS = {True: "patient", False: "hip_reading"}
_WHY = {form: f"{form}_missing_reasons" for form in _FORMS.values()}
_DAYS_PER_MONTH = 365.25 / 12
_COMPLETE = "2"
_VALIDATION = {"whole": "integer", "real": "number", "date": "date_ymd", "text": ""}


def redcap_files(table: ExportTable) -> dict[str, bytes]:
    """Name and content of the three files.

    Parameters
    ----------
    table
        A long table.

    Raises
    ------
    CohortError
        If the table is wide.
    """
    names = [column.name for column in table.columns]
    if "visit" not in names or names[0] != _RECORD:
        raise CohortError("REDCap takes the long table: one record per patient, events for visits")
    events = _events(table)
    rows = map(_line, _dictionary(table.columns))
    listed = [(name, "1", str(day), "0", "0") for name, _, day in events.values()]
    return dict(
        zip(
            REDCAP_FILES,
            (
                csv_bytes(_line(DICTIONARY_HEADING), rows, bom=False),
                csv_bytes(_EVENT_HEADING, map(_line, dict.fromkeys(listed)), bom=False),
                _records(table, {visit: unique for visit, (_, unique, _) in events.items()}),
            ),
            strict=True,
        )
    )


def _line(cells: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(quoted, cells))


def _form(column: ExportColumn) -> str:
    return _FORMS[column.level == "patient"]


def _dictionary(columns: Sequence[ExportColumn]) -> Iterator[tuple[str, ...]]:
    """One line per field: the patient's form first, then the reading's."""
    for form in _FORMS.values():
        for column in columns:
            if _form(column) == form:
                yield _field(column, form)
        yield (
            _WHY[form],
            form,
            "",
            "notes",
            "Why values are missing",
            *[""] * (len(DICTIONARY_HEADING) - 5),
        )


def _field(column: ExportColumn, form: str) -> tuple[str, ...]:
    coded = bool(column.values) and column.kind == "whole"
    yes = column.values == ((0, "no"), (1, "yes"))
    field_type = "yesno" if yes else "radio" if coded else "text"
    choices = " | ".join(f"{code}, {label.replace('|', '/')}" for code, label in column.values)
    return (
        column.name,
        form,
        "",
        field_type,
        column.label,
        choices if coded and not yes else "",
        column.unit,
        "" if coded else _VALIDATION[column.kind],
        *[""] * (len(DICTIONARY_HEADING) - 8),
    )


def _events(table: ExportTable) -> dict[Value, tuple[str, str, int]]:
    """Name, unique name and day of the event of every visit, in the order of their months."""
    names = [column.name for column in table.columns]
    visit, month = names.index("visit"), names.index("months_nominal")
    seen = {row[visit]: row[month] for row in table.rows}
    known = {name: months for name, months in seen.items() if isinstance(months, float)}
    events: dict[Value, tuple[str, str, int]] = {}
    for name, months in sorted(known.items(), key=lambda pair: (pair[1], str(pair[0]))):
        event = f"Month {months:g}".replace(".", "_") if months else "Baseline"
        same = sum(title.partition(" again")[0] == event for title, _, _ in events.values())
        title = f"{event} again {same}" if same else event
        events[name] = (title, _unique(title), round(months * _DAYS_PER_MONTH))
    nameless = sorted(str(name) for name in seen if name not in known)
    last = max((day for _, _, day in events.values()), default=0)
    for number, name in enumerate(nameless, 1):
        events[name] = (f"Visit {number}", _unique(f"Visit {number}"), last + number)
    return events


def _unique(event: str) -> str:
    """REDCap's own name of an event."""
    return f"{event.lower().replace(' ', '_')[:18]}_arm_1"


def _records(table: ExportTable, events: dict[Value, str]) -> bytes:
    patient = [i for i, c in enumerate(table.columns) if i and _form(c) == "patient"]
    reading = [i for i, c in enumerate(table.columns) if _form(c) == "hip_reading"]
    heading = (
        _RECORD,
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
        *(table.columns[place].name for place in patient),
        _WHY["patient"],
        "patient_complete",
        *(table.columns[place].name for place in reading),
        _WHY["hip_reading"],
        "hip_reading_complete",
    )
    lines = _record_lines(table, events, (patient, reading))
    return csv_bytes(heading, lines, bom=False)


def _record_lines(
    table: ExportTable, events: dict[Value, str], places: tuple[list[int], list[int]]
) -> Iterator[tuple[str, ...]]:
    visit = [column.name for column in table.columns].index("visit")
    patient, reading = places
    blank = [""] * (len(patient) + 2), [""] * (len(reading) + 2)
    baseline = next(iter(events.values()), "")
    texts = zip(*(one.tolist() for one in table.texts), strict=True)
    known: set[Value] = set()
    instances: dict[tuple[Value, str], int] = {}
    for row, written in zip(table.rows, texts, strict=True):
        record, event = quoted(written[0]), events[row[visit]]
        if row[0] not in known:
            known.add(row[0])
            form = _form_cells(table, row, written, patient)
            yield (record, baseline, "", "", *form, *blank[1])
        number = instances[row[0], event] = instances.get((row[0], event), 0) + 1
        form = _form_cells(table, row, written, reading)
        yield (record, event, "hip_reading", str(number), *blank[0], *form)


def _form_cells(
    table: ExportTable, row: Sequence[Value], written: Sequence[str], places: Sequence[int]
) -> list[str]:
    """The fields of a form, why some are missing, and that the form is complete."""
    cells = []
    why: dict[Missing, list[str]] = {}
    for place in places:
        cell = row[place]
        if type(cell) is Missing:
            why.setdefault(cell, []).append(table.columns[place].name)
            cells.append("")
        else:
            cells.append(quoted(cell) if type(cell) is str else written[place])
    reasons = "; ".join(f"{reason.word}: {' '.join(names)}" for reason, names in why.items())
    return [*cells, quoted(reasons), _COMPLETE]
