"""The columns of readings that were measured in arrays: what :func:`to_row` says of each."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from necroangle import __version__
from necroangle.batch.columns import ColumnData, RowColumns, column_data
from necroangle.entries import READ_FIELDS
from necroangle.measurement import KerboulBin, Method, Settings
from necroangle.measurement.columns import NAMES, index_column_name
from necroangle.measurement.grades import HaRisk
from necroangle.measurement.indices import INDEX_SOURCES, HipIndices, KooKimSize
from necroangle.measurement.vector import Measured
from necroangle.measurement.vector.hips import Estimates
from necroangle.measurement.vector.views import bits_of, flag_words, stored
from necroangle.terms import Flag

__all__ = ["array_columns"]

Array = NDArray[np.float64]
Places = NDArray[np.intp]
Columns = dict[str, ColumnData]

_RISKS = tuple(str(one) for one in HaRisk)
_BINS = tuple(str(one) for one in KerboulBin)
_SIZES = tuple(str(one) for one in KooKimSize)
_OTHER_INDICES = tuple(name for name in INDEX_SOURCES if not name.startswith("koo_kim"))
_TEXT_INDICES = frozenset({"jic_type", "collapse_arco", "collapse_jic"})


def array_columns(
    files: Sequence[str],
    sha256: Sequence[str],
    methods: Sequence[Method],
    found: Measured,
    settings: Settings,
) -> RowColumns:
    """Columns of the rows of all readings; those that are not sure are for the caller to drop.

    Parameters
    ----------
    files, sha256
        The files of the readings.
    methods
        By which method each was measured.
    found
        What was measured.
    settings
        What was taken as given.
    """
    size, hips = len(files), found.hips
    columns: Columns = {
        **_key_columns(methods, found),
        **_view_columns("a", 0, found),
        **_view_columns("b", 1, found),
        **_sum_columns(found, np.array([one.ha_scheme for one in methods], bool)),
        **_index_columns(found),
        **_head_columns(found, size),
        "flags": _hip_flags(methods, found),
        "end_sd_mm": np.full(size, settings.end_point_sd_mm),
        "radius_prior_mm": np.full(size, np.nan),
        "radius_prior_sd_mm": np.full(size, np.nan),
        "radius_prior_source": [None] * size,
        "centre": [settings.centre] * size,
        **{
            field.name: column_data(field.name, (one.get(field.name) for one in hips.entries))
            for field in READ_FIELDS
        },
        "annotation_sha256": list(sha256),
        "software_version": [__version__] * size,
    }
    return RowColumns(list(files), {name: _plain(columns[name]) for name in NAMES})


def _key_columns(methods: Sequence[Method], found: Measured) -> Columns:
    hips = found.hips
    return {
        "subject": list(hips.subject),
        "laterality": _texts(hips.laterality),
        "visit": list(hips.visit),
        "reader": list(hips.reader),
        "read_no": np.array(hips.read_no, float),
        "method": [one.name for one in methods],
        "method_version": np.array([one.version for one in methods], float),
        "modality": ["radiograph" if one else "mr" for one in found.flat.tolist()],
    }


def _view_columns(side: str, number: int, found: Measured) -> Columns:
    views, size = found.views, len(found.sure)
    some = np.flatnonzero(views.side == number)
    hip = views.hip[some]
    low, high = views.angle.bounds()
    numbers = {
        "deg": views.angle.value,
        "se_deg": views.angle.se,
        "low_deg": low,
        "high_deg": high,
        "span_deg": views.span,
        "arc_count": views.arc_count,
        "start_deg": views.start,
        "end_deg": views.end,
        "middle_deg": views.middle,
        "radius_mm": views.radius,
        "rim_rms_mm": views.rms,
        "rim_span_deg": views.rim_span,
        "rim_count": views.rim_count,
        "rim_left_out": views.left_out,
        "edge_gap_mm": views.edge_gap,
        "obliquity_deg": views.obliquity,
        "slice_shift_mm": np.zeros(len(views.hip)),
        "surface_share": np.full(len(views.hip), np.nan),
    }
    columns: Columns = {
        f"{side}_{name}": _spread(size, hip, one[some]) for name, one in numbers.items()
    }
    names = [" ".join(map(str, views.misplaced.get(one, ()))) for one in some.tolist()]
    columns[f"{side}_rim_misplaced"] = _placed(size, hip, names)
    columns[f"{side}_plane"] = _placed(size, hip, [views.plane[one] for one in some.tolist()])
    columns[f"{side}_flags"] = _placed(size, hip, flag_words(views.doubts[some]))
    judge, sign = found.judge, side == "a"
    offset, unit = (judge.a_offset, judge.a_unit) if sign else (judge.b_offset, judge.b_unit)
    columns[f"{side}_slice_offset_mm"] = _spread(size, found.judged, offset)
    columns[f"{side}_slice_offset_se_mm"] = _spread(
        size, found.judged, unit * found.rim_sd[found.judged]
    )
    columns[f"{side}_view"] = _texts([one[number] for one in found.hips.views])
    columns[f"{side}_status"] = _texts([one[number] for one in found.hips.statuses])
    return columns


def _sum_columns(found: Measured, graded: NDArray[np.bool_]) -> Columns:
    """The combined angle, its grades, and their probabilities."""
    cna, there = found.cna, found.both
    low, high = cna.bounds()
    ha = there & graded
    value = cna.value
    grade = 1.0 + (value >= 200.0) + (value >= 250.0) + (value >= 300.0)
    risk = (value > 190.0).astype(int) + ((value > 190.0) & (value >= 240.0))
    bin_ = (value > 160.0).astype(int) + ((value > 160.0) & (value >= 200.0))
    columns: Columns = {
        "cna_deg": _only(there, value),
        "cna_se_deg": _only(there, cna.se),
        "cna_low_deg": _only(there, low),
        "cna_high_deg": _only(there, high),
        "cna_mdc95_deg": _only(there, cna.mdc95),
        "ha_grade": _only(ha, grade),
        "ha_risk": _named(ha, _RISKS, risk),
        "kerboul": _named(there, _BINS, bin_),
    }
    for stem, names, cuts in (
        ("ha_grade", "1234", (200.0, 250.0, 300.0)),
        ("ha_risk", _RISKS, (190.0, 240.0)),
    ):
        chances = _category_chances(cna, cuts)
        for name, chance in zip(names, chances, strict=True):
            columns[f"{stem}_{name}_p"] = _only(ha, chance)
    return columns


def _category_chances(cna: Estimates, cuts: tuple[float, ...]) -> list[Array]:
    size = len(cna.value)
    below = [np.zeros(size), *(cna.below(cut) for cut in cuts), np.ones(size)]
    return [high - low for low, high in pairwise(below)]


def _index_columns(found: Measured) -> Columns:
    size = len(found.sure)
    a, b = np.zeros(size), np.zeros(size)
    for number, column in enumerate((a, b)):
        some = found.views.side == number
        column[found.views.hip[some]] = found.views.angle.value[some]
    mr = found.both & ~found.flat
    koo_kim = stored((a / 180.0) * (b / 180.0) * 100.0)
    size_of = (koo_kim >= 33.0).astype(int) + (koo_kim >= 67.0)
    columns: Columns = {
        index_column_name("koo_kim_index"): _only(mr, koo_kim),
        index_column_name("koo_kim_size"): _named(mr, _SIZES, size_of),
        "index_refused": [
            " ".join(one.index for one in found.indices[place].refused)
            if place in found.indices
            else ""
            for place in range(size)
        ],
    }
    for name in _OTHER_INDICES:
        columns[index_column_name(name)] = _index_column(name, size, found.indices)
    return columns


def _index_column(name: str, size: int, indices: dict[int, HipIndices]) -> ColumnData:
    if name in _TEXT_INDICES:
        texts: list[str | None] = [None] * size
        for place, one in indices.items():
            word = getattr(one, name)
            texts[place] = None if word is None else str(word)
        return texts
    numbers = np.full(size, np.nan)
    for place, one in indices.items():
        number = getattr(one, name)
        numbers[place] = np.nan if number is None else float(number)
    return numbers


def _head_columns(found: Measured, size: int) -> Columns:
    judge = found.judge
    return {
        "centre_gap_mm": _spread(size, found.judged, judge.centre_gap),
        "radius_gap_mm": _spread(size, found.judged, judge.radius_gap),
        "one_head_p": _spread(size, found.judged, judge.p_value),
        "rim_sd_mm": found.rim_sd,
    }


def _hip_flags(methods: Sequence[Method], found: Measured) -> list[str | None]:
    """The doubts about the hips; whether a cut-off is near depends on the method."""
    cna, reach = found.cna, found.cna.mdc95
    near = np.zeros(len(methods), bool)
    for cuts in {one.cut_offs_deg for one in methods}:
        some = np.array([one.cut_offs_deg == cuts for one in methods], bool)
        close = np.logical_or.reduce([np.abs(cna.value - cut) <= reach for cut in cuts])
        near |= some & close
    near &= found.both & (cna.se > 0)
    words: list[str | None] = [
        *flag_words(found.doubts | bits_of({Flag.NEAR_CUTOFF: near}, len(near)))
    ]
    return words


def _spread(size: int, places: Places, numbers: NDArray[Any]) -> Array:
    """(size,) numbers in their places, NaN elsewhere."""
    found = np.full(size, np.nan)
    found[places] = numbers
    return found


def _placed(size: int, places: Places, words: Sequence[str | None]) -> list[str | None]:
    found: list[str | None] = [None] * size
    for place, word in zip(places.tolist(), words, strict=True):
        found[place] = word
    return found


def _only(where: NDArray[np.bool_], numbers: NDArray[Any]) -> Array:
    return np.asarray(np.where(where, numbers, np.nan))


def _named(
    where: NDArray[np.bool_], names: tuple[str, ...], places: NDArray[Any]
) -> list[str | None]:
    pairs = zip(where.tolist(), places.tolist(), strict=True)
    return [names[place] if there else None for there, place in pairs]


def _texts(words: Iterable[str | None]) -> list[str | None]:
    """Plain texts of members of the vocabulary."""
    return [None if word is None else str(word) for word in words]


def _plain(column: ColumnData) -> ColumnData:
    """No negative zero, as in every row."""
    return column + 0.0 if isinstance(column, np.ndarray) else column
