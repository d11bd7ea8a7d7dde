"""N04: reminding of visits to come, the evening before and within the hour, once each.

The sweep looks at what is still booked at that moment, so nothing has to be taken back when a
visit is cancelled or moved: the moved one is another booking with reminders of its own.
"""

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import F, QuerySet

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.registration import notices, thresholds
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus

_AT_ONCE: Final = 200


def remind_of_visits(*, by: Actor, at: dt.datetime) -> int:
    """Remind everybody it is time to remind (N04); how many. Missed minutes are made up for."""
    return _each(_tomorrow(at), "eve", by=by, at=at) + _each(_soon(at), "hour", by=by, at=at)


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


def _each(due: QuerySet[Appointment], which: str, *, by: Actor, at: dt.datetime) -> int:
    """Tell a crowd in portions, so that no transaction holds all of them."""
    told = 0
    while portion := _portion(due, which, by=by, at=at):
        told += portion
    return told


@transaction.atomic
def _portion(due: QuerySet[Appointment], which: str, *, by: Actor, at: dt.datetime) -> int:
    booked = due.filter(status=AppointmentStatus.BOOKED)
    locked = booked.select_for_update(no_key=True, skip_locked=True, of=("self",))
    ids = list(locked.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    Appointment.objects.filter(pk__in=ids).update(**{f"{which}_told_at": at})
    for appointment_id in ids:
        notices.coming(appointment_id, which=which, by=by, at=at)
    return len(ids)
