"""Packs and archives that were made to do harm: a refusal for what is bad, the rest goes on."""

import io
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.annotation import encode_reading, sha256_of
from necroangle.batch import measure_files
from necroangle.batch.pack import unpack
from necroangle.batch.sources import NAMES, open_sources
from necroangle.cli import cli
from necroangle.storage import name_problem

GOOD = encode_reading(make_reading())

BAD_NAMES = {
    "NUL": "a\0b.reading.json",
    "a way up": "../a.reading.json",
    "a way up inside": "x/../../a.reading.json",
    "a backslash": "..\\a.reading.json",
    "absolute": "/tmp/a.reading.json",
    "a drive": "C:/a.reading.json",
    "a stream": "a.reading.json:hidden",
    "a device": "NUL.reading.json",
    "a device in a folder": "x/com1.reading.json",
    "a device with a digit above the line": "LPT¹.reading.json",
    "a dot at the end": "a.",
    "a space at the end": "x /a.reading.json",
    "a line break": "a\nb.reading.json",
    "right to left": "a\u202eb.reading.json",
    "an escape": "a\x1b[31m.reading.json",
    "a question mark": "a?.reading.json",
    "nothing": "",
    "a dot": "./.",
    "two slashes": "a//b.reading.json",
    "very long": "a" * 300 + ".reading.json",
}


def packed(path: Path, rows: Sequence[tuple[Any, bytes | None]], **columns: Any) -> Path:
    keys = ["S01", "L", "m00", "r1", "1"]
    cells: dict[str, Any] = {
        name: [key] * len(rows) for name, key in zip(NAMES[1:6], keys, strict=True)
    }
    cells["file"] = [name for name, _ in rows]
    cells["sha256"] = [sha256_of(raw or b"") for _, raw in rows]
    cells["content"] = [raw for _, raw in rows]
    cells |= columns
    arrays = {name: cells[name] for name in NAMES}
    kinds = [(name, pa.binary() if name == "content" else pa.string()) for name in NAMES]
    pq.write_table(pa.table(arrays, schema=pa.schema(kinds)), path)
    return path


@pytest.mark.parametrize("what", BAD_NAMES)
def test_a_bad_name_is_refused_and_the_rest_is_unpacked(what: str, tmp_path: Path) -> None:
    rows = [("a.reading.json", GOOD), (BAD_NAMES[what], GOOD), ("z.reading.json", GOOD)]
    pack = packed(tmp_path / "p.parquet", rows)
    done = CliRunner().invoke(cli, ["unpack", str(pack), str(tmp_path / "out")])
    assert done.exit_code == 1, done.exception
    assert "2 readings unpacked" in done.output
    there = sorted(one.name for one in (tmp_path / "out").iterdir())
    assert there == ["a.reading.json", "z.reading.json"]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["out", "p.parquet"]
    assert name_problem(BAD_NAMES[what])


def test_names_that_are_one_file_elsewhere_are_told(tmp_path: Path) -> None:
    rows = [
        ("a.reading.json", GOOD),
        ("A.reading.json", GOOD),
        ("\u00e9.json", GOOD),
        ("e\u0301.json", GOOD),
    ]
    found = unpack(packed(tmp_path / "p.parquet", rows), tmp_path / "out")
    assert found.count == 2
    assert all("not every system tells its name from" in one.problem for one in found.refusals)


def test_a_name_below_a_file_or_through_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "out" / "file").write_bytes(b"x")
    rows = [("link/a.reading.json", GOOD), ("file/a.reading.json", GOOD), ("z.json", GOOD)]
    found = unpack(packed(tmp_path / "p.parquet", rows), tmp_path / "out")
    assert (found.count, len(found.refusals)) == (1, 2)
    assert list((tmp_path / "outside").iterdir()) == []


def test_cells_that_are_missing_no_text_or_too_large_are_refused_by_row(tmp_path: Path) -> None:
    rows: Sequence[tuple[Any, bytes | None]] = [
        *(("a.json", GOOD), (None, GOOD), ("b.json", None), ("c.json", b"x" * (1 << 21))),
        ("z.json", GOOD),
    ]
    found = unpack(packed(tmp_path / "p.parquet", rows), tmp_path / "out")
    assert found.count == 2
    assert sorted(one.file.split(" row ")[1] for one in found.refusals) == ["2", "3", "4"]
    odd = pa.array([b"a.json", b"\xff.json", b"z.json"]).view(pa.string())
    pack = packed(tmp_path / "q.parquet", [("x", GOOD)] * 3, file=odd)
    found = unpack(pack, tmp_path / "other")
    assert found.count == 2
    assert "no text" in found.refusals[0].problem


def test_columns_of_another_kind_are_no_pack(tmp_path: Path) -> None:
    table = pa.table({name: [1, 2] for name in NAMES})
    pq.write_table(table, tmp_path / "p.parquet")
    (refusal,) = unpack(tmp_path / "p.parquet", tmp_path / "out").refusals
    assert "not one that `necroangle pack` wrote" in refusal.problem


def test_a_pack_that_grows_without_end_is_held_small(tmp_path: Path) -> None:
    """One reading of 900 kB, named a hundred thousand times: 90 GB, were it spread out."""
    import resource

    raw = GOOD + b" " * 900_000
    some = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000), pa.array([raw]))
    names = pa.array([f"{number}.json" for number in range(100_000)])
    columns = {name: pa.array(["x"] * 100_000) for name in NAMES[1:7]}
    table = pa.table({"file": names, **columns, "content": some})
    pq.write_table(table, tmp_path / "p.parquet", row_group_size=100_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sources, refusals = open_sources([tmp_path / "p.parquet"])
    if sources:
        assert sum(1 for _ in zip(sources[0].items(), range(3000), strict=False)) == 3000
    assert sources or refusals
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000


def test_every_cut_or_spoilt_pack_ends_in_words(tmp_path: Path) -> None:
    rows = [(f"{number}.json", GOOD) for number in range(20)]
    raw = packed(tmp_path / "p.parquet", rows).read_bytes()
    for place in range(4, len(raw), max(1, len(raw) // 60)):
        (tmp_path / "q.parquet").write_bytes(raw[:place] + b"\xff\xff\xff" + raw[place + 3 :])
        done = CliRunner().invoke(cli, ["unpack", str(tmp_path / "q.parquet"), str(tmp_path / "o")])
        assert done.exception is None or isinstance(done.exception, SystemExit)


def spoilt_zip(kind: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.reading.json", GOOD)
        archive.writestr("b.reading.json", GOOD * 3)
    raw = bytearray(stream.getvalue())
    start = raw.index(b"b.reading.json") + len("b.reading.json")
    if kind == "stream":
        raw[start : start + 20] = b"\xff" * 20
    elif kind == "method":
        at = raw.rindex(b"PK\x01\x02")
        raw[at + 10 : at + 12] = struct.pack("<H", 97)
    elif kind == "name":
        raw = bytearray(bytes(raw).replace(b"b.reading.json", b"b\0reading.json"))
    elif kind == "encrypted":
        at = raw.rindex(b"PK\x01\x02")
        raw[at + 8] |= 1
    elif kind == "end":
        del raw[-10:]
    return bytes(raw)


@pytest.mark.parametrize("kind", ["stream", "method", "name", "encrypted", "end"])
def test_a_spoilt_archive_ends_in_words(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(spoilt_zip(kind))
    result = measure_files([tmp_path / "a.zip"])
    assert len(result.rows) <= 1
    assert all(one.problem for one in result.refusals)
    done = CliRunner().invoke(
        cli, ["measure", str(tmp_path / "a.zip"), "--cohort", str(tmp_path / "c.sqlite")]
    )
    assert done.exception is None or isinstance(done.exception, SystemExit)


@pytest.mark.parametrize("kind", ["deflate", "many"])
def test_a_zip_bomb_is_refused(kind: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "deflate":
            archive.writestr("a.reading.json", b"0" * (200 << 20))
        else:
            for number in range(2000):
                archive.writestr(f"{number}.reading.json", b"0" * 4096)
    result = measure_files([tmp_path / "a.zip"])
    assert result.rows == ()
    assert result.refusals
