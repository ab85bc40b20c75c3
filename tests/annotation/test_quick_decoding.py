"""Decoding in numbers: the same texts pass, and nothing passes that the strict decoder refuses."""

import msgspec
import pytest
from hipmaker import make_reading
from hipstrategy import readings
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from necroangle.annotation import HipReading, ReadView, encode_reading
from necroangle.annotation.quick import Texts, decode_quickly

_STRICT = msgspec.json.Decoder(HipReading)

_ODD = st.sampled_from(
    [
        *(
            "",
            "a",
            "a_b",
            "a__b",
            "_a",
            "a_",
            ".a",
            "a.",
            "-a",
            "1.2.3",
            "1..2",
            "1.-2",
            ".1",
            "1.",
        ),
        *("a\nb", "\n", "a\n", "Ä1", "日本", "١", "a b", "a" * 64, "a" * 65, "\ud7ff", "a\x00"),
        *("2026-01-31T08:15:00.000Z", "2026-01-31T08:15:00.000Z\n", "٢026-01-31T08:15:00.000Z"),
        *("2026-01-31T08:15:00.00Z", "2026-01-31t08:15:00.000Z", "1_2"),
    ]
)
texts = _ODD | st.text("ab1._-\n", max_size=8) | st.text(max_size=66)


def changed(subject: str, uid: str, frame: str | None, time: str) -> HipReading:
    reading = make_reading()
    view = reading.views[0]
    assert isinstance(view, ReadView)
    image = replace(view.image, instance_uid=uid, frame_of_reference_uid=frame)
    return replace(
        reading,
        subject=subject,
        views=(replace(view, image=image), reading.views[1]),
        saved_at=time,
    )


def passes_strictly(raw: bytes) -> bool:
    try:
        _STRICT.decode(raw)
    except msgspec.ValidationError:
        return False
    return True


good = st.just("2026-01-31T08:15:00.000Z")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.just("S01") | texts, st.just("1.2") | texts, st.none() | texts, good | texts),
        max_size=4,
    )
)
def test_the_same_texts_pass(words: list[tuple[str, str, str | None, str]]) -> None:
    found, wanted = Texts(), []
    for one in words:
        raw = msgspec.json.encode(changed(*one))
        reading = decode_quickly(raw)
        assert reading is not None
        found.add(reading)
        wanted.append(passes_strictly(raw))
    assert found.sound() == wanted


@settings(deadline=None, max_examples=30)
@given(readings())
def test_a_valid_reading_is_the_same(reading: HipReading) -> None:
    quick = decode_quickly(encode_reading(reading))
    assert quick is not None
    assert msgspec.json.encode(quick) == msgspec.json.encode(reading)
    texts = Texts()
    texts.add(quick)
    assert texts.sound() == [True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"reader": ', b'"reader": "r2", "reader": '),
        (b'"notes": ', b'"nots": "", "notes": '),
        (b'"read_no": 1', b'"read_no": 0'),
        (b'"read_no": 1', b'"read_no": "1"'),
        (b'"frame_number": 1', b'"frame_number": 0'),
        (b'"version": 3', b'"version": 1'),
        (b'"patient_mm": [', b'"patient_mm": [null, '),
    ],
)
def test_what_the_strict_decoder_refuses_does_not_pass(old: bytes, new: bytes) -> None:
    raw = encode_reading(make_reading())
    assert old in raw
    assert decode_quickly(raw) is not None
    assert decode_quickly(raw.replace(old, new, 1)) is None
