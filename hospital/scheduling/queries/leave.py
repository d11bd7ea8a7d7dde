"""Reads of leave: who is away when, what a leave touches, what waits for a decision (M15.3)."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from hospital.kernel.clock import at_local, local
from hospital.kernel.errors import NotFound
from hospital.organisation import queries as organisation
from hospital.organisation.states import Title
from hospital.scheduling import thresholds
from hospital.scheduling.models import Leave, LeaveDecision, Schedule
from hospital.scheduling.states import (
    LeaveAnswer,
    LeaveStatus,
    ScheduleStatus,
    SessionPeriod,
    SlotStatus,
    StopReason,
)
from hospital.ui.wording import day_text, moment_text

#: A session with its numbers held and booked.
Counted = tuple[Schedule, int, int]
_ONE_DAY: Final = dt.timedelta(days=1)
#: A session in one of these would still be held.
_STANDING: Final = (
    ScheduleStatus.PUBLISHED,
    ScheduleStatus.RELEASED,
    ScheduleStatus.IN_SESSION,
)


@dataclass(frozen=True, slots=True)
class LeaveFacts:
    """When somebody is away, approved; moments in UTC, half-open."""

    practitioner_id: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason_label: str

    def covers(self, schedule: Schedule) -> bool:
        """Whether a session of the practitioner would fall into it, even in part."""
        return (
            self.practitioner_id == schedule.practitioner_id
            and schedule.starts_at < self.ends_at
            and self.starts_at < schedule.ends_at
        )


@dataclass(frozen=True, slots=True)
class SessionOnLeave:
    """A session a leave touches, counted now; `decided` says what became of it, "" while open."""

    schedule_id: int
    visit_date: dt.date
    period_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    department_id: int
    department: str
    service_name: str
    place: str
    status_label: str
    held: int
    booked: int
    decided: str = ""

    @property
    def touched(self) -> int:
        return self.held + self.booked


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """A leave with all a page says of it. `is_late`: a session of it starts so soon that the head
    of the office decides."""

    id: int
    practitioner_id: int
    practitioner: str
    title_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str
    reason_label: str
    note: str
    status: str
    status_label: str
    asked_by: str
    asked_at: dt.datetime
    decided_by: str
    decided_at: dt.datetime | None
    answer_note: str
    sessions: tuple[SessionOnLeave, ...]
    is_late: bool

    @property
    def until(self) -> str:
        """The end as people say it: midnight belongs to the day that is over."""
        end = local(self.ends_at)
        if end.time() == dt.time.min:
            return f"{day_text(end.date() - _ONE_DAY)} 24:00"
        return moment_text(self.ends_at)

    @property
    def touched(self) -> int:
        return sum(session.touched for session in self.sessions)


@dataclass(frozen=True, slots=True)
class Substitute:
    """Somebody who could hold a session instead: of the department, licensed, free, not away."""

    id: int
    name: str
    title: str
    title_label: str


def leaves_of(
    *, practitioner_ids: Collection[int], from_date: dt.date, to_date: dt.date
) -> list[LeaveFacts]:
    """The approved leaves of practitioners that reach into a stretch of days (both included)."""
    rows = Leave.objects.filter(
        practitioner_id__in=practitioner_ids,
        status=LeaveStatus.APPROVED,
        starts_at__lt=at_local(to_date + _ONE_DAY),
        ends_at__gt=at_local(from_date),
    )
    return [
        LeaveFacts(
            row.practitioner_id, row.starts_at, row.ends_at, str(StopReason(row.reason).label)
        )
        for row in rows.order_by("starts_at", "id")
    ]


def sessions_touched(
    *, practitioner_id: int, starts_at: dt.datetime, ends_at: dt.datetime, at: dt.datetime
) -> list[SessionOnLeave]:
    """The practitioner's sessions in a stretch of time that would still be held, with how many
    numbers are held and booked; those over at a moment left out."""
    rows = Schedule.objects.filter(
        practitioner_id=practitioner_id,
        status__in=_STANDING,
        starts_at__lt=ends_at,
        ends_at__gt=max(starts_at, at),
    )
    return [_on_leave(one) for one in _counted(rows)]


def is_late(sessions: Iterable[SessionOnLeave], *, at: dt.datetime) -> bool:
    """Whether the head of the office decides: a session starts within the notice (M15.3)."""
    notice = dt.timedelta(hours=thresholds.LEAVE_NOTICE_HOURS.value())
    return any(session.starts_at - at < notice for session in sessions)


def leave_row(*, leave_id: int, at: dt.datetime) -> LeaveRow:
    """One leave with the sessions it touches, or once it is approved what became of each.
    Raises NotFound."""
    row = Leave.objects.select_related("practitioner").filter(pk=leave_id).first()
    if row is None:
        raise NotFound("没有找到这条请假。")
    return _row(row, _of_one(row, at), at)


def leave_rows(
    *,
    statuses: Sequence[str] = (),
    practitioner_ids: Collection[int] | None = None,
    since: dt.datetime | None = None,
    at: dt.datetime,
    most: int = 100,
) -> list[LeaveRow]:
    """Leaves by start, with the sessions that undecided ones touch (two statements)."""
    rows = Leave.objects.select_related("practitioner").order_by("starts_at", "id")
    if statuses:
        rows = rows.filter(status__in=statuses)
    if practitioner_ids is not None:
        rows = rows.filter(practitioner_id__in=practitioner_ids)
    if since is not None:
        rows = rows.filter(ends_at__gt=since)
    found = list(rows[:most])
    asked = [row for row in found if row.status == LeaveStatus.ASKED]
    by_leave = _touched_by(asked, at)
    return [_row(row, by_leave.get(row.pk, []), at) for row in found]


def substitutes(*, schedule_ids: Collection[int]) -> dict[int, list[Substitute]]:
    """Session → who could hold it instead; M1.9 asks more for a lower title."""
    rows = list(Schedule.objects.filter(pk__in=schedule_ids).order_by("starts_at"))
    people = {
        (department_id, day): organisation.practitioners_of(department_id, on=day)
        for department_id, day in {(row.department_id, row.visit_date) for row in rows}
    }
    busy = _busy(rows, {person.pk for there in people.values() for person in there})
    return {
        row.pk: [
            Substitute(person.pk, person.name, person.title, str(Title(person.title).label))
            for person in people[row.department_id, row.visit_date]
            if person.pk != row.practitioner_id
            and row.visit_date <= person.licence_end_date
            and not any(
                starts_at < row.ends_at and row.starts_at < ends_at
                for starts_at, ends_at in busy.get(person.pk, ())
            )
        ]
        for row in rows
    }


def _busy(
    rows: Sequence[Schedule], ids: Collection[int]
) -> dict[int, list[tuple[dt.datetime, dt.datetime]]]:
    """When people sit elsewhere or are away, between the first and the last of some sessions."""
    found: dict[int, list[tuple[dt.datetime, dt.datetime]]] = {}
    if not rows:
        return found
    within = {
        "practitioner_id__in": ids,
        "starts_at__lt": max(row.ends_at for row in rows),
        "ends_at__gt": min(row.starts_at for row in rows),
    }
    sessions = Schedule.objects.filter(**within).exclude(status=ScheduleStatus.CANCELLED)
    away = Leave.objects.filter(**within, status=LeaveStatus.APPROVED)
    columns = "practitioner_id", "starts_at", "ends_at"
    for person, starts_at, ends_at in (
        *sessions.values_list(*columns),
        *away.values_list(*columns),
    ):
        found.setdefault(person, []).append((starts_at, ends_at))
    return found


def _counted(rows: QuerySet[Schedule]) -> list[Counted]:
    """Sessions by start, each with its numbers held and booked."""
    booked = Q(slots__status__in=(SlotStatus.BOOKED, SlotStatus.CONSUMED))
    found = (
        rows.select_related("department", "service_type", "room")
        .annotate(
            held=Count("slots", filter=Q(slots__status=SlotStatus.HELD)),
            booked=Count("slots", filter=booked),
        )
        .order_by("starts_at", "id")
    )
    return [(row, row.held, row.booked) for row in found]


def _of_one(leave: Leave, at: dt.datetime) -> list[SessionOnLeave]:
    if leave.status == LeaveStatus.ASKED:
        return sessions_touched(
            practitioner_id=leave.practitioner_id,
            starts_at=leave.starts_at,
            ends_at=leave.ends_at,
            at=at,
        )
    decisions = {
        row.schedule_id: row
        for row in LeaveDecision.objects.filter(leave=leave).select_related("substitute")
    }
    counted = _counted(Schedule.objects.filter(pk__in=decisions))
    return [_on_leave(one, decided=_words(decisions[one[0].pk])) for one in counted]


def _touched_by(leaves: Sequence[Leave], at: dt.datetime) -> dict[int, list[SessionOnLeave]]:
    if not leaves:
        return {}
    rows = Schedule.objects.filter(
        practitioner_id__in={leave.practitioner_id for leave in leaves},
        status__in=_STANDING,
        starts_at__lt=max(leave.ends_at for leave in leaves),
        ends_at__gt=max(at, min(leave.starts_at for leave in leaves)),
    )
    found: dict[int, list[SessionOnLeave]] = {}
    for one in _counted(rows):
        row, _, _ = one
        for leave in leaves:
            if (
                leave.practitioner_id == row.practitioner_id
                and row.starts_at < leave.ends_at
                and leave.starts_at < row.ends_at
            ):
                found.setdefault(leave.pk, []).append(_on_leave(one))
    return found


def _words(decision: LeaveDecision) -> str:
    if decision.answer == LeaveAnswer.STOP:
        return str(LeaveAnswer.STOP.label)
    name = decision.substitute.name if decision.substitute else ""
    return f"{LeaveAnswer.SUBSTITUTE.label}：{name}"


def _on_leave(counted: Counted, *, decided: str = "") -> SessionOnLeave:
    row, held, booked = counted
    return SessionOnLeave(
        schedule_id=row.pk,
        visit_date=row.visit_date,
        period_label=str(SessionPeriod(row.session_period).label),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        department_id=row.department_id,
        department=row.department.name,
        service_name=row.service_type.name,
        place=row.room.name,
        status_label=str(ScheduleStatus(row.status).label),
        held=held,
        booked=booked,
        decided=decided,
    )


def _row(leave: Leave, sessions: Sequence[SessionOnLeave], at: dt.datetime) -> LeaveRow:
    person = leave.practitioner
    return LeaveRow(
        id=leave.pk,
        practitioner_id=person.pk,
        practitioner=person.name,
        title_label=str(Title(person.title).label),
        starts_at=leave.starts_at,
        ends_at=leave.ends_at,
        reason=leave.reason,
        reason_label=str(StopReason(leave.reason).label),
        note=leave.note,
        status=leave.status,
        status_label=str(LeaveStatus(leave.status).label),
        asked_by=leave.asked_by,
        asked_at=leave.asked_at,
        decided_by=leave.decided_by,
        decided_at=leave.decided_at,
        answer_note=leave.answer_note,
        sessions=tuple(sessions),
        is_late=leave.status == LeaveStatus.ASKED and is_late(sessions, at=at),
    )
