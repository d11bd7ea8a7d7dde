"""Reads of the release monitor: what comes out when, and how fast what came out today was taken.

Speed is told by the Transitions of the numbers themselves, so it is exact to the moment each claim
committed, whoever made it. Moments are UTC.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from hospital.kernel.clock import at_local, hospital_day
from hospital.scheduling import sessions
from hospital.scheduling.models import Schedule
from hospital.scheduling.sessions import SessionFacts
from hospital.scheduling.states import ScheduleStatus

#: Minute by minute for so many after a release.
MINUTES: Final = 10
_AHEAD_DAYS: Final = 8
_LATE: Final = dt.timedelta(minutes=1)
_COMING: Final = """
    WITH wanted AS (
        SELECT id, release_at, department_id FROM scheduling_schedule
        WHERE status = 'published' AND release_at > %(at)s AND release_at <= %(until)s
    ), counted AS (
        SELECT schedule_id, count(*) AS numbers,
            count(*) FILTER (WHERE pool IN ('wechat', 'public')) AS online
        FROM scheduling_slot WHERE schedule_id IN (SELECT id FROM wanted)
        AND status = 'planned' GROUP BY 1
    )
    SELECT release_at, count(*), count(DISTINCT department_id),
        coalesce(sum(numbers), 0)::int, coalesce(sum(online), 0)::int
    FROM wanted LEFT JOIN counted ON counted.schedule_id = wanted.id
    GROUP BY 1 ORDER BY 1
"""
# The first claim of each number counts: one given back and taken again is not sold twice. All is
# grouped before it is joined: a whole hospital's release is read once, not once a session.
_SPEED: Final = """
    WITH numbers AS (
        SELECT slot.id, slot.schedule_id, slot.status, schedule.release_at
        FROM scheduling_slot slot JOIN scheduling_schedule schedule ON schedule.id = schedule_id
        WHERE schedule.id = ANY(%(schedules)s) AND NOT slot.is_add_on
        AND slot.status NOT IN ('withdrawn', 'planned', 'blocked')
    ), moves AS (
        SELECT numbers.schedule_id, numbers.id, move.to_status,
            extract(epoch FROM move.at - numbers.release_at)::float AS after
        FROM numbers JOIN kernel_transition move
        ON move.subject_type = 'scheduling.slot' AND move.subject_id = numbers.id
        WHERE move.at >= numbers.release_at AND (move.to_status = 'held'
            OR move.from_status = 'held' AND move.to_status = 'free')
    ), claims AS (
        SELECT schedule_id, min(after) AS after FROM moves WHERE to_status = 'held'
        GROUP BY schedule_id, id
    ), claimed AS (
        SELECT schedule_id, array_agg(after ORDER BY after) AS seconds FROM claims GROUP BY 1
    ), lapsed AS (
        SELECT schedule_id, count(*) AS count FROM moves WHERE to_status = 'free' GROUP BY 1
    ), counted AS (
        SELECT schedule_id, count(*) AS numbers, count(*) FILTER (WHERE status = 'held') AS held,
            count(*) FILTER (WHERE status IN ('booked', 'consumed', 'forfeited')) AS sold,
            count(*) FILTER (WHERE status = 'free') AS free
        FROM numbers GROUP BY 1
    )
    SELECT schedule_id, numbers, held, sold, free, coalesce(lapsed.count, 0), seconds
    FROM counted LEFT JOIN lapsed USING (schedule_id) LEFT JOIN claimed USING (schedule_id)
"""


@dataclass(frozen=True, slots=True)
class Wave:
    """All that comes out at one moment; `online` of the numbers can be had on WeChat."""

    release_at: dt.datetime
    sessions: int
    departments: int
    numbers: int
    online: int


@dataclass(frozen=True, slots=True)
class Released:
    """One session that came out today, and how fast its numbers went.

    `lapsed` holds ran out unpaid. `minutes` are first claims in each of the first ten minutes,
    `gone_after` the seconds until every number had been claimed once, None while some never were.
    """

    session: SessionFacts
    numbers: int
    held: int
    sold: int
    left: int
    lapsed: int
    minutes: tuple[int, ...]
    gone_after: float | None


@dataclass(frozen=True, slots=True)
class Monitor:
    """The release monitor at a moment. `late` should be out by the clock and are not."""

    waves: tuple[Wave, ...]
    released: tuple[Released, ...]
    late: tuple[SessionFacts, ...]

    @property
    def minutes(self) -> tuple[int, ...]:
        """First claims in each minute, of all sessions of today."""
        return tuple(sum(one.minutes[place] for one in self.released) for place in range(MINUTES))


def monitor(*, at: dt.datetime) -> Monitor:
    """What comes next, what came out today, what is late."""
    today = at_local(hospital_day(at), dt.time(0))
    until = at + dt.timedelta(days=_AHEAD_DAYS)
    rows = Schedule.objects.filter(release_at__gte=today, release_at__lte=at)
    found = sessions.load(rows)
    waiting = Schedule.objects.filter(
        status=ScheduleStatus.PUBLISHED, release_at__lte=at - _LATE, ends_at__gt=at
    )
    speeds = {row[0]: row[1:] for row in _rows(_SPEED, {"schedules": [one.id for one in found]})}
    waves = _rows(_COMING, {"at": at, "until": until})
    released = [_released(one, speeds[one.id]) for one in found if one.id in speeds]
    released.sort(key=lambda one: (one.gone_after is None, one.gone_after or 0, one.left))
    return Monitor(
        waves=tuple(Wave(*row) for row in waves),
        released=tuple(released),
        late=tuple(sessions.load(waiting)),
    )


def _released(session: SessionFacts, row: tuple[Any, ...]) -> Released:
    numbers, held, sold, left, lapsed, seconds = row
    after = [float(one) for one in seconds or ()]
    minutes = [0] * MINUTES
    for one in after:
        if one < 60 * MINUTES:
            minutes[int(one // 60)] += 1
    return Released(
        session=session,
        numbers=numbers,
        held=held,
        sold=sold,
        left=left,
        lapsed=lapsed,
        minutes=tuple(minutes),
        gone_after=after[-1] if len(after) == numbers else None,
    )


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
