"""Coming in through WeChat (OAuth, snsapi_base) and choosing how pages look.

The state is bound to the session and works once; the way on is one of our own paths only; the
session key changes at log-in. handbook/wechat.md 2.2.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from hospital.identity import actions, forms, gateway, paths, queries, sessions, turns
from hospital.identity.access import OpenRequest, looks_of, public_page
from hospital.identity.context import CARE_COOKIE, THEME_COOKIE
from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid
from hospital.ui import shared

_YEAR_SECONDS: Final = 365 * 24 * 3600
#: Where somebody's turn comes into the page that is drawn for all who wait.
_TURN: Final = b"<!-- turn -->"
_PROBLEMS: Final = {
    gateway.Problem.NOT_CONNECTED: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "微信服务尚未开通",
        "医院还没有接入微信公众号，暂时不能在线办理，请到门诊窗口。",
    ),
    gateway.Problem.UNREACHABLE: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "暂时连不上微信",
        "微信登录服务没有响应，您的资料和预约不受影响，请稍后再试。",
    ),
    gateway.Problem.SNAPSHOT: (
        HTTPStatus.FORBIDDEN,
        "请使用完整服务",
        "您正在以快照方式浏览，不能挂号和缴费。请点击页面下方的“使用完整服务”，再重新进入。",
    ),
    gateway.Problem.REJECTED: (
        HTTPStatus.CONFLICT,
        "登录没有完成",
        "这次登录已经失效，请重新进入。",
    ),
}


@public_page
@never_cache
@require_GET
def wechat_login(request: OpenRequest) -> HttpResponse:
    """Send the visitor to WeChat, remembering where to go afterwards."""
    path = paths.own_path(request.GET.get("next"), home=paths.PATIENT_HOME)
    state = sessions.begin_oauth(request.session, path=path, at=clock.now())
    address = gateway.authorize_url(
        return_url=settings.PUBLIC_URL + reverse("identity-wechat-return"), state=state
    )
    if isinstance(address, gateway.Problem):
        return _failed(request, address, path=path)
    return HttpResponseRedirect(address)


@public_page
@never_cache
@require_GET
def wechat_return(request: OpenRequest) -> HttpResponse:
    """Take the visitor back from WeChat: check the state, exchange the code, open the session."""
    at = clock.now()
    path = sessions.end_oauth(request.session, state=request.GET.get("state", ""), at=at)
    if path is None and sessions.patient_id(request.session) is not None:
        # The "back" button of the web view comes here again; there is nothing to do twice.
        return HttpResponseRedirect(paths.PATIENT_HOME)
    code = request.GET.get("code", "")
    if path is None or not code:
        return _failed(request, gateway.Problem.REJECTED, path=path or paths.PATIENT_HOME)
    outcome = gateway.sign_in(code=code, at=at)
    if isinstance(outcome, gateway.Problem):
        return _failed(request, outcome, path=path)
    sessions.sign_in_patient(request.session, wechat_user_id=outcome.pk)
    response = HttpResponseRedirect(path)
    _keep(response, CARE_COOKIE, "1" if outcome.care_mode else "0")
    _keep(response, THEME_COOKIE, outcome.theme)
    return response


@public_page
@require_POST
def care(request: OpenRequest) -> HttpResponse:
    """Switch large type or theme; remembered in the account when there is one, and in a cookie."""
    form = forms.DisplayForm(request.POST)
    if not form.is_valid():
        raise Invalid({"": ["没有这种显示方式。"]})
    care_mode, theme = form.care_mode(), form.chosen_theme()
    user_id = sessions.patient_id(request.session)
    if user_id is not None and queries.wechat_user(user_id=user_id) is not None:
        actions.set_display(
            wechat_user_id=user_id,
            care_mode=care_mode,
            theme=theme,
            by=Actor("patient", user_id),
        )
    back = paths.own_path(request.POST.get("next"), home=paths.PATIENT_HOME)
    response = HttpResponseRedirect(back)
    if care_mode is not None:
        _keep(response, CARE_COOKIE, "1" if care_mode else "0")
    if theme is not None:
        _keep(response, THEME_COOKIE, theme)
    return response


@public_page
@never_cache
@require_safe
def wait(request: OpenRequest) -> HttpResponse:
    """Before a rush: how many come first, and on to the page asked for when the turn has come.

    The page asks again by itself, the later the more come first. It reads the turn alone: neither
    session nor account, and what is around the turn is drawn once a second for all who go to
    the same page, so that thousands may wait.
    """
    at = clock.now()
    path = paths.own_path(request.GET.get("next"), home=paths.PATIENT_HOME)
    turn = turns.turn_of(request)
    if turn is None or turn.is_inside(at=at):
        return _go_on(request, path)
    if (let_in := turns.step_in(turn, at=at)) != turn:
        response = _go_on(request, path)
        turns.keep(response, let_in)
        return response
    found = turns.wait_of(turn, at=at)
    part = render_to_string(
        "identity/patient/wait.html#turn", {"wait": found, "here": request.get_full_path()}
    )
    if request.htmx:
        response = HttpResponse(part)
    else:
        page = shared.drawn(request, _draw_around, looks=looks_of(request))
        response = HttpResponse(page.content.replace(_TURN, part.encode()))
    response["Retry-After"] = str(math.ceil(found.again))
    return response


def _draw_around(nobody: shared.NobodysRequest) -> HttpResponse:
    return render(nobody, "identity/patient/wait.html")


def _go_on(request: OpenRequest, path: str) -> HttpResponse:
    return HttpResponseClientRedirect(path) if request.htmx else HttpResponseRedirect(path)


def _failed(request: OpenRequest, problem: gateway.Problem, *, path: str) -> HttpResponse:
    status, title, message = _PROBLEMS[problem]
    retry = f"{reverse('identity-wechat-login')}?{urlencode({'next': path})}"
    context = {"title": title, "message": message, "retry": retry}
    return render(request, "identity/patient/login_failed.html", context, status=status)


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_YEAR_SECONDS,
        path=paths.PATIENT_HOME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
