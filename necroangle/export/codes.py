"""Codes of the words of the field: fixed for ever, so that files of two years can be put together.

A new word takes a new code; no code is ever given again. ARCO 3A is 31 and ARCO 4 is 40, so that no
code can be taken for another stage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["CODE_SETS", "CodeSet", "code_set_of"]


@dataclass(frozen=True, slots=True)
class CodeSet:
    """Words, their codes and labels.

    Attributes
    ----------
    codes
        Code of every word.
    labels
        Label of a word, where it is not the word itself.
    measure
        ``"ordinal"`` where the order of the codes means something.
    """

    codes: Mapping[str, int]
    labels: Mapping[str, str]
    measure: Literal["nominal", "ordinal"] = "nominal"

    @property
    def values(self) -> tuple[tuple[int, str], ...]:
        """(code, label), by code."""
        found = ((code, self.label(word)) for word, code in self.codes.items())
        return tuple(sorted(found))

    def label(self, word: str) -> str:
        """Label of a word for people."""
        return self.labels.get(word, word.replace("_", " "))


def _codes(
    *words: str,
    first: int = 1,
    ordinal: bool = False,
    codes: Sequence[int] = (),
    **labels: str,
) -> CodeSet:
    numbers = codes or range(first, first + len(words))
    measure: Literal["nominal", "ordinal"] = "ordinal" if ordinal else "nominal"
    return CodeSet(dict(zip(words, numbers, strict=True)), labels, measure)


_STATUS = _codes(
    "no_necrosis",
    "necrosis",
    "not_subchondral",
    "off_midslice",
    "not_done",
    "not_readable",
    "prosthesis",
    first=0,
)
_ARCO = CodeSet(
    {"1": 10, "2": 20, "3A": 31, "3B": 32, "4": 40},
    {stage: f"ARCO {stage}" for stage in ("1", "2", "3A", "3B", "4")},
    "ordinal",
)
_JIC = CodeSet(
    {"A": 1, "B": 2, "C1": 3, "C2": 4},
    {kind: f"type {kind}" for kind in ("A", "B", "C1", "C2")},
    "ordinal",
)
_SIZE = _codes("small", "medium", "large", ordinal=True)
_VIEWS = _codes("coronal", "sagittal", "ap", "frog_leg", "cross_table", ap="AP")
_NO_YES = CodeSet({"0": 0, "1": 1}, {"0": "no", "1": "yes"})

CODE_SETS: dict[str, CodeSet] = {
    "laterality": _codes("L", "R", L="left", R="right"),
    "method": _codes(
        "ha_mr_midslice", "kerboul_radiograph", "max_extent", "largest_slice", "centre_plane"
    ),
    "modality": _codes("mr", "radiograph", mr="MR"),
    "a_view": _VIEWS,
    "b_view": _VIEWS,
    "a_status": _STATUS,
    "b_status": _STATUS,
    "a_plane": _codes("sagittal", "coronal", "axial"),
    "b_plane": _codes("sagittal", "coronal", "axial"),
    "ha_grade": CodeSet(
        {"1": 1, "2": 2, "3": 3, "4": 4},
        {"1": "below 200", "2": "200 to below 250", "3": "250 to below 300", "4": "300 and more"},
        "ordinal",
    ),
    "ha_risk": _codes("low", "moderate", "high", ordinal=True),
    "kerboul": _SIZE,
    "koo_kim_size_prov": _SIZE,
    "jic_type_prov": _JIC,
    "jic_medial_of_wb_prov": _NO_YES,
    "arco2021_type": CodeSet({"1": 1, "2": 2, "3": 3}, {n: f"type {n}" for n in "123"}, "ordinal"),
    "collapse_arco": _ARCO,
    "collapse_jic": CodeSet({"3A": 31, "3B": 32}, {"3A": "JIC 3A", "3B": "JIC 3B"}, "ordinal"),
    "centre": _codes("circles", "sphere"),
    "arco": _ARCO,
    "jic": _JIC,
    "ficat": CodeSet(
        {str(stage): stage for stage in range(5)},
        {str(stage): f"Ficat {stage}" for stage in range(5)},
        "ordinal",
    ),
    "sex": _codes("M", "F", M="male", F="female"),
    "aetiology": _codes(
        "steroid",
        "alcohol",
        "both",
        "idiopathic",
        "trauma",
        "other",
        steroid="glucocorticoid-associated",
        alcohol="alcohol-associated",
        both="glucocorticoids and alcohol",
        trauma="after trauma",
    ),
    "treatment": _codes(
        "core_decompression",
        "core_decompression_msc",
        "osteotomy",
        "conservative",
        "other",
        core_decompression_msc="core decompression with stromal cells",
    ),
    "no_yes": _NO_YES,
}
"""Code sets by the column of the database (or clinical field) that they belong to."""


def code_set_of(name: str, allowed: Sequence[str]) -> CodeSet:
    """The fixed code set of a column, or 1, 2, 3... in the order of its allowed words.

    The fixed set is taken where it knows every allowed word.

    Examples
    --------
    >>> code_set_of("arco", ("1", "2", "3A", "3B", "4")).codes["3A"]
    31
    >>> code_set_of("steroid_route", ("oral", "iv")).values
    ((1, 'oral'), (2, 'iv'))
    """
    known = CODE_SETS.get(name)
    if known is not None and set(allowed) <= known.codes.keys():
        return known
    return _codes(*allowed)
