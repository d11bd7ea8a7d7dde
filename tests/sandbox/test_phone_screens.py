"""The phone's screens over HTTP: who holds it, chats, bills, and who may press its buttons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Thread

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.clinic import pay_fields
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.phone_client import Phone, send_message
from wechat_sandbox.phone import looks

PAGE = "http://127.0.0.1:9/m/appointments/1/"


@pytest.fixture
def phone(control: SandboxControl) -> Iterator[Phone]:
    holder = Phone(control)
    yield holder
    holder.close()


def paid_by(phone: Phone, merchant: Merchant, method: str = "change") -> str:
    """The number of an order the holder has just paid."""
    out_trade_no = number()
    prepay_id = merchant.prepay(merchant.order(out_trade_no, phone.openid)).json()["prepay_id"]
    assert phone.ask(pay_fields(merchant, prepay_id))["sheet"]["amount"] == "25.00"
    assert phone.enter(prepay_id, method=method) == "paid"
    return out_trade_no


class TestHolder:
    def test_the_named_people_are_offered_first(self, control: SandboxControl) -> None:
        page = httpx.get(control.base, trust_env=False)

        assert page.status_code == 200
        assert [name for name in looks.NAMED if name in page.text] == list(looks.NAMED)
        assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]

    def test_another_name_of_this_machine_leads_to_the_one_in_use(
        self, control: SandboxControl
    ) -> None:
        port = control.base.rpartition(":")[2]

        answer = httpx.get(f"http://localhost:{port}/", trust_env=False)

        assert answer.status_code == 307
        assert answer.headers["Location"] == f"{control.base}/"

    def test_taking_the_phone_is_remembered_and_the_former_log_in_forgotten(
        self, control: SandboxControl
    ) -> None:
        answer = httpx.post(
            f"{control.base}/phone/people",
            json={"nickname": "新来的"},
            headers={"X-Phone": "1"},
            cookies={"phone": "whoever-had-it"},
            trust_env=False,
        )

        cookies = answer.headers.get_list("set-cookie")
        assert any(text.startswith(f"phone={answer.json()['openid']};") for text in cookies)
        gone = next(text for text in cookies if text.startswith("xinglin_patient="))
        assert "Max-Age=0" in gone
        assert "Path=/m/" in gone

    def test_taken_from_nobody_the_page_that_asked_who_is_there_keeps_its_session(
        self, control: SandboxControl
    ) -> None:
        answer = httpx.post(
            f"{control.base}/phone/people",
            json={"nickname": "第一个"},
            headers={"X-Phone": "1"},
            trust_env=False,
        )

        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"phone={answer.json()['openid']};")

    @pytest.mark.parametrize("nickname", ["", "   ", "名" * 21])
    def test_a_person_needs_a_name(self, control: SandboxControl, nickname: str) -> None:
        answer = httpx.post(
            f"{control.base}/phone/people",
            json={"nickname": nickname},
            headers={"X-Phone": "1"},
            trust_env=False,
        )

        assert answer.status_code == 422
        assert "phone=" not in answer.headers.get("set-cookie", "")

    def test_text_that_is_no_openid_holds_nothing(self, control: SandboxControl) -> None:
        cookies = {"phone": "<script>"}
        with httpx.Client(cookies=cookies, trust_env=False) as client:
            assert "轻触头像以登录账号" in client.get(control.base).text
            assert client.get(f"{control.base}/phone/home").status_code == 401

    def test_another_page_cannot_press_buttons(self, phone: Phone) -> None:
        refused = phone.http.post("/phone/balance", json={"yuan": "1"})

        assert refused.status_code == 403
        assert "¥10,000.00" in phone.screen("wallet")

    @pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "/\\evil"])
    def test_the_choice_goes_on_within_the_stand_in_only(
        self, control: SandboxControl, next_page: str
    ) -> None:
        page = httpx.get(
            f"{control.base}/phone/choose", params={"next": next_page}, trust_env=False
        )

        assert 'data-next="/"' in page.text

    def test_the_choice_remembers_where_to_go_on(self, control: SandboxControl) -> None:
        page = httpx.get(
            f"{control.base}/phone/choose", params={"next": "/connect/x?a=1"}, trust_env=False
        )

        assert 'data-next="/connect/x?a=1"' in page.text


class TestChats:
    def test_a_message_is_unread_until_its_chat_was_seen(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        assert send_message(control, merchant, phone.openid, PAGE) == 0

        assert 'aria-label="1 条未读"' in phone.screen("home")
        chat = phone.screen("chat/account")
        assert "针灸推拿科" in chat
        assert f'href="{PAGE}"' in chat
        phone.press("seen", chat="account")
        assert "条未读" not in phone.screen("home")

    def test_what_the_account_says_is_text_only(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        phone.press("say", text="<b>喂</b>")

        assert "&lt;b&gt;喂&lt;/b&gt;" in phone.screen("chat/account")
        assert phone.try_press("say", text="  ").status_code == 422

    def test_the_menu_is_the_accounts_own(self, phone: Phone, control: SandboxControl) -> None:
        below = [
            {"type": "view", "name": "我的挂号", "url": PAGE},
            {"type": "click", "name": "问一问", "key": "ASK"},
            {"type": "click", "name": "哑"},
        ]
        control.post(
            "menu",
            button=[
                {"type": "view", "name": "预约挂号", "url": "http://127.0.0.1:9/m/"},
                {"name": "服务", "sub_button": below},
                {"type": "pic_weixin", "name": "无处可去", "key": "x"},
            ],
        )

        chat = phone.screen("chat/account")
        assert 'href="http://127.0.0.1:9/m/"' in chat
        assert "我的挂号" in chat
        assert 'data-menu-key="ASK"' in chat
        assert "哑" not in chat
        assert "无处可去" not in chat

    def test_who_stops_following_gets_nothing(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        phone.press("follow", on=False)

        assert send_message(control, merchant, phone.openid) == 43004
        assert "/phone/chat/account" not in phone.screen("home")
        phone.press("follow", on=True)
        assert send_message(control, merchant, phone.openid) == 0

    def test_who_refuses_messages_gets_none(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        phone.press("block", on=True)

        assert send_message(control, merchant, phone.openid) == 43019
        assert "针灸推拿科" not in phone.screen("chat/account")

    def test_there_are_two_chats(self, phone: Phone) -> None:
        assert phone.http.get("/phone/chat/other").status_code == 404
        assert phone.try_press("seen", chat="other").status_code == 404

    def test_news_carries_a_banner_for_what_just_came(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        with phone.http.stream("GET", "/phone/news") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            sender = Thread(target=send_message, args=(control, merchant, phone.openid, PAGE))
            events = (json.loads(line[5:]) for line in lines if line.startswith("data:"))
            assert next(events) == {"kind": "connected", "subject": "", "banners": []}
            sender.start()
            said = next(events)
            sender.join()

        assert said["kind"] == "message"
        assert [banner["chat"] for banner in said["banners"]] == ["account"]

    def test_what_came_while_the_connection_was_broken_is_told_once(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        send_message(control, merchant, phone.openid, PAGE)

        with phone.http.stream("GET", "/phone/news?heard=account:0,pay:0") as stream:
            lines = stream.iter_lines()
            event_id = next(line for line in lines if line.startswith("id:"))
            assert len(json.loads(next(lines)[5:])["banners"]) == 1
        heard = {"Last-Event-ID": event_id.removeprefix("id:").strip()}
        with phone.http.stream("GET", "/phone/news", headers=heard) as stream:
            data = next(line for line in stream.iter_lines() if line.startswith("data:"))
            assert json.loads(data[5:])["banners"] == []


class TestMoney:
    def test_a_payment_leaves_a_receipt_and_a_bill(self, phone: Phone, merchant: Merchant) -> None:
        out_trade_no = paid_by(phone, merchant)

        receipt = phone.screen("chat/pay")
        assert "微信支付凭证" in receipt
        assert f"/phone/bills/{out_trade_no}" in receipt
        assert "¥9,975.00" in phone.screen("wallet")
        assert "-25.00" in phone.screen("bills")
        bill = phone.screen(f"bills/{out_trade_no}")
        assert "支付成功" in bill
        assert out_trade_no in bill

    def test_a_refund_comes_back_where_it_left(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no, out_refund_no = paid_by(phone, merchant), number("R")
        control.fault("refund_stuck")
        merchant.refund(out_trade_no, out_refund_no, 1000, reason="用户取消预约")
        control.refund_state(out_refund_no, "SUCCESS")

        card = phone.screen("chat/pay")
        assert "退款到账通知" in card
        assert "用户取消预约" in card
        assert "¥9,985.00" in phone.screen("wallet")
        assert "已退款(¥10.00)" in phone.screen("bills")
        assert "退回零钱" in phone.screen(f"bills/{out_trade_no}")

    @pytest.mark.parametrize(
        ("status", "says"),
        [("PROCESSING", "微信支付处理中"), ("ABNORMAL", "退款异常"), ("CLOSED", "退款关闭")],
    )
    def test_a_refund_on_its_way_says_how_far_it_is(
        self, phone: Phone, control: SandboxControl, merchant: Merchant, status: str, says: str
    ) -> None:
        out_trade_no, out_refund_no = paid_by(phone, merchant), number("R")
        control.fault("refund_stuck")
        merchant.refund(out_trade_no, out_refund_no, 2500)
        control.refund_state(out_refund_no, status)

        assert says in phone.screen(f"bills/{out_trade_no}")
        assert "退款到账通知" not in phone.screen("chat/pay")
        assert "¥9,975.00" in phone.screen("wallet")

    def test_card_money_goes_back_to_the_card(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no, out_refund_no = paid_by(phone, merchant, "card"), number("R")
        control.fault("refund_stuck")
        merchant.refund(out_trade_no, out_refund_no, 2500)
        control.refund_state(out_refund_no, "SUCCESS")

        assert "退回招商银行储蓄卡(0403)" in phone.screen("chat/pay")
        assert "已全额退款" in phone.screen("bills")
        assert "¥10,000.00" in phone.screen("wallet")

    def test_other_peoples_bills_are_not_found(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        out_trade_no = paid_by(phone, merchant)
        stranger = Phone(control, nickname="别人")

        assert stranger.http.get(f"/phone/bills/{out_trade_no}").status_code == 404
        assert "还没有账单" in stranger.screen("bills")
        stranger.close()

    @pytest.mark.parametrize("yuan", ["-1", "1.005", "很多", "NaN", "1000001", ""])
    def test_change_is_an_amount(self, phone: Phone, yuan: str) -> None:
        assert phone.try_press("balance", yuan=yuan).status_code == 422
        assert "¥10,000.00" in phone.screen("wallet")


def moment(day: int, hour: int, *, month: int = 11, year: int = 2026) -> float:
    """A moment on a clock in China."""
    return datetime(year, month, day, hour, 5, tzinfo=UTC).timestamp() - 8 * 3600


@pytest.mark.parametrize(
    ("at", "chat", "listed"),
    [
        (moment(22, 14), "14:05", "14:05"),
        (moment(21, 23), "昨天 23:05", "昨天"),
        (moment(18, 9), "星期三 09:05", "星期三"),
        (moment(2, 9), "11月2日 09:05", "11月2日"),
        (moment(31, 9, month=12, year=2025), "2025年12月31日 09:05", "12月31日"),
    ],
)
def test_times_read_as_in_wechat(at: float, chat: str, listed: str) -> None:
    now = moment(22, 15)

    assert looks.chat_time(at, now) == chat
    assert looks.list_time(at, now) == listed
