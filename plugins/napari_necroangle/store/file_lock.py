"""Whether a file is in use: a lock that goes with the process that holds it, however it ends."""

import os
import sys

__all__ = ["try_lock"]

if sys.platform == "win32":
    import msvcrt

    _BEHIND_ALL = 1 << 40

    def _lock(descriptor: int) -> None:
        here = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, _BEHIND_ALL, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, here, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def try_lock(descriptor: int) -> bool:
    """Lock an open file for as long as it is open, also against this very process.

    Returns
    -------
    bool
        False where someone else holds it. A file system that knows no locks refuses nobody.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as mine, open(mine.name, "rb") as other:
    ...     try_lock(mine.fileno()), try_lock(other.fileno())
    (True, False)
    """
    try:
        _lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
