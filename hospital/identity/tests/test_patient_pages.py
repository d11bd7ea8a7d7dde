"""Coming in through WeChat: state, code, snapshot, next address, outage; and the display switch."""

from __future__ import annotations

import datetime as dt
import logging
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from hospital.identity.models import WeChatUser
from hospital.identity.states import Theme
from hospital.testing.people import a_wechat_user, patient_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
LOGIN, RETURN, DISPLAY = "/m/login/", "/m/login/return/", "/m/display/"
PHONE = "oPhoneOfChenXiaoning0001"


def go(client: Client, address: str) -> HttpResponse:
    parts = urlsplit(address)
    answer = client.get(f"{parts.path}?{parts.query}")
    assert isinstance(answer, HttpResponse)
    return answer


def way_back(
    client: Client, wechat: StandIn, *, next: str = "/m/visits/", phone: str = PHONE
) -> str:
    """Press through to WeChat and return the address it sends the browser back to."""
    answer = client.get(LOGIN, {"next": next})
    assert answer.status_code == 302
    return wechat.authorize(answer["Location"], phone=phone)


def holder(client: Client) -> int | None:
    answer = client.get("/m/patients/")
    return answer.wsgi_request.session.get("wechat_user_id") if answer.status_code == 200 else None


def test_the_way_to_wechat_is_as_wechat_wants_it(client: Client, wechat: StandIn) -> None:
    address = client.get(LOGIN)["Location"]

    query = parse_qs(urlsplit(address).query)
    assert list(query) == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert query["scope"] == ["snsapi_base"]
    assert query["redirect_uri"][0].endswith(RETURN)
    assert query["state"][0].isalnum()
    assert 16 <= len(query["state"][0]) <= 128
    assert address.endswith("#wechat_redirect")


def test_a_first_visit_makes_the_user_and_goes_on(client: Client, wechat: StandIn) -> None:
    answer = go(client, way_back(client, wechat, next="/m/visits/?day=3"))

    assert (answer.status_code, answer["Location"]) == (302, "/m/visits/?day=3")
    user = WeChatUser.objects.get()
    assert (user.appid, user.openid) == (wechat.config.appid, PHONE)
    assert holder(client) == user.pk
    cookie = client.cookies["xinglin_patient"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Lax", "/m/")


def test_a_second_visit_finds_the_same_user(wechat: StandIn) -> None:
    for _ in range(2):
        client = Client()
        go(client, way_back(client, wechat))

    assert WeChatUser.objects.count() == 1


def test_the_session_key_changes_at_log_in(client: Client, wechat: StandIn) -> None:
    back = way_back(client, wechat)
    before = client.cookies["xinglin_patient"].value

    go(client, back)

    assert client.cookies["xinglin_patient"].value != before


def test_another_holder_of_the_phone_starts_afresh(client: Client, wechat: StandIn) -> None:
    go(client, way_back(client, wechat))
    first = holder(client)

    go(client, way_back(client, wechat, phone="oPhoneOfSomebodyElse0002"))

    assert holder(client) != first


def test_a_state_of_another_session_lets_nobody_in(client: Client, wechat: StandIn) -> None:
    back = way_back(client, wechat)
    stranger = Client()

    answer = go(stranger, back)

    assert answer.status_code == 409
    assert "重新进入" in answer.content.decode()
    assert holder(stranger) is None
    assert not WeChatUser.objects.exists()


def test_a_state_works_once(client: Client, wechat: StandIn) -> None:
    back = way_back(client, wechat)
    go(client, back)
    session = client.cookies["xinglin_patient"].value

    again = go(client, back)

    # The session stands already: the "back" button gets home, nothing is exchanged again.
    assert (again.status_code, again["Location"]) == (302, "/m/")
    assert client.cookies["xinglin_patient"].value == session


def test_a_used_code_under_a_fresh_state_lets_nobody_in(client: Client, wechat: StandIn) -> None:
    used = parse_qs(urlsplit(way_back(client, wechat)).query)["code"][0]
    thief = Client()
    victim_back = way_back(client, wechat)
    go(client, victim_back)
    state = parse_qs(urlsplit(thief.get(LOGIN)["Location"]).query)["state"][0]
    spent = parse_qs(urlsplit(victim_back).query)["code"][0]

    answer = thief.get(RETURN, {"code": spent, "state": state})

    assert answer.status_code == 409
    assert holder(thief) is None
    assert used != spent


def test_an_old_state_is_worth_nothing(client: Client, wechat: StandIn) -> None:
    back = way_back(client, wechat)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        assert go(client, back).status_code == 409


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x"])
def test_coming_back_out_of_nowhere_lets_nobody_in(client: Client, query: str) -> None:
    answer = client.get(RETURN + query)

    assert answer.status_code == 409
    assert not WeChatUser.objects.exists()


@pytest.mark.parametrize(
    "next_path", ["https://evil.example/m/", "//evil.example", "/staff/", "/m/../staff/", ""]
)
def test_it_goes_to_own_pages_only(client: Client, wechat: StandIn, next_path: str) -> None:
    assert go(client, way_back(client, wechat, next=next_path))["Location"] == "/m/"


def test_a_snapshot_visitor_reads_what_to_press(client: Client, wechat: StandIn) -> None:
    wechat.user(openid=PHONE, snapshot=True)

    answer = go(client, way_back(client, wechat))

    assert answer.status_code == 403
    assert "使用完整服务" in answer.content.decode()
    assert holder(client) is None
    assert not WeChatUser.objects.exists()


def test_when_wechat_is_down_the_page_says_so_and_offers_another_try(
    client: Client, wechat: StandIn
) -> None:
    back = way_back(client, wechat, next="/m/visits/?day=3")
    wechat.fault("http_500", match="/sns/oauth2/access_token")

    answer = go(client, back)

    assert answer.status_code == 503
    page = answer.content.decode()
    assert "暂时连不上微信" in page
    assert "/m/login/?next=%2Fm%2Fvisits%2F%3Fday%3D3" in page


@pytest.mark.parametrize(
    ("errcode", "status", "title"),
    [("40163", 409, "登录没有完成"), ("45009", 503, "暂时连不上微信")],
)
def test_a_code_that_is_over_and_the_accounts_own_trouble_read_differently(
    client: Client, wechat: StandIn, errcode: str, status: int, title: str
) -> None:
    wechat.fault("errcode", value=errcode, match="/sns/oauth2/access_token")

    answer = go(client, way_back(client, wechat))

    assert answer.status_code == status
    assert title in answer.content.decode()
    assert not WeChatUser.objects.exists()


def test_a_hospital_without_an_account_says_so(client: Client, settings: Settings) -> None:
    settings.WECHAT = None

    answer = client.get(LOGIN)

    assert answer.status_code == 503
    assert "微信服务尚未开通" in answer.content.decode()


def test_wrong_methods_are_refused(client: Client) -> None:
    assert client.post(LOGIN).status_code == 405
    assert client.post(RETURN).status_code == 405
    answer = client.get(DISPLAY)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "什么也没有办理" in answer.content.decode()


def test_the_log_names_nobody(
    client: Client, wechat: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        back = way_back(client, wechat)
        go(client, back)

    records = [record for record in caplog.records if record.name != "django.db.backends"]
    text = "\n".join(str(vars(record)) for record in records)
    query = parse_qs(urlsplit(back).query)
    for secret in (PHONE, query["code"][0], query["state"][0], wechat.config.secret):
        assert secret not in text


def test_large_type_is_remembered_in_the_account_and_a_cookie() -> None:
    user = a_wechat_user()
    client = patient_client(user)

    answer = client.post(DISPLAY, {"care": "on", "next": "/m/patients/"})

    assert (answer.status_code, answer["Location"]) == (302, "/m/patients/")
    user.refresh_from_db()
    assert user.care_mode
    assert client.cookies["care"].value == "1"
    assert "data-care" in client.get("/m/patients/").content.decode()
    client.post(DISPLAY, {"care": "off"})
    assert "data-care" not in client.get("/m/patients/").content.decode()


def test_a_theme_is_remembered_and_large_type_left_alone() -> None:
    user = a_wechat_user()
    client = patient_client(user)
    client.post(DISPLAY, {"care": "on"})

    client.post(DISPLAY, {"theme": "dark"})

    user.refresh_from_db()
    assert (user.care_mode, user.theme) == (True, Theme.DARK)
    assert 'data-theme="dark"' in client.get("/m/patients/").content.decode()


def test_a_visitor_without_log_in_keeps_the_choice_in_the_cookie(
    client: Client, settings: Settings
) -> None:
    settings.WECHAT = None
    client.post(DISPLAY, {"care": "on"})

    assert "data-care" in client.get(LOGIN).content.decode()


def test_an_unknown_choice_is_refused() -> None:
    user = a_wechat_user()

    answer = patient_client(user).post(DISPLAY, {"care": "sideways"})

    assert answer.status_code == 422
    user.refresh_from_db()
    assert not user.care_mode


def test_the_choice_of_a_new_phone_comes_from_the_account(client: Client, wechat: StandIn) -> None:
    user = a_wechat_user(openid=PHONE)
    user.care_mode = True
    user.save(update_fields=["care_mode"])

    go(client, way_back(client, wechat))

    assert client.cookies["care"].value == "1"
