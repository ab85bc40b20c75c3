"""The pictures show the truth: signal in the written files at places that the truth names."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from necroangle.geometry import ImagePlane, PatientPoints
from necroangle.phantom import PhantomStudy, sample_studies, write_study
from necroangle.terms import View

FINE = 1.5
"""Most degrees by which an arc's end in the picture may miss the truth: noise and blur."""


def one_slice(study: PhantomStudy) -> PhantomStudy:
    """The study with one slice a series, near the heads, so that it is drawn in seconds."""
    assert study.coronal is not None
    assert study.sagittal is not None
    return dataclasses.replace(
        study,
        coronal=dataclasses.replace(study.coronal, slices=1, tilt_deg=(9.0, 0.0, 0.0)),
        sagittal=dataclasses.replace(study.sagittal, slices=1),
        radiographs=None,
    )


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pixels") / "plain"
    write_study(one_slice(sample_studies()["plain"]), folder)
    return folder


@pytest.fixture(scope="module")
def normal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pixels") / "normal"
    write_study(one_slice(sample_studies()["normal"]), folder)
    return folder


class Picture:
    """One hip on one written slice, sampled in polar coordinates about the true head circle."""

    def __init__(self, folder: Path, side: str, view: View) -> None:
        self.truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())["hips"][side][
            view.value
        ]["slices"][0]
        image = dcmread(folder / self.truth["file"])
        self.pixels = image.pixel_array.astype(float)
        self.plane = ImagePlane.from_dicom(
            image.ImagePositionPatient, image.ImageOrientationPatient, image.PixelSpacing
        )
        self.radius_mm = float(self.truth["radius_mm"])

    def direction_deg(self, point: list[float]) -> float:
        u, v = (np.array(point) - self.truth["centre_mm"]) @ np.array(
            (self.plane.row_cosine, self.plane.column_cosine)
        ).T
        return math.degrees(math.atan2(v, u))

    def signal(self, direction_deg: Any, arm_mm: Any) -> NDArray[np.float64]:
        """Linearly interpolated grey values at directions and distances from the centre."""
        turn, arm = np.broadcast_arrays(np.radians(direction_deg), np.asarray(arm_mm, float))
        arms = np.outer((arm * np.cos(turn)).ravel(), self.plane.row_cosine)
        arms += np.outer((arm * np.sin(turn)).ravel(), self.plane.column_cosine)
        points = PatientPoints(np.array(self.truth["centre_mm"]) + arms)
        row, column = self.plane.patient_to_pixel(points).T
        r, c = np.floor(row).astype(int), np.floor(column).astype(int)
        a, b = row - r, column - c
        p = self.pixels
        top = p[r, c] * (1 - b) + p[r, c + 1] * b
        below = p[r + 1, c] * (1 - b) + p[r + 1, c + 1] * b
        return np.asarray(top * (1 - a) + below * a)


CASES = [(side, view) for side in "RL" for view in (View.CORONAL, View.SAGITTAL)]


@pytest.mark.parametrize(("side", "view"), CASES)
def test_marrow_is_bright_the_rim_dark_and_the_necrotic_marrow_between(
    plain: Path, side: str, view: View
) -> None:
    picture = Picture(plain, side, view)
    arc = picture.truth["arcs"][0]
    via, half = picture.direction_deg(arc["via_mm"]), arc["angle_deg"] / 2
    opposite = via + 180 + np.arange(-40, 41, 2)
    marrow = picture.signal(opposite, 0.55 * picture.radius_mm).mean()
    rim = picture.signal(opposite, picture.radius_mm - 0.5).mean()
    inner = via + np.linspace(-0.5, 0.5, 21) * half
    necrotic = picture.signal(inner, 0.85 * picture.radius_mm).mean()
    assert rim < 0.45 * marrow
    assert 0.55 * marrow < necrotic < 0.9 * marrow


@pytest.mark.parametrize(("side", "view"), CASES)
def test_a_dark_band_lies_between_necrotic_and_living_marrow(
    plain: Path, normal: Path, side: str, view: View
) -> None:
    darkest = []
    for folder in (plain, normal):
        picture = Picture(folder, side, view)
        via = picture.direction_deg(Picture(plain, side, view).truth["arcs"][0]["via_mm"])
        depths = np.linspace(0.1, 0.85, 60) * picture.radius_mm
        rays = [picture.signal(via + turn, depths) for turn in np.linspace(-8, 8, 9)]
        marrow = picture.signal(via + 180, depths[:30]).mean()
        darkest.append(float(np.mean([ray.min() for ray in rays]) / marrow))
    assert darkest[0] < 0.45
    assert darkest[1] > 0.75


@pytest.mark.parametrize(("side", "view"), CASES)
def test_the_bands_outer_margin_meets_the_surface_at_the_ends_of_the_arc(
    plain: Path, side: str, view: View
) -> None:
    picture = Picture(plain, side, view)
    arc = picture.truth["arcs"][0]
    arms = picture.radius_mm - np.array((1.9, 2.3, 2.7))[:, None]
    for end, outward in (("start_mm", -1), ("end_mm", 1)):
        edge = picture.direction_deg(arc[end])
        turn = np.arange(-6, 6.01, 0.1)
        along = picture.signal(edge + outward * turn, arms).reshape(3, -1).mean(axis=0)
        living = picture.signal(edge + outward * np.arange(8, 16), arms).mean()
        dark = int(np.argmin(along))
        level = (along[dark] + living) / 2
        crossing = dark + int(np.argmax(along[dark:] > level))
        assert along[dark] < 0.6 * living
        assert abs(turn[crossing]) < FINE


@pytest.mark.parametrize(("side", "view"), CASES)
def test_the_head_circle_is_where_the_truth_says(plain: Path, side: str, view: View) -> None:
    """Half way down from marrow to rim, on the side away from lesion and neck: RIM_MM inside."""
    picture = Picture(plain, side, view)
    via = picture.direction_deg(picture.truth["arcs"][0]["via_mm"])
    medial = via + (1 if side == "R" else -1) * np.arange(100, 130, 2.0)
    turns = medial if view is View.CORONAL else via + 180 + np.arange(-30, 30, 2.0)
    arms = picture.radius_mm + np.arange(-5, 0.01, 0.05)
    profile = picture.signal(turns[:, None], arms[None, :]).reshape(len(turns), -1).mean(axis=0)
    level = (profile[:20].mean() + profile.min()) / 2
    found = arms[int(np.argmax(profile < level))] - picture.radius_mm
    assert found == pytest.approx(-1.1, abs=0.35)
