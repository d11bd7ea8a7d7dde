"""Writes of interop, by noun. One import for callers."""

from hospital.interop.actions.booking import (
    DayQuotaUsed,
    Made,
    SessionQuotaUsed,
    VersionChanged,
    Wanted,
    book,
    cancel,
)
from hospital.interop.actions.calls import TooFast, count_call, forget_old, note_call
from hospital.interop.actions.keys import (
    LIVE_AT_MOST,
    BadClient,
    BadScope,
    BadToken,
    Issued,
    TooManySecrets,
    Visitor,
    end_secret,
    issue_token,
    make_secret,
    visitor_of,
)
from hospital.interop.actions.partners import (
    MOST_A_DAY,
    MOST_A_MINUTE,
    Terms,
    change_partner,
    open_partner,
    switch_partner,
)

__all__ = [
    "LIVE_AT_MOST",
    "MOST_A_DAY",
    "MOST_A_MINUTE",
    "BadClient",
    "BadScope",
    "BadToken",
    "DayQuotaUsed",
    "Issued",
    "Made",
    "SessionQuotaUsed",
    "Terms",
    "TooFast",
    "TooManySecrets",
    "VersionChanged",
    "Visitor",
    "Wanted",
    "book",
    "cancel",
    "change_partner",
    "count_call",
    "end_secret",
    "forget_old",
    "issue_token",
    "make_secret",
    "note_call",
    "open_partner",
    "switch_partner",
    "visitor_of",
]
