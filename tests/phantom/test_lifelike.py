"""Lifelike hips: their truth holds, pictures show what was asked for, old ones are as ever."""

from dataclasses import replace

import numpy as np
import pytest

from necroangle.annotation import ReadView
from necroangle.errors import PhantomError
from necroangle.geometry import ImagePlane
from necroangle.measurement import measure
from necroangle.phantom import (
    HeadForm,
    Lesion,
    MrLook,
    PhantomHip,
    PhantomStudy,
    SeriesGeometry,
    cut,
    lesion_axis,
    readings_of,
    sample_studies,
    truth_of,
)
from necroangle.phantom.anatomy import t1_signal
from necroangle.phantom.lifelike import lifelike_signal
from necroangle.phantom.looks import Contrast
from necroangle.phantom.mr import NoiseKey, mr_series, render_slice
from necroangle.phantom.surface import surface_mm
from necroangle.phantom.truth import contour_mm
from necroangle.terms import Laterality, Observation, View

FORM = HeadForm(0.5, 0.03, 2.5, 0.4, 3.0, 3.0, 0.0)
SUNKEN = replace(FORM, sunken_mm=3.0)
CENTRE = (-87.0, 2.0, 0.0)


def sick(form: HeadForm | None) -> PhantomHip:
    axis = lesion_axis(Laterality.RIGHT, 18.0, 6.0)
    return PhantomHip(Laterality.RIGHT, CENTRE, 24.0, (Lesion(axis, 50.0),), form)


def study(form: HeadForm | None, look: MrLook | None = None, rows: int = 60) -> PhantomStudy:
    return PhantomStudy(
        "LIFELIKE",
        (sick(form), PhantomHip(Laterality.LEFT, (88.0, 1.0, 1.0), 23.5, (), form)),
        SeriesGeometry(View.CORONAL, 2.0, 2.0, rows, 170, 5, 4.0, 0.4),
        SeriesGeometry(View.SAGITTAL, 1.6, 1.6, rows, 60, 5, 3.5, 0.35),
        look=look,
    )


def plane(offset_mm: float, view: View = View.CORONAL) -> ImagePlane:
    stack = SeriesGeometry(view, 0.8, 0.8, shift_mm=(0.0, 0.0, offset_mm), slices=1)
    return stack.planes(CENTRE)[0]


@pytest.mark.parametrize("view", [View.CORONAL, View.SAGITTAL])
@pytest.mark.parametrize("form", [FORM, SUNKEN, replace(FORM, oval=-0.06, aspheric_mm=0.8)])
def test_on_the_centre_plane_the_angle_is_that_of_the_sphere(view: View, form: HeadForm) -> None:
    round_, other = (cut(sick(one), plane(0.0, view)) for one in (None, form))
    assert other.angle_deg == pytest.approx(round_.angle_deg, abs=1e-6)


def test_beside_the_centre_a_form_that_does_nothing_gives_the_closed_form() -> None:
    for offset in (-7.0, 3.0, 9.0):
        round_, same = (cut(sick(one), plane(offset)) for one in (None, HeadForm()))
        assert same.angle_deg == pytest.approx(round_.angle_deg, abs=1e-6)
        for here, there in zip(same.arcs, round_.arcs, strict=True):
            assert here.start_mm == pytest.approx(there.start_mm, abs=1e-6)


def test_the_contour_is_the_surface_of_the_form() -> None:
    turns, axes = np.arange(0.0, 360.0, 15.0), np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
    reach = contour_mm(sick(SUNKEN), 5.0, axes, turns)
    turn = np.radians(turns)
    points = np.outer(np.cos(turn) * reach, axes[0]) + np.outer(np.sin(turn) * reach, axes[1])
    points += 5.0 * axes[2]
    arm = np.linalg.norm(points, axis=1)
    mirrored = points / arm[:, None] * (-1, 1, 1)
    assert arm == pytest.approx(surface_mm(mirrored, sick(SUNKEN)), abs=1e-6)
    assert np.ptp(reach) > 1.0


def test_a_study_without_form_or_look_is_painted_as_ever() -> None:
    plain = sample_studies()["plain"]
    assert not plain.is_lifelike
    assert "look" not in truth_of(plain)
    assert "form" not in truth_of(plain)["hips"]["R"]
    points = np.random.default_rng(1).uniform(-60, 60, (4000, 3)).astype(np.float32)
    points += np.asarray(plain.hips[0].centre_mm, np.float32)
    assert np.abs(lifelike_signal(points, plain) - t1_signal(points, plain)).mean() < 0.03


def signal_at(direction: tuple[float, float, float], away_mm: float, look: MrLook) -> float:
    """Signal near the surface of the sunken head, in a direction (patient), mm outside of it."""
    one = study(SUNKEN, look)
    unit = np.array(direction) / np.linalg.norm(direction)
    reach = float(surface_mm(unit * (-1, 1, 1), one.hips[0])) + away_mm
    point = (np.array(CENTRE) + reach * unit).astype(np.float32)[None]
    return float(lifelike_signal(point, one)[0])


def test_each_contrast_shows_what_it_is_known_for() -> None:
    up, medial = sick(SUNKEN).lesions[0].axis, (0.6, -0.5, 0.62)
    looks = {one: MrLook(contrast=one) for one in Contrast}
    fat = {one: signal_at((0.3, 0.4, -0.8), -8.0, look) for one, look in looks.items()}
    crescent = {one: signal_at(up, -2.4, look) for one, look in looks.items()}
    cartilage = {one: signal_at(medial, 1.0, look) for one, look in looks.items()}
    assert fat[Contrast.T1] > fat[Contrast.PD] > 4 * fat[Contrast.T2_FS]
    assert fat[Contrast.STIR] < 0.2
    assert crescent[Contrast.T1] < 0.3 < 0.6 < crescent[Contrast.T2_FS]
    assert cartilage[Contrast.PD] > cartilage[Contrast.T1] > cartilage[Contrast.STIR]


def test_a_moved_patient_lies_elsewhere_in_the_sagittal_series_and_truth_says_so() -> None:
    moved = study(FORM, MrLook(moved_mm=(3.0, -2.0, 1.0)))
    coronal, sagittal, _ = mr_series(moved)
    hip = moved.hips[0]
    assert coronal.lying(hip) is hip
    assert sagittal.lying(hip).centre_mm == (-84.0, 0.0, 1.0)
    still = truth_of(study(FORM))["hips"]["R"]
    there = truth_of(moved)
    assert there["look"]["moved_mm"] == (3.0, -2.0, 1.0)
    assert there["hips"]["R"]["coronal"]["angle_deg"] == still["coronal"]["angle_deg"]
    offsets = [one["sagittal"]["slices"][0]["offset_mm"] for one in (there["hips"]["R"], still)]
    assert abs(offsets[0] - offsets[1]) == pytest.approx(3.0)


def test_readings_at_the_truth_measure_it() -> None:
    for form in (FORM, SUNKEN):
        made = study(form, MrLook())
        reading = readings_of(made)[0]
        truth = truth_of(made)["hips"]["R"]
        found = measure(reading)
        assert found.cna_deg == pytest.approx(truth["cna_deg"], abs=8.0)
        flattened = [
            Observation.FLATTENED in view.observations
            for view in reading.views
            if isinstance(view, ReadView)
        ]
        assert flattened == [form is SUNKEN] * 2


def test_pictures_are_the_same_to_the_bit_each_time_and_differ_by_look() -> None:
    drawn = []
    for look in (MrLook(), MrLook(), MrLook(bias=1.0), MrLook(band_blur_mm=3.0)):
        series = mr_series(study(FORM, look, rows=40))[1]
        key = NoiseKey(0, 2, 2)
        drawn.append(render_slice(series.shown, series.geometry, series.planes[2], key))
    assert np.array_equal(drawn[0], drawn[1])
    assert all(not np.array_equal(drawn[0], other) for other in drawn[2:])


@pytest.mark.parametrize(
    "how", [{"oval": 0.2}, {"aspheric_mm": 0.9}, {"sunken_mm": -1.0}, {"fluid_mm": float("nan")}]
)
def test_a_form_that_no_head_has_is_refused(how: dict[str, float]) -> None:
    with pytest.raises(PhantomError, match=next(iter(how))):
        HeadForm(**how)
