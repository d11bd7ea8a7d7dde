"""What a proposed roster is made from: a department's needs, and the wishes of its doctors."""

import datetime as dt
from typing import Any

from django.db import transaction

from hospital.catalogue import queries as catalogue
from hospital.kernel import audit
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound
from hospital.organisation.states import Title
from hospital.scheduling.models import RosterNeed, RosterWish
from hospital.scheduling.states import SessionPeriod, WishMind
from hospital.scheduling.weekly import standing_templates

_MOST_PEOPLE = 99
_MOST_WISHES = 60
_HEAVIEST = 3
_FARTHEST = dt.timedelta(days=366)


@transaction.atomic
def save_need(
    *,
    department_id: int,
    need_id: int | None,
    weekdays: list[int],
    values: dict[str, Any],
    by: Actor,
    at: dt.datetime,
) -> int:
    """Save a need for one or several weekdays (8: public holidays), or change one by its id; how
    many rows that touched. `values` are the other columns of RosterNeed. Raises Invalid, NotFound.
    """
    _check_need(weekdays, values)
    if need_id is not None:
        row = RosterNeed.objects.select_for_update().filter(pk=need_id, department_id=department_id)
        if not row.exists():
            raise NotFound("没有找到这条出诊需求。")
        weekdays = weekdays[:1]
        _refuse_double(department_id, need_id, weekdays[0], values)
        row.delete()
    for weekday in weekdays:
        key = {
            "department_id": department_id,
            "weekday": weekday,
            "session_period": values["session_period"],
            "service_type_id": values["service_type_id"],
            "minimum_title": values["minimum_title"],
        }
        rest = {name: value for name, value in values.items() if name not in key}
        saved, _ = RosterNeed.objects.update_or_create(**key, defaults=rest)
        _audit_need(saved, by, at)
    return len(weekdays)


@transaction.atomic
def remove_need(*, department_id: int, need_id: int, by: Actor, at: dt.datetime) -> None:
    """Take a need away. Raises NotFound."""
    row = RosterNeed.objects.filter(pk=need_id, department_id=department_id).first()
    if row is None:
        raise NotFound("没有找到这条出诊需求。")
    audit.record(
        act="scheduling.save_need",
        subject=row,
        by=by,
        at=at,
        before={"minimum": row.minimum, "target": row.target},
    )
    row.delete()


@transaction.atomic
def needs_from_templates(*, department_id: int, by: Actor, at: dt.datetime) -> int:
    """Enter as needs what the department's templates have, where nothing is entered yet for that
    weekday, period and service; how many were entered."""
    wanted: dict[tuple[int, str, int], RosterNeed] = {}
    for template in standing_templates():
        if template.department_id != department_id or template.practitioner_id is None:
            continue
        key = (template.weekday, template.session_period, template.service_type_id)
        need = wanted.setdefault(
            key,
            RosterNeed(
                department_id=department_id,
                weekday=template.weekday,
                session_period=template.session_period,
                service_type_id=template.service_type_id,
                minimum=0,
                target=0,
                starts=template.starts,
                ends=template.ends,
                capacity=template.capacity,
                band_minutes=template.band_minutes,
            ),
        )
        need.minimum, need.target = need.minimum + 1, need.target + 1
    there = set(
        RosterNeed.objects.filter(department_id=department_id).values_list(
            "weekday", "session_period", "service_type_id"
        )
    )
    new = [need for key, need in wanted.items() if key not in there]
    for need in new:
        need.save()
        _audit_need(need, by, at)
    return len(new)


@transaction.atomic
def save_wish(
    *,
    practitioner_id: int,
    visit_date: dt.date | None,
    weekday: int | None,
    session_period: str,
    mind: str,
    weight: int,
    at: dt.datetime,
) -> RosterWish:
    """Keep what a doctor says about a day or a weekday; saying it again changes it. Raises
    Invalid."""
    mine = RosterWish.objects.filter(practitioner_id=practitioner_id)
    _refuse(
        ("day", (visit_date is None) == (weekday is None), "请选择一个日期，或每周的一天。"),
        ("day", visit_date and visit_date <= hospital_day(at), "请选择今天以后的日期。"),
        ("day", visit_date and visit_date > hospital_day(at) + _FARTHEST, "请选择一年以内的日期。"),
        ("day", weekday is not None and weekday not in range(1, 8), "请选择周一至周日。"),
        ("session_period", session_period not in ("", *SessionPeriod.values), "请选择午别。"),
        ("mind", mind not in WishMind.values, "请选择希望出诊或尽量不排。"),
        ("weight", not 1 <= weight <= _HEAVIEST, "请选择重要程度。"),
        ("day", mine.count() >= _MOST_WISHES, f"最多 {_MOST_WISHES} 个意愿，请先删去不要的。"),
    )
    wish, _ = RosterWish.objects.update_or_create(
        practitioner_id=practitioner_id,
        visit_date=visit_date,
        weekday=weekday,
        session_period=session_period,
        defaults={"mind": mind, "weight": weight},
    )
    return wish


def remove_wish(*, practitioner_id: int, wish_id: int) -> None:
    """Take a wish back. Raises NotFound for somebody else's."""
    gone, _ = RosterWish.objects.filter(pk=wish_id, practitioner_id=practitioner_id).delete()
    if not gone:
        raise NotFound("没有找到这个意愿。")


def _check_need(weekdays: list[int], values: dict[str, Any]) -> None:
    services = {row.id for row in catalogue.service_types()}
    starts, ends = values["starts"], values["ends"]
    is_count = 0 <= values["minimum"] <= values["target"] <= _MOST_PEOPLE and values["target"]
    _refuse(
        ("weekday", not weekdays or set(weekdays) - set(range(1, 9)), "请选择星期或节假日。"),
        ("period", values["session_period"] not in SessionPeriod.values, "请选择午别。"),
        ("service_type", values["service_type_id"] not in services, "请选择号别。"),
        ("title", values["minimum_title"] not in ("", *Title.values), "请选择职称。"),
        ("target", not is_count, f"人数应为 1–{_MOST_PEOPLE}，“最好”不少于“至少”。"),
        ("ends", None in (starts, ends) or starts == ends, "请填写开始和结束时间。"),
        ("capacity", not 1 <= values["capacity"] <= 500, "限号应在 1–500 之间。"),
        ("band_minutes", not 5 <= values["band_minutes"] <= 240, "每段应在 5–240 分钟之间。"),
    )


def _refuse_double(department_id: int, need_id: int, weekday: int, values: dict[str, Any]) -> None:
    """A need that is changed must not swallow another one. Raises Invalid."""
    same = {name: values[name] for name in ("session_period", "service_type_id", "minimum_title")}
    others = RosterNeed.objects.filter(department_id=department_id, weekday=weekday, **same)
    is_double = others.exclude(pk=need_id).exists()
    _refuse(("weekday", is_double, "这一天、午别、号别和职称已经有一条需求，请直接改那一条。"))


def _refuse(*checks: tuple[str, object, str]) -> None:
    """Raises Invalid with the sentences of the fields that are wrong."""
    wrong = {field: [sentence] for field, is_wrong, sentence in checks if is_wrong}
    if wrong:
        raise Invalid(wrong)


def _audit_need(row: RosterNeed, by: Actor, at: dt.datetime) -> None:
    audit.record(
        act="scheduling.save_need",
        subject=row,
        by=by,
        at=at,
        after={
            "department_id": row.department_id,
            "weekday": row.weekday,
            "session_period": row.session_period,
            "service_type_id": row.service_type_id,
            "minimum_title": row.minimum_title,
            "minimum": row.minimum,
            "target": row.target,
        },
    )
