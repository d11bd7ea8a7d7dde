"""What reads a stranger's bytes raises nothing but what it says, whatever the bytes are.

`make fuzz` runs the same properties with a thousand times as many examples.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital.wechat import reading, sealing, signing
from hospital.wechat.callbacks import CallbackReader, InvalidCallback
from hospital.wechat.inbound import InboundMessage, UnknownKind, read_inbound
from hospital.wechat.notices import open_notice
from hospital.wechat.xml import BadXml, read_xml

EXAMPLES = int(os.environ.get("FUZZ", "100"))
KEY, TOKEN, APPID = "A" * 43, "token", "wx0123456789abcdef"
AT = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
STAMP, NONCE = str(int(AT.timestamp())), "n"
APIV3 = b"k" * 32
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

_SEEDS = [
    "<xml><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><MsgType>text</MsgType>"
    "<Content><![CDATA[挂号]]></Content><MsgId>1</MsgId></xml>",
    "<xml><FromUserName>o1</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType>"
    "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T"
    "</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
    "</SubscribeMsgPopupEvent></xml>",
    '<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>',
]
_NOTICE = {
    "id": "1",
    "event_type": "TRANSACTION.SUCCESS",
    "resource": {"nonce": "0123456789ab", "associated_data": "transaction", "ciphertext": ""},
}


@st.composite
def mutated(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A seed with pieces cut out, doubled, or replaced by anything."""
    body = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 40)))
        piece = draw(st.one_of(st.binary(max_size=12), st.just(body[start:end] * 2)))
        body = body[:start] + piece + body[end:]
    return body


documents = mutated([seed.encode() for seed in _SEEDS])
anything = st.one_of(documents, st.binary(max_size=200))


@fuzzed
@given(body=anything)
def test_xml(body: bytes) -> None:
    try:
        root = read_xml(body)
    except BadXml:
        return
    try:
        assert isinstance(read_inbound(root), InboundMessage)
    except (signing.Unreadable, UnknownKind):
        return


@fuzzed
@given(body=anything, is_sealed=st.booleans())
def test_callbacks(body: bytes, *, is_sealed: bool) -> None:
    reader = CallbackReader(appid=APPID, token=TOKEN, aes_key=KEY, mode="safe")
    text = base64.b64encode(body).decode()
    if is_sealed:
        text = sealing.seal(body, key=sealing.aes_key(KEY), appid=APPID)
    query = {
        "timestamp": STAMP,
        "nonce": NONCE,
        "encrypt_type": "aes",
        "msg_signature": sealing.signature(TOKEN, STAMP, NONCE, text),
    }

    found = reader.read(query, f"<xml><Encrypt>{text}</Encrypt></xml>".encode(), at=AT)

    assert isinstance(found, InboundMessage | InvalidCallback)


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
_FIELDS = ("trade_state", "amount", "payer", "success_time", "refund_status", "transaction_id")
facts = st.one_of(values, st.dictionaries(st.sampled_from(_FIELDS), values))


@fuzzed
@given(facts=facts, envelope=facts)
def test_notices(facts: object, envelope: object) -> None:
    """Sealed with the right key, so that every layer is reached."""
    sealed = AESGCM(APIV3).encrypt(b"0123456789ab", json.dumps(facts).encode(), b"transaction")
    resource = {**_NOTICE["resource"], "ciphertext": base64.b64encode(sealed).decode()}  # type: ignore[dict-item]
    for document in (
        {**_NOTICE, "resource": resource},
        {**_NOTICE, "resource": envelope},
        envelope,
    ):
        try:
            _, _, opened = open_notice(body=json.dumps(document).encode(), apiv3_key=APIV3)
            reading.read_order(opened)
        except signing.Unreadable:
            continue


@fuzzed
@given(opened=st.dictionaries(st.sampled_from(_FIELDS), values))
def test_orders_and_refunds(opened: dict[str, object]) -> None:
    for state in ("SUCCESS", "NOTPAY", None):
        said = {**opened, "trade_state": state} if state else opened
        for read in (reading.read_order, reading.read_refund):
            try:
                read(said)
            except signing.Unreadable:
                continue
