"""The rules of Windows and macOS on a Linux machine, for a whole process: :func:`impose`.

What they refuse is refused here as they do it, with Windows' numbers of errors:

- a file is flushed by a handle that may write alone; no folder is opened;
- a file that is open, here or in a child, is neither replaced, renamed nor removed, and neither is
  one that is read-only, nor a folder in which a file is open;
- names that differ by capital letters or by how accents are written are one name;
- a path has 259 characters at most;
- there is no fork, no fork server, no limit of a process, and none of POSIX' own calls.

It stands in for no Windows: what is not in this list is not tried.
"""

import builtins
import errno
import io
import multiprocessing
import os
import stat
import sys
import unicodedata
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["MOST_PATH", "impose"]

MOST_PATH = 259
_DENIED, _IN_USE, _NO_PATH, _THERE = 5, 32, 3, 183
_POSIX_ALONE = (
    *("fork", "forkpty", "mkfifo", "pread", "preadv", "pwrite", "sched_getaffinity", "chown"),
    *("geteuid", "getuid", "getgid", "getegid", "fchmod", "O_NONBLOCK", "O_NOFOLLOW"),
)  # fmt: skip

_ASKING = (
    *("necroangle.memory", "necroangle.dicom.worker", "necroangle.dicom.archive"),
    "necroangle.ledger.store",
)
"""Modules that ask on which system they are."""

_open, _fsync, _replace, _rename = os.open, os.fsync, os.replace, os.rename
_unlink, _stat, _io_open, _readlink, _listdir = os.unlink, os.stat, io.open, os.readlink, os.listdir


def impose(below: Path) -> None:
    """From now on this process has the rules of Windows and macOS.

    Parameters
    ----------
    below
        The folder in which files are as on those systems; Python's own files stay as they are.
    """
    import psutil  # noqa: F401  of Linux here: it asks for what is taken away

    rules = _Rules(str(below.resolve()))
    os.fsync = rules.fsync  # type: ignore[assignment]
    os.open = rules.opened(_open)
    io.open = builtins.open = rules.opened(_io_open)
    os.stat = rules.found(_stat)
    os.replace = rules.renamed(_replace, over=True)
    os.rename = rules.renamed(_rename, over=False)
    os.unlink = os.remove = rules.unlink
    for name in _POSIX_ALONE:
        if hasattr(os, name):
            delattr(os, name)
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


def _refuse(number: int, path: Any) -> OSError:
    codes = {_NO_PATH: errno.ENOENT, _THERE: errno.EEXIST}
    error = OSError(codes.get(number, errno.EACCES), "refused as Windows does", str(path))
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
    return error


class _Rules:
    def __init__(self, below: str) -> None:
        self._below = below

    def _is_meant(self, path: Any) -> bool:
        if not isinstance(path, str | os.PathLike):
            return False
        return os.path.abspath(os.fspath(path)).startswith(self._below)

    def _same(self, path: Any) -> Any:
        """The path under the name that lies there, if one differs by case or accents alone."""
        whole = os.path.abspath(os.fspath(path))
        if len(whole) > MOST_PATH:
            raise _refuse(_NO_PATH, path)
        folder, name = os.path.split(whole)
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

    def fsync(self, descriptor: int) -> None:
        flags = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii").split()[3]
        if int(flags, 8) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "flushed by a handle that may only read")
        _fsync(descriptor)

    def opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def opened(path: Any, *arguments: Any, **options: Any) -> Any:
            if self._is_meant(path):
                path = self._same(path)
                if call is _open and os.path.isdir(path):
                    raise _refuse(_DENIED, path)
            return call(path, *arguments, **options)

        return opened

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
                self._refuse_open(source)
                if os.path.exists(target):
                    if not over:
                        raise _refuse(_THERE, target)
                    self._refuse_open(target)
                    self._refuse_read_only(target)
            return call(source, target, **options)

        return renamed

    def unlink(self, path: Any, **options: Any) -> None:
        if options.get("dir_fd") is None and self._is_meant(path):
            path = self._same(path)
            self._refuse_open(path)
            if os.path.exists(path):
                self._refuse_read_only(path)
        _unlink(path, **options)

    def _refuse_open(self, path: Any) -> None:
        whole = os.path.abspath(os.fspath(path))
        for held in _held():
            if held == whole or held.startswith(whole + os.sep):
                raise _refuse(_IN_USE, path)

    def _refuse_read_only(self, path: Any) -> None:
        if not _stat(path).st_mode & stat.S_IWUSR:
            raise _refuse(_DENIED, path)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _held() -> list[str]:
    """What this process has open."""
    found = []
    for number in _listdir("/proc/self/fd"):
        try:
            found.append(_readlink(f"/proc/self/fd/{number}"))
        except OSError:
            continue
    return found
