"""What the loader keeps of DICOM headers: geometry, identifiers and little else.

An allow-list: names, dates, descriptions, institutions and free text are never copied here.
"""

from dataclasses import dataclass, field
from pathlib import Path

from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane, PlaneName
from necroangle.terms import Laterality, SourceImage

__all__ = [
    "FileTally",
    "FrameHeader",
    "Refusal",
    "RepeatKeys",
    "Scan",
    "SequenceFacts",
    "SeriesSummary",
]


@dataclass(frozen=True, slots=True)
class RepeatKeys:
    """What can tell apart two frames at one position; None or empty where the file does not say.

    Attributes
    ----------
    image_words
        ``ImageType`` (``FrameType``) from its third value on, and ``ComplexImageComponent``.
    stack_id
        ``StackID``: told apart, never shown.
    echo_time_ms, echo_number, b_value
        ``EchoTime`` (``EffectiveEchoTime``), ``EchoNumbers``, ``DiffusionBValue``.
    temporal_position, acquisition_number, instance_number
        ``TemporalPositionIdentifier`` (``TemporalPositionIndex``), ``AcquisitionNumber``
        (``FrameAcquisitionNumber``), ``InstanceNumber``.
    dimensions
        ``DimensionIndexValues``.
    """

    image_words: tuple[str, ...] = ()
    stack_id: str | None = None
    echo_time_ms: float | None = None
    echo_number: int | None = None
    b_value: float | None = None
    temporal_position: int | None = None
    acquisition_number: int | None = None
    instance_number: int | None = None
    dimensions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SequenceFacts:
    """How the image was made, in coded words and numbers.

    Attributes
    ----------
    image_type
        All coded values of ``ImageType``.
    repetition_time_ms, echo_time_ms, inversion_time_ms, echo_train_length
        As stated; None where absent.
    scanning_sequence, sequence_variant, scan_options
        Coded values; for enhanced images the words of the classic ones (``SE``, ``GR``, ``IR``,
        ``EP``, ``FS``, ``WE``).
    acquisition_type
        ``"2D"``, ``"3D"`` or None.
    stated_contrast
        ``AcquisitionContrast``, enhanced images only.
    burned_in
        ``BurnedInAnnotation``: ``"YES"``, ``"NO"`` or None.
    magnification
        ``EstimatedRadiographicMagnificationFactor``, or None.
    window_source
        ``"WindowCenter"``, ``"VOILUTSequence"`` (the range that the table covers) or ``"none"``.
    charset_known
        Whether every character set that the file names is known.
    executable_preamble
        Whether the file is a program at the same time.
    """

    image_type: tuple[str, ...] = ()
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    echo_train_length: int | None = None
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    acquisition_type: str | None = None
    stated_contrast: str | None = None
    burned_in: str | None = None
    magnification: float | None = None
    window_source: str = "none"
    charset_known: bool = True
    executable_preamble: bool = False


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """One frame of one file, before its pixels are read.

    Attributes
    ----------
    file
        Path relative to the opened folder, with forward slashes.
    source
        DICOM identifiers, frame number included.
    modality, kind
        ``Modality``; ``"stack"`` for slices in the patient, ``"radiograph"`` for projections,
        ``"secondary"`` for secondary captures: pictures without a scale, for looking only.
    plane
        Patient LPS mm; detector mm for a radiograph; pixels for a secondary capture.
    rows, columns
        Matrix.
    inverted
        Whether low values are bright (``MONOCHROME1``).
    window
        (low, high) grey values after rescale, as the file states them, or None.
    laterality, patient_position, view
        As coded, or None. ``view`` is ``"AP"``, ``"PA"`` or ``"LATERAL"``, radiographs only.
    calibrated, spacing_source
        Whether mm are true mm in the patient, and the attribute they come from (``"none"``: the
        file has no spacing and one pixel counts as 1 mm).
    subject, visit
        Pseudonyms of a de-identified study, or None.
    patient_key
        Tells patients apart within this process; means nothing outside it and is not shown.
    tiles_per_side
        0; for a slice of a mosaic, whose number is the frame number, the tiles along each side.
    repeat
        What can tell it from another frame at its position; not shown.
    facts
        How the image was made.
    syntax
        Transfer syntax UID; empty where the file states none.
    """

    file: str
    source: SourceImage
    modality: str
    kind: str
    plane: ImagePlane
    rows: int
    columns: int
    inverted: bool = False
    window: tuple[float, float] | None = None
    laterality: Laterality | None = None
    patient_position: str | None = None
    view: str | None = None
    calibrated: bool = True
    spacing_source: str = "PixelSpacing"
    subject: str | None = None
    visit: str | None = None
    patient_key: str = field(default="", repr=False, compare=False)
    tiles_per_side: int = 0
    repeat: RepeatKeys = field(default_factory=RepeatKeys, repr=False)
    facts: SequenceFacts = field(default_factory=SequenceFacts, repr=False)
    syntax: str = ""


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A regular stack of slices, one radiograph or one secondary capture, that can be opened.

    Attributes
    ----------
    study_uid, series_uid, stack_no
        The key. A series that holds several orientations, matrices, echoes, time points or slabs
        gives one summary for each, numbered from 1.
    modality, kind, plane
        ``Modality``; ``"stack"``, ``"radiograph"`` or ``"secondary"`` (a picture without a
        scale, which fits no view and is never measured); the nearest anatomical plane, None for
        all but stacks.
    frames
        (relative path, frame number from 1) per slice, ordered by position along the normal.
    planes, sources
        One per slice, in the same order.
    step_mm
        Median distance between neighbouring slices along the normal, from their positions; 0 for
        one slice.
    rows, columns, row_spacing_mm, column_spacing_mm
        Matrix and pixel spacing. Row spacing is the distance between rows.
    laterality, view, patient_position, subject, visit, calibrated, spacing_source
        As in :class:`FrameHeader`; None where the slices do not agree.
    window
        Window of the middle slice, as the file states it, or None.
    root
        The opened folder. Kept in memory only: never in ``repr``, a message or a file.
    split_by
        What sets the stack apart from the others of its series, as in ``"echo time 20 ms"``;
        empty where the series is one stack.
    tiles_per_side
        0; for a mosaic, the tiles along each side: the frame numbers are tiles from 1.
    facts
        How the image of the middle slice was made; its flags are those of all slices.
    syntaxes
        The transfer syntaxes of its files, in order; empty for one that states none.
    """

    study_uid: str
    series_uid: str
    stack_no: int
    modality: str
    kind: str
    plane: PlaneName | None
    frames: tuple[tuple[str, int], ...]
    planes: tuple[ImagePlane, ...]
    sources: tuple[SourceImage, ...]
    step_mm: float
    rows: int
    columns: int
    row_spacing_mm: float
    column_spacing_mm: float
    laterality: Laterality | None
    view: str | None
    patient_position: str | None
    subject: str | None
    visit: str | None
    calibrated: bool
    spacing_source: str
    window: tuple[float, float] | None
    root: Path = field(repr=False, compare=False)
    split_by: str = ""
    tiles_per_side: int = 0
    facts: SequenceFacts = field(default_factory=SequenceFacts, repr=False)
    syntaxes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or the files of a series, that cannot be opened, and why.

    Attributes
    ----------
    place
        Relative path of the (first) file.
    reason
        What was found and what to do; names no file.
    tag
        Keyword of the attribute at fault, or an empty string.
    files
        How many files are refused for this reason.
    series_uid
        The series, or None where the refusal came before the series was known.
    stage
        What was being done: as in :class:`necroangle.errors.DicomError`.
    at
        The files between or in which it was found, where there are several.
    members
        All files that are refused for this reason, in order, where they are more than one.
    number
        Place of the (first) file in the ordered list of all files of the folder, from 1; 0 where
        it is not known. It finds the file for those who hold the folder, and tells others nothing.

    Examples
    --------
    >>> print(Refusal("a/IM1", "absent: where the slice lies cannot be told", "PixelSpacing", 12))
    a/IM1 (and 11 more): PixelSpacing: absent: where the slice lies cannot be told
    """

    place: str
    reason: str
    tag: str = ""
    files: int = 1
    series_uid: str | None = None
    stage: str = ""
    at: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    number: int = 0

    def __str__(self) -> str:
        more = f" (and {self.files - 1} more)" if self.files > 1 else ""
        said = ": ".join(part for part in (f"{self.place}{more}", self.nameless) if part)
        return f"{said} ({', '.join(self.at)})" if self.at else said

    @property
    def nameless(self) -> str:
        """Attribute and reason, without a file's name: for what leaves the study."""
        return ": ".join(part for part in (self.tag, self.reason) if part)

    @classmethod
    def of(cls, error: DicomError, file: str) -> "Refusal":
        """The refusal of a file."""
        return cls(file, error.problem, error.tag, stage=error.stage, at=error.at)


@dataclass(frozen=True, slots=True)
class FileTally:
    """What became of every file that a scan walked, members of archives among them.

    Attributes
    ----------
    opened
        Files of which at least one frame can be opened.
    refused
        Files that are refused; a folder that cannot be entered is not among them.
    copies
        Byte-equal copies of an image already listed.
    skipped
        No DICOM images at all: notes, tables, ``DICOMDIR``.
    unreadable
        Folders that cannot be entered.
    """

    opened: int
    refused: int
    copies: int
    skipped: int
    unreadable: int

    @property
    def walked(self) -> int:
        """All of them together."""
        return self.opened + self.refused + self.copies + self.skipped + self.unreadable

    @property
    def is_lacking(self) -> bool:
        """Whether nothing can be opened, or some of the folder was not seen at all."""
        return not self.opened or self.unreadable > 0

    def __str__(self) -> str:
        return (
            f"{self.opened} opened, {self.refused} refused, {self.copies} copies, {self.skipped} "
            f"no DICOM images, {self.unreadable} folders that cannot be entered"
        )


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds.

    Attributes
    ----------
    series
        What can be opened, ordered by study, series and stack number.
    refused
        What cannot, ordered by place; a folder that cannot be entered ends with a slash.
    skipped
        Number of files that are no DICOM images at all (notes, tables, ``DICOMDIR``).
    copies
        Number of byte-equal copies of an image already listed.
    walked
        Number of files, members of archives, and folders that cannot be entered.
    """

    series: tuple[SeriesSummary, ...]
    refused: tuple[Refusal, ...]
    skipped: int
    copies: int = 0
    walked: int = 0

    def tally(self) -> FileTally:
        """What became of every file: the numbers add up to :attr:`walked`.

        Examples
        --------
        >>> Scan((), (Refusal("a/", "cannot be entered"), Refusal("b", "bad")), 3).tally()
        FileTally(opened=0, refused=1, copies=0, skipped=3, unreadable=1)
        """
        opened = {file for series in self.series for file, _ in series.frames}
        refused = {file for one in self.refused for file in one.members or (one.place,)} - opened
        unreadable = sum(place.endswith("/") for place in refused)
        return FileTally(
            len(opened), len(refused) - unreadable, self.copies, self.skipped, unreadable
        )
