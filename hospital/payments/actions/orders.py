"""An order at the channel: made before it is placed, closed only when the channel says so (SM10).

Locks: bills in the order of their ids, then payment. Each bill is handed to one payment at a time
(billing.start_paying) and handed back when that payment came to nothing.
"""

import datetime as dt
from collections.abc import Collection

from django.db import connection, transaction

from hospital.billing import actions as billing
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.events import later
from hospital.kernel.states import move
from hospital.payments import numbers, queries, schedule
from hospital.payments.actions.cases import cure_cases, open_case
from hospital.payments.models import Allocation, Payment
from hospital.payments.states import CaseKind, PaymentStatus, Scene, TradeType


class PaidElsewhere(Refusal):
    """Somebody else has an order for this bill open (M4.4)."""

    code = "BILL_PAYING"
    default_message = "账单正在另一部手机上支付中，请稍候查看结果。"


def create_payment(
    *,
    bill_ids: Collection[int],
    wechat_user_id: int | None,
    shown_fen: int,
    account: tuple[str, str],
    node: int,
    trade_type: TradeType = TradeType.JSAPI,
    scene: Scene = Scene.OFFICIAL_ACCOUNT,
    by: Actor,
    at: dt.datetime,
) -> Payment:
    """Make an order for the bills, or return the one that still stands (a double tap, "continue").

    `shown_fen` is the sum the payer saw; `account` the merchant number and app id; `node` this
    installation (0-99); no `wechat_user_id` when only WeChat will tell who pays. The order's end is
    deferred with it. Raises NotFound, PaidElsewhere, and billing's BillChanged and BillNotPayable.
    """
    with transaction.atomic():
        bills = billing.lock_bills(bill_ids=bill_ids)
        total_fen = sum(bill.total_fen for bill in bills)
        if total_fen != shown_fen or any(bill.total_fen <= 0 for bill in bills):
            raise billing.BillChanged
        standing = _standing([bill.pk for bill in bills])
        if standing is not None:
            is_same = queries.is_same_order(
                standing,
                bill_ids=[bill.pk for bill in bills],
                wechat_user_id=wechat_user_id,
                trade_type=trade_type,
            )
            if not is_same:
                raise PaidElsewhere
            return standing
        for bill in bills:
            billing.start_paying(bill_id=bill.pk, by=by, at=at)
        mchid, appid = account
        payment_id = _next_id()
        ends = [bill.expires_at for bill in bills if bill.expires_at is not None]
        title = bills[0].title if len(bills) == 1 else f"{bills[0].title}等{len(bills)}项"
        payment = Payment.objects.create(
            pk=payment_id,
            status=PaymentStatus.CREATED,
            out_trade_no=numbers.payment_number(scene=scene, at=at, node=node, serial=payment_id),
            scene=scene,
            trade_type=trade_type,
            payer_id=wechat_user_id,
            made_by=str(by),
            mchid=mchid,
            appid=appid,
            amount_fen=total_fen,
            description=title,
            created_at=at,
            expires_at=schedule.order_end(
                bill_ends_at=min(ends, default=None), is_scan=trade_type == TradeType.SCAN, at=at
            ),
        )
        Allocation.objects.bulk_create(
            Allocation(payment=payment, bill=bill, amount_fen=bill.total_fen) for bill in bills
        )
        if trade_type == TradeType.SCAN:
            first = at + schedule.SCAN_EVERY
            later("payments.jobs.settle_scan", at=first, payment_id=payment.pk)
        else:
            later("payments.jobs.settle_or_close", at=payment.expires_at, payment_id=payment.pk)
        return payment


def record_prepay(
    *, payment_id: int, prepay_id: str = "", code_url: str = "", by: Actor, at: dt.datetime
) -> Payment:
    """The order stands at the channel: created or unknown → pending. Raises NotFound.

    `prepay_id` opens the payer's sheet, `code_url` is what a screen shows. From now on the order is
    looked at now and then, should its notice be lost.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        was = payment.status
        if was == PaymentStatus.PENDING:
            payment.prepay_id, payment.code_url, payment.prepaid_at = prepay_id, code_url, at
            payment.save(update_fields=["prepay_id", "code_url", "prepaid_at"])
        elif payment.is_live:
            move(
                payment,
                PaymentStatus.PENDING,
                by=by,
                at=at,
                prepay_id=prepay_id,
                code_url=code_url,
                prepaid_at=at,
            )
        if was == PaymentStatus.CREATED:
            _plan_look(payment, attempt=0, at=at)
        return payment


def record_unpaid(*, payment_id: int, reason: str, by: Actor, at: dt.datetime) -> Payment:
    """The channel says that nobody has paid: created or unknown → pending, so that the payer may
    go on. `reason` says whether the order stands there or has never arrived."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.status in {PaymentStatus.CREATED, PaymentStatus.UNKNOWN}:
            move(payment, PaymentStatus.PENDING, by=by, at=at, reason=f"channel: {reason}")
        return payment


def record_closed(*, payment_id: int, reason: str, by: Actor, at: dt.datetime) -> Payment:
    """The order can never be paid: closed, and its bills are free again. Else nothing happens."""
    with transaction.atomic():
        payment = lock_with_bills(payment_id)
        if payment.is_live:
            give_up(payment, reason=reason, by=by, at=at)
            if payment.trade_type == TradeType.SCAN:
                late = at + schedule.SCAN_LATE
                later("payments.jobs.verify", at=late, payment_id=payment.pk)
        return payment


def record_unanswered(
    *, payment_id: int, job: str, attempt: int, reason: str, by: Actor, at: dt.datetime
) -> Payment:
    """Nobody knows how the order stands: → unknown, and `job` asks again after SM10's pause.

    After 24 hours a case asks for a person instead. An extra question (schedule.QUIET) plans none.
    """
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if not payment.is_live:
            return payment
        if payment.status != PaymentStatus.UNKNOWN:
            move(payment, PaymentStatus.UNKNOWN, by=by, at=at, reason=reason)
        if attempt == schedule.QUIET:
            return payment
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
        _plan_look(lock_payment(payment_id), attempt=attempt, at=at)


def verify_again(*, payment_id: int, attempt: int, at: dt.datetime) -> None:
    """Plan the next question about a payment a notice disagreed with; its case is open already."""
    with transaction.atomic():
        wait = schedule.unknown_wait(attempt)
        if wait is not None:
            later("payments.jobs.verify", at=at + wait, payment_id=payment_id, attempt=attempt + 1)


def ask_unknown_again(*, number: str, attempt: int, at: dt.datetime) -> None:
    """Plan the next question about an order we do not have; its case is open already."""
    with transaction.atomic():
        wait = schedule.unknown_wait(attempt)
        if wait is not None:
            later("payments.jobs.ask_unknown", at=at + wait, number=number, attempt=attempt + 1)


def give_up(payment: Payment, *, reason: str, by: Actor, at: dt.datetime) -> None:
    """Close a live payment whose bills and row are locked, and free its bills."""
    move(payment, PaymentStatus.CLOSED, by=by, at=at, reason=reason)
    cure_cases(
        number=payment.out_trade_no, kinds=[CaseKind.UNRESOLVED], note="微信确认没有支付", at=at
    )
    free_bills(payment, reason=reason, by=by, at=at)


def free_bills(payment: Payment, *, reason: str, by: Actor, at: dt.datetime) -> None:
    """Give the locked bills of a payment that pays for nothing back to whoever pays next."""
    for bill_id in queries.bill_ids_of(payment_id=payment.pk):
        billing.stop_paying(bill_id=bill_id, by=by, at=at, reason=reason)


def lock_with_bills(payment_id: int) -> Payment:
    """The payment, its bills locked first (floor order, then pk). Raises NotFound."""
    billing.lock_bills(bill_ids=queries.bill_ids_of(payment_id=payment_id))
    return lock_payment(payment_id)


def _standing(bill_ids: Collection[int]) -> Payment | None:
    """The live order of any of these locked bills."""
    row = (
        Allocation.objects.filter(bill_id__in=bill_ids, is_live=True)
        .select_related("payment")
        .first()
    )
    return row.payment if row else None


def lock_payment(payment_id: int) -> Payment:
    """The payment alone, for moves that touch no bill. Raises NotFound."""
    payment = Payment.objects.select_for_update(no_key=True).filter(pk=payment_id).first()
    if payment is None:
        raise NotFound
    return payment


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
