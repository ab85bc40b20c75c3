"""The hips that a folder of DICOM files shows, as cases of a study; those in doubt are told."""

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from necroangle.dicom import Scan, SeriesSummary
from necroangle.dicom.sides import side_by_place
from necroangle.readerstudy.worklist import StudyCase
from necroangle.terms import Laterality, View

__all__ = ["FoundHips", "hips_of"]


@dataclass(frozen=True, slots=True)
class FoundHips:
    """What can be read, and in plain sentences what was left out and why."""

    cases: tuple[StudyCase, ...]
    left_out: tuple[str, ...]


def hips_of(scan: Scan, lateral: View | None = None) -> FoundHips:
    """The hips of every visit: on MR where there is a coronal and a sagittal stack of the hip.

    Parameters
    ----------
    scan
        What the folder holds.
    lateral
        What the lateral radiographs are; None leaves radiographs out, for no attribute of a file
        tells a frog-leg from a cross-table view.

    Returns
    -------
    FoundHips
        A hip that has both MR and radiographs at a visit is read on MR.

    Examples
    --------
    >>> hips_of(Scan((), (), 0))
    FoundHips(cases=(), left_out=())
    """
    visits: dict[tuple[str, str], list[SeriesSummary]] = defaultdict(list)
    nameless: set[str] = set()
    for series in scan.series:
        if series.kind == "secondary":
            continue
        if series.subject and series.visit:
            visits[(series.subject, series.visit)].append(series)
        else:
            nameless.add(series.study_uid)
    cases: list[StudyCase] = []
    left_out: list[str] = []
    if nameless:
        left_out.append(
            f"{len(nameless)} studies that name no subject or visit (ClinicalTrialSubjectID, "
            "ClinicalTrialTimePointID): list them in a CSV file"
        )
    for (subject, visit), group in sorted(visits.items()):
        found = _Visit(subject, visit, group)
        cases.extend(found.cases(lateral))
        left_out.extend(f"{subject} {visit}: {problem}" for problem in found.problems(lateral))
    return FoundHips(tuple(cases), tuple(left_out))


class _Visit:
    """The series of one subject at one visit."""

    def __init__(self, subject: str, visit: str, series: list[SeriesSummary]) -> None:
        self._subject, self._visit, self._series = subject, visit, series
        self._coronal = [one for one in series if _plane(one) == "coronal"]
        self._sagittal = [(one, _side(one, series)) for one in series if _plane(one) == "sagittal"]
        self._films = [one for one in series if one.kind == "radiograph"]

    def cases(self, lateral: View | None) -> list[StudyCase]:
        found: list[StudyCase] = []
        for side in (Laterality.RIGHT, Laterality.LEFT):
            stacks, films = self._stacks(side), self._pair_of_films(side)
            if stacks:
                found.append(self._case(side, (View.CORONAL, View.SAGITTAL), stacks))
            elif films and lateral is not None:
                found.append(self._case(side, (View.AP, lateral), films))
        return found

    def problems(self, lateral: View | None) -> list[str]:
        said = []
        unknown = sum(side is None for _, side in self._sagittal)
        if unknown:
            said.append(f"{unknown} sagittal stacks whose side cannot be told")
        sides = {side for _, side in self._sagittal if side is not None}
        said += [f"no coronal stack of hip {side}" for side in sides if not self._stacks(side)]
        if self._coronal and not self._sagittal:
            said.append("a coronal stack and no sagittal one")
        if self._films and lateral is None:
            said.append("radiographs: say what the lateral ones are with --lateral")
        elif self._films and not any(self._pair_of_films(side) for side in Laterality):
            said.append("radiographs, but no AP and lateral one of a coded side")
        return said

    def _stacks(self, side: Laterality) -> list[SeriesSummary]:
        """The coronal and the sagittal stacks of a hip; none where either is lacking."""
        coronal = [one for one in self._coronal if one.laterality in (side, None)]
        sagittal = [one for one, found in self._sagittal if found is side]
        return coronal + sagittal if coronal and sagittal else []

    def _pair_of_films(self, side: Laterality) -> list[SeriesSummary]:
        front = [
            one
            for one in self._films
            if one.view in ("AP", "PA") and one.laterality in (side, None)
        ]
        beside = [one for one in self._films if one.view == "LATERAL" and one.laterality is side]
        return front + beside if front and beside else []

    def _case(
        self, side: Laterality, views: tuple[View, View], series: Iterable[SeriesSummary]
    ) -> StudyCase:
        return StudyCase(
            subject=self._subject,
            laterality=side,
            visit=self._visit,
            views=views,
            folder=_folder(series),
        )


def _plane(series: SeriesSummary) -> str:
    return series.plane.name if series.plane is not None else ""


def _side(series: SeriesSummary, visit: Iterable[SeriesSummary]) -> Laterality | None:
    return series.laterality or side_by_place(series, visit)[0]


def _folder(series: Iterable[SeriesSummary]) -> str:
    """The deepest folder that holds all files of these series, relative to the study's."""
    files = (file.partition("!")[0] for one in series for file, _ in one.frames)
    return posixpath.commonpath({posixpath.dirname(file) or "." for file in files}) or "."
