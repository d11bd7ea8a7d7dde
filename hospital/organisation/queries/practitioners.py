"""Practitioners: as people look for one, by code or id, their roles, and as master data."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import F, Q

from hospital.kernel import pinyin
from hospital.kernel.clock import today
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
from hospital.organisation.models import Photo, Practitioner, PractitionerRole
from hospital.organisation.queries.standing import in_force, is_kept, roles_on
from hospital.organisation.states import Sex, Title

# Written out, as departments' is.
_BY_CODE: Final = "SELECT * FROM organisation_practitioner WHERE code = %s"


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


def practitioner(code: str, *, active_only: bool = True) -> Practitioner:
    """The practitioner of a code, unless switched off. Raises NotFound."""
    found = next(iter(Practitioner.objects.raw(_BY_CODE, [code])), None)
    if found is None or (active_only and not is_kept(found)):
        raise NotFound("没有找到这位医生，请返回重新选择。")
    return found


def practitioner_by_id(practitioner_id: int) -> Practitioner:
    """The practitioner of an id, unless switched off. Raises NotFound."""
    found = Practitioner.objects.filter(pk=practitioner_id).first()
    if found is None or not is_kept(found):
        raise NotFound("没有找到这位医生，请返回重新选择。")
    return found


def practitioners_by_id(ids: Collection[int]) -> list[Practitioner]:
    """The active ones of these practitioners, by pinyin."""
    return list(Practitioner.objects.filter(pk__in=ids, is_active=True).order_by("pinyin", "code"))


def practitioners_of(department_id: int, *, on: dt.date) -> list[Practitioner]:
    """Active practitioners with a role in the department on a hospital day, by pinyin."""
    roles = roles_on(on).filter(department_id=department_id)
    people = Practitioner.objects.filter(in_force(on, on), pk__in=roles.values("practitioner_id"))
    return list(people.order_by("pinyin", "code"))


def people_of(department_id: int, *, on: dt.date) -> list[str]:
    """Names of the active practitioners with a role in a department on a day or later."""
    roles = PractitionerRole.objects.filter(department_id=department_id).exclude(valid_to__lte=on)
    people = Practitioner.objects.filter(pk__in=roles.values("practitioner_id"), is_active=True)
    return list(people.order_by("pinyin").values_list("name", flat=True))


def role_periods(*, department_id: int) -> dict[int, list[tuple[dt.date, dt.date | None]]]:
    """Practitioner id → the half-open periods of days with a role in the department."""
    found: dict[int, list[tuple[dt.date, dt.date | None]]] = {}
    roles = PractitionerRole.objects.filter(department_id=department_id).order_by("valid_from")
    for row in roles:
        found.setdefault(row.practitioner_id, []).append((row.valid_from, row.valid_to))
    return found


def search_practitioners(text: str, *, on: dt.date, limit: int = 20) -> list[PractitionerRow]:
    """Active practitioners by name, pinyin, initials or specialty; an empty text finds nobody."""
    wanted = pinyin.fold(text)
    if not wanted:
        return []
    people = Practitioner.objects.filter(in_force(on, None)).filter(
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


def photo(digest: str) -> bytes:
    """The bytes of a portrait. Raises NotFound."""
    found = Photo.objects.filter(digest=digest).first()
    if found is None:
        raise NotFound
    return bytes(found.content)


def practitioner_rows(*, on: dt.date) -> list[MasterRow]:
    """Every practitioner as `save_practitioner` takes it, with the departments of the day."""
    codes: dict[int, list[str]] = {}
    held = roles_on(on).order_by("department__code")
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


def practitioner_names() -> dict[str, str]:
    """Code → name of every practitioner, switched off ones too."""
    return dict(Practitioner.objects.order_by("code").values_list("code", "name"))


def practitioner_labels() -> dict[int, str]:
    """Id → "name title" of every practitioner in use, by pinyin, to choose from."""
    rows = Practitioner.objects.filter(in_force(today(), None))
    return {row.pk: f"{row.name} {Title(row.title).label}" for row in rows.order_by("pinyin")}


def _person_rank(person: Practitioner, wanted: str) -> int | None:
    fits = (
        person.name.startswith(wanted) or person.initials == wanted,
        person.initials.startswith(wanted) or person.pinyin.replace(" ", "").startswith(wanted),
        wanted in person.name,
        wanted in person.specialty,
    )
    return fits.index(True) if True in fits else None


def _practitioner_rows(people: list[Practitioner], *, on: dt.date) -> list[PractitionerRow]:
    roles = roles_on(on).filter(practitioner__in=people, department__is_active=True)
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
