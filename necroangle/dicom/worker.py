"""Decoding in a process of its own, with a limit on memory and on time.

Decoders are compiled code: a frame built for it can fill the memory, run for minutes or end the
process. Where nobody watches (batches, pictures of many readings), each stack is decoded apart.
"""

import contextlib
import multiprocessing
import os
import secrets
import shutil
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from necroangle.dicom.pixels import read_volume
from necroangle.dicom.records import SeriesSummary
from necroangle.errors import DicomError
from necroangle.imaging import Volume

__all__ = ["read_volume_guarded"]

_SHARED = Path("/dev/shm")  # noqa: S108  the system's shared memory, no scratch folder
_STATM = Path("/proc/self/statm")
_START_S = 30.0
"""Time that the process may take to start."""


@dataclass(frozen=True, slots=True)
class _Pixels:
    """What the worker hands back: the kind of pixels in the shared memory, and their window."""

    shape: tuple[int, ...]
    dtype: str
    window: tuple[float, float] | None


class _SharedPixels(np.ndarray[Any, Any]):
    """Pixels in shared memory, which lives as long as they, being the base of all their views."""

    memory: SharedMemory


def read_volume_guarded(
    summary: SeriesSummary, *, memory_mib: int = 2048, seconds: float = 60.0
) -> Volume:
    """Decode the slices of a stack in a worker process.

    The result equals that of :func:`necroangle.dicom.read_volume`; its pixels lie in memory that
    both processes share, so that they are not copied between them. A script that calls this needs
    the usual ``if __name__ == "__main__":`` of programs that start processes.

    Parameters
    ----------
    summary
        One stack or radiograph of :func:`necroangle.dicom.scan_folder`.
    memory_mib
        Memory that decoding may take beyond what the worker has at its start, MiB: allow for
        twice the volume. Not enforced where the system knows no such limit (Windows, macOS).
    seconds
        Time that decoding may take, start of the process not counted.

    Raises
    ------
    DicomError
        As :func:`necroangle.dicom.read_volume`; and if the worker passes a limit or is ended by
        its decoder: the first file, and what happened.

    Examples
    --------
    >>> import tempfile
    >>> from necroangle.dicom import scan_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [read_volume_guarded(series) for series in scan_folder(Path(folder)).series]
    []
    """
    name = f"necro-{secrets.token_hex(8)}"
    context = _context()
    ours, theirs = context.Pipe()
    worker = context.Process(target=_work, args=(theirs, name, summary, memory_mib), daemon=True)
    worker.start()
    theirs.close()
    try:
        _await(ours, worker, _START_S, summary)
        answer = _await(ours, worker, seconds, summary)
        pixels = _attach(answer, name)
    finally:
        ours.close()
        _end(worker)
        _forget(name)
    return Volume(pixels, summary.planes, summary.sources, summary.step_mm, answer.window)


def _context() -> ForkServerContext | SpawnContext:
    if sys.platform == "linux":
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        return context
    return multiprocessing.get_context("spawn")


def _await(ours: Connection, worker: BaseProcess, seconds: float, summary: SeriesSummary) -> Any:
    file = summary.frames[0][0]
    what = f"decoding the stack ({len(summary)} frames from here on)"
    if not ours.poll(seconds):
        raise DicomError(f"{what} took more than {seconds:g} s and was ended", file=file)
    try:
        answer = ours.recv()
    except (EOFError, OSError):
        worker.join(1)
        raise DicomError(f"{what} ended the worker ({worker.exitcode})", file=file) from None
    if isinstance(answer, str):
        raise DicomError(f"{what} failed ({answer})", file=file)
    if isinstance(answer, tuple):
        problem, tag, place = answer
        raise DicomError(problem, tag=tag, file=place)
    return answer


def _attach(found: _Pixels, name: str) -> NDArray[Any]:
    memory = SharedMemory(name)
    held = _SharedPixels(found.shape, np.dtype(found.dtype), memory.buf)
    held.memory = memory
    return held.view(np.ndarray)


def _forget(name: str) -> None:
    """Take the name from the memory: it goes when the last who holds it lets go."""
    with contextlib.suppress(FileNotFoundError):
        memory = SharedMemory(name)
        memory.unlink()
        memory.close()


def _end(worker: BaseProcess) -> None:
    worker.kill()
    worker.join()
    worker.close()


def _work(theirs: Connection, name: str, summary: SeriesSummary, memory_mib: int) -> None:
    _be_silent()
    _limit_memory(memory_mib)
    theirs.send(None)
    try:
        volume = read_volume(summary)
        memory = _share(volume.pixels, name)
    except DicomError as error:
        theirs.send((error.problem, error.tag, error.file))
    except Exception as error:
        theirs.send(type(error).__name__)
    else:
        pixels = volume.pixels
        theirs.send(_Pixels(pixels.shape, pixels.dtype.str, volume.window))
        with contextlib.suppress(EOFError):
            theirs.recv()
        memory.close()


def _share(pixels: NDArray[Any], name: str) -> SharedMemory:
    size = max(1, pixels.nbytes)
    if _SHARED.is_dir() and shutil.disk_usage(_SHARED).free < size:
        raise DicomError(f"no room for {size} bytes in the system's shared memory ({_SHARED})")
    memory = SharedMemory(name, create=True, size=size)
    np.ndarray(pixels.shape, pixels.dtype, memory.buf)[...] = pixels
    return memory


def _be_silent() -> None:
    """Decoders print what they dislike, and with it what stands in the file."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _limit_memory(memory_mib: int) -> None:
    try:
        import resource
    except ImportError:
        return
    taken = 1024**3
    with contextlib.suppress(OSError, ValueError):
        taken = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
    limit = taken + memory_mib * 1024**2
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
