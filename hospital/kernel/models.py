"""Tables every area writes through the kernel: history, audit, request keys, settings, series.

Transition and AuditEntry are append-only, guarded by triggers (laws 5 and 15).
"""

import pgtrigger
from django.db import models


def append_only(name: str) -> pgtrigger.Protect:
    """A trigger that refuses update and delete, also from raw SQL."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update | pgtrigger.Delete)


def never_emptied(name: str) -> pgtrigger.Trigger:
    """A trigger that refuses TRUNCATE, which no trigger of a row sees."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'Cannot empty % table', TG_TABLE_NAME;",
    )


class Transition(models.Model):
    """One change of a status: what, from, to, who, when (UTC), why."""

    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    from_status = models.CharField(max_length=30)
    to_status = models.CharField(max_length=30)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="transition_subject")]
        triggers = [append_only("transition_append_only")]

    def __str__(self) -> str:
        return f"{self.subject_type}:{self.subject_id} {self.from_status}→{self.to_status}"


class AuditResult(models.TextChoices):
    """Whether an audited act came about."""

    DONE = "done", "完成"
    REFUSED = "refused", "被拒绝"


class AuditEntry(models.Model):
    """One audited act (X13): who did what to what, from where, with the values before and after.

    `before` and `after` hold what the act changed; sealed values appear masked only. `person_id`
    is the patient it is about, `role` the codes of the roles held at that moment. `mac` is a keyed
    mark over all of it: who changes a row in the database cannot make one.
    """

    act = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField(null=True)
    person_id = models.BigIntegerField(null=True)
    by = models.CharField(max_length=40)
    role = models.CharField(max_length=200, blank=True, default="")
    address = models.CharField(max_length=45, blank=True, default="")
    device = models.CharField(max_length=80, blank=True, default="")
    at = models.DateTimeField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True)
    result = models.CharField(max_length=10, choices=AuditResult.choices, default=AuditResult.DONE)
    request_id = models.CharField(max_length=40, blank=True)
    mac = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(result__in=AuditResult.values), name="audit_result_known"
            )
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(
                fields=["person_id", "id"],
                name="audit_person",
                condition=models.Q(person_id__isnull=False),
            ),
            models.Index(fields=["by", "id"], name="audit_by"),
            models.Index(fields=["act", "id"], name="audit_act"),
            models.Index(fields=["at"], name="audit_at"),
        ]
        triggers = [append_only("audit_append_only"), never_emptied("audit_never_emptied")]

    def __str__(self) -> str:
        return f"{self.act} {self.subject_type}:{self.subject_id}"


class AuditSeal(models.Model):
    """A link of the hash chain over committed audit entries; a job writes it, no writer waits.

    It covers `entries` rows: those after the previous seal up to `through_id` without the numbers
    in `holes` (spans nobody had written yet), and `late` ones in holes of earlier seals.
    """

    through_id = models.BigIntegerField()
    entries = models.IntegerField()
    late = models.JSONField(default=list)
    holes = models.JSONField(default=list)
    key_id = models.CharField(max_length=20, default="")
    digest = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["sealed_at"], name="audit_seal_age")]
        triggers = [
            append_only("audit_seal_append_only"),
            never_emptied("audit_seal_never_emptied"),
        ]

    def __str__(self) -> str:
        return f"sealed through {self.through_id}"


class AuditVerification(models.Model):
    """What one walk through the whole audit trail found; findings are pairs of fault and place.

    `through_id` and `digest` are the newest seal it saw, which must still be there next time.
    """

    at = models.DateTimeField()
    entries = models.BigIntegerField()
    seals = models.BigIntegerField()
    unsealed = models.BigIntegerField()
    through_id = models.BigIntegerField()
    digest = models.CharField(max_length=64, blank=True)
    is_sound = models.BooleanField()
    findings = models.JSONField(default=list)
    mac = models.CharField(max_length=100)

    class Meta:
        triggers = [
            append_only("audit_verification_append_only"),
            never_emptied("audit_verification_never_emptied"),
        ]

    def __str__(self) -> str:
        return f"verified through {self.through_id}"


class RequestKey(models.Model):
    """One request of one person, so that a double tap or a retry acts once."""

    key = models.CharField(max_length=80)
    scope = models.CharField(max_length=80)
    input_digest = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="request_key_once")]
        indexes = [models.Index(fields=["created_at"], name="request_key_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class ConfigurationRow(models.Model):
    """One value of one setting for one scope from a moment on; never edited, only superseded."""

    key = models.CharField(max_length=80)
    scope_kind = models.CharField(max_length=30, default="hospital")
    scope_id = models.BigIntegerField(default=0)
    value = models.JSONField()
    valid_from = models.DateTimeField()
    set_by = models.CharField(max_length=40)
    set_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key", "scope_kind", "scope_id", "valid_from"],
                name="configuration_row_once",
            )
        ]
        triggers = [append_only("configuration_append_only")]

    def __str__(self) -> str:
        return f"{self.key} [{self.scope_kind}:{self.scope_id}]"


class SerialCounter(models.Model):
    """The latest number of a gap-free series."""

    series = models.CharField(max_length=60, primary_key=True)
    latest = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.series} {self.latest}"


class SharedToken(models.Model):
    """A token of an outside system, fetched by one process and used by all."""

    name = models.CharField(max_length=80, primary_key=True)
    value = models.TextField()
    expires_at = models.DateTimeField()
    fetched_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """When a process of a kind ("web", "live") on one machine last said that it lives (UTC)."""

    kind = models.CharField(max_length=10)
    host = models.CharField(max_length=80)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "host"], name="heartbeat_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.host}"


class RushLine(models.Model):
    """How far the line before a rush has been let in (rush_line.py): the one row there is."""

    served = models.FloatField()
    moved_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="rush_line_is_one"),
        ]

    def __str__(self) -> str:
        return f"served up to {self.served:.0f}"
