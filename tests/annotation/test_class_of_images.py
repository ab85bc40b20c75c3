"""A reading keeps what kind of DICOM object each image is, where that is known."""

import json

import msgspec
from hipmaker import make_reading
from msgspec import UNSET

from necroangle.annotation import (
    HipReading,
    ImageRecord,
    ReadView,
    decode_reading,
    encode_reading,
)
from necroangle.annotation.quick import decode_quickly
from necroangle.phantom import sample_studies
from necroangle.phantom.mr import mr_series
from necroangle.terms import SourceImage

MR = "1.2.840.10008.5.1.4.1.1.4"


def with_class(reading: HipReading, sop_class: str) -> HipReading:
    first, second = reading.views
    assert isinstance(first, ReadView)
    image = msgspec.structs.replace(first.image, sop_class_uid=sop_class)
    return msgspec.structs.replace(
        reading, views=(msgspec.structs.replace(first, image=image), second)
    )


def test_class_is_kept_by_every_road() -> None:
    raw = encode_reading(with_class(make_reading(), MR))
    for read in (decode_reading(raw), decode_quickly(raw)):
        assert read is not None
        first, second = read.views
        assert isinstance(first, ReadView)
        assert isinstance(second, ReadView)
        assert first.image.sop_class_uid == MR
        assert first.image.source().sop_class_uid == MR
        assert second.image.sop_class_uid is UNSET
    assert encode_reading(decode_reading(raw)) == raw
    assert "sop_class_uid" not in json.loads(encode_reading(make_reading()))["views"][0]["image"]


def test_an_image_is_the_same_whether_or_not_its_class_is_known() -> None:
    source = mr_series(sample_studies()["plain"])[0].source(0)
    plain = ImageRecord.of(source)
    known = msgspec.structs.replace(plain, sop_class_uid=MR)
    other = msgspec.structs.replace(known, instance_uid="1.2.3")
    assert plain == known
    assert len({plain, known, other}) == 2
    assert known != other
    assert SourceImage("1", "2", "3", sop_class_uid=MR) == SourceImage("1", "2", "3")
