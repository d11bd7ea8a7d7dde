"""The patient's page of a booking, beyond cancelling: agree to a substitute, let the first offer
go, exchange for another time (M1.7-M1.9)."""

import datetime as dt
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.billing.states import PAID
from hospital.identity.access import PatientRequest, in_turn, patient_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Refusal
from hospital.registration import actions, changes, forms, queries, thresholds
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus
from hospital.registration.views import pacing
from hospital.registration.views.choosing import lead_on
from hospital.registration.views.saying import given_back
from hospital.scheduling import queries as scheduling
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.queries import BandCell, SessionCell
from hospital.scheduling.states import Offer


@patient_page
@require_POST
def answer(request: PatientRequest, number: str) -> HttpResponse:
    """Yes or no to a substitute of a lower title (M1.9)."""
    row = _mine(request, number)
    agrees, doctor_id = forms.answer(request.POST)
    actions.answer_substitution(
        number=row.number, agrees=agrees, doctor_id=doctor_id, by=request.actor, at=clock.now()
    )
    messages.success(request, "已同意替诊。" if agrees else given_back(row))
    return redirect("registration-appointment", number)


@patient_page
@require_POST
def decline(request: PatientRequest, number: str) -> HttpResponse:
    """No other time is wanted instead of a session called off (M1.8)."""
    row = _mine(request, number)
    choice = changes.changes_of(appointment_id=row.id, at=clock.now()).choice
    if choice is not None and choice.entry_id is not None:
        actions.leave_waitlist(entry_id=choice.entry_id, by=request.actor, at=clock.now())
    messages.success(request, "好的，不再为您安排。需要时可随时重新挂号。")
    return redirect("registration-appointment", number)


@in_turn
@require_safe
def exchange(request: PatientRequest, number: str) -> HttpResponse:
    """Other times of the same department, day by day."""
    row, at = _mine(request, number), clock.now()
    found = changes.changes_of(appointment_id=row.id, at=at)
    if not found.can_exchange:
        return redirect("registration-appointment", number)
    strip = scheduling.date_strip(department_id=found.department_id, at=at)
    day = _day(request.GET.get("day", "")[:10], [cell.day for cell in strip], row.visit_date)
    here = reverse("registration-exchange", args=[number])
    cards = scheduling.open_sessions(department_id=found.department_id, day=day, at=at)
    bands = scheduling.bands_of_day(department_id=found.department_id, day=day, at=at)
    context = {
        "row": row,
        "pays_later": row.bill_status not in PAID,
        "days": [
            {
                "day": cell.day,
                "url": f"{here}?day={cell.day:%Y-%m-%d}",
                "state": cell.state.label if cell.state else "",
                "is_open": cell.state == Offer.AVAILABLE,
                "is_current": cell.day == day,
            }
            for cell in strip
        ],
        "cards": [
            {"card": card, "session": cell, "bands": _bands(row, cell, bands[cell.schedule_id])}
            for card in cards
            for cell in card.sessions
            if cell.can_book
        ],
    }
    return render(request, "registration/patient/exchange.html", context)


@in_turn
@require_http_methods(["GET", "HEAD", "POST"])
def exchange_for(
    request: PatientRequest, number: str, schedule_id: int, band_id: int
) -> HttpResponse:
    """What the exchange costs or gives back; posting does it, or goes on to pay the difference."""
    row, at = _mine(request, number), clock.now()
    if request.method == "POST":
        return _exchange(request, row, schedule_id, band_id)
    found = changes.changes_of(appointment_id=row.id, at=at)
    if not found.can_exchange:
        return redirect("registration-appointment", number)
    session = scheduling.session_facts(schedule_id=schedule_id)
    fee_fen = scheduling.fee_of(session).total_fen
    more_fen, back_fen = max(fee_fen - found.paid_fen, 0), max(found.paid_fen - fee_fen, 0)
    pays_later = row.bill_status not in PAID
    label, sum_fen = ("退回差价", back_fen) if back_fen else ("需补差价", more_fen)
    context = {
        "row": row,
        "sum_label": "到院支付" if pays_later else label,
        "sum_fen": sum_fen,
        "session": session,
        "band": scheduling.band_of(session, band_id),
        "fee_fen": fee_fen,
        "paid_fen": found.paid_fen,
        "pays_later": pays_later,
        "more_fen": more_fen,
        "back_fen": back_fen,
        "is_late": clock.hospital_day(at) >= row.visit_date != session.visit_date,
        "hold_minutes": thresholds.HOLD_MINUTES.value(),
        "key": serials.opaque(),
    }
    return render(request, "registration/patient/exchange_for.html", context)


def _exchange(
    request: PatientRequest, row: AppointmentRow, schedule_id: int, band_id: int
) -> HttpResponse:
    if (challenge := pacing.hold_up(request)) is not None:
        return challenge
    try:
        new = actions.exchange(
            number=row.number,
            schedule_id=schedule_id,
            band_id=band_id,
            key=request.POST.get("key", "")[:80],
            by=request.actor,
            at=clock.now(),
        )
    except SlotTaken:
        messages.warning(request, "手慢了，这个时段刚刚约满，请另选时段。原预约没有变。")
        return redirect("registration-exchange", row.number)
    except Refusal as refusal:
        lead_on(refusal, user_id=request.wechat_user.pk, patient=row.patient_number)
        raise
    if new.status == AppointmentStatus.PENDING:
        return redirect("payments-pay", new.bill.token)
    messages.success(request, "改约成功。")
    return redirect("registration-appointment", new.number)


def _bands(
    row: AppointmentRow, cell: SessionCell, bands: Sequence[BandCell]
) -> list[dict[str, object]]:
    """The bands to choose from; the one booked now leads nowhere."""
    shown = []
    for band in bands:
        is_own = (cell.schedule_id, band.starts_at) == (row.schedule_id, row.band_starts_at)
        to = reverse("registration-exchange-for", args=[row.number, cell.schedule_id, band.band_id])
        state = "原时段" if is_own else "已过" if band.is_over else ""
        url = "" if is_own else to
        shown.append({"starts": band.starts_at, "left": band.left, "url": url, "state": state})
    return shown


def _day(text: str, shown: list[dt.date], planned: dt.date) -> dt.date:
    """The day asked for, else the day booked, else the first one shown."""
    asked = next((day for day in shown if f"{day:%Y-%m-%d}" == text), None)
    return asked or (planned if planned in shown else shown[0])


def _mine(request: PatientRequest, number: str) -> AppointmentRow:
    return queries.appointment_for(
        wechat_user_id=request.wechat_user.pk, number=number, at=clock.now()
    )
