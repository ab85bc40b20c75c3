"""Workbooks of .xls and .ods: read by a library in a process of its own, behind the same limits."""

import random
import shutil
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from necroangle.clinical.calamine_process import cell_text
from necroangle.clinical.raw_table import MAX_ROWS
from necroangle.clinical.table_files import read_table
from necroangle.errors import CohortError

ARCHIVE = Path(__file__).parent / "archive"
# the .xls files were written by xlwt, the .ods by odfpy
XLS = (ARCHIVE / "visits_1900.xls", ARCHIVE / "visits_1904.xls")
ODS = ARCHIVE / "visits.ods"
SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)
CELL = (
    '<table:table-cell office:value-type="string"{more}><text:p>{text}</text:p></table:table-cell>'
)


def ods(path: Path, rows: str, head: str = "") -> Path:
    content = (
        f"{head}<office:document-content {SPACES}><office:body><office:spreadsheet>"
        f'<table:table table:name="S">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
    return path


def row(*texts: str, repeated: int = 1) -> str:
    cells = "".join(CELL.format(text=text, more="") for text in texts)
    return f'<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>'


@pytest.mark.parametrize("path", XLS, ids=lambda path: path.stem)
def test_texts_numbers_days_and_truths_of_an_xls_file(path: Path) -> None:
    found = read_table(path)
    assert found.headings[:7] == ("subject", "side", "visit", "visit_date", "hhs", "note", "seen")
    first, second = found.rows
    assert first.cells[:7] == ("00123", "R", "m00", "2020-03-04", "72.5", "통증 痛み", "1")
    assert (second.number, second.cells[:5]) == (
        4,
        ("S02", "L", "m06", "2020-09-04T07:00:00", "100"),
    )
    assert [problem.severity for problem in found.problems] == ["warning"]
    assert "formulas, errors and hidden rows" in found.problems[0].message


def test_an_ods_file_says_the_same() -> None:
    found, other = read_table(ODS), read_table(XLS[0])
    assert [one.cells[:5] for one in found.rows] == [one.cells[:5] for one in other.rows]
    assert [one.number for one in found.rows] == [2, 4]


def test_a_hidden_sheet_is_read_where_it_is_named(tmp_path: Path) -> None:
    path = Path(shutil.copy(XLS[0], tmp_path / "named_anything.csv"))
    assert read_table(path, sheet="hidden").headings == ("x", "y")
    with pytest.raises(CohortError, match=r"no sheet 'three'; there are: 'visits', 'hidden'"):
        read_table(path, sheet="three")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    assert float(cell_text(number)) == number


def test_what_would_harm_is_refused(tmp_path: Path) -> None:
    entity = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    with pytest.raises(CohortError, match=r"a\.ods: a document type or entities"):
        read_table(ods(tmp_path / "a.ods", row("a", "&b;"), entity))
    with pytest.raises(CohortError, match="refused unread"):
        read_table(ods(tmp_path / "b.ods", " " * (48 << 20)))
    with pytest.raises(CohortError, match=r"XML is damaged"):
        read_table(ods(tmp_path / "c.ods", "<a>"))
    wide = CELL.format(text="x", more=' table:number-columns-repeated="16384"')
    far = f"{row('a', 'b')}<table:table-row>{wide}</table:table-row>"
    with pytest.raises(CohortError, match=r"more than 1000 columns|cannot be opened"):
        read_table(ods(tmp_path / "d.ods", far))
    long = row("a", "b") + row("c", "d", repeated=MAX_ROWS)
    with pytest.raises(CohortError, match=r"a table may have|cannot be opened"):
        read_table(ods(tmp_path / "e.ods", long))
    (tmp_path / "f.xls").write_bytes(XLS[0].read_bytes()[:512] + b"\xff" * 5000)
    with pytest.raises(CohortError, match=r"f\.xls: an old or password-protected workbook"):
        read_table(tmp_path / "f.xls")
    with (tmp_path / "g.xls").open("wb") as file:
        file.write(XLS[0].read_bytes()[:512])
        file.truncate(17 << 20)
    with pytest.raises(CohortError, match="larger than 16 MiB"):
        read_table(tmp_path / "g.xls")


@pytest.mark.parametrize("path", [XLS[0], ODS], ids=lambda path: path.suffix)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_damaged_workbook_is_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, path: Path, seed: int
) -> None:
    chance, whole = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 20)):
        whole[chance.randrange(8, len(whole))] = chance.randrange(256)
    damaged = tmp_path_factory.mktemp("damaged") / path.name
    damaged.write_bytes(bytes(whole))
    told = ""
    try:
        told = f"{path.name}: {read_table(damaged).how}"
    except CohortError as error:
        told = str(error)
    assert told.startswith(f"{path.name}: ")
