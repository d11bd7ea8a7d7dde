"""Somebody else's client reads our description and tries what it allows and what it forbids: no
error of ours, no answer the description does not know (acceptance 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from hypothesis import HealthCheck, Phase
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from hospital.scheduling.models import Schedule
from hospital.testing.partners import BASE, FHIR, Program, a_partner, a_wish, free_slots
from hospital.testing.schedules import a_released_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
#: No schema knows which days a month has, or whose document a number is: 400 and 422 are honest.
BEYOND_A_SCHEMA: Final = [positive_data_acceptance]
#: Each operation is tried so often in either mode in `make test`, and so often in `make test-all`.
FEW, MANY = 2, 100


class Here:
    """The product as a WSGI application within the test's own transaction: a request that ended
    for good would close its connection."""

    def __init__(self) -> None:
        self._handler = WSGIHandler()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        answer = self._handler.get_response(WSGIRequest(environ))
        assert isinstance(answer, HttpResponse)
        start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
        return [answer.content]


class Asker:
    """Every operation of the description, asked by a partner that has booked."""

    def __init__(self) -> None:
        self.session: Schedule = a_released_schedule()
        self.slots = free_slots(self.session)
        self.program = Program(a_partner())
        self.number = self.program.book(a_wish(self.slots[0])).body["id"]
        found: Any = schemathesis.openapi.from_wsgi(f"{BASE}/openapi.json", Here())
        self.operations = [result.ok() for result in found.get_all_operations()]
        self.headers = {"Authorization": f"Bearer {self.program.token}"}

    def on_purpose(self) -> dict[str, int]:
        """What each operation answers to a question with something behind it."""
        doctor = self.session.practitioner
        assert doctor is not None
        cancelled = {"resourceType": "Appointment", "id": self.number, "status": "cancelled"}
        patch = [{"op": "replace", "path": "/status", "value": "cancelled"}]
        asked: dict[str, dict[str, Any]] = {
            "GET /Schedule/{id}": {"path_parameters": {"id": str(self.session.pk)}},
            "GET /Practitioner/{id}": {"path_parameters": {"id": doctor.code}},
            "GET /Slot/{id}": {"path_parameters": {"id": str(self.slots[1])}},
            "GET /Appointment/{id}": {"path_parameters": {"id": self.number}},
            "POST /Appointment": {
                "body": a_wish(self.slots[2]),
                "headers": {"Idempotency-Key": "schemathesis-1"},
                "media_type": FHIR,
            },
            "PUT /Appointment/{id}": {
                "path_parameters": {"id": self.number},
                "body": cancelled,
                "media_type": FHIR,
            },
            "PATCH /Appointment/{id}": {
                "path_parameters": {"id": self.number},
                "body": patch,
                "media_type": "application/json-patch+json",
            },
        }
        return {
            one.label: one.Case(**asked.get(one.label, {}))
            .call_and_validate(headers=self.headers)
            .status_code
            for one in self.operations
            if one.label != "POST /oauth/token"
        }

    def at_random(self, *, times: int) -> dict[str, int]:
        """How often each operation was tried; raises at the first answer that breaks a promise."""
        return {one.label: sum(self._try(one, times)) for one in self.operations}

    def _try(self, operation: Any, times: int) -> Iterator[int]:
        yield self._ask(operation, GenerationMode.POSITIVE, times)
        if any(True for _ in operation.iter_parameters()) or operation.body:
            yield self._ask(operation, GenerationMode.NEGATIVE, times)

    def _ask(self, operation: Any, mode: GenerationMode, times: int) -> int:
        done = 0

        @hypothesis.settings(
            max_examples=times,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            nonlocal done
            done += 1
            case.call_and_validate(headers=self.headers, excluded_checks=BEYOND_A_SCHEMA)

        ask()
        return done


def test_schemathesis_gets_the_answers_that_are_described() -> None:
    asker = Asker()
    answers = asker.on_purpose()
    assert set(answers.values()) == {200, 201}
    assert len(answers) == len(asker.operations) - 1 == 15
    assert min(asker.at_random(times=FEW).values()) >= 1


@pytest.mark.thorough
@pytest.mark.slow
def test_schemathesis_tries_for_long() -> None:
    assert min(Asker().at_random(times=MANY).values()) >= 1
