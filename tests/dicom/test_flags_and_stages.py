"""Doubts about a file are data, and every refusal says at which stage it came."""

import json
import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dicombytes import mr_file

from necroangle.cli.images.series import command
from necroangle.dicom import passport_of, scan_folder
from necroangle.dicom.index import refresh_index, scan_index
from necroangle.dicom.passport import passport_lines
from necroangle.dicom.store import DATABASE, IndexStore
from necroangle.errors import DicomError, NecroangleError

PLACES: tuple[dict[str, Any], ...] = (
    {},
    {"SOPInstanceUID": "1.2.9.2", "ImagePositionPatient": "0\\3\\0"},
)
SLOW = {"SpecificCharacterSet": "ISO_IR 999"}
"""An unknown character set: such a file takes the thorough road."""


@pytest.mark.parametrize("program", [b"MZ\x90", b"\x7fELF", b"#!/bin/sh\n"])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("slow", [False, True])
def test_one_program_among_the_files_flags_the_stack(
    tmp_path: Path, program: bytes, which: int, slow: bool
) -> None:
    for number, own in enumerate(PLACES):
        preamble = program if number == which else b""
        values = {**own, **(SLOW if slow and number == which else {})}
        (tmp_path / f"{number}").write_bytes(mr_file(values, preamble=preamble))
    (series,) = scan_folder(tmp_path).series
    assert series.facts.executable_preamble
    assert series.facts.charset_known is not slow
    found = passport_of(series)
    assert (found.executable_preamble, found.charset_known) == (True, not slow)
    said = " ".join(passport_lines(found))
    assert "A PROGRAM AT THE SAME TIME" in said
    assert ("unknown character set" in said) is slow
    record = json.loads(CliRunner().invoke(command, [str(tmp_path), "--json"]).stdout)
    assert (record["executable_preamble"], record["charset_known"]) == (True, not slow)
    assert record["passport"]["executable_preamble"] is True
    with closing(IndexStore(tmp_path / DATABASE)) as store:
        refresh_index(tmp_path, store)
        assert scan_index(tmp_path, store).series == (series,)


def test_ordinary_files_are_not_flagged(tmp_path: Path) -> None:
    for number, own in enumerate(PLACES):
        (tmp_path / f"{number}").write_bytes(mr_file(own))
    (series,) = scan_folder(tmp_path).series
    assert (series.facts.executable_preamble, series.facts.charset_known) == (False, True)
    assert series.syntaxes == ("1.2.840.10008.1.2.1",)
    assert "decoder   native" in passport_lines(passport_of(series))


def test_every_refusal_has_its_stage(tmp_path: Path) -> None:
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "cut.dcm").write_bytes(mr_file()[:305])
    other = {"StudyInstanceUID": "1.3", "SeriesInstanceUID": "1.3.1"}
    (tmp_path / "rows").write_bytes(mr_file({"Rows": 0, "SOPInstanceUID": "1.3.3"}))
    for number in range(2):
        (tmp_path / f"same{number}").write_bytes(mr_file({"SOPInstanceUID": f"1.2.9.{number}"}))
        twin = mr_file({**other, "PixelData": bytes([number]) * 512})
        (tmp_path / f"twin{number}").write_bytes(twin)
    due = {
        "cut.dcm": "open", "empty.dcm": "open", "rows": "header", "same0": "geometry",
        "twin0": "aside",
    }  # fmt: skip
    scan = scan_folder(tmp_path)
    assert {refusal.place: refusal.stage for refusal in scan.left_out} == due
    ordered = sorted(path.name for path in tmp_path.iterdir())
    assert all(ordered[one.number - 1] == one.place for one in scan.left_out)
    with closing(IndexStore(tmp_path / DATABASE)) as store:
        refresh_index(tmp_path, store)
        kept = scan_index(tmp_path, store)
    assert kept.left_out == scan.left_out
    (twins,) = (one for one in kept.left_out if one.stage == "aside")
    assert (twins.files, twins.members, twins.at) == (2, ("twin0", "twin1"), ("twin0", "twin1"))


def test_an_error_survives_the_way_between_processes() -> None:
    error = DicomError(
        "bad", tag="Rows", file="a/IM1", stage="header", cause="KeyError", at=("a", "b")
    )
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, NecroangleError)
    assert vars(again) == vars(error)
    assert str(again) == str(error) == "a/IM1: Rows: bad (a, b)"


def test_a_place_once_told_is_kept() -> None:
    error = DicomError("bad", file="inner", stage="decode")
    error.__cause__ = KeyError("x")
    moved = error.placed(file="outer", stage="open")
    assert (moved.file, moved.stage) == ("inner", "decode")
    assert moved.__cause__ is error.__cause__
    assert DicomError("bad").placed(file="outer").file == "outer"


@pytest.mark.parametrize("syntax", ["SECRET-NAME", "1.2.840.10008.1.2.1\\1.2.840.10008.1.2"])
def test_a_transfer_syntax_that_is_none_is_refused_and_not_repeated(
    tmp_path: Path, syntax: str
) -> None:
    (tmp_path / "a").write_bytes(mr_file(syntax=syntax))
    scan = scan_folder(tmp_path)
    (refusal,) = scan.refused
    assert str(refusal) == "a: TransferSyntaxUID: no valid UID"
    assert "SECRET" not in repr(scan)
