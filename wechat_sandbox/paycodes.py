"""The payment code on a phone (付款码): 18 digits, one use, gone after a minute.

A cashier scans it and the money leaves at once, unless the amount is large: then the phone asks
for the password, and the merchant waits (USERPAYING).
"""

from __future__ import annotations

import re
import secrets

from wechat_sandbox import checkout, orders, people, wallet
from wechat_sandbox.checkout import Outcome, Result
from wechat_sandbox.records import Order, PayCode, Scan, User
from wechat_sandbox.sandbox import Sandbox

LIFE_S = 60
FIRST_DIGITS = ("10", "11", "12", "13", "14", "15")
_SHAPE = re.compile(r"1[0-5]\d{16}")


class NoCode(Exception):
    """Nobody can be charged with this code; `reason` is `malformed`, `unknown`, `used`, `old`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def show(sandbox: Sandbox, openid: str) -> PayCode:
    """A fresh code on this person's screen; codes shown before stay good for their minute."""
    user = people.ensure(sandbox, openid)
    now = sandbox.clock.now()
    code = f"{secrets.choice(FIRST_DIGITS)}{secrets.randbelow(10**16):016d}"
    sandbox.store.insert(
        "pay_codes",
        code=code,
        openid=user.openid,
        created_at=now,
        expires_at=now + LIFE_S,
        used=0,
    )
    return PayCode(code, user.openid, now, now + LIFE_S, used=False)


def holder(sandbox: Sandbox, code: str) -> User:
    """Whose code this is; raises NoCode."""
    if not _SHAPE.fullmatch(code):
        raise NoCode("malformed")
    known = sandbox.store.one(PayCode, "SELECT * FROM pay_codes WHERE code = ?", code)
    if known is None:
        raise NoCode("unknown")
    if known.used:
        raise NoCode("used")
    if sandbox.clock.now() > known.expires_at:
        raise NoCode("old")
    return people.ensure(sandbox, known.openid)


def use(sandbox: Sandbox, code: str) -> None:
    """Spend the code, whatever becomes of the charge."""
    sandbox.store.run("UPDATE pay_codes SET used = 1 WHERE code = ?", code)


def scan_of(sandbox: Sandbox, out_trade_no: str) -> Scan | None:
    """The scan an order began with."""
    return sandbox.store.one(Scan, "SELECT * FROM scans WHERE out_trade_no = ?", out_trade_no)


def asking(sandbox: Sandbox, openid: str) -> Order | None:
    """The order for which this person's phone wants the password now."""
    orders.expire(sandbox)
    return sandbox.store.one(
        Order,
        "SELECT orders.* FROM orders JOIN scans USING (out_trade_no)"
        " WHERE scans.openid = ? AND scans.asks AND orders.state = 'USERPAYING'"
        " ORDER BY orders.created_at DESC",
        people.ensure(sandbox, openid).openid,
    )


def enter(sandbox: Sandbox, out_trade_no: str, password: str | None) -> Outcome:
    """The holder's answer to the password question; None is "cancel", which ends the order."""
    order, scan = orders.find(sandbox, out_trade_no), scan_of(sandbox, out_trade_no)
    if order is None or scan is None:
        return Outcome(Result.UNKNOWN_ORDER, order)
    if order.state != "USERPAYING":
        closed = order.state in ("CLOSED", "REVOKED", "PAYERROR")
        return Outcome(Result.CLOSED if closed else Result.ALREADY_PAID, order)
    if password is None:
        fail(sandbox, order, scan.openid)
        return Outcome(Result.CANCELLED, orders.find(sandbox, out_trade_no))
    user = people.ensure(sandbox, scan.openid)
    if not secrets.compare_digest(password.encode(), user.password.encode()):
        return Outcome(Result.WRONG_PASSWORD, order)
    return land(sandbox, order, user)


def land(sandbox: Sandbox, order: Order, user: User) -> Outcome:
    """The money of a waiting order leaves, from change or, when that is too little, by card."""
    method = wallet.CHANGE if user.balance_fen >= order.total_fen else wallet.CARD
    outcome = checkout.settle(sandbox, order, user, method, was="USERPAYING")
    sandbox.hub.publish(user.openid, "scanpay", order.out_trade_no)
    return outcome


def fail(sandbox: Sandbox, order: Order, openid: str) -> None:
    """The payment did not come about."""
    sandbox.store.run(
        "UPDATE orders SET state = 'PAYERROR', closed_at = ? WHERE out_trade_no = ?"
        " AND state = 'USERPAYING'",
        sandbox.clock.now(),
        order.out_trade_no,
    )
    sandbox.hub.publish(openid, "scanpay", order.out_trade_no)
