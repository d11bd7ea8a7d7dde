"""Ways to lose money, to send it twice or to let it lie, each tried once."""

import datetime as dt
import itertools

import pytest
import time_machine

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import set_value
from hospital.payments import actions, gateway, jobs, queries, thresholds
from hospital.payments.models import OfflineTransfer, Payment, PaymentCase, Refund
from hospital.payments.states import (
    CaseKind,
    CaseRemedy,
    CodeState,
    NoticeOutcome,
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
    bill_of,
    later_on,
    money,
    paid_word,
    refund_word,
    remedy_of,
    reverse,
)
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_wechat_user
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import RefundProgress

pytestmark = pytest.mark.django_db
CLERK, FINANCE = Actor("staff", 3), Actor("staff", 7)
PAYEE = {"payee": "陈晓宁", "payee_account": "6222020000000000000"}
_slips = itertools.count(1)
YEAR = dt.timedelta(days=366)


def an_order(*for_bills: Bill, mchid: str = "1900000001") -> Payment:
    """An order as it stands here; WeChat is not asked."""
    return actions.create_payment(
        bill_ids=[bill.pk for bill in for_bills],
        wechat_user_id=a_wechat_user().pk,
        shown_fen=sum(bill.total_fen for bill in for_bills),
        account=(mchid, "wx1"),
        node=1,
        by=SYSTEM,
        at=clock.now(),
    )


def a_payment(*fens: int, more: tuple[int, ...] = ()) -> Payment:
    """Paid, as far as our books go."""
    payment = an_order(*(a_bill(fen=fen, more=more) for fen in fens))
    tell_paid(payment)
    return payment


def tell_paid(payment: Payment, at: dt.datetime | None = None) -> NoticeOutcome:
    outcome = actions.record_result(paid=paid_word(payment), by=SYSTEM, at=at or clock.now())
    payment.refresh_from_db()
    return outcome


def give_back(payment: Payment, line: int, fen: int, at: dt.datetime | None = None) -> list[Refund]:
    """One line of the payment's bill is reversed with somebody's approval, and sent back."""
    at, bill = at or clock.now(), payment.allocations.order_by("bill_id")[0].bill
    charge = [row for row in bills.charges_of(bill_id=bill.pk) if row.reversal_of_id is None][line]
    request = actions.propose_refund(
        bill_id=bill.pk,
        charge_ids=[charge.pk],
        shown_fen=fen,
        reason="项目未做",
        key=f"{bill.pk}:{line}",
        by=CLERK,
        at=at,
    )
    if request.status == RequestStatus.REQUESTED:
        actions.approve_refund(request_id=request.pk, by=FINANCE, at=at)
    return actions.refund_due(bill_id=bill.pk, reason="项目未做", by=SYSTEM, at=at)


def tell_refund(refund: Refund, progress: RefundProgress = RefundProgress.SUCCESS) -> NoticeOutcome:
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    outcome = actions.record_refund_result(
        state=refund_word(refund, progress), by=SYSTEM, at=clock.now()
    )
    refund.refresh_from_db()
    return outcome


def open_case(kind: CaseKind) -> PaymentCase:
    return PaymentCase.objects.get(kind=kind, closed_at=None)


def propose(case: PaymentCase, at: dt.datetime | None = None) -> OfflineTransfer:
    proof, at = f"BANK-{next(_slips)}", at or clock.now()
    return actions.propose_transfer(case_id=case.pk, proof=proof, by=CLERK, at=at, **PAYEE)


def by_bank(case: PaymentCase, at: dt.datetime | None = None) -> OfflineTransfer:
    made = propose(case, at)
    return actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=at or clock.now())


def test_the_number_of_a_refund_the_bank_paid_is_never_used_again() -> None:
    payment = a_payment(2500, more=(700,))
    (first,) = give_back(payment, 1, 700)
    tell_refund(first, RefundProgress.ABNORMAL)
    by_bank(open_case(CaseKind.REFUND_ABNORMAL))
    (second,) = give_back(payment, 0, 2500)
    assert [first.out_refund_no[-3:], second.out_refund_no[-3:]] == ["R01", "R02"]
    tell_refund(second)
    assert money(bill_of(payment)) == (0, 0, 0)


def test_applied_money_never_leaves_as_money_that_fits_nothing() -> None:
    payment = a_payment(2500, more=(700,))
    (part,) = give_back(payment, 1, 700)
    tell_refund(part)
    actions.record_result(
        paid=paid_word(payment, transaction_id=payment.transaction_id, total_fen=9),
        by=SYSTEM,
        at=clock.now(),
    )
    case = open_case(CaseKind.WRONG_AMOUNT)
    with pytest.raises(actions.NotThisRemedy):
        actions.propose_decision(case_id=case.pk, note="退", by=CLERK, at=clock.now())
    assert Refund.objects.get() == part
    assert money(bill_of(payment)) == (2500, 2500, 0)


def test_each_bill_of_a_payment_too_old_has_a_case_of_its_own() -> None:
    payment, late = a_payment(2500, 700), clock.now() + YEAR
    for part in payment.allocations.all():
        reverse(part.bill)
        actions.refund_due(bill_id=part.bill_id, reason="停诊", by=SYSTEM, at=late)
    cases = list(PaymentCase.objects.filter(kind=CaseKind.REFUND_IMPOSSIBLE).order_by("pk"))
    assert [case.expected_fen for case in cases] == [2500, 700]
    for case in cases:
        by_bank(case, late)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FULLY_REFUNDED
    assert set(bills.ledger_totals().values()) == {0}
    assert not PaymentCase.objects.filter(closed_at=None).exists()


def test_a_case_stays_open_for_what_came_to_be_owed_while_it_waited() -> None:
    payment, late = a_payment(2500, more=(700,)), clock.now() + YEAR
    give_back(payment, 1, 700, late)
    case = open_case(CaseKind.REFUND_IMPOSSIBLE)
    made = propose(case, late)
    give_back(payment, 0, 2500, late)
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=late)
    assert money(bill_of(payment)) == (2500, 0, 2500)
    assert by_bank(open_case(CaseKind.REFUND_IMPOSSIBLE), late).amount_fen == 2500
    assert set(bills.ledger_totals().values()) == {0}
    assert not PaymentCase.objects.filter(closed_at=None).exists()


def test_r16_a_slip_that_waits_while_wechat_pays_after_all_is_looked_into() -> None:
    payment = a_payment(2500)
    (refund,) = give_back(payment, 0, 2500)
    tell_refund(refund, RefundProgress.ABNORMAL)
    made = propose(open_case(CaseKind.REFUND_ABNORMAL))
    tell_refund(refund)
    twice = open_case(CaseKind.REFUND_TWICE)
    assert (twice.refund, remedy_of(twice)) == (refund, CaseRemedy.CLOSE)
    with pytest.raises(actions.CaseAlreadyClosed):
        actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    assert set(bills.ledger_totals().values()) == {0}


def test_an_abnormal_refund_the_bank_paid_stays_settled_when_wechat_repeats_itself() -> None:
    (refund,) = give_back(a_payment(2500), 0, 2500)
    tell_refund(refund, RefundProgress.ABNORMAL)
    by_bank(open_case(CaseKind.REFUND_ABNORMAL))
    assert tell_refund(refund, RefundProgress.ABNORMAL) is NoticeOutcome.REPEATED
    assert not PaymentCase.objects.filter(closed_at=None).exists()


def test_a_card_refund_refused_because_it_runs_already_is_not_paid_by_the_bank_too(
    wechat: StandIn,
) -> None:
    payment = a_paid_payment(wechat)
    (refund,) = give_back(payment, 0, 2500)
    jobs.send_refund(refund_id=refund.pk)
    wechat.refund_state(refund.out_refund_no, "ABNORMAL")
    jobs.ask_refund(refund_id=refund.pk)
    made = actions.propose_card(
        case_id=open_case(CaseKind.REFUND_ABNORMAL).pk,
        payee="陈晓宁",
        payee_account="6222020000000000001",
        bank_type="ICBC_DEBIT",
        by=CLERK,
        at=clock.now(),
    )
    actions.confirm_transfer(transfer_id=made.pk, by=FINANCE, at=clock.now())
    wechat.refund_state(refund.out_refund_no, "SUCCESS")  # by hand, in WeChat's console
    jobs.send_card(transfer_id=made.pk)
    made.refresh_from_db()
    refund.refresh_from_db()
    assert (made.status, refund.status) == ("done", RefundStatus.SUCCEEDED)
    assert set(bills.ledger_totals().values()) == {0}


def test_a_payer_whose_account_is_gone_is_paid_by_the_bank() -> None:
    payment = a_payment(2500)
    (refund,) = give_back(payment, 0, 2500)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_refused(
        refund_id=refund.pk, code="USER_ACCOUNT_ABNORMAL", attempt=1, by=SYSTEM, at=clock.now()
    )
    case = open_case(CaseKind.REFUND_STUCK)
    assert remedy_of(case) is CaseRemedy.OFFLINE_TRANSFER
    by_bank(case)
    refund.refresh_from_db()
    assert (refund.status, refund.route) == (RefundStatus.SUCCEEDED, RefundRoute.OFFLINE)
    assert actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now()) is None
    assert set(bills.ledger_totals().values()) == {0}


def test_a_refund_refused_until_its_payment_was_too_old_is_paid_by_the_bank() -> None:
    (refund,) = give_back(a_payment(2500), 0, 2500)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_refused(
        refund_id=refund.pk, code="NOT_ENOUGH", attempt=0, by=SYSTEM, at=clock.now()
    )
    with time_machine.travel(clock.now() + YEAR, tick=True):
        case = open_case(CaseKind.REFUND_STUCK)
        assert remedy_of(case) is CaseRemedy.OFFLINE_TRANSFER
        by_bank(case)
    assert set(bills.ledger_totals().values()) == {0}


def test_a_refund_that_may_still_be_taken_is_not_paid_by_the_bank() -> None:
    (refund,) = give_back(a_payment(2500), 0, 2500)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    actions.record_refund_refused(
        refund_id=refund.pk, code="NOT_ENOUGH", attempt=0, by=SYSTEM, at=clock.now()
    )
    case = open_case(CaseKind.REFUND_STUCK)
    assert remedy_of(case) is CaseRemedy.SEND_AGAIN
    with pytest.raises(actions.TransferNotNeeded):
        propose(case)
    assert not OfflineTransfer.objects.exists()


def test_sm11_small_requests_do_not_add_up_to_a_large_one() -> None:
    set_value(setting=thresholds.APPROVAL_ABOVE_FEN, value=3000, by=SYSTEM, at=clock.now())
    payment = a_payment(2500, more=(400, 700))
    bill = bill_of(payment)
    lines = [row.pk for row in bills.charges_of(bill_id=bill.pk)]
    asked = [
        actions.propose_refund(
            bill_id=bill.pk,
            charge_ids=[lines[number]],
            shown_fen=fen,
            reason="误收",
            key=f"k{number}",
            by=CLERK,
            at=clock.now(),
        ).status
        for number, fen in ((0, 2500), (1, 400), (2, 700))
    ]
    assert asked == [RequestStatus.APPROVED, RequestStatus.APPROVED, RequestStatus.REQUESTED]
    assert money(bill) == (3600, 700, 2900)


def a_scan() -> Payment:
    """A payment code was charged; WeChat has not answered yet."""
    payment, _ = actions.create_scan(
        bill_ids=[a_bill().pk],
        auth_code="130000000000000001",
        shown_fen=2500,
        key="k1",
        account=("1900000001", "wx1"),
        node=1,
        by=CLERK,
        at=clock.now(),
    )
    return payment


@pytest.mark.parametrize("is_closed", [False, True])
def test_success_seen_while_a_charge_is_taken_back_is_not_believed_yet(*, is_closed: bool) -> None:
    """The cashier's page asks, or the charge's own answer comes, between our asking to take it back
    and WeChat's doing so: the patient has the money, we must not think that we have."""
    payment, at = a_scan(), clock.now()
    assert actions.take_back(payment_id=payment.pk, at=at + dt.timedelta(seconds=31))
    if is_closed:
        actions.record_closed(payment_id=payment.pk, reason="reversed", by=SYSTEM, at=at)
    status = Payment.objects.get().status
    assert tell_paid(payment, at) is NoticeOutcome.PARKED
    assert tell_paid(payment, at + dt.timedelta(seconds=80)) is NoticeOutcome.PARKED
    assert (payment.status, money(bill_of(payment))) == (status, (0, 0, 0))
    assert tell_paid(payment, at + dt.timedelta(seconds=92)) is NoticeOutcome.APPLIED
    assert money(bill_of(payment)) == (2500, 2500, 0)
    assert not actions.take_back(payment_id=payment.pk, at=at + dt.timedelta(seconds=95))


def test_what_wechat_paid_is_not_taken_back() -> None:
    payment = a_scan()
    tell_paid(payment)
    assert not actions.take_back(payment_id=payment.pk, at=clock.now())
    payment.refresh_from_db()
    assert (payment.status, payment.taken_back_at) == (PaymentStatus.SUCCEEDED, None)


def test_a_merchant_number_we_had_before_does_not_make_its_orders_unpaid(
    wechat: StandIn,
) -> None:
    """The new account answers "no such order": that says nothing of the old one's money."""
    payment = an_order(a_bill(), mchid="1900000999")
    with later_on(wechat, dt.timedelta(minutes=16)):
        jobs.settle_or_close(payment_id=payment.pk)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.UNKNOWN


def test_m4_4_an_order_a_stranger_left_open_blocks_a_code_for_two_minutes(wechat: StandIn) -> None:
    bill, family = a_bill(ends_in=None), a_wechat_user()
    code = actions.create_pay_code(bill_ids=[bill.pk], by=CLERK, at=clock.now())
    first = a_pending_payment(bill)

    def state() -> CodeState:
        return queries.pay_code_page(
            token=code.token, wechat_user_id=family.pk, at=clock.now()
        ).state

    assert state() is CodeState.ELSEWHERE
    with later_on(wechat, dt.timedelta(minutes=2, seconds=1)):
        assert state() is CodeState.UNPAID
        sheet = gateway.start_code_payment(
            token=code.token,
            wechat_user_id=family.pk,
            shown_fen=2500,
            by=Actor("patient", family.pk),
            at=clock.now(),
        )
    assert isinstance(sheet, gateway.Sheet)
    first.refresh_from_db()
    assert first.status == PaymentStatus.CLOSED


def test_the_list_of_cases_costs_the_same_however_long(
    django_assert_max_num_queries: pytest.FixtureRequest,
) -> None:
    late = clock.now() + YEAR
    for _ in range(3):
        give_back(a_payment(2500), 0, 2500, late)
        (refund,) = give_back(a_payment(700), 0, 700)
        tell_refund(refund, RefundProgress.CLOSED)
        payment = an_order(a_bill())
        actions.record_result(paid=paid_word(payment, total_fen=9), by=SYSTEM, at=clock.now())
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        rows = queries.case_rows(at=clock.now())
    assert [row.may_close for row in rows] == [False] * 9
    assert {row.remedy for row in rows} == {
        CaseRemedy.OFFLINE_TRANSFER,
        CaseRemedy.SEND_AGAIN,
        CaseRemedy.REFUND_UNAPPLIED,
    }


def test_a_wrong_amount_only_a_notice_tells_of_is_asked_about(wechat: StandIn) -> None:
    payment = a_pending_payment()
    actions.record_result(
        paid=paid_word(payment, total_fen=9), received=a_notice(1), by=SYSTEM, at=clock.now()
    )
    case = open_case(CaseKind.WRONG_AMOUNT)
    assert remedy_of(case) is CaseRemedy.ASK_AGAIN
    wechat.pay(payment.out_trade_no)
    gateway.press_case(case_id=case.pk, by=FINANCE, at=clock.now())
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED
    assert not PaymentCase.objects.filter(closed_at=None).exists()


def test_a_refund_wechat_forgot_is_asked_about_again(wechat: StandIn) -> None:
    """A 404 about a refund that runs: its notice may be lost too, so the questions go on."""
    (refund,) = give_back(a_payment(2500), 0, 2500)
    tell_refund(refund, RefundProgress.PROCESSING)
    before = due_jobs().count("payments.jobs.ask_refund")
    jobs.ask_refund(refund_id=refund.pk)
    assert due_jobs().count("payments.jobs.ask_refund") == before + 1
    refund.refresh_from_db()
    assert refund.status == RefundStatus.PROCESSING
