"""Tables of interop: partners, the secrets and tokens they prove themselves with, what they booked,
and every call they made.

Secrets and tokens are random and kept as keyed fingerprints only. Moments are UTC.
"""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hospital.interop.states import Scope

_FINGERPRINT = 43


class Partner(models.Model):
    """外部平台: somebody who books for patients over HTTP. `code` is its client id.

    `daily_quota` is how many bookings it may make a day, `session_percent` how much of a session's
    online numbers it may have at once, `per_minute` how often it may ask.
    """

    code = models.CharField("客户端编号", max_length=30, unique=True)
    name = models.CharField("平台名称", max_length=60)
    contact = models.CharField("联系人", max_length=100, blank=True)
    scopes = ArrayField(models.CharField(max_length=40), verbose_name="权限范围")
    daily_quota = models.PositiveIntegerField("每日预约额度")
    session_percent = models.PositiveSmallIntegerField("每次出诊线上号源占比")
    per_minute = models.PositiveIntegerField("每分钟调用上限")
    is_active = models.BooleanField("启用")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code__regex=r"^[a-z0-9][a-z0-9-]{2,29}$"), name="partner_code"
            ),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=Scope.values), name="partner_scopes"
            ),
            models.CheckConstraint(
                condition=Q(session_percent__lte=100, per_minute__gte=1), name="partner_limits"
            ),
        ]

    def __str__(self) -> str:
        return f"partner {self.pk}"


class PartnerSecret(models.Model):
    """One secret of a partner, known to nobody once it was shown; `hint` is how it ends."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="secrets")
    fingerprint = models.CharField(max_length=_FINGERPRINT, unique=True)
    hint = models.CharField(max_length=4)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=40)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=40, blank=True, default="")
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="partner_secret_period"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="")),
                name="partner_secret_ended_by",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="partner_secret_fixed",
                fields=["partner", "fingerprint", "created_at", "expires_at"],
            ),
            pgtrigger.Protect(name="partner_secret_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"secret {self.pk} of partner {self.partner_id}"


class AccessToken(models.Model):
    """What a partner shows with every call for some minutes; it dies with its secret."""

    secret = models.ForeignKey(PartnerSecret, models.PROTECT, related_name="tokens")
    fingerprint = models.CharField(max_length=_FINGERPRINT, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"token {self.pk}"


class PartnerBooking(models.Model):
    """Which appointment a partner made, on which hospital day, under which number of its own."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="bookings", db_index=False)
    appointment = models.OneToOneField(
        "registration.Appointment", models.PROTECT, related_name="partner_booking"
    )
    booked_date = models.DateField()
    reference = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["partner", "booked_date"], name="partner_booking_day"),
            models.Index(fields=["partner", "reference"], name="partner_booking_reference"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="partner_booking_kept", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"booking {self.pk} of partner {self.partner_id}"


class PartnerCall(models.Model):
    """One call, answered: who, what, how it ended. `partner` is empty when nobody was proved;
    `number` is the appointment it was about, `code` the rule that refused."""

    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="calls")
    at = models.DateTimeField(db_index=True)
    operation = models.CharField(max_length=30)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=40, blank=True)
    number = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    took_ms = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["partner", "-at"], name="partner_call_latest")]
        triggers = [
            pgtrigger.Protect(name="partner_call_fixed", operation=pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"


class CallCount(models.Model):
    """How often somebody ("partner:3", "address:…", "unproved:…") called in one minute."""

    caller = models.CharField(max_length=60)
    minute = models.DateTimeField()
    calls = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "minute"], name="call_count_once")]

    def __str__(self) -> str:
        return f"{self.caller} {self.calls}"
