"""The notebooks run from their first cell to their last, and keep no output."""

import json
import logging
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


def test_there_are_two() -> None:
    assert len(NOTEBOOKS) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_output(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    assert all(cell.get("outputs", []) == [] for cell in cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    for needed in ("nbclient", "nbformat", "ipykernel", "matplotlib"):
        pytest.importorskip(needed, reason="running the notebooks needs the extra test")
    client, nbformat = map(import_module, ("nbclient", "nbformat"))

    notebook = nbformat.read(path, as_version=4)
    client.NotebookClient(
        notebook, timeout=None, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    shown = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    assert any("<svg" in "".join(one.get("text/html", "")) for one in shown) or any(
        "image/png" in one for one in shown
    )


def test_a_dictionary_can_be_logged(caplog: pytest.LogCaptureFixture) -> None:
    # the notebooks' client logs every message so, and a test may leave the logs wide open
    with caplog.at_level("DEBUG"):
        logging.getLogger("client").debug("content: %s", {"code": "1", "execution_count": 1})
    assert "'execution_count': 1" in caplog.text
