"""Real DICOM files: every folder's verdict, and geometry recomputed from positions."""

import shutil
import warnings
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from necroangle.dicom import Scan, SeriesSummary, read_volume, scan_folder
from necroangle.dicom.passport import passport_of

pytestmark = [pytest.mark.real_dicom, pytest.mark.timeout(120)]

NORMAL_AXES = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class Stack:
    """What opens: modality, plane, whole degrees of tilt, slices, step to 0.01 mm, spacing.

    Then what it was split by, and the contrast family, with "fs" where fat is suppressed.
    """

    modality: str
    plane: str
    tilt_deg: int = 0
    slices: int = 1
    step_mm: float = 0
    spacing_mm: tuple[float, float] = (1, 1)
    split_by: str = ""
    contrast: str = "unknown"


Verdict = tuple[list[Stack], list[str]]


def one(*stack: Any) -> Verdict:
    return [Stack(*stack)], []


def several(labels: list[str], *stack: Any, contrast: str = "unknown") -> Verdict:
    return [replace(Stack(*stack), split_by=label, contrast=contrast) for label in labels], []


def none(*reasons: str) -> Verdict:
    return [], list(reasons)


NOT_REGULAR = "ImagePositionPatient: "
COLOUR = "PhotometricInterpretation: colour (RGB"
CAPTURE = Stack("OT", "radiograph")

VERDICTS: dict[str, Verdict] = {
    "bad_files": (
        [
            Stack("CT", "axial", 0, 1, 0, (0.287109375, 0.287109375)),
            Stack("CT", "axial", 0, 1, 0, (0.859375, 0.859375)),
            CAPTURE,
        ],
        [
            "PixelData: cut short", "PixelData: absent", "Modality: absent",
            "RTDOSE: no image to measure", "a CT scout",
        ],
    ),
    "cr_lower_leg_mono1_nospacing": one("CR", "radiograph"),
    "cr_mono1_modality_lut": one("CR", "radiograph", 0, 1, 0, (0.15, 0.15)),
    "cr_no_preamble": one("CR", "radiograph"),
    "ct_gantry_tilt_ge": one("CT", "axial", 19, 5, 4.0, (0.4882812, 0.4882812)),
    "ct_slice_increment_irregular": one("CT", "axial", 0, 4, 5.0, (0.429688006639, 0.429688006639)),
    "dx_mono1_nonsquare": one("DX", "radiograph", 0, 1, 0, (1.2, 1.201199999999)),
    "emri_small_variants": none("PerFrameFunctionalGroupsSequence: absent: 10 frames"),
    "htj2k": none("StudyInstanceUID: absent"),
    "lut_tests": ([CAPTURE] * 2, []),
    "mr_anisotropic_pixels": one("MR", "axial", 1, 4, 0.5, (4.0, 6.39995861053464)),
    "mr_classic_fmri_siemens": several(
        [f"acquisition {n}" for n in (1, 2)], "MR", "axial", 5, 4, 2.5, (1.25, 1.25)
    ),
    "mr_compressed_jpegls": one("MR", "sagittal", 0, 4, 1.0),
    "mr_compressed_rle": one("MR", "sagittal", 0, 4, 1.0),
    "mr_coronal_no_extension": several(
        [f"volume {n}" for n in range(1, 5)], "MR", "coronal", 0, 4, 3.8, (3.4375, 3.4375)
    ),
    "mr_coronal_philips": one("MR", "coronal", 1, 4, 0.6, (1.0416666, 1.0416666)),
    "mr_enhanced_color": none(COLOUR),
    "mr_enhanced_nema_coronal": one("MR", "coronal", 0, 23, 7.5, (0.820312, 0.820312), "", "T1"),
    "mr_enhanced_nema_coronal_t2": one(
        "MR", "coronal", 0, 15, 7.5, (0.820312, 0.820312), "", "T2"
    ),
    "mr_enhanced_philips": one("MR", "sagittal", 0, 8, 1.2, (1, 1), "", "GRE fs"),
    "mr_enhanced_philips_implicit": one(
        "MR", "sagittal", 5, 8, 1.0, (0.9375, 0.9375), "", "GRE"
    ),
    "mr_enhanced_siemens_multiframe": one("MR", "axial", 3, 8, 0.9, (0.9375, 0.9375)),
    "mr_enhanced_siemens_xa": several(
        ["time point 1", "time point 2"], "MR", "axial", 0, 6, 2.4, (3.375, 3.375),
        contrast="unknown fs",
    ),
    "mr_knee_esaote": none("SOPInstanceUID: ", "both claim to be the same image"),
    "mr_knee_wg04_coronal": none(NOT_REGULAR + "2 images at one and the same position"),
    "mr_localizer_3plane_ge": (
        [
            Stack("MR", plane, 0, 3, 15.0, (0.9375, 0.9375), "orientation")
            for plane in ("sagittal", "coronal", "axial")
        ],
        [],
    ),
    "mr_mixed_orientation_one_series": (
        [
            Stack(
                "MR", plane, tilt, 2, step, (spacing, spacing), "pixel spacing, orientation", "T2"
            )
            for plane, tilt, step, spacing in (
                ("sagittal", 2, 3.3, 0.31999999284744), ("axial", 14, 4.4, 0.5555555820465),
            )
        ],
        [],
    ),
    "mr_mosaic_siemens_coronal": one(
        "MR", "coronal", 9, 35, 3.6, (3.25, 3.25), "", "unknown fs"
    ),
    "mr_mosaic_siemens_sagittal": one(
        "MR", "sagittal", 0, 35, 3.6, (3.25, 3.25), "", "unknown fs"
    ),
    "mr_multi_echo_philips_phantom": several(
        [f"time point {n}" for n in (1, 2, 3)], "MR", "axial", 13, 9, 8.0, (3.75, 3.75),
        contrast="unknown fs",
    ),
    "mr_sagittal_ge": one("MR", "sagittal", 3, 4, 1.0, (1, 1), "", "GRE"),
    "mr_sagittal_uih": one("MR", "sagittal", 4, 3, 1.0, (0.5, 0.5), "", "GRE"),
    "mr_shoulder_hitachi_oblique": one(
        "MR", "sagittal", 39, 4, 4.0, (2.34375, 2.34375), "", "PD"
    ),
    "mr_wrist_coronal_16": one("MR", "coronal", 0, 16, 2.0, (0.234375, 0.234375), "", "GRE"),
    "not_a_volume_same_position": none(NOT_REGULAR + "4 images at one and the same position"),
    "overlay_6planes": ([CAPTURE], []),
    "presentation_state": ([CAPTURE], ["a presentation state: no image"]),
    "private_sop": one("CT", "axial", 0, 4, 0.5, (0.43, 0.43)),
    "rf_modality_lut": one("RF", "radiograph"),
    "seg": ([Stack("CT", "axial", 0, 3, 2.5, (0.7, 0.7))] * 2, ["a segmentation: no image"]),
    "signed_9bit": ([CAPTURE], []),
    "slicer_markups": none(),
    "sr_measurements": none("a structured report: no image"),
}  # fmt: skip


def stack_of(series: SeriesSummary) -> Stack:
    plane = series.plane
    contrast = passport_of(series).contrast
    return Stack(
        series.modality,
        plane.name if plane else series.kind,
        round(plane.obliquity_deg) if plane else 0,
        len(series),
        round(series.step_mm, 2),
        (series.row_spacing_mm, series.column_spacing_mm),
        series.split_by,
        contrast.family + (" fs" if contrast.fat_suppressed else ""),
    )


GRADED = {"ct_gantry_tilt_ge": ("sheared",), "ct_slice_increment_irregular": ("gaps",)}
"""The flags of what is no regular stack."""


def test_every_folder_has_a_verdict(real_dicom_folder: Path) -> None:
    assert {path.name for path in real_dicom_folder.iterdir() if path.is_dir()} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_verdict(real_dicom_folder: Path, name: str) -> None:
    stacks, reasons = VERDICTS[name]
    scan = scan_folder(real_dicom_folder / name)
    assert sorted(map(stack_of, scan.series), key=repr) == sorted(stacks, key=repr)
    told = (*scan.refused, *scan.aside, *scan.recognised)
    said = " | ".join(str(refusal) for refusal in told)
    assert [reason for reason in reasons if reason not in said] == []
    assert bool(told) == bool(reasons)
    assert {s.regularity.flags for s in scan.series} <= {GRADED.get(name, ())}
    assert scan.tally().walked == scan.walked


def read_plainly(path: Path) -> Dataset:
    return dcmread(path, force=True)


def series_uid_of(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(read_plainly(path).get("SeriesInstanceUID"))


def geometry_of(dataset: Dataset, number: int) -> tuple[list[float], list[float], list[float]]:
    """Position, orientation and spacing of one frame, by plain look-up."""
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        at = [dataset, dataset, dataset]
    else:
        frame = dataset.PerFrameFunctionalGroupsSequence[number - 1]
        shared = dataset.get("SharedFunctionalGroupsSequence", [Dataset()])[0]
        at = [
            (frame if name in frame else shared)[name][0]
            for name in (
                "PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence",
            )
        ]  # fmt: skip
    return (
        [float(v) for v in at[0].ImagePositionPatient],
        [float(v) for v in at[1].ImageOrientationPatient],
        [float(v) for v in at[2].PixelSpacing],
    )


def stands_by_itself(series: SeriesSummary) -> bool:
    """Whether each slice states its own position, as all but mosaics do."""
    return series.kind == "stack" and not series.tiles_per_side


@pytest.fixture(scope="module")
def scans(real_dicom_folder: Path) -> dict[str, Scan]:
    return {name: scan_folder(real_dicom_folder / name) for name in VERDICTS}


def test_plane_order_and_spacing_follow_from_positions(scans: dict[str, Scan]) -> None:
    checked = 0
    for series in (s for scan in scans.values() for s in scan.series if stands_by_itself(s)):
        frames = [
            geometry_of(read_plainly(series.root / file), number) for file, number in series.frames
        ]
        positions, orientations, spacings = (np.array(part) for part in zip(*frames, strict=True))
        normal = np.cross(orientations[0][:3], orientations[0][3:])
        depths = positions @ normal / np.linalg.norm(normal)
        assert series.plane is not None
        assert series.plane.name == NORMAL_AXES[int(np.abs(normal).argmax())]
        cosine = np.abs(normal).max() / np.linalg.norm(normal)
        assert series.plane.obliquity_deg == pytest.approx(np.degrees(np.arccos(cosine)), abs=0.01)
        assert np.all(np.diff(depths) > 0)
        if len(series) > 1:
            assert series.step_mm == pytest.approx(np.median(np.diff(depths)), abs=1e-5)
        np.testing.assert_allclose([plane.origin_mm for plane in series.planes], positions)
        assert (series.row_spacing_mm, series.column_spacing_mm) == tuple(spacings[0])
        checked += len(series)
    assert checked == 202


def test_no_slice_is_lost(scans: dict[str, Scan]) -> None:
    """What a folder holds of a series is all in its stacks, or the series is refused."""
    for scan in scans.values():
        used: dict[str, set[str]] = defaultdict(set)
        for series in scan.series:
            used[series.series_uid].update(file for file, _ in series.frames)
        for series in scan.series:
            holds = {
                path.name
                for path in series.root.iterdir()
                if series_uid_of(path) == series.series_uid
            }
            assert used[series.series_uid] == holds


def test_pixels_of_all_that_opens(scans: dict[str, Scan]) -> None:
    """What is listed can be read: pixels that are absent or cut short are refused before."""
    read = 0
    for series in (s for scan in scans.values() for s in scan.series):
        volume = read_volume(series)
        assert volume.pixels.shape == (len(series), series.rows, series.columns)
        assert np.isfinite(volume.pixels).all()
        assert (volume.planes, volume.sources) == (series.planes, series.sources)
        read += 1
    assert read == 49


def test_slices_carry_their_own_pixels(real_dicom_folder: Path) -> None:
    for name in ("mr_wrist_coronal_16", "mr_anisotropic_pixels"):
        (series,) = scan_folder(real_dicom_folder / name).series
        volume = read_volume(series)
        for index, (file, _) in enumerate(series.frames):
            dataset = read_plainly(series.root / file)
            slope = float(dataset.get("RescaleSlope", 1))
            truth = dataset.pixel_array * slope + float(dataset.get("RescaleIntercept", 0))
            np.testing.assert_allclose(volume.pixels[index], truth, rtol=1e-5, atol=1e-4)


def test_bone_is_bright_on_monochrome1(real_dicom_folder: Path) -> None:
    (series,) = scan_folder(real_dicom_folder / "cr_lower_leg_mono1_nospacing").series
    assert (series.laterality, series.view, series.spacing_source) == ("R", "AP", "none")
    assert not series.calibrated
    pixels = read_volume(series).pixels[0]
    raw = read_plainly(series.root / series.frames[0][0]).pixel_array
    assert np.corrcoef(pixels.ravel(), raw.ravel().astype(float))[0, 1] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("mr_knee_esaote", "explicit_mr_jpeg-lossy_mono2.dcm"),
        ("mr_knee_esaote", "explicit_mr_rle_mono2.dcm"),
        ("mr_knee_wg04_coronal", "MR3_J2KI"),
    ],
)
def test_one_slice_alone_opens_in_each_encoding(
    real_dicom_folder: Path, tmp_path: Path, folder: str, file: str
) -> None:
    shutil.copy(real_dicom_folder / folder / file, tmp_path / file)
    (series,) = scan_folder(tmp_path).series
    assert series.plane is not None
    assert (series.plane.name, len(series), series.step_mm) == ("coronal", 1, 0)
    pixels = read_volume(series).pixels
    assert pixels.shape == (1, series.rows, series.columns)
    assert pixels.std() > 10


def test_a_file_whose_pixels_are_cut_short_is_refused_when_listed(
    real_dicom_folder: Path, tmp_path: Path
) -> None:
    file = "no-header_explicit(two-pass).dcm"
    shutil.copy(real_dicom_folder / "mr_knee_esaote" / file, tmp_path / file)
    (refusal,) = scan_folder(tmp_path).refused
    assert str(refusal) == f"{file}: PixelData: cut short: found 7624 vs 65536 bytes expected"


def test_the_whole_folder_in_one_scan(real_dicom_folder: Path) -> None:
    scan = scan_folder(real_dicom_folder)
    keys = [(s.study_uid, s.series_uid, s.stack_no) for s in scan.series]
    assert keys == sorted(set(keys))
    assert len(keys) == 47
    assert scan.skipped == 11  # a segmentation among them
    assert sum(one.files for one in scan.recognised) == 6
