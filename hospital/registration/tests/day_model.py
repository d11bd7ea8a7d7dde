"""A small outpatient day to be played at random: a session nearly sold, an empty one, one still to
be released, a next day's and an emergency room, five families, other doctors, and everything
people, WeChat and the clock may do to them.

Acts refuse as they do in life; what must hold after each is in `test_invariants`.
"""

import datetime as dt
from random import Random

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.catalogue.states import ServiceKind
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal, Stale
from hospital.registration import actions
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.states import (
    Acuity,
    AppointmentStatus,
    BookingKind,
    Consent,
    PaidWhen,
    WaitlistStatus,
)
from hospital.registration.tests.day_world import WANTED, House, World, one, to_settle
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import (
    POOLS_OF,
    Channel,
    Pool,
    ScheduleStatus,
    SlotStatus,
    Withheld,
)
from hospital.testing.schedules import TOMORROW, change_capacity, moment

STAFF = Actor("staff", 77)
_LEAPS = [dt.timedelta(minutes=minutes) for minutes in (1, 6, 16, 40, 130)]
_NIGHT = dt.timedelta(hours=21)
_PAID_WHEN = [PaidWhen.BOOKING, PaidWhen.ARRIVAL]
#: How often each act is chosen.
WEIGHTS = {
    "book": 10,
    "add_on": 2,
    "continue_visit": 3,
    "register_emergency": 2,
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
    "substitute": 2,
    "settle_substitution": 4,
    "answer": 2,
    "end_question": 2,
    "change_capacity": 2,
    "block": 2,
    "unblock": 2,
    "share": 1,
    "join_waitlist": 3,
    "leave_waitlist": 1,
    "serve_waitlists": 3,
    "time_passes": 6,
}


class Day(House):
    """What may be done; `prices_fen` is what each booking costs its patient at most."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.prices_fen: dict[int, int] = {}
        self.note_prices()

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
            "answer": Appointment.objects.filter(consent=Consent.ASKED).exists(),
            "end_question": Appointment.objects.filter(consent=Consent.ASKED).exists(),
            "settle_substitution": bool(to_settle()),
            "leave_waitlist": WaitlistStatus.WAITING in lines,
            "serve_waitlists": bool(lines),
        }
        for name, wanted in WANTED.items():
            needs[name] = bool(statuses & set(wanted))
        return [
            name for name, times in WEIGHTS.items() if needs.get(name, True) for _ in range(times)
        ]

    def act(self, name: str, dice: Random) -> str:
        """Do one thing; "ok", or the code of the refusal. Nobody else is here, so nothing can have
        changed between two looks."""
        try:
            getattr(self, name)(dice)
        except Stale:
            raise
        except Refusal as refusal:
            return refusal.code
        self.note_prices()
        return "ok"

    def note_prices(self) -> None:
        """What each booking may have cost: the fee of the doctor booked, and less once a cheaper
        one is there instead, never more (M1.9)."""
        rows = Appointment.objects.values_list(
            "pk", "booking_kind", "schedule__service_type", "title"
        )
        for row_id, kind, service_type_id, title in rows:
            is_free = kind == BookingKind.CONTINUATION
            fee_fen = 0 if is_free else self.world.fees_fen[service_type_id, title]
            known_fen = self.prices_fen.get(row_id, fee_fen)
            self.prices_fen[row_id] = min(known_fen, fee_fen)

    # ------------------------------------------------------------------ who wants a number

    def book(self, dice: Random) -> None:
        """By any channel, of any band, paid now or on arrival."""
        place = dice.randint(0, len(self.world.patients) - 1)
        band, channel = one(dice, self.bands()), dice.choice(list(Channel))
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
        self.check_pool(row, channel)

    def check_pool(self, row: Appointment, channel: Channel) -> None:
        """The channel's own numbers; the elderly at the window have a reserved one when none of
        those is left (M2.2), public ones apart, which a waiting list may keep."""
        slot = Slot.objects.get(pk=row.slot_id)
        if channel == Channel.WINDOW and slot.pool == Pool.RESERVED:
            assert row.patient_id == self.world.elderly.pk
            own = Slot.objects.filter(band=slot.band_id, pool=Pool.WINDOW)
            assert not own.filter(status=SlotStatus.FREE).exists()
        else:
            assert slot.pool in POOLS_OF[channel]

    def add_on(self, dice: Random) -> None:
        """The doctor takes one more."""
        band = one(dice, self.bands())
        actions.add_on(
            patient_id=one(dice, self.world.patients).pk,
            schedule_id=band.schedule_id,
            band_id=band.pk,
            practitioner_id=band.schedule.practitioner_id,
            key=f"add-{next(self.serial)}",
            by=STAFF,
            at=self.at,
        )

    def continue_visit(self, dice: Random) -> None:
        """The doctor has the results read another time."""
        if row := self.booking(dice, "continue_visit"):
            band = one(dice, self.bands())
            actions.continue_visit(
                first_number=row.number,
                schedule_id=band.schedule_id,
                band_id=dice.choice([band.pk, None]),
                key=f"again-{next(self.serial)}",
                by=STAFF,
                at=self.at,
            )

    def register_emergency(self, dice: Random) -> None:
        room = Schedule.objects.get(service_type__kind=ServiceKind.EMERGENCY)
        actions.register_emergency(
            patient_id=one(dice, self.world.patients).pk,
            schedule_id=room.pk,
            acuity=dice.choice(list(Acuity)),
            key=f"emergency-{next(self.serial)}",
            by=STAFF,
            at=self.at,
        )

    def join_waitlist(self, dice: Random) -> None:
        place = dice.randint(0, len(self.world.patients) - 1)
        actions.join_waitlist(
            wechat_user_id=self.world.users[place].pk,
            patient_id=self.world.patients[place].pk,
            schedule_id=one(dice, self.bands()).schedule_id,
            by=Actor("patient", self.world.users[place].pk),
            at=self.at,
        )

    def leave_waitlist(self, dice: Random) -> None:
        waiting = list(WaitlistEntry.objects.filter(status=WaitlistStatus.WAITING).order_by("pk"))
        if waiting:
            actions.leave_waitlist(entry_id=one(dice, waiting).pk, by=SYSTEM, at=self.at)

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
            for row in Appointment.objects.filter(bill=bill):  # as confirm has its job do
                if row.consent != Consent.ASKED:
                    actions.settle_substitution_one(appointment_id=row.pk, by=SYSTEM, at=self.at)

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
            if dice.random() < 0.3:  # it was never meant
                actions.enter_in_error(number=row.number, reason="挂错人", by=STAFF, at=self.at)
            elif row.status == AppointmentStatus.CHECKED_IN:
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

    def end_visits(self, dice: Random) -> None:
        """The sweep; sometimes the doctor has gone, whoever still waits."""
        running = Schedule.objects.filter(status=ScheduleStatus.IN_SESSION, ends_at__lte=self.at)
        if dice.random() < 0.3 and (ended := list(running.order_by("pk"))):
            actions.close_session(
                schedule_id=one(dice, ended).pk, reason="下班", by=STAFF, at=self.at
            )
        for appointment_id in actions.visits_to_end(at=self.at):
            actions.end_visit(appointment_id=appointment_id, by=SYSTEM, at=self.at)

    def correct(self, dice: Random) -> None:
        """A no-show that was none, or money back to whom nobody saw."""
        if row := self.booking(dice, "correct"):
            if dice.random() < 0.2:
                actions.enter_in_error(number=row.number, reason="挂错人", by=STAFF, at=self.at)
            elif row.status == AppointmentStatus.LEFT_UNSEEN:
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
        schedule_id = one(dice, self.bands()).schedule_id
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
            schedule_id=one(dice, self.bands()).schedule_id, reason="修好", by=STAFF, at=self.at
        )

    def substitute(self, dice: Random) -> None:
        """Another doctor, or the one on the roster again."""
        scheduling.substitute(
            schedule_id=one(dice, self.bands()).schedule_id,
            practitioner_id=one(dice, self.world.doctors).pk,
            reason="出差",
            by=STAFF,
            at=self.at,
        )

    def settle_substitution(self, dice: Random) -> None:
        """One of a substitution's jobs, in any order."""
        if rows := to_settle():
            actions.settle_substitution_one(
                appointment_id=one(dice, rows).pk, by=SYSTEM, at=self.at
            )

    def answer(self, dice: Random) -> None:
        rows = list(Appointment.objects.filter(consent=Consent.ASKED).order_by("pk"))
        if rows:
            number, agrees = one(dice, rows).number, dice.random() < 0.6
            actions.answer_substitution(number=number, agrees=agrees, by=STAFF, at=self.at)

    def end_question(self, dice: Random) -> None:
        for row in Appointment.objects.filter(consent=Consent.ASKED).order_by("pk"):
            actions.end_question(appointment_id=row.pk, by=SYSTEM, at=self.at)

    def change_capacity(self, dice: Random) -> None:
        change_capacity(one(dice, self.bands()), dice.randint(0, 4), by=STAFF, at=self.at)

    def block(self, dice: Random) -> None:
        slot = one(dice, self.slots())
        scheduling.block_numbers(
            schedule_id=slot.schedule_id, slot_ids=[slot.pk], reason="停号", by=STAFF, at=self.at
        )

    def unblock(self, dice: Random) -> None:
        slot = one(dice, self.slots())
        scheduling.unblock_numbers(
            schedule_id=slot.schedule_id, slot_ids=[slot.pk], reason="恢复", by=STAFF, at=self.at
        )

    def share(self, dice: Random) -> None:
        """Deal what nobody has out anew; all of it lies in a pool afterwards."""
        schedule_id = one(dice, self.bands()).schedule_id
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
        scheduling.start_sessions(by=SYSTEM, at=self.at)
        actions.close_ended(by=SYSTEM, at=self.at)
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
            actions.end_question(appointment_id=row.pk, by=SYSTEM, at=self.at)
        scheduling.start_sessions(by=SYSTEM, at=self.at)
        actions.close_ended(by=SYSTEM, at=self.at)
        for _ in range(2):
            for appointment_id in actions.visits_to_end(at=self.at):
                actions.end_visit(appointment_id=appointment_id, by=SYSTEM, at=self.at)
        actions.serve_waitlists(by=SYSTEM, at=self.at)
        scheduling.reclaim_due(by=SYSTEM, at=self.at)
        scheduling.expire_due(at=self.at)
