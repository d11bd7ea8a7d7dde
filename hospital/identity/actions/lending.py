"""Lending one's own permissions to a colleague for a while, and taking them back (H1.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import ClassVar

from django.db import transaction
from django.db.models import Q

from hospital.identity import queries
from hospital.identity.actions import assigning
from hospital.identity.models import Delegation, StaffAccount
from hospital.identity.states import ADMINISTRATORS
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.kernel.settings_rows import Setting

MOST_DAYS = Setting(
    key="identity.delegation_most_days",
    label="临时授权最长时间",
    default=30,
    unit="天",
    minimum=1,
    maximum=180,
    rule="H1.2",
)


class MoreThanOwn(Refusal):
    """Somebody would lend what they do not hold themselves, or only on loan."""

    code: ClassVar[str] = "MORE_THAN_OWN"
    default_message: ClassVar[str] = "只能授出自己岗位本来就有的权限。"


class NotToAdministrators(Refusal):
    """Administrators neither lend nor borrow: that would join what must be apart."""

    code: ClassVar[str] = "NOT_TO_ADMINISTRATORS"
    default_message: ClassVar[str] = "系统、安全、审计管理员不能授出权限，也不能接受临时授权。"
    is_audited: ClassVar[bool] = True


@transaction.atomic
def lend(
    *,
    giver: StaffAccount,
    taker_id: int,
    permissions: Collection[str],
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> Delegation:
    """Let a colleague do some of what the giver may, between two moments (UTC).

    Raises Invalid, MoreThanOwn, NotToAdministrators; NotAllowed for somebody else's permissions.
    """
    if by != Actor("staff", giver.pk):
        raise NotAllowed
    assigning.lock_access()  # whoever is being switched off lends nothing behind its back
    if not StaffAccount.objects.filter(pk=giver.pk, is_active=True).exists():
        raise NotAllowed
    taker = StaffAccount.objects.filter(pk=taker_id, is_active=True).first()
    errors = _errors(giver, taker, permissions, begins_at, ends_at, reason, at)
    if taker is None or errors:
        raise Invalid(errors, " ".join(line for lines in errors.values() for line in lines))
    for account in (giver, taker):
        if set(queries.roles_of(account=account)) & set(ADMINISTRATORS):
            raise NotToAdministrators
    if not set(permissions) <= queries.lendable(account=giver):
        raise MoreThanOwn
    delegation = Delegation.objects.create(
        giver=giver,
        taker=taker,
        permissions=sorted(permissions),
        reason=reason.strip()[:200],
        begins_at=max(begins_at, at),
        ends_at=ends_at,
        given_at=at,
    )
    audit.record(
        act="identity.lend",
        subject=delegation,
        by=by,
        at=at,
        after={
            "taker_id": taker.pk,
            "permissions": delegation.permissions,
            "ends_at": ends_at.isoformat(),
        },
        reason=delegation.reason,
    )
    return delegation


@transaction.atomic
def take_back(*, delegation_id: int, by: Actor, at: dt.datetime) -> None:
    """End a loan before its time: the giver may, and so may the taker. Raises NotFound."""
    rows = Delegation.objects.select_for_update().filter(
        Q(giver_id=by.id) | Q(taker_id=by.id), pk=delegation_id, ended_at__isnull=True
    )
    found = rows.first() if by.kind == "staff" else None
    if found is None:
        raise NotFound("没有这份临时授权，或已经结束。")
    _end(found, by=by, at=at)


def end_loans(*, account: StaffAccount, by: Actor, at: dt.datetime) -> None:
    """End everything an account has lent or borrowed, because its owner leaves."""
    rows = Delegation.objects.select_for_update().filter(
        Q(giver=account) | Q(taker=account), ended_at__isnull=True, ends_at__gt=at
    )
    for found in rows.order_by("pk"):
        _end(found, by=by, at=at)


def _end(delegation: Delegation, *, by: Actor, at: dt.datetime) -> None:
    delegation.ended_at, delegation.ended_by = at, str(by)
    delegation.save(update_fields=["ended_at", "ended_by"])
    audit.record(act="identity.take_back", subject=delegation, by=by, at=at)


def _errors(
    giver: StaffAccount,
    taker: StaffAccount | None,
    permissions: Collection[str],
    begins_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    at: dt.datetime,
) -> dict[str, list[str]]:
    most = MOST_DAYS.value()
    checks = (
        ("taker", taker is None, "请选择一位在职的同事。"),
        ("taker", taker == giver, "不能授权给自己。"),
        ("permissions", not permissions, "请至少选择一项权限。"),
        ("ends_at", ends_at <= max(begins_at, at), "截止时间必须晚于开始时间和现在。"),
        ("ends_at", ends_at - at > dt.timedelta(days=most), f"最长只能授权 {most} 天。"),
        ("reason", not reason.strip(), "请填写理由。"),
    )
    errors: dict[str, list[str]] = {}
    for field, is_wrong, sentence in checks:
        if is_wrong:
            errors.setdefault(field, []).append(sentence)
    return errors
