"""Tables of scheduling. Every number of a session is a row, so SM2's invariant holds by
construction: a slot cannot exist beyond its band's or its schedule's capacity, nor move.

Moments are UTC, `visit_date` is the hospital day on which the session starts.
"""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.scheduling.states import (
    SCHEDULE_MOVES,
    SLOT_MOVES,
    ScheduleStatus,
    SessionPeriod,
    SlotStatus,
)

_BAND_FITS = """
    IF NEW.first_sequence_no + NEW.capacity - 1 > (
        SELECT capacity FROM scheduling_schedule WHERE id = NEW.schedule_id
    ) THEN
        RAISE EXCEPTION 'a band of schedule % exceeds its capacity', NEW.schedule_id;
    END IF;
    RETURN NEW;
"""

_SLOT_FITS = """
    IF NOT EXISTS (
        SELECT FROM scheduling_timeband band
        WHERE band.id = NEW.band_id AND band.schedule_id = NEW.schedule_id
        AND NEW.sequence_no >= band.first_sequence_no
        AND NEW.sequence_no < band.first_sequence_no + band.capacity
    ) THEN
        RAISE EXCEPTION 'slot % is outside band %', NEW.sequence_no, NEW.band_id;
    END IF;
    RETURN NEW;
"""


def _one(column: str) -> Func:
    """A range of one number stands in for equality: btree_gist is not everywhere (law 8)."""
    return Func(F(column), F(column), Value("[]"), function="int8range")


def _busy(column: str, *, name: str) -> ExclusionConstraint:
    """M15.2: nobody and no room has two sessions at overlapping times."""
    return ExclusionConstraint(
        name=name,
        expressions=[
            (_one(f"{column}_id"), RangeOperators.OVERLAPS),
            (Func(F("starts_at"), F("ends_at"), function="tstzrange"), RangeOperators.OVERLAPS),
        ],
        condition=Q(**{f"{column}__isnull": False}) & ~Q(status=ScheduleStatus.CANCELLED),
    )


def _exactly_while(status: SlotStatus, column: str, *, name: str) -> models.CheckConstraint:
    """The column has a value while the slot has the status, and at no other time."""
    here, empty = Q(status=status), Q(**{f"{column}__isnull": True})
    return models.CheckConstraint(condition=(here & ~empty) | (~here & empty), name=name)


class ScheduleTemplate(models.Model):
    """排班模板: one weekly session. `ends` at or before `starts` means the next morning.

    `weekday` is 1 (Monday) to 7; the validity is half-open hospital days.
    """

    code = models.CharField(max_length=40, unique=True)
    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+"
    )
    service_type = models.ForeignKey("catalogue.ServiceType", models.PROTECT, related_name="+")
    room = models.ForeignKey("organisation.Location", models.PROTECT, related_name="+")
    weekday = models.PositiveSmallIntegerField()
    session_period = models.CharField(max_length=10, choices=SessionPeriod)
    starts = models.TimeField()
    ends = models.TimeField()
    capacity = models.PositiveSmallIntegerField()
    band_minutes = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    is_active = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__gte=1, weekday__lte=7), name="schedule_template_weekday"
            ),
            models.CheckConstraint(
                condition=Q(session_period__in=SessionPeriod.values),
                name="schedule_template_period",
            ),
            models.CheckConstraint(
                condition=Q(capacity__gte=1, band_minutes__gte=1) & ~Q(starts=F("ends")),
                name="schedule_template_sizes",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="schedule_template_validity",
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Schedule(StatefulModel):
    """排班: one clinic session. Its place in time and its capacity never change."""

    MOVES = SCHEDULE_MOVES

    template = models.ForeignKey(ScheduleTemplate, models.PROTECT, related_name="schedules")
    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+"
    )
    service_type = models.ForeignKey("catalogue.ServiceType", models.PROTECT, related_name="+")
    room = models.ForeignKey("organisation.Location", models.PROTECT, related_name="+")
    visit_date = models.DateField()
    session_period = models.CharField(max_length=10, choices=SessionPeriod)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()
    release_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=ScheduleStatus)
    suspend_reason = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "visit_date"], name="schedule_once_a_day"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), capacity__gte=1), name="schedule_sizes"
            ),
            models.CheckConstraint(
                condition=Q(session_period__in=SessionPeriod.values), name="schedule_period"
            ),
            models.CheckConstraint(
                condition=(Q(status=ScheduleStatus.SUSPENDED) & ~Q(suspend_reason=""))
                | (~Q(status=ScheduleStatus.SUSPENDED) & Q(suspend_reason="")),
                name="schedule_suspended_for_a_reason",
            ),
            one_of(ScheduleStatus.values, name="schedule_status"),
            _busy("practitioner", name="schedule_practitioner_once_at_a_time"),
            _busy("room", name="schedule_room_once_at_a_time"),
        ]
        indexes = [
            models.Index(fields=["department", "visit_date"], name="schedule_of_department"),
            models.Index(fields=["practitioner", "visit_date"], name="schedule_of_practitioner"),
            models.Index(fields=["visit_date"], name="schedule_of_day"),
        ]
        triggers = [
            guard(SCHEDULE_MOVES, name="schedule_moves"),
            pgtrigger.ReadOnly(name="schedule_fixed", exclude=["status", "suspend_reason", "room"]),
        ]

    def __str__(self) -> str:
        return f"schedule {self.pk}"


class TimeBand(models.Model):
    """分时段: an interval of a session with its own run of numbers (M2.1)."""

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="bands", db_index=False)
    first_sequence_no = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "starts_at"], name="band_starts_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), capacity__gte=1, first_sequence_no__gte=1),
                name="band_sizes",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="band_end")]
        triggers = [
            pgtrigger.Trigger(
                name="band_fits_schedule",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_BAND_FITS,
            ),
            pgtrigger.Protect(name="band_fixed", operation=pgtrigger.Update),
        ]

    def __str__(self) -> str:
        return f"band {self.pk}"


class Slot(StatefulModel):
    """号源: one bookable number. `held_until` stands while held, `free_at` while it waits to be
    reclaimed (M1.15)."""

    MOVES = SLOT_MOVES

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="slots", db_index=False)
    band = models.ForeignKey(TimeBand, models.PROTECT, related_name="slots", db_index=False)
    sequence_no = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=12, choices=SlotStatus)
    held_until = models.DateTimeField(null=True)
    free_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "sequence_no"], name="slot_number_once"),
            _exactly_while(SlotStatus.HELD, "held_until", name="slot_held_until"),
            _exactly_while(SlotStatus.RECLAIM_WAIT, "free_at", name="slot_free_at"),
            one_of(SlotStatus.values, name="slot_status"),
        ]
        indexes = [
            # The claim of a booking walks exactly this: the free numbers of a band, in order.
            models.Index(
                fields=["schedule", "band", "sequence_no"],
                condition=Q(status=SlotStatus.FREE),
                name="slot_free",
            ),
            models.Index(
                fields=["free_at"],
                condition=Q(status=SlotStatus.RECLAIM_WAIT),
                name="slot_reclaim",
            ),
        ]
        triggers = [
            guard(SLOT_MOVES, name="slot_moves"),
            pgtrigger.Trigger(
                name="slot_fits_band",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_SLOT_FITS,
            ),
            pgtrigger.ReadOnly(name="slot_fixed", fields=["schedule", "band", "sequence_no"]),
            pgtrigger.Protect(name="slot_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}"
