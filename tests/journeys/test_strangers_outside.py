"""Kiosks and programs of platforms reach nobody's things but those in front of them (acceptance 2).

A kiosk knows the person who stands there, a program the bookings it made. Every address of theirs
that names something is asked with somebody else's: the answer is the one for what nobody has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from hospital.identity import actions as identity
from hospital.identity.access import KIOSK_COOKIE
from hospital.kernel.actors import SYSTEM
from hospital.testing.bookings import a_booking, a_paid_booking
from hospital.testing.partners import FHIR, Program, a_partner, a_wish, free_slots
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule
from tests.journeys import test_function_matrix
from tests.journeys.test_strangers import parameters, said
from tools.inventory import Address, addresses

pytestmark = pytest.mark.django_db
NOBODYS: Final = "26112499999999"
#: What every call of a program leaves: the record of the call.
CALLS: Final = {"interop_partnercall", "interop_callcount"}
#: Addresses of programs that name what everybody may read: the timetable, and nothing at all.
TIMETABLE: Final = {
    *("interop-schedule-one", "interop-slot-one", "interop-practitioner-one", "interop-nowhere"),
}
#: Addresses of kiosks that name a visit alone.
VISITS: Final = {
    *("window-kiosk-visit", "window-kiosk-end", "window-kiosk-book"),
    *("window-kiosk-departments", "window-kiosk-numbers"),
}
BOOKINGS: Final = {
    *("window-kiosk-booking", "window-kiosk-pay", "window-kiosk-drop", "window-kiosk-state"),
    *("window-kiosk-collect", "window-kiosk-check-in", "window-kiosk-slip"),
}


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept = test_function_matrix.FOOTPRINTS | CALLS
    monkeypatch.setattr(test_function_matrix, "FOOTPRINTS", kept)
    with time_machine.travel(NOW, tick=False):
        yield


def named(kind: str) -> dict[str, Address]:
    """The addresses of an audience that name something."""
    found = [one for one in addresses() if one.access and one.access.kind == kind]
    return {one.name: one for one in found if parameters(one)}


def told(answer: Any, asked: str = "") -> str:
    """What an answer says, but for chance and for the number that was asked for."""
    return said(answer, {"asked": asked} if asked else {})


def a_kiosk(name: str) -> Client:
    """A machine that was paired."""
    _, code = identity.add_device(name=name, place="1楼", by=SYSTEM, at=NOW)
    _, secret = identity.pair_device(code=code, at=NOW)
    client = Client()
    client.cookies[KIOSK_COOKIE] = secret
    return client


def stand_at(kiosk: Client, document_no: str) -> str:
    """Somebody puts a document on the reader; the token of the visit."""
    return str(kiosk.post("/kiosk/", {"text": document_no})["Location"]).split("/")[3]


def test_a_kiosk_opens_nothing_of_who_does_not_stand_there() -> None:
    assert set(named("device")) == VISITS | BOOKINGS
    session, mine, theirs = a_released_schedule(), a_resident_id(), a_resident_id()
    a_patient(document_no=mine)
    user = a_wechat_user()
    other = a_patient(user, document_no=theirs)
    paid = a_paid_booking(patient=other, user=user, schedule=session)
    unpaid = a_booking(patient=other, user=user, schedule=a_released_schedule())
    here, there = a_kiosk("一号机"), a_kiosk("二号机")
    visit, elsewhere = stand_at(here, mine), stand_at(there, theirs)
    before = test_function_matrix.state_of_everything()

    for url, address in named("device").items():
        others = dict.fromkeys(parameters(address) - {"token"}, session.department.code)
        for call in (here.get, here.post):
            answer = call(reverse(url, kwargs={**others, "token": elsewhere}))
            nobodys = call(reverse(url, kwargs={**others, "token": "x" * len(elsewhere)}))
            assert told(answer) == told(nobodys), f"{url}: another machine's visit"
            for number in (paid.number, unpaid.number) if url in BOOKINGS else ():
                answer = call(reverse(url, kwargs={"token": visit, "number": number}))
                nobodys = call(reverse(url, kwargs={"token": visit, "number": NOBODYS}))
                assert told(answer, number) == told(nobodys, NOBODYS), f"{url}: another's booking"

    assert test_function_matrix.state_of_everything() == before
    assert there.get(reverse("window-kiosk-visit", args=[elsewhere])).status_code == 200
    own = there.get(reverse("window-kiosk-booking", args=[elsewhere, paid.number]))
    assert (own.status_code, paid.number in own.content.decode()) == (200, True)


def test_a_program_opens_nothing_it_did_not_book() -> None:
    assert set(named("partner")) == TIMETABLE | {"interop-appointment-one"}
    session = a_released_schedule()
    made = Program(a_partner()).book(a_wish(free_slots(session)[0])).body["id"]
    somebodys = a_paid_booking(schedule=session).number
    program = Program(a_partner())
    headers = {"Authorization": f"Bearer {program.token}"}
    patch = json.dumps([{"op": "replace", "path": "/status", "value": "cancelled"}])
    client, before = Client(), test_function_matrix.state_of_everything()

    def answers(number: str) -> list[str]:
        path = reverse("interop-appointment-one", args=[number])
        whole = {"resourceType": "Appointment", "id": number, "status": "cancelled"}
        return [
            told(client.get(path, headers=headers), number),
            told(client.put(path, json.dumps(whole), content_type=FHIR, headers=headers), number),
            told(
                client.patch(
                    path, patch, content_type="application/json-patch+json", headers=headers
                ),
                number,
            ),
        ]

    nobodys = answers(NOBODYS)
    assert [one.partition(" ")[0] for one in nobodys] == ["404"] * 3
    for number in (made, somebodys):
        assert answers(number) == nobodys
        for field in ("identifier", "_id"):
            assert program.get("/Appointment", {field: number}).body["total"] == 0
    assert test_function_matrix.state_of_everything() == before
