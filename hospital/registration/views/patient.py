"""The patient's booking: confirm, result, my appointments, one appointment, cancel (M1)."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import PatientRequest, in_turn, patient_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Refusal
from hospital.patients import queries as patients
from hospital.registration import actions, changes, queries, shared, thresholds, waitlists
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import PATIENT_REASONS, AppointmentStatus
from hospital.registration.views import pacing
from hospital.registration.views.choosing import choice, chosen_of, lead_on
from hospital.registration.views.saying import given_back
from hospital.scheduling import queries as scheduling
from hospital.scheduling.actions import SlotTaken
from hospital.ui.typed import typed
from hospital.ui.wording import day_text, weekday_text


@in_turn
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: PatientRequest, schedule_id: int, band_id: int) -> HttpResponse:
    """Who, when, where and what it costs; posting books and goes on to payment."""
    if request.method == "POST":
        return _book(request, schedule_id, band_id)
    bound = patients.patients_for(wechat_user_id=request.wechat_user.pk)
    if not bound:
        here = reverse("registration-confirm", args=[schedule_id, band_id])
        return redirect(f"{reverse('patients-add')}?next={here}")
    session = scheduling.session_facts(schedule_id=schedule_id)
    chosen = chosen_of(bound, request.GET.get("patient", ""))
    context = {
        "session": session,
        "band": scheduling.band_of(session, band_id),
        "fee": scheduling.fee_of(session),
        "chosen": chosen,
        "patients": [choice(person, chosen) for person in bound],
        "key": serials.opaque(),
        "hold_minutes": thresholds.HOLD_MINUTES.value(),
        "late_minutes": thresholds.CANCEL_MINUTES.value(),
    }
    return render(request, "registration/patient/confirm.html", context)


@patient_page
@require_safe
def result(request: PatientRequest, number: str) -> HttpResponse:
    """What became of a booking, right after payment; waits for the confirmation live."""
    row = _mine(request, number)
    context = {"row": row, "topics": _topics(row), "steps": _steps(row), "here": request.path}
    part = "#outcome" if request.htmx else ""
    return render(request, f"registration/patient/result.html{part}", context)


@patient_page
@require_safe
def appointments(request: PatientRequest) -> HttpResponse:
    """Everything this WeChat user booked, what is still to come first."""
    at = clock.now()
    rows = queries.appointments_for(wechat_user_id=request.wechat_user.pk, at=at)
    context = {
        "waiting": waitlists.open_count(wechat_user_id=request.wechat_user.pk),
        "upcoming": [_cell(row) for row in rows if row.is_upcoming],
        "past": [_cell(row) for row in rows if not row.is_upcoming],
    }
    return render(request, "registration/patient/appointments.html", context)


@patient_page
@require_safe
def appointment(request: PatientRequest, number: str) -> HttpResponse:
    """One booking with its number, barcode, money and the way to cancel it."""
    row, at = _mine(request, number), clock.now()
    context = {
        "row": row,
        "topics": _topics(row),
        "tone": _TONES[row.status],
        "is_shared": shared.is_shared(appointment_id=row.id, at=at),
        "change": changes.changes_of(appointment_id=row.id, at=at),
        "cancel_reasons": PATIENT_REASONS,
        "here": request.path,
    }
    part = "#facts" if request.htmx else ""
    return render(request, f"registration/patient/appointment.html{part}", context)


@patient_page
@require_POST
def cancel(request: PatientRequest, number: str) -> HttpResponse:
    """Give the number back; money paid goes back to who paid it (M1.7)."""
    row = _mine(request, number)
    said = (typed(request.POST, "reason", most=30), typed(request.POST, "words", most=60))
    actions.cancel(
        number=row.number,
        reason="：".join(text for text in said if text),
        by=request.actor,
        at=clock.now(),
    )
    messages.success(request, given_back(row))
    return redirect("registration-appointment", number)


def _book(request: PatientRequest, schedule_id: int, band_id: int) -> HttpResponse:
    user_id = request.wechat_user.pk
    if (challenge := pacing.hold_up(request)) is not None:
        return challenge
    number = request.POST.get("patient", "")
    try:
        booked = actions.book(
            patient_id=patients.patient_id_for(wechat_user_id=user_id, number=number),
            schedule_id=schedule_id,
            band_id=band_id,
            wechat_user_id=user_id,
            key=request.POST.get("key", "")[:80],
            by=request.actor,
            at=clock.now(),
        )
    except SlotTaken as taken:
        cell = scheduling.bands(schedule_id=schedule_id, at=clock.now()).cell
        wait = reverse("registration-wait", args=[schedule_id]) if cell.can_wait else ""
        context = {
            "free": [_alternative(band, number) for band in _bands_of(taken)],
            "wait_url": f"{wait}?patient={number}" if wait else "",
        }
        return render(request, "registration/patient/taken.html", context, status=409)
    except Refusal as refusal:
        lead_on(refusal, user_id=user_id, patient=number)
        raise
    if booked.status == AppointmentStatus.PENDING:
        return redirect("payments-pay", booked.bill.token)
    return redirect("registration-result", booked.number)


def _mine(request: PatientRequest, number: str) -> AppointmentRow:
    return queries.appointment_for(
        wechat_user_id=request.wechat_user.pk, number=number, at=clock.now()
    )


def _bands_of(taken: SlotTaken) -> list[scheduling.FreeBand]:
    found = taken.details["alternatives"]
    assert isinstance(found, list)
    return found


def _alternative(band: scheduling.FreeBand, number: str) -> dict[str, object]:
    """A band to take instead, one tap away, for the same patient."""
    url = reverse("registration-confirm", args=[band.schedule_id, band.band_id])
    return {
        "title": f"{day_text(band.visit_date)} {clock.local(band.starts_at):%H:%M}",
        "hint": f"{band.doctor} {band.title_label}",
        "value": f"余 {band.left}",
        "url": f"{url}?patient={number}",
    }


def _topics(row: AppointmentRow) -> list[str]:
    """What makes a page about a booking look again: its own moves and its money's."""
    return [f"appointment:{row.id}", f"bill:{row.bill_id}"]


_TONES = {
    AppointmentStatus.PENDING: "warn",
    AppointmentStatus.BOOKED: "brand",
    AppointmentStatus.CHECKED_IN: "brand",
    AppointmentStatus.FULFILLED: "",
    AppointmentStatus.CANCELLED: "",
    AppointmentStatus.NOSHOW: "danger",
    AppointmentStatus.LEFT_UNSEEN: "warn",
    AppointmentStatus.ENTERED_IN_ERROR: "",
}


def _cell(row: AppointmentRow) -> dict[str, object]:
    starts = clock.local(row.band_starts_at)
    return {
        "title": f"{day_text(row.visit_date)} {weekday_text(row.visit_date)} {starts:%H:%M}",
        "hint": f"{row.department} {row.doctor} · {row.patient_name}",
        "tag": row.status_label,
        "tone": _TONES[row.status],
        "url": reverse("registration-appointment", args=[row.number]),
    }


def _steps(row: AppointmentRow) -> list[dict[str, str]]:
    """What comes next on the day of the visit."""
    starts = clock.local(row.band_starts_at)
    return [
        {"label": "挂号", "note": "已完成", "state": "done"},
        {"label": "报到", "note": f"{starts:%H:%M} 前", "state": "now"},
        {"label": "候诊", "note": "听叫号", "state": ""},
        {"label": "就诊", "note": row.place.split(" ")[-1], "state": ""},
    ]
