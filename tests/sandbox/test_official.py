"""The Official Account: tokens, ticket, users, template messages and their error codes."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.account import GOOD, Account
from tests.sandbox.merchant import openid
from wechat_sandbox.signing import js_signature


def test_a_stable_token_stays_until_shortly_before_its_end(
    control: SandboxControl, account: Account
) -> None:
    first = account.stable()
    assert first["expires_in"] == 7200
    assert len(first["access_token"]) >= 130
    assert account.stable()["access_token"] == first["access_token"]
    control.clock(7200 - 310)
    assert account.stable()["access_token"] == first["access_token"]
    control.clock(7200 - 290)
    renewed = account.stable()
    assert renewed["access_token"] != first["access_token"]
    assert account.ticket(first["access_token"])["errcode"] == 0
    control.clock(7200 + 10)
    assert account.ticket(first["access_token"])["errcode"] == 42001


def test_force_refresh_replaces_it_but_not_twice_in_30_seconds(
    control: SandboxControl, account: Account
) -> None:
    first = account.stable()["access_token"]
    second = account.stable(force_refresh=True)["access_token"]
    assert second != first
    assert account.stable(force_refresh=True)["access_token"] == second
    assert account.ticket(first)["errcode"] == 40001
    control.clock(31)
    assert account.stable(force_refresh=True)["access_token"] != second


def test_force_refresh_has_a_daily_limit(control: SandboxControl, account: Account) -> None:
    start = 86400 - time.time() % 86400
    for turn in range(20):
        control.clock(start + turn * 60)
        assert "access_token" in account.stable(force_refresh=True)
    control.clock(start + 20 * 60)
    assert account.stable(force_refresh=True)["errcode"] == 45009


def test_the_classic_token_is_replaced_each_time_and_apart_from_the_stable(
    control: SandboxControl, account: Account, token: str
) -> None:
    first, second = account.classic(), account.classic()
    assert first["access_token"] != second["access_token"]
    assert account.ticket(first["access_token"])["errcode"] == 0
    control.clock(301)
    assert account.ticket(first["access_token"])["errcode"] == 42001
    assert account.ticket(second["access_token"])["errcode"] == 0
    assert account.ticket(token)["errcode"] == 0


def test_wrong_credentials(account: Account) -> None:
    assert account.stable(appid="wx0")["errcode"] == 40013
    assert account.stable(secret="0")["errcode"] == 40125
    assert account.stable(grant_type="password")["errcode"] == 40002
    broken = account.http.post("/cgi-bin/stable_token", content=b"{")
    assert broken.json()["errcode"] == 47001


def test_a_token_is_needed(account: Account) -> None:
    assert account.get("/cgi-bin/ticket/getticket", type="jsapi")["errcode"] == 41001
    assert account.ticket("nonsense")["errcode"] == 40001


def test_token_invalid_revokes_it(control: SandboxControl, account: Account, token: str) -> None:
    control.fault("token_invalid", match="message/template")
    assert account.ticket(token)["errcode"] == 0
    assert account.send(token, openid())["errcode"] == 40001
    assert account.send(token, openid())["errcode"] == 40001
    fresh = account.stable()["access_token"]
    assert fresh != token
    assert account.send(fresh, openid())["errcode"] == 0


def test_the_ticket_is_shared_and_signs_page_addresses(account: Account, token: str) -> None:
    ticket = account.ticket(token)
    assert ticket["expires_in"] <= 7200
    assert account.ticket(token)["ticket"] == ticket["ticket"]
    url = "http://127.0.0.1:8000/m/pay/?a=1"
    text = f"jsapi_ticket={ticket['ticket']}&noncestr=n&timestamp=1&url={url}"
    expected = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    assert js_signature(ticket["ticket"], "n", "1", f"{url}#part") == expected


def test_the_js_signature_vector() -> None:
    ticket = (
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    )
    made = js_signature(
        ticket, "Wm3WZYTPz0wzccnW", "1414587457", "http://mp.weixin.qq.com?params=value"
    )
    assert made == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_a_message_reaches_the_phone(control: SandboxControl, account: Account, token: str) -> None:
    to = openid()
    answer = account.send(token, to)
    assert (answer["errcode"], answer["errmsg"]) == (0, "ok")
    assert isinstance(answer["msgid"], int)
    message = control.state()["messages"][0]
    assert message["openid"] == to
    assert message["data"] == GOOD
    assert message["url"] == "http://127.0.0.1/m/1"


def test_a_repeated_client_msg_id_is_sent_once(
    control: SandboxControl, account: Account, token: str
) -> None:
    to = openid()
    first = account.send(token, to, client_msg_id="m1")
    assert account.send(token, to, client_msg_id="m1") == first
    assert len(control.state()["messages"]) == 1
    account.send(token, openid(), client_msg_id="m1")
    assert len(control.state()["messages"]) == 2


def test_who_cannot_be_reached(control: SandboxControl, account: Account, token: str) -> None:
    left, blocked, struck = openid(), openid(), openid()
    control.user(openid=left, subscribed=False)
    control.user(openid=blocked, blocked=True)
    control.fault("user_blocked", match=struck)
    assert account.send(token, left)["errcode"] == 43004
    assert account.send(token, blocked)["errcode"] == 43019
    assert account.send(token, struck)["errcode"] == 43019
    assert account.send(token, struck)["errcode"] == 0
    assert account.send(token, "nobody")["errcode"] == 40003
    person = control.user(openid=openid())
    assert account.send(token, person["mp_openid"])["errcode"] == 40003
    assert len(control.state()["messages"]) == 1


@pytest.mark.parametrize(
    ("key", "value", "good"),
    [
        ("thing1", "字" * 20, True),
        ("thing1", "字" * 21, False),
        ("thing1", "两\n行", False),
        ("thing1", "", False),
        ("thing1", 7, False),
        ("character_string1", "A-1/2:3", True),
        ("character_string1", "编号7", False),
        ("character_string1", "x" * 33, False),
        ("number1", "12.50", True),
        ("number1", "十二", False),
        ("phrase1", "预约成功", True),
        ("phrase1", "预约成功啦啦", False),
        ("phrase1", "ok", False),
        ("name1", "欧阳建国", True),
        ("name1", "字" * 11, False),
        ("amount1", "¥1,250.00", True),
        ("amount1", "25元", True),
        ("amount1", "免费", False),
        ("time1", "2026年11月24日 08:30", True),
        ("time1", "08:30", True),
        ("time1", "明天早上", False),
        ("date1", "2026年11月24日", True),
        ("date1", "2026-11-24", True),
        ("date1", "周二", False),
        ("phone_number1", "0571-88001122", True),
        ("car_number1", "粤A8Z888挂", True),
        ("letter1", "abc", True),
        ("letter1", "a1", False),
        ("keyword1", "旧模板可以写很长很长很长很长很长很长很长很长的文字", True),
    ],
)
def test_typed_values_have_limits(
    account: Account, token: str, key: str, value: object, *, good: bool
) -> None:
    answer = account.send(token, openid(), data={key: {"value": value}})
    assert answer["errcode"] == (0 if good else 47003)


def test_a_message_needs_a_template_and_data(account: Account, token: str) -> None:
    assert account.send(token, openid(), template_id="")["errcode"] == 40037
    assert account.send(token, openid(), data={})["errcode"] == 47003
    assert account.send(token, openid(), data={"thing1": "text"})["errcode"] == 47003


def test_user_info_says_little_of_those_who_left(
    control: SandboxControl, account: Account, token: str
) -> None:
    person = control.user(openid=openid())
    info = account.get("/cgi-bin/user/info", access_token=token, openid=person["openid"])
    assert info["subscribe"] == 1
    assert info["unionid"] == person["unionid"]
    control.user(openid=person["openid"], subscribed=False)
    info = account.get("/cgi-bin/user/info", access_token=token, openid=person["openid"])
    assert info["subscribe"] == 0
    assert "subscribe_time" not in info


def test_only_approved_templates_when_a_list_is_given(tmp_path: Path) -> None:
    approved = [{"template_id": "BOOKED", "title": "预约成功", "keys": {"thing1": "就诊人"}}]
    listed = tmp_path / "templates.json"
    listed.write_text(json.dumps(approved), "utf-8")
    with SandboxControl(tmp_path / "sandbox", "--templates", str(listed)) as control:
        account = Account(control.facts)
        token = account.stable()["access_token"]
        to = openid()
        data: dict[str, Any] = {"thing1": {"value": "陈桂芳"}}
        assert account.send(token, to, template_id="BOOKED", data=data)["errcode"] == 0
        assert account.send(token, to, template_id="OTHER", data=data)["errcode"] == 40037
        extra = data | {"thing2": {"value": "x"}}
        assert account.send(token, to, template_id="BOOKED", data=extra)["errcode"] == 47003
        other = {"thing2": {"value": "x"}}
        assert account.send(token, to, template_id="BOOKED", data=other)["errcode"] == 47003
        account.http.close()
