"""Reads of payments, ready-made for pages. One import for callers."""

from hospital.payments.case_words import reason as case_reason
from hospital.payments.queries.case_pages import (
    CasePage,
    case_of_decision,
    case_page,
    closed_cases,
    refund_request,
)
from hospital.payments.queries.cases import (
    Approvals,
    CaseRow,
    approvals,
    case_rows,
    is_disputed,
    money_is_open,
    open_case,
    refund_requests,
    refund_requests_of,
    transfer,
)
from hospital.payments.queries.collect_pages import CollectPage, collect_page
from hospital.payments.queries.collecting import (
    CollectView,
    collect_view,
    in_the_way,
    is_same_order,
)
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
from hospital.payments.queries.owed import owed_fen, refundable_fen, unsent_fen
from hospital.payments.queries.own_records import PaidRow, RefundRow, paid_rows, refund_rows
from hospital.payments.queries.pay_codes import (
    PayCodePage,
    pay_code_page,
    pay_codes_of,
    payable_by_code,
)
from hospital.payments.queries.pay_page import PayPage, RefundLine, pay_page_for
from hospital.payments.queries.refund_pages import (
    Destination,
    RefundPage,
    destinations,
    refund_page,
    refunds_of,
)
from hospital.payments.queries.statement_pages import LineTotal, StatementRow, statement_rows
from hospital.payments.queries.statements import statement, statements
from hospital.payments.queries.watching import notice_lag, oldest_unanswered

__all__ = [
    "SEARCH_LIMIT",
    "Approvals",
    "CasePage",
    "CaseRow",
    "CollectPage",
    "CollectView",
    "Destination",
    "LineTotal",
    "PaidRow",
    "PayCodePage",
    "PayPage",
    "PaymentStory",
    "RefundLine",
    "RefundPage",
    "RefundRow",
    "StatementRow",
    "Totals",
    "approvals",
    "bill_ids_of",
    "case_of_decision",
    "case_page",
    "case_reason",
    "case_rows",
    "closed_cases",
    "collect_page",
    "collect_view",
    "destinations",
    "in_the_way",
    "is_disputed",
    "is_same_order",
    "list_refunds",
    "live_payments",
    "money_is_open",
    "notice_lag",
    "oldest_unanswered",
    "open_case",
    "owed_fen",
    "paid_rows",
    "patient_names",
    "pay_code_page",
    "pay_codes_of",
    "pay_page_for",
    "payable_by_code",
    "payment",
    "payment_story",
    "payments_of",
    "refund",
    "refund_page",
    "refund_request",
    "refund_requests",
    "refund_requests_of",
    "refund_rows",
    "refundable_fen",
    "refunds_of",
    "search_payments",
    "statement",
    "statement_rows",
    "statements",
    "totals",
    "transfer",
    "unsent_fen",
]
