"""Templates, sessions and their numbers. Every number of a session is a row, so SM2's invariant
holds by construction: a slot cannot exist beyond its band's capacity, a band not beyond its
schedule's.
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
    Pool,
    ScheduleStatus,
    SessionPeriod,
    SlotStatus,
    Withheld,
)

# Capacity may change after a session is published (M2.3): whichever of session, band and numbers
# moves, these refuse what would not fit, so a change goes from the outside in, or back.
_SCHEDULE_FITS = """
    IF NEW.capacity < (
        SELECT coalesce(sum(capacity), 0) FROM scheduling_timeband WHERE schedule_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'the bands of schedule % exceed its capacity', NEW.id;
    END IF;
    RETURN NEW;
"""
_BAND_FITS = """
    IF NEW.capacity + (
        SELECT coalesce(sum(capacity), 0) FROM scheduling_timeband
        WHERE schedule_id = NEW.schedule_id AND id <> NEW.id
    ) > (SELECT capacity FROM scheduling_schedule WHERE id = NEW.schedule_id) THEN
        RAISE EXCEPTION 'a band of schedule % exceeds its capacity', NEW.schedule_id;
    END IF;
    IF NEW.capacity < (
        SELECT count(*) FROM scheduling_slot
        WHERE schedule_id = NEW.schedule_id AND band_id = NEW.id
        AND NOT is_add_on AND status <> 'withdrawn'
    ) THEN
        RAISE EXCEPTION 'the numbers of band % exceed its capacity', NEW.id;
    END IF;
    RETURN NEW;
"""
_SLOT_FITS = """
    IF NOT NEW.is_add_on AND NOT EXISTS (
        SELECT FROM scheduling_timeband band
        WHERE band.id = NEW.band_id AND band.schedule_id = NEW.schedule_id
        AND band.capacity > (
            SELECT count(*) FROM scheduling_slot
            WHERE schedule_id = NEW.schedule_id AND band_id = NEW.band_id
            AND NOT is_add_on AND status <> 'withdrawn'
        )
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

    `weekday` is 1 (Monday) to 7; the validity is half-open hospital days. On a public holiday it
    is held only where `on_holidays` says so (M15.4).
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
    on_holidays = models.BooleanField(default=False)

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
    """排班: one clinic session. Its place in time never changes.

    `template` is the weekly session it was made from, empty for one put on a roster by hand.
    `practitioner` holds it; `planned_practitioner` is who was on the roster when another takes it
    over (替诊, M1.9), else empty. While `has_waiting`, numbers that come free go to the waiting
    list above first (M1.2).
    """

    MOVES = SCHEDULE_MOVES

    template = models.ForeignKey(
        ScheduleTemplate, models.PROTECT, null=True, related_name="schedules"
    )
    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+"
    )
    planned_practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+", db_index=False
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
    has_waiting = models.BooleanField(default=False)

    class Meta:
        constraints = [
            # What was called off may be made again: a holiday that was taken back, say.
            models.UniqueConstraint(
                fields=["template", "visit_date"],
                condition=~Q(status=ScheduleStatus.CANCELLED),
                name="schedule_once_a_day",
            ),
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
            models.Index(
                fields=["visit_date"], condition=Q(has_waiting=True), name="schedule_with_list"
            ),
        ]
        triggers = [
            guard(SCHEDULE_MOVES, name="schedule_moves"),
            pgtrigger.ReadOnly(
                name="schedule_fixed",
                fields=[
                    "template",
                    "department",
                    "service_type",
                    "visit_date",
                    "session_period",
                    "starts_at",
                    "ends_at",
                    "release_at",
                ],
            ),
            pgtrigger.Trigger(
                name="schedule_fits_bands",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("capacity"),
                func=_SCHEDULE_FITS,
            ),
        ]

    def __str__(self) -> str:
        return f"schedule {self.pk}"


class TimeBand(models.Model):
    """分时段: an interval of a session with its own numbers (M2.1); they ran in one row from
    `first_sequence_no` when the session was made, added ones follow the session's last."""

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="bands", db_index=False)
    first_sequence_no = models.PositiveSmallIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "starts_at"], name="band_starts_once"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at"), capacity__gte=0, first_sequence_no__gte=1),
                name="band_sizes",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="band_end")]
        triggers = [
            pgtrigger.Trigger(
                name="band_fits_schedule",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("capacity"),
                func=_BAND_FITS,
            ),
            pgtrigger.ReadOnly(name="band_fixed", fields=["schedule", "first_sequence_no"]),
        ]

    def __str__(self) -> str:
        return f"band {self.pk}"


class Slot(StatefulModel):
    """号源: one bookable number. `held_until` stands while held, `free_at` while it waits to be
    reclaimed (M1.15), `withheld` while blocked. `merged_from` is the pool a now public number was
    kept for, "" for one that was not merged (M2.2).

    Add-on numbers (M2.4) are counted apart, beside the capacity of their band.
    """

    MOVES = SLOT_MOVES

    schedule = models.ForeignKey(Schedule, models.PROTECT, related_name="slots", db_index=False)
    band = models.ForeignKey(TimeBand, models.PROTECT, related_name="slots", db_index=False)
    sequence_no = models.PositiveSmallIntegerField()
    is_add_on = models.BooleanField(default=False)
    pool = models.CharField(max_length=8, choices=Pool)
    merged_from = models.CharField(max_length=8, choices=Pool, blank=True, db_default="")
    status = models.CharField(max_length=12, choices=SlotStatus)
    held_until = models.DateTimeField(null=True)
    free_at = models.DateTimeField(null=True)
    withheld = models.CharField(max_length=6, choices=Withheld, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "is_add_on", "sequence_no"], name="slot_number_once"
            ),
            models.CheckConstraint(condition=Q(pool__in=Pool.values), name="slot_pool"),
            models.CheckConstraint(
                condition=Q(withheld__in=Withheld.values)
                & (
                    (Q(status=SlotStatus.BLOCKED) & ~Q(withheld=""))
                    | (~Q(status=SlotStatus.BLOCKED) & Q(withheld=""))
                ),
                name="slot_withheld",
            ),
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
            pgtrigger.ReadOnly(
                name="slot_fixed", fields=["schedule", "band", "sequence_no", "is_add_on"]
            ),
            pgtrigger.Protect(name="slot_kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}"

    @property
    def label(self) -> str:
        """The number as people say it: "12", an add-on "A01"."""
        return f"A{self.sequence_no:02}" if self.is_add_on else str(self.sequence_no)
