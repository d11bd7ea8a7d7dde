"""Behind our own QR code: one short address for everybody, and the page that pays in WeChat (M5).

Outside WeChat the address tells only that WeChat is needed. Inside, whoever scanned sees the masked
patient and what is unpaid now; the order is made when the button is tapped.
"""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hospital.identity.access import OpenRequest, PatientRequest, patient_page, public_page
from hospital.kernel import clock
from hospital.kernel.errors import NotAllowed, NotFound, Refusal
from hospital.payments import forms, gateway, queries
from hospital.payments.views.paying import ask_now, sheet_answer, wants_sheet
from hospital.ui.masks import mask_name

UNREACHABLE = "暂时联系不上微信支付，没有扣款，请稍后再试。"
_IN_WECHAT = "MicroMessenger"


@public_page
@never_cache
@require_GET
def code(request: OpenRequest, token: str) -> HttpResponse:
    """Where the QR code leads: on to the page in WeChat, or a word that WeChat is needed."""
    if _is_in_wechat(request):
        return redirect("payments-code-page", token=token)
    return render(request, "payments/patient/use_wechat.html", {})


@patient_page
@never_cache
@require_http_methods(["GET", "POST"])
def page(request: PatientRequest, token: str) -> HttpResponse:
    """GET shows what is asked now; POST places the order and answers with the sheet."""
    if request.method == "POST":
        return _start(request, token)
    return render(request, "payments/patient/code.html", _context(request, token))


@patient_page
@require_GET
def status(request: PatientRequest, token: str) -> HttpResponse:
    """The page's changing part."""
    return render(request, "payments/patient/code.html#changing", _context(request, token))


@patient_page
@require_POST
def ask(request: PatientRequest, token: str) -> HttpResponse:
    """Ask WeChat how this person's order stands, then the changing part."""
    found = queries.pay_code_page(
        token=token, wechat_user_id=request.wechat_user.pk, at=clock.now()
    )
    if found.payment_id is not None:
        ask_now(found.payment_id, by=request.actor)
    return render(request, "payments/patient/code.html#changing", _context(request, token))


def _start(request: PatientRequest, token: str) -> HttpResponse:
    try:
        outcome = gateway.start_code_payment(
            token=token,
            wechat_user_id=request.wechat_user.pk,
            shown_fen=forms.shown_fen(request.POST),
            by=request.actor,
            at=clock.now(),
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        if not wants_sheet(request):
            raise
        # Changed or paid meanwhile: the page says so and shows what stands now.
        return JsonResponse({"message": refusal.message}, status=HTTPStatus.CONFLICT)
    if not wants_sheet(request):
        return redirect("payments-code-page", token=token)
    return sheet_answer(outcome, unreachable=UNREACHABLE)


def _context(request: PatientRequest, token: str) -> dict[str, object]:
    found = queries.pay_code_page(
        token=token, wechat_user_id=request.wechat_user.pk, at=clock.now()
    )
    return {
        "code": found,
        "name": mask_name(found.patient_name) if found.patient_name else "",
        "topics": [f"bill:{bill_id}" for bill_id in found.bill_ids],
    }


def _is_in_wechat(request: OpenRequest) -> bool:
    """WeChat names itself. The stand-in's phone is a frame in a page, and in production nobody may
    frame our pages."""
    if _IN_WECHAT in request.headers.get("User-Agent", ""):
        return True
    return not settings.PRODUCTION and request.headers.get("Sec-Fetch-Dest") == "iframe"
