"""One booking at the counter: take the money, hand over the number, print, give it back (H3.2-3).

What stands on the page comes from the stored rows, so a reload, a second window or a press that
came twice shows the same. While the patient may be charged nobody reads "failed" (wechat 1.12).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from hospital.billing.states import PAYABLE
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, client_address, shows_refusals, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import Refusal
from hospital.patients.actions import record_view
from hospital.payments import actions as payments
from hospital.payments import gateway
from hospital.payments.permissions import APPROVE_REFUND, COLLECT
from hospital.registration import actions as registration
from hospital.registration.permissions import REGISTER
from hospital.registration.states import LIVE, Acuity, AppointmentStatus
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed
from hospital.window import actions, forms, queries
from hospital.window.permissions import USE_WINDOW
from hospital.window.states import CHOSEN, Paper
from hospital.window.views.desk import page

UNREACHABLE: Final = (
    "暂时联系不上微信支付，没有收到二维码，也没有扣款。可以收现金，或请患者用付款码再试。"
)
PAPER_COOKIE: Final = "slip_paper"
_A_YEAR: Final = 365 * 24 * 3600
_CANCEL_WHY: Final = ("挂错科室或医生", "患者改变主意", "重复挂号", "其他")


def _told(request: StaffRequest, refusal: Refusal, number: str) -> HttpResponse:
    """A rule's no is shown on the booking's page, with a way on."""
    return _page(request, number, problem=refusal.message)


@staff_page(USE_WINDOW)
@require_safe
def booking(request: StaffRequest, number: str) -> HttpResponse:
    """How a booking stands: to be paid, to be handed over, printed, given back."""
    return _page(request, number)


@sensitive_post_parameters("pay")
@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def pay(request: StaffRequest, number: str) -> HttpResponse:
    """One box for both: eighteen digits are a payment code, anything shorter is cash."""
    found = queries.counter(number=number, at=clock.now())
    text = typed(request.POST, "pay", most=40)
    key = typed(request.POST, "key", most=80)
    code = forms.scanned_code(text)
    shown_fen = forms.shown_fen(request.POST)
    if code:
        declined = _charge(request, found, code, shown_fen, key)
        if declined:
            return _page(request, number, problem=f"没有收款：{declined}")
        return _after_money(request, number)
    gateway.take_cash(
        bill_id=found.row.bill_id,
        shown_fen=shown_fen,
        tendered_fen=forms.received_fen(text),
        key=key,
        by=request.actor,
        at=clock.now(),
    )
    return _after_money(request, number)


def _charge(
    request: StaffRequest, found: queries.Counter, code: str, shown_fen: int, key: str
) -> str:
    """Charge a payment code; why WeChat has certainly not taken it, or ""."""
    done = gateway.charge_code(
        bill_ids=[found.row.bill_id],
        auth_code=code,
        shown_fen=shown_fen,
        key=key,
        client_ip=client_address(request),
        device_id=f"window-{request.user.pk}",
        by=request.actor,
        at=clock.now(),
    )
    return done.declined


def _after_money(request: StaffRequest, number: str) -> HttpResponse:
    """Paid: hand the number over and show the slip. Not known yet: the page waits for it."""
    try:
        actions.hand_over(number=number, by=request.actor, at=clock.now())
    except actions.NotPaidYet:  # a code somebody still confirms on the phone
        return redirect("window-booking", number=number)
    key = f"first-{serials.opaque()}"
    try:
        actions.print_slip(number=number, key=key, by=request.actor, at=clock.now())
    except actions.SayWhy:  # printed meanwhile at another window: shown, not printed again
        return redirect("window-booking", number=number)
    return redirect("window-slip", number=number)


@staff_page(USE_WINDOW)
@require_POST
@shows_refusals(_told)
def hand_over(request: StaffRequest, number: str) -> HttpResponse:
    """Give out a paid booking: the patient is here and has shown who it is (H3.2)."""
    return _after_money(request, number)


@staff_page(USE_WINDOW)
@require_POST
@shows_refusals(_told)
def reprint(request: StaffRequest, number: str) -> HttpResponse:
    """Another copy, counted and with its reason: the printer jammed after the payment."""
    actions.print_slip(
        number=number,
        reason=forms.reprint(request.POST),
        key=typed(request.POST, "key", most=80),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-slip", number=number)


@staff_page(USE_WINDOW)
@require_safe
def slip(request: StaffRequest, number: str) -> HttpResponse:
    """The slip on its paper, printed as the page opens. Opening it again counts no copy: the
    browser asks for the paper, and the count is what was asked for here."""
    found = queries.counter(number=number, at=clock.now())
    if not found.slips:
        return redirect("window-booking", number=number)
    record_view(patient_id=found.row.patient_id, what="挂号小票", by=request.actor, at=clock.now())
    context = _context(request, found) | {
        "paper": chosen_paper(request),
        "papers": Paper,
        "printed_at": clock.now(),
        "latest": found.slips[-1],
    }
    return keep_paper(request, page(request, "window/staff/slip.html", context))


def chosen_paper(request: StaffRequest) -> Paper:
    """What lies in this window's printer: as just chosen, else as chosen last."""
    told = request.GET.get("paper") or request.COOKIES.get(PAPER_COOKIE, "")
    return Paper(told) if told in Paper.values else Paper.ROLL


def keep_paper(request: StaffRequest, response: HttpResponse) -> HttpResponse:
    """Remember the paper where it was chosen."""
    if request.GET.get("paper"):
        paper = chosen_paper(request).value
        response.set_cookie(PAPER_COOKIE, paper, max_age=_A_YEAR, samesite="Lax", httponly=True)
    return response


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def show_code(request: StaffRequest, number: str) -> HttpResponse:
    """Put a QR code on the screen that the patient scans (Native)."""
    found = queries.counter(number=number, at=clock.now())
    outcome = gateway.start_native(
        bill_ids=[found.row.bill_id],
        shown_fen=forms.shown_fen(request.POST),
        by=request.actor,
        at=clock.now(),
    )
    if isinstance(outcome, gateway.Unreachable):
        return _page(request, number, problem=UNREACHABLE)
    return redirect("window-booking", number=number)


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def stop(request: StaffRequest, number: str) -> HttpResponse:
    """Take the code off the screen: closed at WeChat, or paid this very moment."""
    money = queries.counter(number=number, at=clock.now()).money
    if money.attempt is not None and money.is_native and money.is_moving:
        gateway.stop_native(payment_id=money.attempt.payment.pk, by=request.actor, at=clock.now())
    return redirect("window-booking", number=number)


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def ask(request: StaffRequest, number: str) -> HttpResponse:
    """Ask WeChat now how the standing payment is."""
    money = queries.counter(number=number, at=clock.now()).money
    if money.attempt is not None:
        payments.note_asked(payment_id=money.attempt.payment.pk, by=request.actor, at=clock.now())
        gateway.ask(payment_id=money.attempt.payment.pk, by=request.actor, at=clock.now())
    return redirect("window-booking", number=number)


@staff_page(USE_WINDOW)
@require_safe
def state(request: StaffRequest, number: str) -> HttpResponse:
    """The changing part, after a live hint or a look every few seconds."""
    return _page(request, number, part="#state")


@staff_page(REGISTER)
@require_POST
@shows_refusals(_told)
def cancel(request: StaffRequest, number: str) -> HttpResponse:
    """Give a number back with a reason: wrong doctor, changed mind (H3.3)."""
    reason = typed(request.POST, "reason", most=100)
    if not reason:
        return _page(request, number, problem="请选择或写明退号原因。")
    _give_back(request, number, reason)
    return redirect("window-booking", number=number)


def _give_back(request: StaffRequest, number: str, reason: str) -> None:
    """Who has checked in already is given back by approval, which is this press (M1.7)."""
    found = queries.counter(number=number, at=clock.now())
    by, at = request.actor, clock.now()
    if found.row.status == AppointmentStatus.CHECKED_IN:
        registration.cancel_after_check_in(number=number, reason=reason, by=by, at=at)
    else:
        registration.cancel(number=number, reason=reason, by=by, at=at)


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def cash_back(request: StaffRequest, number: str) -> HttpResponse:
    """Note that the cash of a cancelled number was handed back over the counter."""
    actions.hand_back(
        number=number,
        shown_fen=forms.shown_fen(request.POST),
        key=typed(request.POST, "key", most=80),
        is_supervisor=identity.may(request.user, APPROVE_REFUND),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("window-booking", number=number)


def _page(request: StaffRequest, number: str, *, problem: str = "", part: str = "") -> HttpResponse:
    found = queries.counter(number=number, at=clock.now())
    record_view(patient_id=found.row.patient_id, what="窗口挂号", by=request.actor, at=clock.now())
    context = _context(request, found) | {
        "problem": problem,
        "typed_sum": forms.as_typed(typed(request.POST, "pay", most=40)),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return page(request, f"window/staff/booking.html{part}", context, status=status)


def _context(request: StaffRequest, found: queries.Counter) -> dict[str, object]:
    row, money = found.row, found.money
    attempt = money.attempt
    may_collect = identity.may(request.user, COLLECT)
    return {
        "step": 5 if found.is_done else 4,
        "counter": found,
        "row": row,
        "money": money,
        "pay_state": attempt.state if attempt else "",
        "is_payable": row.bill_status in PAYABLE and may_collect,
        "name": mask_name(row.patient_name),
        "acuity": Acuity(row.acuity).label if row.acuity else "",
        "topic": f"bill:{row.bill_id} appointment:{row.id}",
        "key": serials.opaque(),
        "may_collect": may_collect,
        "may_hand_back": may_collect
        and (not found.is_supervisors or identity.may(request.user, APPROVE_REFUND)),
        "may_cancel": _may_cancel(request, found),
        "may_exchange": row.status == AppointmentStatus.BOOKED and _may_cancel(request, found),
        "cancel_why": _CANCEL_WHY,
        "reprints": [(one.value, one.label) for one in CHOSEN],
    }


def _may_cancel(request: StaffRequest, found: queries.Counter) -> bool:
    return found.row.status in LIVE and identity.may(request.user, REGISTER)
