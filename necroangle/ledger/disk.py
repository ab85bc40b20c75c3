"""Where a database file lies: a local disk, or one that is shared over a network."""

import re
from pathlib import Path

__all__ = ["is_local_disk"]

_MOUNTS = Path("/proc/mounts")

_LOCAL = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "tmpfs", "xfs", "zfs"})
"""File systems of which it is sure; any other is taken for shared."""


def is_local_disk(path: Path, mounts: Path = _MOUNTS) -> bool:
    """Whether a file surely lies on a disk of this machine; in doubt it does not.

    Parameters
    ----------
    path
        The file, which need not exist yet.
    mounts
        The system's list of mounts; where there is none, nothing is sure.

    Examples
    --------
    >>> import tempfile
    >>> mounts = Path(tempfile.mkdtemp()) / "mounts"
    >>> text = "/dev/a / ext4 rw 0 0" + chr(10) + "server:/x /net nfs4 rw 0 0" + chr(10)
    >>> _ = mounts.write_text(text)
    >>> is_local_disk(Path("/data/c.sqlite"), mounts), is_local_disk(Path("/net/c.sqlite"), mounts)
    (True, False)
    """
    try:
        lines = mounts.read_text("utf-8", errors="surrogateescape").splitlines()
        folders = [path.resolve(), *path.resolve().parents]
    except OSError:
        return False
    kinds = {_unescaped(fields[1]): fields[2] for fields in map(str.split, lines)}
    return next((kinds[str(f)] in _LOCAL for f in folders if str(f) in kinds), False)


def _unescaped(text: str) -> str:
    r"""A path of the list, in which a space is ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
