"""The database engine of a cohort table, and how SQLite is made to keep its word.

On SQLite every change is one transaction that takes the write lock at its start (``BEGIN
IMMEDIATE``): with the deferred default, two programs at once meet "database is locked". The
rollback journal is used; WAL only where the SQLite library is 3.51.3 or newer (in 3.7.0 to 3.51.2
it can corrupt the file) and the disk is surely local (WAL fails on network shares).
"""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from necroangle.errors import CohortError
from necroangle.ledger.disk import is_local_disk

__all__ = ["file_of", "journal_mode", "open_engine", "writing"]

LOCK_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10

_WAL_IS_SOUND = (3, 51, 3)
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "trusted_schema=OFF",
    "mmap_size=0",
)
_BEGIN = "necroangle_begin"


def open_engine(place: Path | str, *, create: bool) -> tuple[sa.Engine, str]:
    """Engine of a file or URL, and its name for messages: as given, without a password.

    Raises
    ------
    CohortError
        If the file, or the folder to make it in, is missing, or the URL cannot be understood.

    Examples
    --------
    >>> open_engine("mystery://host/cohort", create=True)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: mystery://host/cohort: no such kind of database...
    """
    if isinstance(place, str) and "://" in place:
        return _url_engine(place, create=create)
    return _file_engine(Path(place), create=create), str(place)


def writing(engine: sa.Engine) -> sa.Engine:
    """The same engine, whose transactions take the write lock at their start."""
    return engine.execution_options(**{_BEGIN: "IMMEDIATE"})


def file_of(engine: sa.Engine) -> Path | None:
    """The SQLite file; None on a database server."""
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def journal_mode(path: Path, library: tuple[int, int, int] = sqlite3.sqlite_version_info) -> str:
    """The journal that is safe for a file: ``"WAL"`` or ``"DELETE"``.

    Examples
    --------
    >>> journal_mode(Path("cohort.sqlite"), (3, 40, 1))
    'DELETE'
    """
    return "WAL" if library >= _WAL_IS_SOUND and is_local_disk(path) else "DELETE"


def _url_engine(place: str, *, create: bool) -> tuple[sa.Engine, str]:
    try:
        url = sa.make_url(place)
        name = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            return _file_engine(Path(url.database or "."), create=create), name
        return _server_engine(url, name), name
    except NoSuchModuleError as error:
        raise CohortError(f"{name}: no such kind of database is known") from error
    except ImportError as error:
        raise CohortError(
            f"{name}: its driver is not installed ({error.name}); "
            "pip install 'necroangle[postgresql]'"
        ) from error
    except ArgumentError as error:
        raise CohortError("the database URL cannot be understood") from error


def _server_engine(url: sa.URL, name: str) -> sa.Engine:
    url.get_dialect()
    if url.get_backend_name() != "postgresql":
        raise CohortError(f"{name}: a cohort is kept in an SQLite file or on PostgreSQL")
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_TIMEOUT_S}
    return sa.create_engine(
        url, poolclass=NullPool, connect_args=arguments, isolation_level="READ COMMITTED"
    )


def _file_engine(path: Path, *, create: bool) -> sa.Engine:
    if path.is_dir():
        raise CohortError(f"{path}: a folder; give the name of a file")
    if not path.exists() and not create:
        raise CohortError(f"{path}: there is no cohort table; run `necroangle measure` first")
    if not path.absolute().parent.is_dir():
        raise CohortError(f"{path}: its folder is missing; make it first")
    url = sa.URL.create("sqlite", database=str(path.absolute()))
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_TIMEOUT_S})
    mode = journal_mode(path.absolute())

    def prepare(connection: Any, _record: Any) -> None:
        _prepare_connection(connection, mode)

    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, mode: str) -> None:
    connection.isolation_level = None  # Python then begins no transaction of its own
    cursor = connection.cursor()
    try:
        for pragma in (f"journal_mode={mode}", *_PRAGMAS):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
