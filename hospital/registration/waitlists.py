"""Reads of the waiting list: the user's own places in line, and who waits for a session.

Offers are shown by what became of their bookings, whether the sweep has written it down or not.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from hospital.kernel.errors import NotFound
from hospital.registration.models import ReleaseWatch, WaitlistEntry
from hospital.registration.states import (
    ON_WAITLIST,
    VOID,
    AppointmentStatus,
    CancelReason,
    WaitlistStatus,
)
from hospital.scheduling import queries as sessions
from hospital.scheduling.queries import SessionFacts

_SHOWN_FOR: Final = dt.timedelta(days=14)
_LISTED_AT_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class WaitRow:
    """One place in line. `place` counts from 1 while waiting; `session` is None for the right to
    a first offer that was not used yet; `booking` is the number of the booking offered."""

    id: int
    status: WaitlistStatus
    patient_name: str
    department: str
    department_code: str
    session: SessionFacts | None
    place: int | None
    valid_until: dt.datetime
    offer_until: dt.datetime | None
    booking: str
    is_owed: bool

    @property
    def is_open(self) -> bool:
        return self.status in (WaitlistStatus.WAITING, WaitlistStatus.OFFERED)


def waitlists_for(*, wechat_user_id: int, at: dt.datetime) -> list[WaitRow]:
    """The places in line of the patients bound to a user: open ones first, then what came of the
    latest (four statements, however many)."""
    found = WaitlistEntry.objects.filter(
        patient__bindings__wechat_user_id=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
        created_at__gt=at - _SHOWN_FOR,
    )
    loaded = found.select_related("patient", "department", "appointment").order_by("-pk")
    entries = list(loaded[:_LISTED_AT_MOST])
    schedule_ids = {entry.schedule_id for entry in entries if entry.schedule_id is not None}
    known = sessions.facts_of(schedule_ids=schedule_ids)
    places = _places(schedule_ids)
    rows = [_row(entry, known, places) for entry in entries]
    return sorted(rows, key=lambda row: not row.is_open)


def open_count(*, wechat_user_id: int) -> int:
    """In how many lines the user's patients stand or hold an offer."""
    return WaitlistEntry.objects.filter(
        patient__bindings__wechat_user_id=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
        status__in=ON_WAITLIST,
    ).count()


def entry_for(*, wechat_user_id: int, entry_id: int) -> int:
    """The id of a place in line of a patient bound to a user. Raises NotFound, also when it is
    somebody else's."""
    found = WaitlistEntry.objects.filter(
        pk=entry_id,
        patient__bindings__wechat_user_id=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
    )
    if not found.exists():
        raise NotFound("没有找到这个候补。")
    return entry_id


def waiting_count(*, schedule_id: int) -> int:
    """How many wait for a session."""
    waiting = WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING)
    return waiting.filter(schedule_id=schedule_id).count()


def watched_by(*, wechat_user_id: int, schedule_ids: Collection[int]) -> set[int]:
    """Of these sessions, those a user asked to be told of before their release."""
    mine = ReleaseWatch.objects.filter(wechat_user_id=wechat_user_id, schedule_id__in=schedule_ids)
    return set(mine.values_list("schedule_id", flat=True))


def _places(schedule_ids: Collection[int]) -> dict[int, int]:
    """Entry id → place in its line, in the order in which they are served."""
    waiting = WaitlistEntry.objects.filter(
        schedule_id__in=schedule_ids, status=WaitlistStatus.WAITING
    )
    order = (F("owed_for__slot__sequence_no").asc(nulls_last=True), F("created_at"), F("pk"))
    ranked = waiting.annotate(
        place=Window(RowNumber(), partition_by=[F("schedule_id")], order_by=order)
    )
    return dict(ranked.values_list("pk", "place"))


def _row(entry: WaitlistEntry, known: dict[int, SessionFacts], places: dict[int, int]) -> WaitRow:
    session = known.get(entry.schedule_id) if entry.schedule_id is not None else None
    return WaitRow(
        id=entry.pk,
        status=_fate(entry),
        patient_name=entry.patient.name,
        department=session.department_name if session else entry.department.name,
        department_code=entry.department.code,
        session=session,
        place=places.get(entry.pk),
        valid_until=entry.valid_until,
        offer_until=entry.offer_until,
        booking=entry.appointment.number if entry.appointment else "",
        is_owed=entry.owed_for_id is not None,
    )


def _fate(entry: WaitlistEntry) -> WaitlistStatus:
    """The place as its booking stands now."""
    status, booking = WaitlistStatus(entry.status), entry.appointment
    if status != WaitlistStatus.OFFERED or booking is None:
        return status
    if booking.status == AppointmentStatus.PENDING:
        return status
    if booking.status not in VOID:
        return WaitlistStatus.TAKEN
    return _ENDED.get(booking.cancel_reason, WaitlistStatus.CLEARED)


_ENDED: Final[dict[str, WaitlistStatus]] = {
    CancelReason.PAYMENT_TIMEOUT: WaitlistStatus.PASSED,
    CancelReason.USER: WaitlistStatus.LEFT,
}
