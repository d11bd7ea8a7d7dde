"""Native on a screen, our own QR, and the cashier's scanner: one bill is paid once, by whoever."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from hospital.billing import actions as billing
from hospital.billing.models import Bill
from hospital.billing.states import BillStatus
from hospital.identity.models import WeChatUser
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import NotFound
from hospital.kernel.request_keys import KeyReused
from hospital.payments import actions, gateway, queries
from hospital.payments.gateway.scan import Charged
from hospital.payments.models import PayCode, Payment, PaymentCase
from hospital.payments.states import (
    CodeState,
    CollectState,
    PaymentStatus,
    Scene,
    TradeType,
)
from hospital.payments.tests.world import (
    a_bill,
    a_paid_payment,
    a_pending_payment,
    bill_of,
    later_on,
    money,
    start,
)
from hospital.testing.jobs import due_jobs, run_jobs
from hospital.testing.people import a_wechat_user
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
CASHIER = Actor("staff", 3)
LOCKED = dt.timedelta(minutes=2, seconds=1)


def on_screen(*bills: Bill) -> gateway.CodeShown:
    shown = gateway.start_native(
        bill_ids=[bill.pk for bill in bills],
        shown_fen=sum(bill.total_fen for bill in bills),
        by=CASHIER,
        at=clock.now(),
    )
    assert isinstance(shown, gateway.CodeShown)
    return shown


def view(payment_id: int) -> CollectState:
    return queries.collect_view(payment_id=payment_id, at=clock.now()).state


def test_a_code_on_the_screen_is_paid_by_whoever_scans_it(wechat: StandIn, client: Client) -> None:
    bills = [a_bill(fen=2500), a_bill(fen=700)]
    shown = on_screen(*bills)
    assert shown.code_url.startswith("weixin://")
    assert on_screen(*bills) == shown, "the same code while it stands"
    assert view(shown.payment_id) is CollectState.WAITING
    wechat.pay_code_url(shown.code_url, openid=a_wechat_user().openid)
    assert wechat.letters.wait()[0].hand_to(client).status_code == 204
    payment = Payment.objects.get()
    assert (payment.trade_type, payment.scene) == (TradeType.NATIVE, Scene.SCREEN_CODE)
    assert payment.payer is not None, "WeChat told who paid"
    assert view(payment.pk) is CollectState.PAID
    for bill in bills:
        bill.refresh_from_db()
        assert bill.status == BillStatus.SETTLED
        assert money(bill) == (bill.total_fen, bill.total_fen, 0)


def test_a_code_taken_off_the_screen_ends_its_order_and_the_bill_stands(wechat: StandIn) -> None:
    bill = a_bill(ends_in=None)
    first = on_screen(bill)
    assert first.expires_at - clock.now() > dt.timedelta(minutes=119)
    stopped = gateway.stop_native(payment_id=first.payment_id, by=CASHIER, at=clock.now())
    bill.refresh_from_db()
    assert (stopped.status, bill.status) == (PaymentStatus.CLOSED, BillStatus.ISSUED)
    assert view(first.payment_id) is CollectState.FAILED


def test_m4_4_one_payer_at_a_time_and_after_two_minutes_the_next(wechat: StandIn) -> None:
    bill = a_bill(ends_in=None)
    first = a_pending_payment(bill)
    with pytest.raises(actions.PaidElsewhere):
        on_screen(bill)
    assert Payment.objects.count() == 1
    with later_on(wechat, LOCKED):
        shown = on_screen(bill)
    first.refresh_from_db()
    assert (first.status, shown.payment_id) != (PaymentStatus.PENDING, first.pk)
    assert first.status == PaymentStatus.CLOSED


def test_tapping_like_mad_plans_no_more_questions(wechat: StandIn) -> None:
    bill = a_bill(ends_in=None)
    first = a_pending_payment(bill)
    wechat.fault("http_500", times=-1)
    with later_on(wechat, LOCKED):
        before = len(due_jobs())
        for _ in range(3):
            with pytest.raises(actions.PaidElsewhere):
                on_screen(bill)
        assert len(due_jobs()) == before
    first.refresh_from_db()
    assert first.status == PaymentStatus.UNKNOWN


def test_taking_over_finds_what_was_paid_meanwhile(wechat: StandIn) -> None:
    bill = a_bill(ends_in=None)
    first = a_pending_payment(bill)
    wechat.pay(first.out_trade_no)
    with later_on(wechat, LOCKED), pytest.raises(billing.BillNotPayable):
        on_screen(bill)
    first.refresh_from_db()
    assert first.status == PaymentStatus.SUCCEEDED
    assert money(bill) == (2500, 2500, 0)


# ------------------------------------------------------------------ our own QR


def a_code(*bills: Bill) -> PayCode:
    return actions.create_pay_code(bill_ids=[bill.pk for bill in bills], by=CASHIER, at=clock.now())


def page(code: PayCode, user: WeChatUser) -> queries.PayCodePage:
    return queries.pay_code_page(token=code.token, wechat_user_id=user.pk, at=clock.now())


def scan(code: PayCode, user: WeChatUser, fen: int) -> Any:
    return gateway.start_code_payment(
        token=code.token,
        wechat_user_id=user.pk,
        shown_fen=fen,
        by=Actor("patient", user.pk),
        at=clock.now(),
    )


def test_m5_1_whoever_scans_pays_what_is_unpaid_now(wechat: StandIn, client: Client) -> None:
    bills = [a_bill(fen=2500), a_bill(fen=700)]
    code, family = a_code(*bills), a_wechat_user()
    assert len(code.token) == 22
    assert a_code(*bills) == code, "M5.3: a slip printed again has the same token"
    assert a_code(bills[0]) != code
    seen = page(code, family)
    assert (seen.state, seen.total_fen, seen.lines) == (CodeState.UNPAID, 3200, ())
    assert not Payment.objects.exists(), "looking makes no order"
    assert isinstance(scan(code, family, 3200), gateway.Sheet)
    payment = Payment.objects.get()
    assert (payment.payer_id, payment.scene) == (family.pk, Scene.OWN_CODE)
    assert page(code, family).state is CodeState.PAYING
    assert page(code, a_wechat_user()).state is CodeState.ELSEWHERE
    wechat.pay(payment.out_trade_no)
    wechat.letters.wait()[0].hand_to(client)
    seen = page(code, a_wechat_user())
    assert (seen.state, seen.paid_fen, seen.total_fen) == (CodeState.PAID, 3200, 0)
    with pytest.raises(billing.BillNotPayable):
        scan(code, family, 3200)


def test_m5_2_lines_are_for_the_bound_only(wechat: StandIn) -> None:
    bill = a_bill()
    assert bill.wechat_user is not None
    assert len(page(a_code(bill), bill.wechat_user).lines) == 1


def test_m5_3_a_changed_slip_shows_the_new_amount(wechat: StandIn) -> None:
    bills = [a_bill(fen=2500), a_bill(fen=700)]
    code, family = a_code(*bills), a_wechat_user()
    with transaction.atomic():
        billing.cancel_bill(bill_id=bills[0].pk, by=SYSTEM, at=clock.now())
    assert page(code, family).total_fen == 700
    with pytest.raises(billing.BillChanged):
        scan(code, family, 3200)
    assert not Payment.objects.exists()
    assert isinstance(scan(code, family, 700), gateway.Sheet)


def test_cancelled_and_revoked_codes_pay_nothing(wechat: StandIn) -> None:
    bill, other, family = a_bill(), a_bill(), a_wechat_user()
    code, revoked = a_code(bill), a_code(other)
    with transaction.atomic():
        billing.cancel_bill(bill_id=bill.pk, by=SYSTEM, at=clock.now())
    assert page(code, family).state is CodeState.CANCELLED
    behind = revoked.created_at - dt.timedelta(seconds=2)  # another server's clock
    dead_code = actions.revoke_pay_code(pay_code_id=revoked.pk, by=CASHIER, at=behind)
    assert dead_code.revoked_at == revoked.created_at
    seen = page(revoked, family)
    assert (seen.state, seen.patient_name, seen.total_fen) == (CodeState.REVOKED, "", 0)
    for dead in (code, revoked):
        with pytest.raises(billing.BillNotPayable):
            scan(dead, family, 2500)
    with pytest.raises(NotFound):
        queries.pay_code_page(token="no", wechat_user_id=family.pk, at=clock.now())
    assert not Payment.objects.exists()
    assert a_code(other) != revoked


# ------------------------------------------------------------------ the cashier's scanner


def charge(bill: Bill, auth_code: str, key: str = "k1") -> Charged:
    return gateway.charge_code(
        bill_ids=[bill.pk],
        auth_code=auth_code,
        shown_fen=bill.total_fen,
        key=key,
        client_ip="10.1.1.9",
        device_id="window-3",
        by=CASHIER,
        at=clock.now(),
    )


def seconds(wechat: StandIn, count: int) -> Any:
    return later_on(wechat, dt.timedelta(seconds=count))


def test_a_scanned_code_pays_at_once(wechat: StandIn) -> None:
    bill, code = a_bill(), wechat.scan_code()
    done = charge(bill, f"{code[:6]} {code[6:]}")
    assert (done.payment.status, done.declined) == (PaymentStatus.SUCCEEDED, "")
    assert (done.payment.scene, done.payment.trade_type) == (Scene.CASHIER_SCAN, TradeType.SCAN)
    assert money(bill) == (2500, 2500, 0)
    assert view(done.payment.pk) is CollectState.PAID
    assert charge(bill, code).payment.pk == done.payment.pk, "the same request charges once"
    with pytest.raises(KeyReused):
        charge(bill, wechat.scan_code())
    with connection.cursor() as cursor:
        cursor.execute("SELECT input_digest || coalesce(answer::text, '') FROM kernel_requestkey")
        kept = str(cursor.fetchall())
        cursor.execute("SELECT args::text FROM procrastinate_jobs")
        assert code not in kept + str(cursor.fetchall())
    with seconds(wechat, 40):
        assert run_jobs(only="payments") == []
    assert money(bill) == (2500, 2500, 0)


def test_a_refused_code_is_a_definite_no(wechat: StandIn) -> None:
    wechat.fault("scan_code_expired")
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    assert done.payment.status == PaymentStatus.CLOSED
    assert done.declined
    bill.refresh_from_db()
    assert bill.status == BillStatus.ISSUED
    wechat.calm()
    assert charge(bill, wechat.scan_code(), "k2").payment.status == PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("text", ["", "12", "99" * 9, "13 4567 8901 2345 67x"])
def test_what_is_no_payment_code_is_not_sent(wechat: StandIn, text: str) -> None:
    with pytest.raises(gateway.NotAPayCode):
        charge(a_bill(), text)
    assert not Payment.objects.exists()


def test_a_password_entered_in_time(wechat: StandIn) -> None:
    wechat.fault("userpaying_then_success")
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    assert (done.payment.status, done.declined) == (PaymentStatus.PENDING, "")
    with seconds(wechat, 10):
        run_jobs(only="payments.jobs.settle_scan")
        assert view(done.payment.pk) is CollectState.WAITING
    with seconds(wechat, 28):
        run_jobs(only="payments.jobs.settle_scan")
        assert view(done.payment.pk) is CollectState.PAID
    assert money(bill) == (2500, 2500, 0)


def test_a_password_never_entered_is_taken_back(wechat: StandIn) -> None:
    wechat.fault("userpaying")
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    for passed in (6, 14, 20, 26):
        with seconds(wechat, passed):
            run_jobs(only="payments.jobs.settle_scan")
            assert view(done.payment.pk) is CollectState.WAITING
    with seconds(wechat, 32):
        run_jobs(only="payments.jobs.settle_scan")
    done.payment.refresh_from_db()
    assert done.payment.status == PaymentStatus.CLOSED
    bill.refresh_from_db()
    assert bill.status == BillStatus.ISSUED
    assert money(bill) == (0, 0, 0)
    (order,) = wechat.state()["orders"]
    assert order["trade_state"] == "REVOKED"


def test_a_reverse_that_must_be_repeated_is(wechat: StandIn) -> None:
    wechat.fault("userpaying")
    wechat.fault("reverse_again", times=2)
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    with seconds(wechat, 31):
        run_jobs(only="payments.jobs.settle_scan")
        assert view(done.payment.pk) is CollectState.CONFIRMING
    for passed in (38, 45, 52):
        with seconds(wechat, passed):
            run_jobs(only="payments.jobs.settle_scan")
    assert view(done.payment.pk) is CollectState.FAILED
    assert money(bill) == (0, 0, 0)


def test_success_during_the_reverse_is_either_paid_or_given_back(wechat: StandIn) -> None:
    """Whichever WeChat says in the end, we say the same."""
    wechat.fault("userpaying_late_success")
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    for passed in (31, 38, 45, 60):
        with seconds(wechat, passed):
            run_jobs(only="payments.jobs.settle_scan")
    (order,) = wechat.state()["orders"]
    is_paid = order["trade_state"] == "SUCCESS"
    assert view(done.payment.pk) is (CollectState.PAID if is_paid else CollectState.FAILED)
    assert money(bill) == ((2500, 2500, 0) if is_paid else (0, 0, 0))


def test_an_answer_that_never_came_is_asked_for(wechat: StandIn) -> None:
    wechat.fault("scan_error_then_paid")
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    assert view(done.payment.pk) in {CollectState.WAITING, CollectState.CONFIRMING}
    assert done.declined == ""
    with seconds(wechat, 12):
        run_jobs(only="payments.jobs.settle_scan")
        assert view(done.payment.pk) is CollectState.PAID
    assert money(bill) == (2500, 2500, 0)


def test_a_process_killed_before_it_sent_the_code_changes_nothing(wechat: StandIn) -> None:
    bill = a_bill()
    payment, is_new = actions.create_scan(
        bill_ids=[bill.pk],
        auth_code=wechat.scan_code(),
        shown_fen=2500,
        key="k1",
        account=(wechat.config.mchid, "wx1"),
        node=1,
        by=CASHIER,
        at=clock.now(),
    )
    assert is_new
    with seconds(wechat, 6):
        run_jobs(only="payments.jobs.settle_scan")
        payment.refresh_from_db()
        assert payment.is_live, "it may still be on its way"
    with seconds(wechat, 33):
        run_jobs(only="payments.jobs.settle_scan")
    payment.refresh_from_db()
    bill.refresh_from_db()
    assert (payment.status, bill.status) == (PaymentStatus.CLOSED, BillStatus.ISSUED)
    assert due_jobs().count("payments.jobs.settle_scan") == 0
    assert not PaymentCase.objects.exists()


def test_a_bill_paid_by_scan_is_refunded_like_any_other(wechat: StandIn) -> None:
    bill = a_bill()
    done = charge(bill, wechat.scan_code())
    actions.propose_refund(
        bill_id=bill.pk, shown_fen=2500, reason="误收", key="r", by=CASHIER, at=clock.now()
    )
    run_jobs(only="payments.jobs")
    refund = done.payment.refunds.get()
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    gateway.ask_refund(refund_id=refund.pk, attempt=0, by=SYSTEM, at=clock.now())
    done.payment.refresh_from_db()
    assert done.payment.status == PaymentStatus.FULLY_REFUNDED
    assert money(bill) == (0, 0, 0)


# ------------------------------------------------------------------ several bills in one payment


def test_a_part_whose_bill_was_paid_meanwhile_goes_back(wechat: StandIn) -> None:
    """M4.4 for one bill of a group: that part is refunded, the rest stays paid."""
    first, second = a_bill(fen=2500), a_bill(fen=700)
    shown = on_screen(first, second)
    actions.record_closed(payment_id=shown.payment_id, reason="test", by=SYSTEM, at=clock.now())
    a_paid_payment(wechat, first)
    wechat.pay(Payment.objects.get(pk=shown.payment_id).out_trade_no)
    group = gateway.ask(payment_id=shown.payment_id, by=SYSTEM, at=clock.now())
    assert group.status == PaymentStatus.SUCCEEDED
    refund = group.refunds.get()
    assert (refund.bill_id, refund.amount_fen) == (first.pk, 2500)
    assert (money(first), money(second)) == ((5000, 2500, 2500), (700, 700, 0))
    run_jobs(only="payments.jobs.send_refund")
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    gateway.ask_refund(refund_id=refund.pk, attempt=0, by=SYSTEM, at=clock.now())
    group.refresh_from_db()
    assert group.status == PaymentStatus.PARTIALLY_REFUNDED
    assert (money(first), money(second)) == ((2500, 2500, 0), (700, 700, 0))


def test_two_parts_go_back_one_after_the_other(wechat: StandIn) -> None:
    first, second = a_bill(fen=2500), a_bill(fen=700)
    shown = on_screen(first, second)
    actions.record_closed(payment_id=shown.payment_id, reason="test", by=SYSTEM, at=clock.now())
    for bill in (first, second):
        a_paid_payment(wechat, bill)
    wechat.pay(Payment.objects.get(pk=shown.payment_id).out_trade_no)
    group = gateway.ask(payment_id=shown.payment_id, by=SYSTEM, at=clock.now())
    assert group.status == PaymentStatus.SUCCEEDED_UNAPPLIED
    run_jobs(only="payments.jobs.send_refund")
    wechat.refund_state(group.refunds.get().out_refund_no, "SUCCESS")
    gateway.ask_refund(refund_id=group.refunds.get().pk, attempt=0, by=SYSTEM, at=clock.now())
    with later_on(wechat, dt.timedelta(minutes=1, seconds=5)):
        run_jobs(only="payments.jobs")
    back = group.refunds.order_by("pk").last()
    assert back is not None
    assert (back.bill_id, back.amount_fen) == (second.pk, 700)
    with later_on(wechat, dt.timedelta(minutes=3)):
        run_jobs(only="payments.jobs.send_refund")
        wechat.refund_state(back.out_refund_no, "SUCCESS")
        gateway.ask_refund(refund_id=back.pk, attempt=0, by=SYSTEM, at=clock.now())
    group.refresh_from_db()
    assert group.status == PaymentStatus.FULLY_REFUNDED
    assert (money(first), money(second)) == ((2500, 2500, 0), (700, 700, 0))


def test_late_money_ends_the_order_that_stands_in_its_place(wechat: StandIn) -> None:
    bill = a_bill(ends_in=None)
    first = a_pending_payment(bill)
    actions.record_closed(payment_id=first.pk, reason="test", by=SYSTEM, at=clock.now())
    start(bill)
    second = Payment.objects.exclude(pk=first.pk).get()
    wechat.pay(first.out_trade_no)
    gateway.ask(payment_id=first.pk, by=SYSTEM, at=clock.now())
    run_jobs(only="payments.jobs.close_payments")
    second.refresh_from_db()
    bill.refresh_from_db()
    assert (second.status, bill.status) == (PaymentStatus.CLOSED, BillStatus.SETTLED)
    assert bill_of(first).status == BillStatus.SETTLED
    assert money(bill) == (2500, 2500, 0)
