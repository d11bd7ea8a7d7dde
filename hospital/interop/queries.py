"""Reads of interop: what a partner may see of its own, and what the administrator looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from hospital.billing.states import PAID
from hospital.interop.models import Partner, PartnerBooking, PartnerCall, PartnerSecret
from hospital.interop.states import Scope
from hospital.kernel import sealed
from hospital.kernel.clock import day_period
from hospital.kernel.errors import NotFound
from hospital.kernel.models import AuditEntry, Transition
from hospital.registration.states import (
    VOID,
    AppointmentStatus,
    CancelReason,
    PaidWhen,
)
from hospital.scheduling.queries.listed import ALWAYS, Cut, ListedNumber, Span, listed_numbers

CALLS_SHOWN: Final = 200
ADDRESSES_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One booking of a partner. `person` tells its patients apart for this partner alone;
    `substitute` is the doctor the patient is to agree to before `answer_until` (M1.9)."""

    number: str
    reference: str
    status: AppointmentStatus
    cancel_reason: CancelReason
    created_at: dt.datetime
    changed_at: dt.datetime
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
    bill_id: int
    fee_fen: int
    is_paid: bool
    collect_by: dt.datetime | None
    substitute: str
    answer_until: dt.datetime | None


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
    changed: Span = ALWAYS,
    statuses: Collection[AppointmentStatus] = (),
    identifier: str = "",
    is_ours: bool = False,
    slot_id: int | None = None,
    practitioner: str = "",
) -> tuple[list[BookingRow], int, int]:
    """One page of a partner's bookings as they were made, how many there are in all, and the key
    of the page's last one. An identifier is the appointment's number or, unless `is_ours`, the
    partner's own; `ids` of the cut are appointments' numbers."""
    wanted = {
        "appointment__visit_date__gte": days.start,
        "appointment__visit_date__lt": days.end,
        "changed_at__gte": changed.start,
        "changed_at__lt": changed.end,
        "appointment__status__in": list(statuses) or None,
        "appointment__slot": slot_id,
        "appointment__practitioner__code": practitioner or None,
        "appointment__number__in": None if cut.ids is None else [str(one) for one in cut.ids],
    }
    found = _bookings(partner_id).filter(
        **{column: value for column, value in wanted.items() if value is not None}
    )
    if identifier:
        theirs = Q() if is_ours else Q(reference=identifier)
        found = found.filter(theirs | Q(appointment__number=identifier))
    page = list(found.filter(pk__gt=cut.after).order_by("pk")[: cut.most])
    return [_row(one) for one in page], found.count(), page[-1].pk if page else cut.after


def partners(*, day: dt.date, at: dt.datetime) -> list[PartnerRow]:
    """Every partner with its day, those switched on first, by name."""
    return _partner_rows(Partner.objects.order_by("-is_active", "name"), day=day, at=at)


def partner(*, partner_id: int) -> Partner:
    """One partner. Raises NotFound."""
    found = Partner.objects.filter(pk=partner_id).first()
    if found is None:
        raise NotFound("没有找到这个平台。")
    return found


def partner_row(*, partner_id: int, day: dt.date, at: dt.datetime) -> PartnerRow:
    """One partner with its day. Raises NotFound."""
    rows = _partner_rows(Partner.objects.filter(pk=partner_id), day=day, at=at)
    if not rows:
        raise NotFound("没有找到这个平台。")
    return rows[0]


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


def unproved_calls(*, day: dt.date) -> list[tuple[str, int]]:
    """From which addresses somebody who could not prove to be a partner called on a day, and how
    often, the most first."""
    period = day_period(day)
    found = PartnerCall.objects.filter(
        partner__isnull=True, at__gte=period.start, at__lt=period.end
    )
    counted = found.values_list("address").annotate(times=Count("pk"))
    return list(counted.order_by("-times", "address")[:ADDRESSES_SHOWN])


def _calls(partner_id: int, day: dt.date) -> QuerySet[PartnerCall]:
    period = day_period(day)
    return PartnerCall.objects.filter(partner=partner_id, at__gte=period.start, at__lt=period.end)


def _partner_rows(found: QuerySet[Partner], *, day: dt.date, at: dt.datetime) -> list[PartnerRow]:
    """Partners with their day, in one statement however many there are."""
    period, of_this = day_period(day), {"partner": OuterRef("pk")}
    calls = PartnerCall.objects.filter(at__gte=period.start, at__lt=period.end, **of_this)
    made = PartnerBooking.objects.filter(**of_this)
    ahead = made.filter(appointment__visit_date__gte=day)
    live = PartnerSecret.objects.filter(ended_at=None, expires_at__gt=at, **of_this)
    rows = found.annotate(
        booked=_count(made.filter(booked_date=day)),
        standing=_count(ahead.exclude(appointment__status__in=VOID)),
        live_secrets=_count(live),
        all_calls=_count(calls),
        refused=_count(calls.filter(status__gte=400)),
        latest=Subquery(
            PartnerCall.objects.filter(**of_this).order_by("-at").values("at")[:1],
        ),
    )
    return [
        PartnerRow(
            partner=one,
            scope_labels=tuple(str(Scope(scope).label) for scope in one.scopes),
            live_secrets=one.live_secrets,
            booked=one.booked,
            standing=one.standing,
            calls=one.all_calls,
            refused=one.refused,
            latest_call_at=one.latest,
        )
        for one in rows
    ]


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many rows each partner of the statement around has."""
    counted = rows.order_by().values("partner").annotate(many=Count("pk")).values("many")
    return Coalesce(Subquery(counted), 0)


def _secret_state(row: PartnerSecret, at: dt.datetime) -> str:
    if row.ended_at is not None:
        return "ended"
    return "live" if at < row.expires_at else "over"


def _bookings(partner_id: int) -> QuerySet[PartnerBooking]:
    """A partner's bookings with what their resource says, and when that last changed: by a move,
    by an act somebody answers for (a substitute, say), by being collected."""
    made = PartnerBooking.objects.filter(partner=partner_id).annotate(
        changed_at=Greatest(
            "appointment__created_at",
            "appointment__collected_at",
            _latest(Transition),
            _latest(AuditEntry),
        )
    )
    return made.select_related(
        "appointment__slot__band",
        "appointment__department",
        "appointment__practitioner",
        "appointment__schedule__service_type",
        "appointment__schedule__room",
        "appointment__schedule__practitioner",
        "appointment__bill",
    )


def _latest(history: type[Transition] | type[AuditEntry]) -> Subquery:
    """When history last speaks of a booking's appointment."""
    rows = history.objects.filter(
        subject_type="registration.appointment", subject_id=OuterRef("appointment_id")
    )
    return Subquery(rows.order_by("-id").values("at")[:1])


def _row(one: PartnerBooking) -> BookingRow:
    made = one.appointment
    doctor, band, session = made.practitioner, made.slot.band, made.schedule
    is_owed = made.status == AppointmentStatus.BOOKED and made.paid_when == PaidWhen.ARRIVAL
    new = session.practitioner
    place = (made.department.location_text, session.room.name)
    return BookingRow(
        number=made.number,
        reference=one.reference,
        status=AppointmentStatus(made.status),
        cancel_reason=CancelReason(made.cancel_reason),
        created_at=made.created_at,
        changed_at=one.changed_at,  # type: ignore[attr-defined]
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
        bill_id=made.bill_id,
        fee_fen=made.bill.total_fen,
        is_paid=made.bill.status in PAID and made.bill.total_fen > 0,
        substitute=new.name if new and made.answer_until else "",
        answer_until=made.answer_until,
        collect_by=made.hold_until if is_owed and made.collected_at is None else None,
    )
