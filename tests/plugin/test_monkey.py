"""A monkey at keys, mouse, menus and napari's own actions: nothing contradicts itself.

Longer runs: ``benchmarks/monkey.py``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monkey import acts, all_keys, run
from monkeyrooms import NapariRoom, PlainRoom, ReadingRoom, study_copy

pytestmark = [pytest.mark.screen, pytest.mark.timeout(2400)]
STEPS = 500
LISTED = 500
"""Acts of which the control's keys are told."""
SEED = 3
CONTROL = 8
"""Seed of the control: after some others napari itself keeps a viewer for good."""


@pytest.fixture(autouse=True)
def _theme_of_others() -> Iterator[None]:
    """The settings' theme as it was."""
    from napari.settings import get_settings

    appearance = get_settings().appearance
    before = appearance.theme
    yield
    appearance.theme = before


def test_in_a_window_of_our_own(qtbot: Any, samples: Path, tmp_path: Path) -> None:
    from napari_necroangle.window import close_window, open_window

    dock: Any = open_window((1280, 800), reader="r1")
    try:
        dock.open_folder(study_copy(samples, tmp_path))
        qtbot.wait(300)
        done = run(ReadingRoom(dock), SEED, STEPS)
    finally:
        close_window(dock)
    assert done.troubles == []
    assert (done.steps, done.changed) == (STEPS, 0)
    assert done.compared > 0
    assert done.dialogs > 0


def test_in_napari(make_napari_viewer: Any, qtbot: Any, samples: Path, tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1280, 800)
    qtbot.wait(300)
    room = NapariRoom(viewer)
    room.dock.workspace.reader = "r1"
    room.dock.open_folder(study_copy(samples, tmp_path))
    qtbot.wait(300)
    try:
        done = run(room, SEED, STEPS)
    finally:
        room.dock.shutdown()
    assert done.troubles == []
    assert (done.steps, done.changed) == (STEPS, 0)
    assert done.compared > 0


def test_the_same_keys_change_a_plain_napari(make_napari_viewer: Any, qtbot: Any) -> None:
    """The control."""
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.random.default_rng(1).random((11, 40, 60)))
    qtbot.wait(300)
    keys = [act for act in acts(CONTROL, LISTED) if act.kind == "key"]
    assert len({act.word for act in keys} & {*all_keys()}) > 60
    done = run(PlainRoom(viewer), CONTROL, LISTED // 2, stop_at=LISTED)
    assert done.changed > 0
