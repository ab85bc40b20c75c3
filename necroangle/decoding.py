"""One way in for files of JSON and TOML: UTF-8, syntax, schema, and refusals in our own words.

msgspec and tomllib say the same fault with other classes and other sentences from one version to
the next. Here alone is it known what they say; everybody else meets :class:`MalformedError`.
"""

import json
import tomllib
from typing import Any, Protocol, TypeVar

import msgspec

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
    necroangle.decoding.MalformedError: $[...]: Expected `str`, got `int`
    """
    try:
        return converted(tomllib.loads(_text(raw)), kind)
    except tomllib.TOMLDecodeError as error:
        raise MalformedError(str(error)) from error
    except RecursionError as error:
        raise MalformedError("nested too deeply") from error


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
        raise _misfit(error) from error


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
