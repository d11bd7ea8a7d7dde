"""Counting tries to log in."""

from __future__ import annotations

import datetime as dt

from hospital.identity import networks
from hospital.identity.models import LoginAttempt
from hospital.identity.states import AttemptOutcome


def login_failures(*, since: dt.datetime, username: str = "", address: str = "") -> int:
    """Count failed log-ins since a moment, of a user name or from an address.

    A success of the user name wipes its earlier failures, and so does somebody who unlocks it. An
    IPv6 address counts with its neighbours: whoever has one has them all.
    """
    rows = LoginAttempt.objects.filter(at__gt=since)
    if address:
        near = networks.neighbourhood(address)
        rows = rows.filter(address__range=(str(near[0]), str(near[-1])))
        return rows.filter(outcome=AttemptOutcome.FAILED).count()
    rows = rows.filter(username=username)
    wiping = (AttemptOutcome.SUCCEEDED, AttemptOutcome.UNLOCKED)
    success = rows.filter(outcome__in=wiping).order_by("-pk").first()
    if success is not None:
        rows = rows.filter(pk__gt=success.pk)
    return rows.filter(outcome=AttemptOutcome.FAILED).count()
