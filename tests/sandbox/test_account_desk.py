"""The account's desk: menus, QR codes, followers; and the mini program's codes."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.account import Account
from tests.sandbox.merchant import openid

VIEW = {"type": "view", "name": "预约挂号", "url": "http://127.0.0.1/m/"}
CLICK = {"type": "click", "name": "门诊时间", "key": "HOURS"}


def create(account: Account, token: str, *buttons: Any) -> int:
    answer = account.post("/cgi-bin/menu/create", {"button": list(buttons)}, access_token=token)
    return int(answer["errcode"])


def test_a_menu_is_made_read_and_deleted(
    control: SandboxControl, account: Account, token: str
) -> None:
    assert account.get("/cgi-bin/menu/get", access_token=token)["errcode"] == 46003
    column = {"name": "更多", "sub_button": [VIEW, CLICK]}
    assert create(account, token, VIEW, CLICK, column) == 0
    shown = account.get("/cgi-bin/menu/get", access_token=token)["menu"]["button"]
    assert shown[0] == VIEW | {"sub_button": []}
    assert shown[2]["sub_button"][1] == CLICK | {"sub_button": []}
    assert account.get("/cgi-bin/menu/delete", access_token=token)["errcode"] == 0
    assert account.get("/cgi-bin/menu/get", access_token=token)["errcode"] == 46003


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([VIEW] * 4, 40016),
        ([{"name": "更多", "sub_button": [VIEW] * 6}], 40023),
        ([VIEW | {"name": "一二三四五六"}], 40018),
        ([VIEW | {"name": "一二三四五"}], 0),
        ([VIEW | {"name": ""}], 40018),
        ([{"name": "更多", "sub_button": [VIEW | {"name": "字" * 21}]}], 40025),
        ([{"name": "更多", "sub_button": [VIEW | {"name": "字" * 20}]}], 0),
        ([CLICK | {"key": "k" * 129}], 40019),
        ([{"name": "更多", "sub_button": [CLICK | {"key": ""}]}], 40026),
        ([VIEW | {"url": f"http://a/{'x' * 1016}"}], 40020),
        ([VIEW | {"url": "javascript:alert(1)"}], 40055),
        ([{"name": "更多", "sub_button": [VIEW | {"url": "m/"}]}], 40054),
        ([VIEW | {"type": "dance"}], 40017),
        ([{"name": "更多", "sub_button": [VIEW | {"sub_button": [VIEW]}]}], 40022),
        ([VIEW | {"type": "miniprogram", "appid": "wx0", "pagepath": "a"}], 45064),
        (["x"], 47001),
    ],
)
def test_limits_of_a_menu(account: Account, token: str, buttons: list[Any], errcode: int) -> None:
    assert create(account, token, CLICK) == 0
    assert create(account, token, *buttons) == errcode
    shown = account.get("/cgi-bin/menu/get", access_token=token)["menu"]["button"]
    assert (shown == [CLICK | {"sub_button": []}]) is (errcode != 0)


def test_a_mini_program_in_the_menu(control: SandboxControl, account: Account, token: str) -> None:
    entry = VIEW | {"type": "miniprogram", "appid": control.facts["mp_appid"], "pagepath": "a"}
    assert create(account, token, entry) == 0
    assert create(account, token, {**entry, "pagepath": ""}) == 40118


def make(account: Account, token: str, **body: Any) -> dict[str, Any]:
    return account.post("/cgi-bin/qrcode/create", body, access_token=token)


def test_a_qr_code_and_its_picture(control: SandboxControl, account: Account, token: str) -> None:
    made = make(
        account,
        token,
        expire_seconds=600,
        action_name="QR_SCENE",
        action_info={"scene": {"scene_id": 7}},
    )
    assert made["expire_seconds"] == 600
    assert made["url"].startswith("http://weixin.qq.com/q/")
    picture = account.http.get("/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
    assert picture.headers["content-type"] == "image/png"
    assert read_qr(picture.content) >= 21
    control.clock(601)
    gone = account.http.get("/cgi-bin/showqrcode", params={"ticket": made["ticket"]})
    assert gone.status_code == 404
    with pytest.raises(AssertionError, match="409"):
        control.inbound(openid(), "scan", ticket=made["ticket"])
    assert account.http.get("/cgi-bin/showqrcode", params={"ticket": "x"}).status_code == 404


def read_qr(png: bytes) -> int:
    """Modules a side, when it is a PNG of one bit a pixel with the three finder patterns."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    side, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (side, depth, colour) == (height, 1, 0)
    length = struct.unpack(">I", png[33:37])[0]
    assert png[37:41] == b"IDAT"
    pixels = zlib.decompress(png[41 : 41 + length])
    width = -(-side // 8) + 1
    rows = [pixels[at : at + width] for at in range(0, len(pixels), width)]
    assert len(rows) == side
    assert {row[0] for row in rows} == {0}
    modules = int(side) // 8 - 8

    def dark(x: int, y: int) -> bool:
        return rows[(y + 4) * 8][1 + x + 4] == 0

    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    for left, top in ((0, 0), (modules - 7, 0), (0, modules - 7)):
        found = [
            "".join("1" if dark(left + x, top + y) else "0" for x in range(7)) for y in range(7)
        ]
        assert found == finder
    return modules


@pytest.mark.parametrize(
    ("action", "scene", "errcode"),
    [
        ("QR_SCENE", {"scene_id": 0}, 40053),
        ("QR_SCENE", {"scene_id": 2**32}, 40053),
        ("QR_LIMIT_SCENE", {"scene_id": 100_001}, 40053),
        ("QR_STR_SCENE", {"scene_str": ""}, 40169),
        ("QR_STR_SCENE", {"scene_str": "x" * 65}, 40169),
        ("QR_STR_SCENE", {}, 40169),
        ("QR_CODE", {"scene_id": 1}, 47001),
    ],
)
def test_limits_of_a_qr_code(
    control: SandboxControl,
    account: Account,
    token: str,
    action: str,
    scene: dict[str, Any],
    errcode: int,
) -> None:
    body = {"action_name": action, "action_info": {"scene": scene}}
    assert make(account, token, **body)["errcode"] == errcode
    assert control.account()["qr_codes"] == []


def test_how_long_a_qr_code_lives(control: SandboxControl, account: Account, token: str) -> None:
    scene = {"scene": {"scene_str": "desk-7"}}
    assert (
        make(account, token, action_name="QR_STR_SCENE", action_info=scene)["expire_seconds"] == 60
    )
    lasting = make(account, token, action_name="QR_LIMIT_STR_SCENE", action_info=scene)
    assert "expire_seconds" not in lasting
    long = make(
        account, token, action_name="QR_STR_SCENE", action_info=scene, expire_seconds=2_592_001
    )
    assert long["errcode"] == 40052


def test_how_somebody_came(control: SandboxControl, account: Account, token: str) -> None:
    make(
        account, token, action_name="QR_LIMIT_STR_SCENE", action_info={"scene": {"scene_str": "d"}}
    )
    who = openid()
    control.user(openid=who, subscribed=False)
    control.inbound(who, "scan", scene="d")
    info = account.get("/cgi-bin/user/info", access_token=token, openid=who)
    assert (info["subscribe"], info["subscribe_scene"], info["qr_scene_str"]) == (
        1,
        "ADD_SCENE_QR_CODE",
        "d",
    )


def test_mini_program_log_in(control: SandboxControl, account: Account) -> None:
    person = control.user(openid=openid())
    mini = {"appid": control.facts["mp_appid"], "secret": control.facts["mp_secret"]}

    def login(code: str, **change: str) -> dict[str, Any]:
        return account.get("/sns/jscode2session", **{"js_code": code, **mini, **change})

    code = control.mini_code(person["openid"])
    assert login(code, secret="0")["errcode"] == 40125
    assert login(code, appid=account.appid, secret=account.secret)["errcode"] == 40013
    assert login("nonsense")["errcode"] == 40029
    session = login(code)
    assert session["openid"] == person["mp_openid"]
    assert session["unionid"] == person["unionid"]
    assert len(session["session_key"]) == 24
    assert login(code)["errcode"] == 40163
    late = control.mini_code(person["openid"])
    control.clock(301)
    assert login(late)["errcode"] == 40029


def test_phone_number(control: SandboxControl, account: Account, token: str) -> None:
    person = control.user(openid=openid(), phone_number="13800138000")
    mini = Account(control.facts, mini_program=True)
    own = mini.token()

    def ask(code: str, access: str = own) -> dict[str, Any]:
        path = "/wxa/business/getuserphonenumber"
        return mini.post(path, {"code": code}, access_token=access)

    login, code = (control.mini_code(person["openid"], kind) for kind in ("login", "phone"))
    assert ask(login)["errcode"] == 40029
    assert ask(code, access=token)["errcode"] == 48001
    info = ask(code)["phone_info"]
    assert (info["phoneNumber"], info["countryCode"]) == ("13800138000", "86")
    assert info["watermark"]["appid"] == control.facts["mp_appid"]
    assert ask(code)["errcode"] == 40163
    mini.http.close()


def test_tokens_of_account_and_mini_program_are_apart(
    control: SandboxControl, account: Account, token: str
) -> None:
    mini = Account(control.facts, mini_program=True)
    own = mini.token()
    assert own != token
    assert account.ticket(own)["errcode"] == 48001
    assert mini.stable(force_refresh=True)["access_token"] != own
    assert account.ticket(token)["errcode"] == 0
    mini.http.close()
