"""Every fault of tokens, messages, codes and text messages: what it does on the wire."""

from __future__ import annotations

import time
from xml.etree import ElementTree as Tree

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.account import Account
from tests.sandbox.merchant import openid
from tests.sandbox.merchant_server import MerchantServer
from tests.sandbox.phone_client import Phone
from tests.sandbox.test_oauth import code_for, exchange
from wechat_sandbox.faults import KINDS

NAMES = {
    "token_invalid",
    "token_invalid_forever",
    "token_expired",
    "token_early_expiry",
    "slow_token",
    "busy",
    "quota_45009",
    "user_blocked",
    "not_following",
    "no_consent",
    "bad_field",
    "code_expired",
    "errcode",
    "callback_truncated",
    "callback_huge",
    "result_user_block",
    "result_system_failed",
    "callback_dup",
    "callback_unknown_type",
    "callback_bad_signature",
    "callback_wrong_appid",
    "callback_entity_bomb",
    "callback_stale",
    "sms_500",
    "sms_refused",
}


def test_the_kinds_of_the_account_are_all_there() -> None:
    assert KINDS.keys() >= NAMES


def test_token_invalid_forever(control: SandboxControl, account: Account) -> None:
    control.fault("token_invalid_forever")
    seen = set()
    for _ in range(3):
        token = account.token()
        seen.add(token)
        assert account.ticket(token)["errcode"] == 40001
    assert len(seen) == 3
    control.reset()
    assert account.ticket(account.token())["errcode"] == 0


def test_token_expired(control: SandboxControl, account: Account, token: str) -> None:
    control.fault("token_expired", match="message/template")
    assert account.ticket(token)["errcode"] == 0
    assert account.send(token, openid())["errcode"] == 42001
    assert account.send(token, openid())["errcode"] == 42001
    fresh = account.token()
    assert fresh != token
    assert account.send(fresh, openid())["errcode"] == 0


def test_token_early_expiry(control: SandboxControl, account: Account) -> None:
    control.fault("token_early_expiry", seconds=60)
    short = account.stable()
    assert short["expires_in"] == 7200
    assert account.ticket(short["access_token"])["errcode"] == 0
    control.clock(61)
    assert account.ticket(short["access_token"])["errcode"] == 42001
    assert account.ticket(account.token())["errcode"] == 0


@pytest.mark.parametrize("family", ["stable", "classic"])
def test_slow_token(control: SandboxControl, account: Account, family: str) -> None:
    control.fault("slow_token", seconds=0.3)
    started = time.monotonic()
    answer = account.stable() if family == "stable" else account.classic()
    assert time.monotonic() - started >= 0.3
    assert answer["expires_in"] == 7200
    control.fault("slow_token", seconds=5)
    started = time.monotonic()
    account.ticket("x")
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(("kind", "errcode"), [("busy", -1), ("quota_45009", 45009)])
def test_refused_whatever_it_is(
    control: SandboxControl, account: Account, token: str, kind: str, errcode: int
) -> None:
    control.fault(kind, times=2)
    assert account.send(token, openid())["errcode"] == errcode
    assert account.stable()["errcode"] == errcode
    assert control.state()["messages"] == []
    control.fault(kind, match="jscode2session")
    assert account.send(token, openid())["errcode"] == 0
    assert account.get("/sns/jscode2session")["errcode"] == errcode


@pytest.mark.parametrize(
    ("kind", "errcode"),
    [
        ("user_blocked", 43019),
        ("not_following", 43004),
        ("no_consent", 43101),
        ("bad_field", 47003),
    ],
)
def test_one_message_is_refused(
    control: SandboxControl, account: Account, token: str, kind: str, errcode: int
) -> None:
    to = openid()
    control.consent(to, "S1", left=1)
    control.fault(kind, match=to, times=2)
    assert account.send(token, openid())["errcode"] == 0
    assert account.send(token, to)["errcode"] == errcode
    assert account.subscribed(token, to)["errcode"] == errcode
    assert [one["openid"] == to for one in control.state()["messages"]] == [False]
    assert account.send(token, to)["errcode"] == 0
    assert account.subscribed(token, to)["errcode"] == 0


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("result_user_block", "failed:user block"),
        ("result_system_failed", "failed: system failed"),
    ],
)
def test_accepted_and_then_not_delivered(
    control: SandboxControl,
    account: Account,
    token: str,
    server: MerchantServer,
    kind: str,
    status: str,
) -> None:
    to = openid()
    control.fault(kind)
    sent = account.send(token, to)
    assert sent["errcode"] == 0
    told = Tree.fromstring(server.wait(1)[0].body)
    assert told.findtext("Event") == "TEMPLATESENDJOBFINISH"
    assert (told.findtext("MsgID"), told.findtext("Status")) == (str(sent["msgid"]), status)
    assert told.findtext("FromUserName") == to
    assert control.state()["messages"][0]["result"] == status
    phone = Phone(control, to)
    assert "陈桂芳" not in phone.screen("chat/account")
    assert account.send(token, to)["errcode"] == 0
    assert "陈桂芳" in phone.screen("chat/account")
    phone.close()


def test_code_expired_at_every_exchange(control: SandboxControl, account: Account) -> None:
    code = code_for(control, openid())
    control.fault("code_expired", match="oauth2/access_token")
    assert exchange(control, code)["errcode"] == 40029
    assert exchange(control, code)["errcode"] == 40029
    control.fault("code_expired", match="jscode2session")
    mini = {"appid": control.facts["mp_appid"], "secret": control.facts["mp_secret"]}
    login = control.mini_code(openid())
    assert account.get("/sns/jscode2session", js_code=login, **mini)["errcode"] == 40029
    assert exchange(control, code_for(control, openid())).keys() >= {"openid"}


@pytest.mark.parametrize(("kind", "status"), [("sms_500", 500), ("sms_refused", 422)])
def test_text_messages_that_do_not_go(control: SandboxControl, kind: str, status: int) -> None:
    control.fault(kind)
    body = {"to": "13800138000", "text": "您的号源已释放", "reference": "m-1"}
    headers = {"Authorization": f"Bearer {control.facts['sms_key']}"}
    answers = [
        httpx.post(control.facts["sms_url"], json=body, headers=headers, trust_env=False)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [status, 200]
    assert [one["reference"] for one in control.sms()] == ["m-1"]


def test_any_errcode(control: SandboxControl, account: Account, token: str) -> None:
    control.fault("errcode", value="48004", match="menu/create")
    body = {"button": [{"type": "click", "name": "门诊时间", "key": "HOURS"}]}
    answers = [account.post("/cgi-bin/menu/create", body, access_token=token) for _ in range(2)]
    assert [answer["errcode"] for answer in answers] == [48004, 0]
