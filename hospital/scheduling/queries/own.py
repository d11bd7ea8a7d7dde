"""What a doctor's own page says: the coming sessions, counted now (M15.5)."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule
from hospital.scheduling.sessions import offer_of
from hospital.scheduling.states import Offer, ScheduleStatus


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One session of a doctor. `holder` is who sits there instead, "" where the doctor does;
    `instead_of` whom the doctor stands in for."""

    schedule_id: int
    day: dt.date
    period_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    department: str
    service_name: str
    place: str
    capacity: int
    sold: int
    held: int
    added: int
    left: int
    status: str
    status_label: str
    state: Offer
    suspend_reason: str
    holder: str
    instead_of: str

    @property
    def is_running(self) -> bool:
        """Whether patients are being seen; past its end, as long as somebody waits (SM1)."""
        return self.status == ScheduleStatus.IN_SESSION

    @property
    def is_open(self) -> bool:
        """Whether it is still to be held, or being held, by whoever holds it."""
        return self.status in (
            ScheduleStatus.PUBLISHED,
            ScheduleStatus.RELEASED,
            ScheduleStatus.IN_SESSION,
        )


def own_sessions(
    *, practitioner_id: int, first: dt.date, latest: dt.date, at: dt.datetime
) -> list[OwnSession]:
    """The sessions of days (both included) that a practitioner holds or was to hold."""
    rows = Schedule.objects.filter(visit_date__range=(first, latest)).filter(
        Q(practitioner_id=practitioner_id) | Q(planned_practitioner_id=practitioner_id)
    )
    planned = dict(
        rows.filter(planned_practitioner__isnull=False).values_list(
            "pk", "planned_practitioner__name"
        )
    )
    found = []
    for one in sessions.load(rows):
        is_own = one.practitioner_id == practitioner_id
        offer = offer_of(one, channel=None, at=at)
        found.append(
            OwnSession(
                schedule_id=one.id,
                day=one.visit_date,
                period_label=one.period_label,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                department=one.department_name,
                service_name=one.service_name,
                place=one.place,
                capacity=one.capacity,
                sold=one.sold,
                held=one.held,
                added=sum(band.added for band in one.bands),
                left=offer.left,
                status=one.status,
                status_label=str(ScheduleStatus(one.status).label),
                state=offer.state,
                suspend_reason=one.suspend_reason,
                holder="" if is_own else one.doctor_label,
                instead_of=planned.get(one.id, "") if is_own else "",
            )
        )
    return found
