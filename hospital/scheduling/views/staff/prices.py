"""What registering costs on a visit date and why: 号别 and title, item by item (M2.5)."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hospital.catalogue import queries as catalogue
from hospital.catalogue.queries import FeeQuote
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.organisation.states import Title
from hospital.scheduling.permissions import MANAGE_NUMBERS
from hospital.scheduling.queries import numbers
from hospital.ui.typed import typed

_FIRST_YEAR, _LAST_YEAR = 2000, 2999


@staff_page(MANAGE_NUMBERS)
@require_safe
def prices(request: StaffRequest) -> HttpResponse:
    """Every 号别 and title with its price on the day beside today's, and who sits unpriced."""
    today = clock.today()
    day = _day(request, today)
    then, now = catalogue.registration_fees(on=day), catalogue.registration_fees(on=today)
    sessions = numbers.office_day(day=day)
    held = [(row.session.service_type_id, row.session.title) for row in sessions]
    context = {
        "day": day,
        "is_today": day == today,
        "groups": [
            {"kind": kind, "rows": _rows(kind.id, then, now, held)}
            for kind in catalogue.service_types()
        ],
        "unpriced": [row.session for row in sessions if row.fee is None],
        "waiting": catalogue.waiting_prices(),
        "may_manage": True,
    }
    return render(request, "scheduling/staff/prices.html", context)


def _rows(
    kind_id: int,
    then: dict[tuple[int, str], FeeQuote],
    now: dict[tuple[int, str], FeeQuote],
    held: list[tuple[int, str]],
) -> list[dict[str, Any]]:
    """A line for "any title" and for each title that costs something else."""
    default = then.get((kind_id, ""))
    lines: list[dict[str, Any]] = []
    for title in ("", *Title.values):
        quote, before = then.get((kind_id, title)), now.get((kind_id, title))
        is_own = not title or quote != default or before != now.get((kind_id, ""))
        if is_own:
            lines.append(
                {
                    "title": Title(title).label if title else "其他职称、无医生",
                    "quote": quote,
                    "before": before,
                    "is_changed": (quote and quote.total_fen) != (before and before.total_fen),
                    "titles": {title},
                }
            )
    own = {title for line in lines for title in line["titles"] if title}
    for line in lines:
        # The line of "any title" stands for all that have none of their own.
        titles = line["titles"] if line["titles"] != {""} else {"", *Title.values} - own
        line["sessions"] = sum(kind == kind_id and title in titles for kind, title in held)
    return lines


def _day(request: StaffRequest, today: dt.date) -> dt.date:
    try:
        day = dt.date.fromisoformat(typed(request.GET, "day", most=10))
    except ValueError:
        return today
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else today
