"""替诊: another doctor holds a session; two sessions swap theirs (SM1, M1.9).

The session stays what was published, and remembers who was on the roster. What it means for those
who booked is decided above, by title and fee.
"""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from hospital.catalogue import queries as catalogue
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal, Stale
from hospital.live import actions as live
from hospital.organisation import queries as organisation
from hospital.scheduling import queries
from hospital.scheduling.actions import making
from hospital.scheduling.events import ScheduleSubstituted
from hospital.scheduling.models import Schedule
from hospital.scheduling.states import ACTIVE

if TYPE_CHECKING:
    from hospital.organisation.models import Practitioner


class CannotSubstitute(Refusal):
    code = "CANNOT_SUBSTITUTE"
    default_message = "这位医生不能替诊：这个时间有其他出诊或请假，或不在本科室。"


class CannotSwap(Refusal):
    code = "CANNOT_SWAP"
    default_message = "这两次出诊不能互换医生。"


@transaction.atomic
def substitute(
    *,
    schedule_id: int,
    practitioner_id: int,
    seen: int | None = None,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> Schedule:
    """替诊: another doctor of the department holds the session; giving it back to whom the roster
    names is one too (M1.9).

    `seen` is who held it on the page: when somebody changed that since, Stale. Raises NotFound;
    CannotSubstitute when the session is over or called off, or the doctor has another session or
    leave at that time, no licence on the day, or a title without a fee.
    """
    # A leave approved, or a roster published, in the same moment is seen, or sees this (M15.2).
    making.take_turns()
    schedule = _lock([schedule_id])[0]
    _check_seen(schedule, seen)
    _check_held([schedule], at)
    free = queries.substitutes(schedule_ids=[schedule_id])[schedule_id]
    if practitioner_id not in {person.id for person in free}:
        raise CannotSubstitute
    _check_fee(schedule, organisation.practitioner_by_id(practitioner_id))
    try:
        with transaction.atomic():
            _hand_over(schedule, practitioner_id, reason, by=by, at=at)
    except IntegrityError as busy:  # another session of theirs was written at this moment
        raise CannotSubstitute from busy
    return schedule


@transaction.atomic
def swap_practitioners(
    *,
    first_id: int,
    second_id: int,
    seen: int | None = None,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> None:
    """换班: two sessions of a department swap their doctors in one act.

    `seen` is who held the first on the page: when somebody changed that since, Stale. Raises
    NotFound; CannotSwap when one is over or called off, has no doctor or the same one, or a doctor
    has something else at the other's time.
    """
    making.take_turns()
    first, second = _lock([first_id, second_id])
    _check_seen(first, seen)
    doctors = first.practitioner_id, second.practitioner_id
    if None in doctors or len(set(doctors)) == 1 or first.department_id != second.department_id:
        raise CannotSwap
    try:
        _check_held([first, second], at)
    except CannotSubstitute as refusal:
        raise CannotSwap(refusal.message) from refusal
    for schedule, doctor_id in ((first, doctors[1]), (second, doctors[0])):
        assert doctor_id is not None
        _check_fee(schedule, organisation.practitioner_by_id(doctor_id))
        if _is_away(doctor_id, schedule):
            raise CannotSwap("其中一位医生在对方的出诊时间请了假，不能互换。")
    try:
        with transaction.atomic():
            # Nobody sits in two places for a moment: the database would not have it.
            Schedule.objects.filter(pk=first.pk).update(practitioner=None)
            assert doctors[0] is not None
            assert doctors[1] is not None
            _hand_over(second, doctors[0], reason, by=by, at=at)
            _hand_over(first, doctors[1], reason, by=by, at=at)
    except IntegrityError as busy:
        raise CannotSwap("其中一位医生在对方的出诊时间另有出诊，不能互换。") from busy


def _hand_over(
    schedule: Schedule, practitioner_id: int, reason: str, *, by: Actor, at: dt.datetime
) -> None:
    was, planned = schedule.practitioner_id, schedule.planned_practitioner_id
    roster = planned if planned is not None else was
    schedule.practitioner_id = practitioner_id
    schedule.planned_practitioner_id = None if practitioner_id == roster else roster
    schedule.save(update_fields=["practitioner", "planned_practitioner"])
    audit.record(
        act="scheduling.substitute",
        subject=schedule,
        by=by,
        at=at,
        before={"practitioner": was},
        after={"practitioner": practitioner_id},
        reason=reason[:100],
    )
    events.emit(ScheduleSubstituted(schedule_id=schedule.pk))
    live.publish("schedules", f"schedule:{schedule.pk}")


def _is_away(practitioner_id: int, schedule: Schedule) -> bool:
    last = hospital_day(schedule.ends_at)
    leaves = queries.leaves_of(
        practitioner_ids=[practitioner_id], from_date=schedule.visit_date, to_date=last
    )
    return any(
        leave.starts_at < schedule.ends_at and schedule.starts_at < leave.ends_at
        for leave in leaves
    )


def _check_seen(schedule: Schedule, seen: int | None) -> None:
    if seen not in (None, schedule.practitioner_id):
        raise Stale("这次出诊的医生刚刚换过，请看过现在的安排再办。")


def _check_held(schedules: Iterable[Schedule], at: dt.datetime) -> None:
    for schedule in schedules:
        if schedule.status not in ACTIVE or schedule.ends_at <= at:
            raise CannotSubstitute("这次出诊已停诊或已结束，不能再换医生。")


def _check_fee(schedule: Schedule, doctor: "Practitioner") -> None:
    """New patients pay what the substitute's title costs, so it must cost something known."""
    fees = catalogue.registration_fees(on=schedule.visit_date)
    if (schedule.service_type_id, doctor.title) not in fees:
        raise CannotSubstitute(f"{doctor.name}的职称在这类门诊没有定价，请先定价再替诊。")


def _lock(schedule_ids: list[int]) -> list[Schedule]:
    """The sessions, locked in the order of their ids and given as they were asked for."""
    rows = Schedule.objects.select_for_update(no_key=True).filter(pk__in=schedule_ids)
    found = {row.pk: row for row in rows.order_by("pk")}
    if len(found) != len(set(schedule_ids)) or len(set(schedule_ids)) != len(schedule_ids):
        raise NotFound("没有找到这次出诊。")
    return [found[schedule_id] for schedule_id in schedule_ids]
