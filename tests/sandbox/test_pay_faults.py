"""Faults of transport, trust and notices: what each one looks like on the wire."""

from __future__ import annotations

import base64
import json
import time

import httpx
import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver


@pytest.fixture
def order(merchant: Merchant, receiver: Receiver) -> str:
    """An unpaid order whose notices go to the receiver."""
    out_trade_no = number()
    body = merchant.order(out_trade_no, openid(), notify_url=receiver.url)
    assert merchant.prepay(body).status_code == 200
    return out_trade_no


def raw_query(merchant: Merchant, out_trade_no: str) -> httpx.Response:
    """A signed query whose answer nobody checks."""
    mchid = merchant.facts["mchid"]
    target = f"/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={mchid}"
    return merchant.http.get(target, headers=merchant.headers("GET", target))


# ------------------------------------------------------------------ transport
def test_http_429_does_nothing(control: SandboxControl, merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    control.fault("http_429")
    answer = merchant.prepay(body)
    assert (answer.status_code, answer.json()["code"]) == (429, "FREQUENCY_LIMITED")
    assert answer.headers["Request-ID"].rpartition("-")[2].isdecimal()
    assert control.state()["orders"] == []
    assert merchant.prepay(body).is_success


@pytest.mark.parametrize("status", [502, 503])
def test_a_page_of_html_instead_of_an_answer(
    control: SandboxControl, merchant: Merchant, status: int
) -> None:
    control.fault(f"http_{status}")
    answer = merchant.prepay(merchant.order(number(), openid()))
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Wechatpay-Signature" not in answer.headers
    assert control.state()["orders"] == []


def test_a_reset_in_the_middle_of_the_answer(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    """It was carried out."""
    out_refund_no = number("R")
    control.fault("connection_reset", match="refunds")
    with pytest.raises(httpx.TransportError):
        merchant.refund(paid, out_refund_no, 2500)
    assert len(control.state(paid)["refunds"]) == 1
    assert merchant.refund(paid, out_refund_no, 2500).is_success


def test_a_reset_of_an_answer_without_a_body(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("connection_reset", match="/close")
    with pytest.raises(httpx.TransportError):
        merchant.close(order)
    assert merchant.query(order).json()["trade_state"] == "CLOSED"


def test_a_reset_before_anything_happens(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("connection_reset", match="/close", value="before")
    with pytest.raises(httpx.TransportError):
        merchant.close(order)
    assert merchant.query(order).json()["trade_state"] == "NOTPAY"


# ------------------------------------------------------------------ trust in answers
def test_a_stale_answer_is_signed_well(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("response_stale")
    answer = raw_query(merchant, order)
    assert 3590 < time.time() - int(answer.headers["Wechatpay-Timestamp"]) < 3610
    with pytest.raises(AssertionError):
        merchant.verify(answer.headers, answer.content)
    control.fault("response_stale", seconds=0)
    answer = raw_query(merchant, order)
    merchant.verify(answer.headers, answer.content)


def test_an_unsigned_answer(control: SandboxControl, merchant: Merchant, order: str) -> None:
    control.fault("response_unsigned")
    answer = raw_query(merchant, order)
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("wechatpay")]
    assert "Request-ID" in answer.headers


def test_an_answer_naming_a_strange_key(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("response_wrong_serial")
    serial = raw_query(merchant, order).headers["Wechatpay-Serial"]
    assert serial == "5A" * 20
    assert serial not in merchant.platform_keys


@pytest.mark.parametrize("public_key_mode", [True, False])
def test_an_answer_signed_with_the_other_key(
    control: SandboxControl, merchant: Merchant, order: str, *, public_key_mode: bool
) -> None:
    merchant.public_key_mode = public_key_mode
    names = ("pub_key_id", "plat_serial") if public_key_mode else ("plat_serial", "pub_key_id")
    named, signed = (str(merchant.facts[name]) for name in names)
    control.fault("response_swapped_key")
    answer = raw_query(merchant, order)
    assert answer.headers["Wechatpay-Serial"] == named
    with pytest.raises(InvalidSignature):
        merchant.verify(answer.headers, answer.content)
    honest = dict(answer.headers) | {"wechatpay-serial": signed}
    assert merchant.verify(honest, answer.content) == signed


def test_an_amount_changed_on_the_way(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("response_changed_amount")
    answer = raw_query(merchant, order)
    assert answer.json()["amount"] == {"total": 2600}
    with pytest.raises(InvalidSignature):
        merchant.verify(answer.headers, answer.content)
    assert merchant.query(order).json()["amount"] == {"total": 2500}


def test_faults_of_one_moment_combine(
    control: SandboxControl, merchant: Merchant, order: str
) -> None:
    control.fault("response_stale")
    control.fault("response_wrong_serial")
    answer = raw_query(merchant, order)
    assert answer.headers["Wechatpay-Serial"] == "5A" * 20
    assert time.time() - int(answer.headers["Wechatpay-Timestamp"]) > 3590
    assert control.state()["faults"] == []


# ------------------------------------------------------------------ attempts
def test_the_probe_is_followed_by_the_true_notice(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [401]
    control.fault("notify_bad_signtest")
    control.pay(order)
    probe, good = receiver.wait(2)
    signature = probe.headers["Wechatpay-Signature"]
    assert signature.startswith("WECHATPAY/SIGNTEST/")
    with pytest.raises((InvalidSignature, ValueError)):
        merchant.verify(probe.headers, probe.body)
    assert probe.body == good.body
    merchant.verify(good.headers, good.body)


def test_a_stale_attempt_is_followed_by_a_fresh_one(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [401]
    control.fault("notify_bad_stale")
    control.pay(order)
    stale, fresh = receiver.wait(2)
    assert time.time() - int(stale.headers["Wechatpay-Timestamp"]) > 3590
    merchant.verify(fresh.headers, fresh.body)


def test_an_attempt_naming_a_strange_key(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [401]
    control.fault("notify_bad_serial")
    control.pay(order)
    strange, good = receiver.wait(2)
    assert strange.headers["Wechatpay-Serial"] == "5A" * 20
    assert merchant.verify(good.headers, good.body) == merchant.facts["pub_key_id"]


def test_half_a_notice_is_followed_by_a_whole_one(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [400]
    control.fault("notify_truncated")
    control.pay(order)
    half, whole = receiver.wait(2)
    merchant.verify(half.headers, half.body)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(half.body)
    assert whole.body.startswith(half.body)
    assert merchant.opened(whole.body)["out_trade_no"] == order


# ------------------------------------------------------------------ contents
def test_a_wrong_amount_is_signed_and_sealed_well(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.fault("notify_wrong_amount")
    control.pay(order)
    notice = receiver.wait()[0]
    merchant.verify(notice.headers, notice.body)
    assert merchant.opened(notice.body)["amount"]["total"] == 2600
    assert merchant.query(order).json()["amount"]["total"] == 2500


def test_a_wrong_amount_of_a_refund(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, paid: str
) -> None:
    control.fault("notify_wrong_amount", value="1")
    merchant.refund(paid, number("R"), 900, notify_url=receiver.url)
    told = merchant.opened(receiver.wait()[0].body)
    assert told["amount"] == {"total": 2500, "refund": 1, "payer_total": 2500, "payer_refund": 900}


def test_a_notice_sealed_with_another_key_stays_so(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [500]
    control.fault("notify_wrong_key")
    control.pay(order)
    for notice in receiver.wait(2):
        merchant.verify(notice.headers, notice.body)
        with pytest.raises(InvalidTag):
            merchant.opened(notice.body)
        assert base64.b64decode(json.loads(notice.body)["resource"]["ciphertext"])


def test_another_merchants_notice(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.fault("notify_other_merchant")
    control.pay(order)
    told = merchant.opened(receiver.wait()[0].body)
    assert told["mchid"] == "1900000109"
    assert told["out_trade_no"] == order


def test_an_order_nobody_placed_was_paid(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    """WeChat knows it, the money has left, and the true notice comes too."""
    control.fault("notify_unknown_order")
    control.pay(order)
    told = [merchant.opened(notice.body) for notice in receiver.wait(2)]
    by_number = {one["out_trade_no"]: one for one in told}
    known = by_number.pop(order)
    assert merchant.query(order).json() == known
    (stray,) = by_number.values()
    assert merchant.query(stray["out_trade_no"]).json() == stray
    assert stray["transaction_id"] != known["transaction_id"]
    assert stray["payer"] == known["payer"]
    assert len(control.state()["wallet"]) == 2
    assert len(control.state()["orders"]) == 2
    assert merchant.refund(stray["out_trade_no"], number("R"), 2500).is_success


def test_an_order_even_wechat_does_not_know(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.fault("notify_unknown_order", value="absent")
    control.pay(order)
    told = {merchant.opened(notice.body)["out_trade_no"] for notice in receiver.wait(2)}
    (stray,) = told - {order}
    assert merchant.query(stray).status_code == 404
    assert len(control.state()["wallet"]) == 1


def test_the_refund_is_told_before_the_payment(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.fault("refund_before_payment", match=order)
    control.pay(order)
    receiver.stays_at(0, 0.2)
    merchant.refund(order, number("R"), 2500, notify_url=receiver.url)
    kinds = [json.loads(notice.body)["event_type"] for notice in receiver.wait(2)]
    assert kinds == ["REFUND.SUCCESS", "TRANSACTION.SUCCESS"]


def test_a_payment_notice_is_not_held_for_ever(
    control: SandboxControl, receiver: Receiver, order: str
) -> None:
    control.fault("refund_before_payment", seconds=600)
    control.pay(order)
    receiver.stays_at(0, 0.2)
    control.clock(601)
    receiver.wait(1)
