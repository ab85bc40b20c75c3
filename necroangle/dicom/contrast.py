"""The contrast of an MR image, by rule from its sequence attributes, never from a description."""

from dataclasses import dataclass

from necroangle.dicom.records import SequenceFacts

__all__ = [
    "Contrast",
    "contrast_of",
]

STIR_TI_MS = (80.0, 300.0)
"""Inversion times that null fat, at 0.5 to 3 T."""

T1_MAX_TR_MS, T1_MAX_TE_MS = 1200.0, 30.0
"""A spin echo within both is T1-weighted."""

LONG_TR_MS, T2_MIN_TE_MS = 1500.0, 60.0
"""A spin echo of long repetition time is T2-weighted from this echo time on, else PD."""

_STATED = {"T1": "T1", "T2": "T2", "PROTON_DENSITY": "PD", "STIR": "STIR"}
_FAT_OFF = frozenset({"FS", "SFS", "WE", "FAT_SAT", "FATSAT"})
_WATER = frozenset({"W", "WATER"})
_FAT = frozenset({"F", "FAT"})


@dataclass(frozen=True, slots=True)
class Contrast:
    """What weights the grey values.

    Attributes
    ----------
    family
        ``"T1"``, ``"T2"``, ``"PD"``, ``"STIR"``, ``"GRE"`` or ``"unknown"``.
    fat_suppressed
        Whether fat is dark; False also where nothing says so.
    is_3d
        ``MRAcquisitionType``, or None where it is absent.
    rule
        Which attributes decided.
    """

    family: str
    fat_suppressed: bool
    is_3d: bool | None
    rule: str


def contrast_of(modality: str, facts: SequenceFacts) -> Contrast:
    """The contrast family, by the first rule that applies.

    1. Not MR: unknown.
    2. ``ImageType`` names the fat image of a Dixon sequence: unknown (fat alone is bright).
    3. ``ScanningSequence`` IR with an inversion time of 80-300 ms: STIR.
    4. ``AcquisitionContrast`` T1, T2, proton density or STIR: as stated.
    5. ``ScanningSequence`` EP (echo planar): unknown.
    6. GR without SE: GRE, inversion-prepared or not.
    7. IR with another inversion time: unknown.
    8. SE: T1 with TR up to 1200 and TE up to 30 ms; with TR from 1500 ms, T2 from TE 60 ms on and
       PD below; else unknown.

    Fat is suppressed in STIR, with ``ScanOptions`` FS (or water excitation), and in the water
    image of a Dixon sequence.

    Parameters
    ----------
    modality
        ``Modality``.
    facts
        The sequence attributes.

    Examples
    --------
    >>> facts = SequenceFacts(scanning_sequence=("SE",), repetition_time_ms=550, echo_time_ms=12)
    >>> contrast_of("MR", facts).family
    'T1'
    >>> contrast_of("CT", facts)
    Contrast(family='unknown', fat_suppressed=False, is_3d=None, rule='no MR image')
    """
    if modality != "MR":
        return Contrast("unknown", False, None, "no MR image")
    words = set(facts.image_type[2:])
    family, rule = _family(facts, words)
    dark_fat = family == "STIR" or bool(_FAT_OFF & set(facts.scan_options)) or bool(words & _WATER)
    is_3d = None if facts.acquisition_type is None else facts.acquisition_type == "3D"
    return Contrast(family, dark_fat and not words & _FAT, is_3d, rule)


def _family(facts: SequenceFacts, words: set[str]) -> tuple[str, str]:
    sequence = set(facts.scanning_sequence)
    inversion_ms = facts.inversion_time_ms or 0.0
    if words & _FAT:
        return "unknown", "ImageType: the fat image of a Dixon sequence"
    if "IR" in sequence and STIR_TI_MS[0] <= inversion_ms <= STIR_TI_MS[1]:
        return "STIR", f"ScanningSequence IR, InversionTime {inversion_ms:g} ms"
    if facts.stated_contrast in _STATED:
        return _STATED[facts.stated_contrast], "AcquisitionContrast"
    named = "ScanningSequence " + " ".join(sorted(sequence))
    if "EP" in sequence:
        return "unknown", named
    if "GR" in sequence and "SE" not in sequence:
        return "GRE", named
    if "IR" in sequence:
        return "unknown", named
    if "SE" in sequence:
        return _spin_echo(facts)
    return "unknown", "no ScanningSequence that tells"


def _spin_echo(facts: SequenceFacts) -> tuple[str, str]:
    tr_ms, te_ms = facts.repetition_time_ms, facts.echo_time_ms
    if not tr_ms or te_ms is None:
        return "unknown", "ScanningSequence SE without RepetitionTime or EchoTime"
    rule = f"ScanningSequence SE, RepetitionTime {tr_ms:g} ms, EchoTime {te_ms:g} ms"
    if tr_ms <= T1_MAX_TR_MS and te_ms <= T1_MAX_TE_MS:
        return "T1", rule
    if tr_ms >= LONG_TR_MS:
        return ("T2" if te_ms >= T2_MIN_TE_MS else "PD"), rule
    return "unknown", rule
