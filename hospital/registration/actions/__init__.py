"""Every write of registration: book, confirm, give up, cancel, see, restrict. One import."""

from hospital.registration.actions.alerting import (
    AlertDecided,
    decide_alert,
    lift_block,
    raise_alerts,
)
from hospital.registration.actions.appeals import (
    LONGEST as LONGEST_APPEAL,
)
from hospital.registration.actions.appeals import (
    AppealDecided,
    CannotAppeal,
    appeal,
    decide_appeal,
)
from hospital.registration.actions.booking import Override, book
from hospital.registration.actions.cancelling import (
    cancel,
    cancel_after_check_in,
    cancel_refunded,
)
from hospital.registration.actions.closing import close_ended, close_session
from hospital.registration.actions.exchanging import (
    CannotExchange,
    ExchangeUnderWay,
    drop_exchange,
    exchange,
)
from hospital.registration.actions.puzzling import solve_puzzle
from hospital.registration.actions.reminding import remind_of_visits, remind_unpaid
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
)
from hospital.registration.actions.sharing import NothingToShare, share, unshare
from hospital.registration.actions.special import (
    NoContinuation,
    NoEmergencySession,
    NotOwnSession,
    add_on,
    continue_visit,
    register_emergency,
)
from hospital.registration.actions.stopping import (
    cancel_suspended,
    cancel_suspended_one,
    resume_session,
)
from hospital.registration.actions.substituting import (
    NothingAsked,
    answer_substitution,
    end_question,
    settle_substitution,
    settle_substitution_one,
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
from hospital.registration.actions.voiding import CannotVoid, enter_in_error
from hospital.registration.actions.waiting import (
    CannotLeave,
    StillFree,
    WaitlistFull,
    WaitlistLimit,
    WaitlistOver,
    clear_waitlist,
    join_waitlist,
    leave_waitlist,
    offer_again,
    owe_first_offer,
    serve_waitlists,
    settle_offers,
)
from hospital.registration.actions.watching import (
    NothingToWatch,
    tell_watchers,
    unwatch_release,
    watch_release,
)

__all__ = [
    "LONGEST_APPEAL",
    "AlertDecided",
    "AppealDecided",
    "CannotAppeal",
    "CannotBegin",
    "CannotCheckIn",
    "CannotCollect",
    "CannotExchange",
    "CannotLeave",
    "CannotVoid",
    "ExchangeUnderWay",
    "NoContinuation",
    "NoEmergencySession",
    "NotOwnSession",
    "NothingAsked",
    "NothingToCorrect",
    "NothingToShare",
    "NothingToWatch",
    "Override",
    "RestrictionOver",
    "StillFree",
    "WaitlistFull",
    "WaitlistLimit",
    "WaitlistOver",
    "add_on",
    "answer_substitution",
    "appeal",
    "book",
    "cancel",
    "cancel_after_check_in",
    "cancel_refunded",
    "cancel_suspended",
    "cancel_suspended_one",
    "check_in",
    "clear_waitlist",
    "close_ended",
    "close_session",
    "collect",
    "confirm",
    "continue_visit",
    "correct_noshow",
    "decide_alert",
    "decide_appeal",
    "drop_exchange",
    "end_question",
    "end_visit",
    "enter_in_error",
    "exchange",
    "give_up_uncollected",
    "join_waitlist",
    "leave_waitlist",
    "lift",
    "lift_block",
    "offer_again",
    "owe_first_offer",
    "raise_alerts",
    "recount",
    "refund_unseen",
    "register_emergency",
    "release_unpaid",
    "release_unpaid_bill",
    "remind_of_visits",
    "remind_unpaid",
    "resume_session",
    "serve_waitlists",
    "settle_offers",
    "settle_substitution",
    "settle_substitution_one",
    "share",
    "solve_puzzle",
    "start_visit",
    "tell_over",
    "tell_watchers",
    "undo_check_in",
    "unshare",
    "unwatch_release",
    "visits_to_end",
    "watch_release",
]
