"""Making, changing and switching off staff accounts (H1.2). Roles are asked for, not set here."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from django.conf import settings
from django.db import transaction

from hospital.identity import queries
from hospital.identity.actions import assigning
from hospital.identity.actions.asking import ask_for_roles
from hospital.identity.actions.assigning import Wanted
from hospital.identity.actions.lending import end_loans
from hospital.identity.actions.passwords import password_errors, remember_password
from hospital.identity.actions.sessions import end_sessions
from hospital.identity.models import CUSTOM, StaffAccount
from hospital.identity.states import SessionEnd
from hospital.kernel import audit, pinyin, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.organisation import queries as organisation

if TYPE_CHECKING:
    from hospital.organisation.models import Department, Practitioner

PHONE_PURPOSE: Final = "identity.phone"
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_USERNAME_SHAPE: Final = "用户名用小写字母、数字和 . _ - ，以字母或数字开头，最长 40 位。"
_CAPITALS: Final = "ABCDEFGHJKMNPQRSTUVWXYZ"
_DIGITS: Final = "23456789"
_PLAIN: Final = "abcdefghjkmnpqrstuvwxyz" + _CAPITALS + _DIGITS
_PHONE: Final = re.compile(r"1[3-9]\d{9}")


class OwnPassword(Refusal):
    """Nobody resets the own password: the present one proves that it is not a stolen session."""

    code: ClassVar[str] = "OWN_PASSWORD"
    default_message: ClassVar[str] = "不能重置自己的密码，请在“修改密码”页面更换。"
    is_audited: ClassVar[bool] = True


def save_staff(
    *,
    username: str,
    display_name: str,
    roles: Sequence[str],
    by: Actor,
    at: dt.datetime,
    practitioner: str | None = None,
    department: str | None = None,
    initial_password: str | None = None,
    must_change_password: bool = True,
    is_active: bool = True,
) -> bool:
    """Create or change the account of a user name with exactly these roles; say if that changed it.

    For imports. Practitioner and department are codes; a department narrows all the roles to it.
    The initial password counts for a new account only: repeating an import must not undo the
    password somebody chose since. Whoever filled in the workbook knows it, so its owner changes it
    before anything else; a demo on one's own machine (DEMO_CODES) spares that. Once a security
    administrator works here, other roles than the present ones are asked for and wait (decision
    0037); before, they hold at once. Roles not named end today, and an account that is not active
    keeps none, as with `switch_off`.

    Raises Invalid, AdministratorsApart, LastAdministrator, AlreadyAsked.
    """
    username = username.strip().lower()
    with transaction.atomic():
        assigning.lock_access()
        account = StaffAccount.objects.select_for_update().filter(username=username).first()
        is_new = account is None
        if account is None:
            is_given = must_change_password and not settings.DEMO_CODES
            account = StaffAccount(username=username, created_at=at, must_change_password=is_given)
        errors = _name_errors(username, display_name) | _role_errors(roles)
        practitioner_id = _find("practitioner", practitioner, errors)
        department_id = _find("department", department, errors)
        if is_new:
            if sentences := password_errors(account, initial_password or ""):
                errors["initial_password"] = sentences
            account.set_password(initial_password)
        if errors:
            raise Invalid(errors)
        day, has_asked = hospital_day(at), False
        before, keepers = {} if is_new else _snapshot(account, on=day), assigning.keepers(on=day)
        _name(account, display_name)
        account.practitioner_id = practitioner_id
        account.is_active = is_active
        account.save()
        if is_active:
            assigning.person_stays_apart(account, on=day)
            goals = {(role, department_id) for role in roles}
            has_asked = _import_roles(account, goals, by=by, at=at)
        else:
            _put_out(account, by=by, at=at)
        assigning.administrators_stay(keepers, on=day)
        after = _snapshot(account, on=day)
        if before != after:
            audit.record(
                act="identity.save_staff",
                subject=account,
                by=by,
                at=at,
                before=before,
                after=after,
            )
    return before != after or has_asked


def open_account(
    *,
    username: str,
    display_name: str,
    phone: str,
    practitioner_id: int | None,
    initial_password: str,
    by: Actor,
    at: dt.datetime,
) -> StaffAccount:
    """Make an account without any role; its owner chooses a password at the first log-in.

    Raises Invalid.
    """
    username = username.strip().lower()
    account = StaffAccount(username=username, created_at=at, must_change_password=True)
    with transaction.atomic():
        errors = _name_errors(username, display_name) | _phone_errors(phone)
        if StaffAccount.objects.filter(username=username).exists():
            errors["username"] = ["这个登录名已有人使用。"]
        if sentences := password_errors(account, initial_password):
            errors["initial_password"] = sentences
        if errors:
            raise Invalid(errors)
        account.set_password(initial_password)
        _name(account, display_name)
        _telephone(account, phone)
        account.practitioner_id = practitioner_id
        account.save()
        audit.record(
            act="identity.open_account",
            subject=account,
            by=by,
            at=at,
            after=_snapshot(account, on=hospital_day(at)),
        )
    return account


def change_account(
    *,
    account_id: int,
    display_name: str,
    phone: str,
    practitioner_id: int | None,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Change what is known about somebody; say if that changed it.

    Raises Invalid, NotFound, AdministratorsApart.
    """
    with transaction.atomic():
        assigning.lock_access()
        account = _locked(account_id)
        errors = _name_errors(account.username, display_name) | _phone_errors(phone)
        if errors:
            raise Invalid(errors)
        before, old_phone = _snapshot(account, on=hospital_day(at)), account.phone_index
        _name(account, display_name)
        _telephone(account, phone)
        account.practitioner_id = practitioner_id
        account.save()
        assigning.person_stays_apart(account, on=hospital_day(at))
        after = _snapshot(account, on=hospital_day(at))
        if before == after and old_phone == account.phone_index:
            return False
        audit.record(
            act="identity.change_account",
            subject=account,
            by=by,
            at=at,
            before=before,
            after=after,
        )
    return True


def switch_off(*, account_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Somebody leaves: no log-in, no role, nothing lent, from this moment on.

    Open pages end with their next request. Raises Invalid, LastAdministrator.
    """
    with transaction.atomic():
        assigning.lock_access()
        account = _locked(account_id)
        if not reason.strip():
            raise Invalid.of("reason", "请填写停用原因。")
        if not account.is_active:
            return
        day = hospital_day(at)
        before, keepers = _snapshot(account, on=day), assigning.keepers(on=day)
        account.is_active = False
        account.save(update_fields=["is_active"])
        _put_out(account, by=by, at=at)
        assigning.administrators_stay(keepers, on=day)
        audit.record(
            act="identity.switch_off",
            subject=account,
            by=by,
            at=at,
            before=before,
            after=_snapshot(account, on=day),
            reason=reason.strip()[:200],
        )


def switch_on(*, account_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Somebody is back: the account works again, its roles are to be asked for anew.

    Raises NotFound, AdministratorsApart.
    """
    with transaction.atomic():
        assigning.lock_access()
        account = _locked(account_id)
        if account.is_active:
            return
        account.is_active = True
        account.save(update_fields=["is_active"])
        assigning.person_stays_apart(account, on=hospital_day(at))
        # A log-in that began while the account was being switched off does not come back with it.
        end_sessions(account=account, how=SessionEnd.SWITCHED_OFF, by=by, at=at)
        audit.record(
            act="identity.switch_on",
            subject=account,
            by=by,
            at=at,
            before={"is_active": False},
            after={"is_active": True},
            reason=reason.strip()[:200],
        )


def temporary_password() -> str:
    """A password for one log-in: letters and digits nobody confuses, in groups; a capital, a digit
    and a small letter are always among them."""
    words = ["".join(secrets.choice(_PLAIN) for _ in range(4)) for _ in range(3)]
    return "-".join([*words, f"{secrets.choice(_CAPITALS)}{secrets.choice(_DIGITS)}a"])


def reset_password(*, account_id: int, password: str, by: Actor, at: dt.datetime) -> None:
    """Give somebody who forgot it a password that must be changed at the next log-in.

    Every session of the account ends with the old password. Raises Invalid, NotFound, OwnPassword.
    """
    if by == Actor("staff", account_id):
        raise OwnPassword
    with transaction.atomic():
        account = _locked(account_id)
        if sentences := password_errors(account, password):
            raise Invalid({"password": sentences}, " ".join(sentences))
        remember_password(account, at=at)
        account.set_password(password)
        account.must_change_password = True
        account.save(update_fields=["password", "must_change_password"])
        end_sessions(account=account, how=SessionEnd.PASSWORD, by=by, at=at)
        audit.record(act="identity.reset_password", subject=account, by=by, at=at)


def _put_out(account: StaffAccount, *, by: Actor, at: dt.datetime) -> None:
    """No role, nothing lent or borrowed, no log-in from here on."""
    assigning.assign(account, [], request=None, at=at)
    end_loans(account=account, by=by, at=at)
    end_sessions(account=account, how=SessionEnd.SWITCHED_OFF, by=by, at=at)


def _import_roles(
    account: StaffAccount, wanted: set[tuple[str, int | None]], *, by: Actor, at: dt.datetime
) -> bool:
    """Set the roles, or ask for them once somebody is there to approve; say if they were asked.

    A workbook knows the shipped roles only: the hospital's own ones stay as they are.
    """
    day = hospital_day(at)
    present = {(row.role, row.department_id): row for row in assigning.held(account, on=day)}
    wanted = wanted | {key for key in present if key[0].startswith(CUSTOM)}
    if set(present) == wanted:
        return False
    goals = [
        present.get(key) or Wanted(role=key[0], department_id=key[1])
        for key in sorted(wanted, key=str)
    ]
    assigning.check_wanted(goals, account=account, on=day)
    if not assigning.approval_is_needed(at=at):
        assigning.assign(account, goals, request=None, at=at)
        return False
    ask_for_roles(account=account, wanted=goals, reason="批量导入", by=by, at=at)
    return True


def _locked(account_id: int) -> StaffAccount:
    account = StaffAccount.objects.select_for_update().filter(pk=account_id).first()
    if account is None:
        raise NotFound("没有这位员工。")
    return account


def _name(account: StaffAccount, display_name: str) -> None:
    account.display_name = display_name.strip()
    account.pinyin = pinyin.name_pinyin(account.display_name)
    account.initials = pinyin.name_initials(account.display_name)[:40]


def _telephone(account: StaffAccount, phone: str) -> None:
    account.phone = phone.strip()
    account.phone_index = sealed.blind_index(account.phone, PHONE_PURPOSE) if account.phone else ""


def _name_errors(username: str, display_name: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not _USERNAME.fullmatch(username):
        errors["username"] = [_USERNAME_SHAPE]
    if not display_name.strip():
        errors["display_name"] = ["请填写姓名。"]
    return errors


def _phone_errors(phone: str) -> dict[str, list[str]]:
    if phone.strip() and not _PHONE.fullmatch(phone.strip()):
        return {"phone": ["请填写 11 位手机号。"]}
    return {}


def _role_errors(roles: Iterable[str]) -> dict[str, list[str]]:
    unknown = sorted(set(roles) - set(queries.role_labels(with_retired=False)))
    return {"roles": [f"没有这个角色：{'、'.join(unknown)}。"]} if unknown else {}


def _find(field: str, code: str | None, errors: dict[str, list[str]]) -> int | None:
    """Return the id behind the code of a practitioner or department; note an unknown one."""
    if not code:
        return None
    try:
        row: Practitioner | Department
        if field == "practitioner":
            row = organisation.practitioner(code, active_only=False)
        else:
            row = organisation.department(code, active_only=False)
    except NotFound:
        errors[field] = [f"没有这个编码：{code}。"]
        return None
    return row.pk


def _snapshot(account: StaffAccount, *, on: dt.date) -> dict[str, object]:
    rows = queries.assignments(account=account, on=on)
    return {
        "display_name": account.display_name,
        "practitioner_id": account.practitioner_id,
        "is_active": account.is_active,
        "roles": sorted([row.role, row.department_id or 0] for row in rows),
    }
