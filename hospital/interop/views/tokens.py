"""The token endpoint: OAuth 2.0 client credentials (RFC 6749 4.4), by HTTP Basic or in the body."""

from __future__ import annotations

import base64
import binascii
import time
from http import HTTPStatus
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse

from hospital.identity.access import OpenRequest, client_address, partner_page
from hospital.interop import actions, thresholds
from hospital.interop.views.frame import NoSuchMethod, refused
from hospital.kernel import clock
from hospital.kernel.errors import Refusal

_FORM = "application/x-www-form-urlencoded"


class _BadRequest(Refusal):
    code = "BAD_REQUEST"
    default_message = "grant_type 应为 client_credentials，以表单提交。"


class _OtherGrant(Refusal):
    code = "UNSUPPORTED_GRANT_TYPE"
    default_message = "grant_type 只支持 client_credentials。"


@partner_page
def token(request: OpenRequest) -> HttpResponse:
    """Sell a token; counted per network address, whoever asks."""
    if request.method != "POST":
        return refused(NoSuchMethod(allowed="POST"))
    started, at = time.monotonic(), clock.now()
    partner_id, code = None, ""
    try:
        issued = _issue(request)
        partner_id = issued.visitor.partner_id
        answer = JsonResponse(
            {
                "access_token": issued.token,
                "token_type": "Bearer",
                "expires_in": issued.seconds,
                "scope": " ".join(sorted(issued.visitor.scopes)),
            }
        )
    except Refusal as refusal:
        code = refusal.code
        answer = _refused(refusal)
    answer["Cache-Control"] = "no-store"
    actions.note_call(
        partner_id=partner_id,
        operation="issueToken",
        status=answer.status_code,
        code=code,
        took_ms=round((time.monotonic() - started) * 1000),
        at=at,
    )
    return answer


def _issue(request: HttpRequest) -> actions.Issued:
    at = clock.now()
    most = thresholds.TOKENS_PER_MINUTE.value()
    actions.count_call(caller=f"address:{client_address(request)}", most=most, at=at)
    sent = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    grants = request.POST.getlist("grant_type") if sent == _FORM else []
    if len(grants) != 1:
        raise _BadRequest
    if grants != ["client_credentials"]:
        raise _OtherGrant
    client_id, client_secret = _client(request)
    return actions.issue_token(
        client_id=client_id,
        client_secret=client_secret,
        scopes=request.POST.get("scope", "").split(),
        at=at,
    )


def _client(request: HttpRequest) -> tuple[str, str]:
    """Id and secret, from the header (each form-encoded first, RFC 6749 2.3.1) or the body."""
    kind, _, coded = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    try:
        text = base64.b64decode(coded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise actions.BadClient from problem
    client_id, _, client_secret = text.partition(":")
    return unquote(client_id), unquote(client_secret)


def _refused(refusal: Refusal) -> JsonResponse:
    error, status = {
        "BAD_CLIENT": ("invalid_client", HTTPStatus.UNAUTHORIZED),
        "UNSUPPORTED_GRANT_TYPE": ("unsupported_grant_type", HTTPStatus.BAD_REQUEST),
        "BAD_SCOPE": ("invalid_scope", HTTPStatus.BAD_REQUEST),
        "TOO_FAST": ("temporarily_unavailable", HTTPStatus.TOO_MANY_REQUESTS),
    }.get(refusal.code, ("invalid_request", HTTPStatus.BAD_REQUEST))
    answer = JsonResponse({"error": error, "error_description": refusal.message}, status=status)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = 'Basic realm="fhir"'
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        answer["Retry-After"] = str(refusal.details["seconds"])
    return answer
