"""A folder as a reader thinks of it: visits, their hips, and the series that show each of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from necroangle.dicom.contrast import FAMILIES, ROLES, contrast_of
from necroangle.dicom.records import Scan, SeriesSummary
from necroangle.dicom.sides import StudySides
from necroangle.terms import VIEW_PAIRS, Laterality, View

__all__ = ["MR_PAIR", "RADIOGRAPH_PAIR", "Visit", "candidates", "visits_of"]

MR_PAIR, RADIOGRAPH_PAIR, _ = VIEW_PAIRS

_BOTH = (Laterality.RIGHT, Laterality.LEFT)
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
            said.append(f"{found.count(None)} sagittal stacks whose side cannot be told")
        said += [
            f"no coronal stack of hip {side}"
            for side in _BOTH
            if side in found and not self.stacks_of(side)
        ]
        if coronal and not sagittal:
            said.append("a coronal stack and no sagittal one")
        return tuple(said)

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

    A series of the other hip comes last, and one that only its code puts there before it; both can
    still be chosen, since a code may be wrong, and so may a place. Of one side, anatomy comes
    before what is computed or weighted by diffusion, then T1, PD, T2, STIR, GRE, then the longer.
    """
    fitting = [series for series in visit.series if _fits(series, view)]

    def order(series: SeriesSummary) -> tuple[int, int, int, bool, int]:
        found = visit.side_of(series)
        if found is None:
            coded = series.laterality
            rank = 1 if coded is side else 2 if coded is None else 3
        else:
            rank = 0 if found is side else 4
        shown = contrast_of(series.modality, series.facts)
        role, family = ROLES.index(shown.role), FAMILIES.index(shown.family)
        return (rank, role, family, not series.regularity.is_volume, -len(series))

    return tuple(sorted(fitting, key=order))


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
