"""The days on which the week is not as usual: public holidays and exchanged working days."""

from django.db import models
from django.db.models import Q

from hospital.scheduling.states import DayKind


class CalendarDay(models.Model):
    """特殊日: a public holiday, or a day of the weekend that is worked instead of another (调休).

    `follows` is the weekday whose clinics such a day holds, 1 (Monday) to 7; empty: its own.
    """

    date = models.DateField(unique=True)
    kind = models.CharField(max_length=8, choices=DayKind)
    name = models.CharField(max_length=40)
    follows = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DayKind.values), name="calendar_day_kind"),
            models.CheckConstraint(
                condition=Q(follows__isnull=True)
                | Q(kind=DayKind.WORKDAY, follows__gte=1, follows__lte=7),
                name="calendar_day_follows",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.kind}"
