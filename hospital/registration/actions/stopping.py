"""停诊 for those who had booked: every booking undone in full, each in its own job (M1.8).

Not the patients' doing: it counts for no limit and is no late cancellation. Jobs come late, twice,
in any order, also after the session was resumed: then who was not undone yet keeps the number.
"""

import datetime as dt

from django.db import transaction

from hospital.billing import actions as billing
from hospital.kernel import events
from hospital.kernel.actors import Actor
from hospital.kernel.states import move
from hospital.registration.actions.cancelling import undo
from hospital.registration.actions.settling import lock
from hospital.registration.actions.waiting import offer_again, owe_first_offer
from hospital.registration.models import Appointment
from hospital.registration.states import LIVE, AppointmentStatus, BookingKind, CancelReason
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions


def cancel_suspended(*, schedule_id: int) -> int:
    """Defer the undoing of every booking of a suspended session, each in its own job (M1.8).

    Returns how many there are; asking twice undoes nothing twice.
    """
    found = Appointment.objects.filter(schedule_id=schedule_id, status__in=LIVE)
    with transaction.atomic():
        if not sessions.is_suspended(schedule_id=schedule_id):
            return 0
        ids = list(found.order_by("pk").values_list("pk", flat=True))
        for appointment_id in ids:
            events.later("registration.jobs.cancel_suspended_one", appointment_id=appointment_id)
    return len(ids)


@transaction.atomic
def cancel_suspended_one(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """Undo one booking of a suspended session with a full refund; False when there is nothing.

    Who had a number of their own is owed the first offer of another (M1.8).
    """
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None or not sessions.is_suspended(schedule_id=known.schedule_id):
        return False
    billing.lock_bill(bill_id=known.bill_id)
    appointment = lock(known.pk)
    if appointment.status == AppointmentStatus.CHECKED_IN:
        move(appointment, AppointmentStatus.BOOKED, by=by, at=at, reason="停诊")
    if appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        return False
    is_owed = (
        appointment.status == AppointmentStatus.BOOKED
        and appointment.booking_kind != BookingKind.EMERGENCY  # nobody waits in line for that
    )
    undo(appointment, CancelReason.HOSPITAL, is_late=False, reason="停诊", by=by, at=at)
    if is_owed:
        owe_first_offer(appointment=appointment, by=by, at=at)
    return True


@transaction.atomic
def resume_session(*, schedule_id: int, reason: str, by: Actor, at: dt.datetime) -> None:
    """Take a stop back before the session's start: the numbers it withheld can be booked again,
    and who is owed a first offer is offered them first (SM1). Nobody's booking is restored.

    Raises NotFound, and what `resume_schedule` raises.
    """
    scheduling.resume_schedule(schedule_id=schedule_id, reason=reason, by=by, at=at)
    offer_again(schedule_id=schedule_id, by=by, at=at)
