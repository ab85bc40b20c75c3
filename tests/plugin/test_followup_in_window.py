"""The baseline over the follow-up in a real window: on its anatomy, and never when blinded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from readingroom import drawn

from necroangle.annotation import FREE_READING, HipReading, ReadView, load_reading, save_reading
from necroangle.geometry import PatientPoints
from necroangle.measurement import change_between, measure
from necroangle.terms import Laterality, View

pytestmark = pytest.mark.screen

Points = NDArray[np.float64]
LIMIT_MM = 0.5


@pytest.fixture
def readings(samples: Path, tmp_path: Path) -> Path:
    """A folder with the baseline readings of both hips, by the truth and by a reader."""
    folder = tmp_path / "readings"
    folder.mkdir()
    for side in "RL":
        name = f"PHANTOM-04__{side}__baseline__truth__1.reading.json"
        shutil.copy(samples / "readings" / name, folder / name)
        own = msgspec.structs.replace(load_reading(folder / name), reader="r1")
        save_reading(own, folder / name.replace("truth", "r1"))
    return folder


@pytest.fixture
def dock(open_dock: Callable[[], Any], samples: Path, readings: Path, tmp_path: Path) -> Any:
    """The dock on the follow-up visit of a copy of the sample with two visits."""
    dock = open_dock()
    dock.workspace.reader = "r1"
    dock.workspace.keep_readings_in(readings)
    dock.open_folder(shutil.copytree(samples / "two_visits", tmp_path / "two_visits"))
    take(dock, "month_12", Laterality.RIGHT)
    return dock


def take(dock: Any, visit: str, side: Laterality) -> None:
    found = next(one for one in dock.workspace.visits if one.visit == visit)
    dock.free.take(found, side, found.pairs[0])


def truth(samples: Path, visit: str) -> dict[str, Any]:
    path = samples / "two_visits" / visit / "truth.json"
    found: dict[str, Any] = json.loads(path.read_text())["hips"]
    return found


def reading_of(samples: Path, visit: str, side: Laterality) -> HipReading:
    name = f"PHANTOM-04__{side}__{visit}__truth__1.reading.json"
    return load_reading(samples / "readings" / name)


def mark_rims(dock: Any, reading: HipReading) -> None:
    """Click the rims of a saved reading, on its slices."""
    case = dock.workspace.case
    for plane, entry in zip(dock.planes, reading.views, strict=True):
        assert isinstance(entry, ReadView)
        sources = [one.instance_uid for one in plane.picture.volume.sources]
        plane.go_to(sources.index(entry.image.instance_uid))
        slice_ = plane.picture.volume.planes[plane.slice_index]
        for mark in entry.rim:
            u, v = slice_.patient_to_plane(PatientPoints(np.array([mark.patient_mm])))[0].tolist()
            case.click(plane.view, plane.slice_index, (u, v))


def drawn_mm(plane: Any, part: str) -> Points:
    """(N, 2, 3) patient mm: start and end of what is drawn on a canvas in a layer."""
    found = [
        plane.picture.volume.planes[index].plane_to_patient(end)
        for index, segments in plane.sketch.lines(part).items()
        for end in segments
    ]
    return np.array(found).reshape(-1, 2, 3)


def off_plane_free(plane: Any, index: int, gap_mm: Points) -> Points:
    """Distances within a slice's plane, mm: what lies across it cannot be drawn."""
    normal = np.asarray(plane.picture.volume.planes[index].normal)
    gap = np.atleast_2d(gap_mm)
    return np.asarray(np.linalg.norm(gap - (gap @ normal)[:, None] * normal, axis=1))


@pytest.mark.parametrize("side", [Laterality.RIGHT, Laterality.LEFT])
def test_the_baseline_lands_on_the_same_anatomy(
    dock: Any, qtbot: Any, samples: Path, side: Laterality
) -> None:
    """Judged by the phantom's truth: head centre and arc ends of both visits, within 0.5 mm."""
    take(dock, "month_12", side)
    mark_rims(dock, reading_of(samples, "month_12", side))
    before, now = (truth(samples, visit)[side] for visit in ("baseline", "month_12"))
    dock.commands.run("ghost", View.CORONAL)
    qtbot.wait(100)
    moved = np.subtract(now["centre_mm"], before["centre_mm"])
    assert np.linalg.norm(moved) > 3.0  # else nothing would be shown by this
    for plane, old in zip(dock.planes, reading_of(samples, "baseline", side).views, strict=True):
        assert isinstance(old, ReadView)
        was = next(
            one
            for one in before[plane.view.value]["slices"]
            if one["instance_uid"] == old.image.instance_uid
        )
        thin, arcs = drawn_mm(plane, "ghost"), drawn_mm(plane, "ghost arc")
        (index,) = plane.sketch.lines("ghost")
        centre = np.array(was["centre_mm"]) + moved
        away = off_plane_free(plane, index, thin.reshape(-1, 3) - centre)
        assert away.max() == pytest.approx(was["radius_mm"], abs=LIMIT_MM)
        for arc in was["arcs"]:
            for name in ("start_mm", "end_mm"):
                here = np.array(arc[name]) + moved
                assert off_plane_free(plane, index, arcs.reshape(-1, 3) - here).min() < LIMIT_MM
        heights = [
            abs(float(one.distance_mm(PatientPoints(centre[None]))[0]))
            for one in plane.picture.volume.planes
        ]
        assert index == int(np.argmin(heights))


def test_the_change_is_told_live_and_is_that_of_the_measurement(
    dock: Any, qtbot: Any, samples: Path
) -> None:
    side = Laterality.RIGHT
    parts = dock.parts
    assert parts.followup.isVisible()
    words = [parts.followup.readings.widget.itemText(at) for at in range(2)]
    assert [one.split(": ")[0] for one in words] == ["baseline, by r1", "baseline, by truth"]
    assert "once both views are read" in parts.result.change.text()
    before, after = (
        replace(reading_of(samples, visit, side), reader="r1") for visit in ("baseline", "month_12")
    )
    dock.workspace.case.session.restore(after, "0" * 64)
    change = change_between(measure(before), measure(after))
    assert change.cna is not None
    said = parts.result.change.text()
    assert said.startswith(f"Change since baseline: −{abs(change.cna.value):.1f}° (−")
    assert change.verdict in said
    assert "MDC95" in said
    from napari_necroangle.dock.dock import MEASURE_MS
    from napari_necroangle.reading.draft import Handle, Role

    for shift, moved in ((3.0, True), (0.0, False)):
        u, v = dock.planes[0].uv_of(Handle(Role.END, 0))
        dock.workspace.case.session.move(View.CORONAL, Handle(Role.END, 0), (u + shift, v + shift))
        qtbot.wait(MEASURE_MS + 20)
        assert (parts.result.change.text() != said) or not moved
        said = parts.result.change.text()


def test_keys_show_it_and_go_to_its_slice(dock: Any, qtbot: Any, samples: Path) -> None:
    case = dock.workspace.case
    native = dock.canvases.native
    press(qtbot, native, "B")
    assert "Mark a head circle first" in dock.parts.steps.line.text()
    mark_rims(dock, reading_of(samples, "month_12", Laterality.RIGHT))
    plane = dock.planes[0]
    ghost = dock.commands.followup.ghost(plane.view)
    assert len(drawn(plane, "ghost")) > 40
    label = plane.sketch.texts["bottom left"]
    assert label == f"dashed: baseline\non slice {ghost.slice_index + 1}"
    plane.go_to(0)
    dock.turn_to(View.CORONAL)
    press(qtbot, dock.canvases.native, "R")
    assert plane.slice_index == ghost.slice_index
    draft = case.session.draft
    press(qtbot, dock.canvases.native, "B")
    assert len(drawn(plane, "ghost")) == 0
    assert case.session.draft is draft
    press(qtbot, dock.canvases.native, "B")
    take(dock, "month_12", Laterality.LEFT)
    assert not dock.commands.followup.is_on
    assert len(drawn(plane, "ghost")) == 0


def test_a_drag_of_an_arc_draws_no_ghost_anew(
    dock: Any, qtbot: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_necroangle.dock.dock import MEASURE_MS
    from napari_necroangle.reading.draft import Handle, Role

    session = dock.workspace.case.session
    session.restore(reading_of(samples, "month_12", Laterality.RIGHT), "0" * 64)
    dock.commands.run("ghost", View.CORONAL)
    plane, pens = dock.planes[0], []
    assert len(drawn(plane, "ghost")) > 40
    draw = plane.sketch.draw

    def noted(pen: str, lines: Any) -> None:
        before = plane.sketch.lines(pen)
        draw(pen, lines)
        if plane.sketch.lines(pen) is not before:
            pens.append(pen)

    monkeypatch.setattr(plane.sketch, "draw", noted)
    before = dock.commands.followup.ghost(View.CORONAL)
    u, v = plane.uv_of(Handle(Role.END, 0))
    for step in range(5):
        session.move(View.CORONAL, Handle(Role.END, 0), (u + step, v))
        qtbot.wait(MEASURE_MS // 2)
    assert dock.commands.followup.ghost(View.CORONAL) is before
    session.settle()
    assert "arc" in pens
    assert "ghost" not in pens
    u, v = plane.uv_of(Handle(Role.RIM, 0))
    session.move(View.CORONAL, Handle(Role.RIM, 0), (u + 2.0, v))
    qtbot.wait(MEASURE_MS + 20)
    assert "ghost" in pens


def test_a_blinded_reader_is_shown_nothing(dock: Any, qtbot: Any, samples: Path) -> None:
    session = dock.workspace.case.session
    session.restore(reading_of(samples, "month_12", Laterality.RIGHT), "0" * 64)
    dock.commands.run("ghost", View.CORONAL)
    assert len(drawn(dock.planes[0], "ghost")) > 40
    session.enter(conduct=msgspec.structs.replace(FREE_READING, blinded=True))
    assert len(drawn(dock.planes[0], "ghost")) == 0
    assert not dock.parts.followup.isVisible()
    assert not dock.parts.result.change.isVisible()
    assert dock.planes[0].sketch.texts["bottom left"] == ""
    for key in "BR":
        press(qtbot, dock.canvases.native, key)
        assert "baseline" not in dock.parts.steps.line.text()
    assert len(drawn(dock.planes[0], "ghost")) == 0
    assert dock.commands.followup.choices == ()


def press(qtbot: Any, widget: Any, key: str) -> None:
    from qtpy.QtCore import Qt

    qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{key}"))
    qtbot.wait(5)
