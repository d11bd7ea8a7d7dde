"""Reads of the organisation that others may use: ready rows, sorted by pinyin.

Lookups by code raise NotFound when there is no such row, or it is switched off and the caller
did not say `active_only=False` (master data may refer to what is switched off).
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet

from hospital.kernel import pinyin
from hospital.kernel.clock import today
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
from hospital.organisation.models import (
    Campus,
    Department,
    Location,
    Photo,
    Practitioner,
    PractitionerRole,
)
from hospital.organisation.states import LocationKind, Sex, SexLimit, Title

# Written out: in a rush these are asked again and again, and building them costs more than asking.
_DEPARTMENT = "SELECT * FROM organisation_department WHERE code = %s"
_PRACTITIONER = "SELECT * FROM organisation_practitioner WHERE code = %s"


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A department as patients browse it; `category` is the top node above it."""

    id: int
    code: str
    name: str
    pinyin: str
    initials: str
    category: str
    hint: str
    floor: str
    location_text: str
    is_bookable: bool
    walk_in_only: bool


@dataclass(frozen=True, slots=True)
class PractitionerRow:
    """A practitioner as people look for one, with the names of the departments of the day."""

    id: int
    code: str
    name: str
    pinyin: str
    initials: str
    title: str
    title_label: str
    specialty: str
    department_ids: tuple[int, ...]
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A consulting room; `is_own` rooms belong to the department asked for."""

    id: int
    code: str
    name: str
    is_own: bool


def bookable_departments(*, through: dt.date | None = None) -> list[DepartmentRow]:
    """What the patient's list shows: open departments, walk-in only ones included (M1.11).

    One that opens after `through`, the latest day that can be booked, does not show yet.
    Categories come in their own order, departments inside by sort order, then pinyin.
    """
    nodes = list(Department.objects.filter(_in_force(today(), through)))
    by_id = {node.pk: node for node in nodes}
    shown = [node for node in nodes if node.is_bookable or node.walk_in_only]
    tops = {node.pk: _top(node, by_id) for node in shown}
    shown.sort(key=lambda node: (*_order(tops[node.pk]), *_order(node)))
    return [_department_row(node, tops[node.pk].name) for node in shown]


def search_departments(text: str, *, through: dt.date | None = None) -> list[DepartmentRow]:
    """Departments by name, pinyin, initials or symptom hint; the best matches first.

    Typing nothing finds all of them, in their usual order.
    """
    wanted = pinyin.fold(text)
    ranked = [(_rank(row, wanted), row) for row in bookable_departments(through=through)]
    found = [(rank, row) for rank, row in ranked if rank is not None]
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def department(code: str, *, active_only: bool = True) -> Department:
    """The department of a code, unless switched off. Raises NotFound."""
    found = next(iter(Department.objects.raw(_DEPARTMENT, [code])), None)
    if found is None or (active_only and not _is_kept(found)):
        raise NotFound("没有找到这个科室，请返回重新选择。")
    return found


def practitioner(code: str, *, active_only: bool = True) -> Practitioner:
    """The practitioner of a code, unless switched off. Raises NotFound."""
    found = next(iter(Practitioner.objects.raw(_PRACTITIONER, [code])), None)
    if found is None or (active_only and not _is_kept(found)):
        raise NotFound("没有找到这位医生，请返回重新选择。")
    return found


def practitioner_by_id(practitioner_id: int) -> Practitioner:
    """The practitioner of an id, unless switched off. Raises NotFound."""
    found = Practitioner.objects.filter(pk=practitioner_id).first()
    if found is None or not _is_kept(found):
        raise NotFound("没有找到这位医生，请返回重新选择。")
    return found


def practitioners_by_id(ids: Collection[int]) -> list[Practitioner]:
    """The active ones of these practitioners, by pinyin."""
    return list(Practitioner.objects.filter(pk__in=ids, is_active=True).order_by("pinyin", "code"))


def location(code: str, *, active_only: bool = True) -> Location:
    """The place of a code, with campus and parent, unless switched off. Raises NotFound."""
    found = Location.objects.select_related("campus", "parent").filter(code=code).first()
    if found is None or (active_only and not _is_kept(found)):
        raise NotFound("没有找到这个位置。")
    return found


def practitioners_of(department_id: int, *, on: dt.date) -> list[Practitioner]:
    """Active practitioners with a role in the department on a hospital day, by pinyin."""
    roles = _roles(on).filter(department_id=department_id)
    people = Practitioner.objects.filter(_in_force(on, on), pk__in=roles.values("practitioner_id"))
    return list(people.order_by("pinyin", "code"))


def role_periods(*, department_id: int) -> dict[int, list[tuple[dt.date, dt.date | None]]]:
    """Practitioner id → the half-open periods of days with a role in the department."""
    found: dict[int, list[tuple[dt.date, dt.date | None]]] = {}
    roles = PractitionerRole.objects.filter(department_id=department_id).order_by("valid_from")
    for row in roles:
        found.setdefault(row.practitioner_id, []).append((row.valid_from, row.valid_to))
    return found


def departments_of(practitioner_id: int, *, on: dt.date) -> list[Department]:
    """Active departments a practitioner has a role in on a hospital day."""
    roles = _roles(on).filter(practitioner_id=practitioner_id)
    found = Department.objects.filter(_in_force(on, on), pk__in=roles.values("department_id"))
    return list(found.order_by("pinyin", "code"))


def search_practitioners(text: str, *, on: dt.date, limit: int = 20) -> list[PractitionerRow]:
    """Active practitioners by name, pinyin, initials or specialty; an empty text finds nobody."""
    wanted = pinyin.fold(text)
    if not wanted:
        return []
    people = Practitioner.objects.filter(_in_force(on, None)).filter(
        Q(name__contains=wanted)
        | Q(initials__startswith=wanted)
        | Q(pinyin__startswith=wanted[0])
        | Q(specialty__contains=wanted)
    )
    ranked = [(_person_rank(person, wanted), person) for person in people]
    found = sorted(
        ((rank, person.pinyin, person) for rank, person in ranked if rank is not None),
        key=lambda entry: entry[:2],
    )
    return _practitioner_rows([person for *_, person in found[:limit]], on=on)


def campus_rows() -> list[MasterRow]:
    """Every campus as `save_campus` takes it."""
    return [
        MasterRow(
            row.pk,
            subject_type(Campus),
            {
                "code": row.code,
                "name": row.name,
                "address": row.address,
                "telephone": row.telephone,
            },
        )
        for row in Campus.objects.order_by("code")
    ]


def department_rows() -> list[MasterRow]:
    """Every department as `save_department` takes it, switched off ones too."""
    return [
        MasterRow(
            row.pk,
            subject_type(Department),
            {
                "code": row.code,
                "name": row.name,
                "parent": row.parent.code if row.parent else None,
                "hint": row.hint,
                "introduction": row.introduction,
                "sex_limit": SexLimit(row.sex_limit),
                "min_age_months": row.min_age_months,
                "max_age_months": row.max_age_months,
                "location_text": row.location_text,
                "floor": row.floor,
                "telephone": row.telephone,
                "is_bookable": row.is_bookable,
                "walk_in_only": row.walk_in_only,
                "sort_order": row.sort_order,
                "is_active": row.is_active,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "reading": row.reading,
            },
            pinyin=row.pinyin,
            initials=row.initials,
        )
        for row in Department.objects.select_related("parent").order_by("code")
    ]


def location_rows() -> list[MasterRow]:
    """Every place as `save_location` takes it, switched off ones too."""
    places = Location.objects.select_related("parent", "campus", "department")
    return [
        MasterRow(
            row.pk,
            subject_type(Location),
            {
                "code": row.code,
                "name": row.name,
                "kind": LocationKind(row.kind),
                "campus": row.campus.code,
                "parent": row.parent.code if row.parent else None,
                "department": row.department.code if row.department else None,
                "floor": row.floor,
                "is_active": row.is_active,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
            },
        )
        for row in places.order_by("code")
    ]


def practitioner_rows(*, on: dt.date) -> list[MasterRow]:
    """Every practitioner as `save_practitioner` takes it, with the departments of the day."""
    codes: dict[int, list[str]] = {}
    held = _roles(on).order_by("department__code")
    for practitioner_id, code in held.values_list("practitioner_id", "department__code"):
        codes.setdefault(practitioner_id, []).append(code)
    return [
        MasterRow(
            row.pk,
            subject_type(Practitioner),
            {
                "code": row.code,
                "name": row.name,
                "sex": Sex(row.sex),
                "title": Title(row.title),
                "departments": codes.get(row.pk, []),
                "specialty": row.specialty,
                "introduction": row.introduction,
                "licence_end_date": row.licence_end_date,
                "is_active": row.is_active,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "reading": row.reading,
            },
            pinyin=row.pinyin,
            initials=row.initials,
            photo=row.photo_id or "",
        )
        for row in Practitioner.objects.order_by("code")
    ]


def role_rows() -> list[MasterRow]:
    """Every role of a practitioner in a department as `save_role` takes it, past ones too."""
    held = PractitionerRole.objects.exclude(valid_to=F("valid_from"))
    return [
        MasterRow(
            row.practitioner_id,
            subject_type(Practitioner),
            {
                "practitioner": row.practitioner.code,
                "department": row.department.code,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
            },
            part={"department": row.department.code, "valid_from": row.valid_from.isoformat()},
        )
        for row in held.select_related("practitioner", "department").order_by(
            "practitioner__code", "department__code", "valid_from"
        )
    ]


def photo(digest: str) -> bytes:
    """The bytes of a portrait. Raises NotFound."""
    found = Photo.objects.filter(digest=digest).first()
    if found is None:
        raise NotFound
    return bytes(found.content)


def departments_below(department_id: int) -> list[str]:
    """Names of the active departments directly below one."""
    below = Department.objects.filter(parent_id=department_id, is_active=True)
    return list(below.order_by("pinyin").values_list("name", flat=True))


def people_of(department_id: int, *, on: dt.date) -> list[str]:
    """Names of the active practitioners with a role in a department on a day or later."""
    roles = PractitionerRole.objects.filter(department_id=department_id).exclude(valid_to__lte=on)
    people = Practitioner.objects.filter(pk__in=roles.values("practitioner_id"), is_active=True)
    return list(people.order_by("pinyin").values_list("name", flat=True))


def places_of(department_id: int) -> list[str]:
    """Names of the active places that belong to a department."""
    places = Location.objects.filter(department_id=department_id, is_active=True)
    return list(places.order_by("code").values_list("name", flat=True))


def places_below(location_id: int) -> list[str]:
    """Names of the active places directly inside one."""
    below = Location.objects.filter(parent_id=location_id, is_active=True)
    return list(below.order_by("code").values_list("name", flat=True))


def campus_names() -> dict[str, str]:
    """Code → name of every campus."""
    return dict(Campus.objects.order_by("code").values_list("code", "name"))


def department_labels(*, active_only: bool = False) -> dict[int, str]:
    """Id → name of every department by pinyin, for whoever keeps their ids."""
    rows = Department.objects.order_by("pinyin", "code")
    if active_only:
        rows = rows.filter(is_active=True)
    return dict(rows.values_list("pk", "name"))


def room_labels() -> dict[int, str]:
    """Id → name of every consulting room in use, by code."""
    rows = Location.objects.filter(_in_force(today(), None), kind=LocationKind.ROOM)
    return dict(rows.order_by("code").values_list("pk", "name"))


def rooms_for(department_id: int) -> list[RoomRow]:
    """Every consulting room in use, the department's own first, then by code."""
    rows = Location.objects.filter(_in_force(today(), None), kind=LocationKind.ROOM)
    found = [
        RoomRow(row.pk, row.code, row.name, row.department_id == department_id)
        for row in rows.order_by("code")
    ]
    return sorted(found, key=lambda row: not row.is_own)


def department_names() -> dict[str, str]:
    """Code → name of every department, switched off ones too."""
    return dict(Department.objects.order_by("code").values_list("code", "name"))


def location_names() -> dict[str, str]:
    """Code → name of every place, switched off ones too."""
    return dict(Location.objects.order_by("code").values_list("code", "name"))


def practitioner_names() -> dict[str, str]:
    """Code → name of every practitioner, switched off ones too."""
    return dict(Practitioner.objects.order_by("code").values_list("code", "name"))


def practitioner_labels() -> dict[int, str]:
    """Id → "name title" of every practitioner in use, by pinyin, to choose from."""
    rows = Practitioner.objects.filter(_in_force(today(), None))
    return {row.pk: f"{row.name} {Title(row.title).label}" for row in rows.order_by("pinyin")}


def department_parents() -> dict[str, str]:
    """Code → code of the department above, for those that have one."""
    above = Department.objects.filter(parent__isnull=False)
    return dict(above.values_list("code", "parent__code"))


def location_parents() -> dict[str, str]:
    """Code → code of the place above, for those that have one."""
    above = Location.objects.filter(parent__isnull=False)
    return dict(above.values_list("code", "parent__code"))


def _in_force(first: dt.date, latest: dt.date | None) -> Q:
    """In use, not yet over on the first day, and begun by the latest (None: whenever it begins)."""
    kept = Q(is_active=True) & (Q(valid_to__isnull=True) | Q(valid_to__gt=first))
    return kept if latest is None else kept & _begun(latest)


def _begun(day: dt.date) -> Q:
    return Q(valid_from__isnull=True) | Q(valid_from__lte=day)


def _is_kept(row: Department | Location | Practitioner) -> bool:
    """In use and not over today; what begins later may be planned with."""
    return row.is_active and (row.valid_to is None or row.valid_to > today())


def _roles(on: dt.date) -> QuerySet[PractitionerRole]:
    return PractitionerRole.objects.filter(valid_from__lte=on).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=on)
    )


def _top(node: Department, by_id: dict[int, Department]) -> Department:
    """The category: the highest active node above, or the node itself."""
    while node.parent_id is not None and node.parent_id in by_id:
        node = by_id[node.parent_id]
    return node


def _order(node: Department) -> tuple[int, str, str]:
    return node.sort_order, node.pinyin, node.code


def _department_row(node: Department, category: str) -> DepartmentRow:
    return DepartmentRow(
        id=node.pk,
        code=node.code,
        name=node.name,
        pinyin=node.pinyin,
        initials=node.initials,
        category=category,
        hint=node.hint,
        floor=node.floor,
        location_text=node.location_text,
        is_bookable=node.is_bookable,
        walk_in_only=node.walk_in_only,
    )


def _rank(row: DepartmentRow, wanted: str) -> int | None:
    """How well a department fits what was typed: 0 best, None not at all."""
    name, joined = pinyin.fold(row.name), row.pinyin.replace(" ", "")
    fits = (
        name.startswith(wanted) or row.initials == wanted,
        row.initials.startswith(wanted) or joined.startswith(wanted),
        wanted in name,
        wanted in pinyin.fold(row.hint),
        wanted in row.initials or _starts_a_syllable(row.pinyin, wanted),
    )
    return fits.index(True) if True in fits else None


def _person_rank(person: Practitioner, wanted: str) -> int | None:
    fits = (
        person.name.startswith(wanted) or person.initials == wanted,
        person.initials.startswith(wanted) or person.pinyin.replace(" ", "").startswith(wanted),
        wanted in person.name,
        wanted in person.specialty,
    )
    return fits.index(True) if True in fits else None


def _starts_a_syllable(spaced: str, wanted: str) -> bool:
    """Whether the letters begin at a syllable: "tuina" fits "zhen jiu tui na ke", "unake" no."""
    syllables = spaced.split()
    return any("".join(syllables[at:]).startswith(wanted) for at in range(len(syllables)))


def _practitioner_rows(people: list[Practitioner], *, on: dt.date) -> list[PractitionerRow]:
    roles = _roles(on).filter(practitioner__in=people, department__is_active=True)
    places: dict[int, list[tuple[int, str]]] = {}
    for role in roles.select_related("department").order_by("department__pinyin"):
        places.setdefault(role.practitioner_id, []).append(
            (role.department_id, role.department.name)
        )
    return [
        PractitionerRow(
            id=person.pk,
            code=person.code,
            name=person.name,
            pinyin=person.pinyin,
            initials=person.initials,
            title=person.title,
            title_label=Title(person.title).label,
            specialty=person.specialty,
            department_ids=tuple(pk for pk, _ in places.get(person.pk, [])),
            departments=tuple(name for _, name in places.get(person.pk, [])),
        )
        for person in people
    ]
