"""Telling people goes wrong: the access token is refused, the account is blocked or not followed.

What WeChat does not deliver stays in the hospital's own inbox, with the reason.
"""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.scheduling import actions as scheduling
from hospital.testing.people import staff_client
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves


def books_and_pays(story: Story, phone: Phone) -> None:
    phone.books(story.schedule)
    phone.pays()
    story.deliver()


def test_a_refused_token_is_renewed_once_and_the_message_sent_once(story: Story) -> None:
    """40001 in the middle of the day: one refresh, whoever else sends uses the new token."""
    first, second = story.patient(), story.patient("林若谷")
    books_and_pays(story, first)
    assert story.wechat.state()["tokens"] == 1
    story.wechat.fault("token_invalid")

    books_and_pays(story, second)
    second.cancels()
    story.time.work()
    story.refund_arrives()

    assert story.wechat.state()["tokens"] == 2
    assert first.told() == ["N01"]
    assert second.told() == ["N01", "N05", "N26"]
    assert {status for _, status, _ in second.inbox()} == {"sent"}
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_a_token_refused_for_ever_delays_and_loses_nothing(story: Story) -> None:
    """Refused again with the fresh one: no hammering, the message goes out when it is mended."""
    phone = story.patient()
    story.wechat.fault("token_invalid", times=2)

    books_and_pays(story, phone)

    assert phone.told() == []
    assert moves(phone.appointment) == ["booked"], "the booking does not wait for messages"
    story.time.passes(seconds=10)
    assert phone.told() == ["N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_who_blocked_the_account_finds_the_message_in_the_inbox(story: Story) -> None:
    phone = story.patient()
    phone.handset.press("block", on=True)

    books_and_pays(story, phone)

    assert phone.told() == []
    assert phone.inbox() == [("N01", "fallback", "blocked")]
    assert "挂号成功" in phone.open("/m/messages/").text
    assert phone.follow("查看详情").path == f"/m/appointments/{phone.appointment.number}/"
    desk = staff_client(Role.REGISTRATION_CLERK)
    history = desk.get(reverse("desk-appointment", args=[phone.appointment.number]))
    assert "仅站内消息、已被用户拒收" in history.content.decode(), "why the phone stayed silent"
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_who_does_not_follow_the_account_books_all_the_same(story: Story) -> None:
    phone = story.patient()
    phone.handset.press("follow", on=False)

    books_and_pays(story, phone)

    assert phone.inbox() == [("N01", "fallback", "not_following")]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_a_suspension_reaches_who_blocked_the_account_by_sms(story: Story) -> None:
    """N06 matters too much for the inbox alone: the patient's own phone gets it, once."""
    told, blocked = story.patient(), story.patient("林若谷")
    books_and_pays(story, told)
    books_and_pays(story, blocked)
    blocked.handset.press("block", on=True)

    scheduling.suspend_schedule(
        schedule_id=story.schedule.pk, reason="病假", by=SYSTEM, at=clock.now()
    )
    story.time.work()

    assert told.told() == ["N01", "N06"]
    assert blocked.inbox()[-1] == ("N06", "fallback", "blocked")
    (text,) = story.wechat.sms()
    assert text["text"].startswith(f"【{settings.HOSPITAL_NAME}】林*谷预约的")
    assert "¥25.00 原路退回" in text["text"]
    for row in story.wechat.state()["refunds"]:
        story.wechat.refund_state(row["out_refund_no"], "SUCCESS")
    story.deliver(2)
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)


def test_wechats_api_is_down_for_a_while(story: Story) -> None:
    phone = story.patient()
    story.wechat.fault("http_500", match="template/send", times=2)

    books_and_pays(story, phone)

    assert phone.inbox() == [("N01", "queued", "")]
    story.time.passes(minutes=1)
    assert phone.told() == ["N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
