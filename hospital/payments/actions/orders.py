"""An order at the channel: made before it is placed, closed only when the channel says so (SM10).

Locks: bill, then payment. The bill is handed to one payment at a time (billing.start_paying) and
handed back when that payment came to nothing.
"""

import datetime as dt

from django.db import connection, transaction

from hospital.billing import actions as billing
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.payments import numbers, schedule
from hospital.payments.actions.cases import cure_cases, open_case
from hospital.payments.models import Payment
from hospital.payments.states import LIVE, CaseKind, PaymentStatus, Scene


class PaidElsewhere(Refusal):
    """Somebody else has an order for this bill open (M4.4)."""

    code = "BILL_PAYING"
    default_message = "账单正在另一部手机上支付中，请稍候查看结果。"


def create_payment(
    *,
    bill_id: int,
    wechat_user_id: int,
    shown_fen: int,
    account: tuple[str, str],
    node: int,
    by: Actor,
    at: dt.datetime,
) -> Payment:
    """Make an order for the bill, or return the one that still stands (a double tap, "continue").

    `shown_fen` is the amount the payer saw; `account` the merchant number and app id; `node` this
    installation (0-99). The order's end is deferred with it. Raises NotFound, PaidElsewhere,
    and billing's BillChanged and BillNotPayable.
    """
    with transaction.atomic():
        bill = billing.lock_bill(bill_id=bill_id)
        if bill.total_fen != shown_fen or bill.total_fen <= 0:
            raise billing.BillChanged
        standing = Payment.objects.filter(bill_id=bill_id, status__in=LIVE).first()
        if standing is not None and standing.payer_id != wechat_user_id:
            raise PaidElsewhere
        if standing is not None:
            return standing
        billing.start_paying(bill_id=bill_id, by=by, at=at)
        mchid, appid = account
        payment_id = _next_id()
        payment = Payment.objects.create(
            pk=payment_id,
            status=PaymentStatus.CREATED,
            out_trade_no=numbers.payment_number(
                scene=Scene.OFFICIAL_ACCOUNT, at=at, node=node, serial=payment_id
            ),
            bill_id=bill_id,
            payer_id=wechat_user_id,
            mchid=mchid,
            appid=appid,
            amount_fen=bill.total_fen,
            description=bill.title,
            created_at=at,
            expires_at=schedule.order_end(bill_ends_at=bill.expires_at, at=at),
        )
        later("payments.jobs.settle_or_close", at=payment.expires_at, payment_id=payment.pk)
        return payment


def record_prepay(*, payment_id: int, prepay_id: str, by: Actor, at: dt.datetime) -> Payment:
    """The order stands at the channel: created or unknown → pending. Raises NotFound.

    From now on it is looked at now and then, should its notice be lost.
    """
    with transaction.atomic():
        payment = _lock(payment_id)
        was = payment.status
        if was == PaymentStatus.PENDING:
            payment.prepay_id, payment.prepaid_at = prepay_id, at
            payment.save(update_fields=["prepay_id", "prepaid_at"])
        elif payment.is_live:
            move(payment, PaymentStatus.PENDING, by=by, at=at, prepay_id=prepay_id, prepaid_at=at)
        if was == PaymentStatus.CREATED:
            _plan_look(payment, attempt=0, at=at)
        return payment


def record_unpaid(*, payment_id: int, reason: str, by: Actor, at: dt.datetime) -> Payment:
    """The channel says that nobody has paid: created or unknown → pending, so that the payer may
    go on. `reason` says whether the order stands there or has never arrived."""
    with transaction.atomic():
        payment = _lock(payment_id)
        if payment.status in {PaymentStatus.CREATED, PaymentStatus.UNKNOWN}:
            move(payment, PaymentStatus.PENDING, by=by, at=at, reason=f"channel: {reason}")
        return payment


def record_closed(*, payment_id: int, reason: str, by: Actor, at: dt.datetime) -> Payment:
    """The order can never be paid: closed, and the bill is free again. Else nothing happens."""
    with transaction.atomic():
        billing.lock_bill(bill_id=_bill_of(payment_id))
        payment = _lock(payment_id)
        if payment.is_live:
            give_up(payment, reason=reason, by=by, at=at)
        return payment


def record_unanswered(
    *, payment_id: int, job: str, attempt: int, reason: str, by: Actor, at: dt.datetime
) -> Payment:
    """Nobody knows how the order stands: → unknown, and `job` asks again after SM10's pause.

    After 24 hours a case asks for a person instead.
    """
    with transaction.atomic():
        payment = _lock(payment_id)
        if not payment.is_live:
            return payment
        if payment.status != PaymentStatus.UNKNOWN:
            move(payment, PaymentStatus.UNKNOWN, by=by, at=at, reason=reason)
        wait = schedule.unknown_wait(attempt)
        if wait is None:
            open_case(
                kind=CaseKind.UNRESOLVED,
                number=payment.out_trade_no,
                payment=payment,
                detail=reason,
                at=at,
            )
        else:
            later(job, at=at + wait, payment_id=payment.pk, attempt=attempt + 1)
        return payment


def look_again(*, payment_id: int, attempt: int, at: dt.datetime) -> None:
    """Plan the next look at an order that is still unpaid."""
    with transaction.atomic():
        _plan_look(_lock(payment_id), attempt=attempt, at=at)


def give_up(payment: Payment, *, reason: str, by: Actor, at: dt.datetime) -> None:
    """Close a live payment whose bill and row are locked, and free its bill."""
    move(payment, PaymentStatus.CLOSED, by=by, at=at, reason=reason)
    cure_cases(number=payment.out_trade_no, kinds=[CaseKind.UNRESOLVED], note="closed", at=at)
    billing.stop_paying(bill_id=payment.bill_id, by=by, at=at, reason=reason)


def lock_with_bill(payment_id: int) -> Payment:
    """The payment, its bill locked first (floor order). Raises NotFound."""
    billing.lock_bill(bill_id=_bill_of(payment_id))
    return _lock(payment_id)


def _lock(payment_id: int) -> Payment:
    payment = Payment.objects.select_for_update(no_key=True).filter(pk=payment_id).first()
    if payment is None:
        raise NotFound
    return payment


def _bill_of(payment_id: int) -> int:
    bill_id = Payment.objects.filter(pk=payment_id).values_list("bill_id", flat=True).first()
    if bill_id is None:
        raise NotFound
    return bill_id


def _plan_look(payment: Payment, *, attempt: int, at: dt.datetime) -> None:
    """The last look is left to the order's end."""
    wait = schedule.pending_wait(attempt)
    if payment.is_live and wait is not None and at + wait < payment.expires_at:
        later("payments.jobs.look", at=at + wait, payment_id=payment.pk, attempt=attempt)


def _next_id() -> int:
    """The row's id before the row, because our number at the channel is made from it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('payments_payment', 'id'))")
        return int(cursor.fetchone()[0])
