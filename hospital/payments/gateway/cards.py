"""An abnormal refund sent to a bank card by WeChat, after two persons agreed (R13)."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.actions.transfers import ASK_CARD, SEND_CARD
from hospital.payments.gateway.wire import leave_database
from hospital.payments.models import OfflineTransfer
from hospital.payments.states import TransferStatus
from hospital.wechat import clients
from hospital.wechat.outcomes import RefundProgress, RefundState, Refused
from hospital.wechat.pay import AbnormalRefund, BankCard


def send_card(*, transfer_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Send it, unchanged however often: WeChat's number of the refund makes it one."""
    transfer = queries.transfer(transfer_id=transfer_id)
    refund = transfer.refund
    if transfer.status != TransferStatus.SENT or refund is None:
        return
    order = AbnormalRefund(
        refund_id=refund.refund_id,
        out_refund_no=refund.out_refund_no,
        to=BankCard.USER,
        bank_type=transfer.bank_type,
        bank_account=transfer.payee_account,
        real_name=transfer.payee,
    )
    leave_database()
    outcome = clients.pay().abnormal_refund(order)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
        actions.ask_card_again(transfer_id=transfer_id, job=ASK_CARD, attempt=0, at=at)
    elif isinstance(outcome, Refused):
        _after_refused(transfer, outcome.code, attempt=attempt, by=by, at=at)
    else:
        actions.ask_card_again(transfer_id=transfer_id, job=SEND_CARD, attempt=attempt, at=at)


def _after_refused(
    transfer: OfflineTransfer, code: str, *, attempt: int, by: Actor, at: dt.datetime
) -> None:
    """A no may mean that it runs already (an answer was lost): the refund itself is asked, or the
    bank would pay it a second time."""
    assert transfer.refund is not None
    leave_database()
    found = clients.pay().query_refund(out_refund_no=transfer.refund.out_refund_no)
    if not isinstance(found, RefundState):
        actions.ask_card_again(transfer_id=transfer.pk, job=SEND_CARD, attempt=attempt, at=at)
        return
    actions.record_refund_result(state=found, by=by, at=at)
    if found.progress in {RefundProgress.ABNORMAL, RefundProgress.CLOSED}:
        actions.record_card_refused(transfer_id=transfer.pk, code=code, by=by, at=at)
    actions.ask_card_again(transfer_id=transfer.pk, job=ASK_CARD, attempt=0, at=at)


def ask_card(*, transfer_id: int, attempt: int, by: Actor, at: dt.datetime) -> None:
    """Ask how it stands; abnormal once more means that the card does not take it either."""
    transfer = queries.transfer(transfer_id=transfer_id)
    if transfer.status != TransferStatus.SENT or transfer.refund is None:
        return
    leave_database()
    outcome = clients.pay().query_refund(out_refund_no=transfer.refund.out_refund_no)
    if isinstance(outcome, RefundState):
        actions.record_refund_result(state=outcome, by=by, at=at)
        if outcome.progress in {RefundProgress.ABNORMAL, RefundProgress.CLOSED}:
            code = outcome.progress.value
            actions.record_card_refused(transfer_id=transfer_id, code=code, by=by, at=at)
    actions.ask_card_again(transfer_id=transfer_id, job=ASK_CARD, attempt=attempt, at=at)
