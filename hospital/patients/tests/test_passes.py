"""The QR code on the phone: a minute, once, for those who are bound; two readers get one record."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection

from hospital.identity import actions as identity
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.patients import actions
from hospital.patients.models import Patient, PatientPass
from hospital.testing.people import a_patient, a_wechat_user, patient_client, staff_client

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
CLERK = Actor("staff", 7)
SECOND = dt.timedelta(seconds=1)


def shown(patient: Patient, *, at: dt.datetime = AT) -> str:
    user_id = patient.bindings.get().wechat_user_id
    number = patient.outpatient_no
    by = Actor("patient", user_id)
    return actions.show_pass(wechat_user_id=user_id, number=number, by=by, at=at)


def test_it_opens_its_patient_once() -> None:
    patient = a_patient()
    token = shown(patient)
    assert (len(token), token[:2]) == (24, "XL")
    assert token not in str(PatientPass.objects.values())

    assert actions.redeem_pass(token=token, by=CLERK, at=AT + SECOND) == patient
    with pytest.raises(actions.PassOver):
        actions.redeem_pass(token=token, by=CLERK, at=AT + SECOND)

    entry = AuditEntry.objects.get(act="patients.redeem_pass")
    assert (entry.person_id, entry.by) == (patient.pk, "staff:7")


@pytest.mark.parametrize("why", ["old", "unbound", "blocked", "future", "invented", "shape"])
def test_a_code_that_is_over_opens_nothing(why: str) -> None:
    patient = a_patient()
    user_id = patient.bindings.get().wechat_user_id
    token, at = shown(patient), AT
    if why == "old":
        at = AT + 60 * SECOND
    elif why == "future":
        at = AT - SECOND
    elif why == "unbound":
        binding = patient.bindings.get()
        actions.force_unbind(binding_id=binding.pk, reason="手机丢失", by=CLERK, at=AT)
    elif why == "blocked":
        identity.set_blocked(
            wechat_user_id=user_id, is_blocked=True, reason="冒用", by=SYSTEM, at=AT
        )
    elif why == "invented":
        token = "XL" + "a" * 22
    else:
        token = token[:-1]

    with pytest.raises(actions.PassOver):
        actions.redeem_pass(token=token, by=CLERK, at=at)

    assert PatientPass.objects.get().redeemed_at is None
    assert not AuditEntry.objects.filter(act="patients.redeem_pass").exists()


def test_nobody_shows_a_strangers_code() -> None:
    patient, stranger = a_patient(), a_wechat_user()

    with pytest.raises(NotFound):
        actions.show_pass(
            wechat_user_id=stranger.pk,
            number=patient.outpatient_no,
            by=Actor("patient", stranger.pk),
            at=AT,
        )
    client = patient_client(stranger)
    for method, address in (("get", "card/"), ("post", "card/renew/")):
        answer = getattr(client, method)(f"/m/patients/{patient.outpatient_no}/{address}")
        page = answer.content.decode()
        assert answer.status_code == 404
        assert patient.name not in page
        assert patient.outpatient_no not in page
    assert not PatientPass.objects.exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_many_readers_at_once_one_gets_the_record() -> None:
    token = shown(a_patient())

    def read(_: int) -> str:
        try:
            actions.redeem_pass(token=token, by=CLERK, at=AT)
        except actions.PassOver as refusal:
            return refusal.code
        finally:
            connection.close()
        return "opened"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(read, range(8)))

    assert answers == ["PASS_OVER"] * 7 + ["opened"]
    assert AuditEntry.objects.filter(act="patients.redeem_pass").count() == 1


def test_the_card_shows_numbers_to_read_out_and_no_more() -> None:
    user = a_wechat_user()
    patient = a_patient(user, name="阿卜杜热合曼·买买提明", document_no="11010519491231002X")
    a_patient(user, name="陈大安")

    answer = patient_client(user).get(f"/m/patients/{patient.outpatient_no}/card/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    number = patient.outpatient_no
    spaced = f"{number[:4]} {number[4:8]} {number[8:]}"
    for words in ("阿卜杜热合曼·买买提明", spaced, "138****8000", "陈大安", "就诊二维码"):
        assert words in page
    for secret in ("13800138000", "11010519491231002X"):
        assert secret not in page


def test_the_code_renews_itself_and_without_a_script_by_button() -> None:
    patient = a_patient()
    client = patient_client(patient.bindings.get().wechat_user)
    address = f"/m/patients/{patient.outpatient_no}/card/"
    first = client.get(address).content.decode()

    second = client.post(f"{address}renew/", headers={"HX-Request": "true"})
    plain = client.post(f"{address}renew/")

    for words in ('data-seconds="60"', 'data-renew="50"'):
        assert words in first
        assert words in second.content.decode()
    assert "<html" not in second.content.decode()
    assert (plain.status_code, plain["Location"]) == (302, address)
    assert PatientPass.objects.count() == 2


def test_the_desk_reads_it_like_a_card() -> None:
    patient = a_patient()
    client = staff_client(Role.REGISTRATION_CLERK)
    token = shown(patient, at=clock.now())

    first = client.post("/staff/card-desk/", {"text": f"{token}\n"})
    second = client.post("/staff/card-desk/", {"text": token})

    assert first["Location"] == f"/staff/card-desk/{patient.outpatient_no}/"
    assert second.status_code == 409
    assert "二维码已失效或已使用" in second.content.decode()
    assert patient.outpatient_no not in second.content.decode()


def test_what_is_over_is_deleted() -> None:
    patient = a_patient()
    shown(patient)
    token = shown(patient, at=AT + dt.timedelta(days=1))

    with time_machine.travel(AT + dt.timedelta(days=1, minutes=2), tick=False):
        actions.forget(at=clock.now())

    assert PatientPass.objects.count() == 1
    later = AT + dt.timedelta(days=1, seconds=30)
    assert actions.redeem_pass(token=token, by=CLERK, at=later) == patient
