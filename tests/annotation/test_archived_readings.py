"""Files of every version that was ever written are still read, to the same marks and angles."""

import json
from pathlib import Path

import msgspec
import pytest
from hipstrategy import readings
from hypothesis import given

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ReadView,
    decode_reading,
    encode_reading,
    load_reading,
)
from necroangle.errors import ReadingError
from necroangle.measurement import measure

ARCHIVE = Path(__file__).parent / "archive"
FILES = sorted(ARCHIVE.glob("v*/*.reading.json"))
ADDED = ("conduct", "revision", "consensus_of")
ANGLES_DEG = {
    "PHANTOM-01__R__baseline__truth__1": (107.473747, 110.822107),
    "PHANTOM-03__L__baseline__truth__1": (80.314575, 0.0),
    "PHANTOM-06__R__baseline__truth__1": (98.385759, 102.220718),
}


def as_version_1(reading: HipReading) -> dict[str, object]:
    """The content of a version-1 file of the same marks."""
    content = json.loads(encode_reading(reading))
    content["version"] = 1
    for name in ADDED:
        del content[name]
    for view in content["views"]:
        view.pop("passport", None)
    return dict(content)


def without_what_is_new(reading: HipReading) -> HipReading:
    """The reading as a version-1 file can hold it."""
    views = tuple(
        msgspec.structs.replace(view, passport=None) if isinstance(view, ReadView) else view
        for view in reading.views
    )
    return msgspec.structs.replace(
        reading, views=views, conduct=FREE_READING, revision=FIRST_REVISION, consensus_of=()
    )


def test_the_archive_holds_files() -> None:
    assert len(FILES) >= 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_archived_file_measures_as_it_did(path: Path) -> None:
    reading = load_reading(path)
    a, b = ANGLES_DEG[path.name.removesuffix(".reading.json")]
    hip = measure(reading)
    assert hip.a is not None
    assert hip.b is not None
    assert hip.a.angle_deg == pytest.approx(a, abs=2e-6)
    assert hip.b.angle_deg == pytest.approx(b, abs=2e-6)


@given(readings())
def test_a_version_1_file_gives_the_same_marks(reading: HipReading) -> None:
    raw = json.dumps(as_version_1(reading)).encode()
    assert decode_reading(raw) == without_what_is_new(reading)


@given(readings())
def test_a_key_twice_is_refused_in_a_version_1_file_too(reading: HipReading) -> None:
    raw = json.dumps(as_version_1(reading)).replace('"notes":', '"notes": "", "notes":', 1)
    with pytest.raises(ReadingError, match="stands twice"):
        decode_reading(raw.encode())


def test_a_key_of_version_2_is_unknown_in_version_1() -> None:
    content = json.loads(FILES[0].read_bytes())
    content["conduct"] = None
    with pytest.raises(ReadingError, match="unknown field `conduct`"):
        decode_reading(json.dumps(content).encode())
