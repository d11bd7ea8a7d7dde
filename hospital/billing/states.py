"""Lifecycles of charges and bills (SM9), the kinds of postings and the names of accounts."""

import datetime as dt
from typing import Final

from django.db.models import TextChoices

from hospital.kernel.states import Moves


class ChargeStatus(TextChoices):
    """SM9 of one charge: its amount never changes, a reversal is a charge of its own."""

    BILLED = "billed", "已开单"
    REVERSED = "reversed", "已冲销"


CHARGE_MOVES: Final[Moves] = frozenset({(ChargeStatus.BILLED, ChargeStatus.REVERSED)})


class BillStatus(TextChoices):
    """SM9 of a bill."""

    ISSUED = "issued", "待支付"
    PAYING = "paying", "支付中"
    SETTLED = "settled", "已支付"
    PARTIALLY_REFUNDED = "partially_refunded", "部分退款"
    REFUNDED = "refunded", "已退款"
    CANCELLED = "cancelled", "已取消"
    EXPIRED = "expired", "已过期"


BILL_MOVES: Final[Moves] = frozenset(
    {
        (BillStatus.ISSUED, BillStatus.PAYING),
        (BillStatus.PAYING, BillStatus.ISSUED),
        (BillStatus.ISSUED, BillStatus.SETTLED),
        (BillStatus.PAYING, BillStatus.SETTLED),
        (BillStatus.ISSUED, BillStatus.CANCELLED),
        (BillStatus.ISSUED, BillStatus.EXPIRED),
        # Money that arrived is always booked, also on a bill that was given up (M1.6).
        (BillStatus.EXPIRED, BillStatus.SETTLED),
        (BillStatus.CANCELLED, BillStatus.SETTLED),
        (BillStatus.SETTLED, BillStatus.PARTIALLY_REFUNDED),
        (BillStatus.SETTLED, BillStatus.REFUNDED),
        (BillStatus.PARTIALLY_REFUNDED, BillStatus.REFUNDED),
    }
)

# Bills that were paid, whatever became of the money since.
PAID: Final = (BillStatus.SETTLED, BillStatus.PARTIALLY_REFUNDED, BillStatus.REFUNDED)
# Bills that may still be paid.
PAYABLE: Final = (BillStatus.ISSUED, BillStatus.PAYING)


def is_payable(status: str, expires_at: dt.datetime | None, at: dt.datetime) -> bool:
    """Whether a bill's payment may begin at a moment, or go on: one that has begun may always."""
    in_time = expires_at is None or at < expires_at
    return status == BillStatus.PAYING or (status == BillStatus.ISSUED and in_time)


class MoneyState(TextChoices):
    """The payment side of whatever a bill is for, apart from its own lifecycle (SM3)."""

    UNPAID = "unpaid", "待支付"
    PAYING = "paying", "支付中"
    PAID = "paid", "已支付"
    WAIVED = "waived", "无需支付"
    REFUNDING = "refunding", "退款中"
    PARTIALLY_REFUNDED = "partially_refunded", "部分退款"
    REFUNDED = "refunded", "已退款"
    CLOSED = "closed", "未支付，已关闭"


class PostingKind(TextChoices):
    """Why money moved between two accounts."""

    SETTLE = "settle", "收款"
    REVERSE = "reverse", "冲销"
    SURPLUS = "surplus", "重复付款"
    REFUND = "refund", "退款"
    SUSPEND = "suspend", "挂账"
    RETURN = "return", "挂账退回"


class Settlement(TextChoices):
    """What a payment did to its bill."""

    SETTLED = "settled", "账单结清"
    REPEATED = "repeated", "此前已入账"
    SURPLUS = "surplus", "账单早已结清，多付"


REFUND_DUE: Final = "refund_due"
SUSPENSE: Final = "suspense"
# Money we cannot apply, and its way back: the only postings without a bill.
SUSPENSE_KINDS: Final = (PostingKind.SUSPEND, PostingKind.RETURN)


def cash(method: str) -> str:
    """The account of money that came through a channel: "cash:wechat"."""
    return f"cash:{method}"


def revenue(category: str) -> str:
    """The account of what was earned under a fee category: "revenue:consultation"."""
    return f"revenue:{category}"
