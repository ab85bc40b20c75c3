"""Radiographs: what their millimetres are worth, and the coded view."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from necroangle.dicom import read_volume, scan_folder
from necroangle.terms import Laterality

WriteSlices = Callable[..., list[Path]]

SCALES: dict[str, tuple[dict[str, Any], tuple[float, float], bool, str]] = {
    "nothing": ({}, (1, 1), False, "none"),
    "detector": ({"ImagerPixelSpacing": [0.2, 0.3]}, (0.2, 0.3), False, "ImagerPixelSpacing"),
    "unsaid": ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.3), False, "PixelSpacing"),
    "equal": (
        {
            "PixelSpacing": [0.2, 0.2],
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacingCalibrationType": "GEOMETRY",
        },
        (0.2, 0.2),
        False,
        "PixelSpacing",
    ),
    "magnified": (
        {"ImagerPixelSpacing": [0.2, 0.3], "EstimatedRadiographicMagnificationFactor": 1.25},
        (0.16, 0.24),
        False,
        "EstimatedRadiographicMagnificationFactor",
    ),
    "magnified, its PixelSpacing that of the detector": (
        {
            "PixelSpacing": [0.2, 0.3],
            "ImagerPixelSpacing": [0.2, 0.3],
            "EstimatedRadiographicMagnificationFactor": 1.25,
        },
        (0.16, 0.24),
        False,
        "EstimatedRadiographicMagnificationFactor",
    ),
    "magnified by its distances": (
        {
            "ImagerPixelSpacing": [0.2, 0.3],
            "DistanceSourceToDetector": 1250,
            "DistanceSourceToPatient": 1000,
        },
        (0.16, 0.24),
        False,
        "DistanceSourceToPatient",
    ),
    "distances that are none": (
        {
            "ImagerPixelSpacing": [0.2, 0.3],
            "DistanceSourceToDetector": 1000,
            "DistanceSourceToPatient": 1000,
        },
        (0.2, 0.3),
        False,
        "ImagerPixelSpacing",
    ),
    "zero and zero": ({"PixelSpacing": [0, 0]}, (1, 1), False, "none"),
    "zero on the detector": (
        {"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.2, 0.3]},
        (0.2, 0.3),
        False,
        "ImagerPixelSpacing",
    ),
    "magnified beyond sense": (
        {"ImagerPixelSpacing": [0.2, 0.3], "EstimatedRadiographicMagnificationFactor": 12},
        (0.2, 0.3),
        False,
        "ImagerPixelSpacing",
    ),
    "ball": (
        {
            "PixelSpacing": [0.17, 0.17],
            "ImagerPixelSpacing": [0.2, 0.2],
            "PixelSpacingCalibrationType": "FIDUCIAL",
        },
        (0.17, 0.17),
        True,
        "PixelSpacing",
    ),
}


def write_radiograph(write_slices: WriteSlices, folder: Path, **attributes: Any) -> None:
    geometry = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))
    write_slices(folder, [(0, 0, 0)], **{"Modality": "DX", **geometry, **attributes})


@pytest.mark.parametrize(
    ("attributes", "spacing_mm", "calibrated", "source"), SCALES.values(), ids=list(SCALES)
)
def test_scale(
    tmp_path: Path,
    write_slices: WriteSlices,
    attributes: dict[str, Any],
    spacing_mm: tuple[float, float],
    calibrated: bool,
    source: str,
) -> None:
    write_radiograph(write_slices, tmp_path, **attributes)
    (series,) = scan_folder(tmp_path).series
    assert (series.row_spacing_mm, series.column_spacing_mm) == pytest.approx(spacing_mm)
    assert (series.calibrated, series.spacing_source) == (calibrated, source)
    assert (series.kind, series.plane, series.step_mm) == ("radiograph", None, 0)
    assert read_volume(series).pixels.shape == (1, 4, 5)


@pytest.mark.parametrize(
    ("position", "code", "view"),
    [
        ("AP", None, "AP"), ("LL", None, "LATERAL"), ("HIP OF MR X", None, None),
        (None, "399348003", "AP"), (None, "R-102CD", "LATERAL"), (None, "99999", None),
    ],
)  # fmt: skip
def test_view(
    tmp_path: Path,
    write_slices: WriteSlices,
    position: str | None,
    code: str | None,
    view: str | None,
) -> None:
    item = Dataset()
    item.CodeValue = code or ""
    write_radiograph(
        write_slices, tmp_path, ViewPosition=position, ViewCodeSequence=Sequence([item])
    )
    assert scan_folder(tmp_path).series[0].view == view


def test_two_views_of_one_series_stay_apart(tmp_path: Path, write_slices: WriteSlices) -> None:
    views = [{"ViewPosition": "AP"}, {"ViewPosition": "LL"}]
    write_slices(tmp_path, [(0, 0, 0)] * 2, each=views, Modality="CR", Laterality="R")
    scan = scan_folder(tmp_path)
    assert [(s.stack_no, s.view, s.laterality) for s in scan.series] == [
        (1, "AP", Laterality.RIGHT),
        (2, "LATERAL", Laterality.RIGHT),
    ]


def test_a_still_of_fluoroscopy_opens_and_a_run_is_refused(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_radiograph(write_slices, tmp_path / "still", Modality="RF", SeriesInstanceUID="1.2.3.5")
    write_radiograph(write_slices, tmp_path / "run", Modality="RF", NumberOfFrames=2)
    scan = scan_folder(tmp_path)
    assert [(series.kind, series.modality) for series in scan.series] == [("radiograph", "RF")]
    (refusal,) = scan.refused
    assert (refusal.tag, refusal.reason) == ("NumberOfFrames", "2 frames: no still picture")


def test_pixels_that_are_not_square_without_a_spacing(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    write_radiograph(write_slices, tmp_path, PixelAspectRatio=[2, 1])
    (series,) = scan_folder(tmp_path).series
    assert (series.row_spacing_mm, series.column_spacing_mm) == (2.0, 1.0)
    assert (series.calibrated, series.spacing_source) == (False, "none")


@pytest.mark.parametrize(("first", "low"), [(100, 100.0), (65_436, -100.0)])
def test_a_window_is_taken_from_a_voi_table(
    tmp_path: Path, write_slices: WriteSlices, first: int, low: float
) -> None:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [256, first, 8])
    table.add_new("LUTData", "OW", bytes(512))
    write_radiograph(
        write_slices, tmp_path, VOILUTSequence=Sequence([table]), RescaleIntercept=-1024,
        RescaleSlope=1,
    )  # fmt: skip
    (series,) = scan_folder(tmp_path).series
    assert series.window == (low, low + 255)
    assert series.facts.window_source == "VOILUTSequence"


def test_a_broken_spacing_is_refused_by_tag(tmp_path: Path, write_slices: WriteSlices) -> None:
    write_radiograph(write_slices, tmp_path, PixelSpacing=[0, 0.1])
    (refusal,) = scan_folder(tmp_path).refused
    assert (refusal.tag, "positive" in refusal.reason) == ("PixelSpacing", True)
