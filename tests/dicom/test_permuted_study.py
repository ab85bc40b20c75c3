"""One synthetic study, written in every way: the same volume, or the right refusal."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from necroangle.dicom import Scan, read_volume, scan_folder
from necroangle.geometry import PixelPoints

WriteSlices = Callable[..., list[Path]]
Array = NDArray[np.float64]

SLICES = 6
STEP_MM = 3.5
AXES = {
    "coronal": ((1, 0, 0), (0, 0, -1)),
    "sagittal": ((0, 1, 0), (0, 0, -1)),
    "axial": ((1, 0, 0), (0, 1, 0)),
    "coronal, normal to the front": ((-1, 0, 0), (0, 0, -1)),
    "axial, feet up": ((1, 0, 0), (0, -1, 0)),
}


def turned(degrees: tuple[float, float, float]) -> Array:
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, two = [other for other in range(3) if other != axis]
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


@st.composite
def orientations(draw: st.DrawFn) -> tuple[Array, Array]:
    """Row and column cosines: a plane of the body, up to 50 degrees oblique."""
    row, column = AXES[draw(st.sampled_from(sorted(AXES)))]
    turn = turned(draw(st.tuples(*[st.floats(-50, 50)] * 3)))
    return turn @ np.array(row, float), turn @ np.array(column, float)


def positions_of(row: Array, column: Array, shifts_mm: Array | None = None) -> Array:
    """First pixels of the slices, (6, 3); shifts along the normal come on top."""
    depths = STEP_MM * np.arange(SLICES) + (0 if shifts_mm is None else shifts_mm)
    return np.array([-70.0, 20.0, 55.0]) + depths[:, None] * np.cross(row, column)


def scanned(write_slices: WriteSlices, positions: Array, cosines: Array, **attributes: Any) -> Scan:
    with tempfile.TemporaryDirectory() as folder:
        write_slices(Path(folder), positions, cosines, **attributes)
        return scan_folder(Path(folder))


@settings(max_examples=40, deadline=None)
@given(
    plane=orientations(),
    order=st.permutations(range(SLICES)),
    names=st.permutations(["IM1", "IM10", "IM2", "a b.dcm", "Z", "0001"]),
    numbers=st.permutations(range(1, SLICES + 1)) | st.just([7] * SLICES),
    position=st.sampled_from(["HFS", "FFS", "HFP", "HFDR", "FFDL", None]),
    syntax=st.sampled_from([ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]),
    spacing_mm=st.sampled_from([(0.5, 0.5), (0.4, 0.9)]),
)
def test_the_same_volume_however_it_is_written(
    write_slices: WriteSlices,
    plane: tuple[Array, Array],
    order: list[int],
    names: list[str],
    numbers: list[int],
    position: str | None,
    syntax: Any,
    spacing_mm: tuple[float, float],
) -> None:
    row, column = plane
    truth = positions_of(row, column)
    with tempfile.TemporaryDirectory() as folder:
        write_slices(
            Path(folder), truth[order], np.concatenate(plane), spacing_mm, names=names,
            each=[{"InstanceNumber": number} for number in numbers], syntax=syntax,
            PatientPosition=position, SliceThickness=9, SpacingBetweenSlices=-2,
        )  # fmt: skip
        (series,) = scan_folder(Path(folder)).series
        volume = read_volume(series)
    assert (series.split_by, series.patient_position) == ("", position)
    assert series.step_mm == pytest.approx(STEP_MM, abs=1e-6)
    assert [int(code) // 1000 for code in volume.pixels[:, 0, 0]] == [
        order.index(place) for place in range(SLICES)
    ]
    for place, found in enumerate(volume.planes):
        corner = found.pixel_to_patient(PixelPoints(np.array([[3.0, 4.0]])))[0]
        expected = truth[place] + 3 * spacing_mm[0] * column + 4 * spacing_mm[1] * row
        np.testing.assert_allclose(corner, expected, atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), jitter=st.lists(st.floats(-1e-3, 1e-3), min_size=6, max_size=6))
def test_a_thousandth_of_a_mm_of_jitter_passes(
    write_slices: WriteSlices, plane: tuple[Array, Array], jitter: list[float]
) -> None:
    scan = scanned(write_slices, positions_of(*plane, np.array(jitter)), np.concatenate(plane))
    (series,) = scan.series
    assert series.step_mm == pytest.approx(STEP_MM, abs=2.1e-3)


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), place=st.integers(1, SLICES - 2), sign=st.sampled_from([-1, 1]))
def test_spacing_off_by_two_per_cent_is_uneven(
    write_slices: WriteSlices, plane: tuple[Array, Array], place: int, sign: int
) -> None:
    shifts = np.zeros(SLICES)
    shifts[place] = sign * 0.02 * STEP_MM
    scan = scanned(write_slices, positions_of(*plane, shifts), np.concatenate(plane))
    (series,) = scan.series
    assert series.regularity.flags == ("uneven",)
    assert not series.regularity.is_volume


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), place=st.integers(1, SLICES - 2))
def test_spacing_off_by_half_a_per_cent_opens(
    write_slices: WriteSlices, plane: tuple[Array, Array], place: int
) -> None:
    shifts = np.zeros(SLICES)
    shifts[place] = 0.005 * STEP_MM
    assert len(scanned(write_slices, positions_of(*plane, shifts), np.concatenate(plane)).series)


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), place=st.integers(1, SLICES - 2))
def test_a_missing_slice_is_a_gap(
    write_slices: WriteSlices, plane: tuple[Array, Array], place: int
) -> None:
    kept = np.delete(positions_of(*plane), place, axis=0)
    scan = scanned(write_slices, kept, np.concatenate(plane))
    (series,) = scan.series
    behind = {place - 1, SLICES - 1 - place}  # the normal may point either way
    assert series.regularity.flags == ("gaps",)
    assert {(k, 1) for k in behind} >= set(series.regularity.gaps)
    assert series.step_mm == pytest.approx(STEP_MM)


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), place=st.integers(0, SLICES - 1))
def test_a_duplicate_is_set_aside(
    write_slices: WriteSlices, plane: tuple[Array, Array], place: int
) -> None:
    positions = positions_of(*plane)
    twice = np.vstack((positions, positions[place]))
    scan = scanned(write_slices, twice, np.concatenate(plane))
    (series,) = scan.series
    assert (len(series), series.regularity.flags) == (SLICES, ("doubled",))
    assert [aside.files for aside in scan.aside] == [1]


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), tilt_deg=st.floats(1, 25), sign=st.sampled_from([-1, 1]))
def test_a_tilt_is_found_though_no_tag_says_so(
    write_slices: WriteSlices, plane: tuple[Array, Array], tilt_deg: float, sign: int
) -> None:
    sheared = sign * np.tan(np.radians(tilt_deg)) * STEP_MM * np.arange(SLICES)
    positions = positions_of(*plane) + sheared[:, None] * plane[1]
    scan = scanned(write_slices, positions, np.concatenate(plane))
    (series,) = scan.series
    assert series.regularity.flags == ("sheared",)
    assert series.regularity.tilt_deg == pytest.approx(tilt_deg, abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(plane=orientations(), order=st.permutations(range(2 * SLICES)))
def test_two_echoes_are_two_volumes_whatever_the_order(
    write_slices: WriteSlices, plane: tuple[Array, Array], order: list[int]
) -> None:
    positions = np.tile(positions_of(*plane), (2, 1))[order]
    each = [{"EchoTime": 20 if place < SLICES else 80} for place in order]
    scan = scanned(write_slices, positions, np.concatenate(plane), each=each)
    assert [series.split_by for series in scan.series] == ["echo time 20 ms", "echo time 80 ms"]
    assert [len(series) for series in scan.series] == [SLICES, SLICES]
    assert scan.refused == ()
