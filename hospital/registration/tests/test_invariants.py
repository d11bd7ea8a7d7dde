"""Any order of bookings, payments, timeouts, cancellations and refunds keeps the promises.

A state machine plays patients, WeChat and the clock against two small sessions; after every step
numbers, appointments and ledger must fit together, and at the end nothing hangs.
"""

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.states import AppointmentStatus
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.states import TAKEN, SlotStatus
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, a_released_schedule

_references = itertools.count(1)
_any = st.integers(min_value=0, max_value=999)


def outcome_of(call: Callable[[], object]) -> str:
    """ "ok", or the code of the refusal."""
    try:
        call()
    except Refusal as refusal:
        return refusal.code
    return "ok"


class Hospital(RuleBasedStateMachine):
    """Two sessions of two bands with three numbers, five patients of their own users."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.at = NOW
        self.received_fen = 0
        self.returned_fen = 0
        self.patients: list[Patient] = []
        self.bands: list[TimeBand] = []

    @initialize()
    def open_the_hospital(self) -> None:
        self.patients = [a_patient(a_wechat_user()) for _ in range(5)]
        for _ in range(2):
            schedule = a_released_schedule(capacity=3, band_minutes=120)
            self.bands += list(schedule.bands.order_by("starts_at"))

    def teardown(self) -> None:
        if self.bands:
            self.at += dt.timedelta(hours=1)
            self._let_everything_end()
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(who=_any, where=_any)
    def book(self, who: int, where: int) -> None:
        patient = self.patients[who % len(self.patients)]
        band = self.bands[where % len(self.bands)]
        user_id = patient.bindings.get().wechat_user_id
        had_place = band.slots.filter(status=SlotStatus.FREE).exists()
        code = outcome_of(
            lambda: actions.book(
                patient_id=patient.pk,
                schedule_id=band.schedule_id,
                band_id=band.pk,
                wechat_user_id=user_id,
                key=f"step-{next(_references)}",
                by=Actor("patient", user_id),
                at=self.at,
            )
        )
        assert had_place or code != "ok"
        assert not had_place or code != "SLOT_TAKEN"

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def begin_to_pay(self, which: int) -> None:
        bill = self._bill(which)
        if bill.status == BillStatus.ISSUED and bill.expires_at and self.at < bill.expires_at:
            billing.start_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def stop_paying(self, which: int) -> None:
        bill = self._bill(which)
        billing.stop_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)
        actions.release_unpaid_bill(bill_id=bill.pk, by=SYSTEM, at=self.at)

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def money_arrives(self, which: int) -> None:
        """Also twice, also long after the bill was given up."""
        bill = self._bill(which)
        self.received_fen += bill.total_fen
        billing.settle_bill(
            bill_id=bill.pk,
            method="wechat",
            amount_fen=bill.total_fen,
            reference=f"wx-{next(_references)}",
            by=SYSTEM,
            at=self.at,
        )

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def confirm(self, which: int) -> None:
        actions.confirm(bill_id=self._bill(which).pk, by=SYSTEM, at=self.at)

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def release(self, which: int) -> None:
        actions.release_unpaid_bill(bill_id=self._bill(which).pk, by=SYSTEM, at=self.at)

    @precondition(lambda self: Appointment.objects.exists())
    @rule(which=_any)
    def cancel(self, which: int) -> None:
        rows = Appointment.objects.order_by("pk")
        row = rows[which % rows.count()]
        code = outcome_of(
            lambda: actions.cancel(number=row.number, by=Actor("patient", 1), at=self.at)
        )
        assert code in ("ok", "CANNOT_CANCEL", "CANCEL_TOO_LATE")

    @precondition(lambda self: Bill.objects.exists())
    @rule(which=_any)
    def refund(self, which: int) -> None:
        bill = self._bill(which)
        due_fen = bills.refund_due_fen(bill_id=bill.pk)
        if due_fen:
            self.returned_fen += due_fen
            reference = f"R-{next(_references)}"
            billing.post_refund(
                bill_id=bill.pk, amount_fen=due_fen, reference=reference, by=SYSTEM, at=self.at
            )

    @rule(minutes=st.sampled_from([1, 6, 16, 40]))
    def time_passes(self, minutes: int) -> None:
        self.at += dt.timedelta(minutes=minutes)
        actions.remind_unpaid(by=SYSTEM, at=self.at)
        scheduling.reclaim_due(by=SYSTEM, at=self.at)

    @invariant()
    def sm2_nothing_is_oversold(self) -> None:
        for schedule in Schedule.objects.all():
            slots = Slot.objects.filter(schedule=schedule)
            assert slots.count() == schedule.capacity
            assert slots.filter(status__in=TAKEN).count() <= schedule.capacity
        for band in self.bands:
            assert band.slots.filter(status__in=TAKEN).count() <= band.capacity

    @invariant()
    def every_taken_number_has_its_booking(self) -> None:
        rows = Appointment.objects.exclude(status=AppointmentStatus.CANCELLED)
        wanted = {AppointmentStatus.PENDING: "held", AppointmentStatus.BOOKED: "booked"}
        expected = {row.slot_id: wanted[AppointmentStatus(row.status)] for row in rows}
        taken = Slot.objects.filter(status__in=TAKEN)
        assert dict(taken.values_list("pk", "status")) == expected

    @invariant()
    def the_ledger_balances_to_the_fen(self) -> None:
        connection.check_constraints()
        totals = bills.ledger_totals()
        assert totals["balance_fen"] == 0
        assert totals["cash_fen"] == self.received_fen - self.returned_fen

    @invariant()
    def never_both_booked_and_refunded(self) -> None:
        for row in Appointment.objects.filter(status=AppointmentStatus.BOOKED):
            assert not bills.is_reversed(bill_id=row.bill_id)
            assert row.bill.settled_at is not None

    def _bill(self, which: int) -> Bill:
        rows = Bill.objects.order_by("pk")
        return rows[which % rows.count()]

    def _let_everything_end(self) -> None:
        """Every job runs once more: nobody paid is left without a number or the money back."""
        for bill in Bill.objects.order_by("pk"):
            billing.stop_paying(bill_id=bill.pk, by=SYSTEM, at=self.at)
            actions.confirm(bill_id=bill.pk, by=SYSTEM, at=self.at)
            actions.release_unpaid_bill(bill_id=bill.pk, by=SYSTEM, at=self.at)
        for row in Appointment.objects.select_related("bill"):
            assert row.status != AppointmentStatus.PENDING
            paid = row.bill.settled_at is not None
            booked = row.status == AppointmentStatus.BOOKED
            assert booked == (paid and not bills.is_reversed(bill_id=row.bill_id))
            assert row.bill.status not in (BillStatus.ISSUED, BillStatus.PAYING)


@pytest.mark.django_db
@pytest.mark.slow
def test_bookings_numbers_and_money_fit_together_in_any_order() -> None:
    run_state_machine_as_test(
        Hospital,
        settings=settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
