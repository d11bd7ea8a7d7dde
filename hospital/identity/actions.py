"""Writes of the identity area: logging in, staff accounts and roles, a WeChat user's display.

Log-in is throttled per user name and per address (X10); whether an account exists is told by
neither the answer nor its timing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q

from hospital.identity import queries
from hospital.identity.models import LoginAttempt, RoleAssignment, StaffAccount, WeChatUser
from hospital.identity.states import AttemptOutcome, Role, Theme
from hospital.kernel import audit, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.kernel.settings_rows import Setting
from hospital.organisation import queries as organisation

if TYPE_CHECKING:
    from hospital.organisation.models import Department, Practitioner

LOGIN_WINDOW_MINUTES = Setting(
    key="identity.login_window_minutes",
    label="工作台登录失败的计数时间",
    default=15,
    unit="分钟",
    minimum=1,
    maximum=1440,
    rule="X10",
)
FAILURES_PER_ACCOUNT = Setting(
    key="identity.login_failures_per_account",
    label="同一用户名允许的登录失败次数",
    default=5,
    unit="次",
    minimum=3,
    maximum=50,
    rule="X10",
)
FAILURES_PER_ADDRESS = Setting(
    key="identity.login_failures_per_address",
    label="同一网络地址允许的登录失败次数",
    default=50,
    unit="次",
    minimum=5,
    maximum=1000,
    rule="X10",
)
_USERNAME_LENGTH: Final = 40
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_USERNAME_SHAPE: Final = "用户名用小写字母、数字和 . _ - ，以字母或数字开头，最长 40 位。"


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


def sign_in_wechat_user(
    *, appid: str, openid: str, unionid: str = "", at: dt.datetime
) -> WeChatUser:
    """Return the WeChat user of an openid WeChat has vouched for, making it at the first visit."""
    user, is_new = WeChatUser.objects.get_or_create(
        appid=appid, openid=openid, defaults={"unionid": unionid, "created_at": at}
    )
    if unionid and not is_new and user.unionid != unionid:
        user.unionid = unionid
        user.save(update_fields=["unionid"])
    return user


def record_following(
    *, wechat_user_id: int, is_following: bool, changed_at: dt.datetime, by: Actor, at: dt.datetime
) -> bool:
    """Remember that somebody began or ceased to follow the account at `changed_at` (UTC).

    Events overtake each other: an older one than the last known changes nothing. Says whether it
    is the newest. Not audited, it is WeChat's word about the user's own choice.
    """
    is_newer = Q(following_changed_at__isnull=True) | Q(following_changed_at__lte=changed_at)
    rows = WeChatUser.objects.filter(is_newer, pk=wechat_user_id)
    return bool(rows.update(is_following=is_following, following_changed_at=changed_at))


def set_display(
    *,
    wechat_user_id: int,
    by: Actor,
    care_mode: bool | None = None,
    theme: Theme | None = None,
) -> None:
    """Remember how a WeChat user wants pages to look; None leaves a choice as it is.

    Only the user may do so: raises NotAllowed. Not audited, it touches nobody's data.
    """
    changes: dict[str, object] = {}
    if care_mode is not None:
        changes["care_mode"] = care_mode
    if theme is not None:
        changes["theme"] = theme
    if by != Actor("patient", wechat_user_id):
        raise NotAllowed
    WeChatUser.objects.filter(pk=wechat_user_id).update(**changes)


def set_blocked(
    *, wechat_user_id: int, is_blocked: bool, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Stop or resume serving a WeChat user online (audited)."""
    with transaction.atomic():
        user = WeChatUser.objects.select_for_update().get(pk=wechat_user_id)
        before = user.is_blocked
        user.is_blocked = is_blocked
        user.save(update_fields=["is_blocked"])
        audit.record(
            act="identity.set_blocked",
            subject=user,
            by=by,
            at=at,
            before={"is_blocked": before},
            after={"is_blocked": is_blocked},
            reason=reason,
        )


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
    if sentences := _password_errors(account, new).get("initial_password"):
        raise Invalid({"new": sentences})
    account.set_password(new)
    account.save(update_fields=["password"])
    audit.record(act="identity.change_password", subject=account, by=by, at=at)


def clear_sessions() -> None:
    """Delete the sessions that have expired; patients leave one each time they come."""
    SessionStore.clear_expired()


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
    is_active: bool = True,
) -> bool:
    """Create or change the account of a user name with exactly these roles; say if that changed it.

    Practitioner and department are codes; a department narrows all the roles to it. The initial
    password counts for a new account only: repeating an import must not undo the password somebody
    chose since. Roles not named end today. Raises Invalid.
    """
    username = username.strip().lower()
    with transaction.atomic():
        account = StaffAccount.objects.select_for_update().filter(username=username).first()
        is_new = account is None
        if account is None:
            account = StaffAccount(username=username, created_at=at)
        errors = _name_errors(username, display_name) | _role_errors(roles)
        practitioner_id = _find("practitioner", practitioner, errors)
        department_id = _find("department", department, errors)
        if is_new:
            errors |= _password_errors(account, initial_password or "")
            account.set_password(initial_password)
        if errors:
            raise Invalid(errors)
        before = {} if is_new else _snapshot(account, at=at)
        account.display_name = display_name.strip()
        account.practitioner_id = practitioner_id
        account.is_active = is_active
        account.save()
        _save_roles(account, wanted={(role, department_id) for role in roles}, at=at)
        after = _snapshot(account, at=at)
        if before != after:
            audit.record(
                act="identity.save_staff",
                subject=account,
                by=by,
                at=at,
                before=before,
                after=after,
            )
    return before != after


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


def _name_errors(username: str, display_name: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not _USERNAME.fullmatch(username):
        errors["username"] = [_USERNAME_SHAPE]
    if not display_name.strip():
        errors["display_name"] = ["请填写姓名。"]
    return errors


def _role_errors(roles: Iterable[str]) -> dict[str, list[str]]:
    unknown = sorted(set(roles) - set(Role.values))
    return {"roles": [f"没有这个角色：{'、'.join(unknown)}。"]} if unknown else {}


def _password_errors(account: StaffAccount, password: str) -> dict[str, list[str]]:
    try:
        validate_password(password, account)
    except ValidationError as problem:
        return {"initial_password": list(problem.messages)}
    return {}


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


def _save_roles(
    account: StaffAccount, *, wanted: set[tuple[str, int | None]], at: dt.datetime
) -> None:
    day = hospital_day(at)
    open_rows = RoleAssignment.objects.filter(account=account, valid_to__isnull=True)
    held = {(row.role, row.department_id): row for row in open_rows}
    for key in held.keys() - wanted:
        held[key].valid_to = day
        held[key].save(update_fields=["valid_to"])
    for role, department_id in sorted(wanted - held.keys(), key=str):
        RoleAssignment.objects.create(
            account=account, role=role, department_id=department_id, valid_from=day
        )


def _snapshot(account: StaffAccount, *, at: dt.datetime) -> dict[str, object]:
    rows = queries.assignments(account=account, on=hospital_day(at))
    return {
        "display_name": account.display_name,
        "practitioner_id": account.practitioner_id,
        "is_active": account.is_active,
        "roles": sorted([row.role, row.department_id or 0] for row in rows),
    }
