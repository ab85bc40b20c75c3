"""The autosave file: every state of a reading in the making, one line each, only ever added to.

A line is the CRC-32 of its text in 8 hexadecimal digits, a blank, and one line of JSON. The first
line says what the file is, every other one is a whole draft: the last good line is the reading as
it was. A line that was being written when the power went is seen by its sum and left aside.
"""

from contextlib import suppress
from typing import Annotated, Literal
from zlib import crc32

import msgspec
from msgspec import Meta, Struct

from napari_necroangle.reading.draft import ReadingDraft
from napari_necroangle.reading.draft_file import decode_draft
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import ReadingError
from necroangle.terms import View

__all__ = [
    "AutosaveHeader",
    "AutosaveState",
    "Context",
    "Shown",
    "last_state",
    "line_of",
]


class Shown(Struct, frozen=True, forbid_unknown_fields=True):
    """What a canvas showed: a stack of a series, and a slice of it counted from 0."""

    view: View
    series_uid: str
    stack_no: int
    slice_index: int


class Context(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the reader was.

    Attributes
    ----------
    visit
        The visit's label in the study; a pseudonym, never a folder's name.
    shown
        What the canvases showed.
    case_code
        The code under which a worklist showed the hip; empty outside of a reader study.
    duration_s
        Active reading time so far.
    """

    visit: str = ""
    shown: tuple[Shown, ...] = ()
    case_code: str = ""
    duration_s: Annotated[float, Meta(ge=0)] = 0.0


class AutosaveHeader(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The first line: what the file is, and the process that wrote it."""

    format: Literal["necroangle.autosave"]
    version: Literal[1]
    software: str
    process: int


class AutosaveState(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Any other line: the reading after one more edit.

    Attributes
    ----------
    edit
        Number of the edit in its file, from 1.
    at
        When: UTC, ``2026-01-31T08:15:00.000Z``.
    file_sha256
        SHA-256 of the reading file that a save replaces, or None.
    context
        Where the reader was.
    draft
        The draft, as :func:`napari_necroangle.reading.draft_file.encode_draft` writes it.
    """

    edit: int
    at: str
    file_sha256: str | None
    context: Context
    draft: msgspec.Raw

    def reading_draft(self) -> ReadingDraft:
        """The draft.

        Raises
        ------
        ReadingError
            If it is none of this version.
        """
        return decode_draft(bytes(self.draft))


def line_of(content: AutosaveHeader | AutosaveState) -> bytes:
    r"""The line of a header or a state.

    Examples
    --------
    >>> line_of(AutosaveHeader(format="necroangle.autosave", version=1, software="x", process=7))
    b'b7deb4df {"format":"necroangle.autosave","version":1,"software":"x","process":7}\n'
    """
    text = msgspec.json.encode(content)
    return b"%08x %s\n" % (crc32(text), text)


def last_state(raw: bytes) -> tuple[AutosaveState, ReadingDraft, int]:
    """The last state that a file holds whole, its draft, and how many later lines are damaged.

    Raises
    ------
    ReadingError
        If it is no autosave file of this version, or holds no whole state.

    Examples
    --------
    >>> last_state(b"")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: no autosave file: its first line is damaged
    """
    first, *others = raw.split(b"\n")
    header = _checked(first)
    if header is None:
        raise ReadingError("no autosave file: its first line is damaged")
    try:
        from_json(header, _HEADER)
    except MalformedError as error:
        raise ReadingError(f"no autosave file of version 1: {error}") from error
    lines = [line for line in reversed(others) if line]
    for damaged, line in enumerate(lines):
        with suppress(ReadingError):
            state = _state(line)
            return state, state.reading_draft(), damaged
    raise ReadingError("no state of the reading is left whole in it")


def _checked(line: bytes) -> bytes | None:
    """The text of a line whose sum is right."""
    found, _, text = line.partition(b" ")
    return text if text and found == b"%08x" % crc32(text) else None


def _state(line: bytes) -> AutosaveState:
    text = _checked(line)
    if text is None:
        raise ReadingError("a line that was not written whole")
    try:
        return from_json(text, _STATE)
    except MalformedError as error:
        raise ReadingError(f"a state that cannot be read: {error}") from error


_HEADER = msgspec.json.Decoder(AutosaveHeader)
_STATE = msgspec.json.Decoder(AutosaveState)
