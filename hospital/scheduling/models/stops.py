"""停诊申请: a department head asks the outpatient office to call a session off (SM1)."""

from django.db import models
from django.db.models import Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.scheduling.models.sessions import Schedule
from hospital.scheduling.states import STOP_REQUEST_MOVES, StopReason, StopRequestStatus


class StopRequest(StatefulModel):
    """One request for one session. `asked_by` and `decided_by` are actors; `answer_note` is why it
    was refused."""

    MOVES = STOP_REQUEST_MOVES

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=10, choices=StopReason)
    note = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=9, choices=StopRequestStatus)
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    answer_note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule"],
                condition=Q(status=StopRequestStatus.ASKED),
                name="stop_request_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(reason__in=StopReason.values), name="stop_request_reason"
            ),
            models.CheckConstraint(
                condition=Q(status=StopRequestStatus.ASKED, decided_at__isnull=True)
                | (~Q(status=StopRequestStatus.ASKED) & Q(decided_at__isnull=False)),
                name="stop_request_decided",
            ),
            one_of(StopRequestStatus.values, name="stop_request_status"),
        ]
        triggers = [guard(STOP_REQUEST_MOVES, name="stop_request_moves")]

    def __str__(self) -> str:
        return f"stop request {self.pk}"
