"""Every write of registration: book, confirm, give up, cancel, see, restrict. One import."""

from hospital.registration.actions.booking import Override, book
from hospital.registration.actions.cancelling import (
    cancel,
    cancel_refunded,
    cancel_suspended,
    cancel_suspended_one,
)
from hospital.registration.actions.restrictions import (
    RestrictionOver,
    lift,
    recount,
    tell_over,
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
from hospital.registration.actions.special import (
    NoContinuation,
    NoEmergencySession,
    NotOwnSession,
    add_on,
    continue_visit,
    register_emergency,
)
from hospital.registration.actions.visits import (
    CannotBegin,
    CannotCheckIn,
    NothingToCorrect,
    check_in,
    correct_noshow,
    end_visit,
    refund_unseen,
    start_visit,
    undo_check_in,
    visits_to_end,
)

__all__ = [
    "CannotBegin",
    "CannotCheckIn",
    "CannotCollect",
    "NoContinuation",
    "NoEmergencySession",
    "NotOwnSession",
    "NothingToCorrect",
    "Override",
    "RestrictionOver",
    "add_on",
    "book",
    "cancel",
    "cancel_refunded",
    "cancel_suspended",
    "cancel_suspended_one",
    "check_in",
    "collect",
    "confirm",
    "continue_visit",
    "correct_noshow",
    "end_visit",
    "give_up_uncollected",
    "lift",
    "recount",
    "refund_unseen",
    "register_emergency",
    "release_unpaid",
    "release_unpaid_bill",
    "remind_unpaid",
    "start_visit",
    "tell_over",
    "undo_check_in",
    "visits_to_end",
]
