"""Money that arrives after the hold ran out (M1.6): seated again if a place is left, else returned.

WeChat closes the order at its end, yet a password entered the moment before goes through.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from hospital.identity.states import Role
from hospital.payments.models import Payment, PaymentCase, Refund
from hospital.scheduling.models import Schedule
from hospital.testing.people import staff_client
from hospital.testing.schedules import NOW, a_released_schedule
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves


@pytest.fixture
def single(story: Story) -> Schedule:
    """A session with one number an hour, so that one other patient fills a band."""
    department = story.schedule.department
    return a_released_schedule(department=department, capacity=4, at=NOW)


def holds_until_the_end(story: Story, schedule: Schedule, name: str = "陈晓宁") -> Phone:
    """Somebody opens the payment sheet and lets the quarter of an hour run out over it."""
    phone = story.patient(name)
    phone.books(schedule)
    phone.opens_sheet()
    story.time.passes(minutes=15, seconds=5)
    assert moves(phone.appointment) == ["cancelled"]
    assert moves(phone.appointment.bill) == ["paying", "issued", "expired"]
    assert moves(Payment.objects.latest("pk")) == ["pending", "closed"]
    assert phone.told() == ["N02", "N03"]
    return phone


def pays_late(story: Story, phone: Phone) -> None:
    """The payment that was under way at WeChat comes through after all."""
    payment = phone.appointment.bill.allocations.get().payment
    story.wechat.pay(payment.out_trade_no, mode="late")
    story.deliver()


def returned_within_a_minute(phone: Phone) -> None:
    """The refund left for WeChat at most a minute after the money had arrived."""
    refund = Refund.objects.get(bill=phone.appointment.bill)
    assert refund.submitted_at is not None
    assert refund.payment.succeeded_at is not None
    assert refund.submitted_at - refund.payment.succeeded_at <= dt.timedelta(minutes=1)
    assert refund.amount_fen == 2500


def test_the_same_number_is_still_free(story: Story) -> None:
    phone = holds_until_the_end(story, story.schedule)
    before = phone.appointment.slot_id

    pays_late(story, phone)

    assert phone.appointment.slot_id == before
    assert moves(phone.appointment) == ["cancelled", "booked"]
    assert moves(Payment.objects.get()) == ["pending", "closed", "succeeded"]
    assert phone.told() == ["N02", "N03", "N01"]
    assert "就诊序号 1" in phone.opens_card(phone.chat()[-1]).text
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_another_number_of_the_hour_is_free(story: Story) -> None:
    phone = holds_until_the_end(story, story.schedule)
    other = story.patient("林若谷")
    other.books(story.schedule)
    assert other.appointment.slot_id == phone.appointment.slot_id
    other.pays()
    story.deliver()

    pays_late(story, phone)

    assert phone.appointment.slot.sequence_no == 2
    assert phone.chat()[-1].lines["就诊序号"] == "2"
    assert (phone.told(), other.told()) == (["N02", "N03", "N01"], ["N01"])
    nothing_is_stuck(story)
    books_balance(story, kept_fen=5000)


def test_e2_the_place_is_taken_so_the_money_goes_back(story: Story, single: Schedule) -> None:
    """Paid 15 min 05 s after the hold began: cured without anybody of the hospital, and both
    patients know exactly what is theirs."""
    phone = holds_until_the_end(story, single)
    other = story.patient("林若谷")
    other.books(single)
    other.pays()
    story.deliver()

    pays_late(story, phone)

    returned_within_a_minute(phone)
    assert moves(phone.appointment) == ["cancelled"]
    waiting = phone.open(phone.appointment.bill.path)
    assert "¥25.00 正在原路退回" in waiting.text
    story.refund_arrives()
    assert phone.told() == ["N02", "N03", "N26"]
    assert phone.chat()[-1].lines["退款状态"] == "退款成功"
    assert moves(other.appointment) == ["booked"]
    assert other.told() == ["N01"]
    assert "就诊序号 1" in other.opens_card(other.chat()[-1]).text
    assert not PaymentCase.objects.exists()
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_m1_06_the_place_is_promised_to_somebody_in_line(story: Story, single: Schedule) -> None:
    """Late money overtakes nobody: the number that came free is for the one who waits."""
    phone = story.patient()
    phone.books(single)
    phone.opens_sheet()
    others = [story.patient(name) for name in ("林若谷", "周一鸣", "吴双")]
    for band, other in zip(single.bands.order_by("starts_at")[1:], others, strict=True):
        other.books(single, band)
        other.pays()
        story.deliver()
    waiting = story.patient("郑九思")
    waiting.open(reverse("registration-wait", args=[single.pk]))
    assert "前面还有 0" in waiting.send("加入候补").text
    story.time.passes(minutes=17)
    assert waiting.told() == ["N08"]

    pays_late(story, phone)

    returned_within_a_minute(phone)
    story.refund_arrives()
    assert phone.told() == ["N02", "N03", "N26"]
    waiting.opens_pay_page()
    waiting.pays()
    story.deliver()
    assert waiting.told() == ["N08", "N01"]
    assert waiting.appointment.slot_id == phone.appointment.slot_id
    books_balance(story, kept_fen=4 * 2500)


def test_the_place_is_only_held_by_somebody_who_may_not_pay(story: Story, single: Schedule) -> None:
    """A hold is a promise: the late money goes back even if the other one never pays."""
    phone = holds_until_the_end(story, single)
    story.patient("林若谷").books(single)

    pays_late(story, phone)

    returned_within_a_minute(phone)
    story.refund_arrives()
    story.time.passes(minutes=16)
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)


def test_the_patient_has_booked_again_meanwhile(story: Story) -> None:
    """Never two appointments for one visit: the second one stands, the late money goes back."""
    phone = holds_until_the_end(story, story.schedule)
    first = phone.appointment
    phone.books(story.schedule)
    phone.pays()
    story.deliver()
    second = phone.appointment

    story.wechat.pay(first.bill.allocations.get().payment.out_trade_no, mode="late")
    story.deliver()

    story.refund_arrives()
    assert (moves(first), moves(second)) == (["cancelled"], ["booked"])
    assert phone.told() == ["N02", "N03", "N01", "N26"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


def test_late_and_its_notice_lost_so_the_desk_asks(story: Story) -> None:
    """The patient comes with the receipt on the phone; finance asks WeChat again."""
    story.wechat.fault("notify_lost")
    phone = holds_until_the_end(story, story.schedule)
    payment = phone.appointment.bill.allocations.get().payment
    story.wechat.pay(payment.out_trade_no, mode="late")

    answer = staff_client(Role.FINANCE).post(reverse("payments-ask-again", args=[payment.pk]))

    assert answer.status_code == 302
    story.time.work()
    assert moves(phone.appointment) == ["cancelled", "booked"]
    assert phone.told() == ["N02", "N03", "N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
