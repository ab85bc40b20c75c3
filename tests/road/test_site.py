"""The parts of the site that are made from the code, and the check of the site that was built."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from documents import ROOT

from necroangle.cli import cli
from necroangle.entries import FIELDS
from necroangle.measurement.columns import COLUMNS
from necroangle.terms import Flag


def script(name: str) -> ModuleType:
    """A script of the docs as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def parts() -> ModuleType:
    return script("site_parts")


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ("commands", [f"## {name}\n" for name in cli.list_commands(click.Context(cli))]),
        ("columns", [f"| `{column.name}` |" for column in COLUMNS]),
        ("flags", [f"| `{flag}` |" for flag in Flag]),
        ("entries", [f"| `{field.name}` |" for field in FIELDS]),
        ("refusals", ["- the table is empty", "- absent: a header without its image"]),
    ],
)
def test_a_page_has_its_generated_part(parts: ModuleType, part: str, wanted: list[str]) -> None:
    (page,) = (
        path
        for path in (ROOT / "docs" / "reference").glob("*.md")
        if parts.PLACE.format(part) in path.read_text("utf-8")
    )
    filled = parts.fill(page.read_text("utf-8"))
    assert parts.PLACE.format(part) not in filled
    assert [one for one in wanted if one not in filled] == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    check = script("check_site")
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text('<h1 id="top">A</h1><a href="sub/b.html#here">B</a>')
    (tmp_path / "sub" / "b.html").write_text(
        '<p id="here"><a href="../a.html">A</a> <img src="c.png">'
    )
    assert list(check.dead_links(tmp_path)) == ["sub/b.html: c.png"]
    (tmp_path / "sub" / "c.png").write_bytes(b"")
    assert list(check.dead_links(tmp_path)) == []
    assert check.main([str(tmp_path)]) == 0
    (tmp_path / "a.html").write_text(
        '<a href="sub/b.html#there">B</a> <a href="https://x.org/">X</a>'
    )
    assert list(check.dead_links(tmp_path)) == ["a.html: sub/b.html#there"]
    assert check.main([str(tmp_path)]) == 1
