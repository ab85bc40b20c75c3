"""Tables, indexes and guards, held by their text against those that this necroangle makes.

A guard of the same name that does nothing, a view in the place of a table, an index that is gone: a
name would not tell. In a file the texts are those of SQLite's own catalogue, and a new table in
memory is what they are held against. On a server they are put together from its catalogue.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from necroangle.ledger.roles import OUR_TABLES, check_rights, policies, role_functions
from necroangle.ledger.schema import (
    ALEMBIC,
    CONTENT,
    LEDGER,
    META,
    ROWS,
    TAIL,
    create_tables,
    server_functions,
    server_looks,
    server_path,
    server_triggers,
)

_CATALOGUE = (
    "SELECT CASE type WHEN 'trigger' THEN 'guard' ELSE type END || ' ' || name, "
    "coalesce(sql, '') FROM sqlite_master WHERE NOT (name LIKE 'sqlite\\_stat_' ESCAPE '\\' "
    "AND type = 'table')"
)
_LITERAL = re.compile(r"('(?:[^']|'')*')")
_UNUSED_PRAGMAS = ("user_version", "application_id")
_TABLES = (ALEMBIC, CONTENT, LEDGER, META, ROWS, TAIL)
_SERVER_TYPES = {
    "VARCHAR(": "character varying(",
    "TEXT": "text",
    "INTEGER": "integer",
    "DOUBLE PRECISION": "double precision",
    "BYTEA": "bytea",
}

_COLUMNS = """
SELECT 'table ' || c.relname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
 || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
 || CASE WHEN a.attcollation = y.typcollation THEN '' ELSE ' ' || l.collname END
 || CASE WHEN a.atthasdef OR a.attgenerated <> '' OR a.attidentity <> '' THEN ' computed' ELSE ''
 END, ', ' ORDER BY a.attnum) || CASE WHEN c.relkind = 'r' THEN '' ELSE ' (no table)' END
 || CASE WHEN c.relpersistence = 'p' THEN '' ELSE ' (not kept after a crash)' END
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE {ours} GROUP BY c.relname, c.relkind, c.relpersistence"""
_INDEXES = """
SELECT 'index ' || i.relname, CASE WHEN x.indisvalid THEN '' ELSE 'invalid ' END
 || replace(pg_get_indexdef(x.indexrelid), current_schema() || '.', '')
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE {ours}"""
_TRIGGERS = """
SELECT 'guard ' || t.tgname, replace(pg_get_triggerdef(t.oid), current_schema() || '.', '')
 || CASE t.tgenabled WHEN 'A' THEN '' WHEN 'D' THEN ' (off)' ELSE ' (not always on)' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND {ours}"""
_FUNCTIONS = """
SELECT 'function ' || p.proname, p.prosrc || CASE WHEN l.lanname = 'plpgsql' THEN '' ELSE ' in '
 || l.lanname END || CASE WHEN p.proisstrict THEN ' strict' ELSE '' END
 || CASE WHEN p.prosecdef THEN ' by its owner' ELSE '' END
 || coalesce(' set ' || array_to_string(p.proconfig, ' '), '')
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'necroangle\\_%'"""
_RULES = """
SELECT 'rule ' || r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class WHERE {ours} AND c.relkind = 'r'"""
_CONSTRAINTS = """
SELECT 'constraint ' || k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid WHERE {ours}
 AND (k.contype NOT IN ('p', 'u', 'n') OR k.condeferrable)"""
_HEIRS = """
SELECT 'heir ' || h.inhrelid::regclass, c.relname FROM pg_inherits h
JOIN pg_class c ON c.oid = h.inhparent WHERE {ours}"""
_REPLICA = """
SELECT 'setting session_replication_role', s FROM pg_db_role_setting, unnest(setconfig) s
WHERE s LIKE 'session\\_replication\\_role=%' AND s NOT LIKE '%=origin'"""


_POLICIES = """
SELECT 'policy ' || p.polname, c.relname || ' ' || CASE p.polcmd WHEN 'r' THEN 'SELECT'
 WHEN 'a' THEN 'INSERT' WHEN '*' THEN 'ALL' ELSE p.polcmd::text END
 || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
 || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
 || CASE WHEN p.polpermissive AND p.polroles = ARRAY[0]::oid[] THEN '' ELSE ' (not for all)' END
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE {ours}"""
_SECURED = """
SELECT 'row security ' || c.relname, CASE WHEN c.relforcerowsecurity THEN 'forced' ELSE 'on' END
FROM pg_class c WHERE c.relrowsecurity AND {ours}"""


def check_shape(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """What differs from a new cohort's tables: its kind and name, and what is wrong with it."""
    if connection.dialect.name == "postgresql":
        found, path = _found_on_server(connection), server_path(connection)
        names = {name for name, _ in found}
        has_roles = any(name.startswith(("policy", "row security")) for name in names)
        has_roles = has_roles or any(f"function {name}" in names for name in role_functions())
        yield from _compared(found, _on_server(path) | (_of_roles(path) if has_roles else {}))
        yield from check_rights(connection, has_roles=has_roles)
        return
    found_in_file = [(name, _plain(text)) for name, text in connection.exec_driver_sql(_CATALOGUE)]
    yield from _compared(found_in_file, _in_file())
    for pragma in _UNUSED_PRAGMAS:
        value = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
        if value:
            yield f"pragma {pragma}", f"is {value}: another program has set it"


def _compared(
    found: Iterable[tuple[str, str]], wanted: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    texts: dict[str, list[str]] = {}
    for name, text in found:  # a server takes one name twice: on two tables, with other arguments
        texts.setdefault(name, []).append(text)
    for name in sorted(texts.keys() | wanted.keys()):
        if name not in texts:
            yield name, "is missing: the ledger could be changed" if _guards(name) else "is missing"
        elif name not in wanted:
            yield name, "is not of this program: added from outside"
        elif texts[name] != [wanted[name]]:
            yield name, "is not as this program makes it: changed from outside"


def _guards(name: str) -> bool:
    return name.startswith(("guard", "function"))


def _plain(text: str) -> str:
    r"""A statement of SQLite's catalogue, whatever its white space, case and quotes of names.

    Examples
    --------
    >>> _plain("CREATE  TABLE A (x DEFAULT ' B ')")
    "createtablea(xdefault' B ')"
    """
    return "".join(
        part if part.startswith("'") else "".join(part.split()).lower().replace('"', "")
        for part in _LITERAL.split(text)
    )


@cache
def _in_file() -> dict[str, str]:
    engine = sa.create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(":memory:"), poolclass=StaticPool
    )
    with engine.begin() as connection:
        create_tables(connection)
        found = connection.exec_driver_sql(_CATALOGUE).all()
    engine.dispose()
    return {name: _plain(text) for name, text in found}


def _of_roles(path: str) -> dict[str, str]:
    wanted = {
        f"function {name}": f"{body} set search_path={path}"
        for name, (_, body) in role_functions().items()
    }
    for name, (table, what, rule) in policies().items():
        wanted[f"policy {name}"] = f"{table} {what} {rule}"
        wanted[f"row security {table}"] = "on"
    return wanted


def _on_server(path: str) -> dict[str, str]:
    definer = f" by its owner set search_path={path}"
    wanted = {f"function {name}": body + definer for name, body in server_functions().items()}
    wanted |= {f"function {name}": body + definer for name, (*_, body) in server_looks().items()}
    wanted |= {f"guard {name}": text for name, text in server_triggers().items()}
    for table in _TABLES:
        wanted[f"table {table.name}"] = ", ".join(map(_column, table.columns))
        wanted |= dict(_indexes(table))
    return wanted


def _column(column: "sa.Column[object]") -> str:
    from sqlalchemy.dialects import postgresql

    compiled = column.type.compile(postgresql.dialect())  # type: ignore[no-untyped-call]
    text, _, collation = compiled.partition(" COLLATE ")
    kind = next(
        theirs + text.removeprefix(ours)
        for ours, theirs in _SERVER_TYPES.items()
        if text.startswith(ours)
    )
    own = f" {collation.strip(chr(34))}" if collation else ""
    return f"{column.name} {kind}{'' if column.nullable else ' not null'}{own}"


def _indexes(table: sa.Table) -> Iterator[tuple[str, str]]:
    unique = {f"{table.name}_{one.name}_key": [one.name] for one in table.columns if one.unique}
    key = {str(table.primary_key.name or f"{table.name}_pkey"): [*table.primary_key.columns.keys()]}
    for name, columns in {**key, **unique}.items():
        names = ", ".join(columns)
        yield (
            f"index {name}",
            f"CREATE UNIQUE INDEX {name} ON {table.name} USING btree ({names})",
        )
    for index in table.indexes:
        names = ", ".join(column.name for column in index.columns)
        yield (
            f"index {index.name}",
            f"CREATE INDEX {index.name} ON {table.name} USING btree ({names})",
        )


def _found_on_server(connection: sa.Connection) -> list[tuple[str, str]]:
    queries = (
        _POLICIES,
        _SECURED,
        _COLUMNS,
        _INDEXES,
        _TRIGGERS,
        _FUNCTIONS,
        _RULES,
        _CONSTRAINTS,
        _HEIRS,
        _REPLICA,
    )
    return [
        (str(name), str(text))
        for query in queries
        for name, text in connection.execute(sa.text(query.replace("{ours}", OUR_TABLES)))
    ]
