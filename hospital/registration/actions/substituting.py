"""替诊 for those who had booked (M1.9), decided booking by booking, each in its own job.

The same or a higher title: the booking stands with the substitute, the patient is told, may cancel
at any time, and never pays more; a lower fee gives the difference back. A lower title is a 停诊
unless the patient agrees in time.
"""

import datetime as dt
from typing import Final

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.states import PAID
from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal, Stale
from hospital.kernel.states import move
from hospital.registration import telling, thresholds
from hospital.registration.actions.cancelling import undo
from hospital.registration.actions.settling import lock, publish
from hospital.registration.actions.waiting import owe_first_offer
from hospital.registration.models import Appointment
from hospital.registration.money import standing_of, take_back
from hospital.registration.states import LIVE, AppointmentStatus, CancelReason, Consent
from hospital.registration.substitutes import RANK
from hospital.scheduling import queries as sessions
from hospital.scheduling.queries import SessionFacts

_LEAST: Final = dt.timedelta(minutes=15)
_NOT_AGREED: Final = "未同意替诊，按停诊处理"
_GIVEN: Final = (Consent.TOLD, Consent.AGREED)
_HAS_COME: Final = (
    AppointmentStatus.CHECKED_IN,
    AppointmentStatus.FULFILLED,
    AppointmentStatus.LEFT_UNSEEN,
)


class NothingAsked(Refusal):
    code = "NOTHING_ASKED"
    default_message = "这次替诊不需要确认，或确认时间已过。"


def settle_substitution(*, schedule_id: int) -> int:
    """Defer the decision for every live booking of a session that another doctor holds now.

    Returns how many there are; asking twice decides nothing twice.
    """
    found = Appointment.objects.filter(schedule_id=schedule_id, status__in=LIVE)
    with transaction.atomic():
        ids = list(found.order_by("pk").values_list("pk", flat=True))
        for appointment_id in ids:
            events.later("registration.jobs.settle_substitution_one", appointment_id=appointment_id)
    return len(ids)


@transaction.atomic
def settle_substitution_one(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """Decide what the doctor who holds the session now means for one booking; False when that was
    decided before, or there is nothing to decide. One still to be paid is looked at after that."""
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    billing.lock_bill(bill_id=known.bill_id)
    row = lock(known.pk)
    session = sessions.facts_of(schedule_ids=[row.schedule_id]).get(row.schedule_id)
    if session is None or row.status not in LIVE or session.practitioner_id is None:
        return False
    if row.status == AppointmentStatus.PENDING:
        events.later(
            "registration.jobs.settle_substitution_one",
            at=max(row.hold_until, at) + dt.timedelta(minutes=1),
            appointment_id=row.pk,
        )
        return False
    if row.practitioner_id == session.practitioner_id:
        if row.consent in _GIVEN:  # kept already, and paid on arrival since
            return _give_back_difference(row, session, by=by, at=at) > 0
        return _taken_back(row, by=by, at=at)
    if row.consent == Consent.ASKED and row.asked_about_id == session.practitioner_id:
        return False  # asked about this very doctor: the question and its time stand
    if RANK[session.title] >= RANK.get(row.title, 0) or _is_as_booked(row):
        _keep(row, session, Consent.TOLD, by=by, at=at)
    else:
        _ask(row, session, by=by, at=at)
    publish(row)
    return True


@transaction.atomic
def answer_substitution(
    *, number: str, agrees: bool, doctor_id: int | None = None, by: Actor, at: dt.datetime
) -> Appointment:
    """What the patient says to a substitute of a lower title, on the phone or to the desk: with
    yes the booking stands and the difference goes back; with no it is a 停诊, with everything that
    comes with one (M1.9). `doctor_id` is whom the page named. Raises NotFound, NothingAsked; Stale
    when it is somebody else by now."""
    row = _locked(number)
    session = sessions.facts_of(schedule_ids=[row.schedule_id]).get(row.schedule_id)
    is_open = row.status in (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)
    if row.consent != Consent.ASKED or not is_open or session is None:
        raise NothingAsked
    if agrees:
        if doctor_id not in (None, session.practitioner_id):
            raise Stale("替诊医生刚刚又换了，请看过现在是哪位医生再答复。")
        _keep(row, session, Consent.AGREED, by=by, at=at)
        publish(row)
    else:
        _decline(row, by=by, at=at)
    if by.kind == "staff":
        audit.record(
            act="registration.answer_substitution",
            subject=row,
            by=by,
            at=at,
            after={"agrees": agrees},
        )
    return row


@transaction.atomic
def end_question(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """The time to agree is over: who said nothing is called off like anybody of a 停诊; who has
    come all the same has agreed by that. False when nothing was open any more."""
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    row = _locked(known.number)
    if row.consent != Consent.ASKED or row.answer_until is None or at < row.answer_until:
        return False
    if row.status in _HAS_COME:
        session = sessions.facts_of(schedule_ids=[row.schedule_id]).get(row.schedule_id)
        if session is not None:
            _keep(row, session, Consent.AGREED, by=by, at=at)
            return True
    if row.status != AppointmentStatus.BOOKED:
        return False
    _decline(row, by=by, at=at)
    return True


def _keep(
    row: Appointment, session: SessionFacts, consent: Consent, *, by: Actor, at: dt.datetime
) -> None:
    """The booking stands with the doctor who holds the session; the difference goes back."""
    was = row.doctor_name
    changes = {
        "practitioner_id": session.practitioner_id,
        "doctor_name": session.practitioner_name,
        "title": session.title,
        "consent": consent,
        "answer_until": None,
        "asked_about_id": None,
    }
    Appointment.objects.filter(pk=row.pk).update(**changes)
    for column, value in changes.items():
        setattr(row, column, value)
    _record(row, by=by, at=at)
    back_fen = _give_back_difference(row, session, by=by, at=at)
    if consent == Consent.TOLD:
        telling.substituted(row, was=was, back_fen=back_fen, by=by, at=at)


def _give_back_difference(
    row: Appointment, session: SessionFacts, *, by: Actor, at: dt.datetime
) -> int:
    """What the substitute's title costs less; nothing when it costs more, or nothing was paid."""
    if billing.lock_bill(bill_id=row.bill_id).status not in PAID:
        return 0
    less_fen = standing_of(row) - sessions.fee_of(session).total_fen
    if less_fen <= 0:
        return 0
    return take_back(row, fen=less_fen, reason="替诊退差价", by=by, at=at)


def _ask(row: Appointment, session: SessionFacts, *, by: Actor, at: dt.datetime) -> None:
    """A lower title: the patient has to agree, in the time there is."""
    band = sessions.band_of(session, row.slot.band_id)
    hours = dt.timedelta(hours=thresholds.CONSENT_HOURS.value())
    before = dt.timedelta(minutes=thresholds.CANCEL_MINUTES.value())
    until = max(at + _LEAST, min(at + hours, band.starts_at - before))
    Appointment.objects.filter(pk=row.pk).update(
        consent=Consent.ASKED, answer_until=until, asked_about_id=session.practitioner_id
    )
    row.consent, row.answer_until = Consent.ASKED, until
    _record(row, by=by, at=at)
    events.later("registration.jobs.end_question", at=until, appointment_id=row.pk)
    telling.asked_about_substitute(row, new=session.practitioner_name, until=until, by=by, at=at)


def _record(row: Appointment, *, by: Actor, at: dt.datetime) -> None:
    """Who sees the patient changes without a move of the booking: the trail says when, to whom."""
    audit.record(
        act="registration.substitute",
        subject=row,
        by=by,
        at=at,
        after={"practitioner": row.doctor_name, "consent": str(row.consent)},
        person_id=row.patient_id,
    )


def _decline(row: Appointment, *, by: Actor, at: dt.datetime) -> None:
    if row.status == AppointmentStatus.CHECKED_IN:
        move(row, AppointmentStatus.BOOKED, by=by, at=at, reason="替诊未同意")
    undo(row, CancelReason.HOSPITAL, is_late=False, reason=_NOT_AGREED, by=by, at=at)
    owe_first_offer(appointment=row, by=by, at=at)


def _is_as_booked(row: Appointment) -> bool:
    """Whether the doctor on the roster is back with somebody who was given a substitute: nobody is
    asked whether they agree to whom they booked."""
    return row.consent in _GIVEN and not sessions.planned_doctor(schedule_id=row.schedule_id)


def _taken_back(row: Appointment, *, by: Actor, at: dt.datetime) -> bool:
    """The doctor of the booking holds the session again before the patient answered."""
    if row.consent != Consent.ASKED:
        return False
    Appointment.objects.filter(pk=row.pk).update(
        consent=Consent.NONE, answer_until=None, asked_about=None
    )
    row.consent, row.answer_until = Consent.NONE, None
    _record(row, by=by, at=at)
    publish(row)
    return True


def _locked(number: str) -> Appointment:
    known = Appointment.objects.filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    billing.lock_bill(bill_id=known.bill_id)
    return lock(known.pk)
