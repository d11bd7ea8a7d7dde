"""The office's utilisation page over a quarter of a busy hospital, beside an empty staff page.

`python -m benchmarks.utilisation` makes its own database and prints the section alone; with
`plan` it prints what the server does for the two statements.
"""

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

DEPARTMENTS, DAYS, CAPACITY = 40, 91, 30
SOLD = 18
ASKED, WARM_UP = 15, 2
_SECTION = """## The use of numbers over a quarter

{departments} departments, {days} days, two sessions a day: {numbers:,} numbers and {bookings:,}
bookings. The page is asked {asked} times in turn with the others through Django's own client,
logged in as the outpatient office. The limit is an empty staff page asked the same way; the
fortnight is what the page shows unasked.

| | p50 ms | p95 ms | of the empty page's p95 |
|---|---|---|---|
{lines}
"""


@dataclass(frozen=True)
class Asked:
    """One way of asking and the milliseconds of every answer."""

    name: str
    milliseconds: Sequence[float]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass(frozen=True)
class Figures:
    numbers: int
    bookings: int
    ways: Sequence[Asked]


def measure() -> Figures:
    """Fill the database of this process with a quarter and ask for it in every way."""
    from django.db import connection
    from django.test.utils import override_settings

    from hospital.identity.states import Role
    from hospital.kernel import clock
    from hospital.registration.utilisation import utilisation
    from hospital.testing.people import staff_client

    first = clock.today() - dt.timedelta(days=DAYS - 8)
    latest = first + dt.timedelta(days=DAYS - 1)
    numbers, bookings = _fill(first)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    office = staff_client(Role.OUTPATIENT_OFFICE)
    quarter = {"first": first.isoformat(), "latest": latest.isoformat()}
    page = "/staff/utilisation/"

    def facts() -> int:
        return len(utilisation(first=first, latest=latest).numbers)

    with override_settings(ROOT_URLCONF="benchmarks.urls", ALLOWED_HOSTS=["*"]):
        ways: dict[str, Callable[[], int]] = {
            "empty staff page": lambda: office.get("/staff/empty/").status_code,
            "a fortnight, as the page opens": lambda: office.get(page).status_code,
            "a quarter": lambda: office.get(page, quarter).status_code,
            "a quarter, the two statements alone": facts,
            "a quarter as XLSX": lambda: office.get(f"{page}export/", quarter).status_code,
        }
        return Figures(numbers, bookings, _ask_all(ways))


def section(figures: Figures) -> str:
    limit = figures.ways[0].percentile(0.95)
    lines = [
        f"| {way.name} | {way.percentile(0.5):.1f} | {way.percentile(0.95):.1f} |"
        f" **{way.percentile(0.95) / limit:.1f}** |"
        for way in figures.ways
    ]
    return _SECTION.format(
        departments=DEPARTMENTS,
        days=DAYS,
        numbers=figures.numbers,
        bookings=figures.bookings,
        asked=ASKED,
        lines="\n".join(lines),
    )


def _ask_all(ways: dict[str, Callable[[], int]]) -> list[Asked]:
    """Ask by turns, so that what else the machine does falls on every way alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-WARM_UP, ASKED):
        for name, ask in ways.items():
            began = time.perf_counter()
            answer = ask()
            assert answer != 0, name
            assert not 300 <= answer < 600, (name, answer)
            if turn >= 0:
                times[name].append((time.perf_counter() - began) * 1000)
    return [Asked(name, times[name]) for name in ways]


def _fill(first: dt.date) -> tuple[int, int]:
    """Sessions, numbers and bookings as rows: by the actions it would take the night. Triggers are
    off meanwhile, so bookings may point at bills and patients that are not there."""
    from django.db import connection

    from hospital.registration.models import Appointment
    from hospital.scheduling.models import Schedule, Slot, TimeBand

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    schedules = Schedule.objects.bulk_create(_schedules(first), batch_size=1000)
    bands = TimeBand.objects.bulk_create(
        [
            TimeBand(
                schedule=one,
                first_sequence_no=1,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                capacity=CAPACITY,
            )
            for one in schedules
        ],
        batch_size=1000,
    )
    slots = Slot.objects.bulk_create(
        [slot for one in bands for slot in _slots(one)], batch_size=2000
    )
    bookings = Appointment.objects.bulk_create(list(_bookings(slots)), batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
    return len(slots), len(bookings)


def _schedules(first: dt.date) -> list[Any]:
    from hospital.kernel.clock import at_local
    from hospital.scheduling.models import Schedule
    from hospital.scheduling.states import ScheduleStatus, SessionPeriod
    from hospital.testing.organisation import (
        a_department,
        a_practitioner,
        a_room,
        a_service_type,
    )

    kind = a_service_type()
    halves = ((SessionPeriod.AM, 8), (SessionPeriod.PM, 14))
    made: list[Any] = []
    for _ in range(DEPARTMENTS):
        department = a_department()
        doctor, room = a_practitioner(department), a_room(department=department)
        for day in (first + dt.timedelta(days=ahead) for ahead in range(DAYS)):
            for period, hour in halves:
                starts_at = at_local(day, dt.time(hour))
                made.append(
                    Schedule(
                        department=department,
                        practitioner=doctor,
                        service_type=kind,
                        room=room,
                        visit_date=day,
                        session_period=period,
                        starts_at=starts_at,
                        ends_at=starts_at + dt.timedelta(hours=4),
                        capacity=CAPACITY,
                        release_at=starts_at - dt.timedelta(days=7),
                        status=ScheduleStatus.RELEASED,
                    )
                )
    return made


def _slots(band: Any) -> Iterator[Any]:
    from hospital.scheduling.models import Slot
    from hospital.scheduling.states import Pool, SlotStatus

    for number in range(1, CAPACITY + 1):
        yield Slot(
            schedule_id=band.schedule_id,
            band=band,
            sequence_no=number,
            pool=Pool.WECHAT if number % 3 else Pool.WINDOW,
            status=SlotStatus.BOOKED if number <= SOLD else SlotStatus.FREE,
        )


#: Beyond the bills of whatever was booked in this database before.
_BILLS = 1_000_000_000


def _bookings(slots: Sequence[Any]) -> Iterator[Any]:
    from hospital.registration.models import Appointment
    from hospital.registration.states import AppointmentStatus, BookingKind
    from hospital.scheduling.states import Channel, SlotStatus

    sold = (slot for slot in slots if slot.status == SlotStatus.BOOKED)
    for number, slot in enumerate(sold, start=1):
        schedule = slot.band.schedule
        made_at = schedule.starts_at - dt.timedelta(days=number % 8)
        yield Appointment(
            number=f"{number:014d}",
            patient_id=number,
            schedule_id=slot.schedule_id,
            slot=slot,
            bill_id=_BILLS + number,
            visit_date=schedule.visit_date,
            department_id=schedule.department_id,
            channel=Channel.WINDOW if number % 3 == 0 else Channel.WECHAT,
            booking_kind=BookingKind.ADVANCE,
            status=AppointmentStatus.NOSHOW if number % 17 == 0 else AppointmentStatus.BOOKED,
            created_at=made_at,
            booked_at=made_at,
            hold_until=made_at,
        )


def _plans() -> Iterator[str]:
    """What the server does for each statement, after `measure` has filled the database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from hospital.kernel import clock
    from hospital.registration.utilisation import utilisation

    first = clock.today() - dt.timedelta(days=DAYS - 8)
    with CaptureQueriesContext(connection) as asked:
        utilisation(first=first, latest=first + dt.timedelta(days=DAYS - 1))
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {query['sql']}")
            yield "\n".join(row[0] for row in cursor.fetchall())


def main() -> None:
    import os

    from benchmarks import world

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.config.settings")
    os.environ["LOG_LEVEL"] = "WARNING"
    world.fresh_database()
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    print(section(measure()))
    if sys.argv[1:] == ["plan"]:
        print("\n\n".join(_plans()))


if __name__ == "__main__":
    main()
