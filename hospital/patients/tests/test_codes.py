"""Codes by SMS: for one phone and one person, a few tries, a few minutes, once (M3.12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from hospital.identity.models import WeChatUser
from hospital.kernel import whereabouts
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import set_value
from hospital.patients import actions, queries, thresholds
from hospital.patients.actions import codes
from hospital.patients.models import Patient, PatientBinding, PhoneCode
from hospital.patients.states import Assurance, CodePurpose, DocumentKind, Relationship
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_code, a_patient, a_resident_id, a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
NUMBER = "11010519491231002X"


def somebody(user: WeChatUser, **changes: object) -> dict[str, Any]:
    told: dict[str, Any] = {
        "wechat_user_id": user.pk,
        "name": "陈晓宁",
        "document_kind": DocumentKind.RESIDENT_ID,
        "document_no": NUMBER,
        "phone": "13800138000",
        "relationship": Relationship.SELF,
        "by": Actor("patient", user.pk),
        "at": AT,
    }
    return told | changes


def add(user: WeChatUser, code: str, **changes: object) -> Patient:
    return actions.add_patient(**somebody(user, **changes), key="k", code=code)


def other(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06d}"


def test_nobody_is_added_on_a_phone_without_the_code() -> None:
    user = a_wechat_user()

    with pytest.raises(actions.CodeOver):
        add(user, "")
    actions.ask_code(**somebody(user))
    with pytest.raises(actions.WrongCode):
        add(user, "")

    assert not Patient.objects.exists()
    assert due_jobs() == ["messaging.jobs.send_phone_code"]


def test_a_code_is_sealed_and_of_six_digits() -> None:
    user = a_wechat_user()
    actions.ask_code(**somebody(user))
    code = a_code(user)

    assert (len(code), code.isdigit()) == (6, True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT code, phone, phone_index, about FROM patients_phonecode")
        kept = "".join(cursor.fetchone())
    for secret in (code, "13800138000", NUMBER):
        assert secret not in kept


def test_it_opens_one_thing_once() -> None:
    user, stranger = a_wechat_user(), a_wechat_user()
    actions.ask_code(**somebody(user))
    code = a_code(user)

    for refused in (
        {"document_no": a_resident_id()},
        {"phone": "13900139000"},
        {"wechat_user_id": stranger.pk, "by": Actor("patient", stranger.pk)},
    ):
        with pytest.raises(actions.CodeOver):
            add(user, code, **refused)
    assert not Patient.objects.exists()
    patient = add(user, code)
    actions.remove_binding(wechat_user_id=user.pk, number=patient.outpatient_no, by=SYSTEM, at=AT)
    with pytest.raises(actions.CodeOver):
        actions.add_patient(**somebody(user), key="another", code=code)
    assert not PatientBinding.objects.filter(ended_at=None).exists()


def test_it_may_be_typed_as_keyboards_do() -> None:
    user = a_wechat_user()
    actions.ask_code(**somebody(user))
    digits = a_code(user)
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in digits)

    patient = add(user, f" {wide[:3]} {wide[3:]}")

    assert patient.bindings.get().wechat_user == user


def test_it_is_over_after_five_minutes() -> None:
    user = a_wechat_user()
    actions.ask_code(**somebody(user))

    with pytest.raises(actions.CodeOver):
        add(user, a_code(user), at=AT + 5 * MINUTE)
    assert add(user, a_code(user), at=AT + 5 * MINUTE - dt.timedelta(seconds=1)).pk


def test_five_wrong_tries_end_it_also_for_the_right_one() -> None:
    user = a_wechat_user()
    actions.ask_code(**somebody(user))
    code = a_code(user)

    for number in range(1, 6):
        with pytest.raises(actions.WrongCode):
            add(user, other(code, number))
    with pytest.raises(actions.CodeOver):
        add(user, code)
    assert not Patient.objects.exists()
    actions.ask_code(**somebody(user, at=AT + MINUTE))
    assert add(user, a_code(user), at=AT + MINUTE).pk


def test_only_the_latest_counts() -> None:
    user = a_wechat_user()
    actions.ask_code(**somebody(user))
    PhoneCode.objects.update(code="111111")
    actions.ask_code(**somebody(user, at=AT + MINUTE))
    PhoneCode.objects.filter(pk=PhoneCode.objects.latest("pk").pk).update(code="222222")

    with pytest.raises(actions.WrongCode):
        add(user, "111111", at=AT + MINUTE)
    assert add(user, "222222", at=AT + MINUTE).pk


def test_a_known_person_is_asked_on_the_phone_on_file_only() -> None:
    a_patient(document_no=NUMBER, phone="13800138000")
    user = a_wechat_user()

    with pytest.raises(actions.PhoneMismatch):
        actions.ask_code(**somebody(user, phone="13900139000"))
    assert not PhoneCode.objects.exists()
    Patient.objects.update(phone="", phone_index="")
    with pytest.raises(actions.NoPhoneOnFile):
        actions.ask_code(**somebody(user))
    assert not PhoneCode.objects.exists()
    assert queries.patients_for(wechat_user_id=user.pk) == []


@pytest.fixture
def impatient() -> Iterator[None]:
    """Somebody who may ask every ten seconds, from one network."""
    set_value(setting=thresholds.CODE_PAUSE_SECONDS, value=10, by=SYSTEM, at=AT)
    with whereabouts.bound(address="192.0.2.7"):
        yield


def test_the_own_document_and_phone_make_a_declared_record_real_name() -> None:
    patient, user = a_patient(document_no=NUMBER, at=AT), a_wechat_user()
    Patient.objects.filter(pk=patient.pk).update(assurance=Assurance.DECLARED)
    patient.identifiers.update(assurance=Assurance.DECLARED)

    actions.ask_code(**somebody(user))
    with pytest.raises(actions.WrongCode):
        add(user, other(a_code(user)))
    patient.refresh_from_db()
    assert patient.assurance == Assurance.DECLARED
    add(user, a_code(user))

    patient.refresh_from_db()
    assert patient.assurance == Assurance.DOCUMENT
    assert patient.identifiers.get().assurance == Assurance.DOCUMENT
    entry = AuditEntry.objects.get(act="patients.prove_identity")
    assert (entry.before, entry.after["assurance"]) == ({"assurance": "declared"}, "document")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("limit", ["phone", "user", "address"])
def test_codes_are_limited_by_phone_user_and_network(limit: str) -> None:
    setting = {
        "phone": thresholds.CODES_PER_PHONE,
        "user": thresholds.CODES_PER_USER,
        "address": thresholds.CODES_PER_ADDRESS,
    }[limit]
    set_value(setting=setting, value=10, by=SYSTEM, at=AT)
    one = a_wechat_user()
    for number in range(11):
        user = one if limit == "user" else a_wechat_user()
        phone = "13800138000" if limit == "phone" else f"138001380{number:02d}"
        told = somebody(user, phone=phone, at=AT + number * MINUTE)
        if number < 10:
            actions.ask_code(**told)
    with pytest.raises(actions.TooManyCodes):
        actions.ask_code(**told)
    assert PhoneCode.objects.count() == 10
    later = dt.timedelta(hours=1 if limit == "address" else 24)
    actions.ask_code(**told | {"at": AT + later + MINUTE})
    assert PhoneCode.objects.count() == 11


def test_adding_is_limited_to_three_others_in_thirty_days() -> None:
    user = a_wechat_user()
    a_patient(user, at=AT)
    for _ in range(3):
        a_patient(user, at=AT)

    with pytest.raises(actions.TooManyAdditions):
        actions.ask_code(**somebody(user, relationship=Relationship.PARENT))
    assert not PhoneCode.objects.exists()
    later = AT + dt.timedelta(days=30)
    assert actions.ask_code(**somebody(user, relationship=Relationship.PARENT, at=later)).pk


@pytest.mark.parametrize("why", ["young", "unproved"])
def test_a_guardian_is_of_age_and_real_name(why: str) -> None:
    user = a_wechat_user()
    born = dt.date(2010, 1, 5) if why == "young" else dt.date(1990, 1, 5)
    own = a_patient(user, born=born, at=AT)
    if why == "unproved":
        Patient.objects.filter(pk=own.pk).update(assurance=Assurance.DECLARED)
    child = {
        "name": "陈小满",
        "document_no": a_resident_id(born=dt.date(2020, 1, 5)),
        "relationship": Relationship.SIBLING,
        "is_guardian": True,
    }

    with pytest.raises(actions.GuardianNotKnown):
        actions.ask_code(**somebody(user, **child))

    assert not PhoneCode.objects.exists()
    assert [row.patient for row in queries.patients_for(wechat_user_id=user.pk)] == [own]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_guesses_at_once_are_no_more_than_five() -> None:
    user = a_wechat_user()
    code = actions.ask_code(**somebody(user))

    def guess(number: int) -> str:
        try:
            codes.attempt(
                wechat_user_id=user.pk,
                purpose=CodePurpose.BIND,
                about=code.about,
                phone="13800138000",
                typed=other(code.code, number),
                at=AT,
            )
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "opened"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(guess, range(1, 17)))

    assert answers == ["CODE_OVER"] * 11 + ["WRONG_CODE"] * 5
    code.refresh_from_db()
    assert (code.tries, code.used_at) == (5, None)
