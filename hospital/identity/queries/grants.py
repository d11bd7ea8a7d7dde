"""What an account may do: its roles in force and the permissions they carry (law 6)."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from hospital.identity.models import RoleAssignment, StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.permissions import Permission, all_permissions


def assignments(*, account: StaffAccount, on: dt.date) -> list[RoleAssignment]:
    """Return the role assignments in force on a hospital day."""
    in_force = Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))
    rows = RoleAssignment.objects.filter(in_force, account=account)
    return list(rows.select_related("department").order_by("role", "pk"))


def roles_of(*, account: StaffAccount) -> list[Role]:
    """Return today's roles of an account, without repetition."""
    codes = dict.fromkeys(row.role for row in _today(account))
    return [Role(code) for code in codes]


def permissions_of(account: StaffAccount) -> frozenset[str]:
    """Return the codes of all permissions today's roles of an active account carry (law 6)."""
    roles = {row.role for row in _today(account)}
    return frozenset(p.code for p in all_permissions() if roles.intersection(p.roles))


def may(account: StaffAccount, permission: Permission, *, department_id: int | None = None) -> bool:
    """Say whether an account holds a permission, and if a department is named, also there.

    An assignment without a department covers the whole hospital.
    """
    return any(
        row.role in permission.roles
        and (department_id is None or row.department_id in {None, department_id})
        for row in _today(account)
    )


def _today(account: StaffAccount) -> list[RoleAssignment]:
    """Return the assignments of an active account, read once per account object (= per request)."""
    if not account.is_active:
        return []
    day = clock.today()
    memo: tuple[dt.date, list[RoleAssignment]] | None = account.__dict__.get("_assignments")
    if memo is None or memo[0] != day:
        memo = (day, assignments(account=account, on=day))
        account.__dict__["_assignments"] = memo
    return memo[1]
