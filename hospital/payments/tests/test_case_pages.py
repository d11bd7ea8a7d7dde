"""The desk's pages about parked cases: explained, one action, two persons for money."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from hospital.billing import queries as bills
from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.payments import actions, case_words, gateway
from hospital.payments.actions.cases import open_case
from hospital.payments.models import (
    CaseDecision,
    OfflineTransfer,
    PaymentCase,
    Refund,
)
from hospital.payments.states import REMEDIES, CaseKind, CaseRemedy, PaymentStatus
from hospital.payments.tests.world import (
    a_bill,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    paid_word,
    refund_word,
)
from hospital.testing.people import a_staff, staff_client
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import RefundProgress

pytestmark = pytest.mark.django_db
CASES = "/staff/cases/"
TRANSFER = {"payee": "陈晓宁", "payee_account": "6222021234567890123", "proof": "HD20261123001"}
HELD = 2400


@pytest.fixture
def first() -> StaffAccount:
    return a_staff(Role.FINANCE, display_name="陈令仪")


@pytest.fixture
def second() -> StaffAccount:
    return a_staff(Role.CASHIER_SUPERVISOR, display_name="温景行")


def text(answer: Any) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def get(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.status_code
    return text(answer)


def address(name: str, pk: int) -> str:
    return reverse(f"payments-{name}", args=[pk])


def post(client: Client, name: str, pk: int, **data: str) -> Any:
    return client.post(address(name, pk), data)


def held_money(wechat: StandIn) -> PaymentCase:
    """One yuan less arrived than was ordered, and WeChat confirms it."""
    payment = a_pending_payment()
    actions.record_result(
        paid=paid_word(payment, total_fen=HELD, payer_fen=HELD), by=SYSTEM, at=clock.now()
    )
    case = PaymentCase.objects.get(kind=CaseKind.WRONG_AMOUNT)
    assert bills.suspended_fen(reference=payment.out_trade_no) == HELD
    return case


def abnormal(wechat: StandIn) -> PaymentCase:
    """The payer's card is dead."""
    _, refund = a_reversed_payment(wechat)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    state = refund_word(refund, RefundProgress.ABNORMAL)
    actions.record_refund_result(state=state, by=SYSTEM, at=clock.now())
    return PaymentCase.objects.get(kind=CaseKind.REFUND_ABNORMAL, refund=refund)


def test_the_list_says_how_long_what_and_what_to_do(wechat: StandIn) -> None:
    client = staff_client(Role.CASHIER)
    assert "没有待处理的异常" in get(client, CASES)
    case = held_money(wechat)

    shown = get(client, CASES)

    for words in ("金额不一致", case.number, "0 分钟", "¥25.00", "¥24.00", "退回这笔款"):
        assert words in shown, words
    assert f'href="{address("case", case.pk)}"' in shown
    assert "最近 30 天没有关闭的异常" in get(client, CASES + "?show=closed")


def test_money_under_way_is_not_proposed_twice(
    wechat: StandIn, first: StaffAccount, second: StaffAccount
) -> None:
    case = held_money(wechat)
    proposer, other = staff_client(account=first), staff_client(account=second)
    post(proposer, "case-propose", case.pk, note="患者少付")
    post(other, "decide", CaseDecision.objects.get().pk, answer="yes")
    refund = Refund.objects.get()

    shown = get(proposer, address("case", case.pk))

    for words in ("正在退回付款人", refund.out_refund_no, "¥24.00"):
        assert words in shown, words
    assert "提出退回，交另一人复核" not in shown
    assert "正在退回" in get(proposer, CASES)
    assert post(proposer, "case-propose", case.pk, note="再退一次").status_code == 409
    assert CaseDecision.objects.count() == Refund.objects.count() == 1


def test_the_page_explains_with_both_sides_figures(wechat: StandIn, first: StaffAccount) -> None:
    case = held_money(wechat)
    payment = case.payment
    assert payment is not None

    shown = get(staff_client(account=first), address("case", case.pk))

    for words in (
        "微信收到的金额与订单金额不一样",
        "¥25.00",
        "¥24.00",
        "微信少",
        payment.out_trade_no,
        payment.transaction_id,
        bill_of(payment).number,
        "陈*宁",
        "将退回付款人",
        "提出退回，交另一人复核",
    ):
        assert words in shown, words
    assert "陈晓宁" not in shown


def test_money_goes_back_by_two_persons(
    wechat: StandIn, first: StaffAccount, second: StaffAccount
) -> None:
    case = held_money(wechat)
    proposer, other = staff_client(account=first), staff_client(account=second)
    assert post(proposer, "case-propose", case.pk, note="").status_code == 422
    assert not CaseDecision.objects.exists()

    assert post(proposer, "case-propose", case.pk, note="患者少付一元").status_code == 302
    twice = post(proposer, "case-propose", case.pk, note="再点一次")
    assert twice.status_code == 409
    assert "已有一份申请在等待复核" in text(twice)
    decision = CaseDecision.objects.get()
    mine = get(proposer, address("case", case.pk))
    assert "等待另一人确认" in mine
    assert "确认退回" not in mine
    own = post(proposer, "decide", decision.pk, answer="yes")
    assert own.status_code == 409
    assert "不能复核自己提出的申请" in text(own)
    assert not Refund.objects.exists()

    theirs = get(other, address("case", case.pk))
    for words in ("患者少付一元", "陈令仪", "确认退回", "¥24.00"):
        assert words in theirs, words
    silent = post(other, "decide", decision.pk, answer="no", note="")
    assert silent.status_code == 422
    assert post(other, "decide", decision.pk, answer="yes").status_code == 302

    refund = Refund.objects.get()
    assert (refund.amount_fen, refund.bill_id) == (HELD, None)
    again = post(other, "decide", decision.pk, answer="yes")
    assert again.status_code == 409
    assert Refund.objects.count() == 1


def test_a_rejected_proposal_leaves_the_case(
    wechat: StandIn, first: StaffAccount, second: StaffAccount
) -> None:
    case = held_money(wechat)
    post(staff_client(account=first), "case-propose", case.pk, note="退")
    decision = CaseDecision.objects.get()

    answer = post(staff_client(account=second), "decide", decision.pk, answer="no", note="先核对")

    assert answer.status_code == 302
    decision.refresh_from_db()
    assert (decision.status, decision.decision_note) == ("rejected", "先核对")
    assert not Refund.objects.exists()
    shown = get(staff_client(account=first), address("case", case.pk))
    assert "提出退回，交另一人复核" in shown
    assert "先核对" in shown


def test_a_transfer_is_entered_compared_and_booked(
    wechat: StandIn, first: StaffAccount, second: StaffAccount
) -> None:
    case = abnormal(wechat)
    refund = Refund.objects.get()
    proposer, other = staff_client(account=first), staff_client(account=second)
    page = get(proposer, address("case", case.pk))
    for words in ("微信退不回付款人的账户", "应转账", "收款银行卡号", "微信退到银行卡"):
        assert words in page, words

    wrong = post(proposer, "case-transfer", case.pk, way="bank", **TRANSFER | {"proof": ""})
    assert wrong.status_code == 422
    assert "请填写银行回单号" in text(wrong)
    assert 'value="6222021234567890123"' in text(wrong), "nothing typed is lost"
    assert not OfflineTransfer.objects.exists()

    assert post(proposer, "case-transfer", case.pk, way="bank", **TRANSFER).status_code == 302
    twice = post(proposer, "case-transfer", case.pk, way="bank", **TRANSFER)
    assert twice.status_code == 409
    transfer = OfflineTransfer.objects.get()
    theirs = get(other, address("case", case.pk))
    assert "尾号 0123" in theirs
    assert "6222021234567890123" not in theirs
    assert "陈晓宁" not in theirs
    revealed = text(post(other, "transfer-reveal", transfer.pk))
    assert "6222021234567890123" in revealed
    looked = AuditEntry.objects.get(act="payments.transfer.reveal_payee")
    assert looked.by == f"staff:{second.pk}"

    own = post(proposer, "decide-transfer", transfer.pk, answer="yes")
    assert own.status_code == 409
    refund.refresh_from_db()
    assert refund.status == "abnormal"
    assert post(other, "decide-transfer", transfer.pk, answer="yes").status_code == 302
    refund.refresh_from_db()
    case.refresh_from_db()
    assert (refund.status, refund.route) == ("succeeded", "offline")
    assert case.closed_at is not None
    shown = get(proposer, address("case", case.pk))
    assert "已关闭" in shown
    assert "线下转账 HD20261123001" in shown
    assert case.number in get(proposer, CASES + "?show=closed")


def test_a_slip_proves_one_transfer_and_the_field_says_so(
    wechat: StandIn, first: StaffAccount
) -> None:
    client = staff_client(account=first)
    for case in (abnormal(wechat), abnormal(wechat)):
        answer = post(client, "case-transfer", case.pk, way="bank", **TRANSFER)

    assert answer.status_code == 422
    assert text(answer).count("这张回单已经登记在另一笔转账上") == 1
    assert f'value="{TRANSFER["proof"]}"' in text(answer)
    assert OfflineTransfer.objects.count() == 1


def test_a_card_needs_its_bank(wechat: StandIn, first: StaffAccount) -> None:
    case, client = abnormal(wechat), staff_client(account=first)
    facts = {"way": "card", "payee": "陈晓宁", "payee_account": "6222021234567890123"}
    answer = post(client, "case-transfer", case.pk, **facts)
    assert answer.status_code == 422
    assert "请选择开户银行" in text(answer)
    assert (
        post(client, "case-transfer", case.pk, **facts, bank_type="ICBC_DEBIT").status_code == 302
    )
    assert OfflineTransfer.objects.get().way == "card"


def test_asking_wechat_is_the_answer(wechat: StandIn, first: StaffAccount) -> None:
    payment = a_pending_payment()
    open_case(
        kind=CaseKind.UNRESOLVED, number=payment.out_trade_no, payment=payment, at=clock.now()
    )
    case = PaymentCase.objects.get()
    wechat.pay(payment.out_trade_no)

    answer = post(staff_client(account=first), "case-press", case.pk)

    assert answer.status_code == 302
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_a_case_is_closed_only_with_a_reason_and_without_open_money(
    wechat: StandIn, first: StaffAccount
) -> None:
    client, held = staff_client(account=first), held_money(wechat)
    refused = post(client, "case-close", held.pk, note="不管了")
    assert refused.status_code == 409
    assert "还没有处理完" in text(refused)
    assert 'value="不管了"' in text(refused)
    open_case(kind=CaseKind.UNKNOWN_REFUND, number="R1", at=clock.now())
    case = PaymentCase.objects.get(kind=CaseKind.UNKNOWN_REFUND)
    for note in ("", "  ", "\x00"):
        blank = post(client, "case-close", case.pk, note=note)
        assert blank.status_code == 422
        assert 'id="id_note-error"' in text(blank)
        assert "x-banner" not in text(blank)
    case.refresh_from_db()
    assert case.closed_at is None
    assert post(client, "case-close", case.pk, note="商户平台手工退的").status_code == 302
    case.refresh_from_db()
    assert (case.closing_note, case.closed_by) == ("商户平台手工退的", f"staff:{first.pk}")
    assert post(client, "case-close", case.pk, note="再来").status_code == 409


def test_roles_and_strangers(wechat: StandIn, first: StaffAccount) -> None:
    case = held_money(wechat)
    post(staff_client(account=first), "case-propose", case.pk, note="退")
    decision = CaseDecision.objects.get()
    acts = [("case-propose", case.pk), ("case-close", case.pk), ("case-transfer", case.pk)]
    for role in (Role.CASHIER, Role.CASHIER_SUPERVISOR, Role.OUTPATIENT_OFFICE):
        client = staff_client(role)
        get(client, address("case", case.pk))
        for name, pk in acts:
            assert post(client, name, pk, note="x", **TRANSFER).status_code == 403
    cashier = staff_client(Role.CASHIER)
    assert post(cashier, "decide", decision.pk, answer="yes").status_code == 403
    for role in (Role.REGISTRATION_CLERK, Role.DOCTOR, Role.SYSTEM_ADMIN):
        get(staff_client(role), CASES, 403)
        get(staff_client(role), address("case", case.pk), 403)
    finance = staff_client(account=first)
    get(finance, address("case", 0), 404)
    for name in ("case-press", "case-propose", "decide", "decide-transfer", "transfer-reveal"):
        assert post(finance, name, 0, note="x", answer="yes").status_code == 404
        assert finance.get(address(name, case.pk)).status_code == 405
    assert not Refund.objects.exists()
    case.refresh_from_db()
    assert case.closed_at is None


@pytest.mark.parametrize("kind", CaseKind)
def test_every_kind_is_explained(kind: CaseKind, first: StaffAccount) -> None:
    open_case(kind=kind, number="20261123-x", detail="limit: age", at=clock.now())
    case = PaymentCase.objects.get()
    shown = get(staff_client(account=first), address("case", case.pk))
    assert case_words.WHAT[kind] in shown
    assert "付款已超过 365 天" in shown
    assert case_words.todo(kind, REMEDIES[kind])


def test_a_refund_that_was_refused_is_sent_again(wechat: StandIn, first: StaffAccount) -> None:
    payment, refund = a_reversed_payment(wechat)
    wechat.fault("refund_not_enough")
    gateway.send_refund(refund_id=refund.pk, attempt=0, by=SYSTEM, at=clock.now())
    case = PaymentCase.objects.get(kind=CaseKind.REFUND_STUCK)
    shown = get(staff_client(account=first), address("case", case.pk))
    assert "商户号余额不足" in shown
    assert CaseRemedy.SEND_AGAIN.label in shown
    wechat.calm()
    assert post(staff_client(account=first), "case-press", case.pk).status_code == 302
    refund.refresh_from_db()
    assert refund.status == "processing"
    assert Refund.objects.filter(payment=payment).count() == 1


def test_a_bill_nobody_can_be_refunded_for_is_called_by_its_number(first: StaffAccount) -> None:
    bill = a_bill()
    open_case(
        kind=CaseKind.REFUND_IMPOSSIBLE,
        number=f"bill {bill.pk} 10W1",
        bill_id=bill.pk,
        expected_fen=2500,
        at=clock.now(),
    )
    client, case = staff_client(account=first), PaymentCase.objects.get()
    for shown in (get(client, CASES), get(client, address("case", case.pk))):
        assert bill.number in shown
        assert f"bill {bill.pk}" not in shown


@pytest.mark.parametrize(
    "code",
    [
        # What WeChat documents for asking for a refund,
        "PARAM_ERROR",
        "INVALID_REQUEST",
        "SIGN_ERROR",
        "NOT_ENOUGH",
        "USER_ACCOUNT_ABNORMAL",
        "MCH_NOT_EXISTS",
        "RESOURCE_NOT_EXISTS",
        "FREQUENCY_LIMITED",
        "SYSTEM_ERROR",
        # and what any of its calls may answer.
        "APPID_MCHID_NOT_MATCH",
        "BANK_ERROR",
        "NO_AUTH",
        "ORDER_CLOSED",
        "ORDER_NOT_EXIST",
        "OUT_TRADE_NO_USED",
        "RATELIMIT_EXCEEDED",
        "REQUEST_BLOCKED",
        "RULE_LIMIT",
        "TRADE_ERROR",
    ],
)
def test_wechats_codes_are_told_in_words(code: str) -> None:
    assert case_words.reason(code) != code
    assert not case_words.reason(code).isascii()


def test_lists_cost_the_same_with_three_and_thirty(
    first: StaffAccount, django_assert_max_num_queries: Any
) -> None:
    client = staff_client(account=first)
    for number in range(30):
        open_case(kind=CaseKind.UNKNOWN_REFUND, number=f"R{number}", at=clock.now())
    with django_assert_max_num_queries(9):
        assert get(client, CASES).count("<tr>") == 31
