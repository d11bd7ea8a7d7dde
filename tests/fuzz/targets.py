"""What reads the bytes of strangers, with good bytes to start from and what it may raise.

A target gets broken bytes and lets through only what its reader says it raises. Where a signature
or a seal would stop everything at the door, the broken bytes are signed and sealed properly, as
WeChat itself might send them.
"""

import gzip
import io
import json
import random
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hospital.wechat import bills, reading, sealing, signing, v2_calls
from hospital.wechat.bill_rows import BillBroken, read_fund_bill, read_trade_bill
from hospital.wechat.callbacks import CallbackReader, InvalidCallback
from hospital.wechat.certificates import read_certificates
from hospital.wechat.config import WeChatConfig
from hospital.wechat.http import Answer
from hospital.wechat.inbound import InboundMessage
from hospital.wechat.notices import InvalidNotice, NoticeReader, PaymentNotice, RefundNotice
from hospital.wechat.outcomes import Unknown
from hospital.wechat.scan_v2 import ScanV2
from hospital.wechat.tests import bill_writer, test_bill_rows, test_signing
from hospital.wechat.v2_calls import V2Answer, V2Calls
from hospital.wechat.xml import BadXml, Element, read_xml, write_xml

AT = datetime(2026, 11, 23, 2, tzinfo=UTC)
STAMP = str(int(AT.timestamp()))
KEY = generate_private_key(public_exponent=65537, key_size=2048)
SERIAL = "PUB_KEY_ID_01"
APIV3_KEY = b"k" * 32
V2_KEY = "2" * 32
TOKEN, AES_KEY, APPID = "token", "A" * 43, "wx0123456789abcdef"


@dataclass(frozen=True)
class Target:
    """`read` asserts what it gets and raises for anything its reader must not do."""

    name: str
    seeds: Sequence[bytes]
    read: Callable[[bytes, random.Random], None]


def _key_of(serial: str) -> RSAPublicKey | None:
    return KEY.public_key() if serial == SERIAL else None


def _signed(body: bytes) -> dict[str, str]:
    return {
        "Wechatpay-Timestamp": STAMP,
        "Wechatpay-Nonce": "n",
        "Wechatpay-Serial": SERIAL,
        "Wechatpay-Signature": signing.sign(key=KEY, text=signing.lines(STAMP, "n", body)),
    }


NOTICES = NoticeReader(key_of=_key_of, apiv3_key=APIV3_KEY)


def _read_notice(headers: dict[str, str], body: bytes) -> None:
    payment = NOTICES.payment(headers=headers, body=body, at=AT)
    assert isinstance(payment, PaymentNotice | InvalidNotice)
    refund = NOTICES.refund(headers=headers, body=body, at=AT)
    assert isinstance(refund, RefundNotice | InvalidNotice)


def _notice(body: bytes, _rng: random.Random) -> None:
    _read_notice(_signed(body), body)


def _opened(facts: bytes, _rng: random.Random) -> None:
    """The envelope is right, what is sealed in it is not."""
    sealed = AESGCM(APIV3_KEY).encrypt(b"123456789012", facts, b"x")
    resource = {
        "ciphertext": b64encode(sealed).decode(),
        "nonce": "123456789012",
        "associated_data": "x",
    }
    body = json.dumps({"id": "1", "event_type": "x", "resource": resource}).encode()
    _read_notice(_signed(body), body)
    with suppress(signing.Unreadable):
        found = reading.read_json(facts)
        with suppress(signing.Unreadable):
            reading.read_order(found)
        reading.read_refund(found, mchid="1")


def _headers(body: bytes, rng: random.Random) -> None:
    """Whatever a web server may hand over as headers."""
    headers = _signed(b"{}")
    for name in rng.sample(sorted(headers), rng.randint(1, 4)):
        headers[name] = body[:64].decode("latin-1")
    assert isinstance(NOTICES.payment(headers=headers, body=b"{}", at=AT), InvalidNotice)


def _certificates(body: bytes, _rng: random.Random) -> None:
    answer = Answer(status=200, headers=_signed(body), body=body)
    with suppress(signing.Unreadable, signing.Untrusted):
        read_certificates(answer=answer, apiv3_key=APIV3_KEY, known=_key_of, at=AT)


def _xml(body: bytes, _rng: random.Random) -> None:
    with suppress(BadXml):
        root = read_xml(body)
        assert isinstance(root, Element)
        root.values()


V2 = ScanV2(
    V2Calls(
        WeChatConfig(
            appid=APPID,
            secret="s",
            mchid="1600000001",
            merchant_serial="AB",
            merchant_key=KEY,
            apiv3_key=APIV3_KEY,
            public_key_id=SERIAL,
            public_key=KEY.public_key(),
            v2_key=V2_KEY,
        )
    )
)


def _v2(body: bytes, _rng: random.Random) -> None:
    """As it came, and signed if it can be signed at all."""
    assert isinstance(V2.calls.read("fuzz", body), V2Answer | Unknown)
    try:
        values = read_xml(body).values(exactly=True)
    except BadXml:
        return
    signature = v2_calls.sign(values, key=V2_KEY, kind="HMAC-SHA256")
    names = {name: text for name, text in values.items() if name != "sign"}
    answer = V2.calls.read("fuzz", write_xml({**names, "sign": signature}))
    assert isinstance(answer, V2Answer | Unknown)
    if isinstance(answer, V2Answer):
        V2.read_paid(answer.values, "10W00000001")
        V2.read_query(answer, "10W00000001")
        V2.read_refund(answer, "10W00000001R01")


def _trade(body: bytes, _rng: random.Random) -> None:
    with suppress(BillBroken):
        for _ in read_trade_bill(io.BytesIO(body)):
            pass


def _fund(body: bytes, _rng: random.Random) -> None:
    with suppress(BillBroken):
        for _ in read_fund_bill(io.BytesIO(body)):
            pass


def _file(body: bytes, rng: random.Random) -> None:
    """A download that comes in pieces."""
    receiver = bills._Receiver(io.BytesIO())
    with suppress(bills._Broken):
        start = 0
        while start < len(body):
            size = rng.choice((1, 100, 65536))
            receiver.take(body[start : start + size])
            start += size
        receiver.finish()


SAFE = CallbackReader(appid=APPID, token=TOKEN, aes_key=AES_KEY, mode="safe")
PLAIN = CallbackReader(appid=APPID, token=TOKEN, aes_key="", mode="plain")


def _callback(body: bytes, rng: random.Random) -> None:
    """Plain and signed, sealed and signed, and with the broken bytes where the seal stands."""
    plain = {"timestamp": STAMP, "nonce": "n"}
    plain["signature"] = sealing.signature(TOKEN, STAMP, "n")
    sealed = sealing.seal(body, key=sealing.aes_key(AES_KEY), appid=APPID)
    if rng.random() < 0.3:
        sealed = b64encode(body).decode()
    query = {**plain, "encrypt_type": "aes"}
    query["msg_signature"] = sealing.signature(TOKEN, STAMP, "n", sealed)
    outer = write_xml({"ToUserName": "gh_1", "Encrypt": sealed})
    for read in (
        PLAIN.read(plain, body, at=AT),
        SAFE.read(query, body, at=AT),
        SAFE.read(query, outer, at=AT),
    ):
        assert isinstance(read, InboundMessage | InvalidCallback)


def _json(facts: object) -> bytes:
    return json.dumps(facts, ensure_ascii=False).encode()


_PAID, _REFUNDED = _json(test_signing.PAID), _json(test_signing.REFUNDED)
_PAID_V2 = write_xml(
    {
        "return_code": "SUCCESS",
        "result_code": "SUCCESS",
        "mch_id": "1600000001",
        "appid": APPID,
        "out_trade_no": "10W00000001",
        "transaction_id": "4200000000000000000000000001",
        "total_fee": "2500",
        "cash_fee": "2500",
        "openid": "oAbc",
        "time_end": "20261123103456",
        "trade_state": "SUCCESS",
        "out_refund_no_0": "10W00000001R01",
        "refund_id_0": "50000000000000000001",
        "refund_fee_0": "1000",
        "refund_status_0": "SUCCESS",
        "refund_success_time_0": "2026-11-23 10:34:56",
        "recall": "N",
    }
)
_REFUSED_V2 = write_xml(
    {"return_code": "SUCCESS", "result_code": "FAIL", "err_code": "USERPAYING", "recall": "Y"}
)
_TRADE = bill_writer.trade_bill([test_bill_rows.PAYMENT, test_bill_rows.BACK] * 3)
_FUND = bill_writer.fund_bill([test_bill_rows.FLOW] * 3)
_TEXT = write_xml(
    {
        "ToUserName": "gh_1",
        "FromUserName": "oAbc",
        "CreateTime": STAMP,
        "MsgType": "text",
        "Content": "挂号",
        "MsgId": "24000000000000001",
    }
)
_EVENT = _TEXT.replace(b"[text]", b"[event]").replace(
    b"</xml>",
    b"<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T"
    b"</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    b"</SubscribeMsgPopupEvent></xml>",
)
_DELIVERED = _TEXT.replace(b"[text]", b"[event]").replace(
    b"</xml>",
    b"<Event>TEMPLATESENDJOBFINISH</Event><MsgID>1</MsgID><Status>success</Status></xml>",
)
_LIST = _json(
    {
        "data": [
            {
                "serial_no": "AB",
                "encrypt_certificate": {
                    "nonce": "123456789012",
                    "associated_data": "certificate",
                    "ciphertext": b64encode(
                        AESGCM(APIV3_KEY).encrypt(b"123456789012", b"PEM", b"certificate")
                    ).decode(),
                },
            }
        ]
    }
)

TARGETS: Sequence[Target] = (
    Target("notice", [test_signing.notice(test_signing.PAID, key=APIV3_KEY)], _notice),
    Target("opened", [_PAID, _REFUNDED], _opened),
    Target("headers", [STAMP.encode(), b"A" * 344, SERIAL.encode(), b"AB" * 20], _headers),
    Target("certificates", [_LIST], _certificates),
    Target("xml", [_TEXT, _EVENT, _PAID_V2], _xml),
    Target("v2", [_PAID_V2, _REFUSED_V2], _v2),
    Target("trade_bill", [_TRADE], _trade),
    Target("fund_bill", [_FUND], _fund),
    Target("bill_file", [gzip.compress(_TRADE), gzip.compress(b"`0," * 100_000), _FUND], _file),
    Target("callback", [_TEXT, _EVENT, _DELIVERED], _callback),
)
