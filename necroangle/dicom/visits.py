"""A folder as a reader thinks of it: visits, their hips, and the series that show each of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from necroangle.dicom.contrast import ROLES, contrast_of
from necroangle.dicom.records import Scan, SeriesSummary
from necroangle.dicom.sides import StudySides
from necroangle.terms import VIEW_PAIRS, Laterality, View, Weighting

MR_PAIR, RADIOGRAPH_PAIR, _ = VIEW_PAIRS

_BOTH = (Laterality.RIGHT, Laterality.LEFT)
_SIDES = {Laterality.RIGHT: "right", Laterality.LEFT: "left"}
_CODED_VIEWS = {
    View.AP: ("AP", "PA"),
    View.FROG_LEG: ("LATERAL",),
    View.CROSS_TABLE: ("LATERAL",),
}


@dataclass(frozen=True)
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

    @cached_property
    def by_place(self) -> StudySides:
        """Tells which hip a series or a marked head is of."""
        return StudySides(self.series)

    @property
    def pairs(self) -> tuple[tuple[View, View], ...]:
        """The kinds of reading that its series allow, MR first."""
        kinds = {series.kind for series in self.series}
        pairs = (MR_PAIR,) if "stack" in kinds else ()
        return (*pairs, RADIOGRAPH_PAIR) if "radiograph" in kinds else pairs

    @property
    def sides(self) -> tuple[Laterality, ...]:
        """The hips that can be chosen, right first.

        One only where nothing shows the other: every radiograph is coded for it, and every stack
        is coded for it and lies there.
        """
        named = {self._only_side(series) for series in self.series}
        return tuple(side for side in _BOTH if not named or {side, None} & named)

    def side_of(self, series: SeriesSummary) -> Laterality | None:
        """The hip that a series shows: by its place; a radiograph has none, and its code counts."""
        if series.kind == "radiograph":
            return series.laterality
        return self.by_place.of(series).side

    def stacks_of(self, side: Laterality) -> tuple[SeriesSummary, ...]:
        """The coronal and the sagittal stacks of a hip; none where either is lacking.

        A coronal picture of no side shows both hips; a sagittal one must be known to be of this.
        """
        coronal = [one for one in self._of_plane("coronal") if self.side_of(one) in (side, None)]
        sagittal = [one for one in self._of_plane("sagittal") if self.side_of(one) is side]
        return (*coronal, *sagittal) if coronal and sagittal else ()

    def radiographs_of(self, side: Laterality) -> tuple[SeriesSummary, ...]:
        """The AP and the lateral radiographs of a hip; none where either is lacking."""
        films = [one for one in self.series if one.kind == "radiograph"]
        front = [
            one for one in films if one.view in ("AP", "PA") and one.laterality in (side, None)
        ]
        beside = [one for one in films if one.view == "LATERAL" and one.laterality is side]
        return (*front, *beside) if front and beside else ()

    def problems(self) -> tuple[str, ...]:
        """Why a hip that may be there cannot be read on MR, in plain sentences."""
        sagittal, coronal = self._of_plane("sagittal"), self._of_plane("coronal")
        found = [self.side_of(one) for one in sagittal]
        said = []
        if None in found:
            said.append(f"{found.count(None)} sagittal stacks whose side is not known")
        said += [
            f"no coronal stack of hip {side}"
            for side in _BOTH
            if side in found and not self.stacks_of(side)
        ]
        if not coronal and not sagittal and any(one.kind == "stack" for one in self.series):
            said.append(self.lacks(View.CORONAL))
        elif not sagittal and coronal:
            said.append(self.lacks(View.SAGITTAL))
        return tuple(said)

    def lacks(self, view: View) -> str:
        """That no series shows a view, and which there are; empty where one does.

        Examples
        --------
        >>> Visit("v", "", "", ()).lacks(View.SAGITTAL)
        'no sagittal series'
        """
        if any(_fits(series, view) for series in self.series):
            return ""
        kinds = Counter(one.plane.name if one.plane else one.kind for one in self.series)
        here = [f"{count} {kind}" for kind, count in sorted(kinds.items())]
        said = f"no {view.label} series"
        return f"{said}; {' and '.join(here)} series here" if here else said

    def _of_plane(self, name: str) -> list[SeriesSummary]:
        return [one for one in self.series if one.plane is not None and one.plane.name == name]

    def _only_side(self, series: SeriesSummary) -> Laterality | None:
        if series.kind == "radiograph":
            return series.laterality
        found = self.by_place.of(series)
        return found.side if found.coded is not None else None


def visits_of(scan: Scan) -> tuple[Visit, ...]:
    """Group the series of a folder by visit, in the order of their names.

    Secondary captures are pictures of a screen: nothing is read on them.
    """
    groups: dict[tuple[str, ...], list[SeriesSummary]] = {}
    for series in scan.series:
        if series.kind == "secondary":
            continue
        known = series.subject and series.visit
        key = (
            (series.subject or "", series.visit or "")
            if known
            else ("", "", series.study_uid, str(series.patient_no))
        )
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


def candidates(
    visit: Visit, view: View, side: Laterality, prefer: Sequence[Weighting] = ()
) -> tuple[SeriesSummary, ...]:
    """Series that can be read as a view of a hip, the likeliest first.

    A series of the other hip comes last, and one that only its code puts there before it; both can
    still be chosen, since a code may be wrong, and so may a place. Of one side, anatomy comes
    before what is computed or weighted by diffusion, then T1, PD, STIR, T2, GRE, each without
    suppressed fat and contrast medium first, then the original, then the longer.

    Parameters
    ----------
    visit, view, side
        What is to be read.
    prefer
        Weightings that a study's protocol puts before the others, in its order.
    """
    fitting = [series for series in visit.series if _fits(series, view)]
    families = (*prefer, *(one for one in Weighting if one not in prefer))

    def order(series: SeriesSummary) -> tuple[int | bool, ...]:
        found = visit.side_of(series)
        if found is None:
            coded = series.laterality
            rank = 1 if coded is side else 2 if coded is None else 3
        else:
            rank = 0 if found is side else 4
        shown = contrast_of(series.modality, series.facts)
        return (
            rank,
            ROLES.index(shown.role),
            families.index(shown.family),
            shown.fat_suppressed,
            shown.has_medium,
            series.facts.image_type[:1] == ("DERIVED",),
            not series.regularity.is_volume,
            -len(series),
        )

    return tuple(sorted(fitting, key=order))


def series_words(series: SeriesSummary) -> str:
    """A series in one line: its number, what it is, and what tells it from its neighbours.

    Numbers and coded words alone; no description of the header is in it. ``"#7 T1 · coronal ·
    24 slices · 3.3 mm"``; of a radiograph side, view and size.
    """
    side = _SIDES[series.laterality] if series.laterality is not None else ""
    parts = _film_words(series, side) if series.kind != "stack" else _stack_words(series, side)
    return _number(series) + " · ".join(filter(None, parts))


def sequence_words(series: SeriesSummary) -> str:
    """What a series is, for the corner of its picture: ``"#7 T1"``, and its part where split."""
    if series.kind != "stack":
        return (_number(series) + (series.view or "view not coded")).strip()
    return _number(series) + ", ".join(filter(None, (_kind(series), series.split_by)))


def _number(series: SeriesSummary) -> str:
    return f"#{series.series_number} " if series.series_number is not None else ""


def _kind(series: SeriesSummary) -> str:
    is_mr = series.modality == "MR"
    return str(contrast_of("MR", series.facts)) if is_mr else series.modality


def _film_words(series: SeriesSummary, side: str) -> tuple[str, ...]:
    return side, series.view or "view not coded", f"{series.rows} × {series.columns}"


def _stack_words(series: SeriesSummary, side: str) -> tuple[str, ...]:
    count = len(series)
    return (
        _kind(series),
        series.split_by,
        series.plane.name if series.plane is not None else "",
        side,
        f"{count} slice{'s' if count > 1 else ''}",
        f"{series.step_mm:.1f} mm" if count > 1 else "",
        series.regularity.words() if series.regularity.flags else "",
    )


MOST_OFFERED = 64
"""So many series are told at most of what was offered for a view."""


def offer_of(chosen: SeriesSummary, offered: Sequence[SeriesSummary]) -> dict[str, Any]:
    """What was offered for a view and what was chosen, as plain values for a reading.

    Parameters
    ----------
    chosen
        One of them.
    offered
        Of :func:`candidates`, in its order.

    Returns
    -------
    dict
        ``chosen``: its place, from 1; ``offered``: number, stack, weighting and length of each, no
        identifier. Beyond :data:`MOST_OFFERED` the last ones are left out, never the chosen one.
    """
    shown = list(offered[:MOST_OFFERED])
    if chosen not in shown:
        shown = [*shown[: MOST_OFFERED - 1], chosen]
    told = []
    for series in shown:
        contrast = contrast_of(series.modality, series.facts)
        told.append(
            {
                "number": series.series_number,
                "stack_no": series.stack_no,
                "slices": len(series),
                "weighting": contrast.family,
                "fat_suppressed": contrast.fat_suppressed,
                "has_medium": contrast.has_medium,
                "role": contrast.role,
                "part": contrast.part,
            }
        )
    return {"chosen": shown.index(chosen) + 1, "offered": told}


def _label(visit: Visit) -> str:
    return f"{visit.subject} · {visit.label}" if visit.subject else visit.label


def _visit(number: int, group: Iterable[SeriesSummary]) -> Visit:
    series = tuple(group)
    first = series[0]
    return Visit(
        label=first.visit or f"study {number}",
        subject=first.subject or "",
        visit=first.visit or "",
        series=series,
    )


def _fits(series: SeriesSummary, view: View) -> bool:
    if view.is_radiograph:
        return series.kind == "radiograph" and series.view in (*_CODED_VIEWS[view], None)
    return series.plane is not None and series.plane.name == view.value
