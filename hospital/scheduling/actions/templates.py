"""Saving weekly templates by code (import and, later, the template page)."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from hospital.catalogue import queries as catalogue
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.settings_rows import Scope
from hospital.kernel.upserts import upsert
from hospital.organisation import queries as organisation
from hospital.scheduling import thresholds
from hospital.scheduling.models import ScheduleTemplate
from hospital.scheduling.states import SessionPeriod

if TYPE_CHECKING:
    from hospital.catalogue.models import ServiceType
    from hospital.organisation.models import Department, Location, Practitioner

_DAY = 24 * 60


@transaction.atomic
def save_template(
    *,
    code: str,
    department: str,
    practitioner: str | None,
    service_type: str,
    room: str,
    weekday: int,
    session_period: str,
    starts: dt.time,
    ends: dt.time,
    capacity: int,
    band_minutes: int,
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    is_active: bool = True,
    on_holidays: bool = False,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 排班模板 by its code; other nouns are given by their codes. Returns whether it changed.

    Sessions already generated stay as they are; a switched-off template may name what is switched
    off itself. Raises Invalid for unknown codes, impossible sizes, a practitioner or room that
    another template already occupies then, or one more a week than a doctor may hold (M15.2).
    """
    sizes = _wrong_sizes(weekday, session_period, starts, ends, capacity, band_minutes)
    if valid_to is not None and valid_to < valid_from:
        sizes["valid_to"] = ["失效日期不能早于生效日期。"]
    if sizes:
        raise Invalid(sizes)
    values = {
        "department": _department(department, active_only=is_active),
        "practitioner": _practitioner(practitioner, active_only=is_active),
        "service_type": _service_type(service_type, active_only=is_active),
        "room": _room(room, active_only=is_active),
        "weekday": weekday,
        "session_period": SessionPeriod(session_period),
        "starts": starts,
        "ends": ends,
        "capacity": capacity,
        "band_minutes": band_minutes,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "is_active": is_active,
        "on_holidays": on_holidays,
    }
    if is_active:
        _refuse_conflicts(ScheduleTemplate(code=code, **values))
    return upsert(
        ScheduleTemplate,
        key={"code": code},
        values=values,
        act="scheduling.save_template",
        by=by,
        at=at,
    ).changed


def _wrong_sizes(
    weekday: int,
    session_period: str,
    starts: dt.time,
    ends: dt.time,
    capacity: int,
    band_minutes: int,
) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    if not 1 <= weekday <= 7:
        wrong["weekday"] = ["星期应为 1（周一）至 7（周日）。"]
    if session_period not in SessionPeriod.values:
        wrong["session_period"] = ["午别应为上午、中午、下午、晚上或夜间。"]
    if starts == ends:
        wrong["ends"] = ["结束时间不能与开始时间相同。"]
    if not 1 <= capacity <= 500:
        wrong["capacity"] = ["限号应在 1–500 之间。"]
    if not 5 <= band_minutes <= 240:
        wrong["band_minutes"] = ["分时段长度应在 5–240 分钟之间。"]
    return wrong


def _refuse_conflicts(wanted: ScheduleTemplate) -> None:
    others = (
        ScheduleTemplate.objects.filter(weekday=wanted.weekday, is_active=True)
        .exclude(code=wanted.code)
        .filter(Q(valid_to__isnull=True) | Q(valid_to__gt=wanted.valid_from))
    )
    if wanted.valid_to is not None:
        others = others.filter(valid_from__lt=wanted.valid_to)
    same_room = [other for other in others.filter(room=wanted.room) if _overlap(wanted, other)]
    if same_room:
        raise Invalid({"room": [f"诊室在该时间已被模板“{same_room[0].code}”占用。"]})
    if wanted.practitioner is None:
        return
    same_doctor = others.filter(practitioner=wanted.practitioner)
    for other in same_doctor:
        if _overlap(wanted, other):
            raise Invalid({"practitioner": [f"医生在该时间已有模板“{other.code}”。"]})
    _refuse_beyond_cap(wanted)


def _refuse_beyond_cap(wanted: ScheduleTemplate) -> None:
    """One template more than a doctor may hold in a week would never become a session. One that is
    there already may be changed."""
    own = ScheduleTemplate.objects.filter(practitioner=wanted.practitioner, is_active=True)
    if own.filter(code=wanted.code).exists():
        return
    others = own.filter(Q(valid_to__isnull=True) | Q(valid_to__gt=wanted.valid_from))
    if wanted.valid_to is not None:
        others = others.filter(valid_from__lt=wanted.valid_to)
    cap = thresholds.WEEK_CAP.value(Scope("practitioner", wanted.practitioner_id or 0))
    periods = list(others.values_list("valid_from", "valid_to"))
    beginnings = {wanted.valid_from, *(max(first, wanted.valid_from) for first, _ in periods)}
    for day in sorted(beginnings):
        count = sum(first <= day and (end is None or day < end) for first, end in periods)
        if count >= cap:
            raise Invalid({"practitioner": [f"这位医生每周已有 {count} 个模板，最多 {cap} 次。"]})


def _overlap(one: ScheduleTemplate, other: ScheduleTemplate) -> bool:
    (one_start, one_end), (other_start, other_end) = _minutes(one), _minutes(other)
    return one_start < other_end and other_start < one_end


def _minutes(template: ScheduleTemplate) -> tuple[int, int]:
    start = template.starts.hour * 60 + template.starts.minute
    end = template.ends.hour * 60 + template.ends.minute
    return start, end if end > start else end + _DAY


def _department(code: str, *, active_only: bool) -> "Department":
    try:
        return organisation.department(code, active_only=active_only)
    except NotFound:
        raise Invalid({"department": [f"没有编码为“{code}”的科室。"]}) from None


def _practitioner(code: str | None, *, active_only: bool) -> "Practitioner | None":
    if not code:
        return None
    try:
        return organisation.practitioner(code, active_only=active_only)
    except NotFound:
        raise Invalid({"practitioner": [f"没有工号为“{code}”的医生。"]}) from None


def _room(code: str, *, active_only: bool) -> "Location":
    try:
        return organisation.location(code, active_only=active_only)
    except NotFound:
        raise Invalid({"room": [f"没有编码为“{code}”的诊室。"]}) from None


def _service_type(code: str, *, active_only: bool) -> "ServiceType":
    try:
        return catalogue.service_type_object(code, active_only=active_only)
    except NotFound:
        raise Invalid({"service_type": [f"没有编码为“{code}”的号别。"]}) from None
