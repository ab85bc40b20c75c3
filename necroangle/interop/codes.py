"""The codes of what is written: SNOMED CT and DICOM where there is one, else a scheme of our own.

No standard code is known for the combined necrotic angle, its grades and its flags. Those of our
own scheme are the names of the cohort table's columns and the words of its values.
"""

from dataclasses import dataclass
from typing import Any

from pydicom.sr.coding import Code

from necroangle.entries import Entered, Field
from necroangle.measurement.columns import COLUMNS
from necroangle.terms import Flag, Laterality, View

SCHEME = "99NECROANGLE"
"""Designator of our own scheme; every document that uses it declares it."""

MOST_BYTES = 64
"""A code's meaning holds no more letters; some programs count the bytes of UTF-8."""

ANGLE = Code("1483009", "SCT", "Angle")
RADIUS = Code("131190003", "SCT", "Radius")
FEMORAL_HEAD = Code("2812003", "SCT", "Femoral head")
NECROSIS = Code("397758007", "SCT", "Avascular necrosis of bone")
DEGREE = Code("deg", "UCUM", "degree")
MILLIMETRE = Code("mm", "UCUM", "millimeter")
ONE = Code("1", "UCUM", "no units")
_UNITS = {"deg": DEGREE, "mm": MILLIMETRE, "": ONE}
_SIDES = {
    Laterality.LEFT: Code("7771000", "SCT", "Left"),
    Laterality.RIGHT: Code("24028007", "SCT", "Right"),
}
_PLANES = {
    View.CORONAL: Code("81654009", "SCT", "Coronal"),
    View.SAGITTAL: Code("30730003", "SCT", "Sagittal"),
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finding in words: what was judged, and how."""

    name: Code
    value: Code


def own_code(value: str, meaning: str) -> Code:
    """A code of our own scheme; a meaning that is too long ends with dots.

    Examples
    --------
    >>> own_code("cna_deg", "combined necrotic angle").scheme_designator
    '99NECROANGLE'
    """
    raw = meaning.encode()
    if len(raw) > MOST_BYTES:
        meaning = raw[: MOST_BYTES - 3].decode(errors="ignore").rstrip() + "..."
    return Code(value, SCHEME, meaning)


LARGER_ANGLE = "the larger of the two angles between these lines"
"""Ends the label of an arc of more than 180 degrees: OHIF shows and writes the smaller angle."""

ARC_MARKS = own_code("arc_marks", "necrotic arc: start, a point on the necrotic side, end")

_COLUMNS = {column.name: column for column in COLUMNS}


def column_code(name: str) -> tuple[Code, Code]:
    """The code of a column of the cohort table, and that of its unit.

    Examples
    --------
    >>> [one.value for one in column_code("cna_deg")]
    ['cna_deg', 'deg']
    """
    column = _COLUMNS[name]
    return own_code(name, column.meaning), _UNITS[column.unit]


def column_value(name: str, value: Any) -> Evaluation:
    """What a column of words says."""
    return Evaluation(column_code(name)[0], own_code(f"{name}.{value}", str(value)))


def entry_code(field: Field, value: Entered) -> Evaluation:
    """What a reader entered."""
    choices = field.choices.choices if field.choices is not None else ()
    labels = {one.word: one.label for one in choices}
    label = labels.get(str(value), f"{field.label} {value}")
    return Evaluation(own_code(field.name, field.label), own_code(f"{field.name}.{value}", label))


def flag_code(flag: Flag) -> Evaluation:
    """A doubt."""
    return Evaluation(own_code("flag", "doubt about the reading"), own_code(flag, flag.meaning))


def side_code(side: Laterality) -> Code:
    """The side of a hip."""
    return _SIDES[side]


def plane_code(view: View) -> Code:
    """The plane of a view; of a radiograph a code of our own."""
    return _PLANES.get(view) or own_code(view, f"{view.label} radiograph")
