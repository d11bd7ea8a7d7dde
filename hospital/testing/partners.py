"""Builders of outside platforms for tests: a partner with a secret and a token, and its program,
which speaks FHIR over HTTP like anybody's."""

import datetime as dt
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.test import Client

from hospital.interop import actions as interop
from hospital.interop.actions import Terms
from hospital.interop.models import Partner
from hospital.interop.states import Scope
from hospital.kernel.actors import SYSTEM
from hospital.scheduling.models import Schedule, Slot
from hospital.testing.people import a_resident_id
from hospital.testing.schedules import NOW

BASE = "/fhir/R4"
FHIR = "application/fhir+json"
_numbers = itertools.count(1)


def a_partner(
    *,
    code: str = "",
    name: str = "健康之路",
    scopes: Sequence[Scope] = tuple(Scope),
    daily_quota: int = 1000,
    session_percent: int = 100,
    per_minute: int = 6000,
    at: dt.datetime = NOW,
) -> Partner:
    """A platform that may do everything and much of it, unless told otherwise."""
    terms = Terms(name, "张工 0750-8888888", scopes, daily_quota, session_percent, per_minute)
    code = code or f"platform-{next(_numbers)}"
    return interop.open_partner(code=code, terms=terms, by=SYSTEM, at=at)


def a_secret(partner: Partner, *, days: int = 90, at: dt.datetime = NOW) -> str:
    """A secret of a partner, in clear."""
    return interop.make_secret(partner_id=partner.pk, days=days, by=SYSTEM, at=at)[1]


def a_token(partner: Partner, *, scopes: Sequence[str] = (), at: dt.datetime = NOW) -> str:
    """A token bought with a new secret."""
    secret = a_secret(partner, at=at)
    return interop.issue_token(
        client_id=partner.code, client_secret=secret, scopes=scopes, at=at
    ).token


def free_slots(schedule: Schedule) -> list[int]:
    """The ids of a session's free numbers that platforms may have, in order."""
    found = Slot.objects.filter(schedule=schedule, status="free", pool__in=("wechat", "public"))
    return list(found.order_by("sequence_no").values_list("pk", flat=True))


def a_person(
    *,
    name: str = "顾小满",
    document_no: str = "",
    phone: str = "13900139000",
    system: str = "urn:oid:2.16.156.10011.1.3",
    **more: object,
) -> dict[str, Any]:
    """A Patient as a partner names one."""
    return {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": system, "value": document_no or a_resident_id()}],
        "name": [{"text": name}],
        "telecom": [{"system": "phone", "value": phone}],
        **more,
    }


def a_wish(slot_id: int, *, reference: str = "", person: dict[str, Any] | None = None) -> Any:
    """An Appointment to be booked."""
    wish: dict[str, Any] = {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot_id}"}],
        "participant": [{"actor": {"reference": "#p"}, "status": "accepted"}],
        "contained": [person or a_person()],
    }
    return wish | ({"identifier": [{"value": reference}]} if reference else {})


@dataclass(frozen=True)
class Reply:
    """What the interface answered; `body` is the resource."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def codes(self) -> list[str]:
        """The stable codes of a refusal."""
        issues = self.body.get("issue", ())
        return [one["code"] for each in issues for one in each["details"].get("coding", ())]


class Program:
    """A partner's program: asks with its token, and books under a new key unless told one."""

    def __init__(self, partner: Partner, *, token: str = "", at: dt.datetime = NOW) -> None:
        self.partner = partner
        self._client = Client()
        self._secret = "" if token else a_secret(partner, at=at)
        self.token = token
        if not token:
            self.renew(at)

    def renew(self, at: dt.datetime) -> None:
        """Buy another token with the same secret."""
        self.token = interop.issue_token(
            client_id=self.partner.code, client_secret=self._secret, scopes=(), at=at
        ).token

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Reply:
        return _reply(self._client.get(BASE + path, query or {}, headers=self._headers()))

    def book(self, wish: object, *, key: str = "") -> Reply:
        key = key or f"key-{next(_numbers):08d}"
        return self._send("post", "/Appointment", wish, {"Idempotency-Key": key})

    def cancel(self, number: str, **more: object) -> Reply:
        body = {"resourceType": "Appointment", "id": number, "status": "cancelled", **more}
        return self._send("put", f"/Appointment/{number}", body)

    def patch(
        self, number: str, patch: object = None, *, headers: dict[str, str] | None = None
    ) -> Reply:
        wanted = patch or [{"op": "replace", "path": "/status", "value": "cancelled"}]
        kind = "application/json-patch+json"
        return self._send("patch", f"/Appointment/{number}", wanted, headers, kind=kind)

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        headers: dict[str, str] | None = None,
        *,
        kind: str = FHIR,
    ) -> Reply:
        call = getattr(self._client, method)
        text = body if isinstance(body, str) else json.dumps(body)
        answer = call(
            BASE + path, text, content_type=kind, headers=self._headers() | (headers or {})
        )
        return _reply(answer)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": FHIR}


def _reply(answer: Any) -> Reply:
    return Reply(answer.status_code, json.loads(answer.content), answer.headers)
