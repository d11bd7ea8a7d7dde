"""Tries to log in at the staff page."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.states import AttemptOutcome


class LoginAttempt(models.Model):
    """One try to log in at the staff page, kept for throttling and for the audit (X10, X13)."""

    username = models.CharField(max_length=40)
    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    address = models.GenericIPAddressField()
    outcome = models.CharField(max_length=10, choices=AttemptOutcome.choices)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=AttemptOutcome.values), name="identity_attempt_outcome"
            ),
        ]
        indexes = [
            models.Index(fields=["username", "at"], name="identity_attempt_username"),
            models.Index(fields=["address", "at"], name="identity_attempt_address"),
        ]

    def __str__(self) -> str:
        return f"log-in attempt {self.pk}"
