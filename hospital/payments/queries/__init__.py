"""Reads of payments, ready-made for pages. One import for callers."""

from hospital.payments.queries.cases import open_cases
from hospital.payments.queries.desk import (
    SEARCH_LIMIT,
    PaymentStory,
    Totals,
    bill_ids_of,
    list_refunds,
    live_payments,
    patient_names,
    payment,
    payment_story,
    payments_of,
    refund,
    search_payments,
    totals,
)
from hospital.payments.queries.pay_page import PayPage, RefundLine, pay_page_for

__all__ = [
    "SEARCH_LIMIT",
    "PayPage",
    "PaymentStory",
    "RefundLine",
    "Totals",
    "bill_ids_of",
    "list_refunds",
    "live_payments",
    "open_cases",
    "patient_names",
    "pay_page_for",
    "payment",
    "payment_story",
    "payments_of",
    "refund",
    "search_payments",
    "totals",
]
