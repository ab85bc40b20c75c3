"""The geometry passport: sides, contrast, scale, doubts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_charset_files

from necroangle.dicom import scan_folder
from necroangle.dicom.contrast import contrast_of
from necroangle.dicom.passport import GeometryPassport, passport_of
from necroangle.dicom.records import SequenceFacts
from necroangle.dicom.scanner import read_headers
from necroangle.errors import DicomError
from necroangle.terms import Laterality

WriteSlices = Callable[..., list[Path]]

SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
WIDE = {"shape": (40, 100), "spacing": (4.0, 4.0)}
LEFT, RIGHT = Laterality.LEFT, Laterality.RIGHT


def passports(folder: Path) -> list[GeometryPassport]:
    scan = scan_folder(folder)
    return [passport_of(series, scan.series, scan.refused) for series in scan.series]


def test_a_plain_stack(tmp_path: Path, write_slices: WriteSlices) -> None:
    depths = (0.0, 3.001, 5.999, 9.0)
    write_slices(tmp_path, [(0, y, 0) for y in depths], PatientPosition="FFS")
    (found,) = passports(tmp_path)
    assert (found.plane, found.obliquity_deg, found.patient_position) == ("coronal", 0.0, "FFS")
    assert found.edges == {"left": "R", "right": "L", "top": "S", "bottom": "I"}
    assert (found.scale.row_spacing_mm, found.scale.column_spacing_mm) == (0.5, 0.7)
    assert found.scale.pixel_aspect == pytest.approx(5 / 7)
    steps = found.steps
    assert steps.order_source == "positions along the normal"
    assert steps.step_mm == pytest.approx(3.001)
    assert steps.deviation_mm == pytest.approx(0.003)
    assert (steps.gaps, steps.missing, steps.duplicates, steps.shear_deg) == (0, 0, 0, 0)
    assert (found.scale.unscaled_spacing, found.scale.calibrated, found.burned_in) == (
        None,
        True,
        "not stated",
    )


def test_a_slight_shear_is_told(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, [(0, 10.0 * k, 0.03 * k) for k in range(4)])
    steps = passports(tmp_path)[0].steps
    assert steps.shear_deg == pytest.approx(0.172, abs=1e-3)
    assert steps.shift_mm == pytest.approx(0.09)


def test_passports_go_into_json(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path, [(0, 3.0 * k, 0) for k in range(3)], Laterality="R")
    (found,) = passports(tmp_path)
    again = json.loads(json.dumps(found.to_dict()))
    assert (again["side"]["coded"], again["steps"]["step_mm"]) == ("R", 3.0)


def write_coronal(write_slices: WriteSlices, folder: Path, middle_x_mm: float = 0.0) -> None:
    start = middle_x_mm - 99 / 2 * 4
    positions = [(start, 4.0 * k, 80) for k in range(3)]
    write_slices(folder, positions, SeriesInstanceUID="1.2.3.5", **WIDE)


@pytest.mark.parametrize(
    ("middle_x_mm", "x_mm", "side"),
    [(0, 80, LEFT), (0, -80, RIGHT), (40, 0, RIGHT), (40, 80, LEFT), (0, 20, None)],
)
def test_the_side_is_told_against_the_coronal_picture(
    tmp_path: Path, write_slices: WriteSlices, middle_x_mm: float, x_mm: float, side: Laterality
) -> None:
    write_coronal(write_slices, tmp_path / "c", middle_x_mm)
    write_slices(tmp_path / "s", [(x_mm + 4 * k, 0, 0) for k in (-1, 0, 1)], SAGITTAL)
    sagittal, coronal = passports(tmp_path)
    assert (sagittal.side.found, coronal.side.found) == (side, None)
    assert sagittal.side.rule == "against the middle of the coronal picture"
    assert coronal.side.rule == "both hips in one picture"


def test_another_frame_of_reference_tells_nothing(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_coronal(write_slices, tmp_path / "c", 200)
    positions = [(70.0 + 4 * k, 0, 0) for k in range(3)]
    write_slices(tmp_path / "s", positions, SAGITTAL, FrameOfReferenceUID="1.2.3.8")
    found = passports(tmp_path)[0]
    assert found.side.found is LEFT
    assert found.side.rule == "against the origin of its frame of reference"


def test_the_two_slabs_of_a_series_tell_each_other_apart(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    places = [150.0, 154.0, 158.0, 20.0, 24.0, 28.0]  # both left of the origin
    write_slices(tmp_path, [(x, 0, 0) for x in places], SAGITTAL, Laterality="R")
    first, second = passports(tmp_path)
    assert (first.split_by, second.split_by) == ("slab 1 of 2", "slab 2 of 2")
    assert (first.side.found, second.side.found) == (LEFT, RIGHT)
    assert (first.side.differ, second.side.differ) == (True, False)


@pytest.mark.parametrize(("x_mm", "side"), [(31, LEFT), (-31, RIGHT), (29, None), (-3, None)])
def test_alone_only_a_far_stack_has_a_side(
    tmp_path: Path, write_slices: WriteSlices, x_mm: float, side: Laterality | None
) -> None:
    write_slices(tmp_path, [(x_mm, 0, 0)], SAGITTAL)
    assert passports(tmp_path)[0].side.found is side


SE = {"scanning_sequence": ("SE",)}
CONTRASTS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "T1": ({**SE, "repetition_time_ms": 600, "echo_time_ms": 12}, "T1", False),
    "T1 fs": (
        {**SE, "repetition_time_ms": 600, "echo_time_ms": 12, "scan_options": ("PFP", "FS")},
        "T1", True,
    ),
    "PD": ({**SE, "repetition_time_ms": 3000, "echo_time_ms": 35}, "PD", False),
    "T2": ({**SE, "repetition_time_ms": 4000, "echo_time_ms": 90}, "T2", False),
    "neither": ({**SE, "repetition_time_ms": 1300, "echo_time_ms": 20}, "unknown", False),
    "long echo": ({**SE, "repetition_time_ms": 600, "echo_time_ms": 60}, "unknown", False),
    "no times": (SE, "unknown", False),
    "STIR": (
        {"scanning_sequence": ("SE", "IR"), "inversion_time_ms": 160, "repetition_time_ms": 4000,
         "echo_time_ms": 40},
        "STIR", True,
    ),
    "other IR": ({"scanning_sequence": ("SE", "IR"), "inversion_time_ms": 2200}, "unknown", False),
    "GRE": ({"scanning_sequence": ("GR",)}, "GRE", False),
    "water excitation": (
        {"scanning_sequence": ("GR",), "scan_options": ("WE",)}, "GRE", True,
    ),
    "planar": ({"scanning_sequence": ("EP", "SE"), "repetition_time_ms": 600}, "unknown", False),
    "water": (
        {**SE, "image_type": ("DERIVED", "PRIMARY", "WATER"), "repetition_time_ms": 600,
         "echo_time_ms": 12},
        "T1", True,
    ),
    "fat": ({**SE, "image_type": ("DERIVED", "PRIMARY", "F"), "scan_options": ("FS",)},
            "unknown", False),
    "stated": (
        {"stated_contrast": "PROTON_DENSITY", "repetition_time_ms": 3000, "echo_time_ms": 30},
        "PD", False,
    ),
    "stated alone": ({"stated_contrast": "PROTON_DENSITY"}, "unknown", False),
    "stated against the numbers": (
        {**SE, "stated_contrast": "T1", "repetition_time_ms": 4000, "echo_time_ms": 90},
        "T2", False,
    ),
    "stated of a fast gradient echo": (
        {"stated_contrast": "T1", "repetition_time_ms": 12, "echo_time_ms": 5}, "GRE", False,
    ),
    "T1 at 3 T": (
        {**SE, "repetition_time_ms": 1300, "echo_time_ms": 10, "field_strength_t": 3.0},
        "T1", False,
    ),
    "the same at 1.5 T": (
        {**SE, "repetition_time_ms": 1300, "echo_time_ms": 10, "field_strength_t": 1.5},
        "unknown", False,
    ),
    "research mode of a spin echo": (
        {"scanning_sequence": ("RM",), "echo_train_length": 4, "flip_angle_deg": 111,
         "repetition_time_ms": 550, "echo_time_ms": 11},
        "T1", False,
    ),
    "research mode of something else": (
        {"scanning_sequence": ("RM",), "repetition_time_ms": 550, "echo_time_ms": 11},
        "unknown", False,
    ),
    "single shot": (
        {**SE, "repetition_time_ms": 2000, "echo_time_ms": 90, "echo_train_length": 120},
        "unknown", False,
    ),
    "3-D T2": (
        {**SE, "acquisition_type": "3D", "repetition_time_ms": 1200, "echo_time_ms": 120,
         "echo_train_length": 60},
        "T2", False,
    ),
    "real part of a STIR": (
        {"image_type": ("ORIGINAL", "PRIMARY", "R", "IR"), "scanning_sequence": ("SE", "IR"),
         "inversion_time_ms": 180, "repetition_time_ms": 4000, "echo_time_ms": 50},
        "STIR", True,
    ),
    "echo planar coded as gradient echo": (
        {"scanning_sequence": ("GR",), "repetition_time_ms": 2000, "echo_time_ms": 30},
        "unknown", False,
    ),
    "nothing": ({}, "unknown", False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "family", "fat_suppressed"), CONTRASTS.values(), ids=list(CONTRASTS)
)
def test_contrast(attributes: dict[str, Any], family: str, fat_suppressed: bool) -> None:
    found = contrast_of("MR", SequenceFacts(**attributes))
    assert (found.family, found.fat_suppressed) == (family, fat_suppressed)
    assert contrast_of("CT", SequenceFacts(**attributes)).family == "unknown"


ROLES: dict[str, tuple[dict[str, Any], str]] = {
    "ADC": ({"image_type": ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")}, "diffusion"),
    "b = 0 beside b = 800": ({**SE, "series_b_value": 800.0, "echo_time_ms": 80}, "diffusion"),
    "subtraction": ({"image_type": ("DERIVED", "PRIMARY", "SUB")}, "subtraction"),
    "phase": ({"image_type": ("ORIGINAL", "PRIMARY", "P")}, "phase"),
    "imaginary": ({"image_type": ("ORIGINAL", "PRIMARY", "I")}, "phase"),
    "map": ({"image_type": ("DERIVED", "PRIMARY", "T2_STAR")}, "map"),
    "plain picture of Esaote": ({"image_type": ("ORIGINAL", "PRIMARY", "T1 MAP")}, "anatomy"),
    "localizer": ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
    "three planes": ({"is_of_localizers": True}, "localizer"),
    "FLAIR": ({"stated_contrast": "FLUID_ATTENUATED"}, "FLAIR"),
    "opposed phase of GE": (
        {"image_type": ("DERIVED", "PRIMARY", "OUT_OF_PHASE"), "scanning_sequence": ("GR",)},
        "opposed phase",
    ),
    "reformat": ({"image_type": ("DERIVED", "SECONDARY", "MPR"), **SE}, "derived"),
    "anatomy": (SE, "anatomy"),
}


@pytest.mark.parametrize(("attributes", "role"), ROLES.values(), ids=list(ROLES))
def test_what_a_picture_is_of(attributes: dict[str, Any], role: str) -> None:
    assert contrast_of("MR", SequenceFacts(**attributes)).role == role


@pytest.mark.parametrize(
    ("name", "sequence"),
    [("*tse2d1_11", ("SE",)), ("tir2d1", ("SE", "IR")), ("*fl3d1", ("GR",)), ("epfid", ("EP",)),
     ("smith", ())],
)  # fmt: skip
def test_a_sequence_is_known_by_its_makers_name(
    tmp_path: Path, write_slices: WriteSlices, name: str, sequence: tuple[str, ...]
) -> None:
    (path,) = write_slices(tmp_path, [(0, 0, 0)], SequenceName=name)
    (frame,) = read_headers(path, "IM")
    assert frame.facts.scanning_sequence == sequence
    assert "smith" not in repr(frame.facts)


def test_descriptions_do_not_make_the_contrast(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(
        tmp_path, [(0, 0, 0)], SeriesDescription="T2 STIR COR", ProtocolName="T2",
        ScanningSequence="SE", RepetitionTime=500, EchoTime=10, MRAcquisitionType="2D",
    )  # fmt: skip
    contrast = passports(tmp_path)[0].contrast
    assert (contrast.family, contrast.fat_suppressed, contrast.is_3d) == ("T1", False, False)
    assert contrast.rule == "ScanningSequence SE, RepetitionTime 500 ms, EchoTime 10 ms"


@pytest.mark.parametrize(
    ("attributes", "secondary", "burned_in"),
    [
        ({}, False, "not stated"),
        ({"BurnedInAnnotation": "YES"}, False, "stated"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, True, "suspected"),
        ({"ImageType": ["DERIVED", "SECONDARY"], "BurnedInAnnotation": "NO"}, True, "denied"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, True, "suspected"),
    ],
)
def test_doubts_of_the_picture(
    tmp_path: Path,
    write_slices: WriteSlices,
    attributes: dict[str, Any],
    secondary: bool,
    burned_in: str,
) -> None:
    write_slices(tmp_path, [(0, 0, 0)], **attributes)
    (found,) = passports(tmp_path)
    assert (found.is_secondary, found.burned_in) == (secondary, burned_in)


def test_mm_only_where_they_are_true(tmp_path: Path, write_slices: WriteSlices) -> None:
    geometry = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))
    write_slices(
        tmp_path, [(0, 0, 0)], Modality="DX",
        **{**geometry, "ImagerPixelSpacing": [0.2, 0.1]},
        EstimatedRadiographicMagnificationFactor=1.25,
    )  # fmt: skip
    (found,) = passports(tmp_path)
    assert (found.scale.row_spacing_mm, found.scale.column_spacing_mm, found.scale.calibrated) == (
        None,
        None,
        False,
    )
    assert found.scale.unscaled_spacing == pytest.approx((0.16, 0.08))
    assert found.scale.pixel_aspect == pytest.approx(2.0)
    assert found.scale.magnification == 1.25
    assert found.steps.order_source == "none"
    assert (found.side.found, found.side.rule) == (None, "no stack: no place in the patient")


def test_what_was_refused_of_the_series_is_named(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_slices(tmp_path / "a", [(0, 3.0 * k, 0) for k in range(3)])
    uids = [{"SOPInstanceUID": f"1.9.{k}"} for k in range(3)]
    write_slices(tmp_path / "b", [(0, 0, 0)] * 3, SAGITTAL, each=uids)
    (found,) = passports(tmp_path)
    (reason,) = found.refused
    assert reason.startswith("ImagePositionPatient: 3 images at one and the same position")
    assert "IM0" not in reason


CHARSETS = {
    "Korean": ("\\ISO 2022 IR 149", "김희중".encode("euc_kr"), True),
    "Japanese": ("ISO 2022 IR 13\\ISO 2022 IR 87", "山田".encode("iso2022_jp"), True),
    "Chinese": ("GB18030", "王小东".encode("gb18030"), True),
    "Unicode": ("ISO_IR 192", "王小東".encode(), True),
    "broken Unicode": ("ISO_IR 192", b"\xff\xfe\xfa", True),
    "unknown": ("ISO_IR 999", b"\xb1\xe8", False),
    "no name of a set": ("\\\\", b"\xb1\xe8", True),
}


@pytest.mark.filterwarnings("ignore:.*Unknown encoding", "ignore:The value length")
@pytest.mark.parametrize(("charset", "name", "known"), CHARSETS.values(), ids=list(CHARSETS))
def test_names_in_any_script_do_not_matter(
    tmp_path: Path, write_slices: WriteSlices, charset: str, name: bytes, known: bool
) -> None:
    marks = {"PatientName": "X" * len(name), "PatientID": "Y" * len(name), "StudyID": "OTHER"}
    for path in write_slices(
        tmp_path, [(0, 0, 0), (0, 3, 0)], SpecificCharacterSet="Z" * len(charset), **marks
    ):
        raw = path.read_bytes()
        raw = raw.replace(b"X" * len(name), name).replace(b"Y" * len(name), name)
        path.write_bytes(raw.replace(b"Z" * len(charset), charset.encode()))
    (found,) = passports(tmp_path)
    assert (found.slices, found.charset_known) == (2, known)


CHARSET_FILES = sorted(map(Path, get_charset_files("*.dcm")))


@pytest.mark.parametrize("path", CHARSET_FILES, ids=lambda path: path.name)
def test_headers_in_every_character_set_are_read(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path)
    scan = scan_folder(tmp_path)
    assert len(scan.series) + len(scan.refused) == 1
    name = str(dcmread(path).PatientName) if "PatientName" in dcmread(path) else ""
    assert not name or name not in repr(scan)
    try:
        frames = read_headers(path, path.name)
    except DicomError as error:
        assert error.file == path.name  # noqa: PT017
    else:
        assert all(frame.facts.charset_known for frame in frames)
