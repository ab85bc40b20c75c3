"""A folder is looked through in a thread: the window is drawn, takes no input, and closes after."""

import threading
from pathlib import Path
from typing import Any

import pytest
from napari_necroangle.modes import workspace as workspace_module
from qtpy.QtCore import Qt, QTimer

from necroangle.dicom import Scan, SeriesSummary, read_volume, scan_folder
from necroangle.errors import DicomError
from necroangle.imaging import Volume

pytestmark = pytest.mark.screen
LONGEST_S = 60.0


@pytest.fixture
def dock(open_dock: Any) -> Any:
    return open_dock()


def test_the_window_is_drawn_while_a_folder_is_looked_through(
    dock: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = threading.Event()
    told: list[tuple[int, ...]] = []

    def slowly(folder: Path, progress: Any, names: Any) -> Scan:
        progress(1, 2)
        assert threading.current_thread() is not threading.main_thread()
        assert drawn.wait(LONGEST_S)  # for a timer of the window's thread, which must run
        return scan_folder(folder, progress, names)

    monkeypatch.setattr(workspace_module, "scan_folder", slowly)

    def show(*at: int) -> None:
        told.append(at)
        drawn.set()

    def read(series: SeriesSummary) -> Volume:
        readers.append(threading.current_thread())
        return read_volume(series)

    readers: list[threading.Thread] = []
    monkeypatch.setattr(dock.workspace.ahead, "_read", read)
    monkeypatch.setattr(dock.parts.study, "show_progress", show)
    dock.open_folder(samples / "plain")
    assert dock.workspace.case is not None
    assert told[0] == (1, 2)
    assert told[-1][0] == told[-1][1] > 2
    assert len(readers) >= 2  # both views; the next hip may be read ahead by now
    assert threading.main_thread() not in readers


def test_a_window_that_is_closed_meanwhile_closes_when_it_is_done(
    dock: Any, samples: Path, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, asked = dock.window(), threading.Event()
    window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)

    def slowly(folder: Path, progress: Any, names: Any) -> Scan:
        assert asked.wait(LONGEST_S)
        return scan_folder(folder, progress, names)

    def close() -> None:
        window.close()
        asked.set()

    monkeypatch.setattr(workspace_module, "scan_folder", slowly)
    QTimer.singleShot(0, close)
    dock.open_folder(samples / "plain")
    assert dock.workspace.case is not None  # opened whole, under a window that is there
    assert window.isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=int(LONGEST_S * 1000))


def test_what_cannot_be_opened_is_told(
    dock: Any, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Scan:
        raise DicomError("no folder; give the folder that holds the study", file="x", stage="open")

    told: list[tuple[str, str]] = []
    monkeypatch.setattr(dock.dialogs, "tell", lambda *words: told.append(words))
    monkeypatch.setattr(workspace_module, "scan_folder", refused)
    dock.open_folder(samples / "plain")
    assert told == [
        ("This folder cannot be opened", "x: no folder; give the folder that holds the study")
    ]
    monkeypatch.undo()
    dock.open_folder(samples / "plain")
    assert dock.workspace.case is not None
