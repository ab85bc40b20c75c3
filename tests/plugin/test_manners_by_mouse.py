"""What other viewers have, by the screen's own mouse and keys: looking, marking, comparing.

Each function is a window in which several manners are tried one after the other, as a reader does:
each leaves the window as it found it, and nothing of looking may change the reading.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from livestrokes import circle_px
from napari_necroangle.canvas.overlay import Anchor
from napari_necroangle.reading.steps import Step
from napari_necroangle.window import close_window, open_window, settle
from screenhand import LEFT, MIDDLE, RIGHT, ScreenHand, screen_hand

from necroangle.annotation import file_name, load_reading, save_reading

pytestmark = pytest.mark.screen

END_WORDS = "Click the other end of the necrotic arc."
HERE, THERE, BACK = (160, 300), (220, 350), (190, 330)
OpenHand = Callable[..., tuple[Any, ScreenHand]]


@pytest.fixture
def open_hand(samples: Path, tmp_path: Path) -> Iterator[OpenHand]:
    """Opens a sample in a window of our own, with a hand on the screen's mouse and keys."""
    docks: list[Any] = []

    def open_one(sample: str, *readings: str) -> tuple[Any, ScreenHand]:
        study = shutil.copytree(samples / sample, tmp_path / sample)
        (tmp_path / "readings").mkdir()
        for name in readings:
            reading: Any = load_reading(samples / "readings" / f"{name}__truth__1.reading.json")
            save_reading(reading, tmp_path / "readings" / file_name(reading))
        dock: Any = open_window((1280, 800), reader="r1")
        docks.append(dock)
        hand = screen_hand(dock)
        if hand is None:
            pytest.skip("no libXtst: the screen's own pointer cannot be moved")
        dock.workspace.readings = tmp_path / "readings"
        dock.open_folder(study)
        settle(300)
        hand.move(0, HERE)
        return dock, hand

    yield open_one
    for dock in docks:
        close_window(dock)


def said(dock: Any) -> str:
    """What the dock says is to be done now."""
    return str(dock.parts.steps.line.text())


def names_all(status: Any, figures: Sequence[str]) -> bool:
    return all(one in status.currentMessage() for one in figures)


def until(is_so: Callable[[], object]) -> None:
    """Wait for what follows the mouse when the window has the time for it."""
    for _ in range(1000):
        if is_so():
            return
        settle(20)
    raise AssertionError("the window has not followed the mouse")


def draft(dock: Any) -> Any:
    return dock.workspace.case.session.draft


def draw_rim(dock: Any, hand: ScreenHand, canvas: int, span_deg: float = 230.0) -> None:
    path = circle_px(dock.canvases.all[canvas], 24, radius_px=70, span_deg=span_deg)
    hand.drag(canvas, path)


def test_pictures_pan_zoom_and_turn_at_any_time(open_hand: OpenHand) -> None:
    dock, hand = open_hand("plain")
    plane, before = dock.planes[0], draft(dock)
    lens, ground = plane.lens, dock.canvases.all[0].ground

    def at_mouse() -> Any:
        return ground.to_mm(np.array([HERE]))[0]

    under = at_mouse()
    hand.pull(0, HERE, THERE, MIDDLE)
    assert ground.to_mm(np.array([THERE]))[0] == pytest.approx(under, abs=1e-6)
    with hand.held("space"):
        hand.pull(0, THERE, HERE, LEFT)
    assert at_mouse() == pytest.approx(under, abs=1e-6)
    zoom = lens.zoom
    with hand.held("Control_L"):
        hand.wheel(0, HERE, 2)
    assert lens.zoom > 1.1 * zoom
    assert at_mouse() == pytest.approx(under, abs=1e-6)
    hand.press(MIDDLE)
    hand.press(MIDDLE)
    assert lens.zoom == pytest.approx(zoom)
    index = plane.slice_index
    hand.wheel(0, HERE, 1)
    assert abs(plane.slice_index - index) == 1
    hand.wheel(0, HERE, -1)
    assert plane.slice_index == index
    hand.pull(0, HERE, THERE, MIDDLE)
    hand.key("Home")
    assert lens.is_untouched
    assert "shown as at first" in said(dock)
    with hand.held("Control_L"):
        hand.wheel(0, HERE, 1)
    assert "shown as at first" not in said(dock)
    hand.key("F11")
    settle(300)
    assert dock.window().isFullScreen()
    hand.key("F11")
    settle(300)
    assert not dock.window().isFullScreen()
    assert draft(dock) == before


def test_window_and_level_in_figures_by_name_and_inverted(open_hand: OpenHand) -> None:
    dock, hand = open_hand("plain")
    first, second = dock.planes
    stored, before, look = first.greys.figures, draft(dock), dock.parts.look
    hand.pull(0, HERE, (HERE[0] + 60, HERE[1] + 20), RIGHT)
    width, level = first.greys.figures
    assert width > stored[0]
    assert level > stored[1]
    assert f"W {width:.5g}  L {level:.5g}" in first.sketch.texts[Anchor.TOP_RIGHT]
    assert second.greys.figures == pytest.approx(stored)
    hand.key("w")
    assert f"Contrast: {first.greys.preset}." in said(dock)
    hand.pull(0, HERE, THERE, RIGHT)
    assert "Contrast" not in said(dock)
    hand.key("Shift_L", "w")
    assert first.greys.figures == pytest.approx(stored)

    hand.hit(dock.parts.looks.line)
    assert look.isVisible()
    hand.hit(look.buttons["link"])
    assert "linked" in said(dock)
    hand.hit(look.width_box)
    hand.key("Control_L", "a")
    hand.types("100")
    hand.key("Return")
    assert first.greys.figures[0] == pytest.approx(100.0)
    assert second.greys.figures[0] == pytest.approx(100.0)
    hand.hit(look.presets.widget)
    settle(200)
    hand.key("Home")
    hand.key("Down")
    hand.key("Return")
    assert first.greys.preset == second.greys.preset != ""
    hand.hit(look.buttons["invert"])
    assert first.greys.is_inverted
    assert second.greys.is_inverted
    assert draft(dock) == before


def test_cross_loupe_grey_value_and_patient_mm_under_the_mouse(open_hand: OpenHand) -> None:
    dock, hand = open_hand("plain")
    first, second = dock.planes
    status = dock.window().statusBar()
    assert "#1 T1" in first.sketch.texts[Anchor.TOP_RIGHT]
    assert "0.85 × 0.85 × 4.4 mm" in first.sketch.texts[Anchor.TOP_RIGHT]
    for place in (THERE, HERE):
        hand.move(0, place)
        uv = dock.canvases.all[0].ground.to_mm(np.array([place]))[0]
        mm = first.picture.patient_mm(first.slice_index, (float(uv[0]), float(uv[1])))[0]
        row, column = np.rint(first.picture.pixel_of(tuple(uv.tolist()))).astype(int)
        grey = first.picture.volume.pixels[first.slice_index, row, column]
        figures = [f"grey {grey}", *(f"{abs(one):.1f}" for one in mm.tolist())]
        until(partial(names_all, status, figures))
        (lines,) = second.sketch.lines("cursor").values()
        there = second.picture.volume.planes[second.slice_index]
        assert lines.mean(axis=(0, 1)) == pytest.approx(there.patient_to_plane(mm[None])[0])
    hand.key("p")
    hand.move(0, BACK)
    until(lambda: not second.sketch.lines("cursor"))
    hand.key("q")
    hand.move(0, THERE)
    until(lambda: first.sketch.loupe is not None)
    hand.key("q")
    hand.move(0, HERE)
    until(lambda: first.sketch.loupe is None)


def test_what_is_said_is_over_when_it_no_longer_holds(open_hand: OpenHand) -> None:
    """An arc end that is set exactly; marks on another slice; an arc end of the second look."""
    dock, hand = open_hand("plain")
    case = dock.workspace.case
    for canvas in (0, 1):
        draw_rim(dock, hand, canvas)
    dock.commands.go_to(Step.ARC_A)
    start, end, via = circle_px(dock.canvases.all[0], 3, radius_px=70, span_deg=90.0)
    hand.click(0, start)
    assert said(dock).startswith("Magnified: click where the arc ends exactly")
    x, y = dock.canvases.all[0].place_px(dock.planes[0].uv_of(dock.planes[0].settling))
    hand.click(0, (round(x) + 4, round(y)))
    assert dock.planes[0].settling is None
    assert "Magnified" not in said(dock)
    assert said(dock) == END_WORDS
    hand.click(0, via)
    hand.key("Return")
    assert "Magnified" not in said(dock)
    hand.click(0, end)
    assert case.session.outcome().views[0].measurement is not None

    hand.hit(dock.parts.steps.steps[Step.HEAD_A])
    index = dock.planes[0].slice_index
    hand.wheel(0, start, 2)
    hand.click(0, (start[0] + 60, start[1] + 60))
    assert f"lie on slice {index + 1}. Go there" in said(dock)
    hand.wheel(0, start, -1)
    assert "Go there" in said(dock)
    hand.wheel(0, start, -1)
    assert "Go there" not in said(dock)

    hand.key("x")
    assert "Arc end 1 of 2" in said(dock)
    hand.wheel(0, start, 1)
    assert "Arc end" not in said(dock)


def test_measurements_are_listed_with_a_jump_and_steps_come_back(open_hand: OpenHand) -> None:
    dock, hand = open_hand("plain")
    for canvas in (0, 1):
        draw_rim(dock, hand, canvas)
    marked, steps = draft(dock), dock.parts.steps.steps
    assert all(len(one.rim) == 10 for one in marked.views)
    index = dock.planes[0].slice_index
    hand.wheel(0, HERE, 2)
    assert dock.planes[0].slice_index != index
    hand.hit(steps[Step.HEAD_A])
    assert dock.planes[0].slice_index == index
    hand.key("Control_L", "z")
    assert not draft(dock).views[1].rim
    hand.key("Control_L", "y")
    assert draft(dock) == marked
    hand.key("Control_L", "z")
    hand.key("Control_L", "Shift_L", "z")
    assert draft(dock) == marked
    hand.key("n")
    assert "No necrosis" in said(dock)
    hand.key("Control_L", "s")
    assert list(dock.workspace.readings.glob("*.reading.json"))
    assert "No necrosis, read on" not in said(dock)


def test_the_priors_picture_beside_todays_scrolls_along(open_hand: OpenHand) -> None:
    name = "PHANTOM-04__R__baseline"
    dock, hand = open_hand("two_visits", name)
    visit = next(one for one in dock.workspace.visits if one.visit == "month_12")
    dock.free.take(visit, dock.workspace.current.key.side, visit.pairs[0])
    settle(300)
    draw_rim(dock, hand, 0)
    draw_rim(dock, hand, 1)
    dock.turn_to(dock.planes[0].view)
    hand.move(0, HERE)
    hand.key("d")
    settle(200)
    pane = dock._second
    assert pane.isVisible()
    assert "baseline" in pane.sketch.texts[Anchor.TOP_LEFT]
    assert said(dock).startswith("Beside:")
    index, own = pane.sketch.index, dock.planes[0].slice_index
    hand.wheel(0, HERE, 1)
    assert pane.sketch.index - index == dock.planes[0].slice_index - own != 0
    hand.hit(dock.parts.looks.line)
    hand.hit(dock.parts.look.beside.widget)
    settle(200)
    hand.key("Home")
    hand.key("Return")
    assert not pane.isVisible()
    assert not said(dock).startswith("Beside:")


def test_a_radiograph_shows_its_sides(open_hand: OpenHand) -> None:
    dock, hand = open_hand("radiographs")
    for plane in dock.planes:
        assert {plane.sketch.texts[one] for one in (Anchor.LEFT, Anchor.RIGHT)} == {"R", "L"}
    hand.move(0, THERE)
    until(lambda: "AP: grey" in dock.window().statusBar().currentMessage())
