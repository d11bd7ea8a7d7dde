"""Refunds at WeChat: sent under their own number, asked about, pushed by staff."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.gateway.orders import ask, ask_unknown
from hospital.payments.gateway.wire import leave_database, refund_order
from hospital.payments.models import Refund
from hospital.payments.states import CaseKind, RefundRoute, RefundStatus
from hospital.wechat import clients
from hospital.wechat.outcomes import NotFound, RefundOutcome, RefundState, Refused


def send_refund(*, refund_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Send a refund, always under its own number: a new one might pay twice."""
    refund = actions.submit_refund(refund_id=refund_id, by=by, at=at)
    if refund is None:
        return
    order = refund_order(refund)
    leave_database()
    outcome = clients.pay().refund(order)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
    elif isinstance(outcome, Refused):
        actions.record_refund_refused(
            refund_id=refund_id, code=outcome.code, attempt=attempt, by=by, at=at
        )
    else:
        actions.ask_refund_again(
            refund_id=refund_id, attempt=0, reason=_word(outcome), by=by, at=at
        )


def ask_refund(*, refund_id: int, attempt: int, by: Actor, at: dt.datetime) -> Refund:
    """Ask WeChat how a refund stands and apply the answer. One that WeChat does not know was never
    taken and is sent again; one that is over is asked about only while a notice disputes it.
    Raises NotFound."""
    refund = queries.refund(refund_id=refund_id)
    is_over = not refund.is_at_channel and refund.route == RefundRoute.ORIGINAL
    if is_over and not queries.is_disputed(refund_id=refund_id):
        return refund
    leave_database()
    outcome = clients.pay().query_refund(out_refund_no=refund.out_refund_no)
    if isinstance(outcome, NotFound) and refund.status == RefundStatus.SUBMITTED:
        send_refund(refund_id=refund_id, attempt=attempt, by=by, at=at)
        return queries.refund(refund_id=refund_id)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
    actions.ask_refund_again(
        refund_id=refund_id, attempt=attempt, reason=_word(outcome), by=by, at=at
    )
    return queries.refund(refund_id=refund_id)


def _word(outcome: RefundOutcome) -> str:
    if isinstance(outcome, RefundState):
        return outcome.progress.value
    if isinstance(outcome, NotFound):
        return "not_found"
    return outcome.code if isinstance(outcome, Refused) else outcome.reason


def press_refund(*, refund_id: int, by: Actor, at: dt.datetime) -> Refund:
    """What a member of staff can do for a refund: send it (again), ask, or, when it was closed
    there for good, send what is still owed under a new number. Raises NotFound."""
    refund = queries.refund(refund_id=refund_id)
    if refund.status == RefundStatus.CLOSED:
        return actions.renew_closed(refund_id=refund_id, by=by, at=at)
    if refund.is_at_channel:
        return ask_refund(refund_id=refund_id, attempt=0, by=by, at=at)
    send_refund(refund_id=refund_id, attempt=0, by=by, at=at)
    return queries.refund(refund_id=refund_id)


def press_case(*, case_id: int, by: Actor, at: dt.datetime) -> None:
    """The button of a case whose remedy is to ask or to send again. Raises NotFound."""
    case = queries.open_case(case_id=case_id)
    if case.refund_id is not None:
        press_refund(refund_id=case.refund_id, by=by, at=at)
    elif case.payment_id is not None:
        ask(payment_id=case.payment_id, by=by, at=at)
    elif case.kind == CaseKind.UNKNOWN_ORDER:
        ask_unknown(number=case.number, attempt=0, by=by, at=at)
