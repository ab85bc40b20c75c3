"""The reading: what one reader marked on one hip at one visit, as values.

These structs are the reading file's schema, version 3. Every key must be present in the file and
no other may be: what is not known is ``null``, so that nothing is left out by accident. Of the
reader's entries only those that were made stand there; which there may be, and their values, is
declared in :mod:`necroangle.entries`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct
from msgspec.structs import asdict

from necroangle.annotation.provenance import Conduct, Revision, StackPassport
from necroangle.annotation.words import (
    Identifier,
    ReadNo,
    Sha256,
    Software,
    Text,
    Uid,
    UtcTime,
)
from necroangle.decoding import converted
from necroangle.entries import READ_FIELDS, Entered, Field
from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints, PlanePoints
from necroangle.terms import (
    ArcoStage,
    Finding,
    LandmarkName,
    Laterality,
    Observation,
    SourceImage,
    UnreadReason,
    View,
)

FORMAT = "necroangle.reading"
VERSION = 3

Triple = tuple[float, float, float]


class Mark(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One point that a reader placed.

    Attributes
    ----------
    patient_mm
        Patient LPS mm (detector mm on a radiograph): the truth.
    pixel
        The same point as (row, column), the centre of the first pixel being (0, 0).
    """

    patient_mm: Triple
    pixel: tuple[float, float]

    @classmethod
    def at_pixel(cls, plane: ImagePlane, row: float, column: float) -> "Mark":
        """Mark a pixel position of an image."""
        (x, y, z) = plane.pixel_to_patient(PixelPoints(np.array([[row, column]])))[0].tolist()
        return cls((x, y, z), (float(row), float(column)))

    @classmethod
    def at_plane(cls, plane: ImagePlane, u_mm: float, v_mm: float) -> "Mark":
        """Mark a position in plane mm."""
        points = PlanePoints(np.array([[u_mm, v_mm]]))
        (x, y, z) = plane.plane_to_patient(points)[0].tolist()
        row, column = plane.plane_to_pixel(points)[0].tolist()
        return cls((x, y, z), (row, column))

    @classmethod
    def at_patient(cls, plane: ImagePlane, patient_mm: Triple) -> "Mark":
        """Mark a patient position on an image, projected on its plane."""
        (u, v) = plane.patient_to_plane(PatientPoints(np.array([patient_mm])))[0].tolist()
        return cls.at_plane(plane, u, v)


class NecroticArc(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The necrotic part of the surface: its two ends and a point between them on the necrotic side.

    Two ends name two arcs; the point between settles which, so the arc may exceed 180 degrees.
    """

    start: Mark
    end: Mark
    via: Mark


class ImageRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The image that was marked, by its DICOM identifiers. Kept in the study, never exported.

    ``sop_class_uid`` stands there where it is known. Two records are of one image whether or not
    both know its class.
    """

    study_uid: Uid
    series_uid: Uid
    instance_uid: Uid
    frame_number: Annotated[int, Meta(ge=1)]
    frame_of_reference_uid: Uid | None
    sop_class_uid: Uid | UnsetType = UNSET

    def _names(self) -> tuple[str | int | None, ...]:
        series = (self.study_uid, self.series_uid, self.frame_of_reference_uid)
        return self.instance_uid, self.frame_number, *series

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImageRecord):
            return NotImplemented
        return self._names() == other._names()

    def __hash__(self) -> int:
        return hash(self._names())

    @classmethod
    def of(cls, source: SourceImage) -> "ImageRecord":
        """Record a source image."""
        return cls(
            source.study_uid,
            source.series_uid,
            source.instance_uid,
            source.frame_number,
            source.frame_of_reference_uid,
            UNSET if source.sop_class_uid is None else source.sop_class_uid,
        )

    def source(self) -> SourceImage:
        """The source image that was recorded."""
        return SourceImage(
            self.study_uid,
            self.series_uid,
            self.instance_uid,
            self.frame_number,
            self.frame_of_reference_uid,
            None if isinstance(self.sop_class_uid, UnsetType) else self.sop_class_uid,
        )


class PlaneRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The image plane of a marked slice, so that it can be measured with no image at hand.

    Attributes
    ----------
    frame
        ``"patient"``: LPS mm. ``"detector"``: a radiograph, u and v along its rows and columns.
    origin_mm, row_cosine, column_cosine, row_spacing_mm, column_spacing_mm
        As in :class:`necroangle.geometry.ImagePlane`.
    rows, columns
        Size of the image.
    calibrated
        Whether mm are true mm; always for MR, seldom on a radiograph.
    """

    frame: Literal["patient", "detector"]
    origin_mm: Triple
    row_cosine: Triple
    column_cosine: Triple
    row_spacing_mm: float
    column_spacing_mm: float
    rows: Annotated[int, Meta(ge=1)]
    columns: Annotated[int, Meta(ge=1)]
    calibrated: bool

    @classmethod
    def of(
        cls,
        plane: ImagePlane,
        shape: tuple[int, int],
        *,
        frame: Literal["patient", "detector"] = "patient",
        calibrated: bool = True,
    ) -> "PlaneRecord":
        """Record a plane and the (rows, columns) of its image."""
        return cls(
            frame,
            plane.origin_mm,
            plane.row_cosine,
            plane.column_cosine,
            plane.row_spacing_mm,
            plane.column_spacing_mm,
            int(shape[0]),
            int(shape[1]),
            calibrated,
        )

    def plane(self) -> ImagePlane:
        """The plane that was recorded."""
        return ImagePlane(
            self.origin_mm,
            self.row_cosine,
            self.column_cosine,
            self.row_spacing_mm,
            self.column_spacing_mm,
        )


class NeighbourSlice(Struct, frozen=True, forbid_unknown_fields=True):
    """Another slice of the same series that was marked too.

    Two slices on either side of the head's centre tell the angle at the centre itself; three or
    more tell how much of the head's surface is dead.

    Attributes
    ----------
    image, plane
        The image and where it lies, parallel to the view's own.
    rim
        Marks on the intact contour; may be empty.
    arcs
        The necrotic arcs; none where this slice has no necrosis.
    """

    image: ImageRecord
    plane: PlaneRecord
    rim: tuple[Mark, ...]
    arcs: tuple[NecroticArc, ...]


class Landmark(Struct, frozen=True, forbid_unknown_fields=True):
    """A named point beside head and arcs."""

    name: LandmarkName
    mark: Mark


class ReadView(Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="read"):
    """A view that was read.

    Attributes
    ----------
    view, finding
        Which view, and what was found. ``no_necrosis`` is a finding, never an absence.
    image, plane
        The image that was marked and where it lies.
    passport
        What the loader knew of its stack; None where the reading was made with no loader.
    rim
        Marks on the intact subchondral contour; may be empty only where no arc is marked.
    arcs
        The necrotic arcs; at least one for ``necrosis``, none for the other findings.
    observations
        What else bears on the angle.
    neighbours
        Other slices of the same series that were marked too.
    landmarks
        Named points, each at most once.
    contour
        Outline of the lesion in its order, closed from the last mark to the first; may be empty.
    """

    view: View
    finding: Finding
    image: ImageRecord
    plane: PlaneRecord
    passport: StackPassport | None
    rim: tuple[Mark, ...]
    arcs: tuple[NecroticArc, ...]
    observations: tuple[Observation, ...]
    neighbours: tuple[NeighbourSlice, ...]
    landmarks: tuple[Landmark, ...]
    contour: tuple[Mark, ...]


class UnreadView(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="not_read"
):
    """A view that was not read, and why. It gives no angle, and the hip no combined angle."""

    view: View
    reason: UnreadReason


class ReadingKey(NamedTuple):
    """What makes a reading one reading: hip, visit, reader and repeat."""

    subject: str
    laterality: Laterality
    visit: str
    reader: str
    read_no: int

    def __str__(self) -> str:
        """One line for messages."""
        return (
            f"{self.subject} {self.laterality} {self.visit}, reader {self.reader}, "
            f"read {self.read_no}"
        )


class _Entries(Struct, frozen=True):
    """What a reader entered beside the marks; of what was not entered, nothing stands there."""

    @classmethod
    def of(cls, values: Mapping[str, Entered | None]) -> Self:
        """The entries with these values; None says that nothing was entered.

        Raises
        ------
        MalformedError
            If a name or a value is not one that the registry has.

        Examples
        --------
        >>> entries = ReaderEntries.of({"arco": "3A", "jic": None})
        >>> entries.get("arco"), entries.get("jic")
        ('3A', None)
        >>> ReaderEntries.of({"arco": "5"})
        Traceback (most recent call last):
        ...
        necroangle.decoding.MalformedError: $.arco: Invalid enum value '5'; it is one of ...
        """
        made = {name: _plain(one) for name, one in values.items() if one is not None}
        return converted(made, cls)

    def get(self, name: str) -> Entered | None:
        """What was entered under a name, or None."""
        value: Entered | UnsetType = getattr(self, name)
        return None if value is UNSET else value

    def made(self) -> dict[str, Entered]:
        """All that was entered, by name."""
        return {name: one for name, one in asdict(self).items() if one is not UNSET}

    def having(self, name: str, value: Entered | None) -> Self:
        """The entries with one changed; None takes it out."""
        return self.of({**self.made(), name: value})

    def __bool__(self) -> bool:
        return bool(self.made())


def _plain(value: Entered) -> Entered:
    """A member of a list of words as its word."""
    return str(value) if isinstance(value, str) else value


def _file_type(field: Field) -> Any:
    """The type by which the reading file holds an entry, with its meaning for the JSON Schema."""
    about = f"{field.meaning} [{field.source}]" if field.source else field.meaning
    if field.choices is not None:
        words = tuple(field.choices)
        allowed: Any = tuple(map(int, words)) if field.type == "whole" else words
        return Annotated[Literal[allowed], Meta(description=about)]
    number = int if field.type == "whole" else float
    return Annotated[number, Meta(ge=field.low, le=field.high, description=about)]


if TYPE_CHECKING:

    class ReaderEntries(_Entries, frozen=True):
        """What a reader entered beside the marks."""

else:
    ReaderEntries = defstruct(
        "ReaderEntries",
        [(field.name, _file_type(field) | UnsetType, UNSET) for field in READ_FIELDS],
        bases=(_Entries,),
        module=__name__,
        namespace={"__doc__": _Entries.__doc__},
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


NO_ENTRIES = ReaderEntries()


class HipReading(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One reading: one reader, one hip, one visit, one repeat.

    Attributes
    ----------
    format, version
        ``"necroangle.reading"``, 3.
    subject, laterality, visit, reader, read_no
        The key. ``subject`` is a pseudonym, never a patient's name or number.
    views
        The A view (coronal or AP), then the B view (sagittal, frog-leg or cross-table).
    entries
        What the reader entered beside the marks.
    notes
        Free words. Never a patient's identity.
    conduct, revision
        How it was conducted, and which version of itself it is.
    consensus_of
        SHA-256 of the reading files that an adjudicated reading unites; empty for a reader's own.
    saved_at
        When it was saved: UTC, ``2026-01-31T08:15:00.000Z``.
    software
        Name and version of the program that wrote it.
    """

    format: Literal["necroangle.reading"]
    version: Literal[3]
    subject: Identifier
    laterality: Laterality
    visit: Identifier
    reader: Identifier
    read_no: ReadNo
    views: tuple[ReadView | UnreadView, ReadView | UnreadView]
    entries: ReaderEntries
    notes: Text
    conduct: Conduct
    revision: Revision
    consensus_of: tuple[Sha256, ...]
    saved_at: UtcTime
    software: Software

    @property
    def key(self) -> ReadingKey:
        """The key of the reading."""
        return ReadingKey(self.subject, self.laterality, self.visit, self.reader, self.read_no)

    @property
    def arco(self) -> ArcoStage | None:
        """The ARCO stage as entered: a collapsed head is measured in another way."""
        stage = self.entries.get("arco")
        return None if stage is None else ArcoStage(str(stage))

    @property
    def is_radiograph(self) -> bool:
        """Whether the reading is of a radiograph pair."""
        return self.views[0].view.is_radiograph

    @property
    def is_replaced(self) -> bool:
        """Whether a view says that the hip has been replaced."""
        return any(
            isinstance(view, UnreadView) and view.reason is UnreadReason.PROSTHESIS
            for view in self.views
        )
