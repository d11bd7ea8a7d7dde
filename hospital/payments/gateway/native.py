"""A code on the hospital's own screen: whoever scans it with WeChat pays these bills (Native)."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from hospital.kernel.actors import Actor
from hospital.payments import queries
from hospital.payments.gateway.orders import settle_or_close
from hospital.payments.gateway.placing import Ended, Unreachable, open_order, place
from hospital.payments.gateway.wire import native_order
from hospital.payments.models import Payment
from hospital.payments.states import Scene, TradeType


@dataclass(frozen=True, kw_only=True)
class CodeShown:
    """The screen may show `code_url` as a QR code until `expires_at`; only WeChat reads it."""

    payment_id: int
    code_url: str
    expires_at: dt.datetime


def start_native(
    *,
    bill_ids: Collection[int],
    shown_fen: int,
    by: Actor,
    at: dt.datetime,
) -> CodeShown | Ended | Unreachable:
    """Place one order for these bills and get its code, or the code that stands already. Raises
    what create_payment raises, and WeChatNotConnected."""
    payment = open_order(
        bill_ids=bill_ids,
        wechat_user_id=None,
        shown_fen=shown_fen,
        trade_type=TradeType.NATIVE,
        scene=Scene.SCREEN_CODE,
        by=by,
        at=at,
    )
    if payment.code_url and at < payment.expires_at:
        return _shown(payment)
    placed = place(payment, native_order(payment), by=by, at=at)
    return _shown(placed) if isinstance(placed, Payment) else placed


def stop_native(*, payment_id: int, by: Actor, at: dt.datetime) -> Payment:
    """The cashier takes the code off the screen: closed at WeChat, or paid this very moment.
    Raises NotFound."""
    settle_or_close(payment_id=payment_id, attempt=0, by=by, at=at)
    return queries.payment(payment_id=payment_id)


def _shown(payment: Payment) -> CodeShown:
    return CodeShown(
        payment_id=payment.pk, code_url=payment.code_url, expires_at=payment.expires_at
    )
