"""The table of registration: one Appointment per booked number, whatever the channel (decision 2).

Moments are UTC, `visit_date` is the hospital day of the session.
"""

import pgtrigger
from django.db import models
from django.db.models import Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.registration.states import (
    APPOINTMENT_MOVES,
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Channel,
)

_CANCELLED = Q(status=AppointmentStatus.CANCELLED)
_PENDING = Q(status=AppointmentStatus.PENDING)


class Appointment(StatefulModel):
    """挂号. `number` (14 digits) is its address and barcode, `slot` the place in the doctor's line.

    The patient of a booking never changes (M1.15). The names are those it was booked under: once
    the visit is past they are what history shows, whatever is renamed later (H1). `hold_until` is
    when an unpaid one is given up; `is_late_cancel` marks a cancellation on the day of the visit
    (M1.7).
    """

    MOVES = APPOINTMENT_MOVES

    number = models.CharField(max_length=20, unique=True)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="appointments")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", models.PROTECT, null=True, related_name="appointments"
    )
    schedule = models.ForeignKey("scheduling.Schedule", models.PROTECT, related_name="appointments")
    slot = models.ForeignKey(
        "scheduling.Slot", models.PROTECT, related_name="appointments", db_index=False
    )
    bill = models.OneToOneField("billing.Bill", models.PROTECT, related_name="appointment")
    visit_date = models.DateField()
    department = models.ForeignKey(
        "organisation.Department", models.PROTECT, related_name="+", db_index=False
    )
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+", db_index=False
    )
    department_name = models.CharField(max_length=60, blank=True)
    doctor_name = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=20, blank=True)
    service_name = models.CharField(max_length=40, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    booking_kind = models.CharField(max_length=10, choices=BookingKind)
    status = models.CharField(max_length=12, choices=AppointmentStatus)
    created_at = models.DateTimeField()
    hold_until = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=20, choices=CancelReason, blank=True)
    is_late_cancel = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=~_CANCELLED, name="appointment_one_per_slot"
            ),
            models.UniqueConstraint(
                fields=["patient", "schedule"],
                condition=~_CANCELLED,
                name="appointment_one_per_session",
            ),
            models.CheckConstraint(
                condition=(_CANCELLED & Q(cancelled_at__isnull=False) & ~Q(cancel_reason=""))
                | (
                    ~_CANCELLED
                    & Q(cancelled_at__isnull=True, cancel_reason="", is_late_cancel=False)
                ),
                name="appointment_cancelled_for_a_reason",
            ),
            models.CheckConstraint(
                condition=_CANCELLED
                | (_PENDING & Q(booked_at__isnull=True))
                | (~_PENDING & Q(booked_at__isnull=False)),
                name="appointment_booked_at",
            ),
            models.CheckConstraint(
                condition=Q(cancel_reason__in=CancelReason.values),
                name="appointment_cancel_reason",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values, booking_kind__in=BookingKind.values),
                name="appointment_channel",
            ),
            one_of(AppointmentStatus.values, name="appointment_status"),
        ]
        indexes = [
            models.Index(fields=["hold_until"], condition=_PENDING, name="appointment_unpaid"),
        ]
        triggers = [
            guard(APPOINTMENT_MOVES, name="appointment_moves"),
            pgtrigger.ReadOnly(
                name="appointment_fixed",
                fields=["number", "patient", "wechat_user", "schedule", "bill", "visit_date"],
            ),
            pgtrigger.Protect(name="appointment_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"
