"""Two readings compared in a real window: both drawn, the consensus saved as its own reader."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from napari_necroangle.canvas.overlay import PENS
from napari_necroangle.reading.texts import signed
from readingroom import drawn, mark

from necroangle.annotation import load_reading, save_reading, sha256_of
from necroangle.measurement import measure, method_named
from necroangle.protocol.study import new_protocol, study_toml
from necroangle.terms import View

pytestmark = pytest.mark.screen

NAME = "PHANTOM-01__R__baseline"


@pytest.fixture
def pair(dock: Any, qtbot: Any, samples: Path, tmp_path: Path) -> tuple[Path, Path]:
    """One hip read by r1 at the truth, and by r2 a little beside it."""
    shutil.copytree(samples / "plain", tmp_path / "images" / "plain")
    truth = load_reading(samples / "readings" / f"{NAME}__truth__1.reading.json")
    paths = []
    for reader, jitter_mm in (("r1", 0.0), ("r2", 1.0)):
        dock.workspace.keep_readings_in(tmp_path / "readings" / reader)
        dock.workspace.reader = reader
        dock.open_folder(tmp_path / "images")
        dock.workspace.case.session.enter(reader=reader)
        mark(dock, truth, jitter_mm)
        paths.append(dock.save())
        dock.workspace.forget_cases()
    dock.workspace.close_folder()
    dock.workspace.readings = None
    dock.show_current()
    return paths[0], paths[1]


def lines_of(plane: Any) -> dict[str, Any]:
    """What is drawn of the two readers, by pen."""
    return {pen: drawn(plane, pen) for pen in PENS if "reader" in pen and len(drawn(plane, pen))}


def is_seen(dock: Any, *parts: Any) -> bool:
    """Whether parts of the dock's list are seen as a whole, without scrolling."""
    from qtpy.QtCore import QRect

    seen = dock.parts._scroll.viewport()
    places = (QRect(one.mapTo(seen, one.rect().topLeft()), one.size()) for one in parts)
    return all(seen.rect().contains(place) for place in places)


def test_both_are_drawn_and_the_consensus_is_saved(
    dock: Any, qtbot: Any, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    readings = [load_reading(path) for path in pair]
    cna = [measure(one).cna_deg or 0.0 for one in readings]
    bar = dock.parts._scroll.verticalScrollBar()
    bar.setValue(bar.maximum())  # where another hip may have left the list
    assert dock.compare(*pair)
    qtbot.waitUntil(lambda: is_seen(dock, dock.board.heading, dock.board.table), timeout=60_000)
    qtbot.wait(200)
    assert "Consensus from" in dock.parts.steps.line.text()
    for plane, view in zip(dock.planes, dock.mode.both.views, strict=True):
        lines = lines_of(plane)
        assert sorted(lines) == [
            f"{who} reader {part}" for who in ("first", "second") for part in ("arcs", "circle")
        ]
        assert list(plane.model.layers) == [plane.image]
        first, second = lines["first reader circle"], lines["second reader circle"]
        colours = {PENS[f"{who} reader circle"].colour for who in ("first", "second")}
        assert len(colours) == 2
        assert len(first) > 1.5 * len(second)
        assert set(plane.sketch.lines("first reader circle")) == {plane.slice_index}
        centre = first[-2:].reshape(-1, 2).mean(axis=0)
        assert np.allclose(centre, view.first.centre, atol=1e-6)
    words = dock.board.cell_words()
    assert "r1" in words
    assert signed(cna[1] - cna[0]) in dock.board.words.text()
    assert not dock.parts.who.isVisible()

    dock.board.button("r2").click()
    assert dock.workspace.case.session.outcome().hip.cna_deg == pytest.approx(cna[1])
    dock.workspace.case.session.undo()
    dock.board.button("r1").click()
    assert "save the consensus" in dock.parts.steps.line.text()
    dock.workspace.case.session.enter(notes="agreed")
    path = dock.save()
    assert dock.parts.steps.line.text().startswith("The consensus is saved.")
    assert path == tmp_path / "readings" / "consensus" / f"{NAME}__consensus__1.reading.json"
    saved = load_reading(path)
    assert saved.reader == "consensus"
    assert saved.consensus_of == tuple(sha256_of(one.read_bytes()) for one in pair)
    assert saved.notes == "agreed"
    assert dock.dialogs.asked == []
    assert [load_reading(one) for one in pair] == readings

    dock.commands.run("overlay", View.CORONAL)
    assert not dock.planes[0].sketch.visible
    dock.board.leave_button.click()
    assert lines_of(dock.planes[0]) == {}
    assert dock.parts.who.isVisible()
    assert dock.workspace.reader != "consensus"

    assert dock.compare(*pair)
    assert dock.workspace.case.session.draft.notes == "agreed"
    dock.workspace.case.session.enter(notes="agreed again")
    assert dock.save() == path

    # both are measured as their study does
    centre_plane = method_named("centre_plane")
    (tmp_path / "study.toml").write_bytes(study_toml(new_protocol("onfh", "centre_plane")))
    assert dock.compare(*pair)
    assert dock.mode.both.cna_of_each_deg == tuple(
        measure(one, centre_plane).cna_deg for one in readings
    )
    assert dock.mode.both.cna_of_each_deg != tuple(cna)


def test_an_unsaved_consensus_is_offered_again(
    dock: Any, qtbot: Any, pair: tuple[Path, Path]
) -> None:
    """On a low screen the list begins with what comes first: the table, or the offer above it."""
    from napari_necroangle.modes.adjudication import Start

    dock.window().resize(960, 540)
    dock.compare(*pair)
    qtbot.waitUntil(lambda: is_seen(dock, dock.board.heading, dock.board.table), timeout=60_000)
    dock.mode.start(Start.FIRST)
    qtbot.wait(100)
    assert is_seen(dock, dock.board.heading, dock.board.table)
    draft = dock.workspace.case.session.draft
    dock.workspace.autosave.close()
    dock.read_freely()
    assert dock.recovery.waiting == ()
    dock.workspace.forget_cases()
    dock.compare(*pair)
    assert "consensus" in dock.recovery.words.text()
    qtbot.waitUntil(lambda: is_seen(dock, dock.recovery), timeout=60_000)
    dock.recovery.take_button.click()
    assert dock.workspace.case.session.draft == draft


def test_what_cannot_be_compared_is_said(
    dock: Any, samples: Path, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    assert not dock.compare(pair[0], pair[0])
    assert "both readings are by reader r1" in dock.dialogs.asked[-1]
    conduct = msgspec.structs.replace(load_reading(pair[1]).conduct, worklist="wl-x", read_order=1)
    open_one = msgspec.structs.replace(load_reading(pair[1]), conduct=conduct)
    path = tmp_path / "open.reading.json"
    save_reading(open_one, path)
    assert not dock.compare(pair[0], path)
    assert "not submitted yet" in dock.dialogs.asked[-1]
    dock.open_folder(samples / "oblique")
    assert not dock.compare(*pair)
    assert "not in the open folder" in dock.dialogs.asked[-1]
    assert dock.parts.who.isVisible()
