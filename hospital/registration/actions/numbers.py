"""What becomes of the number of a booking that ends without a visit (SM2)."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.registration.models import Appointment
from hospital.scheduling import actions as scheduling
from hospital.scheduling.states import SlotStatus


def give_number_back(
    appointment: Appointment, *, wait: bool, reason: str, by: Actor, at: dt.datetime
) -> None:
    """Free the number, after a while where `wait`, lest numbers be passed on (M1.15). A no-show
    has lost its own for good, also when it was corrected."""
    if appointment.slot.status != SlotStatus.FORFEITED:
        scheduling.free_slot(slot_id=appointment.slot_id, wait=wait, reason=reason, by=by, at=at)
