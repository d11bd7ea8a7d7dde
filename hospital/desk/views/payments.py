"""Money through WeChat: search, one payment with its story, refunds."""

import datetime as dt

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hospital.desk import story
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.patients.actions import record_view
from hospital.payments import queries
from hospital.payments.permissions import ASK_CHANNEL, ASK_REFUND, VIEW_PAYMENTS
from hospital.payments.states import PaymentStatus, RefundStatus, refund_failure
from hospital.registration import queries as registration
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed

_TONES = {
    "succeeded": "brand",
    "pending": "warn",
    "created": "warn",
    "unknown": "warn",
    "processing": "warn",
    "submitted": "warn",
    "requested": "warn",
    "failed": "danger",
    "abnormal": "danger",
    "succeeded_unapplied": "danger",
}
_DAYS_SHOWN = 7
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


@staff_page(VIEW_PAYMENTS)
@require_safe
def payments(request: StaffRequest) -> HttpResponse:
    """Payments by any number, or by state and day; today's figures above."""
    at = clock.now()
    text = typed(request.GET, "q", most=64)
    status = _known(request.GET.get("status", ""), PaymentStatus.values)
    start, end = _days(request, at)
    rows = queries.search_payments(text=text, status=status, start=start, end=end)
    context = {
        "text": text,
        "status": status,
        "statuses": PaymentStatus.choices,
        "start": start,
        "end": end,
        "rows": [
            {
                "payment": row,
                "tone": _TONES.get(row.status, ""),
                "patients": "、".join(mask_name(name) for name in queries.patient_names(row)),
            }
            for row in rows
        ],
        "is_cut": len(rows) >= queries.SEARCH_LIMIT,
        "totals": queries.totals(day=clock.hospital_day(at)),
    }
    return render(request, "desk/staff/payments.html", context)


@staff_page(VIEW_PAYMENTS)
@require_safe
def payment(request: StaffRequest, payment_id: int) -> HttpResponse:
    """One payment with every move, notice, refund and case."""
    at = clock.now()
    found = queries.payment_story(payment_id=payment_id)
    for patient_id in dict.fromkeys(part.bill.patient_id for part in found.parts):
        record_view(patient_id=patient_id, what="支付全程", by=request.actor, at=at)
    context = {
        "story": found,
        "payment": found.payment,
        "tone": _TONES.get(found.payment.status, ""),
        "events": story.of_payment(found),
        "appointments": [
            appointment
            for part in found.parts
            if (appointment := registration.appointment_of_bill(bill_id=part.bill_id, at=at))
        ],
        "refunds": [{"refund": row, "tone": _TONES.get(row.status, "")} for row in found.refunds],
        "may_ask": identity.may(request.user, ASK_CHANNEL),
        "may_refund": found.refundable_fen > 0 and identity.may(request.user, ASK_REFUND),
        "may_view_appointments": identity.may(request.user, VIEW_APPOINTMENTS),
        "here": request.path,
    }
    return render(request, "desk/staff/payment.html", context)


@staff_page(VIEW_PAYMENTS)
@require_safe
def refunds(request: StaffRequest) -> HttpResponse:
    """Refunds by state and day, and a button for those that need a push."""
    at = clock.now()
    status = _known(request.GET.get("status", ""), RefundStatus.values)
    start, end = _days(request, at)
    rows = queries.list_refunds(status=status, start=start, end=end)
    context = {
        "status": status,
        "statuses": RefundStatus.choices,
        "start": start,
        "end": end,
        "rows": [
            {
                "refund": row,
                "tone": _TONES.get(row.status, ""),
                "failure": refund_failure(row.failure),
            }
            for row in rows
        ],
        "is_cut": len(rows) >= queries.SEARCH_LIMIT,
        "total_fen": sum(row.amount_fen for row in rows),
        "may_ask": identity.may(request.user, ASK_CHANNEL),
        "here": request.get_full_path(),
    }
    return render(request, "desk/staff/refunds.html", context)


def _days(request: StaffRequest, at: dt.datetime) -> tuple[dt.date, dt.date]:
    """The days asked for, both included; the latest week when nothing sensible was asked."""
    today = clock.hospital_day(at)
    end = _date(request.GET.get("end", ""), today)
    start = _date(request.GET.get("start", ""), end - dt.timedelta(days=_DAYS_SHOWN - 1))
    return min(start, end), max(start, end)


def _date(text: str, default: dt.date) -> dt.date:
    """A day typed by a person; nothing sensible is the default, and so is another age."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return default
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else default


def _known(text: str, values: list[str]) -> str:
    return text if text in values else ""
