"""Files made to hang, crash, mislead or steer a loader: read right, or refused with a reason."""

import json
import os
import random
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from dicombytes import (
    EXPLICIT,
    ITEM,
    MR_IMAGE,
    SEQUENCE_END,
    UNDEFINED,
    deeply_nested,
    element,
    encapsulated,
    jpeg,
    jpeg_2000,
    keyword_elements,
    mr_file,
    whole_file,
)
from hostile_folder import LIMIT_MIB, LIMIT_S, look, refusal, write_good

from necroangle.dicom import read_volume, scan_folder
from necroangle.dicom.guard import is_program, walked
from necroangle.errors import DicomError

DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
RLE = "1.2.840.10008.1.2.5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_good(tmp_path)


def deflated_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(element(0x00091001, "OB", b"", 300 * 1024**2))
    for _ in range(300):
        body += packer.compress(bytes(1024**2))
    return whole_file(body + packer.flush(), DEFLATED)


def millions_of_items() -> bytes:
    items = (ITEM + bytes(4)) * 2_000_000
    return mr_file(extra={0x00081140: element(0x00081140, "SQ", items + SEQUENCE_END, UNDEFINED)})


def nested_unknown(depth: int) -> bytes:
    tag = struct.pack("<HH", 0x0008, 0x1140)
    start = ITEM + struct.pack("<I", UNDEFINED)
    body = (start + tag + struct.pack("<I", UNDEFINED)) * depth
    return element(0x00081140, "UN", body, UNDEFINED)


def many_unknown_elements() -> bytes:
    return whole_file(
        b"".join(element(0x00110000 + n, "UN", b"") for n in range(0x1000, 0xF000)) * 4
    )


NASTY: dict[str, tuple[Callable[[], bytes], str]] = {
    "3 deflated bomb": (deflated_bomb, "inflates to more than"),
    "4 nested, undefined length": (
        lambda: mr_file(extra={0x00081140: deeply_nested(250)}), "nested deeper than 32"),
    "4 nested, unknown VR": (
        lambda: mr_file(extra={0x00081140: nested_unknown(250)}),
        "nested deeper than 32"),
    "5 nested, defined length": (
        lambda: mr_file(extra={0x00081140: deeply_nested(5000, defined=True)}),
        "nested deeper than 32"),
    "5 nested functional groups": (
        lambda: mr_file(extra={0x52009230: deeply_nested(5000, 0x52009230, defined=True)}),
        "nested deeper than 32"),
    "5 nested after the pixels": (
        lambda: mr_file() + deeply_nested(5000, 0x7FE20010), "nested deeper than 32"),
    "6 two million items": (millions_of_items, "more than 200000 elements"),
    "7 unknown elements": (many_unknown_elements, "more than 200000 elements"),
    "8 JPEG 2000 beyond the header": (
        lambda: mr_file({"PixelData": None}, {0x7FE00010: encapsulated(jpeg_2000(30000, 30000))},
                        JPEG_2000), "states 30000 x 30000 pixels, the header 16 x 16"),
    "8 JPEG beyond the header": (
        lambda: mr_file({"PixelData": None}, {0x7FE00010: encapsulated(jpeg(30000, 40000))},
                        JPEG_LOSSLESS), "states 30000 x 40000 pixels, the header 16 x 16"),
    "8 JPEG-LS beyond the header": (
        lambda: mr_file({"PixelData": None}, {0x7FE00010: encapsulated(jpeg(60000, 9, 0xF7))},
                        JPEG_LS), "states 60000 x 9 pixels, the header 16 x 16"),
    "8 JPEG 2000 in pixel data of stated length": (
        lambda: mr_file({"PixelData": encapsulated(jpeg_2000(30000, 30000))[12:]}, None,
                        JPEG_2000), "states 30000 x 30000 pixels, the header 16 x 16"),
    "8 JPEG without a size": (
        lambda: mr_file({"PixelData": None}, {0x7FE00010: encapsulated(jpeg(0, 16))},
                        JPEG_LOSSLESS), "states 0 x 0 pixels"),
    "9 RLE beyond all size": (
        lambda: mr_file({"Rows": 20000, "Columns": 20000, "PixelData": None},
                        {0x7FE00010: encapsulated(bytes(12_000_000))}, RLE),
        "Rows: 20000 x 20000 pixels, more than"),
    "10 matrix": (
        lambda: mr_file({"Rows": 65535, "Columns": 65535}), "Rows: 65535 x 65535 pixels"),
    "10 frames": (
        lambda: mr_file({"NumberOfFrames": 2**31 - 1}), "NumberOfFrames: must lie between"),
    "10 no rows": (lambda: mr_file({"Rows": 0}), "Rows: must lie between 1"),
    "12 header element of 4 GB": (
        lambda: whole_file(element(0x00081140, "OB", b"", 0xFFFFFFF0)),
        "4294967280 bytes, 0 are left"),
    "12 pixel data of 4 GB": (
        lambda: mr_file(
            {"PixelData": None}, {0x7FE00010: element(0x7FE00010, "OW", b"", 0xFFFFFFF0)}),
        "bad.dcm: "),
}  # fmt: skip


_CHILD = """
import json, os, resource, sys, time
import necroangle.dicom as dicom
from necroangle.errors import DicomError
from pathlib import Path
dicom.scan_folder(Path(sys.argv[2]))
limit = int(sys.argv[1]) * 1024**2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
before = time.process_time()
scan = dicom.scan_folder(Path(sys.argv[2]))
said = [str(refusal) for refusal in scan.refused]
read = 0
for series in scan.series:
    try:
        dicom.read_volume(series)
        read += 1
    except DicomError as error:
        said.append(str(error))
print(json.dumps([said, read, time.process_time() - before]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no memory limits on this system")
@pytest.mark.parametrize(("build", "reason"), NASTY.values(), ids=list(NASTY))
def test_nasty_files_are_refused_in_little_memory(
    folder: Path, build: Callable[[], bytes], reason: str
) -> None:
    (folder / "bad.dcm").write_bytes(build())
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", _CHILD, str(LIMIT_MIB), str(folder)],
        capture_output=True, text=True, check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    said, read, seconds = json.loads(child.stdout)
    assert child.stderr == ""
    (message,) = said
    assert message.startswith("bad.dcm: ")
    assert reason in message
    assert (read, seconds < LIMIT_S) == (1, True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_what_is_no_regular_file_is_never_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.dcm")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    (folder / "loop.dcm").symlink_to(folder / "loop.dcm")
    (folder / "one.dcm").symlink_to(folder / "two.dcm")
    (folder / "two.dcm").symlink_to(folder / "one.dcm")
    (folder / "dead.dcm").symlink_to(folder / "nowhere")
    (folder / "folder.dcm").mkdir()
    (folder / "up").symlink_to(folder)
    here = Path.cwd()
    try:
        os.chdir(folder)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("socket.dcm")
            series, refused = look(folder)
    finally:
        os.chdir(here)
    assert series == []
    reasons = {refusal.place: refusal.reason for refusal in refused}
    assert "no regular file" in reasons["pipe.dcm"]
    assert sum(refusal.files for refusal in refused) == 7
    assert all("no regular file" in why or "cannot be read" in why for why in reasons.values())


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_each_says_what_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "bad.dcm"
    if kind == "pipe" and hasattr(os, "mkfifo"):
        os.mkfifo(path)
    elif kind == "device" and Path("/dev/zero").exists():
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(DicomError, match=r"bad\.dcm: no regular file") as caught:
        walked(path, "bad.dcm")
    assert caught.value.file == "bad.dcm"


WHOLE = len(mr_file())


@pytest.mark.parametrize("size", [*range(132, WHOLE, 9), *range(WHOLE - 520, WHOLE, 40)])
def test_a_file_cut_short_never_opens(tmp_path: Path, size: int) -> None:
    (tmp_path / "bad.dcm").write_bytes(mr_file()[:size])
    scan = scan_folder(tmp_path)
    assert len(scan.refused) + len(scan.series) == 1
    for series in scan.series:
        with pytest.raises(DicomError, match=r"bad\.dcm"):
            read_volume(series)


def test_a_cut_in_the_header_is_said_with_figures(folder: Path) -> None:
    (folder / "bad.dcm").write_bytes(mr_file()[:420])
    assert "are left: cut short or damaged" in refusal(folder).reason


def test_a_cut_in_the_pixels_is_said_with_figures(folder: Path) -> None:
    (folder / "bad.dcm").write_bytes(mr_file()[:-12])
    found = refusal(folder)
    assert (found.tag, found.stage) == ("PixelData", "open")
    assert "found 500 vs 512 bytes expected" in found.reason


@pytest.mark.parametrize("syntax", [EXPLICIT, JPEG_2000, DEFLATED])
def test_a_header_without_its_image_is_refused_when_listed(folder: Path, syntax: str) -> None:
    raw = mr_file({"PixelData": None}, syntax=syntax if syntax != DEFLATED else EXPLICIT)
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        body = b"".join(keyword_elements({**MR_IMAGE, "PixelData": None}).values())
        raw = whole_file(packer.compress(body) + packer.flush(), DEFLATED)
    (folder / "bad.dcm").write_bytes(raw)
    assert str(refusal(folder)) == "bad.dcm: PixelData: absent: a header without its image"


@pytest.mark.parametrize("fragments", [(), (b"",)], ids=["none", "empty"])
def test_compressed_frames_of_no_bytes_are_refused_when_listed(
    folder: Path, fragments: tuple[bytes, ...]
) -> None:
    frames = encapsulated(*fragments)
    values = {**MR_IMAGE, "PixelData": None}
    (folder / "bad.dcm").write_bytes(mr_file(values, {0x7FE00010: frames}, JPEG_2000))
    assert refusal(folder).tag == "PixelData"


@pytest.mark.parametrize(
    "values", [{"PixelData": bytes(500)}, {"Rows": 17}, {"BitsAllocated": 32}, {"PixelData": b""}]
)
def test_fewer_pixels_than_the_header_states_are_refused_when_listed(
    folder: Path, values: dict[str, object]
) -> None:
    (folder / "bad.dcm").write_bytes(mr_file(values))
    assert refusal(folder).tag == "PixelData"


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_after_the_prefix(folder: Path, seed: int) -> None:
    noise = random.Random(seed).randbytes(4000)
    (folder / "bad.dcm").write_bytes(bytes(128) + b"DICM" + noise)
    assert refusal(folder).place == "bad.dcm"


def test_random_bytes_have_no_transfer_syntax(folder: Path) -> None:
    (folder / "bad.dcm").write_bytes(bytes(128) + b"DICM" + b"\xab" * 500)
    assert refusal(folder).tag == "TransferSyntaxUID"


@pytest.mark.parametrize("program", [b"MZ\x90\0", b"\x7fELF\2\1\1"], ids=["MZ", "ELF"])
def test_a_program_in_the_preamble_is_read_and_told(folder: Path, program: bytes) -> None:
    (folder / "bad.dcm").write_bytes(mr_file(preamble=program))
    (series,), refused = look(folder)
    assert refused == ()
    assert read_volume(series).pixels.shape == (1, 16, 16)
    said = [walked(folder / name, name) for name in ("bad.dcm", "good")]
    assert [one is not None and is_program(one.head) for one in said] == [True, False]


def test_a_truncated_deflated_file_is_refused(folder: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    dataset = b"".join(keyword_elements({"Modality": "MR", "PatientID": "X" * 40}).values())
    body = packer.compress(dataset) + packer.flush()
    (folder / "bad.dcm").write_bytes(whole_file(body[:-6], DEFLATED))
    assert "cannot be inflated" in refusal(folder).reason
