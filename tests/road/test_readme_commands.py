"""Every command that the README shows is run, as it stands there.

By the copy that runs the tests, within this process. `.ci/test-wheel` gives the commands of an
installed wheel instead: they are run in a shell, and with them what needs processes of its own.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_command

from necroangle.samples import copy_samples

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
LINES = [line for block in BLOCKS for line in block.splitlines() if line.strip()]
CLUSTER = [line for block in BLOCKS if "dask" in block for line in block.splitlines() if line]
LINES = [line for line in LINES if line not in CLUSTER]
WINDOW = [line for line in LINES if line.startswith("necroangle read")]
PLAIN = [line for line in LINES if line.startswith("necroangle") and line not in WINDOW]
BROWSE = [line for line in LINES if line.startswith("napari")]
SET_UP = [line for line in LINES if line not in WINDOW + PLAIN + BROWSE]
WHEEL = os.environ.get("NECROANGLE_COMMANDS")
COMMANDS = Path(WHEEL or Path(sys.executable).parent)
by_wheel = pytest.mark.skipif(not WHEEL, reason="run by `make wheel`, with the installed wheel")
LONG = ("phantom", "selftest")
"""Tests of their own run them; here the wheel does."""
OF_CHECKOUT = ("PYTHONPATH", "VIRTUAL_ENV")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the checkout, with the sample studies."""
    folder = tmp_path_factory.mktemp("place")
    copy_samples(folder / "sample_dicoms")
    return folder


def run(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in OF_CHECKOUT}
    if not WHEEL:
        kept = dict(os.environ)
    return subprocess.run(
        ["bash", "-c", line],
        cwd=place,
        env={**kept, "PATH": os.pathsep.join((str(COMMANDS), os.environ["PATH"]))},
        capture_output=True,
        text=True,
        check=False,
    )


def run_here(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    """The same line within this process."""
    words, _, file = line.partition(" > ")
    name, *arguments = shlex.split(words)
    assert name == "necroangle"
    done = run_command(*arguments, folder=place)
    if file:
        (place / file).write_text(done.stdout, "utf-8")
    return done


def test_the_readme_shows_commands() -> None:
    assert len(PLAIN) >= 6
    assert len(WINDOW) == 1


def test_the_plain_commands_work_in_their_order_in_an_empty_folder(tmp_path: Path) -> None:
    for line in PLAIN:
        if not WHEEL and line.split()[1] in LONG:
            continue
        done = run(line, tmp_path) if WHEEL else run_here(line, tmp_path)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert len((tmp_path / "cohort.csv").read_text("utf-8").splitlines()) > 8
    assert (tmp_path / "reading.schema.json").stat().st_size > 1000
    assert (tmp_path / "my_phantom" / "truth.json").exists() or not WHEEL


@by_wheel
def test_the_recipe_for_a_cluster_works(place: Path) -> None:
    assert len(CLUSTER) == 3
    run("necroangle pack sample_dicoms/readings -o study.parquet", place)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    recipe = "; ".join(CLUSTER).replace("&;", "&").replace("8786", port)
    recipe = recipe.replace("cohort.sqlite", "from_cluster.sqlite")
    recipe = recipe.replace("--port", "--no-dashboard --port")
    done = run(f"trap 'kill $(jobs -p)' EXIT; {recipe}", place)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "15 measured: 15 new" in done.stdout


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
    done = run(f"timeout 12 {line}", place)
    assert done.returncode == 124, (done.stdout, done.stderr)
    assert "Error" not in done.stderr, done.stderr


@pytest.mark.parametrize("line", SET_UP)
def test_the_set_up_commands_are_run_by_the_check_recipes(line: str) -> None:
    recipes = (ROOT / ".ci" / "run").read_text() + (ROOT / ".ci" / "test-wheel").read_text()
    assert line.removeprefix("pip install ") in recipes


def test_what_make_does_stands_beside_it_for_those_without() -> None:
    set_up, recipe = (ROOT / ".ci" / "set-up").read_text(), (ROOT / "Makefile").read_text()
    extras = re.findall(r"(demo|test)\) extras=(\S+)", set_up)
    assert [name for name, _ in extras] == ["demo", "test"]
    for _, names in extras:
        assert f'pip install --constraint .ci/versions.txt --editable ".[{names}]"' in README
    (tests,) = re.findall(r"\$\(BIN\)/(pytest .*)", recipe)
    assert f"`{tests}`" in README
    assert "`necroangle demo`" in README
