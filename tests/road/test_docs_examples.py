"""What the documents show is run, and says what stands there; what they link to is there."""

import contextlib
import io
import json
import re
import tomllib
from pathlib import Path

import pytest
from documents import (
    DOCUMENTS,
    ELSEWHERE,
    KINDS,
    ROOT,
    acts_of,
    blocks_of,
    perform,
    prepare,
)

BLOCKS = [
    (path.name, block) for path in DOCUMENTS for kind, block in blocks_of(path) if kind == "python"
]
PAGES = [path for path in DOCUMENTS if path.name != "README.md" and acts_of(path)]
"""Pages with commands; the README has a test of its own."""


def name_of(path: Path) -> str:
    """A page for people."""
    return path.relative_to(ROOT).as_posix()


def test_there_is_something_to_run() -> None:
    assert BLOCKS
    assert len(PAGES) > 10


@pytest.mark.parametrize(("name", "block"), BLOCKS)
def test_a_block_says_what_its_comments_say(
    name: str, block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(block, name, "exec"), {})
    expected = [line.split("  # ")[1] for line in block.splitlines() if "  # " in line]
    assert said.getvalue().splitlines() == expected


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_the_commands_of_a_page_do_what_it_shows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    acts = acts_of(path)
    prepare(acts, tmp_path)
    for act in acts:
        problem = perform(act)
        assert not problem, problem


def test_a_command_that_does_otherwise_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ necroangle --version\nnecroangle, version 99\n```\n"
        "```sh\nnecroangle measure nowhere\nnecroangle read --no-such-option\nsudo true\n```\n"
    )
    problems = [perform(act) for act in acts_of(page)]
    assert len(problems) == 4
    assert all(problems)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_block_says_what_it_is_and_is_it(path: Path) -> None:
    for kind, text in blocks_of(path):
        assert kind in KINDS or kind.startswith("{"), (kind, text)
        if kind == "toml":
            tomllib.loads(text)
        elif kind == "json":
            json.loads(text)


def test_what_is_not_run_here_is_run_by_another_test() -> None:
    own = {Path(__file__), ROOT / "tests" / "support" / "documents.py"}
    others = "".join(
        path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path not in own
    )
    run = {act.what.split()[1] for act in acts_of(ROOT / "README.md") if act.what[:4] == "necr"}
    tried = {one for one in ELSEWHERE if f'"{one}"' in others or f".{one} import" in others}
    assert set(ELSEWHERE) - run - tried == set()


def test_every_page_has_its_place_in_the_site() -> None:
    docs = ROOT / "docs"
    listed = {
        found.resolve()
        for page in docs.rglob("*.md")
        for kind, text in blocks_of(page)
        if kind == "{toctree}"
        for line in text.splitlines()
        if line and line[0] != ":"
        for found in page.parent.glob(f"{line}.md")
    }
    assert set(docs.rglob("*.md")) - listed == {docs / "index.md"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:\s]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


def test_every_message_that_troubleshooting_explains_is_one_of_the_program() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    quoted = [a or b for a, b in re.findall(r"^\| (?:``(.+?)``|`(.+?)`) \|", page, re.MULTILINE)]
    assert len(quoted) > 40
    code = "\n".join(
        texts_in_one_line(file.read_text("utf-8"))
        for folder in ("necroangle", "plugins")
        for file in sorted((ROOT / folder).rglob("*.py"))
    )
    unknown = [words for words in quoted if all(f"{q}{words}{q}" not in code for q in "\"'")]
    assert unknown == []


def texts_in_one_line(source: str) -> str:
    """Source with the parts of each text joined, and … for what is put in."""
    joined = re.sub(r"([\"'])\n\s*f?\1", "", source)
    return re.sub(r"\{[^{}\n]*\}", "…", joined)


def test_every_figure_of_validation_stands_where_its_command_is_explained() -> None:
    page = (ROOT / "docs" / "validation.md").read_text("utf-8")
    sources = "".join(
        (ROOT / name).read_text("utf-8")
        for name in ("benchmarks/README.md", "docs/centre_plane.md", "docs/measurement.md")
    )
    cells = [cell for line in page.splitlines() if line[:2] == "| " for cell in line.split("|")[2:]]
    figures = re.findall(r"\d+\.\d+|\d+(?=°)", " ".join(cells))
    assert len(figures) > 15
    shares = {figure: f"{float(figure) / 100:.3f}".lstrip("0") for figure in figures}
    assert [one for one in figures if one not in sources and shares[one] not in sources] == []


def test_every_command_of_validation_is_there() -> None:
    page = (ROOT / "docs" / "validation.md").read_text("utf-8")
    scripts = re.findall(r"^python (benchmarks/\w+\.py)", page, re.MULTILINE)
    assert len(scripts) > 4
    assert [name for name in scripts if not (ROOT / name).exists()] == []
