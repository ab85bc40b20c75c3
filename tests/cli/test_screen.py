"""What commands show: no value is cut, whatever the width and the letters of the console."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run_command
from hipmaker import make_reading
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from necroangle.cli import screen
from necroangle.cli.screen import Bars, ScreenColumn, bars, say, table_lines
from necroangle.cohort import CohortStore, to_row
from necroangle.ledger.table import HEADINGS, main_cells
from necroangle.measurement import measure
from necroangle.plain_text import harmless, readable

ODD = (
    "[bold]x[/]",
    "\x1b[31mred",
    "two\nlines",
    "-0.0",
    "nan",
    "🦴",
    "ﾊﾝｶｸ",
    "a" * 90,
    "\u202egnp",
)
WORDS = st.text("abcXYZ019.°±…한환", min_size=1, max_size=12) | st.sampled_from(ODD)
CELLS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[ScreenColumn], list[list[str]]]:
    count = draw(st.integers(1, 9))
    columns = [
        ScreenColumn(
            draw(st.sampled_from(("column", "angle°", "환자", "c" * 40))) + str(number),
            is_number=draw(st.booleans()),
            wraps=draw(st.booleans()),
            yields=draw(st.integers(0, 3)),
        )
        for number in range(count)
    ]
    rows = st.lists(st.lists(CELLS, min_size=count, max_size=count), min_size=0, max_size=4)
    return columns, draw(rows)


@given(
    tables(),
    st.integers(20, 200),
    st.sampled_from(["utf-8", "cp1252", "cp437", "ascii", "cp932", "cp949"]),
)
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
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    assert "?" not in text
    assert shown == len(rows)
    seen, _, hidden = " ".join(text.split()).partition("not shown, for want of room:")
    names = {name.strip() for name in hidden.split(",")}
    headings = [readable(column.heading, encoding) for column in columns]
    for number, column in enumerate(columns):
        heading = headings[number]
        for row in rows:
            words = readable(harmless(row[number]), encoding).split()
            assert heading in names or all(word in seen for word in words)
            is_whole = column.wraps or f"{headings[0]}: " in seen
            assert heading in names or is_whole or " ".join(words) in seen
    whole = [readable(harmless(cell), encoding) for row in rows for cell in row]
    longest = max(map(cell_len, " ".join([*headings, *whole]).split()))
    assert all(cell_len(line) <= max(width, longest + 6) for line in lines)


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


class Terminal(io.TextIOWrapper):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


@given(
    st.lists(CELLS, min_size=1, max_size=9).map(" ".join),
    st.integers(20, 200),
    st.sampled_from(["utf-8", "cp437", "cp949"]),
)
def test_a_sentence_is_broken_between_words_on_a_terminal_alone(
    sentence: str, width: int, encoding: str
) -> None:
    printed = {}
    for kind in (Terminal, io.TextIOWrapper):
        raw = io.BytesIO()
        with (
            pytest.MonkeyPatch.context() as patch,
            kind(raw, encoding, errors="backslashreplace", newline="") as stream,
        ):
            patch.setenv("COLUMNS", str(width))
            patch.setattr(sys, "stdout", stream)
            say(f"look at  {sentence}")
            stream.flush()
            printed[kind] = raw.getvalue().decode(encoding)
    assert printed[io.TextIOWrapper].count("\n") == 1
    words = readable(harmless(sentence), encoding).split()
    assert printed[Terminal].split() == ["look", "at", *words]
    longest = max(map(cell_len, words))
    assert all(cell_len(line) <= max(width, longest + 10) for line in printed[Terminal].split("\n"))


@pytest.mark.parametrize("columns", ["wide", "", "0", "-3"])
def test_columns_that_are_no_number_leave_the_width_to_the_terminal(columns: str) -> None:
    raw = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch, Terminal(raw, "utf-8") as stream:
        patch.setenv("COLUMNS", columns)
        patch.setattr(sys, "stdout", stream)
        say("look at  the rim")
        stream.flush()
        assert raw.getvalue() == b"look at  the rim\n"


def stopped_work() -> None:
    with bars() as shown:
        shown.begin("measuring", 300).to(120)
        raise KeyboardInterrupt


def test_ctrl_c_says_how_far_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped_work()
    assert capsys.readouterr().err == "stopped at measuring: 120 of 300\n"


def test_what_is_printed_beside_a_bar_goes_where_it_would_go_without(tmp_path: Path) -> None:
    """Bars on a terminal leave standard output alone, which may be a file."""
    script = (
        "import sys; sys.stderr.isatty = lambda: True\n"
        "from necroangle.cli.screen import bars, say\n"
        "with bars() as shown:\n"
        "    bar = shown.begin('[bold]reading', 0)\n"
        "    say('found')\n"
    )
    env = {**os.environ, "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "found\n"
    assert "[bold]reading" in done.stderr
    assert "1/1" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe with a name, and /dev/full")
def test_a_file_of_data_is_whole_or_is_not_there(tmp_path: Path) -> None:
    printed = run_command("schema").stdout.encode()
    (tmp_path / "kept").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "kept" / "a.json")
    assert run_command("schema", "-o", tmp_path / "link.json").returncode == 0
    assert (tmp_path / "kept" / "a.json").read_bytes() == printed
    assert (tmp_path / "link.json").is_symlink()
    full = run_command("schema", "-o", "/dev/full")
    assert (full.returncode, full.stdout) == (1, "")
    assert full.stderr == "Error: /dev/full: cannot be written: No space left on device\n"
    assert not Path("/dev/full").is_file()
    (tmp_path / "file").touch()
    under = run_command("schema", "-o", tmp_path / "file" / "a.json")
    assert (under.returncode, under.stdout) == (1, "")
    words = "cannot be written: there is a file where a folder is needed"
    assert under.stderr == f"Error: {tmp_path}/file/a.json: {words}\n"


def test_every_command_prints_by_the_one_presenter() -> None:
    package = Path(screen.__file__).parent
    own = {package / "screen.py", package / "given.py"}
    others = [path for path in package.rglob("*.py") if path not in own]
    printing = re.compile(r"click\.s?echo|(?<![\w.])print\(")
    assert [path.name for path in others if printing.search(path.read_text("utf-8"))] == []
