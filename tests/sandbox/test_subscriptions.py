"""Subscription messages and consents, customer-service messages and their window."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as Tree

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.account import GOOD, Account
from tests.sandbox.merchant import openid
from tests.sandbox.merchant_server import MerchantServer

KEYS = {key: key for key in GOOD}


@pytest.fixture
def mini(control: SandboxControl) -> Iterator[Account]:
    client = Account(control.facts, mini_program=True)
    yield client
    client.http.close()


def left(control: SandboxControl) -> list[int]:
    return [one["sends_left"] for one in control.account()["consents"]]


def test_one_consent_is_one_message(control: SandboxControl, account: Account, token: str) -> None:
    to = openid()
    assert account.subscribed(token, to)["errcode"] == 43101
    control.inbound(to, "subscribe_popup", accepted=["S1"], rejected=["S2"])
    control.inbound(to, "subscribe_popup", accepted=["S1"])
    assert left(control) == [2]
    assert account.subscribed(token, to) == {"errcode": 0, "errmsg": "ok"}
    assert account.subscribed(token, to)["errcode"] == 0
    assert account.subscribed(token, to)["errcode"] == 43101
    assert account.subscribed(token, to, template_id="S2")["errcode"] == 43101
    messages = control.state()["messages"]
    assert [(one["product"], one["data"]) for one in messages] == [("subscription", GOOD)] * 2


def test_permanent_consent_and_taking_it_back(
    control: SandboxControl, account: Account, token: str
) -> None:
    to = openid()
    control.inbound(to, "subscribe_popup", accepted=["S1"], permanent=True)
    assert [account.subscribed(token, to)["errcode"] for _ in range(3)] == [0, 0, 0]
    control.inbound(to, "subscribe_change", rejected=["S1"])
    assert account.subscribed(token, to)["errcode"] == 43101


def test_a_template_of_the_long_term_kind(
    control: SandboxControl, account: Account, token: str
) -> None:
    control.template("S1", KEYS, product="subscription", permanent=True)
    to = openid()
    control.inbound(to, "subscribe_popup", accepted=["S1"])
    assert [account.subscribed(token, to)["errcode"] for _ in range(3)] == [0, 0, 0]


def test_following_is_not_needed_but_blocking_counts(
    control: SandboxControl, account: Account, token: str
) -> None:
    away, blocked = openid(), openid()
    control.user(openid=away, subscribed=False)
    control.user(openid=blocked, blocked=True)
    for to in (away, blocked):
        control.consent(to, "S1", left=1)
    assert account.subscribed(token, away)["errcode"] == 0
    assert account.subscribed(token, blocked)["errcode"] == 43019
    assert sorted(left(control)) == [0, 1]


def test_the_result_is_told_with_its_own_number(
    control: SandboxControl, account: Account, token: str, server: MerchantServer
) -> None:
    to = openid()
    control.consent(to, "S1", left=2)
    control.fault("result_user_block")
    account.subscribed(token, to)
    server.wait(1)
    account.subscribed(token, to)
    told = [Tree.fromstring(came.body) for came in server.wait(2)]
    assert {one.findtext("Event") for one in told} == {"subscribe_msg_sent_event"}
    entry = "SubscribeMsgSentEvent/List"
    assert [
        (one.findtext(f"{entry}/ErrorCode"), one.findtext(f"{entry}/ErrorStatus")) for one in told
    ] == [("43019", "failed:user block"), ("0", "success")]
    assert len({one.findtext(f"{entry}/MsgID") for one in told}) == 2
    assert {one.findtext(f"{entry}/TemplateId") for one in told} == {"S1"}


def test_a_template_message_is_reported_delivered(
    control: SandboxControl, account: Account, token: str, server: MerchantServer
) -> None:
    sent = account.send(token, openid())
    told = Tree.fromstring(server.wait(1)[0].body)
    assert (told.findtext("MsgID"), told.findtext("Status")) == (str(sent["msgid"]), "success")


def test_templates_belong_to_a_product(
    control: SandboxControl, account: Account, token: str
) -> None:
    control.template("T1", KEYS, title="预约成功")
    control.template("S1", KEYS, product="subscription")
    to = openid()
    control.consent(to, "S1", left=1)
    control.consent(to, "T1", left=1)
    assert account.send(token, to, template_id="S1")["errcode"] == 40037
    assert account.subscribed(token, to, template_id="T1")["errcode"] == 40037
    assert account.send(token, to, template_id="T9")["errcode"] == 40037
    fewer = {"thing1": {"value": "陈桂芳"}}
    assert account.subscribed(token, to, data=fewer)["errcode"] == 47003
    longer = GOOD | {"thing1": {"value": "字" * 21}}
    assert account.subscribed(token, to, data=longer)["errcode"] == 47003
    assert control.state()["messages"] == []
    assert account.send(token, to)["errcode"] == 0
    assert account.subscribed(token, to)["errcode"] == 0


def test_the_mini_programs_message(control: SandboxControl, mini: Account, token: str) -> None:
    person = control.user(openid=openid())
    to = person["mp_openid"]
    own = mini.token()

    def send(access: str = own, **change: str) -> int:
        body = {"touser": to, "template_id": "S1", "page": "pages/visit/index", "data": GOOD}
        answer = mini.post("/cgi-bin/message/subscribe/send", body | change, access_token=access)
        return int(answer["errcode"])

    assert send() == 43101
    control.consent(to, "S1", left=1)
    assert send(page="/pages/visit/index") == 41030
    assert send(miniprogram_state="beta") == 40097
    assert send(touser=person["openid"]) == 40003
    assert send(access=token) == 48001
    assert send() == 0
    assert send() == 43101
    message = control.state()["messages"][0]
    assert (message["product"], message["miniprogram"]) == (
        "mini",
        {"pagepath": "pages/visit/index"},
    )


def test_free_text_only_after_the_person_wrote(
    control: SandboxControl, account: Account, token: str
) -> None:
    to = openid()
    assert account.custom(token, to)["errcode"] == 45015
    control.inbound(to, "text", text="你好")
    assert [account.custom(token, to)["errcode"] for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    assert [line["source"] for line in control.chat(to)] == ["typed"] + ["customer"] * 5
    control.inbound(to, "text", text="你好")
    control.clock(48 * 3600 - 10)
    assert account.custom(token, to)["errcode"] == 42001
    token = account.token()
    assert account.custom(token, to)["errcode"] == 0
    control.clock(48 * 3600 + 10)
    assert account.custom(token, to)["errcode"] == 45015


def test_a_click_allows_three_for_a_minute(
    control: SandboxControl, account: Account, token: str
) -> None:
    to = openid()
    control.inbound(to, "click", key="HOURS")
    assert account.custom(token, to)["errcode"] == 0
    control.clock(61)
    assert account.custom(token, to)["errcode"] == 45015
    control.inbound(to, "click", key="HOURS")
    assert [account.custom(token, to)["errcode"] for _ in range(4)] == [0, 0, 0, 45047]
    control.inbound(to, "unsubscribe")
    assert account.custom(token, to)["errcode"] == 45015


def test_free_text_has_limits(control: SandboxControl, account: Account, token: str) -> None:
    to = openid()
    control.inbound(to, "text", text="你好")
    assert account.custom(token, to, "字" * 683)["errcode"] == 45002
    assert account.custom(token, to, "")["errcode"] == 44004
    control.fault("user_blocked")
    assert account.custom(token, to)["errcode"] == 43019
    assert len(control.chat(to)) == 1
    assert account.custom(token, to, "字" * 682)["errcode"] == 0


def test_leaving_closes_the_window_for_good(
    control: SandboxControl, account: Account, token: str
) -> None:
    to = openid()
    control.inbound(to, "text", text="你好")
    control.inbound(to, "unsubscribe")
    assert account.custom(token, to)["errcode"] == 45015
    control.inbound(to, "subscribe")
    assert account.custom(token, to)["errcode"] == 0
    control.clock(61)
    assert account.custom(token, to)["errcode"] == 45015
