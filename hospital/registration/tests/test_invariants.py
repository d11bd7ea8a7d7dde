"""Whatever happens to an outpatient day in whatever order (acceptance 2; the acts: `day_model`).

After every step: SM2's invariant per session and band, one booking behind every taken number, no
number outside a pool, every message once, a ledger that balances, and nobody both booked and
refunded. At the end nothing hangs.

MODEL_EXAMPLES (and MODEL_STEPS) make it long and random.
"""

import os
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import pytest
from django.db import connection, transaction
from django.db.models import Count, Q
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from hospital.billing import queries as bills
from hospital.billing.models import Posting
from hospital.billing.states import PAID, BillStatus
from hospital.kernel.models import Transition
from hospital.kernel.states import subject_type
from hospital.messaging.models import Message
from hospital.registration.models import Appointment, WaitlistEntry
from hospital.registration.money import standing_of
from hospital.registration.states import (
    VOID,
    AppointmentStatus,
    BookingKind,
    CancelReason,
    Consent,
    PaidWhen,
    WaitlistStatus,
)
from hospital.registration.tests.day_model import WEIGHTS, Day
from hospital.registration.tests.day_world import World
from hospital.scheduling.models import Schedule, Slot, TimeBand
from hospital.scheduling.states import TAKEN, Pool, SlotStatus
from hospital.testing.schedules import NOW, TOMORROW, moment

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "4"))
STEPS = int(os.environ.get("MODEL_STEPS", "40"))
#: The number behind a booking; the turn of a no-show is lost for good, also of a corrected one.
_NUMBER_OF: Final[Mapping[str, set[str]]] = {
    AppointmentStatus.PENDING: {SlotStatus.HELD},
    AppointmentStatus.BOOKED: {SlotStatus.BOOKED, SlotStatus.FORFEITED},
    AppointmentStatus.CHECKED_IN: {SlotStatus.BOOKED},
    AppointmentStatus.FULFILLED: {SlotStatus.CONSUMED, SlotStatus.FORFEITED},
    AppointmentStatus.NOSHOW: {SlotStatus.FORFEITED},
    AppointmentStatus.LEFT_UNSEEN: {SlotStatus.BOOKED},
}
_UNSETTLED: Final = (AppointmentStatus.PENDING, AppointmentStatus.CHECKED_IN)
_SEATED: Final = (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)
#: What each end of a booking is told by.
_TOLD_BY: Final[Mapping[str, str]] = {
    CancelReason.PAYMENT_TIMEOUT: "N03",
    CancelReason.NOT_COLLECTED: "N03",
    CancelReason.HOSPITAL: "N06",
    CancelReason.RESCHEDULED: "",  # the new booking's N01 says it
}


class Outpatients(RuleBasedStateMachine):
    """One day at random; refusals are as good as acts, surprises are not."""

    world: World
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self._example = transaction.atomic()
        self._example.__enter__()
        self.day = Day(self.world)
        self.looked_at: object = None

    @initialize(dice=st.randoms(use_true_random=True))
    def begin(self, dice: Random) -> None:
        """The day before, or the morning itself.

        Hypothesis' own choices repeat themselves too much for a short run to get anywhere; the
        dice are thrown anew for each example, and the same again for the same example.
        """
        self.dice = dice
        self.day.at = dice.choice([NOW, moment(TOMORROW, 7, 30)])

    @rule()
    def step(self) -> None:
        """One of the acts; what people do most is chosen more often."""
        name = self.dice.choice(self.day.can())
        with transaction.atomic():
            if self.day.act(name, self.dice) == "ok":
                self.done[name] += 1

    def teardown(self) -> None:
        try:
            self.day.end()
            self.sm2_nothing_is_oversold()
            self.every_taken_number_has_its_booking()
            self.the_ledger_balances_to_the_fen()
            self.everybody_is_told_once()
            self._nothing_hangs()
        finally:
            transaction.set_rollback(True)
            self._example.__exit__(None, None, None)

    @invariant()
    def sm2_nothing_is_oversold(self) -> None:
        """held + booked + consumed + forfeited ≤ capacity + add-ons, per session and per band."""
        usual = Q(slots__is_add_on=False) & ~Q(slots__status=SlotStatus.WITHDRAWN)
        added = Q(slots__is_add_on=True) & ~Q(slots__status=SlotStatus.WITHDRAWN)
        counts: dict[str, Count] = {
            "numbers": Count("slots", filter=usual),
            "added": Count("slots", filter=added),
            "taken": Count("slots", filter=Q(slots__status__in=TAKEN)),
        }
        bands: Counter[int] = Counter()
        of_bands: Any = TimeBand.objects.annotate(**counts).values()
        of_sessions: Any = Schedule.objects.annotate(**counts).values()
        for band in of_bands:
            assert band["numbers"] == band["capacity"], band
            assert band["taken"] <= band["capacity"] + band["added"], band
            bands[band["schedule_id"]] += band["capacity"]
        for schedule in of_sessions:
            assert schedule["numbers"] == schedule["capacity"] == bands[schedule["id"]], schedule
            assert schedule["taken"] <= schedule["capacity"] + schedule["added"], schedule

    @invariant()
    def quotas_add_up(self) -> None:
        """Every number lies in exactly one pool; an add-on outside what channels share (M2.2)."""
        pools = Slot.objects.values_list("is_add_on", "pool").annotate(count=Count("pk"))
        assert {pool for is_added, pool, _ in pools if is_added} <= {Pool.RESERVED}
        assert sum(count for *_, count in pools) == Slot.objects.count()

    @invariant()
    def every_taken_number_has_its_booking(self) -> None:
        rows = Appointment.objects.exclude(status__in=VOID)
        standing = list(rows.values_list("slot_id", "status"))
        owners = Counter(slot_id for slot_id, _ in standing)
        slots = dict(Slot.objects.filter(status__in=TAKEN).values_list("pk", "status"))
        for slot_id, status in standing:
            assert slots.get(slot_id) in _NUMBER_OF[status], (slot_id, status)
        for slot_id, status in slots.items():
            # Somebody excused from a no-show leaves a turn that nobody had.
            least = 0 if status == SlotStatus.FORFEITED else 1
            assert least <= owners[slot_id] <= 1, (slot_id, status)

    @invariant()
    def the_ledger_balances_to_the_fen(self) -> None:
        connection.check_constraints()
        totals = bills.ledger_totals()
        assert totals["balance_fen"] == 0
        assert totals["cash_fen"] == self.day.received_fen - self.day.returned_fen

    @invariant()
    def never_both_booked_and_refunded(self) -> None:
        """Who has a number has paid its fee, over all exchanges, and not a fen more or less."""
        rows = list(Appointment.objects.select_related("bill").filter(status__in=_SEATED))
        facts = [(row.pk, row.bill.settled_at, self.day.prices_fen[row.pk]) for row in rows]
        looked_at = (Posting.objects.count(), facts)
        if looked_at == self.looked_at:  # no money has moved since, and nobody came or went
            return
        self.looked_at = looked_at
        for row in rows:
            if row.bill.settled_at is not None:
                assert standing_of(row) == self.day.prices_fen[row.pk], row.pk
            elif row.bill.credit_guarantee:  # help first, money later (M1.17)
                assert row.paid_when == PaidWhen.LATER
            else:
                assert row.paid_when == PaidWhen.ARRIVAL
                assert row.status == AppointmentStatus.BOOKED

    @invariant()
    def everybody_is_told_once(self) -> None:
        """What befell a booking, by its history, against what was sent about it."""
        about = Message.objects.filter(subject_type=subject_type(Appointment))
        sent = Counter(about.values_list("subject_id", "kind", "event_key", "wechat_user_id"))
        assert set(sent.values()) <= {1}
        told = {(subject, kind) for subject, kind, *_ in sent}
        history = Transition.objects.filter(subject_type=subject_type(Appointment))
        reached: dict[int, list[tuple[str, str]]] = {}
        for subject, old, to in history.order_by("pk").values_list(
            "subject_id", "from_status", "to_status"
        ):
            reached.setdefault(subject, []).append((old, to))
        for row in Appointment.objects.all():
            moves = reached.get(row.pk, [])
            for kind in _expected(row, moves):
                assert (row.pk, kind) in told, (kind, moves)

    def _nothing_hangs(self) -> None:
        """Nobody paid is left without a number or the money back, nobody is left in line."""
        for row in Appointment.objects.select_related("bill", "schedule"):
            assert row.status not in _UNSETTLED, row.pk
            if row.status in VOID:
                is_kept = row.bill.status in PAID and row.successor_id is None
                assert not is_kept or standing_of(row) == 0, row.pk
            elif row.bill.credit_guarantee:
                assert row.bill.status in (*PAID, BillStatus.ISSUED), (row.pk, row.status)
            else:
                assert row.bill.status in PAID, (row.pk, row.status)
            is_owed = row.bill.status in (BillStatus.ISSUED, BillStatus.PAYING)
            assert not is_owed or row.bill.credit_guarantee, row.pk
            assert row.consent != Consent.ASKED or row.status in VOID
        waiting = WaitlistEntry.objects.filter(
            status__in=[WaitlistStatus.WAITING, WaitlistStatus.OFFERED]
        )
        assert list(waiting.values("pk", "status", "schedule", "owed_for")) == []


def _expected(row: Appointment, moves: list[tuple[str, str]]) -> set[str]:
    kinds = set()
    for old, to in moves:
        if to == AppointmentStatus.BOOKED and old in (
            AppointmentStatus.PENDING,
            AppointmentStatus.CANCELLED,
        ):
            kinds.add("N27" if row.booking_kind == BookingKind.CONTINUATION else "N01")
        if to == AppointmentStatus.NOSHOW:
            kinds.add("N13")
    if row.consent:
        kinds.add("N07")
    if row.status == AppointmentStatus.CANCELLED and moves:
        was_pending = moves[-1][0] == AppointmentStatus.PENDING
        kind = _TOLD_BY.get(row.cancel_reason, "" if was_pending else "N05")
        kinds |= {kind} - {""}
    if row.status == AppointmentStatus.ENTERED_IN_ERROR:
        kinds |= set() if moves[-1][0] == AppointmentStatus.PENDING else {"N05"}
    return kinds


@pytest.mark.slow
def test_sm2_bookings_numbers_and_money_fit_together_in_any_order(db: None) -> None:
    Outpatients.world, Outpatients.done = World(), Counter()
    run_state_machine_as_test(
        Outpatients,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            # In the suite the same walks every time; a long run looks for new ones.
            derandomize="MODEL_EXAMPLES" not in os.environ,
            deadline=None,
            # Shrinking what took forty steps of SQL takes longer than reading it.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(Outpatients.done) > len(WEIGHTS) * 2 // 3, f"too little happened: {Outpatients.done}"
