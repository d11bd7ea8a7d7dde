"""Logging in and out at the staff page.

Log-in is throttled per user name and per address (X10); whether an account exists is told by
neither the answer nor its timing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Final

from django.db import connection, transaction

from hospital.identity import queries
from hospital.identity.models import LoginAttempt, StaffAccount
from hospital.identity.states import AttemptOutcome
from hospital.kernel import audit, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.settings_rows import Setting

LOGIN_WINDOW_MINUTES = Setting(
    key="identity.login_window_minutes",
    label="工作台登录失败的计数时间",
    default=15,
    unit="分钟",
    minimum=1,
    maximum=1440,
    rule="X10",
    is_policy=True,
)
FAILURES_PER_ACCOUNT = Setting(
    key="identity.login_failures_per_account",
    label="同一用户名允许的登录失败次数",
    default=5,
    unit="次",
    minimum=3,
    maximum=50,
    rule="X10",
    is_policy=True,
)
FAILURES_PER_ADDRESS = Setting(
    key="identity.login_failures_per_address",
    label="同一网络地址允许的登录失败次数",
    default=50,
    unit="次",
    minimum=5,
    maximum=1000,
    rule="X10",
    is_policy=True,
)
_USERNAME_LENGTH: Final = 40


class LoginRefused(Refusal):
    """User name or password is wrong, or the account is switched off: which one is not told."""

    code: ClassVar[str] = "LOGIN_REFUSED"
    default_message: ClassVar[str] = "用户名或密码不正确。"


class TooManyAttempts(Refusal):
    """Too many failed log-ins for this user name or from this address; details: minutes."""

    code: ClassVar[str] = "TOO_MANY_ATTEMPTS"
    default_message: ClassVar[str] = "登录失败次数过多，请稍后再试。"


def log_in_staff(*, username: str, password: str, address: str, at: dt.datetime) -> StaffAccount:
    """Check user name and password; return the account.

    Raises LoginRefused, or TooManyAttempts without looking at the password. Must not run inside
    a transaction: a failed attempt has to be kept.
    """
    account = queries.staff_account(username=username)
    attempt = _count_attempt(username=username, account=account, address=address, at=at)
    if attempt.outcome == AttemptOutcome.THROTTLED:
        minutes = LOGIN_WINDOW_MINUTES.value()
        message = f"登录失败次数过多，请 {minutes} 分钟后再试，或联系系统管理员。"
        raise TooManyAttempts(message, minutes=minutes)
    if account is None:
        # As much work as for a known name, so that the time taken tells nothing.
        StaffAccount().set_password(password)
        raise LoginRefused
    if not account.check_password(password) or not account.is_active:
        raise LoginRefused
    with transaction.atomic():
        LoginAttempt.objects.filter(pk=attempt.pk).update(outcome=AttemptOutcome.SUCCEEDED)
        actor = Actor("staff", account.pk)
        audit.record(
            act="identity.log_in_staff",
            subject=account,
            by=actor,
            at=at,
            after={"address": address},
        )
    return account


def log_out_staff(*, account: StaffAccount, by: Actor, at: dt.datetime) -> None:
    """Record that somebody logged out; the session itself is the view's to end."""
    audit.record(act="identity.log_out_staff", subject=account, by=by, at=at)


def _count_attempt(
    *, username: str, account: StaffAccount | None, address: str, at: dt.datetime
) -> LoginAttempt:
    """Write the attempt as failed, or as throttled when the limit is reached.

    People type passwords into the user name field, so an unknown name is kept as a keyed
    fingerprint only. Locks per name and address make parallel attempts count one after another.
    """
    known_name = account.username if account is not None else _fingerprint(username)
    since = at - dt.timedelta(minutes=LOGIN_WINDOW_MINUTES.value())
    with transaction.atomic():
        _lock_in_turn([f"login:{known_name}", f"login:{address}"])
        too_many = (
            queries.login_failures(since=since, username=known_name) >= FAILURES_PER_ACCOUNT.value()
            or queries.login_failures(since=since, address=address) >= FAILURES_PER_ADDRESS.value()
        )
        outcome = AttemptOutcome.THROTTLED if too_many else AttemptOutcome.FAILED
        return LoginAttempt.objects.create(
            username=known_name, account=account, address=address, outcome=outcome, at=at
        )


def _fingerprint(username: str) -> str:
    index = sealed.blind_index(username.strip().lower(), "identity.username")
    return f"?{index}"[:_USERNAME_LENGTH]


def _lock_in_turn(names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
