"""What the cashier sees while money is collected at the window or on a screen."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from hospital.kernel.errors import NotFound
from hospital.payments import schedule
from hospital.payments.models import Payment
from hospital.payments.queries.desk import (
    bill_ids_of,
    live_payments,
    patient_names,
    with_patients,
)
from hospital.payments.states import CollectState, PaymentStatus, TradeType


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectView:
    """One collection as it stands: amounts in fen, the QR text where a screen shows one."""

    payment: Payment
    state: CollectState
    amount_fen: int
    code_url: str
    expires_at: dt.datetime
    patients: tuple[str, ...]
    bill_ids: tuple[int, ...]


def collect_view(*, payment_id: int, at: dt.datetime) -> CollectView:
    """How a collection stands. "Failed" only once WeChat has said that nothing was charged and
    nothing will be. Raises NotFound."""
    found = with_patients(Payment.objects.filter(pk=payment_id)).first()
    if found is None:
        raise NotFound("没有找到这笔支付。")
    state = _state(found, at)
    return CollectView(
        payment=found,
        state=state,
        amount_fen=found.amount_fen,
        code_url=found.code_url if state is CollectState.WAITING else "",
        expires_at=found.expires_at,
        patients=tuple(patient_names(found)),
        bill_ids=tuple(part.bill_id for part in found.allocations.all()),
    )


def in_the_way(
    *,
    bill_ids: Collection[int],
    wechat_user_id: int | None,
    trade_type: TradeType,
    at: dt.datetime,
) -> list[Payment]:
    """Live orders of these bills that this payer may end to make one of their own: their own other
    ones, and somebody else's older than the lock's two minutes. A charged code ends by itself."""
    return [
        payment
        for payment in live_payments(bill_ids=bill_ids)
        if may_end(payment, wechat_user_id, at)
        and not is_same_order(
            payment, bill_ids=bill_ids, wechat_user_id=wechat_user_id, trade_type=trade_type
        )
    ]


def is_same_order(
    payment: Payment,
    *,
    bill_ids: Collection[int],
    wechat_user_id: int | None,
    trade_type: TradeType,
) -> bool:
    """Whether a live order is the very one that is asked for, so that it may be placed again. A
    payment code is charged once: never again."""
    return (
        trade_type != TradeType.SCAN
        and (payment.payer_id, payment.trade_type) == (wechat_user_id, trade_type)
        and set(bill_ids_of(payment_id=payment.pk)) == set(bill_ids)
    )


def may_end(payment: Payment, wechat_user_id: int | None, at: dt.datetime) -> bool:
    """Whether this payer may end a live order: their own, or one that has stood for two minutes.
    A charged code ends by itself."""
    if payment.trade_type == TradeType.SCAN:
        return False
    is_theirs = payment.payer_id == wechat_user_id
    return is_theirs or at - payment.created_at >= schedule.LOCK_FOR


def _state(payment: Payment, at: dt.datetime) -> CollectState:
    if payment.is_received:
        is_unapplied = payment.status == PaymentStatus.SUCCEEDED_UNAPPLIED
        return CollectState.UNAPPLIED if is_unapplied else CollectState.PAID
    if payment.status == PaymentStatus.CLOSED:
        return CollectState.FAILED
    if payment.status == PaymentStatus.UNKNOWN or at >= payment.expires_at:
        return CollectState.CONFIRMING
    return CollectState.WAITING
