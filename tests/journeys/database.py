"""The tests' own database, for processes of ours that a test starts."""

from __future__ import annotations

from django.db import connection
from psycopg.conninfo import make_conninfo


def address() -> str:
    """Its address, as DATABASE_URL takes it."""
    known = connection.get_connection_params()
    facts = {name: known.get(name) for name in ("dbname", "user", "password", "host", "port")}
    return make_conninfo(**{name: value for name, value in facts.items() if value})


def deadlocks() -> int:
    """How many deadlocks PostgreSQL has broken up in it so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
