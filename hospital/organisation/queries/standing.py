"""Who and what is in use on a day: switched on, begun, not yet over."""

import datetime as dt

from django.db.models import Q, QuerySet

from hospital.kernel.clock import today
from hospital.organisation.models import Department, Location, Practitioner, PractitionerRole


def in_force(first: dt.date, latest: dt.date | None) -> Q:
    """In use, not yet over on the first day, and begun by the latest (None: whenever it begins)."""
    kept = Q(is_active=True) & (Q(valid_to__isnull=True) | Q(valid_to__gt=first))
    return kept if latest is None else kept & _begun(latest)


def _begun(day: dt.date) -> Q:
    return Q(valid_from__isnull=True) | Q(valid_from__lte=day)


def is_kept(row: Department | Location | Practitioner) -> bool:
    """In use and not over today; what begins later may be planned with."""
    return row.is_active and (row.valid_to is None or row.valid_to > today())


def roles_on(on: dt.date) -> QuerySet[PractitionerRole]:
    return PractitionerRole.objects.filter(valid_from__lte=on).filter(
        Q(valid_to__isnull=True) | Q(valid_to__gt=on)
    )
