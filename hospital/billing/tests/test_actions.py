"""Bills are numbered without gaps, paid once, reversed by negative charges, refunded to the fen."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from hospital.billing import actions, queries
from hospital.billing.actions import BillChanged, BillNotPayable, RefundTooMuch
from hospital.billing.models import Bill, Charge, Posting
from hospital.billing.queries import Balance
from hospital.billing.states import BillStatus, MoneyState, Settlement, is_payable
from hospital.catalogue.queries import FeeLine
from hospital.catalogue.states import FeeCategory
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import NotFound
from hospital.kernel.models import Transition
from hospital.patients import actions as patients
from hospital.testing.jobs import due_jobs
from hospital.testing.organisation import a_price_item
from hospital.testing.people import a_patient, a_wechat_user
from hospital.testing.schedules import NOW

pytestmark = pytest.mark.django_db
CONFIRM = "registration.jobs.confirm_paid_appointment"


def lines(*amounts: int) -> list[FeeLine]:
    categories = [FeeCategory.REGISTRATION, FeeCategory.CONSULTATION, FeeCategory.OTHER]
    return [
        FeeLine(item.pk, item.code, item.name, category, item_fen)
        for item_fen, category in zip(amounts, categories, strict=False)
        for item in [a_price_item(price_fen=item_fen, category=category)]
    ]


def a_bill(*amounts: int) -> Bill:
    user = a_wechat_user()
    return actions.add_charges(
        patient_id=a_patient(user).pk,
        wechat_user_id=user.pk,
        source=("appointment", 12),
        lines=lines(*(amounts or (100, 2400))),
        title="挂号费",
        path="/m/appointments/x/result/",
        expires_at=NOW + dt.timedelta(minutes=15),
        by=SYSTEM,
        at=NOW,
    )


def settle(bill: Bill, reference: str = "wx-1", amount_fen: int | None = None) -> Settlement:
    return actions.settle_bill(
        bill_id=bill.pk,
        method="wechat",
        amount_fen=bill.total_fen if amount_fen is None else amount_fen,
        reference=reference,
        by=SYSTEM,
        at=NOW,
    )


def refund(bill: Bill, amount_fen: int, reference: str = "R1") -> bool:
    return actions.post_refund(
        bill_id=bill.pk, amount_fen=amount_fen, reference=reference, by=SYSTEM, at=NOW
    )


def reverse(bill: Bill) -> int:
    return actions.reverse_charges(bill_id=bill.pk, reason="退号", by=SYSTEM, at=NOW)


def status(bill: Bill) -> str:
    bill.refresh_from_db()
    return bill.status


def money(bill: Bill) -> queries.Money:
    bill.refresh_from_db()
    return queries.money_of([bill])[bill.pk]


def check_ledger() -> None:
    """Runs the deferred checks now, as the commit would."""
    connection.check_constraints()
    assert queries.ledger_totals()["balance_fen"] == 0


def test_a_bill_is_issued_with_a_number_and_copies_of_its_lines() -> None:
    first, second = a_bill(100, 2400), a_bill(50)

    assert (first.number, second.number) == ("B261123000001", "B261123000002")
    assert (first.status, first.total_fen, len(first.token)) == ("issued", 2500, 22)
    assert [(charge.category, charge.amount_fen) for charge in first.charges.order_by("id")] == [
        ("registration", 100),
        ("consultation", 2400),
    ]
    check_ledger()


def test_numbers_have_no_gap_after_a_rollback() -> None:
    a_bill()
    with transaction.atomic():
        a_bill()
        transaction.set_rollback(True)

    assert a_bill().number == "B261123000002"


def test_m4_05_settling_posts_every_line_takes_a_receipt_and_tells_the_news() -> None:
    bill = a_bill(100, 2400)
    waiting = due_jobs()

    assert settle(bill) == Settlement.SETTLED

    bill.refresh_from_db()
    assert (bill.status, bill.settled_at, bill.receipt_no) == ("settled", NOW, "S261123000001")
    assert [
        (posting.debit, posting.credit, posting.amount_fen)
        for posting in bill.postings.order_by("id")
    ] == [
        ("cash:wechat", "revenue:registration", 100),
        ("cash:wechat", "revenue:consultation", 2400),
    ]
    assert due_jobs() == [*waiting, CONFIRM]
    assert queries.balance(bill_id=bill.pk) == Balance(2500, 2500, 0)
    check_ledger()


def test_the_same_payment_told_again_changes_nothing() -> None:
    bill = a_bill()
    settle(bill)
    before = Posting.objects.count(), Transition.objects.count(), due_jobs()

    assert settle(bill) == Settlement.REPEATED

    assert (Posting.objects.count(), Transition.objects.count(), due_jobs()) == before


def test_m4_04_a_second_payment_is_due_back_in_full() -> None:
    bill = a_bill()
    settle(bill, "wx-1")

    assert settle(bill, "wx-2") == Settlement.SURPLUS
    assert settle(bill, "wx-2") == Settlement.REPEATED

    assert queries.balance(bill_id=bill.pk) == Balance(5000, 2500, 2500)
    assert refund(bill, 2500)
    assert status(bill) == BillStatus.SETTLED
    assert money(bill).state == MoneyState.PAID
    check_ledger()


def test_m4_09_another_amount_than_the_bills_is_refused() -> None:
    bill = a_bill()

    with pytest.raises(BillChanged):
        settle(bill, amount_fen=2499)

    assert status(bill) == BillStatus.ISSUED
    assert not Posting.objects.exists()


def test_m4_09_what_costs_nothing_is_settled_at_once() -> None:
    bill = a_bill(0)

    assert (bill.status, bill.receipt_no) == ("settled", "S261123000001")
    assert not Posting.objects.exists()
    assert money(bill).state == MoneyState.WAIVED
    assert reverse(bill) == 0
    assert status(bill) == BillStatus.REFUNDED
    check_ledger()


@pytest.mark.parametrize("give_up", [actions.expire_bill, actions.cancel_bill])
def test_m1_06_money_that_comes_late_still_settles(give_up: object) -> None:
    bill = a_bill()
    assert callable(give_up)
    give_up(bill_id=bill.pk, by=SYSTEM, at=NOW)
    assert money(bill).state == MoneyState.CLOSED

    assert settle(bill) == Settlement.SETTLED

    assert status(bill) == BillStatus.SETTLED
    check_ledger()


def test_reversing_makes_negative_children_and_owes_the_money_back() -> None:
    bill = a_bill(100, 2400)
    settle(bill)

    assert reverse(bill) == 2500
    assert reverse(bill) == 0

    charges = queries.charges_of(bill_id=bill.pk)
    assert [(charge.amount_fen, charge.status) for charge in charges] == [
        (100, "reversed"),
        (2400, "reversed"),
        (-100, "billed"),
        (-2400, "billed"),
    ]
    assert [charge.reversal_of_id for charge in charges[2:]] == [charges[0].pk, charges[1].pk]
    assert queries.balance(bill_id=bill.pk) == Balance(2500, 0, 2500)
    assert (status(bill), money(bill).state) == ("settled", MoneyState.REFUNDING)
    check_ledger()


def test_refunds_go_out_once_and_never_more_than_is_due() -> None:
    bill = a_bill(100, 2400)
    settle(bill)
    with pytest.raises(RefundTooMuch):
        refund(bill, 1)
    reverse(bill)
    with pytest.raises(RefundTooMuch):
        refund(bill, 2501)

    assert refund(bill, 1000, "R1")
    assert status(bill) == BillStatus.PARTIALLY_REFUNDED
    assert not refund(bill, 1000, "R1")
    assert refund(bill, 1500, "R2")

    assert status(bill) == BillStatus.REFUNDED
    assert money(bill).state == MoneyState.REFUNDED
    assert queries.balance(bill_id=bill.pk) == Balance(0, 0, 0)
    check_ledger()


def test_part_of_a_bill_can_be_reversed() -> None:
    bill = a_bill(100, 2400)
    settle(bill)
    first = queries.charges_of(bill_id=bill.pk)[0]

    reversed_fen = actions.reverse_charges(
        bill_id=bill.pk, reason="退费", charge_ids=[first.pk], by=SYSTEM, at=NOW
    )

    assert reversed_fen == 100
    refund(bill, 100)
    assert status(bill) == BillStatus.PARTIALLY_REFUNDED
    assert money(bill).state == MoneyState.PARTIALLY_REFUNDED
    check_ledger()


def test_an_unpaid_bill_has_nothing_to_reverse() -> None:
    bill = a_bill()

    with pytest.raises(BillNotPayable):
        reverse(bill)

    assert Charge.objects.count() == 2


def test_sm9_one_payment_has_a_bill_at_a_time_and_gives_it_back() -> None:
    bill = a_bill()
    waiting = due_jobs()

    actions.start_paying(bill_id=bill.pk, by=SYSTEM, at=NOW)
    actions.start_paying(bill_id=bill.pk, by=SYSTEM, at=NOW)
    assert status(bill) == BillStatus.PAYING
    actions.expire_bill(bill_id=bill.pk, by=SYSTEM, at=NOW)
    assert status(bill) == BillStatus.PAYING
    actions.stop_paying(bill_id=bill.pk, by=SYSTEM, at=NOW, reason="已关单")
    actions.stop_paying(bill_id=bill.pk, by=SYSTEM, at=NOW)

    assert status(bill) == BillStatus.ISSUED
    assert due_jobs() == [*waiting, "registration.jobs.release_unpaid_bill"]
    assert [move.to_status for move in queries.history_of(bill_id=bill.pk)] == ["paying", "issued"]


def test_sm9_a_bill_past_its_time_or_paid_takes_no_payment() -> None:
    late, paid, gone = a_bill(), a_bill(), a_bill()
    settle(paid)
    actions.cancel_bill(bill_id=gone.pk, by=SYSTEM, at=NOW)

    for bill, at in ((late, NOW + dt.timedelta(minutes=15)), (paid, NOW), (gone, NOW)):
        with pytest.raises(BillNotPayable):
            actions.start_paying(bill_id=bill.pk, by=SYSTEM, at=at)
    with pytest.raises(NotFound):
        actions.start_paying(bill_id=0, by=SYSTEM, at=NOW)

    assert [status(bill) for bill in (late, paid, gone)] == ["issued", "settled", "cancelled"]


def test_a_bill_is_shown_to_the_user_asked_to_pay_and_nobody_else() -> None:
    bill = a_bill()
    assert bill.wechat_user_id is not None

    page = queries.payable_bill_for(wechat_user_id=bill.wechat_user_id, token=bill.token)

    assert (page.total_fen, page.title, len(page.lines)) == (2500, "挂号费", 2)
    assert is_payable(page.status, page.expires_at, NOW)
    assert not is_payable(page.status, page.expires_at, NOW + dt.timedelta(minutes=15))
    for user_id, token in ((a_wechat_user().pk, bill.token), (bill.wechat_user_id, "nope")):
        with pytest.raises(NotFound):
            queries.payable_bill_for(wechat_user_id=user_id, token=token)


def test_a_bill_is_not_shown_any_more_to_a_user_who_may_not_act_for_the_patient() -> None:
    bill = a_bill()
    assert bill.wechat_user_id is not None
    patients.remove_binding(
        wechat_user_id=bill.wechat_user_id,
        number=bill.patient.outpatient_no,
        by=SYSTEM,
        at=NOW,
    )

    with pytest.raises(NotFound):
        queries.payable_bill_for(wechat_user_id=bill.wechat_user_id, token=bill.token)


def run_and_commit(sql: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql)
        connection.check_constraints()


def refused(sql: str) -> None:
    """Raw SQL is refused at once or at commit."""
    with pytest.raises(DatabaseError):
        run_and_commit(sql)


def test_law_4_the_database_keeps_the_ledger_balanced() -> None:
    bill = a_bill(100, 2400)
    posting = (
        "INSERT INTO billing_posting"
        " (debit, credit, amount_fen, bill_id, charge_id, kind, reference, by, at)"
        f" VALUES ('{{}}', '{{}}', {{}}, {bill.pk}, {{}}, '{{}}', 'x', 'x', now())"
    )
    charge_id = queries.charges_of(bill_id=bill.pk)[0].pk
    refused(posting.format("cash:wechat", "revenue:other", 100, charge_id, "settle"))
    settle(bill)
    check_ledger()

    refused(posting.format("cash:wechat", "revenue:other", 1, "NULL", "surplus"))
    refused(posting.format("refund_due", "cash:wechat", 1, "NULL", "refund"))
    refused(posting.format("cash:wechat", "cash:wechat", 1, "NULL", "surplus"))
    refused(posting.format("cash:wechat", "elsewhere", 1, "NULL", "surplus"))
    refused(f"UPDATE billing_bill SET status = 'refunded' WHERE id = {bill.pk}")
    refused(f"UPDATE billing_bill SET status = 'issued' WHERE id = {bill.pk}")
    refused(f"UPDATE billing_bill SET total_fen = 1 WHERE id = {bill.pk}")
    refused(f"DELETE FROM billing_bill WHERE id = {bill.pk}")
    refused(f"UPDATE billing_charge SET amount_fen = 1 WHERE bill_id = {bill.pk}")
    refused(f"DELETE FROM billing_charge WHERE bill_id = {bill.pk}")
    refused(f"UPDATE billing_posting SET amount_fen = 1 WHERE bill_id = {bill.pk}")
    refused(f"DELETE FROM billing_posting WHERE bill_id = {bill.pk}")
    refused(
        "INSERT INTO billing_charge (bill_id, patient_id, price_item_id, item_code, item_name,"
        " category, quantity, amount_fen, source_kind, source_id, status, created_at)"
        " SELECT bill_id, patient_id, price_item_id, item_code, item_name, category, 1, 1,"
        f" 'x', 1, 'billed', now() FROM billing_charge WHERE id = {charge_id}"
    )
    check_ledger()


def reduce(bill: Bill, fen: int) -> int:
    back = actions.reduce_charges(bill_id=bill.pk, by_fen=fen, reason="差价", by=SYSTEM, at=NOW)
    connection.check_constraints()
    return back


def test_m1_09_a_difference_goes_back_and_later_the_rest_of_the_line() -> None:
    bill = a_bill(500, 2000)
    settle(bill)

    assert reduce(bill, 800) == 800
    assert queries.balance(bill_id=bill.pk) == Balance(2500, 1700, 800)
    assert sorted(queries.standing_fen(bill_id=bill.pk).values()) == [500, 1200]
    assert refund(bill, 800)
    assert status(bill) == "partially_refunded"
    assert reduce(bill, 1500) == 1500
    assert sorted(queries.standing_fen(bill_id=bill.pk).values()) == [200]

    assert reverse(bill) == 200
    connection.check_constraints()

    assert queries.standing_fen(bill_id=bill.pk) == {}
    assert queries.balance(bill_id=bill.pk) == Balance(1700, 0, 1700)
    assert reduce(bill, 1) == 0
    assert refund(bill, 1700, "R2")
    assert status(bill) == "refunded"


def test_no_more_of_a_line_is_reversed_than_it_charged() -> None:
    """Also when the bill as a whole would balance."""
    bill = a_bill(500, 2000)
    settle(bill)
    line = Charge.objects.filter(bill=bill).order_by("pk")[0]
    line.pk, line.reversal_of_id, line.amount_fen = None, line.pk, -600
    line.save(force_insert=True)
    Posting.objects.create(
        debit="revenue:registration",
        credit="refund_due",
        amount_fen=600,
        bill=bill,
        charge=line,
        kind="reverse",
        by="system:0",
        at=NOW,
    )

    with pytest.raises(DatabaseError, match="500 charged and -600 reversed"):
        connection.check_constraints()
