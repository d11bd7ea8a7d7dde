"""改约 and 换号: a booking is exchanged for another of the same patient, the difference settled.

The earlier one stays until the new one stands (SM3). M1.4's limits see the two as one booking.
Dearer: the new bill asks for the difference, and paying it completes the exchange. Cheaper: the
difference goes back to who paid. Nobody pays twice, whenever a process dies in between.
"""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing.states import PAID
from hospital.kernel import request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import NotFound, Refusal
from hospital.patients import queries as patients
from hospital.registration import rules, thresholds
from hospital.registration.actions.booking import kind_of, look_back, place
from hospital.registration.actions.cancelling import may_go_freely, undo
from hospital.registration.actions.settling import lock
from hospital.registration.models import Appointment
from hospital.registration.money import standing_of, take_back
from hospital.registration.states import (
    AppointmentStatus,
    BookingKind,
    CancelReason,
    PaidWhen,
)
from hospital.scheduling import actions as scheduling
from hospital.scheduling import queries as sessions
from hospital.scheduling.states import Channel

if TYPE_CHECKING:
    from hospital.catalogue.queries import FeeLine
    from hospital.patients.queries import LockedPatient
    from hospital.scheduling.models import Slot

_EXCHANGED: Final = (BookingKind.ADVANCE, BookingKind.SAME_DAY, BookingKind.WALK_IN)
_WHY_NOT: Final = {
    AppointmentStatus.PENDING: "该预约还没有支付，请先支付或取消，再重新挂号。",
    AppointmentStatus.CHECKED_IN: "患者已签到，不能改约；如需改约请先撤销签到。",
    AppointmentStatus.FULFILLED: "已经开始就诊，不能改约。",
}


class CannotExchange(Refusal):
    code = "CANNOT_EXCHANGE"
    default_message = "该预约不能改约。"


class ExchangeUnderWay(CannotExchange):
    """`number` is the new booking that waits for its difference to be paid."""

    code = "EXCHANGE_UNDER_WAY"
    default_message = "该预约正在改约，请先支付差价，或取消那次改约。"


@transaction.atomic
def exchange(
    *,
    number: str,
    schedule_id: int,
    band_id: int | None,
    key: str,
    channel: Channel = Channel.WECHAT,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """Exchange a paid booking for a number of another band or session; the new booking.

    It is booked at once, unless it is dearer: then it is held like any number until the difference
    is paid, and the earlier one stays till then. Patients are bound to M1.7's times, everybody to
    M1.3's checks. The same `key` again gives the same booking. Raises NotFound, CannotExchange,
    CancelTooLate, ExchangeUnderWay, the refusals of `rules`, SlotTaken, NoFee, KeyReused.
    """
    claim = request_keys.claim(
        key=key,
        scope=f"registration.exchange:{by}",
        inputs={"number": number, "schedule": schedule_id, "band": band_id},
        at=at,
    )
    if claim.answer is not None:
        return Appointment.objects.get(number=claim.answer["number"])
    known = Appointment.objects.select_related("slot__band").filter(number=number).first()
    if known is None:
        raise NotFound("没有找到这个预约。")
    is_own_wish = by.kind == "patient"
    user_id = by.id if is_own_wish else None
    if user_id is None:
        person = patients.lock_known_patient(patient_id=known.patient_id)
    else:
        person = patients.lock_bound_patient(wechat_user_id=user_id, patient_id=known.patient_id)
    is_paid = billing.lock_bill(bill_id=known.bill_id).status in PAID
    old = lock(known.pk)
    _check(old, known.slot.band.starts_at, schedule_id, band_id, is_own_wish=is_own_wish, at=at)
    session = sessions.session_facts(schedule_id=schedule_id)
    wish = rules.Wish(old.patient_id, user_id, session, at, channel)
    rules.check(person, wish, _without(old, look_back(wish)))
    quote = sessions.fee_of(session)
    assert person is not None  # the first check has said so
    slot = _claim(wish, person, band_id, by=by)
    paid_fen = standing_of(old) if is_paid else 0
    more_fen = max(quote.total_fen - paid_fen, 0)
    new = place(
        dataclasses.replace(wish, wechat_user_id=user_id or old.wechat_user_id),
        slot,
        claim=claim,
        kind=kind_of(wish),
        paid_when=PaidWhen.BOOKING if is_paid else PaidWhen.ARRIVAL,
        lines=_difference(quote.lines, more_fen),
        waiver="" if more_fen else f"由预约{old.number}的费用结转",
        by=by,
        at=at,
        replaces_id=old.pk,
    )
    if is_paid and paid_fen > quote.total_fen:
        take_back(new, fen=paid_fen - quote.total_fen, reason="改约退差价", by=by, at=at)
    return new


@transaction.atomic
def drop_exchange(*, appointment_id: int, by: Actor, at: dt.datetime) -> bool:
    """The booking an exchange began with was given up: the new one, still unpaid, falls with it.
    False when there is nothing to drop."""
    known = Appointment.objects.filter(pk=appointment_id).first()
    if known is None:
        return False
    billing.lock_bill(bill_id=known.bill_id)
    row = lock(known.pk)
    if row.status != AppointmentStatus.PENDING or row.replaces_id is None:
        return False
    undo(row, CancelReason.STAFF, is_late=False, reason="原预约已取消", by=by, at=at)
    return True


def _check(
    old: Appointment,
    band_starts_at: dt.datetime,
    schedule_id: int,
    band_id: int | None,
    *,
    is_own_wish: bool,
    at: dt.datetime,
) -> None:
    status = AppointmentStatus(old.status)
    if status != AppointmentStatus.BOOKED:
        raise CannotExchange(_WHY_NOT.get(status, ""))
    if old.booking_kind not in _EXCHANGED:
        raise CannotExchange(f"{BookingKind(old.booking_kind).label}不能改约。")
    if (old.schedule_id, old.slot.band_id) == (schedule_id, band_id):
        raise CannotExchange("改约的就是原来的时段，请另选时段。")
    waiting = old.exchanges.filter(status=AppointmentStatus.PENDING).first()
    if waiting is not None:
        raise ExchangeUnderWay(number=waiting.number)
    if is_own_wish and not may_go_freely(old):
        rules.check_cancel(
            status=status, visit_date=old.visit_date, band_starts_at=band_starts_at, at=at
        )


def _without(old: Appointment, history: rules.History) -> rules.History:
    """What limits look at, with the two bookings of the exchange as one (M1.4)."""
    past = [row for row in history.past if row.number != old.number]
    return dataclasses.replace(history, past=past)


def _claim(wish: rules.Wish, person: "LockedPatient", band_id: int | None, *, by: Actor) -> "Slot":
    if sessions.is_late_release(wish.session, at=wish.at):
        scheduling.release_due(schedule_id=wish.session.id, by=by, at=wish.at)
    band = sessions.band_of(wish.session, band_id) if band_id is not None else None
    return scheduling.hold_slot(
        schedule_id=wish.session.id,
        band_id=band.id if band else None,
        until=wish.at + dt.timedelta(minutes=thresholds.HOLD_MINUTES.value()),
        channel=wish.channel,
        reserved_from=rules.reserved_from(person.birth_date, channel=wish.channel),
        by=by,
        at=wish.at,
    )


def _difference(lines: Sequence["FeeLine"], more_fen: int) -> list["FeeLine"]:
    """The lines of the new fee, as far as what was paid does not cover them: the last ones first
    bear what is still to be paid."""
    left_fen, asked = more_fen, []
    for line in reversed(lines):
        part_fen = min(line.amount_fen, left_fen)
        left_fen -= part_fen
        asked.append(dataclasses.replace(line, amount_fen=part_fen))
    return asked[::-1]
