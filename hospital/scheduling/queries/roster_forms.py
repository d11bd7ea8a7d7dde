"""What may be chosen in a cell of the grid, and what most likely will be (M15.1)."""

import datetime as dt
from dataclasses import dataclass

from hospital.catalogue import queries as catalogue
from hospital.organisation import queries as organisation
from hospital.organisation.queries import RoomRow
from hospital.scheduling import thresholds
from hospital.scheduling.models import Roster, RosterEntry, ScheduleTemplate
from hospital.scheduling.queries.rosters import usual_hours
from hospital.scheduling.roster_typing import Option

_FEWEST = 20


@dataclass(frozen=True, slots=True)
class Options:
    """Ids of what may be chosen, in the order people look for it."""

    services: dict[int, Option]
    rooms: dict[int, Option]
    own_rooms: tuple[RoomRow, ...]
    other_rooms: tuple[RoomRow, ...]
    people: dict[int, str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a new session in a cell would be when nothing else is said; None: nobody can tell."""

    service_type_id: int | None
    room_id: int | None
    starts: dt.time
    ends: dt.time
    capacity: int
    band_minutes: int


def options(roster: Roster) -> Options:
    """Everything that may stand on a department's roster."""
    rooms = organisation.rooms_for(roster.department_id)
    people = {
        person.pk: person.name
        for day in (roster.monday, roster.monday + dt.timedelta(days=6))
        for person in organisation.practitioners_of(roster.department_id, on=day)
    }
    return Options(
        services={row.id: Option(row.id, row.code, row.name) for row in catalogue.service_types()},
        rooms={row.id: Option(row.id, row.code, row.name) for row in rooms},
        own_rooms=tuple(row for row in rooms if row.is_own),
        other_rooms=tuple(row for row in rooms if not row.is_own),
        people=people,
    )


def suggestion(roster: Roster, *, practitioner_id: int | None, period: str) -> Suggestion:
    """What the doctor has elsewhere in the week, in this period first; else in the templates; else
    what the department has."""
    liked = _like(roster, practitioner_id, period)
    if liked is None:
        starts, ends = usual_hours(roster.department_id, period)
        own = organisation.rooms_for(roster.department_id)
        return Suggestion(
            service_type_id=None,
            room_id=next((row.id for row in own if row.is_own), None),
            starts=starts,
            ends=ends,
            capacity=_FEWEST,
            band_minutes=thresholds.BAND_MINUTES.value(),
        )
    starts, ends = liked.starts, liked.ends
    if liked.session_period != period:
        starts, ends = usual_hours(roster.department_id, period)
    return Suggestion(
        service_type_id=liked.service_type_id,
        room_id=liked.room_id,
        starts=starts,
        ends=ends,
        capacity=liked.capacity,
        band_minutes=liked.band_minutes,
    )


def _like(
    roster: Roster, practitioner_id: int | None, period: str
) -> RosterEntry | ScheduleTemplate | None:
    entries = list(roster.entries.filter(is_removed=False).order_by("-pk"))
    templates = list(
        ScheduleTemplate.objects.filter(
            department_id=roster.department_id, is_active=True
        ).order_by("-pk")
    )
    both: list[RosterEntry | ScheduleTemplate] = [*entries, *templates]
    ranked = sorted(
        both,
        key=lambda one: (one.practitioner_id != practitioner_id, one.session_period != period),
    )
    return ranked[0] if ranked else None
