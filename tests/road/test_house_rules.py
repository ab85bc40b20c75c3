"""Rules of the house that no linter knows."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_plugins_folder_is_no_package() -> None:
    assert not (ROOT / "plugins" / "__init__.py").exists()


def test_opencv_is_imported_in_one_place() -> None:
    words = ("import cv2", "from cv2")
    users = [
        str(file.relative_to(ROOT))
        for file in ROOT.glob("necroangle/**/*.py")
        if any(line.strip().startswith(words) for line in file.read_text("utf-8").splitlines())
    ]
    assert users == ["necroangle/report/picture.py"]


def test_the_versions_agree() -> None:
    import tomllib

    import necroangle

    stated = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert necroangle.__version__ == stated


def test_python_dash_m_is_the_same_door() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "necroangle", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith("necroangle, version ")
