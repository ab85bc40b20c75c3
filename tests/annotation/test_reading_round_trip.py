"""A reading comes back from its file as it went in, and its file says nothing twice."""

import json
import re
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
from hipmaker import make_reading
from hipstrategy import readings
from hypothesis import given

from necroangle.annotation import (
    HipReading,
    decode_reading,
    encode_reading,
    file_name,
    load_reading,
    reading_schema,
    save_reading,
    sha256_of,
)
from necroangle.errors import ReadingError
from necroangle.measurement import measure
from necroangle.terms import ArcoStage, JicType, Laterality, View

_VALIDATOR = jsonschema.Draft202012Validator(reading_schema())


@given(readings())
def test_decode_gives_back_what_encode_took(reading: HipReading) -> None:
    content = encode_reading(reading)
    again = decode_reading(content)
    assert again == reading
    assert repr(again) == repr(reading), "a digit, a sign of zero or a type was lost"
    assert encode_reading(again) == content, "the same reading must give the same bytes"


@given(readings())
def test_the_schema_takes_every_saved_reading(reading: HipReading) -> None:
    _VALIDATOR.validate(json.loads(encode_reading(reading)))


@given(readings())
def test_the_file_name_is_one_plain_name_of_the_key(reading: HipReading) -> None:
    name = file_name(reading)
    assert Path(name).name == name
    assert len(name.encode()) <= 255, "no file system takes this name"
    parts = name.removesuffix(".reading.json").split("__")
    key = [*map(str, reading.key)]
    if len("__".join(key).encode()) > 180 and parts != key:
        assert re.fullmatch("reading__[0-9a-f]{32}", "__".join(parts)), "no digest of the key"
    else:
        assert parts == key, "two keys could share this name"


def test_a_key_too_long_for_a_file_name_is_kept_by_its_digest() -> None:
    reading = make_reading(subject="홍" * 64, visit="길" * 64, reader="동" * 64)
    other = make_reading(subject="홍" * 64, visit="길" * 64, reader="동" * 63)
    names = {file_name(reading), file_name(other)}
    assert len(names) == 2
    assert all(len(name.encode()) < 100 for name in names)


def test_two_keys_never_share_a_file_name() -> None:
    one, other = make_reading(visit="m_", reader="r"), make_reading(visit="m", reader="_r")
    names = set()
    for reading in (one, other):
        with suppress(ReadingError):
            encode_reading(reading)
            names.add(file_name(reading))
    assert len(names) in (0, 2), "two keys that are allowed would be kept in one file"


@pytest.mark.parametrize("b_view", [View.SAGITTAL, View.FROG_LEG, View.CROSS_TABLE])
def test_load_gives_back_what_save_took(tmp_path: Path, b_view: View) -> None:
    reading = make_reading(
        b_view=b_view,
        subject="홍길동-1",
        laterality=Laterality.RIGHT,
        arco=ArcoStage.STAGE_3A,
        jic=JicType.C1,
        notes='quotes " and \\ and {"key": 1},\n\ttabs \u2028 and 한글',
    )
    path = tmp_path / file_name(reading)
    sha256 = save_reading(reading, path)
    assert load_reading(path) == reading
    assert sha256 == sha256_of(path.read_bytes())


@given(readings())
def test_a_measurement_is_the_same_before_and_after_the_file(reading: HipReading) -> None:
    again = decode_reading(encode_reading(reading))
    try:
        expected = measure(reading)
    except ValueError as error:
        with pytest.raises(type(error), match=f"^{re.escape(str(error))}$"):
            measure(again)
    else:
        assert repr(measure(again)) == repr(expected)


def test_the_schema_refuses_an_unknown_and_a_missing_key() -> None:
    content = json.loads(encode_reading(make_reading()))
    assert _VALIDATOR.is_valid(content)
    assert not _VALIDATOR.is_valid({**content, "angle": 90})
    assert not _VALIDATOR.is_valid({k: v for k, v in content.items() if k != "notes"})
    content["views"][0]["angle"] = 90
    assert not _VALIDATOR.is_valid(content)
