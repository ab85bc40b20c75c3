"""The files of a small phantom study: standard-conforming, repeatable, true to the model."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.phantom import RadiographGeometry, SeriesGeometry, sample_studies, write_study
from necroangle.phantom.mr import mr_series
from necroangle.phantom.write import truth_of
from necroangle.terms import View

SMALL = dataclasses.replace(
    sample_studies()["oblique"],
    coronal=SeriesGeometry(View.CORONAL, 2.5, 3.0, 60, 110, 3, 4, 0.5, (14.0, 0.0, 4.0)),
    sagittal=SeriesGeometry(View.SAGITTAL, 2.0, 2.5, 50, 40, 3, 4, 0.5, (0.0, 6.0, -12.0)),
    radiographs=RadiographGeometry(1.5, 90, 80),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "small"
    write_study(SMALL, folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_the_same_study_is_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_study(SMALL, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


def test_another_seed_is_another_noise_and_other_identifiers(folder: Path, tmp_path: Path) -> None:
    write_study(dataclasses.replace(SMALL, seed=7, radiographs=None), tmp_path / "other")
    one, other = (dcmread(f / "coronal/IM0002.dcm") for f in (folder, tmp_path / "other"))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.StudyInstanceUID != other.StudyInstanceUID
    assert not np.array_equal(one.pixel_array, other.pixel_array)


def test_uncompressed_holds_the_same_pixels(folder: Path, tmp_path: Path) -> None:
    write_study(SMALL, tmp_path / "plain", compress=False)
    for file in ("coronal/IM0001.dcm", "sagittal_l/IM0003.dcm", "radiographs/r_ap.dcm"):
        packed, plain = dcmread(folder / file), dcmread(tmp_path / "plain" / file)
        assert packed.file_meta.TransferSyntaxUID.is_compressed
        assert not plain.file_meta.TransferSyntaxUID.is_compressed
        assert np.array_equal(packed.pixel_array, plain.pixel_array)
        assert packed.SOPInstanceUID == plain.SOPInstanceUID


def test_dciodvfy_finds_no_error(folder: Path, errors_of: Callable[[Path], list[str]]) -> None:
    for file in sorted(folder.rglob("*.dcm")):
        assert errors_of(file) == [], file.name


def test_planes_in_the_files_are_those_of_the_model(folder: Path) -> None:
    for series in mr_series(SMALL):
        for index, plane in enumerate(series.planes):
            image = dcmread(folder / series.file(index), stop_before_pixels=True)
            found = ImagePlane.from_dicom(
                image.ImagePositionPatient, image.ImageOrientationPatient, image.PixelSpacing
            )
            np.testing.assert_allclose(found.origin_mm, plane.origin_mm, atol=1e-6)
            np.testing.assert_allclose(found.row_cosine, plane.row_cosine, atol=1e-11)
            np.testing.assert_allclose(found.column_cosine, plane.column_cosine, atol=1e-11)
            spacing = (series.geometry.row_spacing_mm, series.geometry.column_spacing_mm)
            assert (found.row_spacing_mm, found.column_spacing_mm) == spacing
            assert image.SliceThickness == series.geometry.thickness_mm
            assert image.SpacingBetweenSlices == series.geometry.step_mm
            assert image.InstanceNumber == index + 1


def test_the_files_carry_the_pseudonym_and_no_person(folder: Path) -> None:
    frames = set()
    for file in folder.rglob("*.dcm"):
        image = dcmread(file, stop_before_pixels=True)
        assert image.PatientIdentityRemoved == "YES"
        assert image.ClinicalTrialSubjectID == SMALL.subject
        assert image.ClinicalTrialTimePointID == SMALL.visit
        assert image.StudyDate == image.PatientBirthDate == ""
        frames.add(image.get("FrameOfReferenceUID"))
    assert len(frames) == 2, "one frame of reference for the MR series, none on radiographs"


def test_sides_and_positions_are_coded(folder: Path) -> None:
    images = {
        name: dcmread(folder / name, stop_before_pixels=True)
        for name in contents(folder)
        if name.endswith(".dcm")
    }
    assert images["coronal/IM0001.dcm"].ImageLaterality == "B"
    assert images["sagittal_r/IM0001.dcm"].Laterality == "R"
    assert images["sagittal_l/IM0001.dcm"].Laterality == "L"
    assert images["coronal/IM0001.dcm"].PatientPosition == "FFS"
    film = images["radiographs/l_ap.dcm"]
    assert (film.ImageLaterality, film.ViewPosition) == ("L", "AP")
    assert "PixelSpacing" not in film
    assert film.ImagerPixelSpacing == [1.5, 1.5]
    assert images["radiographs/l_frog_leg.dcm"].ViewCodeSequence[0].CodeValue == "399067008"


def test_truth_json_is_the_truth_in_full(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert truth == json.loads(json.dumps(truth_of(SMALL)))
    hip = truth["hips"]["L"]
    middle = hip["coronal"]["slices"][hip["coronal"]["mid_slice_index"]]
    assert hip["coronal"]["angle_deg"] == middle["angle_deg"]
    assert hip["cna_deg"] == hip["coronal"]["angle_deg"] + hip["sagittal"]["angle_deg"]
    assert hip["radiograph_cna_deg"] == hip["ap"]["angle_deg"] + hip["frog_leg"]["angle_deg"]
    assert (folder / middle["file"]).is_file()


def test_nothing_is_written_over(folder: Path, tmp_path: Path) -> None:
    before = contents(folder)
    with pytest.raises(PhantomError, match="the folder is not empty"):
        write_study(SMALL, folder)
    assert contents(folder) == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PhantomError, match="there is a file of this name"):
        write_study(SMALL, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
