"""What a batch over many sessions would do to each, and where it cannot (M2.6): the preview, and
what the action holds itself to. Reads only.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from django.db.models import Q

from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.kernel.fingerprints import fingerprint
from hospital.organisation import queries as organisation
from hospital.scheduling import quotas, sessions
from hospital.scheduling.models import Schedule
from hospital.scheduling.queries.numbers import NumberCount, number_counts, tally
from hospital.scheduling.sessions import BandFacts, SessionFacts
from hospital.scheduling.states import ACTIVE, UNCLAIMED, BatchKind, Pool, ScheduleStatus, Withheld

MOST_SESSIONS: Final = 1000
MOST_DAYS: Final = 92
_MOST_NUMBERS: Final = 500
#: Where the preview is done to the letter; the others take whatever nobody has by then.
_EXACT: Final = (BatchKind.CAPACITY, BatchKind.ROOM)
_GONE: Final = (ScheduleStatus.DRAFT, ScheduleStatus.CANCELLED, ScheduleStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class BatchWish:
    """Which sessions (no departments, weekdays or periods: all of them), and what becomes of them.

    A capacity is either set for every band or changed by so many. `pool` "" is every pool;
    `after` and `before` narrow to bands that start in between, on the hospital's wall clock.
    """

    kind: BatchKind
    first: dt.date
    latest: dt.date
    department_ids: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    periods: tuple[str, ...] = ()
    set_to: int | None = None
    change_by: int = 0
    percents: tuple[tuple[Pool, int], ...] = ()
    pool: str = ""
    after: dt.time | None = None
    before: dt.time | None = None
    room_id: int | None = None

    def takes(self, band: BandFacts) -> bool:
        """Whether a band starts within the times asked for."""
        time = clock.local(band.starts_at).time()
        return (self.after is None or time >= self.after) and (
            self.before is None or time < self.before
        )


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One session: what would happen (`effect`, "" for nothing), or why it cannot (`conflict`).

    `capacities` are the bands to change with their new size.
    """

    session: SessionFacts
    effect: str
    conflict: str = ""
    note: str = ""
    capacities: tuple[tuple[int, int, int], ...] = ()

    @property
    def is_possible(self) -> bool:
        return bool(self.effect) and not self.conflict


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """The preview: conflicts first, then by day. `digest` stands for what the act must still find:
    everything but the numbers patients take meanwhile."""

    lines: tuple[BatchLine, ...]
    digest: str

    @property
    def possible(self) -> list[BatchLine]:
        return [line for line in self.lines if line.is_possible]

    @property
    def conflicts(self) -> list[BatchLine]:
        return [line for line in self.lines if line.conflict]

    @property
    def untouched(self) -> int:
        """Sessions that are already as wished."""
        return sum(not line.conflict and not line.effect for line in self.lines)


def plan_batch(*, wish: BatchWish, at: dt.datetime) -> BatchPlan:
    """What the batch would do, session by session. Raises Invalid for too many or no days, and for
    a room there is not."""
    if wish.kind == BatchKind.ROOM and wish.room_id not in organisation.room_labels():
        raise Invalid.of("room", "请选择诊室。")
    found = _sessions(wish, at)
    counts: dict[int, list[NumberCount]] = {}
    for one in number_counts(schedule_ids=[session.id for session in found]):
        if not one.is_add_on:
            counts.setdefault(one.schedule_id, []).append(one)
    rooms = _Rooms(wish, found)
    lines = [_line(wish, session, counts.get(session.id, []), rooms, at) for session in found]
    lines.sort(key=lambda line: (not line.conflict, line.session.starts_at, line.session.id))
    told = [_told(wish, line, counts.get(line.session.id, [])) for line in lines]
    return BatchPlan(tuple(lines), fingerprint([asdict(wish), told]))


def _told(wish: BatchWish, line: BatchLine, counts: Sequence[NumberCount]) -> tuple[object, ...]:
    """What the act must find as it was shown. Patients book all the time, and numbers they took
    since are simply left alone: they count only where they stand in the way."""
    session_id, is_possible = line.session.id, not line.conflict
    if wish.kind in _EXACT:
        return session_id, is_possible, line.effect, line.capacities
    dealt: dict[tuple[int, str], list[int]] = {}
    for one in counts:
        total, blocked = dealt.get((one.band_id, one.pool), (0, 0))
        is_blocked = one.withheld == Withheld.OFFICE
        dealt[one.band_id, one.pool] = [total + one.count, blocked + one.count * is_blocked]
    return session_id, is_possible, sorted((*key, *found) for key, found in dealt.items())


def _sessions(wish: BatchWish, at: dt.datetime) -> list[SessionFacts]:
    """The sessions asked for that are not over."""
    if not dt.timedelta(0) <= wish.latest - wish.first <= dt.timedelta(days=MOST_DAYS):
        sentence = f"日期范围应从早到晚，最多 {MOST_DAYS} 天。"
        raise Invalid.of("first", sentence)
    rows = Schedule.objects.filter(
        visit_date__range=(wish.first, wish.latest), ends_at__gt=at
    ).exclude(status__in=_GONE)
    if wish.department_ids:
        rows = rows.filter(department_id__in=wish.department_ids)
    if wish.periods:
        rows = rows.filter(session_period__in=wish.periods)
    if wish.weekdays:
        rows = rows.filter(visit_date__iso_week_day__in=wish.weekdays)
    if rows.count() > MOST_SESSIONS:
        sentence = f"一次最多处理 {MOST_SESSIONS} 个出诊，请缩小日期或科室的范围。"
        raise Invalid.of("first", sentence)
    return sessions.load(rows)


class _Rooms:
    """Who holds the wished room when, the batch's own moves included: the first one gets it."""

    def __init__(self, wish: BatchWish, found: Sequence[SessionFacts]) -> None:
        self.room_ids: dict[int, int] = {}
        self.taken: list[tuple[dt.datetime, dt.datetime, int, str]] = []
        if wish.kind != BatchKind.ROOM or not found:
            return
        own = Schedule.objects.filter(pk__in=[one.id for one in found])
        self.room_ids = dict(own.values_list("pk", "room_id"))
        span = Q(starts_at__lt=max(one.ends_at for one in found))
        span &= Q(ends_at__gt=min(one.starts_at for one in found))
        held = Schedule.objects.filter(span, room_id=wish.room_id).exclude(
            status=ScheduleStatus.CANCELLED
        )
        for row in held.select_related("department"):
            self.taken.append((row.starts_at, row.ends_at, row.pk, row.department.name))

    def conflict(self, session: SessionFacts) -> str:
        """Who is in the room meanwhile; without anybody it is the session's from now on."""
        for starts_at, ends_at, schedule_id, name in self.taken:
            overlaps = starts_at < session.ends_at and session.starts_at < ends_at
            if overlaps and schedule_id != session.id:
                return f"诊室被{name}占用"
        self.taken.append((session.starts_at, session.ends_at, session.id, session.department_name))
        return ""


def _line(
    wish: BatchWish,
    session: SessionFacts,
    counts: Sequence[NumberCount],
    rooms: _Rooms,
    at: dt.datetime,
) -> BatchLine:
    if session.status not in ACTIVE:
        return BatchLine(session, "", conflict=f"已{ScheduleStatus(session.status).label}")
    if wish.kind == BatchKind.CAPACITY:
        return _capacity(wish, session, counts, at)
    if wish.kind == BatchKind.SHARES:
        return _shares(wish, session, counts, at)
    if wish.kind == BatchKind.ROOM:
        return _room(wish, session, rooms)
    return _withheld(wish, session, counts)


def _capacity(
    wish: BatchWish, session: SessionFacts, counts: Sequence[NumberCount], at: dt.datetime
) -> BatchLine:
    """Bands that are over are left as they are."""
    changes: list[tuple[int, int, int]] = []
    short: list[str] = []
    for band in session.bands:
        if not wish.takes(band) or band.ends_at <= at:
            continue
        size = wish.set_to if wish.set_to is not None else band.capacity + wish.change_by
        size = min(max(size, 0), _MOST_NUMBERS)
        own = tally(one for one in counts if one.band_id == band.id)
        if size < band.capacity and size < own.fixed:
            short.append(f"{clock.local(band.starts_at):%H:%M} {own.fixed_words}")
        if size != band.capacity:
            changes.append((band.id, band.capacity, size))
    after = session.capacity + sum(size - before for _, before, size in changes)
    if not short and changes and after < 1:
        short.append("号数会变成 0，请改为停诊")
    return BatchLine(
        session,
        effect=f"号数 {session.capacity} → {after}" if changes else "",
        conflict="；".join(short),
        capacities=tuple(changes),
    )


def _shares(
    wish: BatchWish, session: SessionFacts, counts: Sequence[NumberCount], at: dt.datetime
) -> BatchLine:
    if sessions.is_merged(session.visit_date, at=at):
        return BatchLine(session, "", conflict="当天未约的号已并入公共号池")
    left = [one for one in counts if one.status in UNCLAIMED]
    before = _by_pool(left)
    total = sum(before.values())
    after = quotas.share(total, dict(wish.percents))
    words = "，".join(
        f"{pool.label} {before.get(pool, 0)}→{after.get(pool, 0)}"
        for pool in Pool
        if before.get(pool, 0) or after.get(pool, 0)
    )
    return BatchLine(
        session,
        effect=f"未约 {total} 个：{words}" if before != after else "",
    )


def _room(wish: BatchWish, session: SessionFacts, rooms: _Rooms) -> BatchLine:
    if rooms.room_ids.get(session.id) == wish.room_id:
        return BatchLine(session, "")
    return BatchLine(session, f"现在 {session.place}", conflict=rooms.conflict(session))


def _withheld(wish: BatchWish, session: SessionFacts, counts: Sequence[NumberCount]) -> BatchLine:
    bands = {band.id for band in session.bands if wish.takes(band)}
    reached = tally(one for one in counts if one.band_id in bands and wish.pool in {"", one.pool})
    if wish.kind == BatchKind.UNBLOCK:
        number = reached.blocked
        return BatchLine(session, f"恢复 {number} 个号" if number else "")
    number, taken = reached.left, reached.taken
    note = f"另有 {taken} 个已约出，不动" if taken else ""
    return BatchLine(session, f"停 {number} 个号" if number else "", note=note)


def _by_pool(counts: Sequence[NumberCount]) -> Mapping[Pool, int]:
    found: dict[Pool, int] = {}
    for one in counts:
        found[Pool(one.pool)] = found.get(Pool(one.pool), 0) + one.count
    return found
