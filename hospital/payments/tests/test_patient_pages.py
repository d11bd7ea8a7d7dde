"""The pay page: words for every state, the payer's alone; the browser decides nothing."""

import dataclasses
import datetime as dt

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.kernel import clock, moment_cache
from hospital.kernel.actors import SYSTEM
from hospital.payments import jobs
from hospital.payments.models import Payment
from hospital.payments.states import PaymentStatus, PayState
from hospital.payments.tests.world import (
    a_bill,
    a_paid_payment,
    a_pending_payment,
    a_reversed_payment,
    bill_of,
    later_on,
)
from hospital.testing.people import a_wechat_user, patient_client
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def payer(bill: Bill) -> Client:
    assert bill.wechat_user is not None
    return patient_client(bill.wechat_user)


def page(bill: Bill, name: str = "payments-pay") -> str:
    return reverse(name, args=[bill.token])


def state_of(client: Client, bill: Bill) -> str:
    answer = client.get(page(bill))
    assert answer.status_code == 200
    shown = str(answer.context["bill"].state)
    fragment = client.get(page(bill, "payments-status")).content.decode()
    assert f'data-state="{shown}"' in fragment
    assert 'id="pay-bar"' in fragment
    assert "<html" not in fragment
    return shown


def test_an_unpaid_bill(wechat: StandIn) -> None:
    bill = a_bill()
    text = payer(bill).get(page(bill)).content.decode()
    assert state_of(payer(bill), bill) == PayState.UNPAID
    for words in ("挂号费 针灸推拿科", "陈*宁", "微信支付", "内完成支付", "¥25.00"):
        assert words in text
    assert "陈晓宁" not in text
    assert not Payment.objects.exists()


def test_only_a_held_number_is_called_kept(wechat: StandIn) -> None:
    held, free = a_bill(), a_bill(ends_in=None)
    a_pending_payment(held)
    a_pending_payment(free)
    assert "已为您保留，请在 <b" in payer(held).get(page(held)).content.decode()
    text = payer(free).get(page(free)).content.decode()
    assert "已为您保留" not in text
    assert "请在 <b" in text


def test_the_button_answers_with_the_sheet(wechat: StandIn) -> None:
    bill = a_bill()
    client = payer(bill)
    answer = client.post(page(bill), {"amount_fen": 2500}, headers=JSON)
    assert answer.status_code == 200
    sheet = answer.json()["sheet"]
    assert set(sheet) == {"appId", "timeStamp", "nonceStr", "package", "signType", "paySign"}
    assert state_of(client, bill) == PayState.PAYING
    again = client.post(page(bill), {"amount_fen": 2500}, headers=JSON)
    assert again.json()["sheet"]["package"].startswith("prepay_id=wx")
    assert Payment.objects.count() == 1


def test_without_scripts_the_page_comes_back(wechat: StandIn) -> None:
    bill = a_bill()
    answer = payer(bill).post(page(bill), {"amount_fen": 2500})
    assert (answer.status_code, answer.headers["Location"]) == (302, page(bill))


@pytest.mark.parametrize("name", ["payments-pay", "payments-status", "payments-ask"])
def test_somebody_elses_bill_does_not_exist(wechat: StandIn, name: str) -> None:
    bill = a_bill()
    stranger = patient_client(a_wechat_user())
    method = stranger.post if name == "payments-ask" else stranger.get
    assert method(page(bill, name)).status_code == 404
    assert stranger.post(page(bill), {"amount_fen": 2500}, headers=JSON).status_code == 404
    assert stranger.get(reverse("payments-pay", args=["no-such-bill"])).status_code == 404
    assert not Payment.objects.exists()


def test_without_a_log_in_wechat_is_asked_who_it_is(wechat: StandIn, client: Client) -> None:
    answer = client.get(page(a_bill()))
    assert answer.status_code == 302
    assert "/m/login/" in answer.headers["Location"]


@pytest.mark.parametrize("amount", ["", "-1", "2499", "abc"])
def test_another_amount_is_refused(wechat: StandIn, amount: str) -> None:
    bill = a_bill()
    answer = payer(bill).post(page(bill), {"amount_fen": amount}, headers=JSON)
    assert answer.status_code in {409, 422}
    assert not Payment.objects.exists()
    assert wechat.state()["orders"] == []


def test_paid_on_the_phone_and_asked(wechat: StandIn) -> None:
    """The notice is lost; after the sheet the page asks, and the server asks WeChat."""
    wechat.fault("notify_lost")
    bill = a_bill()
    client = payer(bill)
    client.post(page(bill), {"amount_fen": 2500}, headers=JSON)
    wechat.pay(Payment.objects.get().out_trade_no)
    answer = client.post(page(bill, "payments-ask"))
    text = answer.content.decode()
    assert 'data-state="paid"' in text
    assert "支付成功" in text
    assert "/m/appointments/X/" in text
    assert "微信支付</button>" not in text


def test_not_paid_and_asked(wechat: StandIn) -> None:
    payment = a_pending_payment()
    answer = payer(bill_of(payment)).post(page(bill_of(payment), "payments-ask"))
    assert 'data-state="paying"' in answer.content.decode()
    assert "继续支付" in answer.content.decode()


def test_asking_goes_by_post_only(wechat: StandIn) -> None:
    bill = a_bill()
    assert payer(bill).get(page(bill, "payments-ask")).status_code == 405
    assert payer(bill).post(page(bill, "payments-status")).status_code == 405


def test_paying_wants_the_token_of_the_page(wechat: StandIn) -> None:
    bill = a_bill()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = payer(bill).cookies
    assert strict.post(page(bill), {"amount_fen": 2500}, headers=JSON).status_code == 403
    assert not Payment.objects.exists()


def test_wechat_out_of_reach(wechat: StandIn, settings: Settings) -> None:
    bill = a_bill()
    connected = settings.WECHAT
    settings.WECHAT = dataclasses.replace(connected, pay_base="http://127.0.0.1:9")
    client = payer(bill)
    answer = client.post(page(bill), {"amount_fen": 2500}, headers=JSON)
    assert answer.status_code == 503
    assert "没有扣款" in answer.json()["message"]
    assert state_of(client, bill) == PayState.CONFIRMING
    assert "您的钱是安全的" in client.get(page(bill)).content.decode()
    assert client.post(page(bill, "payments-ask")).status_code == 200
    assert state_of(client, bill) == PayState.CONFIRMING
    settings.WECHAT = connected
    client.post(page(bill, "payments-ask"))
    assert state_of(client, bill) == PayState.PAYING
    assert "sheet" in client.post(page(bill), {"amount_fen": 2500}, headers=JSON).json()


def test_paid_meanwhile(wechat: StandIn) -> None:
    payment = a_pending_payment()
    wechat.pay(payment.out_trade_no)
    answer = payer(bill_of(payment)).post(
        page(bill_of(payment)), {"amount_fen": 2500}, headers=JSON
    )
    assert answer.json() == {"ended": True}
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.SUCCEEDED


def test_states_after_payment(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    bill, client = bill_of(payment), payer(bill_of(payment))
    assert state_of(client, bill) == PayState.REFUNDING
    jobs.send_refund(refund_id=refund.pk)
    assert state_of(client, bill) == PayState.REFUNDING
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    jobs.ask_refund(refund_id=refund.pk)
    assert state_of(client, bill) == PayState.REFUNDED
    assert "已退款" in client.get(page(bill)).content.decode()


def test_a_paid_bill_shows_its_receipt(wechat: StandIn) -> None:
    payment = a_paid_payment(wechat)
    text = payer(bill_of(payment)).get(page(bill_of(payment))).content.decode()
    assert bill_of(payment).receipt_no in text
    assert state_of(payer(bill_of(payment)), bill_of(payment)) == PayState.PAID


def test_an_order_past_its_time_is_being_confirmed(wechat: StandIn) -> None:
    payment = a_pending_payment()
    client = payer(bill_of(payment))
    with later_on(wechat, dt.timedelta(minutes=15, seconds=1)):
        assert state_of(client, bill_of(payment)) == PayState.CONFIRMING
        jobs.settle_or_close(payment_id=payment.pk)
        assert state_of(client, bill_of(payment)) == PayState.EXPIRED
        refused = client.post(page(bill_of(payment)), {"amount_fen": 2500}, headers=JSON)
        assert refused.status_code == 409


def test_given_up_bills(wechat: StandIn) -> None:
    expired, cancelled = a_bill(), a_bill()
    with transaction.atomic():
        billing.expire_bill(bill_id=expired.pk, by=SYSTEM, at=clock.now())
        billing.cancel_bill(bill_id=cancelled.pk, by=SYSTEM, at=clock.now())
    assert state_of(payer(expired), expired) == PayState.EXPIRED
    assert state_of(payer(cancelled), cancelled) == PayState.CANCELLED
    assert "没有扣款" in payer(cancelled).get(page(cancelled)).content.decode()


def test_a_bill_of_nought_is_paid_from_the_start(wechat: StandIn) -> None:
    bill = a_bill(fen=0)
    assert state_of(payer(bill), bill) == PayState.PAID
    answer = payer(bill).post(page(bill), {"amount_fen": 0}, headers=JSON)
    assert answer.status_code == 409


def test_another_live_order_of_a_stranger_is_respected(wechat: StandIn) -> None:
    payment = a_pending_payment()
    Payment.objects.filter(pk=payment.pk).update(payer=a_wechat_user())
    answer = payer(bill_of(payment)).post(
        page(bill_of(payment)), {"amount_fen": 2500}, headers=JSON
    )
    assert answer.status_code == 409


def test_hammering_costs_one_question_a_second(
    wechat: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moment_cache, "SECONDS", 5.0)
    payment = a_pending_payment()
    client = payer(bill_of(payment))
    client.post(page(bill_of(payment), "payments-ask"))
    wechat.pay(payment.out_trade_no)
    answer = client.post(page(bill_of(payment), "payments-ask"))
    assert 'data-state="paying"' in answer.content.decode()
