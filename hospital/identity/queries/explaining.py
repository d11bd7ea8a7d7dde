"""Why somebody may do something, and who may do it: the effective-permission viewer (H1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from hospital.identity import wording
from hospital.identity.models import Delegation, RoleAssignment, StaffAccount
from hospital.identity.queries.grants import Holding, holdings, reach_of
from hospital.identity.queries.roles import EVERYBODY, grants, role_labels
from hospital.kernel import clock
from hospital.kernel.permissions import Permission, all_permissions
from hospital.organisation import queries as organisation


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: by which role or from whom, how far, since and until when.

    Days are those of the role; a loan has moments. `until` None is without an end.
    """

    role: str
    role_label: str
    giver: str
    scope_label: str
    reach: str
    since: dt.date
    until: dt.date | None
    lent_until: dt.datetime | None
    request_id: int | None


@dataclass(frozen=True, slots=True)
class Explained:
    """One permission somebody holds, with every reason."""

    permission: Permission
    area: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a permission, with every reason."""

    account: StaffAccount
    reasons: tuple[Reason, ...]


def explain(*, account: StaffAccount) -> list[Explained]:
    """Everything an account may do now, by area and label; nothing for one switched off."""
    names = organisation.department_labels()
    labels = role_labels()
    by_code: dict[str, list[Reason]] = {}
    for row in holdings(account=account):
        by_code.setdefault(row.permission, []).append(_reason(row, labels, names))
    return [
        Explained(one, wording.area_label(one), tuple(by_code[one.code]))
        for one in sorted(all_permissions(), key=lambda one: (wording.area_label(one), one.code))
        if one.code in by_code and one.code != EVERYBODY
    ]


def who_may(*, permission: Permission) -> list[Holder]:
    """Everybody who holds a permission now, by name."""
    names = organisation.department_labels()
    labels = role_labels()
    return [
        Holder(account, reasons)
        for account in _candidates(permission)
        if (
            reasons := tuple(
                _reason(row, labels, names)
                for row in holdings(account=account)
                if row.permission == permission.code
            )
        )
    ]


def _candidates(permission: Permission) -> Iterable[StaffAccount]:
    today, at = clock.today(), clock.now()
    roles = [role for role, held in grants().items() if permission.code in held]
    having = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=today), role__in=roles, valid_from__lte=today
    )
    lent = Delegation.objects.filter(begins_at__lte=at, ends_at__gt=at, ended_at__isnull=True)
    people = StaffAccount.objects.filter(is_active=True).filter(
        Q(pk__in=having.values("account_id")) | Q(pk__in=lent.values("taker_id"))
    )
    return people.select_related("practitioner").order_by("pinyin", "username")


def _reason(row: Holding, labels: dict[str, str], departments: dict[int, str]) -> Reason:
    assignment, lent = row.assignment, row.delegation
    return Reason(
        role=assignment.role,
        role_label=labels[assignment.role],
        giver=assignment.account.display_name if lent else "",
        scope_label=wording.scope_label(row.scope),
        reach=wording.reach_text(reach_of(row), departments),
        since=clock.hospital_day(lent.begins_at) if lent else assignment.valid_from,
        until=assignment.valid_to - dt.timedelta(days=1) if assignment.valid_to else None,
        lent_until=lent.ends_at if lent else None,
        request_id=assignment.request_id,
    )
