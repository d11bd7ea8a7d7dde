"""The rush at seven (M1.16): so many people a minute, each looking twenty times and booking once.

Everybody comes when the plan says, whether or not the server has answered those before: an answer's
time counts from the moment it was due. People keep their cookies and wait when they are told to.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.load import Answers, Request, encoded, read_answer
from benchmarks.world import CSRF, Clinic, Person

COUNTY = (150, 60)
METROPOLIS = 6000
#: Bookings a minute tried for TRIED seconds each; the highest held is then held for HELD seconds.
STEPS = (1800, 2400, 3000, 4200, METROPOLIS)
TRIED, HELD = 40, 300
PROMISED_MS = 1000
#: Of each clinic, every one in a department of its own; a session takes no more.
PLACES = 400
CONNECTIONS = 48
#: From the first look to the booking, in seconds.
STAY = 20.0
OPENED, SEEN = "departments", "roster"
#: What somebody looks at before booking: the list of departments, the doctors of one again and
#: again, one doctor, times of a session, and the page to confirm on.
LOOKS = (OPENED, *([SEEN] * 9), "doctor", "times", *([SEEN] * 4), "times", SEEN, "times", "confirm")
LET_IN, ARRIVING, ARRIVALS = 40, 120, 1200
_WAIT = "/m/wait/"
_COOKIE = re.compile(r"^set-cookie: *(xinglin_turn=[^;]+)", re.IGNORECASE | re.MULTILINE)
_LOCATION = re.compile(r"^location: *(\S+)", re.IGNORECASE | re.MULTILINE)
_AGAIN = re.compile(r"^retry-after: *(\d+)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Visitor:
    """Somebody on the way to a number, with the turn the server gave."""

    person: Person
    clinic: Clinic
    turn: str = ""

    def request(self, what: str) -> Request:
        """The request for one of LOOKS, or for the booking."""
        clinic = self.clinic
        booking = f"/m/book/{clinic.schedule_id}/{clinic.band_id}/"
        path = {
            OPENED: "/m/departments/",
            SEEN: f"/m/departments/{clinic.department}/",
            "doctor": f"/m/doctors/{clinic.doctor}/",
            "times": f"/m/sessions/{clinic.schedule_id}/times/",
        }.get(what, booking)
        form = {
            "patient": self.person.patient_number,
            "key": f"rush-{self.person.patient_number}",
            "csrfmiddlewaretoken": CSRF,
        }
        cookie = f"{self.person.cookie}; {self.turn}" if self.turn else self.person.cookie
        return Request(path, cookie, form if what == "book" else None)


#: When something is due (seconds of the plan), by whom, what.
Step = tuple[float, Visitor, str]


@dataclass
class Rush:
    """What came of it: answers to looks and bookings, how many were asked to wait first."""

    per_minute: int
    seconds: int
    looks: Answers = field(default_factory=Answers)
    bookings: Answers = field(default_factory=Answers)
    sold: int = 0
    oversold: int = 0

    @property
    def wrong(self) -> int:
        """Answers other than the page or the booking, and bookings that are not in the books."""
        good = self.looks.statuses[200] + self.bookings.statuses[302]
        answers = self.looks.statuses.total() + self.bookings.statuses.total()
        return answers - good + _people(self.per_minute, self.seconds) - self.sold

    @property
    def is_held(self) -> bool:
        """Whether nothing went wrong and 95 of 100 were answered in time."""
        slowest = max(answers.percentile_ms(0.95) for answers in (self.looks, self.bookings))
        return not self.wrong and not self.oversold and slowest < PROMISED_MS


@dataclass
class Fairness:
    """People who came faster than they were let in: by how long the longest wait was passed."""

    waits: list[float] = field(default_factory=list)
    passed: float = 0.0
    asked: int = 0


def measure(port: int, clinics: list[Clinic], people: Iterator[Person]) -> list[Rush]:
    """The rush of a county hospital; then steeper and steeper ones towards the largest's until one
    is not held, and the highest held for five minutes."""
    rushes = [_rush(port, clinics, people, *COUNTY)]
    for per_minute in STEPS:
        rushes.append(_rush(port, clinics, people, per_minute, TRIED))
        if not rushes[-1].is_held:
            break
    highest = max(rush.per_minute for rush in rushes if rush.is_held)
    return [*rushes, _rush(port, clinics, people, highest, HELD)]


def people_needed() -> int:
    """How many people the steepest way through `measure` needs."""
    tried = sum(_people(per_minute, TRIED) for per_minute in STEPS)
    return _people(*COUNTY) + tried + _people(METROPOLIS, HELD)


def clinics_needed() -> int:
    """How many clinics have a place for each of them."""
    return math.ceil((people_needed() + ARRIVALS) / PLACES)


def _rush(
    port: int, clinics: list[Clinic], people: Iterator[Person], per_minute: int, seconds: int
) -> Rush:
    from hospital.registration.models import Appointment

    before = Appointment.objects.count()
    rush = Rush(per_minute, seconds)
    asyncio.run(_run(port, _plan(clinics, people, per_minute, seconds), rush))
    rush.sold = Appointment.objects.count() - before
    rush.oversold = _oversold()
    return rush


def _people(per_minute: int, seconds: int) -> int:
    return per_minute * seconds // 60


async def _run(port: int, plan: list[Step], rush: Rush) -> None:
    line: asyncio.Queue[Step | None] = asyncio.Queue()
    servers = [asyncio.create_task(_serve(port, line, rush)) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for due, visitor, what in plan:
        if (pause := started + due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        line.put_nowait((started + due, visitor, what))
    for _ in servers:
        line.put_nowait(None)
    await asyncio.gather(*servers)
    rush.looks.elapsed = rush.bookings.elapsed = time.perf_counter() - started


def _plan(
    clinics: list[Clinic], people: Iterator[Person], per_minute: int, seconds: int
) -> list[Step]:
    """Who asks for what when: each looks at random moments and books at the end of the stay."""
    chance = random.Random(7)
    plan: list[Step] = []
    for place in range(_people(per_minute, seconds)):
        clinic = clinics[place % len(clinics)]
        visitor = Visitor(next(people), clinic)
        end = place * 60 / per_minute + STAY
        moments = sorted(chance.uniform(end - STAY, end - 0.2) for _ in LOOKS)
        plan += [(due, visitor, what) for due, what in zip(moments, LOOKS, strict=True)]
        plan.append((end, visitor, "book"))
    return sorted(plan, key=lambda step: step[0])


async def _serve(port: int, line: asyncio.Queue[Step | None], rush: Rush) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (step := await line.get()) is not None:
        due, visitor, what = step
        writer.write(encoded(visitor.request(what), port))
        status, head = await read_answer(reader)
        if found := _COOKIE.search(head):
            visitor.turn = found[1]
        answers = rush.bookings if what == "book" else rush.looks
        answers.seconds.append(time.perf_counter() - due)
        answers.statuses[status] += 1
    writer.close()


def _oversold() -> int:
    """Numbers that two people have, and bands with more than their places taken."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT (SELECT count(*) - count(DISTINCT slot_id) FROM registration_appointment
                WHERE status IN ('pending', 'booked'))
            + (SELECT count(*) FROM scheduling_timeband band WHERE band.capacity < (
                SELECT count(*) FROM scheduling_slot slot WHERE slot.band_id = band.id
                AND slot.status IN ('held', 'booked')))
        """)
        return int(cursor.fetchone()[0])


def measure_fairness(port: int, people: Iterator[Person]) -> Fairness:
    """Let people come three times as fast as they are let in, and look who is passed by whom."""
    return asyncio.run(_fairness(port, people))


async def _fairness(port: int, people: Iterator[Person]) -> Fairness:
    found = Fairness()
    gate = asyncio.Semaphore(CONNECTIONS)
    started = time.perf_counter()

    async def come(person: Person, due: float) -> tuple[float, float]:
        await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
        came = time.perf_counter()
        path, turn = "/m/departments/", ""
        while True:
            async with gate:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                cookie = f"{person.cookie}; {turn}" if turn else person.cookie
                writer.write(encoded(Request(path, cookie), port))
                status, head = await read_answer(reader)
                writer.close()
            found.asked += 1
            if cookie_given := _COOKIE.search(head):
                turn = cookie_given[1]
            if status == 302:
                location = _LOCATION.search(head)
                assert location is not None
                path = location[1]
                continue
            again = _AGAIN.search(head)
            if again is None:
                return came, time.perf_counter()
            await asyncio.sleep(float(again[1]))

    visits = [come(next(people), place / ARRIVING) for place in range(ARRIVALS)]
    times = sorted(await asyncio.gather(*visits), key=lambda visit: visit[1])
    latest = 0.0
    for came, served in times:
        found.waits.append(served - came)
        found.passed = max(found.passed, latest - came)
        latest = max(latest, came)
    return found


def section(rushes: list[Rush], fairness: Fairness, limit: float) -> str:
    """The figures as a section of docs/benchmarks.md; `limit` is pgbench's, bookings a second."""
    rows = [
        f"| {rush.per_minute:,} | {rush.seconds} s | {_row(rush.looks)} | {_row(rush.bookings)} |"
        f" {rush.wrong} | {rush.oversold} | {'yes' if rush.is_held else '**no**'} |"
        for rush in rushes
    ]
    held = rushes[-1]
    waits = sorted(fairness.waits)
    return _TEXT.format(
        looks=len(LOOKS),
        clinics=clinics_needed(),
        promised=PROMISED_MS,
        metropolis=METROPOLIS,
        tried=TRIED,
        held=held.per_minute,
        ratio=held.per_minute / 60 / limit,
        head=f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}",
        rows="\n".join(rows),
        let_in=LET_IN,
        arriving=ARRIVING,
        arrivals=ARRIVALS,
        middle=waits[len(waits) // 2],
        longest=waits[-1],
        passed=fairness.passed,
        asked=fairness.asked / ARRIVALS,
    )


def _row(answers: Answers) -> str:
    return (
        f"{answers.per_second:.0f} | {answers.percentile_ms(0.5):.0f} |"
        f" **{answers.percentile_ms(0.95):.0f}** | {answers.percentile_ms(0.99):.0f}"
    )


_HEAD = (
    *("bookings a minute", "for", "looks/s", "p50 ms", "p95 ms", "p99 ms"),
    *("bookings/s", "p50 ms", "p95 ms", "p99 ms", "errors", "oversold", "held"),
)
_TEXT = """
## The rush at seven

Everybody looks {looks} times within twenty seconds (the departments once, the doctors of one of
{clinics}, a doctor, times, the page to confirm on) and books then, another person each time. All
come when the plan says: an answer's time counts from when it was due, and the load comes from the
same two cores. An error is any answer but the page, or a booking that is not in the books; oversold
are numbers two people have and bands with more taken than they hold. Promised: 95 of 100 below
{promised} ms, at a county hospital's rate first, then step by step ({tried} s each) towards
{metropolis:,} a minute until a step is not held; the highest held is held for five minutes.

{head}
{rows}

So these two cores hold **{held:,} bookings a minute** with all their looks, which is
**{ratio:.3f}** of what pgbench writes of a booking's rows alone.

When more come than the house lets in ({arriving} a second against {let_in}, {arrivals} people),
they get the waiting page and ask again when it tells them to: half waited less than
{middle:.1f} s, the longest {longest:.1f} s, each asked {asked:.1f} times. Whoever was passed was
passed by somebody who had come at most **{passed:.2f} s** later. Promised: less than 3 s.
"""
