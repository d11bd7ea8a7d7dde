"""What every write of billing begins and ends with: the lock, the number, the hint."""

import datetime as dt
from collections.abc import Collection

from django.db import connection

from hospital.billing.models import Bill
from hospital.kernel import serials
from hospital.kernel.clock import hospital_day
from hospital.kernel.errors import NotFound, Refusal
from hospital.live import actions as live


class BillNotPayable(Refusal):
    code = "BILL_NOT_PAYABLE"
    default_message = "该账单已失效，不能再支付。"


class BillChanged(Refusal):
    code = "BILL_CHANGED"
    default_message = "账单金额已变化，请返回重新确认。"


class RefundTooMuch(Refusal):
    code = "REFUND_TOO_MUCH"
    default_message = "退款金额超过该账单应退金额。"


def lock_bill(*, bill_id: int) -> Bill:
    """The bill, locked until the caller's transaction ends. Raises NotFound."""
    inside_a_transaction()
    bill = Bill.objects.select_for_update(no_key=True).filter(pk=bill_id).first()
    if bill is None:
        raise NotFound
    return bill


def lock_bills(*, bill_ids: Collection[int]) -> list[Bill]:
    """Several bills, locked in the order of their ids, which keeps two payers from waiting for
    each other. Raises NotFound unless all are there."""
    inside_a_transaction()
    wanted = sorted(set(bill_ids))
    found = list(Bill.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"))
    if len(found) != len(wanted):
        raise NotFound
    return found


def numbered(letter: str, series: str, at: dt.datetime) -> str:
    day = hospital_day(at)
    return f"{letter}{day:%y%m%d}{serials.gap_free(series=f'{series}:{day:%Y%m%d}'):06d}"


def publish(bill: Bill) -> None:
    live.publish(f"bill:{bill.pk}")


def inside_a_transaction() -> None:
    assert connection.in_atomic_block, "billing joins the transaction of its cause"
