"""号源使用情况 (M2.6): what became of the numbers of many sessions and of the bookings for them.

Two statements however long the range; the rows are flat (department × day × channel), as BI wants.
A channel's numbers are those dealt to its pool, also after what is left of them was merged.

Days are hospital days, both ends included.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

from django.db import connection

from hospital.kernel.clock import HOSPITAL_ZONE
from hospital.scheduling.states import Channel, Pool

MOST_DAYS: Final = 92
#: Lead times in days as the page groups them: label, from, to (included).
LEADS: Final = (
    ("当天", 0, 0),
    ("提前 1 天", 1, 1),
    ("提前 2–3 天", 2, 3),
    ("提前 4–7 天", 4, 7),
    ("提前 8 天以上", 8, 10_000),
)
#: Whose numbers a channel's line shows; the others book from these or from what is reserved.
POOL_OF: Final = {
    Channel.WECHAT: Pool.WECHAT,
    Channel.WINDOW: Pool.WINDOW,
    Channel.KIOSK: Pool.KIOSK,
}
#: What is kept for no channel alone.
SHARED_POOLS: Final = (Pool.RESERVED, Pool.PUBLIC)
# Numbers are counted a session first: the index of slots is by session, and each is read once. The
# rows without a pool count the sessions.
_NUMBERS: Final = """
    WITH wanted AS (
        SELECT id, department_id, visit_date, status FROM scheduling_schedule
        WHERE visit_date BETWEEN %(first)s AND %(latest)s
        AND status NOT IN ('draft', 'cancelled')
        AND (%(everywhere)s OR department_id = ANY(%(departments)s)
            OR practitioner_id = ANY(%(doctors)s))
        AND (%(period)s = '' OR session_period = %(period)s)
    ), counted AS (
        SELECT schedule_id, pool, merged_from,
            count(*) FILTER (WHERE NOT is_add_on) AS numbers,
            count(*) FILTER (WHERE NOT is_add_on AND status NOT IN ('planned', 'blocked'))
                AS released,
            count(*) FILTER (WHERE NOT is_add_on AND status = 'held') AS held,
            count(*) FILTER (WHERE NOT is_add_on AND status IN ('booked', 'consumed', 'forfeited'))
                AS sold,
            count(*) FILTER (WHERE NOT is_add_on AND withheld <> '') AS blocked,
            count(*) FILTER (WHERE is_add_on) AS added
        FROM scheduling_slot WHERE schedule_id IN (SELECT id FROM wanted)
        AND status <> 'withdrawn' GROUP BY schedule_id, pool, merged_from
    )
    SELECT department_id, visit_date, '', count(*)::int,
        (count(*) FILTER (WHERE status = 'suspended'))::int, 0, 0, 0, 0, 0, 0, 0, 0
    FROM wanted GROUP BY 1, 2
    UNION ALL
    SELECT department_id, visit_date, CASE merged_from WHEN '' THEN pool ELSE merged_from END, 0, 0,
        sum(numbers)::int, sum(released)::int, sum(held)::int, sum(sold)::int, sum(blocked)::int,
        sum(added)::int, coalesce(sum(held + sold) FILTER (WHERE merged_from = ''), 0)::int,
        coalesce(sum(numbers) FILTER (WHERE merged_from <> ''), 0)::int
    FROM counted JOIN wanted ON wanted.id = counted.schedule_id
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# What was never paid for is no booking: it is counted apart. An exchanged booking is one that was
# cancelled and one that stands. OFFSET 0: the lead is worked out once a row, not once a count.
_BOOKINGS: Final = """
    SELECT appointment.department_id, appointment.visit_date, channel,
        count(*) FILTER (WHERE booked_at IS NOT NULL),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND appointment.status = 'cancelled'),
        count(*) FILTER (WHERE is_late_cancel),
        count(*) FILTER (WHERE cancel_reason = 'hospital'),
        count(*) FILTER (WHERE appointment.status = 'noshow'),
        count(*) FILTER (WHERE appointment.status IN ('checked_in', 'fulfilled', 'left_unseen')),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND booking_kind = 'add_on'),
        count(*) FILTER (WHERE cancel_reason = 'payment_timeout'),
        count(*) FILTER (WHERE appointment.status = 'pending'),
        coalesce(sum(lead) FILTER (WHERE booked_at IS NOT NULL), 0)::int,
        count(*) FILTER (WHERE booked_at IS NOT NULL AND lead <= 0),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND lead = 1),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND lead BETWEEN 2 AND 3),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND lead BETWEEN 4 AND 7),
        count(*) FILTER (WHERE booked_at IS NOT NULL AND lead > 7)
    FROM registration_appointment appointment
    JOIN scheduling_schedule schedule ON schedule.id = appointment.schedule_id
    CROSS JOIN LATERAL (
        SELECT appointment.visit_date - (appointment.created_at AT TIME ZONE %(zone)s)::date AS lead
        OFFSET 0
    ) ahead
    WHERE schedule.visit_date BETWEEN %(first)s AND %(latest)s
    AND schedule.status NOT IN ('draft', 'cancelled')
    AND (%(everywhere)s OR schedule.department_id = ANY(%(departments)s)
        OR schedule.practitioner_id = ANY(%(doctors)s))
    AND (%(period)s = '' OR schedule.session_period = %(period)s)
    AND appointment.status <> 'entered_in_error'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a department on a day, add-ons apart. `released` are those that came out, blocked
    ones not among them; `held` and `sold` are how they stand now."""

    sessions: int = 0
    suspended: int = 0
    numbers: int = 0
    released: int = 0
    held: int = 0
    sold: int = 0
    blocked: int = 0
    added: int = 0

    @property
    def offered(self) -> int:
        """Numbers somebody could have, now or once released."""
        return self.numbers - self.blocked

    @property
    def fill(self) -> int | None:
        """约出率 in percent: sold and held of what is offered; None where nothing is."""
        return round(100 * (self.sold + self.held) / self.offered) if self.offered else None


@dataclass(frozen=True, slots=True)
class Kept:
    """Numbers dealt to one pool, add-ons apart. `taken` are held or sold while they were kept for
    it, `merged` those that were everybody's before anybody had them (M2.2)."""

    numbers: int = 0
    released: int = 0
    blocked: int = 0
    taken: int = 0
    merged: int = 0

    @property
    def fill(self) -> int | None:
        """约出率 in percent: what its channels had of what was theirs; None where nothing was."""
        offered = self.numbers - self.blocked
        return round(100 * self.taken / offered) if offered else None


@dataclass(frozen=True, slots=True)
class Bookings:
    """Bookings that were made good (paid, or free), and what became of them; `unpaid` never were,
    `held` wait for it.

    Who `came` has checked in. `lead_days` is the sum of days between booking and visit, `leads` how
    many are in each group.
    """

    booked: int = 0
    cancelled: int = 0
    late: int = 0
    by_hospital: int = 0
    no_show: int = 0
    came: int = 0
    add_on: int = 0
    unpaid: int = 0
    held: int = 0
    lead_days: int = 0
    leads: tuple[int, ...] = (0,) * len(LEADS)

    @property
    def lead(self) -> float | None:
        """How many days ahead people book on average."""
        return round(self.lead_days / self.booked, 1) if self.booked else None

    @property
    def no_show_percent(self) -> float | None:
        """爽约率 of those who came or should have; None while nobody's time has come."""
        due = self.no_show + self.came
        return round(100 * self.no_show / due, 1) if due else None

    @property
    def cancel_percent(self) -> float | None:
        return round(100 * self.cancelled / self.booked, 1) if self.booked else None


_WHOLE: Final = tuple(one.name for one in fields(Bookings) if one.name != "leads")


@dataclass(frozen=True, slots=True)
class NumbersRow:
    """The numbers of one department and day."""

    department_id: int
    day: dt.date
    count: Numbers


@dataclass(frozen=True, slots=True)
class KeptRow:
    """The numbers of one department and day dealt to one pool."""

    department_id: int
    day: dt.date
    pool: Pool
    count: Kept


@dataclass(frozen=True, slots=True)
class BookingsRow:
    """The bookings of one department, visit day and channel."""

    department_id: int
    day: dt.date
    channel: Channel
    count: Bookings


@dataclass(frozen=True, slots=True)
class Utilisation:
    """The flat rows of a range; sums are made of them."""

    numbers: tuple[NumbersRow, ...]
    kept: tuple[KeptRow, ...]
    bookings: tuple[BookingsRow, ...]


def utilisation(
    *,
    first: dt.date,
    latest: dt.date,
    department_ids: Collection[int] | None = None,
    practitioner_ids: Collection[int] = (),
    period: str = "",
) -> Utilisation:
    """What became of the numbers and bookings of sessions in a range (two statements).

    Where departments are named: theirs, and the sessions of these practitioners.
    """
    values: dict[str, Any] = {
        "first": first,
        "latest": latest,
        "everywhere": department_ids is None,
        "departments": list(department_ids or ()),
        "doctors": list(practitioner_ids),
        "period": period,
        "zone": HOSPITAL_ZONE.key,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, values)
        counted = cursor.fetchall()
        cursor.execute(_BOOKINGS, values)
        bookings = [
            BookingsRow(department_id, day, Channel(channel), _bookings(counts))
            for department_id, day, channel, *counts in cursor.fetchall()
        ]
    return Utilisation(tuple(_numbers(counted)), tuple(_kept(counted)), tuple(bookings))


def sum_numbers(rows: Iterable[Numbers]) -> Numbers:
    """Several counts as one."""
    found = list(rows)
    return Numbers(*(sum(getattr(row, one.name) for row in found) for one in fields(Numbers)))


def sum_kept(rows: Iterable[Kept]) -> Kept:
    """Several counts as one."""
    found = list(rows)
    return Kept(*(sum(getattr(row, one.name) for row in found) for one in fields(Kept)))


def sum_bookings(rows: Iterable[Bookings]) -> Bookings:
    """Several counts as one."""
    found = list(rows)
    sums = {name: sum(getattr(row, name) for row in found) for name in _WHOLE}
    leads = tuple(sum(row.leads[place] for row in found) for place in range(len(LEADS)))
    return Bookings(**sums, leads=leads)


def _numbers(counted: Iterable[tuple[Any, ...]]) -> Iterator[NumbersRow]:
    """A row a department and day, of its pools together."""
    for (department_id, day), rows in itertools.groupby(counted, key=lambda row: row[:2]):
        counts = (sum(column) for column in zip(*(row[3:-2] for row in rows), strict=True))
        yield NumbersRow(department_id, day, Numbers(*counts))


def _kept(counted: Iterable[tuple[Any, ...]]) -> Iterator[KeptRow]:
    for department_id, day, pool, *counts, taken, merged in counted:
        _, _, numbers, released, _, _, blocked, _ = counts
        if numbers:  # not where sessions are counted, nor add-ons alone
            count = Kept(numbers, released, blocked, taken, merged)
            yield KeptRow(department_id, day, Pool(pool), count)


def _bookings(counts: list[int]) -> Bookings:
    """The counts of a row; the lead times are the last of them."""
    whole = dict(zip(_WHOLE, counts, strict=False))
    return Bookings(**whole, leads=tuple(counts[len(_WHOLE) :]))
