"""What FHIR R4 promises every client beside the resources: versions, conditions, searching by form,
what changed since, formats, and parameters nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from fhir.resources.R4B import get_fhir_model_class

from hospital.interop import queries
from hospital.interop.actions import calls
from hospital.interop.models import PartnerCall
from hospital.kernel.actors import SYSTEM
from hospital.kernel.clock import hospital_day
from hospital.organisation.states import Title
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.testing.organisation import a_department, a_practitioner, a_service_type
from hospital.testing.partners import BASE, Program, a_partner, a_wish, free_slots
from hospital.testing.schedules import NOW, a_released_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
HOUR = dt.timedelta(hours=1)
FORM = "application/x-www-form-urlencoded"


def asked(program: Program, path: str, body: str = "", **headers: str) -> Any:
    """A raw question; with a body it is a form."""
    headers = {"Authorization": f"Bearer {program.token}", **headers}
    if body:
        return Client().post(f"{BASE}{path}", body, content_type=FORM, headers=headers)
    return Client().get(f"{BASE}{path}", headers=headers)


def judged(answer: Any) -> Any:
    """The resource of an answer, which somebody else's models find valid."""
    found = answer.json()
    get_fhir_model_class(found["resourceType"]).model_validate(found)
    return found


def test_a_version_is_told_and_need_not_be_told_again(program: Program) -> None:
    slot = free_slots(a_released_schedule())[0]
    first = asked(program, f"/Slot/{slot}")
    tag = first.headers["ETag"]
    assert tag == f'W/"{judged(first)["meta"]["versionId"]}"'

    again = asked(program, f"/Slot/{slot}", **{"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)

    program.book(a_wish(slot))
    changed = asked(program, f"/Slot/{slot}", **{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] == tag) == (200, False)
    assert asked(program, f"/Slot/{slot}", **{"If-None-Match": "nonsense"}).status_code == 400


def test_a_booking_that_is_another_by_now_is_not_cancelled(program: Program) -> None:
    made = program.book(a_wish(free_slots(a_released_schedule())[0]))
    seen = {"If-Match": made.headers["ETag"]}
    Appointment.objects.update(collected_at=NOW)
    rows = list(Appointment.objects.values())

    refused = program.patch(made.body["id"], headers=seen)

    assert (refused.status, refused.codes) == (412, ["VERSION_CHANGED"])
    assert list(Appointment.objects.values()) == rows
    now = program.get(f"/Appointment/{made.body['id']}")
    fresh = {"If-Match": now.headers["ETag"]}
    assert program.patch(made.body["id"], headers=fresh).status == 200
    assert program.patch(made.body["id"], headers=seen).status == 200, "it is cancelled already"


def test_bookings_are_found_by_when_they_changed(program: Program) -> None:
    slots = free_slots(a_released_schedule())
    kept, gone = (program.book(a_wish(slot)).body["id"] for slot in slots[:2])
    with time_machine.travel(NOW + HOUR, tick=False):
        program.renew(NOW + HOUR)
        assert program.patch(gone).status == 200

        def since(value: str) -> list[str]:
            bundle = judged(asked(program, f"/Appointment?_lastUpdated={value}"))
            return [one["resource"]["id"] for one in bundle.get("entry", [])]

        assert since("ge2026-11-23T11:00:00%2B08:00") == [gone]
        assert since("lt2026-11-23T11:00:00%2B08:00") == [kept]
        assert since("2026-11-23") == [kept, gone]
        assert since("2026-11-24") == []
        answer = asked(program, f"/Appointment/{gone}")
        assert judged(answer)["meta"]["lastUpdated"] == "2026-11-23T11:00:00+08:00"
        assert answer.headers["Last-Modified"] == "Mon, 23 Nov 2026 03:00:00 GMT"


def test_m1_09_another_doctor_is_told_and_asked_about(program: Program) -> None:
    department = a_department()
    service = a_service_type(fee_fen=2500, fees=[(Title.ATTENDING, 1200)])
    doctor = a_practitioner(department, name="陈知行", title=Title.ASSOCIATE_CHIEF)
    lower = a_practitioner(department, name="林若谷", title=Title.ATTENDING)
    session = a_released_schedule(department=department, practitioner=doctor, service_type=service)
    number = program.book(a_wish(free_slots(session)[0])).body["id"]
    made = Appointment.objects.get()
    with time_machine.travel(NOW + HOUR, tick=False):
        program.renew(NOW + HOUR)
        scheduling.substitute(
            schedule_id=session.pk,
            practitioner_id=lower.pk,
            reason="出差",
            by=SYSTEM,
            at=NOW + HOUR,
        )
        registration.settle_substitution_one(appointment_id=made.pk, by=SYSTEM, at=NOW + HOUR)

        asked_about = judged(asked(program, f"/Appointment/{number}"))
        assert asked_about["participant"][0]["status"] == "needs-action"
        assert asked_about["patientInstruction"].startswith(
            "陈知行因故不能出诊，改由林若谷接诊。请在 11月24日 07:30 前"
        )
        assert asked_about["meta"]["lastUpdated"] == "2026-11-23T11:00:00+08:00"
    with time_machine.travel(NOW + 2 * HOUR, tick=False):
        program.renew(NOW + 2 * HOUR)
        registration.answer_substitution(
            number=number, agrees=True, doctor_id=lower.pk, by=SYSTEM, at=NOW + 2 * HOUR
        )
        changed = "/Appointment?_lastUpdated=ge2026-11-23T12:00:00%2B08:00"
        (entry,) = judged(asked(program, changed))["entry"]
        assert entry["resource"]["participant"][0]["status"] == "accepted"
        assert entry["resource"]["participant"][1]["actor"]["display"] == "林若谷"


def test_a_search_by_form_is_the_search_by_address(program: Program) -> None:
    session = a_released_schedule()
    by_address = judged(asked(program, f"/Slot?schedule={session.pk}&status=free&_count=5"))
    by_form = judged(asked(program, "/Slot/_search?_count=5", f"schedule={session.pk}&status=free"))
    assert by_form["entry"] == by_address["entry"]
    onward = {one["relation"]: one["url"] for one in by_form["link"]}["next"]
    assert onward.startswith(f"http://testserver{BASE}/Slot?")
    page = program.get(onward.partition(BASE)[2])
    assert len(page.body["entry"]) == 5
    assert page.body["entry"][0] != by_form["entry"][0]
    assert asked(program, "/Slot/_search", "status=nonsense").status_code == 400
    many = "&".join(f"a{place}=1" for place in range(1001))
    assert asked(program, "/Slot/_search", many).status_code == 400
    assert PartnerCall.objects.filter(status__gte=500).count() == 0


def test_a_parameter_nobody_knows_is_named_or_refused(program: Program) -> None:
    session = a_released_schedule()
    path = f"/Slot?schedule={session.pk}&_sort=start&_count=1"
    bundle = judged(asked(program, path))
    assert [one["search"]["mode"] for one in bundle["entry"]] == ["match", "outcome"]
    warning = bundle["entry"][1]["resource"]["issue"][0]
    assert (warning["severity"], warning["code"]) == ("warning", "not-supported")
    assert warning["details"]["text"].endswith("：_sort")
    assert "_sort" not in bundle["link"][0]["url"], "the link says what was looked for"

    strict = asked(program, path, Prefer="respond-async, handling=strict")
    assert (strict.status_code, judged(strict)["issue"][0]["severity"]) == (400, "error")
    assert asked(program, "/Slot?status:not=free").status_code == 400, "another question"


def test_the_format_may_stand_in_the_address(program: Program) -> None:
    for word in ("json", "application/fhir%2Bjson", "application/json"):
        answer = asked(program, f"/Slot?_format={word}", Accept="application/fhir+xml")
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            200,
            "application/fhir+json",
        )
    assert asked(program, "/Slot?_format=xml").status_code == 406
    assert asked(program, "/metadata?_format=json").status_code == 200


def test_an_address_that_can_be_nothings_is_not_found(program: Program) -> None:
    for kind in ("Practitioner", "Appointment", "Slot", "Schedule"):
        for path_id in ("%00", "%FF", "a" * 65, "甲", "1|2"):
            answer = asked(program, f"/{kind}/{path_id}")
            assert (answer.status_code, judged(answer)["issue"][0]["code"]) == (404, "not-found")


def test_an_own_number_may_hold_any_sign(program: Program) -> None:
    slot = free_slots(a_released_schedule())[0]
    number = program.book(a_wish(slot, reference="order/2026/0001")).body["id"]

    def found(identifier: str) -> int:
        return int(program.get("/Appointment", {"identifier": identifier}).body["total"])

    assert found("order/2026/0001") == 1
    assert found("https://jkzl.example/orders|order/2026/0001") == 1
    assert found(f"urn:xinglin:appointment|{number}") == 1
    assert found("urn:xinglin:appointment|order/2026/0001") == 0
    assert found("0001") == 0
    assert program.get("/Appointment", {"_id": number}).body["total"] == 1


def test_a_cancelling_that_would_change_more_is_refused(program: Program) -> None:
    made = program.book(a_wish(free_slots(a_released_schedule())[0], reference="order-1")).body
    for more in ({"comment": "换一个医生"}, {"identifier": [{"value": "order-2"}]}):
        refused = program.cancel(made["id"], **{**made, **more, "status": "cancelled"})
        assert (refused.status, refused.codes) == (422, ["INVALID"])
        assert refused.body["issue"][0]["expression"] == [f"Appointment.{next(iter(more))}"]
    assert Appointment.objects.get().status == "booked"
    assert program.cancel(made["id"], **{**made, "status": "cancelled"}).status == 200


def test_sessions_are_found_by_whether_they_are_held(program: Program) -> None:
    session = a_released_schedule()
    assert program.get("/Schedule", {"active": "true"}).body["total"] == 1
    session.__class__.objects.filter(pk=session.pk).update(
        status="suspended", suspend_reason="医生外出"
    )
    assert program.get("/Schedule", {"active": "true"}).body["total"] == 0
    assert program.get("/Schedule", {"active": "false"}).body["total"] == 1


def test_a_stranger_cannot_fill_the_record(program: Program) -> None:
    program.token = "nobody's"
    for _ in range(calls.UNPROVED_A_MINUTE + 5):
        assert program.get("/Slot").status == 401
    assert PartnerCall.objects.filter(partner=None).count() == calls.UNPROVED_A_MINUTE


def test_many_platforms_are_listed_in_one_statement() -> None:
    for place in range(5):
        program = Program(a_partner(name=f"平台 {place}"))
        program.get("/Slot")
    slot = free_slots(a_released_schedule())[0]
    program.book(a_wish(slot))
    program.get("/Slot", {"_count": "0"})
    with CaptureQueriesContext(connection) as statements:
        rows = queries.partners(day=hospital_day(NOW), at=NOW)
    assert len(statements) == 1
    busy = rows[-1]
    assert (busy.partner.name, busy.live_secrets, busy.booked, busy.standing) == ("平台 4", 1, 1, 1)
    assert (busy.calls, busy.refused, busy.latest_call_at) == (3, 1, NOW)
    assert [(row.calls, row.booked, row.refused) for row in rows[:4]] == [(1, 0, 0)] * 4
