"""How each operation is reached: a short way to it, with the fault on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.journeys.faults import account_walks, money_walks, statement_walks
from tests.journeys.faults.walk import Walk

WALKS: Final[dict[str, Callable[[Walk], None]]] = {
    "prepay": money_walks.prepay,
    "native": money_walks.native,
    "query": money_walks.query,
    "close": money_walks.close,
    "refund": money_walks.refund,
    "refund query": money_walks.refund_query,
    "card": money_walks.card,
    "payment notice": money_walks.payment_notice,
    "refund notice": money_walks.refund_notice,
    "statement": statement_walks.statement,
    "statement file": statement_walks.statement,
    "scan": money_walks.scan,
    "scan query": money_walks.scan_query,
    "reverse": money_walks.reverse,
    "codepay": money_walks.scan,
    "codepay query": money_walks.scan_query,
    "codepay reverse": money_walks.reverse,
    "log-in": account_walks.log_in,
    "token": account_walks.token,
    "message": account_walks.message,
    "notification": account_walks.notification,
    "sms": account_walks.sms,
    "said": account_walks.said,
    "report": account_walks.report,
    "answer": account_walks.answer,
    "menu": account_walks.menu,
}
