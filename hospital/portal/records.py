"""The patient's records as one list: every area's part is a provider, named in PROVIDERS (M11.4).

A later area (reports, prescriptions, deposits, invoices) adds its kind, and a provider that asks
its own queries; filters, page and order are here once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices
from django.urls import reverse

from hospital.kernel import clock
from hospital.payments import queries as payments
from hospital.payments.states import RefundStatus
from hospital.registration import queries as registration
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus
from hospital.ui.wording import yuan_text

#: The spans of time a page offers, in days; 0 is everything there is.
SPANS: Final = {"90": ("近三个月", 90), "365": ("近一年", 365), "0": ("全部", 0)}
_BEGINNING: Final = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
_TONES: Final = {
    AppointmentStatus.PENDING: "warn",
    AppointmentStatus.BOOKED: "brand",
    AppointmentStatus.CHECKED_IN: "brand",
}


class RecordKind(TextChoices):
    """What a record is about."""

    VISIT = "visit", "挂号"
    PAYMENT = "payment", "缴费"
    REFUND = "refund", "退费"
    DOCTOR = "doctor", "看过的医生"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose records of which time: patients the asking user may act for, [start, end) in UTC."""

    patient_ids: Collection[int]
    start: dt.datetime
    end: dt.datetime
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One line: what it is, of whom, and the page with the rest of it ("" = there is none)."""

    kind: RecordKind
    at: dt.datetime
    patient_id: int
    title: str
    hint: str
    value: str = ""
    tag: str = ""
    tone: str = ""
    url: str = ""


Provider = Callable[[Asked], list[RecordLine]]


def records(asked: Asked, *, kind: RecordKind | None = None) -> list[RecordLine]:
    """The lines of all areas, or of one kind, latest first."""
    lines = [
        line
        for of, provider in PROVIDERS.items()
        if kind is None or of is kind
        for line in provider(asked)
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def since(days: int, *, at: dt.datetime) -> dt.datetime:
    """When a span of so many days begins; 0 days begin before everything."""
    return at - dt.timedelta(days=days) if days else _BEGINNING


def visits(asked: Asked) -> list[RecordLine]:
    """Bookings, also those that came to nothing."""
    return [
        RecordLine(
            kind=RecordKind.VISIT,
            at=row.created_at,
            patient_id=row.patient_id,
            title=f"{row.department} {row.doctor}",
            hint=f"就诊 {_day(row)} {row.period_label}",
            tag=row.status_label,
            tone=_TONES.get(row.status, "mute"),
            url=reverse("registration-appointment", args=[row.number]),
        )
        for row in _appointments(asked)
        if asked.start <= row.created_at < asked.end
    ]


def paid(asked: Asked) -> list[RecordLine]:
    """Payments that arrived."""
    rows = payments.paid_rows(patient_ids=asked.patient_ids, start=asked.start, end=asked.end)
    return [
        RecordLine(
            kind=RecordKind.PAYMENT,
            at=row.at,
            patient_id=row.patient_id,
            title=row.title,
            hint=f"账单 {row.bill_number}",
            value=yuan_text(row.amount_fen),
            url=row.path,
        )
        for row in rows
    ]


def refunded(asked: Asked) -> list[RecordLine]:
    """Money that went back, or is on its way."""
    rows = payments.refund_rows(patient_ids=asked.patient_ids, start=asked.start, end=asked.end)
    return [
        RecordLine(
            kind=RecordKind.REFUND,
            at=row.at,
            patient_id=row.patient_id,
            title=row.title,
            hint=f"账单 {row.bill_number}",
            value=yuan_text(row.amount_fen),
            tag="已退款" if row.status is RefundStatus.SUCCEEDED else "退款处理中",
            tone="brand" if row.status is RefundStatus.SUCCEEDED else "warn",
            url=row.path,
        )
        for row in rows
    ]


def doctors(asked: Asked) -> list[RecordLine]:
    """Whom a patient has seen, once each, with the latest visit."""
    seen: dict[tuple[int, str, str], list[AppointmentRow]] = {}
    for row in _appointments(asked):
        is_over = row.status is AppointmentStatus.FULFILLED or (
            row.status in (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)
            and row.band_ends_at <= asked.at
        )
        if is_over and asked.start <= row.band_starts_at < asked.end:
            seen.setdefault((row.patient_id, row.doctor, row.department), []).append(row)
    return [
        RecordLine(
            kind=RecordKind.DOCTOR,
            at=max(row.band_starts_at for row in rows),
            patient_id=patient_id,
            title=f"{doctor} {rows[0].title_label}".strip(),
            hint=f"{department} · 最近 {_day(max(rows, key=lambda row: row.band_starts_at))}",
            value=f"{len(rows)} 次",
        )
        for (patient_id, doctor, department), rows in seen.items()
    ]


#: One place for all areas; the order is that of the filter on the page.
PROVIDERS: Final[dict[RecordKind, Provider]] = {
    RecordKind.VISIT: visits,
    RecordKind.PAYMENT: paid,
    RecordKind.REFUND: refunded,
    RecordKind.DOCTOR: doctors,
}


def _appointments(asked: Asked) -> list[AppointmentRow]:
    return registration.appointments_of(patient_ids=asked.patient_ids, at=asked.at)


def _day(row: AppointmentRow) -> str:
    day = clock.local(row.band_starts_at)
    return f"{day:%Y-%m-%d}"
