"""One sheet of an .xls or .ods file as JSON: run as a process of its own, by ``workbooks``.

python-calamine unpacks every sheet at once, and a hostile file may ask it for any amount of memory
or stop it in the middle. Here that ends a process with limits, and nothing else.
"""

import io
import json
import sys
from datetime import date, datetime, time, timedelta
from typing import Any

from necroangle.clinical.raw_table import MAX_CELLS, MAX_COLUMNS, MAX_ROWS

MEMORY_BYTES = 2 << 30
CPU_SECONDS = 60
MAX_LETTERS = 32 << 20
PASSWORD = "password"  # noqa: S105  (a word between two processes)
_EXACT = 1e15
_DAY = timedelta(days=1)


def main(path: str, wanted: str) -> dict[str, Any]:
    """The sheets of a workbook, and the rows of one of them.

    Parameters
    ----------
    path
        The file.
    wanted
        The sheet's name; where it is empty, the only sheet that is visible.

    Returns
    -------
    dict
        ``sheets``: name and whether it is visible, of each; ``rows``: number and texts of each row
        that is not empty, of the sheet that is meant; ``merged``: its merged cells, first and last
        as row and column from 1; ``refused``: why nothing is given.
    """
    import python_calamine as calamine

    try:
        with open(path, "rb") as file:  # noqa: PTH123  (its kind follows from its bytes)
            book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    except calamine.PasswordError:
        return {"refused": PASSWORD}
    visible = calamine.SheetVisibleEnum.Visible
    sheets = [(one.name, one.visible == visible) for one in book.sheets_metadata]
    meant = [name for name, is_shown in sheets if (name == wanted if wanted else is_shown)]
    if len(meant) != 1:
        return {"sheets": sheets, "rows": [], "merged": []}
    sheet = book.get_sheet_by_name(meant[0])
    last_row, last_column = sheet.end or (0, 0)
    if refused := _refused(last_row + 1, last_column + 1):
        return {"sheets": sheets, "refused": refused}
    rows, letters = [], 0
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), 1):
        texts = list(map(cell_text, cells))
        letters += sum(map(len, texts))
        if letters > MAX_LETTERS:
            more = f"row {number}: more than {MAX_LETTERS >> 20} Mi letters; split it"
            return {"sheets": sheets, "refused": more}
        if any(texts):
            rows.append((number, texts))
    merged = [
        [[row + 1, column + 1] for row, column in corners]
        for corners in sheet.merged_cell_ranges or ()
    ]
    return {"sheets": sheets, "rows": rows, "merged": merged}


def cell_text(cell: object) -> str:
    """A cell as text: numbers in the digits that a float holds, days as ``2020-03-04``.

    Examples
    --------
    >>> [cell_text(one) for one in (12.0, 0.1, True, date(2020, 3, 4), time(12), "00123")]
    ['12', '0.1', '1', '2020-03-04', '0.5', '00123']
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.isoformat() if cell.time() != time.min else cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, time):
        cell = datetime.combine(date.min, cell) - datetime.min
    number = cell / _DAY if isinstance(cell, timedelta) else float(cell)  # type: ignore[arg-type]
    return f"{int(number)}" if number.is_integer() and abs(number) < _EXACT else repr(number)


def _refused(rows: int, columns: int) -> str:
    if columns > MAX_COLUMNS:
        return f"more than {MAX_COLUMNS} columns"
    if rows > MAX_ROWS or rows * columns > MAX_CELLS:
        return f"a table may have {MAX_ROWS:,} rows and {MAX_CELLS:,} cells; split it"
    return ""


def _limit() -> None:
    """Where the system can: a process that asks for more is ended; elsewhere who waits ends it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for limit, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS)):
        _, hard = resource.getrlimit(limit)
        lower = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (lower, hard))


if __name__ == "__main__":
    _limit()
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])))
