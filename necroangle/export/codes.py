"""Codes of the words of the field: fixed for ever, so that files of two years can be put together.

The words of what is entered have their codes in the registry (:mod:`necroangle.entries`); here
stand those of what is measured.
"""

from collections.abc import Sequence

from necroangle.entries import FIELDS, LATERALITIES, NO_YES, Choice, CodeSet, field_named
from necroangle.terms import Weighting

__all__ = ["CODE_SETS", "CodeSet", "code_set_of"]


def _codes(*words: str, first: int = 1, ordinal: bool = False, **labels: str) -> CodeSet:
    """Words coded one after another; a label is the word itself where none is given."""
    choices = (
        Choice(word, code, labels.get(word, word.replace("_", " ")))
        for code, word in enumerate(words, first)
    )
    return CodeSet(tuple(choices), is_ordered=ordinal)


def _entered(kind: str, name: str) -> CodeSet:
    """The words of an entry, which a measurement may give, too."""
    choices = field_named(kind, name).choices
    assert choices is not None  # noqa: S101  (named here for its words)
    return choices


def _some(whole: CodeSet, *words: str) -> CodeSet:
    return CodeSet(tuple(one for one in whole.choices if one.word in words), whole.is_ordered)


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
_SIZE = _codes("small", "medium", "large", ordinal=True)
_VIEWS = _codes("coronal", "sagittal", "ap", "frog_leg", "cross_table", ap="AP")
_GRADES = ("below 200", "200 to below 250", "250 to below 300", "300 and more")

CODE_SETS: dict[str, CodeSet] = {
    "laterality": LATERALITIES,
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
    "a_weighting": _codes(*Weighting),
    "b_weighting": _codes(*Weighting),
    "ha_grade": CodeSet(
        tuple(Choice(str(grade), grade, label) for grade, label in enumerate(_GRADES, 1)),
        is_ordered=True,
    ),
    "ha_risk": _codes("low", "moderate", "high", ordinal=True),
    "kerboul": _SIZE,
    "koo_kim_size_prov": _SIZE,
    "jic_type_prov": _entered("visit", "jic"),
    "jic_medial_of_wb_prov": NO_YES,
    "arco2021_type": CodeSet(
        tuple(Choice(str(kind), kind, f"type {kind}") for kind in (1, 2, 3)), is_ordered=True
    ),
    "collapse_arco": _entered("visit", "arco"),
    "collapse_jic": _some(_entered("visit", "jic_stage"), "3A", "3B"),
    "centre": _codes("circles", "sphere"),
    "no_yes": NO_YES,
    **{one.name: one.choices for one in FIELDS if one.choices is not None and one.type == "text"},
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
