"""The first menu and answers out of the demo's file; what staff made since is left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.messaging import account_gateway, actions, queries
from hospital.messaging.account_gateway import Published
from hospital.messaging.models import MenuVersion, ReplyRule
from hospital.messaging.setting_up import set_up_account
from hospital.messaging.states import MenuStatus
from hospital.wechat.menus import Menu

pytestmark = pytest.mark.django_db
FILE = Path(__file__).parents[3] / "demo" / "account.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
CLERK = Actor("staff", 3)


def set_up() -> Published | None:
    return set_up_account(document=DOCUMENT, by=SYSTEM, at=clock.now())


def at_wechat() -> Menu:
    found = account_gateway.fetch_menu()
    assert isinstance(found, Menu)
    return found


@pytest.mark.usefixtures("wechat")
def test_a_new_account_gets_its_menu_and_answers() -> None:
    call_command("set_up_account", str(FILE), verbosity=0)

    menu = at_wechat()
    assert [button.name for button in menu.buttons] == ["预约挂号", "掌上医院", "就医服务"]
    key = menu.buttons[2].children[2].key
    rule = queries.rule_of_key(key=key)
    assert rule is not None
    assert rule.name == "门诊时间"
    answer = queries.rule_for_text(text="请问怎么挂号？")
    assert answer is not None
    assert answer.name == "怎么挂号"
    assert ReplyRule.objects.count() == len(DOCUMENT["replies"])
    (version,) = queries.menu_history()
    assert (version.made_by, version.published_by) == ("系统", "系统")


@pytest.mark.usefixtures("wechat")
def test_the_second_time_changes_nothing() -> None:
    assert set_up() is Published.DONE
    rules = list(ReplyRule.objects.order_by("pk").values())

    assert set_up() is None

    assert list(ReplyRule.objects.order_by("pk").values()) == rules
    assert MenuVersion.objects.count() == 1


@pytest.mark.usefixtures("wechat")
def test_what_staff_published_and_wrote_stays() -> None:
    set_up()
    mine = Menu(buttons=queries.menu_version(menu_id=MenuVersion.objects.get().pk).menu.buttons[:1])
    draft = actions.start_draft(copy_of=None, by=CLERK, at=clock.now())
    assert set_up() is None, "a draft lies there"
    draft = actions.save_draft(menu_id=draft.pk, revision=1, menu=mine, by=CLERK, at=clock.now())
    account_gateway.start_publishing(
        menu_id=draft.pk, revision=draft.revision, by=CLERK, at=clock.now()
    )
    ReplyRule.objects.filter(kind="welcome").update(name="您好", text="欢迎")

    assert set_up() is None

    assert at_wechat() == mine
    in_use = queries.menu_in(status=MenuStatus.PUBLISHED)
    assert in_use is not None
    assert in_use.pk == draft.pk
    assert ReplyRule.objects.get(kind="welcome").text == "欢迎"


@pytest.mark.usefixtures("wechat")
def test_an_address_that_changed_is_published_anew(settings: Settings) -> None:
    set_up()
    settings.PUBLIC_URL = "http://127.0.0.1:9999"

    assert set_up() is Published.DONE

    assert at_wechat().buttons[0].url.startswith("http://127.0.0.1:9999/m/")
