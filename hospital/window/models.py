"""Tables of the window: every slip that was printed (H3: a jam after payment, and no slip twice
without anybody knowing), and who stands at a kiosk."""

import pgtrigger
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


class KioskVisit(models.Model):
    """One person at a kiosk, from the card that was read until they go. `token` is its address.

    Whoever showed a booking's bar code is there for that booking alone: `only`. Every page asked
    for moves `seen_at`; a visit not seen for a while is over, like one with `ended_at`.
    """

    token = models.CharField(max_length=40, unique=True)
    device = models.ForeignKey("identity.Device", models.PROTECT, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    only = models.ForeignKey(
        "registration.Appointment", models.PROTECT, null=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # One person at a time: the next card ends what was open.
            models.UniqueConstraint(
                fields=["device"], condition=Q(ended_at__isnull=True), name="kiosk_one_visit"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="kiosk_visit_fixed",
                fields=["token", "device", "patient", "only", "started_at"],
            ),
            pgtrigger.Protect(name="kiosk_visit_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"kiosk visit {self.pk}"
