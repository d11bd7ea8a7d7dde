"""Reads of scheduling for the desk: the day's board, read fresh because a live hint makes it look
again at once, and where one number is. Moments are UTC.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from hospital.catalogue.states import ServiceKind
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound
from hospital.scheduling import sessions, thresholds
from hospital.scheduling.bands import expected_at
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.sessions import SessionFacts, offer_of
from hospital.scheduling.states import Offer, ScheduleStatus, SlotStatus


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One session on the desk's board of a day, counted now."""

    schedule_id: int
    department_id: int
    practitioner_id: int | None
    department_code: str
    department: str
    doctor: str
    title_label: str
    service_name: str
    period_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    place: str
    capacity: int
    sold: int
    held: int
    left: int
    status: str
    status_label: str
    state: Offer
    suspend_reason: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when one number is: `expected_at` is the estimated turn (M2.1), UTC; of an add-on
    number the end of its band."""

    schedule_id: int
    band_id: int
    sequence_no: int
    band_starts_at: dt.datetime
    band_ends_at: dt.datetime
    expected_at: dt.datetime


def board_today(
    *,
    day: dt.date,
    at: dt.datetime,
    department_ids: Collection[int] | None = None,
    practitioner_ids: Collection[int] = (),
) -> list[BoardRow]:
    """Every session of a day with what is sold, held and left, counted now (two statements).

    Where departments are named: theirs, and those of these practitioners.
    """
    schedules = Schedule.objects.filter(visit_date=day)
    if department_ids is not None:
        theirs = Q(department_id__in=department_ids) | Q(practitioner_id__in=practitioner_ids)
        schedules = schedules.filter(theirs)
    found = sessions.load(schedules)
    found.sort(key=lambda session: (session.department_code, session.starts_at))
    return [_board_row(session, at) for session in found]


def emergency_sessions(*, at: dt.datetime) -> list[SessionFacts]:
    """The emergency sessions that go on, or are still to come today; those of last night too."""
    today = hospital_day(at)
    found = Schedule.objects.filter(
        service_type__kind=ServiceKind.EMERGENCY,
        visit_date__range=(today - dt.timedelta(days=1), today),
        ends_at__gt=at,
    ).exclude(status=ScheduleStatus.SUSPENDED)
    return sessions.load(found)


def add_ons_allowed(*, schedule_id: int) -> int:
    """How many add-on numbers a session may have (M2.2). Raises NotFound."""
    schedule = Schedule.objects.filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("没有找到这次出诊。")
    return schedule.capacity * thresholds.ADD_ON_PERCENT.value(*sessions.scopes_of(schedule)) // 100


def place_of(*, slot_id: int) -> Place:
    """The number of a slot with its band. Raises NotFound."""
    slot = Slot.objects.select_related("band").filter(pk=slot_id).first()
    if slot is None:
        raise NotFound
    band = slot.band
    before = Slot.objects.filter(
        schedule_id=slot.schedule_id,
        band_id=band.pk,
        is_add_on=slot.is_add_on,
        sequence_no__lt=slot.sequence_no,
    ).exclude(status=SlotStatus.WITHDRAWN)
    return Place(
        schedule_id=slot.schedule_id,
        band_id=band.pk,
        sequence_no=slot.sequence_no,
        band_starts_at=band.starts_at,
        band_ends_at=band.ends_at,
        expected_at=expected_at(
            band_starts_at=band.starts_at,
            band_ends_at=band.ends_at,
            position=band.capacity if slot.is_add_on else before.count(),
            capacity=max(band.capacity, 1),
        ),
    )


def _board_row(session: SessionFacts, at: dt.datetime) -> BoardRow:
    offer = offer_of(session, channel=None, at=at)
    return BoardRow(
        schedule_id=session.id,
        department_id=session.department_id,
        practitioner_id=session.practitioner_id,
        department_code=session.department_code,
        department=session.department_name,
        doctor=session.doctor_label,
        title_label=session.title_label,
        service_name=session.service_name,
        period_label=session.period_label,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=session.place,
        capacity=session.capacity,
        sold=session.sold,
        held=session.held,
        left=offer.left,
        status=session.status,
        status_label=ScheduleStatus(session.status).label,
        state=offer.state,
        suspend_reason=session.suspend_reason,
    )
