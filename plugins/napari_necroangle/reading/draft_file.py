"""A draft as bytes and back: every field by its type, whatever is missing or unknown refused.

A draft may be unfinished in any way, so it is not a reading file. Its fields follow the classes of
:mod:`napari_necroangle.reading.draft`: a field added there is written and read here with nothing
to do.
"""

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from napari_necroangle.reading.draft import ReadingDraft
from necroangle.decoding import MalformedError, converted, from_json
from necroangle.errors import ReadingError

__all__ = ["decode_draft", "encode_draft"]

_PLAIN = msgspec.json.Decoder()


def encode_draft(draft: ReadingDraft) -> bytes:
    """The bytes of a draft: one line of JSON, floats in full.

    Raises
    ------
    ReadingError
        If a text holds half of a surrogate pair, which no file can hold.

    Examples
    --------
    >>> from napari_necroangle.reading.draft import ViewDraft
    >>> from necroangle.terms import Laterality, View
    >>> views = (ViewDraft(View.CORONAL), ViewDraft(View.SAGITTAL))
    >>> draft = ReadingDraft(views, Laterality.LEFT, notes="half done")
    >>> decode_draft(encode_draft(draft)) == draft
    True
    """
    try:
        return msgspec.json.encode(draft)
    except UnicodeEncodeError as error:
        raise ReadingError("a text holds half of a surrogate pair; type it anew") from error


def decode_draft(raw: bytes) -> ReadingDraft:
    """The draft that these bytes hold.

    Raises
    ------
    ReadingError
        If they are no draft of this version, naming the place.

    Examples
    --------
    >>> decode_draft(b'{"views": []}')
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: $: the key 'conduct' is missing
    """
    try:
        values = from_json(raw, _PLAIN)
    except MalformedError as error:
        raise ReadingError("no draft: malformed JSON") from error
    draft = _built(ReadingDraft, _present(values), "$")
    assert isinstance(draft, ReadingDraft)  # noqa: S101
    return draft


def _present(values: Any) -> Any:
    """A draft as version 0.1.0 kept it, ARCO stage and JIC type beside the key, as one of today."""
    if not isinstance(values, dict) or not {"arco", "jic"} <= values.keys():
        return values
    kept = {name: value for name, value in values.items() if name not in ("arco", "jic")}
    entered = {name: values[name] for name in ("arco", "jic") if values[name] is not None}
    return {**kept, "entries": entered}


def _built(kind: Any, value: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _built_fact(kind, value, place)
    origin = get_origin(kind)
    if origin is tuple:
        return _built_tuple(get_args(kind), value, place)
    if origin in (Union, UnionType):
        return _built_choice(get_args(kind), value, place)
    try:
        return converted(value, kind)
    except MalformedError as error:
        raise ReadingError(error.problem, place=place + error.place.removeprefix("$")) from error


def _built_fact(kind: Any, value: Any, place: str) -> Any:
    hints = _hints(kind)
    if not isinstance(value, dict):
        raise ReadingError(f"an object is needed, found {type(value).__name__}", place=place)
    for name in sorted(hints.keys() - value.keys()):
        raise ReadingError(f"the key {name!r} is missing", place=place)
    for name in sorted(value.keys() - hints.keys()):
        raise ReadingError(f"the key {name!r} is unknown", place=place)
    return kind(**{name: _built(hints[name], value[name], f"{place}.{name}") for name in hints})


def _built_tuple(kinds: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ReadingError(f"a list is needed, found {type(value).__name__}", place=place)
    each = kinds[:1] * len(value) if kinds[1:] == (...,) else kinds
    if len(each) != len(value):
        raise ReadingError(f"{len(each)} items are needed, found {len(value)}", place=place)
    pairs = enumerate(zip(each, value, strict=True))
    return tuple(_built(kind, item, f"{place}[{at}]") for at, (kind, item) in pairs)


def _built_choice(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    """A value of several kinds: nothing, one of several lists of words, or one class."""
    if value is None and NoneType in kinds:
        return None
    words = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Enum)]
    for kind in words:
        if value in [member.value for member in kind]:
            return kind(value)
    others = [kind for kind in kinds if kind is not NoneType and kind not in words]
    if not others:
        raise ReadingError(f"no known word: {str(value)[:40]!r}", place=place)
    return _built(others[0], value, place)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}
