"""What is known of sessions and how many places each band has left, read in two statements.

Facts carry no judgement of time: `offer_of` makes M1.2's one state from them and a moment, so the
same cached facts are right at 06:59:59 and at 07:00:00.
"""

import datetime as dt
import functools
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from hospital.kernel.clock import at_local, hospital_day
from hospital.kernel.settings_rows import Scope
from hospital.organisation.states import Title
from hospital.scheduling import thresholds
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import (
    ACTIVE,
    LISTED,
    ONLINE,
    POOLS_OF,
    Channel,
    Offer,
    Pool,
    ScheduleStatus,
    SessionPeriod,
)

# Add-on numbers stand beside the capacity: they count as held and sold, and are never free.
_BANDS = """
    SELECT band.schedule_id, band.id, band.first_sequence_no, band.starts_at, band.ends_at,
        band.capacity, count(*) FILTER (WHERE slot.status = 'held'),
        count(*) FILTER (WHERE slot.status IN ('booked', 'consumed', 'forfeited')),
        count(*) FILTER (WHERE slot.is_add_on AND slot.status <> 'withdrawn'), slot.pool,
        count(*) FILTER (WHERE slot.status = 'free'),
        count(*) FILTER (WHERE slot.status = 'planned')
    FROM scheduling_timeband band LEFT JOIN scheduling_slot slot ON slot.band_id = band.id
        AND slot.schedule_id = band.schedule_id
    WHERE band.schedule_id = ANY(%s)
    GROUP BY band.id, slot.pool ORDER BY band.schedule_id, band.starts_at, band.id
"""
_PLACES = """
    SELECT schedule.department_id, schedule.visit_date, schedule.status, schedule.release_at,
        schedule.ends_at, (
            SELECT count(*) FROM scheduling_slot slot
            JOIN scheduling_timeband band ON band.id = slot.band_id
            WHERE slot.schedule_id = schedule.id AND band.ends_at > %(at)s
            AND slot.pool = ANY(%(pools)s)
            AND NOT (schedule.has_waiting AND band.starts_at > %(kept_after)s)
            AND (slot.status = 'free'
                OR slot.status = 'planned' AND schedule.release_at <= %(at)s)
        )
    FROM scheduling_schedule schedule
    WHERE schedule.visit_date BETWEEN %(first)s AND %(latest)s
    AND schedule.status NOT IN ('draft', 'cancelled')
"""
_DEPARTMENT = "SELECT department_id FROM scheduling_schedule WHERE id = %s"
_DEPARTMENTS = """
    SELECT DISTINCT department_id FROM scheduling_schedule
    WHERE practitioner_id = %s AND visit_date BETWEEN %s AND %s
"""
#: Names of facts, by their columns; the last three become part of others.
_COLUMNS: Final = {
    "id": "id",
    "status": "status",
    "suspend_reason": "suspend_reason",
    "visit_date": "visit_date",
    "session_period": "session_period",
    "starts_at": "starts_at",
    "ends_at": "ends_at",
    "release_at": "release_at",
    "capacity": "capacity",
    "has_waiting": "has_waiting",
    "department_id": "department_id",
    "department_code": "department__code",
    "department_name": "department__name",
    "sex_limit": "department__sex_limit",
    "min_age_months": "department__min_age_months",
    "max_age_months": "department__max_age_months",
    "min_age_days": "department__min_age_days",
    "max_age_days": "department__max_age_days",
    "is_bookable": "department__is_bookable",
    "walk_in_only": "department__walk_in_only",
    "practitioner_id": "practitioner_id",
    "practitioner_code": "practitioner__code",
    "practitioner_name": "practitioner__name",
    "practitioner_pinyin": "practitioner__pinyin",
    "title": "practitioner__title",
    "specialty": "practitioner__specialty",
    "photo": "practitioner__photo_id",
    "service_type_id": "service_type_id",
    "service_kind": "service_type__kind",
    "service_name": "service_type__name",
    "is_active": "department__is_active",
    "location": "department__location_text",
    "room": "room__name",
}
#: "" where a session has no doctor of its own.
_OF_DOCTOR: Final = (
    "practitioner_code",
    "practitioner_name",
    "practitioner_pinyin",
    "title",
    "specialty",
    "photo",
)
_UNSEEN: Final = (ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED)


Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BandFacts:
    """One band and its numbers by fate, add-on ones among held and sold; times in UTC.

    `free` and `planned` say how many are in each pool.
    """

    id: int
    first_sequence_no: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    capacity: int
    held: int
    sold: int
    added: int
    free: Counts
    planned: Counts


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
    min_age_days: int | None
    max_age_days: int | None
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
    has_waiting: bool
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


def closes_at(session: SessionFacts, *, channel: Channel | None = Channel.WECHAT) -> dt.datetime:
    """Until when a channel may book the session: online half an hour less than in the house
    (M1.11)."""
    return _closes_at(session.ends_at, channel)


def is_released(session: SessionFacts, *, at: dt.datetime) -> bool:
    """Whether numbers are out, by the clock alone: the releasing job may be a second late."""
    return session.release_at <= at


def band_left(
    session: SessionFacts,
    band: BandFacts,
    *,
    channel: Channel | None = Channel.WECHAT,
    reserved_from: dt.date | None = None,
    at: dt.datetime,
) -> int:
    """Numbers of one band that a channel (None: any of them) can claim at a moment; those kept for
    the waiting list are nobody's to claim. From `reserved_from` on also reserved ones (M2.2)."""
    if session.status not in ACTIVE or band.ends_at <= at or not is_released(session, at=at):
        return 0
    late = session.status == ScheduleStatus.PUBLISHED
    is_kept = session.has_waiting and band.starts_at > thresholds.kept_after(at)
    return sum(
        band.free.get(pool, 0) + (band.planned.get(pool, 0) if late else 0)
        for pool in _pools(session, channel, reserved_from)
        if not (is_kept and pool in LISTED)
    )


def is_merged(visit_date: dt.date, *, at: dt.datetime) -> bool:
    """Whether the unclaimed numbers of a visit day are everybody's by now (M2.2)."""
    return at >= at_local(visit_date, thresholds.merge_time())


def list_closes_at(session: SessionFacts, *, at: dt.datetime) -> dt.datetime:
    """Until when somebody waits who joins the waiting list of a session at a moment: the evening
    before, when the list is cleared; on the day itself, when a line may begin anew, as long as a
    number could be offered (M1.2)."""
    over_at, day = list_over_at(session), session.visit_date
    if hospital_day(at) >= day:
        return over_at
    evening = dt.time.fromisoformat(thresholds.WAITING_CLEAR_TIME.value())
    return min(over_at, at_local(day - dt.timedelta(days=1), evening))


def list_over_at(session: SessionFacts) -> dt.datetime:
    """Until when a number of a session could be offered to somebody in line at all: online booking
    is open, and a band is far enough ahead."""
    lead = dt.timedelta(minutes=thresholds.WAITING_LEAD_MINUTES.value())
    latest = max((band.starts_at for band in session.bands), default=session.starts_at)
    return min(closes_at(session), latest - lead)


def offer_of(
    session: SessionFacts,
    *,
    channel: Channel | None = Channel.WECHAT,
    reserved_from: dt.date | None = None,
    at: dt.datetime,
) -> Offered:
    """What a channel (None: any of them) offers of a session at a moment (M1.2), to a patient who
    may have reserved numbers from a visit day on (None: never)."""
    return judge(
        status=session.status,
        release_at=session.release_at,
        closes_at=closes_at(session, channel=channel),
        left=sum(
            band_left(session, band, channel=channel, reserved_from=reserved_from, at=at)
            for band in session.bands
        ),
        at=at,
    )


def judge(
    *, status: str, release_at: dt.datetime, closes_at: dt.datetime, left: int, at: dt.datetime
) -> Offered:
    """The one state of M1.2 for a session with so many claimable numbers at a moment."""
    if status == ScheduleStatus.SUSPENDED:
        return Offered(Offer.SUSPENDED, 0)
    if status not in ACTIVE or closes_at <= at:
        return Offered(Offer.ENDED, 0)
    if release_at > at:
        return Offered(Offer.NOT_RELEASED, 0)
    return Offered(Offer.AVAILABLE if left else Offer.FULL, left)


def load(schedules: QuerySet[Schedule]) -> list[SessionFacts]:
    """Facts of the schedules that patients or staff may see, in two statements.

    Sorted by start, doctors before clinics without one, then by the doctor's pinyin.
    """
    return _with_bands(_rows(schedules.exclude(status__in=_UNSEEN)))


def load_all(schedules: QuerySet[Schedule]) -> list[SessionFacts]:
    """The same with those that were taken off again."""
    return _with_bands(_rows(schedules))


def load_department(*, department_id: int, first: dt.date, latest: dt.date) -> list[SessionFacts]:
    """As load, for one department from one date to another. In a rush this is asked every second,
    so the statement is not built from objects each time."""
    with connection.cursor() as cursor:
        cursor.execute(_department_statement(), [department_id, first, latest, *_UNSEEN])
        return _with_bands(cursor.fetchall())


def department_of(*, schedule_id: int) -> int | None:
    """The id of the department a schedule belongs to, None for no schedule."""
    with connection.cursor() as cursor:
        cursor.execute(_DEPARTMENT, [schedule_id])
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def departments_of(*, practitioner_id: int, first: dt.date, latest: dt.date) -> list[int]:
    """The ids of departments a practitioner has schedules in between two dates."""
    with connection.cursor() as cursor:
        cursor.execute(_DEPARTMENTS, [practitioner_id, first, latest])
        return [row[0] for row in cursor.fetchall()]


def load_places(
    first: dt.date, latest: dt.date, *, at: dt.datetime
) -> dict[int, dict[dt.date, list[tuple[Offered, dt.datetime]]]]:
    """Department id → day → what each session offers on WeChat and when it is released. One
    statement."""
    found: dict[int, dict[dt.date, list[tuple[Offered, dt.datetime]]]] = {}
    pools = list(POOLS_OF[Channel.WECHAT])
    with connection.cursor() as cursor:
        cursor.execute(
            _PLACES,
            {
                "first": first,
                "latest": latest,
                "at": at,
                "kept_after": thresholds.kept_after(at),
                "pools": pools,
            },
        )
        for department_id, day, status, release_at, ends_at, left in cursor.fetchall():
            offered = judge(
                status=status,
                release_at=release_at,
                closes_at=_closes_at(ends_at, Channel.WECHAT),
                left=left,
                at=at,
            )
            by_day = found.setdefault(department_id, {})
            by_day.setdefault(day, []).append((offered, release_at))
    return found


def scopes_of(session: "SessionFacts | Schedule") -> list[Scope]:
    """Whose settings hold for a session, the most specific first (domain decision 12)."""
    doctor = session.practitioner_id
    return [
        *([Scope("practitioner", doctor)] if doctor else []),
        Scope("service_type", session.service_type_id),
        Scope("department", session.department_id),
    ]


def _pools(
    session: SessionFacts, channel: Channel | None, reserved_from: dt.date | None
) -> Iterable[Pool]:
    """Which numbers of a session a channel may claim for a patient, each pool once."""
    if channel is None:
        return Pool
    own = POOLS_OF[channel]
    if reserved_from is None or session.visit_date < reserved_from or Pool.RESERVED in own:
        return own
    return (*own, Pool.RESERVED)


def _closes_at(ends_at: dt.datetime, channel: Channel | None) -> dt.datetime:
    if channel not in ONLINE:
        return ends_at
    return ends_at - dt.timedelta(minutes=thresholds.CLOSE_MINUTES.value())


def _bands(schedule_ids: list[int]) -> dict[int, list[BandFacts]]:
    """The bands of sessions, put together from one row a band and pool."""
    with connection.cursor() as cursor:
        cursor.execute(_BANDS, [schedule_ids])
        rows = cursor.fetchall()
    grouped: dict[int, list[BandFacts]] = {}
    for band, found in itertools.groupby(rows, key=lambda row: row[:6]):
        schedule_id, band_id, first_sequence_no, starts_at, ends_at, capacity = band
        pools = [row[6:] for row in found]
        facts = BandFacts(
            id=band_id,
            first_sequence_no=first_sequence_no,
            starts_at=starts_at,
            ends_at=ends_at,
            capacity=capacity,
            held=sum(held for held, *_ in pools),
            sold=sum(sold for _, sold, *_ in pools),
            added=sum(added for _, _, added, *_ in pools),
            free={pool: free for *_, pool, free, _ in pools if free},
            planned={pool: planned for *_, pool, _, planned in pools if planned},
        )
        grouped.setdefault(schedule_id, []).append(facts)
    return grouped


def _rows(schedules: QuerySet[Schedule]) -> QuerySet[Schedule, tuple[Any, ...]]:
    sorted_rows = schedules.order_by("starts_at", "practitioner__pinyin", "id")
    return sorted_rows.values_list(*_COLUMNS.values())


@functools.cache
def _department_statement() -> str:
    """What Django makes of load's question for one department; what is asked for comes first."""
    some = (0, dt.date.min, dt.date.max)
    asked = Schedule.objects.filter(department_id=some[0], visit_date__range=some[1:])
    rows = _rows(asked.exclude(status__in=_UNSEEN))
    statement, values = rows.query.sql_with_params()
    assert values == (*some, *_UNSEEN), values
    return statement


def _with_bands(rows: Iterable[tuple[Any, ...]]) -> list[SessionFacts]:
    rows = list(rows)
    bands = _bands([row[0] for row in rows])
    return [_facts(row, tuple(bands.get(row[0], ()))) for row in rows]


def _facts(row: tuple[Any, ...], bands: tuple[BandFacts, ...]) -> SessionFacts:
    found = dict(zip(_COLUMNS, row, strict=True))
    is_active, location, room = (found.pop(name) for name in ("is_active", "location", "room"))
    return SessionFacts(
        **found
        | {name: found[name] or "" for name in _OF_DOCTOR}
        | {"is_bookable": found["is_bookable"] and is_active},
        place=" ".join(part for part in (location, room) if part),
        bands=bands,
    )
