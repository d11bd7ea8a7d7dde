"""Numbers that name patients, and the proofs of identity: sealed, each number with one owner."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from hospital.kernel.models import append_only
from hospital.kernel.sealed import SealedCharField
from hospital.kernel.states import Moves, StatefulModel, guard, one_of
from hospital.patients.models.persons import Patient
from hospital.patients.states import (
    IDENTIFIER_LABELS,
    IDENTIFIER_MOVES,
    Assurance,
    IdentifierStatus,
    NumberKind,
    Source,
    VerificationMethod,
)
from hospital.ui.masks import mask_id


class PatientIdentifier(StatefulModel):
    """One number of a patient: a document, a health card, a temporary number.

    A number of a kind belongs to one patient only, also after a newer one replaced it; only a
    number that was filed by mistake (void) may belong to another.
    """

    MOVES: ClassVar[Moves] = IDENTIFIER_MOVES

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField("证件类型", max_length=20, choices=sorted(IDENTIFIER_LABELS.items()))
    value = SealedCharField("证件号码")
    value_index = models.CharField(max_length=43)
    status = models.CharField(
        max_length=8, choices=IdentifierStatus.choices, default=IdentifierStatus.ACTIVE
    )
    valid_from = models.DateField("有效期起", null=True, blank=True)
    valid_until = models.DateField("有效期止", null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source.choices)
    assurance = models.CharField(max_length=8, choices=Assurance.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["value_index", "kind"],
                condition=~Q(status=IdentifierStatus.VOID),
                name="patients_one_owner_of_a_number",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=sorted(IDENTIFIER_LABELS)), name="patients_identifier_kind"
            ),
            one_of(IdentifierStatus.values, name="patients_identifier_status"),
            models.CheckConstraint(
                condition=Q(source__in=Source.values), name="patients_identifier_source"
            ),
            models.CheckConstraint(
                condition=Q(assurance__in=Assurance.values), name="patients_identifier_assurance"
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_until__isnull=True)
                | Q(valid_until__gte=F("valid_from")),
                name="patients_identifier_period",
            ),
        ]
        triggers = [guard(IDENTIFIER_MOVES, name="patients_identifier_moves")]

    def __str__(self) -> str:
        return f"identifier {self.pk}"

    @property
    def masked_value(self) -> str:
        """The number as lists show it (X12); a temporary one says nothing about anybody."""
        return self.value if self.kind == NumberKind.TEMPORARY else mask_id(self.value)

    @property
    def label(self) -> str:
        """The words for its kind."""
        return IDENTIFIER_LABELS[self.kind]


class IdentityVerification(models.Model):
    """One proof of who a patient is: how, worth what, by whom and when (M3.3)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="verifications")
    identifier = models.ForeignKey(
        PatientIdentifier, on_delete=models.PROTECT, related_name="verifications"
    )
    method = models.CharField(max_length=12, choices=VerificationMethod.choices)
    assurance = models.CharField(max_length=8, choices=Assurance.choices)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(method__in=VerificationMethod.values), name="patients_method"
            ),
            models.CheckConstraint(
                condition=Q(assurance__in=Assurance.values), name="patients_proof_assurance"
            ),
        ]
        triggers = [append_only("patients_verification_append_only")]

    def __str__(self) -> str:
        return f"verification {self.pk}"


class NewPersonDecision(models.Model):
    """Why somebody who looked like known patients was made a new one (H2.2).

    `candidates` holds what was on the clerk's screen: patient ids with score and vetoes.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="decisions")
    candidates = models.JSONField()
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        triggers = [append_only("patients_decision_append_only")]

    def __str__(self) -> str:
        return f"decision {self.pk}"


class PatientLink(models.Model):
    """Somebody found that two records are one person; merging them is decided elsewhere (M3.9)."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="links")
    other = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="linked_from")
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "other"], name="patients_linked_once"),
            models.CheckConstraint(
                condition=~Q(patient=F("other")), name="patients_not_linked_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.pk}"
