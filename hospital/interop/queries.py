"""Reads of interop: what a partner may see of its own, and what the administrator looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from hospital.interop.models import Partner, PartnerBooking, PartnerCall, PartnerSecret
from hospital.interop.states import Scope
from hospital.kernel import sealed
from hospital.kernel.clock import day_period
from hospital.kernel.errors import NotFound
from hospital.registration.states import (
    VOID,
    AppointmentStatus,
    CancelReason,
    PaidWhen,
)
from hospital.scheduling.queries.listed import ALWAYS, Cut, ListedNumber, Span, listed_numbers

CALLS_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One booking of a partner. `person` tells its patients apart for this partner alone."""

    number: str
    reference: str
    status: AppointmentStatus
    cancel_reason: CancelReason
    created_at: dt.datetime
    slot_id: int
    slot_label: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    department_code: str
    department: str
    practitioner_code: str
    practitioner: str
    service_kind: str
    service: str
    place: str
    person: str
    fee_fen: int
    collect_by: dt.datetime | None


@dataclass(frozen=True, slots=True)
class PartnerRow:
    """One partner with what it has done of its quota on a day."""

    partner: Partner
    scope_labels: tuple[str, ...]
    live_secrets: int
    booked: int
    standing: int
    calls: int
    refused: int
    latest_call_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One secret; `state` is "live", "over" or "ended"."""

    secret: PartnerSecret
    state: str


def listed_number(*, slot_id: int, at: dt.datetime) -> ListedNumber:
    """One number a partner may see. Raises NotFound."""
    found, _ = listed_numbers(at=at, cut=Cut(ids=[slot_id]))
    if not found:
        raise NotFound("没有找到这个号源。")
    return found[0]


def booked_on(*, partner_id: int, day: dt.date) -> int:
    """How many bookings a partner has made on a hospital day, whatever became of them."""
    return PartnerBooking.objects.filter(partner=partner_id, booked_date=day).count()


def standing_in(*, partner_id: int, schedule_id: int) -> int:
    """How many numbers of a session a partner's patients have now."""
    found = PartnerBooking.objects.filter(partner=partner_id, appointment__schedule=schedule_id)
    return found.exclude(appointment__status__in=VOID).count()


def booking(*, partner_id: int, number: str) -> BookingRow:
    """One booking of a partner by the appointment's number. Raises NotFound, also for another's."""
    found = _bookings(partner_id).filter(appointment__number=number).first()
    if found is None:
        raise NotFound("没有找到这个预约。")
    return _row(found)


def bookings(
    *,
    partner_id: int,
    cut: Cut,
    days: Span = ALWAYS,
    statuses: Collection[AppointmentStatus] = (),
    reference: str = "",
    slot_id: int | None = None,
    number: str = "",
) -> tuple[list[BookingRow], int, int]:
    """One page of a partner's bookings as they were made, how many there are in all, and the key
    of the page's last one."""
    found = _bookings(partner_id)
    if days.start is not None:
        found = found.filter(appointment__visit_date__gte=days.start)
    if days.end is not None:
        found = found.filter(appointment__visit_date__lt=days.end)
    if statuses:
        found = found.filter(appointment__status__in=list(statuses))
    if reference:
        found = found.filter(Q(reference=reference) | Q(appointment__number=reference))
    if slot_id is not None:
        found = found.filter(appointment__slot=slot_id)
    if number:
        found = found.filter(appointment__number=number)
    page = list(found.filter(pk__gt=cut.after).order_by("pk")[: cut.most])
    return [_row(one) for one in page], found.count(), page[-1].pk if page else cut.after


def partners(*, day: dt.date, at: dt.datetime) -> list[PartnerRow]:
    """Every partner with its day, those switched on first, by name."""
    found = list(Partner.objects.order_by("-is_active", "name"))
    period = day_period(day)
    calls = dict(
        PartnerCall.objects.filter(at__gte=period.start, at__lt=period.end, partner__isnull=False)
        .values_list("partner")
        .annotate(all=Count("pk"))
    )
    return [_partner_row(one, calls.get(one.pk, 0), day=day, at=at) for one in found]


def partner(*, partner_id: int) -> Partner:
    """One partner. Raises NotFound."""
    found = Partner.objects.filter(pk=partner_id).first()
    if found is None:
        raise NotFound("没有找到这个平台。")
    return found


def partner_row(*, partner_id: int, day: dt.date, at: dt.datetime) -> PartnerRow:
    """One partner with its day. Raises NotFound."""
    found = partner(partner_id=partner_id)
    return _partner_row(found, _calls(partner_id, day).count(), day=day, at=at)


def secrets_of(*, partner_id: int, at: dt.datetime) -> list[SecretRow]:
    """A partner's secrets, the newest first."""
    rows = PartnerSecret.objects.filter(partner=partner_id).order_by("-pk")
    return [SecretRow(row, _secret_state(row, at)) for row in rows]


def calls_of(
    *, partner_id: int, day: dt.date, refused_only: bool = False
) -> tuple[list[PartnerCall], int]:
    """The latest calls of a partner on a hospital day, and how many there were."""
    found = _calls(partner_id, day)
    if refused_only:
        found = found.filter(status__gte=400)
    return list(found.order_by("-pk")[:CALLS_SHOWN]), found.count()


def unproved_calls(*, day: dt.date) -> int:
    """How many calls of a day came from somebody who could not prove to be a partner."""
    period = day_period(day)
    return PartnerCall.objects.filter(
        partner__isnull=True, at__gte=period.start, at__lt=period.end
    ).count()


def _calls(partner_id: int, day: dt.date) -> QuerySet[PartnerCall]:
    period = day_period(day)
    return PartnerCall.objects.filter(partner=partner_id, at__gte=period.start, at__lt=period.end)


def _partner_row(one: Partner, calls: int, *, day: dt.date, at: dt.datetime) -> PartnerRow:
    mine = PartnerBooking.objects.filter(partner=one)
    latest = PartnerCall.objects.filter(partner=one).order_by("-at").first()
    return PartnerRow(
        partner=one,
        scope_labels=tuple(str(Scope(scope).label) for scope in one.scopes),
        live_secrets=sum(row.state == "live" for row in secrets_of(partner_id=one.pk, at=at)),
        booked=booked_on(partner_id=one.pk, day=day),
        standing=mine.filter(appointment__visit_date__gte=day)
        .exclude(appointment__status__in=VOID)
        .count(),
        calls=calls,
        refused=_calls(one.pk, day).filter(status__gte=400).count(),
        latest_call_at=latest.at if latest else None,
    )


def _secret_state(row: PartnerSecret, at: dt.datetime) -> str:
    if row.ended_at is not None:
        return "ended"
    return "live" if at < row.expires_at else "over"


def _bookings(partner_id: int) -> QuerySet[PartnerBooking]:
    return PartnerBooking.objects.filter(partner=partner_id).select_related(
        "appointment__slot__band",
        "appointment__department",
        "appointment__practitioner",
        "appointment__schedule__service_type",
        "appointment__schedule__room",
        "appointment__bill",
    )


def _row(one: PartnerBooking) -> BookingRow:
    made = one.appointment
    doctor, band, session = made.practitioner, made.slot.band, made.schedule
    is_owed = made.status == AppointmentStatus.BOOKED and made.paid_when == PaidWhen.ARRIVAL
    place = (made.department.location_text, session.room.name)
    return BookingRow(
        number=made.number,
        reference=one.reference,
        status=AppointmentStatus(made.status),
        cancel_reason=CancelReason(made.cancel_reason),
        created_at=made.created_at,
        slot_id=made.slot_id,
        slot_label=made.slot.label,
        starts_at=band.starts_at,
        ends_at=band.ends_at,
        department_code=made.department.code,
        department=made.department.name,
        practitioner_code=doctor.code if doctor else "",
        practitioner=doctor.name if doctor else "",
        service_kind=session.service_type.kind,
        service=session.service_type.name,
        place=" ".join(part for part in place if part),
        person=sealed.blind_index(str(made.patient_id), f"interop.person.{one.partner_id}"),
        fee_fen=made.bill.total_fen,
        collect_by=made.hold_until if is_owed and made.collected_at is None else None,
    )
