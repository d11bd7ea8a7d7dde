"""Tables of payments. Amounts are fen, moments UTC; numbers at the channel never change."""

from hospital.payments.models.cases import CaseDecision, PaymentCase
from hospital.payments.models.cash import CashEntry
from hospital.payments.models.codes import PayCode
from hospital.payments.models.notices import Notice
from hospital.payments.models.orders import Allocation, Payment
from hospital.payments.models.refunds import OfflineTransfer, Refund, RefundRequest
from hospital.payments.models.statements import ChannelStatement, StatementLine

__all__ = [
    "Allocation",
    "CaseDecision",
    "CashEntry",
    "ChannelStatement",
    "Notice",
    "OfflineTransfer",
    "PayCode",
    "Payment",
    "PaymentCase",
    "Refund",
    "RefundRequest",
    "StatementLine",
]
