"""Two persons for whatever moves money."""

from django.db import models
from django.db.models import F, Q


def four_eyes(waiting: str, *, name: str) -> models.CheckConstraint:
    """The constraint that whoever decides is not whoever asked, and that both are on record.

    For tables with `status` (`waiting` until decided), asked_by, asked_at, decided_by, decided_at.
    """
    return models.CheckConstraint(
        condition=Q(status=waiting, decided_by="", decided_at__isnull=True)
        | ~Q(status=waiting)
        & ~Q(decided_by="")
        & ~Q(decided_by=F("asked_by"))
        & Q(decided_at__gte=F("asked_at")),
        name=name,
    )
