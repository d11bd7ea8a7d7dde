"""Handing messages and events to the merchant's server, in plain, compatible or safe mode.

HTTP 200 within five seconds ends it; anything else is tried again, three times in all. An empty
answer or `success` says nothing to the person; any other answer is read as a passive reply and
shown in the chat. When it cannot be read, or nobody answers, the person is told so.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from wechat_sandbox import conversation, inbound, replies, sealing, xml
from wechat_sandbox.account_records import CallbackDelivery, Inbound
from wechat_sandbox.faults import Point
from wechat_sandbox.records import PendingFault
from wechat_sandbox.sandbox import Sandbox
from wechat_sandbox.signing import nonce

PLAIN, COMPATIBLE, SAFE = "plain", "compatible", "aes"
MODES = (PLAIN, COMPATIBLE, SAFE)
TRIES = 3
PATIENCE_S = 5.0
RETRY_AFTER_S = 5.0
ANSWER_KEPT = 4000
BODY_KEPT = 20_000
HUGE_BYTES = 10_000_000
ALIEN_APPID, ALIEN_ACCOUNT = "wx0000000000000000", "gh_000000000000"
_LEVELS = range(1, 10)
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY b0 "ha">'
    + "".join(f'<!ENTITY b{level} "{f"&b{level - 1};" * 10}">' for level in _LEVELS)
    + "]>"
)
BOMB_USED = "<Bomb>&b9;</Bomb>"


@dataclass(frozen=True)
class Parcel:
    """One request: the query that signs it and the body."""

    query: dict[str, str]
    body: str


def mode(sandbox: Sandbox) -> str:
    """The account's message mode, a setting of its console."""
    return sandbox.store.meta("callback_mode", sandbox.settings.callback_mode)


def patience_s(sandbox: Sandbox) -> float:
    """How long the merchant's server may take."""
    return float(sandbox.store.meta("callback_patience_s", str(PATIENCE_S)))


def claim(sandbox: Sandbox, message: Inbound) -> bool:
    """Take a due message; False when it is gone or somebody has it."""
    return bool(
        sandbox.store.run(
            "UPDATE inbound SET status = 'sending' WHERE id = ? AND status = 'waiting'", message.id
        )
    )


def logged(sandbox: Sandbox) -> list[CallbackDelivery]:
    """Every attempt so far, oldest first."""
    return sandbox.store.all(CallbackDelivery, "SELECT * FROM callback_deliveries ORDER BY id")


async def attempt(sandbox: Sandbox, client: httpx.AsyncClient, message: Inbound) -> None:
    """Send a claimed message once (with its copies on the first attempt) and plan what follows."""
    number = message.attempts + 1
    copies = range(1, (message.copies if number == 1 else 1) + 1)
    if message.concurrent:
        answers = await asyncio.gather(
            *(_send(sandbox, client, message, number, copy) for copy in copies)
        )
    else:
        answers = [await _send(sandbox, client, message, number, copy) for copy in copies]
    heard = [answer for answer in answers if answer is not None]
    with sandbox.store.write():
        if heard:
            _end(sandbox, message, "delivered")
            _show(sandbox, message, next((answer for answer in heard if answer.strip()), b""))
        elif number >= TRIES:
            _end(sandbox, message, "given_up")
            _say_nobody_answers(sandbox, message)
        else:
            again_at = sandbox.clock.now() + RETRY_AFTER_S * sandbox.settings.notify_scale
            _end(sandbox, message, "waiting", again_at)


async def check(
    sandbox: Sandbox, client: httpx.AsyncClient, *, sealed_echo: bool = False
) -> dict[str, object]:
    """The console's check of a callback address: it must answer `echostr` and nothing else.

    `sealed_echo` seals the echo, as some of WeChat's consoles do.
    """
    url, echo = inbound.callback_url(sandbox), nonce(19)
    query = _signed(sandbox.keys.token, sandbox.clock.wire())
    if sealed_echo:
        sealed = sealing.seal(sandbox.keys.aes_key, sandbox.keys.appid, echo.encode())
        query |= _sealed_marks(sandbox.keys.token, query, sealed) | {"echostr": sealed}
    else:
        query["echostr"] = echo
    status, answer, error = None, b"", ""
    try:
        async with asyncio.timeout(patience_s(sandbox)):
            response = await client.get(_with_query(url, query))
        status, answer = response.status_code, response.content
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as problem:
        error = repr(problem)
    good = status == 200 and answer == echo.encode()
    said = answer[:ANSWER_KEPT].decode("utf-8", "replace")
    return {"ok": good, "status": status, "answer": said, "error": error}


def packed(sandbox: Sandbox, message: Inbound, fault: PendingFault | None) -> Parcel:
    """The request in the current mode, spoilt by the fault."""
    kind = "" if fault is None else fault.kind
    appid, plain, token = sandbox.keys.appid, message.xml, sandbox.keys.token
    if kind == "callback_wrong_appid":
        appid = ALIEN_APPID
        plain = plain.replace(inbound.account_name(sandbox), ALIEN_ACCOUNT, 1)
    if kind == "callback_bad_signature":
        token = nonce(16)
    late_s = int(fault.seconds) if fault is not None and kind == "callback_stale" else 0
    query = _signed(token, sandbox.clock.wire() - late_s) | {"openid": message.openid}
    chosen = mode(sandbox)
    if chosen == PLAIN:
        return Parcel(query, _spoilt(plain, fault))
    is_inner = fault is not None and fault.value == "inner"
    inner = _spoilt(plain, fault) if is_inner else plain
    sealed = sealing.seal(sandbox.keys.aes_key, appid, inner.encode())
    if kind == "callback_truncated":
        sealed = sealed[: len(sealed) // 2]
    query |= _sealed_marks(token, query, sealed)
    outer = {"ToUserName": inbound.account_name(sandbox), "Encrypt": sealed}
    body = xml.write(outer).decode()
    if chosen == COMPATIBLE:
        body = f"{plain.removesuffix('</xml>')}<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    if kind == "callback_truncated" or is_inner:
        return Parcel(query, body)
    return Parcel(query, _spoilt(body, fault))


def _spoilt(text: str, fault: PendingFault | None) -> str:
    """The document as the fault wants it."""
    kind = "" if fault is None else fault.kind
    if kind == "callback_entity_bomb":
        return BOMB + text.replace("<xml>", f"<xml>{BOMB_USED}", 1)
    if kind == "callback_truncated":
        return text[: len(text) // 2]
    if fault is not None and kind == "callback_huge":
        wanted = int(fault.value) if fault.value.isdecimal() else HUGE_BYTES
        filling = "x" * max(wanted - len(text.encode()), 0)
        return text.replace("<xml>", f"<xml><Filling>{filling}</Filling>", 1)
    return text


async def _send(
    sandbox: Sandbox, client: httpx.AsyncClient, message: Inbound, number: int, copy: int
) -> bytes | None:
    """One request; the body of a 200, None for everything else."""
    url = inbound.callback_url(sandbox)
    subject = f"{message.kind} {message.event} {message.event_key} {message.openid} {url}"
    fault = sandbox.faults.strikes(Point.CALLBACK, subject)
    parcel = packed(sandbox, message, fault)
    sent_at, started = sandbox.clock.now(), time.perf_counter()
    status, answer, error = None, b"", ""
    patience = patience_s(sandbox)
    try:
        async with asyncio.timeout(patience):
            response = await client.post(
                _with_query(url, parcel.query),
                content=parcel.body.encode(),
                headers={"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"},
                timeout=patience,
            )
        status, answer = response.status_code, response.content
    except TimeoutError:
        error = f"no answer within {patience:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        error = repr(problem)
    sandbox.store.insert(
        "callback_deliveries",
        inbound_id=message.id,
        openid=message.openid,
        kind=message.kind,
        event=message.event,
        msg_id=message.msg_id,
        url=url,
        mode=mode(sandbox),
        attempt=number,
        copy=copy,
        sent_at=sent_at,
        ms=round((time.perf_counter() - started) * 1000, 1),
        status=status,
        answer=answer[:ANSWER_KEPT].decode("utf-8", "replace"),
        error=error,
        fault="" if fault is None else fault.kind,
        query=urlencode(parcel.query),
        body=parcel.body[:BODY_KEPT],
    )
    return answer if status == 200 else None


def _show(sandbox: Sandbox, message: Inbound, answer: bytes) -> None:
    try:
        reply = replies.read(sandbox, message, answer, mode(sandbox))
    except replies.Unusable as problem:
        sandbox.store.run(
            "UPDATE callback_deliveries SET error = ? WHERE inbound_id = ? AND status = 200",
            f"reply: {problem}",
            message.id,
        )
        _say_nobody_answers(sandbox, message)
        return
    if reply is not None:
        conversation.answered(
            sandbox, message.openid, reply.kind, reply.text, reply.items, source="passive"
        )


def _say_nobody_answers(sandbox: Sandbox, message: Inbound) -> None:
    if message.awaits_reply:
        conversation.trouble(sandbox, message.openid)


def _end(sandbox: Sandbox, message: Inbound, status: str, again_at: float | None = None) -> None:
    sandbox.store.run(
        "UPDATE inbound SET status = ?, attempts = attempts + 1, next_at = ? WHERE id = ?",
        status,
        again_at,
        message.id,
    )
    sandbox.wake()


def _signed(token: str, stamp: int) -> dict[str, str]:
    random = nonce(10)
    return {
        "signature": sealing.signature(token, str(stamp), random),
        "timestamp": str(stamp),
        "nonce": random,
    }


def _sealed_marks(token: str, query: dict[str, str], sealed: str) -> dict[str, str]:
    signed = sealing.signature(token, query["timestamp"], query["nonce"], sealed)
    return {"encrypt_type": "aes", "msg_signature": signed}


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
