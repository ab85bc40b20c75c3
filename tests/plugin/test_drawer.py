"""Lines over a picture: one layer changed in place, or an overlay of the slice that is shown."""

from collections.abc import Iterator

import napari_necroangle.canvas.drawer as drawer_module
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Points
from napari_necroangle.canvas.drawer import (
    OverlayDrawer,
    Pen,
    VectorsDrawer,
    best_drawer,
    place_points,
)
from napari_necroangle.canvas.fast_lines import can_draw, ribbons
from numpy.typing import NDArray

PENS = {"thin": Pen("#ff0000", 1.5), "wide": Pen("#00ff00", 5.0)}
NAME = "necroangle_lines"

needs_overlays = pytest.mark.skipif(not can_draw(), reason="this napari draws no known overlays")


def lines(count: int, index: int = 2, length_mm: float = 4.0) -> NDArray[np.float64]:
    made = np.zeros((count, 2, 3))
    made[:, 0] = (index, 5.0, 6.0)
    made[:, 0, 1] += np.arange(count)
    made[:, 1, 2] = length_mm
    return made


@pytest.fixture
def model() -> ViewerModel:
    viewer = ViewerModel()
    viewer.add_image(np.zeros((5, 40, 40)), scale=(4.0, 1.0, 1.0), units=("mm",) * 3)
    viewer.scene.camera.zoom = 10.0
    viewer.dims.set_current_step(0, 2)
    return viewer


@pytest.fixture
def layered(model: ViewerModel) -> Iterator[VectorsDrawer]:
    drawer = VectorsDrawer(model, PENS, "lines", 4.0)
    yield drawer
    drawer.close()
    assert len(model.layers) == 1


def test_all_parts_are_one_layer_with_their_colours_and_widths(layered: VectorsDrawer) -> None:
    (layer,) = layered.layers
    assert not layer.visible
    layered.show({"thin": lines(1), "wide": lines(1)})
    assert layer.visible
    assert layer.edge_width == pytest.approx(0.15)
    red = layer.data[(layer.edge_color == (1, 0, 0, 1)).all(axis=1)]
    green = layer.data[(layer.edge_color == (0, 1, 0, 1)).all(axis=1)]
    assert len(red) + len(green) == len(layer.data)
    assert np.ptp(red[:, 0, 1]) == 0.0
    assert np.ptp(green[:, 0, 1]) + layer.edge_width == pytest.approx(0.5)
    assert np.diff(np.unique(green[:, 0, 1])).max() <= layer.edge_width


def test_a_part_that_is_not_named_stays(layered: VectorsDrawer) -> None:
    layered.show({"thin": lines(2), "wide": lines(1)})
    layered.show({"wide": lines(3)})
    assert {part: len(found) for part, found in layered.lines.items()} == {"thin": 2, "wide": 3}


def test_a_change_within_the_room_makes_no_new_arrays(layered: VectorsDrawer) -> None:
    (layer,) = layered.layers
    layered.show({"thin": lines(3)})
    data, told = layer.data, []
    layer.events.data.connect(lambda event: told.append(event))
    layered.show({"thin": lines(5, length_mm=7.0)})
    assert layer.data is data
    assert told == []
    assert layer.data[:5, 1, 2].tolist() == [7.0] * 5
    layered.show({"thin": lines(500)})
    assert len(layer.data) >= 500


def test_what_did_not_change_is_not_drawn_again(layered: VectorsDrawer) -> None:
    (layer,) = layered.layers
    layered.show({"thin": lines(3)})
    drawn: list[object] = []
    layer.events.set_data.connect(drawn.append)
    layered.show({"thin": lines(3)})
    assert drawn == []
    layered.show({"thin": lines(4)})
    assert len(drawn) == 1


def test_the_width_on_the_screen_is_the_same_at_every_zoom(
    layered: VectorsDrawer, model: ViewerModel
) -> None:
    (layer,) = layered.layers
    layered.show({"wide": lines(1)})
    model.scene.camera.zoom = 20.0
    assert layer.edge_width == pytest.approx(0.075)
    assert np.ptp(layer.data[:, 0, 1]) + layer.edge_width == pytest.approx(0.25)


def test_hidden_lines_stay_hidden_while_they_change(layered: VectorsDrawer) -> None:
    (layer,) = layered.layers
    layered.show({"thin": lines(3)})
    layered.visible = False
    layered.show({"thin": lines(4)})
    assert not layer.visible
    layered.visible = True
    assert layer.visible
    layered.begin("another", 3.0)
    assert (layer.visible, layer.name, tuple(layer.scale)) == (False, "another", (3.0, 1.0, 1.0))


def test_nothing_left_to_draw_hides_the_layer(layered: VectorsDrawer) -> None:
    layered.show({"thin": lines(3)})
    layered.show({"thin": lines(0)})
    assert not layered.layers[0].visible


@needs_overlays
def test_an_overlay_shows_the_lines_of_the_slice_only(model: ViewerModel) -> None:
    drawer = OverlayDrawer(model, PENS)
    overlay = model.scene.overlays[NAME]
    drawer.show({"thin": np.concatenate((lines(3, 2), lines(1, 3)))})
    counts = []
    for index in (2, 3, 4):
        model.dims.set_current_step(0, index)
        counts.append(len(overlay.corners) // 6)
    assert counts == [3, 1, 0]
    drawer.visible = False
    assert not overlay.visible
    drawer.close()
    assert NAME not in model.scene.overlays
    model.dims.set_current_step(0, 2)
    assert len(overlay.corners) == 0


@needs_overlays
def test_an_overlay_follows_zoom_and_a_new_picture(model: ViewerModel) -> None:
    drawer = OverlayDrawer(model, PENS)
    overlay = model.scene.overlays[NAME]
    drawer.show({"wide": lines(1)})
    before = np.ptp(overlay.corners[:, 1])
    model.scene.camera.zoom = 20.0
    assert np.ptp(overlay.corners[:, 1]) == pytest.approx(before / 2, rel=1e-5)
    drawer.begin("another", 3.0)
    assert len(overlay.corners) == 0
    drawer.close()


@given(
    st.tuples(*(st.floats(-100, 100) for _ in range(4))),
    st.floats(0.5, 8.0),
    st.floats(0.5, 50.0),
)
def test_a_ribbon_lies_evenly_about_its_line(
    ends: tuple[float, ...], width_px: float, zoom: float
) -> None:
    line = np.array([[ends[:2], ends[2:]]])
    length = float(np.hypot(*line[0, 1]))
    corners = ribbons(line, np.ones((1, 4)), np.array([width_px]), zoom)
    middle = (line[0, 0] + line[0, 1] / 2)[::-1]
    assert np.allclose(corners[[0, 1, 2, 5], :2].mean(axis=0), middle, atol=1e-3)
    assert np.all(corners[:, 7] == np.float32(width_px / 2))
    if length > 1e-3:
        across = np.hypot(*(corners[0, :2] - corners[1, :2]))
        assert across == pytest.approx((width_px + 2) / zoom, rel=1e-2, abs=1e-4)


def test_without_the_known_overlays_the_lines_are_a_layer(
    model: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawer_module, "_overlays_work", lambda: False)
    drawer = best_drawer(model, PENS, "lines", 4.0)
    assert isinstance(drawer, VectorsDrawer)
    drawer.close()
    with pytest.raises(NotImplementedError):
        OverlayDrawer(model, PENS)


@pytest.mark.parametrize("fast", [True, False])
def test_both_drawers_keep_the_same_lines(model: ViewerModel, fast: bool) -> None:
    drawer = best_drawer(model, PENS, "lines", 4.0, fast=fast)
    drawer.show({"thin": lines(2)})
    assert np.array_equal(drawer.lines["thin"], lines(2))
    assert len(drawer.lines["wide"]) == 0
    drawer.close()


@pytest.mark.parametrize("count", [3, 4])
def test_points_go_where_they_are_placed(count: int) -> None:
    layer = Points(np.zeros((3, 3)))
    place_points(layer, np.ones((count, 3)))
    assert np.array_equal(layer.data, np.ones((count, 3)))
