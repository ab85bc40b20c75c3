"""A table file of any kind to a sheet: XLSX by its first bytes, else delimited text."""

from pathlib import Path

from necroangle.clinical.delimited import DELIMITERS, find_delimiter, split_records
from necroangle.clinical.encoding import decode_text
from necroangle.clinical.sheet import Sheet, build_sheet
from necroangle.clinical.workbook import read_workbook
from necroangle.errors import CohortError

__all__ = ["read_table"]

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
    expected: frozenset[str] = frozenset(),
    known: frozenset[str] = frozenset(),
) -> Sheet:
    r"""Read a CSV, TSV or XLSX file as texts.

    Parameters
    ----------
    path
        The file. What it is follows from its bytes, not from its name.
    encoding, delimiter
        Of a text file, where they are not to be found out.
    sheet
        Of a workbook, where it has several.
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
            return read_workbook(path, sheet)
        return _read_text(path, encoding, delimiter, expected, known)
    except CohortError as error:
        raise CohortError(f"{path.name}: {error}") from error
    except OSError as error:
        raise CohortError(f"{path.name}: cannot be read: {error.strerror}") from error


def _head(path: Path) -> bytes:
    """The first bytes of a file that is worth opening."""
    if not path.is_file():
        raise CohortError("no regular file" if path.exists() else "there is no such file")
    with path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise CohortError("the file is empty")
    if head.startswith(_OLE):
        raise CohortError("an old or password-protected workbook; save it as plain .xlsx or CSV")
    limit = MAX_WORKBOOK_BYTES if head.startswith(_ZIP) else MAX_TEXT_BYTES
    if path.stat().st_size > limit:
        raise CohortError(f"larger than {limit >> 20} MiB; split the table")
    return head


def _read_text(
    path: Path,
    encoding: str | None,
    delimiter: str | None,
    expected: frozenset[str],
    known: frozenset[str],
) -> Sheet:
    with path.open("rb") as file:
        raw = file.read(MAX_TEXT_BYTES + 1)
    text, name = decode_text(raw, encoding, expected)
    text = text.removeprefix("\ufeff")
    start = 0
    if delimiter is None:
        delimiter, start = find_delimiter(text, known)
    records, problems = split_records(text, delimiter, start)
    how = f"{DELIMITERS.get(delimiter, repr(delimiter))}-separated text, {name}"
    return build_sheet(how, records, problems, rectangular=True)
