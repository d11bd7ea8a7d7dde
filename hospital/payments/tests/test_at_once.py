"""Several hands at the same moment: overlapping bills, one scanned code, one approval."""

import pytest

from hospital.billing.models import Bill
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Refusal
from hospital.payments import actions, gateway
from hospital.payments.models import Allocation, Payment, Refund, RefundRequest
from hospital.payments.states import PaymentStatus, Scene, TradeType
from hospital.payments.tests.test_notices import at_once
from hospital.payments.tests.world import a_bill, a_paid_payment, bill_of, money
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
CASHIER, FINANCE = Actor("staff", 3), Actor("staff", 7)


def test_overlapping_groups_never_wait_for_each_other() -> None:
    bills = [a_bill(ends_in=None) for _ in range(3)]

    def order(*chosen: Bill) -> str:
        try:
            made = actions.create_payment(
                bill_ids=[bill.pk for bill in chosen],
                wechat_user_id=None,
                shown_fen=sum(bill.total_fen for bill in chosen),
                account=("1900000001", "wx1"),
                node=1,
                trade_type=TradeType.NATIVE,
                scene=Scene.SCREEN_CODE,
                by=CASHIER,
                at=clock.now(),
            )
        except actions.PaidElsewhere:
            return "elsewhere"
        return made.out_trade_no

    first, second, third = bills
    groups = [(first, second), (second, first), (second, third), (third, first)] * 3
    answers = at_once(*[lambda group=group: order(*group) for group in groups])
    live = Allocation.objects.filter(is_live=True)
    assert sorted(live.values_list("bill_id", flat=True)) in [
        sorted(bill.pk for bill in pair)
        for pair in ((first, second), (second, third), (third, first))
    ]
    assert set(answers) - {"elsewhere"} == set(
        Payment.objects.values_list("out_trade_no", flat=True)
    )


def test_one_scanned_code_is_charged_once(wechat: StandIn) -> None:
    bill, code = a_bill(), wechat.scan_code()

    def charge() -> int:
        return gateway.charge_code(
            bill_ids=[bill.pk],
            auth_code=code,
            shown_fen=2500,
            key="one",
            client_ip="10.1.1.9",
            device_id="window-3",
            by=CASHIER,
            at=clock.now(),
        ).payment.pk

    assert len(set(at_once(*[charge] * 4))) == 1
    assert Payment.objects.get().status == PaymentStatus.SUCCEEDED
    assert len(wechat.state()["orders"]) == 1
    assert money(bill) == (2500, 2500, 0)


def test_an_approval_and_its_refund_happen_once(wechat: StandIn) -> None:
    bill = bill_of(a_paid_payment(wechat))
    request = RefundRequest.objects.create(
        bill=bill, amount_fen=2500, reason="误收", asked_by=str(CASHIER), asked_at=clock.now()
    )
    request.charges.set(bill.charges.all())

    def approve() -> str:
        try:
            actions.approve_refund(request_id=request.pk, by=FINANCE, at=clock.now())
        except Refusal as refusal:
            return refusal.code
        return "done"

    def due() -> str:
        actions.refund_due(bill_id=bill.pk, reason="测试", by=SYSTEM, at=clock.now())
        return "asked"

    answers = at_once(*[approve] * 4, *[due] * 4)
    assert answers.count("done") == 1
    assert answers.count("ALREADY_DECIDED") == 3
    assert run_jobs(only="payments.jobs.refund_reversed") == []
    assert Refund.objects.get().amount_fen == 2500
    assert money(bill) == (2500, 0, 2500)
