"""Calls: counted before they are answered, written down after."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Final

from django.db import connection

from hospital.interop import thresholds
from hospital.interop.models import AccessToken, CallCount, PartnerCall
from hospital.kernel import logs, whereabouts
from hospital.kernel.errors import Refusal

_COUNT: Final = """
    INSERT INTO interop_callcount (caller, minute, calls) VALUES (%s, %s, 1)
    ON CONFLICT (caller, minute) DO UPDATE SET calls = interop_callcount.calls + 1
    RETURNING calls
"""
#: Of calls nobody is proved behind, so many a minute and address are written down: whoever is no
#: partner must not be able to fill a table.
UNPROVED_A_MINUTE: Final = 20
_MINUTE: Final = dt.timedelta(minutes=1)


class TooFast(Refusal):
    """More calls in a minute than were agreed; details: seconds until the next."""

    code: ClassVar[str] = "TOO_FAST"
    default_message: ClassVar[str] = "调用过于频繁，请稍后再试。"


def count_call(*, caller: str, most: int, at: dt.datetime) -> None:
    """Count one call of a caller; those beyond so many a minute are refused. Raises TooFast.

    Counted in a statement of its own, so that a call undone later still counts.
    """
    minute = _minute_of(at)
    if _counted(caller, minute) > most:
        left = (minute + _MINUTE - at).total_seconds()
        raise TooFast(seconds=max(1, int(left) + 1))


def note_call(
    *,
    partner_id: int | None,
    operation: str,
    status: int,
    code: str = "",
    number: str = "",
    took_ms: int,
    at: dt.datetime,
) -> None:
    """Write down one answered call: which partner, what, how it ended; of those nobody is proved
    behind the first of a minute."""
    address = whereabouts.here().address
    if partner_id is None and _counted(f"unproved:{address}", _minute_of(at)) > UNPROVED_A_MINUTE:
        return
    PartnerCall.objects.create(
        partner_id=partner_id,
        at=at,
        operation=operation,
        status=status,
        code=code[:40],
        number=number[:20],
        address=address,
        request_id=logs.current_request()[:40],
        took_ms=max(0, took_ms),
    )


def _minute_of(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)


def _counted(caller: str, minute: dt.datetime) -> int:
    """How often a caller has called in a minute, this time included."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [caller, minute])
        return int(cursor.fetchone()[0])


def forget_old(*, at: dt.datetime) -> int:
    """Delete calls beyond their days, tokens over for a day, and old counts; how many rows."""
    kept_since = at - dt.timedelta(days=thresholds.CALLS_DAYS.value())
    yesterday = at - dt.timedelta(days=1)
    return sum(
        rows.delete()[0]
        for rows in (
            PartnerCall.objects.filter(at__lt=kept_since),
            AccessToken.objects.filter(expires_at__lt=yesterday),
            CallCount.objects.filter(minute__lt=yesterday),
        )
    )
