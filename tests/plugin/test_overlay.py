"""What is painted over a picture: where it should be, at every zoom and on every kind of screen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_necroangle.canvas.overlay import (
    PENS,
    Anchor,
    DrawnMark,
    Ground,
    Overlay,
    Sketch,
    bar_length_mm,
)
from napari_necroangle.reading.draft import Handle, Role
from napari_necroangle.reading.drawing import drawing_of
from numpy.typing import NDArray

from necroangle.geometry import Arc, Circle, arc_polyline

AGREE_PX = 0.01
SCALE, MIDDLE = 9.0, (30.0, 25.0)
"""Pixels a millimetre, and plane mm in the middle, of the pictures here."""
CIRCLE = Circle((31.0, 24.0), 15.0)


def test_a_sketch_tells_of_changes_only() -> None:
    told: list[Any] = []
    sketch = Sketch()
    sketch.on_change = told.append
    line = np.array([[[0.0, 0.0], [1.0, 1.0]]])
    mark = DrawnMark(Handle(Role.RIM, 0), 2, (1.0, 2.0))
    for _ in range(2):
        sketch.draw("circle", {2: line})
        sketch.put((mark,))
        sketch.write(Anchor.TOP, "S")
    assert len(told) == 3
    sketch.draw("circle", {2: line, 3: line[:0]})
    assert len(told) == 3
    sketch.draw("circle", {2: line + 1.0})
    sketch.draw("circle", {})
    assert (len(told), dict(sketch.lines("circle"))) == (5, {})
    sketch.clear()
    assert (sketch.marks, sketch.texts, sketch.has_bar) == ((), {}, False)


@pytest.mark.parametrize("most_mm", [0.04, 0.2, 1.0, 3.7, 49.9, 500.0])
def test_a_bar_is_round_and_not_short(most_mm: float) -> None:
    length = bar_length_mm(most_mm)
    assert most_mm * 0.4 - 1e-9 <= length <= most_mm * (1 + 1e-9)
    assert f"{length:.0e}"[0] in "125"


@pytest.fixture
def painted(qtbot: Any) -> Iterator[tuple[Any, Sketch]]:
    """A black widget of 600 x 400 with an overlay."""
    from qtpy.QtWidgets import QWidget

    widget: Any = QWidget()
    widget.setStyleSheet("background: black")
    widget.resize(600, 400)
    qtbot.addWidget(widget)
    half = np.array((300.0, 200.0))
    ground = Ground(
        widget,
        lambda uv: half + (uv - MIDDLE) * SCALE,
        lambda px: np.array(MIDDLE) + (px - half) / SCALE,
    )
    sketch = Sketch()
    overlay = Overlay(ground, sketch)
    yield widget, sketch
    overlay.close_over()
    sketch.write(Anchor.TOP, "nobody paints this")


def pixels_of(widget: Any) -> Any:
    """(H, W, 3) what a widget shows."""
    from qtpy.QtGui import QImage

    shown = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    raw = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
    return raw[:, : 3 * shown.width()].reshape(shown.height(), shown.width(), 3).astype(int)


def seen(widget: Any, colour: str) -> NDArray[np.float64]:
    """(N, 2) where a colour is seen, (x, y) of the pixels' centres."""
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    rows, columns = np.nonzero(np.abs(pixels_of(widget) - rgb).max(axis=2) < 40)
    return np.column_stack((columns, rows)).astype(np.float64) + 0.5


@pytest.mark.screen
def test_an_arc_lies_on_its_circle_on_the_screen(painted: tuple[Any, Sketch]) -> None:
    """Every pixel of it, within half its pen and one pixel; it reaches both its ends."""
    widget, sketch = painted
    arc = Arc(200.0, 120.0, 0.0, 0.0)
    drawing = drawing_of(CIRCLE, (arc,))
    sketch.draw("arc", {2: drawing.arcs})
    assert len(seen(widget, PENS["arc"].colour)) == 0
    sketch.show(index=2)
    there = seen(widget, PENS["arc"].colour)
    centre = np.array((300.0, 200.0)) + (np.array(CIRCLE.centre_mm) - MIDDLE) * SCALE
    away = np.hypot(*(there - centre).T) - CIRCLE.radius_mm * SCALE
    assert np.abs(away).max() <= PENS["arc"].width_px / 2 + 1.0
    assert len(there) == pytest.approx(
        np.radians(120.0) * CIRCLE.radius_mm * SCALE * PENS["arc"].width_px, rel=0.15
    )
    for turn in (200.0, 320.0):
        end = arc_polyline(CIRCLE, turn, 0.0)[0]
        place = np.array((300.0, 200.0)) + (end - MIDDLE) * SCALE
        assert np.hypot(*(there - place).T).min() <= 1.5
    turns = np.degrees(np.arctan2(*(there - centre).T[::-1])) % 360
    beyond_px = np.radians(np.maximum(200.0 - turns, turns - 320.0)) * CIRCLE.radius_mm * SCALE
    assert beyond_px.max() <= 1.0
    sketch.show(visible=False)
    assert len(seen(widget, PENS["arc"].colour)) == 0


@pytest.mark.screen
@pytest.mark.parametrize("ground", ["black", "white"])
def test_the_cross_of_the_mouse_is_seen_over_black_and_over_white(
    painted: tuple[Any, Sketch], ground: str
) -> None:
    from napari_necroangle.canvas.lens import cross

    widget, sketch = painted
    widget.setStyleSheet(f"background: {ground}")
    before = pixels_of(widget)
    sketch.draw("cursor", {0: cross(MIDDLE, is_near=True)})
    changed = np.abs(pixels_of(widget) - before).max(axis=2)
    assert int((changed > 150).sum()) > 4 * 7.0 * SCALE


@pytest.mark.screen
def test_roles_differ_in_colour_and_shape_and_the_selected_is_white_round(
    painted: tuple[Any, Sketch],
) -> None:
    widget, sketch = painted
    looks = {}
    for role in Role:
        for is_selected in (False, True):
            sketch.put((DrawnMark(Handle(role, 0), 0, MIDDLE, is_selected),))
            shown = pixels_of(widget)[185:215, 285:315]
            assert np.abs(shown).max() > 0
            rows, columns = np.nonzero(shown.max(axis=2) > 60)
            assert abs(rows.mean() - 14.5) < 1
            assert abs(columns.mean() - 14.5) < 1
            has_white = bool((shown.min(axis=2) > 220).any())
            assert has_white is is_selected, role
            if not is_selected:
                looks[role] = shown.tobytes()
    assert looks[Role.START] == looks[Role.END]
    assert len(set(looks.values())) == len(Role) - 1


@pytest.mark.screen
@pytest.mark.parametrize("width", [322, 600])
def test_words_never_lie_on_each_other(painted: tuple[Any, Sketch], width: int) -> None:
    """Each stands where it stands alone, or, the letter at the top, below the title."""
    widget, sketch = painted
    widget.resize(width, 239)
    title = "▸ Coronal 12 / 24\n4.7 mm behind centre of the head\nA = 107.5°"
    words = {Anchor.TOP_LEFT: title, Anchor.TOP: "S", Anchor.LEFT: "R", Anchor.RIGHT: "L"}

    def ink(*anchors: Anchor) -> int:
        for anchor in Anchor:
            sketch.write(anchor, words.get(anchor, "") if anchor in anchors else "")
        return int((pixels_of(widget).min(axis=2) > 200).sum())

    alone = sum(ink(anchor) for anchor in words)
    assert ink(*words) == pytest.approx(alone, rel=0.02)


_AGREES = """
import logging, sys
import numpy as np
logging.getLogger("vispy").setLevel(logging.ERROR)
from napari.components import ViewerModel
from napari.qt import QtViewer, get_qapp
from napari_necroangle.canvas.pair import Canvas
from napari_necroangle.canvas.mouse import HeldKeys

app = get_qapp()
viewer = QtViewer(ViewerModel())
canvas = Canvas(viewer, None, None, HeldKeys())
model = viewer.viewer
model.add_image(np.zeros((5, 100, 120)), scale=(4.0, 0.5, 0.8), units=("mm",) * 3)
points = model.add_points(np.zeros((1, 3)), scale=(4.0, 1.0, 1.0), units=("mm",) * 3)
viewer.resize(701, 533)
viewer.show()
chance, worst = np.random.default_rng(3), 0.0
for step in range(14):
    if step == 7:
        viewer.resize(522, 801)
    camera = model.scene.camera
    camera.zoom = float(np.exp(chance.uniform(-0.5, 3.5)))
    camera.center = (0.0, *chance.uniform(0.0, 60.0, 2).tolist())
    for _ in range(3):
        app.processEvents()
    u, v = chance.uniform(0.0, 60.0, 2).tolist()
    node = viewer.canvas.layer_to_visual[points].node
    x, y, _, w = node.get_transform("visual", "canvas").map([u, v, 0, 1])
    ours = canvas.place_px((u, v))
    worst = max(worst, float(np.abs(np.subtract(ours, (x / w, y / w))).max()))
    back = canvas.ground.to_mm(np.array([ours]))[0]
    assert np.allclose(back, (u, v), atol=1e-9)
ratio = canvas.native.devicePixelRatioF()
model.layers.clear()
print("found", worst, ratio)
sys.stdout.flush()
import os
os._exit(0)
"""


@pytest.mark.screen
@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_the_overlay_agrees_with_naparis_picture(scale: str, tmp_path: Path) -> None:
    """At 100, 150 and 200 %: where napari itself puts a point, to a hundredth of a pixel."""
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "NAPARI_CONFIG": str(tmp_path / "n")}
    done = subprocess.run(
        [sys.executable, "-c", _AGREES], capture_output=True, text=True, env=environment
    )
    line = next((one for one in done.stdout.splitlines() if one.startswith("found")), "")
    assert line, done.stderr[-2000:]
    worst, ratio = (float(part) for part in line.split()[1:])
    assert ratio == float(scale)
    assert worst <= AGREE_PX
