"""What the phone does with codes: its own payment code, scanned ones, and the panel beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.phone_client import Phone, send_message
from wechat_sandbox.faults import KINDS
from wechat_sandbox.phone import account_talk, codes, fault_words

NAMED_FAULTS = {
    "http_500",
    "http_429",
    "timeout_after_success",
    "connection_reset",
    "slow",
    "response_bad_signature",
    "response_stale",
    "response_unsigned",
    "notify_lost",
    "notify_delay",
    "notify_dup",
    "notify_concurrent",
    "notify_bad_signature",
    "notify_bad_signtest",
    "notify_bad_stale",
    "notify_wrong_amount",
    "notify_wrong_key",
    "notify_unknown_order",
    "refund_not_enough",
    "refund_abnormal",
    "refund_closed",
    "refund_stuck",
    "refund_before_payment",
    "bill_not_ready",
    "bill_none",
    "bill_missing_row",
    "bill_extra_row",
    "bill_changed_amount",
    "bill_duplicate_row",
    "bill_bad_hash",
    "bill_token_expired",
    "token_invalid",
    "token_invalid_forever",
    "user_blocked",
    "no_consent",
    "code_expired",
    "userpaying_then_success",
    "userpaying_late_success",
}
TEXT = {"to": "", "text": "【杏林中医医院】明天上午停诊，请改约。"}


@pytest.fixture
def phone(control: SandboxControl) -> Iterator[Phone]:
    holder = Phone(control)
    yield holder
    holder.close()


def native(merchant: Merchant, total: int = 2500) -> tuple[str, str]:
    """An open Native order: its number and what its QR holds."""
    out_trade_no = number()
    answer = merchant.native(merchant.order(out_trade_no, "", total))
    return out_trade_no, str(answer.json()["code_url"])


def state_of(control: SandboxControl, out_trade_no: str) -> str:
    return str(control.state(out_trade_no)["orders"][0]["state"])


class TestScanning:
    def test_a_merchants_code_opens_the_sheet_and_is_paid(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no, code_url = native(merchant)
        assert code_url in phone.screen("scan")

        said = phone.press("scan/text", text=f" {code_url}\n")
        assert said["do"] == "pay"
        assert said["sheet"]["amount"] == "25.00"
        assert state_of(control, out_trade_no) == "NOTPAY"
        assert phone.enter(said["sheet"]["prepay_id"]) == "paid"
        assert state_of(control, out_trade_no) == "SUCCESS"
        assert code_url not in phone.screen("scan")
        again = phone.press("scan/text", text=code_url)
        assert again == {"do": "say", "says": "该订单已支付，请勿重复支付"}

    @pytest.mark.parametrize(
        ("text", "does"),
        [
            (
                "http://127.0.0.1:9/p/abc?x=1",
                {"do": "browse", "url": "http://127.0.0.1:9/p/abc?x=1"},
            ),
            ("javascript:alert(1)", {"do": "show", "text": "javascript:alert(1)"}),
            ("http://", {"do": "show", "text": "http://"}),
            ("挂号单 0123", {"do": "show", "text": "挂号单 0123"}),
            ("134567890123456789", {"do": "say", "says": "这是付款码，请交给收银员来扫"}),
            (
                "weixin://wxpay/bizpayurl?pr=x",
                {"do": "say", "says": "二维码已过期，请商家重新出示"},
            ),
            ("http://weixin.qq.com/q/02none", {"do": "say", "says": "二维码无效"}),
            ("  ", {"do": "say", "says": "没有识别到二维码"}),
        ],
    )
    def test_other_texts(self, phone: Phone, text: str, does: dict[str, str]) -> None:
        assert phone.press("scan/text", text=text) == does

    def test_another_phone_may_scan_the_same_page_again(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        phone.press("scan/text", text="http://127.0.0.1:9/p/abc")
        other = Phone(control)

        assert "http://127.0.0.1:9/p/abc" in other.screen("scan")
        other.close()


class TestPaymentCode:
    def test_it_stands_there_as_bars_and_digits(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        shown = re.search(r'data-copy="(\d{18})"', phone.screen("paycode"))
        assert shown is not None
        out_trade_no = number()
        assert merchant.codepay(out_trade_no, shown[1]).status_code == 200

        receipt = phone.http.get(f"/phone/paycode/{out_trade_no}").json()
        assert receipt == {
            "paid": {"merchant": "杏林中医医院", "amount": "25.00", "method": "零钱"}
        }
        assert phone.http.get("/phone/paycode/waiting").json() == {"out_trade_no": ""}
        stranger = Phone(control)
        assert stranger.http.get(f"/phone/paycode/{out_trade_no}").status_code == 404
        stranger.close()

    def test_a_large_amount_waits_for_the_password(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = number()
        merchant.codepay(out_trade_no, control.scan_code(phone.openid), 150_000)
        assert phone.http.get("/phone/paycode/waiting").json() == {"out_trade_no": out_trade_no}
        asks = phone.http.get(f"/phone/paycode/{out_trade_no}").json()["asks"]
        assert asks["amount"] == "1,500.00"

        enter = {"out_trade_no": out_trade_no}
        assert phone.press("paycode/enter", **enter, password="000000") == {
            "result": "wrong_password",
            "says": "支付密码错误，请重试",
        }
        assert state_of(control, out_trade_no) == "USERPAYING"
        stranger = Phone(control)
        refused = stranger.try_press("paycode/enter", **enter, password="123456")
        assert refused.status_code == 404
        stranger.close()
        assert phone.press("paycode/enter", **enter, password="123456")["result"] == "paid"
        assert state_of(control, out_trade_no) == "SUCCESS"
        assert "¥8,500.00" in phone.screen("wallet")

    def test_giving_up_ends_the_charge(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = number()
        merchant.codepay(out_trade_no, control.scan_code(phone.openid), 150_000)
        phone.press("paycode/enter", out_trade_no=out_trade_no, password=None)

        assert state_of(control, out_trade_no) == "PAYERROR"
        assert phone.http.get(f"/phone/paycode/{out_trade_no}").json() == {"failed": "支付已取消"}
        assert "¥10,000.00" in phone.screen("wallet")

    def test_code_128_as_the_standard_draws_it(self) -> None:
        """Start C, 12, 34, check (105 + 12 + 2 * 34) % 103 = 82, stop."""
        drawn = "".join(str(width) for width, _ in codes.widths("1234"))

        assert drawn == "211232" + "112232" + "131123" + "121241" + "2331112"
        for wrong in ("", "123", "12a4"):
            with pytest.raises(ValueError, match="digits"):
                codes.bars(wrong)


class TestAccount:
    def test_words_menu_taps_and_following_reach_the_account(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        control.callback_url("http://127.0.0.1:9/callback")
        button = [{"type": "click", "name": "问一问", "key": "ASK"}]
        control.post(
            "menu", button=[*button, {"type": "view", "name": "挂号", "url": "http://x/m/"}]
        )
        phone.press("say", text="周末上班吗？")
        phone.press("tap", key="ASK")
        phone.press("tap", url="http://x/m/")
        phone.press("follow", on=False)
        phone.press("follow", on=True)
        assert phone.try_press("tap", key="OTHER").status_code == 422
        assert phone.try_press("tap", url="http://evil/").status_code == 422

        told = [row.get("event") or row["kind"] for row in control.account()["inbound"]]
        assert told == ["text", "CLICK", "VIEW", "unsubscribe", "subscribe"]
        assert "周末上班吗？" in phone.screen("chat/account")

    def test_an_answer_is_shown_with_its_links_and_nothing_else_of_html(self) -> None:
        text = '请看<a href="http://x/m/">我的<b>挂号</b></a><script>1</script>'

        assert account_talk.pieces(text) == [
            account_talk.Piece("请看"),
            account_talk.Piece("我的挂号", "http://x/m/"),
            account_talk.Piece("<script>1</script>"),
        ]
        assert account_talk.pieces('<a href="javascript:1">x</a>')[0].url == ""

    def test_the_popup_asks_for_known_templates_only(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        control.template("S_QUEUE", {"thing1": "科室"}, title="候诊提醒", product="subscription")

        assert "候诊提醒" in phone.screen("consent?templates=S_QUEUE,OTHER")
        assert phone.http.get("/phone/consent?templates=OTHER").status_code == 404
        phone.press("consent/answer", choices={"S_QUEUE": True, "OTHER": True})
        assert "还可发 1 条" in phone.screen("drawer")
        assert "OTHER" not in phone.screen("drawer")


class TestTextMessages:
    def test_they_arrive_at_the_number_in_the_phone(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        send = {"Authorization": f"Bearer {control.facts['sms_key']}"}
        phone.press("number", number="13900001111")
        for to in ("13900001111", "13900002222"):
            sms = TEXT | {"to": to, "text": f"{TEXT['text']}{to[-4:]}", "reference": number()}
            assert httpx.post(control.facts["sms_url"], json=sms, headers=send).is_success

        shown = phone.screen("sms")
        assert "请改约。1111" in shown
        assert "请改约。2222" not in shown
        assert "13900002222" in phone.screen("drawer")
        assert phone.try_press("number", number="12345").status_code == 422
        assert "13900001111" in phone.screen("sms")


class TestTabs:
    def test_a_named_holder_counts_more_than_the_cookie(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        other = Phone(control, nickname="别人")
        apart = {"X-Phone": other.openid}

        assert "别人" in phone.http.get("/phone/settings", headers=apart).text
        assert "别人的手机" in phone.http.get("/", params={"as": other.openid}).text
        assert "轻触头像以登录账号" in phone.http.get("/", params={"as": ""}).text
        assert "测试" in phone.screen("settings")
        other.close()

    def test_a_ticket_opens_one_page_once_for_its_holder(
        self, phone: Phone, control: SandboxControl
    ) -> None:
        address = phone.press("page", url="http://127.0.0.1:9/m/")["address"]
        with httpx.Client(base_url=control.base, trust_env=False) as browser:
            opened = browser.get(address)
            assert opened.headers["Location"] == "http://127.0.0.1:9/m/"
            assert browser.cookies["phone"] == phone.openid
            assert browser.get(address).status_code == 410
        late = phone.press("page", url="http://127.0.0.1:9/m/")["address"]
        control.clock(61)
        assert phone.http.get(late, follow_redirects=False).status_code == 410
        assert phone.try_press("page", url="file:///etc/passwd").status_code == 422
        assert phone.http.post("/phone/page", json={"url": "http://x/"}).status_code == 403


class TestPanel:
    def test_every_fault_is_named_in_plain_words(self, phone: Phone) -> None:
        listed = [fault for _, faults in fault_words.groups() for fault in faults]

        assert sorted(fault.name for fault in listed) == sorted(KINDS)
        assert {fault.name for fault in listed} >= NAMED_FAULTS
        assert [fault.name for fault in listed if re.search(r"^[\w ,`]+$", fault.says, re.A)] == []
        assert set(fault_words.WORDS) >= {group for group, _ in fault_words.groups()}
        drawer = phone.screen("drawer")
        assert all(f'data-fault="{name}"' in drawer for name in KINDS)

    def test_a_fault_waits_strikes_and_can_be_dropped(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        struck = control.fault("http_500", match="transactions")
        waiting = control.fault("notify_lost", times=-1)
        merchant.query("none")

        drawer = phone.screen("drawer")
        assert drawer.index("等着发生") < drawer.index(f'data-drop="{waiting["id"]}"')
        assert f'data-drop="{struck["id"]}"' not in drawer
        phone.press("drawer/drop", id=waiting["id"])
        assert control.state()["faults"] == []
        phone.press("drawer/forget")
        assert "已经发生" not in phone.screen("drawer")

    def test_an_order_with_its_refund_and_every_attempt(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no, out_refund_no = number(), number("R")
        merchant.prepay(merchant.order(out_trade_no, phone.openid))
        control.fault("notify_bad_signature")
        control.pay(out_trade_no)
        control.fault("refund_stuck")
        merchant.refund(out_trade_no, out_refund_no, 1000)
        control.until(lambda: len(control.deliveries(out_trade_no)) > 0)

        drawer = phone.screen("drawer")
        assert f'data-key="order-{out_trade_no}"' in drawer
        assert "已付，有退款" in drawer
        assert f'data-refund="{out_refund_no}" data-status="SUCCESS"' in drawer
        assert "这一次签名不对，下次正常" in drawer
        assert "没有回答" in drawer

    def test_a_list_that_is_cut_says_so(self, phone: Phone, merchant: Merchant) -> None:
        for _ in range(29):
            native(merchant)
        assert "订单<small>29</small>" in phone.screen("drawer")
        assert "只列最近的" not in phone.screen("drawer")
        native(merchant)

        assert "订单<small>30+</small>" in phone.screen("drawer")
        assert "只列最近的 30 笔订单" in phone.screen("drawer")

    def test_the_clock_says_how_far_it_is(self, phone: Phone, control: SandboxControl) -> None:
        assert "与本机一致" in phone.screen("drawer")
        control.clock(24 * 3600 + 120)

        assert "快 1 天 2 分" in phone.screen("drawer")


def test_banners_tell_talk_and_text_messages_once(
    phone: Phone, control: SandboxControl, merchant: Merchant
) -> None:
    send_message(control, merchant, phone.openid)
    phone.press("say", text="喂")

    with phone.http.stream("GET", "/phone/news?heard=account:0") as stream:
        lines = stream.iter_lines()
        marks = next(line for line in lines if line.startswith("id:"))
        banners = json.loads(next(lines)[5:])["banners"]
    assert [banner["text"] for banner in banners] == ["服务通知"]
    assert re.fullmatch(r"id: account:\d+,talk:\d+,pay:0,sms:0", marks)
