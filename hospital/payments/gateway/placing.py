"""How every order comes to stand at WeChat: room for its payer, our row, then the call."""

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings

from hospital.kernel.actors import Actor
from hospital.payments import actions
from hospital.payments.gateway.orders import LOOK_JOB, make_room, record
from hospital.payments.gateway.wire import leave_database, query
from hospital.payments.models import Payment
from hospital.payments.states import Scene, TradeType
from hospital.wechat import clients
from hospital.wechat.outcomes import (
    Closed,
    NativePrepaid,
    NotFound,
    Paid,
    Prepaid,
    Refused,
    Unknown,
)
from hospital.wechat.pay import JsapiOrder, NativeOrder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """There is nothing to pay any more: it was paid or closed meanwhile. Read the page again."""

    payment_id: int


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """WeChat gave no usable answer. Nothing was charged; the same order may be tried again."""

    payment_id: int


def open_order(
    *,
    bill_ids: Collection[int],
    wechat_user_id: int | None,
    shown_fen: int,
    trade_type: TradeType,
    scene: Scene,
    by: Actor,
    at: dt.datetime,
) -> Payment:
    """The order under our merchant number, or the one that still stands, WeChat not asked yet.

    Raises what create_payment raises, and WeChatNotConnected.
    """
    config = clients.config()
    make_room(bill_ids=bill_ids, wechat_user_id=wechat_user_id, trade_type=trade_type, by=by, at=at)
    return actions.create_payment(
        bill_ids=bill_ids,
        wechat_user_id=wechat_user_id,
        shown_fen=shown_fen,
        account=(config.mchid, config.appid),
        node=settings.WECHAT_NODE,
        trade_type=trade_type,
        scene=scene,
        by=by,
        at=at,
    )


def place(
    payment: Payment, order: JsapiOrder | NativeOrder, *, by: Actor, at: dt.datetime
) -> Payment | Ended | Unreachable:
    """Place a stored order, again with the same bytes if need be; one of another merchant number
    cannot be. The payment comes back with what its sheet or its code is made of."""
    leave_database()
    if payment.mchid != clients.config().mchid:
        return Unreachable(payment_id=payment.pk)
    pay = clients.pay()
    outcome = (
        pay.prepay_native(order) if isinstance(order, NativeOrder) else pay.prepay_jsapi(order)
    )
    if isinstance(outcome, Refused):
        return _after_refused(payment, outcome, by=by, at=at)
    if isinstance(outcome, Unknown):
        actions.record_unanswered(
            payment_id=payment.pk, job=LOOK_JOB, attempt=0, reason=outcome.reason, by=by, at=at
        )
        return Unreachable(payment_id=payment.pk)
    placed = actions.record_prepay(
        payment_id=payment.pk,
        prepay_id=outcome.prepay_id if isinstance(outcome, Prepaid) else "",
        code_url=outcome.code_url if isinstance(outcome, NativePrepaid) else "",
        by=by,
        at=at,
    )
    return placed if placed.is_live else Ended(payment_id=payment.pk)


def _after_refused(
    payment: Payment, refused: Refused, *, by: Actor, at: dt.datetime
) -> Ended | Unreachable:
    """Codes differ between products, so the order itself is asked: paid, closed, never made."""
    logger.error("prepay refused", extra={"payment_id": payment.pk, "code": refused.code})
    found = query(payment)
    if isinstance(found, NotFound):
        actions.record_closed(payment_id=payment.pk, reason=refused.code, by=by, at=at)
        return Unreachable(payment_id=payment.pk)
    record(payment, found, job=LOOK_JOB, attempt=0, by=by, at=at)
    if isinstance(found, Paid | Closed):
        return Ended(payment_id=payment.pk)
    return Unreachable(payment_id=payment.pk)
