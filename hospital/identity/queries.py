"""Reads of the identity area: WeChat users, staff accounts, and what an account may do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db.models import Q

from hospital.identity.models import LoginAttempt, RoleAssignment, StaffAccount, WeChatUser
from hospital.identity.states import AttemptOutcome, Role
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.kernel.permissions import Permission, all_permissions

if TYPE_CHECKING:
    from collections.abc import Iterable


def wechat_user(*, user_id: int) -> WeChatUser | None:
    """Return one WeChat user, None when there is none."""
    return WeChatUser.objects.filter(pk=user_id).first()


def lock_wechat_user(*, user_id: int) -> WeChatUser:
    """Return one WeChat user, locked to the end of the caller's transaction. Raises NotFound.

    The lock under which everything counted per user is counted: patients, unpaid holds.
    """
    user = WeChatUser.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def staff_account(*, username: str) -> StaffAccount | None:
    """Return the account of a user name (case does not matter), None when there is none."""
    return StaffAccount.objects.filter(username=username.strip().lower()).first()


def staff_names(*, account_ids: Iterable[int]) -> dict[int, str]:
    """Return display names by account id, for pages that show who did something."""
    rows = StaffAccount.objects.filter(pk__in=list(account_ids))
    return dict(rows.values_list("pk", "display_name"))


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


def login_failures(*, since: dt.datetime, username: str = "", address: str = "") -> int:
    """Count failed log-ins since a moment, of a user name or from an address.

    A success of the user name wipes its earlier failures.
    """
    rows = LoginAttempt.objects.filter(at__gt=since)
    if address:
        return rows.filter(address=address, outcome=AttemptOutcome.FAILED).count()
    rows = rows.filter(username=username)
    success = rows.filter(outcome=AttemptOutcome.SUCCEEDED).order_by("-pk").first()
    if success is not None:
        rows = rows.filter(pk__gt=success.pk)
    return rows.filter(outcome=AttemptOutcome.FAILED).count()


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
