"""Money we cannot apply: it arrived, belongs to no bill of ours, and waits to go back (挂账).

The payment or refund it came by is the caller's; here it is two postings without a bill, tied to
each other, so that no more goes back than came.
"""

import datetime as dt

from django.db.models import Sum

from hospital.billing.actions.locking import RefundTooMuch, inside_a_transaction
from hospital.billing.models import Posting
from hospital.billing.states import SUSPENSE, PostingKind, cash
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound


def suspend_money(
    *, amount_fen: int, reference: str, method: str, by: Actor, at: dt.datetime
) -> bool:
    """Book money that arrived for nothing we know, `reference` being the payment's number; False
    when it was booked before."""
    inside_a_transaction()
    if _suspended(reference) is not None:
        return False
    Posting.objects.create(
        debit=cash(method),
        credit=SUSPENSE,
        amount_fen=amount_fen,
        kind=PostingKind.SUSPEND,
        reference=reference,
        by=str(by),
        at=at,
    )
    return True


def return_money(
    *,
    suspended: str,
    amount_fen: int,
    reference: str,
    method: str,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Book that suspended money went back: `suspended` is the payment's number, `reference` the
    refund's. False when it was booked before. Raises NotFound, RefundTooMuch."""
    inside_a_transaction()
    held = _suspended(suspended)
    if held is None:
        raise NotFound
    if Posting.objects.filter(kind=PostingKind.RETURN, reference=reference).exists():
        return False
    gone_fen = held.returns.aggregate(fen=Sum("amount_fen"))["fen"] or 0
    if gone_fen + amount_fen > held.amount_fen:
        raise RefundTooMuch(held_fen=held.amount_fen - gone_fen, refund_fen=amount_fen)
    Posting.objects.create(
        debit=SUSPENSE,
        credit=cash(method),
        amount_fen=amount_fen,
        suspended=held,
        kind=PostingKind.RETURN,
        reference=reference,
        by=str(by),
        at=at,
    )
    return True


def _suspended(reference: str) -> Posting | None:
    """The suspended money, locked: two returns decide one after the other."""
    return (
        Posting.objects.select_for_update(no_key=True)
        .filter(kind=PostingKind.SUSPEND, reference=reference)
        .first()
    )
