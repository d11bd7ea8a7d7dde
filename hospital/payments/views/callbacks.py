"""WeChat's notices: verify the raw bytes, store and apply in one action, then say 204 (walk 1).

A verified repeat is success. What we cannot verify is 401, so that a true notice comes again; what
is WeChat's and still cannot be read or applied is our fault: 5xx, and WeChat repeats it for a day.
"""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from hospital.identity.access import callback
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.payments import actions
from hospital.payments.states import NoticeKind
from hospital.wechat import clients
from hospital.wechat.notices import InvalidNotice, PaymentNotice, RefundNotice
from hospital.wechat.outcomes import Paid

logger = logging.getLogger(__name__)

KEPT_HEADERS = ("Wechatpay-", "Request-Id", "Content-Type")


@callback
@require_POST
def payment_notice(request: HttpRequest) -> HttpResponse:
    """Somebody paid."""
    at = clock.now()
    read = clients.notices().payment(headers=request.headers, body=request.body, at=at)
    if isinstance(read, InvalidNotice):
        return _refuse(read)
    if isinstance(read.order, Paid):
        actions.record_result(
            paid=read.order,
            received=_received(request, NoticeKind.PAYMENT, read),
            by=SYSTEM,
            at=at,
        )
    else:
        # WeChat tells of success only; anything else would be found by asking.
        logger.warning("notice without a payment", extra={"event_type": read.event_type})
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@callback
@require_POST
def refund_notice(request: HttpRequest) -> HttpResponse:
    """A refund came to its end."""
    at = clock.now()
    read = clients.notices().refund(headers=request.headers, body=request.body, at=at)
    if isinstance(read, InvalidNotice):
        return _refuse(read)
    actions.record_refund_result(
        state=read.refund, received=_received(request, NoticeKind.REFUND, read), by=SYSTEM, at=at
    )
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _received(
    request: HttpRequest, kind: NoticeKind, notice: PaymentNotice | RefundNotice
) -> actions.Received:
    return actions.Received(
        notice_id=notice.notice_id,
        kind=kind,
        event_type=notice.event_type,
        headers={
            name: value for name, value in request.headers.items() if name.startswith(KEPT_HEADERS)
        },
        body=request.body,
    )


def _refuse(invalid: InvalidNotice) -> HttpResponse:
    status = HTTPStatus.INTERNAL_SERVER_ERROR if invalid.is_from_wechat else HTTPStatus.UNAUTHORIZED
    return JsonResponse({"code": "FAIL", "message": "无法验证或读取该通知"}, status=status)
