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


def test_python_dash_m_is_the_same_door() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "necroangle", "--version"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.startswith("necroangle, version ")


def test_every_version_that_make_installs_is_one_that_is_allowed() -> None:
    import re
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / ".ci" / "versions.txt").read_text("utf-8").splitlines()
    assert re.fullmatch(r"# Resolved on \d{4}-\d{2}-\d{2} by `make versions`; .*", lines[0])
    held: dict[str, set[str]] = {}
    for line in lines[1:]:
        pinned = Requirement(line)
        (only,) = pinned.specifier
        assert only.operator == "=="
        held.setdefault(canonicalize_name(pinned.name), set()).add(only.version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [
        Requirement(line) for line in [*project["dependencies"], *(x for e in extras for x in e)]
    ]
    for requirement in asked:
        name = canonicalize_name(requirement.name)
        if name != "necroangle":
            assert name in held, f"{name}: run make versions"
            assert all(map(requirement.specifier.contains, held[name])), name


def test_every_place_that_the_page_of_the_house_names_is_there() -> None:
    import re

    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`((?:necroangle|plugins|tests|docs)/[\w./]+)`", page)
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_a_package_has_at_most_25_modules() -> None:
    for package in {path.parent for root in ("necroangle", "plugins") for path in
                    (ROOT / root).rglob("*.py")}:  # fmt: skip
        assert len(list(package.glob("*.py"))) <= 25, package
