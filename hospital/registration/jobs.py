"""What registration does when news arrives or time runs out: each loads ids and makes one call."""

from hospital.kernel import clock, events
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


@job()
def recount_restrictions(*, patient_id: int, **_: object) -> None:
    """A number was given back on the day of the visit: is it one too many (M1.10)?"""
    actions.recount(patient_id=patient_id, by=SYSTEM, at=clock.now())


@job()
def tell_restriction_over(*, restriction_id: int, **_: object) -> None:
    """A restriction has run out: tell the patient unless another holds (N14)."""
    actions.tell_over(restriction_id=restriction_id, by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def close_sessions(**_: object) -> None:
    """Close the sessions that are over and in which nobody waits; at 23:59 the others too (SM1)."""
    actions.close_ended(by=SYSTEM, at=clock.now())


@periodic("*/5 * * * *")
@job()
def end_visits(**_: object) -> None:
    """Mark who stayed away and who left unseen (M1.10, SM3), one booking a job."""
    for appointment_id in actions.visits_to_end(at=clock.now()):
        events.later("registration.jobs.end_visit", appointment_id=appointment_id)


@job()
def end_visit(*, appointment_id: int, **_: object) -> None:
    """Mark one booking whose time is over without a visit."""
    actions.end_visit(appointment_id=appointment_id, by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def serve_waitlists(**_: object) -> None:
    """Offer the numbers that came free to those in line, and end the lists that are over (SM3)."""
    actions.serve_waitlists(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def remind_of_visits(**_: object) -> None:
    """Remind of the visits of tomorrow and of the coming hour (N04)."""
    actions.remind_of_visits(by=SYSTEM, at=clock.now())


@periodic("* * * * *")
@job()
def tell_watchers(**_: object) -> None:
    """Tell those who asked that numbers come out in a few minutes (N39)."""
    actions.tell_watchers(by=SYSTEM, at=clock.now())


@periodic("10 * * * *")
@job()
def raise_alerts(**_: object) -> None:
    """Look for accounts that book as people who sell numbers do (M1.15)."""
    actions.raise_alerts(by=SYSTEM, at=clock.now())


@job()
def clear_waitlist(*, schedule_id: int, **_: object) -> None:
    """A session is suspended: nobody waits for it any longer (M1.8)."""
    actions.clear_waitlist(schedule_id=schedule_id, reason="医生停诊", by=SYSTEM, at=clock.now())


@job()
def settle_substitution(*, schedule_id: int, **_: object) -> None:
    """Another doctor holds a session: decide for each booking what that means (M1.9)."""
    actions.settle_substitution(schedule_id=schedule_id)


@job()
def settle_substitution_one(*, appointment_id: int, **_: object) -> None:
    """Keep one booking with the substitute and tell, or ask whether the patient agrees."""
    actions.settle_substitution_one(appointment_id=appointment_id, by=SYSTEM, at=clock.now())


@job()
def end_question(*, appointment_id: int, **_: object) -> None:
    """Nobody has agreed to a substitute of a lower title in time: that is a 停诊 (M1.9)."""
    actions.end_question(appointment_id=appointment_id, by=SYSTEM, at=clock.now())


@job()
def drop_exchange(*, appointment_id: int, **_: object) -> None:
    """The booking an exchange began with is given up: so is the unpaid new one."""
    actions.drop_exchange(appointment_id=appointment_id, by=SYSTEM, at=clock.now())
