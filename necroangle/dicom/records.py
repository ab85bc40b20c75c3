"""What the loader keeps of DICOM headers: geometry, identifiers and little else.

An allow-list: names, dates, descriptions, institutions and free text are never copied here.
"""

from dataclasses import astuple, dataclass, field
from pathlib import Path

from necroangle.errors import DicomError
from necroangle.geometry import ImagePlane, Marker, PlaneName
from necroangle.terms import Laterality, SourceImage


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
    flip_angle_deg, trigger_time_ms
        ``FlipAngle``; ``TriggerTime``, from the heart beat on.
    gradient
        ``DiffusionGradientOrientation``, to 0.001.
    acquired_s, stored_s
        ``AcquisitionTime`` (``FrameAcquisitionDateTime``) and ``ContentTime``: seconds from the
        start of the series or study, so that no time of day is kept. Told apart, never shown.
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
    flip_angle_deg: float | None = None
    trigger_time_ms: float | None = None
    gradient: tuple[float, ...] = ()
    acquired_s: float | None = None
    stored_s: float | None = None
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
        Coded values; for enhanced images, and where only ``SequenceName`` tells, the words of the
        classic ones (``SE``, ``GR``, ``IR``, ``EP``, ``FS``, ``WE``).
    acquisition_type
        ``"2D"``, ``"3D"`` or None.
    stated_contrast
        ``AcquisitionContrast``, enhanced images only.
    burned_in
        ``BurnedInAnnotation``: ``"YES"``, ``"NO"`` or None.
    magnification
        ``EstimatedRadiographicMagnificationFactor``, or what the stated distances of source,
        patient and detector give; None where neither is there.
    window_source
        ``"WindowCenter"``, ``"VOILUTSequence"`` (the range that the table covers) or ``"none"``.
    charset_known
        Whether every character set that the file names is known.
    executable_preamble
        Whether the file is a program at the same time.
    flip_angle_deg, field_strength_t
        As stated; None where absent.
    uids_mended
        Whether an identifier was taken from the file meta information, or was longer than 64
        letters and stands for itself by one that is made from it.
    is_capture
        Whether it is a picture of a film, a screen or a page: a secondary capture, or no DICOM.
    series_b_value
        The largest b-value of its series; None where none is stated.
    is_of_localizers
        Whether its series holds three planes or more of few slices each.
    has_medium
        Whether a contrast medium is stated; which one is not kept.
    patient_orientation
        ``PatientOrientation``: where rows and columns of a radiograph run, as ``("L", "F")``.
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
    flip_angle_deg: float | None = None
    field_strength_t: float | None = None
    is_capture: bool = False
    uids_mended: bool = False
    series_b_value: float | None = None
    is_of_localizers: bool = False
    has_medium: bool = False
    patient_orientation: tuple[str, ...] = ()


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
        ``Modality``; ``"stack"`` for slices in the patient, ``"radiograph"`` for projections and
        for pictures of films, ``"secondary"`` for pictures of a screen or page, for looking only.
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
    series_number
        ``SeriesNumber``, or None where it is absent or no number of at most five digits.
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
    series_number: int | None = None


@dataclass(frozen=True, slots=True)
class Regularity:
    """How far a stack is from evenly spaced slices of one contrast, right behind each other.

    Every slice of a listed stack can be read, for its own plane is known. What needs a regular
    volume is withheld where a flag says so.

    Attributes
    ----------
    flags
        None where it is regular. ``"rounded"`` (positions rounded in the files), ``"gaps"``
        (slices missing), ``"two steps"``, ``"uneven"``, ``"sheared"`` (a tilted gantry),
        ``"shifted"``, ``"jittered"`` (slices turned a little against each other), ``"doubled"`` (a
        second image of a position was set aside), ``"mixed"`` (slices of several contrasts).
    uncertain_mm
        By how much a position may be off, where positions are rounded.
    gaps
        (slice, missing): so many slices are missing behind this one, counted from 0.
    runs
        (steps, mm): stretches of one step each, where there are several.
    tilt_deg, shift_mm
        Angle between the line through the slices and their normal, where sheared; largest shift
        within the plane, where sheared or shifted.
    turned_deg
        Largest angle of a slice to the mean plane, where jittered.

    Examples
    --------
    >>> Regularity(("gaps",), gaps=((6, 1),)).words()
    '1 slice missing behind slice 7'
    >>> Regularity().words()
    'regular'
    """

    flags: tuple[str, ...] = ()
    uncertain_mm: float = 0.0
    gaps: tuple[tuple[int, int], ...] = ()
    runs: tuple[tuple[int, float], ...] = ()
    tilt_deg: float = 0.0
    shift_mm: float = 0.0
    turned_deg: float = 0.0

    @property
    def is_volume(self) -> bool:
        """Whether what lies between the slices may be computed from them."""
        return set(self.flags) <= {"rounded", "doubled"}

    def words(self) -> str:
        """The flags with their figures, in words."""
        missing = [
            f"{count} slice{'s' if count > 1 else ''} missing behind slice {place + 1}"
            for place, count in self.gaps[:2]
        ]
        if len(self.gaps) > 2:
            missing.append(f"and at {len(self.gaps) - 2} more places")
        said = {
            "rounded": f"positions rounded, uncertain by {self.uncertain_mm:.3g} mm",
            "gaps": ", ".join(missing),
            "two steps": "steps of " + ", then ".join(f"{n} x {mm:.3f} mm" for n, mm in self.runs),
            "uneven": "slices are not evenly spaced",
            "sheared": f"sheared (tilted gantry), {self.tilt_deg:.1f}° off the normal",
            "shifted": f"slices shifted within their plane, by up to {self.shift_mm:.3f} mm",
            "jittered": f"slices turned against each other, by up to {self.turned_deg:.2f}°",
            "doubled": "a second image of a position was set aside",
            "mixed": "slices of several contrasts",
        }
        return "; ".join(said[flag] for flag in self.flags) or "regular"


REGULAR = Regularity()
"""Evenly spaced slices of one contrast, right behind each other."""


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """A stack of slices, one radiograph or one picture of a screen, that can be opened.

    Attributes
    ----------
    study_uid, series_uid, stack_no
        The key. A series that holds several orientations, matrices, echoes, time points or slabs
        gives one summary for each, numbered from 1.
    modality, kind, plane
        ``Modality``; ``"stack"``, ``"radiograph"`` or ``"secondary"`` (a picture of a screen or
        page, which fits no view and is never measured); the nearest anatomical plane, None for
        all but stacks.
    frames
        (relative path, frame number from 1) per slice, ordered by position along the normal.
    planes, sources
        One per slice, in the same order.
    step_mm
        Median distance between neighbouring slices along the normal, from their positions (fitted
        where these are rounded or slices are missing); 0 for one slice.
    rows, columns, row_spacing_mm, column_spacing_mm
        Matrix and pixel spacing. Row spacing is the distance between rows.
    laterality, view, patient_position, subject, visit, calibrated, spacing_source, series_number
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
    regularity
        Whether its slices are evenly spaced, and if not, how.
    patient_no
        0; where one study holds images of several patients, which of them, from 1: they are told
        apart, and the reader chooses.
    marker
        The marker in a radiograph that tells its scale, where a reader has set one.
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
    regularity: Regularity = REGULAR
    patient_no: int = 0
    marker: Marker | None = None
    series_number: int | None = None

    def __len__(self) -> int:
        return len(self.frames)


RECOGNISED = "recognised"
"""The stage of what is DICOM, known, and no image: it is not refused, for nothing is wrong."""


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
    >>> print(Refusal("a/IM1", "absent: where the slice lies is not known", "PixelSpacing", 12))
    a/IM1 (and 11 more): PixelSpacing: absent: where the slice lies is not known
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
    aside
        Files of which nothing is opened, and whose images were set aside.
    copies
        Byte-equal copies of an image already listed.
    skipped
        No images at all: notes, tables, ``DICOMDIR``, reports.
    unreadable
        Folders that cannot be entered.
    """

    opened: int
    refused: int
    aside: int
    copies: int
    skipped: int
    unreadable: int

    @property
    def walked(self) -> int:
        """All of them together."""
        return sum(astuple(self))

    @property
    def is_lacking(self) -> bool:
        """Whether nothing can be opened, or some of the folder was not seen at all."""
        return not self.opened or self.unreadable > 0

    def __str__(self) -> str:
        return (
            f"{self.opened} opened, {self.refused} refused, {self.aside} set aside, "
            f"{self.copies} copies, {self.skipped} no DICOM images, "
            f"{self.unreadable} folders that cannot be entered"
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
        Number of files that are no images at all (notes, tables, ``DICOMDIR``, reports).
    recognised
        Which of them are DICOM of a known kind: reports, presentation states, raw data.
    copies
        Number of byte-equal copies of an image already listed.
    aside
        Images that belong to no listed stack and harm none: an incomplete time point, a second
        image of a position; as the refusals, ordered by place.
    walked
        Number of files, members of archives, and folders that cannot be entered.
    """

    series: tuple[SeriesSummary, ...]
    refused: tuple[Refusal, ...]
    skipped: int
    copies: int = 0
    walked: int = 0
    aside: tuple[Refusal, ...] = ()
    recognised: tuple[Refusal, ...] = ()

    @property
    def left_out(self) -> tuple[Refusal, ...]:
        """What is refused, then what is set aside."""
        return (*self.refused, *self.aside)

    def tally(self) -> FileTally:
        """What became of every file: the numbers add up to :attr:`walked`.

        Examples
        --------
        >>> Scan((), (Refusal("a/", "cannot be entered"), Refusal("b", "bad")), 3).tally()
        FileTally(opened=0, refused=1, aside=0, copies=0, skipped=3, unreadable=1)
        """
        opened = {file for series in self.series for file, _ in series.frames}
        refused = _files(self.refused) - opened
        aside = _files(self.aside) - opened - refused
        unreadable = sum(place.endswith("/") for place in refused)
        return FileTally(
            opened=len(opened),
            refused=len(refused) - unreadable,
            aside=len(aside),
            copies=self.copies,
            skipped=self.skipped,
            unreadable=unreadable,
        )


def _files(told: tuple[Refusal, ...]) -> set[str]:
    return {file for one in told for file in one.members or (one.place,)}
