"""The slices to read, on the sample studies whose heads are known."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stackmaker import point

from necroangle.dicom import SeriesSummary, read_volume, scan_folder
from necroangle.imaging import (
    Slice,
    bracketing_slices,
    cross_reference,
    mid_slice,
    reslice,
)

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"
VIEWS = ("coronal", "sagittal")

Study = tuple[dict[str, Any], dict[str, SeriesSummary]]


@pytest.fixture(scope="module", params=["plain", "oblique"])
def study(request: pytest.FixtureRequest) -> Study:
    """The truth of a sample, and its series by UID."""
    folder = SAMPLES / request.param
    if not folder.is_dir():
        pytest.skip("sample_dicoms is not at hand")
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    return truth, {one.series_uid: one for one in scan_folder(folder).series}


@pytest.mark.parametrize("side", ["L", "R"])
@pytest.mark.parametrize("view", VIEWS)
def test_the_true_mid_slice_is_found_from_headers_alone(study: Study, side: str, view: str) -> None:
    truth, series = study
    hip = truth["hips"][side]
    stack, frame = series[hip[view]["series_uid"]], truth["frame_of_reference_uid"]
    centre = point(*hip["centre_mm"])
    mid = mid_slice(stack, centre, frame_uid=frame)
    known = hip[view]["slices"][hip[view]["mid_slice_index"]]
    assert stack.sources[mid.index].instance_uid == known["instance_uid"]
    assert abs(mid.offset_mm) == pytest.approx(abs(known["offset_mm"]), abs=1e-3)
    assert mid.plane == view
    assert mid.shows_centre

    pair = bracketing_slices(stack, centre, frame_uid=frame)
    assert pair.before is not None
    assert pair.after is not None
    assert mid.index in (pair.before.index, pair.after.index)
    assert pair.after.offset_mm - pair.before.offset_mm == pytest.approx(stack.step_mm, abs=1e-3)


def test_a_sagittal_stack_does_not_show_the_other_head(study: Study) -> None:
    truth, series = study
    left, right = (truth["hips"][side] for side in "LR")
    mid = mid_slice(series[left["sagittal"]["series_uid"]], point(*right["centre_mm"]))
    assert mid.beyond_mm > 100
    assert not mid.shows_centre


def mid_slices(study: Study, side: str) -> tuple[Slice, Slice]:
    """The coronal and the sagittal mid slice of a hip."""
    truth, series = study
    hip = truth["hips"][side]
    stacks = [series[hip[view]["series_uid"]] for view in VIEWS]
    centre = point(*hip["centre_mm"])
    coronal, sagittal = (
        read_volume(stack).slice(mid_slice(stack, centre).index) for stack in stacks
    )
    return coronal, sagittal


@pytest.mark.parametrize("side", ["L", "R"])
def test_the_reference_line_passes_the_head(study: Study, side: str) -> None:
    coronal, sagittal = mid_slices(study, side)
    centre = point(*study[0]["hips"][side]["centre_mm"])
    for on, other in ((coronal, sagittal), (sagittal, coronal)):
        ends = cross_reference(on, other).ends_patient
        assert ends is not None
        along = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
        away = float(np.linalg.norm(np.cross(centre[0] - ends[0], along)))
        offsets = [abs(float(one.plane.distance_mm(centre)[0])) for one in (on, other)]
        assert max(offsets) - 1e-9 <= away <= 1.2 * math.hypot(*offsets) + 1e-9


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_coronal_stack_resliced_looks_like_the_sagittal_one(study: Study, side: str) -> None:
    """A mirrored, turned or shifted plane would not: the phantom is the same in both series."""
    truth, series = study
    _, sagittal = mid_slices(study, side)
    volume = read_volume(series[truth["hips"][side]["coronal"]["series_uid"]])
    made = reslice(volume, sagittal.plane, sagittal.shape)
    seen = np.isfinite(made.pixels)
    assert seen.sum() > 1000
    grey = np.asarray(sagittal.pixels, float)
    agreement = np.corrcoef(made.pixels[seen], grey[seen])[0, 1]
    mirrored = np.corrcoef(made.pixels[seen], grey[:, ::-1][seen])[0, 1]
    assert agreement > 0.85
    assert agreement > mirrored + 0.1
    assert made.through_plane_mm == volume.step_mm
