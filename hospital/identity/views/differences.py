"""What a request would change, in words: roles line by line, grants permission by permission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hospital.identity import queries, wording
from hospital.identity.actions import held_roles, wanted_of
from hospital.identity.models import AccessRequest
from hospital.identity.states import RequestKind, RequestStatus
from hospital.kernel import clock
from hospital.kernel.permissions import permission
from hospital.organisation import queries as organisation


def role_changes(row: AccessRequest) -> list[dict[str, object]]:
    """Each role somebody has or shall have: before, after; decided ones show what was asked."""
    labels, names = queries.role_labels(), organisation.department_labels()
    after = {(one.role, one.department_id): one for one in wanted_of(row)}
    before = {}
    if row.account is not None and row.status == RequestStatus.WAITING:
        today = held_roles(row.account, on=clock.today())
        before = {(one.role, one.department_id): one for one in today}
    lines = []
    for key in sorted({*before, *after}, key=str):
        role, department = key
        old, new = before.get(key), after.get(key)
        if old and new and (new.valid_from or clock.today()) <= clock.today():
            new = replace(new, valid_from=old.valid_from)  # it goes on, whatever was typed
        lines.append(
            {
                "label": labels.get(role, role),
                "department": names.get(department, "") if department is not None else "",
                "before": wording.period(old.valid_from, old.valid_to) if old else wording.NONE,
                "after": wording.period(new.valid_from, new.valid_to) if new else wording.NONE,
                "is_new": old is None,
                "is_gone": new is None,
            }
        )
    return lines


def grant_changes(row: AccessRequest) -> list[dict[str, object]]:
    """What a request about a role would change, or did change."""
    if row.status == RequestStatus.WAITING:
        if row.kind == RequestKind.RETIRE_ROLE:
            return grant_lines(queries.changes(queries.grants_of(role=row.role), {}))
        return grant_lines(
            queries.changes(queries.grants_of(role=row.role), queries.scopes_of(row.wanted))
        )
    return grant_lines(queries.changes({}, queries.scopes_of(row.wanted)))


def grant_lines(found: Mapping[str, tuple[str, str]]) -> list[dict[str, object]]:
    """Permission, scope before, scope after, in words."""
    lines: list[dict[str, object]] = []
    for code, (old, new) in found.items():
        declared = permission(code)
        lines.append(
            {
                "label": declared.label if declared else code,
                "area": wording.area_label(declared) if declared else "",
                "before": wording.scope_label(old),
                "after": wording.scope_label(new),
                "is_new": not old,
                "is_gone": not new,
            }
        )
    return lines
