"""Tables of monitoring: how every probe stands, alerts, and what cannot be measured in a moment."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel.models import append_only
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.monitoring.states import MOVES, AlertLevel, AlertStatus, BackupKind, ProbeState


class ProbeStanding(models.Model):
    """How a probe stood in the latest round, since when, and for how many rounds in a row it has
    stood so (`rounds`), has been in trouble or has been well."""

    probe = models.CharField(max_length=40, unique=True)
    state = models.CharField(max_length=10, choices=ProbeState.choices)
    value = models.FloatField(null=True)
    text = models.CharField(max_length=300)
    since = models.DateTimeField()
    measured_at = models.DateTimeField()
    rounds = models.PositiveIntegerField()
    trouble_rounds = models.PositiveIntegerField()
    well_rounds = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ProbeState.values), name="monitoring_probe_state"
            )
        ]

    def __str__(self) -> str:
        return f"{self.probe} {self.state}"


class Alert(StatefulModel):
    """A probe is in trouble, and people are told. One at a time a probe; `text` and `value` are
    the latest found, `told_*` what N38 said last and how often it went out."""

    MOVES = MOVES

    probe = models.CharField(max_length=40)
    status = models.CharField(max_length=12, choices=AlertStatus.choices, default=AlertStatus.OPEN)
    level = models.CharField(max_length=10, choices=AlertLevel.choices)
    text = models.CharField(max_length=300)
    value = models.FloatField(null=True)
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=40, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    over_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    told_level = models.CharField(max_length=10, blank=True, default="")
    told_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            one_of(AlertStatus.values, name="monitoring_alert_status"),
            models.CheckConstraint(
                condition=Q(level__in=AlertLevel.values), name="monitoring_alert_level"
            ),
            models.UniqueConstraint(
                fields=["probe"],
                condition=~Q(status=AlertStatus.OVER),
                name="monitoring_one_alert_a_probe",
            ),
            models.CheckConstraint(
                condition=Q(status=AlertStatus.OVER, over_at__isnull=False)
                | (~Q(status=AlertStatus.OVER) & Q(over_at__isnull=True)),
                name="monitoring_alert_over_at",
            ),
            models.CheckConstraint(
                condition=~Q(status=AlertStatus.ACKNOWLEDGED)
                | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="") & ~Q(note="")),
                name="monitoring_alert_acknowledged",
            ),
        ]
        indexes = [models.Index(fields=["opened_at"], name="monitoring_alert_opened")]
        triggers = [guard(MOVES, name="monitoring_alert_moves")]

    def __str__(self) -> str:
        return f"alert {self.pk} of {self.probe}"


class BackupRun(models.Model):
    """What the hospital's backup script said when it was done, or that it was not."""

    kind = models.CharField(max_length=12, choices=BackupKind.choices)
    is_good = models.BooleanField()
    size_bytes = models.PositiveBigIntegerField(null=True)
    note = models.CharField(max_length=200, blank=True, default="")
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=BackupKind.values), name="monitoring_backup_kind"
            ),
            models.CheckConstraint(
                condition=Q(is_good=True) | ~Q(note=""), name="monitoring_failed_backup_says_why"
            ),
        ]
        indexes = [models.Index(fields=["kind", "-noted_at"], name="monitoring_latest_backup")]
        triggers = [append_only("monitoring_backup_append_only")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class CertificateCheck(models.Model):
    """The TLS certificate one of our addresses showed last; `problem` when it could not be had."""

    host = models.CharField(max_length=253, unique=True)
    checked_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__isnull=False, problem="")
                | (Q(expires_at__isnull=True) & ~Q(problem="")),
                name="monitoring_certificate_or_problem",
            )
        ]

    def __str__(self) -> str:
        return self.host


class DaySize(models.Model):
    """How large the database was in the first round of a hospital day, in bytes."""

    day = models.DateField(unique=True)
    size_bytes = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.day}"
