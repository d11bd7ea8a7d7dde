"""More hidden levers under `/_ctl`: payment codes and passwords, bills, and what could strike."""

from __future__ import annotations

from datetime import date
from typing import Any

from wechat_sandbox import bills, orders, paycodes, people
from wechat_sandbox.checkout import Result
from wechat_sandbox.clock import digits, rfc3339
from wechat_sandbox.control import Misused, lever
from wechat_sandbox.sandbox import Sandbox

DECISIONS = ("enter", "cancel", "wrong")


def scan_code(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """A fresh payment code of a person, the first one when nobody is named."""
    openid = str(said.get("openid") or people.derived("openid", people.NAMED[0][0]))
    try:
        shown = paycodes.show(sandbox, openid)
    except people.NoOpenid as bad:
        raise Misused(400, f"not an openid: {bad}") from bad
    return {"code": shown.code, "openid": shown.openid, "expires_at": rfc3339(shown.expires_at)}


def micropay_password(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Answer a waiting order's question: `enter` the password, `cancel`, or enter a `wrong` one."""
    number, decision = str(said["out_trade_no"]), str(said.get("decision") or "enter")
    if decision not in DECISIONS:
        raise Misused(400, f"decision must be one of {', '.join(DECISIONS)}")
    scan = paycodes.scan_of(sandbox, number)
    if scan is None:
        raise Misused(404, f"no scanned order {number}")
    password = people.ensure(sandbox, scan.openid).password
    entered = {"enter": password, "wrong": f"{password}x", "cancel": None}[decision]
    outcome = paycodes.enter(sandbox, number, entered)
    if outcome.result in (Result.CLOSED, Result.ALREADY_PAID):
        raise Misused(409, f"{outcome.result.value}: {outcome.says}")
    order = orders.find(sandbox, number)
    return {"outcome": outcome.result.value, "trade_state": order.state if order else ""}


def bill(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """The bill of `day` (YYYY-MM-DD, today when not said) as far as it has come, without faults.

    `kind`: ALL, SUCCESS, REFUND, or BASIC for the fund flow. `text` is empty when nothing moved.
    """
    kind = str(said.get("kind") or "ALL")
    if kind not in (*bills.KINDS, *bills.ACCOUNTS):
        raise Misused(400, f"kind must be one of {', '.join((*bills.KINDS, *bills.ACCOUNTS))}")
    on = str(said.get("day") or digits(sandbox.clock.now(), "%Y-%m-%d"))
    return {"day": on, "kind": kind, "text": bills.as_of_now(sandbox, date.fromisoformat(on), kind)}


def calm(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """Drop every waiting fault, change nothing else."""
    del said
    dropped = len(sandbox.faults.pending())
    sandbox.faults.clear()
    return {"dropped": dropped}


def moments(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, Any]:
    """The moments at which faults could have struck lately at calls or notices that `match`."""
    return {"moments": sandbox.faults.passed(str(said.get("match") or ""))}


routes = [
    lever("scan_code", scan_code),
    lever("micropay_password", micropay_password),
    lever("calm", calm),
    lever("moments", moments, method="GET"),
    lever("bill", bill, method="GET"),
]
