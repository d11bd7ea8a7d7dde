"""The call list: urgent news that reached nobody by itself."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.messaging.states import CALL_MOVES, CallStatus


class CallTask(StatefulModel):
    """Somebody must telephone: an urgent message reached none of those it was for.

    One per event, however many users were to be told; `message` is the first that ended here.
    """

    MOVES = CALL_MOVES

    message = models.ForeignKey(
        "messaging.Message", on_delete=models.PROTECT, related_name="call_tasks"
    )
    kind = models.CharField(max_length=3)
    event_key = models.CharField(max_length=80)
    status = models.CharField(max_length=11, choices=CallStatus.choices, default=CallStatus.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=40, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_key", "kind"], name="messaging_one_call"),
            one_of(CallStatus.values, name="messaging_call_status"),
            models.CheckConstraint(
                condition=Q(status=CallStatus.OPEN, closed_at__isnull=True, closed_by="")
                | (~Q(status=CallStatus.OPEN) & Q(closed_at__isnull=False) & ~Q(closed_by="")),
                name="messaging_call_closed",
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"],
                name="messaging_calls_open",
                condition=Q(status=CallStatus.OPEN),
            ),
        ]
        triggers = [guard(CALL_MOVES, name="messaging_call_moves")]

    def __str__(self) -> str:
        return f"call {self.pk}"
