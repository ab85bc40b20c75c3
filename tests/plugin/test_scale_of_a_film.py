"""The scale of a radiograph by two clicks on a marker of known size, in the window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from readingroom import mark

from necroangle.annotation import HipReading, ReadView, load_reading
from necroangle.annotation.provenance import MarkerRecord
from necroangle.measurement import measure
from necroangle.terms import Flag, View

pytestmark = pytest.mark.screen

READING = "PHANTOM-06__R__baseline__truth__1.reading.json"


@pytest.fixture
def truth(samples: Path) -> HipReading:
    return load_reading(samples / "readings" / READING)


@pytest.fixture
def film(dock: Any, samples: Path, truth: HipReading) -> Any:
    """A dock with the two radiographs open, marked as the sample reading says."""
    dock.open_folder(samples / "radiographs")
    mark(dock, truth)
    return dock


def click(dock: Any, qtbot: Any, pixel: tuple[float, float]) -> None:
    """A click of the mouse on a pixel (row, column) of the AP view."""
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    plane, native = dock.planes[0], dock.canvases.native_of(0)
    away = np.subtract(plane.picture.uv_of(pixel), plane.lens.centre_mm) * plane.lens.zoom
    middle = np.array((native.width(), native.height())) / 2
    spot = QPoint(*map(round, away + middle))
    QTest.mouseMove(native, spot)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, pos=spot)
    qtbot.wait(20)


def scale(dock: Any, qtbot: Any, answer: str, *ends: tuple[float, float]) -> None:
    dock.dialogs.answer = lambda _: answer
    dock.commands.run("scale", View.AP)
    for end in ends:
        click(dock, qtbot, end)


def spacing_mm(dock: Any) -> tuple[float, float]:
    on = dock.workspace.case.session.draft.view(View.AP).on
    shown = dock.planes[0].picture.volume.planes[0]
    assert on.plane.plane() == shown
    return shown.row_spacing_mm, shown.column_spacing_mm


def pixels(dock: Any) -> list[tuple[float, float]]:
    draft = dock.workspace.case.session.draft.view(View.AP)
    return [one.pixel for _, one in draft.all_marks]


def test_two_clicks_give_the_scale_and_undo_takes_it_back(film: Any, qtbot: Any) -> None:
    case, before, own = film.workspace.case, pixels(film), spacing_mm(film)
    angle = case.session.outcome().view(View.AP).measurement.angle_deg
    free = case.session.draft.view(View.AP).rim[0].pixel  # a click beside a mark moves none
    ends = ((60.0, 60.0), (60.0, 160.0))
    assert min(np.hypot(*np.subtract(end, free)) for end in ends) > 20
    scale(film, qtbot, "25 mm ball", *ends)
    assert "true at the depth of the marker" in case.notice
    row_mm, column_mm = spacing_mm(film)
    assert column_mm == pytest.approx(0.25, rel=0.03)
    assert row_mm / column_mm == pytest.approx(own[0] / own[1])
    assert np.allclose(pixels(film), before, atol=1e-9)
    found = case.session.outcome().view(View.AP).measurement
    assert found.angle_deg == pytest.approx(angle, abs=1e-9)
    assert Flag.SCALE_FROM_MARKER in found.flags
    assert film.planes[0].sketch.has_bar
    assert not film.planes[1].sketch.has_bar
    film.commands.run("undo", View.AP)
    assert spacing_mm(film) == pytest.approx(own)
    assert np.allclose(pixels(film), before, atol=1e-9)
    assert not film.planes[0].sketch.has_bar
    film.commands.run("redo", View.AP)
    assert spacing_mm(film) == pytest.approx((row_mm, column_mm))
    scale(film, qtbot, "The file's own scale")
    assert spacing_mm(film) == pytest.approx(own)


def test_a_saved_scale_is_there_when_the_reading_is_opened_again(
    film: Any, qtbot: Any, tmp_path: Path
) -> None:
    film.workspace.keep_readings_in(tmp_path)
    film.dialogs.typed = "28,5"
    scale(film, qtbot, "Another size…", (60.0, 60.0), (60.0, 160.0))
    kept = spacing_mm(film)
    film.workspace.case.session.enter(subject="P-1", visit="m00", reader="r1")
    path = film.save()
    reading = load_reading(path)
    view = reading.views[0]
    assert isinstance(view, ReadView)
    assert view.passport is not None
    assert isinstance(view.passport.marker, MarkerRecord)
    assert view.passport.marker.size_mm == 28.5
    measured = measure(reading).a
    assert measured is not None
    assert Flag.SCALE_FROM_MARKER in measured.flags
    film.workspace.forget_cases()
    film.open_folder(film.workspace.folder)
    film.open_reading(path)
    assert spacing_mm(film) == pytest.approx(kept)
    assert not film.workspace.case.session.is_unsaved


def test_what_gives_no_scale_is_said(film: Any, qtbot: Any) -> None:
    own, case = spacing_mm(film), film.workspace.case
    scale(film, qtbot, "100 mm of a ruler", (60.0, 60.0), (60.0, 62.0))
    assert "10 pixels or more" in case.notice
    assert spacing_mm(film) == own
    film.dialogs.typed = "large"
    scale(film, qtbot, "Another size…")
    assert "'large' is no size" in case.notice
    assert case.marker_ends(View.AP) == ()


def test_scanned_films_of_no_coded_view_are_shown_one_a_view(dock: Any, tmp_path: Path) -> None:
    for name, first in (("a", 0), ("b", 7)):
        pixels = np.arange(first, first + 160 * 120, dtype="u2").reshape(160, 120)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    dock.open_folder(tmp_path)
    shown = [plane.picture.volume.sources[0] for plane in dock.planes]
    assert len(set(shown)) == 2


def test_the_button_is_there_for_radiographs_alone(dock: Any, samples: Path) -> None:
    dock.open_folder(samples / "radiographs")
    tools = dock.parts.tools.tools
    assert (tools["scale"].isHidden(), tools["beside"].isHidden()) == (False, True)
    dock.open_folder(samples / "plain")
    assert (tools["scale"].isHidden(), tools["beside"].isHidden()) == (True, False)
    dock.commands.run("scale", View.CORONAL)
    assert "for radiographs" in dock.workspace.case.notice
