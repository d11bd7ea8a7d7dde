"""What stands around every view: sessions, the net for unmarked views, the answer to a Refusal.

SharedPages answers from what others were answered a moment ago. AudienceSessions keeps patients'
sessions apart from all others.
EveryViewIsMarked lets no view without an access mark run. RefusalsToPages turns the Refusal a rule
raised into what the visitor can read: a WeUI or staff notice, a fragment for htmx, JSON (law 7).
Neither catches anything else: other exceptions are bugs and stay 500.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from hospital.identity import access, paths, turns
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.ui import errors, shared

Handler = Callable[[HttpRequest], HttpResponseBase]
logger = logging.getLogger(__name__)

_TITLES: Final = {
    HTTPStatus.FORBIDDEN: "没有权限",
    HTTPStatus.NOT_FOUND: "没有找到",
    HTTPStatus.CONFLICT: "未能完成",
    HTTPStatus.UNPROCESSABLE_ENTITY: "填写有误",
}


class SharedPages:
    """In a rush nearly all ask for the same few pages; who is known gets one that went out in the
    last second as it is, and nothing further in is asked (M1.16)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "GET" and turns.COOKIE in request.COOKIES:
            page = shared.went_out_before(request, looks=access.looks_of(request))
            if page is not None and turns.is_known(request, at=clock.now()):
                return page
        response = self.get_response(request)
        if isinstance(response, shared.SharedPage) and request.method == "GET":
            response.went_out()
        return response


class AudienceSessions(SessionMiddleware):
    """Django's sessions, with a cookie of their own for patients below /m/.

    A member of staff who is also a patient, or a shared computer, then never mixes the two, and
    logging out of one leaves the other.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Load the session of the audience the address belongs to."""
        name, _ = _cookie_of(request)
        request.session = self.SessionStore(request.COOKIES.get(name))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save a changed session and send its cookie; drop the cookie of an emptied one."""
        name, path = _cookie_of(request)
        session = request.session
        if session.accessed:
            patch_vary_headers(response, ("Cookie",))
        if session.is_empty():
            if name in request.COOKIES:
                response.delete_cookie(name, path=path, samesite="Lax")
            return response
        if not session.modified or response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return response
        try:
            session.save()
        except UpdateError as failure:
            # Django says the same of a row that has gone and of a database that has.
            if isinstance(away := failure.__context__, OperationalError):
                raise away from None
            message = "The session ended while this request was under way."
            raise SessionInterrupted(message) from None
        response.set_cookie(
            name,
            session.session_key or "",
            max_age=session.get_expiry_age(),
            path=path,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


class EveryViewIsMarked:
    """Refuse a view that wears no access mark; the resolver test finds it earlier."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        """Answer 403 in place of an unmarked view."""
        if access.access_of(view) is not None:
            return None
        name = getattr(view, "__qualname__", type(view).__name__)
        logger.error("view without access mark refused", extra={"view": name})
        return HttpResponseForbidden("Forbidden", content_type="text/plain")


class RefusalsToPages:
    """Answer a Refusal in the manner of the page it came from.

    A step's address opened as a page (typed, or come back to after logging in) gets a page too.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.method != "GET":
            return response
        if not request.path.startswith((paths.PATIENT_HOME, paths.STAFF_HOME)):
            return response
        explained = errors.only_a_step(request)
        explained["Allow"] = response["Allow"]
        return explained

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the notice for a Refusal, None (so: 500) for everything else."""
        if not isinstance(exception, Refusal):
            return None
        match = request.resolver_match
        mark = access.access_of(match.func) if match is not None else None
        kind = mark.kind if mark is not None else "public"
        status = status_of(exception)
        logger.info("refused", extra={"code": exception.code, "status": int(status)})
        access.note_refusal(request, exception)
        return answer(request, exception, kind=kind, status=status)


def _cookie_of(request: HttpRequest) -> tuple[str, str]:
    if request.path.startswith(paths.PATIENT_HOME):
        return settings.PATIENT_COOKIE_NAME, paths.PATIENT_HOME
    return settings.SESSION_COOKIE_NAME, "/"


def status_of(refusal: Refusal) -> HTTPStatus:
    """Return the HTTP status of a refusal: missing and not yours are one and the same 404."""
    if isinstance(refusal, Invalid):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(refusal, NotFound):
        return HTTPStatus.NOT_FOUND
    if isinstance(refusal, NotAllowed):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.CONFLICT


def answer(
    request: HttpRequest, refusal: Refusal, *, kind: access.AccessKind, status: HTTPStatus
) -> HttpResponse:
    """Write a refusal for its audience: JSON, an htmx fragment, or a whole page."""
    if kind in {"api", "callback", "partner"}:
        return JsonResponse(_as_json(refusal), status=status)
    staff = kind == "staff"
    context = {
        "title": _TITLES[status],
        "message": refusal.message,
        "sentences": _sentences(refusal),
        "permission": refusal.details.get("permission", ""),
        "way_on": refusal.details.get("way_on"),
        "home": paths.STAFF_HOME if staff else paths.PATIENT_HOME,
        "back": request.headers.get("Referer", "") if _came_from_us(request) else "",
    }
    if request.headers.get("HX-Request") == "true":
        # The page kit's script shows an answer with this header as a dialog, whatever its target.
        response = render(request, "ui/refusal_notice.html", context, status=status)
        response["X-Refusal"] = refusal.code
        return response
    template = "ui/refusal_staff.html" if staff else "ui/refusal_patient.html"
    return render(request, template, context, status=status)


def _as_json(refusal: Refusal) -> dict[str, object]:
    body: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if isinstance(refusal, Invalid):
        body["errors"] = refusal.errors
    return body


def _sentences(refusal: Refusal) -> list[str]:
    if not isinstance(refusal, Invalid):
        return []
    return [sentence for sentences in refusal.errors.values() for sentence in sentences]


def _came_from_us(request: HttpRequest) -> bool:
    return request.headers.get("Referer", "").startswith(
        f"{request.scheme}://{request.get_host()}/"
    )
