"""Rosters: the draft of a department's week, and what was done to it step by step (M15.1).

A week nobody opened has no row here: its sessions come from the templates. Patients see the
sessions that publishing makes, never an entry.
"""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.scheduling.models.sessions import Schedule, ScheduleTemplate
from hospital.scheduling.states import ROSTER_MOVES, EditKind, RosterStatus, SessionPeriod

if TYPE_CHECKING:
    from hospital.organisation.models import Location


class Roster(StatefulModel):
    """排班表: one department's week. `version` grows with every change, so that whoever edits
    what somebody else changed meanwhile is told; `remark` is why it was returned.

    `published_version` is the version patients have, empty until it is published once.
    """

    MOVES = ROSTER_MOVES

    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    monday = models.DateField()
    status = models.CharField(max_length=9, choices=RosterStatus)
    version = models.PositiveIntegerField(default=1)
    published_version = models.PositiveIntegerField(null=True)
    remark = models.CharField(max_length=200, blank=True)
    changed_by = models.CharField(max_length=40)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["department", "monday"], name="roster_once_a_week"),
            models.CheckConstraint(
                condition=Q(monday__iso_week_day=1), name="roster_begins_on_monday"
            ),
            one_of(RosterStatus.values, name="roster_status"),
        ]
        indexes = [models.Index(fields=["monday"], name="roster_of_week")]
        triggers = [guard(ROSTER_MOVES, name="roster_moves")]

    def __str__(self) -> str:
        return f"roster {self.pk}"


class RosterEntry(models.Model):
    """One session as the roster wants it. `schedule` is what it became when it was published.

    `ends` at or before `starts` means the next morning. What is taken off keeps its row, so that
    a step can be undone, and publishing knows what to call off.
    """

    roster = models.ForeignKey(Roster, models.PROTECT, related_name="entries")
    visit_date = models.DateField()
    session_period = models.CharField(max_length=10, choices=SessionPeriod)
    practitioner = models.ForeignKey(
        "organisation.Practitioner", models.PROTECT, null=True, related_name="+"
    )
    service_type = models.ForeignKey("catalogue.ServiceType", models.PROTECT, related_name="+")
    room = models.ForeignKey("organisation.Location", models.PROTECT, related_name="+")
    starts = models.TimeField()
    ends = models.TimeField()
    capacity = models.PositiveSmallIntegerField()
    band_minutes = models.PositiveSmallIntegerField()
    template = models.ForeignKey(ScheduleTemplate, models.PROTECT, null=True, related_name="+")
    schedule = models.OneToOneField(
        Schedule, models.PROTECT, null=True, related_name="roster_entry"
    )
    is_removed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(capacity__gte=1, band_minutes__gte=1) & ~Q(starts=F("ends")),
                name="roster_entry_sizes",
            ),
            models.CheckConstraint(
                condition=Q(session_period__in=SessionPeriod.values), name="roster_entry_period"
            ),
        ]
        indexes = [models.Index(fields=["visit_date"], name="roster_entry_of_day")]

    def __str__(self) -> str:
        return f"roster entry {self.pk}"

    @property
    def sits_in(self) -> "Location":
        """The room as it is: while nobody drafts, the session's own, which may have changed."""
        is_settled = self.roster.status == RosterStatus.PUBLISHED
        return self.schedule.room if is_settled and self.schedule else self.room

    @property
    def places(self) -> int:
        """How many may come: a session's own number once there is one."""
        return self.schedule.capacity if self.schedule else self.capacity


class RosterEdit(models.Model):
    """One step on a roster: the entries it touched before and after, for undoing it.

    Both map an entry's id to its fields, null where it did not exist. A step is final once the
    roster is published; an undone one, once something else was done.
    """

    roster = models.ForeignKey(Roster, models.PROTECT, related_name="edits")
    kind = models.CharField(max_length=8, choices=EditKind)
    version = models.PositiveIntegerField()
    before = models.JSONField()
    after = models.JSONField()
    by = models.CharField(max_length=40)
    at = models.DateTimeField()
    is_undone = models.BooleanField(default=False)
    is_final = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=EditKind.values), name="roster_edit_kind"),
        ]

    def __str__(self) -> str:
        return f"roster edit {self.pk}"
