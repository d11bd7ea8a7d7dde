"""Who may act for whom: `*_for` is the only way to a patient for somebody from outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.db.models import QuerySet

from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import subject_type
from hospital.patients.models import Patient, PatientBinding
from hospital.patients.queries.guardians import guardians_of
from hospital.patients.queries.identifiers import documents_of, is_outpatient_no
from hospital.patients.states import REAL_NAME, DocumentKind, Relationship, Sex

if TYPE_CHECKING:
    from hospital.identity.models import WeChatUser

#: The audited act of bringing a document with another name or phone than on file.
MISMATCH: Final = "patients.mismatch"


# One statement of the rush at 07:00, so in SQL (law 13); no sealed column is opened for it. The
# binding is locked too: only locked rows are looked at again after waiting for an unbinding.
_LOCK_BOUND: Final = """
    SELECT patient.id, patient.sex, patient.birth_date, patient.assurance, patient.kind,
        patient.created_at, patient.is_active AND patient.merged_into_id IS NULL, holder.is_blocked
    FROM patients_patientbinding binding
    JOIN patients_patient patient ON patient.id = binding.patient_id
    JOIN identity_wechatuser holder ON holder.id = binding.wechat_user_id
    WHERE binding.wechat_user_id = %s AND binding.patient_id = %s AND binding.ended_at IS NULL
    FOR NO KEY UPDATE OF holder, patient, binding
"""

_LOCK: Final = """
    SELECT patient.id, patient.sex, patient.birth_date, patient.assurance, patient.kind,
        patient.created_at, patient.is_active AND patient.merged_into_id IS NULL, false
    FROM patients_patient patient WHERE patient.id = %s
    FOR NO KEY UPDATE OF patient
"""

# Written out as well: the way to a number begins with it.
_DEFAULT: Final = """
    SELECT patient.* FROM patients_patientbinding binding
    JOIN patients_patient patient ON patient.id = binding.patient_id
    WHERE binding.wechat_user_id = %s AND binding.ended_at IS NULL
    ORDER BY binding.is_default DESC, binding.id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class BoundPatient:
    """A patient as the WeChat user sees it in the own list; everything sensitive is masked."""

    patient: Patient
    number: str
    name: str
    masked_name: str
    sex: str
    birth_date: dt.date
    masked_phone: str
    document: str
    masked_document: str
    relationship: Relationship
    is_default: bool
    is_real_name: bool


@dataclass(frozen=True, slots=True)
class LockedPatient:
    """A patient, and the WeChat user acting for it if one does, read under the locks on both."""

    patient_id: int
    sex: str
    birth_date: dt.date
    assurance: str
    kind: str
    created_at: dt.datetime
    is_active: bool
    user_is_blocked: bool


def patients_for(*, wechat_user_id: int) -> list[BoundPatient]:
    """Return the patients a WeChat user may act for: self first, then as they were added."""
    bindings = list(
        _bindings(wechat_user_id).select_related("patient").prefetch_related("patient__identifiers")
    )
    bindings.sort(key=lambda row: (row.relationship != Relationship.SELF, row.pk))
    return [_bound(binding) for binding in bindings]


def patient_for(*, wechat_user_id: int, number: str) -> Patient:
    """Return the patient with an outpatient number, if this user may act for it.

    Raises NotFound, whether there is none or it is somebody else's.
    """
    if not is_outpatient_no(number):  # nor may any character a database refuses get there
        raise NotFound("没有找到这位就诊人。")
    rows = _bindings(wechat_user_id).select_related("patient")
    binding = rows.filter(patient__outpatient_no=number).first()
    if binding is None:
        raise NotFound("没有找到这位就诊人。")
    return binding.patient


def patient_id_for(*, wechat_user_id: int, number: str) -> int:
    """As patient_for, where the id is enough: no sealed column is read. Raises NotFound."""
    rows = _bindings(wechat_user_id) if is_outpatient_no(number) else PatientBinding.objects.none()
    found = rows.filter(patient__outpatient_no=number).values_list("patient_id", flat=True)
    for patient_id in found:
        return patient_id
    raise NotFound("没有找到这位就诊人。")


def lock_bound_patient(*, wechat_user_id: int, patient_id: int) -> LockedPatient | None:
    """Return the patient this user may act for, user and patient locked to the transaction's end.

    What is counted per user or per patient is counted under these locks (M1.4). One statement;
    None when the user may not act for the patient.
    """
    assert connection.in_atomic_block, "a lock outside a transaction holds nothing"
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_BOUND, [wechat_user_id, patient_id])
        row = cursor.fetchone()
    return None if row is None else LockedPatient(*row)


def lock_known_patient(*, patient_id: int) -> LockedPatient | None:
    """Return a patient the house acts for, locked to the transaction's end; None for nobody."""
    assert connection.in_atomic_block, "a lock outside a transaction holds nothing"
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [patient_id])
        row = cursor.fetchone()
    return None if row is None else LockedPatient(*row)


def default_patient_for(*, wechat_user_id: int) -> Patient | None:
    """Return the patient a user's pages start with, None when the user has none."""
    return next(iter(Patient.objects.raw(_DEFAULT, [wechat_user_id])), None)


def users_to_tell(*, patient_id: int, acting_id: int | None = None) -> list[int]:
    """Return ids of the WeChat users who get a message about a patient, the acting one first."""
    rows = PatientBinding.objects.filter(
        patient=patient_id, ended_at__isnull=True, wechat_user__is_blocked=False
    )
    bound = rows.order_by("pk").values_list("wechat_user_id", flat=True)
    first = [acting_id] if acting_id is not None else []
    return list(dict.fromkeys([*first, *bound]))


def bound_ids(*, patient_ids: Collection[int]) -> set[int]:
    """Return those of the patients whom somebody acts for on WeChat."""
    rows = PatientBinding.objects.filter(
        patient__in=patient_ids, ended_at__isnull=True, wechat_user__is_blocked=False
    )
    return set(rows.values_list("patient_id", flat=True))


def binding(*, binding_id: int) -> PatientBinding:
    """Return a binding, ended or not, with its patient."""
    return PatientBinding.objects.select_related("patient").get(pk=binding_id)


def phone_since(patient: Patient) -> dt.datetime | None:
    """Return since when a patient is reached under the present phone, None when not known."""
    kept = patient.origins.get("phone")
    return dt.datetime.fromisoformat(kept["at"]) if kept else None


def own_binding(*, wechat_user_id: int, number: str) -> PatientBinding:
    """Return a user's binding to a patient, with its patient. Raises NotFound."""
    patient = patient_for(wechat_user_id=wechat_user_id, number=number)
    return _bindings(wechat_user_id).select_related("patient").get(patient=patient)


def may_manage(binding: PatientBinding, *, on: dt.date) -> bool:
    """Say whether the bound user decides who else is bound and which phone is the patient's.

    The patient itself does, and for a child under 14 its guardians; from the 14th birthday on the
    guardians no longer do, that very day (M3.4, E14).
    """
    if binding.relationship == Relationship.SELF:
        return True
    own = _bindings(binding.wechat_user_id).filter(relationship=Relationship.SELF).first()
    if own is None:
        return False
    links = guardians_of(patient=binding.patient, on=on)
    return any(link.guardian_id == own.patient_id for link in links)


def bindings_of(patient: Patient) -> list[PatientBinding]:
    """Return who may act for a patient, in the order they were added."""
    rows = PatientBinding.objects.filter(patient=patient, ended_at__isnull=True)
    return list(rows.order_by("pk"))


def mismatches(*, wechat_user: WeChatUser, since: dt.datetime) -> int:
    """Count how often a user brought a document that did not fit its owner since a moment."""
    rows = AuditEntry.objects.filter(
        subject_type=subject_type(wechat_user), subject_id=wechat_user.pk, act=MISMATCH
    )
    return rows.filter(at__gt=since).count()


def _bindings(wechat_user_id: int) -> QuerySet[PatientBinding]:
    return PatientBinding.objects.filter(wechat_user=wechat_user_id, ended_at__isnull=True)


def _bound(binding: PatientBinding) -> BoundPatient:
    patient = binding.patient
    document = next(iter(documents_of(patient)), None)
    return BoundPatient(
        patient=patient,
        number=patient.outpatient_no,
        name=patient.name,
        masked_name=patient.masked_name,
        sex=Sex(patient.sex).label,
        birth_date=patient.birth_date,
        masked_phone=patient.masked_phone,
        document=DocumentKind(document.kind).label if document else "",
        masked_document=document.masked_value if document else "",
        relationship=Relationship(binding.relationship),
        is_default=binding.is_default,
        is_real_name=patient.assurance in REAL_NAME,
    )
