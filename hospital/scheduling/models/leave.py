"""Leave of practitioners, and what was decided for each session it touched (M15.3)."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.scheduling.models.sessions import Schedule
from hospital.scheduling.states import (
    LEAVE_MOVES,
    LeaveAnswer,
    LeaveStatus,
    StopReason,
)

_STANDING = (LeaveStatus.ASKED, LeaveStatus.APPROVED)


class Leave(StatefulModel):
    """请假: a practitioner cannot be had from a moment until before another (UTC).

    `asked_by` and `decided_by` are actors; `answer_note` is why it was refused or taken back.
    """

    MOVES = LEAVE_MOVES

    practitioner = models.ForeignKey("organisation.Practitioner", models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=10, choices=StopReason)
    note = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=9, choices=LeaveStatus)
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    answer_note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="leave_starts_before_it_ends"
            ),
            models.CheckConstraint(condition=Q(reason__in=StopReason.values), name="leave_reason"),
            models.CheckConstraint(
                condition=Q(status=LeaveStatus.ASKED, decided_at__isnull=True)
                | (~Q(status=LeaveStatus.ASKED) & Q(decided_at__isnull=False)),
                name="leave_decided",
            ),
            one_of(LeaveStatus.values, name="leave_status"),
            # Ranges of one number stand in for equality: btree_gist is not everywhere (law 8).
            ExclusionConstraint(
                name="leave_once_at_a_time",
                expressions=[
                    (
                        Func(
                            F("practitioner_id"),
                            F("practitioner_id"),
                            Value("[]"),
                            function="int8range",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("starts_at"), F("ends_at"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(status__in=_STANDING),
            ),
        ]
        indexes = [models.Index(fields=["practitioner", "ends_at"], name="leave_of_practitioner")]
        triggers = [guard(LEAVE_MOVES, name="leave_moves")]

    def __str__(self) -> str:
        return f"leave {self.pk}"


class LeaveDecision(models.Model):
    """What became of one session the leave touched: stopped (停诊), or held by somebody else."""

    leave = models.ForeignKey(Leave, models.PROTECT, related_name="decisions")
    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="+")
    answer = models.CharField(max_length=10, choices=LeaveAnswer)
    substitute = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["leave", "schedule"], name="leave_decided_once"),
            models.CheckConstraint(
                condition=Q(answer=LeaveAnswer.STOP, substitute__isnull=True)
                | Q(answer=LeaveAnswer.SUBSTITUTE, substitute__isnull=False),
                name="leave_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"leave decision {self.pk}"
