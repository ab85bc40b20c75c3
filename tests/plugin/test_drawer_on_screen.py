"""Both drawers in a real window: what was asked for is on the screen, in its colour and place."""

from typing import Any

import numpy as np
import pytest
from napari_necroangle.canvas.drawer import Pen, best_drawer
from numpy.typing import NDArray

pytestmark = pytest.mark.screen

PENS = {"thin": Pen("#ff0000", 3.0), "wide": Pen("#00ff00", 9.0)}
RED, GREEN = (255, 0, 0), (0, 255, 0)


def across(v_mm: float) -> NDArray[np.float64]:
    """A line on slice 2 across the middle third of the picture."""
    return np.array([[[2.0, v_mm, 20.0], [0.0, 0.0, 20.0]]])


def rows_of(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.intp]:
    """Rows of the middle column that have nearly this colour."""
    column = picture[:, picture.shape[1] // 2, :3].astype(int)
    return np.flatnonzero(np.abs(column - colour).max(axis=1) < 40)


@pytest.mark.parametrize("fast", [True, False])
def test_lines_are_on_the_screen_where_they_were_last_put(
    make_napari_viewer: Any, qtbot: Any, fast: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(900, 700)
    viewer.add_image(np.zeros((5, 60, 60), np.uint8), scale=(4.0, 1.0, 1.0), units=("mm",) * 3)
    viewer.dims.set_current_step(0, 2)
    drawer = best_drawer(viewer, PENS, "lines", 4.0, fast=fast)
    assert bool(drawer.layers) is not fast
    qtbot.wait(300)

    def seen() -> NDArray[np.uint8]:
        qtbot.wait(60)
        shown: NDArray[np.uint8] = viewer.screenshot(canvas_only=True, flash=False)
        return shown

    def row(v_mm: float, height: int) -> float:
        camera = viewer.scene.camera
        return float(height / 2 + (v_mm - camera.center[-2]) * camera.zoom)

    drawer.show({"thin": across(20.0), "wide": across(40.0)})
    for v_mm in (20.0, 25.0, 25.0):
        drawer.show({"thin": across(v_mm)})
        picture = seen()
        red, green = rows_of(picture, RED), rows_of(picture, GREEN)
        assert abs(red.mean() - row(v_mm, len(picture))) <= 2
        assert abs(green.mean() - row(40.0, len(picture))) <= 2
        assert 2 <= len(red) <= 4
        assert 8 <= len(green) <= 10
    viewer.scene.camera.zoom *= 1.5
    assert 8 <= len(rows_of(seen(), GREEN)) <= 10
    drawer.visible = False
    assert len(rows_of(seen(), GREEN)) == 0
    drawer.visible = True
    assert len(rows_of(seen(), GREEN)) > 0
    viewer.dims.set_current_step(0, 3)
    assert len(rows_of(seen(), GREEN)) == 0
    viewer.dims.set_current_step(0, 2)
    drawer.close()
    assert len(rows_of(seen(), GREEN)) == 0
    assert len(viewer.layers) == 1
