"""Many reading files decoded, one after the other, each to be let go before the next.

The patterns of a reading's texts cost a third of its decoding, and the places where its parts must
agree three times as much. Here they are left out: whoever lays the readings out as arrays holds all
texts (:class:`Texts`) and all numbers against the rules at once, and takes a closer look, by
:func:`necroangle.annotation.decode_reading`, at those that may not pass.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import Any, get_args

import msgspec
from msgspec import UNSET, UnsetType

from necroangle.annotation.file import decode_reading
from necroangle.annotation.keys import count_keys, expected_keys
from necroangle.annotation.migrate import HipReading2, of_version_2
from necroangle.annotation.model import HipReading, ImageRecord, ReadView, UnreadView
from necroangle.annotation.words import Identifier, Uid, UtcTime
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import ReadingError


class _Image(ImageRecord, frozen=True, forbid_unknown_fields=True):
    study_uid: str
    series_uid: str
    instance_uid: str
    frame_of_reference_uid: str | None
    sop_class_uid: str | UnsetType = UNSET


class _View(ReadView, frozen=True, forbid_unknown_fields=True, tag_field="status", tag="read"):
    image: _Image


class _Reading(HipReading, frozen=True, forbid_unknown_fields=True, kw_only=True):
    subject: str
    visit: str
    reader: str
    views: tuple[_View | UnreadView, _View | UnreadView]
    saved_at: str


class _Reading2(HipReading2, frozen=True, forbid_unknown_fields=True, kw_only=True):
    subject: str
    visit: str
    reader: str
    views: tuple[_View | UnreadView, _View | UnreadView]
    saved_at: str


_DECODER = msgspec.json.Decoder(_Reading)
_DECODER_2 = msgspec.json.Decoder(_Reading2)


def decode_many(raws: Iterable[bytes]) -> Iterator[HipReading | ReadingError]:
    """A reading, or why there is none, for each of many files, in their order.

    The schema holds, and each key stands once; the readings' parts have not been held against each
    other, nor have their texts.

    Examples
    --------
    >>> from necroangle.annotation import encode_reading
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> raw = encode_reading(readings_of(sample_studies()["plain"])[0])
    >>> reading, refusal = decode_many([raw, b"{}"])
    >>> reading.laterality, refusal.place
    (<Laterality.RIGHT: 'R'>, '$')
    """
    for raw in raws:
        reading = decode_quickly(raw)
        if reading is not None:
            yield reading
            del reading
            continue
        try:
            yield decode_reading(raw)
        except ReadingError as error:
            yield error


def decode_quickly(raw: bytes) -> HipReading | None:
    """The reading, where it is one of the present version or the last, and each key stands once.

    Its parts have not been held against each other, nor have its texts: see :class:`Texts`. With
    no backslash in the file, every colon in it stands after a key or in a text, and the time of
    saving holds two: a file with just as many colons as it should have keys, and two, has no key
    twice. Where there are more, the keys are counted.

    Examples
    --------
    >>> from necroangle.annotation import encode_reading
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> decode_quickly(encode_reading(reading)).key == reading.key
    True
    >>> decode_quickly(b"{}") is None
    True
    """
    try:
        reading: HipReading = from_json(raw, _DECODER)
        keys = expected_keys(reading)
    except MalformedError:  # soon, at the version, where it is a file of version 2
        try:
            reading, keys = of_version_2(from_json(raw, _DECODER_2))
        except MalformedError:
            return None
    plain = raw.count(b":") == keys + 2 and b"\\" not in raw
    return reading if plain or count_keys(raw) == keys else None


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of many readings that have patterns.

    Attributes
    ----------
    uids, identifiers, times
        The texts, those of one reading after those of another.
    ends
        After each reading, how many there are of each kind.
    """

    uids: list[str] = field(default_factory=list)
    identifiers: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    ends: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, reading: HipReading) -> None:
        """Put the texts of a reading to the others."""
        uids = self.uids
        for view in reading.views:
            if isinstance(view, ReadView):
                image = view.image
                uids += (image.study_uid, image.series_uid, image.instance_uid)
                if image.frame_of_reference_uid is not None:
                    uids.append(image.frame_of_reference_uid)
                if not isinstance(image.sop_class_uid, UnsetType):
                    uids.append(image.sop_class_uid)
        self.identifiers.extend((reading.subject, reading.visit, reading.reader))
        self.times.append(reading.saved_at)
        self.ends.append((len(uids), len(self.identifiers), len(self.times)))

    def sound(self) -> list[bool]:
        """Whether the texts of each reading fit their patterns.

        Examples
        --------
        >>> from necroangle.phantom import readings_of, sample_studies
        >>> texts = Texts()
        >>> texts.add(readings_of(sample_studies()["plain"])[0])
        >>> texts.sound()
        [True]
        """
        if _uids_fit(self.uids) and _identifiers_fit(self.identifiers) and _times_fit(self.times):
            return [True] * len(self.ends)
        kinds = ((_UID, self.uids), (_IDENTIFIER, self.identifiers), (_TIME, self.times))
        found = [[_fits(pattern, text) for text in texts] for pattern, texts in kinds]
        starts = [(0, 0, 0), *self.ends]
        return [
            all(all(one[a:b]) for one, a, b in zip(found, start, end, strict=True))
            for start, end in zip(starts, self.ends, strict=False)
        ]


def _rule(kind: Any) -> tuple[re.Pattern[str], int]:
    """The pattern of a kind of text, and its greatest length."""
    (meta,) = get_args(kind)[1:]
    return re.compile(meta.pattern), meta.max_length or 1 << 20


_UID, _IDENTIFIER, _TIME = map(_rule, (Uid, Identifier, UtcTime))
_LONGEST = 64


def _fits(rule: tuple[re.Pattern[str], int], text: str) -> bool:
    return len(text) <= rule[1] and rule[0].search(text) is not None


def _table(underscore: bytes) -> bytes:
    """A table of shapes: letters and digits to "a", dot and dash to ".", all else to "!"."""
    kept = ascii_letters + digits + ".-_\n"
    shapes = b"a" * (len(kept) - 4) + b".." + underscore + b"\n"
    return bytes(
        shapes[kept.index(chr(code))] if chr(code) in kept else ord("!") for code in range(256)
    )


_OF_UIDS, _OF_IDENTIFIERS = _table(b"!"), _table(b"_")
_OF_TIMES = bytes.maketrans(digits.encode(), b"0" * 10)
_TIME_SHAPE = b"0000-00-00T00:00:00.000Z\n"


def _joined(texts: Sequence[str], table: bytes) -> bytes:
    """The shapes of texts, a line each; nothing that fits where a text has lines itself."""
    joined = "\n".join(("", *texts, ""))
    if joined.count("\n") != len(texts) + 1 or max(map(len, texts), default=0) > _LONGEST:
        return b"!"
    return joined.encode("utf-8", "replace").translate(table)


def _uids_fit(uids: Sequence[str]) -> bool:
    """Whether all surely are: letters and digits with single dots or dashes between them."""
    shape = _joined(uids, _OF_UIDS)
    return not any(bad in shape for bad in (b"!", b"..", b"\n.", b".\n", b"\n\n"))


def _identifiers_fit(identifiers: Sequence[str]) -> bool:
    """Whether all surely are, in plain letters."""
    shape = _joined(identifiers, _OF_IDENTIFIERS)
    return not any(bad in shape for bad in (b"!", b"__", b"\n_", b"_\n", b"\n.", b"\n\n"))


def _times_fit(times: Sequence[str]) -> bool:
    shape = _joined(times, _OF_TIMES)
    return shape == b"\n" + _TIME_SHAPE * len(times)
