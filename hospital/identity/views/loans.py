"""Lending permissions to a colleague for a while: everybody's own page."""

from __future__ import annotations

import datetime as dt
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hospital.identity import access_forms as forms
from hospital.identity import actions, queries, wording
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.identity.models import Delegation
from hospital.identity.permissions import SIGNED_IN
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, Refusal
from hospital.kernel.permissions import permission
from hospital.ui.typed import typed, typed_id

_SHOWN = dt.timedelta(days=90)


@staff_page(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def loans(request: StaffRequest) -> HttpResponse:
    """What I lent, what was lent to me, and a new loan."""
    at = clock.now()
    errors: list[str] = []
    if request.method == "POST":
        try:
            loan = _lend(request, at)
        except Invalid as invalid:
            errors = forms.sentences(invalid.errors)
        except Refusal as refusal:
            note_refusal(request, refusal)
            errors = [refusal.message]
        else:
            words = "授权已生效，对方现在就可以办理。"
            if loan.begins_at > at:
                words = "授权已保存，到开始时间自动生效。"
            messages.success(request, words)
            return redirect("identity-loans")
    rows = queries.delegations_of(account=request.user, since=at - _SHOWN)
    context = {
        "given": [_line(row, at) for row in rows if row.giver_id == request.user.pk],
        "taken": [_line(row, at) for row in rows if row.taker_id == request.user.pk],
        "groups": _lendable(request),
        "most_days": actions.DELEGATION_MOST_DAYS.value(),
        "typed": {
            name: typed(request.POST, name, most=200)
            for name in ("taker", "taker_text", "begins_at", "ends_at", "reason")
        },
        "errors": errors,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "identity/staff/loans.html", context, status=status)


@staff_page(SIGNED_IN)
@require_POST
def take_back(request: StaffRequest, delegation_id: int) -> HttpResponse:
    """End a loan before its time; somebody else's is not found."""
    actions.take_back(delegation_id=delegation_id, by=request.actor, at=clock.now())
    messages.success(request, "授权已结束。")
    return redirect("identity-loans")


def _lend(request: StaffRequest, at: dt.datetime) -> Delegation:
    taker_id = typed_id(typed(request.POST, "taker", most=18))
    begins, ends = (_moment(request, field) for field in ("begins_at", "ends_at"))
    if ends is None:
        raise Invalid.of("ends_at", "请填写截止时间。")
    return actions.lend(
        giver=request.user,
        taker_id=taker_id or 0,
        permissions=request.POST.getlist("permission"),
        begins_at=begins or at,
        ends_at=ends,
        reason=typed(request.POST, "reason", most=200),
        by=request.actor,
        at=at,
    )


def _moment(request: StaffRequest, field: str) -> dt.datetime | None:
    """What was typed, None when nothing was. Raises Invalid for what is no moment: a loan meant for
    later must not begin now."""
    text = typed(request.POST, field, most=40)
    found = forms.moment(text)
    if text and found is None:
        raise Invalid.of(field, "时间不正确。")
    return found


def _lendable(request: StaffRequest) -> list[tuple[str, list[dict[str, object]]]]:
    chosen = set(request.POST.getlist("permission"))
    groups: dict[str, list[dict[str, object]]] = {}
    for code in sorted(queries.lendable(account=request.user)):
        if (declared := permission(code)) is not None:
            line = {"code": code, "label": declared.label, "chosen": code in chosen}
            groups.setdefault(wording.area_label(declared), []).append(line)
    return sorted(groups.items())


def _line(row: Delegation, at: dt.datetime) -> dict[str, object]:
    is_over = row.ended_at is not None or row.ends_at <= at
    labels = [one.label if (one := permission(code)) else code for code in row.permissions]
    words = "已结束" if is_over else "未开始" if row.begins_at > at else "生效中"
    return {
        "row": row,
        "labels": labels,
        "is_over": is_over,
        "word": words,
        "tone": "" if is_over else "brand",
    }
