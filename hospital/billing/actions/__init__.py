"""Writes of billing: charge, settle, give up, reverse, refund, suspend (SM9, M4).

Every write locks its bill first and decides on what it reads then; several bills are locked in the
order of their ids. These actions are steps of a larger cause (a booking, a payment notice), so
they join the caller's transaction.
"""

from hospital.billing.actions.issuing import (
    add_charges,
    cancel_bill,
    expire_bill,
    reserve_bill,
    start_paying,
    stop_paying,
)
from hospital.billing.actions.locking import (
    BillChanged,
    BillNotPayable,
    RefundTooMuch,
    lock_bill,
    lock_bills,
)
from hospital.billing.actions.settling import (
    post_refund,
    reduce_charges,
    reverse_charges,
    settle_bill,
)
from hospital.billing.actions.suspense import return_money, suspend_money

__all__ = [
    "BillChanged",
    "BillNotPayable",
    "RefundTooMuch",
    "add_charges",
    "cancel_bill",
    "expire_bill",
    "lock_bill",
    "lock_bills",
    "post_refund",
    "reduce_charges",
    "reserve_bill",
    "return_money",
    "reverse_charges",
    "settle_bill",
    "start_paying",
    "stop_paying",
    "suspend_money",
]
