"""What WeChat says to the account: prove, store, answer at once; the work is a job's.

An empty answer with 200 ends it for WeChat; what cannot be proved is 403 and changes nothing.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from hospital.identity.access import OpenRequest, callback
from hospital.kernel import clock
from hospital.messaging import actions
from hospital.wechat import clients
from hospital.wechat.callbacks import InvalidCallback

logger = logging.getLogger(__name__)


@callback
@require_http_methods(["GET", "POST"])
def account(request: OpenRequest) -> HttpResponse:
    """GET: WeChat checks the address as it is entered there. POST: a message or an event."""
    at = clock.now()
    try:
        reader = clients.callback_reader()
    except clients.WeChatNotConnected:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    query = request.GET.dict()
    if request.method == "GET":
        echo = reader.check_url(query, at=at)
        if isinstance(echo, InvalidCallback):
            return HttpResponse(status=HTTPStatus.FORBIDDEN)
        return HttpResponse(echo, content_type="text/plain; charset=utf-8")
    message = reader.read(query, request.body, at=at)
    if isinstance(message, InvalidCallback):
        return HttpResponse(status=HTTPStatus.OK if message.is_from_wechat else 403)
    is_new = actions.hear(message=message, appid=clients.config().appid, at=at)
    if not is_new:
        logger.info("callback repeated", extra={"kind": message.kind, "event": message.event})
    return HttpResponse(content_type="text/plain; charset=utf-8")
