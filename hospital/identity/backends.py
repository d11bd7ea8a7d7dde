"""Django's session code asks here who a session's account is."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend

from hospital.identity import queries
from hospital.identity.models import StaffAccount

PATH = "hospital.identity.backends.StaffBackend"


class StaffBackend(BaseBackend):
    """Knows accounts by id only: passwords are checked by the log-in's own actions."""

    def get_user(self, user_id: int) -> StaffAccount | None:
        """Return the account with its open log-ins; None once it is switched off."""
        return queries.account_at_work(account_id=user_id)
