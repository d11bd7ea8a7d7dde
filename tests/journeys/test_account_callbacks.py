"""WeChat hands over what people say, over real HTTP: in each mode, and with everything going wrong.

Whatever goes wrong on the way, what somebody said has one effect and gets one answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions
from hospital.messaging.models import InboundMessage
from hospital.messaging.states import Match, RuleKind
from hospital.testing import callbacks
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn
from hospital.wechat import clients
from hospital.wechat.qr import QrTicket

OPENID = "oAccountCallbacks000000001"
FAULTS = [
    "callback_bad_signature",
    "callback_wrong_appid",
    "callback_entity_bomb",
    "callback_truncated",
    "callback_huge",
    "callback_stale",
]


@pytest.fixture
def account(live_server: LiveServer, wechat: StandIn) -> Iterator[StandIn]:
    """The address is entered at WeChat; every text is answered."""
    wechat.callback_url(live_server.url + callbacks.ADDRESS)
    wechat.callback_mode("safe")
    for kind, text in ((RuleKind.DEFAULT, "您好"), (RuleKind.WELCOME, "欢迎")):
        actions.save_rule(
            rule_id=None,
            kind=kind,
            name=text,
            words=[],
            match=Match.EXACT,
            priority=100,
            text=text,
            is_on=True,
            by=SYSTEM,
            at=clock.now(),
        )
    wechat.user(openid=OPENID, subscribed=True)
    yield wechat
    wechat.callback_url("")


def said(account: StandIn, count: int) -> list[str]:
    """Wait until WeChat has handed over so much, do the work; what the account answered."""
    account.until(lambda: InboundMessage.objects.count() == count)
    account.until(
        lambda: (
            all(row["status"] != "sending" for row in account.account()["inbound"])
            and all(row["status"] != "waiting" for row in account.account()["inbound"])
        )
    )
    assert run_jobs(only="messaging.") == []
    return [line["text"] for line in account.chat(OPENID) if line["side"] == "account"]


def test_every_mode_and_the_check_of_the_address(account: StandIn, settings: Settings) -> None:
    for count, mode in enumerate(("plain", "compatible", "safe"), start=1):
        settings.WECHAT = dataclasses.replace(settings.WECHAT, message_mode=mode)
        account.callback_mode(mode)

        assert account.callback_check()["ok"] is True
        account.inbound(OPENID, "text", text=f"在吗 {mode}")

        assert said(account, count) == ["您好"] * count
    assert account.callback_check(sealed=True)["ok"] is True
    assert [answer["status"] for answer in account.callbacks()] == [200] * 3
    contents = [row.content for row in InboundMessage.objects.order_by("pk")]
    assert contents == ["在吗 plain", "在吗 compatible", "在吗 safe"]


def test_each_fault_costs_a_try_and_nothing_else(account: StandIn) -> None:
    for count, fault in enumerate(FAULTS, start=1):
        account.fault(fault)
        account.inbound(OPENID, "text", text=fault)

        assert said(account, count) == ["您好"] * count, fault

    answers = [answer["status"] for answer in account.callbacks()]
    assert len(answers) == 2 * len(FAULTS)
    # A body cut off in the middle of sending may leave no answer at all.
    assert set(answers[::2]) <= {403, 413, None}
    assert set(answers[1::2]) == {200}


def test_copies_at_once_and_what_nobody_knows(account: StandIn) -> None:
    account.fault("callback_dup", times=3, value="at_once")
    account.inbound(OPENID, "text", text="在吗")
    assert said(account, 1) == ["您好"]

    account.fault("callback_unknown_type")
    account.inbound(OPENID, "text", text="在吗")
    account.until(lambda: len(account.callbacks()) == 4)

    assert said(account, 1) == ["您好"]
    assert [answer["status"] for answer in account.callbacks()] == [200] * 4


def test_leaving_and_coming_back(account: StandIn) -> None:
    ticket = clients.official_account().create_qr(scene="dept-7", seconds=600)
    assert isinstance(ticket, QrTicket)
    account.inbound(OPENID, "unsubscribe")
    said(account, 1)
    assert WeChatUser.objects.get(openid=OPENID).is_following is False

    account.inbound(OPENID, "subscribe", ticket=ticket.ticket)
    assert said(account, 2)[-1:] == ["欢迎"]

    assert WeChatUser.objects.get(openid=OPENID).is_following is True
    assert InboundMessage.objects.get(event="subscribe").scene == "dept-7"
