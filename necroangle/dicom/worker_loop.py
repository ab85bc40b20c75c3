"""What the worker of :mod:`necroangle.dicom.worker` does: one stack after the other."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.pixels import read_volume
from necroangle.dicom.records import SeriesSummary
from necroangle.errors import DicomError

__all__ = ["Handed", "serve"]

_SHARED = Path("/dev/shm")  # noqa: S108  the system's shared memory, no scratch folder
_STATM = Path("/proc/self/statm")
_MIB = 1024**2
_MOST_BYTES_A_PIXEL = 4


@dataclass(frozen=True, slots=True)
class Handed:
    """What the worker hands back.

    Attributes
    ----------
    shape, dtype
        The kind of pixels.
    window
        Their window.
    shared
        Whether they lie in the shared memory of the agreed name; else they follow, slice by slice.
    """

    shape: tuple[int, ...]
    dtype: str
    window: tuple[float, float] | None
    shared: bool


class _Shelf:
    """Pixels put where the other process can take them: decoded there at once, where there is room.

    Parameters
    ----------
    name
        The agreed name of the shared memory.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._memory: SharedMemory | None = None
        self._lent: NDArray[Any] | None = None

    def empty(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array for pixels, in shared memory if that has room."""
        self.clear()
        size = int(np.prod(shape)) * dtype.itemsize
        if not size or (_SHARED.is_dir() and shutil.disk_usage(_SHARED).free < size):
            return np.empty(shape, dtype)
        self._memory = SharedMemory(self._name, create=True, size=size)
        self._lent = np.ndarray(shape, dtype, self._memory.buf)
        return self._lent

    def holds(self, pixels: NDArray[Any]) -> bool:
        """Whether these are the pixels that lie in the shared memory."""
        return pixels is self._lent

    def clear(self) -> None:
        """Let go of the memory; what the other process has taken stays with it."""
        self._lent = None
        memory, self._memory = self._memory, None
        if memory is None:
            return
        with contextlib.suppress(FileNotFoundError):
            memory.unlink()
        with contextlib.suppress(BufferError):
            memory.close()


def serve(theirs: Connection) -> None:
    """Answer requests (name of the memory, stack, MiB) until the other side is gone.

    Parameters
    ----------
    theirs
        The worker's end of the pipe.
    """
    _be_silent()
    theirs.send(None)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            name, summary, memory_mib = theirs.recv()
            _answer(theirs, _Shelf(name), summary, memory_mib)


def _answer(theirs: Connection, shelf: _Shelf, summary: SeriesSummary, memory_mib: int) -> None:
    pixel_bytes = _MOST_BYTES_A_PIXEL * len(summary) * summary.rows * summary.columns
    try:
        with _limited(memory_mib * _MIB + pixel_bytes):
            volume = read_volume(summary, shelf.empty)
    except (DicomError, MemoryError) as error:
        shelf.clear()
        theirs.send(_said(error, memory_mib))
        return
    except Exception as error:
        shelf.clear()
        cause = type(error).__name__
        theirs.send(DicomError(f"decoding the stack failed ({cause})", cause=cause))
        return
    pixels, window = volume.pixels, volume.window
    shared = shelf.holds(pixels)
    theirs.send(Handed(pixels.shape, pixels.dtype.str, window, shared))
    for one in () if shared else pixels:
        theirs.send_bytes(np.ascontiguousarray(one).reshape(-1).view(np.uint8).data)
    theirs.recv()
    del volume, pixels
    shelf.clear()


def _said(error: DicomError | MemoryError, memory_mib: int) -> DicomError:
    file = error.file if isinstance(error, DicomError) else ""
    if isinstance(error, DicomError) and error.cause != "MemoryError":
        return error
    return DicomError(
        f"decoding needs more than {memory_mib} MiB beyond the pixels (MemoryError)",
        file=file,
        stage="decode",
        cause="MemoryError",
    )


def _be_silent() -> None:
    """Decoders print what they dislike, and with it what stands in the file."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """Let the process take so many bytes more than it has now, where the system can."""
    try:
        import resource
    except ImportError:
        yield
        return
    taken = 1024**3
    with contextlib.suppress(OSError, ValueError):
        taken = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (taken + size, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, before)
