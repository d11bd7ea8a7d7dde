"""The envelope of WeChat Pay v2: XML in, a key-sorted digest as signature, XML out.

`return_code` speaks of the transport (a bad signature is FAIL), `result_code` of the business. The
signature is MD5, or HMAC-SHA256 when `sign_type` says so; answers are signed the way of the call.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wechat_sandbox import scanpay, xml
from wechat_sandbox.edge import subject_of
from wechat_sandbox.faults import Point
from wechat_sandbox.sandbox import Sandbox, sandbox_of
from wechat_sandbox.signing import nonce

MD5 = "MD5"
HMAC = "HMAC-SHA256"
FORGED = "0" * 32


@dataclass(frozen=True)
class Call:
    """A proven request: its fields, and the text in which faults look for their match."""

    fields: Mapping[str, str]
    subject: str

    def fen(self, name: str) -> int:
        """An amount in fen of at least 1; raises Refused."""
        text = self.fields.get(name, "")
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise Refused("PARAM_ERROR", f"{name}参数格式错误")
        return int(text)

    def text(self, name: str, most: int) -> str:
        """A required text; raises Refused."""
        text = self.fields.get(name, "")
        if not text:
            raise Refused("PARAM_ERROR", f"缺少参数{name}")
        if len(text.encode()) > most:
            raise Refused("PARAM_ERROR", f"{name}参数长度有误")
        return text


class Refused(Exception):
    """`result_code` FAIL: `err_code`, `err_code_des`, and further fields of the answer."""

    def __init__(self, code: str, message: str, *, recall: str = "") -> None:
        super().__init__(f"{code} {message}")
        self.fields = {"err_code": code, "err_code_des": message, "recall": recall}


class NotHeard(Exception):
    """`return_code` FAIL, unsigned: the call was not understood or not proven."""


Handler = Callable[[Sandbox, Call], dict[str, str]]


def route(path: str, handler: Handler) -> Route:
    """An endpoint that only the merchant can call."""

    async def endpoint(request: Request) -> Response:
        sandbox = sandbox_of(request)
        body = await request.body()
        try:
            call = _prove(sandbox, request, body)
        except NotHeard as not_heard:
            return _answer({"return_code": "FAIL", "return_msg": str(not_heard)})
        scanpay.finish_due(sandbox)
        try:
            said = {"result_code": "SUCCESS"} | handler(sandbox, call)
        except Refused as refused:
            said = {"result_code": "FAIL"} | refused.fields
        return _signed(sandbox, call, said)

    return Route(path, endpoint, methods=["POST"])


def sign(fields: Mapping[str, str], key: str, sign_type: str) -> str:
    """Upper-case hex over the sorted, non-empty fields except `sign`, and the key."""
    pairs = [f"{name}={fields[name]}" for name in sorted(fields) if name != "sign" and fields[name]]
    text = "&".join([*pairs, f"key={key}"]).encode()
    if sign_type == HMAC:
        return hmac.new(key.encode(), text, hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


def _prove(sandbox: Sandbox, request: Request, body: bytes) -> Call:
    try:
        fields = xml.read_flat(body)
    except xml.BadXml as bad:
        raise NotHeard("XML格式错误") from bad
    _check_account(sandbox, fields)
    sign_type = fields.get("sign_type", MD5)
    if sign_type not in (MD5, HMAC):
        raise NotHeard("签名类型sign_type有误")
    wanted = sign(fields, sandbox.keys.v2_key, sign_type)
    if not hmac.compare_digest(wanted.encode(), fields["sign"].encode()):
        raise NotHeard("签名错误，请检查后再试")
    return Call(fields, subject_of(request.scope, body))


def _check_account(sandbox: Sandbox, fields: Mapping[str, str]) -> None:
    for name in ("appid", "mch_id", "nonce_str", "sign"):
        if not fields.get(name):
            raise NotHeard(f"缺少参数{name}")
    if fields["mch_id"] != sandbox.keys.mchid:
        raise NotHeard("商户号mch_id不存在")
    if fields["appid"] not in (sandbox.keys.appid, sandbox.keys.mp_appid):
        raise NotHeard("appid和mch_id不匹配")


def _signed(sandbox: Sandbox, call: Call, said: dict[str, str]) -> Response:
    answer = {
        "return_code": "SUCCESS",
        "return_msg": "OK",
        "appid": call.fields["appid"],
        "mch_id": call.fields["mch_id"],
        "nonce_str": nonce(),
        **{name: value for name, value in said.items() if value},
    }
    sign_type = call.fields.get("sign_type", MD5)
    answer["sign"] = sign(answer, sandbox.keys.v2_key, sign_type)
    struck = {fault.kind for fault in sandbox.faults.take(Point.SIGNATURE, call.subject)}
    if "response_unsigned" in struck:
        del answer["sign"]
    elif "response_changed_amount" in struck and "total_fee" in answer:
        answer["total_fee"] += "0"
    elif struck & {"response_bad_signature", "response_changed_amount"}:
        answer["sign"] = FORGED
    return _answer(answer)


def _answer(fields: Mapping[str, str]) -> Response:
    return Response(xml.write(fields), 200, media_type="text/xml; charset=utf-8")
