"""Where staff are logged in, and from where each role may be used."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.states import SessionEnd
from hospital.kernel.models import append_only


class StaffSession(models.Model):
    """One log-in of one account, from its beginning to its end; moments are UTC.

    The browser's session carries the number of its row, so the row outlives the session keys, which
    change at every step. A row with an end lets nobody in again.
    """

    account = models.ForeignKey(StaffAccount, on_delete=models.PROTECT, related_name="sessions")
    address = models.GenericIPAddressField()
    device = models.CharField(max_length=80, blank=True)
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=40, blank=True)
    how = models.CharField(max_length=12, blank=True, choices=SessionEnd.choices)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="", how="")
                | Q(ended_at__isnull=False, how__in=SessionEnd.values) & ~Q(ended_by=""),
                name="identity_session_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["account"],
                condition=Q(ended_at__isnull=True),
                name="identity_session_open",
            ),
            models.Index(fields=["account", "-began_at"], name="identity_session_history"),
        ]

    def __str__(self) -> str:
        return f"staff session {self.pk}"


class NetworkRule(models.Model):
    """From a moment on (UTC) a role is used from these networks only; "" allows all again.

    Never edited, only superseded: a role's newest row counts.
    """

    role = models.CharField(max_length=40)
    networks = models.CharField(max_length=500, blank=True)
    set_by = models.CharField(max_length=40)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(fields=["role", "-id"], name="identity_network_rule_role")]
        triggers = [append_only("identity_network_rule_kept")]

    def __str__(self) -> str:
        return f"network rule {self.pk}"
