"""The rush at seven (M1.16): so many people a minute, each looking twenty times and booking once.

Everybody comes when the plan says, whether or not the server has answered those before: an answer's
time counts from the moment it was due. People keep their cookies, wait where the house lets in
fewer than come, and look and book from the moment they are in.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks import world
from benchmarks.load import Answer, Answers, Request, encoded, read_answer
from benchmarks.world import CSRF, Clinic, Person

COUNTY = (150, 60)
METROPOLIS = (6000, 300)
#: Bookings a minute tried for TRIED seconds each, until one is not held.
STEPS = (1800, 2400, 3000, 4200, 6000)
TRIED = 40
#: How much of what was held the house lets in when the metropolis comes: those who come and those
#: who wait ask too.
CAREFUL = 0.4
PROMISED_MS = 1000
#: Of each clinic, every one in a department of its own; a session takes no more.
PLACES = 400
CONNECTIONS = 48
#: From being let in to the booking, in seconds.
STAY = 20.0
OPENED, SEEN = "departments", "roster"
#: What somebody looks at before booking: the list of departments, the doctors of one again and
#: again, one doctor, times of a session, and the page to confirm on.
LOOKS = (OPENED, *([SEEN] * 9), "doctor", "times", *([SEEN] * 4), "times", SEEN, "times", "confirm")
#: Where somebody coming may be sent.
_WAYS_IN = ("/m/wait/", "/m/departments/")
_PART = {"HX-Request": "true"}
_COOKIE = re.compile(r"^set-cookie: *(xinglin_turn=[^;]+)", re.IGNORECASE | re.MULTILINE)
_LOCATION = re.compile(r"^(?:hx-redirect|location): *(\S+)", re.IGNORECASE | re.MULTILINE)
#: What the waiting page tells the script on it.
_AGAIN = re.compile(rb'id="turn"[^>]*delay:([\d.]+)s')


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
        return Request(path, self.cookies, form if what == "book" else None)

    @property
    def cookies(self) -> str:
        """What the browser sends."""
        return f"{self.person.cookie}; {self.turn}" if self.turn else self.person.cookie


@dataclass
class Rush:
    """What came of it; `visits` are when each came and was let in (seconds), `let_in` people a
    second where the house let in fewer than come."""

    per_minute: int
    seconds: int
    let_in: int | None = None
    looks: Answers = field(default_factory=Answers)
    waiting: Answers = field(default_factory=Answers)
    bookings: Answers = field(default_factory=Answers)
    visits: list[tuple[float, float]] = field(default_factory=list)
    sold: int = 0
    oversold: int = 0

    @property
    def people(self) -> int:
        """How many came."""
        return self.per_minute * self.seconds // 60

    @property
    def wrong(self) -> int:
        """Answers other than the page, the waiting page or the booking, and people without one."""
        looks = self.looks.statuses.total() - self.looks.statuses[200]
        onward = self.waiting.statuses[200] + self.waiting.statuses[302]
        waiting = self.waiting.statuses.total() - onward
        bookings = self.bookings.statuses.total() - self.bookings.statuses[302]
        return looks + waiting + bookings + self.people - self.sold

    @property
    def is_held(self) -> bool:
        """Whether nothing went wrong and 95 of 100 were answered in time, whatever they asked."""
        asked = [
            answers for answers in (self.looks, self.waiting, self.bookings) if answers.seconds
        ]
        slowest = max(answers.percentile_ms(0.95) for answers in asked)
        return not self.wrong and not self.oversold and slowest < PROMISED_MS

    @property
    def passed(self) -> float:
        """By how many seconds somebody let in earlier had come later, at most."""
        longest = latest = 0.0
        for came, _ in sorted(self.visits, key=lambda visit: visit[1]):
            longest = max(longest, latest - came)
            latest = max(latest, came)
        return longest


def measure(port: int, clinics: list[Clinic], people: Iterator[Person]) -> list[Rush]:
    """The rush of a county hospital; steeper and steeper ones until one is not held; and the
    metropolis's, upon a house that lets in part of the highest it held."""
    rushes = [_rush(port, clinics, people, Rush(*COUNTY))]
    for per_minute in STEPS:
        rushes.append(_rush(port, clinics, people, Rush(per_minute, TRIED)))
        if not rushes[-1].is_held:
            break
    let_in = max(1, int(highest(rushes) / 60 * CAREFUL))
    world.people_a_second(let_in)
    return [*rushes, _rush(port, clinics, people, Rush(*METROPOLIS, let_in))]


def highest(rushes: list[Rush]) -> int:
    """Bookings a minute of the steepest rush held without a line before it."""
    return max(rush.per_minute for rush in rushes if rush.is_held and rush.let_in is None)


def people_needed() -> int:
    """How many people the whole of `measure` needs."""
    return sum(rush.people for rush in _all())


def clinics_needed() -> int:
    """How many clinics have a place for each of them; each rush begins at the first clinic again,
    which may have one more of each."""
    return math.ceil(people_needed() / (PLACES - len(_all())))


def _all() -> list[Rush]:
    tried = [Rush(per_minute, TRIED) for per_minute in STEPS]
    return [Rush(*COUNTY), *tried, Rush(*METROPOLIS)]


def _rush(port: int, clinics: list[Clinic], people: Iterator[Person], rush: Rush) -> Rush:
    from hospital.registration.models import Appointment

    before = Appointment.objects.count()
    visitors = [
        Visitor(next(people), clinics[place % len(clinics)]) for place in range(rush.people)
    ]
    asyncio.run(_run(port, visitors, rush))
    rush.sold = Appointment.objects.count() - before
    rush.oversold = _oversold()
    return rush


async def _run(port: int, visitors: list[Visitor], rush: Rush) -> None:
    chance = random.Random(7)
    house = _House()
    await house.open(port)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as visits:
        for place, visitor in enumerate(visitors):
            came = started + place * 60 / rush.per_minute
            await _until(came)
            moments = sorted(chance.uniform(0, STAY - 0.2) for _ in LOOKS[1:])
            visits.create_task(_visit(house, visitor, came, moments, rush))
    for answers in (rush.looks, rush.waiting, rush.bookings):
        answers.elapsed = time.perf_counter() - started
    house.close()


async def _visit(
    house: _House, visitor: Visitor, came: float, moments: list[float], rush: Rush
) -> None:
    """One person's way: in when the house says, the looks at the moments planned, the booking."""
    entered = await _come_in(house, visitor, came, rush)
    rush.visits.append((came, entered))
    for moment, what in zip(moments, LOOKS[1:], strict=True):
        rush.looks.add(await house.ask(visitor, visitor.request(what), entered + moment))
    rush.bookings.add(await house.ask(visitor, visitor.request("book"), entered + STAY))


async def _come_in(house: _House, visitor: Visitor, came: float, rush: Rush) -> float:
    """Ask for the first page, wait as often and as long as told, and get it; when that was."""
    request, due = visitor.request(OPENED), came
    while True:
        answer = await house.ask(visitor, request, due)
        if again := _AGAIN.search(answer.page):
            due = time.perf_counter() + float(again[1])
            request = Request(request.path, visitor.cookies, headers=_PART)
        elif onward := _LOCATION.search(answer.head):
            if not onward[1].startswith(_WAYS_IN):
                raise RuntimeError(f"somebody coming was sent to {onward[1]}")
            due = time.perf_counter()
            request = Request(onward[1], visitor.cookies)
        else:
            rush.looks.add(answer)
            return time.perf_counter()
        rush.waiting.add(answer)


async def _until(moment: float) -> None:
    if (pause := moment - time.perf_counter()) > 0:
        await asyncio.sleep(pause)


class _House:
    """The server as a crowd sees it: as many ask at once as there are connections."""

    def __init__(self) -> None:
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        self._free, self._port = asyncio.Queue(), 0

    async def open(self, port: int) -> None:
        """Connect."""
        self._port = port
        for _ in range(CONNECTIONS):
            self._free.put_nowait(await asyncio.open_connection("127.0.0.1", port))

    def close(self) -> None:
        """Hang up; nobody may be asking any more."""
        while not self._free.empty():
            self._free.get_nowait()[1].close()

    async def ask(self, visitor: Visitor, request: Request, due: float) -> Answer:
        """The answer to a request due at a moment; its time is counted from there."""
        await _until(due)
        reader, writer = await self._free.get()
        writer.write(encoded(request, self._port))
        status, head, page = await read_answer(reader)
        self._free.put_nowait((reader, writer))
        if turn := _COOKIE.search(head):
            visitor.turn = turn[1]
        return Answer(status, head, page, time.perf_counter() - due)


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


def section(rushes: list[Rush], limit: float, empty_view: float) -> str:
    """The figures as a section of docs/benchmarks.md; `limit` is pgbench's, bookings a second,
    `empty_view` the answers a second of a view that does nothing."""
    metropolis = rushes[-1]
    held = highest(rushes)
    waits = sorted(entered - came for came, entered in metropolis.visits)
    visit = 1 / (1 / limit + len(LOOKS) / empty_view)
    return _TEXT.format(
        looks=len(LOOKS),
        clinics=clinics_needed(),
        promised=PROMISED_MS,
        metropolis=metropolis.per_minute,
        minutes=metropolis.seconds // 60,
        tried=TRIED,
        held=held,
        ratio=held / 60 / limit,
        visit=visit,
        visit_ratio=held / 60 / visit,
        head=f"| {' | '.join(_HEAD)} |\n|{'---|' * len(_HEAD)}",
        rows="\n".join(map(_row, rushes)),
        careful=CAREFUL,
        let_in=metropolis.let_in,
        is_held="held" if metropolis.is_held else "**not held**",
        people=metropolis.people,
        waiting=_times(metropolis.waiting),
        asked=metropolis.waiting.statuses.total() / metropolis.people,
        middle=waits[len(waits) // 2] / 60,
        longest=waits[-1] / 60,
        passed=metropolis.passed,
    )


def _row(rush: Rush) -> str:
    cells = (
        *(f"{rush.per_minute:,}", f"{rush.seconds} s", rush.let_in or ""),
        *(f"{rush.looks.per_second:.0f}", _times(rush.looks)),
        *(f"{rush.bookings.per_second:.0f}", _times(rush.bookings)),
        *(rush.wrong, rush.oversold, "yes" if rush.is_held else "**no**"),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _times(answers: Answers) -> str:
    middle, most, nearly_all = (answers.percentile_ms(share) for share in (0.5, 0.95, 0.99))
    return f"{middle:.0f} / **{most:.0f}** / {nearly_all:.0f}"


_HEAD = (
    *("bookings a minute", "for", "let in a second"),
    *("looks/s", "p50 / p95 / p99 ms", "bookings/s", "p50 / p95 / p99 ms"),
    *("errors", "oversold", "held"),
)
_TEXT = """
## The rush at seven

Everybody looks {looks} times within twenty seconds (the departments once, the doctors of one of
{clinics}, a doctor, times, the page to confirm on) and books then, another person each time. All
come when the plan says: an answer's time counts from when it was due, and the load comes from the
same two cores. An error is any answer but the page, or a person whose booking is not in the books;
oversold are numbers two people have and bands with more taken than they hold. Promised: 95 of 100
answers below {promised} ms. First a county hospital's rate, then step by step ({tried} s each, no
line before the house) until a step is not held. Last {metropolis:,} a minute for {minutes} minutes,
upon a house set to let in {careful:.0%} of what it held (`kernel.rush_per_second`): the others wait
in line (M1.16), nobody is turned away.

{head}
{rows}

So these two cores hold **{held:,} bookings a minute** with all their looks: **{ratio:.3f}** of what
pgbench writes of a booking's rows alone, **{visit_ratio:.3f}** of the {visit:.0f} a second that the
same rows and an empty view for each look would allow.

{metropolis:,} a minute for {minutes} minutes: {is_held}. {people:,} people came, {let_in} a second
were let in. The waiting page was asked {asked:.1f} times a person (p50 / p95 / p99 {waiting} ms);
half waited less than {middle:.1f} minutes, the longest {longest:.1f}. Whoever was passed was passed
by somebody who had come at most **{passed:.2f} s** later. Promised: less than 3 s.
"""
