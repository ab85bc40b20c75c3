"""The fast header scanner says exactly what pydicom's road says, or leaves the file to it."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from dicombytes import MR_IMAGE, element, encapsulated, jpeg_2000, mr_file
from dicommutants import find_seeds, mutant
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from necroangle.dicom import guard
from necroangle.dicom.header import KEYWORDS
from necroangle.dicom.plain import HeaderReader, Unusual, plain_value
from necroangle.dicom.records import FrameHeader
from necroangle.dicom.scanner import HeaderScanner, opened, plain_header, read_headers
from necroangle.errors import DicomError

WriteSlices = Callable[..., list[Path]]

FILES = Path(pydicom.data.__file__).parent / "test_files"
SAMPLES = Path(__file__).resolve().parents[2] / "sample_dicoms"
PLACES = [(0.0, 3.5 * k, 0.0) for k in range(3)]


def told(read: Callable[[], tuple[FrameHeader, ...]]) -> object:
    """All that a road says of a file, with what the records do not compare or show."""
    try:
        frames = read()
    except DicomError as error:
        return str(error)
    except Unusual:
        return None
    return frames, [(frame.patient_key, frame.window, frame.plane) for frame in frames]


def quick(path: Path, scanner: HeaderScanner) -> object:
    """What the fast road says alone; None where it leaves the file to pydicom."""

    def read() -> tuple[FrameHeader, ...]:
        with opened(path) as (handle, size):
            header = plain_header(handle, size, HeaderReader(tuple(KEYWORDS)))
        if not header.ends_file:
            raise Unusual
        return scanner.plain_headers(header, path.name)

    return told(read)


def compared(paths: Iterable[Path]) -> Counter[str]:
    """Compare both roads on every file, all with one scanner; how many took which."""
    scanner = HeaderScanner()
    taken: Counter[str] = Counter()
    for path in paths:
        fast = quick(path, scanner)
        slow = told(partial(read_headers, path, path.name))
        assert fast in (None, slow), path.name
        assert told(partial(scanner.headers, path, path.name)) == slow
        taken["slow" if fast is None else "fast"] += 1
    return taken


def test_pydicoms_own_files_and_the_samples() -> None:
    paths = [path for folder in (FILES, SAMPLES) for path in sorted(folder.rglob("*"))]
    taken = compared(path for path in paths if path.is_file())
    assert taken["fast"] > 30
    assert taken["slow"] > 30


@pytest.mark.real_dicom
@pytest.mark.timeout(120)
def test_real_files(real_dicom_folder: Path) -> None:
    taken = compared(path for path in sorted(real_dicom_folder.rglob("*")) if path.is_file())
    assert taken["fast"] > 100


def test_spoilt_files(tmp_path: Path) -> None:
    seeds = find_seeds([FILES, SAMPLES])
    path = tmp_path / "spoilt"

    def spoilt() -> Iterable[Path]:
        for number in range(200):
            path.write_bytes(mutant(seeds, 11, number)[1])
            yield path

    assert compared(spoilt()).total() == 200


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_one_wrong_byte(tmp_path: Path, write_slices: WriteSlices, syntax: UID) -> None:
    (path,) = write_slices(tmp_path, PLACES[:1], syntax=syntax, WindowCenter=[9, 8])
    body = path.read_bytes()
    chance = random.Random(3)

    def spoilt() -> Iterable[Path]:
        for _ in range(400):
            place = chance.randrange(132, len(body) - 40)
            path.write_bytes(body[:place] + chance.randbytes(1) + body[place + 1 :])
            yield path

    assert compared(spoilt())["fast"] > 100


TEXTS = st.text(st.characters(codec="ascii"), max_size=20)
NUMBERS = st.sampled_from(
    [
        "1",
        " 1.50",
        "-2e1",
        "1e999",
        "nan",
        "0,5",
        "",
        " ",
        "1\\2",
        "1\\2\\3",
        "5.",
        ".5",
        "+7 ",
        "1_0",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            [
                b"100\\5", b"50\\9", b"PAT-1~", b"ORIGINAL\\PRIMARY", b"1.2.3.4.1", b"0.5\\0.70",
                b"1.0\\0.0\\0.0\\0.0\\0.0\\-1.0", b"MONOCHROME2 ", b"MR",
            ]
        ),
        st.one_of(TEXTS, NUMBERS),
    )
)  # fmt: skip
def test_odd_values(tmp_path: Path, write_slices: WriteSlices, odd: dict[bytes, str]) -> None:
    folder = tmp_path / "odd"
    (path,) = write_slices(
        folder, PLACES[:1], PatientID="PAT-1~", WindowCenter=[100, 5], WindowWidth=[50, 9]
    )
    body = path.read_bytes()
    for old, new in odd.items():
        body = body.replace(old, new.encode("ascii").ljust(len(old))[: len(old)])
    path.write_bytes(body)
    compared([path])


def test_slices_of_a_series_keep_their_own_values(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    each = [{"WindowCenter": 10 * k, "WindowWidth": 100} for k in range(2)] + [{}]
    paths = write_slices(tmp_path, PLACES, each=each)
    assert compared(paths) == {"fast": 3}
    scanner = HeaderScanner()
    records = [scanner.headers(path, path.name)[0] for path in paths]
    assert [record.plane.origin_mm for record in records] == PLACES
    assert [record.file for record in records] == ["IM000.dcm", "IM001.dcm", "IM002.dcm"]
    assert len({record.source.instance_uid for record in records}) == 3
    assert len({record.window for record in records}) == 3


@pytest.mark.parametrize(
    "attributes",
    [
        {"syntax": ImplicitVRLittleEndian},
        {"StudyDescription": "x" * 60, "ImageComments": "y" * 9000},
        {"TextValue": "x" * 40_000},
        {"RescaleIntercept": 0, "RescaleSlope": 1, "SpecificCharacterSet": "ISO_IR 192"},
        {"SpecificCharacterSet": ["ISO 2022 IR 6", "ISO 2022 IR 87"], "NumberOfFrames": 1},
    ],
    ids=["implicit", "texts", "long header", "unicode", "japanese"],
)
def test_ordinary_files_take_the_fast_road(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    assert compared(write_slices(tmp_path, PLACES, **attributes)) == {"fast": 3}


@pytest.mark.parametrize(
    "attributes",
    [
        {"syntax": ExplicitVRBigEndian},
        {"syntax": DeflatedExplicitVRLittleEndian},
        {"with_meta": False},
        {"PatientID": "å", "SpecificCharacterSet": "ISO_IR 100"},
        {"PatientID": "~", "SpecificCharacterSet": "ISO_IR 13"},
        {"Rows": 0},
        {"ImagePositionPatient": None},
    ],
    ids=[
        "big endian", "deflated", "no meta", "beyond ascii", "tilde", "no rows", "no position",
    ],
)  # fmt: skip
def test_the_rest_is_left_to_pydicom(
    tmp_path: Path, write_slices: WriteSlices, attributes: dict[str, Any]
) -> None:
    assert compared(write_slices(tmp_path, PLACES, **attributes))["slow"] == 3


def test_every_shortened_file_is_told_alike(tmp_path: Path, write_slices: WriteSlices) -> None:
    (path,) = write_slices(tmp_path, PLACES[:1])
    body = path.read_bytes()
    short = tmp_path / "short"

    def cut() -> Iterable[Path]:
        for length in range(0, len(body), 7):
            short.write_bytes(body[:length])
            yield short

    assert compared(cut()) == {"slow": len(range(0, len(body), 7))}


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "gone", tmp_path / "pipe"):
        with pytest.raises(Unusual), opened(path):
            pytest.fail("must not be opened")


def test_nested_sequences_are_walked_only_so_deep(
    tmp_path: Path, write_slices: WriteSlices
) -> None:
    paths = write_slices(tmp_path, PLACES[:2])
    for path, depth in zip(paths, (10, 20), strict=True):
        dataset = dcmread(path)
        inner: pydicom.Dataset = dataset
        for _ in range(depth):
            item = pydicom.Dataset()
            item.CodeValue = "A"
            inner.ConceptCodeSequence = pydicom.Sequence([item])
            inner = item
        dataset.save_as(path)
    assert compared(paths[:1]) == {"fast": 1}
    assert compared(paths[1:]) == {"slow": 1}


@pytest.mark.parametrize(
    ("raw", "vr", "value"),
    [
        (b"", "CS", ""), (b"", "DS", None), (b"1.2.3\0", "UI", "1.2.3"), (b"\x05\x01", "US", 261),
        (b"7 ", "IS", 7), (b" 1.5 ", "DS", 1.5), (b"A\\B ", "CS", ["A", "B"]),
    ],
)  # fmt: skip
def test_plain_values(raw: bytes, vr: str, value: object) -> None:
    assert plain_value(raw, vr) == value


@pytest.mark.parametrize(
    ("raw", "vr"),
    [
        (b"1", "US"), (b"1.5", "IS"), (b"1e999", "DS"), (b"0,5 ", "DS"), (b"\x1b$B", "LO"),
        (b"A\\B", "LO"), (b"A\0", "CS"), (b"1.2\\1.3", "UI"), (b"x", "UN"),
    ],
)  # fmt: skip
def test_doubtful_values(raw: bytes, vr: str) -> None:
    with pytest.raises(Unusual):
        plain_value(raw, vr)


def compressed(*fragments: bytes, end: bytes = b"", **values: Any) -> bytes:
    frames = encapsulated(*fragments)
    own = {**MR_IMAGE, **values, "PixelData": None}
    return mr_file(own, {0x7FE00010: frames}, "1.2.840.10008.1.2.4.90") + end


SOUND = jpeg_2000(16, 16)
LONG = SOUND + bytes(40_000)
FRAMES: dict[str, tuple[bytes, bool]] = {
    "one": (compressed(SOUND), True),
    "several": (compressed(SOUND, SOUND[50:] + bytes(50)), True),
    "a long one": (compressed(LONG), True),
    "several long ones": (compressed(LONG, bytes(20_000), bytes(20_000)), True),
    "very many": (compressed(*([bytes(20_000)] * 80)), False),
    "another size": (compressed(jpeg_2000(900, 900)), False),
    "another size, later": (compressed(LONG, jpeg_2000(900, 900) + bytes(20_000)), False),
    "none": (compressed(), False),
    "empty": (compressed(b""), False),
    "cut short": (compressed(LONG)[:-300], False),
    "no end": (compressed(SOUND)[:-8], False),
    "something behind": (compressed(SOUND, end=bytes(20)), False),
    "an element behind": (compressed(SOUND, end=element(0xFFFCFFFC, "OB", bytes(10))), False),
}


@pytest.mark.parametrize(("data", "is_fast"), FRAMES.values(), ids=list(FRAMES))
def test_compressed_frames_are_looked_at_on_the_fast_road(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, is_fast: bool
) -> None:
    """Where they are sound; the guard walks all else, and both roads say the same."""
    path = tmp_path / "one"
    path.write_bytes(data)
    slow = told(partial(read_headers, path, "one"))
    assert told(partial(HeaderScanner().headers, path, "one")) == slow
    walks: list[Path] = []
    walked = guard.walked

    def counted(at: Path, file: str) -> guard.Walked | None:
        walks.append(at)
        return walked(at, file)

    monkeypatch.setattr(guard, "walked", counted)
    told(partial(HeaderScanner().headers, path, "one"))
    assert bool(walks) is not is_fast
