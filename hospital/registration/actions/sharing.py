"""Sharing a visit: a secret link that shows when and where, until the patient takes it back."""

import datetime as dt

from django.db import transaction

from hospital.kernel import audit, serials
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.registration.actions.settling import lock, publish
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus


class NothingToShare(Refusal):
    code = "NOTHING_TO_SHARE"
    default_message = "预约成功后才能分享。"


@transaction.atomic
def share(*, number: str, by: Actor, at: dt.datetime) -> str:
    """The token of the link to a booking; whether it is this person's is the page's question.
    Sharing again gives the same link. Raises NotFound, NothingToShare."""
    appointment = _locked(number)
    if appointment.status not in (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN):
        raise NothingToShare
    if not appointment.share_token:
        appointment.share_token = serials.opaque()
        appointment.save(update_fields=["share_token"])
        audit.record(act="registration.share", subject=appointment, by=by, at=at)
        publish(appointment)
    return appointment.share_token


@transaction.atomic
def unshare(*, number: str, by: Actor, at: dt.datetime) -> None:
    """Make the link lead nowhere. Raises NotFound."""
    appointment = _locked(number)
    if appointment.share_token:
        appointment.share_token = ""
        appointment.save(update_fields=["share_token"])
        audit.record(act="registration.unshare", subject=appointment, by=by, at=at)
        publish(appointment)


def _locked(number: str) -> Appointment:
    known = Appointment.objects.filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    return lock(known.pk)
