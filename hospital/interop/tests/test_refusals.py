"""What a partner is refused, and that nothing has changed by it (acceptance 6)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine

from hospital.billing.models import Bill
from hospital.interop import actions as interop
from hospital.interop.models import PartnerBooking, PartnerCall
from hospital.interop.states import Scope
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.models import AuditEntry, RequestKey
from hospital.messaging.models import Message
from hospital.patients.models import Patient
from hospital.payments import actions as payments
from hospital.registration import actions as registration
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Slot
from hospital.scheduling.states import Pool
from hospital.testing.bookings import a_booking
from hospital.testing.partners import Program, a_partner, a_person, a_token, a_wish, free_slots
from hospital.testing.people import a_patient, a_resident_id
from hospital.testing.schedules import NOW, a_released_schedule, an_unreleased_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]
MINUTE = dt.timedelta(minutes=1)


def everything() -> dict[str, list[object]]:
    """All a booking touches, row by row."""
    tables = (Appointment, PartnerBooking, Patient, Slot, Bill, Message, RequestKey)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in tables}


def test_no_token_and_a_wrong_one_open_nothing(program: Program) -> None:
    slot = free_slots(a_released_schedule())[0]
    before = everything()
    good = program.token
    for token in ("", "x", good[:-1], good.swapcase(), good + "\0"):
        program.token = token
        reply = program.book(a_wish(slot))
        assert (reply.status, reply.codes) == (401, ["BAD_TOKEN"])
        assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
    assert everything() == before
    assert PartnerCall.objects.filter(partner=None, code="BAD_TOKEN").count() == 5


def test_a_token_is_over_after_its_minutes(program: Program) -> None:
    slot = free_slots(a_released_schedule())[0]
    before = everything()
    with time_machine.travel(NOW + 10 * MINUTE - dt.timedelta(seconds=1), tick=False):
        assert program.get("/Slot").status == 200
    with time_machine.travel(NOW + 10 * MINUTE, tick=False):
        assert program.book(a_wish(slot)).status == 401
        assert program.get("/Slot").status == 401
    assert everything() == before


def test_an_ended_secret_ends_its_tokens(program: Program) -> None:
    other = Program(program.partner)
    secret = program.partner.secrets.earliest("pk")

    interop.end_secret(partner_id=program.partner.pk, secret_id=secret.pk, by=SYSTEM, at=NOW)

    assert program.get("/Slot").status == 401
    assert other.get("/Slot").status == 200


def test_a_scope_that_was_not_bought_or_was_taken_away_is_refused() -> None:
    partner = a_partner()
    reader = Program(partner, token=a_token(partner, scopes=[Scope.SLOTS]))
    slot = free_slots(a_released_schedule())[0]
    before = everything()
    assert reader.get("/Slot").status == 200
    reply = reader.book(a_wish(slot))
    assert (reply.status, reply.codes) == (403, ["SCOPE_MISSING"])
    assert reader.get("/Appointment").status == 403

    full = Program(partner)
    terms = interop.Terms("健康之路", "", [Scope.SCHEDULES], 1000, 100, 6000)
    interop.change_partner(partner_id=partner.pk, terms=terms, by=SYSTEM, at=NOW)
    assert full.get("/Schedule").status == 200
    assert full.book(a_wish(slot)).status == 403
    assert everything() == before


def test_a_replay_gets_the_same_answer_once(program: Program) -> None:
    slots = free_slots(a_released_schedule())
    wish = a_wish(slots[0], reference="order-1")
    first = program.book(wish, key="same-key-1")
    program.cancel(first.body["id"])
    after = everything()

    again = program.book(wish, key="same-key-1")

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert everything() == after


def test_a_key_with_another_body_is_refused(program: Program) -> None:
    slots = free_slots(a_released_schedule())
    program.book(a_wish(slots[0]), key="same-key-1")
    before = everything()

    reply = program.book(a_wish(slots[1]), key="same-key-1")

    assert (reply.status, reply.codes) == (422, ["KEY_REUSED"])
    assert everything() == before
    other = Program(a_partner())
    assert other.book(a_wish(slots[1]), key="same-key-1").status == 201


def test_a_refusal_leaves_the_key_free(program: Program) -> None:
    session = a_released_schedule()
    slot, person = free_slots(session)[0], a_person()
    rival = Program(a_partner()).book(a_wish(slot))
    wish = a_wish(slot, person=person)
    assert program.book(wish, key="same-key-1").codes[:1] == ["SLOT_TAKEN"]
    assert not Patient.objects.filter(name="顾小满").exclude(
        pk=Appointment.objects.get(number=rival.body["id"]).patient_id
    )
    scheduling.free_slot(slot_id=slot, wait=True, delay=False, by=SYSTEM, at=NOW)
    Appointment.objects.update(status="cancelled", cancelled_at=NOW, cancel_reason="staff")
    scheduling.reclaim_due(by=SYSTEM, at=NOW + MINUTE)

    assert program.book(wish, key="same-key-1").status == 201


def test_a_taken_number_is_refused_with_what_is_free_nearby(program: Program) -> None:
    session = a_released_schedule()
    slot = free_slots(session)[0]
    Program(a_partner()).book(a_wish(slot))
    before = everything()

    reply = program.book(a_wish(slot))

    assert (reply.status, reply.codes) == (409, ["SLOT_TAKEN"])
    nearby = reply.body["issue"][1:]
    assert [one["severity"] for one in nearby] == ["information"] * 3
    assert nearby[0]["extension"][0]["valueReference"] == {"reference": f"Schedule/{session.pk}"}
    assert everything() == before


def test_m2_02_a_partner_has_its_share_of_a_session_and_no_more() -> None:
    session = a_released_schedule(shares={Pool.WECHAT: 10, Pool.WINDOW: 6})
    slots = free_slots(session)
    program = Program(a_partner(session_percent=25))
    made = [program.book(a_wish(slot)) for slot in slots[:2]]
    before = everything()

    reply = program.book(a_wish(slots[2]))

    assert (reply.status, reply.codes) == (409, ["PARTNER_QUOTA_SESSION"])
    assert everything() == before
    program.cancel(made[0].body["id"])
    assert program.book(a_wish(slots[2])).status == 201


def test_a_days_quota_counts_also_what_was_given_back() -> None:
    session = a_released_schedule()
    slots = free_slots(session)
    program = Program(a_partner(daily_quota=1))
    made = program.book(a_wish(slots[0]))
    program.cancel(made.body["id"])
    before = everything()

    reply = program.book(a_wish(slots[1]))

    assert (reply.status, reply.codes) == (429, ["PARTNER_QUOTA_DAY"])
    # NOW is 10:00 in the hospital: fourteen hours to midnight.
    assert int(reply.headers["Retry-After"]) == 14 * 3600 + 1
    assert everything() == before
    with time_machine.travel(NOW + dt.timedelta(hours=14), tick=False):
        program.renew(NOW + dt.timedelta(hours=14))
        assert program.book(a_wish(slots[1])).status == 201


def test_who_asks_too_often_waits_for_the_next_minute() -> None:
    slot = free_slots(a_released_schedule())[0]
    program = Program(a_partner(per_minute=3))
    before = everything()
    assert [program.get("/Slot").status for _ in range(3)] == [200] * 3
    with time_machine.travel(NOW + dt.timedelta(seconds=18), tick=False):
        reply = program.book(a_wish(slot))
    assert (reply.status, reply.codes) == (429, ["TOO_FAST"])
    assert reply.headers["Retry-After"] == "43"
    assert everything() == before
    assert Program(a_partner()).get("/Slot").status == 200
    with time_machine.travel(NOW + MINUTE, tick=False):
        assert program.book(a_wish(slot)).status == 201


def test_another_partners_booking_is_nobodys(program: Program) -> None:
    other = Program(a_partner())
    number = other.book(a_wish(free_slots(a_released_schedule())[0])).body["id"]
    before = everything()

    nothing = program.get("/Appointment/26112400000000")
    assert nothing.status == 404
    for reply in (
        program.get(f"/Appointment/{number}"),
        program.cancel(number),
        program.patch(number),
    ):
        assert (reply.status, reply.body) == (404, nothing.body)
    assert program.get("/Appointment", {"identifier": number}).body["total"] == 0
    assert everything() == before


def test_a_booking_made_elsewhere_is_nobodys(program: Program) -> None:
    session = a_released_schedule()
    made = a_booking(schedule=session)
    assert program.get(f"/Appointment/{made.number}").status == 404
    assert program.cancel(made.number).status == 404


def test_m1_16_an_unreleased_number_is_refused(program: Program) -> None:
    session = an_unreleased_schedule(days_ahead=7, at=NOW - dt.timedelta(hours=4))
    slot = Slot.objects.filter(schedule=session).earliest("pk").pk
    with time_machine.travel(session.release_at - dt.timedelta(seconds=1), tick=False):
        program.renew(session.release_at - MINUTE)
        before = everything()
        reply = program.book(a_wish(slot))
        assert (reply.status, reply.codes) == (409, ["NOT_RELEASED"])
        assert everything() == before
        assert program.get(f"/Slot/{slot}").body["status"] == "busy"
    with time_machine.travel(session.release_at, tick=False):
        assert program.get(f"/Slot/{slot}").body["status"] == "free"
        assert program.book(a_wish(slot)).status == 201


def test_m1_04_the_patients_own_limits_hold(program: Program) -> None:
    slots, person = free_slots(a_released_schedule()), a_person()
    program.book(a_wish(slots[0], person=person))
    before = everything()
    reply = program.book(a_wish(slots[5], person=person))
    assert (reply.status, reply.codes) == (409, ["DUPLICATE"])
    assert everything() == before


def test_m3_12_a_person_who_does_not_fit_is_counted_and_not_told(program: Program) -> None:
    slot, number = free_slots(a_released_schedule())[0], a_resident_id()
    a_patient(name="顾小满", phone="13900139000", document_no=number)
    before = everything()
    for wrong in ({"name": "顾大满"}, {"phone": "13900139001"}):
        reply = program.book(a_wish(slot, person=a_person(document_no=number, **wrong)))
        assert (reply.status, reply.codes) == (409, ["IDENTITY_NOT_CONFIRMED"])
        assert "顾" not in str(reply.body)
    assert everything() == before
    assert (
        AuditEntry.objects.filter(
            act="patients.mismatch", by=f"partner:{program.partner.pk}"
        ).count()
        == 2
    )


def test_m1_07_a_partner_cancels_within_the_patients_times(program: Program) -> None:
    number = program.book(a_wish(free_slots(a_released_schedule())[0])).body["id"]
    # The band begins at 08:00 in the hospital, midnight in UTC.
    late = dt.datetime(2026, 11, 23, 23, 31, tzinfo=dt.UTC)
    with time_machine.travel(late, tick=False):
        program.renew(late)
        before = everything()
        for reply in (program.cancel(number), program.patch(number)):
            assert (reply.status, reply.codes) == (409, ["CANCEL_TOO_LATE"])
        assert everything() == before
    with time_machine.travel(late - MINUTE, tick=False):
        assert program.patch(number).status == 200
    assert Appointment.objects.get().is_late_cancel


def test_a_number_paid_at_the_hospital_is_not_a_platforms_to_give_back(program: Program) -> None:
    made = program.book(a_wish(free_slots(a_released_schedule())[0])).body
    bill_id, clerk = Appointment.objects.get().bill_id, Actor("staff", 1)
    payments.take_cash(
        bill_id=bill_id, shown_fen=2500, tendered_fen=2500, key="cash", by=clerk, at=NOW
    )
    before = everything()
    for reply in (program.cancel(made["id"]), program.patch(made["id"])):
        assert (reply.status, reply.codes) == (409, ["PAID_AT_HOSPITAL"])
    assert everything() == before
    registration.cancel(number=made["id"], by=clerk, at=NOW)
    assert program.patch(made["id"]).status == 200, "it is cancelled already"


def test_only_the_status_can_be_changed(program: Program) -> None:
    made = program.book(a_wish(free_slots(a_released_schedule())[0])).body
    before = everything()
    other = program.cancel(made["id"], slot=[{"reference": "Slot/1"}])
    assert (other.status, other.codes) == (422, ["INVALID"])
    assert other.body["issue"][0]["expression"] == ["Appointment.slot"]
    assert program.patch(made["id"], [{"op": "remove", "path": "/status"}]).status == 422
    assert program.cancel(made["id"], status="booked").status == 422
    assert everything() == before
    assert program.cancel(made["id"], slot=made["slot"], start=made["start"]).status == 200
    after = everything()
    assert program.cancel(made["id"]).status == 200, "cancelling twice is cancelling once"
    assert everything() == after


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "NO_JSON"),
        ('{"a": NaN}', 400, "NO_JSON"),
        ('"\\ud800"', 400, "NO_JSON"),
        ("[" * 60_000, 400, "NO_JSON"),
        ("[]", 422, "INVALID"),
        ("{}", 422, "INVALID"),
        (" " * 70_000 + "{}", 413, "TOO_LARGE"),
    ],
)
def test_a_body_that_is_none_is_refused(
    program: Program, body: str, status: int, code: str
) -> None:
    before = everything()
    reply = program.book(body)
    assert (reply.status, set(reply.codes)) == (status, {code})
    assert everything() == before


def test_every_wrong_element_is_named(program: Program) -> None:
    slot = free_slots(a_released_schedule())[0]
    wish = a_wish(slot, person=a_person(document_no="440781198503120000", phone="12345"))
    before = everything()
    reply = program.book(wish)
    assert {one["expression"][0] for one in reply.body["issue"]} == {
        "Appointment.contained[0].identifier[0].value",
        "Appointment.contained[0].telecom[0].value",
    }
    wish["participant"][0]["actor"]["reference"] = "Patient/1"
    assert program.book(wish).body["issue"][0]["expression"] == [
        "Appointment.participant[0].actor.reference"
    ]
    assert everything() == before
