"""What registration does when news arrives or time runs out: each loads ids and makes one call."""

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.jobs import job, periodic
from hospital.registration import actions


@job()
def confirm_paid_appointment(*, bill_id: int, **_: object) -> None:
    """A bill is settled: book what it paid for, or send the money back (M1.6)."""
    actions.confirm(bill_id=bill_id, by=SYSTEM, at=clock.now())


@job()
def release_unpaid(*, appointment_id: int, **_: object) -> None:
    """A hold has run out: give the number back unless it is paid or being paid."""
    actions.release_unpaid(appointment_id=appointment_id, by=SYSTEM, at=clock.now())


@job()
def release_unpaid_bill(*, bill_id: int, **_: object) -> None:
    """A payment came to nothing: give the number back if its hold has run out meanwhile."""
    actions.release_unpaid_bill(bill_id=bill_id, by=SYSTEM, at=clock.now())


@job()
def give_up_uncollected(*, appointment_id: int, **_: object) -> None:
    """A number to be paid on arrival was not collected in time: give it to the walk-ins (M1.13)."""
    actions.give_up_uncollected(appointment_id=appointment_id, by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def remind_unpaid(**_: object) -> None:
    """Remind of holds that end within minutes (N02)."""
    actions.remind_unpaid(by=SYSTEM, at=clock.now())


@job()
def cancel_refunded(*, bill_id: int, **_: object) -> None:
    """Charges were reversed: a booking nobody pays for any more gives its number back (M1.6)."""
    actions.cancel_refunded(bill_id=bill_id, by=SYSTEM, at=clock.now())


@job()
def cancel_suspended(*, schedule_id: int, **_: object) -> None:
    """A session is suspended: undo its bookings (M1.8)."""
    actions.cancel_suspended(schedule_id=schedule_id)


@job()
def cancel_suspended_one(*, appointment_id: int, **_: object) -> None:
    """Undo one booking of a suspended session, refund included."""
    actions.cancel_suspended_one(appointment_id=appointment_id, by=SYSTEM, at=clock.now())
