"""Roles on a PostgreSQL server: what each may see and write is the server's to refuse.

Three groups of the database: readers write and see their own readings alone, coordinators all but
the guards, statisticians read, and treatments are hidden from them. Who is in a group is a user of
the server; a reader's user has the name that stands in the readings.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.schema import ALEMBIC, CONTENT, LEDGER, META, ROWS, TAIL, server_path

ROLES = ("reader", "coordinator", "statistician")
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_MEMBER = "pg_has_role(session_user, current_database() || '_{role}', 'MEMBER')"
_OWN = "kind IN ('measurement', 'reading_file') AND key <> '' AND key::jsonb ->> 3 = session_user"
_OPEN_TO_READERS = "'columns', 'enrolled', 'study_list', 'withdrawn_reading', 'lock'"

_TABLES = (META, ALEMBIC, TAIL, ROWS, LEDGER, CONTENT)
OUR_TABLES = """c.relnamespace = current_schema()::regnamespace AND c.relname IN (
{names})""".format(names=", ".join(f"'{table.name}'" for table in _TABLES))
_GRANTED = f"""
SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END,
 g.privilege_type || g.of_column, g.relname FROM (
 SELECT c.relname, c.relowner, '' AS of_column, (aclexplode(c.relacl)).* FROM pg_class c
 WHERE {OUR_TABLES} UNION ALL
 SELECT c.relname, c.relowner, ' (' || a.attname || ')', (aclexplode(a.attacl)).*
 FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE {OUR_TABLES}) g
WHERE g.grantee <> g.relowner"""  # noqa: S608 - own names
_OWNERS = f"""
SELECT 'table ' || c.relname, pg_get_userbyid(c.relowner) FROM pg_class c WHERE {OUR_TABLES}
UNION ALL SELECT 'function ' || p.proname, pg_get_userbyid(p.proowner) FROM pg_proc p
WHERE p.pronamespace = current_schema()::regnamespace AND p.proname LIKE 'necroangle\\_%'"""  # noqa: S608
_OPEN_SCHEMA = """
SELECT 1 FROM pg_namespace n, aclexplode(n.nspacl) g
WHERE n.oid = current_schema()::regnamespace AND g.grantee = 0 AND g.privilege_type = 'CREATE'"""
_PASSING_BY = """
SELECT DISTINCT r.rolname FROM pg_roles r JOIN pg_roles g ON pg_has_role(r.oid, g.oid, 'MEMBER')
WHERE g.rolname = ANY(:groups) AND r.rolbypassrls AND NOT r.rolsuper"""
"""Row security does not hold for users with ``BYPASSRLS``."""


def check_rights(connection: sa.Connection, *, has_roles: bool) -> Iterator[tuple[str, str]]:
    """Rights and owners on a server that loosen what guards and roles hold: the place, the problem.

    Where there are no roles, the owner may give rights to users by hand, but not to everybody.
    """
    owners = [(str(place), str(owner)) for place, owner in connection.execute(sa.text(_OWNERS))]
    usual = Counter(owner for _, owner in owners).most_common(1)
    for place, owner in owners:
        if owner != usual[0][0]:
            yield place, f"belongs to {owner}, all else to {usual[0][0]}: changed from outside"
    groups = _groups(connection)
    wanted = {(groups[role], right, name) for role, right, name in _single_grants()}
    for grantee, right, name in connection.execute(sa.text(_GRANTED)):
        if (grantee == "PUBLIC" or has_roles) and (grantee, right, name) not in wanted:
            yield f"right {right} on {name}", f"was given to {grantee}: revoke it"
    if not has_roles:
        return
    if connection.execute(sa.text(_OPEN_SCHEMA)).scalar():
        yield "right CREATE on the schema", "was given to everybody: revoke it"
    query = sa.text(_PASSING_BY)
    for name in connection.execute(query, {"groups": list(groups.values())}).scalars():
        yield f"user {name}", "passes by row security (BYPASSRLS): take that away"


def _groups(connection: sa.Connection) -> dict[str, str]:
    database = str(connection.exec_driver_sql("SELECT current_database()").scalar())
    return {role: f"{database}_{role}" for role in ROLES}


def _single_grants() -> Iterator[tuple[str, str, str]]:
    """The same as :func:`_grants`, one right and one column at a time."""
    for role, rights, name in _grants():
        kind, _, columns = rights.partition(" (")
        for right in kind.split(", "):
            for column in columns.rstrip(")").split(", "):
                yield role, f"{right} ({column})" if column else right, name


def role_functions() -> dict[str, tuple[str, str]]:
    """The functions that row security asks, by name: their arguments and bodies."""
    coordinator, statistician, reader = (
        _MEMBER.format(role=role) for role in ("coordinator", "statistician", "reader")
    )
    return {
        "necroangle_sees": (
            "kind text, key text",
            f" BEGIN RETURN CASE WHEN {coordinator} THEN true\n"
            f" WHEN {statistician} THEN kind <> 'treatment'\n"
            f" WHEN {reader} THEN kind IN ({_OPEN_TO_READERS}) OR ({_OWN}) ELSE false END; END ",
        ),
        "necroangle_writes": (
            "kind text, key text",
            f" BEGIN RETURN CASE WHEN {coordinator} THEN true WHEN {statistician} THEN false\n"
            f" WHEN {reader} THEN kind = 'columns' OR ({_OWN}) ELSE false END; END ",
        ),
        "necroangle_row": (
            "reader text",
            f" BEGIN RETURN CASE WHEN {coordinator} OR {statistician} THEN true\n"
            f" WHEN {reader} THEN reader = session_user ELSE false END; END ",
        ),
    }


def policies() -> dict[str, tuple[str, str, str]]:
    """Row security by name: the table, for what, and the rule as the server writes it."""
    sees, writes = (f"necroangle_{name}((kind)::text, key)" for name in ("sees", "writes"))
    row = "necroangle_row((reader)::text)"
    return {
        "ledger_seen": (LEDGER.name, "SELECT", f"USING ({sees})"),
        "ledger_written": (LEDGER.name, "INSERT", f"WITH CHECK ({writes})"),
        "cohort_own": (ROWS.name, "ALL", f"USING ({row}) WITH CHECK ({row})"),
    }


def _grants() -> Iterator[tuple[str, str, str]]:
    """Role, what is granted, and on which table."""
    for role in ROLES:
        for table in (META, ALEMBIC, TAIL, ROWS, LEDGER):
            yield role, "SELECT", table.name
    for role in ("reader", "coordinator"):
        yield role, "INSERT", LEDGER.name
        yield role, "INSERT", CONTENT.name
        yield role, "UPDATE (seq, hash)", TAIL.name
        yield role, "INSERT, UPDATE", ROWS.name
    yield "reader", "SELECT (sha256)", CONTENT.name
    yield "coordinator", "SELECT", CONTENT.name
    yield "statistician", "SELECT", CONTENT.name
    yield "coordinator", "DELETE", ROWS.name


def make_roles(connection: sa.Connection, users: Mapping[str, Iterable[str]]) -> list[str]:
    """Make the groups, their rights and row security, and put users in them; the users made.

    What is there already is brought to the same state. Users are made without a password.

    Parameters
    ----------
    connection
        Of the owner of the tables, who may make roles, in a transaction.
    users
        Names of users by role.

    Raises
    ------
    CohortError
        If a name is no user's.
    """
    groups = _groups(connection)
    for group in groups.values():
        _make_role(connection, group, "NOLOGIN")
    for statement in _statements(groups, server_path(connection)):
        connection.exec_driver_sql(statement)
    made = []
    for role, names in users.items():
        for name in names:
            if not _USER.fullmatch(name):
                raise CohortError(f"{name!r:.80} is no name of a user")
            if _make_role(connection, name, "LOGIN"):
                made.append(name)
            connection.exec_driver_sql(f'GRANT "{groups[role]}" TO "{name}"')
    return made


def _make_role(connection: sa.Connection, name: str, kind: str) -> bool:
    query = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name")
    if connection.execute(query, {"name": name}).scalar():
        return False
    quoted = name.replace('"', '""')
    connection.exec_driver_sql(f'CREATE ROLE "{quoted}" {kind}')
    return True


def _statements(groups: Mapping[str, str], path: str) -> Iterator[str]:
    schema = path.split(", ")[0]
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"
    for table in _TABLES:
        everyone = ", ".join(["PUBLIC", *(f'"{group}"' for group in groups.values())])
        yield f"REVOKE ALL ON {table.name} FROM {everyone}"
    for group in groups.values():
        yield f'GRANT USAGE ON SCHEMA {schema} TO "{group}"'
    for role, right, name in _grants():
        yield f'GRANT {right} ON {name} TO "{groups[role]}"'
    for name, (arguments, body) in role_functions().items():
        yield (
            f"CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS boolean LANGUAGE plpgsql "
            f"STABLE SET search_path = {path} AS $${body}$$"
        )
    for name, (of, what, rule) in policies().items():
        yield f"ALTER TABLE {of} ENABLE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS {name} ON {of}"
        yield f"CREATE POLICY {name} ON {of} FOR {what} {rule}"
