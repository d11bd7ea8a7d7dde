"""The tests' databases: emptied between tests, made quick, and made once for all workers.

Nothing here loosens what a test can see of the database; only what a lost machine would cost.
"""

from __future__ import annotations

import functools
import os

import psycopg
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql
from psycopg.rows import TupleRow

# One run of pytest, all its workers together.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
TABLES = f"tables_{RUN}"
_used: set[str] = set()

#: For one transaction every trigger made by pgtrigger keeps still; its own `ignore` sends two
#: statements as one, which a prepared one cannot be.
_LOOK_AWAY = "SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true) FROM pg_trigger"
#: Written by Django when the tables are made; no test changes them.
_LASTING = {"django_migrations", "django_content_type", "auth_permission"}
#: A crash of the machine may take what was written last; the tests are lost then anyway.
_UNHURRIED = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")


def empty_quickly() -> None:
    """Let Django empty the database after a test that commits by `empty`: its own way truncates a
    hundred tables and writes every permission anew, which takes longer than many a test."""
    TransactionTestCase._fixture_teardown = lambda case: empty()  # type: ignore[attr-defined]


def empty() -> None:
    """No rows are left. Triggers that keep the books from being emptied look away."""
    with connection.cursor() as cursor:
        cursor.execute(_filled())
        tables = [name for (name,) in cursor.fetchall()]
    deletes = [f"DELETE FROM {connection.ops.quote_name(name)}" for name in tables]
    if deletes:
        connection.ops.execute_sql_flush([_LOOK_AWAY, "SET CONSTRAINTS ALL DEFERRED", *deletes])


@functools.cache
def _filled() -> str:
    """Asks which tables have rows."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = [
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(name)})"
        for name in names
        if name not in _LASTING
    ]
    return " UNION ALL ".join(asked)


def make_quick() -> None:
    """Nobody waits for the disk in this database. Whoever connects anew finds it so."""
    with connection.cursor() as cursor:
        name = sql.Identifier(str(connection.settings_dict["NAME"]))
        cursor.execute(_UNHURRIED.format(name))
    connection.close()


def tables() -> str:
    """A database with every table and no rows, to copy: whoever asks first makes it, the other
    workers of this run wait. Making the tables takes ten seconds, a copy less than one."""
    _used.add(TABLES)
    with server() as connected:
        connected.execute("SELECT pg_advisory_lock(hashtext(%s))", [TABLES])
        if not exists(connected, TABLES):
            create(connected, TABLES, template="template0")
            try:
                _migrate(TABLES)
            except BaseException:
                drop(TABLES)
                raise
    return TABLES


def drop_tables() -> None:
    """The end of it, where this process has used it."""
    if _used:
        drop(TABLES)


def _migrate(name: str) -> None:
    here = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = here


def server() -> psycopg.Connection[TupleRow]:
    """The server of all databases of the tests."""
    return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)


def exists(connected: psycopg.Connection[TupleRow], name: str) -> bool:
    found = connected.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return found.fetchone() is not None


def create(connected: psycopg.Connection[TupleRow], name: str, *, template: str) -> None:
    """A database of this run that nobody waits for the disk for."""
    made, copied = sql.Identifier(name), sql.Identifier(template)
    connected.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, copied))
    connected.execute(_UNHURRIED.format(made))


def drop(*names: str) -> None:
    with server() as connected:
        for name in names:
            command = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connected.execute(command.format(sql.Identifier(name)))
