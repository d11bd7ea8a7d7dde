"""Tokens of outside systems that all processes share and exactly one refreshes.

The refresher holds a session advisory lock while it is on the wire, never a transaction; the
others wait for the lock and then find the fresh row.
"""

import contextlib
import datetime as dt
import zlib
from collections.abc import Callable, Iterator

from django.db import connection

from hospital.kernel import clock
from hospital.kernel.models import SharedToken

Fetch = Callable[[], tuple[str, dt.timedelta]]
_MARGIN = dt.timedelta(minutes=5)


def token(name: str, fetch: Fetch, *, refused: str | None = None) -> str:
    """The live token of that name, fetched when it is missing, nearly over, or the one the
    outside system just refused. What `fetch` raises passes through."""
    if known := _usable(name, refused):
        return known
    with _refresher(name):
        if known := _usable(name, refused):
            return known
        value, life = fetch()
        at = clock.now()
        SharedToken.objects.update_or_create(
            name=name, defaults={"value": value, "fetched_at": at, "expires_at": at + life}
        )
        return value


def time_left(name: str) -> dt.timedelta | None:
    """How long until the token of that name runs out; None when there is none."""
    row = SharedToken.objects.filter(name=name).first()
    return row.expires_at - clock.now() if row else None


def _usable(name: str, refused: str | None) -> str | None:
    row = SharedToken.objects.filter(name=name).first()
    if row is None or row.value == refused or row.expires_at - _MARGIN <= clock.now():
        return None
    return row.value


@contextlib.contextmanager
def _refresher(name: str) -> Iterator[None]:
    lock = zlib.crc32(name.encode())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
