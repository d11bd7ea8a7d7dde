"""Timers and follow-ups of payments. Each loads nothing itself and makes one call."""

from contextlib import suppress

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import job, periodic
from hospital.payments import actions, gateway
from hospital.wechat.clients import WeChatNotConnected

REVERSED = "费用冲销退回"


@job()
def settle_or_close(*, payment_id: int, attempt: int = 0) -> None:
    """At an order's end: paid or closed, and WeChat is asked which."""
    gateway.settle_or_close(payment_id=payment_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def look(*, payment_id: int, attempt: int = 0) -> None:
    """In between: finds a payment whose notice was lost."""
    gateway.look(payment_id=payment_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def settle_scan(*, payment_id: int, attempt: int = 0) -> None:
    """A charged payment code: asked about every five seconds, taken back after thirty."""
    gateway.settle_or_close(payment_id=payment_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def verify(*, payment_id: int, attempt: int = 0) -> None:
    """A notice disagreed with us: ask WeChat at once."""
    gateway.verify(payment_id=payment_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def ask_unknown(*, number: str, attempt: int = 0) -> None:
    """A notice told of an order we do not have."""
    gateway.ask_unknown(number=number, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def close_payments(*, bill_id: int) -> None:
    """The bill is not wanted any more: its order must not be paid."""
    gateway.close_payments(bill_id=bill_id, by=SYSTEM, at=clock.now())


@job()
def refund_reversed(*, bill_id: int, attempt: int = 0) -> None:
    """Charges were reversed: what the ledger owes goes back the way it came (M1.6)."""
    actions.refund_due(bill_id=bill_id, reason=REVERSED, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def send_refund(*, refund_id: int, attempt: int = 0) -> None:
    """Send a refund, or send it again under the same number."""
    gateway.send_refund(refund_id=refund_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def ask_refund(*, refund_id: int, attempt: int = 0) -> None:
    """Ask how a refund stands."""
    gateway.ask_refund(refund_id=refund_id, attempt=attempt, by=SYSTEM, at=clock.now())


@periodic("15 2 * * *")  # 10:15 hospital time: WeChat's own are ready from ten
@job()
def expect_statements(**_: object) -> None:
    """Yesterday's statements of the channel, and whatever is still wanted."""
    with suppress(WeChatNotConnected):
        gateway.expect_statements(at=clock.now())


@job()
def fetch_statement(*, statement_id: int, attempt: int = 0) -> None:
    """Fetch one day's statement, or ask again in a quarter of an hour until 14:00."""
    gateway.fetch_statement(statement_id=statement_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def send_card(*, transfer_id: int, attempt: int = 0) -> None:
    """Have WeChat send an abnormal refund to a bank card."""
    gateway.send_card(transfer_id=transfer_id, attempt=attempt, by=SYSTEM, at=clock.now())


@job()
def ask_card(*, transfer_id: int, attempt: int = 0) -> None:
    """Ask whether the card took it."""
    gateway.ask_card(transfer_id=transfer_id, attempt=attempt, by=SYSTEM, at=clock.now())
