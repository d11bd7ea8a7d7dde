"""Sending money back goes wrong: no balance in the morning, no answer, the notice lost.

However often it is sent, a refund has one number for ever, so the patient gets it once.
"""

from __future__ import annotations

import dataclasses

import pytest
from pytest_django.fixtures import Settings

from hospital.payments.models import PaymentCase, Refund
from hospital.payments.states import CaseKind
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves

REFUND = "refund/domestic/refunds"


@pytest.fixture
def phone(story: Story) -> Phone:
    """Somebody who booked and paid."""
    payer = story.patient()
    payer.books(story.schedule)
    payer.pays()
    story.deliver()
    return payer


def refunded_once(story: Story, phone: Phone) -> None:
    """One refund at WeChat under our one number, told once."""
    (sent,) = story.wechat.state()["refunds"]
    refund = Refund.objects.get()
    assert (sent["out_refund_no"], sent["status"]) == (refund.out_refund_no, "SUCCESS")
    assert moves(phone.appointment) == ["booked", "cancelled"]
    assert moves(phone.appointment.bill) == ["paying", "settled", "refunded"]
    assert phone.told() == ["N01", "N05", "N26"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)


def test_the_merchant_account_is_empty(story: Story, phone: Phone) -> None:
    """NOT_ENOUGH twice: finance has a case, the same number goes out again, and it is cured."""
    story.wechat.fault("refund_not_enough", times=2)
    phone.cancels()
    story.time.work()

    refund = Refund.objects.get()
    assert (refund.status, refund.failure) == ("failed", "NOT_ENOUGH")
    assert PaymentCase.objects.get(closed_at=None).kind == CaseKind.REFUND_STUCK
    assert story.wechat.state()["refunds"] == []
    assert "正在原路退回" in phone.page.text
    story.time.passes(minutes=1.1)
    assert Refund.objects.get().status == "failed"
    story.time.passes(minutes=5.1)

    assert Refund.objects.get().status == "processing"
    assert story.wechat.state()["refunds"][0]["out_refund_no"] == refund.out_refund_no
    story.refund_arrives()
    tries = ["submitted", "failed"] * 2
    assert moves(Refund.objects.get()) == [*tries, "submitted", "processing", "succeeded"]
    refunded_once(story, phone)


def test_wechat_took_the_refund_but_its_answer_never_came(
    story: Story, phone: Phone, settings: Settings
) -> None:
    settings.WECHAT = dataclasses.replace(settings.WECHAT, read_seconds=0.25)
    story.wechat.fault("timeout_after_success", match=REFUND, times=2, seconds=0.5)
    phone.cancels()
    story.time.work()
    assert Refund.objects.get().status == "submitted"

    story.time.passes(seconds=6)

    assert Refund.objects.get().status == "processing"
    story.refund_arrives()
    assert moves(Refund.objects.get()) == ["submitted", "processing", "succeeded"]
    refunded_once(story, phone)


def test_the_refund_notice_is_lost(story: Story, phone: Phone) -> None:
    story.wechat.fault("notify_lost", match="REFUND")
    phone.cancels()
    story.time.work()
    story.wechat.refund_state(Refund.objects.get().out_refund_no, "SUCCESS")

    story.time.passes(minutes=1.1)

    assert phone.told() == ["N01", "N05", "N26"]
    refunded_once(story, phone)


def test_a_forged_answer_is_not_believed(story: Story, phone: Phone) -> None:
    story.wechat.fault("response_bad_signature", match=REFUND)
    phone.cancels()
    story.time.work()
    assert Refund.objects.get().status == "submitted"

    story.time.passes(seconds=6)
    story.refund_arrives()

    refunded_once(story, phone)


def test_cancelling_twice_refunds_once(story: Story, phone: Phone) -> None:
    """The button is pressed in two windows; the second one says that it is over."""
    page = phone.open(f"/m/appointments/{phone.appointment.number}/")
    phone.send("确定退号")
    phone.page = page
    again = phone.send("确定退号", status=409)

    assert "不能退号" in again.text
    story.time.work()
    story.refund_arrives()
    refunded_once(story, phone)
