"""Audited steps of staff that change nothing of ours by themselves: printing, asking WeChat."""

import datetime as dt

from hospital.billing import queries as bills
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.payments import queries


def note_printed(*, bill_id: int, by: Actor, at: dt.datetime) -> None:
    """A slip was opened to be printed. Raises NotFound."""
    bill = bills.bill(bill_id=bill_id)
    audit.record(act="payments.print_slip", subject=bill, by=by, at=at)


def note_asked(*, payment_id: int, by: Actor, at: dt.datetime) -> None:
    """Somebody asks WeChat how a payment stands; the answer may move it. Raises NotFound."""
    payment = queries.payment(payment_id=payment_id)
    audit.record(act="payments.ask_channel", subject=payment, by=by, at=at)


def note_refund_pressed(*, refund_id: int, by: Actor, at: dt.datetime) -> None:
    """Somebody sends a refund again, or asks how it stands. Raises NotFound."""
    refund = queries.refund(refund_id=refund_id)
    after = {"fen": refund.amount_fen, "number": refund.out_refund_no}
    audit.record(act="payments.press_refund", subject=refund, by=by, at=at, after=after)


def note_pressed(*, case_id: int, by: Actor, at: dt.datetime) -> None:
    """Somebody presses the one button of a case that speaks to WeChat. Raises NotFound."""
    case = queries.open_case(case_id=case_id)
    after = {"kind": case.kind, "number": case.number}
    audit.record(act="payments.press_case", subject=case, by=by, at=at, after=after)
