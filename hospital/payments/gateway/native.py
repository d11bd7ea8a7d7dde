"""A code on the hospital's own screen: whoever scans it with WeChat pays these bills (Native)."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.gateway.orders import (
    LOOK_JOB,
    Ended,
    Unreachable,
    after_refused_prepay,
    make_room,
    settle_or_close,
)
from hospital.payments.gateway.wire import description, leave_database
from hospital.payments.models import Payment
from hospital.payments.states import Scene, TradeType
from hospital.wechat import clients
from hospital.wechat.outcomes import NativePrepaid, Refused
from hospital.wechat.pay import NativeOrder


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
    again: bool = False,
    by: Actor,
    at: dt.datetime,
) -> CodeShown | Ended | Unreachable:
    """Place one order for these bills and get its code, or the code that stands already.

    `again` asks WeChat for a fresh code of the same order, which voids the old one. Raises what
    create_payment raises, and WeChatNotConnected.
    """
    config = clients.config()
    make_room(bill_ids=bill_ids, wechat_user_id=None, trade_type=TradeType.NATIVE, by=by, at=at)
    payment = actions.create_payment(
        bill_ids=bill_ids,
        wechat_user_id=None,
        shown_fen=shown_fen,
        account=(config.mchid, config.appid),
        node=settings.WECHAT_NODE,
        trade_type=TradeType.NATIVE,
        scene=Scene.SCREEN_CODE,
        by=by,
        at=at,
    )
    if payment.code_url and not again and at < payment.expires_at:
        return _shown(payment)
    if payment.mchid != config.mchid:
        return Unreachable(payment_id=payment.pk)
    leave_database()
    outcome = clients.pay().prepay_native(_order(payment))
    if isinstance(outcome, NativePrepaid):
        payment = actions.record_prepay(
            payment_id=payment.pk, code_url=outcome.code_url, by=by, at=at
        )
        return _shown(payment) if payment.is_live else Ended(payment_id=payment.pk)
    if isinstance(outcome, Refused):
        return after_refused_prepay(payment, outcome, by=by, at=at)
    actions.record_unanswered(
        payment_id=payment.pk, job=LOOK_JOB, attempt=0, reason=outcome.reason, by=by, at=at
    )
    return Unreachable(payment_id=payment.pk)


def stop_native(*, payment_id: int, by: Actor, at: dt.datetime) -> Payment:
    """The cashier takes the code off the screen: closed at WeChat, or paid this very moment.
    Raises NotFound."""
    settle_or_close(payment_id=payment_id, attempt=0, by=by, at=at)
    return queries.payment(payment_id=payment_id)


def _shown(payment: Payment) -> CodeShown:
    return CodeShown(
        payment_id=payment.pk, code_url=payment.code_url, expires_at=payment.expires_at
    )


def _order(payment: Payment) -> NativeOrder:
    return NativeOrder(
        out_trade_no=payment.out_trade_no,
        total_fen=payment.amount_fen,
        description=description(payment),
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-pay-notice"),
        expires_at=payment.expires_at,
    )
