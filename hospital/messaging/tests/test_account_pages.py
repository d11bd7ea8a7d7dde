"""The account's pages: its menu from draft to WeChat and back, its answers; what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from hospital.identity.models import StaffAccount
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Stale
from hospital.kernel.models import AuditEntry
from hospital.messaging import account_gateway, actions
from hospital.messaging.models import MenuVersion, ReplyRule
from hospital.messaging.states import Match, MenuStatus, RuleKind
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_staff, staff_client
from hospital.testing.wechat import StandIn
from hospital.wechat import clients
from hospital.wechat.menus import Button, Menu

pytestmark = pytest.mark.django_db
MENU, START, REPLIES = (
    "/staff/account/menu/",
    "/staff/account/menu/start/",
    "/staff/account/replies/",
)
GRID = {
    "b0-name": "挂号",
    "b0-target": "page:scheduling-departments",
    "b1-name": "就诊服务",
    "b1-0-name": "我的挂号",
    "b1-0-target": "page:registration-appointments",
    "b1-1-name": "医院网站",
    "b1-1-target": "url",
    "b1-1-value": "https://hospital.example/about",
}


@pytest.fixture
def account() -> StaffAccount:
    return a_staff(Role.SYSTEM_ADMIN, display_name="何敏")


@pytest.fixture
def client(account: StaffAccount) -> Client:
    return staff_client(account=account)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def the_draft() -> MenuVersion:
    return MenuVersion.objects.get(status=MenuStatus.DRAFT)


def a_draft(client: Client, **grid: str) -> MenuVersion:
    """A draft as the clerk leaves it."""
    client.post(START)
    return saved(client, **(GRID | grid))


def saved(client: Client, **grid: str) -> MenuVersion:
    draft = the_draft()
    answer = client.post(f"{MENU}{draft.pk}/", {"revision": str(draft.revision), **grid})
    assert (answer.status_code, answer["Location"]) == (302, MENU)
    return the_draft()


def publish(client: Client, version: MenuVersion) -> str:
    """Press the button; the page afterwards."""
    address = f"{MENU}{version.pk}/publish/"
    answer = client.post(address, {"key": str(version.revision)}, follow=True)
    return text(answer)


def at_wechat() -> Menu:
    found = clients.official_account().get_menu()
    assert isinstance(found, Menu)
    return found


def statuses() -> list[str]:
    return list(MenuVersion.objects.order_by("number").values_list("status", flat=True))


def test_a_menu_from_draft_to_wechat(
    client: Client, account: StaffAccount, wechat: StandIn, settings: Settings
) -> None:
    draft = a_draft(client)
    shown = text(client.get(MENU))
    for words in (
        "第 1 个按钮",
        "挂号：打开“预约挂号”",
        "https://hospital.example/about",
        "发布后",
    ):
        assert words in shown, words

    after = publish(client, draft)

    assert "菜单已发布" in after
    assert at_wechat() == Menu(
        buttons=(
            Button(name="挂号", kind="view", url=f"{settings.PUBLIC_URL}/m/departments/"),
            Button(
                name="就诊服务",
                children=(
                    Button(
                        name="我的挂号", kind="view", url=f"{settings.PUBLIC_URL}/m/appointments/"
                    ),
                    Button(name="医院网站", kind="view", url="https://hospital.example/about"),
                ),
            ),
        )
    )
    version = MenuVersion.objects.get()
    assert (version.number, version.status, version.answer) == (1, "published", "ok")
    assert version.published_by == str(Actor("staff", account.pk))
    acts = AuditEntry.objects.filter(by=f"staff:{account.pk}", act__startswith="messaging.")
    assert [entry.act for entry in acts.order_by("pk")] == [
        "messaging.start_menu_draft",
        "messaging.save_menu_draft",
        "messaging.publish_menu",
    ]


def test_back_to_an_older_version(client: Client, wechat: StandIn) -> None:
    publish(client, a_draft(client))
    first = at_wechat()
    client.post(START, {"copy_of": MenuVersion.objects.get().pk})
    publish(client, saved(client, **(GRID | {"b0-name": "看病"})))
    assert at_wechat() != first

    client.post(START, {"copy_of": MenuVersion.objects.get(number=1).pk})
    publish(client, the_draft())

    assert at_wechat() == first
    assert statuses() == ["replaced", "replaced", "published"]
    assert MenuVersion.objects.get(number=3).copied_from == MenuVersion.objects.get(number=1)


def test_a_menu_over_wechats_limits_stays_a_draft(client: Client, wechat: StandIn) -> None:
    draft = a_draft(client, **{"b0-name": "名称太长的按钮", "b1-1-value": "javascript:alert(1)"})
    shown = text(client.get(MENU))
    assert "还不能发布：第 1 个按钮：名称太长" in shown
    assert "确认发布" not in shown

    answer = client.post(f"{MENU}{draft.pk}/publish/", {"key": str(draft.revision)})

    assert answer.status_code == 422
    assert "第 1 个按钮：名称太长" in text(answer)
    assert "第 2 个按钮的第 2 项：网址不正确" in text(answer)
    assert statuses() == ["draft"]
    assert due_jobs() == []
    assert at_wechat() == Menu()


def test_two_editors_do_not_undo_each_other(client: Client) -> None:
    draft = a_draft(client)
    seen = draft.revision
    saved(client, **(GRID | {"b0-name": "看病"}))

    late = client.post(f"{MENU}{draft.pk}/", {"revision": str(seen), **GRID})
    later = client.post(f"{MENU}{draft.pk}/publish/", {"key": str(seen)})

    assert (late.status_code, later.status_code) == (409, 409)
    assert the_draft().menu.buttons[0].name == "看病"
    assert statuses() == ["draft"]


def test_a_second_tap_publishes_nothing_more(client: Client, wechat: StandIn) -> None:
    draft = a_draft(client)
    publish(client, draft)

    again = client.post(f"{MENU}{draft.pk}/publish/", {"key": str(draft.revision)})

    assert again.status_code == 409
    assert statuses() == ["published"]


def test_one_draft_at_a_time(client: Client) -> None:
    client.post(START)

    assert client.post(START).status_code == 409
    assert statuses() == ["draft"]
    draft = the_draft()
    client.post(f"{MENU}{draft.pk}/discard/", {"key": str(draft.revision)})
    assert statuses() == ["discarded"]
    assert client.post(START).status_code == 302


def test_an_answer_that_got_lost_is_asked_for_again(client: Client, wechat: StandIn) -> None:
    draft = a_draft(client)
    wechat.fault("http_500", match="menu/create", times=2)

    shown = publish(client, draft)

    assert "微信暂时没有回应" in shown
    assert "正在发布" in shown
    assert statuses() == ["publishing"]
    assert client.post(START).status_code == 409
    assert due_jobs() == ["messaging.jobs.publish_menu"]
    account_gateway.publish_at_last(menu_id=draft.pk, by=SYSTEM, at=clock.now())
    account_gateway.publish_at_last(menu_id=draft.pk, by=SYSTEM, at=clock.now())
    assert statuses() == ["published"]
    assert at_wechat() == draft.menu


def test_the_job_comes_back_while_wechat_is_silent(client: Client, wechat: StandIn) -> None:
    draft = a_draft(client)
    actions.begin_publishing(menu_id=draft.pk, revision=draft.revision, by=SYSTEM, at=clock.now())
    wechat.fault("http_500", match="menu/create", times=2)

    with pytest.raises(account_gateway.NotPublished):
        account_gateway.publish_at_last(menu_id=draft.pk, by=SYSTEM, at=clock.now())

    assert statuses() == ["publishing"]


def test_what_wechat_refuses_is_a_draft_again(client: Client) -> None:
    draft = a_draft(client)
    actions.begin_publishing(menu_id=draft.pk, revision=draft.revision, by=SYSTEM, at=clock.now())

    actions.record_refused(menu_id=draft.pk, answer="40018 bad name", by=SYSTEM, at=clock.now())

    assert the_draft().answer == "40018 bad name"
    assert "微信没有接受：40018 bad name" in text(client.get(MENU))


def test_without_an_account_nothing_is_decided(client: Client, settings: Settings) -> None:
    draft = a_draft(client)
    settings.WECHAT = None

    answer = client.post(f"{MENU}{draft.pk}/publish/", {"key": str(draft.revision)})

    assert answer.status_code == 409
    assert statuses() == ["draft"]


def test_a_menu_changed_at_wechat_is_seen(client: Client, wechat: StandIn) -> None:
    publish(client, a_draft(client))
    assert "一致" in text(client.get(f"{MENU}?check=1"))
    clients.official_account().create_menu(
        Menu(buttons=(Button(name="别处", kind="view", url="https://elsewhere.example/"),))
    )

    shown = text(client.get(f"{MENU}?check=1"))

    assert "可能有人在微信后台直接改过" in shown
    assert "https://elsewhere.example/" in shown
    wechat.fault("http_500", match="menu/get", times=2)
    assert "暂时无法核对" in text(client.get(f"{MENU}?check=1"))


def test_the_grid_shows_what_was_saved(client: Client) -> None:
    draft = a_draft(client, **{"b2-name": "小程序", "b2-target": "mini", "b2-value": "wx1 p/a?b=1"})

    shown = text(client.get(f"{MENU}{draft.pk}/"))

    for words in ('value="wx1 p/a?b=1"', 'value="https://hospital.example/about"'):
        assert words in shown
    assert draft.menu.buttons[2] == Button(
        name="小程序",
        kind="miniprogram",
        appid="wx1",
        page_path="p/a?b=1",
        url=draft.menu.buttons[2].url,
    )


RULE = {"name": "挂号指引", "words": "挂号\n预约 ", "match": "contains", "priority": "10"}


def test_a_rule_is_written_tried_and_switched_off(client: Client, account: StaffAccount) -> None:
    made = client.post(f"{REPLIES}keyword/", RULE | {"text": "请点菜单", "is_on": "on"})
    assert (made.status_code, made["Location"]) == (302, REPLIES)
    rule = ReplyRule.objects.get()
    assert (rule.words, rule.match, rule.priority) == (["挂号", "预约"], "contains", 10)
    assert rule.changed_by == f"staff:{account.pk}"
    assert "请点菜单" in text(client.get(REPLIES, {"try": "我想 预约 专家"}))

    client.post(f"{REPLIES}keyword/{rule.pk}/", RULE | {"text": "请点菜单"})

    rule.refresh_from_db()
    assert rule.is_on is False
    assert "不回复" in text(client.get(REPLIES, {"try": "我想预约专家"}))
    assert AuditEntry.objects.filter(act="messaging.save_reply_rule").count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "名" * 21},
        {"words": " 。 "},
        {"words": "\n".join(f"词{number}" for number in range(21))},
        {"words": "词" * 31},
        {"priority": "0"},
        {"priority": "1000"},
        {"priority": "高"},
        {"text": " "},
        {"text": "字" * 683},
        {"text": "坏\x01字"},
    ],
)
def test_a_rule_that_does_not_fit_is_refused(client: Client, change: dict[str, str]) -> None:
    answer = client.post(f"{REPLIES}keyword/", RULE | {"text": "请点菜单", "is_on": "on"} | change)

    assert answer.status_code == 422
    assert not ReplyRule.objects.exists()


def test_there_is_one_welcome(client: Client) -> None:
    for said in ("欢迎", "您好"):
        client.post(f"{REPLIES}welcome/", {"name": "欢迎语", "text": said, "is_on": "on"})

    assert [rule.text for rule in ReplyRule.objects.all()] == ["您好"]


def test_a_menu_button_offers_the_answers_for_menus(client: Client) -> None:
    rule = actions.save_rule(
        rule_id=None,
        kind=RuleKind.MENU,
        name="门诊时间",
        words=[],
        match=Match.EXACT,
        priority=100,
        text="8:00–17:30",
        is_on=True,
        by=SYSTEM,
        at=clock.now(),
    )
    draft = a_draft(client, **{"b2-name": "时间", "b2-target": rule.key})

    assert draft.menu.buttons[2] == Button(name="时间", kind="click", key=rule.key)
    assert "回复“门诊时间”" in text(client.get(MENU))


def test_others_are_refused() -> None:
    requests: list[Callable[[Client], Any]] = [
        lambda client: client.get(MENU),
        lambda client: client.get(REPLIES),
        lambda client: client.post(START),
        lambda client: client.post(f"{REPLIES}welcome/", {"name": "x", "text": "y"}),
    ]
    for role in (Role.OUTPATIENT_OFFICE, Role.DOCTOR, Role.FINANCE):
        client = staff_client(role)
        assert [ask(client).status_code for ask in requests] == [403] * 4
    assert not MenuVersion.objects.exists()
    assert not ReplyRule.objects.exists()


@pytest.mark.parametrize(
    "address", [f"{MENU}999999/", f"{REPLIES}nonsense/", f"{REPLIES}keyword/999999/"]
)
def test_what_is_not_there(client: Client, address: str) -> None:
    assert client.get(address).status_code == 404


def test_a_stale_draft_is_a_refusal(client: Client) -> None:
    draft = a_draft(client)

    with pytest.raises(Stale):
        actions.discard_draft(
            menu_id=draft.pk, revision=draft.revision + 1, by=SYSTEM, at=clock.now()
        )

    assert statuses() == ["draft"]
