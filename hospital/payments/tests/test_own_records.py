"""What patients paid and got back, for those who may act for them."""

from __future__ import annotations

import datetime as dt

import pytest

from hospital.payments import queries
from hospital.payments.tests.world import a_reversed_payment
from hospital.testing.people import a_patient
from hospital.testing.wechat import StandIn

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def test_paid_and_refunded_money_of_these_patients_in_this_time(wechat: StandIn) -> None:
    payment, refund = a_reversed_payment(wechat)
    bill = payment.allocations.get().bill
    whose, at = [bill.patient_id], payment.succeeded_at
    assert at is not None

    (paid,) = queries.paid_rows(patient_ids=whose, start=at, end=at + DAY)
    (back,) = queries.refund_rows(patient_ids=whose, start=at - DAY, end=at + DAY)

    assert (paid.at, paid.patient_id, paid.bill_number, paid.amount_fen) == (
        at,
        bill.patient_id,
        bill.number,
        payment.amount_fen,
    )
    assert (back.bill_number, back.amount_fen, back.status) == (
        bill.number,
        refund.amount_fen,
        refund.status,
    )
    stranger = [a_patient().pk]
    assert queries.paid_rows(patient_ids=stranger, start=at - DAY, end=at + DAY) == []
    assert queries.refund_rows(patient_ids=stranger, start=at - DAY, end=at + DAY) == []
    assert queries.paid_rows(patient_ids=whose, start=at + DAY, end=at + 2 * DAY) == []
    assert queries.refund_rows(patient_ids=whose, start=at + DAY, end=at + 2 * DAY) == []
