"""Every write of registration: book, confirm, give up, cancel. One import for callers."""

from hospital.registration.actions.booking import Override, book
from hospital.registration.actions.cancelling import (
    cancel,
    cancel_refunded,
    cancel_suspended,
    cancel_suspended_one,
)
from hospital.registration.actions.settling import (
    CannotCollect,
    collect,
    confirm,
    give_up_uncollected,
    release_unpaid,
    release_unpaid_bill,
    remind_unpaid,
)

__all__ = [
    "CannotCollect",
    "Override",
    "book",
    "cancel",
    "cancel_refunded",
    "cancel_suspended",
    "cancel_suspended_one",
    "collect",
    "confirm",
    "give_up_uncollected",
    "release_unpaid",
    "release_unpaid_bill",
    "remind_unpaid",
]
