"""Handing notices over: one attempt, its copies, what the merchant answered, when to try again.

200 and 204 within five seconds end it (v2: XML that says SUCCESS besides); anything else brings the
next attempt of WeChat's schedule, multiplied by the stand-in's scale.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

import httpx

from wechat_sandbox import notices, v2_notices
from wechat_sandbox.faults import Point
from wechat_sandbox.records import Delivery, Notice, PendingFault
from wechat_sandbox.sandbox import PUBLIC_KEY_MODE, Sandbox
from wechat_sandbox.signing import Flaw, sign_message

# 15s 15s 30s 3m 10m 20m 30m 30m 30m 60m 3h 3h 3h 6h 6h
RETRY_AFTER_S = (
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
)  # fmt: skip
PATIENCE_S = 5.0
GOOD = (200, 204)
FLAWS = {
    "notify_bad_signature": Flaw.OTHER_BYTES,
    "notify_bad_signtest": Flaw.PROBE,
    "notify_bad_stale": Flaw.STALE,
    "notify_bad_serial": Flaw.WRONG_SERIAL,
}
ANSWER_KEPT = 2000


async def attempt(sandbox: Sandbox, client: httpx.AsyncClient, notice: Notice) -> None:
    """Send a claimed notice once (with its copies on the first attempt) and plan what follows."""
    number = notice.attempts + 1
    copies = notice.copies if number == 1 else 1
    if notice.concurrent:
        heard = await asyncio.gather(
            *(_send(sandbox, client, notice, number, copy) for copy in range(1, copies + 1))
        )
    else:
        heard = [
            await _send(sandbox, client, notice, number, copy) for copy in range(1, copies + 1)
        ]
    if any(heard):
        _plan(sandbox, notice, "delivered", None)
    elif number > len(RETRY_AFTER_S):
        _plan(sandbox, notice, "given_up", None)
    else:
        wait_s = RETRY_AFTER_S[number - 1] * sandbox.settings.notify_scale
        _plan(sandbox, notice, "waiting", sandbox.clock.now() + wait_s)


def claim(sandbox: Sandbox, notice: Notice) -> bool:
    """Take a due notice; False when somebody else did, or it is gone."""
    return bool(
        sandbox.store.run(
            "UPDATE notices SET status = 'sending' WHERE id = ? AND status = 'waiting'", notice.id
        )
    )


def logged(sandbox: Sandbox) -> list[Delivery]:
    """Every attempt so far, oldest first."""
    return sandbox.store.all(Delivery, "SELECT * FROM deliveries ORDER BY id")


def _plan(sandbox: Sandbox, notice: Notice, status: str, next_at: float | None) -> None:
    sandbox.store.run(
        "UPDATE notices SET status = ?, attempts = attempts + 1, next_at = ? WHERE id = ?",
        status,
        next_at,
        notice.id,
    )
    if next_at is None and notice.out_refund_no:
        notices.release(sandbox, notice.out_trade_no)
    sandbox.wake()


async def _send(
    sandbox: Sandbox, client: httpx.AsyncClient, notice: Notice, number: int, copy: int
) -> bool:
    """One request with a fresh signature; whether the merchant has taken the notice."""
    body = notice.body.encode()
    struck = sandbox.faults.take(Point.ATTEMPT, notice.subject)
    if any(fault.kind == "notify_truncated" for fault in struck):
        body = body[: len(body) // 2]
    headers = _headers(sandbox, notice, body, struck)
    sent_at, started = sandbox.clock.now(), time.perf_counter()
    status: int | None = None
    answer = error = ""
    try:
        async with asyncio.timeout(PATIENCE_S):
            response = await client.post(notice.url, content=body, headers=headers)
        status, answer = response.status_code, response.text[:ANSWER_KEPT]
    except TimeoutError:
        error = f"no answer within {PATIENCE_S:g} s"
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        error = repr(problem)
    sandbox.store.insert(
        "deliveries",
        notice_id=notice.id,
        event_type=notice.event_type,
        out_trade_no=notice.out_trade_no,
        out_refund_no=notice.out_refund_no,
        url=notice.url,
        attempt=number,
        copy=copy,
        sent_at=sent_at,
        ms=round((time.perf_counter() - started) * 1000, 1),
        status=status,
        answer=answer,
        error=error,
        fault=" ".join(fault.kind for fault in struck),
        headers=json.dumps(headers),
        body=body.decode("utf-8", "replace"),
    )
    return status in GOOD and (not v2_notices.is_one(notice.body) or v2_notices.heard(answer))


def _headers(
    sandbox: Sandbox, notice: Notice, body: bytes, struck: Sequence[PendingFault]
) -> dict[str, str]:
    agent = {"User-Agent": "Mozilla/4.0"}
    if v2_notices.is_one(notice.body):
        return agent | {"Content-Type": v2_notices.MEDIA_TYPE}
    signed = sign_message(
        sandbox.keys,
        body,
        with_public_key=sandbox.notify_mode == PUBLIC_KEY_MODE,
        at=sandbox.clock.wire(),
        flaws={FLAWS[fault.kind]: fault.seconds for fault in struck if fault.kind in FLAWS},
    )
    return agent | {"Content-Type": "application/json"} | signed
