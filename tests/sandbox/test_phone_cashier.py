"""The payment sheet over HTTP: which pages may ask, and what each password and pocket does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.clinic import pay_fields
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.phone_client import Phone, send_message


@pytest.fixture
def phone(control: SandboxControl) -> Iterator[Phone]:
    holder = Phone(control)
    yield holder
    holder.close()


@pytest.fixture
def prepay_id(phone: Phone, merchant: Merchant) -> str:
    """An order of 2,500 fen for the holder."""
    answer = merchant.prepay(merchant.order(number(), phone.openid))
    return str(answer.json()["prepay_id"])


@pytest.fixture
def unpaid(control: SandboxControl) -> Iterator[None]:
    """Whatever the test does, no order is paid at its end and no notice was made."""
    yield
    state = control.state()
    assert {order["state"] for order in state["orders"]} <= {"NOTPAY", "CLOSED"}
    assert state["notices"] == []


class TestAsking:
    def test_the_sheet_says_whom_and_how_much(
        self, phone: Phone, merchant: Merchant, prepay_id: str
    ) -> None:
        sheet = phone.ask(pay_fields(merchant, prepay_id))["sheet"]

        assert sheet["merchant"] == "杏林中医医院"
        assert sheet["amount"] == "25.00"
        assert [method["name"] for method in sheet["methods"]] == ["change", "card"]

    @pytest.mark.usefixtures("unpaid")
    @pytest.mark.parametrize(
        "name", ["appId", "timeStamp", "nonceStr", "package", "signType", "paySign"]
    )
    def test_every_field_is_needed(
        self, phone: Phone, merchant: Merchant, prepay_id: str, name: str
    ) -> None:
        fields = pay_fields(merchant, prepay_id)
        del fields[name]

        assert phone.ask(fields) == {"refused": f"调用支付JSAPI缺少参数：{name}"}

    @pytest.mark.usefixtures("unpaid")
    @pytest.mark.parametrize(
        "change",
        [
            {"paySign": "bm90IGEgc2lnbmF0dXJl"},
            {"timeStamp": "1795400001"},
            {"nonceStr": "another"},
            {"appId": "wx0000000000000000"},
            {"package": "prepay_id=wx20261123000000000000000000000000"},
            {"signType": "MD5"},
        ],
    )
    def test_what_was_not_signed_is_refused(
        self, phone: Phone, merchant: Merchant, prepay_id: str, change: dict[str, str]
    ) -> None:
        fields = pay_fields(merchant, prepay_id, **change)
        home = "http://127.0.0.1:9/m/"
        phone.control.post("menu", button=[{"type": "view", "name": "首页", "url": home}])

        assert phone.ask(fields) == {"refused": "支付验证签名失败"}

    @pytest.mark.usefixtures("unpaid")
    def test_a_page_elsewhere_may_not_ask(
        self, phone: Phone, merchant: Merchant, prepay_id: str
    ) -> None:
        said = phone.ask(pay_fields(merchant, prepay_id), "http://evil.example")

        assert said == {"refused": "当前页面的URL未注册：http://evil.example"}

    def test_pages_of_the_menu_and_of_messages_may_ask(
        self, phone: Phone, control: SandboxControl, merchant: Merchant, prepay_id: str
    ) -> None:
        fields = pay_fields(merchant, prepay_id)
        control.post(
            "menu", button=[{"type": "view", "name": "挂号", "url": "http://127.0.0.2:7/m/"}]
        )
        send_message(control, merchant, phone.openid, "http://127.0.0.3:8/m/x/")

        assert "sheet" in phone.ask(fields, "http://127.0.0.2:7")
        assert "sheet" in phone.ask(fields, "http://127.0.0.3:8")

    @pytest.mark.usefixtures("unpaid")
    def test_only_who_ordered_pays(
        self, control: SandboxControl, merchant: Merchant, prepay_id: str
    ) -> None:
        other = Phone(control, nickname="别人")

        said = other.ask(pay_fields(merchant, prepay_id))
        other.close()

        assert said == {"refused": "下单账号与支付账号不一致，请核实后再支付"}

    @pytest.mark.usefixtures("unpaid")
    def test_a_closed_order_cannot_be_paid(self, phone: Phone, merchant: Merchant) -> None:
        out_trade_no = number()
        prepay = merchant.prepay(merchant.order(out_trade_no, phone.openid)).json()["prepay_id"]
        merchant.close(out_trade_no)

        assert phone.ask(pay_fields(merchant, prepay)) == {"refused": "该订单已关闭，请重新下单"}
        assert phone.enter(prepay) == "fail"

    def test_a_paid_order_is_not_paid_twice(
        self, phone: Phone, merchant: Merchant, prepay_id: str
    ) -> None:
        assert phone.enter(prepay_id) == "paid"

        assert phone.ask(pay_fields(merchant, prepay_id)) == {
            "refused": "该订单已支付，请勿重复支付"
        }
        assert phone.enter(prepay_id) == "fail"
        assert "¥9,975.00" in phone.screen("wallet")


@pytest.mark.usefixtures("unpaid")
class TestPassword:
    def test_a_wrong_one_leaves_the_order_unpaid(self, phone: Phone, prepay_id: str) -> None:
        assert phone.enter(prepay_id, "000000") == "wrong_password"

        assert "¥10,000.00" in phone.screen("wallet")

    def test_five_wrong_ones_lock_even_the_right_one(self, phone: Phone, prepay_id: str) -> None:
        tries = [phone.enter(prepay_id, "000000") for _ in range(5)]

        assert tries == ["wrong_password"] * 4 + ["locked"]
        assert phone.enter(prepay_id) == "locked"


class TestPockets:
    def test_a_forgotten_password_is_told_and_unlocks(self, phone: Phone, prepay_id: str) -> None:
        for _ in range(5):
            phone.enter(prepay_id, "000000")

        assert phone.press("pay/forgot") == {"password": "123456"}
        assert phone.enter(prepay_id) == "paid"

    def test_the_lock_ends_by_itself(
        self, phone: Phone, control: SandboxControl, prepay_id: str
    ) -> None:
        for _ in range(5):
            phone.enter(prepay_id, "000000")
        control.clock(601)

        assert phone.enter(prepay_id) == "paid"

    def test_too_little_change_says_so_and_the_card_pays(
        self, phone: Phone, merchant: Merchant, prepay_id: str
    ) -> None:
        phone.press("balance", yuan="24.99")

        change = phone.ask(pay_fields(merchant, prepay_id))["sheet"]["methods"][0]
        assert (change["enough"], change["note"]) == (False, "余额不足，剩余 ¥24.99")
        assert phone.enter(prepay_id) == "not_enough"
        assert phone.enter(prepay_id, method="card") == "paid"
        assert "¥24.99" in phone.screen("wallet")

    def test_a_bank_may_refuse_the_card(self, phone: Phone, prepay_id: str) -> None:
        phone.press("card", on=False)

        assert phone.enter(prepay_id, "000000", method="card") == "wrong_password"
        assert phone.enter(prepay_id, method="card") == "card_refused"
        phone.press("card", on=True)
        assert phone.enter(prepay_id, method="card") == "paid"


class TestPageSettings:
    def test_wx_config_needs_the_accounts_signature(
        self, phone: Phone, control: SandboxControl, merchant: Merchant
    ) -> None:
        url = "http://127.0.0.1:9/m/pay/"
        fields = js_config(control, merchant, url)

        assert phone.press("jsconfig", fields=fields, url=url) == {"result": "ok"}
        assert phone.press("jsconfig", fields=fields, url=f"{url}?x=1")["result"] == "fail"


def js_config(control: SandboxControl, merchant: Merchant, url: str) -> dict[str, str]:
    """What a hospital gives `wx.config` for this page, signed by WeChat's published rule."""
    facts = control.facts
    app = {"grant_type": "client_credential", "appid": facts["appid"], "secret": facts["secret"]}
    token = merchant.http.post("/cgi-bin/stable_token", json=app).json()["access_token"]
    ticket = merchant.http.get(
        "/cgi-bin/ticket/getticket", params={"access_token": token, "type": "jsapi"}
    ).json()["ticket"]
    text = f"jsapi_ticket={ticket}&noncestr=abc&timestamp=1795400000&url={url}"
    return {
        "appId": str(facts["appid"]),
        "timestamp": "1795400000",
        "nonceStr": "abc",
        "signature": hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    }
