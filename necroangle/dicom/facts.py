"""How an image was made, and what its header says that can tell it from another at its place."""

from functools import partial

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from necroangle.dicom.attributes import (
    FrameGroups,
    charset_known,
    code,
    codes,
    first_number,
    has_long_uid,
    item,
    since_start_s,
    uid,
    whole,
    wholes,
)
from necroangle.dicom.films import magnification
from necroangle.dicom.records import RepeatKeys, SequenceFacts

__all__ = ["is_capture", "repeat_keys", "sequence_facts"]

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def is_capture(dataset: Dataset) -> bool:
    """Whether it is a secondary capture."""
    sop_class = uid(dataset, "SOPClassUID") or ""
    return sop_class == _SECONDARY_CAPTURE or sop_class.startswith(_SECONDARY_CAPTURE + ".")


MAX_DIMENSIONS = 8
"""More dimension indices than this are not looked at."""


def repeat_keys(groups: FrameGroups) -> RepeatKeys:
    """What the header of one frame says that can tell it from another at its position."""
    dataset = groups.dataset
    content = groups.find("FrameContentSequence")
    frame_type = groups.find("MRImageFrameTypeSequence")
    words = codes(frame_type, "FrameType") or codes(dataset, "ImageType")
    component = code(frame_type, "ComplexImageComponent") if frame_type is not None else None
    timing = groups.find("MRTimingAndRelatedParametersSequence")
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
        flip_angle_deg=first_number(timing, "FlipAngle"),
        gradient=_gradient(groups),
        acquired_s=since_start_s(dataset, "AcquisitionTime")
        if groups.per_frame is None
        else since_start_s(content, "FrameAcquisitionDateTime", dataset),
        stored_s=since_start_s(dataset, "ContentTime"),
        trigger_time_ms=first_number(dataset, "TriggerTime"),
        dimensions=wholes(content, "DimensionIndexValues")[:MAX_DIMENSIONS],
    )


def _gradient(groups: FrameGroups) -> tuple[float, ...]:
    """The direction of diffusion weighting, where it is stated."""
    where = groups.find("MRDiffusionSequence")
    if where is not None and groups.per_frame is not None:
        where = item(where, "DiffusionGradientDirectionSequence")
    value = None if where is None else where.get("DiffusionGradientOrientation")
    several = value if isinstance(value, MultiValue | list) else []
    try:
        return tuple(round(float(single), 3) + 0.0 for single in several)
    except (TypeError, ValueError):
        return ()


def sequence_facts(
    groups: FrameGroups,
    window_source: str,
    *,
    executable_preamble: bool = False,
    uids_mended: bool = False,
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
    uids_mended
        Whether identifiers were taken from its file meta information.
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
        scanning_sequence=codes(dataset, "ScanningSequence")
        or _enhanced_sequence(groups)
        or _named_sequence(dataset),
        sequence_variant=codes(dataset, "SequenceVariant"),
        scan_options=codes(dataset, "ScanOptions") or _enhanced_options(groups),
        acquisition_type=code(dataset, "MRAcquisitionType"),
        stated_contrast=_stated_contrast(groups),
        burned_in=code(dataset, "BurnedInAnnotation"),
        magnification=magnification(dataset)[0],
        window_source=window_source,
        charset_known=charset_known(dataset),
        executable_preamble=executable_preamble,
        is_capture=is_capture(dataset),
        uids_mended=uids_mended or any(map(partial(has_long_uid, dataset), _UIDS)),
        flip_angle_deg=first_number(timing, "FlipAngle"),
        field_strength_t=_field_strength_t(dataset),
        has_medium=_has_medium(groups),
        patient_orientation=codes(groups.dataset, "PatientOrientation"),
    )


def _has_medium(groups: FrameGroups) -> bool:
    """Whether a contrast medium is stated; its name is free text and is not kept."""
    if groups.per_frame is not None:
        return item(groups.dataset, "ContrastBolusAgentSequence") is not None
    agent = str(groups.dataset.get("ContrastBolusAgent") or "").strip().upper()
    return agent not in ("", "NONE", "NO")


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


def _named_sequence(dataset: Dataset) -> tuple[str, ...]:
    """The coded words of a sequence that only its maker's name tells; the name is not kept."""
    name = str(dataset.get("SequenceName") or "").strip().lstrip("*").lower()
    return next((words for start, words in _SEQUENCE_NAMES.items() if name.startswith(start)), ())


_SEQUENCE_NAMES = {
    **dict.fromkeys(("spcir", "tir"), ("SE", "IR")),
    **dict.fromkeys(("tse", "se", "spc", "hst"), ("SE",)),
    **dict.fromkeys(("ep", "re"), ("EP",)),
    **dict.fromkeys(("fl", "fm", "tfl", "tfi", "me", "swi", "dess"), ("GR",)),
}


def _field_strength_t(dataset: Dataset) -> float | None:
    """In tesla; some makers state gauss."""
    stated = first_number(dataset, "MagneticFieldStrength")
    return None if stated is None else stated / 10_000 if stated > 100 else stated


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
