"""Asking for a change of access: one administrator asks, another decides (deciding.py)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from django.db import transaction

from hospital.identity import function_matrix, queries
from hospital.identity.actions import assigning
from hospital.identity.actions.assigning import Wanted
from hospital.identity.models import CUSTOM, AccessRequest, CustomRole, StaffAccount
from hospital.identity.states import (
    ADMINISTRATORS,
    DataScope,
    RequestKind,
    RequestStatus,
)
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.four_eyes import AlreadyAsked
from hospital.kernel.permissions import permission

_LABEL: Final = re.compile(r"[\w（）()·-]{2,20}")


class NothingChanges(Refusal):
    code: ClassVar[str] = "NOTHING_CHANGES"
    default_message: ClassVar[str] = "与现在完全一样，没有需要批准的内容。"


class RoleIsFixed(Refusal):
    """The three administrators' roles are what separates them; nobody redraws that line."""

    code: ClassVar[str] = "ROLE_IS_FIXED"
    default_message: ClassVar[str] = "三个管理员角色的权限是固定的，不能调整。"


class AdministratorsDuty(Refusal):
    """A permission of the three administrators for another role; details: permission (label)."""

    code: ClassVar[str] = "ADMINISTRATORS_DUTY"
    default_message: ClassVar[str] = "这项权限只属于管理员，不能给其他角色，也不能临时授权。"


class RoleIsHeld(Refusal):
    """Somebody still has the role; details: count."""

    code: ClassVar[str] = "ROLE_IS_HELD"
    default_message: ClassVar[str] = "还有人持有这个角色，请先调整他们的岗位。"


@transaction.atomic
def ask_for_roles(
    *,
    account: StaffAccount,
    wanted: Sequence[Wanted],
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> AccessRequest:
    """Ask that somebody shall have exactly these roles, for these periods and departments.

    Raises Invalid, AdministratorsApart, LastAdministrator, NothingChanges, AlreadyAsked.
    """
    assigning.lock_access()
    day = hospital_day(at)
    _check_reason(reason)
    if not account.is_active:
        raise Invalid.of("", "账号已停用，请先启用。")
    assigning.check_wanted(wanted, account=account, on=day)
    if _state(wanted, day) == _state(assigning.held(account, on=day), day):
        raise NothingChanges
    _check_free(account=account)
    _rehearse(account, wanted, at=at)
    return _ask(
        RequestKind.ASSIGNMENT,
        account=account,
        wanted=[row.as_json() for row in wanted],
        reason=reason,
        by=by,
        at=at,
    )


@transaction.atomic
def ask_for_grants(
    *, role: str, wanted: Mapping[str, str], reason: str, by: Actor, at: dt.datetime
) -> AccessRequest:
    """Ask that a role shall hold exactly these permissions, each with its scope.

    Raises Invalid, RoleIsFixed, AdministratorsDuty, NothingChanges, AlreadyAsked, NotFound.
    """
    assigning.lock_access()
    queries.role_label(role=role)
    custom = queries.custom_role(code=role)
    if custom is not None and custom.retired_at is not None:
        raise NotFound("这个角色已停用。")
    _check_reason(reason)
    scopes = check_grants(role=role, wanted=wanted)
    if not queries.changes(queries.grants_of(role=role), scopes):
        raise NothingChanges
    _check_free(role=role)
    return _ask(RequestKind.ROLE, role=role, wanted=dict(scopes), reason=reason, by=by, at=at)


@transaction.atomic
def ask_for_new_role(
    *, label: str, wanted: Mapping[str, str], reason: str, by: Actor, at: dt.datetime
) -> AccessRequest:
    """Ask for a role of the hospital's own. Raises Invalid, AdministratorsDuty."""
    assigning.lock_access()
    label = label.strip()
    _check_reason(reason)
    taken = set(queries.role_labels().values()) | set(
        AccessRequest.objects.filter(
            kind=RequestKind.NEW_ROLE, status=RequestStatus.WAITING
        ).values_list("label", flat=True)
    )
    if not _LABEL.fullmatch(label):
        raise Invalid.of("label", "请填写 2–20 个字的角色名称。")
    if label in taken:
        raise Invalid.of("label", "已有同名的角色。")
    code = f"{CUSTOM}{_next_number()}"
    scopes = check_grants(role=code, wanted=wanted)
    if not scopes:
        raise Invalid.of("", "请至少选择一项权限。")
    return _ask(
        RequestKind.NEW_ROLE,
        role=code,
        label=label,
        wanted=dict(scopes),
        reason=reason,
        by=by,
        at=at,
    )


@transaction.atomic
def ask_to_retire(*, role: str, reason: str, by: Actor, at: dt.datetime) -> AccessRequest:
    """Ask that a role of the hospital's own be no longer given. Raises RoleIsHeld, AlreadyAsked."""
    assigning.lock_access()
    custom = queries.custom_role(code=role)
    if custom is None or custom.retired_at is not None:
        raise NotFound("没有这个自建角色。")
    _check_reason(reason)
    check_unheld(role=role, on=hospital_day(at))
    _check_free(role=role)
    return _ask(RequestKind.RETIRE_ROLE, role=role, wanted={}, reason=reason, by=by, at=at)


def check_grants(*, role: str, wanted: Mapping[str, str]) -> dict[str, DataScope]:
    """Whether a role may hold these permissions with these scopes; return them typed.

    Raises RoleIsFixed, AdministratorsDuty, Invalid.
    """
    if role in ADMINISTRATORS:
        raise RoleIsFixed
    errors = []
    for code, scope in wanted.items():
        declared = permission(code)
        if declared is None or code == queries.EVERYBODY:
            errors.append(f"没有这项权限：{code}。")
        elif code in function_matrix.ADMINISTRATORS_DUTIES:
            raise AdministratorsDuty(f"“{declared.label}”只属于管理员，不能给其他角色。")
        elif scope not in DataScope.values:
            errors.append(f"“{declared.label}”的数据范围不正确。")
        elif scope != DataScope.HOSPITAL and not declared.narrows:
            errors.append(f"“{declared.label}”不分科室，只能是全院或没有。")
    if errors:
        raise Invalid({"": errors}, " ".join(errors))
    return {code: DataScope(scope) for code, scope in sorted(wanted.items())}


def check_unheld(*, role: str, on: dt.date) -> None:
    """Whether nobody has the role today or later. Raises RoleIsHeld."""
    count = len(queries.holders_of_role(role=role, on=on))
    if count:
        raise RoleIsHeld(f"还有 {count} 人持有这个角色，请先调整他们的岗位。", count=count)


def _ask(
    kind: RequestKind,
    *,
    wanted: object,
    reason: str,
    by: Actor,
    at: dt.datetime,
    account: StaffAccount | None = None,
    role: str = "",
    label: str = "",
) -> AccessRequest:
    request = AccessRequest.objects.create(
        kind=kind,
        account=account,
        role=role,
        label=label,
        wanted=wanted,
        reason=reason.strip()[:200],
        asked_by=str(by),
        asked_at=at,
    )
    audit.record(
        act="identity.ask_access",
        subject=request,
        by=by,
        at=at,
        after={"kind": kind, "account_id": account.pk if account else None, "role": role},
        reason=request.reason,
    )
    return request


def _rehearse(account: StaffAccount, wanted: Sequence[Wanted], *, at: dt.datetime) -> None:
    """Try it and take it back: whoever asks learns at once what can never be approved."""
    day = hospital_day(at)
    before = assigning.keepers(on=day)
    savepoint = transaction.savepoint()
    assigning.assign(account, wanted, request=None, at=at)
    try:
        assigning.administrators_stay(before, on=day)
    finally:
        transaction.savepoint_rollback(savepoint)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid.of("reason", "请填写理由。")


def _check_free(*, account: StaffAccount | None = None, role: str = "") -> None:
    waiting = AccessRequest.objects.filter(status=RequestStatus.WAITING)
    if waiting.filter(account=account, role=role).exists():
        raise AlreadyAsked


def _state(rows: Sequence[Wanted], day: dt.date) -> set[tuple[object, ...]]:
    return {
        (row.role, row.department_id, max(row.valid_from or day, day), row.valid_to) for row in rows
    }


def _next_number() -> int:
    codes = [
        *CustomRole.objects.values_list("code", flat=True),
        *AccessRequest.objects.filter(kind=RequestKind.NEW_ROLE).values_list("role", flat=True),
    ]
    return max((int(code.removeprefix(CUSTOM)) for code in codes), default=0) + 1
