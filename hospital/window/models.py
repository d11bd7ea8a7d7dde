"""Tables of the window: every slip that was printed (H3: a jam after payment, and no slip twice
without anybody knowing)."""

from django.db import models
from django.db.models import Q

from hospital.kernel.models import append_only
from hospital.window.states import Reprint


class SlipPrint(models.Model):
    """挂号小票: one printing. `copy_no` counts them; another copy says why."""

    appointment = models.ForeignKey(
        "registration.Appointment", models.PROTECT, related_name="slip_prints"
    )
    copy_no = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=8, choices=Reprint, blank=True)
    by = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appointment", "copy_no"], name="slip_copy_once"),
            models.CheckConstraint(
                condition=Q(copy_no=1, reason=Reprint.NONE)
                | Q(copy_no__gt=1, reason__in=[one.value for one in Reprint if one]),
                name="slip_copy_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["by", "at"], name="slip_of_shift")]
        triggers = [append_only("slip_append_only")]

    def __str__(self) -> str:
        return f"slip {self.pk}"

    @property
    def patient_id(self) -> int:
        """Whose number stands on it."""
        return self.appointment.patient_id
