"""Memory that a process of ours may take: by the system's limit, or by looking how much it holds.

What decodes files of others runs in a process of its own. Linux holds such a process to a limit
and the allocation fails in it. Windows has no such call, and macOS takes it and does nothing:
there the process that waits looks some 20 times a second, and ends the other.
"""

import contextlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["LOOK_S", "held_bytes", "limited", "system_limits"]

LOOK_S = 0.05
"""How often a process is looked at where the system does not limit it, s."""

_STATM = Path("/proc/self/statm")


def system_limits() -> bool:
    """Whether the system holds a process to a limit of memory."""
    return sys.platform == "linux"


@contextmanager
def limited(size: int | None) -> Iterator[None]:
    """Let this process take so many bytes more than it has now.

    Parameters
    ----------
    size
        Bytes of address space; None where the system limits nothing.

    Examples
    --------
    >>> with limited(1 << 30):
    ...     block = bytearray(1 << 20)
    """
    if size is None:
        yield
        return
    import resource

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


def held_bytes(process_id: int) -> int:
    """What a process and those that it started hold; 0 where it is gone.

    On Windows the Python of a virtual environment is a small program that starts the true one.

    Parameters
    ----------
    process_id
        Number of the process.
    """
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(process_id)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                held = one.memory_info()
                total += getattr(held, "private", held.rss)  # Windows tells what is its own
    return total
