"""The Official Account against the stand-in: log-in, tokens, page signatures, messages."""

import dataclasses
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.kernel.models import SharedToken
from hospital.testing.wechat import StandIn
from hospital.wechat import clients, signing
from hospital.wechat.official import (
    TICKET_NAME,
    TOKEN_NAME,
    PageTicket,
    Retryable,
    Sent,
    TemplateMessage,
    Undeliverable,
    Visitor,
)
from hospital.wechat.outcomes import Refused, Unknown

pytestmark = pytest.mark.django_db

OPENID = "oWireTestReader00000000001"
REDIRECT = "http://127.0.0.1:8000/m/login/return/?a=1&b=2"


def message(**changes: Any) -> TemplateMessage:
    made = TemplateMessage(
        openid=OPENID,
        template_id="TEMPLATE-N01",
        url="http://127.0.0.1:8000/m/appointments/X",
        fields={"thing1": "针灸推拿科", "time2": "2026年11月24日 08:30"},
        client_message_id="message-1",
    )
    return dataclasses.replace(made, **changes)


def log_in(wechat: StandIn, openid: str = OPENID) -> tuple[str, str]:
    """The code and state WeChat sends back."""
    url = clients.official_account().authorize_url(redirect_uri=REDIRECT, state="s1")
    query = parse_qs(urlsplit(wechat.authorize(url, phone=openid)).query)
    assert query["a"] == ["1"]
    return query["code"][0], query["state"][0]


def test_authorize_url_keeps_the_order_wechat_wants(settings: Settings, wechat: StandIn) -> None:
    settings.WECHAT = dataclasses.replace(
        settings.WECHAT, open_base="https://open.weixin.qq.com", appid="wx1"
    )
    url = clients.official_account().authorize_url(redirect_uri=REDIRECT, state="abc")
    assert url == (
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Fm%2Flogin%2Freturn%2F%3Fa%3D1%26b%3D2"
        "&response_type=code&scope=snsapi_base&state=abc#wechat_redirect"
    )


def test_a_code_becomes_an_openid_once(wechat: StandIn) -> None:
    code, state = log_in(wechat)
    assert state == "s1"
    visitor = clients.official_account().exchange_code(code=code)
    assert isinstance(visitor, Visitor)
    assert (visitor.openid, visitor.is_snapshot) == (OPENID, False)
    again = clients.official_account().exchange_code(code=code)
    assert isinstance(again, Refused)
    assert again.code == "40163"


def test_an_invented_code_is_refused(wechat: StandIn) -> None:
    outcome = clients.official_account().exchange_code(code="invented")
    assert isinstance(outcome, Refused)
    assert outcome.code == "40029"


def test_a_snapshot_visitor_is_told_apart(wechat: StandIn) -> None:
    wechat.user(openid=OPENID, snapshot=True)
    visitor = clients.official_account().exchange_code(code=log_in(wechat)[0])
    assert isinstance(visitor, Visitor)
    assert visitor.is_snapshot


def test_a_code_exchange_nobody_answers(wechat: StandIn) -> None:
    code, _ = log_in(wechat)
    wechat.fault("http_500", times=1)
    assert clients.official_account().exchange_code(code=code) == Unknown(reason="http_500")


def test_a_message_is_sent_with_one_token_for_all(wechat: StandIn) -> None:
    account = clients.official_account()
    assert isinstance(account.send_template_message(message()), Sent)
    second = account.send_template_message(message(client_message_id="message-2"))
    assert isinstance(second, Sent)
    assert SharedToken.objects.filter(name=TOKEN_NAME).count() == 1
    assert wechat.state()["tokens"] == 1
    sent = wechat.state()["messages"]
    assert [one["openid"] for one in sent] == [OPENID, OPENID]


def test_a_refused_token_is_renewed_once_and_the_call_repeated(wechat: StandIn) -> None:
    account = clients.official_account()
    account.send_template_message(message())
    before = SharedToken.objects.get(name=TOKEN_NAME).value
    wechat.fault("token_invalid", times=1)
    outcome = account.send_template_message(message(client_message_id="message-2"))
    assert isinstance(outcome, Sent)
    assert SharedToken.objects.get(name=TOKEN_NAME).value != before


def test_a_token_refused_for_ever_ends_after_one_renewal(wechat: StandIn) -> None:
    wechat.fault("token_invalid", times=-1)
    outcome = clients.official_account().send_template_message(message())
    assert outcome == Retryable(reason="token_refused_twice", is_certain=True)
    assert wechat.state()["messages"] == []


def test_a_token_somebody_else_renewed_is_used(wechat: StandIn) -> None:
    """Another process has already renewed what was refused to us: no second renewal."""
    account = clients.official_account()
    account.send_template_message(message())
    good = SharedToken.objects.get(name=TOKEN_NAME).value
    SharedToken.objects.filter(name=TOKEN_NAME).update(value="stolen")
    assert isinstance(account.send_template_message(message(client_message_id="m2")), Sent)
    assert SharedToken.objects.get(name=TOKEN_NAME).value == good


def test_a_blocked_user_is_final(wechat: StandIn) -> None:
    wechat.fault("user_blocked", times=1)
    outcome = clients.official_account().send_template_message(message())
    assert outcome == Undeliverable(code="43019", reason="blocked")


def test_somebody_who_does_not_follow_is_final(wechat: StandIn) -> None:
    wechat.user(openid=OPENID, subscribed=False)
    outcome = clients.official_account().send_template_message(message())
    assert outcome == Undeliverable(code="43004", reason="not_following")


def test_a_server_error_is_worth_another_try(wechat: StandIn) -> None:
    account = clients.official_account()
    account.send_template_message(message())
    wechat.fault("http_500", times=1)
    assert account.send_template_message(message()) == Retryable(reason="http_500")


def test_no_token_to_be_had(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, secret="wrong")
    outcome = clients.official_account().send_template_message(message())
    assert isinstance(outcome, Retryable)
    assert outcome.reason.startswith("not_sent:errcode_")
    assert isinstance(
        clients.official_account().page_ticket(url="http://x/", at=clock.now()), Unknown
    )
    assert not SharedToken.objects.exists()


def test_a_page_is_signed_for_the_js_sdk(wechat: StandIn) -> None:
    at, url = clock.now(), "http://127.0.0.1:8000/m/pay/abc?x=1"
    ticket = clients.official_account().page_ticket(url=f"{url}#part", at=at)
    assert isinstance(ticket, PageTicket)
    kept = SharedToken.objects.get(name=TICKET_NAME)
    assert ticket.signature == signing.page_signature(
        ticket=kept.value, nonce=ticket.nonce, timestamp=ticket.timestamp, url=url
    )
    assert at < kept.expires_at <= at + timedelta(hours=2, seconds=5)


@pytest.mark.django_db(transaction=True)
def test_many_threads_fetch_one_token(wechat: StandIn) -> None:
    account = clients.official_account()
    outcomes: list[object] = []

    def send(number: int) -> None:
        outcomes.append(
            account.send_template_message(message(client_message_id=f"message-{number}"))
        )
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(outcome) for outcome in outcomes] == [Sent] * 8
    assert wechat.state()["tokens"] == 1
