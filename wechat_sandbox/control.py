"""The hidden levers, under `/_ctl` only: pay, faults, refund states, clock, and what happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wechat_sandbox import (
    acts,
    checkout,
    deliveries,
    menu,
    orders,
    people,
    refunds,
    templates,
    wallet,
)
from wechat_sandbox.clock import rfc3339
from wechat_sandbox.faults import UnknownFault
from wechat_sandbox.records import Message, Notice, Order, Refund, WalletEntry
from wechat_sandbox.sandbox import CERTIFICATE_MODE, PUBLIC_KEY_MODE, Sandbox, sandbox_of

PAY_MODES = ("success", "cancel", "wrong_password", "not_enough", "late")
CONFLICTS = ("already_paid", "closed", "expired", "other_payer")


class Misused(Exception):
    """A control call that cannot be carried out; `status` and a sentence for the tester."""

    def __init__(self, status: int, says: str) -> None:
        super().__init__(says)
        self.status = status


Lever = Callable[[Sandbox, dict[str, Any]], dict[str, Any]]


def lever(path: str, pull: Lever, *, method: str = "POST") -> Route:
    """A route under `/_ctl`: JSON (or a query) in, JSON out, a sentence when misused."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            said = json.loads(body) if body else dict(request.query_params)
            if not isinstance(said, dict):
                raise Misused(400, "the body must be a JSON object")
            return JSONResponse(pull(sandbox_of(request), said))
        except Misused as misused:
            return JSONResponse({"error": str(misused)}, misused.status)
        except (KeyError, TypeError, ValueError) as bad:
            return JSONResponse({"error": f"missing or wrong: {bad!r}"}, 400)

    return Route(f"/_ctl/{path}", endpoint, methods=[method])


def pay(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Pay by number or `code_url`, or try to; the payer's refusal answers 200, changes nothing."""
    mode = str(said.get("mode") or "success")
    if mode not in PAY_MODES:
        raise Misused(400, f"mode must be one of {', '.join(PAY_MODES)}")
    try:
        outcome = checkout.pay_order(
            sandbox, _number_to_pay(sandbox, said), str(said.get("openid") or ""), mode
        )
    except people.NoOpenid as bad:
        raise Misused(400, f"not an openid: {bad}") from bad
    if outcome.order is None:
        raise Misused(404, f"no order {said['out_trade_no']}")
    if outcome.result in CONFLICTS:
        raise Misused(409, f"{outcome.result.value}: {outcome.says}")
    return {
        "out_trade_no": outcome.order.out_trade_no,
        "outcome": outcome.result.value,
        "trade_state": outcome.order.state,
        "transaction_id": outcome.order.transaction_id,
    }


def _number_to_pay(sandbox: Sandbox, said: dict[str, Any]) -> str:
    if "code_url" not in said:
        return str(said["out_trade_no"])
    found = orders.find_by_code_url(sandbox, str(said["code_url"]))
    if found is None:
        raise Misused(409, f"expired: {checkout.SAYS[checkout.Result.EXPIRED]}")
    return found[0].out_trade_no


def fault(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Let a fault wait: `{kind, times?, seconds?, match?, value?}`; times < 0 = until reset."""
    times, seconds = said.get("times"), said.get("seconds")
    try:
        added = sandbox.faults.add(
            str(said["kind"]),
            times=None if times is None else int(times),
            seconds=None if seconds is None else float(seconds),
            match=str(said.get("match") or ""),
            value=str(said.get("value") or ""),
        )
    except UnknownFault as unknown:
        raise Misused(400, str(unknown)) from unknown
    return asdict(added)


def refund_state(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """End a refund with SUCCESS, ABNORMAL or CLOSED, or hold it with PROCESSING."""
    refund = refunds.find(sandbox, str(said["out_refund_no"]))
    if refund is None:
        raise Misused(404, f"no refund {said['out_refund_no']}")
    try:
        return _refund(refunds.decide(sandbox, refund, str(said["status"])))
    except refunds.NotPossible as impossible:
        raise Misused(409, str(impossible)) from impossible


def clock(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Shift the clock by `offset_s`; `wire` true also shifts the stamps of signatures."""
    sandbox.set_clock(float(said["offset_s"]), wire=bool(said.get("wire", False)))
    return {"offset_s": sandbox.clock.offset_s, "now": rfc3339(sandbox.clock.now())}


def notify_mode(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Which key signs notifications: `public_key` or `certificate`."""
    mode = str(said["mode"])
    if mode not in (PUBLIC_KEY_MODE, CERTIFICATE_MODE):
        raise Misused(400, f"mode must be {PUBLIC_KEY_MODE} or {CERTIFICATE_MODE}")
    sandbox.store.set_meta("notify_mode", mode)
    return {"mode": mode}


def user(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Make or change one: openid?, nickname?, subscribed?, blocked?, snapshot?, balance_fen?,
    phone_number?; following and leaving tell the merchant's server."""
    openid = str(said.get("openid") or "")
    try:
        if not openid:
            openid = people.create(sandbox, str(said["nickname"])).openid
        people.change(
            sandbox,
            openid,
            nickname=said.get("nickname"),
            phone_number=said.get("phone_number"),
            blocked=said.get("blocked"),
            snapshot=said.get("snapshot"),
        )
    except people.NoOpenid as bad:
        raise Misused(400, f"not an openid: {bad}") from bad
    if "subscribed" in said:
        person = people.ensure(sandbox, openid)
        acts.set_following(sandbox, person, wanted=bool(said["subscribed"]))
    if "balance_fen" in said:
        wallet.set_balance(sandbox, openid, int(said["balance_fen"]))
    return asdict(people.ensure(sandbox, openid))


def set_menu(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Replace the Official Account's menu: `{button: [...]}`."""
    menu.replace(sandbox, said)
    return menu.current(sandbox)


def reset(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Forget everything except keys; the named people are there again."""
    del said
    for attempt in sandbox.under_way:
        attempt.cancel()
    with sandbox.store.write():
        sandbox.store.clear()
        sandbox.faults.forget_moments()
        sandbox.set_clock(0)
        sandbox.restore_keys()
        people.seed(sandbox)
        menu.seed(sandbox)
        templates.seed(sandbox)
    sandbox.hub.publish("", "reset")
    return {"ok": True}


def state(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """All there is; with `out_trade_no` only that order and its refunds and notices."""
    number = str(said.get("out_trade_no") or "")
    orders.expire(sandbox)
    where = "WHERE ? IN ('', out_trade_no)"
    store = sandbox.store
    return {
        "now": rfc3339(sandbox.clock.now()),
        "offset_s": sandbox.clock.offset_s,
        "notify_mode": sandbox.notify_mode,
        "orders": [
            _order(sandbox, order)
            for order in store.all(Order, f"SELECT * FROM orders {where} ORDER BY rowid", number)  # noqa: S608 - a constant
        ],
        "refunds": [
            _refund(refund)
            for refund in store.all(Refund, f"SELECT * FROM refunds {where} ORDER BY rowid", number)  # noqa: S608 - a constant
        ],
        "notices": [
            _without(asdict(notice), "body", "subject")
            for notice in store.all(
                Notice,
                f"SELECT * FROM notices {where} ORDER BY created_at, rowid",  # noqa: S608 - a constant
                number,
            )
        ],
        "users": [_without(asdict(person), "password") for person in people.everyone(sandbox)],
        "messages": [
            asdict(message)
            | {"data": json.loads(message.data), "miniprogram": json.loads(message.miniprogram)}
            for message in store.all(Message, "SELECT * FROM messages ORDER BY msgid")
        ],
        "wallet": [
            asdict(entry)
            for entry in store.all(
                WalletEntry,
                f"SELECT * FROM wallet_entries {where} ORDER BY id",  # noqa: S608 - a constant
                number,
            )
        ],
        "tokens": int(store.number("SELECT count(*) FROM tokens") or 0),
        "faults": [asdict(pending) for pending in sandbox.faults.pending()],
    }


def delivered(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Every attempt to deliver a notice; `out_trade_no` narrows it."""
    number = str(said.get("out_trade_no") or "")
    return {
        "deliveries": [
            asdict(one) | {"headers": json.loads(one.headers)}
            for one in deliveries.logged(sandbox)
            if number in ("", one.out_trade_no)
        ]
    }


def _order(sandbox: Sandbox, order: Order) -> dict[str, Any]:
    prepay_ids = sandbox.store.texts(
        "SELECT prepay_id FROM prepays WHERE out_trade_no = ? ORDER BY rowid", order.out_trade_no
    )
    return _without(asdict(order), "request") | {
        "trade_state": order.state,
        "prepay_ids": prepay_ids,
        "refunded_fen": _refunded_fen(sandbox, order),
    }


def _refunded_fen(sandbox: Sandbox, order: Order) -> int:
    """What went back: by refunds that arrived, or by the reversal of a paid scan."""
    if order.state == "REVOKED":
        return order.total_fen if order.success_at is not None else 0
    return sum(
        refund.amount_fen
        for refund in refunds.of_order(sandbox, order.out_trade_no)
        if refund.status == "SUCCESS"
    )


def _refund(refund: Refund) -> dict[str, Any]:
    return _without(asdict(refund), "request")


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in names}


routes = [
    lever("pay", pay),
    lever("fault", fault),
    lever("refund_state", refund_state),
    lever("clock", clock),
    lever("notify_mode", notify_mode),
    lever("user", user),
    lever("menu", set_menu),
    lever("reset", reset),
    lever("state", state, method="GET"),
    lever("deliveries", delivered, method="GET"),
]
