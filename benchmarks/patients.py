"""The desk's search over 100,000 patients, each way of asking beside a read by primary key.

`python -m benchmarks.patients` makes its own database and prints the section alone.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PATIENTS = 100_000
ASKED = 300
WARM_UP = 10
LIMIT_MS = 50.0
Ask = Callable[[Any], int]
_SECTION = """## Finding one of {patients:,} patients at the desk

Made by `./manage.py seed_patients {patients}` ({seconds:.0f} s, {rate:,.0f} a second). A question
goes {asked} times through `patients.queries.find`, for another patient each time, the ways by
turns, as the card desk asks: the number sealed into its blind index, up to 20 masked hits read and
unsealed. The last line compares a new person with everybody who may be the same. The limit is one
patient read by primary key in the same process. Promised: {limit:.0f} ms for 95 of 100.

| asked by | p50 ms | p95 ms | hits, mean | of the primary-key read's p95 |
|---|---|---|---|---|
{lines}
"""


@dataclass(frozen=True)
class Asked:
    """One way of asking: milliseconds of every question, and how many hits they gave."""

    name: str
    milliseconds: Sequence[float]
    hits: int

    def percentile(self, share: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass(frozen=True)
class Searches:
    patients: int
    seconds: float
    ways: Sequence[Asked]


def measure(*, patients: int = PATIENTS, asked: int = ASKED) -> Searches:
    """Fill the database of this process with patients and ask for some of them in every way."""
    from django.db import connection

    from hospital.kernel import clock
    from hospital.kernel.actors import SYSTEM
    from hospital.patients.actions.seeding import seed_patients
    from hospital.patients.models import Patient, PatientCard

    began = time.perf_counter()
    for _ in seed_patients(count=patients, seed=3, by=SYSTEM, at=clock.now()):
        pass
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server does by itself, but now
    dice = random.Random(1)
    everybody = list(
        Patient.objects.filter(assurance__in=["document", "verified"])
        .values_list("pk", flat=True)
        .order_by("pk")
    )
    chosen = list(
        Patient.objects.filter(pk__in=dice.sample(everybody, asked)).prefetch_related("identifiers")
    )
    cards = PatientCard.objects.order_by("pk").values_list("number", flat=True)
    carded = dice.sample(list(cards), min(asked, len(cards)))
    ways: dict[str, tuple[Ask, Sequence[Any]]] = {
        "primary key": (_by_key, [row.pk for row in chosen]),
        "ID number": (_find, [row.identifiers.all()[0].value for row in chosen]),
        "phone": (_find, [row.phone for row in chosen]),
        "outpatient number": (_find, [row.outpatient_no for row in chosen]),
        "card number": (_find, carded),
        "initials of the name": (_find, [row.initials for row in chosen]),
        "two initials": (_find, [row.initials[:2] for row in chosen]),
        "pinyin": (_find, [row.pinyin.replace(" ", "") for row in chosen]),
        "name": (_find, [row.name for row in chosen]),
        "surname": (_find, [row.name[0] for row in chosen]),
        "look-alikes of a new person": (_look_alikes, chosen),
    }
    return Searches(patients, seconds, _ask_all(ways))


def section(figures: Searches) -> str:
    limit = figures.ways[0].percentile(0.95)
    lines = [
        f"| {way.name} | {way.percentile(0.5):.2f} | {way.percentile(0.95):.2f} |"
        f" {way.hits / len(way.milliseconds):.1f} | **{way.percentile(0.95) / limit:.1f}** |"
        for way in figures.ways
    ]
    return _SECTION.format(
        patients=figures.patients,
        seconds=figures.seconds,
        rate=figures.patients / figures.seconds,
        asked=len(figures.ways[0].milliseconds),
        limit=LIMIT_MS,
        lines="\n".join(lines),
    )


def _ask_all(ways: Mapping[str, tuple[Ask, Sequence[Any]]]) -> list[Asked]:
    """Ask by turns, so that what else the machine does falls on every way alike."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    hits = dict.fromkeys(ways, 0)
    rounds = min(len(questions) for _, questions in ways.values())
    for turn in range(-WARM_UP, rounds):
        for name, (ask, questions) in ways.items():
            began = time.perf_counter()
            found = ask(questions[turn % rounds])
            if turn >= 0:
                times[name].append((time.perf_counter() - began) * 1000)
                hits[name] += found
    return [Asked(name, times[name], hits[name]) for name in ways]


def _by_key(key: Any) -> int:
    from hospital.patients.models import Patient

    return 1 if Patient.objects.filter(pk=key).first() is not None else 0


def _find(text: object) -> int:
    from hospital.patients import queries

    return len(queries.find(str(text)))


def _look_alikes(patient: Any) -> int:
    """As if somebody of the same name, birth date and phone brought a passport."""
    from hospital.kernel import clock
    from hospital.patients import actions, queries
    from hospital.patients.states import DocumentKind, Sex

    facts = actions.Facts(
        name=patient.name,
        document_kind=DocumentKind.PASSPORT,
        document_no="E12345678",
        phone=patient.phone,
        sex=Sex(patient.sex),
        birth_date=patient.birth_date,
        address=patient.address,
    )
    person = actions.check_facts(facts, at=clock.now())
    return len(queries.candidates(person=person, at_least=7))


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


if __name__ == "__main__":
    main()
