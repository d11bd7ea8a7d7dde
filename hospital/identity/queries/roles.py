"""What each role may do: the code's defaults, and the hospital's own changes over them.

Like configuration rows (decision 0016): append-only, in force from a moment on, kept for at most
a second in this process.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hospital.identity.models import AccessRequest, CustomRole, GrantChange, RoleAssignment
from hospital.identity.states import ADMINISTRATORS, DataScope, Role
from hospital.kernel import clock
from hospital.kernel.errors import NotFound
from hospital.kernel.moment_cache import MomentCache
from hospital.kernel.permissions import all_permissions

#: Role → permission → how far it reaches.
Grants = Mapping[str, Mapping[str, DataScope]]
_grants: MomentCache[str, Grants] = MomentCache(most=1)
#: What everybody who works here holds, whatever the role: never taken away, never shown to choose.
EVERYBODY = "identity.signed_in"


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role as lists show it; `changed` counts its permissions that are not the code's."""

    code: str
    label: str
    is_custom: bool
    is_fixed: bool
    is_retired: bool
    permissions: int
    changed: int
    holders: int


def grants() -> Grants:
    """What every role may do now."""
    return _grants.get("now", _read)


def grants_of(*, role: str) -> Mapping[str, DataScope]:
    """Permission → scope of one role now, without what everybody holds."""
    return {code: scope for code, scope in grants().get(role, {}).items() if code != EVERYBODY}


def default_grants(*, role: str) -> dict[str, DataScope]:
    """What the code gives a role, without what everybody holds."""
    return {
        one.code: DataScope(scope)
        for one in all_permissions()
        if one.code != EVERYBODY and (scope := one.default_scope(role))
    }


def role_labels(*, with_retired: bool = True) -> dict[str, str]:
    """Code → label of every role, shipped ones first."""
    rows = CustomRole.objects.order_by("pk")
    if not with_retired:
        rows = rows.filter(retired_at__isnull=True)
    shipped = {str(role.value): str(role.label) for role in Role}
    return shipped | dict(rows.values_list("code", "label"))


def role_label(*, role: str) -> str:
    """The label of one role. Raises NotFound."""
    label = role_labels().get(role)
    if label is None:
        raise NotFound("没有这个角色。")
    return label


def custom_role(*, code: str) -> CustomRole | None:
    """The hospital's own role of a code, None for a shipped one."""
    return CustomRole.objects.filter(code=code).first()


def roles() -> list[RoleRow]:
    """Every role with how many permissions and holders it has today."""
    today = clock.today()
    holders: dict[str, set[int]] = {}
    open_rows = RoleAssignment.objects.filter(valid_from__lte=today, account__is_active=True)
    for role, account_id in (
        open_rows.exclude(valid_to__lte=today).values_list("role", "account_id").order_by("pk")
    ):
        holders.setdefault(role, set()).add(account_id)
    own = {row.code: row for row in CustomRole.objects.all()}
    return [
        RoleRow(
            code=code,
            label=label,
            is_custom=code in own,
            is_fixed=code in ADMINISTRATORS,
            is_retired=code in own and own[code].retired_at is not None,
            permissions=len(grants_of(role=code)),
            changed=0 if code in own else len(differences(role=code)),
            holders=len(holders.get(code, ())),
        )
        for code, label in role_labels().items()
    ]


def differences(*, role: str) -> dict[str, tuple[str, str]]:
    """Where a shipped role's permissions are not the code's: permission → (default, now)."""
    return changes(default_grants(role=role), grants_of(role=role))


def changes(
    before: Mapping[str, DataScope], after: Mapping[str, DataScope]
) -> dict[str, tuple[str, str]]:
    """Permission → (scope before, scope after) where they differ; "" is "does not hold it"."""
    codes = sorted({*before, *after})
    pairs = {code: (str(before.get(code, "")), str(after.get(code, ""))) for code in codes}
    return {code: pair for code, pair in pairs.items() if pair[0] != pair[1]}


def scopes_of(wanted: Mapping[str, str]) -> dict[str, DataScope]:
    """What a form or a request names, without what is no scope."""
    return {code: DataScope(scope) for code, scope in wanted.items() if scope in DataScope.values}


def grant_history(*, role: str) -> list[AccessRequest]:
    """Every change of a role that was asked for, the newest first."""
    return list(AccessRequest.objects.filter(role=role).order_by("-pk"))


def forget() -> None:
    """Drop this process's kept grants; other processes see a change within a second."""
    _grants.forget()


def _read() -> Grants:
    found: dict[str, dict[str, DataScope]] = {}
    declared = all_permissions()
    for one in declared:
        for role in one.roles:
            found.setdefault(role, {})[one.code] = DataScope(one.default_scope(role))
    codes = {one.code for one in declared}
    for row in _in_force(clock.now()):
        held = found.setdefault(row.role, {EVERYBODY: DataScope.HOSPITAL})
        if row.scope and row.permission in codes:
            held[row.permission] = DataScope(row.scope)
        else:
            held.pop(row.permission, None)
    return found


def _in_force(at: dt.datetime) -> Iterable[GrantChange]:
    return GrantChange.objects.filter(valid_from__lte=at).order_by("valid_from", "pk")
