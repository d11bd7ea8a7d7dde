"""Every write of payments: orders, results, refunds, cases. One import for callers."""

from hospital.kernel.four_eyes import AlreadyAsked, AlreadyDecided, OwnRequest
from hospital.payments.actions.cases import CaseAlreadyClosed, MoneyStillOpen, close_case
from hospital.payments.actions.cash import (
    CashBackNeedsSupervisor,
    NoCashOwed,
    PaidOnAPhone,
    TooLittleCash,
    TooMuchChange,
    hand_back_cash,
    take_cash,
)
from hospital.payments.actions.decisions import (
    NotThisRemedy,
    confirm_decision,
    propose_decision,
    reject_decision,
)
from hospital.payments.actions.noting import (
    note_asked,
    note_pressed,
    note_printed,
    note_refund_pressed,
)
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
from hospital.payments.actions.pay_codes import create_pay_code, revoke_pay_code
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
    submit_refund,
)
from hospital.payments.actions.requests import (
    RequestChanged,
    approve_refund,
    propose_refund,
    reject_refund,
)
from hospital.payments.actions.results import record_result
from hospital.payments.actions.scans import (
    ask_scan_again,
    create_scan,
    record_scan_unknown,
    take_back,
)
from hospital.payments.actions.statements import (
    expect_statements,
    keep_statement,
    record_no_statement,
    record_statement_missing,
)
from hospital.payments.actions.transfers import (
    TransferNotNeeded,
    ask_card_again,
    confirm_transfer,
    propose_card,
    propose_transfer,
    record_card_refused,
    reject_transfer,
)

__all__ = [
    "AlreadyAsked",
    "AlreadyDecided",
    "CaseAlreadyClosed",
    "CashBackNeedsSupervisor",
    "MoneyStillOpen",
    "NoCashOwed",
    "NotThisRemedy",
    "NothingToRefund",
    "OwnRequest",
    "PaidElsewhere",
    "PaidOnAPhone",
    "Received",
    "RefundInProgress",
    "RefundNotPossible",
    "RefundTooMuch",
    "RequestChanged",
    "TooLittleCash",
    "TooMuchChange",
    "TransferNotNeeded",
    "approve_refund",
    "ask_card_again",
    "ask_refund_again",
    "ask_scan_again",
    "ask_unknown_again",
    "close_case",
    "confirm_decision",
    "confirm_transfer",
    "create_pay_code",
    "create_payment",
    "create_scan",
    "expect_statements",
    "hand_back_cash",
    "keep_statement",
    "look_again",
    "note_asked",
    "note_pressed",
    "note_printed",
    "note_refund_pressed",
    "propose_card",
    "propose_decision",
    "propose_refund",
    "propose_transfer",
    "record_card_refused",
    "record_closed",
    "record_no_statement",
    "record_prepay",
    "record_refund_refused",
    "record_refund_result",
    "record_result",
    "record_scan_unknown",
    "record_statement_missing",
    "record_unanswered",
    "record_unpaid",
    "refund_due",
    "reject_decision",
    "reject_refund",
    "reject_transfer",
    "renew_closed",
    "revoke_pay_code",
    "submit_refund",
    "take_back",
    "take_cash",
    "verify_again",
]
