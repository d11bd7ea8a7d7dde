"""Buttons of the desk that speak to WeChat; the pages around them belong to the desk."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.payments import actions, gateway, queries
from hospital.payments.permissions import ASK_CHANNEL


@staff_page(ASK_CHANNEL)
@require_POST
def ask_again(request: StaffRequest, payment_id: int) -> HttpResponse:
    """Ask WeChat how a payment stands, whatever we think of it, and apply the answer."""
    before = queries.payment(payment_id=payment_id).status
    actions.note_asked(payment_id=payment_id, by=request.actor, at=clock.now())
    payment = gateway.ask(payment_id=payment_id, by=request.actor, at=clock.now())
    label = payment.get_status_display()
    text = "没有变化" if payment.status == before else "已更新"
    messages.info(request, f"已向微信查询：{label}（{text}）")
    return _back(request)


@staff_page(ASK_CHANNEL)
@require_POST
def refund_again(request: StaffRequest, refund_id: int) -> HttpResponse:
    """Send a refund that was not taken again under its number, or ask how it stands."""
    actions.note_refund_pressed(refund_id=refund_id, by=request.actor, at=clock.now())
    refund = gateway.press_refund(refund_id=refund_id, by=request.actor, at=clock.now())
    messages.info(request, f"已向微信提交：{refund.get_status_display()}")
    return _back(request)


def _back(request: StaffRequest) -> HttpResponse:
    """To the page the button was on."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(target if is_ours else "/staff/")
