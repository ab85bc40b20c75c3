"""What a header says of how a frame was taken: what tells repeats apart, and its contrast.

Coded words and numbers only: no description, name, date or time.
"""

from dataclasses import dataclass

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset

from necroangle.dicom.attributes import code, codes, first_number, whole, wholes
from necroangle.dicom.groups import FrameGroups

__all__ = ["RepeatKeys", "SequenceFacts", "repeat_keys", "sequence_facts"]

MAX_DIMENSIONS = 8
"""More dimension indices than this are not looked at."""


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


def repeat_keys(groups: FrameGroups) -> RepeatKeys:
    """What the header of one frame says that can tell it from another at its position."""
    dataset = groups.dataset
    content = groups.find("FrameContentSequence")
    frame_type = groups.find("MRImageFrameTypeSequence")
    words = codes(frame_type, "FrameType") or codes(dataset, "ImageType")
    component = code(frame_type, "ComplexImageComponent") if frame_type is not None else None
    return RepeatKeys(
        image_words=words[2:] + ((component,) if component else ()),
        stack_id=_short(content, "StackID"),
        echo_time_ms=_echo_time_ms(groups),
        echo_number=whole(dataset, "EchoNumbers"),
        b_value=first_number(groups.find("MRDiffusionSequence"), "DiffusionBValue"),
        temporal_position=_first_whole(
            content, "TemporalPositionIndex", "TemporalPositionIdentifier"
        ),
        acquisition_number=_first_whole(content, "FrameAcquisitionNumber", "AcquisitionNumber"),
        instance_number=whole(dataset, "InstanceNumber"),
        dimensions=wholes(content, "DimensionIndexValues")[:MAX_DIMENSIONS],
    )


def sequence_facts(
    groups: FrameGroups, window_source: str, *, executable_preamble: bool = False
) -> SequenceFacts:
    """How the image of one frame was made.

    Parameters
    ----------
    groups
        The frame.
    window_source
        Where its window comes from.
    executable_preamble
        Whether its file is a program at the same time.
    """
    dataset = groups.dataset
    timing = groups.find("MRTimingAndRelatedParametersSequence")
    modifier = groups.find("MRModifierSequence")
    return SequenceFacts(
        image_type=codes(dataset, "ImageType"),
        repetition_time_ms=first_number(timing, "RepetitionTime"),
        echo_time_ms=_echo_time_ms(groups),
        inversion_time_ms=first_number(modifier, "InversionTimes")
        or first_number(dataset, "InversionTime"),
        echo_train_length=_first_whole(timing, "RFEchoTrainLength", "EchoTrainLength"),
        scanning_sequence=codes(dataset, "ScanningSequence") or _enhanced_sequence(groups),
        sequence_variant=codes(dataset, "SequenceVariant"),
        scan_options=codes(dataset, "ScanOptions") or _enhanced_options(groups),
        acquisition_type=code(dataset, "MRAcquisitionType"),
        stated_contrast=_stated_contrast(groups),
        burned_in=code(dataset, "BurnedInAnnotation"),
        magnification=first_number(dataset, "EstimatedRadiographicMagnificationFactor"),
        window_source=window_source,
        charset_known=charset_known(dataset),
        executable_preamble=executable_preamble,
    )


def charset_known(dataset: Dataset) -> bool:
    """Whether every character set that a file names is one that pydicom decodes.

    Examples
    --------
    >>> dataset = Dataset()
    >>> charset_known(dataset)
    True
    >>> dataset.SpecificCharacterSet = ["", "ISO 2022 IR 149"]
    >>> charset_known(dataset)
    True
    """
    value = dataset.get("SpecificCharacterSet") or ""
    names = [value] if isinstance(value, str) else list(value)
    return all(str(name or "").strip() in python_encoding for name in names)


def _echo_time_ms(groups: FrameGroups) -> float | None:
    effective = first_number(groups.find("MREchoSequence"), "EffectiveEchoTime")
    return first_number(groups.dataset, "EchoTime") if effective is None else effective


def _enhanced_sequence(groups: FrameGroups) -> tuple[str, ...]:
    dataset, modifier = groups.dataset, groups.find("MRModifierSequence")
    echo = code(dataset, "EchoPulseSequence")
    words = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}.get(echo or "", ())
    planar = ("EP",) if code(dataset, "EchoPlanarPulseSequence") == "YES" else ()
    inverted = modifier is not None and code(modifier, "InversionRecovery") == "YES"
    return words + planar + (("IR",) if inverted else ())


def _enhanced_options(groups: FrameGroups) -> tuple[str, ...]:
    modifier = groups.find("MRModifierSequence")
    suppressed = code(groups.dataset, "SpectrallySelectedSuppression") in ("FAT", "FAT_AND_WATER")
    excited = modifier is not None and code(modifier, "SpectrallySelectedExcitation") == "WATER"
    return (("FS",) if suppressed else ()) + (("WE",) if excited else ())


def _stated_contrast(groups: FrameGroups) -> str | None:
    frame_type = groups.find("MRImageFrameTypeSequence")
    return None if frame_type is None else code(frame_type, "AcquisitionContrast")


def _first_whole(dataset: Dataset | None, *keywords: str) -> int | None:
    found = (whole(dataset, keyword) for keyword in keywords)
    return next((value for value in found if value is not None), None)


def _short(dataset: Dataset | None, keyword: str) -> str | None:
    text = "" if dataset is None else str(dataset.get(keyword) or "").strip()
    return text if 0 < len(text) <= 16 else None
