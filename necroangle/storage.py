"""Writing a file so that a crash leaves either the old one or the new one, never half of one.

The rules of three systems meet here. A file is flushed by a handle that may write: another is
refused by Windows. macOS leaves what is flushed in the disk's own memory unless it is asked for
more. Windows replaces and removes no file that a program holds open (a viewer, Excel, a virus
scanner), nor one that is read-only; it says of every folder that it may be written; and it puts a
letter before each end of a line that is written to a file not opened with ``BINARY``.
"""

import hashlib
import os
import secrets
import shutil
import stat
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = [
    "BINARY",
    "can_write_in",
    "name_problem",
    "new_part",
    "put_in_place",
    "remove",
    "rename_over",
    "same_file_key",
    "scratch_folder",
    "sha256_of",
    "sync",
    "sync_file",
    "sync_folder",
    "write_atomically",
]

BINARY = getattr(os, "O_BINARY", 0)
"""For ``os.open``: bytes are read and written as they are."""

_REFUSED = 5
_HELD = frozenset({_REFUSED, 32, 33})
"""Windows' numbers for what another program holds open: refused, in use, locked."""

_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""A virus scanner lets go of a new file within a second."""

MOST_PATH = 259
"""Characters of a path that Windows takes where long ones have not been switched on."""

_NOT_FOUND = 3

_NO_LETTERS = frozenset('\\<>:"|?*')
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}) | {
    f"{name}{number}" for name in ("COM", "LPT") for number in "0123456789¹²³"
}
_LONGEST_NAME = 255


def sha256_of(raw: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


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
        If the disk is full, the folder cannot be written, or another program holds the old file
        open; an old file is then untouched.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "a.json", b"{}")
    >>> [(f.name, f.read_bytes()) for f in folder.iterdir()]
    [('a.json', b'{}')]
    """
    part = new_part(path)
    try:
        with _said_of(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "xb", opener=_for_its_owner) as file:
                file.write(content)
        put_in_place(part, path)
    except BaseException:
        with suppress(OSError):
            remove(part)
        raise


@contextmanager
def _said_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _in_words(error, path) from error


def _for_its_owner(path: str, flags: int) -> int:
    """Until it is whole, nobody else reads what may be a secret."""
    return os.open(path, flags | BINARY, 0o600)


def new_part(path: Path) -> Path:
    """A free hidden name beside a file or folder, for what is to take its place once it is whole.

    Python's own ``tempfile`` looks for another name where Windows refuses the first, two thousand
    million times, so that a folder in which nothing may be written is never refused.

    Examples
    --------
    >>> part = new_part(Path("exports/cohort.csv"))
    >>> part.parent.name, part.name.startswith(".cohort.csv."), part.suffix
    ('exports', True, '.part')
    """
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A hidden folder beside a path, for its owner's eyes alone; gone afterwards.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    folder = new_part(path)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def can_write_in(folder: Path, name: str = "") -> bool:
    """Whether files can be made in a folder: tried, since Windows says so of every folder.

    Parameters
    ----------
    folder
        It need not be there: then the nearest above it that is.
    name
        Begins the name of the file that is tried.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> can_write_in(folder), can_write_in(folder / "a" / "b"), list(folder.iterdir())
    (True, True, [])
    """
    there = next((one for one in (folder, *folder.absolute().parents) if one.exists()), folder)
    if not os.access(there, os.W_OK):
        return False
    tried = there / f"{name}.{secrets.token_hex(4)}.part"
    try:
        tried.touch(exist_ok=False)
        tried.unlink()
    except OSError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file, or a folder and all in it, read-only or not; wait for who holds one open.

    Raises
    ------
    OSError
        If the system refuses; where another program holds a file open, the error says so.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_atomically(folder / "in" / "a.json", b"{}")
    >>> remove(folder / "in")
    >>> remove(folder / "in")
    >>> list(folder.iterdir())
    []
    """
    if path.is_dir() and not path.is_symlink():
        for one in path.iterdir():
            remove(one)
        _patiently(path.rmdir, path)
    else:
        _patiently(lambda: _unlink(path), path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        if getattr(error, "winerror", None) != _REFUSED or not _is_read_only(path):
            raise
        path.chmod(stat.S_IREAD | stat.S_IWRITE)
        path.unlink(missing_ok=True)


def _is_read_only(path: Path) -> bool:
    return path.exists() and not path.stat().st_mode & stat.S_IWRITE


def put_in_place(part: Path, path: Path) -> None:
    """Give a temporary file, which is whole, the mode of any new file and its name.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "part").write_text("all of it")
    >>> put_in_place(folder / "part", folder / "whole.pdf")
    >>> [file.name for file in folder.iterdir()]
    ['whole.pdf']
    """
    sync_file(part)
    part.chmod(0o666 & ~_umask())
    rename_over(part, path)
    sync_folder(path.parent)


def name_problem(name: str) -> str:
    """What is wrong with a name for a file within a folder, on any system; nothing where it is one.

    Parameters
    ----------
    name
        With ``/`` between folders.

    Examples
    --------
    >>> name_problem("readings/S01__L__m00__r1__1.reading.json")
    ''
    >>> name_problem("../S01"), name_problem("a/NUL.json")
    ('leads out of the folder', 'is a name that Windows keeps for a device')
    >>> name_problem("C:/x"), name_problem("a/b. ")
    ('holds a character that not every system takes', 'ends with a dot or a space')
    """
    parts = name.split("/")
    if not name or any(letter in _NO_LETTERS or not letter.isprintable() for letter in name):
        return "holds a character that not every system takes" if name else "is empty"
    if ".." in parts or name.startswith("/"):
        return "leads out of the folder"
    if any(part in ("", ".") for part in parts):
        return "has an empty part"
    if any(part[-1] in ". " for part in parts):
        return "ends with a dot or a space"
    if any(part.split(".")[0].rstrip(" ").upper() in _DEVICES for part in parts):
        return "is a name that Windows keeps for a device"
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return f"is longer than {_LONGEST_NAME} bytes"
    return ""


def same_file_key(name: str) -> str:
    """What two names share that are one file on a system that knows no case, or one spelling."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def rename_over(source: Path, target: Path) -> None:
    """Give a file or folder another name, over the file that has it; wait for who holds one open.

    Parameters
    ----------
    source, target
        What there is, and its new name on the same disk.

    Raises
    ------
    OSError
        If the system refuses; where another program holds one of them open, the error says so.
    """
    _patiently(lambda: source.replace(target), target)


def _patiently(call: Callable[[], object], path: Path) -> None:
    """Do it again for as long as a virus scanner may hold the file."""
    for wait_s in (*_WAITS_S, None):
        try:
            call()
        except OSError as error:
            is_held = getattr(error, "winerror", None) in _HELD and not _is_read_only(path)
            if not is_held or wait_s is None:
                raise _in_words(error, path) from error
            time.sleep(wait_s)
        else:
            return


def sync(descriptor: int) -> None:
    """Flush an open file, which may be written, to the disk itself.

    Parameters
    ----------
    descriptor
        Of a file that was opened for writing.
    """
    try:
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined,unused-ignore]
    except (ImportError, AttributeError, OSError):  # not macOS; or a share that does not know it
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """Flush a closed file to the disk."""
    with path.open("rb+") as file:
        sync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to the disk, so that a file that was made or renamed stays there."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder, and keeps a journal of its names
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _in_words(error: OSError, path: Path) -> OSError:
    """The error, with what to do where Windows alone would refuse this."""
    number, length = getattr(error, "winerror", None), len(str(path.absolute()))
    if number == _REFUSED and _is_read_only(path):
        words = "it is read-only; take that off in its properties, and try again"
    elif number in _HELD:
        words = "another program holds it open; close it there, and try again"
    elif number == _NOT_FOUND and length > MOST_PATH:
        words = (
            f"its path has {length} characters, and Windows takes {MOST_PATH}: move the study "
            "nearer to the top of the disk"
        )
    else:
        return error
    return type(error)(error.errno, words, str(path))
