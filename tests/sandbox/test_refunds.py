"""Refunds: limits, repeats, the way from PROCESSING to an end, and the money on the phone."""

from __future__ import annotations

import re

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.receiver import Receiver


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """The error answer is this one."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def ends(control: SandboxControl, merchant: Merchant, out_refund_no: str, status: str) -> None:
    """Wait for the refund's end."""
    control.until(lambda: merchant.query_refund(out_refund_no).json()["status"] == status)


def test_a_refund_is_accepted_then_carried_out(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    accepted = merchant.refund(paid, out_refund_no, 1000, reason="患者退号").json()
    assert re.fullmatch(r"50\d{27}", accepted["refund_id"])
    assert accepted["status"] == "PROCESSING"
    assert "success_time" not in accepted
    assert accepted["channel"] == "ORIGINAL"
    assert accepted["amount"]["refund"] == accepted["amount"]["payer_refund"] == 1000
    ends(control, merchant, out_refund_no, "SUCCESS")
    done = merchant.query_refund(out_refund_no).json()
    assert done["success_time"].endswith("+08:00")
    assert done["refund_id"] == accepted["refund_id"]
    assert merchant.query(paid).json()["trade_state"] == "REFUND"


def test_a_refund_can_name_wechats_number(merchant: Merchant, paid: str) -> None:
    body = {
        "transaction_id": merchant.query(paid).json()["transaction_id"],
        "out_refund_no": number("R"),
        "amount": {"refund": 2500, "total": 2500, "currency": "CNY"},
    }
    answer = merchant.call("POST", "/v3/refund/domestic/refunds", body)
    assert answer.json()["out_trade_no"] == paid


def test_the_same_number_and_parameters_are_one_refund(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    first = merchant.refund(paid, out_refund_no, 2500).json()
    ends(control, merchant, out_refund_no, "SUCCESS")
    again = merchant.refund(paid, out_refund_no, 2500)
    assert (again.status_code, again.json()["refund_id"]) == (200, first["refund_id"])
    assert again.json()["status"] == "SUCCESS"
    refused(merchant.refund(paid, out_refund_no, 2499), 400, "INVALID_REQUEST")
    assert len(control.state()["refunds"]) == 1


def test_the_total_must_be_the_orders(merchant: Merchant, paid: str) -> None:
    refused(merchant.refund(paid, number("R"), 100, total=2501), 400, "INVALID_REQUEST")


def test_more_than_was_paid_is_never_given_back(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    first = number("R")
    assert merchant.refund(paid, first, 1500).status_code == 200
    refused(merchant.refund(paid, number("R"), 1001), 400, "INVALID_REQUEST")
    ends(control, merchant, first, "SUCCESS")
    refused(merchant.refund(paid, number("R"), 1001), 400, "INVALID_REQUEST")
    assert merchant.refund(paid, number("R"), 1000).status_code == 200
    refused(merchant.refund(paid, number("R"), 2501), 400, "PARAM_ERROR")


def test_a_closed_refund_frees_its_amount(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    failed = number("R")
    control.fault("refund_stuck")
    merchant.refund(paid, failed, 2500)
    control.refund_state(failed, "CLOSED")
    assert merchant.query_refund(failed).json()["status"] == "CLOSED"
    assert merchant.refund(paid, number("R"), 2500).status_code == 200


def test_only_paid_orders_are_refunded(merchant: Merchant) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    refused(merchant.refund(out_trade_no, number("R"), 2500), 400, "INVALID_REQUEST")
    refused(merchant.refund("T00000000", number("R"), 2500), 404, "RESOURCE_NOT_EXISTS")
    refused(merchant.query_refund("R00000000"), 404, "RESOURCE_NOT_EXISTS")


def test_wrong_fields_are_refused(merchant: Merchant, paid: str) -> None:
    refused(merchant.refund(paid, "R 1", 100), 400, "PARAM_ERROR")
    refused(merchant.refund(paid, number("R"), 0), 400, "PARAM_ERROR")
    refused(merchant.refund(paid, number("R"), 100, colour="red"), 400, "PARAM_ERROR")
    refused(merchant.refund(paid, number("R"), 100, reason="理" * 81), 400, "PARAM_ERROR")


def test_at_most_fifty_parts(merchant: Merchant, paid: str) -> None:
    for _ in range(50):
        assert merchant.refund(paid, number("R"), 1).status_code == 200
    refused(merchant.refund(paid, number("R"), 1), 400, "INVALID_REQUEST")


def test_after_a_year_it_is_too_late(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    control.clock(366 * 86400)
    refused(merchant.refund(paid, number("R"), 100), 400, "INVALID_REQUEST")


def test_a_held_refund_waits_for_a_decision(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    control.fault("refund_stuck", match=out_refund_no)
    merchant.refund(paid, out_refund_no, 2500)
    control.clock(3 * 86400)
    assert merchant.query_refund(out_refund_no).json()["status"] == "PROCESSING"
    control.refund_state(out_refund_no, "ABNORMAL")
    assert merchant.query_refund(out_refund_no).json()["status"] == "ABNORMAL"
    control.refund_state(out_refund_no, "SUCCESS")
    with pytest.raises(AssertionError, match=r"409 .*is SUCCESS"):
        control.refund_state(out_refund_no, "CLOSED")
    with pytest.raises(AssertionError, match="404"):
        control.refund_state("R00000000", "SUCCESS")


def test_processing_set_by_hand_holds_it(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    out_refund_no = number("R")
    merchant.refund(paid, out_refund_no, 2500)
    control.refund_state(out_refund_no, "PROCESSING")
    control.clock(86400)
    assert merchant.query_refund(out_refund_no).json()["status"] == "PROCESSING"


@pytest.mark.parametrize("status", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_the_end_is_told_to_the_refunds_own_address(
    control: SandboxControl, merchant: Merchant, paid: str, receiver: Receiver, status: str
) -> None:
    out_refund_no = number("R")
    control.fault("refund_stuck")
    merchant.refund(paid, out_refund_no, 900, notify_url=receiver.url)
    control.refund_state(out_refund_no, status)
    notice = receiver.wait()[0]
    assert merchant.verify(notice.headers, notice.body) == merchant.facts["pub_key_id"]
    document = merchant.opened(notice.body)
    assert f'"event_type":"REFUND.{status}"'.encode() in notice.body
    assert document["refund_status"] == status
    assert "status" not in document
    assert "appid" not in document
    assert document["amount"] == {
        "total": 2500,
        "refund": 900,
        "payer_total": 2500,
        "payer_refund": 900,
    }
    assert ("success_time" in document) is (status == "SUCCESS")


def test_the_money_leaves_and_comes_back(control: SandboxControl, merchant: Merchant) -> None:
    person = control.user(openid=openid(), balance_fen=10_000)
    out_trade_no, out_refund_no = number(), number("R")
    merchant.prepay(merchant.order(out_trade_no, person["openid"]))
    control.pay(out_trade_no)
    assert control.user(openid=person["openid"])["balance_fen"] == 7_500
    merchant.refund(out_trade_no, out_refund_no, 1_000)
    ends(control, merchant, out_refund_no, "SUCCESS")
    assert control.user(openid=person["openid"])["balance_fen"] == 8_500
    order = control.state(out_trade_no)["orders"][0]
    assert order["refunded_fen"] == 1_000
    moved = [entry["amount_fen"] for entry in control.state(out_trade_no)["wallet"]]
    assert moved == [-2_500, 1_000]


def test_too_little_change_pays_by_card(control: SandboxControl, merchant: Merchant) -> None:
    person = control.user(openid=openid(), balance_fen=100)
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, person["openid"]))
    control.pay(out_trade_no)
    assert merchant.query(out_trade_no).json()["bank_type"] == "CMB_DEBIT"
    assert control.user(openid=person["openid"])["balance_fen"] == 100
