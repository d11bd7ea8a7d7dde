"""Every write of payments: orders, results, refunds, cases. One import for callers."""

from hospital.payments.actions.cases import CaseAlreadyClosed, close_case
from hospital.payments.actions.orders import (
    PaidElsewhere,
    ask_unknown_again,
    create_payment,
    look_again,
    record_closed,
    record_prepay,
    record_unanswered,
    record_unpaid,
    verify_again,
)
from hospital.payments.actions.received import Received
from hospital.payments.actions.refund_results import record_refund_result
from hospital.payments.actions.refunds import (
    NothingToRefund,
    RefundInProgress,
    RefundNotPossible,
    RefundTooMuch,
    ask_refund_again,
    record_refund_refused,
    refund_due,
    renew_closed,
    request_refund,
    submit_refund,
)
from hospital.payments.actions.results import record_result

__all__ = [
    "CaseAlreadyClosed",
    "NothingToRefund",
    "PaidElsewhere",
    "Received",
    "RefundInProgress",
    "RefundNotPossible",
    "RefundTooMuch",
    "ask_refund_again",
    "ask_unknown_again",
    "close_case",
    "create_payment",
    "look_again",
    "record_closed",
    "record_prepay",
    "record_refund_refused",
    "record_refund_result",
    "record_result",
    "record_unanswered",
    "record_unpaid",
    "refund_due",
    "renew_closed",
    "request_refund",
    "submit_refund",
    "verify_again",
]
