"""Delimited text: read as it stands, or refused with row and column."""

import csv
import io
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necroangle.clinical.raw_table import clean_text
from necroangle.clinical.table_files import DELIMITERS, read_table, split_records
from necroangle.errors import CohortError

CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), include_characters='\n,";\t|'),
    max_size=8,
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 5))
    return draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))


@given(tables(), st.sampled_from(sorted(DELIMITERS)), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_another_program_writes_is_read_cell_by_cell(
    table: list[list[str]], delimiter: str, end: str
) -> None:
    text = io.StringIO()
    # with a bare CR, csv.writer leaves a LF within a cell unquoted: no reader could tell them apart
    quoting: Literal[0, 1] = csv.QUOTE_ALL if end == "\r" else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)
    records, problems = split_records(text.getvalue(), delimiter)
    assert [cells for _, cells in records] == table
    assert [number for number, _ in records] == list(range(1, len(table) + 1))
    assert not problems


@given(st.text(st.sampled_from('a,"\n\r;'), max_size=40))
def test_any_text_is_split_and_no_letter_outside_quotes_is_lost(text: str) -> None:
    records, _ = split_records(text, ",")
    kept = "".join(cell for _, cells in records for cell in cells)
    assert kept.count("a") == text.count("a")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(raw)
    told = ""
    try:
        told = f"any.csv: {read_table(path).how}"
    except CohortError as error:
        told = str(error)
    assert told.startswith("any.csv: ")


@pytest.mark.parametrize(
    "text", ["00123", "1E5", "NA", "None", "-99", "1/2", "TRUE", "0,5", "\u00bd"]
)
def test_a_cell_stays_what_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f'subject;x\n{text};" {text} "\n', "utf-8")
    assert read_table(path).rows[0].cells == (text, text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", sorted(DELIMITERS))
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_and_marked_encoding_are_found(
    tmp_path: Path, encoding: str, delimiter: str, end: str
) -> None:
    path = tmp_path / "t.csv"
    rows = [["subject", "비고, 기타"], ["가-01", 'say "ja"; 1|2\t3']]
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    sheet = read_table(path, known=frozenset({"subject"}))
    assert sheet.headings == ("subject", "비고, 기타")
    assert sheet.rows[0].cells == ("가-01", 'say "ja"; 1|2\t3')


def test_a_stated_delimiter_is_believed_and_rows_count_as_in_the_spreadsheet(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("sep=;\r\n\r\nsubject;sex\r\n\r\nS1;M\r\n", newline="")
    sheet = read_table(path)
    assert (sheet.heading_row, sheet.rows[0].number) == (3, 5)


KOREAN = "subject,비고\nS1,통증이 줄었고 보행이 편해졌습니다 다음 방문은 여섯 달 뒤입니다\n"
JAPANESE = "subject,備考\nS1,いたみがへりました。つぎのしんさつはらいげつです\n"
CHINESE = "subject,备注\nS1,患者疼痛明显减轻行走正常下次复查时间为六个月以后请注意休息\n"


@pytest.mark.parametrize(
    ("text", "encoding"), [(KOREAN, "cp949"), (JAPANESE, "cp932"), (CHINESE, "gb18030")]
)
def test_enough_text_tells_the_writing(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(encoding))
    sheet = read_table(path)
    assert sheet.how.endswith(encoding)
    assert ",".join(sheet.headings) == text.splitlines()[0]


@pytest.mark.parametrize("encoding", ["cp949", "gb18030"])
def test_a_short_text_is_refused_until_mapping_or_user_tells(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    heading = {"cp949": "성별", "gb18030": "性别"}[encoding]
    path.write_bytes(f"subject,{heading}\nS1,M\n".encode(encoding))
    with pytest.raises(CohortError, match=r"t\.csv: row 1: not UTF-8, .*--encoding"):
        read_table(path)
    assert read_table(path, expected=frozenset({heading})).headings[1] == heading
    assert read_table(path, encoding=encoding).headings[1] == heading


def test_a_wrong_byte_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("subject,x\nS1,ja\nS2,é\n".encode("latin-1"))
    with pytest.raises(CohortError, match=r"row 3: byte 19 is not"):
        read_table(path)
    with pytest.raises(CohortError, match=r"row 3: byte 19 is not utf-8"):
        read_table(path, encoding="utf-8")


@dataclass(frozen=True)
class Hostile:
    """A table with one fault, and where it must be told."""

    name: str
    raw: bytes
    told: str


TOLD = (
    Hostile(
        "NUL", b"subject,sex\nS1,M\nS2,\0F\n", "row 3, column B (sex): a control character (NUL)"
    ),
    Hostile(
        "escape", b"subject,sex\nS1,\x1b[31mM\n", "row 2, column B (sex): a control character (U+"
    ),
    Hostile(
        "long field", b"subject,sex\nS1," + b"x" * 200_000, "row 2, column B (sex): 200000 letters"
    ),
    Hostile(
        "long quoted field",
        b'subject,sex\nS1,"' + b"x\n" * 100_000 + b'"\n',
        "row 2, column B (sex): 199999 letters",
    ),
    Hostile("heading twice", b"subject,sex,SEX\nS1,M,F\n", "row 1, column C (SEX): the heading of"),
    Hostile("no heading", b"subject,,sex\nS1,a,M\n", "row 1, column B: this column has no heading"),
    Hostile("short row", b"subject,sex,note\nS1,M\n", "row 2: 2 cells where the heading row has 3"),
    Hostile(
        "long row", b"subject,sex\nS1,M,3\n", "row 2, column C: a cell beyond the last heading"
    ),
    Hostile("open quote", b'subject,sex\n"S1,M\nS2,F\n', "row 2, column A: a quote that does not"),
    Hostile("text behind a quote", b'subject,sex\n"S1"x,M\n', "row 2, column A: a quote that does"),
)


@pytest.mark.parametrize("hostile", TOLD, ids=lambda hostile: hostile.name)
def test_a_fault_is_told_by_row_and_column(tmp_path: Path, hostile: Hostile) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(hostile.raw)
    fatal = [str(one) for one in read_table(path).problems if one.severity == "fatal"]
    assert any(text.startswith(hostile.told) for text in fatal), fatal


REFUSED = (
    Hostile("empty", b"", "the file is empty"),
    Hostile("blank", b"\n \n\t\n", "the table is empty"),
    Hostile(
        "a million columns", b",".join(b"c%d" % n for n in range(10**6)), "row 1: more than 1000"
    ),
    Hostile("rows", b"a,b\n" + b"1,2\n" * 300_000, "row 200001: a table may have"),
    Hostile("blank lines", b"\n" * (8 << 20), "the table is empty"),
    Hostile("quotes", b'"' * (8 << 20), "no comma, semicolon"),
    Hostile("delimiters", b";" * (8 << 20), "row 1: more than 1000 columns"),
    Hostile("picture", b"\x89PNG\r\n\x1a\n" + b"\0\xff" * 500, "row 1: not UTF-8"),
    Hostile(
        "old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "an old or password"
    ),
    Hostile("one column", b"subject\nS1\n", "no comma, semicolon, tab or bar"),
)


@pytest.mark.parametrize("hostile", REFUSED, ids=lambda hostile: hostile.name)
def test_what_is_no_table_is_refused_soon(tmp_path: Path, hostile: Hostile) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(hostile.raw)
    began = time.process_time()
    with pytest.raises(CohortError) as refused:
        read_table(path)
    assert time.process_time() - began < 5
    assert hostile.told in str(refused.value)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    for name, told in (
        ("fifo.csv", "no regular file"),
        ("link.csv", "no regular file"),
        (".", "no regular file"),
        ("none.csv", "there is no such file"),
    ):
        with pytest.raises(CohortError, match=told):
            read_table(tmp_path / name)


@given(st.text(max_size=30))
def test_cleaning_is_done_once(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)
