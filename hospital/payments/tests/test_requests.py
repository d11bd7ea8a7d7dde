"""Money that staff ask back, that had to go by hand, or that fits nothing: two persons, once."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.request_keys import KeyReused
from hospital.kernel.settings_rows import set_value
from hospital.messaging.models import Message
from hospital.payments import actions, gateway, jobs, queries, thresholds
from hospital.payments.models import (
    CaseDecision,
    OfflineTransfer,
    Payment,
    PaymentCase,
    Refund,
    RefundRequest,
)
from hospital.payments.states import (
    REMEDIES,
    CaseKind,
    CaseRemedy,
    PaymentStatus,
    RefundRoute,
    RefundStatus,
    RequestStatus,
)
from hospital.payments.tests.world import (
    a_bill,
    a_notice,
    a_paid_payment,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    money,
    paid_word,
    refund_word,
    remedy_of,
)
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
CLERK, FINANCE = Actor("staff", 3), Actor("staff", 7)


def ask(
    bill: Bill,
    fen: int,
    *,
    key: str = "k1",
    charges: list[int] | None = None,
    days: int = 0,
) -> RefundRequest:
    return actions.propose_refund(
        bill_id=bill.pk,
        charge_ids=charges,
        shown_fen=fen,
        reason="项目未做",
        key=key,
        by=CLERK,
        at=clock.now() + dt.timedelta(days=days),
    )


def needs_approval() -> None:
    set_value(setting=thresholds.APPROVAL_ABOVE_FEN, value=0, by=SYSTEM, at=clock.now())


def test_sm11_a_small_sum_of_the_day_goes_back_at_once(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    request = ask(bill_of(payment), 2500)
    assert (request.status, request.decided_by) == (RequestStatus.APPROVED, "system:0")
    run_jobs(only="payments")
    refund = Refund.objects.get()
    assert (refund.status, refund.bill_id) == (RefundStatus.PROCESSING, bill_of(payment).pk)
    assert ask(bill_of(payment), 2500).pk == request.pk, "the same key is the same request"
    with pytest.raises(KeyReused):
        ask(bill_of(payment), 2400)
    assert RefundRequest.objects.count() == 1
    with pytest.raises(actions.NothingToRefund):
        ask(bill_of(payment), 2500, key="k2")


def test_x13_asking_and_deciding_are_on_record(wechat: StandIn) -> None:
    """Who asked is an act of its own, also where the system approves at once."""
    bill = bill_of(a_paid_payment(wechat))
    ask(bill, 2500)
    with pytest.raises(actions.NothingToRefund):
        ask(bill, 2500, key="k2")
    other = bill_of(a_paid_payment(wechat))
    needs_approval()
    request = ask(other, 2500, key="k3")
    actions.reject_refund(request_id=request.pk, note="已用", by=FINANCE, at=clock.now())
    entries = AuditEntry.objects.filter(act__startswith="payments.refund_request.").order_by("pk")
    assert [(row.act.rpartition(".")[2], row.by) for row in entries] == [
        ("requested", str(CLERK)),
        ("approved", str(SYSTEM)),
        ("requested", str(CLERK)),
        ("rejected", str(FINANCE)),
    ]
    assert [row.reason for row in entries] == ["项目未做", "限额内自动批准", "项目未做", "已用"]
    assert entries[2].after == {"bill": other.pk, "fen": 2500, "asked_by": str(CLERK)}


def test_sm11_more_or_later_waits_for_somebody_else(wechat: StandIn) -> None:
    bill = bill_of(a_paid_payment(wechat))
    needs_approval()
    request = ask(bill, 2500)
    assert request.status == RequestStatus.REQUESTED
    assert money(bill) == (2500, 2500, 0)
    with pytest.raises(actions.AlreadyAsked):
        ask(bill, 2500, key="k2")
    with pytest.raises(actions.OwnRequest):
        actions.approve_refund(request_id=request.pk, by=CLERK, at=clock.now())
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        RefundRequest.objects.filter(pk=request.pk).update(
            status="approved", decided_by=str(CLERK), decided_at=clock.now()
        )
    assert queries.approvals().requests == [request]
    actions.approve_refund(request_id=request.pk, by=FINANCE, at=clock.now())
    assert money(bill) == (2500, 0, 2500)
    with pytest.raises(actions.AlreadyDecided):
        actions.reject_refund(request_id=request.pk, note="晚了", by=FINANCE, at=clock.now())
    assert AuditEntry.objects.filter(act="payments.refund_request.approved").count() == 1
    assert queries.approvals().count == 0


def test_a_sum_of_another_day_waits_too_and_may_be_rejected(wechat: StandIn) -> None:
    bill = bill_of(a_paid_payment(wechat))
    request = ask(bill, 2500, days=1)
    assert request.status == RequestStatus.REQUESTED
    later = clock.now() + dt.timedelta(days=1, minutes=1)
    actions.reject_refund(request_id=request.pk, note="已做检查", by=FINANCE, at=later)
    request.refresh_from_db()
    assert (request.status, request.decision_note) == (RequestStatus.REJECTED, "已做检查")
    assert money(bill) == (2500, 2500, 0)
    assert ask(bill, 2500, key="k2", days=1).pk != request.pk


def test_two_servers_whose_clocks_differ_may_ask_and_decide(wechat: StandIn) -> None:
    bill = bill_of(a_paid_payment(wechat))
    needs_approval()
    request = ask(bill, 2500)
    behind = request.asked_at - dt.timedelta(seconds=2)
    actions.approve_refund(request_id=request.pk, by=FINANCE, at=behind)
    request.refresh_from_db()
    assert (request.status, request.decided_at) == (RequestStatus.APPROVED, request.asked_at)
    assert money(bill) == (2500, 0, 2500)


def test_lines_are_given_back_one_by_one(wechat: StandIn) -> None:
    bill = a_bill(fen=2500, more=[1000, 700])
    payment = a_paid_payment(wechat, bill)
    lines = [line.pk for line in bills.charges_of(bill_id=bill.pk)]
    for fen, charges in ((1000, [lines[0]]), (1000, [lines[1], 0]), (0, [])):
        with pytest.raises((actions.RequestChanged, actions.NothingToRefund)):
            ask(bill, fen, charges=charges)
    assert not RefundRequest.objects.exists()
    ask(bill, 1000, charges=[lines[1]])
    run_jobs(only="payments")
    (first,) = Refund.objects.all()
    assert (first.amount_fen, money(bill)) == (1000, (4200, 3200, 1000))
    with pytest.raises(actions.RequestChanged):
        ask(bill, 1000, key="k2", charges=[lines[1]])
    wechat.refund_state(first.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=first.pk)
    payment.refresh_from_db()
    bill.refresh_from_db()
    assert payment.status == PaymentStatus.PARTIALLY_REFUNDED
    assert (bill.status, money(bill)) == (BillStatus.PARTIALLY_REFUNDED, (3200, 3200, 0))


def test_an_unpaid_bill_gives_nothing_back(wechat: StandIn) -> None:
    with pytest.raises(actions.NothingToRefund):
        ask(a_bill(), 2500)
    with pytest.raises(NotFound):
        actions.approve_refund(request_id=0, by=FINANCE, at=clock.now())
    assert not RefundRequest.objects.exists()


def an_abnormal_refund(wechat: StandIn) -> tuple[Payment, Refund, PaymentCase]:
    payment, refund = a_reversed_payment(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "ABNORMAL")
    jobs.ask_refund(refund_id=refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.ABNORMAL
    return payment, refund, PaymentCase.objects.get(refund=refund)


def transfer(case: PaymentCase, **changes: str) -> OfflineTransfer:
    said = {
        "payee": "陈晓宁",
        "payee_account": "6222020000000000000",
        "proof": "BANK-20261123-0007",
        **changes,
    }
    return actions.propose_transfer(case_id=case.pk, by=CLERK, at=clock.now(), **said)


def test_r13_an_abnormal_refund_is_sent_by_the_bank(wechat: StandIn) -> None:
    payment, refund, case = an_abnormal_refund(wechat)
    assert remedy_of(case) is CaseRemedy.OFFLINE_TRANSFER
    with pytest.raises(actions.MoneyStillOpen):
        actions.close_case(case_id=case.pk, note="算了", by=FINANCE, at=clock.now())
    with pytest.raises(Invalid):
        transfer(case, proof=" ")
    made = transfer(case)
    with pytest.raises(actions.AlreadyAsked):
        transfer(case)
    with pytest.raises(actions.OwnRequest):
        actions.confirm_transfer(transfer_id=made.pk, by=CLERK, at=clock.now())
    assert money(bill_of(payment)) == (2500, 0, 2500)
    with connection.cursor() as cursor:
        cursor.execute("SELECT payee, payee_account FROM payments_offlinetransfer")
        assert "陈晓宁" not in str(cursor.fetchall())
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    refund.refresh_from_db()
    payment.refresh_from_db()
    case.refresh_from_db()
    assert (refund.status, refund.route) == (RefundStatus.SUCCEEDED, RefundRoute.OFFLINE)
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert (case.closed_by, money(bill_of(payment))) == ("staff:7", (0, 0, 0))
    posting = bill_of(payment).postings.latest("id")
    assert (posting.debit, posting.credit) == ("refund_due", "cash:offline")
    told = Message.objects.filter(kind="N26").order_by("pk").last()
    assert told is not None
    assert told.fields["route"] == "线下转账"
    with pytest.raises(actions.AlreadyDecided):
        actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    assert run_jobs(only="payments") == []
    assert Refund.objects.count() == 1


def test_r13_wechat_sends_it_to_a_card(wechat: StandIn) -> None:
    payment, refund, case = an_abnormal_refund(wechat)
    said = {"payee": "陈晓宁", "payee_account": "6222020000000000001"}
    made = actions.propose_card(
        case_id=case.pk, bank_type="ICBC_DEBIT", by=CLERK, at=clock.now(), **said
    )
    with pytest.raises(actions.AlreadyAsked):
        transfer(case)
    with pytest.raises(actions.OwnRequest):
        actions.confirm_transfer(transfer_id=made.pk, by=CLERK, at=clock.now())
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    run_jobs(only="payments.jobs.send_card")
    made.refresh_from_db()
    refund.refresh_from_db()
    assert (made.status, refund.status) == ("sent", RefundStatus.ABNORMAL)
    assert money(bill_of(payment)) == (2500, 0, 2500)
    with pytest.raises(actions.AlreadyAsked):
        transfer(case)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_card(transfer_id=made.pk)
    made.refresh_from_db()
    case.refresh_from_db()
    refund.refresh_from_db()
    assert (made.status, refund.route) == ("done", RefundRoute.ORIGINAL)
    assert case.closed_at is not None
    assert money(bill_of(payment)) == (0, 0, 0)
    assert len(wechat.state()["refunds"]) == 1


def test_a_card_that_does_not_take_it_leaves_the_case(wechat: StandIn) -> None:
    payment, refund, case = an_abnormal_refund(wechat)
    said = {"payee": "陈晓宁", "payee_account": "6222020000000000001"}
    made = actions.propose_card(
        case_id=case.pk, bank_type="ICBC_DEBIT", by=CLERK, at=clock.now(), **said
    )
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    run_jobs(only="payments.jobs.send_card")
    wechat.refund_state(refund.out_refund_no, "ABNORMAL")
    jobs.ask_card(transfer_id=made.pk)
    made.refresh_from_db()
    assert (made.status, money(bill_of(payment))) == ("rejected", (2500, 0, 2500))
    actions.confirm_transfer(transfer_id=transfer(case).pk, by=FINANCE, at=clock.now())
    assert money(bill_of(payment)) == (0, 0, 0)


def test_r16_money_that_arrives_after_the_transfer_is_a_case(wechat: StandIn) -> None:
    _, refund, case = an_abnormal_refund(wechat)
    actions.confirm_transfer(transfer_id=transfer(case).pk, by=FINANCE, at=clock.now())
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    gateway.ask_refund(refund_id=refund.pk, attempt=0, by=SYSTEM, at=clock.now())
    twice = PaymentCase.objects.get(closed_at=None)
    assert (twice.kind, remedy_of(twice)) == (CaseKind.REFUND_TWICE, CaseRemedy.CLOSE)
    assert bills.ledger_totals()["balance_fen"] == 0
    actions.close_case(case_id=twice.pk, note="患者已退还", by=FINANCE, at=clock.now())


def test_a_transfer_is_not_booked_when_the_money_came_after_all(wechat: StandIn) -> None:
    payment, refund, case = an_abnormal_refund(wechat)
    made = transfer(case)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    gateway.press_refund(refund_id=refund.pk, by=FINANCE, at=clock.now())
    with pytest.raises((actions.TransferNotNeeded, actions.CaseAlreadyClosed)):
        actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    made.refresh_from_db()
    assert (made.status, money(bill_of(payment))) == ("asked", (0, 0, 0))
    assert bills.ledger_totals()["cash_fen"] == 0
    actions.reject_transfer(transfer_id=made.pk, note="已到账", by=FINANCE, at=clock.now())
    assert queries.approvals().count == 0


def test_a_rejected_transfer_leaves_everything(wechat: StandIn) -> None:
    payment, _, case = an_abnormal_refund(wechat)
    made = transfer(case)
    actions.reject_transfer(transfer_id=made.pk, note="回单不符", by=FINANCE, at=clock.now())
    case.refresh_from_db()
    assert (case.closed_at, money(bill_of(payment))) == (None, (2500, 0, 2500))
    assert transfer(case).pk != made.pk


def test_m9_3_after_a_year_the_bank_sends_it(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    late = clock.now() + dt.timedelta(days=366)
    bill = bill_of(payment)
    request = actions.propose_refund(
        bill_id=bill.pk, shown_fen=2500, reason="误收", key="k", by=CLERK, at=late
    )
    actions.approve_refund(request_id=request.pk, by=FINANCE, at=late)
    assert actions.refund_due(bill_id=bill.pk, reason="误收", by=SYSTEM, at=late) == []
    case = PaymentCase.objects.get()
    assert (case.kind, case.bill_id) == (CaseKind.REFUND_IMPOSSIBLE, bill.pk)
    made = transfer(case)
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=late)
    payment.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.route, refund.status) == (RefundRoute.OFFLINE, RefundStatus.SUCCEEDED)
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert money(bill) == (0, 0, 0)
    assert actions.refund_due(bill_id=bill.pk, reason="误收", by=SYSTEM, at=late) == []
    assert PaymentCase.objects.filter(closed_at=None).count() == 0


def a_wrong_amount(wechat: StandIn) -> tuple[Payment, PaymentCase]:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    actions.record_result(paid=paid_word(payment, total_fen=2400), by=SYSTEM, at=clock.now())
    payment.refresh_from_db()
    return payment, PaymentCase.objects.get()


def test_r06_money_that_fits_nothing_goes_back_by_two_persons(wechat: StandIn) -> None:
    payment, case = a_wrong_amount(wechat)
    assert remedy_of(case) is CaseRemedy.REFUND_UNAPPLIED
    with pytest.raises(actions.MoneyStillOpen):
        actions.close_case(case_id=case.pk, note="", by=FINANCE, at=clock.now())
    decision = actions.propose_decision(case_id=case.pk, note="金额不符", by=CLERK, at=clock.now())
    with pytest.raises(actions.AlreadyAsked):
        actions.propose_decision(case_id=case.pk, note="", by=CLERK, at=clock.now())
    with pytest.raises(actions.OwnRequest):
        actions.confirm_decision(decision_id=decision.pk, by=CLERK, at=clock.now())
    assert not Refund.objects.exists()
    actions.confirm_decision(decision_id=decision.pk, by=FINANCE, at=clock.now())
    refund = Refund.objects.get()
    assert (refund.bill_id, refund.amount_fen) == (None, 2400)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_result(state=refund_word(refund), by=SYSTEM, at=clock.now())
    payment.refresh_from_db()
    case.refresh_from_db()
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert case.closed_at is not None
    assert set(bills.ledger_totals().values()) == {0}
    assert Message.objects.get(kind="N26").path == "/m/"
    with pytest.raises(actions.AlreadyDecided):
        actions.confirm_decision(decision_id=decision.pk, by=FINANCE, at=clock.now())


def test_a_decision_may_be_rejected_and_proposed_again(wechat: StandIn) -> None:
    _, case = a_wrong_amount(wechat)
    at = clock.now()
    decision = actions.propose_decision(case_id=case.pk, note="退", by=CLERK, at=at)
    actions.reject_decision(decision_id=decision.pk, note="先查", by=FINANCE, at=at)
    assert not Refund.objects.exists()
    again = actions.propose_decision(case_id=case.pk, note="退", by=FINANCE, at=at)
    actions.confirm_decision(decision_id=again.pk, by=CLERK, at=at)
    assert Refund.objects.get().amount_fen == 2400
    assert CaseDecision.objects.count() == 2


def test_unapplied_money_older_than_a_year_is_sent_by_the_bank(wechat: StandIn) -> None:
    payment, case = a_wrong_amount(wechat)
    late = clock.now() + dt.timedelta(days=366)
    decision = actions.propose_decision(case_id=case.pk, note="退", by=CLERK, at=late)
    actions.confirm_decision(decision_id=decision.pk, by=FINANCE, at=late)
    assert not Refund.objects.exists()
    by_hand = PaymentCase.objects.get(kind=CaseKind.REFUND_IMPOSSIBLE)
    made = transfer(by_hand)
    assert made.amount_fen == 2400
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=late)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert set(bills.ledger_totals().values()) == {0}
    assert not PaymentCase.objects.filter(closed_at=None).exists()


def a_refused_refund(wechat: StandIn) -> tuple[Refund, PaymentCase]:
    """WeChat did not take it at first, so that finance was asked for help."""
    _, refund = a_reversed_payment(wechat)
    wechat.fault("refund_not_enough")
    jobs.send_refund(refund_id=refund.pk)
    return refund, PaymentCase.objects.get(refund=refund, kind=CaseKind.REFUND_STUCK)


@pytest.mark.parametrize(("end", "word"), [("ABNORMAL", "退款异常"), ("CLOSED", "退款关闭")])
def test_a_refund_that_ended_badly_is_one_case(wechat: StandIn, end: str, word: str) -> None:
    """It is not stuck any more: only what became of it waits for a person."""
    refund, stuck = a_refused_refund(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, end)
    jobs.ask_refund(refund_id=refund.pk)
    stuck.refresh_from_db()
    assert (stuck.closed_by, stuck.closing_note) == (str(SYSTEM), f"微信的结果：{word}")
    (left,) = PaymentCase.objects.filter(closed_at=None)
    assert (left.kind, left.refund_id) == (f"refund_{end.lower()}", refund.pk)


def test_a_refund_with_two_cases_is_transferred_once(wechat: StandIn) -> None:
    """The other case's page says so; it does not break."""
    refund, stuck = a_refused_refund(wechat)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "ABNORMAL")
    jobs.ask_refund(refund_id=refund.pk)
    abnormal = PaymentCase.objects.get(refund=refund, kind=CaseKind.REFUND_ABNORMAL)
    # As it was before a refund's end closed the case of its refusal.
    PaymentCase.objects.filter(pk=stuck.pk).update(closed_at=None, closed_by="", closing_note="")
    made = transfer(abnormal)
    with pytest.raises(actions.AlreadyAsked):
        transfer(stuck, proof="BANK-20261123-0008")
    assert list(OfflineTransfer.objects.all()) == [made]


def test_one_slip_of_the_bank_proves_one_transfer(wechat: StandIn) -> None:
    transfer(an_abnormal_refund(wechat)[2])
    other = an_abnormal_refund(wechat)[2]

    with pytest.raises(Invalid) as refused:
        transfer(other)

    assert list(refused.value.errors) == ["proof"]
    assert OfflineTransfer.objects.count() == 1
    first = OfflineTransfer.objects.get()
    actions.reject_transfer(transfer_id=first.pk, note="抄错", by=FINANCE, at=clock.now())
    transfer(first.case)
    assert OfflineTransfer.objects.count() == 2


def test_a_case_takes_only_its_own_remedy(wechat: StandIn) -> None:
    _, _, case = an_abnormal_refund(wechat)
    with pytest.raises(actions.NotThisRemedy):
        actions.propose_decision(case_id=case.pk, note="", by=CLERK, at=clock.now())
    assert not CaseDecision.objects.exists()
    with pytest.raises(NotFound):
        actions.propose_transfer(
            case_id=0, payee="a", payee_account="1", proof="x", by=CLERK, at=clock.now()
        )


def test_every_kind_of_case_has_one_remedy() -> None:
    assert set(REMEDIES) == set(CaseKind)


def test_the_case_page_reads_a_few_statements(
    wechat: StandIn, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    _, wrong = a_wrong_amount(wechat)
    actions.propose_decision(case_id=wrong.pk, note="退", by=CLERK, at=clock.now())
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        (row,) = queries.case_rows(at=clock.now())
    assert (row.remedy, row.may_close) == (CaseRemedy.REFUND_UNAPPLIED, False)
    assert row.decision is not None
    assert (row.decision.note, row.transfer) == ("退", None)


def test_pressing_asks_wechat_about_a_case(wechat: StandIn) -> None:
    payment = a_pending_payment()
    word = paid_word(payment, out_trade_no="nowhere0001")
    actions.record_result(paid=word, received=a_notice(1), by=SYSTEM, at=clock.now())
    case = PaymentCase.objects.get()
    assert remedy_of(case) is CaseRemedy.ASK_AGAIN
    gateway.press_case(case_id=case.pk, by=FINANCE, at=clock.now())
    actions.close_case(case_id=case.pk, note="不是本院订单", by=FINANCE, at=clock.now())
    case.refresh_from_db()
    assert case.closed_by == "staff:7"
