"""Reads of registration: bookings for the person they belong to, and for the desk.

Rows are ready for pages: words, times in UTC, money in fen, and what may still be done with them.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from hospital.billing import queries as billing
from hospital.billing.queries import Money
from hospital.billing.states import BillStatus, MoneyState
from hospital.identity import queries as identity
from hospital.identity.queries import Reach
from hospital.kernel.clock import Period
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.kernel.states import subject_type
from hospital.organisation.states import Title
from hospital.patients import queries as patients
from hospital.registration import rules
from hospital.registration.models import Appointment
from hospital.registration.money import bills_of, way_back, whole_money
from hospital.registration.states import (
    LIVE,
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Consent,
    PaidWhen,
    WayBack,
)
from hospital.registration.visit_words import place_of
from hospital.scheduling.states import Channel, SessionPeriod

SEARCH_AT_MOST: Final = 50
# The rules an office may let pass this once (H3.1), by their codes.
MAY_BE_SET_ASIDE: Final = rules.MAY_BE_SET_ASIDE
_LISTED_AT_MOST: Final = 200
_NUMBER: Final = re.compile(r"\d{14}", re.ASCII)
_BILL: Final = re.compile(r"B\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """One booking as pages show it. `cancel_note` says in words until when one may cancel, or why
    no longer; `refund_due_fen` is what is still on its way back; `number_label` is "12" or "A01";
    `payer_id` the WeChat user asked to pay, whoever booked.
    """

    id: int
    number: str
    status: AppointmentStatus
    status_label: str
    patient_id: int
    patient_name: str
    patient_number: str
    wechat_user_id: int | None
    department: str
    doctor: str
    title_label: str
    service_name: str
    visit_date: dt.date
    period_label: str
    band_starts_at: dt.datetime
    band_ends_at: dt.datetime
    session_ends_at: dt.datetime
    sequence_no: int
    number_label: str
    place: str
    schedule_id: int
    slot_id: int
    channel: Channel
    channel_label: str
    kind: BookingKind
    kind_label: str
    acuity: int | None
    is_paid_on_arrival: bool
    is_paid_later: bool
    collected_at: dt.datetime | None
    hold_until: dt.datetime | None
    bill_id: int
    bill_number: str
    payer_id: int | None
    bill_token: str
    bill_status: BillStatus
    money: MoneyState
    money_label: str
    total_fen: int
    refund_due_fen: int
    refunded_fen: int
    way_back: WayBack
    cancel_reason: CancelReason
    cancel_reason_label: str
    is_late_cancel: bool
    incident_label: str
    created_at: dt.datetime
    booked_at: dt.datetime | None
    cancelled_at: dt.datetime | None
    consent: Consent
    can_cancel: bool
    cancel_note: str
    is_upcoming: bool

    @property
    def is_owed_later(self) -> bool:
        """Whether it was given out unpaid and still is: an emergency's fee (M1.17)."""
        return self.is_paid_later and self.money in (MoneyState.UNPAID, MoneyState.PAYING)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One step in the life of a booking or of its bill; `by` is an actor such as "staff:3"."""

    at: dt.datetime
    subject: str
    from_label: str
    to_label: str
    by: str
    reason: str


def appointments_for(*, wechat_user_id: int, at: dt.datetime) -> list[AppointmentRow]:
    """The bookings of the patients bound to a WeChat user, whoever booked: what is to come first
    and soonest, then the past, latest first (two statements)."""
    rows = _rows(_visible(wechat_user_id).order_by("-visit_date", "-pk")[:_LISTED_AT_MOST], at=at)
    coming = [row for row in rows if row.is_upcoming]
    past = [row for row in rows if not row.is_upcoming]
    coming.sort(key=lambda row: (row.band_starts_at, row.sequence_no))
    return coming + past


def appointments_of(*, patient_ids: Collection[int], at: dt.datetime) -> list[AppointmentRow]:
    """Every booking of patients the caller may ask about, whatever became of it, latest first."""
    found = _loaded().filter(patient_id__in=patient_ids)
    return _rows(found.order_by("-visit_date", "-pk"), at=at)


def appointment_for(*, wechat_user_id: int, number: str, at: dt.datetime) -> AppointmentRow:
    """One booking of a patient bound to a user. Raises NotFound, also when it is somebody else's,
    or was booked by this user while it might act for the patient (M11.2)."""
    found = _rows(_visible(wechat_user_id).filter(number=number), at=at)
    if not found:
        raise NotFound("没有找到这个预约。")
    return found[0]


def appointment(
    *, number: str, at: dt.datetime, within: Reach = identity.EVERYTHING
) -> AppointmentRow:
    """One booking for the desk. Raises NotFound, also when it is out of the reader's reach."""
    found = _rows(_loaded().filter(_within(within), number=number), at=at)
    if not found:
        raise NotFound("没有找到这个预约。")
    return found[0]


def search(
    *,
    text: str,
    at: dt.datetime,
    day: dt.date | None = None,
    within: Reach = identity.EVERYTHING,
) -> list[AppointmentRow]:
    """Up to 50 bookings for what a clerk typed, the latest visit first; `day` narrows them, and so
    does the reader's reach.

    Understands the booking's number, the bill's number, and everything patients are found by:
    name, pinyin, phone, document, outpatient number.
    """
    wanted = text.strip()
    if not wanted:
        return []
    if _NUMBER.fullmatch(wanted):
        found = _loaded().filter(number=wanted)
    else:
        whose = Q(patient__in=patients.patient_ids(wanted))
        if _BILL.fullmatch(wanted.upper()):  # any other number may be a person's
            whose |= Q(bill__number=wanted.upper())
        found = _loaded().filter(whose)
    found = found.filter(_within(within))
    if day is not None:
        found = found.filter(visit_date=day)
    return _rows(found.order_by("-visit_date", "-pk")[:SEARCH_AT_MOST], at=at)


def appointments_of_schedule(*, schedule_id: int, at: dt.datetime) -> list[AppointmentRow]:
    """All bookings of a session by number, for the desk."""
    rows = _loaded().filter(schedule_id=schedule_id)
    return _rows(rows.order_by("slot__sequence_no", "pk"), at=at)


def emergencies_of(*, day: dt.date, at: dt.datetime) -> list[AppointmentRow]:
    """The emergencies of a hospital day, and of a night that began before it and still goes on, or
    after which somebody still waits: who waits by acuity, the first come first; then the others,
    the latest first."""
    goes_on = Q(schedule__ends_at__gt=at) | Q(status=AppointmentStatus.CHECKED_IN)
    that_day = Q(visit_date=day) | Q(visit_date__lt=day) & goes_on
    rows = _loaded().filter(that_day, booking_kind=BookingKind.EMERGENCY)
    found = _rows(rows.order_by("-created_at", "-pk")[:_LISTED_AT_MOST], at=at)
    waiting = [row for row in reversed(found) if row.status == AppointmentStatus.CHECKED_IN]
    waiting.sort(key=lambda row: row.acuity or 0)
    return waiting + [row for row in found if row.status != AppointmentStatus.CHECKED_IN]


def may_begin(*, number: str, practitioner_id: int | None, within: Reach) -> bool:
    """Whether a doctor may begin the visit of a booking: in the own session, or in one that names
    no doctor, of a department within reach."""
    row = Appointment.objects.select_related("schedule").filter(number=number).first()
    if row is None or practitioner_id is None:
        return False
    if row.schedule.practitioner_id is None:
        return within.covers(department_id=row.department_id)
    return row.schedule.practitioner_id == practitioner_id


def appointment_of_bill(*, bill_id: int, at: dt.datetime) -> AppointmentRow | None:
    """The booking a bill is for, None when it is for something else."""
    return next(iter(_rows(_loaded().filter(bill_id=bill_id), at=at)), None)


def history_of(*, appointment_id: int) -> list[HistoryRow]:
    """Every move of a booking and of its bill, oldest first; it begins with the booking itself."""
    row = Appointment.objects.get(pk=appointment_id)
    own = Transition.objects.filter(subject_type=subject_type(Appointment), subject_id=row.pk)
    begun = HistoryRow(
        at=row.created_at,
        subject="预约",
        from_label="",
        to_label=AppointmentStatus.PENDING.label,
        by=row.made_by or f"patient:{row.wechat_user_id}",
        reason="",
    )
    steps = [
        *_steps("预约", AppointmentStatus, own.order_by("id")),
        *_steps("账单", BillStatus, billing.history_of(bill_id=row.bill_id)),
    ]
    return [begun, *sorted(steps, key=lambda step: step.at)]


def _visible(wechat_user_id: int) -> QuerySet[Appointment]:
    """What was booked for the patients the user may act for."""
    return _loaded().filter(
        patient__bindings__wechat_user_id=wechat_user_id,
        patient__bindings__ended_at__isnull=True,
    )


def _within(reach: Reach) -> Q:
    if reach.is_everything:
        return Q()
    return (
        Q(department_id__in=reach.department_ids)
        | Q(practitioner_id__in=reach.practitioner_ids)
        | Q(patient_id__in=reach.patient_ids)
    )


def _loaded() -> QuerySet[Appointment]:
    return Appointment.objects.select_related(
        "patient",
        "department",
        "practitioner",
        "schedule__room",
        "schedule__service_type",
        "slot__band",
        "bill",
    )


def _rows(found: QuerySet[Appointment], *, at: dt.datetime) -> list[AppointmentRow]:
    loaded = list(found)
    money = billing.money_of([row.bill for row in loaded])
    return [_row(row, whole_money(row, money[row.bill_id]), at) for row in loaded]


def _row(row: Appointment, money: Money, at: dt.datetime) -> AppointmentRow:
    band, status = row.slot.band, AppointmentStatus(row.status)
    # Who has come, or comes late, still has it before him when the band is over.
    has_come = status == AppointmentStatus.CHECKED_IN
    is_upcoming = has_come or (status in LIVE and row.schedule.ends_at > at)
    names = _names_now(row) if is_upcoming else _names_then(row)
    back = way_back(money)
    can_cancel, cancel_note = _cancelling(row, back, at)
    reason = CancelReason(row.cancel_reason)
    return AppointmentRow(
        id=row.pk,
        number=row.number,
        status=status,
        status_label=status.label,
        patient_id=row.patient_id,
        patient_name=row.patient.name,
        patient_number=row.patient.outpatient_no,
        wechat_user_id=row.wechat_user_id,
        department=names.department,
        doctor=names.doctor or names.service,
        title_label=Title(names.title).label if names.title else "",
        service_name=names.service,
        visit_date=row.visit_date,
        period_label=SessionPeriod(row.schedule.session_period).label,
        band_starts_at=band.starts_at,
        band_ends_at=band.ends_at,
        session_ends_at=row.schedule.ends_at,
        sequence_no=row.slot.sequence_no,
        number_label=row.slot.label,
        place=place_of(row),
        schedule_id=row.schedule_id,
        slot_id=row.slot_id,
        channel=Channel(row.channel),
        channel_label=Channel(row.channel).label,
        kind=BookingKind(row.booking_kind),
        kind_label=BookingKind(row.booking_kind).label,
        acuity=row.acuity,
        is_paid_on_arrival=row.paid_when == PaidWhen.ARRIVAL,
        is_paid_later=row.paid_when == PaidWhen.LATER,
        collected_at=row.collected_at,
        hold_until=row.hold_until if status == AppointmentStatus.PENDING else None,
        bill_id=row.bill_id,
        bill_number=row.bill.number,
        payer_id=row.bill.wechat_user_id,
        bill_token=row.bill.token,
        bill_status=BillStatus(row.bill.status),
        money=money.state,
        money_label=money.state.label,
        total_fen=money.total_fen,
        refund_due_fen=money.due_fen,
        refunded_fen=money.refunded_fen,
        way_back=back,
        cancel_reason=reason,
        cancel_reason_label=reason.label,
        is_late_cancel=row.is_late_cancel,
        incident_label=_incident(row),
        created_at=row.created_at,
        booked_at=row.booked_at,
        cancelled_at=row.cancelled_at,
        consent=Consent(row.consent),
        can_cancel=can_cancel,
        cancel_note=cancel_note,
        is_upcoming=is_upcoming,
    )


@dataclass(frozen=True, slots=True)
class _Names:
    department: str
    doctor: str
    title: str
    service: str


def _names_now(row: Appointment) -> _Names:
    """What stands on the doors today: where a coming patient has to go."""
    doctor = row.practitioner
    return _Names(
        department=row.department.name,
        doctor=doctor.name if doctor else "",
        title=doctor.title if doctor else "",
        service=row.schedule.service_type.name,
    )


def _names_then(row: Appointment) -> _Names:
    """What it was booked under: renaming a department does not rewrite history (H1)."""
    return _Names(row.department_name, row.doctor_name, row.title, row.service_name)


def _incident(row: Appointment) -> str:
    """What counts against the patient, "" for nothing (M1.10)."""
    if row.status == AppointmentStatus.NOSHOW:
        return "爽约"
    return "当日退号" if row.is_late_cancel else ""


def _cancelling(row: Appointment, back: WayBack, at: dt.datetime) -> tuple[bool, str]:
    """Whether the patient may cancel, and the rule in words (M1.7)."""
    if row.status not in LIVE:
        return False, ""
    if row.consent and row.status == AppointmentStatus.BOOKED:
        parts = ("已更换医生，就诊前可随时免费退号", str(back.label))
        return True, "，".join(part for part in parts if part) + "。"
    try:
        is_late = rules.check_cancel(
            status=row.status,
            visit_date=row.visit_date,
            band_starts_at=row.slot.band.starts_at,
            at=at,
        )
    except rules.CannotCancel as refusal:  # the page shows the rule instead of the button
        return False, refusal.message
    if row.status == AppointmentStatus.PENDING:
        return True, "尚未支付，可直接取消。"
    return True, rules.cancel_note(row.visit_date, is_late=is_late, way_back=back)


def _steps(
    subject: str,
    labels: type[AppointmentStatus] | type[BillStatus],
    moves: Iterable[Transition],
) -> Sequence[HistoryRow]:
    return [
        HistoryRow(
            at=move.at,
            subject=subject,
            from_label=str(labels(move.from_status).label),
            to_label=str(labels(move.to_status).label),
            by=move.by,
            reason=move.reason,
        )
        for move in moves
    ]


@dataclass(frozen=True, slots=True)
class Handled:
    """What one person did with bookings in a period."""

    booked: int
    cancelled: int


def handled(*, by: str, period: Period) -> Handled:
    """How many bookings an actor ("staff:3") made and cancelled in a period."""
    moves = Transition.objects.filter(
        subject_type=subject_type(Appointment), by=by, at__gte=period.start, at__lt=period.end
    )
    mine = Appointment.objects.filter(
        made_by=by, created_at__gte=period.start, created_at__lt=period.end
    )
    return Handled(
        booked=mine.count(),
        cancelled=moves.filter(to_status=AppointmentStatus.CANCELLED).count(),
    )


def reserved_from(*, birth_date: dt.date, channel: Channel) -> dt.date | None:
    """From which visit day on a patient may have reserved numbers by a channel (M2.2), None: never.
    What booking goes by, for pages that show what is left."""
    return rules.reserved_from(birth_date, channel=channel)


def is_known(*, number: str) -> bool:
    """Whether a number is a booking's."""
    return Appointment.objects.filter(number=number).exists()


def paying_bills(*, number: str) -> list[int]:
    """The bills a booking is paid with, its own first: after an exchange there are several. Raises
    NotFound."""
    row = Appointment.objects.filter(number=number).first()
    if row is None:
        raise NotFound("没有找到这个预约。")
    return bills_of(row)
