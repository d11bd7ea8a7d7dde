"""Trust: what proves that a message is WeChat's, and what does not."""

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from hospital.wechat import signing
from hospital.wechat.notices import InvalidNotice, NoticeReader, PaymentNotice, RefundNotice
from hospital.wechat.outcomes import Paid, RefundProgress
from hospital.wechat.pay_calls import compact, plain, rfc3339

AT = datetime(2026, 11, 23, 2, 34, 56, tzinfo=UTC)
KEY = generate_private_key(public_exponent=65537, key_size=2048)
APIV3_KEY = b"k" * 32
SERIAL = "PUB_KEY_ID_0116000000012024"

PAID = {
    "appid": "wx1",
    "mchid": "1600000001",
    "out_trade_no": "GH20261123103456010000017",
    "transaction_id": "4200000000000000000000000001",
    "trade_type": "JSAPI",
    "trade_state": "SUCCESS",
    "success_time": "2026-11-23T10:34:50.123+08:00",
    "payer": {"openid": "oAbc"},
    "amount": {"total": 2500, "payer_total": 2000, "currency": "CNY"},
    "added_tomorrow": {"by": "WeChat"},
}
REFUNDED = {
    "mchid": "1600000001",
    "out_trade_no": "GH20261123103456010000017",
    "transaction_id": "4200000000000000000000000001",
    "out_refund_no": "GH20261123103456010000017R01",
    "refund_id": "50000000000000000001",
    "refund_status": "SUCCESS",
    "success_time": "2026-11-23T10:34:50+08:00",
    "user_received_account": "支付用户零钱",
    "amount": {"total": 2500, "refund": 2500, "payer_total": 2500, "payer_refund": 2500},
}


def key_of(serial: str) -> RSAPublicKey | None:
    return KEY.public_key() if serial == SERIAL else None


READER = NoticeReader(key_of=key_of, apiv3_key=APIV3_KEY)


def notice(facts: object, *, event: str = "TRANSACTION.SUCCESS", key: bytes = APIV3_KEY) -> bytes:
    sealed = AESGCM(key).encrypt(b"abcdefghijkl", json.dumps(facts).encode(), b"transaction")
    return json.dumps(
        {
            "id": "EV-1",
            "create_time": "2026-11-23T10:34:56+08:00",
            "event_type": event,
            "resource_type": "encrypt-resource",
            "resource": {
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": b64encode(sealed).decode(),
                "associated_data": "transaction",
                "nonce": "abcdefghijkl",
            },
        }
    ).encode()


def headers(body: bytes) -> dict[str, str]:
    timestamp = str(int(AT.timestamp()))
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": "n1",
        "Wechatpay-Serial": SERIAL,
        "Wechatpay-Signature": signing.sign(key=KEY, text=signing.lines(timestamp, "n1", body)),
        "Wechatpay-Signature-Type": signing.SCHEME,
    }


def test_a_payment_notice_reads_whole() -> None:
    body = notice(PAID)
    # Frameworks spell headers differently; WeChat's do not care.
    shouted = {name.upper(): value for name, value in headers(body).items()}
    read = READER.payment(headers=shouted, body=body, at=AT)
    assert read == PaymentNotice(
        notice_id="EV-1",
        event_type="TRANSACTION.SUCCESS",
        order=Paid(
            mchid="1600000001",
            appid="wx1",
            out_trade_no="GH20261123103456010000017",
            transaction_id="4200000000000000000000000001",
            total_fen=2500,
            payer_fen=2000,
            openid="oAbc",
            succeeded_at=datetime(2026, 11, 23, 2, 34, 50, 123000, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize("progress", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_a_refund_notice_reads_whole(progress: str) -> None:
    facts = {**REFUNDED, "refund_status": progress}
    if progress != "SUCCESS":
        del facts["success_time"]
    body = notice(facts, event=f"REFUND.{progress}")
    read = READER.refund(headers=headers(body), body=body, at=AT)
    assert isinstance(read, RefundNotice)
    assert read.refund.progress is RefundProgress(progress)
    assert read.refund.refund_fen == 2500
    assert (read.refund.succeeded_at is not None) == (progress == "SUCCESS")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abcd"}, "bad_signature"),
        ({"Wechatpay-Signature": b64encode(b"x" * 256).decode()}, "bad_signature"),
        ({"Wechatpay-Signature": ""}, "unsigned"),
        ({"Wechatpay-Serial": ""}, "unsigned"),
        ({"Wechatpay-Serial": "PUB_KEY_ID_9"}, "unknown_serial"),
        ({"Wechatpay-Serial": "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"}, "unknown_serial"),
        ({"Wechatpay-Timestamp": ""}, "unsigned"),
        ({"Wechatpay-Timestamp": "soon"}, "bad_timestamp"),
        ({"Wechatpay-Timestamp": "9" * 40}, "bad_timestamp"),
        ({"Wechatpay-Timestamp": "١٢٣"}, "bad_timestamp"),
        ({"Wechatpay-Nonce": "n2"}, "bad_signature"),
        ({"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"}, "other_scheme"),
    ],
)
def test_a_stranger_is_told_apart(changes: dict[str, str], reason: str) -> None:
    body = notice(PAID)
    read = READER.payment(headers={**headers(body), **changes}, body=body, at=AT)
    assert read == InvalidNotice(reason=reason, is_from_wechat=False)


def test_one_changed_byte_is_noticed() -> None:
    body = notice(PAID)
    read = READER.payment(headers=headers(body), body=body + b" ", at=AT)
    assert read == InvalidNotice(reason="bad_signature", is_from_wechat=False)


def test_a_replay_after_five_minutes_is_stale() -> None:
    body = notice(PAID)
    late = AT + timedelta(seconds=301)
    read = READER.payment(headers=headers(body), body=body, at=late)
    assert read == InvalidNotice(reason="stale", is_from_wechat=False)


@pytest.mark.parametrize(
    "body",
    [
        notice(PAID, key=b"z" * 32),
        notice(PAID)[:-10],
        b"",
        b"[]",
        b'{"id":"1","event_type":"x"}',
        b'{"id":"1","event_type":"x","resource":{"nonce":1,"ciphertext":2}}',
        notice([]),
        notice({**PAID, "trade_state": "INVENTED"}),
        notice({**PAID, "success_time": "2026-11-23T10:34:50"}),
        notice({**PAID, "success_time": "yesterday"}),
        notice({**PAID, "amount": {"total": "2500"}}),
        notice({**PAID, "amount": {"total": True}}),
        notice({**PAID, "transaction_id": None}),
    ],
)
def test_a_signed_notice_we_cannot_read_is_our_fault(body: bytes) -> None:
    read = READER.payment(headers=headers(body), body=body, at=AT)
    assert isinstance(read, InvalidNotice)
    assert read.is_from_wechat
    assert read.reason.startswith("unreadable")


@pytest.mark.parametrize(
    "facts",
    [
        {**REFUNDED, "refund_status": "?"},
        {**REFUNDED, "amount": None},
        {**REFUNDED, "refund_id": ""},
    ],
)
def test_a_signed_refund_notice_we_cannot_read(facts: dict[str, object]) -> None:
    body = notice(facts, event="REFUND.SUCCESS")
    read = READER.refund(headers=headers(body), body=body, at=AT)
    assert isinstance(read, InvalidNotice)
    assert read.is_from_wechat


def test_a_refund_notice_of_a_stranger() -> None:
    body = notice(REFUNDED)
    read = READER.refund(headers={}, body=body, at=AT)
    assert read == InvalidNotice(reason="unsigned", is_from_wechat=False)


def test_pay_sheet_verifies_with_our_public_half() -> None:
    sheet = signing.pay_sheet(key=KEY, app_id="wx1", prepay_id="wx2", at=AT, nonce="n")
    fields = sheet.as_bridge()
    assert fields["package"] == "prepay_id=wx2"
    assert fields["signType"] == "RSA"
    text = f"wx1\n{fields['timeStamp']}\nn\nprepay_id=wx2\n".encode()
    assert signing.verify(key=KEY.public_key(), text=text, signature=fields["paySign"])


@given(st.binary(max_size=300), st.text(max_size=20), st.binary(max_size=50))
def test_whatever_is_sealed_opens_again(content: bytes, label: str, junk: bytes) -> None:
    sealed = AESGCM(APIV3_KEY).encrypt(b"abcdefghijkl", content, label.encode())
    text = b64encode(sealed).decode()
    opened = signing.open_sealed(
        key=APIV3_KEY, nonce="abcdefghijkl", associated_data=label, ciphertext=text
    )
    assert opened == content
    with pytest.raises(signing.Unreadable):
        signing.open_sealed(
            key=APIV3_KEY,
            nonce="abcdefghijkl",
            associated_data=label + "x",
            ciphertext=b64encode(junk).decode(),
        )


def test_sent_text_keeps_what_wechat_can_store() -> None:
    assert plain("挂号费😀𠮷 1号", limit=5) == "挂号费 1"
    assert compact({"b": "针", "a": 1}) == '{"b":"针","a":1}'.encode()
    assert rfc3339(AT) == "2026-11-23T10:34:56+08:00"
