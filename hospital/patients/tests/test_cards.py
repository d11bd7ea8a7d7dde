"""Hospital cards, health cards and forced unbinding: their lives, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from hospital.kernel import serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry, Transition
from hospital.patients import actions, queries
from hospital.patients.models import PatientBinding, PatientCard
from hospital.patients.states import CardKind, CardStatus
from hospital.testing.people import a_patient, a_wechat_user

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
CLERK = Actor("staff", 7)


def issue(patient_id: int, number: str = "") -> PatientCard:
    return actions.issue_card(patient_id=patient_id, number=number, by=CLERK, at=AT)


def move(card: PatientCard, to: CardStatus, reason: str = "患者申请") -> PatientCard:
    return actions.move_card(card_id=card.pk, to=to, reason=reason, by=CLERK, at=AT)


def test_our_number_has_a_check_digit_and_finds_the_patient() -> None:
    patient = a_patient()

    card = issue(patient.pk)

    assert (card.kind, card.status) == (CardKind.BARCODE, CardStatus.ACTIVE)
    assert card.number[0] == "K"
    assert serials.check_digit(card.number[1:-1]) == card.number[-1]
    assert [hit.patient_id for hit in queries.find(card.number.lower())] == [patient.pk]


def test_our_numbers_given_one_after_another_are_no_neighbours() -> None:
    one, other = (int(issue(a_patient().pk).number[1:-1]) for _ in range(2))

    assert abs(one - other) > 1


def test_a_card_that_brings_its_number_keeps_it() -> None:
    card = issue(a_patient().pk, " 00a1b2c3d4 ")

    assert (card.kind, card.number) == (CardKind.PREPRINTED, "00A1B2C3D4")


@pytest.mark.parametrize("number", ["123", "1234567890", "13800138000", "11010519491231002X", "张"])
def test_other_numbers_are_no_card(number: str) -> None:
    with pytest.raises(Invalid):
        issue(a_patient().pk, number)

    assert not PatientCard.objects.exists()


def test_one_card_a_patient_and_one_patient_a_card() -> None:
    patient, other = a_patient(), a_patient(name="王伟")
    issue(patient.pk, "00A1B2C3")

    with pytest.raises(actions.CardInHand):
        issue(patient.pk)
    with pytest.raises(actions.CardTaken):
        issue(other.pk, "00A1B2C3")

    assert PatientCard.objects.count() == 1


def test_a_lost_card_opens_nothing_until_it_is_found() -> None:
    patient = a_patient()
    card = issue(patient.pk)

    move(card, CardStatus.LOST)
    assert queries.find(card.number) == []
    told = queries.card_by_number(card.number)
    assert told is not None
    assert told.status == CardStatus.LOST
    move(card, CardStatus.ACTIVE)

    assert len(queries.find(card.number)) == 1
    assert Transition.objects.filter(subject_type="patients.patientcard").count() == 2


def test_a_new_card_takes_the_place_of_a_lost_one_for_the_same_patient() -> None:
    patient = a_patient()
    card = issue(patient.pk)
    move(card, CardStatus.LOST)

    new = actions.replace_card(card_id=card.pk, number="", reason="丢失", by=CLERK, at=AT)

    card.refresh_from_db()
    assert (card.status, card.replaced_by) == (CardStatus.REPLACED, new)
    assert (new.patient, new.status) == (patient, CardStatus.ACTIVE)
    assert queries.find(card.number) == []
    with pytest.raises(Invalid):
        actions.replace_card(card_id=card.pk, number="", reason="再补", by=CLERK, at=AT)
    assert PatientCard.objects.count() == 2


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (CardStatus.LOST, CardStatus.FROZEN),
        (CardStatus.LOST, CardStatus.RETURNED),
        (CardStatus.RETURNED, CardStatus.ACTIVE),
    ],
)
def test_moves_a_card_does_not_have_are_refused(first: CardStatus, then: CardStatus) -> None:
    card = move(issue(a_patient().pk), first)

    with pytest.raises(Invalid):
        move(card, then)

    card.refresh_from_db()
    assert card.status == first
    with pytest.raises(DatabaseError), transaction.atomic():
        PatientCard.objects.filter(pk=card.pk).update(status=then)


def test_every_act_on_a_card_needs_a_reason() -> None:
    card = issue(a_patient().pk)

    with pytest.raises(Invalid):
        move(card, CardStatus.LOST, reason=" ")
    with pytest.raises(Invalid):
        actions.replace_card(card_id=card.pk, number="", reason="", by=CLERK, at=AT)

    card.refresh_from_db()
    assert card.status == CardStatus.ACTIVE


def test_a_health_card_is_a_number_of_the_patient() -> None:
    patient, other = a_patient(), a_patient(name="王伟")
    code = "A" * 32 + "0123456789abcdef" * 2

    for text in (f"{code}:1", code):
        row = actions.add_health_card(patient_id=patient.pk, number=text, by=CLERK, at=AT)
    assert row.value == code.upper()
    assert [hit.patient_id for hit in queries.find(code[:40])] == []
    with pytest.raises(actions.DocumentOfAnother):
        actions.add_health_card(patient_id=other.pk, number=code, by=CLERK, at=AT)
    with pytest.raises(Invalid):
        actions.add_health_card(patient_id=other.pk, number="12", by=CLERK, at=AT)

    assert [row.kind for row in queries.live_identifiers(patient)] == [
        "resident_id",
        "health_card",
    ]
    assert queries.live_identifiers(other)[-1].kind == "resident_id"


def test_the_office_ends_a_binding_with_a_reason() -> None:
    user = a_wechat_user()
    first, second = a_patient(user), a_patient(user, name="王伟")
    binding = PatientBinding.objects.get(patient=first)

    with pytest.raises(Invalid):
        actions.force_unbind(binding_id=binding.pk, reason="", by=CLERK, at=AT)
    actions.force_unbind(binding_id=binding.pk, reason="手机丢失", by=CLERK, at=AT)
    with pytest.raises(NotFound):
        actions.force_unbind(binding_id=binding.pk, reason="手机丢失", by=CLERK, at=AT)

    binding.refresh_from_db()
    assert binding.ended_at == AT
    assert PatientBinding.objects.get(patient=second).is_default
    entry = AuditEntry.objects.get(act="patients.force_unbind")
    assert (entry.person_id, entry.reason) == (first.pk, "手机丢失")
