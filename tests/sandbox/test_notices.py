"""Notices (fidelity rule 6): same id and bytes, fresh signatures, WeChat's schedule, its end."""

from __future__ import annotations

import itertools
import json

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver
from wechat_sandbox.deliveries import RETRY_AFTER_S


@pytest.fixture
def order(merchant: Merchant, receiver: Receiver) -> str:
    """An unpaid order whose notices go to the receiver."""
    out_trade_no = number()
    body = merchant.order(out_trade_no, openid(), notify_url=receiver.url)
    assert merchant.prepay(body).status_code == 200
    return out_trade_no


def test_a_payment_is_told_once(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.pay(order)
    notice = receiver.wait()[0]
    assert merchant.verify(notice.headers, notice.body) == merchant.facts["pub_key_id"]
    envelope = json.loads(notice.body)
    assert envelope["event_type"] == "TRANSACTION.SUCCESS"
    assert envelope["resource_type"] == "encrypt-resource"
    assert envelope["resource"]["original_type"] == "transaction"
    assert envelope["create_time"].endswith("+08:00")
    assert len(envelope["resource"]["nonce"]) == 12
    assert notice.headers["Content-Type"] == "application/json"
    assert merchant.opened(notice.body) == merchant.query(order).json()
    receiver.stays_at(1)
    assert control.state(order)["notices"][0]["status"] == "delivered"


@pytest.mark.parametrize("status", [200, 204])
def test_200_and_204_end_it(
    control: SandboxControl, receiver: Receiver, order: str, status: int
) -> None:
    receiver.always = status
    control.pay(order)
    receiver.wait()
    receiver.stays_at(1)


@pytest.mark.parametrize("status", [201, 202, 302, 400, 401, 404, 500, 503])
def test_anything_else_brings_it_again(
    control: SandboxControl, receiver: Receiver, order: str, status: int
) -> None:
    receiver.answers = [status]
    control.pay(order)
    receiver.wait(2)
    assert [attempt["status"] for attempt in control.deliveries(order)][:1] == [status]


def test_it_comes_again_with_the_same_bytes_and_a_fresh_signature(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    receiver.answers = [500, 500]
    control.pay(order)
    notices = receiver.wait(3)
    assert len({notice.body for notice in notices}) == 1
    assert len({notice.headers["Wechatpay-Nonce"] for notice in notices}) == 3
    assert len({notice.headers["Wechatpay-Signature"] for notice in notices}) == 3
    for notice in notices:
        merchant.verify(notice.headers, notice.body)
    receiver.stays_at(3)


def test_the_pauses_are_wechats_scaled(
    control: SandboxControl, receiver: Receiver, order: str
) -> None:
    receiver.answers = [500, 500, 500]
    control.pay(order)
    moments = [notice.at for notice in receiver.wait(4)]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    for pause, expected in zip(pauses, (0.15, 0.15, 0.30), strict=True):
        assert expected - 0.02 <= pause <= expected + 0.4


def test_the_schedule_is_the_published_one() -> None:
    assert len(RETRY_AFTER_S) == 15
    assert sum(RETRY_AFTER_S) == 24 * 3600 + 4 * 60


def test_it_is_given_up_after_the_last_attempt(
    control: SandboxControl, receiver: Receiver, order: str
) -> None:
    receiver.always = 500
    control.pay(order)
    for attempt in range(1, 17):
        receiver.wait(attempt)
        control.until(lambda a=attempt: control.state(order)["notices"][0]["attempts"] >= a)  # type: ignore[misc]
        control.clock(attempt * 86400)
    assert control.state(order)["notices"][0]["status"] == "given_up"
    receiver.stays_at(16, 0.3)


def test_a_dead_address_is_tried_again(
    control: SandboxControl, merchant: Merchant, receiver: Receiver
) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    control.pay(out_trade_no)
    control.until(lambda: len(control.deliveries(out_trade_no)) >= 2)
    attempt = control.deliveries(out_trade_no)[0]
    assert attempt["status"] is None
    assert "Connect" in attempt["error"]


@pytest.mark.thorough
def test_patience_is_five_seconds(control: SandboxControl, receiver: Receiver, order: str) -> None:
    receiver.delay_s = 5.4
    control.pay(order)
    receiver.wait(1)
    receiver.delay_s = 0
    receiver.wait(2)
    control.until(lambda: len(control.deliveries(order)) == 2)
    slow, quick = control.deliveries(order)[:2]
    assert slow["status"] is None
    assert 4900 <= slow["ms"] <= 5300
    assert "no answer" in slow["error"]
    assert quick["status"] == 204


def test_the_mode_of_signing_is_switchable(
    control: SandboxControl, merchant: Merchant, receiver: Receiver, order: str
) -> None:
    control.notify_mode("certificate")
    control.pay(order)
    notice = receiver.wait()[0]
    assert merchant.verify(notice.headers, notice.body) == merchant.facts["plat_serial"]
    with pytest.raises(AssertionError, match="400"):
        control.notify_mode("carrier pigeon")


def test_the_log_holds_what_was_sent_and_answered(
    control: SandboxControl, receiver: Receiver, order: str
) -> None:
    receiver.answers = [500]
    control.pay(order)
    receiver.wait(2)
    control.until(lambda: len(control.deliveries(order)) == 2)
    first, second = control.deliveries(order)
    assert (first["attempt"], first["status"], second["attempt"], second["status"]) == (
        1,
        500,
        2,
        204,
    )
    assert first["notice_id"] == second["notice_id"]
    assert first["body"].encode() == receiver.received[0].body
    assert first["headers"]["Wechatpay-Serial"]
    assert first["ms"] > 0
