"""挂号窗口: who is here, which department, which number. One page, the keyboard is enough (H3.1).

Every step has its own address, so back, reload and a second window show what is true now; what is
typed about a person is posted, because addresses are written down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, shows_refusals, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import NotAllowed, Refusal
from hospital.organisation import queries as organisation
from hospital.patients import actions as patients
from hospital.patients import queries as people
from hospital.patients.permissions import EDIT_PATIENT
from hospital.registration import actions as registration
from hospital.registration import queries as bookings
from hospital.registration.permissions import OVERRIDE_LIMIT, REGISTER
from hospital.registration.states import LIVE, PaidWhen
from hospital.scheduling import queries as sessions
from hospital.scheduling.states import Channel
from hospital.ui.typed import typed, typed_id
from hospital.window import actions, forms
from hospital.window.permissions import USE_WINDOW

if TYPE_CHECKING:
    from hospital.patients.models import Patient
    from hospital.registration.queries import AppointmentRow

_MOST_TYPED: Final = 4000
_KEYS: Final = "123456789"
_PAGE: Final = len(_KEYS)
RELEASABLE: Final = bookings.MAY_BE_SET_ASIDE


@sensitive_post_parameters("text")
@staff_page(USE_WINDOW)
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: StaffRequest) -> HttpResponse:
    """The first step: a card, a code or something typed says who is here."""
    text = typed(request.POST, "text", most=_MOST_TYPED)
    if request.method != "POST" or not text:
        return _start(request)
    if patients.is_pass(text):
        return _by_pass(request, text)
    booking = _booking(text)
    if booking:
        return redirect("window-booking", number=booking)
    card = people.read_card(text, on=clock.today())
    if card is not None and card.owner is None:
        note = "" if card.is_valid else "读到的证件号码有误，请擦净证件再读，或手工输入。"
        return _start(request, text=text, is_unknown=card.is_valid, note=note)
    if card is not None and card.owner is not None:
        return _to(card.owner.outpatient_no, other_name=not card.is_same_name)
    hits = people.find(text)
    if len(hits) == 1 and any(letter.isdecimal() for letter in text):
        return _to(hits[0].outpatient_no)
    stopped = people.card_by_number(text) if not hits else None
    note = f"这张卡{stopped.get_status_display()}，不能使用，请换证件。" if stopped else ""
    return _start(request, text=text, hits=hits, is_unknown=not hits and not note, note=note)


@staff_page(USE_WINDOW)
@require_safe
def person(request: StaffRequest, number: str) -> HttpResponse:
    """The second and third step: their bookings, a department, its numbers."""
    return _person_page(request, number)


def _told(request: StaffRequest, refusal: Refusal, number: str) -> HttpResponse:
    """A rule's no is shown beside the numbers."""
    return _person_page(request, number, refusal=refusal)


@staff_page(USE_WINDOW)
@require_POST
@shows_refusals(_told)
def book(request: StaffRequest, number: str) -> HttpResponse:
    """Hold the number that was pressed; it is paid for in the next step."""
    patient = people.patient_by_number(outpatient_no=number)
    reason = typed(request.POST, "reason", most=100)
    may_register = identity.may(request.user, REGISTER)
    may_override = identity.may(request.user, OVERRIDE_LIMIT)
    exchanged = forms.booking_number(request.POST.get("exchange", ""))
    if exchanged:
        return _exchange(request, patient, exchanged)
    appointment = actions.register(
        patient_id=patient.pk,
        schedule_id=typed_id(request.POST.get("schedule", "")) or 0,
        band_id=typed_id(request.POST.get("band", "")),
        channel=forms.origin(request.POST),
        paid_when=PaidWhen.ARRIVAL if request.POST.get("arrival") else PaidWhen.BOOKING,
        reason=reason if may_override else "",
        may_register=may_register,
        key=typed(request.POST, "key", most=80),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-booking", number=appointment.number)


def _exchange(request: StaffRequest, patient: Patient, number: str) -> HttpResponse:
    """换号: the difference is settled on the new booking's page (H3.3)."""
    old = bookings.appointment(number=number, at=clock.now())
    if old.patient_id != patient.pk or not identity.may(request.user, REGISTER):
        raise NotAllowed("只能为这位患者本人换号，由挂号员办理。")
    new = registration.exchange(
        number=number,
        schedule_id=typed_id(request.POST.get("schedule", "")) or 0,
        band_id=typed_id(request.POST.get("band", "")),
        key=typed(request.POST, "key", most=80),
        channel=Channel.WINDOW,
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-booking", number=new.number)


def _booking(text: str) -> str:
    """The booking a code names, "" when it names none: a number may be a person's as well."""
    number = forms.booking_number(text)
    return number if number and bookings.is_known(number=number) else ""


def _by_pass(request: StaffRequest, token: str) -> HttpResponse:
    try:
        patient = patients.redeem_pass(token=token, by=request.actor, at=clock.now())
    except patients.PassOver as refusal:
        return _start(request, note=refusal.message)
    return _to(patient.outpatient_no)


def _to(number: str, *, other_name: bool = False) -> HttpResponse:
    address = reverse("window-person", args=[number])
    return redirect(f"{address}?name=other" if other_name else address)


def _start(
    request: StaffRequest,
    *,
    text: str = "",
    hits: list[people.FoundPatient] | None = None,
    is_unknown: bool = False,
    note: str = "",
) -> HttpResponse:
    context = {
        "step": 1,
        "text": text,
        "hits": list(zip(_KEYS, hits or (), strict=False)),
        "is_cut": len(hits or ()) > _PAGE,
        "is_unknown": is_unknown,
        "note": note,
        "may_create": identity.may(request.user, EDIT_PATIENT),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if text or note else HTTPStatus.OK
    return page(request, "window/staff/desk.html", context, status=status)


def _person_page(
    request: StaffRequest,
    number: str,
    *,
    refusal: Refusal | None = None,
) -> HttpResponse:
    at = clock.now()
    patient = people.patient_by_number(outpatient_no=number)
    patients.record_view(patient_id=patient.pk, what="窗口挂号", by=request.actor, at=at)
    told = (request.POST if request.method == "POST" else request.GET).dict()
    code = typed(told, "d", most=20)
    shown = _numbers(patient, told, code, at) if code else {"departments": _departments()}
    # A booking to be paid on arrival is for another day: what the page says is what the form says.
    told["arrival"] = "1" if shown.get("arrival") else ""
    context: dict[str, object] = {
        "step": 3 if code else 2,
        "patient": people.found(patient),
        "is_other_name": request.GET.get("name") == "other",
        "upgrade": people.upgrade_of(patient=patient, at=at),
        "bookings": _bookings(patient, at),
        "refusal": refusal,
        "may_release": _may_release(request, refusal),
        "key": serials.opaque(),
        "told": told,
        "exchanged": _exchanged(patient, told.get("exchange", ""), at),
    }
    context |= shown
    status = HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK
    return page(request, "window/staff/person.html", context, status=status)


def _bookings(patient: Patient, at: dt.datetime) -> list[dict[str, object]]:
    """What this patient has booked and not yet had, for collecting and cancelling."""
    rows = bookings.appointments_of(patient_ids=[patient.pk], at=at)
    today = clock.hospital_day(at)
    live = [row for row in rows if row.status in LIVE and row.visit_date >= today]
    return [{"row": row, "key": f"Ctrl+{place}"} for place, row in enumerate(live[:_PAGE], 1)]


def _exchanged(patient: Patient, text: str, at: dt.datetime) -> AppointmentRow | None:
    """The booking another number is looked for, when it is this patient's."""
    number = _booking(text)
    row = bookings.appointment(number=number, at=at) if number else None
    return row if row is not None and row.patient_id == patient.pk else None


def _departments() -> list[organisation.DepartmentRow]:
    return organisation.bookable_departments()


def _numbers(
    patient: Patient, told: Mapping[str, str], code: str, at: dt.datetime
) -> dict[str, object]:
    """The sessions of a department on a day, each under a key; or their bands. Who telephones or
    was sent by another doctor chooses among what is kept for them, and so do the elderly (M2.2)."""
    department = organisation.department(code)
    day = _day(told.get("day", ""), at)
    exchanged = forms.booking_number(told.get("exchange", ""))
    channel = Channel.WINDOW if exchanged else forms.origin(told)
    reserved_from = bookings.reserved_from(birth_date=patient.birth_date, channel=channel)
    offers = sessions.counter_offers(
        department_id=department.pk, day=day, channel=channel, reserved_from=reserved_from, at=at
    )
    with_bands = told.get("bands") == "1"
    rows = _band_rows(offers) if with_bands else _session_rows(offers)
    first = (typed_id(told.get("page", "")) or 0) * _PAGE
    is_arrival = bool(told.get("arrival")) and day > clock.hospital_day(at) and not exchanged
    days = sessions.counter_days(
        department_id=department.pk, channel=channel, reserved_from=reserved_from, at=at
    )
    place = next((index for index, one in enumerate(days) if one.day == day), 0)
    shown = rows[first : first + _PAGE]
    return {
        "department": department,
        "day": day,
        "is_today": day == clock.hospital_day(at),
        "days": days,
        "day_before": days[place - 1].day if place > 0 else None,
        "day_after": days[place + 1].day if place + 1 < len(days) else None,
        "rows": [{"key": _KEYS[index], **row} for index, row in enumerate(shown)],
        "with_bands": with_bands,
        "is_elderly": reserved_from is not None and day >= reserved_from,
        "page_before": first // _PAGE - 1 if first else None,
        "page_after": first // _PAGE + 1 if len(rows) > first + _PAGE else None,
        "arrival": is_arrival,
        "origins": _origins(channel),
        "more": forms.more(channel, arrival=is_arrival, exchange=exchanged),
        "other": forms.more(channel, arrival=not is_arrival),
    }


def _origins(chosen: Channel) -> list[dict[str, object]]:
    """Whom it may be for; one key goes through them. Who is not here pays when coming."""
    following = forms.ORIGINS[(forms.ORIGINS.index(chosen) + 1) % len(forms.ORIGINS)]
    return [
        {
            "label": one.label,
            "is_chosen": one == chosen,
            "is_next": one == following,
            "more": forms.more(one, arrival=one != Channel.WINDOW),
        }
        for one in forms.ORIGINS
    ]


def _session_rows(offers: list[sessions.CounterOffer]) -> list[dict[str, object]]:
    return [{"offer": offer, "band": None, "can_book": offer.can_book} for offer in offers]


def _band_rows(offers: list[sessions.CounterOffer]) -> list[dict[str, object]]:
    return [
        {"offer": offer, "band": band, "can_book": offer.can_book and band.left > 0}
        for offer in offers
        for band in offer.bands
    ]


def _day(text: str, at: dt.datetime) -> dt.date:
    """The day asked for, today for whatever is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return clock.hospital_day(at)


def _may_release(request: StaffRequest, refusal: Refusal | None) -> bool:
    """Whether this person may let the rule pass that just said no (H3.1)."""
    is_one = refusal is not None and refusal.code in RELEASABLE | {actions.OfficeWritesWhy.code}
    return is_one and identity.may(request.user, OVERRIDE_LIMIT)


def page(
    request: StaffRequest,
    template: str,
    context: dict[str, object],
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    """A page of the window. What went wrong is no address to come back to."""
    found = context.get("patient")
    if isinstance(found, people.FoundPatient):
        context["name"] = found.masked_name
    response = render(request, template, context, status=status)
    if status != HTTPStatus.OK:
        response["HX-Push-Url"] = "false"
    return response
