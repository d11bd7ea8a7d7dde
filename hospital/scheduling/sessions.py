"""What is known of sessions and how many places each band has left, read in two statements.

Facts carry no judgement of time: `offer_of` makes M1.2's one state from them and a moment, so the
same cached facts are right at 06:59:59 and at 07:00:00.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from hospital.organisation.states import Title
from hospital.scheduling import thresholds
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import Offer, ScheduleStatus, SessionPeriod

_BANDS = """
    SELECT band.schedule_id, band.id, band.first_sequence_no, band.starts_at, band.ends_at,
        band.capacity, count(*) FILTER (WHERE slot.status = 'free'),
        count(*) FILTER (WHERE slot.status = 'planned'),
        count(*) FILTER (WHERE slot.status = 'held'),
        count(*) FILTER (WHERE slot.status IN ('booked', 'consumed', 'forfeited'))
    FROM scheduling_timeband band JOIN scheduling_slot slot ON slot.band_id = band.id
        AND slot.schedule_id = band.schedule_id
    WHERE band.schedule_id = ANY(%s)
    GROUP BY band.id ORDER BY band.schedule_id, band.starts_at
"""
_PLACES = """
    SELECT schedule.department_id, schedule.visit_date, schedule.status, schedule.release_at,
        schedule.ends_at, (
            SELECT count(*) FROM scheduling_slot slot
            JOIN scheduling_timeband band ON band.id = slot.band_id
            WHERE slot.schedule_id = schedule.id AND band.ends_at > %(at)s
            AND (slot.status = 'free'
                OR slot.status = 'planned' AND schedule.release_at <= %(at)s)
        )
    FROM scheduling_schedule schedule
    WHERE schedule.visit_date BETWEEN %(first)s AND %(latest)s
    AND schedule.status NOT IN ('draft', 'cancelled')
"""
# In these a number may still be claimed once the release moment has come.
_OPEN = (ScheduleStatus.PUBLISHED, ScheduleStatus.RELEASED, ScheduleStatus.IN_SESSION)


@dataclass(frozen=True, slots=True)
class BandFacts:
    """One band and its numbers by fate; times in UTC."""

    id: int
    first_sequence_no: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    capacity: int
    free: int
    planned: int
    held: int
    sold: int


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session with all a page says of it; `title` is "" for a session without a doctor."""

    id: int
    status: str
    suspend_reason: str
    visit_date: dt.date
    session_period: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    release_at: dt.datetime
    capacity: int
    department_id: int
    department_code: str
    department_name: str
    sex_limit: str
    min_age_months: int | None
    max_age_months: int | None
    is_bookable: bool
    walk_in_only: bool
    practitioner_id: int | None
    practitioner_code: str
    practitioner_name: str
    practitioner_pinyin: str
    title: str
    specialty: str
    photo: str
    service_type_id: int
    service_kind: str
    service_name: str
    place: str
    bands: tuple[BandFacts, ...]

    @property
    def period_label(self) -> str:
        return SessionPeriod(self.session_period).label

    @property
    def title_label(self) -> str:
        return Title(self.title).label if self.title else ""

    @property
    def doctor_label(self) -> str:
        """The doctor's name, or the clinic's when the session has no doctor of its own."""
        return self.practitioner_name or f"{self.department_name}{self.service_name}"

    @property
    def held(self) -> int:
        return sum(band.held for band in self.bands)

    @property
    def sold(self) -> int:
        return sum(band.sold for band in self.bands)


@dataclass(frozen=True, slots=True)
class Offered:
    """M1.2: exactly one state, and how many numbers can be claimed now."""

    state: Offer
    left: int


def closes_at(session: SessionFacts) -> dt.datetime:
    """Until when patients may book the session themselves (M1.11)."""
    return session.ends_at - _close_before_end()


def is_released(session: SessionFacts, *, at: dt.datetime) -> bool:
    """Whether numbers are out, by the clock alone: the releasing job may be a second late."""
    return session.release_at <= at


def band_left(session: SessionFacts, band: BandFacts, *, at: dt.datetime) -> int:
    """Claimable numbers of one band at a moment."""
    if session.status not in _OPEN or band.ends_at <= at or not is_released(session, at=at):
        return 0
    return band.free + (band.planned if session.status == ScheduleStatus.PUBLISHED else 0)


def offer_of(session: SessionFacts, *, at: dt.datetime) -> Offered:
    """What patients see of a session at a moment (M1.2)."""
    return judge(
        status=session.status,
        release_at=session.release_at,
        ends_at=session.ends_at,
        left=sum(band_left(session, band, at=at) for band in session.bands),
        at=at,
    )


def judge(
    *, status: str, release_at: dt.datetime, ends_at: dt.datetime, left: int, at: dt.datetime
) -> Offered:
    """The one state of M1.2 for a session with so many claimable numbers at a moment."""
    if status == ScheduleStatus.SUSPENDED:
        return Offered(Offer.SUSPENDED, 0)
    if status not in _OPEN or ends_at - _close_before_end() <= at:
        return Offered(Offer.ENDED, 0)
    if release_at > at:
        return Offered(Offer.NOT_RELEASED, 0)
    return Offered(Offer.AVAILABLE if left else Offer.FULL, left)


def load(schedules: QuerySet[Schedule]) -> list[SessionFacts]:
    """Facts of the schedules that patients or staff may see, in two statements.

    Sorted by start, doctors before clinics without one, then by the doctor's pinyin.
    """
    rows = list(
        schedules.exclude(status__in=[ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED])
        .select_related("department", "practitioner", "service_type", "room")
        .order_by("starts_at", "practitioner__pinyin", "id")
    )
    bands = _bands([row.pk for row in rows])
    return [_facts(row, tuple(bands.get(row.pk, ()))) for row in rows]


def load_places(
    first: dt.date, latest: dt.date, *, at: dt.datetime
) -> dict[int, dict[dt.date, list[tuple[Offered, dt.datetime]]]]:
    """Department id → day → what each session offers and when it is released. One statement."""
    found: dict[int, dict[dt.date, list[tuple[Offered, dt.datetime]]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, {"first": first, "latest": latest, "at": at})
        for department_id, day, status, release_at, ends_at, left in cursor.fetchall():
            offered = judge(status=status, release_at=release_at, ends_at=ends_at, left=left, at=at)
            by_day = found.setdefault(department_id, {})
            by_day.setdefault(day, []).append((offered, release_at))
    return found


def _close_before_end() -> dt.timedelta:
    return dt.timedelta(minutes=thresholds.CLOSE_MINUTES.value())


def _bands(schedule_ids: list[int]) -> dict[int, list[BandFacts]]:
    grouped: dict[int, list[BandFacts]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BANDS, [schedule_ids])
        for schedule_id, *columns in cursor.fetchall():
            grouped.setdefault(schedule_id, []).append(BandFacts(*columns))
    return grouped


def _facts(row: Schedule, bands: tuple[BandFacts, ...]) -> SessionFacts:
    department, doctor = row.department, row.practitioner
    return SessionFacts(
        id=row.pk,
        status=row.status,
        suspend_reason=row.suspend_reason,
        visit_date=row.visit_date,
        session_period=row.session_period,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        release_at=row.release_at,
        capacity=row.capacity,
        department_id=department.pk,
        department_code=department.code,
        department_name=department.name,
        sex_limit=department.sex_limit,
        min_age_months=department.min_age_months,
        max_age_months=department.max_age_months,
        is_bookable=department.is_bookable and department.is_active,
        walk_in_only=department.walk_in_only,
        practitioner_id=doctor.pk if doctor else None,
        practitioner_code=doctor.code if doctor else "",
        practitioner_name=doctor.name if doctor else "",
        practitioner_pinyin=doctor.pinyin if doctor else "",
        title=doctor.title if doctor else "",
        specialty=doctor.specialty if doctor else "",
        photo=(doctor.photo_id or "") if doctor else "",
        service_type_id=row.service_type_id,
        service_kind=row.service_type.kind,
        service_name=row.service_type.name,
        place=" ".join(part for part in (department.location_text, row.room.name) if part),
        bands=bands,
    )
