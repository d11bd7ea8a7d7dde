"""Every resource the interface answers is valid FHIR (R4B models), and says what the rows say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client
from fhir.resources.R4B import get_fhir_model_class

from hospital.kernel.actors import SYSTEM
from hospital.kernel.clock import local
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Slot
from hospital.scheduling.states import Pool
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.partners import BASE, Program, Reply, a_wish, free_slots
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, an_unreleased_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
SHARES = {Pool.WECHAT: 10, Pool.WINDOW: 4, Pool.PUBLIC: 2}


def judge(resource: Any) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def valid(reply: Reply) -> Any:
    """The body, judged by somebody else's models, whatever the status."""
    judge(reply.body)
    return reply.body


def found(reply: Reply) -> list[Any]:
    return [one["resource"] for one in valid(reply).get("entry", ())]


def test_a_session_says_when_where_who_and_what_it_costs(program: Program) -> None:
    department = a_department(name="针灸推拿科")
    doctor = a_practitioner(department, name="陈知行")
    session = a_released_schedule(department=department, practitioner=doctor, fee_fen=2550)

    (shown,) = found(program.get("/Schedule"))

    assert shown == valid(program.get(f"/Schedule/{session.pk}"))
    assert shown["active"] is True
    assert shown["planningHorizon"] == {
        "start": "2026-11-24T08:00:00+08:00",
        "end": "2026-11-24T12:00:00+08:00",
    }
    assert shown["specialty"][0]["coding"][0] == {
        "system": "urn:xinglin:department",
        "code": department.code,
        "display": "针灸推拿科",
    }
    assert shown["actor"][0]["reference"] == f"Practitioner/{doctor.code}"
    extensions = {one["url"].rpartition(":")[2]: one for one in shown["extension"]}
    assert extensions["registration-fee"]["valueMoney"] == {"value": 25.5, "currency": "CNY"}
    released = local(session.release_at).isoformat(timespec="seconds")
    assert extensions["release-at"]["valueDateTime"] == released

    who = valid(program.get(f"/Practitioner/{doctor.code}"))
    assert who["name"] == [{"text": "陈知行"}]


def test_sessions_are_found_by_day_department_and_doctor(program: Program) -> None:
    first = a_released_schedule()
    other = a_released_schedule(day=TOMORROW + dt.timedelta(days=1))
    hidden = an_unreleased_schedule()

    def ids(**query: object) -> list[int]:
        return [int(one["id"]) for one in found(program.get("/Schedule", query))]

    assert ids() == [first.pk, other.pk]
    assert ids(date="2026-11-24") == [first.pk]
    assert ids(date=["gt2026-11-24", "le2026-11-25"]) == [other.pk]
    assert ids(date="lt2026-11-24") == []
    assert ids(specialty=f"urn:xinglin:department|{other.department.code}") == [other.pk]
    assert first.practitioner is not None
    assert ids(actor=f"Practitioner/{first.practitioner.code}") == [first.pk]
    assert ids(**{"service-type": first.service_type.kind}) == [first.pk, other.pk]
    assert ids(_id=f"{other.pk},{hidden.pk}") == [other.pk]
    assert program.get(f"/Schedule/{hidden.pk}").status == 404


def test_sm2_numbers_wear_fhirs_words(program: Program) -> None:
    session = a_released_schedule(shares=SHARES)
    slots = list(
        Slot.objects.filter(schedule=session, pool=Pool.WECHAT).order_by("sequence_no")[:4]
    )
    scheduling.hold_slot(
        schedule_id=session.pk,
        prefer_slot_id=slots[0].pk,
        until=NOW + dt.timedelta(minutes=15),
        by=SYSTEM,
        at=NOW,
    )
    program.book(a_wish(slots[1].pk))
    scheduling.block_numbers(
        schedule_id=session.pk, slot_ids=[slots[2].pk], reason="试验", by=SYSTEM, at=NOW
    )

    words = {
        int(one["id"]): one["status"]
        for one in found(program.get("/Slot", {"schedule": session.pk, "_count": 100}))
    }

    assert len(words) == 12, "numbers of the window are not listed"
    assert [words[slot.pk] for slot in slots] == [
        "busy-tentative",
        "busy",
        "busy-unavailable",
        "free",
    ]
    window = Slot.objects.filter(schedule=session, pool=Pool.WINDOW).first()
    assert window is not None
    assert program.get(f"/Slot/{window.pk}").status == 404


def test_numbers_are_found_by_time_and_state(program: Program) -> None:
    session = a_released_schedule()

    def starts(**query: object) -> list[str]:
        rows = found(program.get("/Slot", {"schedule": f"Schedule/{session.pk}", **query}))
        return sorted({one["start"][11:16] for one in rows})

    assert starts() == ["08:00", "09:00", "10:00", "11:00"]
    assert starts(start="ge2026-11-24T10:00:00+08:00") == ["10:00", "11:00"]
    assert starts(start=["gt2026-11-24T00:00:00Z", "lt2026-11-24T03:00:00Z"]) == ["09:00", "10:00"]
    assert starts(start="2026-11-24T09:00+08:00") == ["09:00"]
    assert starts(start="2026-11-25") == []
    assert starts(status="busy,busy-tentative") == []


def test_what_is_free_can_be_booked_and_nothing_else(program: Program) -> None:
    session = a_released_schedule()
    nearly_over = dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
    with time_machine.travel(nearly_over - dt.timedelta(seconds=1), tick=False):
        late = Program(program.partner, at=nearly_over)
        slots = found(late.get("/Slot", {"schedule": session.pk, "status": "free"}))
        assert {one["start"] for one in slots} == {"2026-11-24T11:00:00+08:00"}
    with time_machine.travel(nearly_over, tick=False):
        assert found(late.get("/Slot", {"schedule": session.pk, "status": "free"})) == []
        refused = late.book(a_wish(int(slots[0]["id"])))
        assert (refused.status, refused.codes) == (409, ["CHANNEL_CLOSED"])


def test_m1_02_what_is_kept_for_the_waiting_list_is_not_free(program: Program) -> None:
    session = a_released_schedule()
    slot = free_slots(session)[0]
    scheduling.keep_for_list(schedule_id=session.pk, is_kept=True)
    assert program.get("/Slot", {"schedule": session.pk, "status": "free"}).body["total"] == 0
    assert program.get(f"/Slot/{slot}").body["status"] == "busy"
    assert program.book(a_wish(slot)).codes[0] == "SLOT_TAKEN"
    soon = dt.datetime(2026, 11, 23, 23, 31, tzinfo=dt.UTC)  # 29 minutes before the first band
    with time_machine.travel(soon, tick=False):
        program.renew(soon)
        free = found(program.get("/Slot", {"schedule": session.pk, "status": "free"}))
        assert {one["start"][11:16] for one in free} == {"08:00"}
        assert program.book(a_wish(slot)).status == 201


def test_pages_follow_one_another(program: Program) -> None:
    session = a_released_schedule()
    seen: list[str] = []
    reply = program.get("/Slot", {"schedule": session.pk, "_count": 7})
    sizes = [len(found(reply))]
    while True:
        seen += [one["id"] for one in found(reply)]
        links = {one["relation"]: one["url"] for one in reply.body["link"]}
        assert reply.body["total"] == 16
        if "next" not in links:
            break
        reply = program.get(links["next"].partition(BASE)[2])
        sizes.append(len(found(reply)))
    assert sizes == [7, 7, 2]
    assert [int(one) for one in seen] == free_slots(session)


def test_a_booking_and_its_refusals_are_valid(program: Program) -> None:
    session = a_released_schedule()
    slots = free_slots(session)
    made = valid(program.book(a_wish(slots[0], reference="order-9")))
    assert made["start"] == "2026-11-24T08:00:00+08:00"
    assert made["patientInstruction"].startswith("请携带证件，在 11月24日 08:10 前到挂号窗口")
    assert "顾" not in str(made)
    assert valid(program.get("/Appointment", {"identifier": "order-9"}))["total"] == 1
    assert valid(program.book(a_wish(slots[0])))["issue"][0]["code"] == "conflict"
    valid(program.book({"resourceType": "Appointment"}))
    valid(program.get("/Nothing/1"))
    valid(program.get("/Slot", {"x": "y"}))
    assert valid(program.cancel(made["id"]))["cancelationReason"] == {"text": "患者退号"}


def test_the_server_describes_itself() -> None:
    said = Client().get(f"{BASE}/metadata").json()
    judge(said)
    offered = {one["type"]: one for one in said["rest"][0]["resource"]}
    assert set(offered) == {"Schedule", "Slot", "Appointment", "Practitioner"}
    assert [one["code"] for one in offered["Appointment"]["interaction"]] == [
        "search-type",
        "create",
        "read",
        "update",
        "patch",
    ]
    smart = Client().get(f"{BASE}/.well-known/smart-configuration").json()
    assert smart["token_endpoint"] == f"http://testserver{BASE}/oauth/token"
    assert Client().post(f"{BASE}/metadata").status_code == 405
