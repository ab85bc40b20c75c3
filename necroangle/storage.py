"""Writing a file so that a crash leaves either the old one or the new one, never half of one."""

import os
import tempfile
from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole: temporary file beside it, fsync, rename over it, fsync of the folder.

    Parameters
    ----------
    path
        The file; its folder is made where it is missing.
    content
        All its bytes.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; an old file is then untouched.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "a.json", b"{}")
    >>> [(f.name, f.read_bytes()) for f in folder.iterdir()]
    [('a.json', b'{}')]
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk, so that a file that was made or renamed stays there."""
    if os.name == "nt":  # a folder cannot be opened there, and the rename is journaled
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
