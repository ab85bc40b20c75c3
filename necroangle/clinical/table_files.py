"""A table file of any kind to a raw table: a workbook by its first bytes, else delimited text.

The encoding of a text is told, marked, or found where only one reading makes sense. A Korean table
in CP949 is valid, and nonsense, as GB 18030, so a guess needs a reason: the headings that the
mapping names, or letters that only one writing would use. Where there is none, the table is refused
and the user names the encoding.
"""

import codecs
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from necroangle.clinical.headings import understood
from necroangle.clinical.raw_table import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    Problem,
    RawTable,
    build_raw_table,
    clean_text,
    fatal,
)
from necroangle.clinical.workbooks import read_other_workbook, read_workbook
from necroangle.errors import CohortError, system_words

ENCODINGS = (
    "utf-8",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "cp949",
    "cp932",
    "gb18030",
    "big5",
    "cp1252",
)
"""Encodings that a user may name."""

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = ("cp949", "cp932", "gb18030")
_ENOUGH = 12
"""Letters from which the writing is told: 12 Chinese ones seldom all look Hangul (about 1 in
1,000: half of written Chinese lies beyond the Hangul rows)."""


def decode_text(
    raw: bytes, encoding: str | None = None, expected: frozenset[str] = frozenset()
) -> tuple[str, str]:
    r"""The text, and the encoding it was read in.

    Parameters
    ----------
    raw
        All bytes.
    encoding
        As named by the user, or None to find it.
    expected
        Headings that a mapping names: the encoding that shows them is the right one.

    Raises
    ------
    CohortError
        If it cannot be decoded (naming the row), or more than one encoding may be meant.

    Examples
    --------
    >>> decode_text("subject,vas\n00123,1".encode("utf-8-sig"))
    ('subject,vas\n00123,1', 'utf-8-sig')
    >>> decode_text("환자,vas\n1,2".encode("cp949"), expected=frozenset({"환자"}))[1]
    'cp949'
    >>> decode_text("환자,vas\n1,2".encode("cp949"))
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: row 1: not UTF-8, and it may be cp949, cp932, ...
    """
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    if encoding is not None:
        return _decode(raw, _as_marked(encoding, marked)), encoding
    marked = marked or _without_mark(raw)
    if marked is not None:
        return _decode(raw, marked), marked
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        name = _find(raw, error.start, expected)
        return raw.decode(name), name


def _without_mark(raw: bytes) -> str | None:
    """UTF-16 that has no byte order mark: commas, digits and line ends have a NUL beside them."""
    head = raw[:4096]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if len(raw) % 2 or max(zeros) < max(4, len(head) // 20) or min(zeros) > max(zeros) // 10:
        return None
    name = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        text = raw.decode(name)
    except UnicodeDecodeError:
        return None
    is_text = all(one.isprintable() or one.isspace() for one in text[:4096])
    return name if is_text and not set(DELIMITERS).isdisjoint(text) else None


def _as_marked(encoding: str, marked: str | None) -> str:
    """With its byte order mark taken off, where the text has one of that encoding."""
    if marked is None or not marked.startswith(encoding.lower()[:6]):
        return encoding
    return marked


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        row = _row_of(raw, error.start)
        raise CohortError(f"row {row}: byte {error.start} is not {encoding}") from error


def _find(raw: bytes, first_byte: int, expected: frozenset[str]) -> str:
    texts = dict(_decodable(raw))
    fitting = _with_headings(texts, expected) or _in_one_writing(texts)
    if len(fitting) == 1:
        return fitting[0]
    row = _row_of(raw, first_byte)
    if not texts:
        raise CohortError(f"row {row}: byte {first_byte} is not UTF-8; name it with --encoding")
    raise CohortError(
        f"row {row}: not UTF-8, and it may be {', '.join(texts)}; name it with --encoding"
    )


def _decodable(raw: bytes) -> Iterable[tuple[str, str]]:
    for name in _GUESSED:
        try:
            yield name, raw.decode(name)
        except UnicodeDecodeError:
            continue


def _with_headings(texts: dict[str, str], expected: frozenset[str]) -> list[str]:
    """Encodings that show the headings that no other shows."""
    telling = [heading for heading in expected if not heading.isascii()]
    return [
        name
        for name, text in texts.items()
        if telling and all(heading in text[:1_000_000] for heading in telling)
    ]


def _in_one_writing(texts: dict[str, str]) -> list[str]:
    """Encodings in which every letter beyond ASCII belongs to one living writing."""
    return [name for name, text in texts.items() if _is_telling(name, text[:1_000_000])]


def _is_telling(name: str, text: str) -> bool:
    letters = [letter for letter in text if not letter.isascii() and letter.isalpha()]
    if len(set(letters)) < _ENOUGH:
        return False
    if name == "cp949":
        rows = {letter.encode("cp949")[:1] for letter in letters}
        return all(b"\xb0" <= row <= b"\xc8" for row in rows)
    if name == "cp932":
        kana = sum("\u3041" <= letter <= "\u30fc" for letter in letters)
        return kana >= 0.2 * len(letters) and not any(
            "\uff61" <= one <= "\uff9f" for one in letters
        )
    common = sum(b"\xb0" <= letter.encode("gb18030")[:1] <= b"\xd7" for letter in letters)
    beyond = sum(b"\xc9" <= letter.encode("gb18030")[:1] <= b"\xd7" for letter in letters)
    return common >= 0.97 * len(letters) and beyond >= 0.2 * len(letters)


def _row_of(raw: bytes, place: int) -> int:
    return raw[:place].count(b"\n") + 1


DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MAX_HEAD_LETTERS = 1 << 20
_FIRST_ROWS = 12
_NOT_BLANK = re.compile(r"[^\s]")
_DECLARED = re.compile(r"sep=(.)(\r\n|\r|\n)")
"""The line with which spreadsheets state the delimiter."""


def find_delimiter(text: str, known: frozenset[str]) -> tuple[str, int]:
    r"""The delimiter of a text, and where its records begin.

    It is what the first line states (``sep=;``); else the one that gives most headings that are
    known; else the one that gives most headings.

    Parameters
    ----------
    text
        The whole text.
    known
        Headings that are expected, in lower case.

    Raises
    ------
    CohortError
        If none splits the heading row.

    Examples
    --------
    >>> find_delimiter("subject;note, free;vas\n", frozenset({"subject", "vas"}))
    (';', 0)
    >>> find_delimiter("sep=|\r\na|b", frozenset())
    ('|', 7)
    """
    declared = _DECLARED.match(text)
    if declared:
        return declared[1], declared.end()
    lines = _NOT_BLANK.search(text)
    if lines is None:
        raise CohortError("the table is empty")
    head = text[: lines.start() + MAX_HEAD_LETTERS]
    best = max(DELIMITERS, key=lambda delimiter: _fitness(head, lines.start(), delimiter, known))
    if _fitness(head, lines.start(), best, known)[1] < 2:
        raise CohortError(
            "no comma, semicolon, tab or bar splits the heading row; name the delimiter with "
            "--delimiter, and check that this is a table"
        )
    return best, 0


def split_records(
    text: str, delimiter: str, start: int = 0, *, most: int = MAX_ROWS
) -> tuple[list[tuple[int, list[str]]], list[Problem]]:
    r"""The numbered records of a text, and what is wrong with its quotes.

    Quotes may hold delimiters and line ends; a quote within is doubled.

    Parameters
    ----------
    text, delimiter, start
        The text, and from where.
    most
        Stop behind so many records.

    Raises
    ------
    CohortError
        If there are more rows, columns or cells than a table may have.

    Examples
    --------
    >>> split_records('id,note\r\n00123,"a ""b"",\n c"\r\n', ",")
    ([(1, ['id', 'note']), (2, ['00123', 'a "b",\n c'])], [])
    """
    # not csv.reader: to it a quote that does not close takes all rows below into one cell, and an
    # error of it has no column
    match = _field_pattern(delimiter).match
    records: list[tuple[int, list[str]]] = []
    problems: list[Problem] = []
    number, total = 1 + (start > 0), 0
    while start < len(text):
        cells, start = _record(match, text, start, delimiter, number, problems)
        records.append((number, cells))
        number, total = number + 1, total + len(cells)
        if number > MAX_ROWS or total > MAX_CELLS:
            raise CohortError(
                f"row {number}: a table may have {MAX_ROWS:,} rows and {MAX_CELLS:,} cells; "
                "split it"
            )
        if number > most:
            break
    return records, problems


def _record(
    match: Callable[[str, int], re.Match[str] | None],
    text: str,
    start: int,
    delimiter: str,
    number: int,
    problems: list[Problem],
) -> tuple[list[str], int]:
    """The cells of one record, and where the next one begins."""
    cells: list[str] = []
    end = delimiter
    while end == delimiter:
        found = match(text, start)
        assert found is not None  # noqa: S101  (the pattern matches anything)
        quoted, plain, end = found.groups()
        if quoted is None and plain.startswith('"'):
            message = "a quote that does not close, or text behind it"
            problems.append(fatal(message, row=number, column=len(cells) + 1))
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        start = found.end()
        if len(cells) > MAX_COLUMNS:
            raise CohortError(f"row {number}: more than {MAX_COLUMNS} columns")
    return cells, start


def _field_pattern(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(
        rf'(?:"((?:[^"]++|"")*+)"|([^{mark}\r\n]*+))({mark}|\r\n|\r|\n|\Z)',
    )


def _fitness(text: str, start: int, delimiter: str, known: frozenset[str]) -> tuple[int, int]:
    """How many headings of a row are understood at most, and how many cells the rows have."""
    try:
        records, _ = split_records(text, delimiter, start, most=_FIRST_ROWS)
    except CohortError:  # too many columns for a table
        return 0, MAX_COLUMNS
    rows = [[clean_text(cell) for cell in cells] for _, cells in records]
    said = (sum(cell.casefold() in known or bool(understood(cell)) for cell in one) for one in rows)
    return max(said, default=0), max(map(len, rows), default=0)


MAX_TEXT_BYTES = 32 << 20
MAX_WORKBOOK_BYTES = 16 << 20

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_table(
    path: Path,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    heading_rows: tuple[int, int] | None = None,
    expected: frozenset[str] = frozenset(),
    known: frozenset[str] = frozenset(),
) -> RawTable:
    r"""Read a CSV, TSV, XLSX, XLS or ODS file as texts.

    Parameters
    ----------
    path
        The file. What it is follows from its bytes, not from its name.
    encoding, delimiter
        Of a text file, where they are not to be found out.
    sheet
        Of a workbook, where it has several.
    heading_rows
        First and last row of the headings, where they are not to be found out.
    expected
        Headings that a mapping names: they tell the encoding.
    known
        Headings that are known, in lower case: they tell the delimiter.

    Raises
    ------
    CohortError
        Naming the file and, where it can, the row: no regular file, empty, too large, of another
        kind, damaged, hostile, or in an encoding that cannot be told.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "visits.csv"
    >>> _ = path.write_bytes(b"\xef\xbb\xbfsubject;vas\r\n00123;1E1\r\n")
    >>> read_table(path).rows[0].cells
    ('00123', '1E1')
    >>> read_table(path.parent)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: ...: no regular file
    """
    try:
        head = _head(path)
        if head.startswith(_ZIP):
            return read_workbook(path, sheet, heading_rows, known)
        if head.startswith(_OLE):
            return read_other_workbook(path, sheet, heading_rows, known)
        return _read_text(path, encoding, delimiter, heading_rows, expected, known)
    except CohortError as error:
        raise CohortError(f"{path.name}: {error}") from error
    except OSError as error:
        raise CohortError(f"{path.name}: cannot be read: {system_words(error)}") from error


def _head(path: Path) -> bytes:
    """The first bytes of a file that is worth opening."""
    if not path.is_file():
        raise CohortError("no regular file" if path.exists() else "there is no such file")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise CohortError("the file is empty")
    limit = MAX_WORKBOOK_BYTES if head.startswith((_ZIP, _OLE)) else MAX_TEXT_BYTES
    if path.stat().st_size > limit:
        raise CohortError(f"larger than {limit >> 20} MiB; split the table")
    return head


def _read_text(
    path: Path,
    encoding: str | None,
    delimiter: str | None,
    heading_rows: tuple[int, int] | None,
    expected: frozenset[str],
    known: frozenset[str],
) -> RawTable:
    with path.open("rb") as file:
        raw = file.read(MAX_TEXT_BYTES + 1)
    text, name = decode_text(raw, encoding, expected)
    text = text.removeprefix("\ufeff")
    start = 0
    if delimiter is None:
        delimiter, start = find_delimiter(text, known)
    records, problems = split_records(text, delimiter, start)
    how = f"{DELIMITERS.get(delimiter, repr(delimiter))}-separated text, {name}"
    return build_raw_table(
        how, records, problems, rectangular=True, heading_rows=heading_rows, known=known
    )
