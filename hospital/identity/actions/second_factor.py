"""The second step: binding a phone, proving it by a code that works once, starting over (X10)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction

from hospital.identity import one_time_codes as codes
from hospital.identity import queries
from hospital.identity.actions import attempts, sessions
from hospital.identity.actions.passwords import check_own_password
from hospital.identity.models import RecoveryCode, SecondFactor, StaffAccount
from hospital.identity.states import SecondStep, SessionEnd
from hospital.kernel import audit
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable


class CodeRefused(Refusal):
    """The code is wrong, too old or used: which one is not told."""

    code: ClassVar[str] = "CODE_REFUSED"
    default_message: ClassVar[str] = "动态口令不正确，或者已经用过。请等手机上出现新的口令再输入。"


class EnrolInside(Refusal):
    """A phone is bound in the hospital only: outside, a stolen password could bind the thief's."""

    code: ClassVar[str] = "ENROL_INSIDE"
    default_message: ClassVar[str] = (
        "您还没有绑定动态口令。请先在院内的电脑上登录并绑定，之后才能从院外登录。"
    )


class OwnFactor(Refusal):
    """Nobody takes the second factor off their own account: a stolen session could."""

    code: ClassVar[str] = "OWN_FACTOR"
    default_message: ClassVar[str] = "不能重置自己的动态口令，请在“动态口令”页面更换手机。"
    is_audited: ClassVar[bool] = True


def confirm_log_in(
    *, account: StaffAccount, code: str, address: str, at: dt.datetime
) -> StaffAccount:
    """The second step of a log-in: six digits or a recovery code; return the account.

    Raises CodeRefused, TooManyAttempts. Must not run inside a transaction, as log_in_staff.
    """
    prove(account=account, code=code, address=address, at=at, act=_log_in)
    return account


def prove(
    *,
    account: StaffAccount,
    code: str,
    address: str,
    at: dt.datetime,
    act: Callable[[StaffAccount, str, str, dt.datetime], None],
) -> None:
    """Use up a code; `act` audits what it was for, in the same transaction.

    Raises CodeRefused, TooManyAttempts.
    """
    attempt = attempts.count_attempt(
        username=account.username, account=account, address=address, at=at
    )
    with transaction.atomic():
        proof = _use(account, code, at=at)
        if proof:
            attempts.succeed(attempt)
            act(account, address, proof, at)
    if not proof:
        attempts.note_failure(account, at=at, why="code")
        raise CodeRefused


def enrol(
    *,
    account: StaffAccount,
    secret: str,
    code: str,
    replaces: bool = False,
    address: str,
    by: Actor,
    at: dt.datetime,
) -> list[str]:
    """Bind the phone that shows this code of this secret; return the recovery codes, once.

    `replaces` an earlier phone and its recovery codes: the caller has asked for their proof before.
    Of two that bind the first phone at once, one does; nor is a phone replaced that somebody took
    off meanwhile. Raises CodeRefused, EnrolInside, TooManyAttempts.
    """
    if not queries.is_inside(address=address):
        raise EnrolInside
    attempt = attempts.count_attempt(
        username=account.username, account=account, address=address, at=at
    )
    step = codes.matching_step(secret, code, at=at, after=0)
    if step is None:
        raise CodeRefused
    with transaction.atomic():
        _lock(account)
        if SecondFactor.objects.filter(account=account).exists() is not replaces:
            raise CodeRefused
        attempts.succeed(attempt)
        _, is_new = SecondFactor.objects.update_or_create(
            account=account,
            defaults={"secret": secret, "confirmed_at": at, "last_counter": step},
        )
        fresh = _renew_codes(account, at=at)
        act = "identity.enrol_second_factor" if is_new else "identity.renew_second_factor"
        audit.record(act=act, subject=account, by=by, at=at)
    return fresh


def enrol_at_log_in(
    *, account: StaffAccount, secret: str, code: str, address: str, at: dt.datetime
) -> list[str]:
    """The second step of the first log-in; return the recovery codes.

    Somebody who is enrolled by now (in another window) must type that phone's code: CodeRefused.
    """
    if queries.second_step(account=account, address=address) is not SecondStep.ENROLMENT:
        raise CodeRefused
    actor = Actor("staff", account.pk)
    fresh = enrol(
        account=account,
        secret=secret,
        code=code,
        address=address,
        by=actor,
        at=at,
    )
    attempts.note_log_in(account, address=address, proof="enrolment", at=at)
    return fresh


def renew(
    *,
    account: StaffAccount,
    password: str,
    old_code: str,
    secret: str,
    new_code: str,
    address: str,
    by: Actor,
    at: dt.datetime,
) -> list[str]:
    """Bind another phone on one's own page; return the new recovery codes.

    Whoever has a factor proves it by its code or a recovery code. Raises WrongPassword,
    CodeRefused, EnrolInside, TooManyAttempts.
    """
    check_own_password(account, password, address=address, at=at)
    if codes.matching_step(secret, new_code, at=at, after=0) is None:
        raise CodeRefused("新手机上的口令不正确，请重新输入。")
    is_bound = queries.second_factor(account=account) is not None
    if is_bound:
        prove(account=account, code=old_code, address=address, at=at, act=_nothing)
    return enrol(
        account=account,
        secret=secret,
        code=new_code,
        replaces=is_bound,
        address=address,
        by=by,
        at=at,
    )


def renew_recovery_codes(
    *, account: StaffAccount, password: str, code: str, address: str, by: Actor, at: dt.datetime
) -> list[str]:
    """Ten new recovery codes; the old ones are worth nothing.

    Raises WrongPassword, CodeRefused, TooManyAttempts.
    """
    check_own_password(account, password, address=address, at=at)
    prove(account=account, code=code, address=address, at=at, act=_nothing)
    with transaction.atomic():
        fresh = _renew_codes(account, at=at)
        audit.record(act="identity.renew_recovery_codes", subject=account, by=by, at=at)
    return fresh


@transaction.atomic
def reset_second_factor(*, account_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Somebody lost phone and paper: the next log-in inside the hospital binds a new phone.

    Every log-in of the account ends. Raises Invalid, NotFound, OwnFactor.
    """
    if not reason.strip():
        raise Invalid.of("reason", "请填写原因。")
    if by == Actor("staff", account_id):
        raise OwnFactor
    account = StaffAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound("没有这位员工。")
    _lock(account)
    gone, _ = SecondFactor.objects.filter(account=account).delete()
    RecoveryCode.objects.filter(account=account).delete()
    sessions.end_sessions(account=account, how=SessionEnd.FACTOR, by=by, at=at)
    audit.record(
        act="identity.reset_second_factor",
        subject=account,
        by=by,
        at=at,
        before={"enrolled": bool(gone)},
        after={"enrolled": False},
        reason=reason.strip()[:200],
    )


@transaction.atomic
def give_second_factor(*, account: StaffAccount, secret: str, at: dt.datetime) -> None:
    """Bind a secret without a code, from the server's own command line (operations.md).

    For the demo's administrators, and for the last administrator who lost everything.
    """
    _lock(account)
    SecondFactor.objects.update_or_create(
        account=account, defaults={"secret": secret, "confirmed_at": at, "last_counter": 0}
    )
    RecoveryCode.objects.filter(account=account).delete()
    sessions.end_sessions(account=account, how=SessionEnd.FACTOR, by=SYSTEM, at=at)
    audit.record(act="identity.give_second_factor", subject=account, by=SYSTEM, at=at)


def _use(account: StaffAccount, code: str, *, at: dt.datetime) -> str:
    """Use up a code; "code" or "recovery_code", "" when it fits nothing. The row's lock makes one
    of two that come at once the first."""
    factor = SecondFactor.objects.select_for_update().filter(account=account).first()
    if factor is None:
        return ""
    if codes.looks_like_recovery(code):
        unused = RecoveryCode.objects.filter(
            account=account, digest=codes.fingerprint(code), used_at__isnull=True
        )
        return "recovery_code" if unused.update(used_at=at) else ""
    step = codes.matching_step(factor.secret, code, at=at, after=factor.last_counter)
    if step is None:
        return ""
    factor.last_counter = step
    factor.save(update_fields=["last_counter"])
    return "code"


def _log_in(account: StaffAccount, address: str, proof: str, at: dt.datetime) -> None:
    attempts.note_log_in(account, address=address, proof=proof, at=at)


def _nothing(account: StaffAccount, address: str, proof: str, at: dt.datetime) -> None:
    """What follows is audited by itself."""


def _renew_codes(account: StaffAccount, *, at: dt.datetime) -> list[str]:
    fresh = codes.new_recovery_codes()
    RecoveryCode.objects.filter(account=account).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(account=account, digest=codes.fingerprint(code), made_at=at) for code in fresh
    )
    return fresh


def _lock(account: StaffAccount) -> None:
    StaffAccount.objects.select_for_update().get(pk=account.pk)
