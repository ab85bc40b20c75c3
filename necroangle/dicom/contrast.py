"""What an MR image is and what weights it, by rule from coded words and numbers.

Never from a description. Where the rules leave a window between them, nothing is named: an unknown
contrast costs a click, a wrong one a reading on the wrong picture. They were tried on 206 kinds of
headers of four makers.
"""

from collections.abc import Callable
from dataclasses import dataclass

from necroangle.dicom.records import SequenceFacts
from necroangle.terms import Weighting

ROLES = (
    "anatomy", "opposed phase", "derived", "inversion", "FLAIR", "echo planar", "diffusion", "map",
    "phase", "subtraction", "localizer",
)  # fmt: skip
"""What a picture is of, in the order in which series are offered."""

_READABLE = ("anatomy", "opposed phase", "derived")
"""Roles of which the weighting is told; the others are known by themselves."""

STIR_TI_MS = (80.0, 300.0)
"""Inversion times that null fat, at 0.5 to 3 T."""

LEAST_B = 50.0
"""From this b-value on, an image is diffusion weighted, and so is its whole series: makers code it
as spin echo, and its image without weighting looks like a T2."""

_DIFFUSION = frozenset(
    {"ADC", "EADC", "FA", "TRACEW", "EXP", "DIFFUSION", "DIFFUSION MAP", "DIFFUSION_MAP"}
)
_SUBTRACTION = frozenset({"SUBTRACTION", "SUB", "MODULUS SUBTRACT", "PHASE SUBTRACT"})
_PHASE = frozenset({"P", "PHASE", "PHASE MAP", "VELOCITY MAP", "SW_P", "I", "IMAGINARY"})
_REAL = frozenset({"R", "REAL"})
_MAP = frozenset(
    {
        "F", "FAT", "FF", "FAT_FRACTION", "WATER_FRACTION", "R2STAR", "R2STAR MAP", "T2_STAR",
        "T2_STAR MAP", "T2 MAP", "T2_MAP", "T1_MAP", "T1 MAP", "PERFUSION", "ASL", "FMRI", "CBF",
        "CBV", "METABOLITE_MAP",
    }
)  # fmt: skip
_LOCALIZER = frozenset({"LOCALIZER", "SCOUT"})
_IN_PHASE = frozenset({"IP", "IN_PHASE"})
_OPPOSED = frozenset({"OP", "OUT_PHASE", "OPP_PHASE", "OUT_OF_PHASE"})
_DERIVED = frozenset({"MPR", "MIP", "MIN_IP", "PROJECTION IMAGE", "PROJECTION"})
_WATER = frozenset({"W", "WATER"})
_FAT = frozenset({"F", "FAT"})
_FAT_OFF = frozenset({"FS", "SFS", "WE", "SPIR", "SPAIR", "FAT_SAT", "FATSAT"})
_PARTS = ((_FAT, "fat"), (_WATER, "water"), (_IN_PHASE, "in phase"))
_STATED = {
    "T1": Weighting.T1,
    "T2": Weighting.T2,
    "PROTON_DENSITY": Weighting.PD,
    "STIR": Weighting.STIR,
}


@dataclass(frozen=True, slots=True)
class Contrast:
    """What weights the grey values.

    Attributes
    ----------
    family
        ``UNKNOWN`` where no rule tells.
    fat_suppressed
        Whether fat is dark; False also where nothing says so.
    is_3d
        ``MRAcquisitionType``, or None where it is absent.
    rule
        Which attributes decided.
    role
        One of :data:`ROLES`.
    part
        ``"water"``, ``"fat"`` or ``"in phase"`` of a Dixon sequence, else empty. The opposed phase
        is a role.
    has_medium
        Whether a contrast medium is stated.

    Examples
    --------
    >>> print(Contrast(Weighting.T1, True, False, "", part="water"))
    T1, Dixon water
    >>> print(Contrast(Weighting.PD, True, False, "", role="derived"))
    PD, fat-suppressed, derived
    >>> print(Contrast(Weighting.UNKNOWN, False, None, "", role="subtraction"))
    subtraction
    """

    family: Weighting
    fat_suppressed: bool
    is_3d: bool | None
    rule: str
    role: str = "anatomy"
    part: str = ""
    has_medium: bool = False

    def __str__(self) -> str:
        if self.part == "fat":
            return "Dixon fat"
        if self.role not in _READABLE:
            return self.role
        is_told = self.family is Weighting.STIR or self.part == "water"
        return ", ".join(
            filter(
                None,
                (
                    str(self.family),
                    self.part and f"Dixon {self.part}",
                    "fat-suppressed" if self.fat_suppressed and not is_told else "",
                    "contrast medium" if self.has_medium else "",
                    self.role if self.role != "anatomy" else "",
                ),
            )
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """The facts as the rules ask for them."""

    facts: SequenceFacts
    words: frozenset[str]
    sequence: frozenset[str]
    is_3d: bool

    @property
    def tr_ms(self) -> float | None:
        return self.facts.repetition_time_ms or None

    @property
    def te_ms(self) -> float | None:
        return self.facts.echo_time_ms

    @property
    def train(self) -> int:
        return self.facts.echo_train_length or 0

    def within(self, tr_ms: tuple[float, float], te_ms: tuple[float, float]) -> bool:
        """Whether both times are stated and lie within these limits."""
        if self.tr_ms is None or self.te_ms is None:
            return False
        return tr_ms[0] <= self.tr_ms <= tr_ms[1] and te_ms[0] <= self.te_ms <= te_ms[1]


_Answer = tuple[Weighting, str, str] | None
"""Family, role, and which attributes decided; None where the rule does not apply."""

_ALL = float("inf")


def contrast_of(modality: str, facts: SequenceFacts) -> Contrast:
    """What an image is and what weights it, by the first rule that applies.

    1. Words of ``ImageType``, b-value: diffusion, subtraction, phase, map, localizer.
    2. Stated ``FLUID_ATTENUATED``; echo planar; inversion recovery (STIR with TI 80-300 ms).
    3. ``AcquisitionContrast``, where the times do not contradict it.
    4. Gradient echo; spin echo by repetition and echo time, with limits of their own in 3-D.

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
    >>> print(contrast_of("MR", facts))
    T1
    """
    words = frozenset(facts.image_type[2:])
    is_3d = None if facts.acquisition_type is None else facts.acquisition_type == "3D"
    if modality != "MR":
        role = "localizer" if words & _LOCALIZER else "anatomy"
        return Contrast(Weighting.UNKNOWN, False, None, "no MR image", role)
    found = _Found(facts, words, frozenset(facts.scanning_sequence), bool(is_3d))
    answers = (rule(found) for rule in _RULES)
    family, role, rule = next(
        (answer for answer in answers if answer is not None),
        (Weighting.UNKNOWN, "anatomy", _times(found)),
    )
    if role == "anatomy":
        role = "opposed phase" if words & _OPPOSED else "derived" if words & _DERIVED else role
    part = next((name for some, name in _PARTS if words & some and role != "phase"), "")
    dark_fat = family is Weighting.STIR or bool(_FAT_OFF & set(facts.scan_options))
    dark_fat = part == "water" or (dark_fat and part != "fat")
    return Contrast(family, dark_fat, is_3d, rule, role, part, facts.has_medium)


def _word_rules(found: _Found) -> _Answer:
    words = found.words
    named = (
        (_DIFFUSION, "diffusion"),
        (_SUBTRACTION, "subtraction"),
        # R beside IR is an ordinary STIR of Philips
        (_PHASE if "IR" in found.sequence else _PHASE | _REAL, "phase"),
        (_MAP, "map"),
        (_LOCALIZER, "localizer"),
    )
    for some, role in named:
        # Esaote writes T1 MAP on plain images, which are not derived
        plain = {"T1 MAP"} if found.facts.image_type[:1] == ("ORIGINAL",) else set()
        hit = sorted((words & some) - plain)
        if hit:
            what = "the fat image of a Dixon sequence" if hit[0] in _FAT else hit[0]
            return Weighting.UNKNOWN, role, f"ImageType: {what}"
    return None


def _series_rules(found: _Found) -> _Answer:
    facts = found.facts
    if facts.stated_contrast == "DIFFUSION":
        return Weighting.UNKNOWN, "diffusion", "AcquisitionContrast"
    if (facts.series_b_value or 0.0) >= LEAST_B:
        return Weighting.UNKNOWN, "diffusion", f"b-value {facts.series_b_value:g} in its series"
    if facts.is_of_localizers:
        return Weighting.UNKNOWN, "localizer", "three planes or more of few slices in its series"
    if facts.stated_contrast == "FLUID_ATTENUATED":
        return Weighting.UNKNOWN, "FLAIR", "AcquisitionContrast"
    return None


def _planar(found: _Found) -> _Answer:
    if "EP" in found.sequence:
        return Weighting.UNKNOWN, "echo planar", _sequence(found)
    return None


def _inversion(found: _Found) -> _Answer:
    if "IR" not in found.sequence or "GR" in found.sequence:
        return None
    ti_ms, tr_ms, te_ms = found.facts.inversion_time_ms or 0.0, found.tr_ms, found.te_ms
    nulls_fat = STIR_TI_MS[0] <= ti_ms <= STIR_TI_MS[1]
    if nulls_fat and (tr_ms is None or tr_ms >= 1200) and (te_ms is None or te_ms <= 130):
        return Weighting.STIR, "anatomy", f"ScanningSequence IR, InversionTime {ti_ms:g} ms"
    return Weighting.UNKNOWN, "inversion", _sequence(found)


def _stated(found: _Found) -> _Answer:
    family = _STATED.get(found.facts.stated_contrast or "")
    if family is None or "GR" in found.sequence:
        return None
    tr_ms, te_ms = found.tr_ms, found.te_ms
    if not found.sequence and tr_ms is None:
        return (
            Weighting.UNKNOWN,
            "anatomy",
            "AcquisitionContrast without sequence or RepetitionTime",
        )
    if not found.sequence and tr_ms is not None and tr_ms <= 60:
        return Weighting.GRE, "anatomy", f"RepetitionTime {tr_ms:g} ms"
    against = {
        Weighting.T1: (te_ms or 0.0) > 45 or (tr_ms or 0.0) > 2500,
        Weighting.T2: te_ms is not None and te_ms < 45,
        Weighting.PD: (te_ms or 0.0) > 60,
        Weighting.STIR: False,
    }
    return None if against[family] else (family, "anatomy", "AcquisitionContrast")


def _gradient(found: _Found) -> _Answer:
    if "GR" not in found.sequence or "SE" in found.sequence:
        return None
    long_echo = (found.te_ms or 0.0) >= 20 and (found.tr_ms or 0.0) >= 1000
    if not found.is_3d and (found.train >= 20 or long_echo):
        return Weighting.UNKNOWN, "echo planar", _times(found)
    return Weighting.GRE, "anatomy", _sequence(found)


def _research(found: _Found) -> _Answer:
    """RM alone, as GE writes it: a spin echo where its numbers say so (judged by what follows)."""
    if found.sequence != {"RM"} or _is_spin_echo(found):
        return None
    return Weighting.UNKNOWN, "anatomy", _sequence(found)


def _is_spin_echo(found: _Found) -> bool:
    if "SE" in found.sequence:
        return True
    facts = found.facts
    return (
        found.sequence == {"RM"}
        and found.train >= 2
        and (facts.flip_angle_deg or 0.0) >= 85
        and (found.tr_ms or 0.0) >= 300
        and not any("EPI" in option for option in facts.scan_options)
    )


def _spin_echo(found: _Found) -> _Answer:
    if not _is_spin_echo(found):
        return Weighting.UNKNOWN, "anatomy", "no ScanningSequence that tells"
    if found.tr_ms is None or found.te_ms is None:
        return (
            Weighting.UNKNOWN,
            "anatomy",
            "ScanningSequence SE without RepetitionTime or EchoTime",
        )
    if found.tr_ms < 250 or (not found.is_3d and found.train >= 35):
        return Weighting.UNKNOWN, "anatomy", _times(found)
    for family, tr_ms, te_ms in _LIMITS[found.is_3d]:
        if found.within(tr_ms, te_ms):
            return family, "anatomy", _times(found)
    # fat and muscle relax slower at 3 T
    strong = found.facts.field_strength_t is None or found.facts.field_strength_t >= 2.5
    if not found.is_3d and strong and found.train <= 8 and found.within((0, 1400), (0, 16)):
        return Weighting.T1, "anatomy", _times(found)
    return None


_LIMITS: dict[bool, tuple[tuple[Weighting, tuple[float, float], tuple[float, float]], ...]] = {
    False: (
        (Weighting.T1, (0, 1200), (0, 30)),
        (Weighting.T2, (1800, _ALL), (60, _ALL)),
        (Weighting.T2, (1500, _ALL), (70, _ALL)),
        (Weighting.PD, (1800, _ALL), (0, 50)),
    ),
    True: (
        (Weighting.T1, (0, 900), (0, 22)),
        (Weighting.T2, (1000, _ALL), (80, _ALL)),
        (Weighting.PD, (900, _ALL), (22.000001, 50)),
    ),
}
"""Repetition and echo times of spin echoes, ms, by whether they are 3-D."""

_RULES: tuple[Callable[[_Found], _Answer], ...] = (
    _word_rules, _series_rules, _planar, _inversion, _stated, _gradient, _research, _spin_echo,
)  # fmt: skip


def _sequence(found: _Found) -> str:
    return "ScanningSequence " + " ".join(sorted(found.sequence))


def _times(found: _Found) -> str:
    tr_ms, te_ms = found.tr_ms or 0.0, found.te_ms or 0.0
    return f"{_sequence(found)}, RepetitionTime {tr_ms:g} ms, EchoTime {te_ms:g} ms"
