"""What a proposed roster is made from, and what came out of it: needs, wishes, proposals."""

from django.db import models
from django.db.models import F, Q

from hospital.kernel.states import StatefulModel, guard, one_of
from hospital.organisation.states import Title
from hospital.scheduling.states import (
    PROPOSAL_MOVES,
    ProposalStatus,
    SessionPeriod,
    WishMind,
)


class RosterNeed(models.Model):
    """出诊需求: how many doctors a department wants in a period of a weekday, 1 (Monday) to 7, or
    of public holidays (8), at least and if it can be, of a title or above.

    Its hours and numbers are what a session has that is proposed for it.
    """

    HOLIDAY = 8

    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    weekday = models.PositiveSmallIntegerField()
    session_period = models.CharField(max_length=10, choices=SessionPeriod)
    service_type = models.ForeignKey("catalogue.ServiceType", models.PROTECT, related_name="+")
    minimum = models.PositiveSmallIntegerField()
    target = models.PositiveSmallIntegerField()
    minimum_title = models.CharField(max_length=20, choices=Title, blank=True)
    starts = models.TimeField()
    ends = models.TimeField()
    capacity = models.PositiveSmallIntegerField()
    band_minutes = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "department",
                    "weekday",
                    "session_period",
                    "service_type",
                    "minimum_title",
                ],
                name="roster_need_once",
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=1, weekday__lte=8), name="roster_need_weekday"
            ),
            models.CheckConstraint(
                condition=Q(session_period__in=SessionPeriod.values), name="roster_need_period"
            ),
            models.CheckConstraint(
                condition=Q(minimum_title__in=["", *Title.values]), name="roster_need_title"
            ),
            models.CheckConstraint(
                condition=Q(target__gte=F("minimum"), capacity__gte=1, band_minutes__gte=1)
                & Q(target__gte=1)
                & ~Q(starts=F("ends")),
                name="roster_need_sizes",
            ),
        ]

    def __str__(self) -> str:
        return f"roster need {self.pk}"


class RosterWish(models.Model):
    """排班意愿: a doctor would like a day or weekday, or rather not; no period means all of it."""

    practitioner = models.ForeignKey("organisation.Practitioner", models.PROTECT, related_name="+")
    visit_date = models.DateField(null=True)
    weekday = models.PositiveSmallIntegerField(null=True)
    session_period = models.CharField(max_length=10, choices=SessionPeriod, blank=True)
    mind = models.CharField(max_length=10, choices=WishMind)
    weight = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(visit_date__isnull=True, weekday__gte=1, weekday__lte=7)
                | Q(visit_date__isnull=False, weekday__isnull=True),
                name="roster_wish_day_or_weekday",
            ),
            models.CheckConstraint(
                condition=Q(session_period__in=["", *SessionPeriod.values]),
                name="roster_wish_period",
            ),
            models.CheckConstraint(
                condition=Q(mind__in=WishMind.values, weight__gte=1, weight__lte=3),
                name="roster_wish_mind",
            ),
            models.UniqueConstraint(
                fields=["practitioner", "visit_date", "weekday", "session_period"],
                nulls_distinct=False,
                name="roster_wish_once",
            ),
        ]

    def __str__(self) -> str:
        return f"roster wish {self.pk}"


class RosterProposal(StatefulModel):
    """智能排班: asked for a department and half-open days, computed by a job, then taken or not.

    `people` are the ids of those to be put on it; `result` is what `proposal_result` reads.
    """

    MOVES = PROPOSAL_MOVES

    department = models.ForeignKey("organisation.Department", models.PROTECT, related_name="+")
    from_date = models.DateField()
    to_date = models.DateField()
    people = models.JSONField()
    seconds = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=ProposalStatus)
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__gt=F("from_date")), name="roster_proposal_days"
            ),
            one_of(ProposalStatus.values, name="roster_proposal_status"),
            models.CheckConstraint(
                condition=~Q(status__in=[ProposalStatus.READY, ProposalStatus.UNSOLVABLE])
                | Q(result__isnull=False, finished_at__isnull=False),
                name="roster_proposal_result",
            ),
            models.UniqueConstraint(
                fields=["department"],
                condition=Q(status__in=[ProposalStatus.WAITING, ProposalStatus.RUNNING]),
                name="roster_proposal_one_at_a_time",
            ),
        ]
        triggers = [guard(PROPOSAL_MOVES, name="roster_proposal_moves")]

    def __str__(self) -> str:
        return f"roster proposal {self.pk}"
