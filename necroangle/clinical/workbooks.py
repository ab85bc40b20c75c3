"""One sheet of a workbook as a table of texts: opened with limits, every number as it stands.

Sizes first; no document type, no entity, no link. The parts of an XLSX file are read here and not
through a spreadsheet library, so that every number is the text that stands in the file, every
formula, error and hidden row is seen, an id keeps the zeros that its format shows, and no size is
believed before it is checked. A library gives none of these: an error, or a formula without a
result, is an empty cell to it. Files of .xls and .ods are read by python-calamine, and what it does
not see is told.
"""

import math
import posixpath
import re
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Container, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from xml.parsers import expat

import msgspec

from necroangle.clinical.calamine_process import MEMORY_BYTES, PASSWORD, cell_text
from necroangle.clinical.raw_table import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    Merged,
    Problem,
    RawTable,
    build_raw_table,
    fatal,
    warning,
)
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import CohortError
from necroangle.memory import LOOK_S, held_bytes, system_limits

MAX_PARTS = 2_000
MAX_PART_BYTES = 96 << 20
MAX_TOTAL_BYTES = 256 << 20
MAX_RATIO = 200
RATIO_FROM_BYTES = 4 << 20
"""A part is refused as a bomb above 4 MiB where it shrank to less than 1/200."""

MAX_ELEMENTS = 3_000_000
_CHUNK = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

OnStart = Callable[[str, Mapping[str, str]], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


class Package:
    """An opened XLSX file; made by :func:`open_package`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def chunks(self, part: str) -> Generator[bytes, None, None]:
        """The bytes of a part, piece by piece.

        Raises
        ------
        CohortError
            If the file has no such part, or it is damaged.
        """
        if part not in self:
            raise CohortError(f"the workbook has no part {part!r:.80}")
        try:
            with self._archive.open(part) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
            raise CohortError(f"the workbook's part {part!r:.80} is damaged") from error


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open an XLSX file.

    Raises
    ------
    CohortError
        If it is no ZIP archive, is damaged or encrypted, or its parts are too many, too large or
        shrunk too far to be a table.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bombs(archive.infolist())
            yield Package(archive)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, CohortError):
            raise
        raise CohortError("this is no whole XLSX file; save it again") from error


def walk(
    chunks: Generator[bytes, None, None],
    on_start: OnStart,
    on_end: OnEnd | None = None,
    on_text: OnText | None = None,
) -> None:
    """Call back for each element (its local name) and each text of an XML part, then close it.

    Raises
    ------
    CohortError
        If it is no well-formed XML, states a document type or entities, or has too many elements.

    Examples
    --------
    >>> def pieces(text):
    ...     yield text
    >>> walk(pieces(b"<a><b/></a>"), lambda name, _: print(name))
    a
    b
    >>> walk(pieces(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), lambda name, _: None)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a document type or entities in the workbook: not a table
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    left = MAX_ELEMENTS

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise CohortError("the workbook has too many elements to be a table")
        on_start(name if ":" not in name else name.rpartition(":")[2], attributes)

    parser.StartElementHandler = start
    if on_end is not None:
        parser.EndElementHandler = lambda name: on_end(name.rpartition(":")[2])
    parser.CharacterDataHandler = on_text
    try:
        with closing(chunks):
            for chunk in chunks:
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CohortError(f"the workbook's XML is damaged: {error}") from error


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Relations of a part: id to (kind, the other part); links to outside are left out.

    Parameters
    ----------
    part
        ``"xl/workbook.xml"``, or ``""`` for the file itself.
    """
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = kind, target.lstrip("/")

    walk(package.chunks(posixpath.join(folder, "_rels", f"{name}.rels")), on_start)
    return found


def _refuse_document_type(*_: object) -> None:
    raise CohortError("a document type or entities in the workbook: not a table")


def _refuse_bombs(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_PARTS or len({part.filename for part in parts}) != len(parts):
        raise CohortError("the workbook's parts are too many, or two have one name")
    if sum(part.file_size for part in parts) > MAX_TOTAL_BYTES:
        raise CohortError("the workbook unpacks to more than 256 MiB: refused unread")
    for part in parts:
        shrunk = part.file_size > MAX_RATIO * part.compress_size
        if part.file_size > MAX_PART_BYTES or (part.file_size > RATIO_FROM_BYTES and shrunk):
            raise CohortError(
                f"a part of the workbook unpacks from {part.compress_size:,} to "
                f"{part.file_size:,} bytes: refused unread"
            )
        if part.flag_bits & 1 or part.compress_type not in _METHODS:
            raise CohortError("a part of the workbook is encrypted, or packed in an unknown way")


_ESCAPED = re.compile(r"(?:_x[0-9A-Fa-f]{4}_)+")


class SharedTexts:
    """Takes the elements of the part and keeps its texts, without Japanese reading aids.

    Attributes
    ----------
    texts
        By number.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._in_text = self._in_aid = False

    def on_start(self, element: str, _: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if element == "t":
            self._in_text = True
        elif element == "rPh":
            self._in_aid = True
        elif element == "si":
            self._pieces.clear()

    def on_text(self, text: str) -> None:
        """Take a piece of text."""
        if self._in_text and not self._in_aid:
            self._pieces.append(text)

    def on_end(self, element: str) -> None:
        """Take the end of an element."""
        if element == "t":
            self._in_text = False
        elif element == "rPh":
            self._in_aid = False
        elif element == "si":
            self.texts.append(unescape("".join(self._pieces)))


def unescape(text: str) -> str:
    r"""A text whose control characters are written as ``_x000D_``.

    Examples
    --------
    >>> unescape("a_x0009_b")
    'a\tb'
    """
    return _ESCAPED.sub(_letters, text) if "_x" in text else text


def _letters(found: re.Match[str]) -> str:
    """The letters of one run of codes: UTF-16 units, of which two may make one letter."""
    units = bytes.fromhex("".join(code for code in re.findall("_x(....)_", found[0])))
    return units.decode("utf-16-be", "replace")


_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
"""Numbers of the built-in date formats, the East Asian ones included."""

_IGNORED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General', re.IGNORECASE)
_EPOCH_1900 = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_FIRST_SURE_DAY = 61
"""Earlier days of the 1900 calendar are one off, for a 29 February 1900 that never was."""

_LAST_DAY = 2_958_465
_EXACT = 1e15


def is_date_format(number: int, code: str | None) -> bool:
    r"""Whether a number format shows a date.

    Parameters
    ----------
    number
        The format's number.
    code
        Its code, where the workbook gives one.

    Examples
    --------
    >>> is_date_format(14, None), is_date_format(164, 'yyyy"년" m"월" d"일"')
    (True, True)
    >>> is_date_format(165, '0.0 "days"'), is_date_format(0, "General"), is_date_format(20, None)
    (False, False, False)
    """
    if code is None:
        return number in _BUILT_IN_DATES
    return bool(re.search("[yd]", _IGNORED.sub("", code.partition(";")[0]), re.IGNORECASE))


def number_text(text: str, code: str | None, *, is_date: bool, from_1904: bool = False) -> str:
    """A number cell as text; digits that a float holds, no more.

    Parameters
    ----------
    text
        The number as the file has it.
    code
        Its format's code; ``00000`` keeps the zeros that the user sees.
    is_date
        Whether the format shows a date.
    from_1904
        Whether the workbook counts days from 1904.

    Examples
    --------
    >>> number_text("0.10000000000000001", None, is_date=False)
    '0.1'
    >>> number_text("123", "00000", is_date=False)
    '00123'
    >>> number_text("43894", None, is_date=True), number_text("43894.5", None, is_date=True)
    ('2020-03-04', '2020-03-04T12:00:00')
    """
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    if is_date:
        return _date_text(number, from_1904)
    if number == int(number) and abs(number) < _EXACT:
        zeros = len(code) if code and re.fullmatch("0+", code) else 1
        return f"{int(number):0{zeros}d}"
    return repr(number)


def _date_text(days: float, from_1904: bool) -> str:
    """The day, with the time where it is not midnight; the bare number where it is no day."""
    if not (0 if from_1904 else _FIRST_SURE_DAY) <= days <= _LAST_DAY - 1462:
        return repr(days)
    moment = (_EPOCH_1904 if from_1904 else _EPOCH_1900) + timedelta(seconds=round(days * 86400))
    return cell_text(moment)


Formats = tuple[tuple[str | None, bool], ...]
"""For each cell style, its format's code and whether that shows a date."""

MAX_LETTERS = 32 << 20
"""In all cells together; one text may stand in many."""

_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class WorksheetReader:
    """Takes the elements of a sheet and keeps its cells as texts.

    Parameters
    ----------
    texts
        The workbook's shared texts.
    formats
        Number formats by cell style.
    from_1904
        Whether days are counted from 1904.
    """

    def __init__(self, texts: list[str], formats: Formats, from_1904: bool) -> None:
        self._texts = texts
        self._formats = formats
        self._from_1904 = from_1904
        self._rows: dict[int, dict[int, str]] = {}
        self._problems: list[Problem] = []
        self.merged: list[Merged] = []
        self._formulas: dict[int, list[int]] = {}
        self._row = self._column = self._cells = self._letters = self._hidden = 0
        self._kind = self._style = ""
        self._has_formula = False
        self._value: list[str] | None = None
        self._pieces: list[str] = []
        self._in_aid = False

    def on_start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if element == "c":
            self._begin_cell(attributes)
        elif element == "v" or (element == "t" and not self._in_aid):
            self._value = []
        elif element == "f":
            self._has_formula = True
        elif element == "row":
            self._begin_row(attributes)
        elif element == "rPh":
            self._in_aid = True
        elif element == "mergeCell":
            self._take_merged(attributes.get("ref", ""))

    def on_text(self, text: str) -> None:
        """Take a piece of text."""
        if self._value is not None:
            self._value.append(text)

    def on_end(self, element: str) -> None:
        """Take the end of an element."""
        if element in {"v", "t"} and self._value is not None:
            self._pieces += self._value
            self._value = None
        elif element == "rPh":
            self._in_aid = False
        elif element == "c":
            self._end_cell()

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The rows that hold something, in order, each as wide as its last cell."""
        for number in sorted(self._rows):
            cells = self._rows[number]
            yield number, [cells.get(column, "") for column in range(1, max(cells) + 1)]

    def problems(self) -> list[Problem]:
        """What was met on the way."""
        found = list(self._problems)
        for column, rows in sorted(self._formulas.items()):
            message = (
                f"{len(rows)} cells hold formulas, the first in row {rows[0]}; what they last "
                "gave is used"
            )
            found.append(warning(message, column=column))
        if self._hidden:
            found.append(warning(f"{self._hidden} hidden rows are read like the others"))
        return found

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", str(self._row + 1))
        if not number.isascii() or not number.isdigit() or not self._row < int(number) <= 2**20:
            raise CohortError(f"the sheet's rows are out of order at {number!r:.20}")
        self._row, self._column = int(number), 0
        if attributes.get("hidden") in {"1", "true"}:
            self._hidden += 1

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        place = attributes.get("r")
        if place is None:
            self._column += 1
        else:
            found = _PLACE.fullmatch(place)
            if found is None or int(found[2]) != self._row:
                raise CohortError(f"the sheet's cells are out of order at {place!r:.20}")
            self._column = _column_number(found[1])
        self._kind = attributes.get("t", "n")
        self._style = attributes.get("s", "")
        self._has_formula = False
        self._pieces = []

    def _end_cell(self) -> None:
        text = self._cell_text("".join(self._pieces))
        if self._has_formula and not self._pieces:
            message = "a formula without a result; open the table, calculate and save it"
            self._problems.append(fatal(message, row=self._row, column=self._column))
        elif self._has_formula:
            self._formulas.setdefault(self._column, []).append(self._row)
        if text:
            self._keep(text)

    def _keep(self, text: str) -> None:
        if self._column > MAX_COLUMNS:
            raise CohortError(f"row {self._row}: more than {MAX_COLUMNS} columns")
        self._cells += 1
        self._letters += len(text)
        if self._letters > MAX_LETTERS:
            raise CohortError(
                f"row {self._row}: more than {MAX_LETTERS >> 20} Mi letters; split it"
            )
        self._rows.setdefault(self._row, {})[self._column] = text
        if len(self._rows) > MAX_ROWS or self._cells > MAX_CELLS:
            raise CohortError(
                f"row {self._row}: a table may have {MAX_ROWS:,} rows and {MAX_CELLS:,} cells; "
                "split it"
            )

    def _cell_text(self, text: str) -> str:
        if self._kind == "s":
            return self._shared_text(text)
        if self._kind == "e":
            message = f"the cell shows the error {text!r:.20}"
            self._problems.append(fatal(message, row=self._row, column=self._column))
            return text
        if self._kind != "n" or not text:
            return unescape(text)
        style = int(self._style) if self._style.isascii() and self._style.isdigit() else -1
        code, is_date = self._formats[style] if 0 <= style < len(self._formats) else (None, False)
        return number_text(text, code, is_date=is_date, from_1904=self._from_1904)

    def _shared_text(self, number: str) -> str:
        if not (number.isascii() and number.isdigit() and int(number) < len(self._texts)):
            raise CohortError(f"row {self._row}: a text of the workbook is missing")
        return self._texts[int(number)]

    def _take_merged(self, place: str) -> None:
        found = _MERGED.fullmatch(place)
        if found is not None:
            first, last = ((int(found[at + 1]), _column_number(found[at])) for at in (1, 3))
            self.merged.append((first, last))


_MERGED = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})")


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


MAX_FORMATS = 70_000
PATIENCE_S = 90
_ODS_CONTENT = "content.xml"


@dataclass(frozen=True, slots=True)
class _SheetEntry:
    name: str
    visible: bool
    relation: str


def read_workbook(
    path: Path,
    sheet: str | None = None,
    heading_rows: tuple[int, int] | None = None,
    known: Container[str] = (),
) -> RawTable:
    """Read one sheet of an XLSX or ODS file.

    Parameters
    ----------
    path
        The file.
    sheet
        The sheet's name; may be left out where only one is visible.
    heading_rows, known
        As for :func:`necroangle.clinical.raw_table.build_raw_table`.

    Raises
    ------
    CohortError
        If the file is damaged or hostile, or it does not say which sheet.
    """
    with open_package(path) as package:
        if _ODS_CONTENT in package:
            return read_other_workbook(path, sheet, heading_rows, known)
        workbook = _workbook_part(package)
        entries, from_1904 = _entries(package, workbook)
        entry = _chosen(entries, sheet)
        related = relations(package, workbook)
        kind, part = related.get(entry.relation, ("", ""))
        if kind != "worksheet":
            raise CohortError(f"sheet {entry.name!r:.60} is no sheet of cells")
        places = {kind: target for kind, target in related.values() if kind != "worksheet"}
        texts = _shared_texts(package, places.get("sharedStrings"))
        formats = _formats(package, places.get("styles"))
        reader = WorksheetReader(texts, formats, from_1904)
        walk(package.chunks(part), reader.on_start, reader.on_end, reader.on_text)
    return build_raw_table(
        f"sheet {entry.name!r:.60}",
        reader.records(),
        reader.problems(),
        rectangular=False,
        heading_rows=heading_rows,
        known=known,
        merged=reader.merged,
    )


def read_other_workbook(
    path: Path,
    sheet: str | None = None,
    heading_rows: tuple[int, int] | None = None,
    known: Container[str] = (),
) -> RawTable:
    """Read one sheet of an .xls or .ods file.

    Parameters
    ----------
    path, sheet, heading_rows, known
        As for :func:`read_workbook`.

    Raises
    ------
    CohortError
        If the file is damaged, hostile or has a password, or it does not say which sheet.
    """
    if zipfile.is_zipfile(path):
        with open_package(path) as package:
            walk(package.chunks(_ODS_CONTENT), lambda *_: None)
    found = _by_calamine(path, sheet or "")
    if found.refused == PASSWORD:
        raise CohortError("the workbook has a password; save it as plain .xlsx or CSV")
    entry = _chosen([_SheetEntry(name, visible, "") for name, visible in found.sheets], sheet)
    if found.refused:
        raise CohortError(found.refused)
    problems = [
        warning(
            "formulas, errors and hidden rows of such a workbook are not seen, and numbers lose "
            "their leading zeros; save it as .xlsx to have them told"
        )
    ]
    return build_raw_table(
        f"sheet {entry.name!r:.60}",
        found.rows,
        problems,
        rectangular=False,
        heading_rows=heading_rows,
        known=known,
        merged=found.merged,
    )


class _Found(msgspec.Struct):
    """What the process says: see :func:`necroangle.clinical.calamine_process.main`."""

    sheets: list[tuple[str, bool]] = []
    rows: list[tuple[int, list[str]]] = []
    merged: list[Merged] = []
    refused: str = ""


def _by_calamine(path: Path, sheet: str) -> _Found:
    """What python-calamine reads, in a process with limits."""
    module = "necroangle.clinical.calamine_process"
    command = [sys.executable, "-P", "-m", module, str(path.absolute()), sheet]
    try:
        return from_json(_output(command), msgspec.json.Decoder(_Found))
    except (subprocess.SubprocessError, MalformedError) as error:
        raise CohortError(
            "an old or password-protected workbook, or one that is no table: it cannot be opened; "
            "save it as plain .xlsx or CSV"
        ) from error


def _output(command: list[str]) -> bytes:
    """What a process prints; it is ended where it takes too long, or more memory than it may."""
    end = time.monotonic() + PATIENCE_S
    step = PATIENCE_S if system_limits() else LOOK_S
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        printed = None
        try:
            while printed is None:
                try:
                    printed, _ = process.communicate(timeout=step)
                except subprocess.TimeoutExpired:
                    is_late = time.monotonic() >= end
                    if is_late or system_limits() or held_bytes(process.pid) > MEMORY_BYTES:
                        raise
        finally:
            process.kill()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return bytes(printed)


def _workbook_part(package: Package) -> str:
    if "_rels/.rels" in package:
        for kind, part in relations(package, "").values():
            if kind == "officeDocument" and part.endswith(".xml"):
                return part
    raise CohortError("this ZIP archive holds no XLSX workbook; save the table as .xlsx or CSV")


def _entries(package: Package, workbook: str) -> tuple[list[_SheetEntry], bool]:
    entries: list[_SheetEntry] = []
    from_1904 = False

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal from_1904
        if element == "sheet":
            relation = next(
                (value for name, value in attributes.items() if name.endswith(":id")), ""
            )
            visible = attributes.get("state", "visible") == "visible"
            entries.append(_SheetEntry(attributes.get("name", ""), visible, relation))
        elif element == "workbookPr":
            from_1904 = attributes.get("date1904") in {"1", "true"}

    walk(package.chunks(workbook), on_start)
    return entries, from_1904


def _chosen(entries: list[_SheetEntry], name: str | None) -> _SheetEntry:
    names = ", ".join(f"{entry.name!r:.60}" for entry in entries[:20])
    if name is not None:
        for entry in entries:
            if entry.name == name:
                return entry
        raise CohortError(f"there is no sheet {name!r:.60}; there are: {names}")
    visible = [entry for entry in entries if entry.visible]
    if len(visible) != 1:
        raise CohortError(f"say which sheet, with --sheet NAME; there are: {names}")
    return visible[0]


def _shared_texts(package: Package, part: str | None) -> list[str]:
    """The workbook's texts by number."""
    if part is None:
        return []
    reader = SharedTexts()
    walk(package.chunks(part), reader.on_start, reader.on_end, reader.on_text)
    return reader.texts


def _formats(package: Package, part: str | None) -> Formats:
    """For each cell style: the code of its number format, and whether that shows a date."""
    codes: dict[int, str] = {}
    numbers: list[int] = []
    in_cell_styles = False

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal in_cell_styles
        if element in {"cellXfs", "cellStyleXfs", "dxfs", "cellStyles"}:
            in_cell_styles = element == "cellXfs"
        elif element == "numFmt":
            codes[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif element == "xf" and in_cell_styles and len(numbers) < MAX_FORMATS:
            numbers.append(_whole(attributes.get("numFmtId")))

    if part is not None:
        walk(package.chunks(part), on_start)
    known = {number: is_date_format(number, codes.get(number)) for number in set(numbers)}
    return tuple((codes.get(number), known[number]) for number in numbers)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
