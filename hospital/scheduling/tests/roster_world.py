"""A department whose week is drafted: what the tests of rosters begin with."""

import datetime as dt
from dataclasses import dataclass

from hospital.catalogue.models import ServiceType
from hospital.identity.states import Role
from hospital.kernel.actors import Actor
from hospital.organisation.models import Department, Location, Practitioner
from hospital.scheduling.actions import rosters
from hospital.scheduling.actions.roster_steps import Wanted
from hospital.scheduling.models import Roster, RosterEntry
from hospital.scheduling.states import SessionPeriod
from hospital.testing.organisation import a_department, a_practitioner, a_room, a_service_type
from hospital.testing.people import a_staff
from hospital.testing.schedules import NOW

#: A week the night has not made yet, and its Tuesday.
MONDAY = dt.date(2026, 12, 14)
TUESDAY = MONDAY + dt.timedelta(days=1)


@dataclass
class Clinic:
    """Two doctors, two rooms, one service, an open week, and two people who draft it."""

    department: Department
    chief: Practitioner
    other: Practitioner
    room: Location
    spare: Location
    service: ServiceType
    head: Actor
    office: Actor
    roster: Roster

    def wanted(self, **changes: object) -> Wanted:
        """A morning of the chief on Tuesday, but for what is said."""
        asked: dict[str, object] = {
            "visit_date": TUESDAY,
            "session_period": SessionPeriod.AM,
            "practitioner_id": self.chief.pk,
            "service_type_id": self.service.pk,
            "room_id": self.room.pk,
            "starts": dt.time(8),
            "ends": dt.time(12),
            "capacity": 16,
            "band_minutes": 60,
            **changes,
        }
        return Wanted(**asked)  # type: ignore[arg-type]

    def put(
        self, *, by: Actor | None = None, at: dt.datetime = NOW, **changes: object
    ) -> RosterEntry:
        self.roster.refresh_from_db()
        return rosters.put_entry(
            roster_id=self.roster.pk,
            version=self.roster.version,
            wanted=self.wanted(**changes),
            by=by or self.head,
            at=at,
        )

    @property
    def version(self) -> int:
        """The version a page drawn now would show."""
        self.roster.refresh_from_db()
        return self.roster.version

    def standing(self) -> list[tuple[dt.date, str, str, str]]:
        """What is on the roster: day, period, doctor, room."""
        rows = self.roster.entries.filter(is_removed=False).select_related("practitioner", "room")
        return [
            (
                row.visit_date,
                row.session_period,
                row.practitioner.name if row.practitioner else "",
                row.room.name,
            )
            for row in rows.order_by("visit_date", "starts", "pk")
        ]


def a_clinic(*, monday: dt.date = MONDAY, department: Department | None = None) -> Clinic:
    """A department without templates whose week somebody opened."""
    department = department or a_department()
    head = a_staff(Role.DEPARTMENT_HEAD, display_name="梁主任", department=department)
    office = a_staff(Role.OUTPATIENT_OFFICE, display_name="何主管")
    by = Actor("staff", head.pk)
    return Clinic(
        department=department,
        chief=a_practitioner(department, name="陈知行"),
        other=a_practitioner(department, name="林若水"),
        room=a_room(name="301诊室", department=department),
        spare=a_room(name="302诊室", department=department),
        service=a_service_type(),
        head=by,
        office=Actor("staff", office.pk),
        roster=rosters.open_week(department_id=department.pk, monday=monday, by=by, at=NOW),
    )
