"""Image planes: an isometry, with the row spacing first."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.errors import PlaneError
from necroangle.geometry import ImagePlane, PatientPoints, PixelPoints

coordinates = st.floats(-300, 300)
angles = st.floats(-math.pi, math.pi)
spacings = st.floats(0.1, 3.0)


def turned(a: float, b: float, c: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A rotation by three angles about x, y and z."""
    x = np.array(((1, 0, 0), (0, math.cos(a), -math.sin(a)), (0, math.sin(a), math.cos(a))))
    y = np.array(((math.cos(b), 0, math.sin(b)), (0, 1, 0), (-math.sin(b), 0, math.cos(b))))
    z = np.array(((math.cos(c), -math.sin(c), 0), (math.sin(c), math.cos(c), 0), (0, 0, 1)))
    return np.asarray(z @ y @ x)


@st.composite
def planes(draw: st.DrawFn) -> ImagePlane:
    rotation = turned(draw(angles), draw(angles), draw(angles))
    orientation = [*rotation[:, 0], *rotation[:, 1]]
    origin = [draw(coordinates) for _ in range(3)]
    return ImagePlane.from_dicom(origin, orientation, (draw(spacings), draw(spacings)))


@given(planes(), coordinates, coordinates)
def test_pixel_to_patient_and_back(plane: ImagePlane, row: float, column: float) -> None:
    pixel = PixelPoints(np.array([[row, column]]))
    patient = plane.pixel_to_patient(pixel)
    assert plane.patient_to_pixel(patient) == pytest.approx(pixel, abs=1e-8)
    assert plane.distance_mm(patient) == pytest.approx([0.0], abs=1e-9)


@given(planes(), coordinates, coordinates)
def test_the_standards_own_equation(plane: ImagePlane, row: float, column: float) -> None:
    """PS3.3 C.7.6.2.1.1: P = X·Δi·i + Y·Δj·j + S, i counting columns and j rows."""
    by_hand = (
        np.array(plane.origin_mm)
        + np.array(plane.row_cosine) * plane.column_spacing_mm * column
        + np.array(plane.column_cosine) * plane.row_spacing_mm * row
    )
    assert plane.pixel_to_patient(PixelPoints(np.array([[row, column]])))[0] == pytest.approx(
        by_hand, abs=1e-9
    )


@given(planes(), coordinates, coordinates, coordinates, coordinates)
def test_plane_millimetres_are_patient_millimetres(
    plane: ImagePlane, row: float, column: float, row2: float, column2: float
) -> None:
    pixels = PixelPoints(np.array([[row, column], [row2, column2]]))
    in_plane = np.diff(plane.pixel_to_plane(pixels), axis=0)
    in_patient = np.diff(plane.pixel_to_patient(pixels), axis=0)
    assert np.linalg.norm(in_plane) == pytest.approx(float(np.linalg.norm(in_patient)), abs=1e-9)


@given(planes(), st.floats(-50, 50))
def test_distance_is_signed_along_the_normal(plane: ImagePlane, height: float) -> None:
    point = PatientPoints(np.array([plane.origin_mm]) + height * plane.normal)
    assert plane.distance_mm(point) == pytest.approx([height], abs=1e-9)


def test_the_first_spacing_is_between_rows() -> None:
    plane = ImagePlane.from_dicom((0, 0, 0), (1, 0, 0, 0, 1, 0), (0.5, 0.9))
    assert plane.pixel_to_patient(PixelPoints(np.array([[10.0, 0.0], [0.0, 10.0]]))).tolist() == [
        [0, 5, 0],
        [9, 0, 0],
    ]


def test_cosines_with_few_decimals_become_orthonormal() -> None:
    plane = ImagePlane.from_dicom((0, 0, 0), (0.9848, 0.1736, 0, 0.0001, 0, -1.0), (1, 1))
    axes = np.array((plane.row_cosine, plane.column_cosine))
    assert axes @ axes.T == pytest.approx(np.eye(2), abs=1e-15)


@pytest.mark.parametrize(
    ("orientation", "name", "obliquity"),
    [
        ((1, 0, 0, 0, 0, -1), "coronal", 0.0),
        ((0, 1, 0, 0, 0, -1), "sagittal", 0.0),
        ((1, 0, 0, 0, 1, 0), "axial", 0.0),
        ((math.cos(0.3), math.sin(0.3), 0, 0, 0, -1), "coronal", math.degrees(0.3)),
        ((math.cos(1.0), math.sin(1.0), 0, 0, 0, -1), "sagittal", 90 - math.degrees(1.0)),
    ],
)
def test_planes_are_named(orientation: tuple[float, ...], name: str, obliquity: float) -> None:
    found = ImagePlane.from_dicom((0, 0, 0), orientation, (1, 1)).name()
    assert found.name == name
    assert found.obliquity_deg == pytest.approx(obliquity, abs=1e-9)


def tilted(degrees: float) -> tuple[float, float]:
    """The first two cosines of a row turned so far about the patient's long axis."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


@pytest.mark.parametrize(
    ("orientation", "letters"),
    [
        ((1, 0, 0, 0, 0, -1), "RLSI"),
        ((0, 1, 0, 0, 0, -1), "APSI"),
        ((-1, 0, 0, 0, 0, 1), "LRIS"),
        ((-1, 0, 0, 0, 0, -1), "LRSI"),
        ((0, -1, 0, 0, 0, 1), "PAIS"),
        ((1, 0, 0, 0, 1, 0), "RLAP"),
        ((0.8, 0.6, 0, 0, 0, -1), "RALPSI"),
        ((*tilted(21), 0, 0, 0, -1), "RALPSI"),
        ((*tilted(19), 0, 0, 0, -1), "RLSI"),
    ],
)
def test_edges_bear_their_letters(orientation: tuple[float, ...], letters: str) -> None:
    edges = ImagePlane.from_dicom((0, 0, 0), orientation, (1, 1)).edge_letters()
    assert "".join(edges[edge] for edge in ("left", "right", "top", "bottom")) == letters


@given(planes())
def test_opposite_edges_bear_opposite_letters(plane: ImagePlane) -> None:
    edges = plane.edge_letters()
    opposite = str.maketrans("LRPASI", "RLAPIS")
    assert edges["left"] == edges["right"].translate(opposite)
    assert edges["top"] == edges["bottom"].translate(opposite)
    assert all(1 <= len(letters) <= 3 for letters in edges.values())


@pytest.mark.parametrize(
    ("position", "orientation", "spacing", "words"),
    [
        ((0, 0, 0), (1, 0, 0, 0, 0, 0), (1, 1), "length 0"),
        ((0, 0, 0), (1, 0, 0, 0.7071, 0.7071, 0), (1, 1), "right angle"),
        ((0, 0, 0), (1, 0, 0, 0, 1, 0), (0, 1), "must be positive"),
        ((0, 0, 0), (1, 0, 0, 0, 1, 0), (1, -1), "must be positive"),
        ((0, 0, math.inf), (1, 0, 0, 0, 1, 0), (1, 1), "not a finite number"),
        ((0, 0, 0), (1, 0, 0, 0, math.nan, 0), (1, 1), "length nan"),
        ((0, 0, 0), (1, 0, 0, 0, 1), (1, 1), "3, 6 and 2 values"),
        ((0, 0, 0), (1, 0, 0, 0, 1, 0), (1,), "3, 6 and 2 values"),
    ],
)
def test_what_is_no_plane_is_refused(
    position: tuple[float, ...],
    orientation: tuple[float, ...],
    spacing: tuple[float, ...],
    words: str,
) -> None:
    with pytest.raises(PlaneError, match=words):
        ImagePlane.from_dicom(position, orientation, spacing)


@pytest.mark.parametrize(("off", "refused"), [(0.0009, False), (0.002, True), (0.008, True)])
def test_cosines_may_be_off_by_a_thousandth_and_no_more(off: float, refused: bool) -> None:
    """Files hold few decimals; what is further off is no plane of that scanner."""
    longer = ((1.0 + off, 0.0, 0.0), (0.0, 0.0, -1.0))
    askew = ((1.0, 0.0, 0.0), (off, 0.0, -((1.0 - off * off) ** 0.5)))
    for row, column in (longer, askew):
        if refused:
            with pytest.raises(PlaneError):
                ImagePlane((0.0, 0.0, 0.0), row, column, 1.0, 1.0)
        else:
            ImagePlane((0.0, 0.0, 0.0), row, column, 1.0, 1.0)


@pytest.mark.parametrize(
    ("tilt_deg", "letters"), [(0.0, "L"), (19.0, "L"), (21.0, "LP"), (29.0, "LP"), (46.0, "PL")]
)
def test_a_second_letter_stands_from_20_degrees_on(tilt_deg: float, letters: str) -> None:
    turn = np.radians(tilt_deg)
    row = (float(np.cos(turn)), float(np.sin(turn)), 0.0)
    plane = ImagePlane((0.0, 0.0, 0.0), row, (0.0, 0.0, -1.0), 1.0, 1.0)
    assert plane.edge_letters()["right"] == letters
