"""Counting tries to log in."""

from __future__ import annotations

import datetime as dt

from hospital.identity.models import LoginAttempt
from hospital.identity.states import AttemptOutcome


def login_failures(*, since: dt.datetime, username: str = "", address: str = "") -> int:
    """Count failed log-ins since a moment, of a user name or from an address.

    A success of the user name wipes its earlier failures, and so does somebody who unlocks it.
    """
    rows = LoginAttempt.objects.filter(at__gt=since)
    if address:
        return rows.filter(address=address, outcome=AttemptOutcome.FAILED).count()
    rows = rows.filter(username=username)
    wiping = (AttemptOutcome.SUCCEEDED, AttemptOutcome.UNLOCKED)
    success = rows.filter(outcome__in=wiping).order_by("-pk").first()
    if success is not None:
        rows = rows.filter(pk__gt=success.pk)
    return rows.filter(outcome=AttemptOutcome.FAILED).count()
