"""号源日历: every session of a day by department, each channel's share as a bar."""

import datetime as dt
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hospital.identity import queries as identity
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.organisation import queries as organisation
from hospital.scheduling import queries
from hospital.scheduling.permissions import MANAGE_NUMBERS, VIEW_SOLD
from hospital.scheduling.queries import numbers
from hospital.scheduling.queries.numbers import OfficeRow, Tally
from hospital.scheduling.states import Offer, ScheduleStatus
from hospital.ui.typed import typed, typed_id

TONES: Final = {
    ScheduleStatus.PUBLISHED: "info",
    ScheduleStatus.RELEASED: "brand",
    ScheduleStatus.IN_SESSION: "brand",
    ScheduleStatus.SUSPENDED: "danger",
    ScheduleStatus.CLOSED: "",
}
_DAYS: Final = 7
_FARTHEST: Final = 400


@dataclass(frozen=True)
class _Asked:
    """What the page is narrowed to."""

    day: dt.date
    department_id: int | None
    text: str

    def address(self, **changes: object) -> str:
        asked = {
            "day": self.day.isoformat(),
            "department": self.department_id or "",
            "q": self.text,
            **changes,
        }
        kept = {name: value for name, value in asked.items() if value}
        return f"{reverse('scheduling-numbers')}?{urlencode(kept)}"


@staff_page(VIEW_SOLD)
@require_safe
def calendar(request: StaffRequest) -> HttpResponse:
    """The day's sessions within reach, department by department."""
    at = clock.now()
    asked = _asked(request, at)
    within = identity.reach(request.user, VIEW_SOLD)
    found = numbers.office_day(
        day=asked.day,
        department_ids=None if within.is_everything else within.department_ids,
        practitioner_ids=within.practitioner_ids,
    )
    rows = [row for row in found if _matches(row, asked)]
    context = {
        "asked": asked,
        "groups": _groups(rows, at),
        "all": numbers.sum_of(row.all for row in rows),
        "added": sum(row.added for row in rows),
        "sessions": len(rows),
        "suspended": sum(row.session.status == ScheduleStatus.SUSPENDED for row in rows),
        "departments": _departments(found),
        "days": _tabs(asked, at),
        "before": asked.address(day=asked.day - dt.timedelta(days=1)),
        "after": asked.address(day=asked.day + dt.timedelta(days=1)),
        "here": asked.address(),
        "may_manage": identity.may(request.user, MANAGE_NUMBERS),
    }
    part = "#counts" if request.htmx else ""
    return render(request, f"scheduling/staff/calendar.html{part}", context)


def _asked(request: StaffRequest, at: dt.datetime) -> _Asked:
    today = clock.hospital_day(at)
    text = typed(request.GET, "day", most=10)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:  # nothing sensible was asked: today
        day = today
    if abs((day - today).days) > _FARTHEST:
        day = today
    return _Asked(
        day=day,
        department_id=typed_id(request.GET.get("department", "")),
        text=typed(request.GET, "q", most=40),
    )


def _matches(row: OfficeRow, asked: _Asked) -> bool:
    session = row.session
    is_here = asked.department_id in {None, session.department_id}
    words = (session.department_name, session.doctor_label, session.practitioner_pinyin)
    return is_here and any(asked.text in one for one in words)


def _groups(rows: list[OfficeRow], at: dt.datetime) -> list[dict[str, object]]:
    grouped: dict[int, list[OfficeRow]] = {}
    for row in rows:
        grouped.setdefault(row.session.department_id, []).append(row)
    return [
        {
            "name": found[0].session.department_name,
            "all": numbers.sum_of(row.all for row in found),
            "rows": [shown(row, at) for row in found],
        }
        for found in grouped.values()
    ]


def shown(row: OfficeRow, at: dt.datetime) -> dict[str, object]:
    """A session with its state in words."""
    session = row.session
    status = ScheduleStatus(session.status)
    word, tone = str(status.label), TONES.get(status, "")
    offer = queries.offer_of(session, channel=None, at=at).state
    if offer == Offer.FULL:
        word, tone = "约满", "warn"
    return {
        "row": row,
        "word": word,
        "tone": tone,
        "url": reverse("scheduling-session", args=[session.id]),
        "bars": [{"pool": one, "bar": bar(one.tally)} for one in row.pools],
    }


def bar(tally: Tally) -> list[dict[str, object]]:
    """The segments of a bar of 100 units, left to right; their words stand beside it."""
    parts = (
        ("sold", tally.sold),
        ("held", tally.held),
        ("off", tally.blocked + tally.stopped + tally.expired + tally.waiting),
    )
    found: list[dict[str, object]] = []
    done = 0
    for kind, count in parts:
        if count:
            start, end = 100 * done / tally.total, 100 * (done + count) / tally.total
            found.append({"kind": kind, "x": f"{start:.2f}", "width": f"{end - start:.2f}"})
        done += count
    return found


def _departments(rows: list[OfficeRow]) -> list[tuple[int, str]]:
    ids = {row.session.department_id for row in rows}
    return [(pk, name) for pk, name in organisation.department_labels().items() if pk in ids]


def _tabs(asked: _Asked, at: dt.datetime) -> list[dict[str, object]]:
    today = clock.hospital_day(at)
    days = [today + dt.timedelta(days=ahead) for ahead in range(_DAYS + 1)]
    return [
        {
            "label": "今天" if day == today else f"{day.month}/{day.day}",
            "url": asked.address(day=day),
            "active": day == asked.day,
        }
        for day in days
    ]
