"""What the plugin's tests share: a small study in memory, and where the samples lie."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_necroangle.reading.case import Case, Picture
from napari_necroangle.reading.draft import Role
from napari_necroangle.reading.session import ReadingSession
from readingroom import Answers

from necroangle.geometry import ImagePlane
from necroangle.imaging import Volume
from necroangle.terms import Laterality, SourceImage, View

SAMPLES = Path(__file__).parents[2] / "sample_dicoms"


def has_display() -> bool:
    """Whether a window can be opened here."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a display, in plain sight, where there is none."""
    if has_display():
        return
    reason = "no display: run under xvfb-run -a -s '-screen 0 1920x1080x24'"
    for item in items:
        if item.get_closest_marker("screen") is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """After the first window: see :func:`_set_modules_apart`."""
    result = yield
    if item.get_closest_marker("screen") is not None:
        _set_modules_apart(napari="make_napari_viewer" in getattr(item, "fixturenames", ()))
    return result


@cache
def _set_modules_apart(*, napari: bool) -> None:
    """Take what the first window has imported out of what the garbage collector looks through.

    napari collects with every picture that is taken away: in a process that holds the modules of
    all tests this was half of the time of a window, and a fifth with those of a window.
    """
    gc.collect()
    gc.freeze()


def small_volume(view: View, slices: int = 5) -> Volume:
    """Slices of 100 x 120 pixels about the patient origin, with unequal spacings."""
    axes = {
        View.CORONAL: ((1, 0, 0, 0, 0, -1), np.array((0.0, 1.0, 0.0))),
        View.SAGITTAL: ((0, 1, 0, 0, 0, -1), np.array((-1.0, 0.0, 0.0))),
    }
    orientation, normal = axes[view]
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    corner = -row * 0.8 * 59.5 - column * 0.5 * 49.5
    offsets = [(index - slices // 2) * 4.0 for index in range(slices)]
    planes = tuple(
        ImagePlane.from_dicom((corner + offset * normal).tolist(), orientation, (0.5, 0.8))
        for offset in offsets
    )
    number = 1 if view is View.CORONAL else 2
    sources = tuple(
        SourceImage("1.2", f"1.2.{number}", f"1.2.{number}.{index + 1}", 1, "1.2.9")
        for index in range(slices)
    )
    pixels = np.arange(slices * 100 * 120, dtype=np.uint16).reshape(slices, 100, 120)
    return Volume(pixels, planes, sources, 4.0, (0.0, 60000.0))


@pytest.fixture
def case() -> Case:
    """A left hip with a coronal and a sagittal series, nothing marked."""
    session = ReadingSession(
        (View.CORONAL, View.SAGITTAL),
        laterality=Laterality.LEFT,
        subject="P-1",
        visit="baseline",
        reader="r1",
    )
    views = (View.CORONAL, View.SAGITTAL)
    return Case(session, {view: Picture(view, small_volume(view)) for view in views})


@pytest.fixture(scope="session")
def small_volumes() -> dict[View, Volume]:
    """A coronal and a sagittal series about the patient origin."""
    return {view: small_volume(view) for view in (View.CORONAL, View.SAGITTAL)}


def on_circle(turn_deg: float, radius_mm: float = 20.0) -> tuple[float, float]:
    """Plane mm of a point on the head circle about the middle of a small picture."""
    turn = np.radians(turn_deg)
    return (
        float(0.8 * 59.5 + radius_mm * np.cos(turn)),
        float(0.5 * 49.5 + radius_mm * np.sin(turn)),
    )


@pytest.fixture
def circle_point() -> Callable[[float], tuple[float, float]]:
    """Plane mm of a direction on the head circle, 20 mm about the middle of the picture."""
    return on_circle


@pytest.fixture
def mark_rim() -> Callable[[Case, View], None]:
    """Clicks ten points round the head on slice 2."""

    def mark(case: Case, view: View) -> None:
        case.aim_at(view, Role.RIM)
        for turn in range(120, 320, 20):
            case.click(view, 2, on_circle(turn))

    return mark


@pytest.fixture
def mark_arc() -> Callable[[Case, View, tuple[float, float]], None]:
    """Clicks an arc on slice 2 from one direction to another, through their mean."""

    def mark(case: Case, view: View, ends: tuple[float, float]) -> None:
        case.aim_at(view, Role.START)
        for turn in (*ends, sum(ends) / 2):
            case.click(view, 2, on_circle(turn))

    return mark


@pytest.fixture
def samples() -> Path:
    """The sample studies; a test that needs them is skipped in plain sight without."""
    if not (SAMPLES / "plain").is_dir():
        pytest.skip("sample_dicoms is not at hand")
    return SAMPLES


@pytest.fixture
def open_dock(qtbot: Any) -> Iterator[Callable[[], Any]]:
    """Opens a reading window of 1700 x 950 with :class:`Answers`; it gives the dock in it."""
    from napari_necroangle.window import close_window, open_window

    docks: list[Any] = []

    def open_one() -> Any:
        docks.append(open_window((1700, 950)))
        docks[-1].dialogs = Answers()
        return docks[-1]

    yield open_one
    for dock in docks:
        close_window(dock)


@pytest.fixture
def dock(open_dock: Callable[[], Any]) -> Any:
    """The dock in a reading window."""
    return open_dock()


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A home of its own, so that no test finds what another one, or a reader, left unsaved."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(Path, "home", lambda: home)
    for name, folder in (("HOME", ""), ("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")):
        monkeypatch.setenv(name, str(home / folder))
