"""The cohort table in a database: one SQLite file by default, through SQLAlchemy Core."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from necroangle.cohort.columns import COLUMNS, KEY, NAMES, Column
from necroangle.cohort.engine import open_engine, writing
from necroangle.cohort.row import CohortRow, RowKey
from necroangle.errors import CohortError

__all__ = ["SCHEMA_VERSION", "Changes", "CohortStore"]

SCHEMA_VERSION = 1
"""Version of the table's columns; a file of a newer one is refused."""

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "whole": sa.Integer(),
    "real": sa.Double(),
}
_SUBJECTS_AT_ONCE = 500

_METADATA = sa.MetaData()


def _sql_column(column: Column) -> sa.Column[Any]:
    is_key_text = column.need == "key" and column.kind == "text"
    return sa.Column(
        column.name,
        sa.String(64) if is_key_text else _TYPES[column.kind],
        primary_key=column.need == "key",
        nullable=column.need == "maybe",
        autoincrement=False,
    )


_META = sa.Table(
    "necroangle_meta",
    _METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(64), nullable=False),
)
_ROWS = sa.Table("cohort", _METADATA, *map(_sql_column, COLUMNS))


@dataclass(frozen=True, slots=True)
class Changes:
    """What an upsert did, in numbers of rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class CohortStore:
    """A cohort table that is kept.

    Build it with :meth:`open`. No connection stays open between two calls.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> CohortStore.open(folder / "cohort.sqlite").rows()
    ()
    >>> CohortStore.open(folder / "other.sqlite", create=False)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: ...other.sqlite: there is no cohort table; ...
    """

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    @classmethod
    def open(cls, place: Path | str, *, create: bool = True) -> "CohortStore":
        """Open a cohort table.

        Parameters
        ----------
        place
            A file, or an SQLAlchemy URL (``postgresql+psycopg://...``).
        create
            Whether to make the table where there is none.

        Raises
        ------
        CohortError
            If there is none and none is to be made, the file is no SQLite database or another
            program's, its folder is missing, or it was written by a newer necroangle.
        """
        engine, name = open_engine(place, create=create)
        store = cls(engine, name)
        with store._told():
            if not store._is_ready():
                store._create(create)
        return store

    def upsert(self, rows: Iterable[CohortRow]) -> Changes:
        """Put rows in the table, all or none, in one transaction.

        A row that stands there already, equal in every value, is not written: where nothing
        changes, the file does not change.

        Raises
        ------
        CohortError
            If two of the rows have one key, or the database refuses.
        """
        new = _by_key(rows)
        with self._told(), writing(self._engine).begin() as connection:
            old = _rows_of(connection, {key.subject for key in new})
            inserted = [row for key, row in new.items() if key not in old]
            updated = [row for key, row in new.items() if key in old and old[key] != row]
            if inserted:
                connection.execute(_ROWS.insert(), [dict(row) for row in inserted])
            if updated:
                connection.execute(_UPDATE, [_with_key(row) for row in updated])
        return Changes(len(inserted), len(updated), len(new) - len(inserted) - len(updated))

    def rows(self) -> tuple[CohortRow, ...]:
        """Every row, ordered by key.

        Raises
        ------
        CohortError
            If the database cannot be read, or a value in it is not what its column allows.
        """
        with self._told(), self._engine.begin() as connection:
            found = [CohortRow(tuple(cells)) for cells in connection.execute(_SELECT)]
        return tuple(sorted(found, key=lambda row: row.key))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say the table's name in every refusal; never a statement or its values."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or type(error).__name__
            raise CohortError(f"{self._name}: {reason}") from error
        except CohortError as error:
            raise CohortError(f"{self._name}: {error}") from error

    def _is_ready(self) -> bool:
        """Whether the table is there, in the version and columns that this program knows."""
        with self._engine.begin() as connection:
            inspector = sa.inspect(connection)
            if not inspector.has_table(_META.name):
                return False
            found = connection.scalar(sa.select(_META.c.value).where(_META.c.name == "schema"))
            if found != str(SCHEMA_VERSION):
                raise CohortError(
                    f"its table has version {found}, this necroangle knows {SCHEMA_VERSION}; "
                    "update necroangle, or choose another file"
                )
            columns = {column["name"] for column in inspector.get_columns(_ROWS.name)}
        if columns != set(NAMES):
            raise CohortError(
                "its columns are not those that this necroangle writes; measure the readings into "
                "a new file"
            )
        return True

    def _create(self, create: bool) -> None:
        if not create:
            raise CohortError("there is no cohort table; run `necroangle measure` first")
        with writing(self._engine).begin() as connection:
            names = sa.inspect(connection).get_table_names()
            if _META.name in names:  # another program made it in between
                return
            if names and connection.dialect.name == "sqlite":
                raise CohortError("a database of another program; choose another file")
            _METADATA.create_all(connection)
            connection.execute(_META.insert(), {"name": "schema", "value": str(SCHEMA_VERSION)})


_SELECT = sa.select(*(_ROWS.c[name] for name in NAMES))
_UPDATE = _ROWS.update().where(
    sa.and_(*(_ROWS.c[name] == sa.bindparam(f"key_{name}") for name in KEY))
)


def _by_key(rows: Iterable[CohortRow]) -> dict[RowKey, CohortRow]:
    found: dict[RowKey, CohortRow] = {}
    for row in rows:
        if row.key in found:
            raise CohortError(f"two rows for one key: {row.key}")
        found[row.key] = row
    return found


def _rows_of(connection: sa.Connection, subjects: Iterable[str]) -> dict[RowKey, CohortRow]:
    """The rows that stand in the table for some subjects."""
    wanted = sorted(subjects)
    found = {}
    for start in range(0, len(wanted), _SUBJECTS_AT_ONCE):
        some = wanted[start : start + _SUBJECTS_AT_ONCE]
        for cells in connection.execute(_SELECT.where(_ROWS.c.subject.in_(some))):
            row = CohortRow(tuple(cells))
            found[row.key] = row
    return found


def _with_key(row: CohortRow) -> dict[str, object]:
    return {**row, **{f"key_{name}": row[name] for name in KEY}}
