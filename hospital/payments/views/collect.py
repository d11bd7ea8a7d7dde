"""收款: the window collects one bill: a scanned payment code, notes, a code on our screen, a slip.

The cashier never reads "failed" while the patient may be charged; what stands on the page comes
from the stored payment, so a reload or a second window shows the same.
"""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from hospital.billing import queries as bills
from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, client_address, shows_refusals, staff_page
from hospital.kernel import clock, serials
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients.actions import record_view
from hospital.payments import actions, forms, gateway, queries
from hospital.payments.permissions import ASK_REFUND, COLLECT
from hospital.payments.queries import CollectPage
from hospital.payments.views.paying import ask_now
from hospital.ui.masks import mask_name
from hospital.ui.typed import typed

UNREACHABLE = "暂时联系不上微信支付，没有收到二维码，也没有扣款。请稍后再试，或请患者用手机支付。"
_MOST_NUMBER = 20


def _told(request: StaffRequest, refusal: Refusal, number: str) -> HttpResponse:
    """A rule's no is shown on the bill's page."""
    return _page(request, number, problem=refusal.message, status=HTTPStatus.CONFLICT)


@staff_page(COLLECT)
@require_safe
def find(request: StaffRequest) -> HttpResponse:
    """The place of work: scan or type a bill's number."""
    number = request.GET.get("q", "").replace("\x00", "").strip().upper()[:_MOST_NUMBER]
    if number and bills.bill_by_number(number=number) is not None:
        return redirect("payments-collect", number=number)
    return render(request, "payments/staff/collect_find.html", {"number": number})


@staff_page(COLLECT)
@require_safe
def collect(request: StaffRequest, number: str) -> HttpResponse:
    """Who pays how much, and the ways to collect it."""
    return _page(request, number)


@sensitive_post_parameters("auth_code")
@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def charge(request: StaffRequest, number: str) -> HttpResponse:
    """Charge the scanned payment code, once for this page's key."""
    page = queries.collect_page(number=number, at=clock.now())
    done = gateway.charge_code(
        bill_ids=[page.bill.pk],
        auth_code=request.POST.get("auth_code", "")[:40],
        shown_fen=forms.shown_fen(request.POST),
        key=request.POST.get("key", "")[:80],
        client_ip=client_address(request),
        device_id=f"window-{request.user.pk}",
        by=request.actor,
        at=clock.now(),
    )
    if done.declined:
        return _page(request, number, declined=done.declined)
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def take_cash(request: StaffRequest, number: str) -> HttpResponse:
    """Take notes, once for this page's key; the change stands on the next page."""
    page = queries.collect_page(number=number, at=clock.now())
    gateway.take_cash(
        bill_id=page.bill.pk,
        shown_fen=forms.shown_fen(request.POST),
        tendered_fen=forms.tendered_fen(typed(request.POST, "tendered", most=12)),
        key=typed(request.POST, "key", most=80),
        by=request.actor,
        at=clock.now(),
    )
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_POST
@shows_refusals(_told)
def show_code(request: StaffRequest, number: str) -> HttpResponse:
    """Put a QR code on the screen that the patient scans (Native)."""
    page = queries.collect_page(number=number, at=clock.now())
    outcome = gateway.start_native(
        bill_ids=[page.bill.pk],
        shown_fen=forms.shown_fen(request.POST),
        by=request.actor,
        at=clock.now(),
    )
    if isinstance(outcome, gateway.Unreachable):
        return _page(request, number, problem=UNREACHABLE, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_POST
def stop(request: StaffRequest, number: str) -> HttpResponse:
    """Take the code off the screen: closed at WeChat, or paid this very moment."""
    page = queries.collect_page(number=number, at=clock.now())
    if page.attempt is not None and page.is_native and page.is_moving:
        gateway.stop_native(payment_id=page.attempt.payment.pk, by=request.actor, at=clock.now())
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_POST
def ask(request: StaffRequest, number: str) -> HttpResponse:
    """Ask WeChat now how the standing payment is."""
    page = queries.collect_page(number=number, at=clock.now())
    if page.attempt is not None:
        ask_now(page.attempt.payment.pk, by=request.actor)
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_safe
def status(request: StaffRequest, number: str) -> HttpResponse:
    """The changing part, after a live hint or a look every few seconds."""
    return _page(request, number, part="#state")


@staff_page(COLLECT)
@require_POST
def make_slip(request: StaffRequest, number: str) -> HttpResponse:
    """The slip's code: the one that exists, else a new one; then the slip to print."""
    page = queries.collect_page(number=number, at=clock.now())
    actions.create_pay_code(bill_ids=[page.bill.pk], by=request.actor, at=clock.now())
    return redirect("payments-slip", number=number)


@staff_page(COLLECT)
@require_POST
def revoke_slip(request: StaffRequest, number: str) -> HttpResponse:
    """Whoever scans the slip from now on pays nothing by it."""
    page = queries.collect_page(number=number, at=clock.now())
    if page.code is not None:
        actions.revoke_pay_code(
            pay_code_id=page.code.pk, reason="窗口停用", by=request.actor, at=clock.now()
        )
        messages.success(request, "收款码已停用。")
    return redirect("payments-collect", number=number)


@staff_page(COLLECT)
@require_safe
def slip(request: StaffRequest, number: str) -> HttpResponse:
    """缴费单 with our own QR code, to be printed. It names nobody in full and nothing in detail."""
    page = queries.collect_page(number=number, at=clock.now())
    if page.code is None:
        raise NotFound("这张账单还没有收款码。")
    actions.note_printed(bill_id=page.bill.pk, by=request.actor, at=clock.now())
    link = settings.PUBLIC_URL + reverse("payments-code", args=[page.code.token])
    context = {
        "page": page,
        "bill": page.bill,
        "name": mask_name(page.bill.patient.name),
        "link": link,
        "printed_at": clock.now(),
    }
    return render(request, "payments/staff/slip.html", context)


def _page(
    request: StaffRequest,
    number: str,
    *,
    problem: str = "",
    declined: str = "",
    part: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    page: CollectPage = queries.collect_page(number=number, at=clock.now())
    attempt = page.attempt
    record_view(patient_id=page.bill.patient_id, what="窗口收款", by=request.actor, at=clock.now())
    context = {
        "page": page,
        "bill": page.bill,
        "name": mask_name(page.bill.patient.name),
        "state": attempt.state if attempt else "",
        "is_expired": page.bill.expires_at is not None and clock.now() >= page.bill.expires_at,
        "topic": f"bill:{page.bill.pk}",
        "problem": problem,
        "declined": declined,
        "tendered": typed(request.POST, "tendered", most=12),
        "cash": next(iter(queries.cash_of(bill_id=page.bill.pk)), None),
        "key": serials.opaque(),
        "may_refund": identity.may(request.user, ASK_REFUND),
    }
    return render(request, f"payments/staff/collect.html{part}", context, status=status)
