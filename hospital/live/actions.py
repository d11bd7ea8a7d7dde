"""Publishing a hint: a NOTIFY in the caller's transaction, delivered only if it commits."""

from django.db import connection

CHANNEL = "xinglin_live"
#: A topic that begins so is hinted at once, when it is over: streams that listen to it end with it.
UNTIL = "until:"


def publish(*topics: str) -> None:
    """Hint that these topics ("bill:12") changed. Topics are ids, never personal data."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, topic) FROM unnest(%s::text[]) topic", [CHANNEL, list(topics)]
        )
