"""Headers as four makers write them: named right or "unknown", never wrong.

Each has a description that says something else, and a contrast agent's name where one was given:
neither may be heard of.
"""

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from seriesmaker import header_of

from necroangle.dicom.contrast import contrast_of
from necroangle.dicom.header import Origin, frames_of

ORIGINAL = ("ORIGINAL", "PRIMARY")
DERIVED = ("DERIVED", "PRIMARY")
GE = {"image": (*ORIGINAL, "OTHER"), "variant": "SK"}
GE_FSE = {**GE, "options": ("FAST_GEMS", "NPW", "FILTERED_GEMS")}
SIEMENS = {"image": (*ORIGINAL, "M", "NORM", "DIS2D"), "variant": "SK"}
PHILIPS_SE = {"image": (*ORIGINAL, "M_SE", "M", "SE"), "variant": "SK"}
PHILIPS_FFE = {"image": (*ORIGINAL, "M_FFE", "M", "FFE"), "variant": "SS"}
CANON = {"image": (*ORIGINAL, "OTHER"), "variant": "SK"}
AGENT = "Gadovist 7.5 ml by Dr. Secret"


def made(maker: dict[str, Any], sequence: str | tuple[str, ...], **numbers: Any) -> dict[str, Any]:
    """The attributes of a header: tr, te, ti, etl, flip, tesla, and what it says beside."""
    names = {
        "image": "ImageType", "variant": "SequenceVariant", "options": "ScanOptions",
        "tr": "RepetitionTime", "te": "EchoTime", "ti": "InversionTime", "etl": "EchoTrainLength",
        "flip": "FlipAngle", "tesla": "MagneticFieldStrength", "agent": "ContrastBolusAgent",
        "name": "SequenceName", "kind": "MRAcquisitionType", "b": "DiffusionBValue",
    }  # fmt: skip
    values = {"kind": "2D", "tesla": 1.5, **maker, **numbers}
    found = {names[name]: value for name, value in values.items()}
    if sequence:
        found["ScanningSequence"] = sequence
    return {key: list(one) if isinstance(one, tuple) else one for key, one in found.items()}


INVERTED = ("SE", "IR")
HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "GE T1": (made(GE_FSE, "SE", tr=616, te=9.6, etl=3, flip=90), "T1"),
    "GE T1 at 3 T": (made(GE_FSE, "SE", tr=1300, te=8.1, etl=4, tesla=3), "T1"),
    "GE T1 in gauss": (made(GE_FSE, "SE", tr=1280, te=9, etl=3, tesla=30000), "T1"),
    "GE T1 as research mode": (made(GE, "RM", tr=550, te=10, etl=3, flip=111), "T1"),
    "GE T1 after gadolinium, FS": (
        made(GE_FSE, "SE", tr=650, te=10, etl=3, options=("FAST_GEMS", "FS"), agent=AGENT),
        "T1, fat-suppressed, contrast medium",
    ),
    "GE PD FS": (
        made(GE_FSE, "SE", tr=2800, te=34, etl=8, options=("FAST_GEMS", "FS")),
        "PD, fat-suppressed",
    ),
    "GE T2": (made(GE_FSE, "SE", tr=4200, te=92, etl=16), "T2"),
    "GE STIR": (made(GE_FSE, INVERTED, tr=4450, te=42, ti=150, etl=10), "STIR"),
    "GE water of IDEAL": (
        made(GE_FSE, "SE", tr=620, te=10, etl=3, image=(*DERIVED, "DIXON", "WATER")),
        "T1, Dixon water",
    ),
    "GE fat of IDEAL": (
        made(GE_FSE, "SE", tr=620, te=10, etl=3, image=(*DERIVED, "DIXON", "FAT")), "Dixon fat",
    ),
    "GE out of phase": (
        made(GE, "GR", tr=160, te=2.2, image=(*DERIVED, "DIXON", "OUT_PHASE")),
        "GRE, opposed phase",
    ),
    "GE in phase": (
        made(GE, "GR", tr=160, te=4.4, image=(*DERIVED, "DIXON", "IN_PHASE")),
        "GRE, Dixon in phase",
    ),
    "GE ADC": (made(GE, ("EP", "SE"), tr=6000, te=70, image=(*DERIVED, "DIFFUSION", "ADC")),
               "diffusion"),
    "GE subtraction": (
        made(GE, "GR", tr=5, te=2, image=("DERIVED", "SECONDARY", "SUB"), agent=AGENT),
        "subtraction",
    ),
    "GE localizer": (
        made(GE, "GR", tr=5, te=1.6, image=(*ORIGINAL, "LOCALIZER")), "localizer",
    ),
    "GE single shot": (made(GE, "SE", tr=1600, te=90, etl=92), "unknown"),
    "Siemens T1": (made(SIEMENS, "SE", tr=550, te=11, name="*tse2d1_3", etl=3), "T1"),
    "Siemens T1 at 3 T": (made(SIEMENS, "SE", tr=1300, te=11, etl=3, tesla=3), "T1"),
    "Siemens T1 of TR 1300 at 1.5 T": (made(SIEMENS, "SE", tr=1300, te=18, etl=3), "unknown"),
    "Siemens PD FS": (
        made(SIEMENS, "SE", tr=3000, te=33, etl=7, options=("PFP", "FS")), "PD, fat-suppressed",
    ),
    "Siemens T2 SPAIR": (
        made(SIEMENS, "SE", tr=4200, te=75, etl=12, options=("FS",)), "T2, fat-suppressed",
    ),
    "Siemens between PD and T2": (made(SIEMENS, "SE", tr=3500, te=54, etl=9), "unknown"),
    "Siemens STIR": (made(SIEMENS, ("IR", "SE"), tr=4500, te=38, ti=160, etl=9, tesla=3), "STIR"),
    "Siemens STIR by name": (made(SIEMENS, (), tr=5000, te=50, ti=220, name="*tir2d1_9"), "STIR"),
    "Siemens turbo FLAIR": (
        made(SIEMENS, ("IR", "SE"), tr=9000, te=90, ti=2500, etl=16), "inversion",
    ),
    "Siemens water": (
        made(SIEMENS, "SE", tr=600, te=11, etl=3, image=(*ORIGINAL, "M", "W", "NORM")),
        "T1, Dixon water",
    ),
    "Siemens T2 water": (
        made(SIEMENS, "SE", tr=3800, te=80, etl=11, image=(*DERIVED, "DIXON", "WATER")),
        "T2, Dixon water",
    ),
    "Siemens fat": (
        made(SIEMENS, "SE", tr=600, te=11, etl=3, image=(*ORIGINAL, "M", "F", "NORM")), "Dixon fat",
    ),
    "Siemens opposed phase": (
        made(SIEMENS, "GR", tr=7, te=1.2, kind="3D", image=(*ORIGINAL, "M", "OPP_PHASE")),
        "GRE, opposed phase",
    ),
    "Siemens ADC": (
        made(SIEMENS, "EP", tr=5800, te=63, image=(*DERIVED, "DIFFUSION", "ADC", "ND")),
        "diffusion",
    ),
    "Siemens subtraction": (
        made(SIEMENS, "GR", tr=4, te=1.5, image=("DERIVED", "PRIMARY", "M", "SUB"), agent=AGENT),
        "subtraction",
    ),
    "Siemens DESS": (made(SIEMENS, (), tr=16, te=5, kind="3D", name="*dess3d1"), "GRE"),
    "Siemens SPACE T2": (
        made(SIEMENS, "SE", tr=1200, te=120, etl=60, kind="3D", name="*spc_99ns"), "T2",
    ),
    "Siemens reformat": (
        made(SIEMENS, "SE", tr=550, te=11, etl=3, image=("DERIVED", "SECONDARY", "MPR")),
        "T1, derived",
    ),
    "Philips T1": (made(PHILIPS_SE, "SE", tr=560, te=15, etl=5, tesla=3), "T1"),
    "Philips T1 gadolinium": (
        made(PHILIPS_SE, "SE", tr=600, te=10, etl=4, agent=AGENT), "T1, contrast medium",
    ),
    "Philips PD SPAIR": (
        made(PHILIPS_SE, "SE", tr=3200, te=30, etl=10, options=("SPAIR",)), "PD, fat-suppressed",
    ),
    "Philips T2": (made(PHILIPS_SE, "SE", tr=4000, te=100, etl=15), "T2"),
    "Philips STIR": (
        made(PHILIPS_SE, "IR", tr=3800, te=20, ti=165, etl=8, image=(*ORIGINAL, "M_IR", "M", "IR")),
        "STIR",
    ),
    "Philips real part of a STIR": (
        made(PHILIPS_SE, "IR", tr=3800, te=20, ti=165, image=(*ORIGINAL, "R_IR", "R", "IR")),
        "STIR",
    ),
    "Philips mDixon water": (
        made(PHILIPS_SE, "SE", tr=580, te=14, etl=5, image=(*DERIVED, "W", "W", "DERIVED")),
        "T1, Dixon water",
    ),
    "Philips mDixon fat": (
        made(PHILIPS_FFE, "GR", tr=6, te=1.8, image=(*DERIVED, "F", "F", "DERIVED")), "Dixon fat",
    ),
    "Philips mDixon opposed": (
        made(PHILIPS_FFE, "GR", tr=6, te=1.2, image=(*DERIVED, "OP", "OP", "DERIVED")),
        "GRE, opposed phase",
    ),
    "Philips phase": (
        made(PHILIPS_FFE, "GR", tr=20, te=7, image=(*ORIGINAL, "PHASE MAP", "P", "FFE")), "phase",
    ),
    "Philips ADC": (made(PHILIPS_SE, "SE", tr=5000, te=70, image=(*DERIVED, "ADC", "ADC")),
                    "diffusion"),
    "Philips dual echo": (made(PHILIPS_SE, ("SE", "GR"), tr=300, te=55, etl=5), "unknown"),
    "Canon T1": (made(CANON, "SE", tr=480, te=10, etl=2), "T1"),
    "Canon T1 at 3 T": (made(CANON, "SE", tr=1250, te=12, etl=3, tesla=3), "T1"),
    "Canon PD FS": (made(CANON, "SE", tr=2600, te=27, etl=7, options=("FATSAT",)),
                    "PD, fat-suppressed"),
    "Canon T2": (made(CANON, "SE", tr=4500, te=80, etl=13), "T2"),
    "Canon STIR": (made(CANON, ("IR", "SE"), tr=4000, te=36, ti=190, etl=7), "STIR"),
    "Canon water": (made(CANON, "SE", tr=520, te=12, etl=3, image=(*DERIVED, "WATER")),
                    "T1, Dixon water"),
    "Canon ADC": (made(CANON, ("SE", "EP"), tr=6500, te=80, image=("DERIVED", "SECONDARY", "ADC")),
                  "diffusion"),
    "Canon subtraction": (
        made(CANON, "GR", tr=6, te=2.4, image=("DERIVED", "SECONDARY", "SUBTRACTION")),
        "subtraction",
    ),
    "Canon gradient echo": (made(CANON, "GR", tr=520, te=12, flip=25), "GRE"),
}  # fmt: skip
UNDECIDED = {
    "GE single shot", "Siemens T1 of TR 1300 at 1.5 T", "Siemens between PD and T2",
    "Philips dual echo",
}  # fmt: skip
"""What a radiologist could name, and the numbers alone cannot."""


@pytest.mark.parametrize(("attributes", "words"), HEADERS.values(), ids=list(HEADERS))
def test_a_header_is_named_by_its_codes_and_numbers(attributes: dict[str, Any], words: str) -> None:
    wrong = "PD" if words.startswith("T1") else "T1"
    header = header_of(
        SeriesNumber=7, SeriesDescription=f"COR {wrong} HONG", ProtocolName=wrong, **attributes
    )
    (frame,) = frames_of(header, Origin("IM1"))
    assert frame.series_number == 7
    assert str(contrast_of(frame.modality, frame.facts)) == words
    told = repr((frame.facts, frame))
    assert not any(name in told for name in ("HONG", "Gadovist", "Secret"))


def test_few_are_left_unknown() -> None:
    assert {name for name, (_, words) in HEADERS.items() if words == "unknown"} == UNDECIDED
    makers = {name.partition(" ")[0] for name in HEADERS}
    assert makers == {"GE", "Siemens", "Philips", "Canon"}


@pytest.mark.parametrize(
    ("number", "kept"), [(0, 0), (99_999, 99_999), (20240531, None), (-1, None)]
)
def test_a_series_number_is_small(number: int, kept: int | None) -> None:
    (frame,) = frames_of(header_of(SeriesNumber=number), Origin("IM1"))
    assert frame.series_number == kept


@pytest.mark.parametrize("agent", ["", "NONE", "none ", "No"])
def test_no_agent_is_no_contrast_medium(agent: str) -> None:
    (frame,) = frames_of(header_of(ContrastBolusAgent=agent), Origin("IM1"))
    assert not frame.facts.has_medium


def test_an_enhanced_image_names_its_medium_in_a_sequence() -> None:
    shared, frame_type, timing, echo = Dataset(), Dataset(), Dataset(), Dataset()
    frame_type.FrameType, frame_type.AcquisitionContrast = [*ORIGINAL, "DIXON", "WATER"], "T1"
    timing.RepetitionTime, timing.FlipAngle, echo.EffectiveEchoTime = 550, 90, 11
    shared.MRImageFrameTypeSequence = Sequence([frame_type])
    shared.MRTimingAndRelatedParametersSequence = Sequence([timing])
    shared.MREchoSequence = Sequence([echo])
    plain = header_of()
    for group, name in (
        ("PlanePositionSequence", "ImagePositionPatient"),
        ("PlaneOrientationSequence", "ImageOrientationPatient"),
        ("PixelMeasuresSequence", "PixelSpacing"),
    ):
        within = Dataset()
        setattr(within, name, getattr(plain, name))
        setattr(shared, group, Sequence([within]))
    agent = Dataset()
    agent.ContrastBolusAgent = AGENT
    header = header_of(
        ImageType=[*ORIGINAL, "DIXON", "WATER"], EchoPulseSequence="SPIN", NumberOfFrames=1,
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence([Dataset()]),
        ContrastBolusAgentSequence=Sequence([agent]),
    )  # fmt: skip
    (frame,) = frames_of(header, Origin("IM1"))
    assert str(contrast_of("MR", frame.facts)) == "T1, Dixon water, contrast medium"
    assert "Secret" not in repr(frame.facts)
