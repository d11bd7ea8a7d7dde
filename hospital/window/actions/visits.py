"""Who stands at a kiosk: recognised by what a reader read, forgotten when they go.

A kiosk has no keyboard, so what arrives was read: a document, a card, a code on a phone, a slip. A
phone number or a name proves nothing and opens nothing. Who goes without paying keeps no number.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from django.db import connection, transaction

from hospital.kernel import events, serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients import actions as patients
from hospital.patients import queries as people
from hospital.payments import gateway
from hospital.registration import actions as registration
from hospital.registration import queries as bookings
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus
from hospital.scheduling.states import Channel
from hospital.window import thresholds
from hospital.window.models import KioskVisit

_BOOKING: Final = re.compile(r"[0-9]{14}")
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_PHONE: Final = re.compile(r"1[3-9][0-9]{9}")
# The page counts the same time and asks first; the server is a little more patient.
_PATIENCE: Final = dt.timedelta(seconds=45)


class NotRecognised(Refusal):
    code = "NOT_RECOGNISED"
    default_message = "没有找到您的档案。请到窗口建档，或换一张证件、换一个码再试。"


def begin_visit(*, text: str, device_id: int, by: Actor, at: dt.datetime) -> KioskVisit:
    """Recognise whoever put this before the reader; the visit of whoever was there before ends.

    Raises NotRecognised, patients' PassOver.
    """
    patient_id, booking_id = _recognised(text.strip(), by=by, at=at)
    with transaction.atomic():
        # A reader that sends twice: the second waits, and ends what the first began.
        with connection.cursor() as cursor:
            cursor.execute(_ONE_AT_A_TIME, [f"kiosk:{device_id}"])
        open_ones = KioskVisit.objects.select_for_update().filter(
            device_id=device_id, ended_at__isnull=True
        )
        for visit in open_ones:
            _end(visit, at, keeps_unpaid=visit.patient_id == patient_id)
        return KioskVisit.objects.create(
            token=serials.opaque(),
            device_id=device_id,
            patient_id=patient_id,
            only_id=booking_id,
            started_at=at,
            seen_at=at,
        )


@transaction.atomic
def see_visit(*, token: str, device_id: int, at: dt.datetime) -> KioskVisit:
    """The visit of an address, if its person may still stand there; seen from now on.

    Raises NotFound for one that is over or of another machine.
    """
    visit = (
        KioskVisit.objects.select_for_update(of=("self",))
        .select_related("patient", "only")
        .filter(token=token, device_id=device_id, ended_at__isnull=True)
        .first()
    )
    idle = dt.timedelta(seconds=thresholds.KIOSK_IDLE_SECONDS.value())
    if visit is None or at - visit.seen_at > idle + _PATIENCE:
        raise NotFound("上一位已离开，请重新读证件或扫码。")
    KioskVisit.objects.filter(pk=visit.pk).update(seen_at=at)
    return visit


@transaction.atomic
def end_visit(*, token: str, device_id: int, keeps_unpaid: bool = False, at: dt.datetime) -> None:
    """The person has gone, or said so; ending twice is ending once. An unpaid number taken in the
    visit is free for others at once, unless they said that they go and pay it at a window."""
    visit = KioskVisit.objects.select_for_update().filter(token=token, device_id=device_id).first()
    if visit is not None and visit.ended_at is None:
        _end(visit, at, keeps_unpaid=keeps_unpaid)


def _end(visit: KioskVisit, at: dt.datetime, *, keeps_unpaid: bool) -> None:
    visit.ended_at = at
    visit.save(update_fields=["ended_at"])
    if not keeps_unpaid and visit.only_id is None:  # who showed a slip took no number
        events.later("window.jobs.release_left", visit_id=visit.pk)


def release_left(*, visit_id: int, at: dt.datetime) -> int:
    """Free what somebody took at a machine and left unpaid; how many numbers that were. May come
    twice; a number that was paid meanwhile stays."""
    visit = KioskVisit.objects.get(pk=visit_id)
    return sum(
        give_up(row=row, by=Actor("device", visit.device_id), at=at)
        for row in bookings.appointments_of(patient_ids=[visit.patient_id], at=at)
        if visit.started_at <= row.created_at <= (visit.ended_at or at)
    )


def may_give_up(row: AppointmentRow) -> bool:
    """Whether a number was taken at a kiosk and waits for its money."""
    return row.status == AppointmentStatus.PENDING and row.channel == Channel.KIOSK


def give_up(*, row: AppointmentRow, by: Actor, at: dt.datetime) -> bool:
    """Free an unpaid number before its time: the code on the screen is closed at WeChat first.
    False when it was paid this moment, or WeChat has not said so yet."""
    if not may_give_up(row):
        return False
    gateway.close_payments(bill_id=row.bill_id, by=by, at=at)
    return registration.release_unpaid(appointment_id=row.id, is_left=True, by=by, at=at)


def _recognised(text: str, *, by: Actor, at: dt.datetime) -> tuple[int, int | None]:
    if patients.is_pass(text):
        return patients.redeem_pass(token=text, by=by, at=at).pk, None
    if _BOOKING.fullmatch(text) and bookings.is_known(number=text):
        row = bookings.appointment(number=text, at=at)
        return row.patient_id, row.id
    card = people.read_card(text, on=hospital_day(at))
    if card is not None:
        if card.owner is None or not card.is_same_name:
            raise NotRecognised
        return card.owner.patient_id, None
    if not any(letter.isdecimal() for letter in text) or _PHONE.fullmatch(text):
        raise NotRecognised
    hits = people.find(text)
    if len(hits) != 1:
        raise NotRecognised
    return hits[0].patient_id, None
