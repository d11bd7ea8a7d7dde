"""Making and changing staff accounts and the roles they have."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from django.db import transaction

from hospital.identity import queries
from hospital.identity.actions.passwords import password_errors
from hospital.identity.models import RoleAssignment, StaffAccount
from hospital.identity.states import Role
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound
from hospital.organisation import queries as organisation

if TYPE_CHECKING:
    from hospital.organisation.models import Department, Practitioner

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_USERNAME_SHAPE: Final = "用户名用小写字母、数字和 . _ - ，以字母或数字开头，最长 40 位。"


def save_staff(
    *,
    username: str,
    display_name: str,
    roles: Sequence[str],
    by: Actor,
    at: dt.datetime,
    practitioner: str | None = None,
    department: str | None = None,
    initial_password: str | None = None,
    is_active: bool = True,
) -> bool:
    """Create or change the account of a user name with exactly these roles; say if that changed it.

    Practitioner and department are codes; a department narrows all the roles to it. The initial
    password counts for a new account only: repeating an import must not undo the password somebody
    chose since. Roles not named end today. Raises Invalid.
    """
    username = username.strip().lower()
    with transaction.atomic():
        account = StaffAccount.objects.select_for_update().filter(username=username).first()
        is_new = account is None
        if account is None:
            account = StaffAccount(username=username, created_at=at)
        errors = _name_errors(username, display_name) | _role_errors(roles)
        practitioner_id = _find("practitioner", practitioner, errors)
        department_id = _find("department", department, errors)
        if is_new:
            if sentences := password_errors(account, initial_password or ""):
                errors["initial_password"] = sentences
            account.set_password(initial_password)
        if errors:
            raise Invalid(errors)
        before = {} if is_new else _snapshot(account, at=at)
        account.display_name = display_name.strip()
        account.practitioner_id = practitioner_id
        account.is_active = is_active
        account.save()
        _save_roles(account, wanted={(role, department_id) for role in roles}, at=at)
        after = _snapshot(account, at=at)
        if before != after:
            audit.record(
                act="identity.save_staff",
                subject=account,
                by=by,
                at=at,
                before=before,
                after=after,
            )
    return before != after


def _name_errors(username: str, display_name: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not _USERNAME.fullmatch(username):
        errors["username"] = [_USERNAME_SHAPE]
    if not display_name.strip():
        errors["display_name"] = ["请填写姓名。"]
    return errors


def _role_errors(roles: Iterable[str]) -> dict[str, list[str]]:
    unknown = sorted(set(roles) - set(Role.values))
    return {"roles": [f"没有这个角色：{'、'.join(unknown)}。"]} if unknown else {}


def _find(field: str, code: str | None, errors: dict[str, list[str]]) -> int | None:
    """Return the id behind the code of a practitioner or department; note an unknown one."""
    if not code:
        return None
    try:
        row: Practitioner | Department
        if field == "practitioner":
            row = organisation.practitioner(code, active_only=False)
        else:
            row = organisation.department(code, active_only=False)
    except NotFound:
        errors[field] = [f"没有这个编码：{code}。"]
        return None
    return row.pk


def _save_roles(
    account: StaffAccount, *, wanted: set[tuple[str, int | None]], at: dt.datetime
) -> None:
    day = hospital_day(at)
    open_rows = RoleAssignment.objects.filter(account=account, valid_to__isnull=True)
    held = {(row.role, row.department_id): row for row in open_rows}
    for key in held.keys() - wanted:
        held[key].valid_to = day
        held[key].save(update_fields=["valid_to"])
    for role, department_id in sorted(wanted - held.keys(), key=str):
        RoleAssignment.objects.create(
            account=account, role=role, department_id=department_id, valid_from=day
        )


def _snapshot(account: StaffAccount, *, at: dt.datetime) -> dict[str, object]:
    rows = queries.assignments(account=account, on=hospital_day(at))
    return {
        "display_name": account.display_name,
        "practitioner_id": account.practitioner_id,
        "is_active": account.is_active,
        "roles": sorted([row.role, row.department_id or 0] for row in rows),
    }
