"""Refunds that end otherwise, and the second way to the payer's money."""

from __future__ import annotations

import re

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number
from tests.sandbox.receiver import Receiver


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """The error answer is this one."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def ended(control: SandboxControl, merchant: Merchant, number: str, status: str) -> None:
    """Wait for the refund's end."""
    control.until(lambda: merchant.query_refund(number).json()["status"] == status)


@pytest.fixture
def stranded(control: SandboxControl, merchant: Merchant, paid: str) -> dict[str, str]:
    """A refund whose card is gone."""
    out_refund_no = number("R")
    control.fault("refund_abnormal")
    accepted: dict[str, str] = merchant.refund(paid, out_refund_no, 1500).json()
    assert accepted["status"] == "PROCESSING"
    ended(control, merchant, out_refund_no, "ABNORMAL")
    return accepted


@pytest.mark.parametrize("status", ["ABNORMAL", "CLOSED"])
def test_a_refund_that_fails(
    control: SandboxControl, merchant: Merchant, paid: str, receiver: Receiver, status: str
) -> None:
    """Told like a success; only CLOSED frees the amount for a new number."""
    out_refund_no = number("R")
    control.fault(f"refund_{status.lower()}", match=out_refund_no)
    assert merchant.refund(paid, out_refund_no, 2500, notify_url=receiver.url).is_success
    ended(control, merchant, out_refund_no, status)
    told = merchant.opened(receiver.wait()[0].body)
    assert told["refund_status"] == status
    assert "success_time" not in told
    assert [entry["amount_fen"] for entry in control.state(paid)["wallet"]] == [-2500]
    assert merchant.refund(paid, number("R"), 2500).is_success is (status == "CLOSED")


def test_to_another_card_of_the_payer(
    control: SandboxControl, merchant: Merchant, stranded: dict[str, str]
) -> None:
    sealed = {
        "bank_type": "ICBC_DEBIT",
        "bank_account": merchant.seal("6222020000000001234"),
        "real_name": merchant.seal("陈桂芳"),
    }
    answer = merchant.abnormal(stranded, "USER_BANK_CARD", **sealed)
    sent = answer.json()
    assert (sent["status"], sent["channel"]) == ("PROCESSING", "OTHER_BANKCARD")
    assert sent["user_received_account"] == "银行卡1234"
    ended(control, merchant, stranded["out_refund_no"], "SUCCESS")
    again = merchant.abnormal(stranded, "USER_BANK_CARD", **sealed)
    assert (again.status_code, again.json()["status"]) == (200, "SUCCESS")
    assert len(control.state()["wallet"]) == 1


def test_in_certificate_mode(merchant: Merchant, stranded: dict[str, str]) -> None:
    merchant.public_key_mode = False
    sealed = {
        "bank_type": "ICBC_DEBIT",
        "bank_account": merchant.seal("62220200", public_key_mode=False),
        "real_name": merchant.seal("陈桂芳", public_key_mode=False),
    }
    refused(merchant.abnormal(stranded, "USER_BANK_CARD", **sealed), 400, "PARAM_ERROR")
    merchant.named_serial = str(merchant.facts["plat_serial"])
    assert merchant.abnormal(stranded, "USER_BANK_CARD", **sealed).is_success


def test_to_the_merchants_own_account(
    control: SandboxControl, merchant: Merchant, stranded: dict[str, str]
) -> None:
    assert merchant.abnormal(stranded, "MERCHANT_BANK_CARD").is_success
    ended(control, merchant, stranded["out_refund_no"], "SUCCESS")
    done = merchant.query_refund(stranded["out_refund_no"]).json()
    assert done["user_received_account"] == "商户银行账户"


def test_what_is_not_sealed_for_wechat_is_refused(
    control: SandboxControl, merchant: Merchant, stranded: dict[str, str]
) -> None:
    name = merchant.seal("陈桂芳")
    other = merchant.seal("62220200", public_key_mode=False)
    for more in (
        {},
        {"bank_type": "ICBC_DEBIT", "bank_account": "62220200", "real_name": name},
        {"bank_type": "ICBC_DEBIT", "bank_account": other, "real_name": name},
        {"bank_type": "ICBC_DEBIT", "bank_account": merchant.seal("62220200")},
    ):
        answer = merchant.abnormal(stranded, "USER_BANK_CARD", **more)
        refused(answer, 400, "PARAM_ERROR")
        assert re.search("必填|解密", answer.json()["message"])
    refused(merchant.abnormal(stranded, "CASH"), 400, "PARAM_ERROR")
    assert merchant.query_refund(stranded["out_refund_no"]).json()["status"] == "ABNORMAL"


def test_only_an_abnormal_refund_is_sent_on(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    refund = merchant.refund(paid, number("R"), 100).json()
    refused(merchant.abnormal(refund, "MERCHANT_BANK_CARD"), 400, "INVALID_REQUEST")
    wrong = refund | {"out_refund_no": "R0000"}
    refused(merchant.abnormal(wrong, "MERCHANT_BANK_CARD"), 404, "RESOURCE_NOT_EXISTS")
    wrong = refund | {"refund_id": "50000"}
    refused(merchant.abnormal(wrong, "MERCHANT_BANK_CARD"), 404, "RESOURCE_NOT_EXISTS")


def test_the_order_is_not_found_for_a_moment(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    control.fault("refund_not_found")
    refused(merchant.refund(paid, out_refund_no, 2500), 404, "RESOURCE_NOT_EXISTS")
    assert control.state(paid)["refunds"] == []
    assert merchant.refund(paid, out_refund_no, 2500).is_success
