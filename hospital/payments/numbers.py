"""Our numbers at the channel: made once, stored before the first call, reused on every retry.

Payment: scene(2) + yyyymmddHHMMSS hospital time + node(2) + sequence(6) + Luhn check = 25 digits.
Refund: the payment's number + R + two digits. Cash: C + yymmdd + six digits, gap-free in a day.
"""

import datetime as dt

from hospital.kernel import clock, serials

SEQUENCE_DIGITS = 6
MOST_REFUNDS = 50


def payment_number(*, scene: str, at: dt.datetime, node: int, serial: int) -> str:
    """`serial` is any number that grows by payment; its last six digits are used."""
    digits = (
        f"{scene:0>2}{clock.local(at):%Y%m%d%H%M%S}"
        f"{node % 100:02d}{serial % 10**SEQUENCE_DIGITS:0{SEQUENCE_DIGITS}d}"
    )
    return digits + serials.check_digit(digits)


def refund_number(*, payment_number: str, count: int) -> str:
    """The number of the refund that follows `count` earlier ones of this payment."""
    assert 0 <= count < MOST_REFUNDS
    return f"{payment_number}R{count + 1:02d}"


def cash_number(*, at: dt.datetime) -> str:
    """The next number of the day's cash; it locks its series until commit, so it comes last."""
    day = clock.hospital_day(at)
    return f"C{day:%y%m%d}{serials.gap_free(series=f'cash:{day:%Y%m%d}'):06d}"
