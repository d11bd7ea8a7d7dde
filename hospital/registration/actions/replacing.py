"""The end of an exchange: the new booking stands, so the earlier one is let go (SM3).

Until that moment the earlier one stays as it is. What it was paid with stays where it is: it pays
for the new one (`money`). Locks: the new bill, then the earlier one, then the earlier booking.
"""

import datetime as dt

from hospital.billing import actions as billing
from hospital.billing.states import PAID
from hospital.kernel import clock, events
from hospital.kernel.actors import Actor
from hospital.kernel.states import move
from hospital.live import actions as live
from hospital.registration.actions.numbers import give_number_back
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus, CancelReason

_STILL_HAD = (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)


def lock_replaced(new: Appointment) -> Appointment | None:
    """The booking a new one would take the place of, locked with its bill; None when it is given
    up or used meanwhile, so that there is nothing to exchange any more."""
    assert new.replaces_id is not None
    known = Appointment.objects.get(pk=new.replaces_id)
    billing.lock_bill(bill_id=known.bill_id)
    old = Appointment.objects.select_for_update(no_key=True).get(pk=known.pk)
    return old if old.status in _STILL_HAD else None


def let_go(old: Appointment, new: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """Give up the earlier number for the new one: cancelled(rescheduled) with its successor.

    A day given up on that day itself counts as given back late, another hour of it does not (M1.7).
    """
    reason = f"改约到 {new.number}"
    if old.status == AppointmentStatus.CHECKED_IN:
        move(old, AppointmentStatus.BOOKED, by=by, at=at, reason=reason)
    is_own_wish = not new.made_by.startswith("staff:")
    is_late = is_own_wish and clock.hospital_day(at) >= old.visit_date != new.visit_date
    move(
        old,
        AppointmentStatus.CANCELLED,
        by=by,
        at=at,
        reason=reason,
        cancel_reason=CancelReason.RESCHEDULED,
        cancelled_at=at,
        cancel_note="",
        is_late_cancel=is_late and not old.consent,
        successor_id=new.pk,
    )
    if old.share_token:  # the family's link leads to the visit there is now
        Appointment.objects.filter(pk=old.pk).update(share_token="")
        Appointment.objects.filter(pk=new.pk).update(share_token=old.share_token)
    give_number_back(old, wait=True, reason=reason, by=by, at=at)
    if billing.lock_bill(bill_id=old.bill_id).status not in PAID:
        billing.cancel_bill(bill_id=old.bill_id, by=by, at=at, reason=reason)
    if old.is_late_cancel:
        events.later("registration.jobs.recount_restrictions", patient_id=old.patient_id)
    live.publish(f"appointment:{old.pk}")
