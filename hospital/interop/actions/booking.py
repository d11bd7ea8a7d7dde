"""Booking and cancelling for a partner's patients: proof, quota, then what registration decides.

The partner's row is locked first, so what is counted against its quotas stays true until the
booking stands.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from django.db import transaction

from hospital.billing import actions as billing
from hospital.interop import queries
from hospital.interop.actions.keys import Visitor
from hospital.interop.actions.partners import lock
from hospital.interop.fhir.resources import Resource, appointment, version_of
from hospital.interop.models import Partner, PartnerBooking
from hospital.kernel import audit, request_keys
from hospital.kernel.clock import at_local, hospital_day
from hospital.kernel.errors import Refusal
from hospital.patients import actions as patients
from hospital.patients.actions import Facts, IdentityNotConfirmed
from hospital.registration import actions as registration
from hospital.registration.states import AppointmentStatus, PaidWhen
from hospital.scheduling.queries.listed import ListedNumber, listed_count
from hospital.scheduling.states import Channel


class DayQuotaUsed(Refusal):
    """The partner has made all the bookings it may make today; details: seconds until midnight."""

    code: ClassVar[str] = "PARTNER_QUOTA_DAY"
    default_message: ClassVar[str] = "本平台今天的预约额度已用完，请明天再约。"


class SessionQuotaUsed(Refusal):
    """The partner has its whole share of this session's online numbers."""

    code: ClassVar[str] = "PARTNER_QUOTA_SESSION"
    default_message: ClassVar[str] = "本平台在这次出诊的号源份额已用完，请选择其他出诊。"


class VersionChanged(Refusal):
    """The booking is another by now than the partner has seen."""

    code: ClassVar[str] = "VERSION_CHANGED"
    default_message: ClassVar[str] = "预约已有变化，请重新读取后再操作。"


class PaidHere(Refusal):
    """The patient has paid at the hospital: the money is between the two of them."""

    code: ClassVar[str] = "PAID_AT_HOSPITAL"
    default_message: ClassVar[str] = (
        "患者已在医院支付挂号费，平台不能代为退号。请患者在医院公众号或挂号窗口退号。"
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a partner asks for: one number, for whom, under which number of its own."""

    slot_id: int
    person: Facts
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A booking as it was told when it was made; a replay is the answer to a question asked
    before."""

    number: str
    resource: Resource
    is_replay: bool


def book(*, visitor: Visitor, wanted: Wanted, key: str, digest: str, at: dt.datetime) -> Made:
    """Book a number for a person who pays on arrival (M1.13), within the partner's quotas.

    The same key and body (`digest`) again is told what it was told the first time. Raises
    NotFound, KeyReused, KeyMissing, DayQuotaUsed, SessionQuotaUsed, and what patients and
    registration refuse; whatever is refused has changed nothing and leaves the key free. Must not
    run inside a transaction: a person who does not fit is counted after the booking is undone.
    """
    try:
        with transaction.atomic():
            return _book(visitor, wanted, key, digest, at=at)
    except IdentityNotConfirmed:
        patients.note_unconfirmed(by=visitor.actor, at=at)
        raise


@transaction.atomic
def cancel(*, visitor: Visitor, number: str, reason: str, seen: str = "", at: dt.datetime) -> bool:
    """Cancel a booking of this partner within the patient's own times (M1.7); False when it was
    cancelled already. `seen` is the version it has to be, if any.

    Everything that changes a booking locks its bill first, and so do we before we look. Raises
    NotFound, also for another's, VersionChanged, PaidHere, CannotCancel, CancelTooLate.
    """
    bill_id = queries.booking(partner_id=visitor.partner_id, number=number).bill_id
    billing.lock_bill(bill_id=bill_id)
    known = queries.booking(partner_id=visitor.partner_id, number=number)
    if known.status == AppointmentStatus.CANCELLED:
        return False
    if seen and seen != version_of(appointment(known)):
        raise VersionChanged
    if known.is_paid:
        raise PaidHere
    made = registration.cancel(number=number, reason=reason, by=visitor.actor, at=at)
    audit.record(
        act="interop.cancel",
        subject=made,
        by=visitor.actor,
        at=at,
        after={"number": number},
        reason=reason,
    )
    return True


def _book(visitor: Visitor, wanted: Wanted, key: str, digest: str, *, at: dt.datetime) -> Made:
    partner = lock(visitor.partner_id)
    claim = request_keys.claim(
        key=key, scope=f"interop.book:{partner.pk}", inputs={"body": digest}, at=at
    )
    if claim.answer is not None:
        return Made(claim.answer["number"], claim.answer["resource"], is_replay=True)
    number = queries.listed_number(slot_id=wanted.slot_id, at=at)
    _check_quotas(partner, number, at=at)
    person = patients.bring_person(facts=wanted.person, by=visitor.actor, at=at)
    made = registration.book(
        patient_id=person.patient_id,
        schedule_id=number.session.id,
        band_id=number.band_id,
        slot_id=number.id,
        channel=Channel.PARTNER,
        paid_when=PaidWhen.ARRIVAL,
        source=partner.code,
        key=f"interop:{claim.id}",
        by=visitor.actor,
        at=at,
    )
    booking = PartnerBooking.objects.create(
        partner=partner,
        appointment_id=made.pk,
        booked_date=hospital_day(at),
        reference=wanted.reference,
    )
    audit.record(
        act="interop.book",
        subject=booking,
        by=visitor.actor,
        at=at,
        after={"number": made.number, "is_new_patient": person.is_new},
        person_id=person.patient_id,
    )
    resource = appointment(queries.booking(partner_id=partner.pk, number=made.number))
    claim.finish({"number": made.number, "resource": resource})
    return Made(made.number, resource, is_replay=False)


def _check_quotas(partner: Partner, number: ListedNumber, *, at: dt.datetime) -> None:
    """A day's quota counts what was made, also what was given back: numbers that go round and
    round are what it is against (M1.15). The share counts what stands."""
    today = hospital_day(at)
    if queries.booked_on(partner_id=partner.pk, day=today) >= partner.daily_quota:
        midnight = at_local(today + dt.timedelta(days=1))
        raise DayQuotaUsed(seconds=int((midnight - at).total_seconds()) + 1)
    session_id = number.session.id
    share = listed_count(schedule_id=session_id) * partner.session_percent // 100
    if queries.standing_in(partner_id=partner.pk, schedule_id=session_id) >= share:
        raise SessionQuotaUsed
