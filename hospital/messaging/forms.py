"""What staff and patients typed, as values. Saves nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag

from hospital.kernel import sealed
from hospital.kernel.errors import Invalid, NotFound
from hospital.messaging.queries import SHOWN_STATUSES, LogFilter
from hospital.messaging.registry import KINDS
from hospital.messaging.states import CallStatus, Reason, Switch
from hospital.ui.typed import typed

_DAYS_SHOWN: Final = 7
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_NOTE_LENGTH: Final = 200


def log_filter(data: Mapping[str, str], *, today: dt.date) -> LogFilter:
    """What the log is narrowed to; nothing sensible = not narrowed, the latest week."""
    end = _day(data.get("end", ""), today)
    start = _day(data.get("start", ""), end - dt.timedelta(days=_DAYS_SHOWN - 1))
    return LogFilter(
        text=typed(data, "q", most=60) or _opened(data.get("about", "")),
        kind=_known(data.get("kind", ""), KINDS),
        status=_known(data.get("status", ""), SHOWN_STATUSES),
        reason=_known(data.get("reason", ""), dict(Reason.choices)),
        start=min(start, end),
        end=max(start, end),
    )


def about(text: str) -> str:
    """A person's name or number as it may stand in an address: sealed."""
    return sealed.seal(text) if text else ""


def call_end(data: Mapping[str, str]) -> tuple[CallStatus, str]:
    """How a call ended, and what was noted. Raises Invalid without a note when nobody answered."""
    ended = data.get("status", "")
    if ended not in (CallStatus.DONE, CallStatus.UNREACHABLE):
        raise Invalid({"status": ["请选择通话结果。"]})
    note = typed(data, "note", most=_NOTE_LENGTH)
    if ended == CallStatus.UNREACHABLE and not note:
        raise Invalid({"note": ["请写明情况。"]}, "联系不上时请写明情况，例如“三次无人接听”。")
    return CallStatus(ended), note


def seen_round(data: Mapping[str, str]) -> int:
    """The round of the message on the page whose button was pressed. Raises NotFound."""
    text = data.get("key", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise NotFound
    return int(text)


def wishes(data: Mapping[str, str]) -> dict[Switch, bool]:
    """Where the switches of the settings page stand: a box that is not ticked is not sent."""
    return {switch: switch.value in data for switch in Switch}


def _opened(value: str) -> str:
    try:
        return sealed.unseal(value) if value else ""
    except (KeyError, InvalidTag, ValueError):
        return ""  # of another installation, or made up


def _known(text: str, known: Mapping[str, object]) -> str:
    return text if text in known else ""


def _day(text: str, default: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return default
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else default
