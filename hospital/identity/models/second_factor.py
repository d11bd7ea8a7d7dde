"""What proves a member of staff besides the password, and passwords that are used up."""

from __future__ import annotations

from django.db import models

from hospital.identity.models.accounts import StaffAccount
from hospital.kernel.sealed import SealedCharField


class SecondFactor(models.Model):
    """The secret an account shares with a phone; a row exists only after a code proved it.

    `last_counter` is the newest 30-second step a code was accepted of: no code of it or of an
    earlier one is accepted again.
    """

    account = models.OneToOneField(
        StaffAccount, on_delete=models.PROTECT, related_name="second_factor"
    )
    secret = SealedCharField()
    confirmed_at = models.DateTimeField()
    last_counter = models.BigIntegerField()

    def __str__(self) -> str:
        return f"second factor {self.pk}"


class RecoveryCode(models.Model):
    """One of ten codes on paper, for a lost phone; a keyed digest of it, and when it was used."""

    account = models.ForeignKey(
        StaffAccount, on_delete=models.PROTECT, related_name="recovery_codes"
    )
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "digest"], name="identity_recovery_code_once"
            )
        ]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class PasswordUsed(models.Model):
    """A password an account had until a moment (UTC), hashed: it does not come back soon."""

    account = models.ForeignKey(StaffAccount, on_delete=models.PROTECT, related_name="+")
    password = models.CharField(max_length=128)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="identity_password_used")]

    def __str__(self) -> str:
        return f"used password {self.pk}"
