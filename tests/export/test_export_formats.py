"""Random tables through every format, opened again by a reader that is not the writer."""

import csv
import io
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest
from exportmaker import readings, source_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from pandas.io.stata import StataReader

from necroangle.errors import CohortError
from necroangle.export import (
    ExportColumn,
    ExportSource,
    ExportTable,
    Missing,
    build_table,
    to_wide,
)
from necroangle.export.columns import Value, bare, cut_bytes
from necroangle.export.csv_file import data_csv
from necroangle.export.sheet_files import METADATA_KEY, write_parquet, write_xlsx
from necroangle.export.statistics_files import SAS_LARGEST, write_dta, write_sav, write_xpt
from necroangle.export.table import LARGEST_REAL

COLUMNS = (
    ExportColumn("row_no", "whole", "Row", can_miss=False),
    ExportColumn("word", "text", "홍길동's label, with 'quotes' and \"more\"", measure="nominal"),
    ExportColumn("amount", "real", "Amount", "deg"),
    ExportColumn("number", "whole", "Number"),
    ExportColumn("stage", "whole", "ARCO", values=((10, "一期"), (31, "3A")), measure="ordinal"),
    ExportColumn("day", "date", "Day"),
)
HOSTILE = (
    "홍길동",
    "張偉",
    "山田太郎",
    "=cmd|'/C calc'!A0",
    "+1",
    "-5",
    "@SUM(A1)",
    "'quoted",
    "00123",
    "1E5",
    "NA",
    "None",
    "a,b;c\td",
    'say "x"',
    "a\x00b",
    "line\r\nbreak",
    " =1",
    "",
    "_x000D_",
    ".a",
    "true",
    "https://example.org",
    "é" * 300,
    "＝1",
)
MISSING = st.sampled_from(list(Missing))
WORDS = st.sampled_from(HOSTILE) | st.text(max_size=30)
AMOUNTS = st.sampled_from([-0.0, 1e-300, -97.0, -98.0, -99.0, 0.1 + 0.2]) | st.floats(
    -LARGEST_REAL, LARGEST_REAL, allow_nan=False
)
NUMBERS = st.integers(-96, 2**53) | st.integers(-(2**53), -100)
ROWS = st.lists(
    st.tuples(
        WORDS | MISSING,
        AMOUNTS | MISSING,
        NUMBERS | MISSING,
        st.sampled_from([10, 31]) | MISSING,
        st.dates(date(1901, 1, 1), date(2100, 1, 1)) | MISSING,
    ),
    min_size=1,
    max_size=8,
)
EVERY_WORD = [(word, 1.5, 1, 10, date(2020, 2, 29)) for word in HOSTILE]


def table_of(rows: list[tuple[Value, ...]]) -> ExportTable:
    return ExportTable.of(COLUMNS, [(n, *row) for n, row in enumerate(rows)], unit="a row", keys=1)


@contextmanager
def file_named(name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name


def plain(table: ExportTable, name: str) -> list[Any]:
    """Values of a column, None where there is none; an empty text is nothing, too."""
    place = [column.name for column in table.columns].index(name)
    return [None if isinstance(c, Missing) or c == "" else c for c in table.values(place)]


def reasons(table: ExportTable, name: str) -> list[Missing | None]:
    place = [column.name for column in table.columns].index(name)
    return [cell if isinstance(cell, Missing) else None for cell in table.values(place)]


def near(found: Iterable[Any], wanted: Iterable[Any], *, least: float = 0.0) -> bool:
    """Equal to 15 digits; below ``least`` is 0; None where there is nothing."""
    pairs = list(zip(found, wanted, strict=True))
    return all(
        a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-15, abs_tol=least)
        for a, b in pairs
    )


ROUND_TRIP = settings(max_examples=25)


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_csv_gives_every_value_back(rows: list[tuple[Value, ...]]) -> None:
    table = table_of(rows)
    text = data_csv(table, bom=True).decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(lines) == len(rows)
    assert [bare(line["word"]) or None for line in lines] == plain(table, "word")
    for name, kind in (("amount", float), ("number", int), ("day", date.fromisoformat)):
        found = [kind(line[name]) if line[name] else None for line in lines]
        assert found == plain(table, name)
        words = [line[f"{name}_missing_reason"] for line in lines]
        assert words == [reason.word if reason else "" for reason in reasons(table, name)]


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_no_cell_of_a_csv_is_a_formula(rows: list[tuple[Value, ...]]) -> None:
    table = table_of(rows)
    text = data_csv(table).decode()
    for line in csv.DictReader(io.StringIO(text, newline="")):
        assert not line["word"].lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_xlsx_gives_every_value_back_and_runs_none(rows: list[tuple[Value, ...]]) -> None:
    table = table_of(rows)
    with file_named("t.xlsx") as path:
        write_xlsx(table, path, {"hash": table.canonical_sha256})
        book = openpyxl.load_workbook(path)
        assert book.sheetnames == ["data", "codebook", "provenance"]
        heading, *lines = book["data"].iter_rows()
        kinds = {cell.data_type for line in lines for cell in line}
        columns = {cell.value: n for n, cell in enumerate(heading)}
        shown = {name: [line[n].value for line in lines] for name, n in columns.items()}
        assert [row[0].value for row in book["codebook"].iter_rows(min_row=2)] == [
            column.name for column in COLUMNS
        ]
        book.close()
    assert "f" not in kinds
    assert [text and unescape(text) for text in shown["word"]] == plain(table, "word")
    # a spreadsheet keeps 16 or 17 digits
    assert near(shown["amount"], plain(table, "amount"))
    days = [day.date() if isinstance(day, datetime) else day for day in shown["day"]]
    assert days == plain(table, "day")
    words = [reason.word if reason else None for reason in reasons(table, "number")]
    assert shown["number_missing_reason"] == words


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_sav_gives_every_value_back_with_three_missing_values(
    rows: list[tuple[Value, ...]],
) -> None:
    table = table_of(rows)
    with file_named("t.sav") as path:
        write_sav(table, path, "title")
        coded, meta = pyreadstat.read_sav(str(path), user_missing=True)
        read, _ = pyreadstat.read_sav(str(path))
    for name in ("amount", "number", "stage"):
        wanted = [
            float(reason.code) if reason else float(value)
            for value, reason in zip(plain(table, name), reasons(table, name), strict=True)
        ]
        assert near(coded[name], wanted)
        assert read[name].isna().tolist() == [bool(reason) for reason in reasons(table, name)]
        gaps: list[Any] = list(meta.missing_ranges[name])
        assert {gap["lo"] for gap in gaps} == {-97.0, -98.0, -99.0}
        assert meta.variable_value_labels[name][-98.0] == "image not readable"
    assert [word or None for word in read["word"]] == [
        (word or "").rstrip(" ") or None for word in plain(table, "word")
    ]
    days = [None if pd.isna(day) else day for day in read["day"]]
    assert days == plain(table, "day")
    assert meta.column_names_to_labels["word"] == COLUMNS[1].label
    assert meta.variable_value_labels["stage"][10.0] == "一期"
    assert meta.variable_measure["stage"] == "ordinal"
    assert meta.original_variable_types["word"] in {"A64", "A256", "A2048"}


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_dta_gives_every_value_back_with_extended_missing_values(
    rows: list[tuple[Value, ...]],
) -> None:
    table = table_of(rows)
    with file_named("t.dta") as path:
        write_dta(table, path, "title")
        numbers = ["amount", "number", "stage"]
        read = pd.read_stata(path, convert_categoricals=False)
        frame = pd.read_stata(
            path, convert_categoricals=False, convert_missing=True, columns=numbers
        )
        with StataReader(path) as reader:
            labels, names = reader.value_labels(), reader.variable_labels()
    for name in ("amount", "number", "stage"):
        found = [
            str(value) if type(value).__name__ == "StataMissingValue" else float(value)
            for value in frame[name]
        ]
        assert found == [
            f".{reason.letter}" if reason else float(value)
            for value, reason in zip(plain(table, name), reasons(table, name), strict=True)
        ]
    assert [word or None for word in read["word"]] == plain(table, "word")
    assert [None if pd.isna(day) else day.date() for day in read["day"]] == plain(table, "day")
    assert labels["stage"][10] == "一期"
    assert names["word"] == COLUMNS[1].label


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_xpt_is_read_by_pandas_and_pyreadstat(rows: list[tuple[Value, ...]]) -> None:
    more = tuple(ExportColumn(f"n{n}", "whole", f"N {n}", can_miss=False) for n in range(10))
    table = ExportTable.of(
        (*COLUMNS, *more),
        [(n, *row, *[1] * len(more)) for n, row in enumerate(rows)],
        unit="a row",
        keys=1,
    )
    if any(abs(value or 0) > SAS_LARGEST for value in plain(table, "amount")):
        with file_named("t.xpt") as path, pytest.raises(CohortError, match="no number above"):
            write_xpt(table, path)
        return
    with file_named("t.xpt") as path:
        write_xpt(table, path, version=5)
        five = pd.read_sas(path, format="xport", encoding="utf-8")
        write_xpt(table, path)
        eight, meta = pyreadstat.read_xport(str(path))
    names = [column.name for column in table.columns]
    assert five.columns.tolist() == ["WORD", *(name.upper() for name in names if name != "word")]
    assert eight.columns.tolist() == names
    assert meta.column_names_to_labels["word"] == COLUMNS[1].label
    wanted = [(word or "").rstrip(" ") or None for word in plain(table, "word")]
    assert [word or None for word in eight["word"]] == wanted
    short = [(cut_bytes(word, 200).rstrip(" ") or None) if word else None for word in wanted]
    assert [None if pd.isna(word) or word == "" else word for word in five["WORD"]] == short
    for frame, name in ((eight, "amount"), (eight, "number"), (five, "AMOUNT"), (five, "NUMBER")):
        found = [None if pd.isna(value) else float(value) for value in frame[name]]
        assert near(found, plain(table, name.lower()), least=1e-78)


@ROUND_TRIP
@given(rows=ROWS)
@example(rows=EVERY_WORD)
def test_parquet_is_read_by_arrow_and_duckdb(rows: list[tuple[Value, ...]]) -> None:
    table = table_of(rows)
    with file_named("t.parquet") as path:
        write_parquet(table, path, {"canonical_sha256": table.canonical_sha256})
        arrow = pq.read_table(path)
        with duckdb.connect() as connection:
            duck = connection.execute(
                "SELECT word, amount, number, day FROM read_parquet(?)", [str(path)]
            ).fetchall()
    for place, name in enumerate(("word", "amount", "number", "day")):
        assert [cell or None if name == "word" else cell for cell in arrow[name].to_pylist()] == (
            plain(table, name)
        )
        assert [cell or None if name == "word" else cell for cell in (r[place] for r in duck)] == (
            plain(table, name)
        )
        words = [reason.word if reason else None for reason in reasons(table, name)]
        assert arrow[f"{name}_missing_reason"].to_pylist() == words
    about = arrow.schema.field("stage").metadata
    assert about[b"label"] == b"ARCO"
    assert '"10": "一期"' in about[b"values"].decode()
    assert table.canonical_sha256.encode() in arrow.schema.metadata[METADATA_KEY.encode()]


def write_plain_xlsx(table: ExportTable, path: Path) -> None:
    write_xlsx(table, path, {"a": "b"})


def write_plain_parquet(table: ExportTable, path: Path) -> None:
    write_parquet(table, path, {"a": "b"})


def write_titled_dta(table: ExportTable, path: Path) -> None:
    write_dta(table, path, "title")


@pytest.mark.parametrize("write", [write_plain_xlsx, write_plain_parquet, write_titled_dta])
def test_the_same_table_gives_the_same_bytes(
    source: ExportSource, tmp_path: Path, write: Callable[[ExportTable, Path], None]
) -> None:
    table = build_table(source)
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        write(table, file)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_width_of_spss_does_not_follow_the_longest_text(tmp_path: Path) -> None:
    widths = []
    for subject in ("S1", "S0000000000001"):
        some = source_of([r for r in readings() if r.subject == "NA"], clinical={})
        table = build_table(some)
        rows = [(subject, *row[1:]) for row in table.rows]
        longer = ExportTable.of(table.columns, rows, unit=table.unit, keys=table.keys)
        write_sav(longer, tmp_path / "t.sav", "title")
        _, meta = pyreadstat.read_sav(str(tmp_path / "t.sav"), metadataonly=True)
        widths.append(meta.original_variable_types["patient_id"])
    assert widths == ["A64", "A64"]


def test_a_whole_number_that_is_a_missing_code_stays_a_value_in_spss(tmp_path: Path) -> None:
    rows = [(-98,), (-99,), (7,), (None,)]
    table = ExportTable.of((ExportColumn("n", "whole", "N"),), rows, unit="row", keys=1)
    write_sav(table, tmp_path / "t.sav", "title")
    frame, _ = pyreadstat.read_sav(str(tmp_path / "t.sav"))
    read = frame["n"].tolist()
    assert math.isnan(read[3])
    assert read[:3] == pytest.approx([-99, -98, 7], abs=1e-12)
    assert [round(number) for number in read[:3]] == [-99, -98, 7]


@pytest.mark.parametrize("shape", ["reading", "hip_visit", "wide"])
def test_real_tables_pass_every_format(source: ExportSource, tmp_path: Path, shape: str) -> None:
    table = build_table(source, "reading" if shape == "reading" else "hip_visit")
    table = to_wide(table) if shape == "wide" else table
    write_sav(table, tmp_path / "t.sav", "title")
    write_dta(table, tmp_path / "t.dta", "title")
    write_xpt(table, tmp_path / "t.xpt")
    names = [column.name for column in table.columns]
    assert list(pyreadstat.read_sav(str(tmp_path / "t.sav"))[0].columns) == names
    assert list(pd.read_stata(tmp_path / "t.dta", convert_categoricals=False).columns) == names
    assert list(pyreadstat.read_xport(str(tmp_path / "t.xpt"))[0].columns) == names
    subjects = {"홍길동", "00123", "1E5", "NA"}
    for found in (
        pyreadstat.read_sav(str(tmp_path / "t.sav"))[0],
        pd.read_stata(tmp_path / "t.dta", convert_categoricals=False),
        pyreadstat.read_xport(str(tmp_path / "t.xpt"))[0],
    ):
        assert set(found["patient_id"]) == subjects
