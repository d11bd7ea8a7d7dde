"""Tables of registration: one Appointment per booked number, whatever the channel (decision 2);
who waits for one; who may not book in advance for a while, and who says that is wrong.

Moments are UTC, `visit_date` is the hospital day of the session.
"""

import pgtrigger
from django.db import models
from django.db.models import Q

from hospital.kernel.sealed import SealedCharField
from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.registration.states import (
    ALERT_MOVES,
    APPEAL_MOVES,
    APPOINTMENT_MOVES,
    ON_WAITLIST,
    VOID,
    WAITLIST_MOVES,
    Acuity,
    AlertKind,
    AlertStatus,
    AppealStatus,
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Consent,
    PaidWhen,
    RestrictionCause,
    WaitlistStatus,
)
from hospital.scheduling.states import Channel

_CANCELLED = Q(status=AppointmentStatus.CANCELLED)
_IN_ERROR = Q(status=AppointmentStatus.ENTERED_IN_ERROR)
_STANDS = ~Q(status__in=VOID)
_PENDING = Q(status=AppointmentStatus.PENDING)
_EXCHANGING = _PENDING & Q(replaces__isnull=False)


class Appointment(StatefulModel):
    """挂号. `number` (14 digits) is its address and barcode, `slot` the place in the doctor's line.

    The patient of a booking never changes (M1.15). The names are those it was booked under: once
    the visit is past they are what history shows, whatever is renamed later (H1). `hold_until` is
    when an unpaid one is given up, or one to be paid on arrival and not collected;
    `is_late_cancel` marks a cancellation on the day of the visit (M1.7).

    `eve_told_at` and `hour_told_at` are when the patient was reminded of the visit (N04);
    `share_token` opens what the patient lets the family see of it, empty = shared with nobody.

    `made_by` is who booked it ("staff:3"); `source` the outside platform it came from; `overrides`
    the codes of the rules a clerk set aside, with the reason (H3.1). `replaces` is the booking this
    one takes the place of once it stands, and whose `successor` it then is; `continues` the first
    visit a 续诊号 finishes (M1.14); `acuity` how urgent an emergency is, 1 the most (M1.17).
    `answer_until` is until when a patient may agree to a substitute (M1.9).
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
    booking_kind = models.CharField(max_length=12, choices=BookingKind)
    status = models.CharField(max_length=16, choices=AppointmentStatus)
    created_at = models.DateTimeField()
    hold_until = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    eve_told_at = models.DateTimeField(null=True)
    hour_told_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=20, choices=CancelReason, blank=True)
    is_late_cancel = models.BooleanField(default=False)
    cancel_note = models.CharField(max_length=100, blank=True, default="")
    paid_when = models.CharField(max_length=8, choices=PaidWhen, default=PaidWhen.BOOKING)
    collected_at = models.DateTimeField(null=True)
    checked_in_at = models.DateTimeField(null=True)
    made_by = models.CharField(max_length=40, blank=True, default="")
    source = models.CharField(max_length=40, blank=True, default="")
    overrides = models.JSONField(default=list)
    override_reason = models.CharField(max_length=100, blank=True, default="")
    consent = models.CharField(max_length=6, choices=Consent, blank=True, default="")
    acuity = models.PositiveSmallIntegerField(choices=Acuity, null=True)
    share_token = models.CharField(max_length=22, blank=True, default="")
    answer_until = models.DateTimeField(null=True)
    asked_about = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+", db_index=False
    )
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="exchanges", db_index=False
    )
    successor = models.OneToOneField("self", models.PROTECT, null=True, related_name="predecessor")
    continues = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="continuations", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["slot"], condition=_STANDS, name="appointment_one_per_slot"
            ),
            # Whoever is brought back to the emergency room is registered again (M1.17); exchanged
            # within its session, a booking stands beside the one that will take its place.
            models.UniqueConstraint(
                fields=["patient", "schedule"],
                condition=_STANDS & ~Q(booking_kind=BookingKind.EMERGENCY) & ~_EXCHANGING,
                name="appointment_one_per_session",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=_EXCHANGING, name="appointment_one_exchange"
            ),
            models.CheckConstraint(
                condition=~Q(consent=Consent.ASKED) | Q(answer_until__isnull=False),
                name="appointment_asked_until",
            ),
            # 续诊号: once per first visit (M1.14).
            models.UniqueConstraint(
                fields=["continues"],
                condition=_STANDS & Q(continues__isnull=False),
                name="appointment_continued_once",
            ),
            models.UniqueConstraint(
                fields=["share_token"],
                condition=~Q(share_token=""),
                name="appointment_shared_once",
            ),
            models.CheckConstraint(
                condition=Q(paid_when__in=PaidWhen.values, consent__in=Consent.values),
                name="appointment_words",
            ),
            models.CheckConstraint(
                condition=Q(booking_kind=BookingKind.EMERGENCY, acuity__in=Acuity.values)
                | (~Q(booking_kind=BookingKind.EMERGENCY) & Q(acuity__isnull=True)),
                name="appointment_acuity",
            ),
            models.CheckConstraint(
                condition=(Q(overrides=[]) & Q(override_reason=""))
                | (~Q(overrides=[]) & ~Q(override_reason="")),
                name="appointment_overrides_have_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(continues__isnull=True) | Q(booking_kind=BookingKind.CONTINUATION),
                name="appointment_continues",
            ),
            models.CheckConstraint(
                condition=Q(successor__isnull=True)
                | Q(status=AppointmentStatus.CANCELLED, cancel_reason=CancelReason.RESCHEDULED),
                name="appointment_successor",
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
                | _IN_ERROR
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
            models.Index(
                fields=["hold_until"],
                condition=Q(
                    status=AppointmentStatus.BOOKED,
                    paid_when=PaidWhen.ARRIVAL,
                    collected_at__isnull=True,
                ),
                name="appointment_uncollected",
            ),
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


class WaitlistEntry(StatefulModel):
    """候补: who waits for a number of a full session, in the order they came.

    Without a `schedule` it is the first offer owed to somebody whose session was called off
    (M1.8): any session of the `practitioner`, or of the department, until `valid_until`. An offer
    is an `appointment` held for the patient until `offer_until`.
    """

    MOVES = WAITLIST_MOVES

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", models.PROTECT, null=True, related_name="+"
    )
    department = models.ForeignKey(
        "organisation.Department", models.PROTECT, related_name="+", db_index=False
    )
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+", db_index=False
    )
    schedule = models.ForeignKey(
        "scheduling.Schedule", models.PROTECT, null=True, related_name="+", db_index=False
    )
    owed_for = models.ForeignKey(
        Appointment, models.PROTECT, null=True, related_name="first_offers"
    )
    status = models.CharField(max_length=10, choices=WaitlistStatus)
    created_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    offer_until = models.DateTimeField(null=True)
    appointment = models.OneToOneField(
        Appointment, models.PROTECT, null=True, related_name="waitlist_entry"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "schedule"],
                condition=Q(status__in=ON_WAITLIST, schedule__isnull=False),
                name="waitlist_once_a_session",
            ),
            models.UniqueConstraint(
                fields=["owed_for"],
                condition=Q(owed_for__isnull=False),
                name="waitlist_one_first_offer",
            ),
            models.CheckConstraint(
                condition=Q(schedule__isnull=False) | Q(owed_for__isnull=False),
                name="waitlist_for_something",
            ),
            models.CheckConstraint(
                condition=Q(status=WaitlistStatus.OFFERED, offer_until__isnull=False)
                | ~Q(status=WaitlistStatus.OFFERED),
                name="waitlist_offer_until",
            ),
            one_of(WaitlistStatus.values, name="waitlist_status"),
        ]
        indexes = [
            models.Index(
                fields=["schedule", "created_at"],
                condition=Q(status=WaitlistStatus.WAITING),
                name="waitlist_of_session",
            ),
            models.Index(
                fields=["department", "created_at"],
                condition=Q(status=WaitlistStatus.WAITING, schedule__isnull=True),
                name="waitlist_first_offers",
            ),
        ]
        triggers = [
            guard(WAITLIST_MOVES, name="waitlist_moves"),
            pgtrigger.Protect(name="waitlist_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"waitlist entry {self.pk}"


class ReleaseWatch(models.Model):
    """放号提醒: a user asks to be told when a session's numbers come out."""

    wechat_user = models.ForeignKey("identity.WeChatUser", models.PROTECT, related_name="+")
    schedule = models.ForeignKey(
        "scheduling.Schedule", models.PROTECT, related_name="+", db_index=False
    )
    created_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "wechat_user"], name="release_watch_once"),
        ]

    def __str__(self) -> str:
        return f"release watch {self.pk}"


class BookingRestriction(models.Model):
    """暂停预约: a patient cannot book in advance online from `starts_at` to `ends_at` (M1.10).

    `starts_at` is the moment of the incident that was one too many, `count` how many there were.
    `lifted_at` ends it earlier: an appeal was granted, or the office took it back.
    """

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    cause = models.CharField(max_length=12, choices=RestrictionCause)
    count = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=40, blank=True, default="")
    lift_reason = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "cause", "starts_at"], name="restriction_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at"), count__gte=1),
                name="restriction_sizes",
            ),
            models.CheckConstraint(
                condition=Q(cause__in=RestrictionCause.values), name="restriction_cause"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="", lift_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lift_reason="")),
                name="restriction_lifted_for_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="restriction_kept", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="restriction_fixed", fields=["patient", "cause", "starts_at"]),
        ]

    def __str__(self) -> str:
        return f"restriction {self.pk}"


class Appeal(StatefulModel):
    """申诉 against one no-show or late cancellation; granted, it no longer counts (M1.10).

    What the patient writes may be about an illness: it is sealed.
    """

    MOVES = APPEAL_MOVES

    appointment = models.ForeignKey(Appointment, models.PROTECT, related_name="appeals")
    wechat_user = models.ForeignKey(
        "identity.WeChatUser", models.PROTECT, null=True, related_name="+"
    )
    text = SealedCharField()
    status = models.CharField(max_length=8, choices=AppealStatus)
    created_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["appointment"],
                condition=Q(status=AppealStatus.OPEN),
                name="appeal_one_open",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=AppealStatus.OPEN, decided_at__isnull=True, decided_by="", answer=""
                )
                | (
                    ~Q(status=AppealStatus.OPEN)
                    & Q(decided_at__isnull=False)
                    & ~Q(decided_by="")
                    & ~Q(answer="")
                ),
                name="appeal_decided",
            ),
            one_of(AppealStatus.values, name="appeal_status"),
        ]
        triggers = [
            guard(APPEAL_MOVES, name="appeal_moves"),
            pgtrigger.ReadOnly(
                name="appeal_fixed", fields=["appointment", "wechat_user", "created_at"]
            ),
            pgtrigger.Protect(name="appeal_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"appeal {self.pk}"


class BookingAlert(StatefulModel):
    """号贩预警: a WeChat user books as people who sell numbers do; the office decides (M1.15).

    `count` is how often it happened by `latest_at`, the moment of the latest booking counted.
    """

    MOVES = ALERT_MOVES

    wechat_user = models.ForeignKey("identity.WeChatUser", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=AlertKind)
    count = models.PositiveSmallIntegerField()
    latest_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=AlertStatus)
    created_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wechat_user", "kind"],
                condition=Q(status=AlertStatus.OPEN),
                name="alert_one_open",
            ),
            models.CheckConstraint(
                condition=Q(status=AlertStatus.OPEN, decided_at__isnull=True, decided_by="")
                | (~Q(status=AlertStatus.OPEN) & Q(decided_at__isnull=False) & ~Q(reason="")),
                name="alert_decided",
            ),
            models.CheckConstraint(condition=Q(kind__in=AlertKind.values), name="alert_kind"),
            one_of(AlertStatus.values, name="alert_status"),
        ]
        triggers = [
            guard(ALERT_MOVES, name="alert_moves"),
            pgtrigger.ReadOnly(name="alert_fixed", fields=["wechat_user", "kind", "created_at"]),
            pgtrigger.Protect(name="alert_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"booking alert {self.pk}"
