"""The measurements themselves: the product first, then its limit, on the same server."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks import anatomy, limits, load, world
from benchmarks.anatomy import Anatomy
from benchmarks.limits import Limit
from benchmarks.load import Answers, Request
from benchmarks.world import CSRF, Clinic, Person

WARM = 150
BOOKINGS = 1500
READS = 4000
CLIENTS = 16
LIMIT_SECONDS = 8
LIMIT_ROWS = 6000
ANATOMY = 60
PEOPLE = WARM + BOOKINGS + BOOKINGS // 5 + ANATOMY + 1


@dataclass(frozen=True)
class Figures:
    """Everything measured in one run."""

    bookings: Answers
    bookings_alone: Answers
    booking_limit: Limit
    booking_limit_alone: Limit
    rosters: Answers
    departments: Answers
    empty_page: Answers
    bare: Answers
    parts: Anatomy


def measure(
    url: str,
    clinics: list[Clinic],
    people: list[Person],
    folder: Path,
    *,
    say: Callable[[str], None],
) -> Figures:
    """Run everything once. Raises RuntimeError when an answer is not the expected one."""
    crowd = iter(people)
    world.people_a_second(100_000)  # what is measured is a page, not the line before it
    with world.server() as port:
        say("booking …")
        _book(port, clinics, crowd, WARM, clients=CLIENTS)
        bookings = _book(port, clinics, crowd, BOOKINGS, clients=CLIENTS)
        alone = _book(port, clinics, crowd, BOOKINGS // 5, clients=1)
        say("reading pages …")
        readers = [person.cookie for person in people]
        roster = f"/m/departments/{clinics[0].department}/"
        rosters = _read(port, roster, readers, READS // 2)
        departments = _read(port, "/m/departments/", readers, READS // 2)
        empty_page = _read(port, "/m/empty/", readers, READS // 2)
        bare = _read(port, "/healthz", [""], READS)
    say("taking one booking apart …")
    parts = anatomy.of_booking(clinics[0], list(itertools.islice(crowd, ANATOMY)))
    parts.written = anatomy.rows_of_booking(clinics[1], next(crowd))
    say("the same rows by pgbench …")
    with psycopg.connect(url) as connection:
        limits.copy_tables(connection, parts.written, LIMIT_ROWS)
        text = limits.script(connection, parts.written, LIMIT_ROWS)
    together = limits.run_pgbench(url, text, clients=CLIENTS, seconds=LIMIT_SECONDS, folder=folder)
    single = limits.run_pgbench(url, text, clients=1, seconds=LIMIT_SECONDS, folder=folder)
    return Figures(
        bookings=bookings,
        bookings_alone=alone,
        booking_limit=together,
        booking_limit_alone=single,
        rosters=rosters,
        departments=departments,
        empty_page=empty_page,
        bare=bare,
        parts=parts,
    )


def _book(
    port: int, clinics: list[Clinic], crowd: Iterator[Person], count: int, *, clients: int
) -> Answers:
    """Each booking by another person, spread over all clinics; every answer must be a redirect."""
    where = itertools.cycle(clinics)
    requests = [
        Request(
            f"/m/book/{clinic.schedule_id}/{clinic.band_id}/",
            person.cookie,
            {
                "patient": person.patient_number,
                "key": f"bench-{person.patient_number}",
                "csrfmiddlewaretoken": CSRF,
            },
        )
        for clinic, person in zip(where, itertools.islice(crowd, count), strict=False)
    ]
    answers = load.run("127.0.0.1", port, requests, clients=clients)
    if answers.statuses != {302: count}:
        raise RuntimeError(f"bookings were answered {dict(answers.statuses)}")
    return answers


def _read(port: int, path: str, cookies: list[str], count: int) -> Answers:
    """Each read by the next of these people, round and round."""
    whose = itertools.islice(itertools.cycle(cookies), count)
    requests = [Request(path, cookie) for cookie in whose]
    answers = load.run("127.0.0.1", port, requests, clients=CLIENTS)
    if answers.statuses != {200: count}:
        raise RuntimeError(f"{path} was answered {dict(answers.statuses)}")
    return answers
