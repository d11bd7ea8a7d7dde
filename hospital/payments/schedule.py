"""When to ask or try again. Pure arithmetic; moments are UTC.

Unknown results: SM10's 5/15/30/60/120/300 s, then every 10 minutes up to 24 hours.
"""

import datetime as dt

from hospital.kernel import clock

_UNKNOWN_SECONDS = (5, 15, 30, 60, 120, 300)
_UNKNOWN_THEN_SECONDS = 600
UNKNOWN_FOR = dt.timedelta(hours=24)

ORDER_FOR = dt.timedelta(hours=2)  # a prepay id opens the sheet for two hours
SHORTEST_ORDER = dt.timedelta(seconds=70)

# A payment code that was charged: asked about every five seconds, taken back after thirty.
SCAN_EVERY = dt.timedelta(seconds=5)
REVERSE_AFTER = dt.timedelta(seconds=30)
# Reversing within fifteen seconds of the charge is forbidden, so a late process does not charge.
SCAN_SEND_WITHIN = dt.timedelta(seconds=10)
_SCAN_TIMES = 12
# An extra question between those that are planned plans none itself.
QUIET = -1
# No call to take a charge back is under way for longer. A success seen within it may be the very
# charge that is just going back.
TAKING_BACK = dt.timedelta(minutes=1)
# Looked at once more after it was taken back: a charge may have been on its way all the while.
SCAN_LATE = dt.timedelta(minutes=2)

# One payer has a bill for so long before another may take it over (SM9).
LOCK_FOR = dt.timedelta(minutes=2)

# While somebody may be paying: WeChat's own notice comes within seconds, so this only finds lost
# ones. After these the order's end settles it.
_PENDING_SECONDS = (20, 40, 60, 120, 300)

# A refund that is under way: WeChat asks for a minute between queries at first.
_PROCESSING_SECONDS = (60, 60, 60, 60, 60, 300, 600, 1200, 1800)
# A refund that was not taken (mostly: no balance at eight in the morning).
_REFUSED_SECONDS = (60, 300, 600, 1200, 1800)
REFUND_FOR = dt.timedelta(days=7)
SECOND_REFUND_AFTER = dt.timedelta(minutes=1)
REFUND_WITHIN = dt.timedelta(days=365)


def unknown_wait(attempt: int) -> dt.timedelta | None:
    """The wait after the attempt-th unanswered question; None when it is time for a person."""
    if attempt < len(_UNKNOWN_SECONDS):
        return dt.timedelta(seconds=_UNKNOWN_SECONDS[attempt])
    slow = attempt - len(_UNKNOWN_SECONDS)
    passed = sum(_UNKNOWN_SECONDS) + slow * _UNKNOWN_THEN_SECONDS
    if passed >= UNKNOWN_FOR.total_seconds():
        return None
    return dt.timedelta(seconds=_UNKNOWN_THEN_SECONDS)


def scan_wait(attempt: int) -> dt.timedelta | None:
    """The wait after the attempt-th question about a charged code; None when a person must look."""
    if attempt < _SCAN_TIMES:
        return SCAN_EVERY
    return unknown_wait(attempt - _SCAN_TIMES)


def pending_wait(attempt: int) -> dt.timedelta | None:
    """The wait before the attempt-th look at an unpaid order; None: leave it to its end."""
    if attempt >= len(_PENDING_SECONDS):
        return None
    return dt.timedelta(seconds=_PENDING_SECONDS[attempt])


def refund_wait(attempt: int, *, is_processing: bool) -> dt.timedelta:
    """The wait before the next question about a refund: under way, or sent and unanswered."""
    seconds = _PROCESSING_SECONDS if is_processing else (*_UNKNOWN_SECONDS, _UNKNOWN_THEN_SECONDS)
    return dt.timedelta(seconds=seconds[min(attempt, len(seconds) - 1)])


def refused_wait(attempt: int) -> dt.timedelta:
    """The wait before the same refund is sent again."""
    return dt.timedelta(seconds=_REFUSED_SECONDS[min(attempt, len(_REFUSED_SECONDS) - 1)])


def next_refund_wait(attempt: int) -> dt.timedelta:
    """The wait for another refund of the same payment to end: a minute, then longer, because a
    refund that ended wakes those behind it."""
    return SECOND_REFUND_AFTER * min(1 << min(attempt, 5), 30)


def order_end(
    *, bill_ends_at: dt.datetime | None, is_scan: bool = False, at: dt.datetime
) -> dt.datetime:
    """When an order made now stops being payable: with its bill, but WeChat takes no order with
    less than a minute to go, and whoever opened the sheet deserves that minute. A charged payment
    code is taken back after half a minute, whatever the bill."""
    if is_scan:
        return at + REVERSE_AFTER
    longest = at + ORDER_FOR
    return max(min(bill_ends_at or longest, longest), at + SHORTEST_ORDER)


STATEMENT_EVERY = dt.timedelta(minutes=15)
STATEMENT_UNTIL = dt.time(14, 0)  # hospital time; finance works with it in the afternoon


def statement_wait(at: dt.datetime) -> dt.timedelta | None:
    """The wait before a day's statement is asked for again; None when the day's asking is over."""
    again = clock.local(at + STATEMENT_EVERY)
    if again.date() != clock.hospital_day(at) or again.time() > STATEMENT_UNTIL:
        return None
    return STATEMENT_EVERY
