"""The columns of the cohort table, each once: name, kind, unit, meaning, values, and its getter.

The order of a row, the table in the database, the CSV, the JSON and the printed table follow it. A
getter gives the column of many readings from what was measured of them: a row is one line of it.
Getters alone need numpy and what measures: whoever reads the table waits for neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from necroangle import __version__
from necroangle.entries import READ_FIELDS, Field
from necroangle.measurement.grades import (
    HA_GRADES,
    HA_RISKS,
    KERBOUL_BINS,
    KOO_KIM_SIZES,
    HaRisk,
    KerboulBin,
    KooKimSize,
    Scheme,
)
from necroangle.measurement.indices import INDEX_SOURCES, HipIndices
from necroangle.measurement.method import METHODS
from necroangle.terms import (
    ArcoStage,
    Finding,
    Flag,
    JicStage,
    JicType,
    Laterality,
    UnreadReason,
    View,
    Weighting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from enum import StrEnum

    import numpy as np
    from numpy.typing import NDArray

    from necroangle.measurement.measuring import Measured

    ColumnData = NDArray[np.float64] | list[str | None]
    """Numbers with NaN, or texts with None, where a row says nothing."""

    Getter = Callable[[Measured], ColumnData]

Kind = Literal["text", "whole", "real"]


def _from_elsewhere(measured: Measured) -> ColumnData:
    """The column of what is not measured: whoever knows it fills it in."""
    return [None] * len(measured)


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
        The values that a text may have, or nothing where it is free.
    need
        ``"key"``: part of what makes a row one row. ``"always"``: never empty. ``"maybe"``: empty
        (NULL) where there is nothing to say.
    get
        Its values from what was measured of some readings.
    holds_several
        Whether a text may hold several of the allowed values, in their order, with a space between.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    allowed: tuple[str, ...] = ()
    need: Literal["key", "always", "maybe"] = "maybe"
    get: Getter = _from_elsewhere
    holds_several: bool = False


def _words(*words: Iterable[StrEnum]) -> tuple[str, ...]:
    return tuple(str(word) for group in words for word in group)


def _texts(words: Iterable[str | None]) -> list[str | None]:
    """Plain texts of members of the vocabulary."""
    return [None if word is None else str(word) for word in words]


def _text(name: str) -> Getter:
    """The getter of a text that stands in the readings."""
    return lambda m: _texts(getattr(m.batch.hips, name))


def number_column(values: Iterable[Any]) -> NDArray[np.float64]:
    """Plain numbers as a column; NaN where there is none."""
    import numpy as np

    return np.array([math.nan if one is None else one for one in values], float)


def _nothing(m: Measured) -> NDArray[np.float64]:
    """A column of numbers in which nothing stands yet."""
    return number_column([None] * len(m))


def _only(where: NDArray[np.bool_], numbers: NDArray[Any]) -> ColumnData:
    import numpy as np

    return np.where(where, numbers, np.nan)


def _named(where: NDArray[np.bool_], scheme: Scheme[Any], values: NDArray[Any]) -> ColumnData:
    names = [str(one) for one in scheme.categories]
    pairs = zip(where.tolist(), scheme.places(values).tolist(), strict=True)
    return [names[place] if there else None for there, place in pairs]


def _key_columns() -> Iterator[Column]:
    yield Column("subject", "text", "pseudonym of the patient", need="key", get=_text("subject"))
    yield Column(
        "laterality",
        "text",
        "side of the hip",
        allowed=_words(Laterality),
        need="key",
        get=_text("laterality"),
    )
    yield Column("visit", "text", "visit", need="key", get=_text("visit"))
    yield Column("reader", "text", "who read", need="key", get=_text("reader"))
    yield Column(
        "read_no",
        "whole",
        "which read of this hip by this reader, from 1",
        need="key",
        get=lambda m: number_column(m.batch.hips.read_no),
    )
    yield Column(
        "method",
        "text",
        "measuring method",
        allowed=tuple(METHODS),
        need="key",
        get=lambda m: [one.name for one in m.methods],
    )
    yield Column(
        "method_version",
        "whole",
        "version of the method's rules",
        need="always",
        get=lambda m: number_column(one.version for one in m.methods),
    )
    yield Column(
        "modality",
        "text",
        "kind of image",
        allowed=("mr", "radiograph"),
        need="always",
        get=lambda m: ["radiograph" if one else "mr" for one in m.batch.hips.flat],
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """The columns of one view."""

    number: int

    @property
    def letter(self) -> str:
        return "ab"[self.number]

    def numbers(self, get: Callable[[Measured], NDArray[Any]]) -> Getter:
        """The getter of (V,) numbers of this view; NaN where it was not read."""

        def found(m: Measured) -> ColumnData:
            column = _nothing(m)
            some = m.batch.side == self.number
            column[m.batch.hip[some]] = get(m)[some]
            return column

        return found

    def texts(self, get: Callable[[Measured], Sequence[str | None]]) -> Getter:
        """The getter of (V,) texts of this view; None where it was not read."""

        def found(m: Measured) -> ColumnData:
            words = get(m)
            views = m.batch.view_of[self.number].tolist()
            return [words[view] if view >= 0 else None for view in views]

        return found

    def of_pair(self, get: Callable[[Measured], tuple[NDArray[Any], NDArray[Any]]]) -> Getter:
        """The getter of what A and B say of each other, A's first."""
        return _judged(lambda m: get(m)[self.number])


def _judged(get: Callable[[Measured], NDArray[Any]]) -> Getter:
    """The getter of what the views say of each other; NaN where they say nothing."""

    def found(m: Measured) -> ColumnData:
        column = _nothing(m)
        column[m.judges.hip] = get(m)
        return column

    return found


def _misplaced(m: Measured) -> list[str | None]:
    named = m.heads.misplaced
    return [
        " ".join(str(one.index + 1) for one in named.get(view, ()))
        for view in range(len(m.batch.own))
    ]


def _slice_counts(m: Measured) -> NDArray[Any]:
    import numpy as np

    return np.bincount(m.batch.slice_view, minlength=len(m.batch.own))


def _flags(doubts: Any) -> list[str | None]:
    from necroangle.measurement.doubts import flag_words

    return [*flag_words(doubts)]


def _view_columns(side: _Side, name: str) -> Iterator[Column]:
    letter, deg, mm = side.letter, "deg", "mm"
    views = tuple(str(view) for view in View if view.is_a is (side.number == 0))

    def real(stem: str, meaning: str, unit: str, get: Callable[[Measured], NDArray[Any]]) -> Column:
        return Column(f"{letter}_{stem}", "real", meaning, unit, get=side.numbers(get))

    def whole(stem: str, meaning: str, get: Callable[[Measured], NDArray[Any]]) -> Column:
        return Column(f"{letter}_{stem}", "whole", meaning, get=side.numbers(get))

    yield Column(
        f"{letter}_view",
        "text",
        f"the {name}",
        allowed=views,
        need="always",
        get=lambda m: _texts(one[side.number] for one in m.batch.hips.views),
    )
    yield Column(
        f"{letter}_status",
        "text",
        "what was found, or why the view was not read",
        allowed=_words(Finding, UnreadReason),
        need="always",
        get=lambda m: _texts(one[side.number] for one in m.batch.hips.statuses),
    )
    low, high = (lambda m: m.view_bounds[0]), (lambda m: m.view_bounds[1])
    yield real("deg", "necrotic angle: union of the arcs", deg, lambda m: m.views.angle.value)
    yield real(
        "se_marking",
        "its standard error by marking alone: rim and arc ends",
        deg,
        lambda m: m.views.angle.marking,
    )
    yield real(
        "se_total",
        "its standard error: rim, shape, arc ends and slice",
        deg,
        lambda m: m.views.angle.se,
    )
    yield real("low_deg", "lower bound of its 95 % interval", deg, low)
    yield real("high_deg", "upper bound of its 95 % interval", deg, high)
    yield real("span_deg", "from the outermost boundary to the other", deg, lambda m: m.views.span)
    yield whole("arc_count", "number of arcs", lambda m: m.views.arc_count)
    yield real(
        "start_deg", "medial or anterior boundary from superior", deg, lambda m: m.views.start
    )
    yield real("end_deg", "lateral or posterior boundary from superior", deg, lambda m: m.views.end)
    yield real("middle_deg", "middle of the necrosis from superior", deg, lambda m: m.views.middle)
    yield real("radius_mm", "radius of the head circle", mm, lambda m: m.views.radius)
    yield real("rim_rms_mm", "RMS distance of rim marks from circle", mm, lambda m: m.views.rms)
    yield real("rim_span_deg", "how far the rim marks reach round", deg, lambda m: m.views.rim_span)
    yield real(
        "rim_middle_deg", "middle of the rim from superior", deg, lambda m: m.views.rim_middle
    )
    yield whole("rim_count", "number of rim marks", lambda m: m.batch.rim_count[m.batch.own])
    yield whole(
        "rim_left_out", "rim marks within a collapsed arc, not counted", lambda m: m.left_out
    )
    yield Column(
        f"{letter}_rim_misplaced",
        "text",
        "rim marks that look misplaced, from 1",
        get=side.texts(_misplaced),
    )
    yield real(
        "edge_gap_mm", "largest distance of an arc end from circle", mm, lambda m: m.views.edge_gap
    )
    yield real(
        "surface_share",
        "necrotic fraction of the head's surface, 0 to 1",
        "",
        lambda m: m.views.share,
    )
    yield Column(
        f"{letter}_plane",
        "text",
        "nearest anatomical plane; empty on a radiograph",
        allowed=("sagittal", "coronal", "axial"),
        get=side.texts(lambda m: m.views.plane),
    )
    yield real("obliquity_deg", "tilt from that plane", deg, lambda m: m.views.obliquity)
    yield Column(
        f"{letter}_weighting",
        "text",
        "what weights the images that were marked; empty on a radiograph",
        allowed=_words(Weighting),
        get=lambda m: _texts(one[side.number] for one in m.batch.hips.weightings),
    )
    yield Column(
        f"{letter}_slice_offset_mm",
        "real",
        "slice from the head's centre",
        mm,
        get=side.of_pair(lambda m: (m.judges.a_offset, m.judges.b_offset)),
    )
    yield Column(
        f"{letter}_slice_offset_se_mm",
        "real",
        "its standard error",
        mm,
        get=side.of_pair(lambda m: m.offset_se),
    )
    yield real(
        "slice_shift_mm", "measured slice from the marked one", mm, lambda m: m.angles.shift_mm
    )
    yield whole(
        "slice_count",
        "number of marked slices",
        _slice_counts,
    )
    yield real(
        "moved_mm",
        "head along the slices' normal from where the other view saw it",
        mm,
        lambda m: m.stacks.moved_mm,
    )
    yield real("moved_se_mm", "its standard error", mm, lambda m: m.stacks.moved_se_mm)
    yield Column(
        f"{letter}_flags",
        "text",
        "doubts about this view",
        allowed=_words(Flag),
        holds_several=True,
        get=side.texts(lambda m: _flags(m.views.doubts)),
    )


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
        get=_INDEX_GETTERS.get(index, _index_getter(index, kind)),
    )


def _index_getter(index: str, kind: Kind) -> Getter:
    def texts(m: Measured) -> ColumnData:
        words: list[str | None] = [None] * len(m)
        for hip, one in m.indices.items():
            word = getattr(one, index)
            words[hip] = None if word is None else str(word)
        return words

    def numbers(m: Measured) -> ColumnData:
        column = _nothing(m)
        for hip, one in m.indices.items():
            number = getattr(one, index)
            column[hip] = math.nan if number is None else float(number)
        return column

    return texts if kind == "text" else numbers


_INDEX_GETTERS: dict[str, Getter] = {
    "koo_kim_index": lambda m: m.koo_kim,
    "koo_kim_size": lambda m: _named(m.sized & (m.koo_kim == m.koo_kim), KOO_KIM_SIZES, m.koo_kim),
}
"""Indices that need no landmark."""


def _refused_indices(m: Measured) -> ColumnData:
    nothing = HipIndices()
    return [
        " ".join(one.index for one in m.indices.get(hip, nothing).refused) for hip in range(len(m))
    ]


def _hip_columns() -> Iterator[Column]:
    def of_sum(
        name: str, meaning: str, get: Callable[[Measured], NDArray[Any]], unit: str = "deg"
    ) -> Column:
        return Column(name, "real", meaning, unit, get=lambda m: _only(m.both, get(m)))

    yield of_sum("cna_deg", "combined necrotic angle A + B", lambda m: m.cna.value)
    yield of_sum(
        "cna_se_marking",
        "its standard error by marking alone: rim and arc ends",
        lambda m: m.cna.marking,
    )
    yield of_sum(
        "cna_se_total", "its standard error: rim, shape, arc ends and slices", lambda m: m.cna.se
    )
    yield of_sum("cna_low_deg", "lower bound of its 95 % interval", lambda m: m.cna_bounds[0])
    yield of_sum("cna_high_deg", "upper bound of its 95 % interval", lambda m: m.cna_bounds[1])
    yield of_sum(
        "cna_mdc95_deg",
        "smallest difference to a reading like it that is real: t sqrt(2) SE",
        lambda m: m.cna.mdc95,
    )
    yield Column(
        "ha_grade",
        "whole",
        "modified Kerboul grade 1 to 4 (Ha 2006), MR only; none without necrosis",
        get=lambda m: _only(m.graded, 1.0 + HA_GRADES.places(m.cna.value)),
    )
    yield Column(
        "ha_risk",
        "text",
        "risk of collapse (Ha 2006), MR only; none without necrosis",
        allowed=_words(HaRisk),
        get=lambda m: _named(m.graded, HA_RISKS, m.cna.value),
    )
    yield Column(
        "kerboul",
        "text",
        "Kerboul's original bins; none without necrosis",
        allowed=_words(KerboulBin),
        get=lambda m: _named(m.sized, KERBOUL_BINS, m.cna.value),
    )
    for place, grade in enumerate(HA_GRADES.categories):
        yield Column(
            f"ha_grade_{int(grade)}_p",
            "real",
            f"probability of Ha's grade {int(grade)}",
            get=lambda m, place=place: _only(m.graded, m.grade_chances[place]),  # type: ignore[misc]
        )
    for place, risk in enumerate(HA_RISKS.categories):
        yield Column(
            f"ha_risk_{risk}_p",
            "real",
            f"probability of {risk} risk (Ha)",
            get=lambda m, place=place: _only(m.graded, m.risk_chances[place]),  # type: ignore[misc]
        )
    yield Column(
        "other_grade_p",
        "real",
        "probability that the grade, or Kerboul's bin, is another one",
        get=lambda m: _only(m.sized, m.another_grade),
    )
    yield from map(_index_column, INDEX_SOURCES)
    yield Column(
        "index_refused",
        "text",
        "indices whose marks contradict themselves",
        allowed=tuple(INDEX_SOURCES),
        holds_several=True,
        need="always",
        get=_refused_indices,
    )
    yield Column(
        "flags",
        "text",
        "doubts about the hip",
        allowed=_words(Flag),
        holds_several=True,
        need="always",
        get=lambda m: _flags(m.doubts),
    )
    yield Column(
        "centre_gap_mm",
        "real",
        "how far the views' head centres miss each other",
        "mm",
        get=_judged(lambda m: m.judges.centre_gap),
    )
    yield Column(
        "radius_gap_mm",
        "real",
        "head radius of view B less view A",
        "mm",
        get=_judged(lambda m: m.judges.radius_gap),
    )
    yield Column(
        "one_head_p",
        "real",
        "chance of such a miss by click noise alone (F test)",
        get=_judged(lambda m: m.judges.p_value),
    )
    yield Column(
        "rim_sd_mm",
        "real",
        "click noise of a rim mark, from the residuals",
        "mm",
        get=lambda m: m.rim_sd,
    )
    yield from _given_columns()


def _given_columns() -> Iterator[Column]:
    """What was taken as given, and what was entered."""

    def prior(m: Measured, name: str) -> Any:
        return getattr(m.settings.radius_prior, name, None)

    yield Column(
        "end_sd_mm",
        "real",
        "spread of the reader's arc ends along the surface",
        "mm",
        get=lambda m: number_column(one.sd_mm for one in m.end_noise),
    )
    yield Column(
        "end_bias_mm",
        "real",
        "standard deviation of the reader's habit at arc ends",
        "mm",
        get=lambda m: number_column(one.bias_mm for one in m.end_noise),
    )
    yield Column(
        "end_dof",
        "real",
        "degrees of freedom behind both; empty where they are taken as known",
        get=lambda m: number_column(_finite(one.dof) for one in m.end_noise),
    )
    yield Column(
        "end_source",
        "text",
        "where both come from",
        get=lambda m: [one.source for one in m.end_noise],
    )
    yield Column(
        "radius_prior_mm",
        "real",
        "head radius known beforehand",
        "mm",
        get=lambda m: number_column([prior(m, "radius_mm")] * len(m)),
    )
    yield Column(
        "radius_prior_sd_mm",
        "real",
        "its standard deviation",
        "mm",
        get=lambda m: number_column([prior(m, "sd_mm")] * len(m)),
    )
    yield Column(
        "radius_prior_source",
        "text",
        "where it comes from",
        get=lambda m: [prior(m, "source")] * len(m),
    )
    yield Column(
        "centre",
        "text",
        "centre of the angles",
        allowed=("circles", "sphere"),
        need="always",
        get=lambda m: [m.settings.centre] * len(m),
    )
    yield from map(_entry_column, READ_FIELDS)


def _finite(number: float) -> float:
    return number if number < math.inf else math.nan


def _entry_column(field: Field) -> Column:
    kind: Kind = field.type if field.type != "date" else "text"

    def entered(m: Measured) -> ColumnData:
        values = [one.get(field.name) for one in m.batch.hips.entries]
        if kind == "text":
            return [None if one is None else str(one) for one in values]
        return number_column(values)

    meaning = f"{field.label} as entered"
    return Column(field.name, kind, meaning, field.unit, tuple(field.values), get=entered)


def _columns() -> Iterator[Column]:
    yield from _key_columns()
    yield from _view_columns(_Side(0), "A view (coronal or AP)")
    yield from _view_columns(_Side(1), "B view (sagittal or lateral)")
    yield from _hip_columns()
    yield Column("annotation_sha256", "text", "SHA-256 of the reading file", need="always")
    yield Column(
        "software_version",
        "text",
        "version of necroangle",
        need="always",
        get=lambda m: [__version__] * len(m),
    )


COLUMNS = tuple(_columns())
"""Every column, in order; the first six are the key."""

NAMES = tuple(column.name for column in COLUMNS)
KEY = tuple(column.name for column in COLUMNS if column.need == "key")
