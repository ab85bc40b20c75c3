"""One more entry touches two files: its declaration, and the script that gives it a column."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import onemoreentry
import pytest

from necroangle.entries import CLINICAL_FIELDS, FIELDS, KEYS, READ_FIELDS
from necroangle.ledger.schema import SCHEMA_VERSION

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def _with_more(folder: Path) -> None:
    """A copy of the package with three more entries: two files are written, no other is touched."""
    package = folder / "necroangle"
    shutil.copytree(ROOT / "necroangle", package, ignore=shutil.ignore_patterns("__pycache__"))
    registry = package / "entries.py"
    text = registry.read_text("utf-8")
    assert text.count(onemoreentry.BEFORE) == 1
    declared = onemoreentry.DECLARED.strip("\n") + "\n" + onemoreentry.BEFORE
    registry.write_text(text.replace(onemoreentry.BEFORE, declared), "utf-8")
    now = SCHEMA_VERSION + 1
    script = package / "ledger" / "migrations" / "versions" / f"v{now:04}_one_more.py"
    script.write_text(onemoreentry.SCRIPT.format(now=now, before=SCHEMA_VERSION), "utf-8")


def _run(folder: Path, *words: str) -> None:
    work = folder / "work"
    work.mkdir()
    old = shutil.copy(
        ROOT / "tests" / "ledger" / "archive" / "cohort_v2.sqlite", work / "old.sqlite"
    )
    done = subprocess.run(
        [sys.executable, onemoreentry.__file__, str(old), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(folder), "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.stdout.endswith("all follows\n"), done.stdout + done.stderr


def test_all_follows_from_the_declaration(tmp_path: Path) -> None:
    _with_more(tmp_path)
    _run(tmp_path)


@pytest.mark.screen
def test_the_dock_offers_what_is_declared(tmp_path: Path) -> None:
    pytest.importorskip("qtpy")
    _with_more(tmp_path)
    _run(tmp_path, "dock")


def test_every_entry_is_whole() -> None:
    for field in FIELDS:
        choices = field.choices.choices if field.choices is not None else ()
        words = [name for one in choices for name in one.names]
        assert len(set(words)) == len(words), f"{field.path}: one word names two values"
        assert len({one.code for one in choices}) == len(choices), field.path
        assert len({one.label for one in choices}) == len(choices), field.path
        if field.type == "whole" and choices:
            assert all(one.word == str(one.code) for one in choices), field.path
    assert {field.kind for field in CLINICAL_FIELDS} == KEYS.keys()


def test_what_a_reader_enters_is_a_list_or_a_number_in_a_range_and_names_its_source() -> None:
    assert [field.name for field in READ_FIELDS] == [
        "arco",
        "jic",
        "jic_stage",
        "steinberg",
        "steinberg_size",
    ]
    for field in READ_FIELDS:
        assert field.kind in ("visit", "view")
        assert field.kind == "visit" or field.by == "reader"
        assert field.choices is not None or None not in (field.low, field.high)
        assert field.source.startswith("doi 10.")


def test_every_entry_of_the_reader_is_named_in_the_docs() -> None:
    said = (DOCS / "reading_file.md").read_text("utf-8")
    assert all(f"`{field.name}`" in said for field in READ_FIELDS)
    said = (DOCS / "study.md").read_text("utf-8")
    assert all(f"`{field.name}`" in said for field in CLINICAL_FIELDS)
