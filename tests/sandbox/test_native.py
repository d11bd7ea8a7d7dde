"""Native orders: the QR shown on a screen, who may pay it, and when it is void."""

from __future__ import annotations

import re

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver


def test_whoever_scans_the_code_pays(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no, payer = number(), openid()
    order = merchant.order(out_trade_no, "", notify_url=receiver.url)
    code_url = merchant.native(order).json()["code_url"]
    assert re.fullmatch(r"weixin://wxpay/bizpayurl\?pr=[\w-]{11}zz", code_url)
    paid = control.post("pay", code_url=code_url, openid=payer)
    assert paid["out_trade_no"] == out_trade_no
    told = merchant.opened(receiver.wait()[0].body)
    assert (told["trade_type"], told["payer"]["openid"]) == ("NATIVE", payer)
    assert merchant.query(out_trade_no).json() == told


def test_a_reissued_code_voids_the_one_before(control: SandboxControl, merchant: Merchant) -> None:
    order = merchant.order(number(), "")
    first, second = (merchant.native(order).json()["code_url"] for _ in range(2))
    assert first != second
    with pytest.raises(AssertionError, match=r"409 .*expired"):
        control.post("pay", code_url=first)
    assert control.post("pay", code_url=second)["outcome"] == "paid"
    assert merchant.native(order).json()["code"] == "ORDERPAID"


def test_a_number_is_either_native_or_jsapi(merchant: Merchant) -> None:
    order = merchant.order(number(), openid())
    assert merchant.native(order).status_code == 200
    answer = merchant.prepay(order)
    assert (answer.status_code, answer.json()["code"]) == (403, "OUT_TRADE_NO_USED")


def test_a_payer_in_a_native_order_is_an_unknown_key(merchant: Merchant) -> None:
    order = merchant.order(number(), openid())
    answer = merchant.call("POST", "/v3/pay/transactions/native", order)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert answer.headers["Request-ID"].endswith("-270924358")


def test_a_native_order_can_be_paid_by_number_alone(
    control: SandboxControl, merchant: Merchant
) -> None:
    out_trade_no = number()
    merchant.native(merchant.order(out_trade_no, ""))
    control.pay(out_trade_no)
    first = control.state()["users"][0]["openid"]
    assert merchant.query(out_trade_no).json()["payer"]["openid"] == first
