"""Memory that arrays were in is kept for the next ones: fetching it anew costs as much as the work.

glibc gives large blocks back to the system as soon as they are free, and the system hands them out
again page by page, each wiped. A chunk of readings needs many such blocks, one after the other.
Where the C library is another, nothing is changed.
"""

import ctypes
import sys
from functools import cache

__all__ = ["keep_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of what is set, from ``malloc.h``."""

_KEPT_BYTES, _LARGEST_BYTES = 1 << 26, 1 << 25


@cache
def keep_memory() -> bool:
    """Keep up to 64 MB that are free at the heap's end, once in a process; whether it was possible.

    Examples
    --------
    >>> keep_memory() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(adjust(_MMAP_THRESHOLD, _LARGEST_BYTES) and adjust(_TRIM_THRESHOLD, _KEPT_BYTES))
