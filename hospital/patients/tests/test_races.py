"""Several phones at once: one person stays one patient, and nobody gets past the limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import Refusal
from hospital.patients import actions
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.states import DocumentKind, Relationship
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def adding(user: WeChatUser, *, number: str, key: str) -> Callable[[], str]:
    def add() -> str:
        try:
            actions.add_patient(
                wechat_user_id=user.pk,
                name="陈晓宁",
                document_kind=DocumentKind.RESIDENT_ID,
                document_no=number,
                phone="13800138000",
                relationship=Relationship.OTHER,
                key=key,
                by=SYSTEM,
                at=AT,
            )
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()
        return "added"

    return add


def all_at_once(calls: list[Callable[[], str]]) -> list[str]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(future.result() for future in [pool.submit(call) for call in calls])


def test_one_new_document_from_many_phones_is_one_patient() -> None:
    users = [a_wechat_user() for _ in range(6)]

    answers = all_at_once([adding(user, number="11010519491231002X", key="k") for user in users])

    assert answers == ["TOO_MANY_USERS"] * 3 + ["added"] * 3
    assert Patient.objects.count() == 1
    assert PatientBinding.objects.count() == 3


def test_a_full_list_stays_full() -> None:
    user = a_wechat_user()
    numbers = [a_resident_id() for _ in range(8)]

    answers = all_at_once([adding(user, number=number, key=number) for number in numbers])

    assert answers == ["TOO_MANY_PATIENTS"] * 3 + ["added"] * 5
    assert PatientBinding.objects.filter(is_default=True).count() == 1


def test_a_double_tap_from_one_phone_adds_once() -> None:
    user = a_wechat_user()

    answers = all_at_once([adding(user, number="11010519491231002X", key="k")] * 4)

    assert answers == ["added"] * 4
    assert PatientBinding.objects.count() == 1


def test_guessing_with_many_hands_stops_after_five_as_well() -> None:
    number = a_resident_id()
    a_patient(name="陈大安", document_no=number)
    user = a_wechat_user()

    answers = all_at_once([adding(user, number=number, key=f"k{n}") for n in range(12)])

    assert answers == ["NAME_MISMATCH"] * 5 + ["TOO_MANY_MISMATCHES"] * 7
    assert not PatientBinding.objects.filter(wechat_user=user).exists()
