"""Machines of the hospital that work without anybody logged in: kiosks."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q


class Device(models.Model):
    """自助机. Somebody types a code at the machine once and it keeps a secret from then on; of
    both only keyed fingerprints are here. Paired anew, the old secret opens nothing.

    `seen_at` is when it last asked for a page; `revoked_at` ends it for good.
    """

    name = models.CharField(max_length=40, unique=True)
    place = models.CharField(max_length=60)
    code_index = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True)
    secret_index = models.CharField(max_length=64, blank=True)
    paired_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    revoked_by = models.CharField(max_length=40, blank=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["secret_index"], condition=~Q(secret_index=""), name="device_secret_once"
            ),
            models.UniqueConstraint(
                fields=["code_index"], condition=~Q(code_index=""), name="device_code_once"
            ),
            models.CheckConstraint(
                condition=Q(code_index="", code_until__isnull=True)
                | ~Q(code_index="") & Q(code_until__isnull=False),
                name="device_code_ends",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="")
                | Q(revoked_at__isnull=False, secret_index="", code_index="") & ~Q(revoked_by=""),
                name="device_revoked_opens_nothing",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="device_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="device_fixed", fields=["created_by", "created_at"]),
        ]

    def __str__(self) -> str:
        return f"device {self.pk}"
