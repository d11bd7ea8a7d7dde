"""The role editor: what each role may do, how far, and what a change would do before it is asked.

The three administrators' roles can be looked at only.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import access_forms as forms
from hospital.identity import actions, function_matrix, queries, wording
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.identity.models import AccessRequest
from hospital.identity.permissions import MANAGE_ROLES, VIEW_ACCESS
from hospital.identity.states import ADMINISTRATORS, DataScope
from hospital.identity.views.differences import grant_lines
from hospital.identity.views.trail import of_role
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.kernel.permissions import all_permissions
from hospital.ui.typed import typed

_ALL = ("", *DataScope.values)
_WHOLE = ("", DataScope.HOSPITAL.value)


@staff_page(VIEW_ACCESS)
@require_safe
def roles(request: StaffRequest) -> HttpResponse:
    """Every role: shipped, the hospital's own, and what was changed."""
    context = {
        "rows": queries.roles(),
        "may_edit": queries.may(request.user, MANAGE_ROLES),
    }
    return render(request, "identity/staff/roles.html", context)


@staff_page(VIEW_ACCESS)
@require_safe
def role(request: StaffRequest, code: str) -> HttpResponse:
    """One role: its permissions by area, its holders, its history."""
    return _editor(request, code, queries.grants_of(role=code))


@staff_page(MANAGE_ROLES)
@require_POST
def change(request: StaffRequest, code: str) -> HttpResponse:
    """Show the difference first; asked for once a reason stands beside it."""
    wanted = forms.wanted_grants(request.POST)
    if "edit" in request.POST:
        return _editor(request, code, queries.scopes_of(wanted))
    found = queries.changes(queries.grants_of(role=code), queries.scopes_of(wanted))
    errors: list[str] = []
    if "ask" in request.POST:
        try:
            asked = actions.ask_for_grants(
                role=code,
                wanted=wanted,
                reason=typed(request.POST, "reason", most=200),
                by=request.actor,
                at=clock.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = _sentences(refusal)
        else:
            return _asked(request, asked)
    return _preview(request, queries.role_label(role=code), found, wanted, errors, code=code)


@staff_page(MANAGE_ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: StaffRequest) -> HttpResponse:
    """A role of the hospital's own, begun as a copy of another one."""
    label = typed(request.POST, "label", most=20)
    if request.method != "POST" or "edit" in request.POST:
        copy_of = typed(request.GET, "copy_of", most=40)
        held = (
            queries.scopes_of(forms.wanted_grants(request.POST))
            if request.method == "POST"
            else _copied(copy_of)
        )
        context = {
            "is_new": True,
            "label": label,
            "groups": _groups(held, is_fixed=False),
            "copy_of": copy_of,
            "role_choices": [
                (code, name)
                for code, name in queries.role_labels(with_retired=False).items()
                if code not in ADMINISTRATORS
            ],
            "may_edit": True,
        }
        return render(request, "identity/staff/role_new.html", context)
    wanted = forms.wanted_grants(request.POST)
    errors: list[str] = []
    if "ask" in request.POST:
        try:
            asked = actions.ask_for_new_role(
                label=label,
                wanted=wanted,
                reason=typed(request.POST, "reason", most=200),
                by=request.actor,
                at=clock.now(),
            )
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = _sentences(refusal)
        else:
            return _asked(request, asked)
    found = queries.changes({}, queries.scopes_of(wanted))
    return _preview(request, label, found, wanted, errors)


@staff_page(MANAGE_ROLES)
@require_POST
def retire(request: StaffRequest, code: str) -> HttpResponse:
    """Ask that a role of the hospital's own be given to nobody any more."""
    reason = typed(request.POST, "reason", most=200)
    asked = actions.ask_to_retire(role=code, reason=reason, by=request.actor, at=clock.now())
    return _asked(request, asked)


def _editor(request: StaffRequest, code: str, held: Mapping[str, DataScope]) -> HttpResponse:
    label = queries.role_label(role=code)
    custom = queries.custom_role(code=code)
    is_fixed = code in ADMINISTRATORS
    is_retired = custom is not None and custom.retired_at is not None
    context = {
        "code": code,
        "label": label,
        "is_custom": custom is not None,
        "is_fixed": is_fixed,
        "is_retired": is_retired,
        "groups": _groups(held, is_fixed=is_fixed),
        "defaults": {} if custom else grant_lines(queries.differences(role=code)),
        "holders": queries.holders_of_role(role=code, on=clock.today()),
        "events": of_role(code),
        "may_edit": queries.may(request.user, MANAGE_ROLES) and not is_fixed and not is_retired,
        "waiting": _waiting(code),
    }
    return render(request, "identity/staff/role.html", context)


def _preview(
    request: StaffRequest,
    label: str,
    found: Mapping[str, tuple[str, str]],
    wanted: Mapping[str, str],
    errors: list[str],
    *,
    code: str = "",
) -> HttpResponse:
    context = {
        "code": code,
        "label": label,
        "lines": grant_lines(found),
        "wanted": [(f"scope:{permission}", scope) for permission, scope in wanted.items()],
        "reason": request.POST.get("reason", ""),
        "errors": errors,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "identity/staff/role_change.html", context, status=status)


def _groups(held: Mapping[str, DataScope], *, is_fixed: bool) -> list[tuple[str, list[object]]]:
    """Permissions by area with the scopes one may choose; administrators' duties only for them."""
    groups: dict[str, list[object]] = {}
    for one in all_permissions():
        is_theirs = one.code in function_matrix.ADMINISTRATORS_DUTIES
        if one.code == queries.EVERYBODY or (is_theirs and not is_fixed):
            continue
        now = str(held.get(one.code, ""))
        groups.setdefault(wording.area_label(one), []).append(
            {
                "permission": one,
                "now": now,
                "label": wording.scope_label(now),
                "choices": [
                    (scope, wording.scope_label(scope))
                    for scope in (_ALL if one.narrows else _WHOLE)
                ],
            }
        )
    return sorted(groups.items())


def _copied(code: str) -> Mapping[str, DataScope]:
    if not code:
        return {}
    if code in ADMINISTRATORS:
        raise NotFound
    queries.role_label(role=code)
    return queries.grants_of(role=code)


def _waiting(code: str) -> AccessRequest | None:
    return next((row for row in queries.grant_history(role=code) if not row.decided_by), None)


def _asked(request: StaffRequest, asked: AccessRequest) -> HttpResponse:
    messages.success(request, "已提交，等安全管理员批准后生效。")
    return redirect("identity-request", request_id=asked.pk)


def _sentences(refusal: Refusal) -> list[str]:
    if isinstance(refusal, Invalid):
        return forms.sentences(refusal.errors)
    return [refusal.message]
