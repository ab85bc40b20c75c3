"""Every command that the README shows is run, as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
WINDOW = [line for line in LINES if line.startswith("necroangle read")]
PLAIN = [line for line in LINES if line.startswith("necroangle") and line not in WINDOW]
BROWSE = [line for line in LINES if line.startswith("napari")]
SET_UP = [line for line in LINES if line not in WINDOW + PLAIN + BROWSE]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample studies, as a user's clone has them."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("sample_dicoms", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def run(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-c", line],
        cwd=place,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def test_the_readme_shows_commands() -> None:
    assert len(PLAIN) >= 6
    assert len(WINDOW) == 1


def test_the_plain_commands_work_in_their_order(place: Path) -> None:
    for line in PLAIN:
        done = run(line, place)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert len((place / "cohort.csv").read_text("utf-8").splitlines()) > 8
    assert (place / "reading.schema.json").stat().st_size > 1000
    assert (place / "my_phantom" / "truth.json").exists()


@pytest.mark.screen
@pytest.mark.parametrize("line", WINDOW)
def test_the_reading_window_opens(line: str, place: Path) -> None:
    if not os.environ.get("DISPLAY"):
        pytest.skip("needs a display: run by `make test`, which brings a virtual one")
    done = run(f"{line} --screenshot window.png", place)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert (place / "window.png").stat().st_size > 50_000


@pytest.mark.screen
@pytest.mark.parametrize("line", BROWSE)
def test_napari_stays_open_on_the_folder(line: str, place: Path) -> None:
    if not os.environ.get("DISPLAY"):
        pytest.skip("needs a display: run by `make test`, which brings a virtual one")
    done = run(f"timeout 20 {line}", place)
    assert done.returncode == 124, (done.stdout, done.stderr)
    assert "Error" not in done.stderr, done.stderr


@pytest.mark.parametrize("line", SET_UP)
def test_the_set_up_commands_are_run_by_the_check_recipes(line: str) -> None:
    recipes = (ROOT / ".ci" / "run").read_text() + (ROOT / ".ci" / "test-wheel").read_text()
    assert line.removeprefix("pip install ") in recipes
