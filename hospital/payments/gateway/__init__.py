"""The conversation with WeChat Pay: action, HTTP, action; never inside a transaction (law 10).

Whatever WeChat says goes through the same actions a notice goes through. Nothing here decides.
"""

from hospital.payments.gateway.cards import ask_card, send_card
from hospital.payments.gateway.cash import take_cash
from hospital.payments.gateway.native import CodeShown, start_native, stop_native
from hospital.payments.gateway.orders import (
    ask,
    ask_unknown,
    close_payments,
    look,
    make_room,
    settle_or_close,
    verify,
)
from hospital.payments.gateway.placing import Ended, Unreachable
from hospital.payments.gateway.refunds import ask_refund, press_case, press_refund, send_refund
from hospital.payments.gateway.scan import Charged, NotAPayCode, charge_code
from hospital.payments.gateway.sheets import Sheet, start_code_payment, start_wechat_payment
from hospital.payments.gateway.statements import expect_statements, fetch_statement

__all__ = [
    "Charged",
    "CodeShown",
    "Ended",
    "NotAPayCode",
    "Sheet",
    "Unreachable",
    "ask",
    "ask_card",
    "ask_refund",
    "ask_unknown",
    "charge_code",
    "close_payments",
    "expect_statements",
    "fetch_statement",
    "look",
    "make_room",
    "press_case",
    "press_refund",
    "send_card",
    "send_refund",
    "settle_or_close",
    "start_code_payment",
    "start_native",
    "start_wechat_payment",
    "stop_native",
    "take_cash",
    "verify",
]
