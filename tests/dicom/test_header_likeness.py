"""A header that is like the one before is read as a full scan reads it, or scanned in full."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicombytes import MR_IMAGE, element, keyword_elements, mr_file, whole_file

from necroangle.dicom import plain, scan_folder
from necroangle.dicom.header import KEYWORDS
from necroangle.dicom.plain import HeaderReader, PlainHeader, Unusual, scan_elements

WriteSlices = Callable[..., list[Path]]
NAMES = tuple(KEYWORDS)


def told(scan: Callable[[], PlainHeader]) -> object:
    try:
        found = scan()
    except Unusual as error:
        return error.short
    return (
        list(found.raw.items()), found.syntax, found.pixel_vr, found.pixel_start,
        found.pixel_bytes, found.ends_file, found.program,
    )  # fmt: skip


def slice_of(number: int, **values: Any) -> bytes:
    """A slice whose identifier and position have another length now and then."""
    own = {
        "SOPInstanceUID": f"1.2.9.{number**3}",
        "ImagePositionPatient": f"0\\{3.25 * number:g}\\-80.5",
        "InstanceNumber": str(number),
    }
    return mr_file({**own, **values})


def test_a_series_is_read_alike_and_mostly_not_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    scans = 0

    def counted(*of: Any) -> PlainHeader:
        nonlocal scans
        scans += 1
        return scan_elements(*of)

    monkeypatch.setattr(plain, "scan_elements", counted)
    reader = HeaderReader(NAMES)
    for number in range(60):
        data = slice_of(number)
        full = told(partial(scan_elements, data, len(data), NAMES))
        assert told(partial(reader.scan, data, len(data))) == full
    assert scans <= 4


OTHERS: dict[str, bytes] = {
    "another matrix": slice_of(7, Rows=8, PixelData=bytes(256)),
    "an element more": slice_of(7, FlipAngle="12"),
    "an element less": slice_of(7, ImageType=None),
    "another syntax": slice_of(7).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"),
    "a program": b"MZ" + slice_of(7)[2:],
    "cut short": slice_of(7)[:-100],
    "cut in the header": slice_of(7)[:400],
    "something behind": slice_of(7) + bytes(50),
    "another character set": slice_of(7, SpecificCharacterSet="ISO_IR 999"),
    "a length beyond the end": slice_of(7).replace(b"UI\x0a\0001.2.9.", b"UI\xff\xff1.2.9."),
    "no DICOM": bytes(2000),
    "nothing": b"",
    "no preamble": slice_of(7)[132:],
}


@pytest.mark.parametrize("data", OTHERS.values(), ids=list(OTHERS))
def test_a_header_that_deviates_is_scanned_in_full(data: bytes) -> None:
    reader = HeaderReader(NAMES)
    for number in (1, 12, 3):
        plain = slice_of(number)
        reader.scan(plain, len(plain))
    full = told(partial(scan_elements, data, len(data), NAMES))
    assert told(partial(reader.scan, data, len(data))) == full
    plain = slice_of(5)
    assert told(partial(reader.scan, plain, len(plain))) == told(
        partial(scan_elements, plain, len(plain), NAMES)
    )


def test_headers_spoilt_anywhere_are_read_as_a_full_scan_reads_them() -> None:
    chance = np.random.default_rng(0)
    reader = HeaderReader(NAMES)
    for number in range(600):
        data = bytearray(slice_of(number % 40))
        if number > 5:
            for _ in range(int(chance.integers(0, 4))):
                data[int(chance.integers(0, len(data) - 512))] = int(chance.integers(0, 256))
        spoilt = bytes(data)
        full = told(partial(scan_elements, spoilt, len(spoilt), NAMES))
        assert told(partial(reader.scan, spoilt, len(spoilt))) == full, number


def test_a_sequence_that_differs_is_walked_again() -> None:
    """A reference to another image in each slice, and one that is broken."""
    reader = HeaderReader(NAMES)
    for number in range(20):
        item = element(0x00081155, "UI", f"1.2.{number:04d}".encode())
        length = len(item) if number != 15 else len(item) + 4
        sequence = b"\xfe\xff\x00\xe0" + length.to_bytes(4, "little") + item
        values = keyword_elements({**MR_IMAGE, "SOPInstanceUID": f"1.2.9.{number}"})
        values[0x00081140] = element(0x00081140, "SQ", sequence)
        data = whole_file(b"".join(values[tag] for tag in sorted(values)))
        full = told(partial(scan_elements, data, len(data), NAMES))
        assert told(partial(reader.scan, data, len(data))) == full
        assert (full is False) == (number == 15)


def test_a_folder_lists_the_same_in_any_order(tmp_path: Path, write_slices: WriteSlices) -> None:
    places = [(0.0, 3.0 * k, 0.0) for k in range(12)]
    write_slices(tmp_path / "a", places, EchoTime=11)
    write_slices(
        tmp_path / "b", places, names=[f"{11 - k:02d}" for k in range(12)],
        SeriesInstanceUID="1.2.3.44", EchoTime=90.5,
    )  # fmt: skip
    first, second = scan_folder(tmp_path).series
    assert first.planes == second.planes
    assert (first.facts.echo_time_ms, second.facts.echo_time_ms) == (11.0, 90.5)
