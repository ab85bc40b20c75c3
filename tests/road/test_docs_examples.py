"""The Python that the documents show is run, and says what its comment says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = [
    (file.name, block)
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for block in re.findall(r"```python\n(.*?)```", file.read_text("utf-8"), re.DOTALL)
]


def test_there_is_something_to_run() -> None:
    assert BLOCKS


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


@pytest.mark.parametrize("file", sorted((ROOT / "docs").glob("*.md")), ids=lambda file: file.name)
def test_links_between_documents_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text("utf-8")):
        assert (file.parent / target).exists(), target


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text("utf-8")):
        assert (ROOT / target).exists(), target
