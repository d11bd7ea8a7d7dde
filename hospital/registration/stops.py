"""Reads about 停诊: who would be touched, and what became of everybody who was (M1.8).

Rows are ready for pages: names masked, words in Chinese, fen, moments in UTC.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.billing import queries as billing
from hospital.billing.queries import Money
from hospital.billing.states import PAYABLE, MoneyState
from hospital.kernel.states import subject_type
from hospital.messaging import queries as messaging
from hospital.messaging.queries import Reached
from hospital.messaging.states import CallStatus
from hospital.patients import queries as patients
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.money import whole_money
from hospital.registration.states import (
    LIVE,
    ON_WAITLIST,
    AppointmentStatus,
    CancelReason,
    WaitlistStatus,
)
from hospital.scheduling import queries as sessions

_SEEN: Final = AppointmentStatus.FULFILLED
_NOBODY: Final = Reached("未通知", "", is_open=False)
_REFUNDS: Final = {
    MoneyState.REFUNDING: ("退款中", "warn"),
    MoneyState.REFUNDED: ("已退款", "brand"),
    MoneyState.PAID: ("待退款", "warn"),
    MoneyState.PARTIALLY_REFUNDED: ("部分已退", "warn"),
    MoneyState.PAYING: ("支付中，将关闭", "warn"),
    MoneyState.UNPAID: ("未付费", ""),
    MoneyState.WAIVED: ("无需退款", ""),
    MoneyState.CLOSED: ("未付费", ""),
}


@dataclass(frozen=True, slots=True)
class TouchedRow:
    """One booking that a stop undoes, as it stands before."""

    number: str
    label: str
    name: str
    band_starts_at: dt.datetime
    status_label: str
    money_label: str
    paid_fen: int
    has_wechat: bool


@dataclass(frozen=True, slots=True)
class StopPreview:
    """Whom a stop would touch: how many of each, what goes back, and who has no WeChat."""

    rows: tuple[TouchedRow, ...]
    paid: int
    paid_fen: int
    unpaid: int
    checked_in: int
    seen: int
    waiting: int
    without_wechat: int

    @property
    def paid_note(self) -> str:
        return f"{self.paid} 人已付款"


@dataclass(frozen=True, slots=True)
class StoppedRow:
    """What became of one booking: cancelled, refunded, told, and the first offer it is owed."""

    number: str
    label: str
    name: str
    patient_number: str
    band_starts_at: dt.datetime
    is_cancelled: bool
    refund_label: str
    refund_tone: str
    refund_fen: int
    is_refund_open: bool
    told: Reached
    offer_label: str
    offer_until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StopResult:
    """All bookings of a stop and their sums; `is_done` when nothing is under way any more."""

    rows: tuple[StoppedRow, ...]
    cancelled: int
    due_fen: int
    due: int
    refunded_fen: int
    refunded: int
    told: int
    calls: int
    cleared: int
    seen: int
    is_done: bool

    @property
    def total_text(self) -> str:
        return str(len(self.rows))

    @property
    def due_note(self) -> str:
        return f"{self.due} 人"

    @property
    def refunded_note(self) -> str:
        return f"{self.refunded} 人"


def waiting(*, schedule_id: int) -> tuple[TouchedRow, ...]:
    """Who has checked in to a session and waits to be seen (SM1)."""
    found = list(_of(schedule_id).filter(status=AppointmentStatus.CHECKED_IN))
    money = billing.money_of([row.bill for row in found])
    return tuple(
        _touched(row, whole_money(row, money[row.bill_id]), has_wechat=False) for row in found
    )


def preview(*, schedule_id: int) -> StopPreview:
    """Whom calling a session off would touch now."""
    found = list(_of(schedule_id).filter(status__in=LIVE))
    money = billing.money_of([row.bill for row in found])
    bound = patients.bound_ids(patient_ids={row.patient_id for row in found})
    rows = tuple(
        _touched(row, whole_money(row, money[row.bill_id]), has_wechat=row.patient_id in bound)
        for row in found
    )
    return StopPreview(
        rows=rows,
        paid=sum(1 for row in rows if row.paid_fen),
        paid_fen=sum(row.paid_fen for row in rows),
        unpaid=sum(1 for row in found if row.bill.status in PAYABLE),
        checked_in=sum(1 for row in found if row.status == AppointmentStatus.CHECKED_IN),
        seen=_of(schedule_id).filter(status=_SEEN).count(),
        waiting=WaitlistEntry.objects.filter(
            schedule_id=schedule_id, status__in=ON_WAITLIST
        ).count(),
        without_wechat=sum(1 for row in rows if not row.has_wechat),
    )


def result(*, schedule_id: int, since: dt.datetime) -> StopResult:
    """What became of the bookings of a session called off at a moment: eight statements, however
    many they are, and some for each that was exchanged. Of one held after all: who was called off
    before that; who books it now is no longer touched."""
    touched = Q(cancel_reason=CancelReason.HOSPITAL, cancelled_at__gte=since)
    if sessions.is_suspended(schedule_id=schedule_id):
        touched |= Q(status__in=LIVE)
    found = list(_of(schedule_id).filter(touched))
    ids = [row.pk for row in found]
    money = billing.money_of([row.bill for row in found])
    told = messaging.reached(kind="N06", subject_type=subject_type(Appointment), subject_ids=ids)
    offers = _first_offers(ids)
    rows = tuple(
        _stopped(
            row,
            whole_money(row, money[row.bill_id]),
            told.get(row.pk, _NOBODY),
            offers.get(row.pk),
        )
        for row in found
    )
    is_open = any(
        not row.is_cancelled or row.is_refund_open or (row.told.is_open and not _is_call(row.told))
        for row in rows
    )
    return StopResult(
        rows=rows,
        cancelled=sum(1 for row in rows if row.is_cancelled),
        due_fen=sum(row.refund_fen for row in rows if row.is_refund_open),
        due=sum(1 for row in rows if row.is_refund_open),
        refunded_fen=sum(row.refund_fen for row in rows if not row.is_refund_open),
        refunded=sum(1 for row in rows if row.refund_fen and not row.is_refund_open),
        told=sum(1 for row in rows if row.told.tone == "brand"),
        calls=sum(1 for row in rows if _is_call(row.told) and row.told.is_open),
        cleared=WaitlistEntry.objects.filter(
            schedule_id=schedule_id, status=WaitlistStatus.CLEARED
        ).count(),
        seen=_of(schedule_id).filter(status=_SEEN).count(),
        is_done=not is_open,
    )


def _of(schedule_id: int) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(schedule_id=schedule_id)
    return rows.select_related("patient", "slot__band", "bill").order_by(
        "slot__is_add_on", "slot__sequence_no", "pk"
    )


def _touched(row: Appointment, money: Money, *, has_wechat: bool) -> TouchedRow:
    return TouchedRow(
        number=row.number,
        label=row.slot.label,
        name=row.patient.masked_name,
        band_starts_at=row.slot.band.starts_at,
        status_label=AppointmentStatus(row.status).label,
        money_label=money.state.label,
        paid_fen=money.total_fen if money.state == MoneyState.PAID else 0,
        has_wechat=has_wechat,
    )


def _stopped(
    row: Appointment,
    money: Money,
    told: Reached,
    offer: WaitlistEntry | None,
) -> StoppedRow:
    label, tone = _REFUNDS[money.state]
    in_cash = money.cash_fen > 0
    if in_cash and money.due_fen:  # nobody waits for it here: the patient comes to a window
        label, tone = "到窗口领现金", "warn"
    return StoppedRow(
        number=row.number,
        label=row.slot.label,
        name=row.patient.masked_name,
        patient_number=row.patient.outpatient_no,
        band_starts_at=row.slot.band.starts_at,
        is_cancelled=row.status == AppointmentStatus.CANCELLED,
        refund_label=label,
        refund_tone=tone,
        refund_fen=money.refunded_fen + money.due_fen,
        is_refund_open=(money.due_fen > 0 and not in_cash) or money.state == MoneyState.PAYING,
        told=told,
        offer_label=WaitlistStatus(offer.status).label if offer else "",
        offer_until=offer.valid_until if offer else None,
    )


def _is_call(told: Reached) -> bool:
    return told.call_status in (CallStatus.OPEN, CallStatus.UNREACHABLE)


def _first_offers(appointment_ids: Collection[int]) -> dict[int, WaitlistEntry]:
    rows = WaitlistEntry.objects.filter(owed_for__in=appointment_ids)
    return {row.owed_for_id: row for row in rows if row.owed_for_id is not None}
