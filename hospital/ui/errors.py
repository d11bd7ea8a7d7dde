"""The pages for what went wrong outside any rule: 400, 403, 404, 405, 500, 503, each in its
audience's look.

Wired as handlers in config/urls. None asks the database or the session, because either may be the
reason. Refusals of rules are answered by the identity area's middleware.
"""

from __future__ import annotations

import sys
from http import HTTPStatus

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

_WORDS = {
    HTTPStatus.BAD_REQUEST: (
        "这一页已经失效",
        "登录可能刚刚在别处结束，或者链接不完整。请重新打开；"
        "如果刚才提交了内容，先看一下办成了没有。",
    ),
    HTTPStatus.FORBIDDEN: ("不能打开这个页面", "页面可能已过期，请返回后重试。"),
    HTTPStatus.NOT_FOUND: ("没有找到这个页面", "链接可能已失效，或内容不属于您。"),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "这一步要在页面上点",
        "这个地址不能直接打开，什么也没有办理。请返回后从页面上继续。",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "系统开小差了",
        "我们已记录这个问题。您的预约和付款不受影响，请稍后再试。",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "系统暂时连不上",
        "一般几秒钟就恢复，请重新加载。如果刚才提交了内容，先看一下办成了没有，不要马上再办一次。",
    ),
}


#: What a page that may work again in a moment says about when.
_RETRY_SECONDS = "5"
_MAY_BE_RELOADED = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 400: a request nobody sends from a page of ours, or whose session has just ended."""
    return _answer(request, HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403: a form too old, or a visitor without the right."""
    return _answer(request, HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 404: no such page, or not yours."""
    return _answer(request, HTTPStatus.NOT_FOUND)


def only_a_step(request: HttpRequest) -> HttpResponse:
    """Answer 405: the address of a button, opened as if it were a page."""
    return _answer(request, HTTPStatus.METHOD_NOT_ALLOWED)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500: a bug; 503 when the database was away. Both are logged by Django.

    Django asks for this page while it still holds the exception.
    """
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        response = _answer(request, HTTPStatus.SERVICE_UNAVAILABLE)
        response["Retry-After"] = _RETRY_SECONDS
        return response
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a post without its token (settings.CSRF_FAILURE_VIEW)."""
    return _answer(request, HTTPStatus.FORBIDDEN)


def _answer(request: HttpRequest, status: HTTPStatus) -> HttpResponse:
    title, text = _WORDS[status]
    if request.path.startswith(("/api/", "/callback/")):
        return JsonResponse({"code": status.name, "message": title}, status=status)
    if request.path.startswith("/fhir/"):
        issue = {"severity": "fatal", "code": "exception", "details": {"text": title}}
        outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
        return JsonResponse(outcome, status=status, content_type="application/fhir+json")
    staff = request.path.startswith("/staff/")
    context = {
        "hospital_name": settings.HOSPITAL_NAME,
        "hospital_phone": settings.HOSPITAL_PHONE,
        "care": request.COOKIES.get("care") == "1",
        "title": title,
        "message": text,
        "status": int(status),
        "home": "/staff/" if staff else "/m/",
        "retry": status in _MAY_BE_RELOADED,
    }
    template = "ui/error_staff.html" if staff else "ui/error_patient.html"
    return HttpResponse(render_to_string(template, context), status=status)
