"""One reading to its row: the road that every other one must agree with, bit for bit."""

import os
import stat
import traceback
from pathlib import Path

from necroangle.annotation import decode_reading, read_bytes, sha256_of
from necroangle.annotation.file import MAX_BYTES
from necroangle.batch.record import Refusal
from necroangle.errors import NecroangleError, ReadingError
from necroangle.measurement import DEFAULTS, Method, Settings, measure
from necroangle.measurement.row import CohortRow, to_row

__all__ = ["measure_bytes", "measure_file", "read_or_refuse"]

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""A named pipe is opened without waiting for its other end, and then refused."""


def measure_file(
    path: Path, method: Method | None = None, settings: Settings = DEFAULTS
) -> CohortRow | Refusal:
    """Measure one reading file: read once, hash, decode, measure; nothing else is touched.

    Examples
    --------
    >>> print(measure_file(Path("nowhere.reading.json")))
    nowhere.reading.json: there is no such file
    """
    raw = read_or_refuse(path, str(path))
    return raw if isinstance(raw, Refusal) else measure_bytes(str(path), raw, method, settings)


def read_or_refuse(path: Path, name: str) -> bytes | Refusal:
    """The bytes of a reading file, or why there are none."""
    raw = _quickly(path)
    if raw is not None:
        return raw
    try:
        return read_bytes(path)
    except ReadingError as error:
        return Refusal(name, error.place, error.problem)


def _quickly(path: Path) -> bytes | None:
    """The bytes of a regular file of at most 1 MiB, in three calls; None for anything else."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
            return None
        raw = os.read(descriptor, state.st_size + 1)
        return raw if len(raw) == state.st_size else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def measure_bytes(
    name: str, raw: bytes, method: Method | None = None, settings: Settings = DEFAULTS
) -> CohortRow | Refusal:
    """Measure the bytes of a reading file.

    This is the door of the batch: an error of the program itself is told as a refusal too, with
    the line of code it came from, so that it costs one row and not all of them.

    Parameters
    ----------
    name
        The file's name, for a refusal.
    raw
        Its bytes.
    method
        How; by default the method of the reading's kind of image.
    settings
        What is taken as given.
    """
    try:
        reading = decode_reading(raw)
        return to_row(reading, measure(reading, method, settings), sha256_of(raw))
    except ReadingError as error:
        return Refusal(name, error.place, error.problem)
    except NecroangleError as error:
        return Refusal(name, getattr(error, "place", ""), str(error))
    except Exception as error:
        return Refusal(name, _line_of_code(error), f"internal error: {error!r:.200}")


def _line_of_code(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name} line {last.lineno}"
