"""The outpatient office: accounts that book as people who sell numbers do (M1.15)."""

import datetime as dt
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, note_refusal, staff_page
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.registration import actions, thresholds
from hospital.registration import alerts as alerting
from hospital.registration.alerts import AlertRow
from hospital.registration.permissions import JUDGE_ALERTS
from hospital.registration.states import AlertStatus
from hospital.ui.typed import typed

_DECIDED_FOR: Final = dt.timedelta(days=90)
_TONES: Final = {
    AlertStatus.OPEN: "warn",
    AlertStatus.DISMISSED: "",
    AlertStatus.BLOCKED: "danger",
    AlertStatus.LIFTED: "brand",
}


@staff_page(JUDGE_ALERTS)
@require_safe
def alerts(request: StaffRequest) -> HttpResponse:
    """What waits for a decision; or what was decided, and who is still blocked."""
    is_decided = request.GET.get("show") == "decided"
    waiting = alerting.open_alerts()
    since = clock.now() - _DECIDED_FOR
    rows = alerting.decided_alerts(since=since) if is_decided else waiting
    names = identity.staff_names(actors=[row.decided_by for row in rows])
    here = reverse("registration-alerts")
    context = {
        "tabs": [
            {"label": "待处理", "url": here, "active": not is_decided, "count": len(waiting)},
            {"label": "最近 90 天已处理", "url": f"{here}?show=decided", "active": is_decided},
        ],
        "is_decided": is_decided,
        "rows": [_shown(row, names) for row in rows],
        "surnames": thresholds.ALERT_SURNAMES.value(),
        "swaps": thresholds.ALERT_SWAPS.value(),
        "days": thresholds.ALERT_DAYS.value(),
    }
    return render(request, "registration/staff/alerts.html", context)


@staff_page(JUDGE_ALERTS)
@require_http_methods(["GET", "HEAD", "POST"])
def alert(request: StaffRequest, alert_id: int) -> HttpResponse:
    """One account with what it booked, and the decision."""
    row = alerting.alert_row(alert_id=alert_id)
    problem = ""
    if request.method == "POST":
        try:
            _decide(request, alert_id)
        except (Invalid, actions.AlertDecided) as refusal:
            note_refusal(request, refusal)
            problem = refusal.message
            if isinstance(refusal, Invalid):
                problem = next(iter(refusal.errors.values()))[0]
            row = alerting.alert_row(alert_id=alert_id)
        else:
            messages.success(request, "已处理。")
            return redirect("registration-alerts")
    bookings = alerting.bookings_of(user_id=row.user_id, at=clock.now())
    context = {
        **_shown(row, identity.staff_names(actors=[row.decided_by])),
        "bookings": bookings,
        "coming": sum(one.is_coming for one in bookings),
        "people": len({one.masked_name for one in bookings}),
        "problem": problem,
        "reason": typed(request.POST, "reason", most=100),
    }
    status = 422 if problem else 200
    return render(request, "registration/staff/alert.html", context, status=status)


def _decide(request: StaffRequest, alert_id: int) -> None:
    verdict = typed(request.POST, "verdict", most=10)
    reason, by, at = typed(request.POST, "reason", most=100), request.actor, clock.now()
    if verdict == "lift":
        actions.lift_block(alert_id=alert_id, reason=reason, by=by, at=at)
    elif verdict in {"block", "dismiss"}:
        actions.decide_alert(
            alert_id=alert_id, blocks=verdict == "block", reason=reason, by=by, at=at
        )
    else:
        raise Invalid({"verdict": ["请选择处理结果。"]})


def _shown(row: AlertRow, names: dict[str, str]) -> dict[str, object]:
    return {"row": row, "tone": _TONES[row.status], "by": names.get(row.decided_by, "")}
