"""From which networks each role may be used: the security administrator's pages."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hospital.identity import access_forms as forms
from hospital.identity import actions, queries
from hospital.identity.access import StaffRequest, client_address, note_refusal, staff_page
from hospital.identity.models import NetworkRule
from hospital.identity.permissions import MANAGE_NETWORKS
from hospital.identity.views.frame import log_in_tabs
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.ui.typed import typed


@staff_page(MANAGE_NETWORKS)
@require_safe
def networks(request: StaffRequest) -> HttpResponse:
    """Every role and from where it may be used."""
    lines = {line["role"]: line for line in _lines(queries.network_rules().values())}
    rows = [
        {"role": role, "label": label, "rule": lines.get(role)}
        for role, label in queries.role_labels(with_retired=False).items()
    ]
    context = {
        "rows": rows,
        "hospital": queries.HOSPITAL_NETWORKS.value(),
        "tabs": log_in_tabs("identity-networks"),
    }
    return render(request, "identity/staff/networks.html", context)


@staff_page(MANAGE_NETWORKS)
@require_http_methods(["GET", "HEAD", "POST"])
def network(request: StaffRequest, role: str) -> HttpResponse:
    """Change from where one role may be used, after seeing what it was."""
    label = queries.role_labels(with_retired=False).get(role)
    if label is None:
        raise NotFound("没有这个角色。")
    history = queries.network_history(role=role)
    address = client_address(request)
    filled = {"networks": history[0].networks if history else "", "reason": ""}
    errors: list[str] = []
    if request.method == "POST":
        filled = {
            "networks": typed(request.POST, "networks", most=1000),
            "reason": typed(request.POST, "reason", most=200),
        }
        try:
            actions.set_networks(
                role=role,
                text=filled["networks"],
                reason=filled["reason"],
                address=address,
                by=request.actor,
                at=clock.now(),
            )
        except Invalid as invalid:
            errors = forms.sentences(invalid.errors)
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = [refusal.message]
        else:
            messages.success(request, f"{label}可以登录的网络已保存，马上生效。")
            return redirect("identity-networks")
    context = {
        "label": label,
        "typed": filled,
        "errors": errors,
        "history": _lines(history),
        "address": address,
        "tabs": log_in_tabs("identity-networks"),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "identity/staff/network.html", context, status=status)


def _lines(rules: Iterable[NetworkRule]) -> list[dict[str, object]]:
    """Rules with the name of whoever set them."""
    rows = list(rules)
    names = queries.staff_names(actors=[row.set_by for row in rows])
    return [
        {
            "role": row.role,
            "networks": row.networks,
            "by": names.get(row.set_by, "系统"),
            "at": row.set_at,
            "reason": row.reason,
        }
        for row in rows
    ]
