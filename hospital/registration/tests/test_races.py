"""Many at once on a real server: exactly as many holds as numbers, one outcome of every race.

Each thread has its own connection and commits for good, so these tests clean up behind them.
"""

import datetime as dt
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.catalogue.states import ServiceKind
from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.patients.models import Patient
from hospital.registration import actions
from hospital.registration.models import Appointment
from hospital.registration.states import LIVE, Acuity, AppointmentStatus
from hospital.scheduling import actions as scheduling
from hospital.scheduling.models import Schedule, Slot
from hospital.scheduling.states import Pool, SlotStatus
from hospital.testing.bookings import a_booking, a_paid_booking, pay
from hospital.testing.organisation import a_department, a_service_type
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW, TOMORROW, a_released_schedule, band_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
LATE = NOW + dt.timedelta(minutes=15, seconds=5)
_keys = itertools.count(1)


@pytest.fixture(autouse=True)
def _no_jobs_left() -> Iterator[None]:
    """The job table is not Django's to empty after a test."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


def at_once(*tasks: Callable[[], object]) -> list[str]:
    """Run the tasks in threads that start together; what each came to: "ok", or a refusal's code.

    Anything but a refusal (a deadlock, a broken constraint) fails the test.
    """
    gate = threading.Barrier(len(tasks))
    outcomes = [""] * len(tasks)
    problems: list[BaseException] = []

    def run(place: int, task: Callable[[], object]) -> None:
        try:
            gate.wait()
            task()
            outcomes[place] = "ok"
        except Refusal as refusal:
            outcomes[place] = refusal.code
        except BaseException as problem:  # noqa: BLE001 - told to the test below
            problems.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    return outcomes


def book(
    user: WeChatUser, patient: Patient, schedule: Schedule, *, key: str = "", at: dt.datetime = NOW
) -> Callable[[], Appointment]:
    band_id = band_of(schedule).pk
    key = key or f"race-{next(_keys)}"
    return lambda: actions.book(
        patient_id=patient.pk,
        schedule_id=schedule.pk,
        band_id=band_id,
        wechat_user_id=user.pk,
        key=key,
        by=Actor("patient", user.pk),
        at=at,
    )


def people(count: int) -> list[tuple[WeChatUser, Patient]]:
    users = [a_wechat_user() for _ in range(count)]
    return [(user, a_patient(user)) for user in users]


def numbers(rows: Sequence[str]) -> list[int]:
    return sorted(int(number[-6:]) for number in rows)


def check_ledger() -> None:
    """Never both booked and refunded, never neither; and the whole ledger balances."""
    for row in Appointment.objects.select_related("bill", "slot"):
        reversed_ = bills.is_reversed(bill_id=row.bill_id)
        paid = row.bill.settled_at is not None
        assert not (row.status == AppointmentStatus.BOOKED and (reversed_ or not paid))
        assert not (row.status == AppointmentStatus.CANCELLED and paid and not reversed_)
        if row.status in LIVE:
            assert row.slot.status in (SlotStatus.HELD, SlotStatus.BOOKED)
    assert bills.ledger_totals()["balance_fen"] == 0


def test_e1_sixty_at_once_for_ten_numbers_give_ten_holds_and_fifty_clean_refusals() -> None:
    schedule = a_released_schedule(capacity=10, band_minutes=240)

    outcomes = at_once(*(book(*person, schedule) for person in people(60)))

    assert Counter(outcomes) == {"ok": 10, "SLOT_TAKEN": 50}
    assert Slot.objects.filter(status=SlotStatus.HELD).count() == 10
    assert numbers(list(Bill.objects.values_list("number", flat=True))) == [*range(1, 11)]
    held = Appointment.objects.values_list("slot__sequence_no", flat=True)
    assert sorted(held) == [*range(1, 11)]

    unpaid = Appointment.objects.order_by("pk")[:4]
    assert (
        at_once(
            *(
                lambda row=row: actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=LATE)
                for row in unpaid
            )
        )
        == ["ok"] * 4
    )
    again = at_once(*(book(*person, schedule, at=LATE) for person in people(6)))
    assert Counter(again) == {"ok": 4, "SLOT_TAKEN": 2}
    check_ledger()


def test_m1_16_the_release_itself_may_be_raced() -> None:
    day = NOW.date() + dt.timedelta(days=8)
    schedule = a_released_schedule(day=day, capacity=5, band_minutes=240)
    assert schedule.status == "published"
    release_at = schedule.release_at

    outcomes = at_once(
        *(book(*person, schedule, at=release_at) for person in people(12)),
        lambda: scheduling.release_due(by=SYSTEM, at=release_at),
    )

    assert Counter(outcomes) == {"ok": 6, "SLOT_TAKEN": 7}


def test_m1_16_who_books_while_the_numbers_come_out_gets_one() -> None:
    """Nobody is told it is full because the release has not been committed yet."""
    ((user, patient),) = people(1)
    schedule = a_released_schedule(day=NOW.date() + dt.timedelta(days=8), capacity=5)
    release_at = schedule.release_at
    with ThreadPoolExecutor(1) as elsewhere:
        with transaction.atomic():
            assert scheduling.release_due(by=SYSTEM, at=release_at) == [schedule.pk]
            booked = elsewhere.submit(at_once, book(user, patient, schedule, at=release_at))
            wait_until_somebody_waits()
        assert booked.result() == ["ok"]


def wait_until_somebody_waits() -> None:
    """Until another connection waits for a lock this one holds."""
    with connection.cursor() as cursor:
        for _ in range(200):
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_a_double_tap_books_once() -> None:
    schedule = a_released_schedule(capacity=10, band_minutes=240)
    ((user, patient),) = people(1)

    outcomes = at_once(*(book(user, patient, schedule, key="tap") for _ in range(8)))

    assert outcomes == ["ok"] * 8
    assert Appointment.objects.count() == 1
    assert Slot.objects.filter(status=SlotStatus.HELD).count() == 1


def test_m1_04_limits_hold_when_asked_at_once() -> None:
    ((user, patient),) = people(1)
    sessions = [a_released_schedule(capacity=4) for _ in range(6)]

    outcomes = at_once(*(book(user, patient, session) for session in sessions))

    assert Counter(outcomes) == {"ok": 1, "LIMIT_UNPAID_PATIENT": 5}


def test_m1_04_limits_of_a_user_hold_across_patients() -> None:
    user = a_wechat_user()
    family = [a_patient(user) for _ in range(5)]
    schedule = a_released_schedule(capacity=10, band_minutes=240)

    outcomes = at_once(*(book(user, patient, schedule) for patient in family))

    assert Counter(outcomes) == {"ok": 2, "LIMIT_UNPAID_USER": 3}


@pytest.mark.parametrize("round_no", range(3))
def test_m1_06_money_timeout_and_cancellation_at_once_have_one_outcome(round_no: int) -> None:
    schedule = a_released_schedule(capacity=4, band_minutes=240)
    held = [a_booking(schedule=schedule) for _ in range(3)]

    def settle(row: Appointment) -> None:
        pay(row.bill, at=LATE)
        actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=LATE)

    def release(row: Appointment) -> None:
        actions.release_unpaid(appointment_id=row.pk, by=SYSTEM, at=LATE)

    def cancel(row: Appointment) -> None:
        actions.cancel(number=row.number, by=Actor("patient", 1), at=LATE)

    tasks = [lambda act=act, row=row: act(row) for row in held for act in (settle, release, cancel)]
    shift = round_no % len(tasks)
    outcomes = at_once(*tasks[shift:], *tasks[:shift])

    assert set(outcomes) <= {"ok", "CANNOT_CANCEL"}
    for row in held:
        actions.confirm(bill_id=row.bill_id, by=SYSTEM, at=LATE)
    check_ledger()
    assert Bill.objects.filter(settled_at__isnull=False).count() == 3


def test_a_cancellation_pressed_many_times_reverses_once() -> None:
    booked = a_paid_booking()

    outcomes = at_once(
        *(
            lambda: actions.cancel(number=booked.number, by=Actor("patient", 1), at=NOW)
            for _ in range(6)
        )
    )

    assert Counter(outcomes) == {"ok": 1, "CANNOT_CANCEL": 5}
    assert bills.balance(bill_id=booked.bill_id) == bills.Balance(2500, 0, 2500)
    check_ledger()


def test_m4_04_two_payments_of_one_bill_at_once_settle_once() -> None:
    booked = a_booking()

    def settle(reference: str) -> None:
        with transaction.atomic():
            billing.settle_bill(
                bill_id=booked.bill_id,
                method="wechat",
                amount_fen=2500,
                reference=reference,
                by=SYSTEM,
                at=NOW,
            )

    references = ["one", "one", "one", "two", "two"]
    assert (
        at_once(*(lambda reference=reference: settle(reference) for reference in references))
        == ["ok"] * 5
    )

    assert bills.balance(bill_id=booked.bill_id) == bills.Balance(5000, 2500, 2500)


def test_m1_08_no_booking_outlives_a_suspension() -> None:
    schedule = a_released_schedule(capacity=20, band_minutes=240)

    outcomes = at_once(
        *(book(*person, schedule) for person in people(15)),
        lambda: scheduling.suspend_schedule(
            schedule_id=schedule.pk, reason="病假", by=SYSTEM, at=NOW
        ),
    )

    assert set(outcomes) <= {"ok", "SLOT_TAKEN", "SUSPENDED"}
    for row in Appointment.objects.filter(status__in=LIVE):
        actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=NOW)
    assert not Appointment.objects.filter(status__in=LIVE).exists()
    assert not schedule.slots.filter(status=SlotStatus.HELD).exists()
    check_ledger()


def test_m1_17_emergencies_and_a_stop_at_once_wait_for_each_other_and_both_end() -> None:
    schedule = a_released_schedule(
        department=a_department(is_bookable=False, walk_in_only=True),
        service_type=a_service_type(kind=ServiceKind.EMERGENCY),
        capacity=20,
        band_minutes=240,
        shares={Pool.WINDOW: 20},
    )

    def registers(patient: Patient) -> Callable[[], object]:
        return lambda: actions.register_emergency(
            patient_id=patient.pk,
            schedule_id=schedule.pk,
            acuity=Acuity.URGENT,
            key=f"emergency-{patient.pk}",
            by=SYSTEM,
            at=NOW,
        )

    outcomes = at_once(
        *(registers(patient) for _, patient in people(8)),
        lambda: scheduling.suspend_schedule(
            schedule_id=schedule.pk, reason="设备故障", by=SYSTEM, at=NOW
        ),
    )

    assert set(outcomes) <= {"ok", "SUSPENDED", "SESSION_OVER"}
    for row in Appointment.objects.filter(status__in=LIVE):
        actions.cancel_suspended_one(appointment_id=row.pk, by=SYSTEM, at=NOW)
    assert not schedule.slots.filter(status__in=[SlotStatus.HELD, SlotStatus.BOOKED]).exists()
    check_ledger()


@pytest.mark.parametrize("is_cancelled", [False, True])
def test_m1_07_exchanges_and_a_cancellation_at_once_leave_one_booking_or_none(
    *, is_cancelled: bool
) -> None:
    """Two windows and the family's other phone: nobody ends with two, nobody pays for none."""
    old = a_paid_booking()
    owner = Actor("patient", old.wechat_user_id or 0)
    others = [
        a_released_schedule(
            department=old.department, day=TOMORROW + dt.timedelta(days=ahead), fee_fen=fee_fen
        )
        for ahead, fee_fen in ((1, 2500), (2, 1000))
    ]

    def exchange(to: Schedule) -> Callable[[], object]:
        return lambda: actions.exchange(
            number=old.number,
            schedule_id=to.pk,
            band_id=band_of(to).pk,
            key=f"x{to.pk}",
            by=owner,
            at=NOW,
        )

    def cancel() -> object:
        return actions.cancel(number=old.number, by=owner, at=NOW)

    outcomes = at_once(
        *(exchange(to) for to in others),
        *(exchange(to) for to in others),
        *([cancel] if is_cancelled else []),
    )

    assert set(outcomes) <= {"ok", "CANNOT_EXCHANGE", "CANNOT_CANCEL"}
    assert outcomes.count("ok") in ((1, 2) if is_cancelled else (2,)), "one wish, asked for twice"
    live = Appointment.objects.filter(status__in=LIVE)
    assert live.count() == (0 if is_cancelled and outcomes[-1] == "ok" else 1)
    fee_fen = {None: 0, others[0].pk: 2500, others[1].pk: 1000}
    kept = fee_fen[live.values_list("schedule_id", flat=True).first()]
    balance = bills.balance(bill_id=old.bill_id)
    assert (balance.cash_fen, balance.revenue_fen, balance.due_fen) == (2500, kept, 2500 - kept)
    assert bills.ledger_totals()["balance_fen"] == 0


def test_m1_06_the_difference_paid_while_the_old_booking_is_cancelled_has_one_outcome() -> None:
    old = a_paid_booking()
    owner = Actor("patient", old.wechat_user_id or 0)
    dear = a_released_schedule(
        department=old.department, day=TOMORROW + dt.timedelta(days=1), fee_fen=4000
    )
    new = actions.exchange(
        number=old.number,
        schedule_id=dear.pk,
        band_id=band_of(dear).pk,
        key="x",
        by=owner,
        at=NOW,
    )

    def settles() -> None:
        pay(new.bill)
        actions.confirm(bill_id=new.bill_id, by=SYSTEM, at=NOW)

    outcomes = at_once(
        settles,
        lambda: actions.cancel(number=old.number, by=owner, at=NOW),
        lambda: actions.release_unpaid(appointment_id=new.pk, by=SYSTEM, at=LATE),
    )
    actions.drop_exchange(appointment_id=new.pk, by=SYSTEM, at=LATE)

    assert set(outcomes) <= {"ok", "CANNOT_CANCEL"}
    live = list(Appointment.objects.filter(status__in=LIVE).values_list("pk", flat=True))
    found = [bills.balance(bill_id=one) for one in (old.bill_id, new.bill_id)]
    cash, kept, due = (
        sum(one.cash_fen for one in found),
        sum(one.revenue_fen for one in found),
        sum(one.due_fen for one in found),
    )
    assert (cash, live) in [(4000, [new.pk]), (4000, []), (4000, [old.pk])]
    assert kept == {(new.pk,): 4000, (): 0, (old.pk,): 2500}[tuple(live)]
    assert due == cash - kept
    assert bills.ledger_totals()["balance_fen"] == 0
