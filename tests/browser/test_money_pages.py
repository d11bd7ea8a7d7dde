"""The desk's money pages and the page behind our own QR code in Chromium: worked by keys and
thumbs, accessible, nothing sticking out. Pictures land in test-artifacts/money/."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.billing import actions as billing
from hospital.billing import queries as bills
from hospital.billing.models import Bill
from hospital.identity import actions as identity
from hospital.identity.models import WeChatUser
from hospital.identity.states import Role, Theme
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.settings_rows import set_value
from hospital.payments import actions, gateway, jobs, thresholds
from hospital.payments.actions.cases import open_case
from hospital.payments.models import PayCode, Payment, PaymentCase, Refund
from hospital.payments.states import CaseKind
from hospital.payments.tests.world import (
    a_bill,
    a_paid_payment,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    later_on,
    money,
    paid_word,
    refund_word,
)
from hospital.testing.browser import Watch
from hospital.testing.jobs import run_jobs
from hospital.testing.people import a_staff, a_wechat_user
from hospital.testing.wechat import StandIn
from hospital.wechat.outcomes import RefundProgress
from tests.browser.looking import Check
from tests.browser.walk import LOOKS, PHONE
from tests.browser.windows import SMALL, a_desk, a_phone, without_live

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
check = Check("money", is_whole=False, is_quiet=True)
IN_WECHAT = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0.50"
# The browser itself writes a refused form to its console; the sentence on the page is our answer.
REFUSED = "the server responded with a status of 4"
BRIDGE = """
window.WeixinJSBridge = {
  invoke: async (name, fields, told) =>
    told({ err_msg: `${name}:${await window.thumb(fields)}` }),
};
"""


@dataclasses.dataclass
class Desk:
    """Opens a work place in a browser of its own."""

    browser: Browser
    server: LiveServer
    watched: Watch

    def sits(self, role: Role, name: str) -> Page:
        account = a_staff(role, display_name=name)
        context = a_desk(self.browser, self.server, account, SMALL)
        without_live(context)
        return self.watched(context.new_page(), but=REFUSED)


@pytest.fixture
def desk(
    browser: Browser, live_server: LiveServer, watched: Watch, wechat: StandIn, settings: Settings
) -> Desk:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, js_url="")
    return Desk(browser, live_server, watched)


def held_money() -> None:
    payment = a_pending_payment(a_bill(fen=1234567))
    less = payment.amount_fen - 100
    actions.record_result(
        paid=paid_word(payment, total_fen=less, payer_fen=less), by=SYSTEM, at=clock.now()
    )


def abnormal(wechat: StandIn) -> None:
    _, refund = a_reversed_payment(wechat)
    actions.submit_refund(refund_id=refund.pk, by=SYSTEM, at=clock.now())
    state = refund_word(refund, RefundProgress.ABNORMAL)
    actions.record_refund_result(state=state, by=SYSTEM, at=clock.now())


@pytest.mark.thorough
def test_a_case_by_two_persons(desk: Desk, wechat: StandIn) -> None:
    held_money()
    abnormal(wechat)
    open_case(
        kind=CaseKind.UNKNOWN_REFUND,
        number="10W2611230000000042R01",
        at=clock.now() - dt.timedelta(days=3),
    )
    finance = desk.sits(Role.FINANCE, "陈令仪")
    boss = desk.sits(Role.CASHIER_SUPERVISOR, "温景行")

    finance.goto("/staff/cases/")
    expect(finance.locator("[data-live-state]")).to_be_hidden()
    check(finance, "cases")
    row = finance.get_by_role("row").filter(has_text="金额不一致")
    row.get_by_role("link", name="处理").click()
    check(finance, "case-wrong-amount")
    finance.get_by_label("退回的理由").fill("患者少付一元，已电话说明")
    finance.keyboard.press("Enter")
    expect(finance.locator("main").get_by_text("等待另一人确认")).to_be_visible()
    expect(finance.get_by_role("button", name="确认退回")).to_have_count(0)
    check(finance, "case-waits")
    boss.goto("/staff/approvals/")
    check(boss, "approvals")
    boss.get_by_role("link", name="复核", exact=True).last.click()
    check(boss, "case-second-person")
    boss.get_by_text("不同意").click()
    expect(boss.get_by_label("驳回的原因")).to_be_visible()
    check(boss, "case-reject")
    boss.get_by_role("button", name="确认退回").click()
    expect(boss.locator("main")).to_contain_text("已执行")
    assert Refund.objects.get(bill=None).amount_fen == 1234467

    finance.goto("/staff/cases/")
    row = finance.get_by_role("row").filter(has_text="退款异常")
    row.get_by_role("link", name="处理").click()
    bank, proof = finance.get_by_label("开户银行"), finance.get_by_label("银行回单号")
    expect(bank).to_be_hidden()
    finance.get_by_text("微信退到银行卡").click()
    expect(proof).to_be_hidden()
    expect(bank).to_be_visible()
    finance.get_by_text("本院银行转账").click()
    check(finance, "case-abnormal")
    finance.get_by_label("收款人姓名").fill("欧阳上官婉儿")
    finance.get_by_label("收款银行卡号").fill("6222021234567890123")
    finance.get_by_role("button", name="登记转账").click()
    expect(finance.get_by_text("请填写银行回单号")).to_be_visible()
    check(finance, "case-transfer-errors")
    finance.get_by_label("银行回单号").fill("HD20261123001")
    finance.keyboard.press("Enter")
    expect(finance.locator("main").get_by_text("等待另一人确认")).to_be_visible()
    boss.goto(finance.url)
    boss.get_by_role("button", name="显示完整收款人和账号").click()
    expect(boss.get_by_text("6222021234567890123")).to_be_visible()
    check(boss, "transfer-second-person")
    boss.get_by_role("button", name="与银行流水一致，确认").click()
    expect(boss.get_by_role("heading", name="已关闭")).to_be_visible()
    check(boss, "case-closed")
    assert PaymentCase.objects.get(kind=CaseKind.REFUND_ABNORMAL).closed_at is not None


@pytest.mark.thorough
def test_a_refund_is_asked_for_and_approved(desk: Desk, wechat: StandIn) -> None:
    set_value(setting=thresholds.APPROVAL_ABOVE_FEN, value=1000, by=SYSTEM, at=clock.now())
    bill = bill_of(a_paid_payment(wechat, a_bill(fen=2500, more=[128800, 700])))
    cashier, finance = desk.sits(Role.CASHIER, "许晚棠"), desk.sits(Role.FINANCE, "陈令仪")

    cashier.goto(f"/staff/bills/{bill.number}/refund/")
    check(cashier, "refund-form")
    cashier.locator(".p-line").first.click()
    expect(cashier.locator("#refund-sum")).to_contain_text("¥1,295.00")
    expect(cashier.locator("#refund-sum")).to_contain_text("须另一人审批后退回")
    cashier.get_by_label("退款原因").fill("检查未做")
    check(cashier, "refund-chosen")
    cashier.keyboard.press("Enter")
    expect(cashier.locator("main").get_by_text("等待另一人确认")).to_be_visible()
    check(cashier, "refund-waits")
    finance.goto("/staff/refund-requests/")
    check(finance, "refund-requests")
    finance.get_by_role("link", name="查看").click()
    check(finance, "refund-approve")
    finance.get_by_role("button", name="批准退款").click()
    expect(finance.locator("main").get_by_text("已批准").first).to_be_visible()
    run_jobs(only="payments")
    finance.reload()
    expect(finance.locator("main")).to_contain_text("退款中")
    check(finance, "refund-approved")
    assert money(bill) == (132000, 2500, 129500)


def test_the_window_collects_by_keyboard(desk: Desk, wechat: StandIn) -> None:
    bill, other = a_bill(fen=2500), a_bill(fen=1234567, ends_in=None)
    page = desk.sits(Role.CASHIER, "许晚棠")

    page.goto("/staff/collect/")
    check(page, "collect-find")
    page.keyboard.type(bill.number)
    page.keyboard.press("Enter")
    expect(page.get_by_label("扫患者微信“收付款”里的付款码")).to_be_focused()
    check(page, "collect")
    hints = page.locator(".x-statusbar > span:visible")
    assert [hint.inner_text().split()[0] for hint in hints.all()] == ["F4", "F6", "F8", "定时刷新"]
    page.keyboard.type("12345")
    page.keyboard.press("Enter")
    expect(page.get_by_text("这不是微信付款码")).to_be_visible()
    check(page, "collect-not-a-code")
    wechat.fault("userpaying")
    expect(page.get_by_label("扫患者微信“收付款”里的付款码")).to_be_focused()
    page.keyboard.type(wechat.scan_code())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="等待患者输入密码")).to_be_visible()
    check(page, "collect-password")
    payment = Payment.objects.get()
    actions.record_scan_unknown(payment_id=payment.pk, reason="test", by=SYSTEM, at=clock.now())
    expect(page.get_by_role("heading", name="正在向微信确认，请勿重复收款")).to_be_visible()
    check(page, "collect-confirming")
    wechat.micropay_password(payment.out_trade_no, "enter")
    gateway.ask(payment_id=payment.pk, by=SYSTEM, at=clock.now())
    expect(page.get_by_role("heading", name="已收款")).to_be_visible()
    assert [hint.inner_text().split()[0] for hint in hints.all()] == ["F2", "定时刷新"]
    check(page, "collect-paid")
    assert money(bill) == (2500, 2500, 0)
    page.keyboard.press("F2")
    expect(page.get_by_role("searchbox", name="账单号")).to_be_focused()
    page.keyboard.type(other.number)
    page.keyboard.press("Enter")
    expect(page.get_by_text(other.number).first).to_be_visible()
    page.wait_for_load_state("load")
    page.keyboard.press("F8")
    expect(page.get_by_role("heading", name="请患者用微信扫一扫")).to_be_visible()
    check(page, "collect-screen-code")
    native = Payment.objects.get(trade_type="native")
    wechat.pay_code_url(native.code_url)
    page.keyboard.press("F9")
    expect(page.get_by_role("heading", name="已收款")).to_be_visible()
    assert money(other) == (1234567, 1234567, 0)
    slip_is_printed(page)


def slip_is_printed(page: Page) -> None:
    """The slip as it would come out of the printer: its QR code is 22 mm or more (M5.4)."""
    bill = a_bill(fen=1234567)
    page.goto(f"/staff/collect/{bill.number}/")
    page.get_by_role("button", name="生成缴费单").click()
    check(page, "slip")
    wide = page.locator(".p-slip-qr svg").evaluate("svg => svg.getBoundingClientRect().width")
    assert wide / 96 * 25.4 >= 30
    page.emulate_media(media="print")
    expect(page.locator(".x-topbar")).to_be_hidden()
    check.keep(page, "slip-print")


@pytest.mark.thorough
def test_statements_of_the_channel(desk: Desk, wechat: StandIn) -> None:
    """One day fetched, one broken and late, one still missing."""
    paid = bill_of(a_paid_payment(wechat, a_bill(fen=1234567)))
    assert paid.total_fen == 1234567
    page = desk.sits(Role.FINANCE, "陈令仪")
    page.goto("/staff/statements/")
    check(page, "statements-none")
    next_morning = clock.at_local(clock.today() + dt.timedelta(days=1), dt.time(10, 20))
    with later_on(wechat, next_morning - clock.now()):
        wechat.fault("bill_bad_hash", match="fundflowbill", times=-1)
        jobs.expect_statements()
        run_jobs(only="payments.jobs.fetch_statement")
    wechat.calm()
    page.reload()
    expect(page.get_by_role("row").filter(has_text="交易账单")).to_contain_text(
        "支付 1 笔 ¥12,345.67"
    )
    check(page, "statements")
    page.get_by_role("button", name="重新取得").click()
    expect(page.locator("main")).to_contain_text("资金账单")


def somebody(look: str) -> WeChatUser:
    user = a_wechat_user()
    identity.set_display(
        wechat_user_id=user.pk,
        care_mode=look == "large",
        theme=Theme.DARK if look == "dark" else Theme.AUTO,
        by=Actor("patient", user.pk),
    )
    return user


def code_of(*of: Bill) -> str:
    ids = [bill.pk for bill in of]
    return actions.create_pay_code(bill_ids=ids, by=SYSTEM, at=clock.now()).token


@pytest.mark.thorough
@pytest.mark.parametrize("look", LOOKS)
def test_the_page_behind_our_own_code(desk: Desk, wechat: StandIn, look: str) -> None:
    user = somebody(look)
    context = a_phone(desk.browser, desk.server, user, PHONE | {"user_agent": IN_WECHAT})
    without_live(context)
    context.add_init_script(BRIDGE)
    page = desk.watched(context.new_page())

    def thumb(fields: Any) -> str:
        wechat.pay(wechat.state()["orders"][-1]["out_trade_no"])
        return "ok"

    page.expose_function("thumb", thumb)
    bill = a_bill(fen=1234567, more=[700])
    line = bills.charges_of(bill_id=bill.pk)[0].item_name
    page.goto(f"/p/{code_of(bill)}")
    expect(page.get_by_role("button", name="微信支付")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text(line)
    check(page, f"code-unpaid-{look}")
    page.get_by_role("button", name="微信支付").click()
    expect(page.get_by_role("heading", name="已支付")).to_be_visible()
    check(page, f"code-paid-{look}")
    assert money(bill) == (1235267, 1235267, 0)
    revoked = code_of(a_bill())
    code = PayCode.objects.get(token=revoked)
    actions.revoke_pay_code(pay_code_id=code.pk, by=SYSTEM, at=clock.now())
    elsewhere = bill_of(a_pending_payment())
    states = {"revoked": revoked, "elsewhere": code_of(elsewhere)}
    states["bound"] = code_of(a_bill(user, fen=2500, more=[700]))
    for name, token in states.items():
        page.goto(f"/p/{token}")
        check(page, f"code-{name}-{look}")
    context.close()
    if look == "light":
        outside(desk, code_of(a_bill()))


def outside(desk: Desk, token: str) -> None:
    """The camera of the phone instead of WeChat."""
    context = desk.browser.new_context(**PHONE, base_url=desk.server.url)
    page = desk.watched(context.new_page())
    page.goto(f"/p/{token}")
    expect(page.get_by_role("heading", name="请用微信打开")).to_be_visible()
    check(page, "code-outside")
    # In the stand-in's phone the same address is a frame, and goes on.
    context.route("**/m/code/**", lambda route: route.fulfill(body="the page"))
    with page.expect_request("**/m/code/**"):
        page.evaluate(
            "() => document.body.append(Object.assign(document.createElement('iframe'),"
            " { src: location.href, title: 'phone' }))"
        )


@pytest.mark.thorough
def test_h9_03_cash_over_the_cashiers_counter_and_back(desk: Desk) -> None:
    """H9.1, H9.3: notes by keys alone, with change; a sum too small keeps the box; the list of what
    waits, and the supervisor's press."""
    bill = a_bill()
    cashier = desk.sits(Role.CASHIER, "许晚棠")
    cashier.goto(f"/staff/collect/{bill.number}/")
    expect(cashier.get_by_label("扫患者微信")).to_be_focused()
    for sum_, words in (("20", "少于应收"), ("100", "¥75.00")):
        cashier.keyboard.press("F6")
        expect(cashier.get_by_label("实收现金")).to_be_focused()
        cashier.get_by_label("实收现金").fill(sum_)
        cashier.keyboard.press("Enter")
        expect(cashier.get_by_text(words)).to_be_visible()
        check(cashier, f"cash-{sum_}")
    with transaction.atomic():
        billing.reverse_charges(bill_id=bill.pk, reason="退号", by=SYSTEM, at=clock.now())
    boss = desk.sits(Role.CASHIER_SUPERVISOR, "温景行")
    boss.goto("/staff/cash-owed/")
    expect(boss.get_by_text(bill.number)).to_be_visible()
    check(boss, "cash-owed")
    boss.get_by_role("button", name="现金已退给患者").click()
    expect(boss.get_by_text("没有待退的现金")).to_be_visible()
    check(boss, "cash-none")
