"""The columns that say which row this is, and what its reading file knows beside the table."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from necroangle.annotation import SUFFIX, read_bytes, sha256_of
from necroangle.annotation.provenance import FIRST_REVISION, FREE_READING, Conduct, Revision
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import ReadingError
from necroangle.export.codes import CODE_SETS
from necroangle.export.columns import ExportColumn, Missing, Value
from necroangle.export.privacy import image_key
from necroangle.measurement.row import CohortRow

HIP_KEYS = ("patient_id", "hip_id", "side")
READING_KEYS = ("reader_id", "read_no", "method")
"""Keys of a reading within a visit; in a table of hip visits they say which reading it was."""

KEY_COLUMNS = (
    ExportColumn(
        "patient_id",
        "text",
        "Patient (pseudonym): the cluster of two hips",
        measure="nominal",
        meaning="pseudonym of the patient; two hips of one patient are correlated: cluster by it",
        source="cohort.subject",
        level="patient",
        can_miss=False,
    ),
    ExportColumn(
        "hip_id",
        "text",
        "Hip: patient and side",
        measure="nominal",
        meaning="patient_id and L or R",
        level="hip",
        can_miss=False,
    ),
    ExportColumn(
        "side",
        "whole",
        "Side of the hip",
        values=CODE_SETS["laterality"].values,
        measure="nominal",
        source="cohort.laterality",
        level="hip",
        can_miss=False,
    ),
    ExportColumn(
        "visit",
        "text",
        "Visit",
        measure="nominal",
        source="cohort.visit",
        level="visit",
        can_miss=False,
    ),
    ExportColumn(
        "months_nominal",
        "real",
        "Nominal months from the index date",
        "months",
        meaning="as the study plans the visit, or as its name says; orders the visits",
        level="visit",
    ),
    ExportColumn(
        "days_from_baseline",
        "whole",
        "Days from baseline",
        "days",
        meaning="from the hip's treatment, else the patient's index date, else the index visit",
        source="visit.visit_date",
        level="visit",
        stem="days",
    ),
    ExportColumn("reader_id", "text", "Reader", measure="nominal", source="cohort.reader"),
    ExportColumn(
        "read_no", "whole", "Read of this hip and visit by this reader", source="cohort.read_no"
    ),
    ExportColumn(
        "method",
        "whole",
        "Measuring method",
        values=CODE_SETS["method"].values,
        measure="nominal",
        source="cohort.method",
    ),
)


def key_cells(
    places: Sequence[tuple[str, str, str]],
    months: Sequence[float | None],
    days: Sequence[int | None],
    rows: Sequence[CohortRow | None],
) -> list[list[Value | None]]:
    """Values of :data:`KEY_COLUMNS`, column by column; a reading's are missing where there is none.

    Parameters
    ----------
    places
        Subject, side and visit.
    months, days
        Nominal months of the visits, and days from baseline.
    rows
        The readings.

    Examples
    --------
    >>> [one[0] for one in key_cells([("S01", "R", "m06")], [6.0], [180], [None])[:6]]
    ['S01', 'S01_R', 2, 'm06', 6.0, 180]
    """
    sides, methods = CODE_SETS["laterality"].codes, CODE_SETS["method"].codes
    keys = [None if row is None else row.key for row in rows]
    return [
        [subject for subject, _, _ in places],
        [f"{subject}_{side}" for subject, side, _ in places],
        [sides[side] for _, side, _ in places],
        [visit for _, _, visit in places],
        [Missing.NOT_APPLICABLE if one is None else one for one in months],
        list(days),
        [key and key.reader for key in keys],
        [key and key.read_no for key in keys],
        [key and methods[key.method] for key in keys],
    ]


@dataclass(frozen=True, slots=True)
class ReadingFacts:
    """Facts of one reading file.

    Attributes
    ----------
    uids
        SOP Instance UID of the A and of the B view's image, None where it was not read.
    pixel_mm
        Largest distance between two rows or columns of the images, or None.
    slice_mm
        Largest distance between two slices of the stacks, or None.
    session, read_order, blinded, duration_s, submitted, revision, consensus
        How it was read; see :class:`necroangle.annotation.Conduct`.
    """

    uids: tuple[str | None, str | None]
    pixel_mm: float | None
    slice_mm: float | None
    session: str | None
    read_order: int | None
    blinded: bool
    duration_s: float | None
    submitted: bool
    revision: int
    consensus: bool


_NO_YES = CODE_SETS["no_yes"].values


def _yes(name: str, label: str) -> ExportColumn:
    return ExportColumn(name, "whole", label, "", _NO_YES, "nominal", source="reading file")


FACT_COLUMNS = (
    ExportColumn("session_id", "text", "Reader study's list", measure="nominal"),
    ExportColumn("read_order", "whole", "Place in the reader's list, from 1"),
    _yes("blinded", "Read without subject, visit and earlier readings"),
    ExportColumn("duration_s", "real", "Active reading time", "s"),
    _yes("submitted", "The reading is final"),
    ExportColumn("revision", "whole", "Revision of the reading, from 1"),
    _yes("consensus", "An adjudicated reading that unites others"),
    ExportColumn("pixel_mm", "real", "Largest pixel spacing of the two images", "mm"),
    ExportColumn("slice_mm", "real", "Largest slice distance of the two stacks", "mm"),
    ExportColumn("image_key_cor", "text", "A view: keyed hash of the SOP Instance UID"),
    ExportColumn("image_key_sag", "text", "B view: keyed hash of the SOP Instance UID"),
)
"""Columns from the reading file; all are missing where the file is not there."""


class _Image(msgspec.Struct):
    instance_uid: str


class _Plane(msgspec.Struct):
    row_spacing_mm: float
    column_spacing_mm: float


class _Passport(msgspec.Struct):
    step_mm: float | None = None


class _View(msgspec.Struct):
    image: _Image | None = None
    plane: _Plane | None = None
    passport: _Passport | None = None


class _Reading(msgspec.Struct):
    """What an export needs of a reading file; the same in every version of the format."""

    views: tuple[_View, _View]
    consensus_of: tuple[str, ...] = ()
    conduct: Conduct = FREE_READING
    revision: Revision = FIRST_REVISION


_DECODER = msgspec.json.Decoder(_Reading)


def facts_of(raw: bytes) -> ReadingFacts:
    """The facts of the bytes of a reading file, that has been decoded in full before.

    Raises
    ------
    MalformedError
        If it is none.
    """
    reading = from_json(raw, _DECODER)
    first, second = (view.image.instance_uid if view.image else None for view in reading.views)
    planes = [view.plane for view in reading.views if view.plane]
    spacings = [one for plane in planes for one in (plane.row_spacing_mm, plane.column_spacing_mm)]
    steps = [view.passport.step_mm or 0.0 for view in reading.views if view.passport]
    conduct = reading.conduct
    return ReadingFacts(
        (first, second),
        max(spacings, default=None),
        max(steps, default=0.0) or None,
        conduct.worklist,
        conduct.read_order,
        conduct.blinded,
        conduct.duration_s,
        conduct.submitted,
        reading.revision.number,
        bool(reading.consensus_of),
    )


def facts_from(contents: Iterable[tuple[str, bytes]]) -> dict[str, ReadingFacts]:
    """Facts of reading files by the SHA-256 of the file; what is no such file is passed over.

    Bytes that are not those of their hash are passed over too. Those that are were judged in full
    when the rows were measured from them, so that here a look at a few of their values suffices.

    Examples
    --------
    >>> facts_from([("0f", b"no reading")])
    {}
    """
    found = {}
    for sha256, raw in contents:
        if sha256_of(raw) == sha256:
            with suppress(MalformedError):
                found[sha256] = facts_of(raw)
    return found


def contents_in(folder: Path, wanted: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The reading files below a folder whose SHA-256 is wanted, and their bytes.

    Examples
    --------
    >>> list(contents_in(Path("nowhere"), ["0f"]))
    []
    """
    missing = set(wanted)
    for path in sorted(folder.rglob(f"*{SUFFIX}")) if missing and folder.is_dir() else ():
        with suppress(ReadingError, OSError):
            raw = read_bytes(path)
            if (sha256 := sha256_of(raw)) in missing:
                yield sha256, raw


def fact_cells(
    facts: Sequence[ReadingFacts | None], secret: bytes | None
) -> list[list[Value | None]]:
    """Values of :data:`FACT_COLUMNS`, column by column; no key of an image without a secret."""
    free = Missing.NOT_APPLICABLE
    known = [
        None
        if one is None
        else (
            one.session or free,
            free if one.read_order is None else one.read_order,
            int(one.blinded),
            one.duration_s,
            int(one.submitted),
            one.revision,
            int(one.consensus),
            one.pixel_mm,
            one.slice_mm,
            *(image_key(secret, uid) if secret and uid else None for uid in one.uids),
        )
        for one in facts
    ]
    nothing = (Missing.NOT_DONE,) * len(FACT_COLUMNS)
    return [list(one) for one in zip(*(one or nothing for one in known), strict=True)]
