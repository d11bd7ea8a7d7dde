"""Templates and sessions as whoever looks after the master data asks: rows, and what needs what."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Max, Min

from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
from hospital.scheduling.models import Schedule, ScheduleTemplate
from hospital.scheduling.states import ScheduleStatus, SessionPeriod

_OVER = (ScheduleStatus.CANCELLED, ScheduleStatus.CLOSED, ScheduleStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class ComingSessions:
    """Sessions that are still to be held: how many, on the first and the latest hospital day."""

    count: int
    first: dt.date
    latest: dt.date


def template_rows() -> list[MasterRow]:
    """Every weekly template as `save_template` takes it, switched off ones too."""
    found = ScheduleTemplate.objects.select_related(
        "department", "practitioner", "service_type", "room"
    )
    return [
        MasterRow(
            row.pk,
            subject_type(ScheduleTemplate),
            {
                "code": row.code,
                "department": row.department.code,
                "practitioner": row.practitioner.code if row.practitioner else None,
                "service_type": row.service_type.code,
                "room": row.room.code,
                "weekday": row.weekday,
                "session_period": SessionPeriod(row.session_period),
                "starts": row.starts,
                "ends": row.ends,
                "capacity": row.capacity,
                "band_minutes": row.band_minutes,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "is_active": row.is_active,
                "on_holidays": row.on_holidays,
            },
        )
        for row in found.order_by("code")
    ]


def templates_with(which: Mapping[str, int], *, on: dt.date) -> list[str]:
    """Codes of active templates that hold on or after a day; `which` names one of department,
    practitioner, service_type and room by its id."""
    found = ScheduleTemplate.objects.filter(**which, is_active=True).exclude(valid_to__lte=on)
    return list(found.order_by("code").values_list("code", flat=True))


def coming_sessions(
    which: Mapping[str, int], *, at: dt.datetime, since: dt.date | None = None
) -> ComingSessions | None:
    """The sessions not yet over at a moment (and not before a day), called off ones left out;
    `which` as above."""
    rows = Schedule.objects.filter(**which, ends_at__gt=at).exclude(status__in=_OVER)
    if since is not None:
        rows = rows.filter(visit_date__gte=since)
    found = rows.aggregate(count=Count("pk"), first=Min("visit_date"), latest=Max("visit_date"))
    return ComingSessions(**found) if found["count"] else None
