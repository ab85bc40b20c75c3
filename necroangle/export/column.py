"""A column of an export, and what may stand in it."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from necroangle.errors import CohortError
from necroangle.export.missing import Missing

__all__ = ["NAME_RULE", "ExportColumn", "Kind", "Value"]

Value = str | int | float | date | Missing
Kind = Literal["text", "whole", "real", "date"]

NAME_RULE = re.compile(r"[a-z][a-z0-9_]{0,25}", re.ASCII)
"""What CSV, SPSS, Stata, SAS and REDCap all take, whole."""

LABEL_LIMIT = 80
"""Stata's limit for the label of a variable."""


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of an export.

    Attributes
    ----------
    name
        Matches :data:`NAME_RULE`.
    kind
        ``"text"``, ``"whole"``, ``"real"`` or ``"date"``.
    label
        At most 80 characters.
    unit
        ``"deg"``, ``"mm"``, ``"days"``... or nothing.
    values
        (code, label) of every value, where the values are codes.
    measure
        SPSS measurement level.
    meaning
        One line in full, for the codebook.
    source
        Where it comes from: ``"cohort.a_deg"``, ``"visit.vas"``.
    level
        What the value belongs to: a patient, a hip, a visit, or a single reading.
    can_miss
        Whether a value may be missing.
    stem
        Name in a wide table before ``_m6``; nothing where the column does not go there.

    Raises
    ------
    CohortError
        If the name or the label does not suit every statistics program.

    Examples
    --------
    >>> ExportColumn("cna_deg", "real", "Combined necrotic angle", "deg").unit
    'deg'
    >>> ExportColumn("CNA", "real", "Combined necrotic angle")
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: column 'CNA': the name must begin with a letter a to z ...
    """

    name: str
    kind: Kind
    label: str
    unit: str = ""
    values: tuple[tuple[int, str], ...] = ()
    measure: Literal["nominal", "ordinal", "scale"] = "scale"
    meaning: str = ""
    source: str = ""
    level: Literal["patient", "hip", "visit", "reading"] = "reading"
    can_miss: bool = True
    stem: str = ""

    def __post_init__(self) -> None:
        if not NAME_RULE.fullmatch(self.name):
            raise CohortError(
                f"column {self.name!r}: the name must begin with a letter a to z and have at most "
                "26 small letters, digits and underscores, as SPSS, Stata, SAS and REDCap take"
            )
        if not 0 < len(self.label) <= LABEL_LIMIT:
            raise CohortError(f"column {self.name}: the label must have 1 to {LABEL_LIMIT} letters")

    @property
    def reason_name(self) -> str:
        """Column of CSV and Parquet that says why a value is missing."""
        return f"{self.name}_missing_reason"
