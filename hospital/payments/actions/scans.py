"""A charged payment code (cashier scan): stored before it is sent, asked about until known."""

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from hospital.kernel import audit, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.events import later
from hospital.kernel.sealed import blind_index
from hospital.kernel.states import move
from hospital.payments import schedule
from hospital.payments.actions.cases import open_case
from hospital.payments.actions.orders import create_payment, lock_payment
from hospital.payments.models import Payment
from hospital.payments.states import CaseKind, PaymentStatus, Scene, TradeType


def create_scan(
    *,
    bill_ids: Collection[int],
    auth_code: str,
    shown_fen: int,
    key: str,
    account: tuple[str, str],
    node: int,
    by: Actor,
    at: dt.datetime,
) -> tuple[Payment, bool]:
    """The order for one charge, and whether it is new: an old one is never charged again.

    Of the code only a keyed fingerprint stays, inside the request key's digest. Raises KeyReused
    and what create_payment raises.
    """
    with transaction.atomic():
        claim = request_keys.claim(
            key=key,
            scope=f"payments.create_scan:{by}",
            inputs={
                "bills": sorted(set(bill_ids)),
                "fen": shown_fen,
                "code": blind_index(auth_code, "payments.auth_code"),
            },
            at=at,
        )
        if claim.answer is not None:
            return Payment.objects.get(pk=claim.answer["payment"]), False
        payment = create_payment(
            bill_ids=bill_ids,
            wechat_user_id=None,
            shown_fen=shown_fen,
            account=account,
            node=node,
            trade_type=TradeType.SCAN,
            scene=Scene.CASHIER_SCAN,
            by=by,
            at=at,
        )
        audit.record(
            act="payments.charge_code",
            subject=payment,
            by=by,
            at=at,
            after={"bills": sorted(set(bill_ids)), "fen": shown_fen},
        )
        claim.finish({"payment": payment.pk})
        return payment, True


def record_scan_unknown(*, payment_id: int, reason: str, by: Actor, at: dt.datetime) -> Payment:
    """Nobody knows whether the patient was charged: → unknown. The next question is planned."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.is_live and payment.status != PaymentStatus.UNKNOWN:
            move(payment, PaymentStatus.UNKNOWN, by=by, at=at, reason=reason[:200])
        return payment


def take_back(*, payment_id: int, at: dt.datetime) -> bool:
    """Note, before WeChat is asked for it, that a charge is taken back; False when the payment has
    come to its end. From now on, for as long as such a call may be under way, success is not
    believed (record_result): else we would keep as paid what goes back to the patient."""
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if payment.is_live:
            payment.taken_back_at = at
            payment.save(update_fields=["taken_back_at"])
        return payment.is_live


def ask_scan_again(*, payment_id: int, attempt: int, at: dt.datetime) -> None:
    """Plan the next question: every five seconds for a minute, then at SM10's pace; after a day a
    case asks for a person."""
    if attempt == schedule.QUIET:
        return
    with transaction.atomic():
        payment = lock_payment(payment_id)
        if not payment.is_live:
            return
        wait = schedule.scan_wait(attempt)
        if wait is None:
            open_case(
                kind=CaseKind.UNRESOLVED,
                number=payment.out_trade_no,
                payment=payment,
                detail="scan",
                at=at,
            )
        else:
            later(
                "payments.jobs.settle_scan",
                at=at + wait,
                payment_id=payment_id,
                attempt=attempt + 1,
            )
