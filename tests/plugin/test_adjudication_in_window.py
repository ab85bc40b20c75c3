"""Two readings compared in a real window: both drawn, the consensus saved as its own reader."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from readingroom import Answers, mark

from necroangle.annotation import load_reading, save_reading, sha256_of
from necroangle.measurement import measure
from necroangle.terms import View

pytestmark = pytest.mark.screen

NAME = "PHANTOM-01__R__baseline"


@pytest.fixture
def dock(make_napari_viewer: Any, qtbot: Any) -> Iterator[Any]:
    """The dock in a window of 1700 x 950."""
    from napari_necroangle.dock.dock import ReadingDock

    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1700, 950)
    opened: Any = ReadingDock(viewer)
    opened.asker = Answers()
    viewer.window.add_dock_widget(opened, name="Hip reading", area="right")
    qtbot.wait(500)
    yield opened
    opened.shutdown()


@pytest.fixture
def pair(dock: Any, qtbot: Any, samples: Path, tmp_path: Path) -> tuple[Path, Path]:
    """One hip read by r1 at the truth, and by r2 a little beside it."""
    shutil.copytree(samples / "plain", tmp_path / "images" / "plain")
    truth = load_reading(samples / "readings" / f"{NAME}__truth__1.reading.json")
    paths = []
    for reader, jitter_mm in (("r1", 0.0), ("r2", 1.0)):
        dock.desk.keep_readings_in(tmp_path / "readings" / reader)
        dock.desk.reader = reader
        dock.open_folder(tmp_path / "images")
        dock.desk.case.session.enter(reader=reader)
        mark(dock, truth, jitter_mm)
        paths.append(dock.save())
        dock.desk._cases.clear()
    dock.desk.close_folder()
    dock.desk.readings = None
    dock.show_desk()
    return paths[0], paths[1]


def lines_of(plane: Any) -> dict[str, Any]:
    return {layer.name: layer for layer in plane.model.layers if layer.name.startswith("reader ")}


def test_both_are_drawn_and_the_consensus_is_saved(
    dock: Any, qtbot: Any, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    readings = [load_reading(path) for path in pair]
    cna = [measure(one).cna_deg or 0.0 for one in readings]
    assert dock.compare(*pair)
    qtbot.wait(200)
    council = dock.council.council
    for plane, view in zip(dock.planes, council.both.views, strict=True):
        lines = lines_of(plane)
        assert sorted(lines) == [
            f"reader {n} {part}" for n in (1, 2) for part in ("arcs", "circle")
        ]
        assert plane.model.layers.selection.active is plane.points
        first, second = lines["reader 1 circle"], lines["reader 2 circle"]
        assert tuple(first.edge_color[0]) != tuple(second.edge_color[0])
        assert len(first.data) > 1.5 * len(second.data)
        assert set(first.data[:, 0, 0]) == {plane.slice_index}
        centre = first.data[-2:, 0, 1:].mean(axis=0) + first.data[-2:, 1, 1:].mean(axis=0) / 2
        assert np.allclose(centre[::-1], view.first.centre, atol=1e-6)
    words = dock.adjudication.words()
    assert "r1" in words
    assert f"{cna[1] - cna[0]:+.1f}°" in dock.adjudication.sum.text()
    assert not dock.parts.who.isVisible()

    from napari_necroangle.reading.adjudication import Start

    dock.adjudication.starts[Start.SECOND].click()
    assert dock.desk.case.session.outcome().hip.cna_deg == pytest.approx(cna[1])
    dock.desk.case.session.undo()
    dock.adjudication.starts[Start.FIRST].click()
    dock.desk.case.session.enter(notes="agreed")
    path = dock.save()
    assert path == tmp_path / "readings" / "consensus" / f"{NAME}__consensus__1.reading.json"
    saved = load_reading(path)
    assert saved.reader == "consensus"
    assert saved.consensus_of == tuple(sha256_of(one.read_bytes()) for one in pair)
    assert saved.notes == "agreed"
    assert dock.asker.asked == []
    assert [load_reading(one) for one in pair] == readings

    dock.commands.run("overlay", View.CORONAL)
    assert not any(layer.visible for layer in lines_of(dock.planes[0]).values())
    dock.adjudication.close_button.click()
    assert lines_of(dock.planes[0]) == {}
    assert dock.parts.who.isVisible()
    assert dock.desk.reader != "consensus"

    assert dock.compare(*pair)
    assert dock.desk.case.session.draft.notes == "agreed"
    dock.desk.case.session.enter(notes="agreed again")
    assert dock.save() == path


def test_an_unsaved_consensus_is_offered_again(
    dock: Any, qtbot: Any, pair: tuple[Path, Path]
) -> None:
    from napari_necroangle.reading.adjudication import Start

    dock.compare(*pair)
    dock.council.start(Start.FIRST)
    draft = dock.desk.case.session.draft
    dock.desk.keeping.close()
    dock.council.close()
    assert dock.offers.panel.waiting == ()
    dock.desk._cases.clear()
    dock.compare(*pair)
    assert "consensus" in dock.offers.panel.words.text()
    dock.offers.panel.take_button.click()
    assert dock.desk.case.session.draft == draft


def test_what_cannot_be_compared_is_said(
    dock: Any, samples: Path, tmp_path: Path, pair: tuple[Path, Path]
) -> None:
    assert not dock.compare(pair[0], pair[0])
    assert "both readings are by reader r1" in dock.asker.asked[-1]
    conduct = msgspec.structs.replace(load_reading(pair[1]).conduct, worklist="wl-x", read_order=1)
    open_one = msgspec.structs.replace(load_reading(pair[1]), conduct=conduct)
    path = tmp_path / "open.reading.json"
    save_reading(open_one, path)
    assert not dock.compare(pair[0], path)
    assert "not submitted yet" in dock.asker.asked[-1]
    dock.open_folder(samples / "oblique")
    assert not dock.compare(*pair)
    assert "not in the open folder" in dock.asker.asked[-1]
    assert dock.parts.who.isVisible()
