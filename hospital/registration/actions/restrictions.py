"""暂停线上预约: who stayed away or gave numbers back on the day too often (M1.10).

What a patient's bookings call for is counted anew each time, so it does not matter how often or
in which order that happens; a booking corrected later takes its restriction with it.
"""

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import F

from hospital.kernel import audit, events
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Invalid, NotFound, Refusal
from hospital.patients import queries as patients
from hospital.registration import incidents, telling
from hospital.registration.models import Appointment, BookingRestriction
from hospital.registration.states import AppointmentStatus, RestrictionCause

_CORRECTED: Final = "次数更正后不再达到暂停标准"


class RestrictionOver(Refusal):
    code = "RESTRICTION_OVER"
    default_message = "这次暂停已经结束或已解除。"


@transaction.atomic
def recount(*, patient_id: int, by: Actor, at: dt.datetime) -> None:
    """Restrict the patient as the incidents call for, and lift what they no longer call for.

    One that was lifted by hand stays lifted. The patient is told of both (N14). Locks the patient.
    """
    patients.lock_patient(patient_id=patient_id)
    for cause in RestrictionCause:
        limit = incidents.limit_of(cause)
        moments = _moments(patient_id, cause, since=at - limit.lasting - limit.within)
        known = BookingRestriction.objects.filter(patient_id=patient_id, cause=cause)
        for row in known.filter(lifted_at=None, ends_at__gt=at).order_by("starts_at"):
            if incidents.count_to(moments, row.starts_at, limit) < limit.most:
                _lift(row, reason=_CORRECTED, by=by, at=at)
        there = set(known.values_list("starts_at", flat=True))
        for due in incidents.due(moments, limit):
            if due.ends_at > at and due.starts_at not in there:
                _restrict(patient_id, cause, due, by=by, at=at)


@transaction.atomic
def lift(*, restriction_id: int, reason: str, by: Actor, at: dt.datetime) -> BookingRestriction:
    """Let a patient book online again before the time is over. Raises NotFound, RestrictionOver;
    Invalid without a reason."""
    known = BookingRestriction.objects.filter(pk=restriction_id).first()
    if known is None:
        raise NotFound("没有找到这次暂停。")
    if not reason.strip():
        raise Invalid({"reason": ["请写明解除的原因。"]})
    patients.lock_patient(patient_id=known.patient_id)
    known.refresh_from_db()
    if known.lifted_at is not None or known.ends_at <= at:
        raise RestrictionOver
    _lift(known, reason=reason.strip(), by=by, at=at)
    return known


def tell_over(*, restriction_id: int, by: Actor, at: dt.datetime) -> bool:
    """Tell the patient that a restriction has ended by itself (N14); False when another holds, or
    it was lifted before."""
    row = BookingRestriction.objects.filter(pk=restriction_id, lifted_at=None).first()
    if row is None or row.ends_at > at or _in_force(row.patient_id, at):
        return False
    telling.unrestricted(row, reason="暂停期满", by=by, at=at)
    return True


def _restrict(
    patient_id: int, cause: RestrictionCause, due: incidents.Due, *, by: Actor, at: dt.datetime
) -> None:
    row = BookingRestriction.objects.create(
        patient_id=patient_id,
        cause=cause,
        count=due.count,
        starts_at=due.starts_at,
        ends_at=due.ends_at,
    )
    telling.restricted(row, by=by, at=at)
    events.later("registration.jobs.tell_restriction_over", at=row.ends_at, restriction_id=row.pk)


def _lift(row: BookingRestriction, *, reason: str, by: Actor, at: dt.datetime) -> None:
    row.lifted_at, row.lifted_by, row.lift_reason = at, str(by), reason[:100]
    row.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    audit.record(
        act="registration.lift_restriction", subject=row, by=by, at=at, reason=row.lift_reason
    )
    if not _in_force(row.patient_id, at):
        telling.unrestricted(row, reason=row.lift_reason, by=by, at=at)


def _in_force(patient_id: int, at: dt.datetime) -> bool:
    rows = BookingRestriction.objects.filter(patient_id=patient_id, lifted_at=None)
    return rows.filter(starts_at__lte=at, ends_at__gt=at).exists()


def _moments(patient_id: int, cause: RestrictionCause, *, since: dt.datetime) -> list[dt.datetime]:
    """When the patient's incidents were: the end of a session missed, or the late cancellation."""
    rows = Appointment.objects.filter(patient_id=patient_id)
    if cause == RestrictionCause.NOSHOW:
        rows = rows.filter(status=AppointmentStatus.NOSHOW).annotate(moment=F("schedule__ends_at"))
    else:
        rows = rows.filter(is_late_cancel=True).annotate(moment=F("cancelled_at"))
    return list(rows.filter(moment__gte=since).values_list("moment", flat=True))
