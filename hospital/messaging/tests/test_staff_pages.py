"""The desk's pages: log and filters, one message's story, resend, call list, how kinds look."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from hospital.identity.models import WeChatUser
from hospital.identity.states import Role
from hospital.kernel.models import AuditEntry
from hospital.messaging import actions, preview
from hospital.messaging.models import CallTask, Message
from hospital.messaging.registry import KINDS
from hospital.messaging.states import Channel, Reason
from hospital.messaging.tests.world import AT, a_message, arrives, ends, fails
from hospital.patients.models import Patient
from hospital.testing.jobs import due_jobs
from hospital.testing.people import a_patient, a_staff, a_wechat_user, staff_client

pytestmark = pytest.mark.django_db
DEMO = Path(__file__).parents[3] / "demo" / "wechat_templates.json"
LOG, CALLS, LOOKS = "/staff/messages/", "/staff/messages/calls/", "/staff/messages/kinds/"
NONE = "没有符合条件的消息"


@pytest.fixture(autouse=True)
def _ten_o_clock(settings: Settings) -> Iterator[None]:
    settings.WECHAT_TEMPLATES = json.loads(DEMO.read_text("utf-8"))
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.OUTPATIENT_OFFICE, display_name="何嘉仪"))


def page(client: Client, address: str, **typed: str) -> str:
    answer = client.get(address, typed)
    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def people(name: str = "陈晓宁", phone: str = "13800138000") -> tuple[WeChatUser, Patient]:
    user = a_wechat_user()
    return user, a_patient(user, name=name, phone=phone, at=AT)


def to_be_called(name: str = "欧阳大安", phone: str = "13900139001") -> CallTask:
    user, patient = people(name, phone)
    message = a_message("N06", user, patient=patient)
    fails(message, Channel.TEMPLATE, Reason.BLOCKED)
    fails(message, Channel.SMS, Reason.SMS_REFUSED)
    ends(message)
    return CallTask.objects.latest("pk")


def test_the_log_shows_how_each_stands_with_masked_names(client: Client) -> None:
    user, patient = people()
    arrives(a_message("N01", user, patient=patient), Channel.TEMPLATE)
    task = to_be_called()

    shown = page(client, LOG)

    for words in (
        "陈*宁",
        patient.outpatient_no,
        "挂号成功",
        "已发送",
        "欧**安",
        "待打电话",
        "已被用户拒收",
        f'href="{LOG}{task.message_id}/"',
    ):
        assert words in shown, words
    assert "陈晓宁" not in shown
    assert "欧阳大安" not in shown


def test_the_log_is_narrowed_by_kind_status_reason_day_and_person(client: Client) -> None:
    user, patient = people("林若谷")
    arrives(a_message("N01", user, patient=patient), Channel.TEMPLATE)
    arrives(a_message("N26", user), Channel.TEMPLATE)
    old = a_message("N03", user, patient=patient, at=AT - dt.timedelta(days=8))
    to_be_called()

    def titles(**typed: str) -> set[str]:
        shown = page(client, LOG, **typed)
        return {kind.title for kind in KINDS.values() if f"<b>{kind.title}</b>" in shown}

    assert titles() == {"挂号成功", "退费通知", "停诊通知"}
    assert titles(kind="N26") == {"退费通知"}
    assert titles(status="sent") == {"挂号成功", "退费通知"}
    assert titles(status="by_call") == {"停诊通知"}
    assert titles(reason="blocked") == {"停诊通知"}
    assert titles(q="林若谷") == {"挂号成功", "退费通知"}, "the payer's too"
    assert titles(q="欧阳") == {"停诊通知"}
    day = (AT - dt.timedelta(days=8)).date().isoformat()
    assert titles(start=day, end=day) == {old.about.title}
    assert titles(kind="N99", status="x", start="9999-99-99", end="1900-01-01", q="\x00") == {
        "挂号成功",
        "退费通知",
        "停诊通知",
    }
    assert NONE in page(client, LOG, q="没有这个人")


def test_a_long_log_costs_the_same(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    to_be_called()
    # session, account, roles, calls waiting, three figures, count, messages, their calls
    with django_assert_num_queries(11):
        page(client, LOG)
    for _ in range(3):
        to_be_called()
    with django_assert_num_queries(11):
        page(client, LOG)


def test_the_story_tells_every_try_and_why(client: Client) -> None:
    task = to_be_called()

    shown = page(client, f"{LOG}{task.message_id}/")

    story = ["进入站内消息", "微信模板消息：未送达", "短信：未送达", "列入电话通知名单"]
    places = [shown.index(words) for words in story]
    assert places == sorted(places)
    for words in ("已被用户拒收", "短信平台拒绝发送", "欧**安", "【杏林县中医院】"):
        assert words in shown, words
    assert "欧阳大安" not in shown
    assert client.get(f"{LOG}999999/").status_code == 404


def test_a_message_is_sent_again_once_and_the_page_says_so(client: Client) -> None:
    user, patient = people()
    message = a_message("N01", user, patient=patient)
    arrives(message, Channel.TEMPLATE)
    jobs = len(due_jobs())

    answer = client.post(f"{LOG}{message.pk}/resend/", {"key": "0"})
    again = client.post(f"{LOG}{message.pk}/resend/", {"key": "0"})

    assert (answer.status_code, answer["Location"]) == (302, f"{LOG}{message.pk}/")
    assert again.status_code == 409
    assert "正在发送" in again.content.decode()
    assert due_jobs()[jobs:] == ["messaging.jobs.deliver"]
    assert AuditEntry.objects.filter(act="messaging.resend").count() == 1
    shown = page(client, f"{LOG}{message.pk}/")
    assert "再次发送" in shown
    assert "员工 何嘉仪" in shown
    assert "正在发送，结束后才能再次发送" in shown


def test_what_was_switched_off_offers_no_resend(client: Client) -> None:
    user, patient = people()
    message = a_message("N02", user, patient=patient, until=AT)
    assert actions.begin_try(message_id=message.pk, at=AT) is None

    assert "再次发送" not in page(client, f"{LOG}{message.pk}/")
    assert client.post(f"{LOG}{message.pk}/resend/", {"key": "0"}).status_code == 409
    assert Message.objects.get(pk=message.pk).status == "not_done"


def test_a_phone_is_shown_on_purpose_and_audited(client: Client) -> None:
    task = to_be_called()
    listed = page(client, CALLS)
    assert "139****9001" in listed
    assert "13900139001" not in listed

    shown = client.post(f"{CALLS}{task.pk}/phone/")

    assert shown.status_code == 200
    assert "13900139001" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = AuditEntry.objects.get(act="patients.reveal")
    assert entry.reason == "电话通知：停诊通知"


def test_calls_are_worked_off(client: Client) -> None:
    task = to_be_called()
    close = f"{CALLS}{task.pk}/close/"

    assert client.post(close, {"status": "unreachable"}).status_code == 422
    assert client.post(close, {"status": "open"}).status_code == 422
    assert CallTask.objects.get().status == "open"
    gone = client.post(close, {"status": "unreachable", "note": "三次无人接听"})
    assert (gone.status_code, gone["Location"]) == (302, CALLS)
    assert "没有需要打电话的患者" in page(client, CALLS)
    assert "三次无人接听" in page(client, CALLS, status="unreachable")
    client.post(close, {"status": "done"})
    assert client.post(close, {"status": "done"}).status_code == 409
    done = page(client, CALLS, status="done")
    assert "员工 何嘉仪" in done
    assert "通话情况" not in done
    assert "电话已通知" in page(client, LOG)


def test_every_kind_is_shown_with_its_limits(client: Client) -> None:
    shown = page(client, LOOKS)

    for kind in KINDS.values():
        assert f"{kind.code} {kind.title}" in shown
    assert "11月24日 08:30-09:00" in shown
    assert "原文“11月24日 周二 08:30-09:00”，最多20字" in shown
    assert "按 1 条短信计" in shown


def test_a_kind_without_template_and_a_value_that_cannot_fit_say_so(
    client: Client, settings: Settings
) -> None:
    settings.WECHAT_TEMPLATES = [
        {"kind": "N01", "template_id": "x", "fields": {"doctor": "amount1"}}
    ]

    shown = page(client, LOOKS)

    assert "整条微信消息发不出去" in shown
    assert "公众号还没有配置这条消息的模板" in shown


def test_an_sms_is_counted_as_it_is_charged() -> None:
    assert [preview.SmsText("字" * n).parts for n in (1, 70, 71, 134, 135)] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("role", [Role.FINANCE, Role.SYSTEM_ADMIN, Role.DOCTOR])
def test_others_see_nothing_of_it(role: Role) -> None:
    task = to_be_called()
    other = staff_client(role)

    for address in (LOG, CALLS, LOOKS, f"{LOG}{task.message_id}/"):
        assert other.get(address).status_code == 403, address
    for address in (f"{LOG}{task.message_id}/resend/", f"{CALLS}{task.pk}/phone/"):
        assert other.post(address).status_code == 403, address
    assert not AuditEntry.objects.filter(act__in=["patients.reveal", "messaging.resend"]).exists()
