"""The desk's pages about refunds that staff ask for: choose, see, approve."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.settings_rows import set_value
from hospital.payments import thresholds
from hospital.payments.models import RefundRequest
from hospital.payments.tests.world import a_bill, a_paid_payment, bill_of, money
from hospital.testing.people import a_staff, staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
LIST, APPROVALS = "/staff/refund-requests/", "/staff/approvals/"


def form_of(bill: Bill) -> str:
    return reverse("payments-ask-refund", args=[bill.number])


def ask(client: Client, bill: Bill, fen: int, **changes: object) -> Any:
    lines = [str(line.pk) for line in bills.charges_of(bill_id=bill.pk)]
    facts = {"charges": lines, "reason": "项目未做", "shown_fen": fen, "key": "k1"}
    return client.post(form_of(bill), {**facts, **changes})


def a_paid_bill(wechat: StandIn) -> Bill:
    """¥25.00, ¥10.00 and ¥7.00, paid on the phone."""
    return bill_of(a_paid_payment(wechat, a_bill(fen=2500, more=[1000, 700])))


def everything_waits() -> None:
    set_value(setting=thresholds.APPROVAL_ABOVE_FEN, value=0, by=SYSTEM, at=clock.now())


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_lines_are_chosen_with_the_sum_and_where_it_goes(wechat: StandIn) -> None:
    bill, client = a_paid_bill(wechat), staff_client(Role.CASHIER)
    shown = page(client, form_of(bill))
    payment = bill.allocations.get().payment
    for words in ("陈*宁", "¥42.00", payment.out_trade_no, "原路退回 公众号支付", "提交后立即退回"):
        assert words in shown, words
    first = bills.charges_of(bill_id=bill.pk)[0]
    total = reverse("payments-refund-sum", args=[bill.number])
    chosen = client.get(total, {"charges": [str(first.pk), "x", "99"]}).content.decode()
    assert 'name="shown_fen" value="2500"' in chosen
    assert "请选择要退的项目" in client.get(total).content.decode()


def test_a_small_sum_of_the_day_goes_straight_and_once(wechat: StandIn) -> None:
    bill, client = a_paid_bill(wechat), staff_client(Role.CASHIER)
    lines = [str(line.pk) for line in bills.charges_of(bill_id=bill.pk)]
    for _ in range(2):
        answer = ask(client, bill, 4200, charges=lines)
        assert answer.status_code == 302
    request = RefundRequest.objects.get()
    assert (request.status, money(bill)) == ("approved", (4200, 0, 4200))
    assert answer["Location"] == reverse("payments-refund-request", args=[request.pk])
    assert "已批准" in page(client, answer["Location"])
    assert "没有可退的项目" in page(client, form_of(bill))


def test_what_was_typed_comes_back_when_it_does_not_fit(wechat: StandIn) -> None:
    bill, client = a_paid_bill(wechat), staff_client(Role.CASHIER)
    first = bills.charges_of(bill_id=bill.pk)[0]
    for changes, status, words in (
        ({"reason": ""}, 422, "请写明退款原因"),
        ({"charges": []}, 422, "请至少选择一个项目"),
        ({"charges": ["0"]}, 409, "账单内容已变化"),
        ({"shown_fen": ""}, 422, "金额无效"),
        ({"charges": [str(first.pk)]}, 409, "账单内容已变化"),
    ):
        answer = ask(client, bill, 4200, **changes)
        assert answer.status_code == status, changes
        assert words in answer.content.decode(), changes
    blank = ask(client, bill, 4200, reason="  ").content.decode()
    assert 'id="id_reason-error"' in blank
    assert blank.count("请写明退款原因") == 1
    again = answer.content.decode()
    assert 'value="项目未做"' in again
    assert again.count("checked") == 1
    assert 'name="shown_fen" value="2500"' in again, "the right sum now"
    assert not RefundRequest.objects.exists()
    assert money(bill) == (4200, 4200, 0)


def test_more_waits_for_somebody_else(wechat: StandIn) -> None:
    bill = a_paid_bill(wechat)
    everything_waits()
    finance = a_staff(Role.FINANCE, display_name="陈令仪")
    asker, other = staff_client(account=finance), staff_client(Role.CASHIER_SUPERVISOR)
    assert ask(asker, bill, 4200).status_code == 302
    request = RefundRequest.objects.get()
    here = reverse("payments-refund-request", args=[request.pk])
    decide = reverse("payments-decide-refund", args=[request.pk])
    assert "等待另一人确认" in page(asker, here)
    assert "已有一份申请在等待审批" in page(asker, form_of(bill))
    own = asker.post(decide, {"answer": "yes"})
    assert own.status_code == 409
    assert "不能复核自己提出的申请" in own.content.decode()
    for words in ("陈令仪", "项目未做", "¥42.00", bill.number, "陈*宁", here):
        assert words in page(other, APPROVALS), words
    assert "等待另一人确认" in page(asker, APPROVALS)
    for blank in ("", "   ", "　"):
        refused = other.post(decide, {"answer": "no", "note": blank})
        assert refused.status_code == 422
        shown = refused.content.decode()
        assert 'id="id_note-error"' in shown, "told at the field"
        assert 'aria-describedby="id_note-error"' in shown
        assert shown.count("请写明理由") == 1
        assert "x-banner" not in shown
    assert money(bill) == (4200, 4200, 0)

    assert other.post(decide, {"answer": "yes"}).status_code == 302

    request.refresh_from_db()
    assert (request.status, money(bill)) == ("approved", (4200, 0, 4200))
    again = other.post(decide, {"answer": "no", "note": "晚了"})
    assert again.status_code == 409
    assert "没有等待复核的事" in page(other, APPROVALS)
    assert "已批准" in page(asker, LIST)


def test_a_rejected_request_changes_nothing(wechat: StandIn) -> None:
    bill = a_paid_bill(wechat)
    everything_waits()
    ask(staff_client(Role.CASHIER), bill, 4200)
    request = RefundRequest.objects.get()
    decide = reverse("payments-decide-refund", args=[request.pk])
    other = staff_client(Role.FINANCE)
    assert other.post(decide, {"answer": "no", "note": "已做检查"}).status_code == 302
    request.refresh_from_db()
    assert (request.status, request.decision_note) == ("rejected", "已做检查")
    assert money(bill) == (4200, 4200, 0)


def test_roles_strangers_and_unpaid_bills(wechat: StandIn) -> None:
    bill = a_paid_bill(wechat)
    everything_waits()
    for role in (Role.OUTPATIENT_OFFICE, Role.CASHIER_SUPERVISOR, Role.REGISTRATION_CLERK):
        assert ask(staff_client(role), bill, 4200).status_code == 403
    cashier = staff_client(Role.CASHIER)
    assert ask(cashier, a_bill(), 2500).status_code == 409
    assert "账单尚未支付" in page(cashier, form_of(a_bill()))
    assert not RefundRequest.objects.exists()
    assert cashier.get("/staff/bills/B0/refund/").status_code == 404
    assert cashier.get("/staff/refund-requests/0/").status_code == 404
    ask(cashier, bill, 4200)
    decide = reverse("payments-decide-refund", args=[RefundRequest.objects.get().pk])
    assert cashier.post(decide, {"answer": "yes"}).status_code == 403
    assert cashier.get(APPROVALS).status_code == 403
    assert staff_client(Role.DOCTOR).get(LIST).status_code == 403
    assert money(bill) == (4200, 4200, 0)
