"""Every write of registration: book, confirm, give up, cancel. One import for callers."""

from hospital.registration.actions.booking import book
from hospital.registration.actions.cancelling import (
    cancel,
    cancel_refunded,
    cancel_suspended,
    cancel_suspended_one,
)
from hospital.registration.actions.settling import (
    confirm,
    release_unpaid,
    release_unpaid_bill,
    remind_unpaid,
)

__all__ = [
    "book",
    "cancel",
    "cancel_refunded",
    "cancel_suspended",
    "cancel_suspended_one",
    "confirm",
    "release_unpaid",
    "release_unpaid_bill",
    "remind_unpaid",
]
