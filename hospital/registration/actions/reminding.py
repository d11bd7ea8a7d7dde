"""Reminding once of what is near: a hold about to end unpaid (N02), a visit the evening before and
within the hour (N04).

The sweeps look at what still stands at that moment, so nothing has to be taken back when a visit
is cancelled or moved: the moved one is another booking with reminders of its own.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.registration import notices, telling, thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus

_AT_ONCE: Final = 50


def remind_unpaid(*, by: Actor, at: dt.datetime) -> int:
    """Remind of every hold that ends within five minutes unpaid (N02); how many."""
    return _all(lambda: _unpaid(by=by, at=at))


def remind_of_visits(*, by: Actor, at: dt.datetime) -> int:
    """Remind everybody it is time to remind (N04); how many. Missed minutes are made up for."""
    eve = _all(lambda: _coming(_tomorrow(at), "eve", by=by, at=at))
    return eve + _all(lambda: _coming(_soon(at), "hour", by=by, at=at))


def _tomorrow(at: dt.datetime) -> QuerySet[Appointment]:
    """Tomorrow's visits from the evening's hour on; who books later than that knows it."""
    today = clock.hospital_day(at)
    evening = clock.at_local(today, dt.time.fromisoformat(thresholds.EVE_TIME.value()))
    if at < evening:
        return Appointment.objects.none()
    return Appointment.objects.filter(
        schedule__visit_date=today + dt.timedelta(days=1),
        eve_told_at__isnull=True,
        booked_at__lt=evening,
    )


def _soon(at: dt.datetime) -> QuerySet[Appointment]:
    """Visits whose band begins within the hour, but for those booked within it."""
    ahead = dt.timedelta(minutes=thresholds.HOUR_MINUTES.value())
    today = clock.hospital_day(at)
    day = dt.timedelta(days=1)
    return Appointment.objects.filter(
        schedule__visit_date__range=(today - day, today + day),
        slot__band__starts_at__gt=at,
        slot__band__starts_at__lte=at + ahead,
        hour_told_at__isnull=True,
        booked_at__lt=F("slot__band__starts_at") - ahead,
    )


def _all(tell_some: Callable[[], int]) -> int:
    """Tell a crowd in portions, so that no transaction holds all of them: who pays at that moment
    waits for a portion at most."""
    told = 0
    while portion := tell_some():
        told += portion
    return told


@transaction.atomic
def _unpaid(*, by: Actor, at: dt.datetime) -> int:
    soon = at + dt.timedelta(minutes=thresholds.REMIND_MINUTES.value())
    due = Appointment.objects.filter(
        status=AppointmentStatus.PENDING,
        reminded_at__isnull=True,
        hold_until__gt=at,
        hold_until__lte=soon,
    )
    found = list(due.select_for_update(no_key=True, skip_locked=True).order_by("pk")[:_AT_ONCE])
    Appointment.objects.filter(pk__in=[one.pk for one in found]).update(reminded_at=at)
    for appointment in found:
        telling.still_unpaid(appointment, by=by, at=at)
    return len(found)


@transaction.atomic
def _coming(due: QuerySet[Appointment], which: str, *, by: Actor, at: dt.datetime) -> int:
    booked = due.filter(status=AppointmentStatus.BOOKED)
    locked = booked.select_for_update(no_key=True, skip_locked=True, of=("self",))
    ids = list(locked.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    Appointment.objects.filter(pk__in=ids).update(**{f"{which}_told_at": at})
    for appointment_id in ids:
        notices.coming(appointment_id, which=which, by=by, at=at)
    return len(ids)
