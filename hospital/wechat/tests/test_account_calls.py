"""The Official Account and the mini program against the stand-in: menus, codes, messages."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import httpx
import pytest
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.kernel.models import SharedToken
from hospital.testing.wechat import StandIn
from hospital.wechat import clients, menus, mini
from hospital.wechat.menus import Button, Fault, Menu, Taken
from hospital.wechat.outcomes import Refused, Unknown
from hospital.wechat.qr import QrTicket
from hospital.wechat.sending import Retryable, Sent, SubscriptionMessage, Undeliverable
from hospital.wechat.users import UserInfo

pytestmark = pytest.mark.django_db

OPENID = "oAccountCallTester00000001"
KEYS = {"thing1": "科室", "time2": "时间"}
MENU = Menu(
    buttons=(
        Button(name="预约挂号", kind="view", url="https://h.example/m/departments/"),
        Button(
            name="更多",
            children=(
                Button(name="门诊时间", kind="click", key="reply:1"),
                Button(
                    name="小程序",
                    kind="miniprogram",
                    url="https://h.example/",
                    appid="wx0123456789abcdef",
                    page_path="pages/index",
                ),
            ),
        ),
    )
)


def test_a_menu_comes_back_as_it_was_sent(wechat: StandIn) -> None:
    """With the account's own mini program: no other one may stand in its menu."""
    account, other = clients.official_account(), MENU.buttons[1].children[1]
    own = dataclasses.replace(other, appid=clients.config().mini_appid)
    more = dataclasses.replace(MENU.buttons[1], children=(MENU.buttons[1].children[0], own))
    menu = Menu(buttons=(MENU.buttons[0], more))
    assert account.get_menu() == Menu()
    assert isinstance(account.create_menu(MENU), Refused)

    assert account.create_menu(menu) == Taken()
    assert account.get_menu() == menu
    assert account.create_menu(menu) == Taken()

    assert account.delete_menu() == Taken()
    assert account.get_menu() == Menu()


def test_a_menu_wechat_refuses(wechat: StandIn) -> None:
    broken = Menu(buttons=(Button(name="名称太长的按钮", kind="view", url="https://h.example/"),))
    assert [fault.code for fault in menus.faults(broken)] == ["name_too_long"]

    outcome = clients.official_account().create_menu(broken)

    assert isinstance(outcome, Refused)
    assert clients.official_account().get_menu() == Menu()


def test_a_menu_nobody_answers_about(wechat: StandIn) -> None:
    wechat.fault("http_500", match="menu/create", times=2)

    assert clients.official_account().create_menu(MENU) == Unknown(reason="http_500")


LIMITS: list[tuple[Menu, list[Fault]]] = [
    (MENU, []),
    (Menu(), [Fault(place=(), code="no_buttons")]),
    (Menu(buttons=MENU.buttons * 2), [Fault(place=(), code="too_many")]),
    (Menu(buttons=(Button(name="更多"),)), [Fault(place=(0,), code="no_children")]),
    (
        Menu(buttons=(Button(name="更多", children=MENU.buttons[1].children * 3),)),
        [Fault(place=(0,), code="too_many")],
    ),
    (
        Menu(buttons=(Button(name=" ", kind="click"),)),
        [Fault(place=(0,), code=code) for code in ("no_name", "no_key")],
    ),
    (
        Menu(
            buttons=(
                Button(name="x", children=(Button(name="汉" * 21, kind="view", url="ftp://x"),)),
            )
        ),
        [Fault(place=(0, 0), code="name_too_long"), Fault(place=(0, 0), code="bad_url")],
    ),
    (
        Menu(buttons=(Button(name="x", kind="view", url="https://x/" + "a" * 1020),)),
        [Fault(place=(0,), code="url_too_long")],
    ),
    (
        Menu(buttons=(Button(name="x", kind="miniprogram"),)),
        [Fault(place=(0,), code="no_url"), Fault(place=(0,), code="no_page")],
    ),
]


@pytest.mark.parametrize(("menu", "found"), LIMITS)
def test_the_limits_of_a_menu(menu: Menu, found: list[Fault]) -> None:
    assert menus.faults(menu) == found
    assert menus.read_menu(menu.document) == menu


def test_a_code_with_a_scene(wechat: StandIn) -> None:
    short = clients.official_account().create_qr(scene="dept-7", seconds=600)
    lasting = clients.official_account().create_qr(scene="大厅")

    assert isinstance(short, QrTicket)
    assert isinstance(lasting, QrTicket)
    assert (short.seconds, lasting.seconds) == (600, None)
    picture = httpx.get(short.picture_url, trust_env=False)
    assert picture.headers["content-type"].startswith("image/")


def test_who_follows(wechat: StandIn) -> None:
    wechat.user(openid=OPENID, subscribed=True)
    found = clients.official_account().user_info(openid=OPENID)
    assert isinstance(found, UserInfo)
    assert found.is_following is True

    wechat.user(openid=OPENID, subscribed=False)

    left = clients.official_account().user_info(openid=OPENID)
    assert isinstance(left, UserInfo)
    assert (left.is_following, left.followed_at, left.way) == (False, None, "")
    assert isinstance(clients.official_account().user_info(openid="nobody"), Refused)


def notification(**changes: str) -> SubscriptionMessage:
    made = SubscriptionMessage(
        openid=OPENID,
        template_id="SUB-1",
        url="https://h.example/m/",
        fields={"thing1": "针灸推拿科", "time2": "2026年11月24日 08:30"},
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_one_consent_is_one_notification(wechat: StandIn) -> None:
    wechat.template("SUB-1", KEYS, product="subscription")
    wechat.consent(OPENID, "SUB-1", left=1)
    account = clients.official_account()

    assert isinstance(account.send_subscription(notification()), Sent)

    refused = account.send_subscription(notification())
    assert refused == Undeliverable(code="43101", reason="no_consent")


def test_a_text_needs_somebody_who_wrote(wechat: StandIn) -> None:
    wechat.user(openid=OPENID, subscribed=True)
    account = clients.official_account()
    early = account.send_customer_text(openid=OPENID, text="您好")
    assert early == Undeliverable(code="45015", reason="window_over")

    wechat.inbound(OPENID, "text", text="在吗")

    assert isinstance(account.send_customer_text(openid=OPENID, text="您好"), Sent)
    wechat.fault("timeout_after_success", match="custom/send", seconds=2)
    lost = account.send_customer_text(openid=OPENID, text="第二条")
    assert lost == Retryable(reason="no_answer:ReadTimeout")
    assert lost.is_certain is False


# ---------------------------------------------------------------- the mini program


@pytest.fixture
def program(wechat: StandIn, settings: Settings) -> Callable[[], mini.MiniProgram]:
    assert settings.WECHAT.mini_appid
    assert settings.WECHAT.mini_secret
    return clients.mini_program


def test_a_log_in_of_the_mini_program(
    wechat: StandIn, program: Callable[[], mini.MiniProgram]
) -> None:
    wechat.user(openid=OPENID)
    code = wechat.mini_code(OPENID)

    found = program().code_to_session(code=code)

    assert isinstance(found, mini.Session)
    assert found.openid != OPENID
    assert found.session_key not in repr(found)
    again = program().code_to_session(code=code)
    assert isinstance(again, Refused)
    assert again.code == "40163"


def test_a_phone_number_with_its_mark(
    wechat: StandIn, program: Callable[[], mini.MiniProgram], settings: Settings
) -> None:
    wechat.user(openid=OPENID)
    found = program().phone_number(code=wechat.mini_code(OPENID, "phone"), at=clock.now())

    assert isinstance(found, mini.PhoneNumber)
    assert found.number.isdigit()
    assert found.number not in repr(found)
    late = clock.now() + dt.timedelta(minutes=6)
    assert program().phone_number(code=wechat.mini_code(OPENID, "phone"), at=late) == Unknown(
        reason="unreadable:watermark_stale"
    )
    assert isinstance(
        program().phone_number(code=wechat.mini_code(OPENID), at=clock.now()), Refused
    )
    names = set(SharedToken.objects.values_list("name", flat=True))
    assert names == {mini.TOKEN_NAME}


def test_a_hospital_without_a_mini_program(wechat: StandIn, settings: Settings) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, mini_appid="")

    with pytest.raises(clients.WeChatNotConnected):
        clients.mini_program()
