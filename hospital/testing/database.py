"""The tests' databases: emptied between tests, and made quick.

Nothing here loosens what a test can see of the database; only what a lost machine would cost.
"""

from __future__ import annotations

import functools

import pgtrigger
from django.db import connection
from django.test import TransactionTestCase
from psycopg import sql


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
        later = "SET CONSTRAINTS ALL DEFERRED"
        pgtrigger.ignore()(connection.ops.execute_sql_flush)([later, *deletes])


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
