"""The locked page: proving again who sits there, and going on where one was."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hospital.identity import queries
from hospital.identity.actions import attempts, second_factor
from hospital.identity.models import StaffAccount
from hospital.identity.states import AttemptOutcome
from hospital.kernel import audit
from hospital.kernel.actors import Actor


def unlock_session(
    *, account: StaffAccount, password: str, code: str, address: str, at: dt.datetime
) -> None:
    """Let the account of an idle log-in go on: the password, and the second step where asked.

    Throttled like a log-in. Raises LoginRefused, NetworkNotAllowed, CodeRefused, TooManyAttempts.
    """
    attempt = attempts.count_attempt(
        username=account.username, account=account, address=address, at=at
    )
    if not account.check_password(password):
        raise attempts.LoginRefused("密码不正确。")
    if not queries.is_allowed_from(account=account, address=address):
        raise attempts.NetworkNotAllowed
    if queries.asks_second_step(account=account, address=address):
        attempts.succeed(attempt, AttemptOutcome.HALF)
        second_factor.prove(account=account, code=code, address=address, at=at, act=_unlocked)
        return
    with transaction.atomic():
        attempts.succeed(attempt)
        _unlocked(account, address, "password", at)


def _unlocked(account: StaffAccount, address: str, proof: str, at: dt.datetime) -> None:
    audit.record(
        act="identity.unlock_session",
        subject=account,
        by=Actor("staff", account.pk),
        at=at,
        after={"address": address, "proof": proof},
    )
