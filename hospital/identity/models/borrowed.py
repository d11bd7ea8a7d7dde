"""Access for a while: what somebody lends a colleague, and what a doctor takes in an emergency."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q

from hospital.identity.models.accounts import StaffAccount
from hospital.identity.states import Verdict


class Delegation(models.Model):
    """代办授权: permissions of the giver that the taker holds too, until a moment (UTC).

    It carries what the giver holds at that time and never more: what the giver loses, it loses.
    """

    giver = models.ForeignKey(StaffAccount, on_delete=models.PROTECT, related_name="delegations")
    taker = models.ForeignKey(StaffAccount, on_delete=models.PROTECT, related_name="+")
    permissions = models.JSONField()
    reason = models.CharField(max_length=200)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    given_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(giver=F("taker")), name="identity_delegation_to_another"
            ),
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="identity_delegation_period"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | Q(ended_at__isnull=False) & ~Q(ended_by=""),
                name="identity_delegation_ended_by",
            ),
        ]
        indexes = [models.Index(fields=["taker", "ends_at"], name="identity_delegation_taker")]
        triggers = [
            pgtrigger.Protect(name="identity_delegation_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"delegation {self.pk}"


class BreakGlass(models.Model):
    """紧急查阅: one doctor sees one patient of another department for at most two hours.

    Somebody else reviews it afterwards. The patient is an id, because patients stand above.
    """

    account = models.ForeignKey(StaffAccount, on_delete=models.PROTECT, related_name="+")
    patient_id = models.BigIntegerField(db_index=True)
    reason = models.CharField(max_length=200)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    review_note = models.CharField(max_length=200, blank=True)
    reviewed_by = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(begins_at__lt=F("ends_at")), name="identity_break_glass_period"
            ),
            models.CheckConstraint(
                condition=Q(verdict="", reviewed_by__isnull=True, reviewed_at__isnull=True)
                | Q(verdict__in=Verdict.values, reviewed_at__gte=F("begins_at"))
                & ~Q(reviewed_by=F("account")),
                name="identity_break_glass_reviewed_by_another",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="identity_break_glass_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"emergency access {self.pk}"
