"""Two public libraries as judges: what we sign they accept, what they sign we accept, and what
both read reads the same."""

import json
import re
from typing import Any

import pytest
import xmltodict
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3 import utils as theirs_v3
from wechatpy import WeChatPay as WeChatPayV2
from wechatpy.pay import utils as theirs_v2

from hospital.kernel import clock
from hospital.testing.wechat import StandIn
from hospital.wechat import clients, signing, v2_calls
from hospital.wechat.bill_rows import read_trade_bill
from hospital.wechat.bills import BillFetched
from hospital.wechat.config import V2SignType
from hospital.wechat.notices import PaymentNotice, RefundNotice
from hospital.wechat.outcomes import Paid, RefundState
from hospital.wechat.pay_calls import compact
from hospital.wechat.tests.test_bills import a_day_of_trade
from hospital.wechat.tests.test_pay import paid, refund_order
from hospital.wechat.tests.test_scan import NUMBER, order
from hospital.wechat.tests.test_signing import (
    APIV3_KEY,
    AT,
    KEY,
    PAID,
    READER,
    REFUNDED,
    SERIAL,
    headers,
    notice,
)
from hospital.wechat.xml import clean, read_xml, write_xml

FIELD = re.compile(r'(\w+)="([^"]*)"')
texts = st.text(max_size=30)


@pytest.fixture
def library() -> WeChatPay:
    """wechatpayv3 in public-key mode with our test keys: it makes no call."""
    return WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid="1600000001",
        private_key=_pem(KEY).decode(),
        cert_serial_no="AB12",
        apiv3_key=APIV3_KEY.decode(),
        appid="wx1",
        public_key=KEY.public_key()
        .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        public_key_id=SERIAL,
    )


def _pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


@settings(max_examples=20)
@given(texts, texts)
def test_requests_are_signed_alike(target: str, description: str) -> None:
    body = compact({"description": description})
    signer = signing.Signer(mchid="1600000001", serial="AB12", key=KEY)
    ours = dict(
        FIELD.findall(
            signer.authorization(method="POST", target=target, body=body, at=AT, nonce="n")
        )
    )
    text = f"POST\n{target}\n{ours['timestamp']}\nn\n{body.decode()}\n"
    assert ours["signature"] == theirs_v3.rsa_sign(KEY, text)
    header = theirs_v3.build_authorization(target, "POST", "1600000001", "AB12", KEY, body.decode())
    given_by_them = dict(FIELD.findall(header))
    assert signing.verify(
        key=KEY.public_key(),
        text=signing.request_text(
            method="POST",
            target=target,
            timestamp=given_by_them["timestamp"],
            nonce=given_by_them["nonce_str"],
            body=body,
        ),
        signature=given_by_them["signature"],
    )


def test_pay_sheets_are_signed_alike(library: WeChatPay) -> None:
    sheet = signing.pay_sheet(key=KEY, app_id="wx1", prepay_id="wx2", at=AT, nonce="n")
    parts = [sheet.app_id, sheet.timestamp, sheet.nonce, sheet.package]
    assert library.sign(parts) == sheet.signature


@settings(max_examples=20)
@given(st.text(max_size=40).filter(lambda text: len(text.encode()) < 200))
def test_sealed_fields_open_both_ways(text: str) -> None:
    assert theirs_v3.rsa_decrypt(signing.seal(key=KEY.public_key(), text=text), KEY) == text


@pytest.mark.parametrize("facts", [PAID, REFUNDED])
def test_a_notice_reads_the_same(library: WeChatPay, facts: dict[str, Any]) -> None:
    event = "TRANSACTION.SUCCESS" if facts is PAID else "REFUND.SUCCESS"
    body = notice(facts, event=event)
    given_headers = headers(body)
    judged = library.callback(given_headers, body)
    assert judged["resource"] == facts
    assert judged["event_type"] == event
    if facts is PAID:
        read = READER.payment(headers=given_headers, body=body, at=AT)
        assert isinstance(read, PaymentNotice)
        assert isinstance(read.order, Paid)
        assert read.order.transaction_id == judged["resource"]["transaction_id"]
        assert read.order.total_fen == judged["resource"]["amount"]["total"]
    else:
        back = READER.refund(headers=given_headers, body=body, at=AT)
        assert isinstance(back, RefundNotice)
        assert back.refund.refund_id == judged["resource"]["refund_id"]
        assert back.refund.refund_fen == judged["resource"]["amount"]["refund"]


names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(lambda name: name != "sign")
fields = st.dictionaries(names, st.text(max_size=20).map(clean).map(str.strip), max_size=8)


@settings(max_examples=40)
@given(fields, st.sampled_from(["MD5", "HMAC-SHA256"]))
def test_v2_is_signed_alike(values: dict[str, str], kind: V2SignType) -> None:
    judge = {
        "MD5": theirs_v2.calculate_signature,
        "HMAC-SHA256": theirs_v2.calculate_signature_hmac,
    }[kind]
    assert v2_calls.sign(values, key="k" * 32, kind=kind) == judge(values, "k" * 32)


@settings(max_examples=40)
@given(fields)
def test_v2_documents_read_the_same(values: dict[str, str]) -> None:
    signature = v2_calls.sign(values, key="k" * 32, kind="MD5")
    library = WeChatPayV2(appid="wx1", api_key="k" * 32, mch_id="1600000001")
    judged = library.parse_payment_result(write_xml({**values, "sign": signature}).decode())
    money_names = ("total_fee", "settlement_total_fee", "cash_fee", "coupon_fee", "coupon_count")
    assert {
        name: text or "" for name, text in judged.items() if name not in (*money_names, "sign")
    } == {name: text for name, text in values.items() if name not in money_names}


@settings(max_examples=40)
@given(fields.filter(lambda values: not any("]]>" in text for text in values.values())))
def test_v2_documents_of_theirs_are_read(values: dict[str, str]) -> None:
    body = theirs_v2.dict_to_xml(values, sign="S").encode()
    assert read_xml(body).values() == {**values, "sign": "S"}
    assert xmltodict.parse(body.decode())["xml"]["sign"] == "S"


def _library_at(wechat: StandIn) -> WeChatPay:
    config = clients.config()
    assert config.public_key is not None
    made = WeChatPay(
        wechatpay_type=WeChatPayType.JSAPI,
        mchid=config.mchid,
        private_key=_pem(config.merchant_key).decode(),
        cert_serial_no=config.merchant_serial,
        apiv3_key=config.apiv3_key.decode(),
        appid=config.appid,
        public_key=config.public_key.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        ).decode(),
        public_key_id=config.public_key_id,
        timeout=5,
    )
    made._core._gate_way = wechat.base
    return made


def test_the_same_order_refund_and_bill_through_both(wechat: StandIn) -> None:
    day = a_day_of_trade(wechat)
    library = _library_at(wechat)
    status, text = library.query(out_trade_no="10W00000001")
    judged = json.loads(text)
    ours = clients.pay().query(out_trade_no="10W00000001")
    assert status == 200
    assert isinstance(ours, Paid)
    assert (ours.transaction_id, ours.total_fen, ours.openid, ours.has_refunds) == (
        judged["transaction_id"],
        judged["amount"]["total"],
        judged["payer"]["openid"],
        judged["trade_state"] == "REFUND",
    )
    status, text = library.query_refund(out_refund_no="10W00000001R01")
    state = clients.pay().query_refund(out_refund_no="10W00000001R01")
    assert isinstance(state, RefundState)
    assert (state.refund_id, state.progress.value) == (
        json.loads(text)["refund_id"],
        json.loads(text)["status"],
    )
    status, text = library.trade_bill(bill_date=day.isoformat(), tar_type="GZIP")
    status, file = library.download_bill(json.loads(text)["download_url"])
    with _fetched(clients.pay().trade_bill(day=day)) as bill:
        assert file == bill.packed()
        assert len(list(read_trade_bill(bill.text()))) == 3


def _fetched(outcome: object) -> BillFetched:
    assert isinstance(outcome, BillFetched)
    return outcome


def test_a_charge_of_ours_through_the_v2_library(wechat: StandIn) -> None:
    config = clients.config()
    ours = clients.scan().pay(order(wechat))
    library = WeChatPayV2(appid=config.appid, api_key=config.v2_key, mch_id=config.mchid, timeout=5)
    library.API_BASE_URL = f"{wechat.base}/"
    judged = library.order.query(out_trade_no=NUMBER)
    assert isinstance(ours, Paid)
    assert (ours.transaction_id, str(ours.total_fen), ours.openid) == (
        judged["transaction_id"],
        judged["total_fee"],
        judged["openid"],
    )
    assert clock.local(ours.succeeded_at).strftime("%Y%m%d%H%M%S") == judged["time_end"]
    assert library.check_signature(judged)


def test_a_refund_by_the_library_is_known_to_us(wechat: StandIn) -> None:
    client = paid(wechat)
    status, _ = _library_at(wechat).refund(
        out_trade_no="W000000001",
        out_refund_no="W000000001R01",
        amount={"refund": 2500, "total": 2500, "currency": "CNY"},
        reason="挂号退费",
    )
    assert status == 200
    state = client.query_refund(out_refund_no="W000000001R01")
    assert isinstance(state, RefundState)
    assert (state.refund_fen, state.total_fen) == (2500, 2500)
    # The same number with the same content through our client is the same refund.
    again = client.refund(refund_order())
    assert isinstance(again, RefundState)
    assert again.refund_id == state.refund_id
