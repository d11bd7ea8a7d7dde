"""Find or create at the desk (H2.2): the number finds the person, nobody is made twice unseen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction

from hospital.kernel import audit, request_keys, sealed
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import contacts, queries
from hospital.patients.actions import guardians, identifying, persons
from hospital.patients.actions.checking import check_facts, is_child
from hospital.patients.actions.identifying import NameOnFileDiffers
from hospital.patients.facts import Facts, Person
from hospital.patients.golden import Origin
from hospital.patients.models import IdentityVerification, NewPersonDecision, Patient
from hospital.patients.queries import Candidate
from hospital.patients.states import (
    METHOD_ASSURANCE,
    METHOD_SOURCES,
    GuardianRelation,
    VerificationMethod,
)
from hospital.patients.thresholds import REVIEW_SCORE


class ProbablyKnown(Refusal):
    """Known patients are so alike that a person must look; details: candidates."""

    code: ClassVar[str] = "PROBABLY_KNOWN"
    default_message: ClassVar[str] = (
        "可能已经建档。请逐项核对，选择“用这位”，或写明原因后按新患者建档。"
    )

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = candidates
        super().__init__(candidates=[one.patient.pk for one in candidates])


@dataclass(frozen=True, slots=True)
class Custody:
    """Who answers for a child at the desk, and as what."""

    guardian_id: int
    relationship: GuardianRelation


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the clerk decided about look-alikes: one of them, or somebody new, and why.

    `seen` are the patients that were on the screen: somebody who appeared since is shown first.
    """

    use_id: int | None = None
    reason: str = ""
    seen: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Whom the desk has in front of it now; `changed` are the golden fields that moved."""

    patient_id: int
    is_new: bool
    changed: tuple[str, ...] = ()


def find_or_create(
    *,
    facts: Facts,
    method: VerificationMethod,
    key: str,
    by: Actor,
    at: dt.datetime,
    custody: Custody | None = None,
    judgement: Judgement | None = None,
) -> FoundPerson:
    """Return the patient of a document, one a clerk chose, or a new one (H2.2, M3.6).

    The number decides first: its owner is the person, the proof is kept and the record takes what
    it proves. Without an owner, whoever scores at least `patients.review_score` must be looked at.
    Two desks with the same document, or the same name and birthday, go one after the other. The
    same `key` gives the same answer.

    Raises Invalid (by field), ProbablyKnown, NameOnFileDiffers, OtherResidentId, GuardianNotKnown,
    NotFound.
    """
    person = check_facts(facts, at=at)
    judgement = judgement or Judgement()
    with transaction.atomic():
        claim = request_keys.claim(
            key=f"{by}:{key}",
            scope="patients.find_or_create",
            inputs=_inputs(person, method, judgement),
            at=at,
        )
        if claim.answer is not None:
            return FoundPerson(claim.answer["patient_id"], claim.answer["is_new"])
        persons.lock_words(
            identifying.number_word(person), f"{queries.sound(person.name)}:{person.birth_date}"
        )
        found = _settle(person, method, custody, judgement, by=by, at=at)
        claim.finish({"patient_id": found.patient_id, "is_new": found.is_new})
        return found


def _settle(
    person: Person,
    method: VerificationMethod,
    custody: Custody | None,
    judgement: Judgement,
    *,
    by: Actor,
    at: dt.datetime,
) -> FoundPerson:
    owner = queries.document_owner(kind=person.document.kind, number=person.document.number)
    if owner is not None:
        return _take_known(owner, person, method, judgement, by=by, at=at)
    guardian_ids = [custody.guardian_id] if custody else []
    alike = queries.candidates(
        person=person, at_least=REVIEW_SCORE.value(), guardian_ids=guardian_ids
    )
    if judgement.use_id is not None:
        chosen = next((one for one in alike if one.patient.pk == judgement.use_id), None)
        if chosen is None:
            raise NotFound("这位患者与填写的信息不再相符，请重新查找。")
        return _take_known(chosen.patient, person, method, judgement, by=by, at=at)
    unseen = [one for one in alike if one.patient.pk not in judgement.seen]
    if unseen or (alike and not judgement.reason.strip()):
        raise ProbablyKnown(alike)
    return _make(person, method, custody, judgement, alike, by=by, at=at)


def _take_known(
    owner: Patient,
    person: Person,
    method: VerificationMethod,
    judgement: Judgement,
    *,
    by: Actor,
    at: dt.datetime,
) -> FoundPerson:
    if judgement.use_id not in (None, owner.pk):
        raise NotFound("这个证件属于另一位患者，请重新查找。")
    same_name = contacts.is_same_name(owner.name, person.name)
    if not same_name and (judgement.use_id is None or not judgement.reason.strip()):
        raise NameOnFileDiffers(patient_id=owner.pk)
    locked = persons.lock(owner.pk)
    changed = identifying.prove(
        locked, person, method=method, reason=judgement.reason, by=by, at=at
    )
    return FoundPerson(locked.pk, is_new=False, changed=tuple(changed))


def _make(
    person: Person,
    method: VerificationMethod,
    custody: Custody | None,
    judgement: Judgement,
    alike: Sequence[Candidate],
    *,
    by: Actor,
    at: dt.datetime,
) -> FoundPerson:
    child = is_child(person.birth_date, on=hospital_day(at))
    if child and custody is None:
        raise Invalid({"guardian_no": ["患者未满 14 周岁，请填写监护人的证件号或门诊号。"]})
    assurance = METHOD_ASSURANCE[method]
    origin = Origin(METHOD_SOURCES[method], assurance, at)
    patient = persons.new_patient(persons.values_of(person), origin)
    identifier = identifying.file_document(patient, person, origin, by=by)
    IdentityVerification.objects.create(
        patient=patient,
        identifier=identifier,
        method=method,
        assurance=assurance,
        by=str(by),
        at=at,
    )
    if child and custody is not None:
        guardian = queries.patient(patient_id=custody.guardian_id)
        guardians.link(patient, guardian, custody.relationship, by=by, at=at)
    if alike:
        NewPersonDecision.objects.create(
            patient=patient,
            candidates=[_kept(one) for one in alike],
            reason=judgement.reason.strip(),
            by=str(by),
            at=at,
        )
    audit.record(
        act="patients.create_patient",
        subject=patient,
        by=by,
        at=at,
        after={
            "method": method.value,
            "document": person.document.kind.value,
            "candidates": [_kept(one) for one in alike],
        },
        reason=judgement.reason.strip() if alike else "",
    )
    return FoundPerson(patient.pk, is_new=True)


def _kept(one: Candidate) -> dict[str, object]:
    return {
        "patient_id": one.patient.pk,
        "score": one.likeness.score,
        "vetoes": [veto.value for veto in one.likeness.vetoes],
    }


def _inputs(person: Person, method: VerificationMethod, judgement: Judgement) -> dict[str, object]:
    return {
        "document": identifying.number_word(person),
        "name": sealed.blind_index(person.name, "patients.name"),
        "method": method.value,
        "use": judgement.use_id,
        "reason": judgement.reason.strip(),
    }
