"""How fast one user, or one address, may try to book (M1.15), and when a picture is asked for.

Counted in the process, so that the rush pays no statement for it.
"""

import datetime as dt
import ipaddress
from typing import Final

from hospital.kernel.errors import Refusal
from hospital.kernel.pace import Pace
from hospital.registration import thresholds

_FAST: Final = dt.timedelta(minutes=1)
_LONG: Final = dt.timedelta(minutes=10)
_by_user: Final = Pace()
_by_address: Final = Pace()
_fast_ones: Final = Pace()


class TooFast(Refusal):
    code = "TOO_FAST"
    default_message = "您操作得太频繁了，请过几分钟再试。"


def note_attempt(*, user_id: int, address: str, at: dt.datetime) -> bool:
    """Count an attempt to book; True when it came so fast that a picture must be solved first.

    Raises TooFast when the user, or the address, has reached its limit.
    """
    attempts = _by_user.count(str(user_id), within=_LONG, at=at)
    if attempts > thresholds.ATTEMPTS_USER.value():
        raise TooFast
    if not _is_own(address):
        calls = _by_address.count(address, within=_FAST, at=at)
        if calls > thresholds.ATTEMPTS_ADDRESS.value():
            raise TooFast("当前网络下操作的人太多，请稍后再试，或换用手机流量。")
    return _fast_ones.count(str(user_id), within=_FAST, at=at) > thresholds.FAST_ATTEMPTS.value()


def _is_own(address: str) -> bool:
    """The machine's own address is no visitor's: behind a proxy nobody told us of all would be
    one, and all would be shut out."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # an address nobody can read is counted as it is
        return False
