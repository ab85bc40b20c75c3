"""What a phantom may be made of, and what the refusal says."""

import dataclasses

import pytest

from necroangle.errors import PhantomError
from necroangle.phantom import (
    Lesion,
    PhantomHip,
    PhantomStudy,
    RadiographGeometry,
    SeriesGeometry,
    lesion_axis,
    sample_studies,
)
from necroangle.terms import Laterality, View

PLAIN = sample_studies()["plain"]


def test_lateral_is_outward_and_anterior_is_forward_on_both_sides() -> None:
    right = lesion_axis(Laterality.RIGHT, 20, 30)
    left = lesion_axis(Laterality.LEFT, 20, 30)
    assert right[0] < 0 < left[0]
    assert right[1] == left[1] < 0
    assert right[2] == left[2] > 0


@pytest.mark.parametrize(
    ("axis", "half_deg", "message"),
    [
        ((0.0, 0.0, 2.0), 50.0, "must have length 1"),
        ((0.0, 0.0, 1.0), 0.0, "between 0° and 180°"),
        ((0.0, 0.0, 1.0), float("nan"), "between 0° and 180°"),
    ],
)
def test_a_lesion_is_refused(
    axis: tuple[float, float, float], half_deg: float, message: str
) -> None:
    with pytest.raises(PhantomError, match=message):
        Lesion(axis, half_deg)


@pytest.mark.parametrize(
    ("centre_mm", "radius_mm", "message"),
    [
        ((86.0, 0.0, 0.0), 60.0, "hip L: a head's radius"),
        ((float("inf"), 0.0, 0.0), 24.0, "hip L: the centre is not finite"),
    ],
)
def test_a_hip_is_refused(
    centre_mm: tuple[float, float, float], radius_mm: float, message: str
) -> None:
    with pytest.raises(PhantomError, match=message):
        PhantomHip(Laterality.LEFT, centre_mm, radius_mm)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hips": PLAIN.hips[::-1]}, "its right hip, then its left hip"),
        ({"hips": (PLAIN.hips[0], PhantomHip(Laterality.LEFT, (0, 0, 0), 24))}, "at least 120 mm"),
        ({"patient_position": "SITTING"}, "'SITTING' is not one of HFS"),
        ({"seed": -1}, "seed must be 0 or more"),
        ({"snr": 0.0}, "snr above 0"),
        ({"sagittal": None}, "both its coronal and its sagittal"),
        ({"name": "John Doe"}, "upper-case letters"),
        ({"subject": "with blank"}, "subject 'with blank'"),
        ({"visit": "a__b"}, "visit 'a__b'"),
    ],
)
def test_a_study_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(PhantomError, match=message):
        dataclasses.replace(PLAIN, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"view": View.AP}, "coronal or sagittal"),
        ({"row_spacing_mm": 0.0}, "above 0 mm"),
        ({"gap_mm": -1.0}, "gap must be 0 mm or more"),
        ({"slices": 0}, "between 1 and 4096"),
        ({"rows": 5000}, "between 1 and 4096"),
    ],
)
def test_a_stack_is_refused(change: dict[str, object], message: str) -> None:
    stack = SeriesGeometry(View.CORONAL, 1.0, 1.0)
    with pytest.raises(PhantomError, match=message):
        dataclasses.replace(stack, **change)  # type: ignore[arg-type]


def test_a_detector_before_the_patient_is_refused() -> None:
    with pytest.raises(PhantomError, match="not a detector"):
        RadiographGeometry(magnification=0.5)


def test_a_tilted_stack_keeps_its_step_and_its_middle() -> None:
    stack = SeriesGeometry(
        View.CORONAL, 0.6, 0.9, rows=101, columns=51, slices=5, tilt_deg=(14.0, 5.0, -8.0)
    )
    planes = stack.planes((10.0, 20.0, 30.0))
    middle = planes[2].pixel_to_patient([[50.0, 25.0]])  # type: ignore[arg-type]
    assert middle[0].tolist() == pytest.approx([10.0, 20.0, 30.0], abs=1e-5)
    step = planes[3].distance_mm([planes[2].origin_mm])  # type: ignore[arg-type]
    assert -step[0] == pytest.approx(stack.step_mm, abs=1e-5)
    assert planes[0].name().obliquity_deg > 12


def test_a_study_of_radiographs_needs_no_stack() -> None:
    study = PhantomStudy("FILM", PLAIN.hips, radiographs=RadiographGeometry())
    assert study.coronal is None
