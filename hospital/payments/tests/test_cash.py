"""Cash over the counter: taken with change, handed back in notes, apart from WeChat (H3.3)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import Error, connection, transaction
from django.urls import reverse

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.clock import day_period, hospital_day
from hospital.kernel.errors import Refusal
from hospital.payments import actions, queries
from hospital.payments.models import CashEntry, PaymentCase, Refund
from hospital.payments.queries import ShiftMoney
from hospital.registration import actions as registration
from hospital.testing.bookings import a_booking, pay
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", 7)


def cash(bill: Bill, *, tendered_fen: int = 5000, key: str = "k") -> CashEntry:
    return actions.take_cash(
        bill_id=bill.pk, shown_fen=2500, tendered_fen=tendered_fen, key=key, by=CLERK, at=NOW
    )


def back(
    bill: Bill, *, shown_fen: int = 2500, at: dt.datetime = NOW, is_supervisor: bool = False
) -> CashEntry:
    return actions.hand_back_cash(
        bill_id=bill.pk,
        shown_fen=shown_fen,
        key=f"back-{at}",
        is_supervisor=is_supervisor,
        by=CLERK,
        at=at,
    )


def test_h3_03_cash_settles_a_bill_and_the_change_is_computed() -> None:
    """H3.3: a note of fifty for 25 yuan gives 25 back; the same press again takes nothing."""
    bill = a_booking().bill
    entry = cash(bill)
    assert (entry.amount_fen, entry.tendered_fen, entry.change_fen) == (2500, 5000, 2500)
    assert entry.number == "C261123000001"
    assert cash(bill).pk == entry.pk
    assert CashEntry.objects.count() == 1
    bill.refresh_from_db()
    assert bill.status == BillStatus.SETTLED
    posting = bill.postings.order_by("id")[0]
    assert (posting.debit, posting.reference) == ("cash:cash", entry.number)
    assert bills.ledger_totals()["balance_fen"] == 0


@pytest.mark.parametrize(
    ("tendered_fen", "code"), [(2400, "TOO_LITTLE_CASH"), (102_501, "TOO_MUCH_CHANGE")]
)
def test_h3_03_a_wrong_sum_takes_nothing(tendered_fen: int, code: str) -> None:
    """H3.3: too little, or a number that was no sum of money, is refused."""
    bill = a_booking().bill
    with pytest.raises(Refusal) as refused:
        cash(bill, tendered_fen=tendered_fen)
    assert refused.value.code == code
    bill.refresh_from_db()
    assert bill.status == BillStatus.ISSUED
    assert not CashEntry.objects.exists()


def test_h3_03_no_cash_while_a_phone_pays_or_has_paid() -> None:
    """H3.3: asked before taking money again, the bill says who has it."""
    bill = a_booking().bill
    with transaction.atomic():
        billing.start_paying(bill_id=bill.pk, by=SYSTEM, at=NOW)
    with pytest.raises(actions.PaidOnAPhone):
        cash(bill)
    pay(bill)
    with pytest.raises(billing.BillNotPayable):
        cash(bill)
    assert not CashEntry.objects.exists()


def test_h3_03_cancelled_cash_is_handed_back_once_and_never_by_wechat() -> None:
    """H3.3, H9.3: a wrong registration's notes go back over the counter."""
    appointment = a_booking()
    cash(appointment.bill)
    registration.confirm(bill_id=appointment.bill_id, by=CLERK, at=NOW)
    registration.cancel(number=appointment.number, by=CLERK, at=NOW, reason="挂错科室")
    assert queries.cash_owed_fen(bill_id=appointment.bill_id) == 2500
    assert [(one.bill.pk, one.owed_fen) for one in queries.cash_owed()] == [
        (appointment.bill_id, 2500)
    ]
    made = actions.refund_due(bill_id=appointment.bill_id, reason="冲销", by=SYSTEM, at=NOW)
    assert (made, Refund.objects.count(), PaymentCase.objects.count()) == ([], 0, 0)
    entry = back(appointment.bill)
    assert (entry.kind, entry.amount_fen) == ("back", 2500)
    assert back(appointment.bill).pk == entry.pk
    with pytest.raises(actions.NoCashOwed):
        back(appointment.bill, at=NOW + dt.timedelta(seconds=1))
    appointment.bill.refresh_from_db()
    assert appointment.bill.status == BillStatus.REFUNDED
    assert bills.balance(bill_id=appointment.bill_id) == bills.Balance(0, 0, 0)
    assert queries.cash_owed() == []
    shift = queries.shift_money(cashier=str(CLERK), period=day_period(hospital_day(NOW)))
    assert shift == ShiftMoney(1, 2500, 1, 2500, 0, 0)
    assert shift.drawer_fen == 0


def test_h9_03_another_days_cash_is_handed_back_by_a_supervisor() -> None:
    """H9.3: the day after, a clerk alone gives nothing out of the drawer."""
    bill = a_booking().bill
    cash(bill)
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="退号", by=CLERK, at=NOW)
    tomorrow = NOW + dt.timedelta(days=1)
    with pytest.raises(actions.CashBackNeedsSupervisor):
        back(bill, at=tomorrow)
    assert CashEntry.objects.filter(kind="back").count() == 0
    assert back(bill, at=tomorrow, is_supervisor=True).amount_fen == 2500


def test_h9_03_a_supervisor_hands_back_what_the_window_may_not() -> None:
    """H9.3: the list has what waits, whoever took it; pressed twice it is noted once, and nobody
    without the right presses."""
    bills_ = [a_booking().bill for _ in range(2)]
    for bill in bills_:
        cash(bill, key=f"k{bill.pk}")
    bill = bills_[0]
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="退号", by=CLERK, at=NOW)
    back_to = reverse("payments-cash-back", args=[bill.number])
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        supervisor = staff_client(Role.CASHIER_SUPERVISOR)
        page = supervisor.get("/staff/cash-owed/").content.decode()
        assert (bill.number in page, bills_[1].number in page) == (True, False)
        cashier = staff_client(Role.CASHIER)
        facts = {"key": "b", "amount_fen": "2500"}
        by_cashier = reverse("payments-collect-back", args=[bill.number])
        for door in (back_to, by_cashier):
            assert cashier.post(door, facts).status_code == 403
            assert door not in cashier.get("/staff/cash-owed/").content.decode()
        assert supervisor.post(back_to, facts | {"amount_fen": "2600"}).status_code == 409
        assert not CashEntry.objects.filter(kind="back").exists()
        for _ in range(2):
            assert supervisor.post(back_to, facts)["Location"] == "/staff/cash-owed/"
        again = supervisor.post(back_to, facts | {"key": "other window"})
        assert "可能已经退过" in again.content.decode()
        assert "没有待退的现金" in again.content.decode()
    entry = CashEntry.objects.get(kind="back")
    assert (entry.bill_id, entry.amount_fen) == (bill.pk, 2500)


def test_h9_03_a_cashier_takes_and_gives_back_notes_at_the_own_place() -> None:
    """H9.1, H9.3: with change, once; refused sums keep what was typed; asked back the same day and
    handed out, and the form says that it is notes."""
    bill = a_booking().bill
    door = reverse("payments-collect-cash", args=[bill.number])
    with time_machine.travel(NOW, tick=False):
        cashier = staff_client(Role.CASHIER)
        facts = {"tendered": "100", "key": "k", "amount_fen": "2500"}
        for wrong in ({"tendered": "20"}, {"tendered": "x"}, {"amount_fen": "1"}):
            answer = cashier.post(door, facts | wrong)
            kept = f'value="{(facts | wrong)["tendered"]}"'
            assert (answer.status_code, kept in answer.content.decode()) == (409, True), wrong
        assert not CashEntry.objects.exists()
        for _ in range(2):
            done = cashier.post(door, facts, follow=True).content.decode()
            assert "已收款" in done
            assert "¥75.00" in done
        again = cashier.post(door, facts | {"key": "other window"}, follow=True)
        assert "已收款" in again.content.decode()
        assert CashEntry.objects.count() == 1
        ask = reverse("payments-ask-refund", args=[bill.number])
        form = cashier.get(ask).content.decode()
        assert ("退现金" in form, "线下转账" in form) == (True, False)
        lines = [line.pk for line in bills.charges_of(bill_id=bill.pk)]
        wish = {"charges": lines, "shown_fen": 2500, "reason": "重复收费", "key": "r"}
        assert "请在“待退现金”里" in cashier.post(ask, wish, follow=True).content.decode()
        back_to = reverse("payments-collect-back", args=[bill.number])
        assert back_to in cashier.get("/staff/cash-owed/").content.decode()
        cashier.post(back_to, {"key": "b", "amount_fen": "2500"})
    assert [one.kind for one in CashEntry.objects.order_by("pk")] == ["taken", "back"]
    assert Refund.objects.count() == 0


def test_h9_01_everybody_sees_the_own_cash_of_the_day_to_the_fen() -> None:
    """H9.1, H9.3: taken 25.00 and 25.00, given 25.00 back by a supervisor: each the own page."""
    first, second, third = (a_booking().bill for _ in range(3))
    page = reverse("payments-cash-mine")
    with time_machine.travel(NOW, tick=False):
        morning, evening = staff_client(Role.CASHIER), staff_client(Role.CASHIER)
        supervisor = staff_client(Role.CASHIER_SUPERVISOR)
        assert "今天还没有收退现金" in evening.get(page).content.decode()
        for cashier, bill in ((morning, first), (morning, second), (evening, third)):
            facts = {"tendered": "30.50", "key": bill.number, "amount_fen": "2500"}
            cashier.post(reverse("payments-collect-cash", args=[bill.number]), facts)
        with transaction.atomic():
            billing.reverse_charges(bill_id=first.pk, reason="重复收费", by=SYSTEM, at=NOW)
        back = {"key": "b", "amount_fen": "2500"}
        supervisor.post(reverse("payments-cash-back", args=[first.number]), back)

        own = morning.get(page).content.decode()
        others = evening.get(page).content.decode()
        given = supervisor.get(reverse("payments-cash-given")).content.decode()
        assert supervisor.get(page).status_code == 403
        assert staff_client(Role.TRIAGE_NURSE).get(page).status_code == 403
    numbers = list(CashEntry.objects.order_by("pk").values_list("number", flat=True))
    shown = [[number in text for number in numbers] for text in (own, others, given)]
    assert shown == [
        [True, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]
    assert ("¥50.00" in own, "¥5.50" in own, "2 笔" in own) == (True, True, True)
    assert ("¥25.00" in others, "¥50.00" in others) == (True, False)
    assert "−¥25.00" in given


def test_h3_03_a_second_payment_on_wechat_is_not_paid_back_in_notes() -> None:
    """H9.3: what WeChat brought too much is WeChat's to give back; only the cash part is notes."""
    bill = a_booking().bill
    cash(bill)
    pay(bill)
    assert queries.cash_owed_fen(bill_id=bill.pk) == 0
    assert queries.unsent_fen(bill_id=bill.pk) == 2500
    with pytest.raises(actions.NoCashOwed):
        back(bill)
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="退号", by=CLERK, at=NOW)
    assert queries.cash_owed_fen(bill_id=bill.pk) == 2500
    assert queries.unsent_fen(bill_id=bill.pk) == 2500


def test_cash_rows_are_kept_as_they_were_written() -> None:
    """Law 4: no hand on the database changes what was taken, or gives back more than came."""
    entry = cash(a_booking().bill)
    with pytest.raises(Error), transaction.atomic():
        CashEntry.objects.filter(pk=entry.pk).update(amount_fen=1)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_cashentry (number, kind, bill_id, amount_fen, cashier, at)"
            " VALUES ('x', 'back', %s, 2501, 'staff:7', now())",
            [entry.bill_id],
        )
    assert CashEntry.objects.count() == 1
