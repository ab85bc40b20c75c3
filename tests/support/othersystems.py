"""The rules of Windows and macOS on a Linux machine, for a whole process: :func:`impose`.

What they refuse is refused here as they do it, with Windows' numbers of errors:

- a file is flushed by a handle that may write alone; no folder is opened;
- a file that is open, here or in a child, is neither replaced, renamed nor removed, and neither is
  one that is read-only, nor a folder in which a file is open;
- names that differ by capital letters or by how accents are written are one name;
- a file that is mapped into memory counts as open;
- a folder is put over no other folder, and none is removed while a file in it is open;
- a path has 259 characters at most; a name holds none of ``<>:"|?*``, ends with no dot or
  space, and is none of a device;
- a file is opened as text unless it is asked for bytes: lines end with two letters, and letters
  are those of a Japanese console where no encoding is named;
- a folder that may not be written says that it may, and Python's own search for a free name in it
  then never ends;
- there are no symbolic links for a user, no hard links on a memory stick;
- there is no fork, no fork server, no limit of a process, and none of POSIX' own calls and signals.

It stands in for no Windows: what is not in this list is not tried.
"""

import builtins
import errno
import io
import multiprocessing
import os
import shutil
import signal
import sqlite3
import stat
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["MOST_PATH", "impose"]

MOST_PATH = 259
_DENIED, _IN_USE, _NO_PATH, _THERE, _NO_NAME, _NO_RIGHT = 5, 32, 3, 183, 123, 1314
_POSIX_ALONE = (
    *("fork", "forkpty", "mkfifo", "pread", "preadv", "pwrite", "sched_getaffinity", "chown"),
    *("geteuid", "getuid", "getgid", "getegid", "fchmod", "O_NONBLOCK", "O_NOFOLLOW"),
    *("O_DIRECTORY", "O_CLOEXEC", "O_SYNC", "O_DSYNC", "O_NOCTTY", "O_TMPFILE", "WNOHANG"),
    *("killpg", "getpgid", "setsid", "nice", "statvfs", "sync", "lchown", "fchown"),
    *("getloadavg", "getgroups", "sysconf", "confstr", "posix_fallocate", "posix_fadvise"),
    *("sendfile", "copy_file_range", "readv", "writev", "memfd_create", "lockf", "wait3", "wait4"),
)  # fmt: skip
_SIGNALS_ALONE = ("SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGPIPE")
_NO_LETTERS = frozenset('<>:"|?*')
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", *(f"{a}{b}" for a in ("COM", "LPT") for b in "123456789")}
)

LOCKED = "no_rights"
"""A folder of this name may not be written."""

_ASKING = (
    *("necroangle.memory", "necroangle.dicom.worker", "necroangle.dicom.archive"),
    "necroangle.ledger.store",
)
"""Modules that ask on which system they are."""

_open, _fsync, _replace, _rename = os.open, os.fsync, os.replace, os.rename
_unlink, _stat, _io_open, _readlink, _listdir = os.unlink, os.stat, io.open, os.readlink, os.listdir
_mkdir, _rmdir, _access, _read, _write, _close = (
    os.mkdir, os.rmdir, os.access, os.read, os.write, os.close
)  # fmt: skip


def impose(below: Path) -> None:
    """From now on this process has the rules of Windows and macOS.

    Parameters
    ----------
    below
        The folder in which files are as on those systems; Python's own files stay as they are.
    """
    import psutil  # noqa: F401  of Linux here: it asks for what is taken away

    rules = _Rules(str(below.resolve()))
    system: Any = os
    temporary: Any = tempfile
    folders: Any = shutil
    database: Any = sqlite3
    files: Any = io
    system.fsync = rules.fsync
    system.open = rules.opened
    files.open = builtins.open = rules.file_opened
    system.stat = rules.found(_stat)
    system.replace = rules.renamed(_replace, over=True)
    system.rename = rules.renamed(_rename, over=False)
    system.unlink = system.remove = rules.unlink
    system.mkdir, system.rmdir, system.access = rules.mkdir, rules.rmdir, rules.access
    system.read, system.write, system.close = rules.read, rules.write, rules.close
    system.symlink = rules.no_link(_NO_RIGHT)
    system.link = rules.no_link(1)
    system.O_BINARY = _BINARY
    temporary._bin_openflags |= _BINARY
    temporary.TemporaryFile = tempfile.NamedTemporaryFile
    temporary._mkstemp_inner = rules.endless(temporary._mkstemp_inner)
    temporary.mkdtemp = rules.endless(tempfile.mkdtemp)
    folders._USE_CP_SENDFILE = False
    folders._use_fd_functions = False
    folders.rmtree.avoids_symlink_attacks = False
    database.connect = rules.connected(sqlite3.connect)
    for name in _POSIX_ALONE:
        if hasattr(os, name):
            delattr(os, name)
    for name in _SIGNALS_ALONE:
        delattr(signal, name)
    del time.tzset
    for module in ("resource", "fcntl", "pwd", "grp", "termios"):
        sys.modules[module] = None  # type: ignore[assignment]
    for context in ("fork", "forkserver"):
        multiprocessing.context._concrete_contexts.pop(context, None)  # type: ignore[attr-defined]
    for name in _ASKING:
        import_module(name).sys = _OtherSystem()  # type: ignore[attr-defined]


class _OtherSystem:
    """What ``sys`` is to a module that asks for the system."""

    platform = "win32"

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


_BINARY = 1 << 40


def _refuse(number: int, path: Any) -> OSError:
    codes = {_NO_PATH: errno.ENOENT, _THERE: errno.EEXIST, _NO_NAME: errno.EINVAL}
    error = OSError(codes.get(number, errno.EACCES), "refused as Windows does", str(path))
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
    return error


class _Rules:
    def __init__(self, below: str) -> None:
        self._below = below
        self._texts: set[int] = set()

    def _is_meant(self, path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self._below)

    def _same(self, path: Any) -> Any:
        """The path under the name that lies there, if one differs by case or accents alone."""
        whole = os.path.abspath(os.fsdecode(path))
        if len(whole) > MOST_PATH:
            raise _refuse(_NO_PATH, path)
        folder, name = os.path.split(whole)
        if (
            any(letter in _NO_LETTERS or letter < " " for letter in name)
            or name[-1:] in (".", " ")
            or name.split(".")[0].rstrip(" ").upper() in _DEVICES
        ):
            raise _refuse(_NO_NAME, path)
        try:
            _stat(whole)
        except OSError:
            try:
                others = _listdir(folder)
            except OSError:
                return path
            return next(
                (os.path.join(folder, one) for one in others if _folded(one) == _folded(name)), path
            )
        return path

    def _refuse_locked(self, path: Any) -> None:
        if LOCKED in os.path.abspath(os.fsdecode(path)).split(os.sep)[:-1]:
            raise _refuse(_DENIED, path)

    def fsync(self, descriptor: int) -> None:
        flags = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii").split()[3]
        if int(flags, 8) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "flushed by a handle that may only read")
        _fsync(descriptor)

    def opened(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: Any = None) -> int:
        is_text, flags = not flags & _BINARY, flags & ~_BINARY
        if not self._is_meant(path) or dir_fd is not None:
            return _open(path, flags, mode, dir_fd=dir_fd)
        path = self._same(path)
        if os.path.isdir(path):
            raise _refuse(_DENIED, path)
        if flags & os.O_ACCMODE != os.O_RDONLY:
            self._refuse_locked(path)
            if os.path.exists(path):
                self._refuse_read_only(path)
        descriptor = _open(path, flags, mode)
        if is_text:
            self._texts.add(descriptor)
        return descriptor

    def file_opened(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if isinstance(file, int):
            pass
        elif not self._is_meant(file):
            return _io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        else:
            file = self._same(file)
            if os.path.isdir(file) and opener is None:
                raise _refuse(_DENIED, file)
            if set(mode) & set("wax+"):
                self._refuse_locked(file)
                if os.path.exists(file):
                    self._refuse_read_only(file)
        if "b" not in mode:
            encoding = encoding or "cp932"
            newline = "\r\n" if newline is None and set(mode) & set("wax") else newline
        # whatever it was opened for, Python's own file takes bytes
        stream = _io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        self._texts.discard(stream.fileno())
        return stream

    def read(self, descriptor: int, count: int) -> bytes:
        raw = _read(descriptor, count)
        return raw.replace(b"\r\n", b"\n") if descriptor in self._texts else raw

    def write(self, descriptor: int, data: Any) -> int:
        if descriptor not in self._texts:
            return _write(descriptor, data)
        _write(descriptor, bytes(data).replace(b"\n", b"\r\n"))
        return len(data)

    def close(self, descriptor: int) -> None:
        self._texts.discard(descriptor)
        _close(descriptor)

    def found(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def found(path: Any, **options: Any) -> Any:
            return call(self._same(path) if self._is_meant(path) else path, **options)

        return found

    def renamed(self, call: Callable[..., Any], *, over: bool) -> Callable[..., Any]:
        @wraps(call)
        def renamed(source: Any, target: Any, **options: Any) -> Any:
            if self._is_meant(target):
                source, target = self._same(source), self._same(target)
                self._refuse_locked(target)
                self._refuse_open(source)
                if os.path.exists(target):
                    if not over:
                        raise _refuse(_THERE, target)
                    if os.path.isdir(target):
                        raise _refuse(_DENIED, target)
                    self._refuse_open(target)
                    self._refuse_read_only(target)
            return call(source, target, **options)

        return renamed

    def unlink(self, path: Any, **options: Any) -> None:
        if options.get("dir_fd") is None and self._is_meant(path):
            path = self._same(path)
            self._refuse_locked(path)
            self._refuse_open(path)
            if os.path.exists(path):
                self._refuse_read_only(path)
        _unlink(path, **options)

    def mkdir(self, path: Any, mode: int = 0o777, **options: Any) -> None:
        if self._is_meant(path):
            path = self._same(path)
            self._refuse_locked(path)
        _mkdir(path, mode, **options)

    def rmdir(self, path: Any, **options: Any) -> None:
        if self._is_meant(path):
            path = self._same(path)
            self._refuse_locked(path)
            self._refuse_read_only(path)
        _rmdir(path, **options)

    def access(self, path: Any, mode: int, **options: Any) -> bool:
        """Windows answers by the attribute "read-only" alone, which a folder heeds not."""
        if self._is_meant(path) and os.path.isdir(path):
            return True
        return _access(path, mode, **options)

    def no_link(self, number: int) -> Callable[..., Any]:
        def link(source: Any, target: Any, **_: Any) -> None:
            raise _refuse(number, target)

        return link

    def endless(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Python 3.11 there tries 2,147,483,647 names where a folder may not be written."""

        @wraps(call)
        def made(*arguments: Any, **options: Any) -> Any:
            try:
                return call(*arguments, **options)
            except PermissionError as error:
                raise SystemExit(f"it would never end: {error}") from error

        return made

    def connected(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def connected(database: Any, *arguments: Any, **options: Any) -> Any:
            name = str(database).removeprefix("file:")
            if self._is_meant(name) and LOCKED in name.split(os.sep)[:-1]:
                connection = call(":memory:", *arguments, **options)
                connection.execute("PRAGMA query_only = ON")
                if not os.path.exists(name):
                    raise sqlite3.OperationalError("unable to open database file")
                return connection
            return call(database, *arguments, **options)

        return connected

    def _refuse_open(self, path: Any) -> None:
        whole = os.path.abspath(os.fsdecode(path))
        for held in _held():
            if held == whole or held.startswith(whole + os.sep):
                raise _refuse(_IN_USE, path)

    def _refuse_read_only(self, path: Any) -> None:
        if not _stat(path).st_mode & stat.S_IWUSR:
            raise _refuse(_DENIED, path)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _held() -> list[str]:
    """What this process and those that it started have open or mapped."""
    found = []
    for process in ("self", *_children()):
        try:
            for number in _listdir(f"/proc/{process}/fd"):
                with suppress(OSError):
                    found.append(_readlink(f"/proc/{process}/fd/{number}"))
            with _io_open(f"/proc/{process}/maps", "rb") as maps:
                found += [os.fsdecode(line.split(None, 5)[-1].strip()) for line in maps]
        except OSError:
            continue
    return found


def _children() -> list[str]:
    with _io_open("/proc/thread-self/children", encoding="ascii") as children:
        return children.read().split()
