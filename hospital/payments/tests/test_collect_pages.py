"""Collecting at the window, the slip with our own code, and the page behind it (M4.4, M5)."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.errors import NotFound
from hospital.payments import actions, queries
from hospital.payments.models import PayCode, Payment
from hospital.payments.states import PaymentStatus, TradeType
from hospital.payments.tests.world import a_bill, a_paid_payment, a_pending_payment, bill_of, money
from hospital.testing.people import a_wechat_user, patient_client, staff_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}
WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"}


@pytest.fixture
def cashier() -> Client:
    return staff_client(Role.CASHIER)


def at(bill: Bill, name: str = "collect") -> str:
    return reverse(f"payments-{name}", args=[bill.number])


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def charge(client: Client, bill: Bill, code: str, key: str = "k1", fen: int | None = None) -> Any:
    facts = {"auth_code": code, "key": key, "amount_fen": bill.total_fen if fen is None else fen}
    return client.post(at(bill, "collect-charge"), facts, follow=True)


def test_a_bill_is_found_by_its_number(cashier: Client) -> None:
    bill = a_bill()
    found = cashier.get("/staff/collect/", {"q": f" {bill.number.lower()} "})
    assert (found.status_code, found["Location"]) == (302, at(bill))
    assert "没有找到这张账单" in page(cashier, "/staff/collect/?q=B404")
    shown = page(cashier, at(bill))
    for words in ("陈*宁", "¥25.00", bill.title, 'name="auth_code"', "autofocus"):
        assert words in shown, words
    assert "陈晓宁" not in shown


def test_a_payment_code_pays_once(wechat: StandIn, cashier: Client) -> None:
    bill, code = a_bill(), wechat.scan_code()
    for _ in range(2):
        answer = charge(cashier, bill, code)
        assert answer.redirect_chain == [(at(bill), 302)], "a page loaded anew charges nothing"
        assert "已收款" in answer.content.decode()
    bill.refresh_from_db()
    assert money(bill) == (2500, 2500, 0)
    assert Payment.objects.get().trade_type == TradeType.SCAN
    shown = page(cashier, at(bill))
    assert bill.receipt_no in shown
    assert 'name="auth_code"' not in shown


def test_while_the_patient_types_the_password_nobody_reads_failed(
    wechat: StandIn, cashier: Client
) -> None:
    wechat.fault("userpaying")
    bill = a_bill()
    answer = charge(cashier, bill, wechat.scan_code())
    shown = answer.content.decode()
    assert "等待患者输入密码" in shown
    assert "没有收款" not in shown
    assert "every 2s" in shown
    second = charge(staff_client(Role.CASHIER), bill, wechat.scan_code(), "k2")
    assert second.status_code == 409
    assert "等待患者输入密码" in second.content.decode()
    payment = Payment.objects.get()
    actions.record_scan_unknown(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    unknown = page(cashier, at(bill, "collect-status"))
    assert "正在向微信确认，请勿重复收款" in unknown
    assert 'name="auth_code"' not in unknown
    wechat.micropay_password(payment.out_trade_no, "enter")
    assert cashier.post(at(bill, "collect-ask")).status_code == 302
    assert "已收款" in page(cashier, at(bill))
    assert money(bill) == (2500, 2500, 0)


def test_a_refused_code_may_be_scanned_again(wechat: StandIn, cashier: Client) -> None:
    wechat.fault("scan_code_expired")
    bill = a_bill()
    refused = charge(cashier, bill, wechat.scan_code()).content.decode()
    assert "没有收款" in refused
    assert 'name="auth_code"' in refused
    assert money(bill) == (0, 0, 0)
    wechat.calm()
    assert "已收款" in charge(cashier, bill, wechat.scan_code(), "k2").content.decode()


def test_what_does_not_fit_charges_nothing(wechat: StandIn, cashier: Client) -> None:
    bill = a_bill()
    wrong = charge(cashier, bill, "12345")
    assert wrong.status_code == 409
    assert "这不是微信付款码" in wrong.content.decode()
    assert "12345" not in wrong.content.decode(), "a payment code is never shown again"
    changed = charge(cashier, bill, wechat.scan_code(), fen=2400)
    assert changed.status_code == 409
    assert not Payment.objects.exists()


def test_a_code_on_the_screen(wechat: StandIn, cashier: Client) -> None:
    bill = a_bill(ends_in=None)
    shown = cashier.post(at(bill, "collect-show"), {"amount_fen": 2500})
    assert shown.status_code == 302
    assert "请患者用微信扫一扫" in page(cashier, at(bill))
    payment = Payment.objects.get()
    assert cashier.post(at(bill, "collect-stop")).status_code == 302
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.CLOSED
    assert 'name="auth_code"' in page(cashier, at(bill))
    wechat.fault("http_500", times=-1)
    down = cashier.post(at(bill, "collect-show"), {"amount_fen": 2500})
    assert down.status_code == 503
    assert "没有扣款" in down.content.decode()


def test_m4_4_a_patient_who_pays_right_now_is_seen(wechat: StandIn, cashier: Client) -> None:
    bill = bill_of(a_pending_payment())
    assert "患者正在手机上支付" in page(cashier, at(bill))
    taken = charge(cashier, bill, wechat.scan_code())
    assert taken.status_code == 409
    assert Payment.objects.count() == 1


def test_roles_and_strangers_collect_nothing(wechat: StandIn, cashier: Client) -> None:
    bill = a_bill()
    names = ("collect-charge", "collect-show", "collect-stop", "collect-ask", "slip-make")
    for role in (Role.FINANCE, Role.CASHIER_SUPERVISOR, Role.DOCTOR):
        client = staff_client(role)
        assert client.get(at(bill)).status_code == 403
        assert charge(client, bill, wechat.scan_code()).status_code == 403
    assert staff_client(Role.REGISTRATION_CLERK).get(at(bill)).status_code == 200
    for name in names:
        assert cashier.get(at(bill, name)).status_code == 405
        missing = cashier.post(reverse(f"payments-{name}", args=["B0"]), {"amount_fen": 1})
        assert missing.status_code == 404, name
    assert cashier.get(at(bill, "slip")).status_code == 404
    assert not Payment.objects.exists()
    assert not PayCode.objects.exists()


# ------------------------------------------------------------------ our own code


def code_of(bill: Bill) -> PayCode:
    return actions.create_pay_code(bill_ids=[bill.pk], by=SYSTEM, at=clock.now())


def own(code: PayCode) -> str:
    return reverse("payments-code-page", args=[code.token])


def test_m5_3_a_slip_printed_again_has_the_same_short_code(cashier: Client) -> None:
    bill = a_bill()
    for _ in range(2):
        assert cashier.post(at(bill, "slip-make"))["Location"] == at(bill, "slip")
    code = PayCode.objects.get()
    link = settings.PUBLIC_URL + reverse("payments-code", args=[code.token])
    shown = page(cashier, at(bill, "slip"))
    for words in (link, "陈*宁", "¥25.00", 'aria-label="缴费二维码"'):
        assert words in shown, words
    assert "陈晓宁" not in shown
    assert len("https://wx.hszyy-hospital.cn" + reverse("payments-code", args=[code.token])) <= 60
    assert cashier.post(at(bill, "slip-revoke")).status_code == 302
    assert cashier.get(at(bill, "slip")).status_code == 404


def test_m5_4_outside_wechat_it_says_to_use_wechat() -> None:
    code = code_of(a_bill())
    short = reverse("payments-code", args=[code.token])
    outside = Client().get(short)
    assert outside.status_code == 200
    assert "请用微信打开" in outside.content.decode()
    assert "¥" not in outside.content.decode()
    inside = Client().get(short, headers=WECHAT)
    assert (inside.status_code, inside["Location"]) == (302, own(code))
    framed = Client().get(short, headers={"Sec-Fetch-Dest": "iframe"})
    assert framed.status_code == 302
    assert Client().get(own(code)).status_code == 302, "the page itself wants a log-in"


def test_m5_1_whoever_scans_pays_without_learning_much(wechat: StandIn) -> None:
    bill = a_bill()
    code, family = code_of(bill), patient_client(a_wechat_user())
    shown = page(family, own(code))
    for words in ("陈*宁", "¥25.00", "微信支付", bill.title, "项目类别"):
        assert words in shown or words == "¥25.00", words
    line = bill.charges.get().item_name
    assert "陈晓宁" not in shown
    assert line not in shown
    assert bill.wechat_user is not None
    assert line in page(patient_client(bill.wechat_user), own(code)), "M5.2: for the bound"
    assert not Payment.objects.exists()
    sheet = family.post(own(code), {"amount_fen": 2500}, headers=JSON).json()["sheet"]
    assert sheet["package"].startswith("prepay_id=")
    payment = Payment.objects.get()
    assert "正在由他人支付" in page(patient_client(a_wechat_user()), own(code))
    wechat.pay(payment.out_trade_no)
    asked = family.post(reverse("payments-code-ask", args=[code.token])).content.decode()
    assert "已支付" in asked
    assert money(bill) == (2500, 2500, 0)
    refused = family.post(own(code), {"amount_fen": 2500}, headers=JSON)
    assert refused.status_code == 409
    assert Payment.objects.count() == 1


def test_m5_3_cancelled_changed_expired_and_revoked(wechat: StandIn) -> None:
    bills = [a_bill(), a_bill(fen=700), a_bill(ends_in=dt.timedelta(seconds=-1)), a_bill()]
    codes = [code_of(bill) for bill in bills]
    both = actions.create_pay_code(bill_ids=[bills[0].pk, bills[1].pk], by=SYSTEM, at=clock.now())
    with transaction.atomic():
        billing.cancel_bill(bill_id=bills[0].pk, by=SYSTEM, at=clock.now())
    actions.revoke_pay_code(pay_code_id=codes[3].pk, by=SYSTEM, at=clock.now())
    family = patient_client(a_wechat_user())
    for code, words in ((codes[0], "已作废"), (codes[2], "已过期"), (codes[3], "收款码已停用")):
        shown = page(family, own(code))
        assert words in shown
        assert "data-pay" not in shown
        assert family.post(own(code), {"amount_fen": 2500}, headers=JSON).status_code == 409
    assert 'name="amount_fen" value="700"' in page(family, own(both))
    old = family.post(own(both), {"amount_fen": 3200}, headers=JSON)
    assert (old.status_code, "变化" in old.json()["message"]) == (409, True)
    assert family.get(reverse("payments-code-page", args=["no"])).status_code == 404
    assert not Payment.objects.exists()
    with pytest.raises(NotFound):
        queries.payable_by_code(token="no", at=clock.now())


def test_a_paid_code_says_so_to_everybody(wechat: StandIn) -> None:
    bill = bill_of(a_paid_payment(wechat))
    shown = page(patient_client(a_wechat_user()), own(code_of(bill)))
    assert "已支付" in shown
    assert "data-pay" not in shown
    assert bill.status == BillStatus.SETTLED


def test_x16_a_code_done_with_a_month_ago_says_only_that(wechat: StandIn) -> None:
    bill, owed = bill_of(a_paid_payment(wechat)), a_bill(ends_in=None)
    paid, open_still = own(code_of(bill)), own(code_of(owed))
    reader, now = a_wechat_user(), clock.now()
    for days, is_told in ((0, True), (29, True), (31, False)):
        with time_machine.travel(now + dt.timedelta(days=days), tick=False):
            shown, still = (page(patient_client(reader), at) for at in (paid, open_still))
        assert "已支付" in shown
        assert [word in shown for word in ("陈*宁", "挂号费", "25.00")] == [is_told] * 3
        assert "陈*宁" in still  # an old slip can still be paid (M5.3)
