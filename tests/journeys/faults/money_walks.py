"""How each operation with money is reached."""

from __future__ import annotations

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.payments import actions, gateway
from hospital.payments.models import Payment, PaymentCase
from hospital.registration import actions as registration
from tests.journeys.faults.ends import FEE_FEN
from tests.journeys.faults.walk import HOLD_MINUTES, TAPS, Walk

CASHIER, CLERK, FINANCE = Actor("staff", 1), Actor("staff", 2), Actor("staff", 3)
#: This one holds the payment's notice back; elsewhere it has come before the refund's.
EARLY = "refund_before_payment"


def prepay(walk: Walk) -> None:
    walk.strike()
    walk.is_booked()


def native(walk: Walk) -> None:
    walk.strike()
    for _ in range(TAPS):
        outcome = gateway.start_native(
            bill_ids=[walk.appointment.bill_id], shown_fen=FEE_FEN, by=CASHIER, at=clock.now()
        )
        if isinstance(outcome, gateway.CodeShown):
            break
        walk.story.time.passes(seconds=20)
    walk.pays(Payment.objects.get())
    walk.wait_for_notices(1)


def query(walk: Walk) -> None:
    """The notice is lost, so only our questions find the payment."""
    walk.story.wechat.fault("notify_lost", match="TRANSACTION")
    walk.pays(walk.tap_until_sheet())
    walk.strike()
    walk.passes(minutes=6)


def close(walk: Walk) -> None:
    """The patient cancels while the sheet is open."""
    walk.tap_until_sheet()
    walk.strike()
    registration.cancel(number=walk.appointment.number, by=walk.payer, at=clock.now())
    walk.passes(minutes=6)


def refund(walk: Walk) -> None:
    walk.is_booked()
    walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.wait_for_notices(2)


def refund_query(walk: Walk) -> None:
    """The notice is lost, so only our questions find the refund's end."""
    walk.is_booked()
    walk.story.wechat.fault("notify_lost", match="REFUND")
    walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.passes(minutes=10)


def card(walk: Walk) -> None:
    """The payer's card is gone: one person names a bank card, another agrees (R13)."""
    walk.is_booked()
    refund = walk.cancels()
    walk.story.wechat.refund_state(refund.out_refund_no, "ABNORMAL")
    walk.wait_for_notices(2)
    transfer = actions.propose_card(
        case_id=PaymentCase.objects.get().pk,
        payee="陈晓宁",
        payee_account="6222020000000000001",
        bank_type="ICBC_DEBIT",
        by=CLERK,
        at=clock.now(),
    )
    walk.strike()
    actions.confirm_transfer(transfer_id=transfer.pk, by=FINANCE, at=clock.now())
    walk.passes(minutes=1)
    walk.story.wechat.refund_state(refund.out_refund_no, "SUCCESS")
    walk.wait_for_notices(3)
    walk.passes(minutes=6)


def payment_notice(walk: Walk) -> None:
    walk.story.wechat.letters.answers = list(walk.row.door)
    walk.strike()
    walk.pays(walk.tap_until_sheet())
    walk.wait_for_notices(len(walk.row.door))
    walk.passes(minutes=6)


def refund_notice(walk: Walk) -> None:
    if walk.row.fault == EARLY:
        walk.strike()
        walk.pays(walk.tap_until_sheet())
        walk.passes(minutes=1)
    else:
        walk.is_booked()
        walk.answers.clear()
        walk.story.wechat.letters.answers = list(walk.row.door)
        walk.strike()
    walk.cancels()
    walk.bank_pays_back()
    walk.wait_for_notices(len(walk.row.door) + (1 if walk.row.fault != EARLY else 0))
    walk.passes(minutes=6)


def scan(walk: Walk) -> None:
    walk.strike()
    _charge(walk)
    if walk.row.fault == "userpaying":
        walk.story.time.passes(seconds=11)
        walk.story.wechat.micropay_password(Payment.objects.get().out_trade_no)
    walk.passes(minutes=2 if walk.row.end == "booked" else HOLD_MINUTES)


def scan_query(walk: Walk) -> None:
    walk.story.wechat.fault("userpaying_then_success", seconds=8)
    _charge(walk)
    walk.strike()
    walk.passes(minutes=2)


def reverse(walk: Walk) -> None:
    walk.story.wechat.fault("userpaying")
    _charge(walk)
    walk.strike()
    walk.passes(minutes=HOLD_MINUTES)


def _charge(walk: Walk) -> None:
    """The cashier scans the code on the patient's phone."""
    gateway.charge_code(
        bill_ids=[walk.appointment.bill_id],
        auth_code=walk.story.wechat.scan_code(walk.openid),
        shown_fen=FEE_FEN,
        key="till-1",
        client_ip="127.0.0.1",
        device_id="till-1",
        by=CASHIER,
        at=clock.now(),
    )
