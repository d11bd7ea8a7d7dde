"""Logging in and out at the staff page.

Log-in is throttled per user name and per address (X10), the second step like the first; whether an
account exists is told by neither the answer nor its timing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from django.db import connection, transaction

from hospital.identity import networks, queries
from hospital.identity.models import LoginAttempt, StaffAccount
from hospital.identity.states import AttemptOutcome, SecondStep
from hospital.kernel import audit, sealed, whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.models import AuditResult
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


class NetworkNotAllowed(Refusal):
    """The password was right, but a role of the account is not used from this network."""

    code: ClassVar[str] = "NETWORK_NOT_ALLOWED"
    default_message: ClassVar[str] = (
        "您的岗位不能在这台电脑所在的网络登录，请到规定的电脑上登录，或联系安全管理员。"
    )


@dataclass(frozen=True)
class Proof:
    """Whose password was right, and what is asked next."""

    account: StaffAccount
    step: SecondStep


def log_in_staff(*, username: str, password: str, address: str, at: dt.datetime) -> Proof:
    """Check user name and password; return the account and what else it must prove.

    Raises LoginRefused, NetworkNotAllowed, or TooManyAttempts without looking at the password. Must
    not run inside a transaction: a failed attempt has to be kept.
    """
    account = queries.staff_account(username=username)
    attempt = count_attempt(username=username, account=account, address=address, at=at)
    if account is None:
        # As much work as for a known name, so that the time taken tells nothing.
        StaffAccount().set_password(password)
        note_failure(None, at=at)
        raise LoginRefused
    if not account.check_password(password) or not account.is_active:
        note_failure(account, at=at)
        raise LoginRefused
    if not queries.is_allowed_from(account=account, address=address):
        succeed(attempt, AttemptOutcome.HALF)
        note_failure(account, at=at, why="network")
        raise NetworkNotAllowed
    step = queries.second_step(account=account, address=address)
    if step is not SecondStep.NONE:
        succeed(attempt, AttemptOutcome.HALF)
        return Proof(account, step)
    with transaction.atomic():
        succeed(attempt)
        note_log_in(account, address=address, proof="password", at=at)
    return Proof(account, step)


def log_out_staff(*, account: StaffAccount, by: Actor, at: dt.datetime) -> None:
    """Record that somebody logged out; the session itself is the view's to end."""
    audit.record(act="identity.log_out_staff", subject=account, by=by, at=at)


@transaction.atomic
def unlock_account(*, account_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Forget the failures of a user name, so that its owner may try again at once.

    The failures of an address stay counted. Raises Invalid, NotFound.
    """
    if not reason.strip():
        raise Invalid.of("reason", "请填写原因。")
    account = StaffAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound("没有这位员工。")
    _lock_in_turn([f"login:{account.username}"])
    LoginAttempt.objects.create(
        username=account.username,
        account=account,
        address="0.0.0.0",  # noqa: S104  no address: nobody tried
        outcome=AttemptOutcome.UNLOCKED,
        at=at,
    )
    audit.record(
        act="identity.unlock_account", subject=account, by=by, at=at, reason=reason.strip()[:200]
    )


def count_attempt(
    *, username: str, account: StaffAccount | None, address: str, at: dt.datetime
) -> LoginAttempt:
    """Write an attempt as failed until it succeeds; TooManyAttempts when the limit is reached.

    People type passwords into the user name field, so an unknown name is kept as a keyed
    fingerprint only. Locks per name and address make parallel attempts count one after another.
    """
    known_name = account.username if account is not None else _fingerprint(username)
    since = at - dt.timedelta(minutes=LOGIN_WINDOW_MINUTES.value())
    with transaction.atomic():
        _lock_in_turn([f"login:{known_name}", f"login:{networks.neighbourhood(address)}"])
        too_many = (
            queries.login_failures(since=since, username=known_name) >= FAILURES_PER_ACCOUNT.value()
            or queries.login_failures(since=since, address=address) >= FAILURES_PER_ADDRESS.value()
        )
        outcome = AttemptOutcome.THROTTLED if too_many else AttemptOutcome.FAILED
        attempt = LoginAttempt.objects.create(
            username=known_name, account=account, address=address, outcome=outcome, at=at
        )
    if too_many:
        minutes = LOGIN_WINDOW_MINUTES.value()
        message = f"登录失败次数过多，请 {minutes} 分钟后再试，或联系安全管理员。"
        raise TooManyAttempts(message, minutes=minutes)
    return attempt


def succeed(attempt: LoginAttempt, outcome: AttemptOutcome = AttemptOutcome.SUCCEEDED) -> None:
    """What was written as failed was not."""
    LoginAttempt.objects.filter(pk=attempt.pk).update(outcome=outcome)


def note_log_in(account: StaffAccount, *, address: str, proof: str, at: dt.datetime) -> None:
    """Audit that somebody is in; `proof` says by what: password, code, recovery_code, enrolment."""
    # Nobody has been admitted to a page yet, so nobody has said in which roles.
    whereabouts.take_roles(str(role) for role in queries.roles_of(account=account))
    audit.record(
        act="identity.log_in_staff",
        subject=account,
        by=Actor("staff", account.pk),
        at=at,
        after={"address": address, "proof": proof},
    )


def note_failure(account: StaffAccount | None, *, at: dt.datetime, why: str = "") -> None:
    """Audit a log-in that failed, of known and unknown names alike: one costs as the other."""
    audit.record(
        act="identity.log_in_failed",
        subject=account,
        by=SYSTEM,
        at=at,
        after={"why": why} if why else {},
        result=AuditResult.REFUSED,
    )


def _fingerprint(username: str) -> str:
    index = sealed.blind_index(username.strip().lower(), "identity.username")
    return f"?{index}"[:_USERNAME_LENGTH]


def _lock_in_turn(names: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
