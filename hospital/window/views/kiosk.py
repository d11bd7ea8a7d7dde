"""自助机: register, collect, pay by a code on the screen, check in, print. Touch, nobody to ask.

The machine is logged in, a person is recognised for a minute of touches: every page belongs to a
visit, and nothing of the last one is there for the next. A rule's no is a page with a way on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hospital.identity.access import DeviceRequest, kiosk_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import NotFound, Refusal
from hospital.organisation import queries as organisation
from hospital.payments import gateway
from hospital.registration import actions as registration
from hospital.registration import queries as bookings
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import LIVE, AppointmentStatus
from hospital.scheduling import queries as sessions
from hospital.scheduling.states import Channel
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed, typed_id
from hospital.window import actions, forms, queries, thresholds
from hospital.window.models import KioskVisit
from hospital.window.states import Paper

Step = Callable[..., HttpResponse]

_MOST_TYPED: Final = 4000
#: A page on which somebody takes out a phone waits longer.
_PAY_PATIENCE: Final = 3


def _step(view: Step) -> Step:
    """A page of a visit: over, it leads to the start; a rule's no is shown with a way on."""

    @wraps(view)
    def inside(request: DeviceRequest, /, token: str, **kwargs: str) -> HttpResponse:
        try:
            found = actions.see_visit(token=token, device_id=request.device.pk, at=clock.now())
        except NotFound:
            return redirect("window-kiosk-start")
        try:
            return view(request, found, **kwargs)
        except Refusal as refusal:
            return _no(request, found, refusal)

    return inside


@sensitive_post_parameters("text")
@kiosk_page
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: DeviceRequest) -> HttpResponse:
    """Waiting for a card or a code."""
    problem = ""
    if request.method == "POST":
        try:
            found = actions.begin_visit(
                text=typed(request.POST, "text", most=_MOST_TYPED),
                device_id=request.device.pk,
                by=request.actor,
                at=clock.now(),
            )
        except Refusal as refusal:
            problem = refusal.message
        else:
            return redirect("window-kiosk-visit", token=found.token)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return _page(request, "start", {"problem": problem}, status=status)


@kiosk_page
@require_safe
@_step
def visit(request: DeviceRequest, found: KioskVisit) -> HttpResponse:
    """What there is to do for whoever was recognised."""
    at = clock.now()
    today = clock.hospital_day(at)
    rows = [
        row
        for row in bookings.appointments_of(patient_ids=[found.patient_id], at=at)
        if row.status in LIVE and row.visit_date >= today and found.only_id in {None, row.id}
    ]
    rows.sort(key=lambda row: row.band_starts_at)
    return _page(
        request,
        "visit",
        {"rows": [{"row": row, "is_today": row.visit_date == today} for row in rows]},
        found,
    )


@kiosk_page
@require_POST
def end(request: DeviceRequest, token: str) -> HttpResponse:
    """The person has gone; `keep` says to a window, to pay there."""
    actions.end_visit(
        token=token,
        device_id=request.device.pk,
        keeps_unpaid=request.POST.get("keep") == "1",
        at=clock.now(),
    )
    return redirect("window-kiosk-start")


@kiosk_page
@require_safe
@_step
def departments(request: DeviceRequest, found: KioskVisit) -> HttpResponse:
    """Every department that has numbers for this machine today, in words and by letter."""
    _check_whole(found)
    at = clock.now()
    left = sessions.counter_places(day=clock.hospital_day(at), channel=Channel.KIOSK, at=at)
    rows = [
        {"department": row, "left": left[row.id]}
        for row in organisation.bookable_departments()
        if row.id in left
    ]
    return _page(request, "departments", {"rows": rows}, found)


@kiosk_page
@require_safe
@_step
def numbers(request: DeviceRequest, found: KioskVisit, code: str) -> HttpResponse:
    """Who sits today, and what it costs."""
    _check_whole(found)
    at = clock.now()
    department = organisation.department(code)
    offers = sessions.counter_offers(
        department_id=department.pk, day=clock.hospital_day(at), channel=Channel.KIOSK, at=at
    )
    context = {"department": department, "offers": offers, "key": serials.opaque()}
    return _page(request, "numbers", context, found)


@kiosk_page
@require_POST
@_step
def book(request: DeviceRequest, found: KioskVisit) -> HttpResponse:
    """Hold a number; it is paid for on the next page."""
    _check_whole(found)
    appointment = registration.book(
        patient_id=found.patient_id,
        schedule_id=typed_id(request.POST.get("schedule", "")) or 0,
        band_id=None,
        channel=Channel.KIOSK,
        key=typed(request.POST, "key", most=80),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-kiosk-booking", token=found.token, number=appointment.number)


@kiosk_page
@require_safe
@_step
def booking(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """How a booking stands: to be paid, collected, checked in."""
    return _booking_page(request, found, number)


@kiosk_page
@require_POST
@_step
def pay(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """Show the QR code that the patient's phone scans."""
    row = _own(found, number)
    outcome = gateway.start_native(
        bill_ids=[row.bill_id],
        shown_fen=forms.shown_fen(request.POST),
        by=request.actor,
        at=clock.now(),
    )
    if isinstance(outcome, gateway.Unreachable):
        problem = "现在联系不上微信支付，没有扣款。请稍后再试，或到窗口缴费。"
        return _booking_page(request, found, number, problem=problem)
    return redirect("window-kiosk-booking", token=found.token, number=number)


@kiosk_page
@require_POST
@_step
def drop(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """Give an unpaid number back: somebody else may have it at once."""
    _check_whole(found)
    if actions.give_up(row=_own(found, number), by=request.actor, at=clock.now()):
        return redirect("window-kiosk-visit", token=found.token)
    return redirect("window-kiosk-booking", token=found.token, number=number)


@kiosk_page
@require_safe
@_step
def state(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """The changing part, every two seconds while money is on its way."""
    return _booking_page(request, found, number, part="#state")


@kiosk_page
@require_POST
@_step
def collect(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """Give out what is paid for, and print."""
    _own(found, number)
    actions.hand_over(number=number, by=request.actor, at=clock.now())
    try:
        key = f"kiosk-{found.pk}-{number}"
        actions.print_slip(number=number, key=key, by=request.actor, at=clock.now())
    except actions.SayWhy:
        # Printed before, here or elsewhere: another copy is a matter for people.
        return redirect("window-kiosk-booking", token=found.token, number=number)
    return redirect("window-kiosk-slip", token=found.token, number=number)


@kiosk_page
@require_POST
@_step
def check_in(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """签到: the patient is here (SM3)."""
    _own(found, number)
    registration.check_in(number=number, by=request.actor, at=clock.now())
    return redirect("window-kiosk-booking", token=found.token, number=number)


@kiosk_page
@require_safe
@_step
def slip(request: DeviceRequest, found: KioskVisit, number: str) -> HttpResponse:
    """The slip, printed as the page opens."""
    _own(found, number)
    counter = queries.counter(number=number, at=clock.now())
    if not counter.slips:
        return redirect("window-kiosk-booking", token=found.token, number=number)
    context = {
        "counter": counter,
        "row": counter.row,
        "paper": Paper.ROLL,
        "printed_at": clock.now(),
        "latest": counter.slips[-1],
    }
    return _page(request, "slip", context, found)


def _own(found: KioskVisit, number: str) -> AppointmentRow:
    """A booking of the person who stands here. Raises NotFound for everybody else's."""
    row = bookings.appointment(number=number, at=clock.now())
    if row.patient_id != found.patient_id or found.only_id not in {None, row.id}:
        raise NotFound("没有找到这个预约。")
    return row


def _check_whole(found: KioskVisit) -> None:
    """Whoever only showed a slip is there for that slip: a new number asks for a document."""
    if found.only_id is not None:
        raise actions.NotRecognised("挂号请读身份证、就诊卡，或扫手机上的就诊码。")


def _booking_page(
    request: DeviceRequest,
    found: KioskVisit,
    number: str,
    *,
    problem: str = "",
    part: str = "",
) -> HttpResponse:
    _own(found, number)
    counter = queries.counter(number=number, at=clock.now())
    attempt, row = counter.money.attempt, counter.row
    is_today = row.visit_date == clock.hospital_day(clock.now())
    context = {
        "counter": counter,
        "row": row,
        "money": counter.money,
        "pay_state": attempt.state if attempt else "",
        "can_check_in": row.status == AppointmentStatus.BOOKED
        and counter.money.is_paid
        and is_today,
        "can_drop": found.only_id is None and actions.may_give_up(row),
        "is_checked_in": row.status == AppointmentStatus.CHECKED_IN,
        "problem": problem,
        "patience": _PAY_PATIENCE if counter.money.polls else 1,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return _page(request, "booking", context, found, part=part, status=status)


def _no(request: DeviceRequest, found: KioskVisit, refusal: Refusal) -> HttpResponse:
    number = str(refusal.details.get("number", ""))
    context: dict[str, object] = {
        "message": refusal.message,
        "booking": reverse("window-kiosk-booking", args=[found.token, number]) if number else "",
    }
    return _page(request, "problem", context, found, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _page(
    request: DeviceRequest,
    name: str,
    context: dict[str, object],
    found: KioskVisit | None = None,
    *,
    part: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    patience = context.pop("patience", 1)
    assert isinstance(patience, int)
    known = {
        "device_name": request.device.name,
        "visit": found,
        "name": mask_name(found.patient.name) if found else "",
        "idle": thresholds.KIOSK_IDLE_SECONDS.value() * patience,
    }
    return render(request, f"window/kiosk/{name}.html{part}", context | known, status=status)
