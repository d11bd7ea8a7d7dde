"""Campuses and the places in them, consulting rooms before all: to choose from, and as master
data."""

from dataclasses import dataclass

from hospital.kernel.clock import today
from hospital.kernel.errors import NotFound
from hospital.kernel.states import subject_type
from hospital.kernel.upserts import MasterRow
from hospital.organisation.models import Campus, Location
from hospital.organisation.queries.standing import in_force, is_kept
from hospital.organisation.states import LocationKind


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A consulting room; `is_own` rooms belong to the department asked for."""

    id: int
    code: str
    name: str
    is_own: bool


def location(code: str, *, active_only: bool = True) -> Location:
    """The place of a code, with campus and parent, unless switched off. Raises NotFound."""
    found = Location.objects.select_related("campus", "parent").filter(code=code).first()
    if found is None or (active_only and not is_kept(found)):
        raise NotFound("没有找到这个位置。")
    return found


def rooms_for(department_id: int) -> list[RoomRow]:
    """Every consulting room in use, the department's own first, then by code."""
    rows = Location.objects.filter(in_force(today(), None), kind=LocationKind.ROOM)
    found = [
        RoomRow(row.pk, row.code, row.name, row.department_id == department_id)
        for row in rows.order_by("code")
    ]
    return sorted(found, key=lambda row: not row.is_own)


def room_labels() -> dict[int, str]:
    """Id → name of every consulting room in use, by code."""
    rows = Location.objects.filter(in_force(today(), None), kind=LocationKind.ROOM)
    return dict(rows.order_by("code").values_list("pk", "name"))


def places_of(department_id: int) -> list[str]:
    """Names of the active places that belong to a department."""
    places = Location.objects.filter(department_id=department_id, is_active=True)
    return list(places.order_by("code").values_list("name", flat=True))


def places_below(location_id: int) -> list[str]:
    """Names of the active places directly inside one."""
    below = Location.objects.filter(parent_id=location_id, is_active=True)
    return list(below.order_by("code").values_list("name", flat=True))


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


def campus_names() -> dict[str, str]:
    """Code → name of every campus."""
    return dict(Campus.objects.order_by("code").values_list("code", "name"))


def location_names() -> dict[str, str]:
    """Code → name of every place, switched off ones too."""
    return dict(Location.objects.order_by("code").values_list("code", "name"))


def location_parents() -> dict[str, str]:
    """Code → code of the place above, for those that have one."""
    above = Location.objects.filter(parent__isnull=False)
    return dict(above.values_list("code", "parent__code"))
