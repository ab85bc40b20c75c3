"""What a release says of itself: one version everywhere, and a page for a package index."""

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import necroangle

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def set_up() -> Any:
    """The module that builds."""
    pytest.importorskip("setuptools")
    found = importlib.util.spec_from_file_location("set_up", ROOT / "setup.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_one_version_stands_everywhere() -> None:
    version = PROJECT["version"]
    assert necroangle.__version__ == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    for page in ("README.md", "docs/install.md"):
        wheels = re.findall(r"necroangle-([\d.]+)-py3", (ROOT / page).read_text("utf-8"))
        assert set(wheels) == {version}


def test_the_page_of_a_package_index_leads_to_the_repository(set_up: Any) -> None:
    readme = "[a](docs/a.md) ![b](docs/b.png)\n[c](https://d.org) [e](#f)"
    whole = set_up.page(readme, "https://r.org/n")
    assert whole == (
        "[a](https://r.org/n/blob/main/docs/a.md) ![b](https://r.org/n/raw/main/docs/b.png)\n"
        "[c](https://d.org) [e](#f)"
    )
    assert set_up.page(readme, "") == "a [c](https://d.org) [e](#f)"
    assert not re.findall(r"\]\((?!https?:|#)", set_up.page((ROOT / "README.md").read_text(), ""))


def test_no_classifier_says_more_than_was_run() -> None:
    systems = [one for one in PROJECT["classifiers"] if one.startswith("Operating System")]
    assert systems == ["Operating System :: POSIX :: Linux"]
