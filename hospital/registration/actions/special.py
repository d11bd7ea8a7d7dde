"""Numbers made for one patient: a doctor's add-on (M2.4), the continuation of a first visit
(M1.14), an emergency (M1.17).

They are placed as any booking is; what differs is where the number comes from, which rules ask,
and when it is paid.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.db import transaction

from hospital.catalogue.states import ServiceKind
from hospital.kernel import request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.kernel.states import move
from hospital.patients import queries as patients
from hospital.registration import continuing, rules, telling, thresholds
from hospital.registration.actions.booking import look_back, place
from hospital.registration.actions.settling import publish
from hospital.registration.models import Appointment
from hospital.registration.states import (
    LIVE,
    VOID,
    Acuity,
    AppointmentStatus,
    BookingKind,
    PaidWhen,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.actions import SlotTaken
from hospital.scheduling.queries import SessionFacts
from hospital.scheduling.states import Channel

if TYPE_CHECKING:
    from hospital.scheduling.models import Slot

WAIVER: Final = "续诊号，免收挂号费"


class NotOwnSession(Refusal):
    code = "NOT_OWN_SESSION"
    default_message = "只能给本人的门诊加号。"


class NoContinuation(Refusal):
    code = "NO_CONTINUATION"
    default_message = "这次就诊不能开续诊号，请重新挂号。"


class NoEmergencySession(Refusal):
    code = "NO_EMERGENCY_SESSION"
    default_message = "该出诊不是急诊，请走普通挂号。"


@transaction.atomic
def add_on(
    *,
    patient_id: int,
    band_id: int,
    schedule_id: int,
    practitioner_id: int | None,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """加号: the doctor takes one more patient into the own session of today or later (M2.4).

    Charged normally; paid within two hours and before the session ends, or the number goes away
    again. Whoever acts for the patient is asked to pay (N02). Raises NotOwnSession, the refusals
    of `rules`, AddOnsUsedUp, SessionOver; NotFound for an unknown session or band.
    """
    inputs = {"patient": patient_id, "band": band_id}
    claim = request_keys.claim(key=key, scope=f"registration.add_on:{by}", inputs=inputs, at=at)
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    person = patients.lock_known_patient(patient_id=patient_id)
    session = sessions.session_facts(schedule_id=schedule_id)
    if practitioner_id is None or session.practitioner_id != practitioner_id:
        raise NotOwnSession
    band = sessions.band_of(session, band_id)
    wish = rules.Wish(patient_id, None, session, at, Channel.DOCTOR, is_extra=True)
    rules.check(person, wish, look_back(wish))
    if band.ends_at <= at:
        raise rules.ChannelClosed("这个时段已经过了，请选后面的时段。")
    quote = sessions.fee_of(session)
    wait = dt.timedelta(minutes=thresholds.ADD_ON_PAY_MINUTES.value())
    slot = scheduling.add_slot(band_id=band.id, until=min(at + wait, session.ends_at), by=by, at=at)
    payers = patients.users_to_tell(patient_id=patient_id)
    appointment = place(
        wish,
        slot,
        claim=claim,
        kind=BookingKind.ADD_ON,
        paid_when=PaidWhen.BOOKING,
        lines=quote.lines,
        payer_id=next(iter(payers), None),
        by=by,
        at=at,
    )
    if appointment.status == AppointmentStatus.PENDING:
        telling.asked(appointment, by=by, at=at)
    return appointment


@transaction.atomic
def continue_visit(
    *,
    first_number: str,
    schedule_id: int,
    band_id: int | None = None,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """续诊号: come again without a fee to have the results read (M1.14).

    Within three calendar days counting the first, holidays bridged; the same department; once for
    each first visit. The number comes from what a doctor may book, else one is added. The patient
    is told (N27). Raises NoContinuation, Duplicate, SessionSuspended, ChannelClosed, AddOnsUsedUp;
    NotFound for an unknown visit or session.
    """
    first = Appointment.objects.filter(number=first_number).first()
    if first is None:
        raise NotFound("没有找到首次就诊。")
    claim = request_keys.claim(
        key=key,
        scope=f"registration.continue_visit:{by}",
        inputs={"first": first.pk, "schedule": schedule_id, "band": band_id},
        at=at,
    )
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    person = patients.lock_known_patient(patient_id=first.patient_id)
    first = Appointment.objects.select_related("schedule__service_type").get(pk=first.pk)
    session = sessions.session_facts(schedule_id=schedule_id)
    wish = rules.Wish(first.patient_id, None, session, at, Channel.DOCTOR, is_extra=True)
    rules.check_identity(person, at=at)
    rules.check_duplicate(wish, look_back(wish).past)
    rules.check_not_over(session, at=at)
    _check_continuation(first, session)
    slot = _claimed(
        session,
        band_id,
        until=session.ends_at,
        channel=Channel.DOCTOR,
        is_limited=True,
        by=by,
        at=at,
    )
    appointment = place(
        wish,
        slot,
        claim=claim,
        kind=BookingKind.CONTINUATION,
        paid_when=PaidWhen.BOOKING,
        lines=[replace(line, amount_fen=0) for line in sessions.fee_of(session).lines],
        waiver=WAIVER,
        tells=False,
        continues=first,
        by=by,
        at=at,
    )
    telling.continued(appointment, by=by, at=at)
    return appointment


@transaction.atomic
def register_emergency(
    *,
    patient_id: int,
    schedule_id: int,
    acuity: Acuity,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """急诊挂号 by acuity: help first, money later (M1.17).

    Also for somebody nobody knows. There is always a number: one is added when none is left. The
    patient is here, so it is checked in at once; the bill is guaranteed and stays to be paid.
    Raises NoEmergencySession, PatientInactive, Duplicate, SessionSuspended, ChannelClosed;
    NotFound for an unknown session.
    """
    claim = request_keys.claim(
        key=key,
        scope=f"registration.register_emergency:{by}",
        inputs={"patient": patient_id, "schedule": schedule_id, "acuity": int(acuity)},
        at=at,
    )
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    person = patients.lock_known_patient(patient_id=patient_id)
    if person is None or not person.is_active:
        raise rules.PatientInactive
    session = sessions.session_facts(schedule_id=schedule_id)
    if session.service_kind != ServiceKind.EMERGENCY:
        raise NoEmergencySession
    rules.check_not_over(session, at=at)
    _check_not_here(patient_id, session)
    wish = rules.Wish(patient_id, None, session, at, Channel.WINDOW, is_extra=True)
    # Before the number: who calls the session off locks the session and then its numbers.
    scheduling.begin_session(schedule_id=session.id, by=by, at=at)
    slot = _claimed(
        session, None, until=session.ends_at, channel=Channel.WINDOW, is_limited=False, by=by, at=at
    )
    appointment = place(
        wish,
        slot,
        claim=claim,
        kind=BookingKind.EMERGENCY,
        paid_when=PaidWhen.LATER,
        lines=sessions.fee_of(session).lines,
        payer_id=next(iter(patients.users_to_tell(patient_id=patient_id)), None),
        acuity=acuity,
        by=by,
        at=at,
    )
    move(appointment, AppointmentStatus.CHECKED_IN, by=by, at=at, checked_in_at=at)
    publish(appointment)
    return appointment


def _claimed(
    session: SessionFacts,
    band_id: int | None,
    *,
    until: dt.datetime,
    channel: Channel,
    is_limited: bool,
    by: Actor,
    at: dt.datetime,
) -> Slot:
    """A number the channel may have, else one more beside the capacity. Without a limit also in
    the last band, when the session outlasts it."""
    bands = [sessions.band_of(session, band_id)] if band_id else session.bands
    still = [band for band in bands if band.ends_at > at] or ([] if is_limited else [bands[-1]])
    if not still:
        raise rules.ChannelClosed("这个时段已经过了，请选后面的时段。")
    try:
        return scheduling.hold_slot(
            schedule_id=session.id, band_id=band_id, until=until, channel=channel, by=by, at=at
        )
    except SlotTaken:  # the rule's other branch: one is made
        return scheduling.add_slot(
            band_id=still[0].id, until=until, is_limited=is_limited, by=by, at=at
        )


def _check_continuation(first: Appointment, session: SessionFacts) -> None:
    """Same department, in time, a general or specialty clinic, and not continued before (M1.14)."""
    if first.status != AppointmentStatus.FULFILLED:
        raise NoContinuation("首次就诊还没有完成，不能开续诊号。")
    if first.booking_kind == BookingKind.CONTINUATION:
        raise NoContinuation("续诊号不能再续，请重新挂号。")
    if first.schedule.service_type.kind not in continuing.KINDS:
        raise NoContinuation("只有普通门诊和专科门诊可以开续诊号。")
    if session.department_id != first.department_id:
        raise NoContinuation("续诊号只能在首次就诊的科室使用，其他科室请重新挂号。")
    latest = continuing.latest_day(
        first.visit_date,
        days=thresholds.CONTINUATION_DAYS.value(),
        is_holiday=sessions.is_holiday,
    )
    if not first.visit_date <= session.visit_date <= latest:
        raise NoContinuation(f"续诊号只能约到 {latest.month}月{latest.day}日，之后请重新挂号。")
    if Appointment.objects.filter(continues=first).exclude(status__in=VOID).exists():
        raise NoContinuation("这次就诊已经开过续诊号。")


def _check_not_here(patient_id: int, session: SessionFacts) -> None:
    here = Appointment.objects.filter(
        patient_id=patient_id,
        department_id=session.department_id,
        booking_kind=BookingKind.EMERGENCY,
        status__in=LIVE,
        schedule__ends_at__gt=session.starts_at,
    ).first()
    if here is not None:
        raise rules.Duplicate("该患者已登记急诊，正在候诊或就诊。", number=here.number)
