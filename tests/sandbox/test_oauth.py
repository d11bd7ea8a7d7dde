"""Log-in by page address: the phone's cookie decides who it is, the code is used once."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import openid

BACK = "http://127.0.0.1:8000/m/login/return/?next=%2Fm%2F"


def authorize(control: SandboxControl, phone: str = "", **change: str) -> httpx.Response:
    """Open the authorize page as the browser of this person's phone does."""
    query = {
        "appid": control.facts["appid"],
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s7",
    } | change
    return httpx.get(
        f"{control.base}/connect/oauth2/authorize",
        params=query,
        headers={"Cookie": f"phone={phone}"} if phone else {},
        trust_env=False,
    )


def code_for(control: SandboxControl, phone: str, **change: str) -> str:
    """A fresh code of this person."""
    location = authorize(control, phone, **change).headers["Location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(control: SandboxControl, code: str, **change: str) -> dict[str, Any]:
    """Exchange a code as the server does."""
    query = {
        "appid": control.facts["appid"],
        "secret": control.facts["secret"],
        "code": code,
        "grant_type": "authorization_code",
    } | change
    answer = httpx.get(f"{control.base}/sns/oauth2/access_token", params=query, trust_env=False)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def test_the_holder_is_sent_back_with_code_and_state(control: SandboxControl) -> None:
    answer = authorize(control, openid())
    assert answer.status_code == 302
    back = urlsplit(answer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == "http://127.0.0.1:8000/m/login/return/"
    query = parse_qs(back.query)
    assert query["next"] == ["/m/"]
    assert query["state"] == ["s7"]
    assert len(query["code"][0]) == 32


def test_an_unknown_openid_becomes_a_person(control: SandboxControl) -> None:
    phone = openid()
    before = len(control.state()["users"])
    found = exchange(control, code_for(control, phone))
    assert found["openid"] == phone
    assert found["scope"] == "snsapi_base"
    assert found["unionid"]
    assert found["expires_in"] == 7200
    assert "is_snapshotuser" not in found
    assert len(control.state()["users"]) == before + 1


def test_without_a_holder_the_phone_is_asked(control: SandboxControl) -> None:
    answer = authorize(control)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/phone/choose?next=%2Fconnect%2Foauth2")


def test_a_code_is_used_once_and_within_five_minutes(control: SandboxControl) -> None:
    code = code_for(control, openid())
    assert "openid" in exchange(control, code)
    assert exchange(control, code)["errcode"] == 40163
    late = code_for(control, openid())
    control.clock(301)
    assert exchange(control, late)["errcode"] == 40029


def test_wrong_exchanges(control: SandboxControl) -> None:
    code = code_for(control, openid())
    assert exchange(control, "nonsense")["errcode"] == 40029
    assert exchange(control, "")["errcode"] == 41008
    assert exchange(control, code, secret="0")["errcode"] == 40125
    assert exchange(control, code, appid="wx0")["errcode"] == 40013
    assert (
        exchange(control, code, appid=control.facts["mp_appid"], secret=control.facts["mp_secret"])[
            "errcode"
        ]
        == 40029
    )
    assert "openid" in exchange(control, code)


@pytest.mark.parametrize(
    "change",
    [
        {"appid": "wx0"},
        {"scope": "everything"},
        {"response_type": "token"},
        {"redirect_uri": "https://example.com/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"state": "x" * 129},
        {"state": "a-b"},
    ],
)
def test_a_wrong_authorize_address_goes_nowhere(
    control: SandboxControl, change: dict[str, str]
) -> None:
    answer = authorize(control, openid(), **change)
    assert answer.status_code == 200
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "address", ["http://localhost:1/x", "http://10.1.2.3/x", "http://xinglin.localhost/x"]
)
def test_loopback_and_private_addresses_are_allowed(control: SandboxControl, address: str) -> None:
    assert authorize(control, openid(), redirect_uri=address).status_code == 302


def test_a_snapshot_user_is_marked_and_nobody_real(control: SandboxControl) -> None:
    phone = openid()
    control.user(openid=phone, snapshot=True)
    found = exchange(control, code_for(control, phone))
    assert found["is_snapshotuser"] == 1
    assert found["openid"] != phone


def test_a_cookie_that_is_no_openid_is_refused(control: SandboxControl) -> None:
    assert authorize(control, "admin").status_code == 400


def test_userinfo_needs_its_scope(control: SandboxControl) -> None:
    base, full = openid(), openid()
    control.user(openid=full, nickname="黄小敏")
    poor = exchange(control, code_for(control, base))
    rich = exchange(control, code_for(control, full, scope="snsapi_userinfo"))
    assert _userinfo(control, poor["access_token"], base)["errcode"] == 48001
    assert _userinfo(control, rich["access_token"], base)["errcode"] == 40003
    assert _userinfo(control, "nonsense", full)["errcode"] == 40001
    info = _userinfo(control, rich["access_token"], full)
    assert (info["nickname"], info["sex"]) == ("黄小敏", 0)


def _userinfo(control: SandboxControl, token: str, person: str) -> dict[str, Any]:
    answer = httpx.get(
        f"{control.base}/sns/userinfo",
        params={"access_token": token, "openid": person, "lang": "zh_CN"},
        trust_env=False,
    )
    document: dict[str, Any] = answer.json()
    return document
