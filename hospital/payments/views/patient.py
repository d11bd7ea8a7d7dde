"""The pay page: what is asked, the button, and what WeChat said. The browser's word counts for
nothing: after the payment sheet it only makes us ask WeChat."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hospital.identity.access import PatientRequest, patient_page
from hospital.kernel import clock
from hospital.payments import forms, gateway, queries
from hospital.payments.views.paying import ask_now, sheet_answer, wants_sheet

UNREACHABLE = "暂时联系不上微信支付，没有扣款。号源仍为您保留，请稍后再试。"


@patient_page
@require_http_methods(["GET", "POST"])
def pay(request: PatientRequest, token: str) -> HttpResponse:
    """GET shows the bill; POST places the order and answers with the payment sheet's parameters."""
    if request.method == "POST":
        return _start(request, token)
    return render(request, "payments/patient/pay.html", _context(request, token))


@patient_page
@require_GET
def status(request: PatientRequest, token: str) -> HttpResponse:
    """The page's changing part, after a live hint or a slow poll."""
    return render(request, "payments/patient/pay.html#changing", _context(request, token))


@patient_page
@require_POST
def ask(request: PatientRequest, token: str) -> HttpResponse:
    """Ask WeChat how the order stands, then the changing part."""
    at = clock.now()
    page = queries.pay_page_for(wechat_user_id=request.wechat_user.pk, token=token, at=at)
    if page.payment_id is not None:
        ask_now(page.payment_id, by=request.actor)
    return render(request, "payments/patient/pay.html#changing", _context(request, token))


def _start(request: PatientRequest, token: str) -> HttpResponse:
    outcome = gateway.start_wechat_payment(
        token=token,
        wechat_user_id=request.wechat_user.pk,
        shown_fen=forms.shown_fen(request.POST),
        by=request.actor,
        at=clock.now(),
    )
    if not wants_sheet(request):
        return redirect("payments-pay", token=token)
    return sheet_answer(outcome, unreachable=UNREACHABLE)


def _context(request: PatientRequest, token: str) -> dict[str, object]:
    page = queries.pay_page_for(wechat_user_id=request.wechat_user.pk, token=token, at=clock.now())
    return {"bill": page, "topic": f"bill:{page.bill_id}"}
