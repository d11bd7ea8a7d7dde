"""The conversation with WeChat Pay: action, HTTP, action; never inside a transaction (law 10).

Whatever WeChat says goes through the same actions a notice goes through. Nothing here decides.
"""

import datetime as dt
import logging
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from hospital.billing import queries as billing
from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.models import Payment, Refund
from hospital.payments.states import RefundStatus
from hospital.wechat import clients
from hospital.wechat.outcomes import (
    Closed,
    NotFound,
    OrderOutcome,
    Paid,
    Prepaid,
    RefundState,
    Refused,
    Unknown,
    Unpaid,
)
from hospital.wechat.pay import JsapiOrder, RefundOrder
from hospital.wechat.signing import PaySheet

logger = logging.getLogger(__name__)

SETTLE_JOB = "payments.jobs.settle_or_close"
LOOK_JOB = "payments.jobs.look"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The order stands: the page may open WeChat's payment sheet with these parameters."""

    payment_id: int
    sheet: PaySheet


@dataclass(frozen=True, kw_only=True)
class Ended:
    """There is nothing to pay any more: it was paid or closed meanwhile. Read the page again."""

    payment_id: int


@dataclass(frozen=True, kw_only=True)
class Unreachable:
    """WeChat gave no usable answer. Nothing was charged; the same order may be tried again."""

    payment_id: int


def start_wechat_payment(
    *, token: str, wechat_user_id: int, shown_fen: int, by: Actor, at: dt.datetime
) -> Sheet | Ended | Unreachable:
    """Place the bill's order, or the one that still stands again with the same bytes.

    Raises what create_payment raises, and WeChatNotConnected.
    """
    config = clients.config()
    bill = billing.payable_bill_for(wechat_user_id=wechat_user_id, token=token)
    payment = actions.create_payment(
        bill_id=bill.id,
        wechat_user_id=wechat_user_id,
        shown_fen=shown_fen,
        account=(config.mchid, config.appid),
        node=settings.WECHAT_NODE,
        by=by,
        at=at,
    )
    order = _order(payment)
    _leave_database()
    outcome = clients.pay().prepay_jsapi(order)
    if isinstance(outcome, Prepaid):
        payment = actions.record_prepay(
            payment_id=payment.pk, prepay_id=outcome.prepay_id, by=by, at=at
        )
        if not payment.is_live:
            return Ended(payment_id=payment.pk)
        sheet = clients.pay().sheet(prepay_id=outcome.prepay_id, at=at)
        return Sheet(payment_id=payment.pk, sheet=sheet)
    if isinstance(outcome, Refused):
        return _after_refused_prepay(payment, outcome, by=by, at=at)
    actions.record_unanswered(
        payment_id=payment.pk, job=LOOK_JOB, attempt=0, reason=outcome.reason, by=by, at=at
    )
    return Unreachable(payment_id=payment.pk)


def _after_refused_prepay(
    payment: Payment, refused: Refused, *, by: Actor, at: dt.datetime
) -> Ended | Unreachable:
    """Codes differ between products, so the order itself is asked: paid, closed, never made."""
    logger.error("prepay refused", extra={"payment_id": payment.pk, "code": refused.code})
    found = _query(payment)
    if isinstance(found, NotFound):
        actions.record_closed(payment_id=payment.pk, reason=refused.code, by=by, at=at)
        return Unreachable(payment_id=payment.pk)
    _record(payment, found, job=LOOK_JOB, attempt=0, by=by, at=at)
    if isinstance(found, Paid | Closed):
        return Ended(payment_id=payment.pk)
    return Unreachable(payment_id=payment.pk)


def ask(*, payment_id: int, by: Actor, at: dt.datetime) -> Payment:
    """Ask WeChat how a payment stands and apply the answer: for the page and for the desk.

    Also for one we think closed: it finds money that arrived late. One past its end is ended here,
    because its own timer gives up after a day without answers. Raises NotFound.
    """
    payment = queries.payment(payment_id=payment_id)
    found = _query(payment)
    if payment.is_live and at >= payment.expires_at and isinstance(found, Unpaid | NotFound):
        settle_or_close(payment_id=payment_id, attempt=0, by=by, at=at)
    elif not isinstance(found, Refused | Unknown):
        _record(payment, found, job=LOOK_JOB, attempt=0, by=by, at=at)
    return queries.payment(payment_id=payment_id)


def look(*, payment_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Look at an unpaid order now and then, in case its notice was lost; until its end."""
    payment = queries.payment(payment_id=payment_id)
    if not payment.is_live or at >= payment.expires_at:
        return
    found = _query(payment)
    _record(payment, found, job=LOOK_JOB, attempt=attempt, by=by, at=at)
    if isinstance(found, Unpaid | NotFound):
        actions.look_again(payment_id=payment_id, attempt=attempt + 1, at=at)


def settle_or_close(*, payment_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """End an order: paid, or closed at WeChat and asked again, because it may be paid in between
    (M1.6). Without an answer the payment is unknown and this comes back."""
    payment = queries.payment(payment_id=payment_id)
    if not payment.is_live:
        return
    found = _query(payment)
    if isinstance(found, Unpaid):
        _leave_database()
        closed = clients.pay().close(out_trade_no=payment.out_trade_no)
        # Refused mostly means that it was paid this very moment: the order tells.
        found = closed if isinstance(closed, Unknown) else _query(payment)
    if isinstance(found, NotFound):
        # The order never reached WeChat, so nobody can pay it.
        found = Closed(state="never_placed")
    if isinstance(found, Unpaid):
        found = Unknown(reason="still_open")
    _record(payment, found, job=SETTLE_JOB, attempt=attempt, by=by, at=at)


def send_refund(*, refund_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Send a refund, always under its own number: a new one might pay twice."""
    refund = actions.submit_refund(refund_id=refund_id, by=by, at=at)
    if refund is None:
        return
    order = _refund_order(refund)
    _leave_database()
    outcome = clients.pay().refund(order)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
    elif isinstance(outcome, Refused):
        actions.record_refund_refused(
            refund_id=refund_id, code=outcome.code, attempt=attempt, by=by, at=at
        )
    else:
        reason = outcome.reason if isinstance(outcome, Unknown) else "not_found"
        actions.ask_refund_again(refund_id=refund_id, attempt=0, reason=reason, by=by, at=at)


def ask_refund(*, refund_id: int, attempt: int, by: Actor, at: dt.datetime) -> Refund:
    """Ask WeChat how a refund stands and apply the answer. One that WeChat does not know was never
    taken and is sent again. Raises NotFound."""
    refund = queries.refund(refund_id=refund_id)
    if not refund.is_at_channel:
        return refund
    _leave_database()
    outcome = clients.pay().query_refund(out_refund_no=refund.out_refund_no)
    if isinstance(outcome, NotFound):
        send_refund(refund_id=refund_id, attempt=attempt, by=by, at=at)
        return queries.refund(refund_id=refund_id)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
        reason = outcome.progress.value
    else:
        reason = outcome.code if isinstance(outcome, Refused) else outcome.reason
    actions.ask_refund_again(refund_id=refund_id, attempt=attempt, reason=reason, by=by, at=at)
    return queries.refund(refund_id=refund_id)


def press_refund(*, refund_id: int, by: Actor, at: dt.datetime) -> Refund:
    """What a member of staff can do for a refund: send it (again), ask, or, when it was closed
    there for good, send what is still owed under a new number. Raises NotFound."""
    refund = queries.refund(refund_id=refund_id)
    if refund.status == RefundStatus.CLOSED:
        bill_id = refund.payment.bill_id
        made = actions.refund_due(bill_id=bill_id, reason=refund.reason, by=by, at=at)
        return made[0] if made else refund
    if refund.is_at_channel:
        return ask_refund(refund_id=refund_id, attempt=0, by=by, at=at)
    send_refund(refund_id=refund_id, attempt=0, by=by, at=at)
    return queries.refund(refund_id=refund_id)


def close_payments(*, bill_id: int, by: Actor, at: dt.datetime) -> None:
    """Nobody wants this bill paid any more: end the order that still stands, if one does."""
    for payment in queries.payments_of(bill_id=bill_id):
        settle_or_close(payment_id=payment.pk, attempt=0, by=by, at=at)


def _query(payment: Payment) -> OrderOutcome:
    _leave_database()
    return clients.pay().query(out_trade_no=payment.out_trade_no)


def _record(
    payment: Payment, found: OrderOutcome, *, job: str, attempt: int, by: Actor, at: dt.datetime
) -> None:
    if isinstance(found, Paid):
        actions.record_result(paid=found, by=by, at=at)
    elif isinstance(found, Unpaid | NotFound):
        # An order that never arrived may be placed again, with the same number and bytes.
        reason = "unpaid" if isinstance(found, Unpaid) else "never_placed"
        actions.record_unpaid(payment_id=payment.pk, reason=reason, by=by, at=at)
    elif isinstance(found, Closed):
        actions.record_closed(payment_id=payment.pk, reason=found.state, by=by, at=at)
    elif isinstance(found, Refused | Unknown):
        reason = found.code if isinstance(found, Refused) else found.reason
        actions.record_unanswered(
            payment_id=payment.pk, job=job, attempt=attempt, reason=reason, by=by, at=at
        )


def _order(payment: Payment) -> JsapiOrder:
    return JsapiOrder(
        out_trade_no=payment.out_trade_no,
        openid=payment.payer.openid,
        total_fen=payment.amount_fen,
        description=f"{settings.HOSPITAL_NAME}-{payment.description}",
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-pay-notice"),
        expires_at=payment.expires_at,
    )


def _refund_order(refund: Refund) -> RefundOrder:
    return RefundOrder(
        out_trade_no=refund.payment.out_trade_no,
        out_refund_no=refund.out_refund_no,
        refund_fen=refund.amount_fen,
        total_fen=refund.payment.amount_fen,
        reason=refund.reason,
        notify_url=settings.PUBLIC_URL + reverse("payments-wechat-refund-notice"),
    )


def _leave_database() -> None:
    """Before every call out: refuse to hold a transaction over it, and give the connection back to
    the pool, so that a slow WeChat never starves the other pages (M1.16)."""
    with transaction.atomic(durable=True):
        pass
    if not connection.in_atomic_block:
        connection.close()
