"""Fetching the channel's daily statements: action, HTTP, action."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.gateway.wire import leave_database
from hospital.payments.statement_states import WANTED, StatementKind
from hospital.wechat import clients
from hospital.wechat.bills import BillFetched, BillOutcome, NoBill, NotReady
from hospital.wechat.outcomes import Refused, Unknown


def expect_statements(*, at: dt.datetime) -> int:
    """Want the statements of the account we are connected to. Raises WeChatNotConnected."""
    return actions.expect_statements(mchid=clients.config().mchid, at=at)


def fetch_statement(*, statement_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Ask for a statement that is still wanted, and keep it. Raises NotFound."""
    statement = queries.statement(statement_id=statement_id)
    if statement.status not in WANTED:
        return
    if statement.mchid != clients.config().mchid:
        # Another account's: only its own key opens it.
        outcome: BillOutcome = Unknown(reason="other_account")
    else:
        outcome = _fetch(statement.day, StatementKind(statement.kind))
    if isinstance(outcome, BillFetched):
        with outcome as bill:
            actions.keep_statement(
                statement_id=statement_id,
                text=bill.text(),
                packed=bill.packed(),
                sha1=bill.sha1,
                attempt=attempt,
                by=by,
                at=at,
            )
    elif isinstance(outcome, NoBill):
        actions.record_no_statement(statement_id=statement_id, by=by, at=at)
    else:
        actions.record_statement_missing(
            statement_id=statement_id, reason=_reason(outcome), attempt=attempt, at=at
        )


def _fetch(day: dt.date, kind: StatementKind) -> BillOutcome:
    leave_database()
    pay = clients.pay()
    return pay.trade_bill(day=day) if kind is StatementKind.TRADE else pay.fund_bill(day=day)


def _reason(outcome: NotReady | Refused | Unknown) -> str:
    if isinstance(outcome, NotReady):
        return "not_ready"
    return outcome.code if isinstance(outcome, Refused) else outcome.reason
