"""What a study's report holds, gathered once from its cohort for both kinds of file."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TypeVar

import msgspec
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
from necroangle.clinical.queries import Query, find_queries
from necroangle.clinical.records import read_state
from necroangle.decoding import MalformedError, from_json
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
from necroangle.measurement.grades import NO_NECROSIS
from necroangle.measurement.marks import plane_points
from necroangle.measurement.row import CohortRow
from necroangle.protocol.study import NO_STUDY, StudyProtocol
from necroangle.report import draw_reading, draw_slice
from necroangle.report.sketch import view_svg
from necroangle.review.pictures import ImagePlaces, images_of
from necroangle.studyreport.figures import Figure, study_figures

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class ViewDrawing:
    """A view drawn from its marks alone.

    Attributes
    ----------
    label
        The view, and its angle with interval.
    svg
        The drawing.
    measured, rim_mm
        What it shows: circle and arcs, and the rim marks, plane mm.
    neighbours
        The slices beside the marked one, and itself, in their order, JPEG.
    marked
        Which of them is marked.
    """

    label: str
    svg: str
    measured: ViewMeasurement
    rim_mm: tuple[tuple[float, float], ...]
    neighbours: tuple[bytes, ...] = ()
    marked: int = 0


@dataclass(frozen=True, slots=True)
class VisitPicture:
    """A visit of a hip: its numbers, and its kept reading to look at.

    Attributes
    ----------
    visit
        The visit.
    drawings
        Each view.
    pictures
        Both slices with circle, rays and arc, and without, JPEG; empty without images.
    grade
        The grade, and how likely each is.
    doubts
        What is to be looked at in the marks, one sentence each.
    """

    visit: HipVisit
    drawings: tuple[ViewDrawing, ...] = ()
    pictures: tuple[bytes, ...] = ()
    grade: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HipPage:
    """One hip: what became of it, and its visits side by side."""

    outcome: HipOutcome
    visits: tuple[VisitPicture, ...]

    @property
    def name(self) -> str:
        """Pseudonym and side."""
        return f"{self.outcome.course.hip.subject} {self.outcome.course.hip.laterality}"

    @property
    def summary(self) -> str:
        """What became of it, in a sentence."""
        hip = self.outcome
        failed = {
            None: "failure not judged",
            True: f"failed ({hip.failure.where})",
            False: "not failed",
        }[hip.failure.failed]
        stage = f"ARCO {hip.arco_baseline or 'not known'} at the baseline"
        course = f", {hip.arco_course}" if hip.arco_course else ""
        return f"{stage}{course}; ended by {hip.end}; {failed}."


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the report comes from.

    Attributes
    ----------
    software, cohort, method, rows, made
        By what, from which table and how many of its rows, by which method, and when.
    anchor
        What the ledger was, as one line of JSON; empty where it has no events.
    state
        Name of the state that was locked; empty where the cohort was open.
    exports
        The exports that stand in the study's folder, each with the hash of its table.
    """

    software: str
    cohort: str
    method: str
    rows: int
    made: datetime
    anchor: str = ""
    state: str = ""
    exports: tuple[str, ...] = ()


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
    queries
        What a monitor would ask of the cohort, and what became of it; those resolved are left out.
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
    queries: tuple[Query, ...]
    silent: tuple[str, ...]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Look:
    """How hips are shown.

    Attributes
    ----------
    images
        Where the images lie; None for drawings from the marks alone.
    settings
        How the readings are measured: the study's.
    neighbours
        How many slices on each side of the marked one can be scrolled through.
    """

    images: ImagePlaces | None = None
    settings: Settings = field(default_factory=Settings)
    neighbours: int = 2


class _Export(msgspec.Struct):
    """What an export says of itself, of which two things are shown."""

    when: str
    canonical_sha256: str


_EXPORTS = msgspec.json.Decoder(_Export)


def gather(
    place: Path | str,
    protocol: StudyProtocol,
    made: datetime,
    look: Look | None = None,
    progress: Callable[[], None] | None = None,
    exports: Path | None = None,
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
    look
        How the hips are shown; without images they are drawn from their marks alone.
    progress
        Called after every hip.
    exports
        The study's folder of exports, whose hashes are named.

    Raises
    ------
    CohortError
        As :func:`necroangle.analysis.outcomes.outcomes_of`.
    """
    with CohortStore.open(place, create=False) as store:
        anchor, locked = store.anchor(), store.locked()
        rows, records = store.rows(), read_state(store)
        cohort = analysis_of(store, protocol, rows, records)
        outcomes = outcomes_of(cohort)
        kept_readings = _readings(store, rows, cohort)
        study = None if protocol == NO_STUDY else protocol
        asked = find_queries(store, study, today=made.date(), records=records)
    hips = tuple(_hip_pages(kept_readings, cohort, outcomes, look or Look(), progress))
    silent: list[str] = []
    events = _or_silent(lambda: events_of(cohort, "failure"), silent)
    agreement = _or_silent(lambda: agreement_of(cohort), silent)
    kept = [hip for hip in outcomes.hips if not hip.course.had_tha_before]
    return StudyReport(
        study=protocol.study,
        outcomes=outcomes,
        baseline=tuple(baseline_table(cohort, "stage")),
        flow=tuple(flow(cohort)),
        sentences=tuple(sentences_of(outcomes, events, agreement)),
        events=events,
        agreement=agreement,
        figures=tuple(study_figures(cohort, kept, events, agreement)),
        hips=hips,
        queries=tuple(one for one in asked if one.state != "resolved"),
        silent=tuple(silent),
        provenance=Provenance(
            f"necroangle {__version__}",
            "a database" if "://" in str(place) else Path(place).name,
            cohort.method or "no angles",
            len(rows),
            made,
            "" if anchor is None else encode_anchor(anchor),
            "" if locked is None else locked.name,
            _exports(exports),
        ),
    )


def _exports(folder: Path | None) -> tuple[str, ...]:
    """What each export of a folder says of itself; a file that says nothing is left out."""
    found = []
    for file in sorted(folder.glob("*/provenance.json")) if folder is not None else ():
        try:
            said = from_json(file.read_bytes(), _EXPORTS)
        except (OSError, MalformedError):
            continue
        found.append(f"{file.parent.name}, {said.when}: table {said.canonical_sha256}")
    return tuple(found)


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
    look: Look,
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
                visits.append(_shown(one, reading, method, look, decoder))
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


def _shown(
    visit: HipVisit,
    reading: HipReading | None,
    method: Method | None,
    look: Look,
    decoder: GuardedReader,
) -> VisitPicture:
    """The visit with what its reading shows; one that cannot be measured shows nothing."""
    if reading is None:
        return VisitPicture(visit)
    try:
        found = measure(reading, method, look.settings)
    except NecroangleError:
        return VisitPicture(visit)
    pictures = pictures_of(reading, found, look.images, decoder)
    return VisitPicture(
        visit,
        drawings_of(reading, found, look, decoder),
        pictures,
        grade_words(found) if visit.cna_deg is not None else "",
        doubts_of_marks(found),
    )


def grade_words(found: HipMeasurement) -> str:
    """The grade, and how likely each grade is."""
    if found.no_necrosis:
        return f"{NO_NECROSIS[0].upper()}{NO_NECROSIS[1:]}."
    if found.ha_grade is None:
        return f"Kerboul {found.kerboul}." if found.kerboul is not None else "No grade."
    sure = ", ".join(
        f"grade {number} {100 * share:.0f} %"
        for number, share in enumerate(found.grade_probability, 1)
        if share >= 0.005
    )
    return (
        f"Ha grade {int(found.ha_grade)}, {found.ha_risk} risk. How likely each grade is: {sure}."
    )


def doubts_of_marks(found: HipMeasurement) -> tuple[str, ...]:
    """What is to be looked at in the marks of a reading, one sentence each."""
    views = [view for view in (found.a, found.b) if view is not None]
    flags = [*found.flags, *(flag for view in views for flag in view.flags)]
    return tuple(dict.fromkeys(flag.meaning for flag in flags))


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


def drawings_of(
    reading: HipReading, found: HipMeasurement, look: Look, decoder: GuardedReader
) -> tuple[ViewDrawing, ...]:
    """Each view that was read, drawn from its marks, with the slices beside it."""
    return tuple(
        _drawing(view, measured, *_neighbours(view, measured, look, decoder))
        for view, measured in zip(reading.views, (found.a, found.b), strict=True)
        if isinstance(view, ReadView) and measured is not None
    )


def _drawing(
    view: ReadView, measured: ViewMeasurement, neighbours: tuple[bytes, ...], marked: int
) -> ViewDrawing:
    rim = tuple(
        (float(u), float(v)) for u, v in plane_points(view.rim, view.plane.plane()).tolist()
    )
    label = f"{view.view.label} {measured.estimate.show_deg()}"
    svg = view_svg(measured, rim).replace(
        "<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1
    )
    return ViewDrawing(label, svg, measured, rim, neighbours, marked)


NEIGHBOUR_PX = 260


def _neighbours(
    view: ReadView, measured: ViewMeasurement, look: Look, decoder: GuardedReader
) -> tuple[tuple[bytes, ...], int]:
    """The slices beside the marked one, in their order, and which of them it is."""
    if look.images is None or not look.neighbours:
        return (), 0
    found: list[bytes] = []
    marked = 0
    for summary in look.images.around(view.image, look.neighbours):
        if summary.sources[0].instance_uid == view.image.instance_uid and (
            summary.sources[0].frame_number == view.image.frame_number
        ):
            marked = len(found)
        try:
            image = decoder.read(summary).slice(0)
        except NecroangleError:
            continue
        found.append(_jpeg(draw_slice(view, measured, image, NEIGHBOUR_PX)))
    return (tuple(found), marked) if len(found) > 1 else ((), 0)
