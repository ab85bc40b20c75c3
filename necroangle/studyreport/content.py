"""What a study's report holds, gathered once from its cohort for both kinds of file."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

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
from necroangle.annotation import HipReading, ReadView, decode_reading
from necroangle.dicom import GuardedReader
from necroangle.errors import CohortError, NecroangleError
from necroangle.ledger.anchors import encode_anchor
from necroangle.ledger.store import CohortStore
from necroangle.measurement import (
    HipMeasurement,
    Method,
    Settings,
    ViewMeasurement,
    measure,
    method_named,
)
from necroangle.measurement.marks import plane_points
from necroangle.measurement.row import CohortRow
from necroangle.protocol.study import StudyProtocol
from necroangle.report import draw_reading
from necroangle.report.sketch import view_svg
from necroangle.review.pictures import ImagePlaces, images_of
from necroangle.studyreport.figures import Figure, study_figures

Part = TypeVar("Part")

__all__ = [
    "HipPage",
    "Provenance",
    "StudyReport",
    "VisitPicture",
    "drawing_of",
    "gather",
    "pictures_of",
]


@dataclass(frozen=True, slots=True)
class VisitPicture:
    """A visit of a hip: its numbers, and its kept reading to look at.

    Attributes
    ----------
    visit
        The visit.
    drawings
        Label and SVG of each view, from the marks alone.
    pictures
        Both slices with circle, rays and arc, and without, JPEG; empty without images.
    """

    visit: HipVisit
    drawings: tuple[tuple[str, str], ...]
    pictures: tuple[bytes, ...] = ()


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
    anchor: str = ""
    """What the ledger was, as one line of JSON; empty where it has no events."""
    state: str = ""
    """Name of the state that was locked; empty where the cohort was open."""


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
    images: ImagePlaces | None = None,
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
    images
        Where the images lie; without them the hips are drawn from their marks alone.
    progress
        Called after every hip.

    Raises
    ------
    CohortError
        As :func:`necroangle.analysis.outcomes.outcomes_of`.
    """
    with CohortStore.open(place, create=False) as store:
        anchor, locked = store.anchor(), store.locked()
        rows = store.rows()
        cohort = analysis_of(store, protocol, rows)
        outcomes = outcomes_of(cohort)
        kept_readings = _readings(store, rows, cohort)
    hips = tuple(_hip_pages(kept_readings, cohort, outcomes, images, progress))
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
            len(rows),
            made,
            "" if anchor is None else encode_anchor(anchor),
            "" if locked is None else locked.name,
        ),
    )


def _or_silent(make: Callable[[], Part], silent: list[str]) -> Part | None:
    try:
        return make()
    except CohortError as error:
        silent.append(str(error))
        return None


def _hip_pages(
    readings: "Mapping[Place, bytes]",
    cohort: AnalysisSet,
    outcomes: Outcomes,
    images: ImagePlaces | None,
    progress: Callable[[], None] | None,
) -> Iterator[HipPage]:
    method = method_named(cohort.method) if cohort.method else None
    with GuardedReader() as decoder:
        for outcome in outcomes.hips:
            visits = []
            for one in outcome.course.visits:
                if not one.was_attended:
                    continue
                raw = readings.get(_place(one)) if one.read else None
                reading = None if raw is None else decode_reading(raw)
                visits.append(_look(one, reading, method, images, decoder))
            yield HipPage(outcome, tuple(visits))
            if progress is not None:
                progress()


Place = tuple[str, str, str]


def _place(one: HipVisit) -> Place:
    return one.hip.subject, one.hip.laterality, one.planned.name


def _readings(
    store: CohortStore, rows: Iterable[CohortRow], cohort: AnalysisSet
) -> dict[Place, bytes]:
    """The kept reading that stands for each hip visit, as it was saved."""
    found = {}
    for row in rows:
        place = str(row["subject"]), str(row["laterality"]), str(row["visit"])
        if cohort.chosen.get(place) == (row["reader"], row["read_no"]) and (
            row["method"] == cohort.method
        ):
            found[place] = str(row["annotation_sha256"])
    kept = dict(store.contents(found.values())) if found else {}
    return {place: kept[sha256] for place, sha256 in found.items() if sha256 in kept}


def _look(
    visit: HipVisit,
    reading: HipReading | None,
    method: Method | None,
    images: ImagePlaces | None,
    decoder: GuardedReader,
) -> VisitPicture:
    """The visit with what its reading shows; one that cannot be measured shows nothing."""
    if reading is None:
        return VisitPicture(visit, ())
    try:
        found = measure(reading, method, Settings())
    except NecroangleError:
        return VisitPicture(visit, ())
    drawings = tuple(
        drawing_of(view, measured)
        for view, measured in zip(reading.views, (found.a, found.b), strict=True)
        if isinstance(view, ReadView) and measured is not None
    )
    return VisitPicture(visit, drawings, pictures_of(reading, found, images, decoder))


def pictures_of(
    reading: HipReading,
    found: HipMeasurement,
    images: ImagePlaces | None,
    decoder: GuardedReader,
) -> tuple[bytes, ...]:
    """Both slices with marks and without, as JPEG; nothing where no image is at hand."""
    if images is None:
        return ()
    slices, _ = images_of(reading, images.slices_of(reading), decoder)
    if not slices:
        return ()
    return tuple(
        _jpeg(draw_reading(reading, found, slices, with_marks=with_marks))
        for with_marks in (True, False)
    )


WIDTH_PX, QUALITY = 900, 82
"""Of a picture in the report: a hip and visit is about 0.15 MB."""


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture[:, :, ::-1]))
    image.thumbnail((WIDTH_PX, WIDTH_PX))
    image.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def drawing_of(view: ReadView, measured: ViewMeasurement) -> tuple[str, str]:
    """Label and SVG of a view, from its marks alone."""
    rim = [(float(u), float(v)) for u, v in plane_points(view.rim, view.plane.plane()).tolist()]
    label = f"{view.view.label} {measured.estimate.show_deg()}"
    svg = view_svg(measured, rim).replace(
        "<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1
    )
    return label, svg
