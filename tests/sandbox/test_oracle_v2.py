"""The stand-in against a third party's client of WeChat Pay v2, wechatpy."""

from __future__ import annotations

from typing import Any

import pytest
from wechatpy.exceptions import WeChatPayException
from wechatpy.pay import WeChatPay

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver
from tests.sandbox.third_party import Elsewhere

HOST = "https://api.mch.weixin.qq.com"


@pytest.fixture
def library(control: SandboxControl) -> Any:
    """The library's client; its host is a constant, so its session sends the calls here."""
    facts = control.facts
    client = WeChatPay(facts["appid"], facts["v2_key"], facts["mchid"])
    client._http.mount(HOST, Elsewhere(control.base))
    return client


def charge(library: Any, out_trade_no: str, code: str, total: int = 2500) -> Any:
    """Charge a payment code."""
    return library.micropay.create(
        "门诊缴费", total, code, client_ip="10.1.2.3", out_trade_no=out_trade_no
    )


def failed(call: Any, *arguments: Any, **more: Any) -> str:
    """The `err_code` of a call that must fail."""
    with pytest.raises(WeChatPayException) as caught:
        call(*arguments, **more)
    return str(caught.value.errcode)


def test_charge_query_refund(library: Any, control: SandboxControl) -> None:
    out_trade_no, out_refund_no, payer = number(), number("R"), openid()
    paid = charge(library, out_trade_no, control.scan_code(payer))
    assert paid["openid"] == payer
    assert library.check_signature(paid)
    found = library.micropay.query(out_trade_no=out_trade_no)
    assert (found["trade_state"], found["total_fee"]) == ("SUCCESS", "2500")
    assert (
        library.order.query(transaction_id=paid["transaction_id"])["out_trade_no"] == out_trade_no
    )
    refunded = library.refund.apply(2500, 1000, out_refund_no, out_trade_no=out_trade_no)
    assert refunded["refund_fee"] == "1000"
    control.until(
        lambda: library.refund.query(out_refund_no=out_refund_no)["refund_status_0"] == "SUCCESS"
    )
    assert failed(library.refund.query, out_refund_no="R0000") == "REFUNDNOTEXIST"
    assert failed(library.refund.apply, 2500, 1501, number("R"), out_trade_no=out_trade_no)


@pytest.mark.parametrize(("end", "told"), [("SUCCESS", "SUCCESS"), ("ABNORMAL", "CHANGE")])
def test_the_end_of_a_refund_is_told_in_xml(
    library: Any, control: SandboxControl, receiver: Receiver, end: str, told: str
) -> None:
    """Repeated until the answer says SUCCESS in XML; an empty 200 is not enough."""
    out_trade_no, out_refund_no = number(), number("R")
    charge(library, out_trade_no, control.scan_code())
    control.fault("refund_stuck")
    library.refund.apply(
        2500, 1000, out_refund_no, out_trade_no=out_trade_no, notify_url=receiver.url
    )
    receiver.always = 200
    control.refund_state(out_refund_no, end)
    control.until(lambda: len(control.deliveries(out_trade_no)) == 1)
    receiver.text = b"<xml><return_code>SUCCESS</return_code></xml>"
    first, again = receiver.wait(2)
    assert first.body == again.body
    assert not [name for name in first.headers if name.startswith("Wechatpay")]
    opened = library.parse_refund_notify_result(first.body)
    assert (opened["out_refund_no"], opened["refund_status"]) == (out_refund_no, told)
    assert opened["refund_fee"] == 1000
    control.until(lambda: control.state(out_trade_no)["notices"][0]["status"] == "delivered")
    receiver.stays_at(2, 0.3)


def test_waiting_for_the_password_then_reversed(library: Any, control: SandboxControl) -> None:
    out_trade_no, payer = number(), openid()
    control.fault("userpaying")
    assert failed(charge, library, out_trade_no, control.scan_code(payer)) == "USERPAYING"
    assert library.micropay.query(out_trade_no=out_trade_no)["trade_state"] == "USERPAYING"
    control.fault("reverse_again")
    assert failed(library.order.reverse, out_trade_no=out_trade_no) == "SYSTEMERROR"
    assert library.order.reverse(out_trade_no=out_trade_no)["recall"] == "N"
    assert library.micropay.query(out_trade_no=out_trade_no)["trade_state"] == "REVOKED"
    assert failed(library.micropay.query, out_trade_no="T00000000") == "ORDERNOTEXIST"


def test_an_order_made_with_v3(library: Any, merchant: Merchant, paid: str) -> None:
    found = library.order.query(out_trade_no=paid)
    assert found["transaction_id"] == merchant.query(paid).json()["transaction_id"]
    assert (found["trade_type"], found["trade_state"]) == ("JSAPI", "SUCCESS")


def test_a_wrong_key_is_not_heard(library: Any, control: SandboxControl) -> None:
    library.api_key = "0" * 32
    with pytest.raises(WeChatPayException) as caught:
        charge(library, number(), control.scan_code())
    assert caught.value.return_code == "FAIL"
    assert "签名" in caught.value.return_msg
    assert control.state()["orders"] == []


def test_a_forged_answer_is_noticed(library: Any, control: SandboxControl, paid: str) -> None:
    for kind in ("response_bad_signature", "response_changed_amount"):
        control.fault(kind)
        assert not library.check_signature(library.order.query(out_trade_no=paid))
    control.fault("response_unsigned")
    assert "sign" not in library.order.query(out_trade_no=paid)
