"""One way in for files of JSON and TOML: UTF-8, syntax, schema, and refusals in our own words.

msgspec and tomllib say the same fault with other classes and other sentences from one version to
the next. Here alone is it known what they say; everybody else meets :class:`MalformedError`.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Protocol, TypeVar, Union

import msgspec
import msgspec.inspect

__all__ = ["MalformedError", "converted", "from_json", "from_toml"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class MalformedError(ValueError):
    """A text that cannot be read as what it should be.

    Attributes
    ----------
    problem
        What was found, in a sentence.
    place
        Where: ``$.views[0]`` in the schema, ``line 3, column 7`` in the text, or empty.
    misfit
        Whether the text is well-formed and does not fit the schema.
    """

    def __init__(self, problem: str, place: str = "", *, misfit: bool = False) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.problem, self.place, self.misfit = problem, place, misfit
        self.keys: tuple[str | int, ...] = ()

    def at_line(self, text: str) -> "MalformedError":
        """The same, with the line of a TOML text that it is about, where that can be told."""
        line = _line_of(text, self.keys)
        if not line:
            return self
        return MalformedError(f"{self.problem} (line {line})", self.place, misfit=self.misfit)


class Decoder(Protocol[T_co]):
    """What decodes bytes: a ``msgspec.json.Decoder``."""

    def decode(self, raw: bytes, /) -> T_co:
        """Decode the bytes."""


def from_json(raw: bytes, decoder: Decoder[T]) -> T:
    r"""Decode JSON by a decoder of its schema.

    Raises
    ------
    MalformedError
        If the bytes are no UTF-8, no JSON, nested too deeply, or do not fit the schema.

    Examples
    --------
    >>> from_json(b'{"a": [1, x]}', msgspec.json.Decoder())
    Traceback (most recent call last):
    ...
    necroangle.decoding.MalformedError: line 1, column 11: JSON is malformed
    >>> from_json(b'"\xff"', msgspec.json.Decoder())
    Traceback (most recent call last):
    ...
    necroangle.decoding.MalformedError: not UTF-8 text
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _misfit(error, raw) from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise _no_json(raw) from error
    except RecursionError as error:
        raise MalformedError("nested too deeply") from error


def from_toml(raw: bytes, kind: type[T]) -> T:
    """Decode TOML into a type.

    Raises
    ------
    MalformedError
        If the bytes are no UTF-8, no TOML, nested too deeply, or do not fit the type.

    Examples
    --------
    >>> from_toml(b"a = 1", dict[str, str])
    Traceback (most recent call last):
    ...
    necroangle.decoding.MalformedError: $.a: Expected `str`, got `int` (line 1)
    """
    text = _text(raw)
    try:
        return converted(tomllib.loads(text), kind)
    except tomllib.TOMLDecodeError as error:
        raise MalformedError(str(error)) from error
    except RecursionError as error:
        raise MalformedError("nested too deeply") from error
    except MalformedError as error:
        raise error.at_line(text) from error


def converted(values: Any, kind: type[T]) -> T:
    """Values of plain types as a type of the schema.

    Raises
    ------
    MalformedError
        If they do not fit it.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise _explained(_misfit(error), values, kind) from error


def _explained(found: MalformedError, values: Any, kind: Any) -> MalformedError:
    """The misfit with its true place, also within a table of any keys, and what may stand there."""
    keys, wanted = _leaf(values, msgspec.inspect.type_info(kind))
    allowed = _allowed(wanted, found.problem)
    place = found.place
    if keys:
        place = "$" + "".join(f"[{key}]" if isinstance(key, int) else _dotted(key) for key in keys)
    misfit = MalformedError(f"{found.problem}{allowed}", place, misfit=True)
    unknown = re.findall(r"unknown field `([^`]*)`", found.problem)
    misfit.keys = (*keys, *unknown)
    return misfit


def _dotted(key: str) -> str:
    return f".{key}" if re.fullmatch(r"[\w-]+", key) else f"[{key!r:.60}]"


def _leaf(values: Any, kind: Any) -> tuple[tuple[str | int, ...], Any]:
    """The keys to the innermost value that does not fit, and the type that it should have."""
    for key, value, wanted in _children(values, kind):
        try:
            msgspec.convert(value, _plain_type(wanted))
        except msgspec.ValidationError:
            below, leaf = _leaf(value, wanted)
            return (key, *below), leaf
    return (), kind


def _children(values: Any, kind: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """The values within a value, each with its key and its type."""
    info = msgspec.inspect
    if isinstance(kind, info.UnionType):
        yield from _children(values, _fitting(values, kind))
    elif isinstance(kind, info.StructType) and isinstance(values, dict):
        for one in kind.fields:
            if one.encode_name in values:
                yield one.encode_name, values[one.encode_name], one.type
    elif isinstance(kind, info.DictType) and isinstance(values, dict):
        for key, value in values.items():
            yield key, value, kind.value_type
    elif isinstance(kind, info.VarTupleType | info.ListType) and isinstance(values, list):
        for place, value in enumerate(values):
            yield place, value, kind.item_type


def _fitting(values: Any, kind: Any) -> Any:
    """The one type of several whose shape a value has; nothing where none or several have it."""
    info = msgspec.inspect
    mine: tuple[type, ...] = (info.VarTupleType, info.ListType)
    if isinstance(values, dict):
        mine = (info.StructType, info.DictType)
    found = [one for one in kind.types if isinstance(one, mine)]
    return found[0] if len(found) == 1 else None


def _plain_type(kind: Any) -> Any:
    """A type as msgspec converts to it, from its description."""
    info = msgspec.inspect
    if isinstance(kind, info.UnionType):
        return Union[tuple(map(_plain_type, kind.types))]  # noqa: UP007 - made at run time
    if isinstance(kind, info.StructType | info.EnumType):
        return kind.cls
    if isinstance(kind, info.LiteralType):
        return Literal[kind.values]
    many: dict[type, Any] = {info.DictType: dict, info.VarTupleType: tuple, info.ListType: tuple}
    made = many.get(type(kind))
    if made is dict:
        return dict.__class_getitem__((_plain_type(kind.key_type), _plain_type(kind.value_type)))
    if made is tuple:
        return tuple.__class_getitem__((_plain_type(kind.item_type), ...))
    if isinstance(kind, info.Metadata):
        return _plain_type(kind.type)
    return _scalar(kind)


_LIMITS = ("gt", "ge", "lt", "le", "pattern", "min_length", "max_length")


def _scalar(kind: Any) -> Any:
    info = msgspec.inspect
    plain: dict[type, Any] = {
        **{info.StrType: str, info.IntType: int, info.FloatType: float, info.BoolType: bool},
        info.NoneType: None,
    }
    base = plain.get(type(kind), Any)
    limits = {name: limit for name in _LIMITS if (limit := getattr(kind, name, None)) is not None}
    return Annotated[base, msgspec.Meta(**limits)] if limits else base


def _allowed(kind: Any, problem: str) -> str:
    """What may stand there, where it is a list of words, or a key that is not known."""
    info = msgspec.inspect
    if isinstance(kind, info.Metadata):
        return _allowed(kind.type, problem)
    if isinstance(kind, info.UnionType) and "unknown field" in problem:
        kind = next((one for one in kind.types if isinstance(one, info.StructType)), kind)
    unknown = re.findall(r"unknown field `([^`]*)`", problem)
    if unknown and isinstance(kind, info.StructType):
        names = [one.encode_name for one in kind.fields]
        near = get_close_matches(unknown[0], names, 1)
        return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(names)}"
    words = _words(kind)
    return f"; it is one of {', '.join(words)}" if words and "nvalid" in problem else ""


def _words(kind: Any) -> list[str]:
    info = msgspec.inspect
    if isinstance(kind, info.UnionType):
        return [word for one in kind.types for word in _words(one)]
    if isinstance(kind, info.LiteralType):
        return [repr(one) for one in kind.values]
    if isinstance(kind, info.EnumType):
        return [repr(one.value) for one in kind.cls]
    return []


def _line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """The line of a TOML text that gives a key; 0 where it cannot be told."""
    wanted = [str(key) for key in keys if isinstance(key, str)]
    if not wanted:
        return 0
    best, at, count = (0, 0), [], [key for key in keys if isinstance(key, int)]
    seen: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        head = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$", line)
        if head is not None:
            at = _key_parts(head[1])
            seen[".".join(at)] += 1
            depth = len(at) if at == wanted[: len(at)] else 0
        else:
            given = re.match(
                r'\s*((?:"(?:[^"\\]|\\.)*"|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|[\w-]+))*)\s*=', line
            )
            path = [*at, *_key_parts(given[1])] if given is not None else []
            depth = len(path) if path and path == wanted[: len(path)] else 0
        is_this = not count or seen[".".join(at)] in (0, count[0] + 1)
        if depth > best[0] and is_this:
            best = (depth, number)
    return best[1]


def _key_parts(text: str) -> list[str]:
    """A dotted key of TOML, part by part."""
    parts = re.findall(r'"((?:[^"\\]|\\.)*)"|([\w-]+)', text)
    return [quoted or bare for quoted, bare in parts]


def _misfit(error: msgspec.ValidationError, raw: bytes = b"") -> MalformedError:
    """Msgspec says the place behind the problem, and nowhere else."""
    if raw:
        try:  # a text that is no UTF-8 may be met while a value is being held to its type
            _text(raw)
        except MalformedError as malformed:
            return malformed
    problem, _, place = str(error).partition(" - at `")
    return MalformedError(problem, place.rstrip("`") or "$", misfit=True)


def _no_json(raw: bytes) -> MalformedError:
    """The standard library says line and column as numbers, msgspec within a sentence."""
    try:
        json.loads(_text(raw))
    except MalformedError as malformed:
        return malformed
    except json.JSONDecodeError as error:
        return MalformedError("JSON is malformed", f"line {error.lineno}, column {error.colno}")
    except (RecursionError, ValueError):  # ValueError: a number of thousands of digits
        pass
    return MalformedError("JSON is malformed")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8 text") from error
