"""Changes of access that wait for the security administrator, and who may do what."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import actions, queries, wording
from hospital.identity.access import StaffRequest, staff_page
from hospital.identity.models import AccessRequest
from hospital.identity.permissions import APPROVE_ACCESS, VIEW_ACCESS
from hospital.identity.states import RequestKind, RequestStatus
from hospital.identity.views.differences import grant_changes, role_changes
from hospital.identity.views.frame import access_tabs
from hospital.identity.views.trail import names_of
from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.permissions import all_permissions, permission
from hospital.ui.typed import typed

_TONES = {RequestStatus.WAITING: "warn", RequestStatus.APPROVED: "brand"}


@staff_page(VIEW_ACCESS)
@require_safe
def requests(request: StaffRequest) -> HttpResponse:
    """What waits, and what was decided lately."""
    waiting = queries.access_requests(is_waiting=True)
    decided = queries.access_requests(is_waiting=False, limit=30)
    names = names_of([who for row in waiting + decided for who in (row.asked_by, row.decided_by)])
    labels = queries.role_labels()
    context = {
        "tabs": access_tabs("identity-requests", waiting=len(waiting)),
        "waiting": [_line(row, names, labels) for row in waiting],
        "decided": [_line(row, names, labels) for row in decided],
        "may_decide": queries.may(request.user, APPROVE_ACCESS),
    }
    return render(request, "identity/staff/requests.html", context)


@staff_page(VIEW_ACCESS)
@require_safe
def one(request: StaffRequest, request_id: int) -> HttpResponse:
    """One request: what would change, who asked and why; the second person decides here."""
    row = queries.access_request(request_id=request_id)
    names = names_of([row.asked_by, row.decided_by])
    is_roles = row.kind == RequestKind.ASSIGNMENT
    me, whose = str(request.actor), str(Actor("staff", row.account_id or 0))
    is_own = queries.is_one_person(whose, me)
    context = {
        "row": row,
        "line": _line(row, names, queries.role_labels()),
        "roles": role_changes(row) if is_roles else [],
        "grants": [] if is_roles else grant_changes(row),
        "is_waiting": row.status == RequestStatus.WAITING,
        "may_decide": queries.may(request.user, APPROVE_ACCESS)
        and not queries.is_one_person(row.asked_by, me)
        and not is_own,
        "is_own": is_own,
    }
    return render(request, "identity/staff/request.html", context)


@staff_page(APPROVE_ACCESS)
@require_POST
def decide(request: StaffRequest, request_id: int) -> HttpResponse:
    """Agree or refuse; from this moment on."""
    note = typed(request.POST, "note", most=200)
    act = actions.approve_access if request.POST.get("answer") == "yes" else actions.reject_access
    row = act(request_id=request_id, note=note, by=request.actor, at=clock.now())
    messages.success(request, f"{row.get_status_display()}。")
    return redirect("identity-requests")


@staff_page(VIEW_ACCESS)
@require_safe
def access(request: StaffRequest) -> HttpResponse:
    """Who may do X: every holder of one permission, with the reasons."""
    code = typed(request.GET, "permission", most=80)
    chosen = permission(code) if code else None
    if code and chosen is None:
        raise NotFound("没有这项权限。")
    groups: dict[str, list[object]] = {}
    for one_ in all_permissions():
        if one_.code != queries.EVERYBODY:
            groups.setdefault(wording.area_label(one_), []).append(one_)
    context = {
        "tabs": access_tabs("identity-access", waiting=queries.waiting_requests()),
        "groups": groups.items(),
        "chosen": chosen,
        "rows": queries.who_may(permission=chosen) if chosen else [],
    }
    return render(request, "identity/staff/access.html", context)


def _line(row: AccessRequest, names: dict[str, str], labels: dict[str, str]) -> dict[str, object]:
    account = row.account
    return {
        "row": row,
        "about": account.display_name if account else row.label or labels.get(row.role, row.role),
        "note": account.username if account else "",
        "asked_by": names[row.asked_by],
        "decided_by": names[row.decided_by],
        "tone": _TONES.get(RequestStatus(row.status), "danger"),
    }
