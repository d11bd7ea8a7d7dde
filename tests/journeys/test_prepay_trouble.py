"""Placing the order goes wrong: no answer, an error, a forged answer, our own process killed.

The order keeps its number whatever happens, so nobody pays twice, and the patient can go on.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.payments.models import Payment
from hospital.testing.sandbox import ROOT
from tests.journeys import database
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves

PREPAY = "transactions/jsapi"
QUERY = "out-trade-no"
TRIES = 2  # the client's own: the first one and its repeat


@pytest.fixture
def impatient(story: Story, settings: Settings) -> Story:
    """Our client waits a quarter of a second only."""
    settings.WECHAT = dataclasses.replace(settings.WECHAT, read_seconds=0.25)
    return story


def pays_in_the_end(story: Story, phone: Phone) -> Payment:
    """The order that stands is paid, and it is the only one there ever was."""
    phone.pays()
    story.deliver()
    (order,) = story.wechat.state()["orders"]
    payment = Payment.objects.get()
    assert order["out_trade_no"] == payment.out_trade_no
    assert moves(phone.appointment) == ["booked"]
    assert moves(phone.appointment.bill) == ["paying", "settled"]
    assert phone.told() == ["N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
    return payment


def does_not_get_the_sheet(phone: Phone) -> None:
    """The button has no sheet to open, and says that nothing was charged."""
    status, said = phone.asks_for_sheet()
    assert (status, list(said)) == (503, ["message"])
    assert "没有扣款" in str(said["message"])


def test_wechat_took_the_order_but_its_answer_never_came(impatient: Story) -> None:
    impatient.wechat.fault("timeout_after_success", match=PREPAY, times=TRIES, seconds=0.5)
    phone = impatient.patient()
    phone.books(impatient.schedule)

    does_not_get_the_sheet(phone)

    assert moves(Payment.objects.get()) == ["unknown"]
    (order,) = impatient.wechat.state()["orders"]
    assert order["trade_state"] == "NOTPAY"
    assert "继续支付" in phone.asks_again().text
    payment = pays_in_the_end(impatient, phone)
    assert moves(payment) == ["unknown", "pending", "succeeded"]


def test_nobody_taps_again_after_the_lost_answer(impatient: Story) -> None:
    """The order at WeChat is closed and the number given back at the hold's end."""
    impatient.wechat.fault("timeout_after_success", match=PREPAY, times=TRIES, seconds=0.5)
    phone = impatient.patient()
    phone.books(impatient.schedule)
    does_not_get_the_sheet(phone)

    impatient.time.passes(minutes=16)

    (order,) = impatient.wechat.state()["orders"]
    assert order["trade_state"] == "CLOSED"
    assert moves(phone.appointment) == ["cancelled"]
    assert phone.told() == ["N02", "N03"]
    nothing_is_stuck(impatient)
    books_balance(impatient, kept_fen=0)


def test_wechat_is_down_when_the_order_is_placed(story: Story) -> None:
    """It never heard of the order; as soon as it is up again the patient pays."""
    story.wechat.fault("http_500", match=PREPAY, times=TRIES)
    phone = story.patient()
    phone.books(story.schedule)

    does_not_get_the_sheet(phone)

    assert story.wechat.state()["orders"] == []
    assert "继续支付" in phone.asks_again().text
    pays_in_the_end(story, phone)


def test_wechat_is_down_and_nobody_comes_back(story: Story) -> None:
    story.wechat.fault("http_500", match=PREPAY, times=TRIES)
    phone = story.patient()
    phone.books(story.schedule)
    does_not_get_the_sheet(phone)

    story.time.passes(minutes=16)

    assert moves(Payment.objects.get())[-1] == "closed"
    assert moves(phone.appointment) == ["cancelled"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)


def test_an_answer_that_wechat_did_not_sign_is_not_believed(story: Story) -> None:
    story.wechat.fault("response_bad_signature", match=PREPAY)
    phone = story.patient()
    phone.books(story.schedule)

    does_not_get_the_sheet(phone)

    assert moves(Payment.objects.get()) == ["unknown"]
    assert Payment.objects.get().prepay_id == ""
    story.time.passes(seconds=6)
    assert moves(Payment.objects.get()) == ["unknown", "pending"]
    phone.opens_pay_page()
    pays_in_the_end(story, phone)


def test_a_forged_answer_to_our_question_settles_nothing(story: Story) -> None:
    """Paid, the notice lost, and the first answers about it are forged: found a little later."""
    story.wechat.fault("notify_lost")
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()
    story.wechat.fault("response_bad_signature", match=QUERY, times=3)

    story.time.passes(seconds=21)
    assert moves(phone.appointment) == []
    assert moves(Payment.objects.get()) == ["pending", "unknown"]
    story.time.passes(minutes=2)

    assert moves(Payment.objects.get()) == ["pending", "unknown", "succeeded"]
    assert moves(phone.appointment) == ["booked"]
    assert phone.told() == ["N01"]
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)


@pytest.mark.django_db(transaction=True)
class TestKilled:
    """Our process dies after WeChat took the order and before we could write that down."""

    @pytest.fixture
    def phone(self, story: Story, tmp_path: Path) -> Phone:
        phone = story.patient()
        phone.books(story.schedule)
        _pay_and_be_killed(story, phone, tmp_path)
        (order,) = story.wechat.state()["orders"]
        payment = Payment.objects.get()
        assert order["out_trade_no"] == payment.out_trade_no
        assert (payment.status, payment.prepay_id) == ("created", "")
        return phone

    def test_the_patient_goes_on(self, story: Story, phone: Phone) -> None:
        assert "继续支付" in phone.opens_pay_page().text
        payment = pays_in_the_end(story, phone)
        assert moves(payment) == ["pending", "succeeded"]

    def test_the_patient_does_not_come_back(self, story: Story, phone: Phone) -> None:
        story.time.passes(minutes=16)

        (order,) = story.wechat.state()["orders"]
        assert order["trade_state"] == "CLOSED"
        assert moves(Payment.objects.get()) == ["closed"]
        assert moves(phone.appointment) == ["cancelled"]
        nothing_is_stuck(story)
        books_balance(story, kept_fen=0)


def _pay_and_be_killed(story: Story, phone: Phone, folder: Path) -> None:
    """Another process of ours places the order; it is killed while WeChat's answer is due."""
    story.wechat.fault("timeout_after_success", match=PREPAY, seconds=20)
    facts: dict[str, Any] = {
        **os.environ,
        "DATABASE_URL": database.address(),
        "WECHAT_CONFIG_FILE": str(story.wechat.export),
        "PUBLIC_URL": story.wechat.letters.address,
        "PYTHONPATH": str(ROOT),
    }
    bill = phone.appointment.bill
    command = [
        *(sys.executable, "-m", "tests.journeys.doomed"),
        *(clock.now().isoformat(), bill.token, str(phone.user.pk), str(bill.total_fen)),
    ]
    with (folder / "doomed.log").open("wb") as log:
        doomed = subprocess.Popen(command, cwd=ROOT, env=facts, stderr=log)
        try:
            story.wechat.until(lambda: len(story.wechat.state()["orders"]) == 1, seconds=30)
        finally:
            doomed.send_signal(signal.SIGKILL)
            assert doomed.wait(timeout=10) == -signal.SIGKILL
