"""The envelope of every WeChat Pay v3 call: prove the request, run it, sign the answer.

Product modules write plain functions `(sandbox, call) -> Answer` and wrap them with `route`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wechat_sandbox import fields, ids
from wechat_sandbox.edge import subject_of
from wechat_sandbox.faults import Point
from wechat_sandbox.sandbox import Sandbox, sandbox_of
from wechat_sandbox.signing import BadSignature, Flaw, check_request, sign_message


class Refused(Exception):
    """An error answer of the API: HTTP status, `code`, `message`, and the reason number."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        reason: int = 268435456,
        detail: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Call:
    """A proven request. `path` holds the decoded path parameters, `body` the parsed JSON,
    `serial` the platform key the request names (upper case), for answers and sealed fields."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]
    subject: str
    serial: str = ""


@dataclass(frozen=True)
class Answer:
    """A success; neither document nor file means 204. `status` 202: heard, not decided yet.

    A file goes out unsigned.
    """

    document: dict[str, Any] | None = None
    status: int = 200
    file: bytes | None = None
    media_type: str = ""


FLAWS = {
    "response_bad_signature": Flaw.OTHER_BYTES,
    "response_stale": Flaw.STALE,
    "response_unsigned": Flaw.UNSIGNED,
    "response_wrong_serial": Flaw.WRONG_SERIAL,
    "response_swapped_key": Flaw.SWAPPED_KEY,
}
Handler = Callable[[Sandbox, Call], Answer]


def route(path: str, handler: Handler, *, method: str) -> Route:
    """An endpoint at this path that only the merchant can call."""

    async def endpoint(request: Request) -> Response:
        sandbox = sandbox_of(request)
        body = await request.body()
        try:
            with_public_key = _answering_key(sandbox, request)
            call = _prove(sandbox, request, body)
            answer = handler(sandbox, call)
        except Refused as refused:
            return _refusal(refused)
        except fields.Wrong as wrong:
            return _refusal(_parameter_error(wrong))
        if answer.file is not None:
            headers = {"Request-ID": ids.request_id()}
            return Response(answer.file, 200, headers, answer.media_type)
        return _signed(sandbox, answer, call, with_public_key=with_public_key)

    return Route(path, endpoint, methods=[method])


async def nothing_here(request: Request) -> Response:
    """Any v3 address that is not served: an error in WeChat's form, never an empty success."""
    del request
    return _refusal(Refused(404, "RESOURCE_NOT_EXISTS", "请求的接口不存在"))


def own_merchant(sandbox: Sandbox, mchid: str | None) -> None:
    """The `mchid` of a call must be the signer's; raises Refused."""
    if not mchid:
        raise fields.Wrong("/query/mchid", "", "必填性规则校验失败，此字段为必填项")
    if mchid != sandbox.keys.mchid:
        raise Refused(400, "MCH_NOT_EXISTS", "商户号不存在或与签名的商户号不一致")


def _answering_key(sandbox: Sandbox, request: Request) -> bool:
    """True for the public key, False for the platform certificate: the request's serial decides."""
    wanted = request.headers.get("Wechatpay-Serial", "")
    if wanted == sandbox.keys.pub_key_id:
        return True
    if not wanted or sandbox.keys.platform_of(wanted.upper()):
        return False
    raise Refused(
        400,
        "PARAM_ERROR",
        "平台证书序列号或微信支付公钥ID错误",
        detail={"field": "Wechatpay-Serial", "value": wanted, "location": "header"},
    )


def _prove(sandbox: Sandbox, request: Request, body: bytes) -> Call:
    if not request.headers.get("User-Agent"):
        raise Refused(403, "REQUEST_BLOCKED", "Http头缺少User-Agent")
    accepted = request.headers.get("Accept", "")
    if "application/json" not in accepted and "*/*" not in accepted:
        raise Refused(406, "PARAM_ERROR", "Http头Accept应为application/json")
    try:
        check_request(
            sandbox.keys,
            method=request.method,
            target=_raw_target(request),
            body=body,
            authorization=request.headers.get("Authorization", ""),
            at=sandbox.clock.wire(),
        )
    except BadSignature as bad:
        raise Refused(401, "SIGN_ERROR", str(bad), reason=268435461) from bad
    return Call(
        path=request.path_params,
        query=request.query_params,
        body=_document(request, body),
        subject=subject_of(request.scope, body),
        serial=request.headers.get("Wechatpay-Serial", "").upper(),
    )


def _raw_target(request: Request) -> str:
    """Path and query as they came over the wire; re-encoding them would break the signature."""
    raw: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return (raw + (b"?" + query if query else b"")).decode("latin-1")


def _document(request: Request, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        raise Refused(415, "PARAM_ERROR", "Http头Content-Type应为application/json")
    try:
        document = json.loads(body)
    except ValueError as problem:
        raise Refused(400, "PARAM_ERROR", "请求包体不是合法的JSON") from problem
    if not isinstance(document, dict):
        raise Refused(400, "PARAM_ERROR", "请求包体应为JSON对象")
    return document


def _parameter_error(wrong: fields.Wrong) -> Refused:
    where = wrong.field if wrong.field.startswith("/query") else f"/body{wrong.field}"
    return Refused(
        400,
        "PARAM_ERROR",
        f"输入源“{where}”{wrong.issue}",
        reason=wrong.reason,
        detail={
            "field": wrong.field,
            "value": wrong.value,
            "issue": wrong.issue,
            "location": "query" if wrong.field.startswith("/query") else "body",
        },
    )


def _refusal(refused: Refused) -> Response:
    document: dict[str, Any] = {"code": refused.code, "message": refused.message}
    if refused.detail is not None:
        document["detail"] = refused.detail
    return Response(
        compact(document),
        refused.status,
        {"Request-ID": ids.request_id(refused.reason)},
        "application/json; charset=utf-8",
    )


def _signed(sandbox: Sandbox, answer: Answer, call: Call, *, with_public_key: bool) -> Response:
    body = b"" if answer.document is None else compact(answer.document)
    struck = sandbox.faults.take(Point.SIGNATURE, call.subject)
    headers = sign_message(
        sandbox.keys,
        body,
        with_public_key=with_public_key,
        at=sandbox.clock.wire(),
        flaws={FLAWS[fault.kind]: fault.seconds for fault in struck if fault.kind in FLAWS},
    )
    headers["Request-ID"] = ids.request_id()
    if answer.document is not None and any(f.kind == "response_changed_amount" for f in struck):
        body = compact(_dearer(answer.document))
    if answer.document is None:
        return Response(status_code=204, headers=headers)
    return Response(body, answer.status, headers, "application/json; charset=utf-8")


def _dearer(document: dict[str, Any]) -> dict[str, Any]:
    """The answer as somebody on the way would rewrite it: every amount one yuan higher."""
    amount = document.get("amount")
    if not isinstance(amount, dict):
        return document | {"changed": "1"}
    return document | {
        "amount": {
            name: value + 100 if isinstance(value, int) else value for name, value in amount.items()
        }
    }


def compact(document: dict[str, Any]) -> bytes:
    """JSON without spaces, Chinese as it is."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
