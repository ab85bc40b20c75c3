"""The committed sample set is what the command writes, small, standard-conforming, and true."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from necroangle.annotation import Mark, ReadView, load_reading
from necroangle.geometry import PatientPoints, arc_through, fit_circle, union_deg
from necroangle.phantom import (
    Contrast,
    PhantomStudy,
    count_files,
    readings_of,
    sample_studies,
    save_readings,
    truth_of,
)
from necroangle.phantom.mr import mr_image, mr_series
from necroangle.phantom.radiograph import radiograph_image, radiographs
from necroangle.phantom.write import truth_bytes
from necroangle.terms import Finding

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"
STUDIES = sample_studies()
MOST_BYTES = 8_500_000


def test_the_set_is_small_and_whole() -> None:
    files = [path for path in SAMPLES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    found = {path.relative_to(SAMPLES).as_posix() for path in files if path.suffix == ".dcm"}
    assert len(found) == sum(count_files(study) for study in STUDIES.values())
    assert (SAMPLES / "README.md").is_file()


def alike(one: Any, other: Any) -> bool:
    """Equal but for the last bits of numbers, which differ between processors and libraries."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return bool(one == pytest.approx(other, abs=1e-9, rel=1e-12))
    return bool(one == other)


@pytest.mark.parametrize("name", STUDIES)
def test_the_truth_file_is_the_one_the_command_writes(name: str) -> None:
    committed = json.loads((SAMPLES / name / "truth.json").read_bytes())
    assert alike(committed, json.loads(truth_bytes(STUDIES[name])))


@pytest.mark.parametrize("name", STUDIES)
def test_the_readings_are_those_the_command_writes(name: str, tmp_path: Path) -> None:
    for path in save_readings(STUDIES[name], tmp_path):
        committed = json.loads((SAMPLES / "readings" / path.name).read_bytes())
        assert alike(committed, json.loads(path.read_bytes()))


def drawn(study: PhantomStudy) -> dict[str, Dataset]:
    """One image of each kind of a study, drawn afresh, by its path: never all, for time."""
    images = {one.file(4): mr_image(one, 4) for one in mr_series(study)[:2]}
    images.update((one.file, radiograph_image(one)) for one in radiographs(study)[:1])
    return images


@pytest.mark.parametrize("name", STUDIES)
def test_a_committed_image_is_the_one_the_command_draws(name: str) -> None:
    for file, fresh in drawn(STUDIES[name]).items():
        committed = dcmread(SAMPLES / name / file)
        pixels = np.frombuffer(fresh.PixelData, "<u2").reshape(fresh.Rows, fresh.Columns)
        # one grey value: the last bit of sine and arccosine differs between processors
        assert np.abs(committed.pixel_array - pixels.astype(int)).max() <= 1
        for image in (fresh, committed):
            del image.PixelData
        assert [(e.tag, e.value) for e in committed] == [(e.tag, e.value) for e in fresh]


def test_dciodvfy_finds_no_error_in_the_set(errors_of: Callable[[Path], list[str]]) -> None:
    for file in sorted(SAMPLES.rglob("*.dcm")):
        assert errors_of(file) == [], file.relative_to(SAMPLES)


def angle_deg(view: ReadView) -> float:
    """A view's angle from its marks, by circle fit and directed arcs."""
    plane = view.plane.plane()

    def on_plane(marks: tuple[Mark, ...]) -> PatientPoints:
        return PatientPoints(np.array([mark.patient_mm for mark in marks]))

    circle = fit_circle(plane.patient_to_plane(on_plane(view.rim))).circle
    return union_deg(
        arc_through(
            circle.centre_mm,
            circle.radius_mm,
            plane.patient_to_plane(on_plane((arc.start, arc.end, arc.via))),
        )
        for arc in view.arcs
    )


@pytest.mark.parametrize("name", STUDIES)
def test_a_reading_measures_to_the_truth(name: str) -> None:
    off_deg = 2.0 if name == "lifelike" else 1e-6  # no circle follows a head that is no sphere
    hips = truth_of(STUDIES[name])["hips"]
    read = readings_of(STUDIES[name])
    assert read
    for reading in read:
        hip = hips[reading.laterality.value]
        for view in reading.views:
            assert isinstance(view, ReadView)
            assert len(view.rim) == 12
            assert angle_deg(view) == pytest.approx(hip[view.view.value]["angle_deg"], abs=off_deg)


def test_every_case_that_the_set_promises_is_there() -> None:
    truths = {name: truth_of(study)["hips"] for name, study in STUDIES.items()}
    assert truths["above_180"]["R"]["coronal"]["angle_deg"] > 180
    middle = truths["above_180"]["L"]["coronal"]["mid_slice_index"]
    assert len(truths["above_180"]["L"]["coronal"]["slices"][middle]["arcs"]) == 2
    visits = [truths[f"two_visits/{visit}"]["R"]["cna_deg"] for visit in ("baseline", "month_12")]
    assert visits[0] - visits[1] > 20
    assert [truths["normal"][side]["cna_deg"] for side in "RL"] == [0.0, 0.0]
    coronal = STUDIES["oblique"].coronal
    assert coronal is not None
    assert coronal.row_spacing_mm != coronal.column_spacing_mm
    tilt = mr_series(STUDIES["oblique"])[0].planes[0].name().obliquity_deg
    assert 12 < tilt < 18


def test_the_lifelike_study_is_small_and_holds_two_contrasts_of_the_same_slices() -> None:
    study = STUDIES["lifelike"]
    folder = SAMPLES / "lifelike"
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 1_000_000
    t1, stir = (one for one in mr_series(study) if one.laterality is None)
    assert (t1.contrast, stir.contrast) == (Contrast.T1, Contrast.STIR)
    assert t1.uid != stir.uid
    assert [t1.source(0).study_uid] == [stir.source(0).study_uid]
    assert all(
        np.allclose(a.origin_mm, b.origin_mm) for a, b in zip(t1.planes, stir.planes, strict=True)
    )
    weights = [dcmread(folder / one.file(3)).SeriesDescription[:4] for one in (t1, stir)]
    assert weights == ["T1 T", "STIR"]
    right = truth_of(study)["hips"]["R"]
    assert right["coronal"]["angle_deg"] == right["coronal_stir"]["angle_deg"]
    assert right["form"]["fovea_mm"] > 0
    assert right["form"]["oval"]
    assert right["form"]["fluid_mm"]


def test_a_normal_hip_is_read_as_normal_and_a_lesion_beside_the_slice_as_such() -> None:
    normal = load_reading(SAMPLES / "readings/PHANTOM-05__R__baseline__truth__1.reading.json")
    beside = load_reading(SAMPLES / "readings/PHANTOM-03__L__baseline__truth__1.reading.json")
    found = [view.finding for view in (*normal.views, *beside.views) if isinstance(view, ReadView)]
    assert found == [
        Finding.NO_NECROSIS,
        Finding.NO_NECROSIS,
        Finding.NECROSIS,
        Finding.OFF_MIDSLICE,
    ]
