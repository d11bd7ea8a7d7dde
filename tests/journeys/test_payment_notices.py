"""WeChat's payment notice is lost, or comes twenty times at once: the patient is booked once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from django.db import connections
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from hospital.payments.models import Notice, Payment
from hospital.payments.states import NoticeOutcome
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves

COPIES = 20


def booked_once(story: Story, phone: Phone) -> None:
    """One state change each, one message, the money kept."""
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
    assert moves(phone.appointment) == ["booked"]
    assert moves(phone.appointment.bill) == ["paying", "settled"]
    assert moves(Payment.objects.get()) == ["pending", "succeeded"]
    assert phone.told() == ["N01"]


def test_a_lost_notice_is_found_by_asking(story: Story) -> None:
    """The app is killed right after the password; nobody ever looks at the page again."""
    story.wechat.fault("notify_lost")
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()
    story.time.passes(seconds=15)
    assert moves(phone.appointment) == []

    story.time.passes(seconds=6)

    assert moves(phone.appointment) == ["booked"]
    assert not Notice.objects.exists()
    booked_once(story, phone)


def test_a_lost_notice_is_found_by_the_page_first(story: Story) -> None:
    story.wechat.fault("notify_lost")
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()

    paid = phone.asks_again()

    assert "支付成功" in paid.text
    story.time.work()
    booked_once(story, phone)


def test_a_lost_notice_is_found_at_the_holds_end_when_the_worker_was_down(story: Story) -> None:
    story.wechat.fault("notify_lost")
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()
    story.time.sleeps(minutes=16)

    story.time.work()

    booked_once(story, phone)


def test_a_notice_that_comes_again_and_again(story: Story) -> None:
    """One after the other, the last one long after everything is settled."""
    story.wechat.fault("notify_dup", times=5)
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()

    story.deliver(count=5)

    assert [row.outcome for row in Notice.objects.all()] == [NoticeOutcome.APPLIED]
    booked_once(story, phone)


def test_twenty_copies_at_once_and_the_page_asking_meanwhile(
    story: Story, live_server: LiveServer, settings: Settings
) -> None:
    """Straight from WeChat to a server with threads, each copy a connection of its own."""
    settings.PUBLIC_URL = live_server.url
    story.wechat.fault("notify_concurrent", times=COPIES)
    phone = story.patient()
    phone.books(story.schedule)
    with ThreadPoolExecutor(max_workers=1) as second_thumb:
        prepay_id = phone.opens_sheet()
        asking = second_thumb.submit(_ask_until_known, phone)
        assert phone.enters_password(prepay_id) == "paid"
        story.wechat.until(lambda: len(story.wechat.deliveries()) == COPIES)
        asking.result()

    answers = [said["status"] for said in story.wechat.deliveries()]
    assert answers == [204] * COPIES
    (notice,) = Notice.objects.all()
    assert notice.outcome in {NoticeOutcome.APPLIED, NoticeOutcome.REPEATED}
    story.time.work()
    booked_once(story, phone)


def _ask_until_known(phone: Phone) -> None:
    """The page's own thread, with a database connection of its own."""
    while "支付成功" not in phone.page.text:
        phone.asks_again()
    connections.close_all()
