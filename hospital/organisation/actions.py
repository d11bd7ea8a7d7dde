"""Writes of the organisation: save by code, which creates, changes or leaves alone.

Each `save_*` runs in one transaction, refers to other rows by their codes, audits what changed
and returns whether anything did (H1.1). Unknown codes and broken rules raise Invalid, with the
parameter's name as the field.
"""

import datetime as dt
import hashlib
from collections.abc import Collection
from typing import TypeVar

from django.db import models, transaction

from hospital.kernel import audit, pinyin
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.upserts import plain, spelling, upsert
from hospital.organisation.models import (
    Campus,
    Department,
    Location,
    Photo,
    Practitioner,
    PractitionerRole,
)
from hospital.organisation.states import LocationKind, Sex, SexLimit, Title

Row = TypeVar("Row", bound=models.Model)


@transaction.atomic
def save_campus(
    *, code: str, name: str, address: str = "", telephone: str = "", by: Actor, at: dt.datetime
) -> bool:
    """Save 院区."""
    return upsert(
        Campus,
        key={"code": code},
        values={"name": name, "address": address, "telephone": telephone},
        act="organisation.save_campus",
        by=by,
        at=at,
    ).changed


@transaction.atomic
def save_department(
    *,
    code: str,
    name: str,
    parent: str | None = None,
    hint: str = "",
    introduction: str = "",
    sex_limit: SexLimit = SexLimit.NONE,
    min_age_months: int | None = None,
    max_age_months: int | None = None,
    min_age_days: int | None = None,
    max_age_days: int | None = None,
    location_text: str = "",
    floor: str = "",
    telephone: str = "",
    is_bookable: bool = True,
    walk_in_only: bool = False,
    sort_order: int = 0,
    is_active: bool = True,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    reading: str = "",
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 科室; ages in months, half-open, and in days, both ends in (M1.12); `reading` where the
    usual pinyin is wrong.

    Raises Invalid, e.g. on a circle in the tree.
    """
    above = _department(parent, "parent") if parent else None
    errors: dict[str, list[str]] = {}
    if _is_circle(code, above):
        errors["parent"] = ["上级科室不能是自己或自己的下级。"]
    if is_bookable and walk_in_only:
        errors["walk_in_only"] = ["仅现场就诊的科室不能同时开放预约。"]
    ages = {
        "min_age_months": min_age_months,
        "max_age_months": max_age_months,
        "min_age_days": min_age_days,
        "max_age_days": max_age_days,
    }
    errors |= {field: [f"{why}。"] for field, why in wrong_ages(**ages).items()}
    read, wrong = _reading(pinyin.pinyin(name), reading)
    errors |= _wrong_period(valid_from, valid_to) | wrong
    if errors:
        raise Invalid(errors)
    return upsert(
        Department,
        key={"code": code},
        values={
            "name": name,
            "reading": read,
            **spelling(Department, read or pinyin.pinyin(name)),
            "parent": above,
            "hint": hint,
            "introduction": introduction,
            "sex_limit": sex_limit,
            **ages,
            "location_text": location_text,
            "floor": floor,
            "telephone": telephone,
            "is_bookable": is_bookable,
            "walk_in_only": walk_in_only,
            "sort_order": sort_order,
            "is_active": is_active,
            "valid_from": valid_from,
            "valid_to": valid_to,
        },
        act="organisation.save_department",
        by=by,
        at=at,
    ).changed


def wrong_ages(
    *,
    min_age_months: int | None,
    max_age_months: int | None,
    min_age_days: int | None,
    max_age_days: int | None,
) -> dict[str, str]:
    """Limits nobody could keep, by the field to be changed: why (M1.12). A month is taken for what
    it can be, 28 to 31 days."""
    found: dict[str, str] = {}
    months, days = (min_age_months or 0, max_age_months), (min_age_days or 0, max_age_days)
    if months[1] is not None and months[0] >= months[1]:
        found["max_age_months"] = "应大于年龄下限"
    elif months[1] is not None and days[0] >= months[1] * 31:
        found["min_age_days"] = "与年龄上限矛盾，没有人能同时满足"
    if days[1] is not None and days[0] > days[1]:
        found["max_age_days"] = "不应小于日龄下限"
    elif days[1] is not None and months[0] * 28 > days[1]:
        found["max_age_days"] = "与年龄下限矛盾，没有人能同时满足"
    return found


@transaction.atomic
def save_location(
    *,
    code: str,
    name: str,
    kind: LocationKind,
    campus: str,
    parent: str | None = None,
    department: str | None = None,
    floor: str = "",
    is_active: bool = True,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save a place: 楼栋, 楼层, 诊区, 诊室 or 窗口. Raises Invalid on a circle in the tree."""
    above = _by_code(Location, parent, "parent", "位置") if parent else None
    errors = _wrong_period(valid_from, valid_to)
    if _is_circle(code, above):
        errors["parent"] = ["上级位置不能是自己或自己的下级。"]
    if errors:
        raise Invalid(errors)
    return upsert(
        Location,
        key={"code": code},
        values={
            "name": name,
            "kind": kind,
            "campus": _by_code(Campus, campus, "campus", "院区"),
            "parent": above,
            "department": _department(department, "department") if department else None,
            "floor": floor,
            "is_active": is_active,
            "valid_from": valid_from,
            "valid_to": valid_to,
        },
        act="organisation.save_location",
        by=by,
        at=at,
    ).changed


@transaction.atomic
def save_practitioner(
    *,
    code: str,
    name: str,
    sex: Sex,
    title: Title,
    departments: Collection[str],
    specialty: str = "",
    introduction: str = "",
    licence_end_date: dt.date,
    is_active: bool = True,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    reading: str = "",
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 医生 and its departments: roles begin and end on the hospital day of `at`."""
    read, wrong = _reading(pinyin.name_pinyin(name), reading)
    if errors := _wrong_period(valid_from, valid_to) | wrong:
        raise Invalid(errors)
    saved = upsert(
        Practitioner,
        key={"code": code},
        values={
            "name": name,
            "reading": read,
            **spelling(Practitioner, read or pinyin.name_pinyin(name)),
            "sex": sex,
            "title": title,
            "specialty": specialty,
            "introduction": introduction,
            "licence_end_date": licence_end_date,
            "is_active": is_active,
            "valid_from": valid_from,
            "valid_to": valid_to,
        },
        act="organisation.save_practitioner",
        by=by,
        at=at,
    )
    moved = _save_roles(saved.row, departments, by=by, at=at)
    return saved.changed or moved


@transaction.atomic
def save_role(
    *,
    practitioner: str,
    department: str,
    valid_from: dt.date,
    valid_to: dt.date | None = None,
    by: Actor,
    at: dt.datetime,
) -> bool:
    """Save 任职: a practitioner's role in a department from a hospital day on.

    The day it begins names the role, `valid_to` is the first day without it; a role that ends on
    the day it begins was never held. Raises Invalid.
    """
    person = _by_code(Practitioner, practitioner, "practitioner", "医生")
    place = _department(department, "department")
    if valid_to is not None and valid_to < valid_from:
        raise Invalid({"valid_to": ["失效日期不能早于生效日期。"]})
    roles = PractitionerRole.objects.filter(practitioner=person, department=place)
    role = roles.filter(valid_from=valid_from).exclude(valid_to=valid_from).first()
    others = roles.exclude(valid_to__lte=valid_from)
    if role is not None:
        others = others.exclude(pk=role.pk)
    if valid_to is not None:
        others = others.filter(valid_from__lt=valid_to)
    if valid_to != valid_from and (other := others.order_by("valid_from").first()):
        begins = other.valid_from.isoformat()
        raise Invalid({"valid_from": [f"与从 {begins} 开始的任职时间重叠。"]})
    if role is not None and role.valid_to == valid_to:
        return False
    before = plain(role.valid_to) if role else None
    saved = role or PractitionerRole(practitioner=person, department=place, valid_from=valid_from)
    saved.valid_to = valid_to
    saved.save()
    named = {"practitioner": person.code, "department": place.code, "valid_from": plain(valid_from)}
    audit.record(
        act="organisation.save_role",
        subject=person,
        by=by,
        at=at,
        before={**named, "valid_to": before} if role else {},
        after={**named, "valid_to": plain(valid_to)},
    )
    return True


@transaction.atomic
def save_photo(*, code: str, content: bytes | None, by: Actor, at: dt.datetime) -> bool:
    """Show a portrait (JPEG, already small) for a practitioner, or (None) none any more."""
    person = Practitioner.objects.select_for_update().filter(code=code).first()
    if person is None:
        raise NotFound("没有找到这位医生。")
    digest = hashlib.sha256(content).hexdigest() if content is not None else None
    before = person.photo_id
    if digest == before:
        return False
    if content is not None and digest is not None:
        Photo.objects.get_or_create(digest=digest, defaults={"content": content, "created_at": at})
    person.photo_id = digest
    person.save(update_fields=["photo"])
    audit.record(
        act="organisation.save_photo",
        subject=person,
        by=by,
        at=at,
        before={"photo": before} if before else {},
        after={"photo": digest},
    )
    return True


def _save_roles(
    practitioner: Practitioner, codes: Collection[str], *, by: Actor, at: dt.datetime
) -> bool:
    """End the roles that are gone, begin the new ones; audited as one list of departments.

    Roles that begin or end on a later day as planned stay as they are.
    """
    wanted = {code: _department(code, "departments") for code in codes}
    day = hospital_day(at)
    roles = PractitionerRole.objects.filter(practitioner=practitioner).exclude(valid_to__lte=day)
    later = roles.filter(valid_from__gt=day).order_by("-valid_from")
    planned = dict(later.values_list("department__code", "valid_from"))
    current = {
        role.department.code: role
        for role in roles.filter(valid_from__lte=day).select_related("department")
    }
    gone, new = current.keys() - wanted.keys(), wanted.keys() - current.keys()
    if not gone and not new:
        return False
    for code in gone:
        role = current[code]
        role.valid_to = day
        role.save(update_fields=["valid_to"])
    for code in sorted(new):
        PractitionerRole.objects.create(
            practitioner=practitioner,
            department=wanted[code],
            valid_from=day,
            valid_to=planned.get(code),
        )
    audit.record(
        act="organisation.assign_practitioner",
        subject=practitioner,
        by=by,
        at=at,
        before={"departments": sorted(current)},
        after={"departments": sorted(wanted)},
    )
    return True


def _reading(usual: str, typed: str) -> tuple[str, dict[str, list[str]]]:
    """A reading by hand, "" where it is the usual one of the name; and what is wrong with it.

    One syllable for each of the usual ones: a name that changed later asks for its reading anew.
    """
    spaced = " ".join(typed.split())
    if spaced == usual:
        return "", {}
    wanted = len(usual.split())
    if spaced and len(spaced.split()) != wanted:
        return "", {"reading": [f"应有 {wanted} 个音节，用空格隔开，如“{usual}”。"]}
    return spaced, {}


def _wrong_period(valid_from: dt.date | None, valid_to: dt.date | None) -> dict[str, list[str]]:
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        return {"valid_to": ["失效日期应晚于生效日期。"]}
    return {}


def _department(code: str, field: str) -> Department:
    return _by_code(Department, code, field, "科室")


def _by_code(model: type[Row], code: str, field: str, noun: str) -> Row:
    row = model._base_manager.filter(code=code).first()
    if row is None:
        raise Invalid({field: [f"没有编码为“{code}”的{noun}。"]})
    return row


def _is_circle(code: str, above: Department | Location | None) -> bool:
    """Whether hanging `code` under `above` would close a circle."""
    while above is not None:
        if above.code == code:
            return True
        above = above.parent
    return False
