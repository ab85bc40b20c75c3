"""The reading file: strict JSON in, the same values out, written whole or not at all."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from necroangle.annotation.check import check_reading
from necroangle.annotation.keys import count_keys, expected_keys, name_duplicate
from necroangle.annotation.migrate import migrated, version_of
from necroangle.annotation.model import VERSION, HipReading, ReadingKey
from necroangle.decoding import MalformedError, from_json
from necroangle.errors import ReadingError, system_words
from necroangle.storage import sha256_of, write_atomically

SUFFIX = ".reading.json"
MAX_BYTES = 1 << 20
"""A reading is a few kB; a larger file is refused unread."""

MAX_NAME_BYTES = 200
"""File systems take 255, and the temporary file beside it has a longer name."""

_DECODER = msgspec.json.Decoder(HipReading)
_NUMBERS = re.compile(rb"\[\n\s+(-?[\d.eE+,\s-]+?)\n\s+\]")


def load_reading(path: Path) -> HipReading:
    """Read a reading file.

    Raises
    ------
    ReadingError
        Naming file and place: not readable, too large, malformed JSON, a missing, unknown or
        duplicate key, a wrong type, a number that is not finite, or parts that contradict.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> path = Path(mkdtemp()) / file_name(reading)
    >>> _ = save_reading(reading, path)
    >>> load_reading(path) == reading
    True
    >>> load_reading(Path("nowhere.reading.json"))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: nowhere.reading.json: there is no such file
    """
    return decode_reading(read_bytes(path), file=path.name)


def read_bytes(path: Path) -> bytes:
    """All bytes of a reading file, refused above 1 MiB and where it is no regular file."""
    try:
        if not path.is_file():
            raise ReadingError("there is no such file", file=path.name)
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadingError(f"cannot be read: {system_words(error)}", file=path.name) from error
    if len(raw) > MAX_BYTES:
        raise ReadingError("larger than 1 MiB: not a reading file", file=path.name)
    return raw


def decode_reading(raw: bytes, *, file: str = "") -> HipReading:
    """Decode and check the bytes of a reading file, of this version or an earlier one.

    Parameters
    ----------
    raw
        UTF-8 JSON.
    file
        Name used in messages.

    Raises
    ------
    ReadingError
        As for :func:`load_reading`.

    Examples
    --------
    >>> decode_reading(b'{"format": "necroangle.reading", "versoin": 1}', file="a.reading.json")
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: a.reading.json: $: Object contains unknown field `versoin`
    """
    try:
        reading, keys = _decoded(raw)
        if count_keys(raw) != keys:
            raise ReadingError(name_duplicate(raw))
        check_reading(reading)
    except ReadingError as error:
        raise ReadingError(error.problem, place=error.place, file=file) from error
    except MalformedError as error:
        raise ReadingError(error.problem, place=error.place, file=file) from error
    return reading


def encode_reading(reading: HipReading) -> bytes:
    """The bytes of a reading file: checked, keys in the schema's order, floats in full.

    Raises
    ------
    ReadingError
        If the parts of the reading contradict each other, or a value breaks the schema.

    Examples
    --------
    >>> import msgspec
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> encode_reading(reading).splitlines()[1]
    b' "format": "necroangle.reading",'
    >>> encode_reading(msgspec.structs.replace(reading, views=reading.views[::-1]))
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: $.views[0].view: the first view must be coronal or ap, ...
    """
    check_reading(reading)
    compact = msgspec.json.encode(reading)
    pretty = msgspec.json.format(compact, indent=1)
    content = _NUMBERS.sub(lambda match: b"[" + b"".join(match[1].split()) + b"]", pretty) + b"\n"
    if decode_reading(content) != reading:
        raise ReadingError("the reading does not survive its own file; it was not saved")
    return content


def save_reading(reading: HipReading, path: Path, *, replaces: str | None = None) -> str:
    """Write a reading file whole, and never over what the caller has not seen.

    Parameters
    ----------
    reading
        The reading.
    path
        The file.
    replaces
        SHA-256 of the file that the caller loaded and means to replace; None for a new file.

    Returns
    -------
    str
        SHA-256 of the file as it stands now.

    Raises
    ------
    ReadingError
        If the reading is not valid, the disk refuses, or another file than the one to be replaced
        lies there. What lay there is left untouched.

    Examples
    --------
    >>> import msgspec
    >>> from tempfile import mkdtemp
    >>> from necroangle.phantom import readings_of, sample_studies
    >>> reading = readings_of(sample_studies()["plain"])[0]
    >>> path = Path(mkdtemp()) / "hip.reading.json"
    >>> first = save_reading(reading, path)
    >>> edited = msgspec.structs.replace(reading, notes="second look")
    >>> save_reading(edited, path)
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: hip.reading.json: another version of this reading is ...
    >>> save_reading(edited, path, replaces=first) == first
    False
    """
    content = encode_reading(reading)
    found = sha256_of(read_bytes(path)) if path.exists() else None
    if found not in (replaces, sha256_of(content)):
        raise ReadingError(_what_lies_there(path, reading), file=path.name)
    try:
        write_atomically(path, content)
    except OSError as error:
        raise ReadingError(
            f"cannot be written: {system_words(error)}; nothing was changed", file=path.name
        ) from error
    return sha256_of(content)


def _what_lies_there(path: Path, reading: HipReading) -> str:
    """Why a file is not written over: another version, or another reading of the same name."""
    with suppress(ReadingError):
        other = load_reading(path).key
        if other != reading.key and file_name_of(other) != file_name_of(reading.key):
            return (
                f"this disk takes the names of {other} and {reading.key} for one, since they "
                "differ only by capital letters or by how accents are written; rename one of them"
            )
    return (
        "another version of this reading is here already; load it first, or save this one "
        "as another read"
    )


def file_name(reading: HipReading) -> str:
    """The name under which a reading is kept: :func:`file_name_of` its key."""
    return file_name_of(reading.key)


def file_name_of(key: ReadingKey) -> str:
    """The name under which the reading of a key is kept, one file per reading.

    Two keys never share a name: the parts hold no double underscore, nor one at an end. A name too
    long for a file system, in scripts whose letters take several bytes, is a digest of the key.

    Examples
    --------
    >>> from necroangle.terms import Laterality
    >>> file_name_of(ReadingKey("S01", Laterality.LEFT, "m00", "kim", 1))
    'S01__L__m00__kim__1.reading.json'
    """
    name = "__".join(map(str, key))
    if len(name.encode()) + len(SUFFIX) > MAX_NAME_BYTES:
        name = f"reading__{sha256_of(name.encode())[:32]}"
    return name + SUFFIX


def names_reading(name: str) -> bool:
    """Whether a file's name, without its folder, is that of a reading file.

    A Mac puts a file ``._NAME`` of its own beside each on a memory stick or a share.

    Examples
    --------
    >>> names_reading("S01__L__m00__kim__1.reading.json")
    True
    >>> names_reading("._S01__L__m00__kim__1.reading.json")
    False
    """
    return name.endswith(SUFFIX) and not name.startswith("._")


def reading_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the reading file.

    Examples
    --------
    >>> sorted(reading_schema()["$defs"]["Mark"]["properties"])
    ['patient_mm', 'pixel']
    """
    schema = msgspec.json.schema(HipReading)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _decoded(raw: bytes) -> tuple[HipReading, int]:
    """The reading, of whatever version, and how many keys its file holds if none stands twice."""
    try:
        reading = from_json(raw, _DECODER)
    except MalformedError as error:
        version = version_of(raw)
        if not error.misfit or version < 1 or version == VERSION:
            raise
        if version > VERSION:
            raise ReadingError(
                f"version {version} is newer than this program, which knows versions up to "
                f"{VERSION}; update necroangle",
                place="$.version",
            ) from None
        return migrated(raw, version)
    return reading, expected_keys(reading)
