"""Every fault kind, at its moment, as often as asked, only where it matches."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from cryptography.exceptions import InvalidSignature

from hospital.testing.sandbox import ROOT, SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver
from wechat_sandbox.faults import KINDS


def told(merchant: Merchant, receiver: Receiver) -> str:
    """An unpaid order whose notices go to the receiver."""
    out_trade_no = number()
    body = merchant.order(out_trade_no, openid(), notify_url=receiver.url)
    assert merchant.prepay(body).status_code == 200
    return out_trade_no


NAMED = """
    http_500 http_429 timeout_after_success connection_reset slow response_bad_signature
    response_stale response_unsigned notify_lost notify_delay notify_dup notify_concurrent
    notify_bad_signature notify_bad_signtest notify_bad_stale notify_wrong_amount notify_wrong_key
    notify_unknown_order refund_not_enough refund_abnormal refund_closed refund_stuck
    refund_before_payment bill_not_ready bill_none bill_missing_row bill_extra_row
    bill_changed_amount bill_duplicate_row bill_bad_hash bill_token_expired token_invalid
    token_invalid_forever user_blocked no_consent code_expired userpaying_then_success
    userpaying_late_success
"""


def test_the_agreed_names_are_all_there() -> None:
    assert set(NAMED.split()) <= KINDS.keys()


def test_every_kind_is_explained_to_its_user() -> None:
    manual = (ROOT / "wechat_sandbox" / "README.md").read_text("utf-8")
    assert [name for name in KINDS if f"`{name}`" not in manual] == []


def test_an_unknown_kind_is_named(control: SandboxControl) -> None:
    with pytest.raises(AssertionError, match=r"400 .*unknown fault 'meteor'"):
        control.fault("meteor")


def test_http_500_does_nothing_else(control: SandboxControl, merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    control.fault("http_500", times=2)
    for _ in range(2):
        answer = merchant.prepay(body)
        assert (answer.status_code, answer.json()["code"]) == (500, "SYSTEM_ERROR")
    assert control.state()["orders"] == []
    assert merchant.prepay(body).status_code == 200


def test_a_fault_waits_for_its_match(control: SandboxControl, merchant: Merchant) -> None:
    hit, missed, payer = number(), number(), openid()
    control.fault("http_500", match=hit)
    assert merchant.prepay(merchant.order(missed, payer)).status_code == 200
    assert [fault["match"] for fault in control.state()["faults"]] == [hit]
    assert merchant.prepay(merchant.order(hit, payer)).status_code == 500
    assert control.state()["faults"] == []
    control.fault("http_500", match="/close")
    assert merchant.query(missed).status_code == 200
    assert merchant.close(missed).status_code == 500
    control.fault("http_500", match=payer)
    assert merchant.prepay(merchant.order(number(), payer)).status_code == 500


def test_a_fault_below_zero_stays_until_reset(control: SandboxControl, merchant: Merchant) -> None:
    control.fault("http_500", times=-1)
    for _ in range(5):
        assert merchant.query("T00000001").status_code == 500
    control.reset()
    assert merchant.query("T00000001").status_code == 404


def test_slow_carries_out_and_answers_late(control: SandboxControl, merchant: Merchant) -> None:
    control.fault("slow", seconds=0.4)
    started = time.monotonic()
    assert merchant.prepay(merchant.order(number(), openid())).status_code == 200
    assert time.monotonic() - started >= 0.4


def test_silence_after_success_drops_the_connection(
    control: SandboxControl, merchant: Merchant
) -> None:
    body = merchant.order(number(), openid())
    control.fault("timeout_after_success", seconds=0.3)
    with pytest.raises(httpx.TransportError):
        merchant.prepay(body)
    assert control.state(body["out_trade_no"])["orders"][0]["trade_state"] == "NOTPAY"
    assert merchant.prepay(body).status_code == 200


def test_silence_lasts_longer_than_the_clients_patience(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    control.fault("timeout_after_success", match="refunds")
    out_refund_no = number("R")
    merchant.http.timeout = httpx.Timeout(0.3)
    with pytest.raises(httpx.ReadTimeout):
        merchant.refund(paid, out_refund_no, 2500)
    merchant.http.timeout = httpx.Timeout(10)
    assert len(control.state()["refunds"]) == 1
    assert merchant.refund(paid, out_refund_no, 2500).status_code == 200
    assert len(control.state()["refunds"]) == 1


def test_silence_waits_for_a_success(control: SandboxControl, merchant: Merchant) -> None:
    control.fault("timeout_after_success", seconds=0.1)
    assert merchant.query("T00000001").status_code == 404
    with pytest.raises(httpx.TransportError):
        merchant.prepay(merchant.order(number(), openid()))


def test_a_bad_signature_on_an_answer(control: SandboxControl, merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    control.fault("response_bad_signature")
    with pytest.raises(InvalidSignature):
        merchant.prepay(body)
    assert merchant.prepay(body).status_code == 200


def test_a_lost_notice_never_comes(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    lost, kept = told(merchant, receiver), told(merchant, receiver)
    control.fault("notify_lost", match=lost)
    control.pay(lost)
    control.pay(kept)
    receiver.wait(1)
    receiver.stays_at(1)
    assert merchant.opened(receiver.received[0].body)["out_trade_no"] == kept
    assert control.state(lost)["notices"][0]["status"] == "lost"
    assert merchant.query(lost).json()["trade_state"] == "SUCCESS"


def test_a_late_notice(control: SandboxControl, merchant: Merchant, receiver: Receiver) -> None:
    out_trade_no = told(merchant, receiver)
    control.fault("notify_delay", seconds=600)
    control.pay(out_trade_no)
    receiver.stays_at(0, 0.4)
    control.clock(601)
    receiver.wait(1)


def test_copies_in_turn(control: SandboxControl, merchant: Merchant, receiver: Receiver) -> None:
    out_trade_no = told(merchant, receiver)
    control.fault("notify_dup", times=3)
    control.pay(out_trade_no)
    notices = receiver.wait(3)
    receiver.stays_at(3)
    assert len({notice.body for notice in notices}) == 1
    assert receiver.most_at_once == 1
    assert [attempt["copy"] for attempt in control.deliveries(out_trade_no)] == [1, 2, 3]


def test_twenty_copies_at_once(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no = told(merchant, receiver)
    receiver.delay_s = 0.5
    control.fault("notify_concurrent", times=20)
    control.pay(out_trade_no)
    notices = receiver.wait(20)
    receiver.stays_at(20, 1)
    assert len({json.loads(notice.body)["id"] for notice in notices}) == 1
    assert receiver.most_at_once == 20
    for notice in notices:
        merchant.verify(notice.headers, notice.body)


def test_a_bad_signature_on_a_notice_is_followed_by_a_good_one(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no = told(merchant, receiver)
    receiver.answers = [401]
    control.fault("notify_bad_signature")
    control.pay(out_trade_no)
    bad, good = receiver.wait(2)
    with pytest.raises(InvalidSignature):
        merchant.verify(bad.headers, bad.body)
    merchant.verify(good.headers, good.body)
    control.until(lambda: len(control.deliveries(out_trade_no)) == 2)
    faults = [attempt["fault"] for attempt in control.deliveries(out_trade_no)]
    assert faults == ["notify_bad_signature", ""]


def test_not_enough_then_the_same_number(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    control.fault("refund_not_enough", match=out_refund_no)
    answer = merchant.refund(paid, out_refund_no, 2500)
    assert (answer.status_code, answer.json()["code"]) == (403, "NOT_ENOUGH")
    assert merchant.query_refund(out_refund_no).status_code == 404
    assert merchant.query(paid).json()["trade_state"] == "SUCCESS"
    assert merchant.refund(paid, out_refund_no, 2500).status_code == 200


def test_faults_of_different_moments_combine(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no = told(merchant, receiver)
    control.fault("notify_delay", seconds=0.3)
    control.fault("notify_dup", times=2)
    started = time.monotonic()
    control.pay(out_trade_no)
    receiver.wait(2)
    assert time.monotonic() - started >= 0.3


def test_reset_drops_notices_on_their_way(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no = told(merchant, receiver)
    receiver.delay_s = 1
    receiver.always = 500
    control.pay(out_trade_no)
    receiver.wait(1)
    control.reset()
    receiver.stays_at(1, 1.5)
    assert control.deliveries() == []
