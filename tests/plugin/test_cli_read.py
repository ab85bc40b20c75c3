"""``necroangle read``: starts napari in its own process, or says plainly why it cannot."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from napari_necroangle.__main__ import main

from necroangle.cli.readings.read import command


def test_without_napari_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = importlib.util.find_spec

    def missing(name: str, package: str | None = None) -> Any:
        return None if name == "napari" else found(name, package)

    monkeypatch.setattr("necroangle.cli.readings.read.find_spec", missing)
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert result.exit_code == 2
    assert result.output.strip().count("\n") == 0
    assert 'pip install "necroangle[gui]"' in result.output


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a Linux matter")
def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "there is no display" in result.output


def test_it_hands_over_what_it_was_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls: list[list[str]] = []

    def run(arguments: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        calls.append(arguments)
        return subprocess.CompletedProcess(arguments, 0 if not check else 1)

    monkeypatch.setattr("necroangle.cli.readings.read.subprocess.run", run)
    result = CliRunner().invoke(command, [str(tmp_path), "--reader", "r7"])
    assert result.exit_code == 0
    assert calls[0][1:4] == ["-m", "napari_necroangle", "--reader"]
    assert calls[0][-2:] == ["--", str(tmp_path)]


def test_a_worklist_and_a_comparison_are_handed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[list[str]] = []

    def run(arguments: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        calls.append(arguments)
        return subprocess.CompletedProcess(arguments, 0 if not check else 1)

    monkeypatch.setattr("necroangle.cli.readings.read.subprocess.run", run)
    files = [tmp_path / name for name in ("study.worklist.json", "a.json", "b.json")]
    for file in files:
        file.write_text("{}")
    worklist, first, second = (str(file) for file in files)
    result = CliRunner().invoke(command, ["--worklist", worklist, "--reader", "r7"])
    assert result.exit_code == 0, result.output
    assert calls[0][3:-1] == ["--reader", "r7", "--worklist", worklist, "--size", "1700x950"]
    result = CliRunner().invoke(command, [str(tmp_path), "--adjudicate", first, second])
    assert result.exit_code == 0, result.output
    assert calls[1][-5:] == ["--adjudicate", first, second, "--", str(tmp_path)]
    for wrong in (
        ["--worklist", worklist],
        [str(tmp_path), "--worklist", worklist, "--reader", "r"],
    ):
        result = CliRunner().invoke(command, wrong)
        assert result.exit_code == 2
        assert "--worklist" in result.output
    assert len(calls) == 2


def test_the_command_does_not_load_napari() -> None:
    code = (
        "import sys, necroangle.cli.readings.read; "
        "print(*(name in sys.modules for name in ('napari', 'qtpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
