"""Giving and ending the roles of an account, and the two rules that hold whoever does it.

The three administrators are different people whose accounts do nothing else, and the last of each
kind stays (H1.2). Every change of access waits for the same lock, so that two colleagues cannot
remove each other at the same moment.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from django.db import connection
from django.db.models import Q

from hospital.identity import queries
from hospital.identity.models import AccessRequest, RoleAssignment, StaffAccount
from hospital.identity.states import ADMINISTRATORS, Role
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, Refusal
from hospital.organisation import queries as organisation


class AdministratorsApart(Refusal):
    """Somebody would be two administrators, or an administrator with other work."""

    code: ClassVar[str] = "ADMINISTRATORS_APART"
    default_message: ClassVar[str] = (
        "系统管理员、安全管理员、审计管理员必须由不同的人担任，"
        "他们的账号也不能再有其他岗位；需要时请另建账号。"
    )


class LastAdministrator(Refusal):
    """Nobody of a kind of administrator would be left; details: role (Chinese label)."""

    code: ClassVar[str] = "LAST_ADMINISTRATOR"
    default_message: ClassVar[str] = "这是最后一名管理员，请先任命另一名不设截止日期的管理员。"


@dataclass(frozen=True)
class Wanted:
    """One role somebody shall have: a half-open period of hospital days, open without an end."""

    role: str
    department_id: int | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    def as_json(self) -> dict[str, object]:
        """As it is kept in a request: days as ISO text."""
        return {key: str(x) if isinstance(x, dt.date) else x for key, x in asdict(self).items()}


def wanted_of(request: AccessRequest) -> list[Wanted]:
    """The roles a request asks for."""
    return from_json(request.wanted)


def from_json(rows: Iterable[dict[str, object]]) -> list[Wanted]:
    """What a request keeps, as values again."""
    return [
        Wanted(
            role=str(row["role"]),
            department_id=None if (code := row["department_id"]) is None else int(str(code)),
            valid_from=_day(row["valid_from"]),
            valid_to=_day(row["valid_to"]),
        )
        for row in rows
    ]


def lock_access() -> None:
    """Wait for every other change of access to end; for the rest of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('identity:access', 0))")


def held(account: StaffAccount, *, on: dt.date) -> list[Wanted]:
    """What an account has or is going to have, as the state somebody might have wished for."""
    return [
        Wanted(row.role, row.department_id, row.valid_from, row.valid_to)
        for row in _lasting(account, on=on)
    ]


def check_wanted(wanted: Sequence[Wanted], *, account: StaffAccount, on: dt.date) -> None:
    """Whether these roles exist and fit together and to the person of this account.

    Raises Invalid, AdministratorsApart.
    """
    errors: list[str] = []
    known = queries.role_labels(with_retired=False)
    departments = organisation.department_labels()
    for entry in wanted:
        if entry.department_id is not None and entry.department_id not in departments:
            errors.append("没有这个科室。")
        if entry.role not in known:
            errors.append(f"没有这个角色：{entry.role}。")
        elif entry.valid_to is not None and entry.valid_to <= max(entry.valid_from or on, on):
            errors.append(f"“{known[entry.role]}”的截止日期必须晚于开始日期和今天。")
    pairs = Counter((entry.role, entry.department_id) for entry in wanted)
    errors += [f"“{known.get(role, role)}”重复了。" for (role, _), n in pairs.items() if n > 1]
    if errors:
        raise Invalid({"roles": errors}, " ".join(errors))
    check_apart([entry.role for entry in wanted], account=account, on=on)


def check_apart(roles: Collection[str], *, account: StaffAccount, on: dt.date) -> None:
    """Whether one account may have all these roles, and its owner, who may have a second account,
    sits on no other administrator's chair. Raises AdministratorsApart.
    """
    different = set(roles)
    chairs = different & set(ADMINISTRATORS)
    if chairs and len(different) > 1:
        raise AdministratorsApart
    for other in queries.accounts_of_person(account=account) if chairs else ():
        elsewhere = {row.role for row in _lasting(other, on=on)} & set(ADMINISTRATORS)
        if other.is_active and elsewhere - chairs:
            raise AdministratorsApart(
                "这个人（同一位医生或同一个手机号）的另一个账号已经是别的管理员，"
                "三种管理员必须由不同的人担任。"
            )


def person_stays_apart(account: StaffAccount, *, on: dt.date) -> None:
    """The same, for an account whose owner has just become another. Raises AdministratorsApart."""
    check_apart([row.role for row in _lasting(account, on=on)], account=account, on=on)


def assign(
    account: StaffAccount,
    wanted: Iterable[Wanted],
    *,
    request: AccessRequest | None,
    at: dt.datetime,
) -> None:
    """Make these the roles of an account: what is not named ends today, the past stays.

    The caller holds `lock_access` and keeps the administrators (`administrators_stay`).
    """
    day = hospital_day(at)
    goals = {(entry.role, entry.department_id): entry for entry in wanted}
    for row in _lasting(account, on=day):
        goal = goals.pop((row.role, row.department_id), None)
        end = goal.valid_to if goal is not None else max(day, row.valid_from)
        start = row.valid_from
        if goal is not None and start > day:
            start = max(goal.valid_from or day, day)
        if (row.valid_from, row.valid_to) != (start, end):
            row.valid_from, row.valid_to = start, end
            row.save(update_fields=["valid_from", "valid_to"])
    for entry in sorted(goals.values(), key=lambda one: (one.role, one.department_id or 0)):
        RoleAssignment.objects.create(
            account=account,
            role=entry.role,
            department_id=entry.department_id,
            valid_from=max(entry.valid_from or day, day),
            valid_to=entry.valid_to,
            granted_at=at,
            request=request,
        )


def keepers(*, on: dt.date) -> Counter[str]:
    """How many active accounts are each kind of administrator without an end in sight."""
    rows = RoleAssignment.objects.filter(
        role__in=ADMINISTRATORS, valid_from__lte=on, valid_to__isnull=True, account__is_active=True
    )
    return Counter(rows.values_list("role", flat=True))


def administrators_stay(before: Counter[str], *, on: dt.date) -> None:
    """Whether every kind of administrator that somebody was, somebody still is.

    Raises LastAdministrator.
    """
    now = keepers(on=on)
    for role in ADMINISTRATORS:
        if before[role] and not now[role]:
            label = Role(role).label
            message = f"这是最后一名{label}，请先任命另一名不设截止日期的{label}。"
            raise LastAdministrator(message, role=label)


def approval_is_needed(*, at: dt.datetime) -> bool:
    """Whether somebody could approve: a security administrator was here before this moment.

    Those an import brings along with everybody else do not count, or a first import would have to
    ask somebody it is about to make (decision 0037).
    """
    day = hospital_day(at)
    rows = RoleAssignment.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=day),
        role=Role.SECURITY_ADMIN,
        valid_from__lte=day,
        granted_at__lt=at,
        account__is_active=True,
    )
    return rows.exists()


def _lasting(account: StaffAccount, *, on: dt.date) -> list[RoleAssignment]:
    """The assignments in force on a day or later, empty periods left out."""
    rows = RoleAssignment.objects.filter(account=account).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=on)
    )
    return list(rows.order_by("role", "department_id", "pk"))


def _day(value: object) -> dt.date | None:
    return dt.date.fromisoformat(str(value)) if value is not None else None
