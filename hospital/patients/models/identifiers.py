"""Documents of patients: sealed numbers with a keyed blind index, each with one owner."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel.sealed import SealedCharField
from hospital.patients.models.persons import Patient
from hospital.patients.states import DocumentKind
from hospital.ui.masks import mask_id


class PatientIdentifier(models.Model):
    """One document number of a patient; a number of a kind belongs to one patient only."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField("证件类型", max_length=20, choices=DocumentKind.choices)
    value = SealedCharField("证件号码")
    value_index = models.CharField(max_length=43)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["value_index", "kind"], name="patients_one_owner_of_a_document"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="patients_document_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"identifier {self.pk}"

    @property
    def masked_value(self) -> str:
        """The number as lists show it (X12)."""
        return mask_id(self.value)
