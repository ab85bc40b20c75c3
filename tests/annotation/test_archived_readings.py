"""Files of every version that was ever written are still read, to the same marks and angles."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hipstrategy import readings
from hypothesis import given
from hypothesis import strategies as st

from necroangle.annotation import (
    FIRST_REVISION,
    FREE_READING,
    HipReading,
    ReaderEntries,
    ReadView,
    decode_reading,
    encode_reading,
    load_reading,
)
from necroangle.annotation.quick import decode_quickly
from necroangle.errors import ReadingError
from necroangle.measurement import measure

ARCHIVE = Path(__file__).parent / "archive"
FIRST, SECOND = (
    ARCHIVE / version / "PHANTOM-01__R__baseline__truth__1.reading.json" for version in ("v1", "v2")
)
FILES = sorted(ARCHIVE.glob("v*/*.reading.json"))
ADDED = ("conduct", "revision", "consensus_of")
ANGLES_DEG = {
    "v1/PHANTOM-01__R__baseline__truth__1": (107.473747, 110.822107),
    "v1/PHANTOM-03__L__baseline__truth__1": (80.314575, 0.0),
    "v1/PHANTOM-06__R__baseline__truth__1": (98.385759, 102.220718),
    "v2/PHANTOM-01__R__baseline__truth__1": (107.473747, 110.822107),
    "v2/PHANTOM-02__R__baseline__consensus__1": (86.047246, 88.068514),
    "v2/PHANTOM-03__R__baseline__truth__1": (198.182656, 199.214943),
    "v3/PHANTOM-01__R__baseline__truth__1": (107.473747, 110.822107),
}
ENTERED = {
    "v2/PHANTOM-01__R__baseline__truth__1": {"arco": "2", "jic": "C1"},
    "v2/PHANTOM-02__R__baseline__consensus__1": {"arco": "3A"},
    "v2/PHANTOM-03__R__baseline__truth__1": {"jic": "B"},
    "v3/PHANTOM-01__R__baseline__truth__1": {
        "arco": "3B",
        "jic": "C2",
        "jic_stage": "3A",
        "steinberg": "IV",
        "steinberg_size": "B",
    },
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.reading.json')}"


def as_version_2(reading: HipReading) -> dict[str, object]:
    """The content of a version-2 file of the same marks."""
    content = json.loads(encode_reading(reading))
    content["version"] = 2
    entries = content.pop("entries")
    content["arco"], content["jic"] = entries.get("arco"), entries.get("jic")
    return dict(content)


def as_version_1(reading: HipReading) -> dict[str, Any]:
    """The content of a version-1 file of the same marks."""
    content: dict[str, Any] = as_version_2(reading)
    content["version"] = 1
    for name in ADDED:
        del content[name]
    for view in content["views"]:
        view.pop("passport", None)
    return dict(content)


def with_two_entries(reading: HipReading) -> HipReading:
    """The reading as a version-2 file can hold it."""
    kept = {name: reading.entries.get(name) for name in ("arco", "jic")}
    return msgspec.structs.replace(reading, entries=ReaderEntries.of(kept))


def without_what_is_new(reading: HipReading) -> HipReading:
    """The reading as a version-1 file can hold it."""
    reading = with_two_entries(reading)
    views = tuple(
        msgspec.structs.replace(view, passport=None) if isinstance(view, ReadView) else view
        for view in reading.views
    )
    return msgspec.structs.replace(
        reading, views=views, conduct=FREE_READING, revision=FIRST_REVISION, consensus_of=()
    )


def test_the_archive_holds_files() -> None:
    assert {path.parent.name for path in FILES} == {"v1", "v2", "v3"}
    assert {name_of(path) for path in FILES} == ANGLES_DEG.keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_an_archived_file_measures_as_it_did(path: Path) -> None:
    reading = load_reading(path)
    a, b = ANGLES_DEG[name_of(path)]
    assert reading.entries.made() == ENTERED.get(name_of(path), {})
    assert reading.version == 3
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
def test_a_version_2_file_gives_the_same_reading(reading: HipReading) -> None:
    raw = json.dumps(as_version_2(reading)).encode()
    assert decode_reading(raw) == with_two_entries(reading)
    quick = decode_quickly(raw)
    assert quick is not None
    assert encode_reading(decode_reading(raw)) == encode_reading(with_two_entries(reading))
    assert msgspec.json.encode(quick) == msgspec.json.encode(with_two_entries(reading))
    twice = raw.replace(b'"notes":', b'"notes": "", "notes":', 1)
    assert decode_quickly(twice) is None


@given(readings(), st.sampled_from((as_version_1, as_version_2)))
def test_a_key_twice_is_refused_in_an_older_file_too(
    reading: HipReading, older: Callable[[HipReading], dict[str, object]]
) -> None:
    raw = json.dumps(older(reading)).replace('"notes":', '"notes": "", "notes":', 1)
    with pytest.raises(ReadingError, match="occurs twice"):
        decode_reading(raw.encode())


def test_a_key_of_version_2_is_unknown_in_version_1() -> None:
    content = json.loads(FIRST.read_bytes())
    content["conduct"] = None
    with pytest.raises(ReadingError, match="unknown field `conduct`"):
        decode_reading(json.dumps(content).encode())


def test_an_entry_of_version_3_is_unknown_in_version_2() -> None:
    content = json.loads(SECOND.read_bytes())
    content["entries"] = {}
    with pytest.raises(ReadingError, match="unknown field `entries`"):
        decode_reading(json.dumps(content).encode())
