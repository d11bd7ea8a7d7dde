"""Reads of access for a while: loans between colleagues, emergency accesses and their review."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from hospital.identity import function_matrix
from hospital.identity.models import BreakGlass, Delegation, StaffAccount
from hospital.identity.queries.grants import own_holdings
from hospital.identity.queries.roles import EVERYBODY
from hospital.kernel.errors import NotFound


def lendable(*, account: StaffAccount) -> frozenset[str]:
    """Permissions somebody may lend: own ones, but no administrator's duty and nothing borrowed."""
    held = {row.permission for row in own_holdings(account=account)}
    return frozenset(held - function_matrix.ADMINISTRATORS_DUTIES - {EVERYBODY})


def delegations_of(*, account: StaffAccount, since: dt.datetime) -> list[Delegation]:
    """What somebody lent or borrowed and that ended after a moment, the newest first."""
    rows = Delegation.objects.filter(Q(giver=account) | Q(taker=account), ends_at__gt=since)
    return list(rows.select_related("giver", "taker").order_by("-pk"))


def emergencies_of(*, account: StaffAccount, since: dt.datetime) -> list[BreakGlass]:
    """Somebody's emergency accesses that ended after a moment, the newest first."""
    rows = BreakGlass.objects.filter(account=account, ends_at__gt=since)
    return list(rows.order_by("-pk"))


def emergencies(*, is_reviewed: bool, limit: int = 100) -> list[BreakGlass]:
    """Emergency accesses to review, the oldest first; reviewed ones, the newest first."""
    rows = BreakGlass.objects.select_related("account", "reviewed_by")
    rows = rows.exclude(verdict="") if is_reviewed else rows.filter(verdict="")
    return list(rows.order_by("-pk" if is_reviewed else "pk")[:limit])


def emergency(*, break_glass_id: int) -> BreakGlass:
    """One emergency access. Raises NotFound."""
    rows = BreakGlass.objects.select_related("account", "reviewed_by")
    found = rows.filter(pk=break_glass_id).first()
    if found is None:
        raise NotFound("没有这次紧急查阅。")
    return found
