"""A patient's whole record as the card desk shows it; masking is the page's business."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from hospital.kernel.clock import hospital_day
from hospital.kernel.models import AuditEntry
from hospital.kernel.states import subject_type
from hospital.patients import golden
from hospital.patients.golden import Origin
from hospital.patients.models import (
    Guardian,
    IdentityVerification,
    NewPersonDecision,
    Patient,
    PatientBinding,
    PatientCard,
    PatientIdentifier,
    PatientLink,
)
from hospital.patients.queries.guardians import guardians_of, is_child, wards_of
from hospital.patients.queries.persons import patient_by_number
from hospital.patients.queries.upgrades import Upgrade, upgrade_of
from hospital.patients.reference import COUNTRIES, ETHNIC_GROUPS
from hospital.patients.states import PatientKind


@dataclass(frozen=True, slots=True)
class Record:
    """Everything the patients area knows of one patient; ethnic group and nationality in words."""

    patient: Patient
    ethnic_group: str
    nationality: str
    is_child: bool
    upgrade: Upgrade | None
    origins: dict[str, Origin]
    identifiers: Sequence[PatientIdentifier]
    verifications: Sequence[IdentityVerification]
    guardians: Sequence[Guardian]
    wards: Sequence[Guardian]
    cards: Sequence[PatientCard]
    bindings: Sequence[PatientBinding]
    decisions: Sequence[NewPersonDecision]
    links: Sequence[PatientLink]
    brought: str


def record(*, outpatient_no: str, at: dt.datetime) -> Record:
    """Return the record of an outpatient number, following a merge. Raises NotFound."""
    patient = patient_by_number(outpatient_no=outpatient_no)
    on = hospital_day(at)
    group = ETHNIC_GROUPS.get(patient.ethnic_group)
    bound = PatientBinding.objects.filter(patient=patient).order_by("ended_at", "pk")
    return Record(
        patient=patient,
        ethnic_group=group.name if group is not None else "",
        nationality=COUNTRIES.get(patient.nationality, ""),
        is_child=is_child(patient=patient, on=on),
        upgrade=upgrade_of(patient=patient, at=at),
        origins={
            field: Origin.read(patient.origins[field])
            for field in golden.GOLDEN_FIELDS
            if field in patient.origins
        },
        identifiers=list(patient.identifiers.order_by("pk")),
        verifications=list(patient.verifications.select_related("identifier").order_by("-pk")),
        guardians=guardians_of(patient=patient, on=on),
        wards=wards_of(patient=patient, on=on),
        cards=list(patient.cards.order_by("-pk")),
        bindings=list(bound),
        decisions=list(patient.decisions.order_by("-pk")),
        links=list(patient.links.select_related("other").order_by("-pk")),
        brought=_brought(patient),
    )


def _brought(patient: Patient) -> str:
    """How an unidentified patient came, as the clerk wrote it when making the record."""
    if patient.kind != PatientKind.UNIDENTIFIED:
        return ""
    entries = AuditEntry.objects.filter(
        subject_type=subject_type(patient), subject_id=patient.pk, act="patients.create_patient"
    )
    return entries.values_list("reason", flat=True).first() or ""
