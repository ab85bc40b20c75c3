"""What commands show: no value is cut, whatever the width and the letters of the console."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_command
from hipmaker import make_reading
from hypothesis import given
from hypothesis import strategies as st

from necroangle.cli.screen import Bars, ScreenColumn, table_lines
from necroangle.cohort import CohortStore, to_row
from necroangle.ledger.table import HEADINGS, main_cells
from necroangle.measurement import measure
from necroangle.plain_text import readable

WORDS = st.text("abcXYZ019.°±…한환", min_size=1, max_size=12)
CELLS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[ScreenColumn], list[list[str]]]:
    count = draw(st.integers(1, 9))
    columns = [
        ScreenColumn(
            f"column{number}",
            is_number=draw(st.booleans()),
            wraps=draw(st.booleans()),
            yields=draw(st.integers(0, 3)),
        )
        for number in range(count)
    ]
    rows = st.lists(st.lists(CELLS, min_size=count, max_size=count), min_size=1, max_size=4)
    return columns, draw(rows)


@given(tables(), st.integers(40, 200), st.sampled_from(["utf-8", "cp1252", "cp437", "ascii"]))
def test_every_value_is_shown_whole_or_its_column_is_named_as_hidden(
    table: tuple[list[ScreenColumn], list[list[str]]], width: int, encoding: str
) -> None:
    columns, rows = table
    stdout = sys.stdout
    sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    try:
        lines, shown = table_lines(columns, rows, width)
    finally:
        sys.stdout = stdout
    text = "\n".join(lines)
    text.encode(encoding)
    assert shown == len(rows)
    seen, _, hidden = text.partition("not shown, for want of room:")
    seen = " ".join(seen.split())
    names = {name.strip(",") for name in hidden.split()}
    for number, column in enumerate(columns):
        for row in rows:
            words = readable(row[number], encoding).split()
            assert column.heading in names or all(word in seen for word in words)
            is_whole = column.wraps or "column0: " in seen
            assert column.heading in names or is_whole or " ".join(words) in seen
    longest = max(len(readable(word, encoding)) for row in rows for word in " ".join(row).split())
    assert all(len(line) <= max(width, 2 * longest + 20) for line in lines)


def test_only_as_many_rows_as_fit() -> None:
    columns = [ScreenColumn("hip"), ScreenColumn("flags", wraps=True)]
    rows = [[f"S{number}", "short rim, hip radii differ, near cutoff"] for number in range(9)]
    lines, shown = table_lines(columns, rows, 30, height=4)
    assert shown == 2
    assert sum("S" in line for line in lines) == 2


@pytest.mark.parametrize(
    ("encoding", "width"), [("utf-8", 40), ("cp1252", 80), ("cp437", 100), ("ascii", 60)]
)
def test_the_cohort_table_on_every_console(tmp_path: Path, encoding: str, width: int) -> None:
    readings = [make_reading(107.5, 110.8), make_reading(0.0, 80.0, subject="홍길동")]
    rows = [to_row(reading, measure(reading), "0" * 64) for reading in readings]
    CohortStore.open(tmp_path / "cohort.sqlite").upsert(rows)
    done = run_command("table", folder=tmp_path, columns=width, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    if encoding == "cp437":
        env = {**os.environ, "COLUMNS": str(width), "PYTHONIOENCODING": encoding}
        command = [sys.executable, "-m", "necroangle", "table"]
        alone = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True)
        assert (alone.stdout.decode(encoding), alone.stderr) == (done.stdout, b"")
    seen, _, hidden = done.stdout.partition("not shown, for want of room:")
    for row in rows:
        for name, cell in zip(HEADINGS, main_cells(row), strict=True):
            words = readable(cell, encoding).split()
            assert name == "method" or name in hidden or all(word in seen for word in words)


class KeptTasks:
    """Stands for a progress display, and keeps what it was told."""

    def __init__(self) -> None:
        self.tasks: list[tuple[int, int]] = []

    def add_task(self, _: str, total: int | None) -> int:
        self.tasks.append((0, total or 0))
        return len(self.tasks) - 1

    def update(self, task: int, completed: int, total: int | None) -> None:
        self.tasks[task] = (completed, total or 0)


def test_every_bar_ends_at_all_of_it() -> None:
    kept = KeptTasks()
    shown = Bars(kept)
    shown.begin("walking").to(3)
    shown.begin("drawing", 13).on()
    shown.begin("nothing")
    shown.end()
    assert kept.tasks == [(3, 3), (13, 13), (1, 1)]
