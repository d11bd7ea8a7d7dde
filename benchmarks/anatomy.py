"""Where one booking's time goes: its SQL statements, and how long each part of it takes."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client

from benchmarks import limits
from benchmarks.limits import Written
from benchmarks.world import CSRF, Clinic, Person

_ROUNDS = 60


@dataclass
class Anatomy:
    """Means over some bookings, in ms; `statements` of one booking by their first words."""

    total_ms: float = 0.0
    sql_ms: float = 0.0
    statements: Counter[str] = field(default_factory=Counter)
    written: list[Written] = field(default_factory=list)

    @property
    def statement_count(self) -> int:
        return sum(self.statements.values())


def of_booking(clinic: Clinic, people: list[Person]) -> Anatomy:
    """Book for each of these people in this process and take the means, without the network.

    The last booking's transaction is read for the rows it wrote.
    """
    anatomy = Anatomy()
    spent: list[float] = []
    seen: list[str] = []

    def timed(execute: Callable[..., Any], statement: str, *rest: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(statement, *rest)
        finally:
            spent.append(time.perf_counter() - started)
            seen.append(" ".join(statement.split()[:3]))

    client = Client()
    client.get("/healthz")  # a client builds its middleware at its first request
    for index, person in enumerate(people[:_ROUNDS]):
        form = {"patient": person.patient_number, "key": f"anatomy-{index}"}
        form["csrfmiddlewaretoken"] = CSRF
        seen.clear()
        with connection.execute_wrapper(timed):
            started = time.perf_counter()
            answer = client.post(
                f"/m/book/{clinic.schedule_id}/{clinic.band_id}/",
                form,
                headers={"cookie": person.cookie},
            )
            anatomy.total_ms += 1000 * (time.perf_counter() - started)
        if answer.status_code != 302:
            raise RuntimeError(f"a booking was answered {answer.status_code}")
    anatomy.total_ms /= len(people[:_ROUNDS])
    anatomy.sql_ms = 1000 * sum(spent) / len(people[:_ROUNDS])
    anatomy.statements = Counter(seen)
    return anatomy


def rows_of_booking(clinic: Clinic, person: Person) -> list[Written]:
    """What one booking writes, read from the server's counters inside its own transaction."""
    from hospital.identity.models import WeChatUser
    from hospital.kernel import clock
    from hospital.kernel.actors import Actor
    from hospital.patients.models import Patient
    from hospital.registration import actions

    patient = Patient.objects.get(outpatient_no=person.patient_number)
    user = WeChatUser.objects.get(patient_bindings__patient=patient)
    at = clock.now()
    return limits.rows_of(
        lambda: actions.book(
            patient_id=patient.pk,
            schedule_id=clinic.schedule_id,
            band_id=clinic.band_id,
            wechat_user_id=user.pk,
            key="rows",
            by=Actor("patient", user.pk),
            at=at,
        )
    )
