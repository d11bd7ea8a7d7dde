"""The locked page: how the log-in stands, locking it, and opening it again in place.

A script asks here (hospital/ui, lock.js), so that what is half filled in stays on the page. The
pages are public because a locked log-in must be able to ask; they tell nothing but its own name.
"""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from hospital.identity import actions, queries, sessions
from hospital.identity.access import OpenRequest, client_address, public_page, standing_of
from hospital.identity.standing import Standing
from hospital.identity.views.entering import shown_code
from hospital.kernel import clock
from hospital.kernel.errors import Refusal


@public_page
@never_cache
@require_safe
def state(request: OpenRequest) -> HttpResponse:
    """Say how the log-in of this browser stands; ?awake=1 says that somebody is typing."""
    standing, account = standing_of(request, is_by_hand=request.GET.get("awake") == "1")
    facts: dict[str, object] = {"state": standing.value, "token": get_token(request)}
    if account is not None and standing is not Standing.ENDED:
        address = client_address(request)
        facts |= {
            "account": account.pk,
            "name": account.display_name,
            "asks_code": queries.asks_second_step(account=account, address=address),
        }
        if standing is Standing.LOCKED:
            facts["shown_code"] = shown_code(account, at=clock.now())
    return JsonResponse(facts)


@public_page
@never_cache
@require_POST
def lock(request: OpenRequest) -> HttpResponse:
    """Lock now: somebody leaves the desk, or the page saw that nobody is there."""
    standing, _ = standing_of(request)
    if standing is Standing.OPEN:
        sessions.lock_staff(request.session)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@sensitive_post_parameters()
@public_page
@never_cache
@require_POST
def unlock(request: OpenRequest) -> HttpResponse:
    """Open a locked log-in for its own account, under a new session key.

    The form token stays the same: half-filled forms of all windows hold it, and it is the same
    person as before.
    """
    standing, account = standing_of(request)
    if account is None or standing is Standing.ENDED:
        return _answer(HTTPStatus.UNAUTHORIZED, message="登录已结束，请重新登录。")
    at = clock.now()
    try:
        actions.unlock_session(
            account=account,
            password=request.POST.get("password", "")[:200],
            code=request.POST.get("one_time_code", "")[:40],
            address=client_address(request),
            at=at,
        )
    except actions.TooManyAttempts as refusal:
        return _answer(HTTPStatus.TOO_MANY_REQUESTS, message=refusal.message)
    except Refusal as refusal:
        return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, message=refusal.message)
    request.session.cycle_key()
    sessions.note_staff(request.session, at=at)
    return _answer(HTTPStatus.OK, token=get_token(request), name=account.display_name)


def _answer(status: HTTPStatus, **facts: str) -> HttpResponse:
    return JsonResponse(facts, status=status)
