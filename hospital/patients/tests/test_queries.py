"""Reads of the patients area: the desk's search, who is told, nobody's data but one's own."""

from __future__ import annotations

import datetime as dt

import pytest
from pytest_django import DjangoAssertNumQueries

from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound
from hospital.patients import actions, queries
from hospital.patients.models import Patient
from hospital.patients.states import Relationship
from hospital.testing.people import a_patient, a_resident_id, a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


def found(text: str) -> list[str]:
    return [row.outpatient_no for row in queries.find(text)]


@pytest.mark.parametrize(
    "typed",
    [
        "单晓宁",
        "单晓",
        "shanxiao",
        "Shan Xiao",
        "sxn",
        "13800138000",
        "138 0013 8000",
        "11010519491231002x",
        "110105491231002",
        "１１０１０５１９４９１２３１００２Ｘ",
    ],
)
def test_the_desk_finds_a_patient_by_what_it_has(typed: str) -> None:
    patient = a_patient(name="单晓宁", phone="13800138000", document_no="11010519491231002X", at=AT)
    a_patient(name="陈大安", phone="13900139000", at=AT)

    assert found(typed) == [patient.outpatient_no]
    assert found(patient.outpatient_no) == [patient.outpatient_no]


@pytest.mark.parametrize("typed", ["", "  ", "%", "王", "wang", "13800138001", "1380013800", "12"])
def test_the_desk_finds_nobody_by_anything_else(typed: str) -> None:
    a_patient(name="单晓宁", phone="13800138000", at=AT)

    assert found(typed) == []


def test_hits_are_masked() -> None:
    a_patient(name="单晓宁", phone="13800138000", document_no="11010519491231002X", at=AT)

    (row,) = queries.find("单晓宁")

    assert row.masked_name == "单*宁"
    assert row.masked_phone == "138****8000"
    assert row.masked_documents == ["110***********002X"]


def test_search_costs_two_queries_whatever_it_finds(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(4):
        a_patient(name="单晓宁", at=AT)

    with django_assert_num_queries(2):
        assert len(queries.find("单")) == 4


def test_a_list_of_patients_costs_three_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = a_wechat_user()
    first = a_patient(user, name="陈大安", relationship=Relationship.PARENT, at=AT)
    herself = a_patient(user, name="单晓宁", relationship=Relationship.SELF, at=AT)

    with django_assert_num_queries(2):
        rows = queries.patients_for(wechat_user_id=user.pk)

    assert [row.patient for row in rows] == [herself, first]
    assert [row.is_default for row in rows] == [False, True]
    assert rows[0].document == "居民身份证"
    assert "*" in rows[0].masked_document


def test_a_patient_of_somebody_else_is_not_found() -> None:
    user, stranger = a_wechat_user(), a_wechat_user()
    patient = a_patient(user, at=AT)

    assert queries.patient_for(wechat_user_id=user.pk, number=patient.outpatient_no) == patient
    for number in (patient.outpatient_no, "0000000000"):
        with pytest.raises(NotFound):
            queries.patient_for(wechat_user_id=stranger.pk, number=number)
    assert queries.default_patient_for(wechat_user_id=stranger.pk) is None


def test_everybody_bound_is_told_and_the_acting_user_first() -> None:
    mother, father, clerk = a_wechat_user(), a_wechat_user(), a_wechat_user()
    number = a_resident_id()
    patient = a_patient(mother, document_no=number, at=AT)
    a_patient(father, document_no=number, at=AT)

    assert queries.users_to_tell(patient_id=patient.pk) == [mother.pk, father.pk]
    told = queries.users_to_tell(patient_id=patient.pk, acting_id=father.pk)
    assert told == [father.pk, mother.pk]
    assert queries.users_to_tell(patient_id=patient.pk, acting_id=clerk.pk)[0] == clerk.pk

    actions.remove_binding(
        wechat_user_id=father.pk,
        number=patient.outpatient_no,
        by=Actor("patient", father.pk),
        at=AT,
    )
    assert queries.users_to_tell(patient_id=patient.pk) == [mother.pk]


def test_a_merged_patient_reads_as_its_survivor() -> None:
    loser, survivor = a_patient(name="陈晓宁", at=AT), a_patient(name="陈晓宁", at=AT)
    Patient.objects.filter(pk=loser.pk).update(merged_into=survivor)

    assert queries.patient(patient_id=loser.pk) == survivor
    assert found("陈晓宁") == [survivor.outpatient_no]
    with pytest.raises(NotFound):
        queries.patient(patient_id=0)
