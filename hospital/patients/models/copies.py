"""Copies of everything kept about a patient, made when asked for (M11.5, X11)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel import serials
from hospital.kernel.sealed import SealedBinaryField
from hospital.patients.models.persons import Patient


class DataCopy(models.Model):
    """One copy somebody asked for; its content is sealed, and blanked once the link is over.

    `token` stands in the link, which works for the asking user only. Without `made_at` a job is
    still at work.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="copies")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", on_delete=models.PROTECT, related_name="data_copies"
    )
    token = models.CharField(max_length=22, unique=True, default=serials.opaque)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    content = SealedBinaryField(null=False, blank=True, default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wechat_user", "patient"],
                condition=Q(made_at__isnull=True),
                name="patients_one_copy_under_way",
            ),
            models.CheckConstraint(
                condition=Q(made_at__isnull=True, expires_at__isnull=True)
                | Q(made_at__isnull=False, expires_at__isnull=False),
                name="patients_copy_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"data copy {self.pk}"
