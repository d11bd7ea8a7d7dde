"""Proofs of identity: filing a document with a patient, upgrading somebody not yet real-name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Final

from django.db import transaction

from hospital.kernel import audit, states
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import contacts, golden, queries
from hospital.patients.actions import persons
from hospital.patients.actions.checking import check_facts
from hospital.patients.facts import Facts, Person
from hospital.patients.golden import Origin
from hospital.patients.models import (
    IdentityVerification,
    Patient,
    PatientIdentifier,
    PatientLink,
)
from hospital.patients.states import (
    METHOD_ASSURANCE,
    METHOD_SOURCES,
    REAL_NAME,
    Assurance,
    DocumentKind,
    IdentifierStatus,
    NumberKind,
    PatientKind,
    Source,
    VerificationMethod,
)

#: Nobody has two of these at a time: a new number takes the place of the old one.
_ONE_AT_A_TIME: Final = (
    DocumentKind.PASSPORT,
    DocumentKind.HK_MACAU_PERMIT,
    DocumentKind.TAIWAN_PERMIT,
    DocumentKind.RESIDENCE_PERMIT,
    DocumentKind.FOREIGNER_CARD,
    DocumentKind.OFFICER_CARD,
    NumberKind.HEALTH_CARD,
)


class DocumentOfAnother(Refusal):
    """The document is another patient's: two records of one person; details: patient_id."""

    code: ClassVar[str] = "DOCUMENT_OF_ANOTHER"
    default_message: ClassVar[str] = "这个证件已登记在另一份患者档案上。"


class OtherResidentId(Refusal):
    """The patient has another valid resident ID number, which nobody changes twice (M3.8)."""

    code: ClassVar[str] = "OTHER_RESIDENT_ID"
    default_message: ClassVar[str] = (
        "这位患者已登记另一个有效的居民身份证号，不能再登记这个号码。请核对是否选错了人。"
    )


class NameOnFileDiffers(Refusal):
    """The document says another name than the record; details: patient_id."""

    code: ClassVar[str] = "NAME_ON_FILE_DIFFERS"
    default_message: ClassVar[str] = (
        "证件上的姓名与档案不一致。请核对本人和证件；确属同一人的，写明原因。"
    )


def prove_identity(
    *,
    patient_id: int,
    facts: Facts,
    method: VerificationMethod,
    by: Actor,
    at: dt.datetime,
    reason: str = "",
) -> list[str]:
    """File a document with a patient and let the record take what it proves; returns the changes.

    This is how newborns, unidentified and other patients who are not real-name become known
    (M3.4, H2.3). A name that differs from a real-name record needs a `reason`.

    Raises Invalid (by field), NotFound, DocumentOfAnother, OtherResidentId, NameOnFileDiffers.
    """
    person = check_facts(facts, at=at)
    with transaction.atomic():
        persons.lock_words(number_word(person))
        patient = persons.lock(queries.patient(patient_id=patient_id).pk)
        owner = queries.document_owner(kind=person.document.kind, number=person.document.number)
        if owner is not None and owner.pk != patient.pk:
            raise DocumentOfAnother(patient_id=owner.pk)
        return prove(patient, person, method=method, reason=reason, by=by, at=at)


def prove(
    patient: Patient,
    person: Person,
    *,
    method: VerificationMethod,
    reason: str,
    by: Actor,
    at: dt.datetime,
) -> list[str]:
    """File a checked document with a locked patient and keep the proof; returns changed fields.

    Raises OtherResidentId, NameOnFileDiffers.
    """
    is_known = patient.kind == PatientKind.KNOWN
    same_name = contacts.is_same_name(patient.name, person.name)
    if is_known and not same_name and not reason.strip():
        raise NameOnFileDiffers(patient_id=patient.pk)
    assurance = METHOD_ASSURANCE[method]
    origin = Origin(METHOD_SOURCES[method], assurance, at)
    identifier = file_document(patient, person, origin, by=by)
    was = patient.assurance
    if not is_known:
        # What an unknown was called is no value that a document must outrank.
        patient.origins = {key: kept for key, kept in patient.origins.items() if key == "phone"}
    changed = persons.take_values(patient, person, origin)
    patient.kind = PatientKind.KNOWN
    if golden.is_stronger(assurance, Assurance(patient.assurance)):
        patient.assurance = assurance
    patient.save(update_fields=["kind", "assurance", "origins"])
    IdentityVerification.objects.create(
        patient=patient,
        identifier=identifier,
        method=method,
        assurance=assurance,
        by=str(by),
        at=at,
    )
    audit.record(
        act="patients.prove_identity",
        subject=patient,
        by=by,
        at=at,
        before={"assurance": was},
        after={
            "assurance": patient.assurance,
            "method": method.value,
            "document": identifier.kind,
            "fields": changed,
        },
        reason=reason.strip(),
    )
    return changed


def prove_by_phone(patient: Patient, person: Person, *, by: Actor, at: dt.datetime) -> None:
    """Make a locked patient real-name whose filed number and name somebody typed on the phone.

    That is worth a document seen (M3.3); who is real-name already keeps what was proved before.
    """
    was = patient.assurance
    if was in REAL_NAME:
        return
    origin = Origin(Source.PHONE, Assurance.DOCUMENT, at)
    file_document(patient, person, origin, by=by)
    changed = persons.take_values(patient, person, origin)
    patient.assurance = Assurance.DOCUMENT
    patient.save(update_fields=["assurance"])
    audit.record(
        act="patients.prove_identity",
        subject=patient,
        by=by,
        at=at,
        before={"assurance": was},
        after={"assurance": Assurance.DOCUMENT.value, "method": "phone", "fields": changed},
    )


def file_document(
    patient: Patient, person: Person, origin: Origin, *, by: Actor
) -> PatientIdentifier:
    """Return the patient's row of a document nobody else owns, made or brought up to date.

    Raises OtherResidentId.
    """
    kind, number = person.document.kind, person.document.number
    index = queries.number_index(kind, number)
    live = PatientIdentifier.objects.filter(patient=patient).exclude(status=IdentifierStatus.VOID)
    known = live.filter(kind=kind, value_index=index).first()
    if known is not None:
        _refresh(known, person, origin)
        return known
    others = live.filter(kind=kind, status=IdentifierStatus.ACTIVE)
    if kind is DocumentKind.RESIDENT_ID and others.exists():
        raise OtherResidentId
    if kind in _ONE_AT_A_TIME:
        _replace(others, by=by, at=origin.at)
    return PatientIdentifier.objects.create(
        patient=patient,
        kind=kind,
        value=number,
        value_index=index,
        valid_from=person.valid_from,
        valid_until=person.valid_until,
        source=origin.source,
        assurance=origin.assurance,
        created_at=origin.at,
    )


def add_health_card(
    *, patient_id: int, number: str, by: Actor, at: dt.datetime
) -> PatientIdentifier:
    """File the number of a patient's electronic health card, as its QR code says it (M11.3).

    Raises Invalid, NotFound, DocumentOfAnother.
    """
    clean = queries.clean_health_card(number)
    if not clean:
        raise Invalid({"number": ["电子健康卡号为 16 到 64 位字母和数字，请重新扫描。"]})
    index = queries.number_index(NumberKind.HEALTH_CARD, clean)
    with transaction.atomic():
        persons.lock_words(index)
        patient = persons.lock(queries.patient(patient_id=patient_id).pk)
        owned = PatientIdentifier.objects.filter(kind=NumberKind.HEALTH_CARD, value_index=index)
        known = owned.exclude(status=IdentifierStatus.VOID).first()
        if known is not None and known.patient_id != patient.pk:
            raise DocumentOfAnother(patient_id=known.patient_id)
        if known is not None:
            return known
        held = PatientIdentifier.objects.filter(
            patient=patient, kind=NumberKind.HEALTH_CARD, status=IdentifierStatus.ACTIVE
        )
        _replace(held, by=by, at=at)
        made = PatientIdentifier.objects.create(
            patient=patient,
            kind=NumberKind.HEALTH_CARD,
            value=clean,
            value_index=index,
            source=Source.DESK,
            assurance=patient.assurance,
            created_at=at,
        )
        audit.record(act="patients.add_health_card", subject=made, by=by, at=at)
    return made


def void_identifier(*, identifier_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Take a number off a patient that was filed by mistake, so that its owner can bring it.

    A real-name patient keeps at least one document. Raises Invalid, NotFound, Stale.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写作废的原因。"]})
    with transaction.atomic():
        row = PatientIdentifier.objects.filter(pk=identifier_id).first()
        if row is None:
            raise NotFound("没有找到这个号码。")
        persons.lock(row.patient_id)
        left = PatientIdentifier.objects.filter(
            patient=row.patient_id, kind__in=DocumentKind.values, status=IdentifierStatus.ACTIVE
        )
        if row.kind in DocumentKind.values and not left.exclude(pk=row.pk).exists():
            raise Invalid({"reason": ["这是患者唯一的证件，请先登记正确的证件再作废。"]})
        _check_active(row)
        states.move(row, IdentifierStatus.VOID, by=by, at=at, reason=reason.strip())
        audit.record(
            act="patients.void_identifier",
            subject=row,
            by=by,
            at=at,
            after={"kind": row.kind},
            reason=reason.strip(),
        )


def report_same(
    *, patient_id: int, other_id: int, reason: str, by: Actor, at: dt.datetime
) -> PatientLink:
    """Keep that two records are one person, for those who merge (M3.9).

    Raises Invalid, NotFound.
    """
    if not reason.strip():
        raise Invalid({"reason": ["请填写判断为同一人的依据。"]})
    patient, other = queries.patient(patient_id=patient_id), queries.patient(patient_id=other_id)
    if patient.pk == other.pk:
        raise Invalid({"reason": ["两份档案是同一份，无需报告。"]})
    with transaction.atomic():
        link, is_new = PatientLink.objects.get_or_create(
            patient=patient,
            other=other,
            defaults={"reason": reason.strip(), "by": str(by), "at": at},
        )
        if is_new:
            audit.record(
                act="patients.report_same",
                subject=link,
                by=by,
                at=at,
                after={"other_id": other.pk},
                reason=reason.strip(),
            )
    return link


def number_word(person: Person) -> str:
    """Return what two desks with the same document wait on."""
    return queries.number_index(person.document.kind, person.document.number)


def _check_active(row: PatientIdentifier) -> None:
    if row.status != IdentifierStatus.ACTIVE:
        raise Invalid({"reason": ["这个号码已经不是有效状态，请刷新页面。"]})


def _refresh(known: PatientIdentifier, person: Person, origin: Origin) -> None:
    """A document seen again proves at least as much as before."""
    if golden.is_stronger(origin.assurance, Assurance(known.assurance)):
        known.assurance, known.source = origin.assurance, origin.source
    known.valid_from = person.valid_from or known.valid_from
    known.valid_until = person.valid_until or known.valid_until
    known.save(update_fields=["assurance", "source", "valid_from", "valid_until"])


def _replace(held: Iterable[PatientIdentifier], *, by: Actor, at: dt.datetime) -> None:
    for row in held:
        states.move(row, IdentifierStatus.REPLACED, by=by, at=at, reason="登记了新证件")
