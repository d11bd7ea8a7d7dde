"""Who stands at a kiosk: recognised by what a reader read, forgotten when they go.

A kiosk has no keyboard, so what arrives was read: a document, a card, a code on a phone, a slip. A
phone number or a name proves nothing and opens nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from django.db import transaction

from hospital.kernel import serials
from hospital.kernel.actors import Actor
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients import actions as patients
from hospital.patients import queries as people
from hospital.registration import queries as bookings
from hospital.window import thresholds
from hospital.window.models import KioskVisit

_BOOKING: Final = re.compile(r"[0-9]{14}")
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
        open_ones = KioskVisit.objects.select_for_update().filter(
            device_id=device_id, ended_at__isnull=True
        )
        for visit in open_ones:
            _end(visit, at)
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
def end_visit(*, token: str, device_id: int, at: dt.datetime) -> None:
    """The person has gone, or said so; ending twice is ending once."""
    visit = KioskVisit.objects.select_for_update().filter(token=token, device_id=device_id).first()
    if visit is not None and visit.ended_at is None:
        _end(visit, at)


def _end(visit: KioskVisit, at: dt.datetime) -> None:
    visit.ended_at = at
    visit.save(update_fields=["ended_at"])


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
