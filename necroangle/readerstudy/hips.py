"""The hips that a folder of DICOM files shows, as cases of a study; those in doubt are told."""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from necroangle.dicom import Scan, SeriesSummary
from necroangle.dicom.visits import Visit, visits_of
from necroangle.readerstudy.worklist import StudyCase
from necroangle.terms import Laterality, View


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
    cases: list[StudyCase] = []
    left_out: list[str] = []
    nameless = 0
    for visit in visits_of(scan):
        if not visit.subject or not visit.visit:
            nameless += 1
            continue
        cases.extend(_cases(visit, lateral))
        problems = (*visit.problems(), *_problems_of_radiographs(visit, lateral))
        left_out.extend(f"{visit.subject} {visit.visit}: {problem}" for problem in problems)
    if nameless:
        left_out.insert(
            0,
            f"{nameless} studies that name no subject or visit (ClinicalTrialSubjectID, "
            "ClinicalTrialTimePointID): list them in a CSV file",
        )
    return FoundHips(tuple(cases), tuple(left_out))


def _cases(visit: Visit, lateral: View | None) -> Iterator[StudyCase]:
    for side in (Laterality.RIGHT, Laterality.LEFT):
        views, series = (View.CORONAL, View.SAGITTAL), visit.stacks_of(side)
        if not series and lateral is not None:
            views, series = (View.AP, lateral), visit.radiographs_of(side)
        if series:
            yield StudyCase(
                subject=visit.subject,
                laterality=side,
                visit=visit.visit,
                views=views,
                folder=_folder(series),
            )


def _problems_of_radiographs(visit: Visit, lateral: View | None) -> Iterator[str]:
    if all(one.kind != "radiograph" for one in visit.series):
        return
    if lateral is None:
        yield "radiographs: say what the lateral ones are with --lateral"
    elif not any(visit.radiographs_of(side) for side in Laterality):
        yield "radiographs, but no AP and lateral one of a coded side"


def _folder(series: Iterable[SeriesSummary]) -> str:
    """The deepest folder that holds all files of these series, relative to the study's."""
    files = (file.partition("!")[0] for one in series for file, _ in one.frames)
    return posixpath.commonpath({posixpath.dirname(file) or "." for file in files}) or "."
