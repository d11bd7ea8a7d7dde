"""Notices that are sent and signed well and yet must not be believed, and one nobody expects.

The faults of a notice's content stay with it over all its attempts, as a real mistake would.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wechat_sandbox import ids, orders, people, wallet
from wechat_sandbox.clock import digits
from wechat_sandbox.records import Order, PendingFault
from wechat_sandbox.sandbox import Sandbox

OTHER_MERCHANT = "1900000109"
MORE_FEN = 100
ABSENT = "absent"


def spoilt(plain: dict[str, Any], struck: Mapping[str, PendingFault]) -> dict[str, Any]:
    """The content of a notice after the faults that change it."""
    if "notify_wrong_amount" in struck:
        said = struck["notify_wrong_amount"].value
        name = "refund" if "out_refund_no" in plain else "total"
        amount = plain["amount"]
        plain = plain | {"amount": amount | {name: int(said) if said else amount[name] + MORE_FEN}}
    if "notify_other_merchant" in struck:
        plain = plain | {"mchid": OTHER_MERCHANT}
    return plain


def wrong_key() -> str:
    """An APIv3 key the merchant does not have."""
    return secrets.token_hex(16)


def stray(sandbox: Sandbox, order: Order, fault: PendingFault) -> Order:
    """A paid order the merchant never placed through this program: same account, same payer.

    WeChat knows it and the money has left, unless the fault's value is `absent`: then the notice
    is all there is.
    """
    now = sandbox.clock.now()
    known = replace(
        order,
        out_trade_no=f"STRAY{digits(now)}{secrets.token_hex(4)}",
        transaction_id=ids.transaction_id(now),
        state="SUCCESS",
        success_at=now,
        created_at=now,
        closed_at=None,
    )
    if fault.value == ABSENT:
        return known
    with sandbox.store.write():
        sandbox.store.insert("orders", **vars(known))
        payer = people.ensure(sandbox, order.payer_openid)
        method = wallet.CARD if payer.balance_fen < known.total_fen else wallet.CHANGE
        wallet.pay(sandbox, payer, known, method)
    found = orders.find(sandbox, known.out_trade_no)
    if found is None:
        raise LookupError(known.out_trade_no)
    return found
