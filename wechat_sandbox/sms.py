"""A gateway for text messages, so that a fallback has somewhere to go.

`POST /sms/messages` with `Authorization: Bearer <key>` and `{"to", "text", "reference"}` answers
`{"id"}`; a repeated reference answers the same id and sends nothing. It is no product of WeChat's.
"""

from __future__ import annotations

import json
import re
import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wechat_sandbox.account_records import Sms
from wechat_sandbox.edge import subject_of
from wechat_sandbox.faults import Point
from wechat_sandbox.sandbox import Sandbox, sandbox_of

PATH = "/sms/messages"
NUMBER = re.compile(r"1\d{10}")
LONGEST_TEXT = 500
LONGEST_REFERENCE = 64


class Unacceptable(Exception):
    """The message is not sent; `status` and a word for the sender's program."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status = status
        self.word = word


async def send(request: Request) -> Response:
    """POST /sms/messages"""
    sandbox, body = sandbox_of(request), await request.body()
    try:
        _check_key(sandbox, request.headers.get("authorization", ""))
        number, text, reference = _read(body)
        known = find(sandbox, reference)
        if known is not None:
            if (known.number, known.text) != (number, text):
                raise Unacceptable(409, "reference_used")
            return JSONResponse({"id": _shown(known.id)})
        _strike(sandbox, subject_of(request.scope, body))
    except Unacceptable as problem:
        return JSONResponse({"error": problem.word}, problem.status)
    row = sandbox.store.insert(
        "sms", number=number, text=text, reference=reference, at=sandbox.clock.now()
    )
    sandbox.hub.publish("", "sms", str(row))
    return JSONResponse({"id": _shown(row)})


def latest(sandbox: Sandbox, to: str = "") -> list[Sms]:
    """The text messages to a number, or all, oldest first."""
    return sandbox.store.all(Sms, "SELECT * FROM sms WHERE ? IN ('', number) ORDER BY id", to)


def find(sandbox: Sandbox, reference: str) -> Sms | None:
    """The message the sender knows by this reference."""
    return sandbox.store.one(Sms, "SELECT * FROM sms WHERE reference = ?", reference)


def _shown(row: int) -> str:
    return f"sms-{row:010d}"


def _check_key(sandbox: Sandbox, said: str) -> None:
    if not secrets.compare_digest(said.encode(), f"Bearer {sandbox.keys.sms_key}".encode()):
        raise Unacceptable(401, "key_wrong")


def _read(body: bytes) -> tuple[str, str, str]:
    try:
        document = json.loads(body)
    except ValueError as bad:
        raise Unacceptable(400, "not_json") from bad
    if not isinstance(document, dict):
        raise Unacceptable(400, "not_json")
    number, text, reference = (document.get(name) for name in ("to", "text", "reference"))
    if not isinstance(number, str) or not NUMBER.fullmatch(number):
        raise Unacceptable(422, "number_wrong")
    if not isinstance(text, str) or not 1 <= len(text) <= LONGEST_TEXT:
        raise Unacceptable(422, "text_wrong")
    if not isinstance(reference, str) or not 1 <= len(reference) <= LONGEST_REFERENCE:
        raise Unacceptable(422, "reference_wrong")
    return number, text, reference


def _strike(sandbox: Sandbox, subject: str) -> None:
    struck = {fault.kind for fault in sandbox.faults.take(Point.SMS, subject)}
    if "sms_500" in struck:
        raise Unacceptable(500, "out_of_order")
    if "sms_refused" in struck:
        raise Unacceptable(422, "number_refused")


routes = [Route(PATH, send, methods=["POST"])]
