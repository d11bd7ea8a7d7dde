"""Today's sessions with what is sold, held and left; the counts move with the live channel."""

import datetime as dt
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.registration.permissions import CLOSE_SESSION
from hospital.scheduling import queries
from hospital.scheduling.permissions import ASK_STOP, STOP_RUNNING, VIEW_SOLD
from hospital.scheduling.queries import BoardRow
from hospital.scheduling.states import ACTIVE, Offer, ScheduleStatus
from hospital.ui.typed import typed

_TONES = {
    Offer.AVAILABLE: "brand",
    Offer.FULL: "warn",
    Offer.SUSPENDED: "danger",
    Offer.NOT_RELEASED: "info",
    Offer.ENDED: "",
}
_WORDS = {
    Offer.AVAILABLE: "可约",
    Offer.FULL: "约满",
    Offer.SUSPENDED: "停诊",
    Offer.NOT_RELEASED: "未放号",
    Offer.ENDED: "已截止",
}
# From here on the nurses' desk may call a clinic off, or look what became of it (SM1).
_STOPPABLE = (ScheduleStatus.IN_SESSION, ScheduleStatus.SUSPENDED)


@staff_page(VIEW_SOLD)
@require_safe
def board(request: StaffRequest) -> HttpResponse:
    """All sessions of one day within reach, by department; `q` narrows further."""
    at = clock.now()
    day = _day(request.GET.get("day", ""), at)
    text = typed(request.GET, "q", most=40)
    within = identity.reach(request.user, VIEW_SOLD)
    departments = None if within.is_everything else within.department_ids
    found = queries.board_today(
        day=day,
        at=at,
        department_ids=departments,
        practitioner_ids=within.practitioner_ids,
    )
    rows = [row for row in found if _matches(row, text)]
    may_stop = identity.may(request.user, STOP_RUNNING)
    asking = identity.reach(request.user, ASK_STOP)
    may_close = identity.reach(request.user, CLOSE_SESSION).is_everything
    context = {
        "day": day,
        "text": text,
        "rows": [
            {
                "row": row,
                "word": _WORDS[row.state],
                "tone": _TONES[row.state],
                "may_stop": may_stop and row.status in _STOPPABLE and not _goes_on(row, at),
                "may_ask_stop": row.status in ACTIVE
                and row.ends_at > at
                and asking.covers(
                    department_id=row.department_id, practitioner_id=row.practitioner_id
                ),
                "goes_on": _goes_on(row, at),
                "may_close": may_close and _goes_on(row, at),
            }
            for row in rows
        ],
        "capacity": sum(row.capacity for row in rows),
        "sold": sum(row.sold for row in rows),
        "held": sum(row.held for row in rows),
        "left": sum(row.left for row in rows),
        "days": [
            {"label": label, "url": _address(shown, text), "active": shown == day}
            for shown, label in _days(at)
        ],
        "here": _address(day, text),
    }
    part = "#counts" if request.htmx else ""
    return render(request, f"desk/staff/board.html{part}", context)


def _goes_on(row: BoardRow, at: dt.datetime) -> bool:
    """Whether a session stays open past its end for those who wait (SM1)."""
    return row.status == ScheduleStatus.IN_SESSION and row.ends_at <= at


def _address(day: dt.date, text: str) -> str:
    return f"{reverse('desk-board')}?{urlencode({'day': day.isoformat(), 'q': text})}"


def _day(text: str, at: dt.datetime) -> dt.date:
    shown = {day.isoformat(): day for day, _ in _days(at)}
    return shown.get(text, clock.hospital_day(at))


def _days(at: dt.datetime) -> list[tuple[dt.date, str]]:
    today = clock.hospital_day(at)
    return [
        (day, "今天" if day == today else f"{day.month}/{day.day}")
        for day in queries.shown_days(today)
    ]


def _matches(row: BoardRow, text: str) -> bool:
    return text in row.department or text in row.doctor
