"""号源使用情况: how full clinics are by department and day, how and when people book, who does not
come; the same as a file.
"""

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
from hospital.kernel import audit, clock
from hospital.organisation import queries as organisation
from hospital.registration import utilisation as facts
from hospital.registration import utilisation_sheet
from hospital.registration.permissions import VIEW_UTILISATION
from hospital.registration.utilisation import LEADS, Bookings, Kept, Numbers, Utilisation
from hospital.scheduling.permissions import MANAGE_NUMBERS, VIEW_SOLD
from hospital.scheduling.states import Channel, Pool, SessionPeriod
from hospital.ui.typed import typed, typed_id

_BACK, _AHEAD = dt.timedelta(days=6), dt.timedelta(days=7)
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: The colour of a cell of the heat map, from so many percent on.
_HEAT: Final = ((90, 5), (75, 4), (50, 3), (25, 2), (1, 1))


@dataclass(frozen=True)
class _Asked:
    """What the page is narrowed to."""

    first: dt.date
    latest: dt.date
    department_id: int | None
    period: str
    is_cut: bool

    def query(self, **more: str) -> str:
        asked = {
            "first": self.first.isoformat(),
            "latest": self.latest.isoformat(),
            "department": str(self.department_id or ""),
            "period": self.period,
            **more,
        }
        return urlencode({name: value for name, value in asked.items() if value})


@staff_page(VIEW_UTILISATION)
@require_safe
def utilisation(request: StaffRequest) -> HttpResponse:
    """The range asked for, within reach."""
    asked = _asked(request, clock.now())
    found = _found(request, asked)
    names = organisation.department_labels()
    bookings = facts.sum_bookings(row.count for row in found.bookings)
    context = {
        "asked": asked,
        "numbers": facts.sum_numbers(row.count for row in found.numbers),
        "bookings": bookings,
        "days": _days(asked),
        "heat": _heat(found, asked, names),
        "channels": _channels(found, bookings),
        "leads": _leads(bookings),
        "departments": _departments(found, names),
        "choices": _choices(request, names),
        "periods": SessionPeriod.choices,
        "most_days": facts.MOST_DAYS,
        "export": f"{reverse('registration-utilisation-export')}?{asked.query()}",
        "may_see_sold": identity.may(request.user, VIEW_SOLD),
        "may_manage": identity.may(request.user, MANAGE_NUMBERS),
    }
    return render(request, "registration/staff/utilisation.html", context)


@staff_page(VIEW_UTILISATION)
@require_safe
def export(request: StaffRequest) -> HttpResponse:
    """The same as XLSX, or as CSV; that it was taken out is on record."""
    at = clock.now()
    asked = _asked(request, at)
    found, names = _found(request, asked), organisation.department_labels()
    is_csv = request.GET.get("form") == "csv"
    make = utilisation_sheet.comma_separated if is_csv else utilisation_sheet.workbook
    audit.record(
        act="registration.export_utilisation",
        subject=None,
        by=request.actor,
        at=at,
        after={"what": asked.query(), "rows": len(found.numbers)},
    )
    ending, kind = ("csv", "text/csv; charset=utf-8") if is_csv else ("xlsx", _XLSX)
    response = HttpResponse(make(found, names), content_type=kind)
    name = f"utilisation-{asked.first:%Y%m%d}-{asked.latest:%Y%m%d}.{ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _asked(request: StaffRequest, at: dt.datetime) -> _Asked:
    today = clock.hospital_day(at)
    first = _date(typed(request.GET, "first", most=10), today - _BACK)
    latest = _date(typed(request.GET, "latest", most=10), max(first, today + _AHEAD))
    first, latest = min(first, latest), max(first, latest)
    longest = first + dt.timedelta(days=facts.MOST_DAYS - 1)
    period = request.GET.get("period", "")
    return _Asked(
        first=first,
        latest=min(latest, longest),
        department_id=typed_id(request.GET.get("department", "")),
        period=period if period in SessionPeriod.values else "",
        is_cut=latest > longest,
    )


def _date(text: str, default: dt.date) -> dt.date:
    """A day typed by a person; nothing sensible is the default, and so is another age."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return default
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else default


def _found(request: StaffRequest, asked: _Asked) -> Utilisation:
    within = identity.reach(request.user, VIEW_UTILISATION)
    departments = None if within.is_everything else within.department_ids
    doctors = within.practitioner_ids
    if asked.department_id is not None:
        is_within = departments is None or asked.department_id in departments
        departments = frozenset([asked.department_id]) if is_within else frozenset()
        doctors = frozenset()
    return facts.utilisation(
        first=asked.first,
        latest=asked.latest,
        department_ids=departments,
        practitioner_ids=doctors,
        period=asked.period,
    )


def _choices(request: StaffRequest, names: dict[int, str]) -> list[tuple[int, str]]:
    within = identity.reach(request.user, VIEW_UTILISATION)
    ids = names if within.is_everything else within.department_ids
    return [(pk, name) for pk, name in names.items() if pk in ids]


def _days(asked: _Asked) -> list[dt.date]:
    count = (asked.latest - asked.first).days + 1
    return [asked.first + dt.timedelta(days=place) for place in range(count)]


def _heat(found: Utilisation, asked: _Asked, names: dict[int, str]) -> list[dict[str, object]]:
    by_place = {(row.department_id, row.day): row.count for row in found.numbers}
    ids = {row.department_id for row in found.numbers}
    return [
        {
            "name": name,
            "cells": [_cell(pk, day, by_place.get((pk, day))) for day in _days(asked)],
        }
        for pk, name in names.items()
        if pk in ids
    ]


def _cell(department_id: int, day: dt.date, count: Numbers | None) -> dict[str, object]:
    """One square: its figure is what counts, the colour only helps the eye."""
    if count is None:
        return {"text": "", "day": day}
    fill = count.fill
    if fill is None:
        text, level = ("停" if count.suspended else "–"), 0
    else:
        text, level = str(fill), next((heat for least, heat in _HEAT if fill >= least), 0)
    query = urlencode({"day": day.isoformat(), "department": department_id})
    return {
        "text": text,
        "level": level,
        "day": day,
        "count": count,
        "url": f"{reverse('scheduling-numbers')}?{query}",
    }


def _channels(found: Utilisation, all_of_it: Bookings) -> list[dict[str, object]]:
    """A line a channel, with the numbers of its pool; then those kept for no channel alone."""
    lines: list[dict[str, object]] = []
    for channel in Channel:
        own = facts.sum_bookings(row.count for row in found.bookings if row.channel == channel)
        kept = _kept(found, facts.POOL_OF.get(channel))
        if own.booked or own.unpaid or own.held or kept:
            percent = round(100 * own.booked / all_of_it.booked) if all_of_it.booked else 0
            lines.append({"label": channel.label, "count": own, "percent": percent, "kept": kept})
    shared = ((pool.label, _kept(found, pool)) for pool in facts.SHARED_POOLS)
    return lines + [{"label": label, "count": None, "kept": kept} for label, kept in shared if kept]


def _kept(found: Utilisation, pool: Pool | None) -> Kept | None:
    """What was dealt to a pool; None where nothing was."""
    count = facts.sum_kept(row.count for row in found.kept if row.pool == pool)
    return count if count.numbers else None


def _leads(bookings: Bookings) -> list[dict[str, object]]:
    return [
        {
            "label": label,
            "count": count,
            "percent": round(100 * count / bookings.booked) if bookings.booked else 0,
        }
        for (label, _, _), count in zip(LEADS, bookings.leads, strict=True)
    ]


def _departments(found: Utilisation, names: dict[int, str]) -> list[dict[str, object]]:
    ids = {row.department_id for row in found.numbers}
    return [
        {
            "name": name,
            "numbers": facts.sum_numbers(
                row.count for row in found.numbers if row.department_id == pk
            ),
            "bookings": facts.sum_bookings(
                row.count for row in found.bookings if row.department_id == pk
            ),
        }
        for pk, name in names.items()
        if pk in ids
    ]
