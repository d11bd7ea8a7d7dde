"""The staff editor's reads: the list as one types, one person, roles past and to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hospital.identity.models import AccessRequest, RoleAssignment, StaffAccount
from hospital.identity.queries.roles import role_labels
from hospital.identity.states import RequestStatus
from hospital.kernel import pinyin
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import subject_type

PEOPLE_AT_MOST = 100
_CHANGES_AT_MOST: Final = 50
_CHANGES: Final = tuple(
    f"identity.{act}"
    for act in (
        "save_staff",
        "open_account",
        "change_account",
        "switch_off",
        "switch_on",
        "reset_password",
        "change_password",
    )
)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One role of somebody in words; `until` is the last day, None without an end."""

    role: str
    label: str
    department_id: int | None
    department: str
    since: dt.date
    until: dt.date | None
    is_over: bool
    is_to_come: bool
    request_id: int | None

    @property
    def text(self) -> str:
        """ "医生（针灸科）至 2026-12-31": as one line of a list shows it."""
        place = f"（{self.department}）" if self.department else ""
        if self.is_to_come:
            return f"{self.label}{place} {self.since} 起"
        return f"{self.label}{place} 至 {self.until}" if self.until else f"{self.label}{place}"


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A member of staff as the list shows them."""

    id: int
    username: str
    name: str
    is_active: bool
    practitioner: str
    roles: tuple[HeldRow, ...]
    is_waiting: bool

    @property
    def roles_text(self) -> str:
        """All roles in one line."""
        return "、".join(row.text for row in self.roles)


def people(*, text: str, state: str, on: dt.date) -> list[PersonRow]:
    """Accounts by name, pinyin, initials, user name, role or department, sorted by pinyin.

    `state` is "on", "off" or "" for both; at most PEOPLE_AT_MOST.
    """
    accounts = StaffAccount.objects.select_related("practitioner").order_by("pinyin", "username")
    if state:
        accounts = accounts.filter(is_active=state == "on")
    waiting = set(
        AccessRequest.objects.filter(
            status=RequestStatus.WAITING, account__isnull=False
        ).values_list("account_id", flat=True)
    )
    roles = _roles_by_account(on)
    rows = [
        PersonRow(
            id=account.pk,
            username=account.username,
            name=account.display_name,
            is_active=account.is_active,
            practitioner=account.practitioner.name if account.practitioner else "",
            roles=tuple(roles.get(account.pk, ())),
            is_waiting=account.pk in waiting,
        )
        for account in accounts
        if _fits(account, roles.get(account.pk, ()), pinyin.fold(text))
    ]
    return rows[:PEOPLE_AT_MOST]


def person(*, account_id: int) -> StaffAccount:
    """One account with its practitioner. Raises NotFound."""
    found = StaffAccount.objects.select_related("practitioner").filter(pk=account_id).first()
    if found is None:
        raise NotFound("没有这位员工。")
    return found


def colleagues(*, text: str, but: StaffAccount, limit: int = 12) -> list[StaffAccount]:
    """Active accounts other than one's own, found by name, pinyin or user name."""
    wanted = pinyin.fold(text)
    if not wanted:
        return []
    rows = StaffAccount.objects.filter(is_active=True).exclude(pk=but.pk)
    return [row for row in rows.order_by("pinyin", "username") if _fits(row, (), wanted)][:limit]


def roles_held(*, account: StaffAccount, on: dt.date) -> list[HeldRow]:
    """Every role somebody ever had, present and coming ones first."""
    labels = role_labels()
    rows = RoleAssignment.objects.filter(account=account).select_related("department")
    found = [
        _held(row, labels, on)
        for row in rows.order_by("-valid_from", "role", "pk")
        if row.valid_to != row.valid_from
    ]
    return sorted(found, key=lambda row: row.is_over)


def account_changes(*, account: StaffAccount) -> list[AuditEntry]:
    """What was done to an account itself, the newest first; log-ins and roles stand elsewhere."""
    rows = AuditEntry.objects.filter(
        subject_type=subject_type(account), subject_id=account.pk, act__in=_CHANGES
    )
    return list(rows.order_by("-pk")[:_CHANGES_AT_MOST])


def _roles_by_account(on: dt.date) -> dict[int, list[HeldRow]]:
    labels = role_labels()
    found: dict[int, list[HeldRow]] = {}
    rows = RoleAssignment.objects.exclude(valid_to__lte=on).select_related("department")
    for row in rows.order_by("role", "pk"):
        found.setdefault(row.account_id, []).append(_held(row, labels, on))
    return found


def _held(row: RoleAssignment, labels: dict[str, str], on: dt.date) -> HeldRow:
    return HeldRow(
        role=row.role,
        label=labels[row.role],
        department_id=row.department_id,
        department=row.department.name if row.department else "",
        since=row.valid_from,
        until=row.valid_to - dt.timedelta(days=1) if row.valid_to else None,
        is_over=row.valid_to is not None and row.valid_to <= on,
        is_to_come=row.valid_from > on,
        request_id=row.request_id,
    )


def _fits(account: StaffAccount, roles: Iterable[HeldRow], wanted: str) -> bool:
    joined = account.pinyin.replace(" ", "")
    return (
        not wanted
        or wanted in pinyin.fold(account.display_name)
        or joined.startswith(wanted)
        or account.initials.startswith(wanted)
        or wanted in account.username
        or any(wanted in pinyin.fold(row.label + row.department) for row in roles)
    )
