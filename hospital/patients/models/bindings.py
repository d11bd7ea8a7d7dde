"""Who may act for a patient through WeChat."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.patients import consent
from hospital.patients.models.persons import Patient
from hospital.patients.states import Relationship


class PatientBinding(models.Model):
    """A WeChat user may act for a patient, who consented to it; ended ones stay as history."""

    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="patient_bindings"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="bindings")
    relationship = models.CharField("与本人关系", max_length=12, choices=Relationship.choices)
    is_default = models.BooleanField("默认就诊人", default=False)
    consent_version = models.CharField(max_length=30)
    consented_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wechat_user", "patient"],
                condition=Q(ended_at__isnull=True),
                name="patients_bound_once",
            ),
            models.UniqueConstraint(
                fields=["wechat_user"],
                condition=Q(ended_at__isnull=True, is_default=True),
                name="patients_one_default",
            ),
            models.UniqueConstraint(
                fields=["wechat_user"],
                condition=Q(ended_at__isnull=True, relationship="self"),
                name="patients_one_self",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(is_default=False),
                name="patients_ended_is_no_default",
            ),
            models.CheckConstraint(
                condition=Q(relationship__in=Relationship.values), name="patients_relationship"
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient"],
                name="patients_bound_users",
                condition=Q(ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"binding {self.pk}"

    @property
    def consent_title(self) -> str:
        """The words for the version of the text that was agreed to."""
        return consent.title_of(self.consent_version)
