"""Folders, globs, archives, manifests, packs and URLs: the same readings, the same rows."""

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hipmaker import make_reading

from necroangle.annotation import encode_reading
from necroangle.batch import BatchResult, measure_files, open_sources, open_stream
from necroangle.batch.duplicates import key_of
from necroangle.batch.pack import pack, unpack
from necroangle.errors import ReadingError


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for number in range(6):
        raw = encode_reading(make_reading(100.0 + number, subject=f"S{number}"))
        place = folder / f"reader {number % 2}" / f"{number}.reading.json"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(raw)
    (folder / "notes.json").write_text("{}")
    return folder


def zipped(study: Path) -> Path:
    path = study.parent / "study.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(study.rglob("*.json")):
            archive.write(file, str(file.relative_to(study)))
    return path


def listed(study: Path) -> Path:
    path = study.parent / "list.txt"
    lines = [str(file.relative_to(study.parent)) for file in study.rglob("*.reading.json")]
    path.write_text("# the study\n\n" + "\n".join(lines), encoding="utf-8")
    return path


def packed(study: Path) -> Path:
    path = study.parent / "study.parquet"
    assert pack([study], path).count == 6
    return path


def test_every_kind_of_source_gives_the_same_rows(study: Path) -> None:
    expected = measure_files([study])
    assert len(expected.rows) == 6
    sources: list[str | Path] = [zipped(study), listed(study), packed(study)]
    sources += [f"{study}/*/*.reading.json", f"{study}/**/[0-9].reading.json", study.as_uri()]
    for source in sources:
        assert measure_files([source]) == expected, source
    assert measure_files([*sources, study]) == expected, "copies of one file give one row"


def test_files_are_given_back_byte_for_byte(study: Path, tmp_path: Path) -> None:
    odd = study / "odd.reading.json"
    odd.write_bytes(b"\xff\x00 no reading at all")
    path = tmp_path / "study.parquet"
    assert pack([study], path).count == 7
    back = tmp_path / "back"
    assert unpack(path, back).count == 7
    there = {file.name: file.read_bytes() for file in back.rglob("*.json")}
    assert there == {file.name: file.read_bytes() for file in study.rglob("*.reading.json")}
    next(back.rglob("0.reading.json")).write_bytes(b"edited")
    (refusal,) = unpack(path, back).refusals
    assert "was left alone" in refusal.problem
    assert next(back.rglob("0.reading.json")).read_bytes() == b"edited"


def test_a_pack_keeps_its_keys_beside_the_files(study: Path) -> None:
    table = pq.read_table(packed(study))
    raws = table.column("content").to_pylist()
    names = ("subject", "laterality", "visit", "reader", "read_no")
    keys = list(zip(*(table.column(name).to_pylist() for name in names), strict=True))
    assert keys == [key_of(raw) for raw in raws]


def test_keys_are_read_however_the_file_is_written() -> None:
    raw = encode_reading(make_reading(subject="Größe-1"))
    assert key_of(raw) == ("Größe-1", "L", "m00", "r1", "1")
    plain = encode_reading(make_reading())
    assert key_of(plain) == ("S01", "L", "m00", "r1", "1")
    assert key_of(plain.replace(b'"S01"', b'"S\\u0030\\u0031"')) == key_of(plain)
    swapped = plain.replace(b' "visit": "m00",\n', b"").replace(b"{\n", b'{\n "visit": "m00",\n', 1)
    assert swapped != plain
    assert key_of(swapped) == key_of(plain)
    assert key_of(b"[]") is None


def test_a_damaged_pack_is_told(study: Path, tmp_path: Path) -> None:
    path = packed(study)
    table = pq.read_table(path)
    raws = table.column("content").to_pylist()
    raws[2] = raws[2].replace(b'"notes": ""', b'"notes": "x"')
    place = table.schema.get_field_index("content")
    pq.write_table(table.set_column(place, "content", pa.array(raws, pa.binary())), path)
    result = measure_files([path])
    assert len(result.rows) == 5
    assert [one.problem for one in result.refusals] == [
        "its content is damaged: it is not what was packed"
    ]
    (refusal,) = unpack(path, tmp_path / "back").refusals
    assert "damaged" in refusal.problem


def test_no_name_leads_out_of_the_folder(study: Path, tmp_path: Path) -> None:
    path = packed(study)
    table = pq.read_table(path)
    names = ["../../out.reading.json", *table.column("file").to_pylist()[1:]]
    pq.write_table(table.set_column(0, "file", pa.array(names)), path)
    (refusal,) = unpack(path, tmp_path / "deep" / "back").refusals
    assert "leads out of the folder" in refusal.problem
    assert not (tmp_path / "out.reading.json").exists()


@pytest.mark.parametrize("name", ["bad.zip", "bad.parquet"])
def test_what_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    bad = tmp_path / name
    assert "there is no such file" in str(measure_files([bad]).refusals[0])
    bad.write_bytes(b"nothing of the kind")
    (refusal,) = measure_files([bad]).refusals
    assert refusal.file == str(bad)
    assert "can be read" in refusal.problem


def test_another_parquet_file_is_no_pack(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "x.parquet")
    (refusal,) = measure_files([tmp_path / "x.parquet"]).refusals
    assert "necroangle pack" in refusal.problem


def test_a_large_member_of_an_archive_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.reading.json", b" " * (1 << 24))
    (refusal,) = measure_files([path]).refusals
    assert "larger than 1 MiB" in refusal.problem


def test_an_unknown_url_is_told() -> None:
    with pytest.raises(ReadingError, match="nosuch://bucket: cannot be opened"):
        open_sources(["nosuch://bucket"])


@pytest.mark.parametrize("chunk", [1, 3, 1000])
@pytest.mark.parametrize("workers", [1, 2])
def test_rival_files_are_refused_wherever_they_are_met(
    study: Path, chunk: int, workers: int
) -> None:
    rival = study / "z" / "rival.reading.json"
    rival.parent.mkdir()
    rival.write_bytes(encode_reading(make_reading(33.0, subject="S0")))
    (study / "z" / "copy.reading.json").write_bytes(
        (study / "reader 1" / "1.reading.json").read_bytes()
    )
    (study / "z" / "broken.reading.json").write_bytes(
        (study / "reader 0" / "2.reading.json").read_bytes()[:-9]
    )
    found = list(open_stream([study], chunk=chunk).results(workers))
    rows = [row for one in found for row in one.columns.rows()]
    assert sorted(str(row["subject"]) for row in rows) == ["S1", "S2", "S3", "S4", "S5"]
    refused = sorted(refusal.file for one in found for refusal in one.refusals)
    first = str(study / "reader 0" / "0.reading.json")
    assert refused == [first, str(rival.parent / "broken.reading.json"), str(rival)]


def test_an_empty_pack_is_a_pack(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert pack([tmp_path / "none"], tmp_path / "none.parquet").count == 0
    assert measure_files([tmp_path / "none.parquet"]) == BatchResult((), ())
