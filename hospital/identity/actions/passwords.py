"""The own password, and what makes one acceptable."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from hospital.identity.models import StaffAccount
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, Refusal


class WrongPassword(Refusal):
    code = "WRONG_PASSWORD"
    default_message = "当前密码不正确。"


@transaction.atomic
def change_password(
    *, account: StaffAccount, current: str, new: str, by: Actor, at: dt.datetime
) -> None:
    """Give a member of staff the password of the own choice; other sessions of theirs end.

    Raises WrongPassword, and Invalid with the sentences about the new one under `new`.
    """
    if not account.check_password(current):
        raise WrongPassword
    if sentences := password_errors(account, new):
        raise Invalid({"new": sentences})
    account.set_password(new)
    account.must_change_password = False
    account.save(update_fields=["password", "must_change_password"])
    audit.record(act="identity.change_password", subject=account, by=by, at=at)


def password_errors(account: StaffAccount, password: str) -> list[str]:
    """Return the sentences against a password, none when it is good enough."""
    try:
        validate_password(password, account)
    except ValidationError as problem:
        return list(problem.messages)
    return []
