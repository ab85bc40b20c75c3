"""An older table brought to the present version: in one transaction, after a backup.

The scripts lie in ``migrations/versions`` and are run by alembic, which is imported only when
there is something to do.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.schema import ALEMBIC, META, REVISION, SCHEMA_VERSION

__all__ = ["backup_file", "found_version", "migrate"]

_SCRIPTS = Path(__file__).parent / "migrations"
_FIRST = "v0001"
"""The version from before there were migrations: its tables do not say so themselves."""


def found_version(connection: sa.Connection) -> str | None:
    """The version that a database says it has; None where there is no cohort table."""
    if not sa.inspect(connection).has_table(META.name):
        return None
    return str(connection.scalar(sa.select(META.c.value).where(META.c.name == "schema")))


def migrate(connection: sa.Connection, file: Path | None, *, dumped: bool) -> None:
    """Bring the table to the present version, within the caller's transaction.

    Parameters
    ----------
    connection
        In a transaction that holds the write lock.
    file
        The SQLite file, which is copied beside itself first; None on a database server.
    dumped
        Whether the caller has made a dump of the server's database.

    Raises
    ------
    CohortError
        If the version is newer than this program, or a server's database has not been dumped.
    """
    found = found_version(connection)
    if found == str(SCHEMA_VERSION):  # another program has done it in between
        return
    if found is None or not found.isdigit() or int(found) > SCHEMA_VERSION:
        raise CohortError(
            f"its table has version {found}, this necroangle knows {SCHEMA_VERSION}; "
            "update necroangle, or choose another file"
        )
    if file is not None:
        backup_file(file)
    elif not dumped:
        raise CohortError(
            f"its table has version {found} and must be brought to {SCHEMA_VERSION}: make a dump "
            "first (pg_dump), then run `necroangle verify --cohort URL --migrate`"
        )
    _run(connection)


def backup_file(file: Path) -> Path:
    """Copy an SQLite file beside itself, whole, though others may be reading it.

    Returns
    -------
    Path
        ``cohort.sqlite.before-v0002.bak``; with a number where such a file is there already.

    Raises
    ------
    CohortError
        If it cannot be written.
    """
    copy = next(name for name in _names(file) if not name.exists())
    part = copy.with_name(f".{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(part)) as target,
        ):
            source.backup(target)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise CohortError(
            f"no backup could be written beside it ({error}), so it was left as it is"
        ) from error
    return copy


def _names(file: Path) -> Iterable[Path]:
    stem = f"{file.name}.before-{REVISION}"
    yield file.with_name(f"{stem}.bak")
    for number in range(2, 1000):
        yield file.with_name(f"{stem}.{number}.bak")


def _run(connection: sa.Connection) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationStep
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_SCRIPTS))
    if not sa.inspect(connection).has_table(ALEMBIC.name):
        ALEMBIC.create(connection)
        connection.execute(ALEMBIC.insert(), {"version_num": _FIRST})

    def steps(found: Any, _context: Any) -> list[Any]:
        newest_first = scripts.iterate_revisions(REVISION, found)
        return [
            MigrationStep.upgrade_from_script(scripts.revision_map, script)
            for script in reversed(list(newest_first))
        ]

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection=connection, transactional_ddl=True, version_table=ALEMBIC.name
        )
        environment.run_migrations()
