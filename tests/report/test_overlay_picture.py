"""The picture of a reading: the right colour at the right millimetre."""

import os
from pathlib import Path

import numpy as np
import pytest
from hipmaker import SHAPE, make_reading, make_view
from numpy.typing import NDArray

from necroangle.annotation import ReadView
from necroangle.imaging import Slice
from necroangle.measurement import measure
from necroangle.report import draw_reading, write_png
from necroangle.report.overlay import (
    _ARC,
    _CIRCLE,
    _HEADER_PX,
    FIELD_MM,
    PANEL_PX,
    ViewFrame,
    _grade_line,
)
from necroangle.report.picture import load_cv2, write_text
from necroangle.terms import UnreadReason, View

Colour = tuple[int, int, int]


def flat_slice(view: ReadView, grey: float = 100.0) -> Slice:
    return Slice(np.full(SHAPE, grey), view.plane.plane(), view.image.source(), (0.0, 200.0))


def has_colour(picture: NDArray[np.uint8], x: float, y: float, colour: Colour) -> bool:
    """Whether a pixel near (x, y) of the A panel is of a colour."""
    row, column = round(y) + _HEADER_PX, round(x)
    patch = picture[row - 3 : row + 4, column - 3 : column + 4].astype(int)
    return bool((np.abs(patch - colour).max(axis=2) < 40).any())


@pytest.mark.parametrize("spacing", [(0.6, 0.45), (0.5, 0.9)])
def test_the_arc_is_drawn_on_the_dead_side_and_the_circle_on_the_other(
    spacing: tuple[float, float],
) -> None:
    reading = make_reading(120.0, 80.0, spacing_mm=spacing)  # from 200 to 320 degrees
    slices = {v.view: flat_slice(v) for v in reading.views if isinstance(v, ReadView)}
    picture = draw_reading(reading, measure(reading), slices)
    radius_px = 24.0 * PANEL_PX / FIELD_MM
    middle = (PANEL_PX - 1) / 2
    for degrees, colour in ((230, _ARC), (290, _ARC), (10, _CIRCLE), (130, _CIRCLE)):
        turn = np.radians(degrees)
        x, y = middle + radius_px * np.cos(turn), middle + radius_px * np.sin(turn)
        assert has_colour(picture, x, y, colour), degrees


def test_the_frame_shows_square_millimetres() -> None:
    view = make_view(View.CORONAL, 100.0, spacing_mm=(0.5, 0.9))
    assert isinstance(view, ReadView)
    pixels = np.zeros(SHAPE)
    pixels[60, 40] = 200.0  # 30 mm down, 36 mm across
    plane = view.plane.plane()
    image = Slice(pixels, plane, view.image.source(), (0.0, 200.0))
    picture = ViewFrame((36.0, 30.0), 20.0, 201).render(image)
    bright = np.argwhere(picture[..., 0] > 100)
    assert bright.mean(axis=0) == pytest.approx((100, 100), abs=1.0)
    height, width = np.ptp(bright, axis=0)
    assert width / height == pytest.approx(0.9 / 0.5, rel=0.25)


def test_a_view_not_read_and_an_image_not_at_hand_are_drawn_all_the_same() -> None:
    reading = make_reading(100.0, None, reason=UnreadReason.NOT_READABLE)
    picture = draw_reading(reading, measure(reading), {})
    assert picture.shape == (976, 1528, 3)
    left, right = picture[_HEADER_PX:, :PANEL_PX], picture[_HEADER_PX:, PANEL_PX + 8 :]
    assert (np.abs(left.astype(int) - _ARC).max(axis=2) < 40).any()
    assert not (np.abs(right.astype(int) - _ARC).max(axis=2) < 40).any()


def test_png_comes_back_as_it_was(tmp_path: Path) -> None:
    reading = make_reading(b_view=View.FROG_LEG)
    picture = draw_reading(reading, measure(reading), {})
    write_png(tmp_path / "new" / "hip.png", picture)
    back = load_cv2().imread(str(tmp_path / "new" / "hip.png"))
    assert np.array_equal(back, picture)


def test_opencv_leaves_no_trace_in_the_environment() -> None:
    before = dict(os.environ)
    load_cv2()
    assert dict(os.environ) == before


@pytest.mark.parametrize("centred", [False, True])
def test_an_older_opencv_is_written_beside_by_pillow_in_the_same_place(
    centred: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written() -> tuple[NDArray[np.intp], int]:
        image = np.full((60, 500, 3), 50, np.uint8)
        write_text(image, "A 107.5° ± 9.4°", (250, 40), (0, 200, 255), 26, centred=centred)
        spots = np.argwhere((np.abs(image.astype(int) - (0, 200, 255)) < 30).all(axis=2))
        return np.concatenate((spots.min(axis=0), spots.max(axis=0))), int((image == 0).sum())

    new, edge = written()
    monkeypatch.delattr(load_cv2(), "FontFace", raising=False)
    old, old_edge = written()
    assert np.abs(new - old).max() < 40
    assert min(edge, old_edge) > 100
    plain = np.zeros((40, 300, 3), np.uint8)
    write_text(plain, "김 ≤ 1", (5, 30), (255, 255, 255), 20)
    assert plain.any()


def test_the_picture_of_a_hip_without_necrosis_says_so_and_names_no_grade() -> None:
    line = _grade_line(measure(make_reading(0.0, 0.0)))
    assert line.endswith("|   no necrosis")
    assert "grade" not in line
    assert "grade 1, low risk" in _grade_line(measure(make_reading(60.0, 60.0)))
