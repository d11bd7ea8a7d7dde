"""One writer of master data at a time: each compares with rows the other would be changing."""

from django.db import connection

_LOCK = 0xBA5E


def one_at_a_time() -> None:
    """Wait until no other transaction writes master data; held to the end of the caller's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
