"""What every command shows: tables that fit, bars that end, letters that the console has.

A value is never cut. Where a table has no room, long words go below their row; then columns give
way in a stated order and are named below the table; where even the others do not fit, each row is
printed as a record, a value a line. Letters that a console cannot show are spelt in letters that it
can.
"""

from __future__ import annotations

import codecs
import os
import re
import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from necroangle.plain_text import harmless, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

PIPE_WIDTH = 160
"""Columns of what is printed where there is no terminal to ask, and no COLUMNS."""

GAP = "  "
_LABEL = re.compile(r" *(?:- |\S+ {2,})?")
"""Where a line's own text begins: after its indent, a dash, or a word and a gap."""

LEAST_WORDS = 16
"""Columns that a wrapping column has at least."""

_HANDLER = "necroangle.spelt"
_ASCII = "necroangle_ascii"


# ---- letters -----------------------------------------------------------------------------------


def spell_for_consoles() -> None:
    """From now on no letter ends a command: standard output and error spell what they lack."""
    codecs.register_error(_HANDLER, _on_error)
    codecs.register(_plain_ascii)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            reconfigure(encoding=_ASCII if is_ascii else None, errors=_HANDLER)


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    """ASCII by another name: click takes an ASCII console for a mistake, and writes UTF-8 there."""
    if name != _ASCII:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        incrementalencoder=ascii_.incrementalencoder,
        incrementaldecoder=ascii_.incrementaldecoder,
        name=_ASCII,
    )


def _on_error(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return readable(missing, "ascii"), error.end


# ---- tables ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScreenColumn:
    """A column of a printed table.

    Attributes
    ----------
    heading
        What stands above it.
    is_number
        Whether it stands to the right.
    wraps
        Whether a value may go over several lines, broken between words.
    yields
        The higher, the earlier it gives way where there is no room, with those of the same number;
        0 never does.
    """

    heading: str
    is_number: bool = False
    wraps: bool = False
    yields: int = 0


def screen_width() -> int:
    """Columns of the terminal, of the variable COLUMNS, or of a pipe."""
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns


def say(*lines: str, err: bool = False) -> None:
    """Print lines of words: control characters are spelt, long lines broken between words.

    Only a terminal has lines broken, so that another program finds each message in one line.

    Parameters
    ----------
    lines
        None for an empty one.
    err
        Whether to standard error.
    """
    stream = sys.stderr if err else sys.stdout
    spelt = list(map(harmless, lines or ("",)))
    if stream.isatty():
        encoding, width = getattr(stream, "encoding", None) or "utf-8", _width_of(stream)
        spelt = [part for line in spelt for part in hung(readable(line, encoding), width)]
    click.echo("\n".join(spelt), err=err)


def _width_of(stream: TextIO) -> int:
    """Columns of COLUMNS, or of the terminal behind a stream; standard output may go elsewhere."""
    try:
        wide = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        wide = 0
    return shutil.get_terminal_size((wide or PIPE_WIDTH, 24)).columns


def hung(line: str, width: int) -> list[str]:
    """A line broken between words, what follows set in as far as its text is.

    Examples
    --------
    >>> hung("change  -26.3 deg: beyond measuring error", 30)
    ['change  -26.3 deg: beyond', '        measuring error']
    >>> hung("- the last visit of each hip", 20)
    ['- the last visit of', '  each hip']
    """
    if _cells(line) <= width:
        return [line]
    found = _LABEL.match(line)
    label = found[0] if found else ""
    if 2 * _cells(label) > width:
        label = ""
    first, *more = wrapped(line[len(label) :], width - _cells(label))
    return [label + first, *(" " * _cells(label) + part for part in more)]


def show_table(
    columns: Sequence[ScreenColumn], rows: Sequence[Sequence[str]], title: str = ""
) -> None:
    """Print a table in the width and the letters of the console."""
    width = screen_width()
    lines, _ = table_lines(columns, rows, width)
    click.echo("\n".join((*wrapped(_seen(title), width), *lines) if title else lines))


def table_lines(
    columns: Sequence[ScreenColumn],
    rows: Sequence[Sequence[str]],
    width: int,
    height: int | None = None,
) -> tuple[list[str], int]:
    r"""The lines of a table, none wider than it must be to hold each value whole.

    Drawn here and not by a library: a table of 20,000 rows took that a quarter of a minute, and it
    cuts what has no room.

    Parameters
    ----------
    columns
        The columns, in their order.
    rows
        A text for each column; control characters are spelt.
    width
        Columns of the screen.
    height
        Lines for rows, at least one row; None for as many as there are.

    Returns
    -------
    tuple[list[str], int]
        The lines, and how many rows they show.

    Examples
    --------
    >>> columns = (ScreenColumn("hip"), ScreenColumn("CNA", True), ScreenColumn("reader", yields=1))
    >>> print("\n".join(table_lines(columns, [("S1 left", "218.3", "nina")], 30)[0]))
    <BLANKLINE>
     hip        CNA  reader
     ──────────────────────
     S1 left  218.3  nina
    >>> print("\n".join(table_lines(columns, [("S1 left", "218.3", "nina")], 20)[0]))
    <BLANKLINE>
     hip        CNA
     ──────────────
     S1 left  218.3
    not shown, for want
    of room: reader
    """
    columns = [replace(column, heading=_seen(column.heading)) for column in columns]
    texts = [[_seen(cell) for cell in row] for row in rows]
    widths = _widths(columns, texts)
    kept, below = _placed(columns, widths, width)
    if not kept:
        return _as_high([_record(columns, row, width) for row in texts], height)
    shared = _shared(kept, widths, width)
    blocks = [
        [*_grid_row(columns, kept, row, shared), *_below(columns, below, row, width)]
        for row in texts
    ]
    lines, shown = _as_high(blocks, height)
    headings = _line(columns, kept, [column.heading for column in columns], shared)
    rule = " " + _seen("─") * (sum(shared.values()) + len(GAP) * (len(kept) - 1))
    hidden = [
        column.heading for place, column in enumerate(columns) if place not in (*kept, *below)
    ]
    told = f"not shown, for want of room: {', '.join(hidden)}" if hidden else ""
    return ["", headings, rule, *lines, *(wrapped(_seen(told), width) if told else ())], shown


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines broken between words; a word longer than that has a line of its own.

    Examples
    --------
    >>> wrapped("short rim, hip radii differ", 12)
    ['short rim,', 'hip radii', 'differ']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and _cells(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _seen(text: str) -> str:
    """A text as this console shows it."""
    return readable(harmless(text), getattr(sys.stdout, "encoding", None) or "utf-8")


def _widths(columns: Sequence[ScreenColumn], rows: list[list[str]]) -> list[tuple[int, int]]:
    """Of each column the least width that breaks no word, and the width of its longest value."""
    found = []
    for place, column in enumerate(columns):
        cells = [column.heading, *(row[place] for row in rows)]
        full = max(map(_cells, cells))
        longest = max((_cells(word) for cell in cells for word in cell.split()), default=0)
        found.append((min(full, max(longest, LEAST_WORDS)) if column.wraps else full, full))
    return found


def _placed(
    columns: Sequence[ScreenColumn], widths: Sequence[tuple[int, int]], width: int
) -> tuple[list[int], list[int]]:
    """Which columns stand beside each other, and which below; none where they cannot."""
    kept, below = list(range(len(columns))), []
    if _least(kept, widths) > width:
        below = [place for place in kept[1:] if columns[place].wraps]
        kept = [place for place in kept if place not in below]
    while _least(kept, widths) > width:
        first = max(columns[place].yields for place in kept)
        if not first:
            return [], []
        kept = [place for place in kept if columns[place].yields != first]
    return kept, below


def _least(kept: Sequence[int], widths: Sequence[tuple[int, int]]) -> int:
    return 1 + sum(widths[place][0] for place in kept) + len(GAP) * (len(kept) - 1)


def _shared(kept: Sequence[int], widths: Sequence[tuple[int, int]], width: int) -> dict[int, int]:
    """The width of each kept column; what room is left goes to those that wrap, in order."""
    room = width - _least(kept, widths)
    shared = {}
    for place in kept:
        least, full = widths[place]
        more = min(full - least, room)
        shared[place] = least + more
        room -= more
    return shared


def _as_high(blocks: list[list[str]], height: int | None) -> tuple[list[str], int]:
    """As many blocks of lines as fit, at least one."""
    lines: list[str] = []
    for shown, block in enumerate(blocks):
        if height is not None and shown and len(lines) + len(block) > height:
            return lines, shown
        lines += block
    return lines, len(blocks)


def _grid_row(
    columns: Sequence[ScreenColumn], kept: Sequence[int], row: list[str], widths: dict[int, int]
) -> list[str]:
    folded = {
        place: wrapped(row[place], widths[place])
        for place in kept
        if columns[place].wraps and _cells(row[place]) > widths[place]
    }
    first = [folded[at][0] if at in folded else cell for at, cell in enumerate(row)]
    lines = [_line(columns, kept, first, widths)]
    for number in range(1, max(map(len, folded.values()), default=1)):
        more = [
            folded[at][number] if number < len(folded.get(at, ())) else "" for at in range(len(row))
        ]
        lines.append(_line(columns, kept, more, widths))
    return lines


def _below(
    columns: Sequence[ScreenColumn], below: Sequence[int], row: list[str], width: int
) -> list[str]:
    """What has no room beside the others, each with its heading, set in."""
    told = [(columns[place].heading, row[place]) for place in below if row[place]]
    return [
        f"{' ' * (3 if at == 0 else 5)}{line}"
        for heading, cell in told
        for at, line in enumerate(wrapped(f"{heading}: {cell}", width - 5))
    ]


def _line(
    columns: Sequence[ScreenColumn],
    kept: Sequence[int],
    cells: Sequence[str],
    widths: dict[int, int],
) -> str:
    padded = []
    for place in kept:
        space = " " * (widths[place] - _cells(cells[place]))
        is_right = columns[place].is_number
        padded.append(space + cells[place] if is_right else cells[place] + space)
    return f" {GAP.join(padded)}".rstrip()


def _record(columns: Sequence[ScreenColumn], row: list[str], width: int) -> list[str]:
    """A row as lines of heading and value, broken between words where they are too long."""
    lines = [""]
    for column, cell in zip(columns, row, strict=True):
        if not cell:
            continue
        line = f"{column.heading}: {cell}"
        lines += [line] if _cells(line) <= width else wrapped(line, width)
    return lines


def _cells(text: str) -> int:
    """Columns that a text takes on a screen; letters of East Asia take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


# ---- bars --------------------------------------------------------------------------------------


class Bar:
    """One bar of :class:`Bars`."""

    def __init__(self, progress: Any, words: str, total: int | None) -> None:
        self._progress, self._done, self._total = progress, 0, total
        self._words = words
        self._task = progress.add_task(words, total=total) if progress is not None else None

    def to(self, done: int, total: int | None = None) -> None:
        """So many are done, of so many."""
        self._done, self._total = done, total if total is not None else self._total
        if self._progress is not None:
            self._progress.update(self._task, completed=done, total=self._total)

    def __str__(self) -> str:
        of_all = "" if self._total is None else f" of {self._total}"
        return f"{self._words}: {self._done}{of_all}"

    def on(self, count: int = 1, words: str | None = None) -> None:
        """So many more are done."""
        self._words = self._words if words is None else words
        self.to(self._done + count)
        if self._progress is not None and words is not None:
            self._progress.update(self._task, description=words)

    def end(self) -> None:
        """All are done, however many they were."""
        whole = max(self._total or self._done, 1)
        self.to(whole, whole)


class Bars:
    """Bars on standard error, drawn where that is a terminal; else nothing is."""

    def __init__(self, progress: Any) -> None:
        self._progress = progress
        self._begun: list[Bar] = []

    def begin(self, words: str, total: int | None = None) -> Bar:
        """Another bar; the one before has ended."""
        if self._begun:
            self._begun[-1].end()
        self._begun.append(Bar(self._progress, words, total))
        return self._begun[-1]

    def stop(self) -> None:
        """Draw no more, for something else is to be shown."""
        if self._progress is not None:
            self._progress.stop()

    def say_where(self) -> None:
        """Say how far the work was when it was stopped."""
        if self._begun:
            say(f"stopped at {self._begun[-1]}", err=True)

    def end(self) -> None:
        """The last bar has ended, too."""
        if self._begun:
            self._begun[-1].end()


@contextmanager
def bars(*, stay: bool = False) -> Iterator[Bars]:
    """Bars for long work; each is full when the work has ended.

    Where it was stopped by Ctrl-C, a line says how far it was, also where no bar is drawn.

    Parameters
    ----------
    stay
        Whether they stay on the screen.

    Examples
    --------
    >>> with bars() as shown:
    ...     bar = shown.begin("reading headers")
    ...     bar.to(3, 10)
    """
    shown = Bars(None)
    try:
        if sys.stderr.isatty():
            with _progress(stay=stay) as progress:
                shown = Bars(progress)
                yield shown
                shown.end()
        else:
            yield shown
    except KeyboardInterrupt:
        shown.say_where()
        raise


def _progress(*, stay: bool) -> Any:
    """A display of bars; what is printed meanwhile goes where it would go without them."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *_bar_columns(),
        console=Console(stderr=True),
        transient=not stay,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def _bar_columns() -> tuple[Any, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
