"""Around every request: a log line and a measurement under an id that travels to jobs and WeChat;
and word to caches: a page and a part of it share an address, and staff pages are not kept."""

import logging
import re
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from hospital.identity.access import client_address
from hospital.kernel import logs, metrics, whereabouts

Handler = Callable[[HttpRequest], HttpResponse]
_SAFE_ID = re.compile(r"^[0-9A-Za-z-]{8,40}$")
logger = logging.getLogger("hospital.requests")


class RequestLog:
    """Outermost: takes over X-Request-ID when a proxy of ours sent a sane one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _SAFE_ID.match(offered) else logs.new_request_id()
        started = time.monotonic()
        place = whereabouts.bound(
            address=client_address(request),
            device=whereabouts.device_of(request.headers.get("User-Agent", "")),
        )
        with logs.bound(request_id=request_id), place:
            response = self.get_response(request)
            self._measure(request, response, time.monotonic() - started)
        response["X-Request-ID"] = request_id
        return response

    def _measure(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        view = (match.view_name or match.route) if match else "none"
        if view == "none" and request.path.startswith("/static/"):
            return
        metrics.REQUESTS.labels(view, request.method or "", str(response.status_code)).inc()
        metrics.REQUEST_SECONDS.labels(view).observe(seconds)
        logger.info(
            "request",
            extra={
                "view": view,
                "method": request.method,
                "status": response.status_code,
                "ms": round(seconds * 1000, 1),
            },
        )


class PartsApart:
    """htmx asks for a part of a page at the page's own address.

    Without this the browser's back button may show the part it has kept as if it were the page.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("HX-Request",))
        return response


class NothingKept:
    """Staff pages leave nothing behind: after log-out the back button of a shared PC shows none."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(("/staff/", "/kiosk/")):
            response.setdefault("Cache-Control", "no-store, private")
        return response
