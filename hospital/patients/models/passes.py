"""One-time codes that stand for a patient on a screen (M11.3)."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from hospital.patients.models.persons import Patient


class PatientPass(models.Model):
    """A QR code shown on a phone just now; the database knows only the digest of its text.

    It opens the patient's record once, within a minute, while the one who showed it is bound.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="passes")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="patient_passes"
    )
    digest = models.CharField(max_length=43, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    redeemed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="patients_pass_lives"
            ),
            models.CheckConstraint(
                condition=Q(redeemed_at__isnull=True) | Q(redeemed_at__lt=F("expires_at")),
                name="patients_pass_in_time",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="patients_pass_over")]

    def __str__(self) -> str:
        return f"pass {self.pk}"
