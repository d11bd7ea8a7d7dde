"""Callbacks of the Official Account: published vectors, and wechatpy in both directions."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message
from wechatpy.crypto import PrpCrypto, WeChatCrypto, WeChatWxaCrypto
from wechatpy.utils import WeChatSigner
from wechatpy.utils import check_signature as oracle_check

from hospital.wechat import mini, sealing, signing
from hospital.wechat.callbacks import CallbackReader, InvalidCallback
from hospital.wechat.inbound import (
    ConsentReport,
    DeliveryReport,
    InboundKind,
    InboundMessage,
    read_inbound,
)
from hospital.wechat.tests import callback_vectors as vectors
from hospital.wechat.xml import read_xml

TOKEN, APPID, KEY = "hospitaltoken", "wx0123456789abcdef", secrets.token_urlsafe(48)[:42] + "A"
KEY = KEY.replace("-", "x").replace("_", "y")
AT = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
STAMP, NONCE = str(int(AT.timestamp())), "n7"
OPENID = "oCallbackReader0000000000001"
TEXT = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName>"
    f"<FromUserName><![CDATA[{OPENID}]]></FromUserName><CreateTime>{STAMP}</CreateTime>"
    "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[我要挂号 & <针灸> 𠮷]]></Content>"
    "<MsgId>22345678901234567</MsgId></xml>"
)


def reader(mode: str = "safe", **changes: str) -> CallbackReader:
    facts = {"appid": APPID, "token": TOKEN, "aes_key": KEY, "mode": mode} | changes
    return CallbackReader(**facts)


def event(body: str) -> str:
    return (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName>"
        f"<CreateTime>{STAMP}</CreateTime><MsgType>event</MsgType>{body}</xml>"
    )


def plain_query(*, stamp: str = STAMP, nonce: str = NONCE, token: str = TOKEN) -> dict[str, str]:
    """Signed by the library."""
    signer = WeChatSigner()
    signer.add_data(token, stamp, nonce)
    return {"signature": signer.signature, "timestamp": stamp, "nonce": nonce}


def sealed_post(
    text: str, *, appid: str = APPID, key: str = KEY, token: str = TOKEN, stamp: str = STAMP
) -> tuple[dict[str, str], bytes]:
    """Sealed and signed by the library, as WeChat sends it."""
    made = read_xml(WeChatCrypto(token, key, appid).encrypt_message(text, NONCE, stamp).encode())
    query = {
        **plain_query(stamp=stamp, token=token),
        "encrypt_type": "aes",
        "msg_signature": made.value("MsgSignature"),
    }
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{made.value('Encrypt')}</Encrypt></xml>"
    return query, body.encode()


def test_v14_plain_signature() -> None:
    made = sealing.signature("test", "1410685589", "test")

    assert made == "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff"
    oracle_check("test", made, "1410685589", "test")
    at = dt.datetime.fromtimestamp(1410685589, dt.UTC)
    query = {"signature": made, "timestamp": "1410685589", "nonce": "test", "echostr": "e 1+2"}
    assert reader("plain", token="test").check_url(query, at=at) == "e 1+2"


def test_v15_sealed_echo() -> None:
    query = {
        "msg_signature": "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
        "timestamp": "1411443780",
        "nonce": "437374425",
        "echostr": vectors.V15_ECHO,
    }
    at = dt.datetime.fromtimestamp(1411443780, dt.UTC)
    strict = CallbackReader(
        appid="wx49f0ab532d5d035a", token="123456", aes_key=vectors.V15_KEY, mode="safe"
    )

    assert strict.check_url(query, at=at) == vectors.V15_PLAIN_ECHO
    changed = {**query, "nonce": "437374424"}
    assert strict.check_url(changed, at=at) == InvalidCallback(reason="bad_signature")


def test_v16_sealed_message() -> None:
    query = {
        "msg_signature": "4f3ad57b6989f09f4eb392acce4f9e93942ed890",
        "timestamp": "1458300676",
        "nonce": "260774613",
        "encrypt_type": "aes",
    }
    at = dt.datetime.fromtimestamp(1458300676, dt.UTC)
    facts = {"token": "pamtest", "aes_key": vectors.V16_KEY, "mode": "safe"}

    found = CallbackReader(appid="wxb11529c136998cb6", **facts).read(query, vectors.V16_BODY, at=at)

    assert isinstance(found, InboundMessage)
    assert (found.content, found.openid, found.account) == (
        "hello",
        "asdasdasdsadasd",
        "asdasdasd",
    )
    assert found.created_at == dt.datetime.fromtimestamp(1234567898, dt.UTC)
    other = CallbackReader(appid="wxb11529c136998cb7", **facts).read(query, vectors.V16_BODY, at=at)
    assert other == InvalidCallback(reason="other_appid")


def test_v17_what_a_phone_sealed() -> None:
    facts = mini.open_shared(
        session_key="tiihtNczf5v6AKRyjwEUhQ==",
        iv="r7BXXKkLb8qrSNn05n0qiA==",
        sealed=vectors.V17_SEALED,
        appid="wx4f4bc4dec97d474b",
    )
    oracle = WeChatWxaCrypto(
        "tiihtNczf5v6AKRyjwEUhQ==", "r7BXXKkLb8qrSNn05n0qiA==", "wx4f4bc4dec97d474b"
    )

    assert facts == oracle.decrypt_message(vectors.V17_SEALED)
    with pytest.raises(signing.Unreadable, match="watermark_appid"):
        mini.open_shared(
            session_key="tiihtNczf5v6AKRyjwEUhQ==",
            iv="r7BXXKkLb8qrSNn05n0qiA==",
            sealed=vectors.V17_SEALED,
            appid="wx0000000000000000",
        )


@pytest.mark.parametrize("stamp", [10**30, -1, 0, 10**10, 1.5, True, "1477314187", None])
def test_a_moment_no_calendar_has_is_unreadable(stamp: object) -> None:
    """It raised what no caller of the mini program's façade expects."""
    key, start = b"k" * 16, b"i" * 16
    said = json.dumps({"watermark": {"appid": APPID, "timestamp": stamp}}).encode()
    filler = 16 - len(said) % 16
    encryptor = Cipher(AES(key), CBC(start)).encryptor()
    sealed = encryptor.update(said + bytes([filler]) * filler) + encryptor.finalize()
    session_key, iv, body = (b64encode(each).decode() for each in (key, start, sealed))

    with pytest.raises(signing.Unreadable, match="moment"):
        mini.open_shared(session_key=session_key, iv=iv, sealed=body, appid=APPID)


@given(text=st.text(max_size=300))
def test_what_the_library_seals_we_open_and_the_other_way_round(text: str) -> None:
    message = text.encode()
    key = sealing.aes_key(KEY)
    theirs = PrpCrypto(key)

    assert sealing.unseal(theirs.encrypt(text, APPID).decode(), key=key) == (message, APPID)
    opened = theirs.decrypt(sealing.seal(message, key=key, appid=APPID), APPID)
    assert (opened if isinstance(opened, bytes) else opened.encode()) == message


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_each_mode_reads_what_it_is_sent(mode: str) -> None:
    if mode == "plain":
        query, body = plain_query(), TEXT.encode()
    else:
        query, body = sealed_post(TEXT)
    if mode == "compatible":
        lie = TEXT.replace("我要挂号", "换成明文")
        body = body.replace(b"</xml>", lie.removeprefix("<xml>").encode())

    assert reader(mode).read(query, body, at=AT) == InboundMessage(
        kind=InboundKind.TEXT,
        openid=OPENID,
        account="gh_1",
        created_at=AT,
        message_id="22345678901234567",
        content="我要挂号 & <针灸> 𠮷",
    )


def test_an_account_set_to_sealed_believes_nothing_plain() -> None:
    for mode in ("compatible", "safe"):
        for query in (plain_query(), {**plain_query(), "encrypt_type": "raw"}):
            found = reader(mode).read(query, TEXT.encode(), at=AT)
            assert found == InvalidCallback(reason="not_sealed")


def test_a_plain_account_with_a_key_reads_sealed_messages_already() -> None:
    """The mode is changed at WeChat first, and here a little later."""
    query, body = sealed_post(TEXT)

    assert isinstance(reader("plain").read(query, body, at=AT), InboundMessage)
    assert reader("plain", aes_key="").read(query, body, at=AT) == InvalidCallback(reason="no_key")


BAD = [
    ({"timestamp": str(int(STAMP) - 301)}, "stale"),
    ({"timestamp": str(int(STAMP) + 301)}, "stale"),
    ({"timestamp": ""}, "bad_timestamp"),
    ({"timestamp": "１７"}, "bad_timestamp"),
    ({"timestamp": "9" * 13}, "bad_timestamp"),
    ({"nonce": "x"}, "bad_signature"),
    ({"nonce": "x" * 129}, "bad_nonce"),
    ({"msg_signature": ""}, "bad_signature"),
    ({"msg_signature": "é" * 40}, "bad_signature"),
    ({"msg_signature": "0" * 40}, "bad_signature"),
]


@pytest.mark.parametrize(("change", "reason"), BAD)
def test_a_query_that_proves_nothing(change: Mapping[str, str], reason: str) -> None:
    query, body = sealed_post(TEXT)

    found = reader().read({**query, **change}, body, at=AT)

    assert found == InvalidCallback(reason=reason)


def test_stamps_hold_for_five_minutes() -> None:
    query, body = sealed_post(TEXT)

    for seconds in (-300, 300):
        late = AT + dt.timedelta(seconds=seconds)
        assert isinstance(reader().read(query, body, at=late), InboundMessage)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
<xml><Encrypt>&b;</Encrypt></xml>"""
OUTSIDE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Encrypt>&f;</Encrypt></xml>'


@pytest.mark.parametrize("body", [b"", b"<xml>", b"{}", BOMB, OUTSIDE, b"\xff\xfe<\0x\0>\0"])
def test_a_body_that_is_no_document(body: bytes) -> None:
    query, _ = sealed_post(TEXT)

    assert reader().read(query, body, at=AT) == InvalidCallback(reason="unreadable")


def test_a_bomb_inside_the_seal_is_refused_too() -> None:
    query, body = sealed_post(BOMB.decode())

    assert reader().read(query, body, at=AT) == InvalidCallback(reason="unreadable")


def test_a_body_over_the_limit_is_not_even_parsed() -> None:
    query, _ = sealed_post(TEXT)

    assert reader().read(query, b"<" * 65537, at=AT) == InvalidCallback(reason="too_big")


def test_a_sealed_text_for_another_app_or_with_another_key() -> None:
    query, body = sealed_post(TEXT, appid="wxffffffffffffffff")
    assert reader().read(query, body, at=AT) == InvalidCallback(reason="other_appid")
    query, body = sealed_post(TEXT, key="B" * 43)
    assert reader().read(query, body, at=AT) == InvalidCallback(reason="unreadable")


@given(length=st.integers(0, 200), start=st.binary(max_size=200))
def test_a_truncated_or_invented_sealed_text_is_unreadable(length: int, start: bytes) -> None:
    key = sealing.aes_key(KEY)
    good = sealing.seal(TEXT.encode(), key=key, appid=APPID)
    for sealed in (good[:length], start.hex(), good[length:]):
        try:
            opened = sealing.unseal(sealed, key=key)
        except signing.Unreadable:
            continue
        assert sealed == good or opened[0] != TEXT.encode()


def test_without_a_token_nothing_is_believed() -> None:
    query, body = sealed_post(TEXT, token="")

    assert reader(token="").read(query, body, at=AT) == InvalidCallback(reason="not_configured")


@pytest.mark.parametrize("letters", ["", "A" * 42, "A" * 44, "*" * 43])
def test_a_key_that_is_none(letters: str) -> None:
    with pytest.raises(signing.Unreadable):
        sealing.aes_key(letters)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.replace("text]]", "hologram]]"), "unknown_kind"),
        (TEXT.replace(OPENID, ""), "unreadable:openid"),
        (TEXT.replace(OPENID, "o" * 65), "unreadable:openid"),
        (TEXT.replace(OPENID, "张三"), "unreadable:openid"),
        (TEXT.replace(f">{STAMP}<", "><"), "unreadable:created_at"),
        (TEXT.replace(f">{STAMP}<", ">99999999999<"), "unreadable:created_at"),
        (TEXT.replace("<MsgType><![CDATA[text]]></MsgType>", ""), "unreadable:kind"),
        (event(""), "unreadable:event"),
        (event(f"<Event>VIEW</Event><EventKey>{'k' * 1025}</EventKey>"), "unreadable:event_key"),
    ],
)
def test_what_wechat_sent_and_nobody_understands(text: str, reason: str) -> None:
    query, body = sealed_post(text)

    found = reader().read(query, body, at=AT)

    assert found == InvalidCallback(reason=reason, is_from_wechat=True)


def test_a_sealed_reply_opens_at_the_other_end() -> None:
    query, body = sealed_post(TEXT)
    message = reader().read(query, body, at=AT)
    assert isinstance(message, InboundMessage)

    reply = reader().text_reply(message, "请点击菜单“预约挂号”。]]>", nonce=NONCE, at=AT)

    made = read_xml(reply)
    opened = WeChatCrypto(TOKEN, KEY, APPID).decrypt_message(
        reply.decode(), made.value("MsgSignature"), made.value("TimeStamp"), made.value("Nonce")
    )
    said = read_xml(opened if isinstance(opened, bytes) else opened.encode())
    assert said.value("Content") == "请点击菜单“预约挂号”。]]>"
    assert (said.value("ToUserName"), said.value("FromUserName")) == (OPENID, "gh_1")


def test_a_plain_reply() -> None:
    message = reader("plain").read(plain_query(), TEXT.encode(), at=AT)
    assert isinstance(message, InboundMessage)

    reply = parse_message(reader("plain").text_reply(message, "好", nonce=NONCE, at=AT).decode())

    assert (reply.content, reply.target, reply.source) == ("好", OPENID, "gh_1")


SAMPLES: dict[str, str] = {
    "text": TEXT,
    "image": event("").replace(
        "<MsgType>event</MsgType>",
        "<MsgType>image</MsgType><PicUrl>http://x/1</PicUrl><MediaId>m</MediaId><MsgId>7</MsgId>",
    ),
    "location": event("").replace(
        "<MsgType>event</MsgType>",
        "<MsgType>location</MsgType><Location_X>23.1</Location_X><Location_Y>113.3</Location_Y>"
        "<Scale>20</Scale><Label>门诊楼</Label><MsgId>8</MsgId>",
    ),
    "subscribe": event("<Event>subscribe</Event><EventKey></EventKey>"),
    "subscribe_scan": event(
        "<Event>subscribe</Event><EventKey>qrscene_dept-7</EventKey><Ticket>T</Ticket>"
    ),
    "unsubscribe": event("<Event>unsubscribe</Event><EventKey></EventKey>"),
    "scan": event("<Event>SCAN</Event><EventKey>dept-7</EventKey><Ticket>T</Ticket>"),
    "click": event("<Event>CLICK</Event><EventKey>reply:3</EventKey>"),
    "view": event("<Event>VIEW</Event><EventKey>https://h.example/m/</EventKey>"),
    "templatesend": event(
        "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID>"
        "<Status><![CDATA[failed:user block]]></Status>"
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_the_library_parses_we_parse_the_same(name: str) -> None:
    ours = read_inbound(read_xml(SAMPLES[name].encode()))
    theirs: Any = parse_message(SAMPLES[name])

    assert (ours.openid, ours.account) == (theirs.source, theirs.target)
    assert ours.created_at == theirs.create_time
    if ours.kind is not InboundKind.EVENT:
        assert (ours.kind, ours.message_id) == (theirs.type, str(theirs.id))
        assert ours.content == getattr(theirs, "content", "")
        return
    scanned = theirs.event.endswith("scan")
    key = getattr(theirs, "key", None) or getattr(theirs, "url", "")
    expected = theirs.scene_id if scanned else key
    assert ours.event_key == expected
    assert ours.scene == (theirs.scene_id if scanned else "")
    if ours.deliveries:
        assert ours.deliveries == (DeliveryReport(message_id=str(theirs.id), status=theirs.status),)


def test_consents_and_results_of_notifications() -> None:
    asked = event(
        "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>"
        "<List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
        "<PopupScene>2</PopupScene></List><List><TemplateId>T2</TemplateId>"
        "<SubscribeStatusString>reject</SubscribeStatusString><PopupScene>2</PopupScene></List>"
        "</SubscribeMsgPopupEvent>"
    )
    changed = event(
        "<Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><item>"
        "<TemplateId>T1</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></item>"
        "</List></SubscribeMsgChangeEvent>"
    )
    sent = event(
        "<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1"
        "</TemplateId><MsgID>1700827132819554304</MsgID><ErrorCode>0</ErrorCode>"
        "<ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>"
    )

    assert read_inbound(read_xml(asked.encode())).consents == (
        ConsentReport(template_id="T1", is_accepted=True),
        ConsentReport(template_id="T2", is_accepted=False),
    )
    assert read_inbound(read_xml(changed.encode())).consents == (
        ConsentReport(template_id="T1", is_accepted=False),
    )
    assert read_inbound(read_xml(sent.encode())).deliveries == (
        DeliveryReport(message_id="1700827132819554304", status="success", template_id="T1"),
    )
