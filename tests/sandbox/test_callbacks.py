"""Messages and events on their way to the merchant's server, read and answered with wechatpy."""

from __future__ import annotations

import hashlib
import time
from typing import Any
from xml.etree import ElementTree as Tree

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.enterprise.crypto import WeChatCrypto as EchoCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import ArticlesReply, TextReply
from wechatpy.utils import check_signature

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import openid
from tests.sandbox.merchant_server import Answer, Came, MerchantServer
from tests.sandbox.third_party import account_client
from wechat_sandbox.sealing import BadSeal, unseal

MODES = ["plain", "compatible", "aes"]
OUT_OF_ORDER = "该公众号提供的服务出现故障，请稍后再试"


@pytest.fixture
def crypto(control: SandboxControl) -> Any:
    facts = control.facts
    return WeChatCrypto(facts["token"], facts["aes_key"], facts["appid"])


@pytest.fixture
def code(control: SandboxControl) -> Any:
    """A QR code with the scene desk-7, made through wechatpy."""
    return account_client(control).qrcode.create(
        {
            "expire_seconds": 600,
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": "desk-7"}},
        }
    )


def opened(came: Came, control: SandboxControl, crypto: Any) -> Any:
    """What wechatpy makes of a request, its signatures checked."""
    query, body = came.query, came.body
    check_signature(control.facts["token"], query["signature"], query["timestamp"], query["nonce"])
    if query.get("encrypt_type") == "aes":
        body = crypto.decrypt_message(
            body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
    return parse_message(body)


@pytest.mark.parametrize("mode", MODES)
def test_a_text_in_every_mode(
    control: SandboxControl, server: MerchantServer, crypto: Any, mode: str
) -> None:
    control.callback_mode(mode)
    who = openid()
    said = control.inbound(who, "text", text="挂号 <a> & ]]> 😀")
    came = server.wait(1)[0]
    message = opened(came, control, crypto)
    assert (message.type, message.source, message.id) == ("text", who, said["msg_id"])
    assert message.content == "挂号 <a> & ]]> 😀"
    assert message.target == control.account()["callback"]["account"]
    assert came.query["openid"] == who
    root = Tree.fromstring(came.body)
    assert (root.find("Encrypt") is not None) is (mode != "plain")
    assert (root.find("Content") is not None) is (mode != "aes")
    control.until(lambda: control.account()["inbound"][0]["status"] == "delivered")
    assert [line["text"] for line in control.chat(who)] == ["挂号 <a> & ]]> 😀"]


@pytest.mark.parametrize("mode", MODES)
def test_a_passive_reply_reaches_the_chat(
    control: SandboxControl, server: MerchantServer, crypto: Any, mode: str
) -> None:
    control.callback_mode(mode)

    def reply(came: Came) -> Answer:
        text = TextReply(
            content="请点菜单“预约挂号”", message=opened(came, control, crypto)
        ).render()
        if mode == "plain":
            return 200, text.encode()
        return 200, crypto.encrypt_message(text, "n0nce", str(int(time.time()))).encode()

    server.reply = reply
    who = openid()
    control.inbound(who, "text", text="怎么挂号")
    control.until(lambda: len(control.chat(who)) == 2)
    answer = control.chat(who)[1]
    assert (answer["side"], answer["source"], answer["text"]) == (
        "account",
        "passive",
        "请点菜单“预约挂号”",
    )
    assert len(control.callbacks(who)) == 1


def test_articles_are_shown(control: SandboxControl, server: MerchantServer, crypto: Any) -> None:
    articles = [{"title": "就诊须知", "description": "", "image": "", "url": "http://127.0.0.1/m/"}]
    server.reply = lambda came: (
        200,
        ArticlesReply(message=opened(came, control, crypto), articles=articles).render().encode(),
    )
    who = openid()
    control.inbound(who, "click", key="GUIDE")
    control.until(lambda: len(control.chat(who)) == 1)
    line = control.chat(who)[0]
    assert (line["kind"], line["text"]) == ("news", "就诊须知")
    assert line["items"][0]["url"] == "http://127.0.0.1/m/"


def test_success_says_nothing(control: SandboxControl, server: MerchantServer) -> None:
    server.reply = lambda came: (200, b"success")
    who = openid()
    control.inbound(who, "text", text="你好")
    control.until(lambda: len(control.callbacks(who)) == 1)
    assert control.account()["inbound"][0]["status"] == "delivered"
    assert len(control.chat(who)) == 1


@pytest.mark.parametrize(
    "answer",
    [b"<html>login</html>", b"ok", b'{"code":0}', b"<xml><ToUserName>x</ToUserName></xml>"],
)
def test_an_answer_nobody_can_read_is_told_to_the_person(
    control: SandboxControl, server: MerchantServer, answer: bytes
) -> None:
    server.reply = lambda came: (200, answer)
    who = openid()
    control.inbound(who, "text", text="你好")
    control.until(lambda: len(control.chat(who)) == 2)
    assert control.chat(who)[1]["text"] == OUT_OF_ORDER
    assert control.callbacks(who)[0]["error"].startswith("reply: ")


def test_a_plain_reply_in_safe_mode_is_not_taken(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    control.callback_mode("aes")
    server.reply = lambda came: (
        200,
        TextReply(content="x", message=opened(came, control, crypto)).render().encode(),
    )
    who = openid()
    control.inbound(who, "text", text="你好")
    control.until(lambda: len(control.chat(who)) == 2)
    assert control.callbacks(who)[0]["error"] == "reply: not sealed, in safe mode"


def test_three_tries_then_the_person_is_told(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    server.reply = lambda came: (500, b"")
    who = openid()
    said = control.inbound(who, "text", text="你好")
    came = server.wait(3)
    control.until(lambda: control.account()["inbound"][0]["status"] == "given_up")
    assert {opened(one, control, crypto).id for one in came} == {said["msg_id"]}
    assert len({one.query["nonce"] for one in came}) == 3
    assert [one["attempt"] for one in control.callbacks(who)] == [1, 2, 3]
    assert control.chat(who)[1]["text"] == OUT_OF_ORDER


def test_a_slow_server_is_asked_again_and_answered_once(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    def slow(came: Came) -> Answer:
        if len(server.came) == 1:
            time.sleep(0.8)
        text = TextReply(content="在的", message=opened(came, control, crypto)).render()
        return 200, text.encode()

    server.reply = slow
    who = openid()
    control.inbound(who, "text", text="在吗")
    control.until(lambda: len(control.chat(who)) == 2)
    assert [one["error"] for one in control.callbacks(who)] == ["no answer within 0.5 s", ""]
    assert [line["text"] for line in control.chat(who)] == ["在吗", "在的"]


def test_nothing_is_queued_without_an_address(control: SandboxControl) -> None:
    assert control.inbound(openid(), "text", text="你好")["queued"] is False
    assert control.account()["inbound"] == []


def test_the_console_checks_the_address(control: SandboxControl, server: MerchantServer) -> None:
    facts = control.facts
    sealed_echo = EchoCrypto(facts["token"], facts["aes_key"], facts["appid"])
    assert control.callback_check()["ok"] is False

    def echo(came: Came) -> Answer:
        query = came.query
        if "msg_signature" in query:
            said = sealed_echo.check_signature(
                query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
            )
            return 200, str(said).encode()
        check_signature(
            control.facts["token"], query["signature"], query["timestamp"], query["nonce"]
        )
        return 200, query["echostr"].encode()

    server.reply = echo
    assert control.callback_check()["ok"] is True
    assert control.callback_check(sealed=True)["ok"] is True
    server.reply = lambda came: (200, came.query["echostr"].encode() + b"\n")
    assert control.callback_check()["ok"] is False


def test_follow_by_a_code_then_scan_it_then_leave(
    control: SandboxControl, server: MerchantServer, crypto: Any, code: dict[str, Any]
) -> None:
    who = openid()
    acts: list[tuple[str, dict[str, str]]] = [
        ("unsubscribe", {}),
        ("subscribe", {"ticket": code["ticket"]}),
        ("scan", {"scene": "desk-7"}),
    ]
    for count, (kind, fields) in enumerate(acts, start=1):
        control.inbound(who, kind, **fields)
        server.wait(count)
    assert control.inbound(who, "subscribe")["queued"] is False
    left, followed, scanned = (opened(one, control, crypto) for one in server.came)
    assert (left.event, left.source) == ("unsubscribe", who)
    assert (followed.event, followed.scene_id, followed.ticket) == (
        "subscribe_scan",
        "desk-7",
        code["ticket"],
    )
    assert (scanned.event, scanned.scene_id) == ("scan", "desk-7")


def test_menu_events(control: SandboxControl, server: MerchantServer, crypto: Any) -> None:
    who = openid()
    control.inbound(who, "click", key="HOURS")
    control.inbound(who, "view", url="http://127.0.0.1/m/?a=1&b=2")
    both = [opened(one, control, crypto) for one in server.wait(2)]
    clicked, viewed = sorted(both, key=lambda message: message.event)
    assert (clicked.event, clicked.key) == ("click", "HOURS")
    assert (viewed.event, viewed.url) == ("view", "http://127.0.0.1/m/?a=1&b=2")


def test_answers_to_the_subscription_popup(control: SandboxControl, server: MerchantServer) -> None:
    who = openid()
    control.inbound(who, "subscribe_popup", accepted=["A", "B"], rejected=["C"])
    control.inbound(who, "subscribe_change", rejected=["B"])
    popup, change = sorted(server.wait(2), key=lambda came: b"msg_change" in came.body)
    assert Tree.fromstring(popup.body).findtext("Event") == "subscribe_msg_popup_event"
    entries = Tree.fromstring(popup.body).findall("SubscribeMsgPopupEvent/List")
    assert [
        (one.findtext("TemplateId"), one.findtext("SubscribeStatusString")) for one in entries
    ] == [("A", "accept"), ("B", "accept"), ("C", "reject")]
    assert Tree.fromstring(change.body).findtext("Event") == "subscribe_msg_change_event"
    assert [(one["template_id"], one["sends_left"]) for one in control.account()["consents"]] == [
        ("A", 1)
    ]


def test_any_other_message(control: SandboxControl, server: MerchantServer, crypto: Any) -> None:
    fields = {"Location_X": "30.2", "Location_Y": "120.1", "Scale": "15", "Label": "杭州"}
    control.inbound(openid(), "message", msg_type="location", fields=fields)
    assert opened(server.wait(1)[0], control, crypto).label == "杭州"


def test_fault_callback_dup(control: SandboxControl, server: MerchantServer, crypto: Any) -> None:
    control.fault("callback_dup")
    said = control.inbound(openid(), "text", text="你好")
    came = server.wait(3)
    assert [opened(one, control, crypto).id for one in came] == [said["msg_id"]] * 3
    control.until(lambda: [one["copy"] for one in control.callbacks()] == [1, 2, 3])
    assert len({one.query["signature"] for one in came}) == 3


def test_fault_callback_dup_at_once(control: SandboxControl, server: MerchantServer) -> None:
    def together(came: Came) -> Answer:
        server.wait(5)
        return 200, b""

    server.reply = together
    control.fault("callback_dup", times=5, value="at_once")
    control.inbound(openid(), "text", text="你好")
    control.until(lambda: len(control.callbacks()) == 5)
    assert {one["status"] for one in control.callbacks()} == {200}


@pytest.mark.parametrize("mode", MODES)
def test_fault_callback_bad_signature(
    control: SandboxControl, server: MerchantServer, crypto: Any, mode: str
) -> None:
    control.callback_mode(mode)
    server.reply = lambda came: (403 if len(server.came) == 1 else 200, b"")
    control.fault("callback_bad_signature")
    control.inbound(openid(), "text", text="你好")
    bad, good = server.wait(2)
    with pytest.raises(InvalidSignatureException):
        opened(bad, control, crypto)
    if mode != "plain":
        query = bad.query
        with pytest.raises(InvalidSignatureException):
            crypto.decrypt_message(
                bad.body, query["msg_signature"], query["timestamp"], query["nonce"]
            )
    assert opened(good, control, crypto).content == "你好"


def test_fault_callback_wrong_appid(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    control.callback_mode("aes")
    control.fault("callback_wrong_appid")
    control.inbound(openid(), "text", text="你好")
    with pytest.raises(InvalidAppIdException):
        opened(server.wait(1)[0], control, crypto)
    control.callback_mode("plain")
    control.fault("callback_wrong_appid")
    control.inbound(openid(), "text", text="你好")
    alien = opened(server.wait(2)[1], control, crypto)
    assert alien.target != control.account()["callback"]["account"]


@pytest.mark.parametrize("mode", MODES)
def test_fault_callback_entity_bomb(
    control: SandboxControl, server: MerchantServer, mode: str
) -> None:
    control.callback_mode(mode)
    control.fault("callback_entity_bomb")
    control.inbound(openid(), "text", text="你好")
    body = server.wait(1)[0].body
    assert body.startswith(
        b'<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY b0 "ha"><!ENTITY b1 "&b0;'
    )
    assert body.count(b"<!ENTITY") == 10
    assert b"<xml><Bomb>&b9;</Bomb><ToUserName>" in body


def test_the_bomb_may_be_sealed(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    control.callback_mode("aes")
    control.fault("callback_entity_bomb", value="inner")
    control.inbound(openid(), "text", text="你好")
    came = server.wait(1)[0]
    query = came.query
    inner = crypto.decrypt_message(
        came.body, query["msg_signature"], query["timestamp"], query["nonce"]
    )
    assert "<!DOCTYPE xml [" in inner
    assert b"<!DOCTYPE" not in came.body


def test_fault_callback_unknown_type(
    control: SandboxControl, server: MerchantServer, crypto: Any
) -> None:
    control.fault("callback_unknown_type")
    control.inbound(openid(), "text", text="你好")
    control.fault("callback_unknown_type", value="teleport")
    control.inbound(openid(), "click", key="HOURS")
    # A message whose answer was slow is sent once more, and may come before the event.
    control.until(lambda: any(b"<Event>" in came.body for came in server.came))
    message = next(came for came in server.came if b"<Event>" not in came.body)
    event = next(came for came in server.came if b"<Event>" in came.body)
    assert opened(message, control, crypto).type == "unknown"
    assert Tree.fromstring(message.body).findtext("MsgType") == "hologram"
    assert Tree.fromstring(event.body).findtext("Event") == "teleport"


def test_fault_callback_stale(control: SandboxControl, server: MerchantServer, crypto: Any) -> None:
    control.fault("callback_stale", seconds=900)
    control.inbound(openid(), "text", text="你好")
    came = server.wait(1)[0]
    assert opened(came, control, crypto).content == "你好"
    assert 890 <= time.time() - int(came.query["timestamp"]) <= 910


def test_what_is_under_way_survives_a_restart(tmp_path: Any) -> None:
    door = MerchantServer()
    door.reply = lambda came: (500, b"")
    who = openid()
    with SandboxControl(tmp_path, "--callback-url", door.url, pace=1.0) as control:
        control.inbound(who, "text", text="你好")
        door.wait(1)
        control.until(lambda: control.account()["inbound"][0]["attempts"] == 1)
    door.reply = lambda came: (200, b"")
    with SandboxControl(tmp_path, "--callback-url", door.url, pace=1.0) as control:
        control.clock(10)
        control.until(lambda: control.account()["inbound"][0]["status"] == "delivered")
    assert len(door.came) == 2
    door.close()


@pytest.mark.parametrize("mode", ["compatible", "aes"])
def test_fault_callback_truncated(
    control: SandboxControl, server: MerchantServer, crypto: Any, mode: str
) -> None:
    control.callback_mode(mode)
    control.fault("callback_truncated")
    control.inbound(openid(), "text", text="你好，我想预约明天上午的号")
    came = server.wait(1)[0]
    query = came.query
    sealed = Tree.fromstring(came.body).findtext("Encrypt") or ""
    parts = sorted((control.facts["token"], query["timestamp"], query["nonce"], sealed))
    signed = hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()
    assert query["msg_signature"] == signed
    with pytest.raises((BadSeal, InvalidAppIdException)):
        unseal_as(control, sealed)


def unseal_as(control: SandboxControl, sealed: str) -> None:
    """Open it with the account's key; the appid behind the message must be the account's."""
    _, appid = unseal(control.facts["aes_key"], sealed)
    if appid != control.facts["appid"]:
        raise InvalidAppIdException()


def test_fault_callback_truncated_in_plain_mode(
    control: SandboxControl, server: MerchantServer
) -> None:
    control.fault("callback_truncated")
    control.inbound(openid(), "text", text="你好")
    with pytest.raises(Tree.ParseError):
        Tree.fromstring(server.wait(1)[0].body)


@pytest.mark.parametrize("mode", MODES)
def test_fault_callback_huge(
    control: SandboxControl, server: MerchantServer, crypto: Any, mode: str
) -> None:
    control.callback_mode(mode)
    control.fault("callback_huge", value="300000")
    control.inbound(openid(), "text", text="你好")
    came = server.wait(1)[0]
    assert len(came.body) >= 300_000
    assert opened(came, control, crypto).content == "你好"
