"""Fidelity rules 1 to 3: who may call, and what proves an answer."""

from __future__ import annotations

import json
import time

import pytest
from cryptography import x509

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid

TARGET = "/v3/pay/transactions/out-trade-no/T00000001?mchid="


def _get(merchant: Merchant, headers: dict[str, str]) -> int:
    return merchant.http.get(TARGET + merchant.facts["mchid"], headers=headers).status_code


def test_a_proven_request_reaches_the_handler(merchant: Merchant) -> None:
    target = TARGET + merchant.facts["mchid"]
    assert _get(merchant, merchant.headers("GET", target)) == 404


@pytest.mark.parametrize(
    "change",
    [
        {"mchid": "1900000001"},
        {"serial_no": "0" * 40},
        {"signature": "AAAA"},
        {"signature": "not base64!"},
        {"nonce_str": ""},
        {"nonce_str": "n" * 33},
        {"timestamp": "yesterday"},
    ],
)
def test_a_changed_authorization_is_refused(merchant: Merchant, change: dict[str, str]) -> None:
    target = TARGET + merchant.facts["mchid"]
    answer = merchant.http.get(target, headers=merchant.headers("GET", target, change=change))
    assert answer.status_code == 401
    assert answer.json()["code"] == "SIGN_ERROR"
    assert "Wechatpay-Signature" not in answer.headers
    assert answer.headers["Request-ID"].rpartition("-")[2].isdecimal()


def test_no_authorization_or_another_scheme_is_refused(merchant: Merchant) -> None:
    target = TARGET + merchant.facts["mchid"]
    headers = merchant.headers("GET", target)
    for value in ("", "Bearer x", "WECHATPAY2-SM2-WITH-SM3 " + headers["Authorization"]):
        assert _get(merchant, headers | {"Authorization": value}) == 401


@pytest.mark.parametrize(("seconds", "status"), [(290, 404), (-290, 404), (310, 401), (-310, 401)])
def test_the_window_is_five_minutes(merchant: Merchant, seconds: int, status: int) -> None:
    target = TARGET + merchant.facts["mchid"]
    headers = merchant.headers("GET", target, at=time.time() + seconds)
    assert _get(merchant, headers) == status


def test_the_serial_may_be_lower_case(merchant: Merchant) -> None:
    target = TARGET + merchant.facts["mchid"]
    serial = merchant.facts["mch_serial"].lower()
    assert _get(merchant, merchant.headers("GET", target, change={"serial_no": serial})) == 404


def test_other_bytes_than_signed_are_refused(merchant: Merchant) -> None:
    target = "/v3/pay/transactions/jsapi"
    body = json.dumps(merchant.order(number(), openid()), ensure_ascii=False)
    headers = merchant.headers("POST", target, body)
    spaced = body.replace(": ", ":").encode()
    assert merchant.http.post(target, content=spaced, headers=headers).status_code == 401
    assert merchant.http.post(target, content=body.encode(), headers=headers).status_code == 200


def test_the_raw_target_is_signed_percent_signs_included(merchant: Merchant) -> None:
    raw = f"/v3/pay/transactions/out-trade-no/T%7C00%2A001?mchid={merchant.facts['mchid']}"
    answer = merchant.http.get(raw, headers=merchant.headers("GET", raw))
    assert answer.status_code == 404
    decoded = raw.replace("%7C", "|").replace("%2A", "*")
    answer = merchant.http.get(raw, headers=merchant.headers("GET", decoded))
    assert answer.status_code == 401


def test_agent_accept_and_content_type_are_demanded(merchant: Merchant) -> None:
    target = TARGET + merchant.facts["mchid"]
    headers = merchant.headers("GET", target)
    assert _get(merchant, headers | {"User-Agent": ""}) == 403
    assert _get(merchant, headers | {"Accept": "text/html"}) == 406
    assert _get(merchant, headers | {"Accept": "*/*"}) == 404
    post = "/v3/pay/transactions/jsapi"
    body = json.dumps(merchant.order(number(), openid()))
    headers = merchant.headers("POST", post, body) | {"Content-Type": "text/plain"}
    assert merchant.http.post(post, content=body, headers=headers).status_code == 415


def test_the_request_serial_chooses_the_answering_key(merchant: Merchant) -> None:
    body = merchant.order(number(), openid())
    answer = merchant.prepay(body)
    assert answer.headers["Wechatpay-Serial"] == merchant.facts["pub_key_id"]
    merchant.public_key_mode = False
    answer = merchant.prepay(body)
    assert answer.headers["Wechatpay-Serial"] == merchant.facts["plat_serial"]


def test_an_unknown_answering_serial_is_refused(merchant: Merchant) -> None:
    target = TARGET + merchant.facts["mchid"]
    headers = merchant.headers("GET", target) | {"Wechatpay-Serial": "PUB_KEY_ID_0"}
    answer = merchant.http.get(target, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


def test_a_204_is_signed_over_an_empty_body(merchant: Merchant) -> None:
    out_trade_no = number()
    merchant.prepay(merchant.order(out_trade_no, openid()))
    answer = merchant.close(out_trade_no)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_answers_are_compact_utf8_json_with_a_request_id(merchant: Merchant, paid: str) -> None:
    answer = merchant.query(paid)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Request-ID"].endswith("-0")
    assert b": " not in answer.content
    assert "支付成功".encode() in answer.content


def test_certificates_are_sealed_and_prove_their_own_answer(merchant: Merchant) -> None:
    merchant.public_key_mode = False
    answer = merchant.call("GET", "/v3/certificates")
    entry = answer.json()["data"][0]
    certificate = x509.load_pem_x509_certificate(
        merchant.decrypt_bytes(entry["encrypt_certificate"])
    )
    assert f"{certificate.serial_number:X}" == entry["serial_no"] == merchant.facts["plat_serial"]
    assert entry["encrypt_certificate"]["associated_data"] == "certificate"


def test_unknown_api_paths_do_not_look_like_success(merchant: Merchant) -> None:
    answer = merchant.call("GET", "/v3/pay/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert "Wechatpay-Signature" not in answer.headers
    assert merchant.call("DELETE", "/v3/pay/transactions/jsapi").status_code in (404, 405)


def test_a_wire_shift_makes_real_requests_stale(
    control: SandboxControl, merchant: Merchant
) -> None:
    target = TARGET + merchant.facts["mchid"]
    control.clock(3600)
    assert _get(merchant, merchant.headers("GET", target)) == 404
    control.clock(3600, wire=True)
    assert _get(merchant, merchant.headers("GET", target)) == 401
    assert _get(merchant, merchant.headers("GET", target, at=time.time() + 3600)) == 404
