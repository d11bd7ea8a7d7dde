"""The own password, and what makes one acceptable (X10)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from hospital.identity.actions import attempts
from hospital.identity.actions.sessions import end_sessions
from hospital.identity.models import PasswordUsed, StaffAccount
from hospital.identity.states import AttemptOutcome, SessionEnd
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Refusal

#: The present password and the four before it are not taken again.
NOT_AGAIN: Final = 5
# Django's own sentences are not all translated, and name fields nobody sees.
_SENTENCES: Final = {
    "password_too_short": "密码太短，至少要 {min_length} 个字符。",
    "password_too_common": "密码太常见，容易被人猜到。",
    "password_too_similar": "密码和登录名、姓名或拼音太像。",
}
_USED: Final = "不能使用最近 5 次用过的密码。"


class WrongPassword(Refusal):
    code = "WRONG_PASSWORD"
    default_message = "当前密码不正确。"


def change_password(
    *,
    account: StaffAccount,
    current: str,
    new: str,
    address: str,
    by: Actor,
    at: dt.datetime,
    session_id: int | None = None,
) -> None:
    """Give a member of staff the password of the own choice; all log-ins but this one end.

    Raises WrongPassword, TooManyAttempts, and Invalid with the sentences about the new one under
    `new`. Must not run inside a transaction: a failed attempt has to be kept.
    """
    check_own_password(account, current, address=address, at=at)
    with transaction.atomic():
        _change(account, current=current, new=new, by=by, at=at, session_id=session_id)


def check_own_password(
    account: StaffAccount, password: str, *, address: str, at: dt.datetime
) -> None:
    """Throttled like a log-in: an unattended desk is a place to guess at, too.

    Raises WrongPassword, TooManyAttempts.
    """
    attempt = attempts.count_attempt(
        username=account.username, account=account, address=address, at=at
    )
    if not account.check_password(password):
        raise WrongPassword
    attempts.succeed(attempt, AttemptOutcome.HALF)


def _change(
    account: StaffAccount,
    *,
    current: str,
    new: str,
    by: Actor,
    at: dt.datetime,
    session_id: int | None,
) -> None:
    fresh = StaffAccount.objects.select_for_update().get(pk=account.pk)
    if not fresh.check_password(current):
        raise WrongPassword  # somebody changed it in another window a moment ago
    sentences = password_errors(fresh, new)
    if not sentences and _was_used(fresh, new):
        sentences = [_USED]
    if sentences:
        raise Invalid({"new": sentences})
    remember_password(fresh, at=at)
    account.set_password(new)
    account.must_change_password = False
    account.save(update_fields=["password", "must_change_password"])
    end_sessions(account=account, how=SessionEnd.PASSWORD, by=by, at=at, but=session_id)
    audit.record(act="identity.change_password", subject=account, by=by, at=at)


def password_errors(account: StaffAccount, password: str) -> list[str]:
    """Return the sentences against a password, none when it is good enough."""
    try:
        validate_password(password, account)
    except ValidationError as found:
        return [_SENTENCES[str(one.code)].format(**(one.params or {})) for one in found.error_list]
    return []


def remember_password(account: StaffAccount, *, at: dt.datetime) -> None:
    """Keep the hash of the password an account loses now; what is older than needed goes."""
    PasswordUsed.objects.create(account=account, password=account.password, until=at)
    rows = PasswordUsed.objects.filter(account=account).order_by("-pk")
    kept = list(rows.values_list("pk", flat=True)[: NOT_AGAIN - 1])
    rows.exclude(pk__in=kept).delete()


def _was_used(account: StaffAccount, password: str) -> bool:
    used = PasswordUsed.objects.filter(account=account).order_by("-pk")[: NOT_AGAIN - 1]
    hashes = [account.password, *(row.password for row in used)]
    return any(check_password(password, known) for known in hashes)
