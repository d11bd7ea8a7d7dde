"""Prepay, query, close: shapes of numbers, repeat rules, limits (fidelity rules 4 and 5)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")


def refused(answer: httpx.Response, status: int, code: str, reason: int | None = None) -> None:
    """The error answer is this one, and unsigned."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "Wechatpay-Signature" not in answer.headers
    if reason is not None:
        assert answer.headers["Request-ID"].endswith(f"-{reason}")


def test_numbers_have_wechats_shapes(control: SandboxControl, merchant: Merchant) -> None:
    payer, out_trade_no = openid(), number()
    answer = merchant.prepay(merchant.order(out_trade_no, payer, attach="visit 7"))
    assert list(answer.json()) == ["prepay_id"]
    assert re.fullmatch(r"wx\d{14}[0-9a-f]{20}", answer.json()["prepay_id"])

    unpaid = merchant.query(out_trade_no).json()
    assert unpaid == {
        "appid": merchant.facts["appid"],
        "mchid": merchant.facts["mchid"],
        "out_trade_no": out_trade_no,
        "trade_state": "NOTPAY",
        "trade_state_desc": "订单未支付",
        "amount": {"total": 2500},
    }

    control.pay(out_trade_no)
    paid = merchant.query(out_trade_no).json()
    assert re.fullmatch(r"4200\d{24}", paid["transaction_id"])
    assert RFC3339.fullmatch(paid["success_time"])
    assert paid["payer"] == {"openid": payer}
    assert paid["trade_type"] == "JSAPI"
    assert paid["bank_type"] == "OTHERS"
    assert paid["attach"] == "visit 7"
    assert paid["amount"] == {
        "total": 2500,
        "payer_total": 2500,
        "currency": "CNY",
        "payer_currency": "CNY",
    }


def test_an_order_is_found_by_wechats_number(merchant: Merchant, paid: str) -> None:
    transaction_id = merchant.query(paid).json()["transaction_id"]
    target = f"/v3/pay/transactions/id/{transaction_id}?mchid={merchant.facts['mchid']}"
    assert merchant.call("GET", target).json()["out_trade_no"] == paid


def test_a_query_names_its_merchant(merchant: Merchant, paid: str) -> None:
    target = f"/v3/pay/transactions/out-trade-no/{paid}"
    refused(merchant.call("GET", target), 400, "PARAM_ERROR")
    refused(merchant.call("GET", f"{target}?mchid=1900000001"), 400, "MCH_NOT_EXISTS")


def test_an_unknown_order_is_404(merchant: Merchant) -> None:
    refused(merchant.query("T00000000"), 404, "ORDER_NOT_EXIST")
    refused(merchant.close("T00000000"), 404, "ORDER_NOT_EXIST")


def test_the_same_parameters_may_be_repeated(merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    first, second = merchant.prepay(body), merchant.prepay(body)
    assert first.status_code == second.status_code == 200
    assert first.json()["prepay_id"] != second.json()["prepay_id"]


@pytest.mark.parametrize(
    "change", [{"amount": {"total": 2501, "currency": "CNY"}}, {"description": "other"}]
)
def test_other_parameters_may_not(merchant: Merchant, change: dict[str, Any]) -> None:
    body = merchant.order(number(), openid())
    merchant.prepay(body)
    refused(merchant.prepay(body | change), 403, "OUT_TRADE_NO_USED", 268498688)


def test_a_paid_order_is_not_prepaid_again(control: SandboxControl, merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    merchant.prepay(body)
    control.pay(body["out_trade_no"])
    refused(merchant.prepay(body), 400, "ORDERPAID", 268449538)


def test_a_closed_order_needs_a_new_number(control: SandboxControl, merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    merchant.prepay(body)
    assert merchant.close(body["out_trade_no"]).status_code == 204
    assert merchant.close(body["out_trade_no"]).status_code == 204
    refused(merchant.prepay(body), 400, "ORDER_CLOSED", 268447914)
    assert merchant.query(body["out_trade_no"]).json()["trade_state"] == "CLOSED"
    with pytest.raises(AssertionError, match=r"409 .*closed"):
        control.pay(body["out_trade_no"])


def test_a_payment_under_way_survives_the_closing(
    control: SandboxControl, merchant: Merchant
) -> None:
    body = merchant.order(number(), openid())
    merchant.prepay(body)
    merchant.close(body["out_trade_no"])
    assert control.pay(body["out_trade_no"], mode="late")["trade_state"] == "SUCCESS"
    assert merchant.query(body["out_trade_no"]).json()["trade_state"] == "SUCCESS"
    with pytest.raises(AssertionError, match=r"409 .*already_paid"):
        control.pay(body["out_trade_no"], mode="late")


def test_a_paid_order_cannot_be_closed(merchant: Merchant, paid: str) -> None:
    refused(merchant.close(paid), 400, "ORDERPAID")
    assert merchant.query(paid).json()["trade_state"] == "SUCCESS"


@pytest.mark.parametrize("mode", ["cancel", "wrong_password", "not_enough"])
def test_a_payers_failure_leaves_it_unpaid(
    control: SandboxControl, merchant: Merchant, mode: str
) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    answer = control.pay(out_trade_no, mode=mode)
    assert answer["trade_state"] == "NOTPAY"
    assert merchant.query(out_trade_no).json()["trade_state"] == "NOTPAY"
    assert control.state()["notices"] == []
    assert control.pay(out_trade_no)["trade_state"] == "SUCCESS"


def test_only_the_payer_of_the_order_can_pay(control: SandboxControl, merchant: Merchant) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    with pytest.raises(AssertionError, match=r"409 .*other_payer"):
        control.pay(out_trade_no, openid=openid())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "/colour"),
        ({"amount": {"total": 100, "currency": "CNY", "fee": 1}}, "/amount/fee"),
        ({"amount": {"total": 0}}, "/amount/total"),
        ({"amount": {"total": 25.0}}, "/amount/total"),
        ({"amount": {"total": "2500"}}, "/amount/total"),
        ({"amount": {"total": True}}, "/amount/total"),
        ({"amount": {"total": 100, "currency": "USD"}}, "/amount/currency"),
        ({"payer": {}}, "/payer/openid"),
        ({"payer": {"openid": "x123456"}}, "/payer/openid"),
        ({"description": "检" * 128}, "/description"),
        ({"description": "挂号😀"}, "/description"),
        ({"attach": None}, "/attach"),
        ({"out_trade_no": "T1234"}, "/out_trade_no"),
        ({"out_trade_no": "T" * 33}, "/out_trade_no"),
        ({"out_trade_no": "T 123456"}, "/out_trade_no"),
        ({"notify_url": "ftp://127.0.0.1/x"}, "/notify_url"),
        ({"notify_url": "http://127.0.0.1/x?a=1"}, "/notify_url"),
        ({"time_expire": "soon"}, "/time_expire"),
        ({"time_expire": "2030-01-01T00:00:00"}, "/time_expire"),
        ({"scene_info": {"device_id": "7"}}, "/scene_info/payer_client_ip"),
        ({"detail": {"goods_detail": [{"merchant_goods_id": "1"}]}}, "/detail/goods_detail/0"),
    ],
)
def test_a_wrong_field_is_named(merchant: Merchant, change: dict[str, Any], field: str) -> None:
    answer = merchant.prepay(merchant.order(number(), openid()) | change)
    refused(answer, 400, "PARAM_ERROR")
    assert answer.json()["detail"]["field"].startswith(field)
    assert answer.json()["detail"]["location"] == "body"


def test_an_unknown_key_has_its_own_reason_number(merchant: Merchant) -> None:
    answer = merchant.prepay(merchant.order(number(), openid(), colour="red"))
    assert answer.headers["Request-ID"].endswith("-270924358")


def test_openid_is_required(merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    del body["payer"]
    refused(merchant.prepay(body), 400, "PARAM_ERROR")


def test_an_openid_belongs_to_one_app(control: SandboxControl, merchant: Merchant) -> None:
    person = control.user(openid=openid())
    wrong = merchant.order(number(), person["mp_openid"])
    refused(merchant.prepay(wrong), 400, "PARAM_ERROR", 268501013)
    right = merchant.order(number(), person["mp_openid"], appid=merchant.facts["mp_appid"])
    assert merchant.prepay(right).status_code == 200


def test_account_facts_must_be_ours(merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    refused(merchant.prepay(body | {"mchid": "1900000001"}), 400, "MCH_NOT_EXISTS")
    refused(merchant.prepay(body | {"appid": "wx0"}), 400, "APPID_MCHID_NOT_MATCH")


def test_every_optional_field_is_accepted(merchant: Merchant) -> None:
    body = merchant.order(
        number(),
        openid(),
        attach="一号院区",
        goods_tag="A",
        support_fapiao=True,
        settle_info={"profit_sharing": False},
        time_expire=_ahead(minutes=30),
        detail={
            "cost_price": 2500,
            "invoice_id": "i1",
            "goods_detail": [
                {
                    "merchant_goods_id": "g1",
                    "wechatpay_goods_id": "1001",
                    "goods_name": "挂号费",
                    "quantity": 1,
                    "unit_price": 2500,
                }
            ],
        },
        scene_info={
            "payer_client_ip": "192.0.2.7",
            "device_id": "web",
            "store_info": {"id": "1", "name": "本部", "area_code": "330521", "address": "路1号"},
        },
    )
    assert merchant.prepay(body).status_code == 200


def test_an_order_expires_at_its_time(control: SandboxControl, merchant: Merchant) -> None:
    out_trade_no = number()
    body = merchant.order(out_trade_no, openid(), time_expire=_ahead(minutes=15))
    assert merchant.prepay(body).status_code == 200
    control.clock(14 * 60)
    assert merchant.query(out_trade_no).json()["trade_state"] == "NOTPAY"
    control.clock(15 * 60 + 1)
    assert merchant.query(out_trade_no).json()["trade_state"] == "CLOSED"


def test_an_order_must_live_a_minute(merchant: Merchant) -> None:
    soon = merchant.order(number(), openid(), time_expire=_ahead(seconds=50))
    refused(merchant.prepay(soon), 400, "PARAM_ERROR")
    late_enough = merchant.order(number(), openid(), time_expire=_ahead(seconds=61))
    assert merchant.prepay(late_enough).status_code == 200


def test_an_order_without_a_time_lives_seven_days(
    control: SandboxControl, merchant: Merchant
) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    control.clock(7 * 86400 - 60)
    assert merchant.query(out_trade_no).json()["trade_state"] == "NOTPAY"
    control.clock(7 * 86400 + 60)
    assert merchant.query(out_trade_no).json()["trade_state"] == "CLOSED"


def test_a_body_must_be_a_json_object(merchant: Merchant) -> None:
    target = "/v3/pay/transactions/jsapi"
    for body in ("[1]", "{", '"text"'):
        answer = merchant.http.post(
            target, content=body, headers=merchant.headers("POST", target, body)
        )
        refused(answer, 400, "PARAM_ERROR")


def _ahead(**time: float) -> str:
    zone = dt.timezone(dt.timedelta(hours=8))
    return (dt.datetime.now(zone) + dt.timedelta(**time)).isoformat(timespec="seconds")
