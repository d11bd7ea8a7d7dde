"""The stand-in against a third party's client of the Official Account, wechatpy."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from wechatpy import WeChatOAuth
from wechatpy.exceptions import WeChatClientException, WeChatOAuthException

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import openid
from tests.sandbox.third_party import account_client, aim, mini_client

DATA = {"thing1": {"value": "陈桂芳"}, "amount2": {"value": "¥25.00"}}


@pytest.fixture
def client(control: SandboxControl) -> Any:
    return account_client(control)


def oauth(control: SandboxControl, scope: str = "snsapi_base") -> Any:
    """The library's log-in client."""
    facts = control.facts
    back = "http://127.0.0.1:8000/m/login/return/"
    return aim(WeChatOAuth(facts["appid"], facts["secret"], back, scope, "s7"), control.base)


def test_it_sends_a_message(client: Any, control: SandboxControl) -> None:
    to = openid()
    answer = client.message.send_template(to, "T1", DATA, url="http://127.0.0.1/m/1")
    assert answer["errcode"] == 0
    assert control.state()["messages"][0]["data"] == DATA


def test_it_sees_who_cannot_be_reached(client: Any, control: SandboxControl) -> None:
    to = openid()
    control.user(openid=to, subscribed=False)
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_template(to, "T1", DATA)
    assert refused.value.errcode == 43004
    assert client.user.get(to)["subscribe"] == 0


def test_it_fetches_a_new_token_when_told(client: Any, control: SandboxControl) -> None:
    client.fetch_access_token()
    control.fault("token_invalid")
    assert client.message.send_template(openid(), "T1", DATA)["errcode"] == 0
    assert control.state()["tokens"] == 2


def test_its_ticket_and_signature(client: Any) -> None:
    ticket = client.jsapi.get_jsapi_ticket()
    assert ticket == client.jsapi.get_ticket()["ticket"]
    assert len(client.jsapi.get_jsapi_signature("n", ticket, 1, "http://127.0.0.1/m/")) == 40


def test_it_logs_a_person_in(control: SandboxControl) -> None:
    person = control.user(openid=openid(), nickname="李建国")
    login = oauth(control, "snsapi_userinfo")
    parts = urlsplit(login.authorize_url)
    answer = requests.get(
        f"{control.base}{parts.path}?{parts.query}",
        cookies={"phone": person["openid"]},
        allow_redirects=False,
        timeout=10,
    )
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert back["state"] == ["s7"]
    found = login.fetch_access_token(back["code"][0])
    assert found["openid"] == person["openid"]
    assert login.get_user_info()["nickname"] == "李建国"
    with pytest.raises(WeChatOAuthException) as used:
        login.fetch_access_token(back["code"][0])
    assert used.value.errcode == 40163


def test_log_in_is_renewed(control: SandboxControl) -> None:
    person = control.user(openid=openid())
    login = oauth(control)
    parts = urlsplit(login.authorize_url)
    answer = requests.get(
        f"{control.base}{parts.path}?{parts.query}",
        cookies={"phone": person["openid"]},
        allow_redirects=False,
        timeout=10,
    )
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    first = login.fetch_access_token(code)
    control.clock(7300)
    with pytest.raises(WeChatOAuthException) as ended:
        login.check_access_token()
    assert ended.value.errcode == 42001
    renewed = login.refresh_access_token(first["refresh_token"])
    assert renewed["access_token"] != first["access_token"]
    assert login.check_access_token() is True
    control.clock(30 * 86400 + 10)
    with pytest.raises(WeChatOAuthException) as over:
        login.refresh_access_token(first["refresh_token"])
    assert over.value.errcode == 42002


def test_its_menu_calls(client: Any) -> None:
    assert client.menu.get() is None
    button = {"type": "click", "name": "门诊时间", "key": "HOURS"}
    assert client.menu.create({"button": [button]})["errcode"] == 0
    assert client.menu.get()["menu"]["button"][0]["key"] == "HOURS"
    assert client.menu.delete()["errcode"] == 0
    assert client.menu.get() is None


def test_its_qr_code_calls(client: Any) -> None:
    made = client.qrcode.create(
        {
            "expire_seconds": 600,
            "action_name": "QR_SCENE",
            "action_info": {"scene": {"scene_id": 7}},
        }
    )
    assert client.qrcode.get_url(made["ticket"]).startswith("https://mp.weixin.qq.com/cgi-bin/")
    assert (made["expire_seconds"], made["url"][:23]) == (600, "http://weixin.qq.com/q/")


def test_its_free_text(client: Any, control: SandboxControl) -> None:
    to = openid()
    with pytest.raises(WeChatClientException) as early:
        client.message.send_text(to, "您好")
    assert early.value.errcode == 45015
    control.inbound(to, "text", text="在吗")
    assert client.message.send_text(to, "您好")["errcode"] == 0
    assert [line["text"] for line in control.chat(to)] == ["在吗", "您好"]


def test_its_subscription_message(client: Any, control: SandboxControl) -> None:
    to = openid()
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_subscribe_message(to, "S1", DATA)
    assert refused.value.errcode == 43101
    control.consent(to, "S1", left=1)
    assert client.message.send_subscribe_message(to, "S1", DATA)["errcode"] == 0


def test_its_mini_program_log_in_and_message(control: SandboxControl) -> None:
    person = control.user(openid=openid())
    mini = mini_client(control)
    session = mini.wxa.code_to_session(control.mini_code(person["openid"]))
    assert session["openid"] == person["mp_openid"]
    control.consent(person["mp_openid"], "S1", left=1)
    sent = mini.wxa.send_subscribe_message(person["mp_openid"], "S1", DATA, page="pages/a")
    assert sent["errcode"] == 0


def test_it_gives_up_on_a_token_that_never_works(client: Any, control: SandboxControl) -> None:
    control.fault("token_invalid_forever", times=4)
    assert client.message.send_template(openid(), "T1", DATA)["errcode"] == 0
    assert control.state()["tokens"] >= 4


def test_its_article_and_its_picture(client: Any, control: SandboxControl) -> None:
    to = openid()
    control.inbound(to, "text", text="就诊须知")
    article = {"title": "就诊须知", "description": "带身份证", "url": "http://127.0.0.1/m/guide/"}
    assert client.message.send_articles(to, [article])["errcode"] == 0
    line = control.chat(to)[1]
    assert (line["kind"], line["items"][0]["url"]) == ("news", "http://127.0.0.1/m/guide/")
    with pytest.raises(WeChatClientException) as refused:
        client.message.send_image(to, "media-id")
    assert refused.value.errcode == 40007


def test_it_asks_for_a_phone_number(control: SandboxControl) -> None:
    person = control.user(openid=openid(), phone_number="13800138000")
    answer = mini_client(control).post(
        "https://api.weixin.qq.com/wxa/business/getuserphonenumber",
        data={"code": control.mini_code(person["openid"], "phone")},
    )
    assert answer["phone_info"]["purePhoneNumber"] == "13800138000"
