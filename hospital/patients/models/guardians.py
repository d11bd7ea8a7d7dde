"""Who answers for a child (M3.4)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from hospital.patients.models.persons import Patient
from hospital.patients.states import GuardianRelation


class Guardian(models.Model):
    """A child's guardian, who is a real-name patient; ended ones stay as history.

    The row says nothing about age: whether a guardian still decides is asked of the child's birth
    date on the day it matters, so the 14th birthday needs no job.
    """

    child = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="guardians")
    guardian = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="wards")
    relationship = models.CharField("与孩子的关系", max_length=12, choices=GuardianRelation.choices)
    verified_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["child", "guardian"],
                condition=Q(ended_at__isnull=True),
                name="patients_guardian_once",
            ),
            models.UniqueConstraint(
                fields=["child"],
                condition=Q(ended_at__isnull=True, relationship="mother"),
                name="patients_one_mother",
            ),
            models.CheckConstraint(
                condition=~Q(child=F("guardian")), name="patients_not_own_guardian"
            ),
            models.CheckConstraint(
                condition=Q(relationship__in=GuardianRelation.values),
                name="patients_guardian_relationship",
            ),
        ]

    def __str__(self) -> str:
        return f"guardian {self.pk}"

    @property
    def patient_id(self) -> int:
        """Whom an audited act on this row is about."""
        return self.child_id
