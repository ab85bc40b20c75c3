"""XLSX: what another program writes is read; what would harm is refused."""

import random
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.clinical.table_files import read_table
from necroangle.clinical.workbooks import number_text
from necroangle.errors import CohortError

_TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
HEAD, TAIL = f'<worksheet xmlns="{_SHEETS}"><sheetData>', "</sheetData></worksheet>"


def relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" Type="{_TYPE}/{kind}" '
        f'Target="{target}"/></Relationships>'
    )


def build(path: Path, sheet: str, **more: str) -> Path:
    """A workbook of one sheet, from its XML."""
    parts = {
        "_rels/.rels": relation("officeDocument", "xl/workbook.xml"),
        "xl/_rels/workbook.xml.rels": relation("worksheet", "worksheets/sheet1.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_TYPE}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**parts, **more}.items():
            archive.writestr(name, text)
    return path


def row(number: int, *cells: str) -> str:
    inner = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    return f'<row r="{number}">{inner}</row>'


def save(path: Path, rows: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    for cells in rows:
        book.active.append(cells)
    book.save(path)
    return path


def test_texts_numbers_dates_and_truths_are_read(tmp_path: Path) -> None:
    cells: list[object] = ["00123", "1E5", "NA", "가나다", 12, 0.1, 1e-7, date(2020, 3, 4), True]
    path = save(tmp_path / "t.xlsx", [[f"c{n}" for n in range(len(cells))], cells])
    assert read_table(path).rows[0].cells == (
        "00123",
        "1E5",
        "NA",
        "가나다",
        "12",
        "0.1",
        "1e-07",
        "2020-03-04",
        "1",
    )


@given(st.dates(date(1901, 1, 1), date(2199, 12, 31)), st.booleans())
def test_every_day_is_read_in_both_calendars(day: date, from_1904: bool) -> None:
    start = date(1904, 1, 1) if from_1904 else date(1899, 12, 30)
    if day >= date(1904, 1, 1):
        days = str((day - start).days)
        assert number_text(days, None, is_date=True, from_1904=from_1904) == day.isoformat()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    assert float(number_text(f"{number:.17g}", None, is_date=False)) == number


def test_an_id_keeps_the_zeros_that_its_format_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["subject", "x"])
    book.active.append([123, 1])
    book.active["A2"].number_format = "00000"
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").rows[0].cells[0] == "00123"


def test_a_moment_keeps_its_time_and_empty_rows_their_numbers(tmp_path: Path) -> None:
    moment = datetime(2020, 3, 4) + timedelta(hours=7)
    path = save(tmp_path / "t.xlsx", [["a", "b"], [None, None], ["x", moment]])
    (found,) = read_table(path).rows
    assert (found.number, found.cells) == (3, ("x", "2020-03-04T07:00:00"))


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.create_sheet("two").append(["c", "d"])
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(CohortError, match=r"say which sheet.*'Sheet', 'two'"):
        read_table(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx", sheet="two").headings == ("c", "d")
    with pytest.raises(CohortError, match="there is no sheet 'three'"):
        read_table(tmp_path / "t.xlsx", sheet="three")
    book["two"].sheet_state = "hidden"
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").headings == ("a", "b")


def test_formulas_errors_merged_and_hidden_cells_are_told(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2" t="str"><f>"S"&amp;1</f><v>S1</v></c>'
        '<c r="B2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3" hidden="1"><c r="A3" t="inlineStr"><is><t>S2</t></is></c>'
        '<c r="B3"><f>1+1</f></c></row>'
        '<row r="4"><c r="A4" t="inlineStr"><is><t>S3</t></is></c>'
        '<c r="B4" t="e"><v>#N/A</v></c></row>'
    )
    merged = '</sheetData><mergeCells><mergeCell ref="A3:A4"/></mergeCells></worksheet>'
    path = build(tmp_path / "t.xlsx", HEAD + row(1, "subject", "hhs") + rows + merged)
    sheet = read_table(path)
    assert sheet.rows[0].cells == ("S1", "2")
    told: dict[str, list[str]] = {"fatal": [], "warning": []}
    for problem in sheet.problems:
        told[problem.severity].append(str(problem).partition(";")[0])
    assert told == {
        "fatal": [
            "row 3, column B: a formula without a result",
            "row 4, column B: the cell shows the error '#N/A'",
        ],
        "warning": [
            "column A: 1 cells hold formulas, the first in row 2",
            "column B: 1 cells hold formulas, the first in row 2",
            "1 hidden rows are read like the others",
            "cells A3:A4 are merged",
        ],
    }


def test_what_cells_merged_down_a_column_say_stands_in_each_row(tmp_path: Path) -> None:
    rows = row(2, "S1", "L") + row(3, "", "R") + row(4, "", "L")
    merged = '</sheetData><mergeCells><mergeCell ref="A2:A3"/></mergeCells></worksheet>'
    sheet = read_table(build(tmp_path / "t.xlsx", HEAD + row(1, "subject", "side") + rows + merged))
    assert [one.cells for one in sheet.rows] == [("S1", "L"), ("S1", "R"), ("", "L")]
    assert any("A2:A3 are merged; what they say stands in each" in str(p) for p in sheet.problems)


def test_shared_texts_drop_reading_aids_and_unescape(tmp_path: Path) -> None:
    shared = (
        f'<sst xmlns="{_SHEETS}"><si><t>subject</t></si><si><t>note</t></si>'
        "<si><r><t>痛</t></r><r><t>み</t></r><rPh><t>イタ</t></rPh></si>"
        "<si><t>a_x000A_b_xD83D__xDE00_</t></si></sst>"
    )
    links = (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="r1" Type="{_TYPE}/worksheet" Target="/xl/worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_TYPE}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>"
    )
    texts = [f'<c t="s"><v>{number}</v></c>' for number in range(4)]
    cells = f"<row>{texts[0]}{texts[1]}</row><row>{texts[2]}{texts[3]}</row>"
    parts = {"xl/sharedStrings.xml": shared, "xl/_rels/workbook.xml.rels": links}
    path = build(tmp_path / "t.xlsx", HEAD + cells + TAIL, **parts)
    assert read_table(path).rows[0].cells == ("痛み", "a\nb\U0001f600")


@dataclass(frozen=True)
class Bomb:
    """A sheet that would harm, and what is said."""

    name: str
    sheet: Callable[[], str]  # made by its test alone
    told: str


def _noise(count: int) -> str:
    return "".join(random.Random(1).choices(("<a/>", "<bb/>", "<c3/>"), k=count))


BOMBS = (
    Bomb("blanks", lambda: HEAD + " " * (48 << 20) + TAIL, "refused unread"),
    Bomb("nesting", lambda: HEAD + "<a>" * 2_000_000 + TAIL, "refused unread"),
    Bomb("elements", lambda: HEAD + _noise(3_100_000) + TAIL, "too many elements"),
    Bomb(
        "entity",
        lambda: f'<!DOCTYPE a [<!ENTITY b "c">]>{HEAD}{row(1, "&b;", "x")}{TAIL}',
        "entities",
    ),
    Bomb(
        "outside",
        lambda: (
            f'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>{HEAD}'
            f"{row(1, '&b;', 'x')}{TAIL}"
        ),
        "entities",
    ),
    Bomb(
        "corner",
        lambda: f'{HEAD}{row(1, "a", "b")}<row r="2"><c r="XFD2"><v>1</v></c></row>{TAIL}',
        "row 2: more than 1000 columns",
    ),
    Bomb(
        "order",
        lambda: f"{HEAD}{row(2, 'a', 'b')}{row(1, 'c', 'd')}{TAIL}",
        "rows are out of order",
    ),
    Bomb(
        "place",
        lambda: f'{HEAD}<row r="1"><c r="A7"><v>1</v></c></row>{TAIL}',
        "cells are out of order",
    ),
    Bomb(
        "text",
        lambda: f'{HEAD}<row r="1"><c t="s"><v>7</v></c></row>{TAIL}',
        "a text of the workbook is",
    ),
    Bomb("torn", lambda: HEAD + row(1, "a", "b"), "XML is damaged"),
    Bomb("nothing", lambda: HEAD + TAIL, "the table is empty"),
)


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_what_would_harm_is_refused_soon(tmp_path: Path, bomb: Bomb) -> None:
    path = build(tmp_path / "t.xlsx", bomb.sheet())
    began = time.process_time()
    with pytest.raises(CohortError) as refused:
        read_table(path)
    assert time.process_time() - began < 5
    assert str(refused.value).startswith("t.xlsx: ")
    assert bomb.told in str(refused.value)


def test_one_long_text_in_many_cells_is_refused(tmp_path: Path) -> None:
    shared = f'<sst xmlns="{_SHEETS}"><si><t>{"x" * 30_000}</t></si></sst>'
    links = (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="r1" Type="{_TYPE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{_TYPE}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>"
    )
    cells = ("<row>" + '<c t="s"><v>0</v></c>' * 100 + "</row>") * 100
    parts = {"xl/sharedStrings.xml": shared, "xl/_rels/workbook.xml.rels": links}
    with pytest.raises(CohortError, match="Mi letters"):
        read_table(build(tmp_path / "t.xlsx", HEAD + cells + TAIL, **parts))


def test_an_archive_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("../../evil.txt", "x")
    with pytest.raises(CohortError, match="holds no XLSX workbook"):
        read_table(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx", "w") as archive:
        for number in range(2_100):
            archive.writestr(f"p{number}", "")
    with pytest.raises(CohortError, match="too many"):
        read_table(tmp_path / "b.xlsx")
    (tmp_path / "c.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 1000)
    with pytest.raises(CohortError, match="no whole XLSX"):
        read_table(tmp_path / "c.xlsx")


@given(st.data())
def test_a_damaged_workbook_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "t.xlsx"
    whole = bytearray(
        build(path, HEAD + row(1, "subject", "sex") + row(2, "S1", "M") + TAIL).read_bytes()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(4, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole))
    told = ""
    try:
        told = f"t.xlsx: {read_table(path).how}"
    except CohortError as error:
        told = str(error)
    assert told.startswith("t.xlsx: ")
