"""The columns of the cohort table, once: name, kind, unit, meaning, allowed values.

The order of a row, the table in the database, the CSV, the JSON and the printed table follow it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from necroangle.entries import READ_FIELDS, Field
from necroangle.measurement import METHODS, HaRisk, KerboulBin
from necroangle.measurement.indices import INDEX_SOURCES, JicStage, KooKimSize
from necroangle.terms import (
    ArcoStage,
    Finding,
    Flag,
    JicType,
    Laterality,
    UnreadReason,
    View,
)

__all__ = ["COLUMNS", "KEY", "NAMES", "Column", "Kind"]

Kind = Literal["text", "whole", "real"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name
        ``[a-z][a-z0-9_]{0,25}``: what CSV, SPSS, Stata, SAS and REDCap all take.
    kind
        ``"text"``, ``"whole"`` (integer) or ``"real"`` (double precision).
    meaning
        One line for people.
    unit
        ``"deg"``, ``"mm"`` or nothing.
    allowed
        The values that a text may have, or nothing where it is free. Flags hold several, in this
        order, with a space between them.
    need
        ``"key"``: part of what makes a row one row. ``"always"``: never empty. ``"maybe"``: empty
        (NULL) where there is nothing to say.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    need: Literal["key", "always", "maybe"] = "maybe"


def _words(*words: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(str(word) for group in words for word in group)


def _key_columns() -> Iterator[Column]:
    yield Column("subject", "text", "pseudonym of the patient", need="key")
    yield Column("laterality", "text", "side of the hip", "", _words(Laterality), "key")
    yield Column("visit", "text", "visit", need="key")
    yield Column("reader", "text", "who read", need="key")
    yield Column("read_no", "whole", "which read of this hip by this reader, from 1", need="key")
    yield Column("method", "text", "measuring method", "", tuple(METHODS), "key")


def _view_columns(side: str, name: str) -> Iterator[Column]:
    """The columns of one view: side ``"a"`` or ``"b"``."""
    views = tuple(str(view) for view in View if view.is_a is (side == "a"))
    yield Column(f"{side}_view", "text", f"the {name}", "", views, "always")
    yield Column(
        f"{side}_status",
        "text",
        "what was found, or why the view was not read",
        allowed=_words(Finding, UnreadReason),
        need="always",
    )
    yield Column(f"{side}_deg", "real", "necrotic angle: union of the arcs", "deg")
    yield Column(f"{side}_se_deg", "real", "its standard error", "deg")
    yield Column(f"{side}_low_deg", "real", "lower bound of its 95 % interval", "deg")
    yield Column(f"{side}_high_deg", "real", "upper bound of its 95 % interval", "deg")
    yield Column(f"{side}_span_deg", "real", "from the outermost boundary to the other", "deg")
    yield Column(f"{side}_arc_count", "whole", "number of arcs")
    yield Column(f"{side}_start_deg", "real", "medial or anterior boundary from superior", "deg")
    yield Column(f"{side}_end_deg", "real", "lateral or posterior boundary from superior", "deg")
    yield Column(f"{side}_middle_deg", "real", "middle of the necrosis from superior", "deg")
    yield Column(f"{side}_radius_mm", "real", "radius of the head circle", "mm")
    yield Column(f"{side}_rim_rms_mm", "real", "RMS distance of rim marks from circle", "mm")
    yield Column(f"{side}_rim_span_deg", "real", "how far the rim marks reach round", "deg")
    yield Column(f"{side}_rim_count", "whole", "number of rim marks")
    yield Column(f"{side}_rim_left_out", "whole", "rim marks within a collapsed arc, not counted")
    yield Column(f"{side}_rim_misplaced", "text", "rim marks that look misplaced, from 1")
    yield Column(f"{side}_edge_gap_mm", "real", "largest distance of an arc end from circle", "mm")
    yield Column(f"{side}_surface_share", "real", "dead share of the head's surface, 0 to 1")
    yield Column(
        f"{side}_plane",
        "text",
        "nearest anatomical plane; empty on a radiograph",
        allowed=("sagittal", "coronal", "axial"),
    )
    yield Column(f"{side}_obliquity_deg", "real", "tilt from that plane", "deg")
    yield Column(f"{side}_slice_offset_mm", "real", "slice from the head's centre", "mm")
    yield Column(f"{side}_slice_offset_se_mm", "real", "its standard error", "mm")
    yield Column(f"{side}_slice_shift_mm", "real", "measured slice from the marked one", "mm")
    yield Column(f"{side}_flags", "text", "doubts about this view", allowed=_words(Flag))


_INDEX_KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "koo_kim_size": ("text", _words(KooKimSize)),
    "jic_type": ("text", _words(JicType)),
    "jic_medial_of_wb": ("whole", ("0", "1")),
    "arco2021_type": ("whole", ("1", "2", "3")),
    "collapse_arco": ("text", _words(ArcoStage)),
    "collapse_jic": ("text", _words(JicStage)),
}
"""Indices that are no real numbers, with the values that they may have."""


def index_column_name(index: str) -> str:
    """Column of an index: ``_prov`` in the name says that its rule is provisional.

    Examples
    --------
    >>> index_column_name("lateral_spared_deg"), index_column_name("arco2021_type")
    ('lateral_spared_prov_deg', 'arco2021_type')
    """
    if not INDEX_SOURCES[index].provisional:
        return index
    stem, _, unit = index.rpartition("_")
    return f"{stem}_prov_{unit}" if unit in {"deg", "mm"} else f"{index}_prov"


def _index_column(index: str) -> Column:
    source = INDEX_SOURCES[index]
    kind, allowed = _INDEX_KINDS.get(index, ("real", ()))
    unit = index.rpartition("_")[2]
    return Column(
        index_column_name(index),
        kind,
        f"{'provisional: ' if source.provisional else ''}{source.source} [{source.doi_or_ref}]",
        unit if unit in {"deg", "mm"} else "",
        allowed,
    )


def _entry_column(field: Field) -> Column:
    kind: Kind = field.type if field.type != "date" else "text"
    return Column(field.name, kind, f"{field.label} as entered", field.unit, tuple(field.values))


def _hip_columns() -> Iterator[Column]:
    yield Column("cna_deg", "real", "combined necrotic angle A + B", "deg")
    yield Column("cna_se_deg", "real", "its standard error", "deg")
    yield Column("cna_low_deg", "real", "lower bound of its 95 % interval", "deg")
    yield Column("cna_high_deg", "real", "upper bound of its 95 % interval", "deg")
    yield Column("cna_mdc95_deg", "real", "smallest change that is real: 1.96 sqrt(2) SE", "deg")
    yield Column("ha_grade", "whole", "modified Kerboul grade 1 to 4 (Ha 2006), MR only")
    yield Column("ha_risk", "text", "risk of collapse (Ha 2006), MR only", "", _words(HaRisk))
    yield Column("kerboul", "text", "Kerboul's original bins", "", _words(KerboulBin))
    for number in (1, 2, 3, 4):
        yield Column(f"ha_grade_{number}_p", "real", f"probability of Ha's grade {number}")
    for risk in HaRisk:
        yield Column(f"ha_risk_{risk}_p", "real", f"probability of {risk} risk (Ha)")
    yield from map(_index_column, INDEX_SOURCES)
    yield Column(
        "index_refused",
        "text",
        "indices whose marks contradict themselves",
        allowed=tuple(INDEX_SOURCES),
        need="always",
    )
    yield Column("flags", "text", "doubts about the hip", "", _words(Flag), "always")
    yield Column("centre_gap_mm", "real", "how far the views' head centres miss each other", "mm")
    yield Column("radius_gap_mm", "real", "head radius of view B less view A", "mm")
    yield Column("one_head_p", "real", "chance of such a miss by click noise alone (F test)")
    yield Column("rim_sd_mm", "real", "click noise of a rim mark, from the residuals", "mm")
    yield Column("end_sd_mm", "real", "noise of an arc end along the surface, as declared", "mm")
    yield Column("radius_prior_mm", "real", "head radius known beforehand", "mm")
    yield Column("radius_prior_sd_mm", "real", "its standard deviation", "mm")
    yield Column("radius_prior_source", "text", "where it comes from")
    yield Column("centre", "text", "centre of the angles", "", ("circles", "sphere"), "always")
    yield from map(_entry_column, READ_FIELDS)


def _columns() -> Iterator[Column]:
    yield from _key_columns()
    yield Column("method_version", "whole", "version of the method's rules", need="always")
    yield Column("modality", "text", "kind of image", "", ("mr", "radiograph"), "always")
    yield from _view_columns("a", "A view (coronal or AP)")
    yield from _view_columns("b", "B view (sagittal or lateral)")
    yield from _hip_columns()
    yield Column("annotation_sha256", "text", "SHA-256 of the reading file", need="always")
    yield Column("software_version", "text", "version of necroangle", need="always")


COLUMNS = tuple(_columns())
"""Every column, in order; the first six are the key."""

NAMES = tuple(column.name for column in COLUMNS)
KEY = tuple(column.name for column in COLUMNS if column.need == "key")
