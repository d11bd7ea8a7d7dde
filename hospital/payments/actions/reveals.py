"""Showing a sealed payee in full to the person who compares it with the bank (X12, X13)."""

import datetime as dt

from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.payments import queries


def reveal_payee(*, transfer_id: int, by: Actor, at: dt.datetime) -> tuple[str, str]:
    """Name and account to which a transfer went; who looked is on record. Raises NotFound."""
    transfer = queries.transfer(transfer_id=transfer_id)
    audit.record(
        act="payments.transfer.reveal_payee",
        subject=transfer,
        by=by,
        at=at,
        after={"case": transfer.case_id},
        reason="复核线下转账",
    )
    return transfer.payee, transfer.payee_account
