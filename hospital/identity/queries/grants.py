"""What an account may do, how far it reaches and why (law 6).

Three sources: its roles in force, what colleagues lent it for a while, and nothing else. What a
doctor opened in an emergency is about one patient and is asked for by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from hospital.identity import networks
from hospital.identity.models import BreakGlass, Delegation, RoleAssignment, StaffAccount
from hospital.identity.permissions import BREAK_GLASS
from hospital.identity.queries import roles as role_queries
from hospital.identity.queries.rules import network_rules
from hospital.identity.reach import EVERYTHING, NOTHING, Reach
from hospital.identity.states import ADMINISTRATORS, DataScope
from hospital.kernel import clock
from hospital.kernel.permissions import Permission
from hospital.kernel.permissions import permission as permission_of
from hospital.organisation import queries as organisation


@dataclass(frozen=True, slots=True)
class Holding:
    """One reason why an account holds a permission: by which assignment, lent by whom."""

    permission: str
    scope: DataScope
    assignment: RoleAssignment
    delegation: Delegation | None = None


def asked_from(*, account: StaffAccount, address: str) -> None:
    """Remember from where this account object asks: what a colleague lends works only where the
    colleague's role does."""
    account.__dict__["_address"] = address
    account.__dict__.pop("_holdings", None)


def assignments(*, account: StaffAccount, on: dt.date) -> list[RoleAssignment]:
    """Return the role assignments in force on a hospital day."""
    rows = RoleAssignment.objects.filter(_in_force(on), account=account)
    return list(rows.select_related("department").order_by("role", "pk"))


def roles_of(*, account: StaffAccount) -> list[str]:
    """Return the codes of today's own roles of an active account, without repetition."""
    return list(dict.fromkeys(row.assignment.role for row in own_holdings(account=account)))


def holdings(*, account: StaffAccount) -> list[Holding]:
    """Every reason why an active account may do something now, own ones first."""
    return _remembered(account) if account.is_active else []


def own_holdings(*, account: StaffAccount) -> list[Holding]:
    """Every reason by the account's own roles, without what colleagues lent."""
    return [row for row in holdings(account=account) if row.delegation is None]


def permissions_of(account: StaffAccount) -> frozenset[str]:
    """Return the codes of all permissions an active account holds now (law 6)."""
    return frozenset(holding.permission for holding in holdings(account=account))


def may(account: StaffAccount, permission: Permission, *, department_id: int | None = None) -> bool:
    """Say whether an account holds a permission, and if a department is named, also there."""
    if department_id is not None:
        return reach(account, permission).covers(department_id=department_id)
    return any(row.permission == permission.code for row in holdings(account=account))


def reach(account: StaffAccount, permission: Permission) -> Reach:
    """Return how far a permission of an account goes now; nowhere when it is not held.

    A patient opened in an emergency is within reach of what the doctor may do at all.
    """
    found = NOTHING
    rows = [row for row in holdings(account=account) if row.permission == permission.code]
    for row in rows:
        found |= reach_of(row)
    if rows and not found.is_everything and may(account, BREAK_GLASS):
        found |= Reach(patient_ids=_opened(account))
    return found


def reach_of(holding: Holding) -> Reach:
    """How far one reason goes. An assignment for one department never leaves it; one without
    means the departments its holder works in today. A permission that does not narrow is all."""
    account, department_id = holding.assignment.account, holding.assignment.department_id
    declared = permission_of(holding.permission)
    if declared is None or not declared.narrows:
        return EVERYTHING
    if holding.scope is DataScope.OWN:
        own = account.practitioner_id
        return Reach(practitioner_ids=frozenset([own])) if own is not None else NOTHING
    if department_id is not None:
        return Reach(department_ids=frozenset([department_id]))
    if holding.scope is DataScope.HOSPITAL:
        return EVERYTHING
    return Reach(department_ids=_workplaces(account))


def break_glass_of(*, account: StaffAccount, patient_id: int, at: dt.datetime) -> BreakGlass | None:
    """Return the emergency access of an account to one patient that is open at a moment (UTC)."""
    rows = BreakGlass.objects.filter(account=account, patient_id=patient_id)
    return rows.filter(begins_at__lte=at, ends_at__gt=at).order_by("-ends_at").first()


def _remembered(account: StaffAccount) -> list[Holding]:
    """Read once per account object, which is once per request."""
    day = clock.today()
    memo: tuple[dt.date, list[Holding]] | None = account.__dict__.get("_holdings")
    if memo is None or memo[0] != day:
        memo = (day, _read(account, on=day))
        account.__dict__["_holdings"] = memo
    return memo[1]


def _read(account: StaffAccount, *, on: dt.date) -> list[Holding]:
    """By own roles, then by those of colleagues who lend; one statement while nobody does.

    What was lent to a giver they cannot lend on, and administrators borrow nothing: whoever keeps
    the system must not come to patients' data.
    """
    loans = Delegation.objects.filter(
        Q(begins_at__lte=clock.now(), ends_at__gt=clock.now()),
        taker=account,
        ended_at__isnull=True,
        giver__is_active=True,
    )
    whose = Q(account=account) | Q(account_id__in=loans.values("giver_id"))
    rows = RoleAssignment.objects.filter(_in_force(on), whose).select_related("department")
    found = list(rows.order_by("role", "pk"))
    own = [row for row in found if row.account_id == account.pk]
    for row in own:
        row.account = account  # the same object, so that nothing is read twice
    now = role_queries.grants()
    holdings = [holding for row in own for holding in _carried(row, now)]
    if len(own) == len(found) or any(row.role in ADMINISTRATORS for row in own):
        return holdings
    lending = list(loans.select_related("giver").order_by("pk"))
    return holdings + _borrowed(lending, _usable_here(account, found), now)


def _usable_here(account: StaffAccount, rows: list[RoleAssignment]) -> list[RoleAssignment]:
    """Without the roles whose networks leave out where the account asks from."""
    address: str | None = account.__dict__.get("_address")
    if address is None:
        return rows
    shut = {
        role
        for role, rule in network_rules().items()
        if rule.networks and not networks.contains(rule.networks, address)
    }
    return [row for row in rows if row.role not in shut]


def _borrowed(
    loans: list[Delegation], rows: list[RoleAssignment], now: role_queries.Grants
) -> list[Holding]:
    """What the givers' own roles carry of what they lend; no administrator's role carries any."""
    found = []
    for loan in loans:
        for row in rows:
            if row.account_id == loan.giver_id and row.role not in ADMINISTRATORS:
                row.account = loan.giver
                found += [
                    Holding(held.permission, held.scope, row, loan)
                    for held in _carried(row, now)
                    if held.permission in loan.permissions
                ]
    return found


def _carried(row: RoleAssignment, now: role_queries.Grants) -> Iterable[Holding]:
    for code, scope in now.get(row.role, {}).items():
        yield Holding(permission=code, scope=scope, assignment=row)


def _in_force(on: dt.date) -> Q:
    return Q(valid_from__lte=on) & (Q(valid_to__isnull=True) | Q(valid_to__gt=on))


def _opened(account: StaffAccount) -> frozenset[int]:
    at = clock.now()
    rows = BreakGlass.objects.filter(account=account, begins_at__lte=at, ends_at__gt=at)
    return frozenset(rows.values_list("patient_id", flat=True))


def _workplaces(account: StaffAccount) -> frozenset[int]:
    """Departments the practitioner behind an account works in today, read once a request."""
    if account.practitioner_id is None:
        return frozenset()
    memo: frozenset[int] | None = account.__dict__.get("_workplaces")
    if memo is None:
        found = organisation.departments_of(account.practitioner_id, on=clock.today())
        memo = frozenset(department.pk for department in found)
        account.__dict__["_workplaces"] = memo
    return memo
