"""Values made to mislead or steer: refused by their tag, or read and led nowhere."""

import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dicombytes import ITEM, SEQUENCE_END, UNDEFINED, element, encoded, mr_file, whole_file
from hostile_folder import GOOD, look, refusal, write_good

from necroangle.cli.images.series import command
from necroangle.dicom import read_volume, scan_folder
from necroangle.errors import DicomError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_good(tmp_path)


GEOMETRY = {
    "PixelSpacing": ["0\\0", "-0.5\\0.5", "nan\\nan", "1e999\\1", "0.5", "0.5\\0.5\\0.5",
                     "abc\\abc", "0,5\\0,5", ""],
    "ImageOrientationPatient": ["nan\\0\\0\\0\\0\\-1", "0\\0\\0\\0\\0\\0", "1\\0\\0\\0\\1",
                                "1\\0\\0\\0.5\\0.8\\0", "1\\0\\0\\1\\0\\0", "inf\\0\\0\\0\\1\\0"],
    "ImagePositionPatient": ["nan\\0\\0", "0\\0", "1e400\\0\\0"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("keyword", "value"), [(keyword, value) for keyword in GEOMETRY for value in GEOMETRY[keyword]]
)
def test_geometry_that_is_none_is_refused_by_its_tag(
    folder: Path, keyword: str, value: str
) -> None:
    (folder / "bad.dcm").write_bytes(mr_file({keyword: value}))
    found = refusal(folder)
    assert (found.place, found.tag) == ("bad.dcm", keyword)


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize(
    "value", ["1.2/../../x", "1.2\\1.3", "1..2", "9" * 129, "", "=1.2", "1.2\n3"]
)
def test_invalid_identifiers_are_refused(folder: Path, keyword: str, value: str) -> None:
    if (keyword, value) == ("SOPInstanceUID", ""):
        pytest.skip("taken from the file meta: test_doubtful_files.py")
    (folder / "bad.dcm").write_bytes(mr_file({keyword: value}))
    found = refusal(folder)
    assert (found.place, found.tag) == ("bad.dcm", keyword)
    assert value == "" or value not in found.reason


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"PhotometricInterpretation": "PALETTE X"}, "PhotometricInterpretation"),
        ({"PhotometricInterpretation": None}, "PhotometricInterpretation"),
        ({"Rows": None}, "Rows"),
        ({"Modality": "XX"}, "Modality"),
        ({"RescaleSlope": "nan", "RescaleIntercept": "0"}, "RescaleSlope"),
        ({"RescaleSlope": "1e999", "RescaleIntercept": "0"}, "RescaleSlope"),
        ({"BitsStored": 0}, ""),
        ({"BitsAllocated": 7}, ""),
        ({"PixelData": None}, ""),
    ],
)  # fmt: skip
def test_nonsense_pixels_are_refused_somewhere(
    folder: Path, values: dict[str, Any], word: str
) -> None:
    (folder / "bad.dcm").write_bytes(mr_file(values))
    series, refused = look(folder)
    said = [str(one) for one in refused]
    for one in series:
        with pytest.raises(DicomError) as caught:
            read_volume(one)
        said.append(str(caught.value))
    (message,) = said
    assert message.startswith("bad.dcm: ")
    assert word in message


@pytest.mark.parametrize(
    "value",
    ["../../x", "=cmd|'/C calc'!A0", "a\nb", "a\0b", "\x1b[31mred", "x" * 1_000_000],
    ids=["path", "formula", "newline", "nul", "escape", "long"],
)
@pytest.mark.parametrize("removed", ["YES", "NO"])
def test_a_hostile_patient_id_steers_nothing(folder: Path, value: str, removed: str) -> None:
    raw = value.encode()
    (folder / "bad.dcm").write_bytes(
        mr_file(
            {"PatientIdentityRemoved": removed},
            {0x00100020: element(0x00100020, "UT", raw) if len(raw) > 60000
             else encoded(0x00100020, "LO", raw)},
        )
    )  # fmt: skip
    (series,), _ = look(folder)
    assert len(series.subject or "") <= 64
    for options in ([], ["--json"]):
        shown = CliRunner().invoke(command, [str(folder), *options])
        assert shown.exit_code == 0
        assert all(letter.isprintable() or letter == "\n" for letter in shown.stdout)
        assert len(shown.stdout) < 5000


@pytest.mark.parametrize("date", ["20240230", "yesterday", "00000000", "2024\x1b[31m"])
def test_dates_are_never_read(folder: Path, date: str) -> None:
    (folder / "bad.dcm").write_bytes(mr_file({"StudyDate": date, "AcquisitionDate": date}))
    (series,), _ = look(folder)
    assert date not in repr(series)


@pytest.mark.parametrize("charset", ["ISO_IR 999", "CANARY", "ISO 2022 IR 87\\CANARY", ""])
def test_an_unknown_character_set_hinders_nothing(folder: Path, charset: str) -> None:
    (folder / "bad.dcm").write_bytes(
        mr_file({"SpecificCharacterSet": charset, "PatientName": b"\xff\xfe\x1b$B"})
    )
    (series,), refused = look(folder)
    assert refused == ()
    assert "CANARY" not in repr(series)
    assert read_volume(series).pixels.shape == (1, 16, 16)


@pytest.mark.parametrize("target", ["..\\SECRET\\S", "LINK", "\\ETC\\PASSWD", "C:\\S", "..\\..\\S"])
def test_a_dicomdir_leads_nowhere(tmp_path: Path, target: str) -> None:
    (tmp_path / "SECRET").mkdir()
    (tmp_path / "SECRET" / "S").write_bytes(mr_file())
    disc = tmp_path / "disc"
    disc.mkdir()
    (disc / "good").write_bytes(mr_file(GOOD))
    (disc / "LINK").symlink_to(tmp_path / "SECRET")
    record = encoded(0x00041500, "CS", target) + encoded(0x00041430, "CS", "IMAGE")
    item = ITEM + struct.pack("<I", len(record)) + record
    listing = whole_file(element(0x00041220, "SQ", item), sop_class="1.2.840.10008.1.3.10")
    (disc / "DICOMDIR").write_bytes(listing)
    scan = scan_folder(disc)
    assert [series.series_uid for series in scan.series] == ["1.2.7"]
    assert (scan.refused, scan.skipped) == ((), 1)


def test_a_huge_dicomdir_is_passed_over(folder: Path) -> None:
    items = (ITEM + bytes(4)) * 2_000_000
    listing = element(0x00041220, "SQ", items + SEQUENCE_END, UNDEFINED)
    whole = whole_file(listing, sop_class="1.2.840.10008.1.3.10")
    (folder / "DICOMDIR").write_bytes(whole)
    assert look(folder) == ([], ())


def slices(folder: Path, each: list[dict[str, Any]]) -> None:
    for number, values in enumerate(each, start=1):
        own = {"SOPInstanceUID": f"1.2.9.{number}", "ImagePositionPatient": f"0\\{3 * number}\\0"}
        (folder / f"bad{number}.dcm").write_bytes(mr_file({**own, **values}))


def test_one_image_twice_with_other_pixels_is_set_aside(folder: Path) -> None:
    slices(folder, [{}, {"SOPInstanceUID": "1.2.9.1", "PixelData": b"\1" * 512}])
    found = refusal(folder)
    assert (found.files, found.tag) == (2, "SOPInstanceUID")


@pytest.mark.parametrize(
    ("each", "flag"),
    [
        ([{}, {}, {}, {"ImagePositionPatient": "0\\18\\0"}], "gaps"),
        ([{}, {}, {}, {"ImagePositionPatient": "0\\6\\0"}], "doubled"),
    ],
    ids=["missing", "duplicate"],
)
def test_what_is_no_regular_stack_is_never_taken_for_one(
    folder: Path, each: list[dict[str, Any]], flag: str
) -> None:
    slices(folder, each)
    (series,), left_out = look(folder)
    assert series.regularity.flags == (flag,)
    assert len(series) + sum(one.files for one in left_out) == len(each)


@pytest.mark.parametrize(
    "values", [{"FrameOfReferenceUID": "1.2.66"}, {"ImageOrientationPatient": "0\\1\\0\\0\\0\\-1"}]
)
def test_frames_of_other_places_are_never_in_one_volume(
    folder: Path, values: dict[str, Any]
) -> None:
    slices(folder, [{}, {}, values])
    series, refused = look(folder)
    assert all(len(one) < 3 for one in series)
    assert len(series) + len(refused) > 1 or refused
