"""A plane out of a volume: exact where linear interpolation is exact, and never without words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stackmaker import any_plane, point, stack_of

from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints, PlanePoints, fit_circle
from necroangle.imaging import (
    Volume,
    coronal_plane,
    mid_slice,
    neck_plane,
    plane_crossing,
    reslice,
    sagittal_plane,
)

AXIAL = ImagePlane.from_dicom((-40, -50, -30), (1, 0, 0, 0, 1, 0), (0.8, 0.6))
SLOPE = np.array((0.7, -1.1, 0.4))
CENTRE = (3.3, -4.1, 2.7)
RADIUS_MM = 24.0


def ramp(points: PatientPoints) -> NDArray[np.float64]:
    return np.asarray(points @ SLOPE + 50.0)


def depth_within(volume: Volume, points: PatientPoints) -> NDArray[np.float64]:
    """How deep points lie within the outermost pixel centres of an even stack, in pixels."""
    index = np.linalg.inv(volume.index_to_patient) @ np.vstack((points.T, np.ones(len(points))))
    last = np.array(volume.pixels.shape)[:, None] - 1
    return np.asarray(np.minimum(index[:3], last - index[:3]).min(axis=0))


@given(
    first=any_plane(100.0),
    cut=any_plane(5.0),
    steps=st.lists(st.floats(0.5, 3.0), min_size=4, max_size=12),
    shear=st.tuples(*[st.floats(-0.3, 0.3)] * 2),
)
def test_a_ramp_comes_back_to_1e_9(
    first: ImagePlane, cut: ImagePlane, steps: list[float], shear: tuple[float, float]
) -> None:
    """Also with uneven steps and with slices shifted within their plane."""
    depths = np.cumsum([0.0, *steps]).tolist()
    volume = stack_of(first, depths, (24, 30), ramp, shear=shear)
    pixels = PixelPoints(np.indices((33, 33), dtype=float).reshape(2, -1).T)
    middle = volume.planes[len(volume) // 2].pixel_to_patient(PixelPoints(np.array([[12.0, 15.0]])))
    shift = middle[0] - cut.pixel_to_patient(pixels)[16 * 33 + 16]
    x, y, z = (np.array(cut.origin_mm) + shift).tolist()
    cut = replace(cut, origin_mm=(x, y, z))
    made = reslice(volume, cut, (33, 33))
    truth = ramp(cut.pixel_to_patient(pixels)).reshape(33, 33)
    is_seen = np.isfinite(made.pixels)
    assert is_seen[16, 16]
    assert np.abs(made.pixels - truth)[is_seen].max() < 1e-9


@given(first=any_plane(), cut=any_plane(40.0), fill=st.sampled_from([float("nan"), -7.0]))
def test_what_is_outside_and_nothing_else_is_filled(
    first: ImagePlane, cut: ImagePlane, fill: float
) -> None:
    volume = stack_of(first, [2.0 * n for n in range(8)], (20, 20), lambda p: np.ones(len(p)))
    made = reslice(volume, cut, (40, 50), fill)
    points = cut.pixel_to_patient(PixelPoints(np.indices((40, 50)).reshape(2, -1).T.astype(float)))
    depth = depth_within(volume, points).reshape(40, 50)
    assert np.allclose(made.pixels[depth > 1e-4], 1.0, rtol=1e-12)
    assert np.array_equal(
        made.pixels[depth < -1e-4], np.full((depth < -1e-4).sum(), fill), equal_nan=True
    )


@given(first=any_plane(), index=st.integers(0, 6), kind=st.sampled_from(["u1", "u2", "i2", "f4"]))
def test_an_acquired_slice_comes_back_as_it_is(first: ImagePlane, index: int, kind: str) -> None:
    depths = [0.0, 2.0, 4.01, 6.0, 7.99, 10.0, 12.0]
    volume = stack_of(first, depths, (21, 17))
    grey = np.random.default_rng(index).integers(0, 255, volume.pixels.shape).astype(kind)
    volume = Volume(grey, volume.planes, volume.sources, volume.step_mm, volume.window)
    made = reslice(volume, volume.planes[index], (21, 17))
    assert np.array_equal(made.pixels, grey[index])
    assert made.source == volume.sources[index]
    assert (made.plane, made.window) == (volume.planes[index], volume.window)


def test_how_it_was_made_is_said() -> None:
    volume = stack_of(AXIAL, [5.0 * n for n in range(9)], (60, 60), ramp)
    made = reslice(volume, coronal_plane(point(0, 0, 0), (20, 20)), (20, 20), fill=-1.0)
    assert made.resampled == "linear interpolation between 9 axial slices 5 mm apart; -1 outside"
    assert made.through_plane_mm == 5.0
    acquired = volume.slice(3)
    assert (acquired.resampled, acquired.through_plane_mm) == (None, None)
    lone = stack_of(AXIAL, [0.0], (10, 10), ramp)
    same = reslice(lone, AXIAL, (10, 10))
    assert same.resampled == "linear interpolation within one axial slice; nan outside"
    assert np.allclose(same.pixels, lone.pixels[0], atol=1e-9)


def ball(points: PatientPoints) -> NDArray[np.float64]:
    """Partial volume of a ball's surface over 1.5 mm: grey 100 within, 0 without."""
    depth = RADIUS_MM - np.linalg.norm(points - np.array(CENTRE), axis=1)
    return np.asarray(100 * np.clip(depth / 1.5 + 0.5, 0, 1))


def rim_of(pixels: NDArray[np.float64], plane: ImagePlane) -> PlanePoints:
    """Where the grey falls through 50 on 180 rays from the head's centre."""
    u0, v0 = plane.patient_to_plane(point(*CENTRE))[0].tolist()
    away = np.arange(18.0, 27.5, 0.05)
    rim = []
    for turn in np.radians(np.arange(0, 360, 2)):
        uv = np.column_stack((u0 + away * np.cos(turn), v0 + away * np.sin(turn)))
        rows, columns = plane.plane_to_pixel(PlanePoints(uv)).T
        r, c = rows.astype(int), columns.astype(int)
        fr, fc = rows - r, columns - c
        grey = (pixels[r, c] * (1 - fr) + pixels[r + 1, c] * fr) * (1 - fc)
        grey += (pixels[r, c + 1] * (1 - fr) + pixels[r + 1, c + 1] * fr) * fc
        rim.append(uv[int(np.argmax(grey < 50))])
    return PlanePoints(np.array(rim))


def made_planes() -> dict[str, ImagePlane]:
    centre = point(*CENTRE)
    neck = PatientPoints(np.array([CENTRE, (CENTRE[0] + 30, CENTRE[1] + 8, CENTRE[2] - 20)]))
    return {
        "coronal": coronal_plane(centre, (140, 150), (0.4, 0.4)),
        "sagittal": sagittal_plane(centre, (140, 150), (0.4, 0.5)),
        "neck": neck_plane(centre, neck, shape=(140, 150), spacing_mm=(0.4, 0.4)),
        "neck 60": neck_plane(centre, neck, turn_deg=60, shape=(140, 150), spacing_mm=(0.4, 0.4)),
    }


@pytest.mark.parametrize("name", ["coronal", "sagittal", "neck", "neck 60"])
def test_a_ball_keeps_its_radius_in_a_reformat(name: str) -> None:
    volume = stack_of(AXIAL, [1.0 * n for n in range(65)], (120, 150), ball)
    plane = made_planes()[name]
    made = reslice(volume, plane, (140, 150), fill=0.0)
    found = fit_circle(rim_of(made.pixels, plane)).circle
    assert found.radius_mm == pytest.approx(RADIUS_MM, abs=0.1)
    centre = plane.plane_to_patient(PlanePoints(np.array([found.centre_mm])))
    assert np.linalg.norm(centre - np.array(CENTRE)) < 0.1


def test_made_planes_stand_as_a_reader_expects() -> None:
    planes = made_planes()
    letters = {name: "".join(plane.edge_letters().values()) for name, plane in planes.items()}
    assert letters["coronal"] == "RLSI"
    assert letters["sagittal"] == "APSI"
    assert letters["neck"].startswith("RL")
    assert letters["neck"].endswith("SI")
    middle = PixelPoints(np.array([[69.5, 74.5]]))
    for plane in planes.values():
        assert np.allclose(plane.pixel_to_patient(middle), CENTRE, atol=1e-9)
    volume = stack_of(planes["coronal"], [-4.0, 0.0, 4.0], (140, 150))
    assert mid_slice(volume, point(*CENTRE)).index == 1


@given(
    away=st.tuples(*[st.floats(-50, 50)] * 3).filter(lambda d: np.hypot(d[0], d[1]) > 5),
    turn_deg=st.floats(-180, 180),
)
def test_every_neck_plane_holds_the_neck(away: tuple[float, float, float], turn_deg: float) -> None:
    axis = PatientPoints(np.array([CENTRE, np.array(CENTRE) + away]))
    plane = neck_plane(point(*CENTRE), axis, turn_deg=turn_deg)
    assert np.abs(plane.distance_mm(axis)).max() < 1e-9
    back = neck_plane(point(*CENTRE), PatientPoints(axis[::-1]), turn_deg=turn_deg)
    assert np.allclose(back.normal, plane.normal, atol=1e-9)
    upright = neck_plane(point(*CENTRE), axis)
    assert abs(upright.normal[2]) < 1e-9
    assert upright.column_cosine == pytest.approx((0, 0, -1))
    between = np.degrees(np.arccos(np.clip(upright.normal @ plane.normal, -1, 1)))
    assert between == pytest.approx(abs(turn_deg), abs=1e-5)


def test_turned_by_90_the_upper_edge_is_in_front() -> None:
    neck = PatientPoints(np.array([(0.0, 0, 0), (40.0, 0, 0)]))
    plane = neck_plane(point(0, 0, 0), neck, turn_deg=90)
    assert "".join(plane.edge_letters().values()) == "RLAP"
    line = plane_crossing(plane, (256, 256), neck_plane(point(0, 0, 0), neck))
    assert line.ends_patient is not None
    assert np.allclose(line.ends_patient[:, 1:], 0, atol=1e-9)  # they share the neck


def test_an_upright_or_pointless_neck_is_refused() -> None:
    for points in ([(0, 0, 0), (0.1, 0, 30)], [(0, 0, 0)], [(1, 1, 1), (1, 1, 1)]):
        with pytest.raises(PlaneError, match="neck's axis"):
            neck_plane(point(0, 0, 0), PatientPoints(np.array(points, dtype=float)))
    with pytest.raises(PlaneError, match="one centre"):
        coronal_plane(PatientPoints(np.zeros((2, 3))))
