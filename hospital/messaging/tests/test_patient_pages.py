"""The inbox: works, wrong method, stranger, not logged in."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hospital.identity.models import WeChatUser
from hospital.kernel.actors import SYSTEM
from hospital.messaging import actions, queries
from hospital.messaging.models import Message, MessagePreference
from hospital.messaging.states import Switch
from hospital.testing.people import a_wechat_user, patient_client

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
INBOX = "/m/messages/"
SETTINGS = "/m/messages/settings/"


def tell(user: WeChatUser, *, number: int = 1) -> Message:
    (message_id,) = actions.send(
        kind="N05",
        to=[user.pk],
        event_key=f"appointment:{number}:cancelled",
        subject=user,
        fields={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "date": f"11月{number}日 周二",
            "refund": "¥25.00",
            "arrival": "1 到 3 个工作日",
        },
        path="/m/appointments/abc/",
        by=SYSTEM,
        at=AT,
    )
    return Message.objects.get(pk=message_id)


def test_it_lists_messages_newest_first_with_their_lines() -> None:
    user = a_wechat_user()
    tell(user, number=1)
    tell(user, number=2)

    answer = patient_client(user).get(INBOX)

    page = answer.content.decode()
    assert page.index("11月2日") < page.index("11月1日")
    assert "退款金额" in page
    assert "¥25.00" in page
    assert page.count("未读") == 2
    assert "no-store" in answer["Cache-Control"]


def test_an_empty_inbox_says_what_will_come() -> None:
    assert "还没有消息" in patient_client(a_wechat_user()).get(INBOX).content.decode()


def test_opening_marks_as_read_and_goes_to_the_exact_thing() -> None:
    user = a_wechat_user()
    message = tell(user)
    client = patient_client(user)

    answer = client.get(f"{INBOX}{message.token}/")

    assert (answer.status_code, answer["Location"]) == (302, "/m/appointments/abc/")
    message.refresh_from_db()
    assert message.read_at is not None
    assert "未读" not in client.get(INBOX).content.decode()


def test_all_can_be_marked_as_read() -> None:
    user = a_wechat_user()
    tell(user, number=1)
    tell(user, number=2)

    answer = patient_client(user).post(f"{INBOX}read/")

    assert (answer.status_code, answer["Location"]) == (302, INBOX)
    assert queries.unread_count(wechat_user_id=user.pk) == 0


def test_a_message_of_somebody_else_is_not_found_and_stays_unread() -> None:
    message = tell(a_wechat_user())
    stranger = patient_client(a_wechat_user())

    assert stranger.get(f"{INBOX}{message.token}/").status_code == 404
    assert stranger.get(f"{INBOX}nonsense/").status_code == 404
    assert stranger.get(INBOX).content.decode().count("退号成功") == 0
    message.refresh_from_db()
    assert message.read_at is None


def test_without_a_log_in_the_link_leads_through_wechat_to_the_message(client: Client) -> None:
    message = tell(a_wechat_user())

    answer = client.get(f"{INBOX}{message.token}/")

    assert answer["Location"] == f"/m/login/?next=%2Fm%2Fmessages%2F{message.token}%2F"


def test_wrong_methods_are_refused() -> None:
    client = patient_client(a_wechat_user())

    assert client.post(INBOX).status_code == 405
    assert client.get(f"{INBOX}read/").status_code == 405
    assert client.post(f"{INBOX}x/").status_code == 405


def test_a_long_inbox_is_turned_page_by_page_at_the_same_cost(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    user = a_wechat_user()
    client = patient_client(user)
    for number in range(1, 4):
        tell(user, number=number)
    # session, user, count of pages, messages, count of unread
    with django_assert_num_queries(5):
        client.get(INBOX)
    for number in range(4, 31):
        tell(user, number=number)
    with django_assert_num_queries(5):
        first = client.get(INBOX)

    assert first.content.decode().count("退号成功") == 20
    assert client.get(f"{INBOX}?page=2").content.decode().count("退号成功") == 10
    assert client.get(f"{INBOX}?page=99").status_code == 200


def test_switches_stand_where_their_owner_puts_them() -> None:
    user, other = a_wechat_user(), a_wechat_user()
    client = patient_client(user)
    fresh = client.get(SETTINGS).content.decode()
    assert fresh.count("checked") == 2, "results and reminders come, nights are quiet"
    assert "停诊通知、预约限制通知、替诊通知、退费通知" in fresh
    assert "22:00–07:00" in fresh

    answer = client.post(SETTINGS, {"todo": "on", "anytime": "on"})

    assert (answer.status_code, answer["Location"]) == (302, SETTINGS)
    assert stand(user) == {Switch.BOOKING: False, Switch.TODO: True, Switch.ANYTIME: True}
    assert stand(other) == {Switch.BOOKING: True, Switch.TODO: True, Switch.ANYTIME: False}
    client.post(SETTINGS, {"booking": "on"})
    assert stand(user) == {Switch.BOOKING: True, Switch.TODO: False, Switch.ANYTIME: False}


def stand(user: WeChatUser) -> dict[Switch, bool]:
    return {row.switch: row.is_on for row in queries.switches_of(wechat_user_id=user.pk)}


def test_the_settings_ask_for_a_log_in(client: Client) -> None:
    answer = client.post(SETTINGS, {})

    assert answer.status_code == 302
    assert answer["Location"].startswith("/m/login/")
    assert not MessagePreference.objects.exists()
