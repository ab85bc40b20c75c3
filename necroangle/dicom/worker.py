"""Decoding in a process of its own, with a limit on memory and on time.

Decoders are compiled code: a frame built for it can fill the memory, run for minutes or end the
process. Where nobody watches (batches, pictures of many readings), stacks are decoded apart.
"""

import contextlib
import multiprocessing
import os
import secrets
import shutil
import sys
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.pixels import read_volume, volume_of
from necroangle.dicom.records import SeriesSummary
from necroangle.errors import DicomError
from necroangle.imaging import Volume
from necroangle.memory import LOOK_S, held_bytes, limited, system_limits

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

_SHARED = Path("/dev/shm")  # noqa: S108  the system's shared memory, no scratch folder
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

    The memory belongs to the reader: this side makes it and lets go of it, and never removes its
    name. Were both sides to remove it, each would strike it off the list of what is left to clean
    up, which Python keeps for all processes together, and the second stroke is a warning.

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
        """An array for pixels, in shared memory if that has room and is not taken yet."""
        size = int(np.prod(shape)) * dtype.itemsize
        has_room = not _SHARED.is_dir() or shutil.disk_usage(_SHARED).free >= size
        if not size or not has_room or self._memory is not None:
            return np.empty(shape, dtype)
        self._memory = SharedMemory(self._name, create=True, size=size)
        self._lent = np.ndarray(shape, dtype, self._memory.buf)
        return self._lent

    def holds(self, pixels: NDArray[Any]) -> bool:
        """Whether these are the pixels that lie in the shared memory."""
        return pixels is self._lent

    def close(self) -> None:
        """Let go of the memory; what the other process has taken stays with it."""
        self._lent = None
        memory, self._memory = self._memory, None
        if memory is not None:
            with contextlib.suppress(BufferError):
                memory.close()


def serve(theirs: Connection) -> None:
    """Answer requests (name of the memory, stack, bytes it may take) until the other side is gone.

    Parameters
    ----------
    theirs
        The worker's end of the pipe.
    """
    _be_silent()
    theirs.send(None)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            name, summary, most_bytes = theirs.recv()
            _answer(theirs, _Shelf(name), summary, most_bytes)


def _answer(
    theirs: Connection, shelf: _Shelf, summary: SeriesSummary, most_bytes: int | None
) -> None:
    try:
        with limited(most_bytes):
            volume = read_volume(summary, shelf.empty)
    except MemoryError:
        shelf.close()
        theirs.send(DicomError("decoding took all memory", cause="MemoryError"))
        return
    except DicomError as error:
        shelf.close()
        theirs.send(error)
        return
    except Exception as error:
        shelf.close()
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
    shelf.close()


def _be_silent() -> None:
    """Decoders print what they dislike, and with it what stands in the file."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


MEMORY_MIB = 1024
"""Memory that decoding may take beyond the pixels of the volume, MiB."""

SECONDS_A_FILE = 5.0
"""Time that each file of a stack may take."""

_START_S = 120.0
"""Time that the process may take to start."""


class _SharedPixels(np.ndarray[Any, Any]):
    """Pixels in shared memory, which lives as long as they, being the base of all their views."""

    memory: SharedMemory


class GuardedReader:
    """Decodes stacks in a worker process, one after the other.

    The worker is started with the first stack and used for all that follow; where a stack passes
    a limit or ends it, that stack is refused and the next one gets a new worker. A script that
    uses this needs the usual ``if __name__ == "__main__":`` of programs that start processes.

    Parameters
    ----------
    memory_mib
        Memory that decoding may take beyond the pixels of the volume, MiB.
    seconds_a_file
        Time that decoding may take, times the number of files; the start of the process does not
        count.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from necroangle.dicom import scan_folder
    >>> with tempfile.TemporaryDirectory() as folder, GuardedReader() as reader:
    ...     [reader.read(series) for series in scan_folder(Path(folder)).series]
    []
    """

    def __init__(
        self, *, memory_mib: int = MEMORY_MIB, seconds_a_file: float = SECONDS_A_FILE
    ) -> None:
        self._memory_mib = memory_mib
        self._seconds_a_file = seconds_a_file
        self._worker: BaseProcess | None = None
        self._ours: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, summary: SeriesSummary) -> Volume:
        """The volume of a stack: equal to that of :func:`necroangle.dicom.read_volume`.

        Its pixels lie in memory that both processes share, so that they are not copied between
        them; where the system has too little of it, they are sent.

        Parameters
        ----------
        summary
            One stack or radiograph of :func:`necroangle.dicom.scan_folder`.

        Raises
        ------
        DicomError
            As :func:`necroangle.dicom.read_volume`; and if the worker passes a limit or is ended
            by its decoder: the first file, and what happened.
        """
        name = f"necro-{os.getpid()}-{secrets.token_hex(6)}"
        file = summary.frames[0][0]
        try:
            ours = self._connection(file)
            handed: Handed = self._asked(ours, name, summary)
            pixels = _attached(handed, name) if handed.shared else _received(handed, ours)
            ours.send(None)
        except (EOFError, OSError):
            raise self._ended(summary) from None
        except BaseException as error:
            if not isinstance(error, DicomError) or error.cause in _WORKER_IS_SPENT:
                self.close()
            raise
        finally:
            _forget(name)
        return volume_of(summary, pixels, handed.window)

    def close(self) -> None:
        """End the worker; a later :meth:`read` starts another."""
        worker, ours = self._worker, self._ours
        self._worker = self._ours = None
        if ours is not None:
            ours.close()
        if worker is not None:
            worker.kill()
            worker.join()
            worker.close()

    def _connection(self, file: str) -> Connection:
        if self._ours is not None and self._worker is not None and self._worker.is_alive():
            return self._ours
        self.close()
        context = _context()
        self._ours, theirs = context.Pipe()
        self._worker = context.Process(target=serve, args=(theirs,), daemon=True)
        self._worker.start()
        theirs.close()
        if not self._ours.poll(_START_S):
            raise DicomError("the worker did not start", file=file, stage="decode", cause=_TIMEOUT)
        self._ours.recv()
        return self._ours

    def _asked(self, ours: Connection, name: str, summary: SeriesSummary) -> Any:
        """What the worker answers within its time and memory."""
        file = summary.frames[0][0]
        pixel_bytes = _MOST_BYTES_A_PIXEL * len(summary) * summary.rows * summary.columns
        most_bytes = self._memory_mib * _MIB + pixel_bytes
        seconds = self._seconds_a_file * len({frame[0] for frame in summary.frames})
        if system_limits():
            ours.send((name, summary, most_bytes))
            is_answered = ours.poll(seconds)
        else:
            held = self._held_bytes()
            ours.send((name, summary, None))
            is_answered = self._watched(ours, seconds, held + most_bytes, file)
        if not is_answered:
            raise DicomError(
                f"decoding the stack ({len(summary)} frames from here on) took more than "
                f"{seconds:g} s and was ended",
                file=file,
                stage="decode",
                cause=_TIMEOUT,
            )
        answer = ours.recv()
        if isinstance(answer, DicomError) and answer.cause == _NO_MEMORY:
            answer = self._needs_more(answer.file)
        if isinstance(answer, DicomError):
            raise answer.placed(file=file, stage="decode")
        return answer

    def _watched(self, ours: Connection, seconds: float, most_bytes: int, file: str) -> bool:
        """Whether the worker answers in time; refused where it holds too much memory on the way."""
        end = time.monotonic() + seconds
        while not ours.poll(max(0.0, min(LOOK_S, end - time.monotonic()))):
            if time.monotonic() >= end:
                return False
            if self._held_bytes() > most_bytes:
                raise self._needs_more(file)
        return True

    def _held_bytes(self) -> int:
        process_id = None if self._worker is None else self._worker.pid
        return 0 if process_id is None else held_bytes(process_id)

    def _needs_more(self, file: str) -> DicomError:
        return DicomError(
            f"decoding needs more than {self._memory_mib} MiB beyond the pixels (MemoryError)",
            file=file,
            stage="decode",
            cause=_NO_MEMORY,
        )

    def _ended(self, summary: SeriesSummary) -> DicomError:
        code = None
        if self._worker is not None:
            self._worker.join(1)
            code = self._worker.exitcode
        self.close()
        return DicomError(
            f"decoding the stack ({len(summary)} frames from here on) ended the worker ({code})",
            file=summary.frames[0][0],
            stage="decode",
            cause=_ENDED,
        )


_TIMEOUT, _ENDED, _NO_MEMORY = "TimeoutError", "ChildProcessError", "MemoryError"
_WORKER_IS_SPENT = {_TIMEOUT, _NO_MEMORY}


def read_volume_guarded(
    summary: SeriesSummary,
    *,
    memory_mib: int = MEMORY_MIB,
    seconds_a_file: float = SECONDS_A_FILE,
) -> Volume:
    """Decode the slices of one stack in a worker process of its own.

    As :meth:`GuardedReader.read`, which is the better way where there are several stacks.

    Parameters
    ----------
    summary
        One stack or radiograph of :func:`necroangle.dicom.scan_folder`.
    memory_mib, seconds_a_file
        As for :class:`GuardedReader`.

    Raises
    ------
    DicomError
        As :meth:`GuardedReader.read`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from necroangle.dicom import scan_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [read_volume_guarded(series) for series in scan_folder(Path(folder)).series]
    []
    """
    with GuardedReader(memory_mib=memory_mib, seconds_a_file=seconds_a_file) as reader:
        return reader.read(summary)


def _context() -> ForkServerContext | SpawnContext:
    if sys.platform == "linux":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["necroangle.dicom.worker"])
        return context
    return multiprocessing.get_context("spawn")


def _attached(handed: Handed, name: str) -> NDArray[Any]:
    memory = SharedMemory(name)
    held = _SharedPixels(handed.shape, np.dtype(handed.dtype), memory.buf)
    held.memory = memory
    return held.view(np.ndarray)


def _received(handed: Handed, ours: Connection) -> NDArray[Any]:
    pixels = np.empty(handed.shape, np.dtype(handed.dtype))
    for one in pixels:
        ours.recv_bytes_into(one.reshape(-1).view(np.uint8).data)
    return pixels


def _forget(name: str) -> None:
    """Take the name from the memory: it goes when the last who holds it lets go."""
    with contextlib.suppress(FileNotFoundError):
        memory = SharedMemory(name)
        memory.close()
        memory.unlink()
