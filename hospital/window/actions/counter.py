"""What the window and the kiosk do with several areas at once.

Each step is the lower area's own action in its own transaction, so that money that was taken stays
taken whatever fails behind it; every step may be repeated.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.db import transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.states import PAID
from hospital.kernel import audit, request_keys
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.payments import actions as payments
from hospital.registration import actions as registration
from hospital.registration import queries as bookings
from hospital.registration.actions import Override
from hospital.registration.states import AppointmentStatus, PaidWhen
from hospital.scheduling.states import Channel
from hospital.window import queries
from hospital.window.models import SlipPrint
from hospital.window.states import Reprint

if TYPE_CHECKING:
    from hospital.registration.models import Appointment


class NotPaidYet(Refusal):
    code = "NOT_PAID_YET"
    default_message = "还没有收到钱，不能打印小票。"


class NoNumber(Refusal):
    """The money came when the number had gone to somebody else; it is on its way back."""

    code = "NO_NUMBER"
    default_message = "这个号已经不在了，收到的钱会退回。请重新挂号。"


class SayWhy(Refusal):
    code = "SAY_WHY"
    default_message = "已经打印过。补打请选择原因。"


class OfficeWritesWhy(Refusal):
    """Whoever only sets limits aside does not register otherwise (chapter 7)."""

    code = "OFFICE_WRITES_WHY"
    default_message = "门诊办公室只为放宽限制挂号：请写明放宽的原因。不用放宽的，请挂号员挂。"


@transaction.atomic
def register(
    *,
    patient_id: int,
    schedule_id: int,
    band_id: int | None,
    channel: Channel = Channel.WINDOW,
    paid_when: PaidWhen = PaidWhen.BOOKING,
    reason: str = "",
    may_register: bool,
    key: str,
    by: Actor,
    at: dt.datetime,
) -> Appointment:
    """Hold a number at the window by the same rules as anywhere; with a `reason` those an office
    may set aside are (H3.1). Who telephones or was referred has the numbers kept for them, the
    elderly who stand here as well (M2.2).
    Raises what booking raises, OfficeWritesWhy."""
    if not may_register and not reason:
        raise OfficeWritesWhy
    appointment = registration.book(
        patient_id=patient_id,
        schedule_id=schedule_id,
        band_id=band_id,
        channel=channel,
        paid_when=paid_when,
        override=Override(bookings.MAY_BE_SET_ASIDE, reason) if reason else None,
        key=key,
        by=by,
        at=at,
    )
    if not may_register and not appointment.overrides:
        raise OfficeWritesWhy  # no rule stood in the way: nothing is kept
    return appointment


def hand_over(*, number: str, by: Actor, at: dt.datetime) -> None:
    """Make a paid booking stand and collected (M1.13): confirmed here and now, though the job that
    confirms it may come first. Raises NotFound, NotPaidYet, NoNumber, CannotCollect."""
    row = bookings.appointment(number=number, at=at)
    if bills.bill(bill_id=row.bill_id).status not in PAID:
        raise NotPaidYet
    confirmed = registration.confirm(bill_id=row.bill_id, by=by, at=at)
    if confirmed is not None and confirmed.status == AppointmentStatus.CANCELLED:
        raise NoNumber
    registration.collect(number=number, by=by, at=at)


@transaction.atomic
def print_slip(
    *, number: str, reason: Reprint = Reprint.NONE, key: str, by: Actor, at: dt.datetime
) -> SlipPrint:
    """Note that the slip of a collected booking is printed, or of an emergency before its money
    (M1.17); each further copy says why, but for the one that takes the place of a slip from before
    the money.

    The same `key` again is the same copy. Raises NotFound, CannotCollect, KeyReused, SayWhy.
    """
    claim = request_keys.claim(
        key=key, scope=f"window.print_slip:{by}", inputs={"number": number}, at=at
    )
    if claim.answer is not None:
        return SlipPrint.objects.get(pk=claim.answer["slip"])
    # Locks bill and booking, so that two windows count one after the other.
    appointment = registration.collect(number=number, by=by, at=at)
    latest = SlipPrint.objects.filter(appointment=appointment).order_by("-copy_no").first()
    if latest is None:
        reason = Reprint.NONE
    elif not reason:
        if not queries.is_before_the_money(latest, bill_id=appointment.bill_id):
            raise SayWhy
        reason = Reprint.PAID
    slip = SlipPrint.objects.create(
        appointment=appointment,
        copy_no=latest.copy_no + 1 if latest else 1,
        reason=reason,
        by=str(by),
        at=at,
    )
    after = {"copy": slip.copy_no}
    why = Reprint(slip.reason).label
    audit.record(act="window.print_slip", subject=slip, by=by, at=at, after=after, reason=why)
    claim.finish({"slip": slip.pk})
    return slip


@transaction.atomic
def hand_back(
    *, number: str, shown_fen: int, key: str, is_supervisor: bool, by: Actor, at: dt.datetime
) -> None:
    """Note that the cash of a booking was handed back, of every bill that had paid for it.

    The same `key` again does nothing more. Raises NotFound, NoCashOwed, BillChanged, KeyReused,
    CashBackNeedsSupervisor.
    """
    inputs = {"number": number, "fen": shown_fen}
    claim = request_keys.claim(key=key, scope=f"window.hand_back:{by}", inputs=inputs, at=at)
    if claim.answer is not None:
        return
    owed = queries.owed_of(number=number)
    if not owed:
        raise payments.NoCashOwed
    if sum(owed.values()) != shown_fen:
        raise billing.BillChanged
    # The latest bill first, as everybody does who needs several of one booking.
    for bill_id in owed:
        payments.hand_back_cash(
            bill_id=bill_id,
            shown_fen=owed[bill_id],
            key=f"{key}-{bill_id}",
            is_supervisor=is_supervisor,
            by=by,
            at=at,
        )
    claim.finish({"fen": shown_fen})
