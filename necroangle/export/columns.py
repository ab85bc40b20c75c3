"""A column of an export, what may stand in it, and why nothing stands there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Literal

from necroangle.errors import CohortError

Kind = Literal["text", "whole", "real", "date"]

NAME_RULE = re.compile(r"[a-z][a-z0-9_]{0,25}", re.ASCII)
"""What CSV, SPSS, Stata, SAS and REDCap all take, whole."""

LABEL_LIMIT = 80
"""Stata's limit for the label of a variable."""

TEXT_LIMIT = 2000
"""Bytes of UTF-8: below Stata's 2045 for a plain string, and Excel's 32767 for a cell."""

_BREAKS = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Missing(Enum):
    """Why there is no value.

    Examples
    --------
    >>> Missing.NOT_READABLE.code, Missing.NOT_READABLE.letter, Missing.NOT_READABLE.word
    (-98, 'b', 'not_readable')
    """

    NOT_APPLICABLE = (-97, "a", "not_applicable", "not applicable")
    """The question does not arise: a grade after arthroplasty, a cut-off of another method."""
    NOT_READABLE = (-98, "b", "not_readable", "image not readable")
    NOT_DONE = (-99, "c", "not_done", "not done")
    """Not read, not asked, or not entered."""

    __hash__ = object.__hash__  # Enum's own hashes a name, in Python

    @property
    def code(self) -> int:
        """User-missing value in SPSS."""
        return self.value[0]

    @property
    def letter(self) -> str:
        """Letter of the extended missing value in Stata (``.a``) and SAS (``.A``)."""
        return self.value[1]

    @property
    def word(self) -> str:
        """What stands in ``<name>_missing_reason``."""
        return self.value[2]

    @property
    def label(self) -> str:
        """The reason for people."""
        return self.value[3]


Value = str | int | float | date | Missing


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


def short_names(columns: Sequence[ExportColumn]) -> tuple[str, ...]:
    """SAS's old names: at most 8 letters and digits, each once, in the order of the columns.

    Examples
    --------
    >>> columns = [ExportColumn(n, "real", "X") for n in ("hip_id", "cna_cor_deg", "cna_cor_se")]
    >>> short_names(columns)
    ('HIP_ID', 'CNACOR01', 'CNACOR02')
    """
    wanted = [column.name.upper() for column in columns]
    taken = {name for name in wanted if len(name) <= 8}
    found = []
    for name in wanted:
        if len(name) > 8:
            stem = re.sub("_", "", name)[:6]
            name = next(
                short
                for number in range(1, 1000)
                if (short := f"{stem[: 8 - len(f'{number:02}')]}{number:02}") not in taken
            )
            taken.add(name)
        found.append(name)
    return tuple(found)


def clean_text(text: str) -> tuple[str, bool]:
    r"""The text as it can stand in every format, and whether it had to be cut.

    Line breaks and tabs become one space, other control characters and broken surrogates ``\ufffd``
    (several programs end a text at NUL).

    Examples
    --------
    >>> clean_text("a\r\nb\x00c")
    ('a b\ufffdc', False)
    """
    if text.isprintable() and len(text) * 4 <= TEXT_LIMIT:
        return text, False
    plain = _UNWRITABLE.sub("\ufffd", _BREAKS.sub(" ", text))
    if len(plain.encode()) <= TEXT_LIMIT:
        return plain, False
    return cut_bytes(plain, TEXT_LIMIT - 3) + "…", True


def cut_bytes(text: str, limit: int) -> str:
    """The beginning of a text that takes no more than so many bytes of UTF-8.

    Examples
    --------
    >>> cut_bytes("홍길동", 7)
    '홍길'
    """
    return text.encode()[:limit].decode(errors="ignore")


def bare(text: str) -> str:
    """The text before :func:`necroangle.plain_text.guarded`.

    Examples
    --------
    >>> from necroangle.plain_text import guarded
    >>> bare(guarded("-5")), bare(guarded("'s")), bare("S01")
    ('-5', "'s", 'S01')
    """
    return text[1:] if text.startswith("'") else text
