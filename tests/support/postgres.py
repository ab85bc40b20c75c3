"""A private PostgreSQL server for the tests, started where its programs are installed.

``initdb`` into a temporary folder, a Unix socket in it and no network port, stopped at the end.
As root, which PostgreSQL refuses to run as, it is run as ``nobody``. The programs are looked for
on the PATH and in ``/usr/lib/postgresql/*/bin``, where Debian's package ``postgresql`` puts them.
"""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest

__all__ = ["find_programs", "fresh_database", "new_place", "running_server"]

_NUMBERS = count(1)
_SETTINGS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=32MB"


def find_programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``, the newest one; None where none can be run."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).parent if _can_run(Path(on_path)) else None
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if _can_run(path)]
    newest = max(found, key=lambda path: float(path.parents[1].name), default=None)
    return None if newest is None else newest.parent


@contextmanager
def running_server(programs: Path, *, settings: str = _SETTINGS) -> Iterator[Path]:
    """A server while the block runs; the folder of its socket.

    Parameters
    ----------
    settings
        By default without fsync, for tests of behaviour; pass ``"-c listen_addresses=''"`` where
        the disk must be obeyed.
    """
    folder = Path(tempfile.mkdtemp(prefix="necroangle-pg-"))
    run = _runner(folder)
    data, socket = folder / "data", folder / "socket"
    try:
        run(programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "-N")
        run("mkdir", socket)
        options = f"-k {socket} {settings}"
        run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield socket
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(socket: Path, name: str) -> str:
    """Make an empty database on the server; its URL."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(host=str(socket), user="tester", dbname="postgres", autocommit=True) as c:
        c.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"postgresql+psycopg://tester@/{name}?host={socket}"


def new_place(kind: str, folder: Path) -> Path | str:
    """Where a new cohort can be made: a file in a folder, or a database on the tests' own server.

    Parameters
    ----------
    kind
        ``"sqlite"`` or ``"postgresql"``; the test is skipped where that is not installed.
    """
    if kind == "sqlite":
        return folder / f"cohort{next(_NUMBERS)}.sqlite"
    pytest.importorskip("psycopg")
    return fresh_database(_shared_server(), f"cohort{next(_NUMBERS)}")


@cache
def _shared_server() -> Path:
    """The socket's folder of the one server of this run of the tests, stopped at its end."""
    programs = find_programs()
    if programs is None:
        pytest.skip(
            "PostgreSQL is not installed (Debian package postgresql), or root's folders are closed "
            "to the user that it is run as"
        )
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running_server(programs))


def _user() -> str | None:
    """Who runs the server: PostgreSQL refuses root."""
    return "nobody" if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _can_run(program: Path) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"], user=_user(), cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _runner(folder: Path) -> Callable[..., None]:
    """A function that runs a program as a user that PostgreSQL accepts."""
    user = _user()
    if user is not None:
        import pwd  # POSIX

        nobody = pwd.getpwnam(user)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def run(*command: object) -> None:
        done = subprocess.run(
            [str(part) for part in command],
            user=user,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")

    return run
