"""What stands around every FHIR operation: who asks, how often, in which form; and the answer.

The order: method, token, pace, scope, form of the question; then the operation. Whatever rule
says no becomes an OperationOutcome, and every call is written down with how it ended.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import http_date

from hospital.identity.access import OpenRequest, partner_page
from hospital.interop import actions
from hospital.interop.actions import Visitor
from hospital.interop.fhir import search, words
from hospital.interop.fhir.operations import FORM_PATH, Operation
from hospital.interop.fhir.outcome import outcome
from hospital.interop.fhir.resources import Resource, version_of
from hospital.interop.fhir.search import Asked
from hospital.kernel import clock
from hospital.kernel.errors import Invalid, NotAllowed, NotFound, Refusal
from hospital.kernel.request_keys import KeyMissing, KeyReused
from hospital.patients.actions import TooManyUnconfirmed

MOST_BYTES: Final = 64 * 1024
_READABLE: Final = ("*/*", "application/*", words.JSON, "application/json")


class NoSuchMethod(Refusal):
    """details: allowed"""

    code: ClassVar[str] = "METHOD_NOT_ALLOWED"
    default_message: ClassVar[str] = "这个地址不支持该方法。"


class ScopeMissing(NotAllowed):
    code: ClassVar[str] = "SCOPE_MISSING"
    default_message: ClassVar[str] = "访问令牌没有这项操作的权限。"


class NotAcceptable(Refusal):
    code: ClassVar[str] = "NOT_ACCEPTABLE"
    default_message: ClassVar[str] = "只提供 application/fhir+json。"


class WrongMedia(Refusal):
    code: ClassVar[str] = "UNSUPPORTED_MEDIA_TYPE"
    default_message: ClassVar[str] = "不支持这种内容类型。"


class TooLarge(Refusal):
    code: ClassVar[str] = "TOO_LARGE"
    default_message: ClassVar[str] = "内容过长。"


class NoJson(Refusal):
    code: ClassVar[str] = "NO_JSON"
    default_message: ClassVar[str] = "内容不是合法的 JSON。"


#: The first that fits; everything else is a rule of the hospital that says no: 409.
_STATUSES: Final[tuple[tuple[type[Refusal], HTTPStatus], ...]] = (
    (actions.VersionChanged, HTTPStatus.PRECONDITION_FAILED),
    (actions.TooFast, HTTPStatus.TOO_MANY_REQUESTS),
    (actions.DayQuotaUsed, HTTPStatus.TOO_MANY_REQUESTS),
    (TooManyUnconfirmed, HTTPStatus.TOO_MANY_REQUESTS),
    (actions.BadToken, HTTPStatus.UNAUTHORIZED),
    (NoSuchMethod, HTTPStatus.METHOD_NOT_ALLOWED),
    (NotAcceptable, HTTPStatus.NOT_ACCEPTABLE),
    (WrongMedia, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (NoJson, HTTPStatus.BAD_REQUEST),
    (search.BadParameter, HTTPStatus.BAD_REQUEST),
    (KeyMissing, HTTPStatus.BAD_REQUEST),
    (KeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Invalid, HTTPStatus.UNPROCESSABLE_ENTITY),
    (NotFound, HTTPStatus.NOT_FOUND),
    (NotAllowed, HTTPStatus.FORBIDDEN),
)
#: How long somebody is asked to wait who is told no other time.
_WAIT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Call:
    """One question of a partner, of its right form. `address` is what was asked, `query` how: of
    a search by form what it would be by address. `passed_over` are parameters nobody knew."""

    visitor: Visitor
    asked: Asked
    headers: Asked
    path_id: str
    body: Any
    query: str
    address: str
    passed_over: Sequence[str]
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers; `number` is the appointment it was about, for the record."""

    resource: Resource
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    number: str = ""


Handler = Callable[[Call], Answer]


def door(operations: Sequence[tuple[Operation, Handler]]) -> Callable[..., HttpResponseBase]:
    """The view of one path: its operations by method."""
    by_method = {operation.method: (operation, handler) for operation, handler in operations}

    @partner_page
    def view(request: OpenRequest, path_id: str = "") -> HttpResponse:
        return _answered(request, by_method, path_id)

    return view


def respond(
    resource: Resource, *, status: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """A resource as FHIR JSON with its version; nothing of it is kept on the way."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
    response = HttpResponse(text, status=status, content_type=words.JSON)
    if version := version_of(resource):
        response["ETag"] = f'W/"{version}"'
    if changed := resource.get("meta", {}).get("lastUpdated"):
        response["Last-Modified"] = http_date(dt.datetime.fromisoformat(changed).timestamp())
    for name, value in {"Cache-Control": "no-store", **(headers or {})}.items():
        response[name] = value
    return response


def refused(refusal: Refusal) -> HttpResponse:
    """A refusal as OperationOutcome, with the header its status asks for."""
    status = status_of(refusal)
    headers: dict[str, str] = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="fhir", error="invalid_token"'
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(refusal.details.get("seconds", _WAIT_SECONDS))
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = str(refusal.details.get("allowed", ""))
    return respond(outcome(refusal, status=status), status=status, headers=headers)


def status_of(refusal: Refusal) -> HTTPStatus:
    """The HTTP status of a refusal here."""
    found = (status for kind, status in _STATUSES if isinstance(refusal, kind))
    return next(found, HTTPStatus.CONFLICT)


def _answered(
    request: HttpRequest, by_method: Mapping[str, tuple[Operation, Handler]], path_id: str
) -> HttpResponse:
    started, at = time.monotonic(), clock.now()
    method = "GET" if request.method == "HEAD" else str(request.method)
    operation, handler = by_method.get(method, (None, None))
    visitor: Visitor | None = None
    status, code, number = HTTPStatus.INTERNAL_SERVER_ERROR, "EXCEPTION", ""
    try:
        if operation is None or handler is None:
            raise NoSuchMethod(allowed=", ".join(by_method))
        visitor = _visitor(request, at=at)
        call = _call(request, operation, visitor, path_id, at=at)
        answer = handler(call)
        response = respond(answer.resource, status=answer.status, headers=answer.headers)
        if search.is_same(call.headers, version_of(answer.resource)):
            response.status_code, response.content = HTTPStatus.NOT_MODIFIED, b""
        status, code, number = HTTPStatus(response.status_code), "", answer.number
        return response
    except Refusal as refusal:
        status, code = status_of(refusal), refusal.code
        return refused(refusal)
    finally:
        actions.note_call(
            partner_id=visitor.partner_id if visitor else None,
            operation=operation.id if operation else method[:30],
            status=status,
            code=code,
            number=number,
            took_ms=round((time.monotonic() - started) * 1000),
            at=at,
        )


def _visitor(request: HttpRequest, *, at: dt.datetime) -> Visitor:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise actions.BadToken
    return actions.visitor_of(token=token.strip(), at=at)


def _call(
    request: HttpRequest,
    operation: Operation,
    visitor: Visitor,
    path_id: str,
    *,
    at: dt.datetime,
) -> Call:
    caller = f"partner:{visitor.partner_id}"
    actions.count_call(caller=caller, most=visitor.per_minute, at=at)
    if operation.scope not in visitor.scopes:
        raise ScopeMissing
    given = _given(request, operation)
    if not _is_readable(request.headers.get("Accept", "*/*"), given.get(search.FORMAT.name, ())):
        raise NotAcceptable
    if operation.with_id and not search.PATH_ID.fits(path_id):
        raise NotFound("没有找到您要的内容。")
    is_strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    passed_over = search.passed_over(operation.params, given, is_strict=is_strict)
    asked = search.read(operation.params, given)
    wanted = {one.name for one in operation.params if one.place == "header"}
    brought = {name: [request.headers[name]] for name in wanted if name in request.headers}
    return Call(
        visitor=visitor,
        asked=asked,
        headers=search.read(operation.params, brought, place="header"),
        path_id=path_id,
        body=_body(request, operation) if operation.body else None,
        query=urlencode({name: given[name] for name in asked if name in given}, doseq=True),
        address=request.build_absolute_uri(request.path).removesuffix(FORM_PATH),
        passed_over=passed_over,
        at=at,
    )


def _is_readable(accept: str, formats: Sequence[str]) -> bool:
    """Whether JSON will do: by `_format`, which goes before the header."""
    if formats:
        return all(search.FORMAT.fits(word) for word in formats)
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return any(kind in _READABLE for kind in kinds)


def _given(request: HttpRequest, operation: Operation) -> dict[str, list[str]]:
    """The parameters as they came, those of a form after those of the address."""
    given: dict[str, list[str]] = {}
    if operation.is_form and request.headers.get("Content-Length", "0") != "0":
        _check_media(request, operation)
    try:
        sources = [request.GET, request.POST] if operation.is_form else [request.GET]
    except TooManyFieldsSent as problem:
        raise search.BadParameter("查询参数太多。") from problem
    for source in sources:
        for name, values in source.lists():
            given.setdefault(name, []).extend(str(value) for value in values)
    return given


def _check_media(request: HttpRequest, operation: Operation) -> None:
    sent = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if sent not in operation.media:
        raise WrongMedia(f"内容类型应为 {'、'.join(operation.media)}。")
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if length > MOST_BYTES:
        raise TooLarge


def _body(request: HttpRequest, operation: Operation) -> object:
    _check_media(request, operation)
    try:
        body: object = json.loads(request.body, parse_constant=_no_constant)
        # What cannot be written again (half of a surrogate pair) cannot be stored either.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise NoJson from problem
    return body


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
