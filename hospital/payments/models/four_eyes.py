"""Two persons for whatever moves money."""

from django.db import models
from django.db.models import F, Q

from hospital.kernel.states import StatefulModel


class FourEyes(StatefulModel):
    """Something one person asked and another decides; both are on record.

    Subclasses declare `status`, with one word for undecided.
    """

    status: str
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=40, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


def four_eyes(waiting: str, *, name: str) -> models.CheckConstraint:
    """The constraint of a FourEyes table that whoever decides is not whoever asked, and that both
    are on record; `waiting` is its undecided status."""
    return models.CheckConstraint(
        condition=Q(status=waiting, decided_by="", decided_at__isnull=True)
        | ~Q(status=waiting)
        & ~Q(decided_by="")
        & ~Q(decided_by=F("asked_by"))
        & Q(decided_at__gte=F("asked_at")),
        name=name,
    )
