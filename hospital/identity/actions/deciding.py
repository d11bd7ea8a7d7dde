"""Deciding about a change of access: the security administrator's half of the four eyes."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.db import transaction

from hospital.identity import queries
from hospital.identity.actions import assigning
from hospital.identity.actions.asking import check_grants, check_unheld
from hospital.identity.actions.sessions import end_sessions
from hospital.identity.models import AccessRequest, CustomRole, GrantChange, StaffAccount
from hospital.identity.states import ADMINISTRATORS, RequestKind, RequestStatus, SessionEnd
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.four_eyes import check_may_decide, decide


class OwnAccess(Refusal):
    """Nobody approves what they themselves are to get, under whichever of their accounts."""

    code: ClassVar[str] = "OWN_ACCESS"
    default_message: ClassVar[str] = "不能批准自己的岗位，请由另一位安全管理员处理。"
    is_audited: ClassVar[bool] = True


@transaction.atomic
def approve_access(*, request_id: int, note: str, by: Actor, at: dt.datetime) -> AccessRequest:
    """Agree to a change of access; it holds from this moment on.

    Everything that was checked when it was asked is checked again, because the hospital moved on.
    Raises OwnRequest, OwnAccess, AlreadyDecided, AdministratorsApart, LastAdministrator,
    RoleIsHeld, Invalid.
    """
    assigning.lock_access()
    request = _locked(request_id, by=by)
    before, after = _apply(request, by=by, at=at)
    decide(request, RequestStatus.APPROVED, note=note.strip(), by=by, at=at)
    audit.record(
        act="identity.approve_access",
        subject=request.account or request,
        by=by,
        at=at,
        before=before,
        after=after,
        reason=request.reason,
    )
    return request


@transaction.atomic
def reject_access(*, request_id: int, note: str, by: Actor, at: dt.datetime) -> AccessRequest:
    """Refuse a change of access, with the reason. Raises OwnRequest, AlreadyDecided, Invalid."""
    if not note.strip():
        raise Invalid.of("note", "请填写驳回的原因。")
    request = _locked(request_id, by=by)
    decide(request, RequestStatus.REJECTED, note=note.strip(), by=by, at=at)
    audit.record(
        act="identity.reject_access",
        subject=request.account or request,
        by=by,
        at=at,
        reason=note.strip()[:200],
    )
    return request


def _locked(request_id: int, *, by: Actor) -> AccessRequest:
    request = (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("account")
        .filter(pk=request_id)
        .first()
    )
    if request is None:
        raise NotFound("没有这份申请。")
    check_may_decide(request, waiting=RequestStatus.WAITING, by=by)
    if request.account_id is not None:
        whose = str(Actor("staff", request.account_id))
        if queries.is_one_person(whose, str(by)):
            raise OwnAccess
    return request


def _apply(
    request: AccessRequest, *, by: Actor, at: dt.datetime
) -> tuple[dict[str, object], dict[str, object]]:
    if request.account is not None:
        return _apply_roles(request, request.account, by=by, at=at)
    if request.kind == RequestKind.RETIRE_ROLE:
        check_unheld(role=request.role, on=hospital_day(at))
        CustomRole.objects.filter(code=request.role).update(retired_at=at)
        queries.forget_grants()
        return {"role": request.role}, {"retired": True}
    return _apply_grants(request, by=by, at=at)


def _apply_roles(
    request: AccessRequest, account: StaffAccount, *, by: Actor, at: dt.datetime
) -> tuple[dict[str, object], dict[str, object]]:
    day = hospital_day(at)
    if not account.is_active:
        raise Invalid.of("", "账号已停用，请驳回。")
    wanted = assigning.wanted_of(request)
    assigning.check_wanted(wanted, account=account, on=day)
    keepers, before = assigning.keepers(on=day), assigning.held(account, on=day)
    assigning.assign(account, wanted, request=request, at=at)
    assigning.administrators_stay(keepers, on=day)
    after = assigning.held(account, on=day)
    # Whoever becomes an administrator or is one no longer proves anew who they are.
    if any(row.role in ADMINISTRATORS for row in (*before, *after)):
        end_sessions(account=account, how=SessionEnd.ROLES, by=by, at=at)
    return (
        {"roles": [row.as_json() for row in before]},
        {"roles": [row.as_json() for row in after]},
    )


def _apply_grants(
    request: AccessRequest, *, by: Actor, at: dt.datetime
) -> tuple[dict[str, object], dict[str, object]]:
    wanted = check_grants(role=request.role, wanted=request.wanted)
    if request.kind == RequestKind.NEW_ROLE:
        CustomRole.objects.create(code=request.role, label=request.label, created_at=at)
    found = queries.changes(queries.grants_of(role=request.role), wanted)
    GrantChange.objects.bulk_create(
        GrantChange(
            role=request.role,
            permission=code,
            scope=scope,
            valid_from=at,
            set_by=str(by),
            request=request,
        )
        for code, (_, scope) in found.items()
    )
    queries.forget_grants()
    return (
        {"role": request.role, **{code: old for code, (old, _) in found.items()}},
        {"role": request.role, **{code: new for code, (_, new) in found.items()}},
    )
