"""Home, and the unbinding of a patient, which must look at visits and bills above patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from hospital.billing import queries as billing
from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.messaging import queries as inbox
from hospital.patients import actions as patients_actions
from hospital.patients import queries as patients
from hospital.registration import queries as registration
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus
from hospital.ui.wording import yuan_text

if TYPE_CHECKING:
    from hospital.billing.models import Bill
    from hospital.patients.models import Patient

_SHOWN = 3
_BIG_CHOICES = 3


@patient_page
@require_safe
def home(request: PatientRequest) -> HttpResponse:
    """Who the page is for, what is next, and the way to everything else."""
    user_id = request.wechat_user.pk
    rows = registration.appointments_for(wechat_user_id=user_id, at=clock.now())
    upcoming = [row for row in rows if row.is_upcoming]
    who = patients.default_patient_for(wechat_user_id=user_id)
    tiles = _services(user_id, who)
    context = {
        "who": who,
        "unpaid": next((row for row in rows if _waits_for(user_id, row)), None),
        "upcoming": [_cell(row) for row in upcoming[:_SHOWN]],
        "tiles": tiles,
        # Large type shows three big choices; the rest waits on a page of its own.
        "choices": tiles[:_BIG_CHOICES] if request.wechat_user.care_mode else [],
    }
    return render(request, "portal/patient/home.html", context)


@patient_page
@require_safe
def more(request: PatientRequest) -> HttpResponse:
    """Every service by name, for those whose home shows three."""
    user_id = request.wechat_user.pk
    who = patients.default_patient_for(wechat_user_id=user_id)
    return render(request, "portal/patient/more.html", {"tiles": _services(user_id, who)})


@patient_page
@require_http_methods(["GET", "HEAD", "POST"])
def unbind(request: PatientRequest, number: str) -> HttpResponse:
    """Take a patient off this WeChat user's list; refused while a visit is to come or a bill is to
    be paid, which are listed (M11.2)."""
    user_id = request.wechat_user.pk
    patient = patients.patient_for(wechat_user_id=user_id, number=number)
    status = 200
    if request.method == "POST":
        try:
            patients_actions.remove_binding(
                wechat_user_id=user_id,
                number=number,
                is_needed=lambda: bool(_in_the_way(user_id, patient)),
                by=request.actor,
                at=clock.now(),
            )
        except patients_actions.BindingNeeded:
            status = 409
        else:
            messages.success(request, "已解除绑定。")
            return redirect("patients-list")
    context = {"patient": patient, "open": _in_the_way(user_id, patient)}
    return render(request, "portal/patient/unbind.html", context, status=status)


def _in_the_way(user_id: int, patient: Patient) -> list[dict[str, object]]:
    """What the user must bring to an end before letting go: own bookings to come, own bills."""
    rows = registration.appointments_for(wechat_user_id=user_id, at=clock.now())
    mine = [row for row in rows if row.wechat_user_id == user_id and row.patient_id == patient.pk]
    coming = [row for row in mine if row.is_upcoming]
    owed = billing.owed_bills_for(wechat_user_id=user_id, patient_id=patient.pk)
    booked = {row.bill_id for row in coming}
    cells = [_cell(row) for row in coming]
    return cells + [_bill_cell(bill) for bill in owed if bill.pk not in booked]


def _services(user_id: int, who: Patient | None) -> list[dict[str, object]]:
    """Everything one can do, most wanted first."""
    card = (
        reverse("patients-card-shown", args=[who.outpatient_no])
        if who is not None
        else reverse("patients-add")
    )
    return [
        {"label": "预约挂号", "icon": "calendar-event", "url": reverse("scheduling-departments")},
        {
            "label": "我的预约",
            "icon": "clipboard-list",
            "url": reverse("registration-appointments"),
        },
        {"label": "就诊卡", "icon": "qrcode", "url": card},
        {"label": "就诊人", "icon": "users", "url": reverse("patients-list")},
        {"label": "就诊记录", "icon": "history", "url": reverse("portal-records")},
        {
            "label": "消息",
            "icon": "bell",
            "url": reverse("messaging-inbox"),
            "count": inbox.unread_count(wechat_user_id=user_id),
        },
        {"label": "隐私授权", "icon": "shield-lock", "url": reverse("portal-privacy")},
    ]


def _waits_for(user_id: int, row: AppointmentRow) -> bool:
    """Whether this user is the one asked to pay; others bound to the patient only see it."""
    return row.status == AppointmentStatus.PENDING and row.payer_id == user_id


def _bill_cell(bill: Bill) -> dict[str, object]:
    return {
        "title": bill.title,
        "hint": f"账单 {bill.number} · {yuan_text(bill.total_fen)}",
        "tag": "待支付",
        "tone": "warn",
        "url": reverse("payments-pay", args=[bill.token]),
    }


def _cell(row: AppointmentRow) -> dict[str, object]:
    starts = clock.local(row.band_starts_at)
    return {
        "title": f"{starts.month}月{starts.day}日 {starts:%H:%M} {row.department}",
        "hint": f"{row.doctor} · {row.patient_name} · {row.place}",
        "tag": row.status_label,
        "tone": "warn" if row.status == AppointmentStatus.PENDING else "brand",
        "url": reverse("registration-appointment", args=[row.number]),
    }
