"""Browser sessions in the database (SESSION_ENGINE)."""

from django.contrib.sessions.backends import db
from django.db import connection

from hospital.kernel import clock

_LOAD = """
    SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(db.SessionStore):
    """Django's own, read by a statement written out: every page begins with it, and building it
    from objects anew took ten times as long as asking it."""

    def load(self) -> dict[str, object]:
        """What the session holds; {}, and no key any more, for one unknown or run out."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, clock.now()])
            row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return dict(self.decode(row[0]))
