"""A folder as the reader thinks of it: visits, and for each hip the series that show it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from necroangle.dicom import Scan, SeriesSummary
from necroangle.measurement import ViewMeasurement
from necroangle.terms import Laterality, View

__all__ = [
    "MR_PAIR",
    "RADIOGRAPH_PAIR",
    "Visit",
    "candidates",
    "lies_across",
    "midline_mm",
    "side_of",
    "visits_of",
]

MR_PAIR = (View.CORONAL, View.SAGITTAL)
RADIOGRAPH_PAIR = (View.AP, View.FROG_LEG)

BOTH_HIPS_MM = 220.0
"""A coronal picture wider than this shows both hips, so that its middle is the midline."""

CLEARLY_MM = 20.0
"""The middle of a picture is the midline to within so much."""

_CODED_VIEWS = {
    View.AP: ("AP", "PA"),
    View.FROG_LEG: ("LATERAL",),
    View.CROSS_TABLE: ("LATERAL",),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """The series of one visit.

    Attributes
    ----------
    label
        What the reader sees, and no other visit of the folder has: the visit's name, behind the
        subject's where there are several, or the study's number in the folder.
    subject, visit
        Pseudonyms from the files, or empty.
    series
        All that can be opened.
    """

    label: str
    subject: str
    visit: str
    series: tuple[SeriesSummary, ...]

    @property
    def pairs(self) -> tuple[tuple[View, View], ...]:
        """The kinds of reading that its series allow, MR first."""
        kinds = {series.kind for series in self.series}
        pairs = (MR_PAIR,) if "stack" in kinds else ()
        return (*pairs, RADIOGRAPH_PAIR) if "radiograph" in kinds else pairs

    @property
    def sides(self) -> tuple[Laterality, ...]:
        """The hips that its series can show, right first."""
        coded = [series.laterality for series in self.series]
        if not coded or any(side is None for side in coded):
            return (Laterality.RIGHT, Laterality.LEFT)
        return tuple(side for side in (Laterality.RIGHT, Laterality.LEFT) if side in coded)


def visits_of(scan: Scan) -> tuple[Visit, ...]:
    """Group the series of a folder by visit, in the order of their names.

    Secondary captures are pictures of a screen: nothing is read on them.
    """
    groups: dict[tuple[str, ...], list[SeriesSummary]] = {}
    for series in scan.series:
        if series.kind == "secondary":
            continue
        known = series.subject and series.visit
        key = (series.subject or "", series.visit or "") if known else ("", "", series.study_uid)
        groups.setdefault(key, []).append(series)
    ordered = sorted(groups.items(), key=lambda item: item[0])
    visits = [_visit(number, group) for number, (_, group) in enumerate(ordered, 1)]
    several = len({visit.subject for visit in visits}) > 1
    named = [replace(visit, label=_label(visit)) if several else visit for visit in visits]
    twice = {label for label, count in Counter(one.label for one in named).items() if count > 1}
    return tuple(
        replace(visit, label=f"{visit.label} ({number})") if visit.label in twice else visit
        for number, visit in enumerate(named, 1)
    )


def candidates(visit: Visit, view: View, side: Laterality) -> tuple[SeriesSummary, ...]:
    """Series that can be read as a view of a hip, the likeliest first.

    A series that is coded for the other hip, or lies on the other side, comes last; it can still
    be chosen, since a code may be wrong.
    """
    fitting = [series for series in visit.series if _fits(series, view)]
    midline = midline_mm(visit.series)

    def order(series: SeriesSummary) -> tuple[int, int]:
        found = side_of(series, midline)
        return (0 if found is side else 1 if found is None else 2, -len(series))

    return tuple(sorted(fitting, key=order))


def side_of(series: SeriesSummary, midline: float | None) -> Laterality | None:
    """The hip that a series shows: as coded, else by where a sagittal stack lies.

    Parameters
    ----------
    series
        The series.
    midline
        Patient x of the midline, mm, where it is known.
    """
    if series.laterality is not None:
        return series.laterality
    if midline is None or series.plane is None or series.plane.name != "sagittal":
        return None
    return Laterality.LEFT if centre_x_mm(series) > midline else Laterality.RIGHT


def lies_across(measured: ViewMeasurement | None, midline: float | None, side: Laterality) -> bool:
    """Whether a measured head lies clearly on the other side of the midline (patient x, mm)."""
    if measured is None or measured.centre_mm is None or midline is None:
        return False
    if measured.view.is_radiograph:
        return False
    to_left = measured.centre_mm[0] - midline
    return (to_left if side is Laterality.RIGHT else -to_left) > CLEARLY_MM


def midline_mm(series: Iterable[SeriesSummary]) -> float | None:
    """Patient x of the midline, from the widest coronal picture; None if all are narrow."""
    widths = {
        one.columns * one.column_spacing_mm: one
        for one in series
        if one.plane is not None and one.plane.name == "coronal"
    }
    widest = max(widths, default=0.0)
    return centre_x_mm(widths[widest]) if widest >= BOTH_HIPS_MM else None


def centre_x_mm(series: SeriesSummary) -> float:
    """Patient x of the middle of a series, mm: grows to the patient's left."""
    plane = series.planes[len(series) // 2]
    across = (series.columns - 1) / 2 * series.column_spacing_mm * np.array(plane.row_cosine)
    down = (series.rows - 1) / 2 * series.row_spacing_mm * np.array(plane.column_cosine)
    return float(plane.origin_mm[0] + across[0] + down[0])


def _label(visit: Visit) -> str:
    return f"{visit.subject} · {visit.label}" if visit.subject else visit.label


def _visit(number: int, group: list[SeriesSummary]) -> Visit:
    first = group[0]
    return Visit(
        label=first.visit or f"study {number}",
        subject=first.subject or "",
        visit=first.visit or "",
        series=tuple(group),
    )


def _fits(series: SeriesSummary, view: View) -> bool:
    if view.is_radiograph:
        return series.kind == "radiograph" and series.view in (*_CODED_VIEWS[view], None)
    return series.plane is not None and series.plane.name == view.value
