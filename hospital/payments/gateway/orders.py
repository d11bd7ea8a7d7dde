"""Orders at WeChat: looked at, ended; and whatever disagreed is asked about."""

import datetime as dt
from collections.abc import Collection

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.payments import actions, queries, schedule
from hospital.payments.gateway.wire import leave_database, query
from hospital.payments.models import Payment
from hospital.payments.states import TradeType
from hospital.wechat import clients
from hospital.wechat.outcomes import (
    Closed,
    NotFound,
    OrderOutcome,
    Paid,
    Refused,
    ReverseAgain,
    Reversed,
    Unknown,
    Unpaid,
)

SETTLE_JOB = "payments.jobs.settle_or_close"
LOOK_JOB = "payments.jobs.look"
SCAN_JOB = "payments.jobs.settle_scan"


def ask(*, payment_id: int, by: Actor, at: dt.datetime) -> Payment:
    """Ask WeChat how a payment stands and apply the answer: for the page and for the desk.

    Also for one we think closed: it finds money that arrived late. One past its end is ended here,
    because its own timer gives up after a day without answers. Raises NotFound.
    """
    payment = queries.payment(payment_id=payment_id)
    found = query(payment)
    if payment.is_live and at >= payment.expires_at and isinstance(found, Unpaid | NotFound):
        # The order's own questions go on by themselves; this is one more.
        settle_or_close(payment_id=payment_id, attempt=schedule.QUIET, by=by, at=at)
    elif not isinstance(found, Refused | Unknown):
        record(payment, found, job=LOOK_JOB, attempt=0, by=by, at=at)
    return queries.payment(payment_id=payment_id)


def look(*, payment_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Look at an unpaid order now and then, in case its notice was lost; until its end."""
    payment = queries.payment(payment_id=payment_id)
    if not payment.is_live or at >= payment.expires_at:
        return
    found = query(payment)
    record(payment, found, job=LOOK_JOB, attempt=attempt, by=by, at=at)
    if isinstance(found, Unpaid | NotFound):
        actions.look_again(payment_id=payment_id, attempt=attempt + 1, at=at)


def settle_or_close(*, payment_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """End an order: paid, or closed at WeChat and asked again, because it may be paid in between
    (M1.6). Without an answer the payment is unknown and this comes back."""
    payment = queries.payment(payment_id=payment_id)
    if not payment.is_live:
        return
    if payment.trade_type == TradeType.SCAN:
        _settle_scan(payment, attempt=attempt, by=by, at=at)
        return
    found = query(payment)
    if isinstance(found, Unpaid):
        leave_database()
        closed = clients.pay().close(out_trade_no=payment.out_trade_no)
        # Refused mostly means that it was paid this very moment: the order tells.
        found = closed if isinstance(closed, Unknown) else query(payment)
    if isinstance(found, NotFound):
        # The order never reached WeChat, so nobody can pay it.
        found = Closed(state="never_placed")
    if isinstance(found, Unpaid):
        found = Unknown(reason="still_open")
    record(payment, found, job=SETTLE_JOB, attempt=attempt, by=by, at=at)


def make_room(
    *,
    bill_ids: Collection[int],
    wechat_user_id: int | None,
    trade_type: TradeType,
    by: Actor,
    at: dt.datetime,
) -> None:
    """End orders that stand in the way of this payer: their own for other bills or by another
    product at once, somebody else's when it has stood for two minutes without money (SM9). Ended
    means closed at WeChat and asked again, so nobody's payment is lost."""
    for payment in queries.in_the_way(
        bill_ids=bill_ids, wechat_user_id=wechat_user_id, trade_type=trade_type, at=at
    ):
        settle_or_close(payment_id=payment.pk, attempt=schedule.QUIET, by=by, at=at)


def _settle_scan(payment: Payment, *, attempt: int, by: Actor, at: dt.datetime) -> None:
    """A charged payment code: ask; unpaid after half a minute, take it back at WeChat, and repeat
    that while WeChat wants it repeated. Never within fifteen seconds of the charge."""
    found = query(payment)
    is_late = at - payment.created_at >= schedule.REVERSE_AFTER
    if is_late and not isinstance(found, Paid | Closed):
        found = _take_back(payment)
    if isinstance(found, Paid | Closed):
        record(payment, found, job=SCAN_JOB, attempt=attempt, by=by, at=at)
    elif isinstance(found, Refused | Unknown):
        reason = found.code if isinstance(found, Refused) else found.reason
        actions.record_scan_unknown(payment_id=payment.pk, reason=reason, by=by, at=at)
    actions.ask_scan_again(payment_id=payment.pk, attempt=attempt, at=at)


def _take_back(payment: Payment) -> OrderOutcome:
    """Reverse a charge, noted before it is sent. Reversed is the end of it; refused, a question
    tells."""
    if not actions.take_back(payment_id=payment.pk, at=clock.now()):
        return Unknown(reason="ended")
    leave_database()
    outcome = clients.scan().reverse(out_trade_no=payment.out_trade_no)
    if isinstance(outcome, ReverseAgain | Unknown):
        return Unknown(reason=f"reverse: {outcome.reason}")
    if isinstance(outcome, Reversed):
        return Closed(state="reversed")
    found = query(payment)
    if isinstance(found, NotFound):
        # The code never reached WeChat, so nobody can be charged.
        return Closed(state="never_placed")
    return found if isinstance(found, Paid | Closed) else Unknown(reason=f"reverse: {outcome.code}")


def close_payments(*, bill_id: int, by: Actor, at: dt.datetime) -> None:
    """Nobody wants this bill paid any more: end the order that still stands, if one does."""
    for payment in queries.live_payments(bill_ids=[bill_id]):
        settle_or_close(payment_id=payment.pk, attempt=0, by=by, at=at)


def verify(*, payment_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """A notice disagreed with us: what WeChat answers now is the truth."""
    payment = queries.payment(payment_id=payment_id)
    found = query(payment)
    if isinstance(found, Refused | Unknown):
        actions.verify_again(payment_id=payment_id, attempt=attempt, at=at)
    else:
        record(payment, found, job=LOOK_JOB, attempt=0, by=by, at=at)


def ask_unknown(*, number: str, attempt: int, by: Actor, at: dt.datetime) -> None:
    """A notice told of an order we do not have: is it there, under our merchant number?"""
    leave_database()
    found = clients.pay().query(out_trade_no=number)
    if isinstance(found, Paid):
        actions.record_result(paid=found, by=by, at=at)
    elif isinstance(found, Refused | Unknown):
        actions.ask_unknown_again(number=number, attempt=attempt, at=at)


def record(
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
