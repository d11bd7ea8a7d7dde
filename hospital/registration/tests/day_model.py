"""A small outpatient day to be played at random: a session nearly sold, an empty one and one still
to be released, five families, and everything people, WeChat and the clock may do to them.

Acts refuse as they do in life; what must hold after each is in `test_invariants`.
"""

import datetime as dt
import itertools
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import AppointmentStatus, PaidWhen, WaitlistStatus
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.states import (
    POOLS_OF,
    Channel,
    Pool,
    ScheduleStatus,
    SlotStatus,
    Withheld,
)
from hospital.testing.bookings import a_paid_booking
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import (
    NOW,
    TOMORROW,
    a_released_schedule,
    band_of,
    moment,
)

Row = TypeVar("Row")
STAFF = Actor("staff", 77)
_FIRST: dict[Pool, int] = {Pool.WECHAT: 2, Pool.WINDOW: 1, Pool.KIOSK: 1, Pool.RESERVED: 1}
_LEAPS = [dt.timedelta(minutes=minutes) for minutes in (1, 6, 16, 40, 130)]
_NIGHT = dt.timedelta(hours=21)
#: How often each act is chosen.
WEIGHTS = {
    "book": 10,
    "add_on": 2,
    "begin_to_pay": 2,
    "stop_paying": 2,
    "money_arrives": 9,
    "give_up": 3,
    "cancel": 4,
    "cancel_at_the_desk": 2,
    "exchange": 5,
    "collect": 1,
    "check_in": 4,
    "undo_check_in": 1,
    "start_visit": 3,
    "end_visits": 4,
    "correct": 2,
    "refund": 2,
    "stop": 1,
    "undo_stopped": 3,
    "resume": 2,
    "change_capacity": 2,
    "block": 2,
    "unblock": 2,
    "share": 1,
    "join_waitlist": 3,
    "leave_waitlist": 1,
    "serve_waitlists": 3,
    "time_passes": 6,
}


class World:
    """What every example begins with: made once, taken back to after each."""

    def __init__(self) -> None:
        self.users = [a_wechat_user() for _ in range(5)]
        self.patients: list[Patient] = [a_patient(user) for user in self.users]
        days = (TOMORROW, TOMORROW, TOMORROW + dt.timedelta(days=7))
        fees_fen = (2500, 4000, 2500)
        sessions = [
            a_released_schedule(
                day=day, capacity=5, band_minutes=120, fee_fen=fee_fen, shares=_FIRST
            )
            for day, fee_fen in zip(days, fees_fen, strict=True)
        ]
        self.fees_fen = {row.pk: fen for row, fen in zip(sessions, fees_fen, strict=True)}
        for place, patient in enumerate(self.patients[:2]):
            band = band_of(sessions[0], place)
            a_paid_booking(patient=patient, schedule=sessions[0], band=band)
        self.received_fen = bills.ledger_totals()["cash_fen"]


class Day:
    """The hospital of one example; `at` is the moment for everybody."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.at = NOW
        self.serial = itertools.count(1)
        self.received_fen = world.received_fen
        self.returned_fen = 0

    def can(self) -> list[str]:
        """The acts that may come to something now, as often as each is to be chosen."""
        statuses = set(Appointment.objects.values_list("status", flat=True).distinct())
        sessions = set(Schedule.objects.values_list("status", flat=True).distinct())
        unpaid = set(Bill.objects.values_list("status", flat=True).distinct())
        lines = set(WaitlistEntry.objects.values_list("status", flat=True).distinct())
        is_blocked = Slot.objects.filter(withheld=Withheld.OFFICE).exists()
        needs: dict[str, bool] = {
            "begin_to_pay": BillStatus.ISSUED in unpaid,
            "stop_paying": BillStatus.PAYING in unpaid,
            "unblock": is_blocked,
            "undo_stopped": ScheduleStatus.SUSPENDED in sessions,
            "resume": ScheduleStatus.SUSPENDED in sessions,
            "leave_waitlist": WaitlistStatus.WAITING in lines,
            "serve_waitlists": bool(lines),
        }
        for name, wanted in _WANTED.items():
            needs[name] = bool(statuses & set(wanted))
        return [
            name for name, times in WEIGHTS.items() if needs.get(name, True) for _ in range(times)
        ]

    def act(self, name: str, dice: Random) -> str:
        """Do one thing; "ok", or the code of the refusal."""
        try:
            getattr(self, name)(dice)
        except Refusal as refusal:
            return refusal.code
        return "ok"

    # ------------------------------------------------------------------ who wants a number

    def book(self, dice: Random) -> None:
        """By any channel, of any band, paid now or on arrival."""
        place = dice.randint(0, len(self.world.patients) - 1)
        band, channel = _one(dice, self.bands()), dice.choice(list(Channel))
        is_online = channel in (Channel.WECHAT, Channel.PARTNER)
        row = actions.book(
            patient_id=self.world.patients[place].pk,
            schedule_id=band.schedule_id,
            band_id=dice.choice([band.pk, None]),
            wechat_user_id=self.world.users[place].pk if channel == Channel.WECHAT else None,
            channel=channel,
            paid_when=PaidWhen.BOOKING if is_online else dice.choice(_PAID_WHEN),
            key=f"book-{next(self.serial)}",
            by=Actor("patient", self.world.users[place].pk) if is_online else STAFF,
            at=self.at,
        )
        assert Slot.objects.get(pk=row.slot_id).pool in POOLS_OF[channel]

    def add_on(self, dice: Random) -> None:
        """The doctor takes one more."""
        band = _one(dice, self.bands())
        actions.add_on(
            patient_id=_one(dice, self.world.patients).pk,
            schedule_id=band.schedule_id,
            band_id=band.pk,
            practitioner_id=band.schedule.practitioner_id,
            key=f"add-{next(self.serial)}",
            by=STAFF,
            at=self.at,
        )

    def join_waitlist(self, dice: Random) -> None:
        place = dice.randint(0, len(self.world.patients) - 1)
        actions.join_waitlist(
            wechat_user_id=self.world.users[place].pk,
            patient_id=self.world.patients[place].pk,
            schedule_id=_one(dice, self.bands()).schedule_id,
            by=Actor("patient", self.world.users[place].pk),
            at=self.at,
        )

    def leave_waitlist(self, dice: Random) -> None:
        waiting = list(WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING).order_by("pk"))
        if waiting:
            actions.leave_waitlist(entry_id=_one(dice, waiting).pk, by=SYSTEM, at=self.at)

    def serve_waitlists(self, _: Random) -> None:
        actions.serve_waitlists(by=SYSTEM, at=self.at)

    # ------------------------------------------------------------------ money, or its absence

    def begin_to_pay(self, dice: Random) -> None:
        if bill := self.bill(dice):
            billing.start_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)

    def stop_paying(self, dice: Random) -> None:
        if bill := self.bill(dice):
            billing.stop_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)
            actions.release_unpaid_bill(bill_id=bill.pk, by=SYSTEM, at=self.at)

    def money_arrives(self, dice: Random) -> None:
        """Also twice, also long after the bill was given up."""
        if bill := self.bill(dice):
            self.received_fen += bill.total_fen
            billing.settle_bill(
                bill_id=bill.pk,
                method="wechat",
                amount_fen=bill.total_fen,
                reference=f"wx-{next(self.serial)}",
                by=SYSTEM,
                at=self.at,
            )
            actions.confirm(bill_id=bill.pk, by=SYSTEM, at=self.at)

    def give_up(self, dice: Random) -> None:
        """The timers of one booking, whenever they come."""
        if row := self.booking(dice, "give_up"):
            actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=self.at)
            actions.give_up_uncollected(appointment_id=row.pk, by=SYSTEM, at=self.at)

    def refund(self, dice: Random) -> None:
        bill = self.bill(dice)
        due_fen = bills.refund_due_fen(bill_id=bill.pk) if bill else 0
        if bill and due_fen:
            self.returned_fen += due_fen
            billing.post_refund(
                bill_id=bill.pk,
                amount_fen=due_fen,
                reference=f"R-{next(self.serial)}",
                by=SYSTEM,
                at=self.at,
            )

    # ------------------------------------------------------------------ what becomes of a booking

    def cancel(self, dice: Random) -> None:
        if row := self.booking(dice, "cancel"):
            actions.cancel(number=row.number, by=Actor("patient", 1), at=self.at)
            actions.recount(patient_id=row.patient_id, by=SYSTEM, at=self.at)

    def cancel_at_the_desk(self, dice: Random) -> None:
        if row := self.booking(dice, "cancel_at_the_desk"):
            if row.status == AppointmentStatus.CHECKED_IN:
                actions.cancel_after_check_in(
                    number=row.number, reason="改期", by=STAFF, at=self.at
                )
            else:
                actions.cancel(number=row.number, by=STAFF, at=self.at)

    def exchange(self, dice: Random) -> None:
        """Another number instead, dearer, cheaper or the same; by the patient or a clerk."""
        if row := self.booking(dice, "exchange"):
            band, is_own = dice.choice(self.bands()), dice.random() < 0.5
            actions.exchange(
                number=row.number,
                schedule_id=band.schedule_id,
                band_id=dice.choice([band.pk, None]),
                key=f"exchange-{next(self.serial)}",
                channel=Channel.WECHAT if is_own else Channel.WINDOW,
                by=Actor("patient", self.user_of(row.patient_id)) if is_own else STAFF,
                at=self.at,
            )

    def collect(self, dice: Random) -> None:
        if row := self.booking(dice, "collect"):
            actions.collect(number=row.number, by=STAFF, at=self.at)

    def check_in(self, dice: Random) -> None:
        if row := self.booking(dice, "check_in"):
            actions.check_in(number=row.number, by=STAFF, at=self.at)

    def undo_check_in(self, dice: Random) -> None:
        if row := self.booking(dice, "undo_check_in"):
            actions.undo_check_in(number=row.number, reason="签错", by=STAFF, at=self.at)

    def start_visit(self, dice: Random) -> None:
        if row := self.booking(dice, "start_visit"):
            actions.start_visit(number=row.number, by=STAFF, at=self.at)

    def end_visits(self, _: Random) -> None:
        for appointment_id in actions.visits_to_end(at=self.at):
            actions.end_visit(appointment_id=appointment_id, by=SYSTEM, at=self.at)

    def correct(self, dice: Random) -> None:
        """A no-show that was none, or money back to whom nobody saw."""
        if row := self.booking(dice, "correct"):
            if row.status == AppointmentStatus.LEFT_UNSEEN:
                actions.refund_unseen(number=row.number, reason="未看", by=STAFF, at=self.at)
            else:
                actions.correct_noshow(
                    number=row.number,
                    was_there=dice.random() < 0.5,
                    reason="漏签",
                    by=STAFF,
                    at=self.at,
                )

    # ------------------------------------------------------------------ what the office does

    def stop(self, dice: Random) -> None:
        schedule_id = _one(dice, self.bands()).schedule_id
        scheduling.suspend_schedule(
            schedule_id=schedule_id, reason="设备故障", by=STAFF, at=self.at
        )
        actions.clear_waitlist(schedule_id=schedule_id, reason="停诊", by=SYSTEM, at=self.at)

    def undo_stopped(self, dice: Random) -> None:
        """One of a stop's jobs, in any order and as often as one likes."""
        if row := self.booking(dice, ""):
            actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=self.at)

    def resume(self, dice: Random) -> None:
        actions.resume_session(
            schedule_id=_one(dice, self.bands()).schedule_id, reason="修好", by=STAFF, at=self.at
        )

    def change_capacity(self, dice: Random) -> None:
        scheduling.change_capacity(
            band_id=_one(dice, self.bands()).pk,
            capacity=dice.randint(0, 4),
            reason="调整",
            by=STAFF,
            at=self.at,
        )

    def block(self, dice: Random) -> None:
        slot = _one(dice, self.slots())
        scheduling.block_numbers(
            schedule_id=slot.schedule_id, slot_ids=[slot.pk], reason="停号", by=STAFF, at=self.at
        )

    def unblock(self, dice: Random) -> None:
        slot = _one(dice, self.slots())
        scheduling.unblock_numbers(
            schedule_id=slot.schedule_id, slot_ids=[slot.pk], reason="恢复", by=STAFF, at=self.at
        )

    def share(self, dice: Random) -> None:
        """Deal what nobody has out anew; all of it lies in a pool afterwards."""
        schedule_id = _one(dice, self.bands()).schedule_id
        nobodys = Slot.objects.filter(
            schedule_id=schedule_id,
            is_add_on=False,
            status__in=[SlotStatus.PLANNED, SlotStatus.FREE],
        )
        count = nobodys.count()
        dealt = scheduling.share_numbers(
            schedule_id=schedule_id,
            shares={dice.choice(list(Pool)): dice.randint(0, count)},
            reason="重新分配",
            by=STAFF,
            at=self.at,
        )
        assert sum(dealt.values()) == count

    def time_passes(self, dice: Random) -> None:
        """The clock's own sweeps, each of them due."""
        is_early = self.at < moment(TOMORROW, 0)
        self.at += dice.choice([*_LEAPS, _NIGHT] if is_early else _LEAPS)
        scheduling.release_due(by=SYSTEM, at=self.at)
        scheduling.advance_sessions(by=SYSTEM, at=self.at)
        scheduling.reclaim_due(by=SYSTEM, at=self.at)
        scheduling.merge_due(today=TOMORROW, at=self.at)
        scheduling.expire_due(at=self.at)
        actions.remind_unpaid(by=SYSTEM, at=self.at)

    def end(self) -> None:
        """Every job runs once more, long after: nobody is left between two states."""
        self.at = max(self.at, moment(TOMORROW + dt.timedelta(days=9), 0))
        self.run_everything()
        self.at += dt.timedelta(days=2)  # the first offers just owed are over too (M1.8)
        actions.serve_waitlists(by=SYSTEM, at=self.at)

    def run_everything(self) -> None:
        for bill in Bill.objects.order_by("pk"):
            billing.stop_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)
            actions.confirm(bill_id=bill.pk, by=SYSTEM, at=self.at)
        for row in Appointment.objects.order_by("pk"):
            actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=self.at)
            actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=self.at)
            actions.give_up_uncollected(appointment_id=row.pk, by=SYSTEM, at=self.at)
        scheduling.advance_sessions(by=SYSTEM, at=self.at)
        for _ in range(2):
            for appointment_id in actions.visits_to_end(at=self.at):
                actions.end_visit(appointment_id=appointment_id, by=SYSTEM, at=self.at)
        actions.serve_waitlists(by=SYSTEM, at=self.at)
        scheduling.reclaim_due(by=SYSTEM, at=self.at)
        scheduling.expire_due(at=self.at)

    # ------------------------------------------------------------------ whom it happens to

    def user_of(self, patient_id: int) -> int:
        places = {row.pk: place for place, row in enumerate(self.world.patients)}
        return self.world.users[places[patient_id]].pk

    def bands(self) -> list[TimeBand]:
        return list(TimeBand.objects.select_related("schedule").order_by("pk"))

    def slots(self) -> list[Slot]:
        return list(Slot.objects.filter(is_add_on=False).order_by("pk"))

    def bill(self, dice: Random) -> Bill | None:
        """Some bill, more often one that still waits for money."""
        rows = list(Bill.objects.order_by("pk"))
        waiting = [row for row in rows if row.status == BillStatus.ISSUED]
        return _one(dice, waiting * 6 + rows) if rows else None

    def booking(self, dice: Random, act: str) -> Appointment | None:
        """Some booking the act is for; now and then any other."""
        rows = list(Appointment.objects.order_by("pk"))
        meant = [row for row in rows if row.status in _WANTED.get(act, ())]
        return _one(dice, meant * 4 + rows) if rows else None


#: In what state a booking must be for an act to mean anything.
_WANTED = {
    "give_up": (AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
    "cancel": (AppointmentStatus.PENDING, AppointmentStatus.BOOKED),
    "cancel_at_the_desk": (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN),
    "collect": (AppointmentStatus.BOOKED,),
    "exchange": (AppointmentStatus.BOOKED,),
    "check_in": (AppointmentStatus.BOOKED,),
    "undo_check_in": (AppointmentStatus.CHECKED_IN,),
    "start_visit": (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN),
    "correct": (AppointmentStatus.NOSHOW, AppointmentStatus.LEFT_UNSEEN),
}
_PAID_WHEN = [PaidWhen.BOOKING, PaidWhen.ARRIVAL]


def _one(dice: Random, rows: Sequence[Row]) -> Row:
    return dice.choice(rows)
