"""What a study's report holds, gathered once from its cohort for both kinds of file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TypeVar

from necroangle import __version__
from necroangle.analysis.agreement import AgreementStudy, agreement_of
from necroangle.analysis.baseline import BaselineCell, FlowRow, Sentence, baseline_table, flow
from necroangle.analysis.baseline import sentences as sentences_of
from necroangle.analysis.courses import AnalysisSet
from necroangle.analysis.events import EventStudy, events_of
from necroangle.analysis.hips import HipOutcome
from necroangle.analysis.outcomes import Outcomes, outcomes_of
from necroangle.analysis.stored import analysis_of
from necroangle.analysis.visits import HipVisit
from necroangle.annotation import ReadView, decode_reading
from necroangle.errors import CohortError, NecroangleError
from necroangle.ledger.store import CohortStore
from necroangle.measurement import Settings, ViewMeasurement, measure, method_named
from necroangle.measurement.marks import plane_points
from necroangle.protocol.study import StudyProtocol
from necroangle.report.sketch import view_svg
from necroangle.studyreport.figures import Figure, study_figures

Part = TypeVar("Part")

__all__ = ["HipPage", "Provenance", "StudyReport", "VisitPicture", "gather"]


@dataclass(frozen=True, slots=True)
class VisitPicture:
    """A visit of a hip: its numbers, and a drawing of both views from the kept reading."""

    visit: HipVisit
    drawings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HipPage:
    """One hip: what became of it, and its visits side by side."""

    outcome: HipOutcome
    visits: tuple[VisitPicture, ...]

    @property
    def name(self) -> str:
        """Pseudonym and side."""
        return f"{self.outcome.course.hip.subject} {self.outcome.course.hip.laterality}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the report comes from: software, cohort, method, and when."""

    software: str
    cohort: str
    method: str
    rows: int
    made: datetime


@dataclass(frozen=True, slots=True)
class StudyReport:
    """Everything that a study's report shows.

    Attributes
    ----------
    study
        The study's name.
    outcomes, baseline, flow, sentences
        The numbers of the paper.
    events, agreement
        None where the cohort says nothing of them; ``silent`` says why.
    figures, hips
        The figures, and a page for each hip.
    silent
        Why a part is not there, one sentence each.
    provenance
        Where it comes from.
    """

    study: str
    outcomes: Outcomes
    baseline: tuple[BaselineCell, ...]
    flow: tuple[FlowRow, ...]
    sentences: tuple[Sentence, ...]
    events: EventStudy | None
    agreement: AgreementStudy | None
    figures: tuple[Figure, ...]
    hips: tuple[HipPage, ...]
    silent: tuple[str, ...]
    provenance: Provenance


def gather(
    place: Path | str,
    protocol: StudyProtocol,
    made: datetime,
    progress: Callable[[], None] | None = None,
) -> StudyReport:
    """Gather the report of a cohort.

    Parameters
    ----------
    place
        The cohort table, or its URL.
    protocol
        The study's.
    made
        When the report is made; it stands in it.
    progress
        Called after every hip.

    Raises
    ------
    CohortError
        As :func:`necroangle.analysis.outcomes.outcomes_of`.
    """
    with CohortStore.open(place, create=False) as store:
        cohort = analysis_of(store, protocol)
        outcomes = outcomes_of(cohort)
        hips = tuple(_hip_pages(store, cohort, outcomes, progress))
        rows = len(store.keys())
    silent: list[str] = []
    events = _or_silent(lambda: events_of(cohort, "failure"), silent)
    agreement = _or_silent(lambda: agreement_of(cohort), silent)
    kept = [hip for hip in outcomes.hips if not hip.course.had_tha_before]
    return StudyReport(
        study=protocol.study,
        outcomes=outcomes,
        baseline=tuple(baseline_table(cohort, "stage")),
        flow=tuple(flow(cohort)),
        sentences=tuple(sentences_of(outcomes)),
        events=events,
        agreement=agreement,
        figures=tuple(study_figures(cohort, kept, events, agreement)),
        hips=hips,
        silent=tuple(silent),
        provenance=Provenance(
            f"necroangle {__version__}",
            "a database" if "://" in str(place) else Path(place).name,
            cohort.method or "no angles",
            rows,
            made,
        ),
    )


def _or_silent(make: Callable[[], Part], silent: list[str]) -> Part | None:
    try:
        return make()
    except CohortError as error:
        silent.append(str(error))
        return None


def _hip_pages(
    store: CohortStore,
    cohort: AnalysisSet,
    outcomes: Outcomes,
    progress: Callable[[], None] | None,
) -> list[HipPage]:
    hashes = _hashes(store, cohort)
    pages = []
    for outcome in outcomes.hips:
        visits = tuple(
            VisitPicture(one, _drawings(store, hashes.get(_place(one)), cohort.method))
            for one in outcome.course.visits
            if one.was_attended
        )
        pages.append(HipPage(outcome, visits))
        if progress is not None:
            progress()
    return pages


Place = tuple[str, str, str]


def _place(one: HipVisit) -> Place:
    return one.hip.subject, one.hip.laterality, one.planned.name


def _hashes(store: CohortStore, cohort: AnalysisSet) -> dict[Place, str]:
    """The kept reading that stands for each hip visit, by its hash."""
    found = {}
    for row in store.rows():
        place = str(row["subject"]), str(row["laterality"]), str(row["visit"])
        if cohort.chosen.get(place) == (row["reader"], row["read_no"]) and (
            row["method"] == cohort.method
        ):
            found[place] = str(row["annotation_sha256"])
    return found


def _drawings(
    store: CohortStore, sha256: str | None, method: str | None
) -> tuple[tuple[str, str], ...]:
    """Both views of a kept reading as SVG; nothing where it is not kept, or cannot be measured."""
    raw = next((raw for _, raw in store.contents([sha256])), None) if sha256 else None
    if raw is None:
        return ()
    try:
        reading = decode_reading(raw)
        found = measure(reading, method_named(method) if method else None, Settings())
    except NecroangleError:
        return ()
    drawn = []
    for view, measured in zip(reading.views, (found.a, found.b), strict=True):
        if isinstance(view, ReadView) and measured is not None:
            drawn.append(_drawing(view, measured))
    return tuple(drawn)


def _drawing(view: ReadView, measured: ViewMeasurement) -> tuple[str, str]:
    rim = [(float(u), float(v)) for u, v in plane_points(view.rim, view.plane.plane()).tolist()]
    label = f"{view.view.label} {measured.estimate.show_deg()}"
    svg = view_svg(measured, rim).replace(
        "<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1
    )
    return label, svg
