"""The conversation with WeChat Pay: action, HTTP, action; never inside a transaction (law 10).

Whatever WeChat says goes through the same actions a notice goes through. Nothing here decides.
"""

from hospital.payments.gateway.orders import (
    Ended,
    Sheet,
    Unreachable,
    ask,
    ask_unknown,
    close_payments,
    look,
    settle_or_close,
    start_wechat_payment,
    verify,
)
from hospital.payments.gateway.refunds import ask_refund, press_case, press_refund, send_refund

__all__ = [
    "Ended",
    "Sheet",
    "Unreachable",
    "ask",
    "ask_refund",
    "ask_unknown",
    "close_payments",
    "look",
    "press_case",
    "press_refund",
    "send_refund",
    "settle_or_close",
    "start_wechat_payment",
    "verify",
]
