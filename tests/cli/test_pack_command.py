"""``necroangle pack`` and ``necroangle unpack``."""

from pathlib import Path

from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.annotation import encode_reading
from necroangle.cli.readings import pack, unpack


def test_there_and_back(tmp_path: Path) -> None:
    study, packed, back = tmp_path / "study", tmp_path / "s.parquet", tmp_path / "back"
    study.mkdir()
    raw = encode_reading(make_reading())
    (study / "a.reading.json").write_bytes(raw)
    found = CliRunner().invoke(pack.command, [str(study), "-o", str(packed)])
    assert (found.exit_code, found.output) == (0, f"1 reading packed in {packed}\n")
    found = CliRunner().invoke(unpack.command, [str(packed), str(back)])
    assert (found.exit_code, found.output) == (0, f"1 reading unpacked in {back}\n")
    assert [file.read_bytes() for file in back.rglob("*.json")] == [raw]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = CliRunner().invoke(
        pack.command, [str(tmp_path / "gone.reading.json"), "-o", str(tmp_path / "p.parquet")]
    )
    assert found.exit_code == 1
    assert "there is no such file" in found.output
    found = CliRunner().invoke(unpack.command, [str(tmp_path / "no.parquet"), str(tmp_path / "x")])
    assert found.exit_code == 1
    assert "there is no such file" in found.output
