"""The database engine of a cohort table, and how SQLite is made to keep its word.

On SQLite every change is one transaction that takes the write lock at its start (``BEGIN
IMMEDIATE``): with the deferred default, two programs at once meet "database is locked". The
rollback journal is used and not WAL, which fails on network shares and, in SQLite 3.7.0 to
3.51.2, can corrupt the file.
"""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from necroangle.errors import CohortError

__all__ = ["open_engine", "writing"]

LOCK_TIMEOUT_S = 30.0

_PRAGMAS = (
    "journal_mode=DELETE",
    "synchronous=FULL",
    "foreign_keys=ON",
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


def _url_engine(place: str, *, create: bool) -> tuple[sa.Engine, str]:
    try:
        url = sa.make_url(place)
        name = url.render_as_string(hide_password=True)
        if url.get_backend_name() == "sqlite":
            return _file_engine(Path(url.database or "."), create=create), name
        return sa.create_engine(url, poolclass=NullPool), name
    except NoSuchModuleError as error:
        raise CohortError(f"{name}: no such kind of database is known") from error
    except ImportError as error:
        raise CohortError(f"{name}: its driver is not installed ({error.name})") from error
    except ArgumentError as error:
        raise CohortError("the database URL cannot be understood") from error


def _file_engine(path: Path, *, create: bool) -> sa.Engine:
    if path.is_dir():
        raise CohortError(f"{path}: a folder; give the name of a file")
    if not path.exists() and not create:
        raise CohortError(f"{path}: there is no cohort table; run `necroangle measure` first")
    if not path.absolute().parent.is_dir():
        raise CohortError(f"{path}: its folder is missing; make it first")
    url = sa.URL.create("sqlite", database=str(path.absolute()))
    engine = sa.create_engine(url, poolclass=NullPool, connect_args={"timeout": LOCK_TIMEOUT_S})
    sa.event.listen(engine, "connect", _prepare_connection)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # Python then begins no transaction of its own
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
