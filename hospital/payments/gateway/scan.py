"""The cashier scans the code on a patient's phone: charged once, then asked about until known.

No notice comes for this product. The order is stored, and its questions deferred, before the code
is sent; so a process killed at any moment changes nothing. The code itself is never stored. While
the patient may be charged, the cashier never reads "failed".
"""

import datetime as dt
import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings

from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.payments import actions, queries, schedule
from hospital.payments.gateway.orders import make_room, settle_or_close
from hospital.payments.gateway.wire import description, leave_database
from hospital.payments.models import Payment
from hospital.payments.states import TradeType
from hospital.wechat import clients
from hospital.wechat.outcomes import Paid, Paying, ScanOutcome, ScanRefused
from hospital.wechat.scan import ScanOrder, is_pay_code

logger = logging.getLogger(__name__)


class NotAPayCode(Refusal):
    code = "NOT_A_PAY_CODE"
    default_message = "这不是微信付款码，请扫描患者微信“收付款”里的条码（18位数字）。"


@dataclass(frozen=True, kw_only=True)
class Charged:
    """What became of a charge so far. `declined` is WeChat's reason when nothing was charged for
    certain; empty while it is paid, open or not known: the payment's status says which."""

    payment: Payment
    declined: str = ""


def charge_code(
    *,
    bill_ids: Collection[int],
    auth_code: str,
    shown_fen: int,
    key: str,
    client_ip: str,
    device_id: str,
    by: Actor,
    at: dt.datetime,
) -> Charged:
    """Charge the scanned code for these bills, once for the page's request `key`.

    The same key again only asks how the charge stands; with other input it is refused. Raises
    NotAPayCode, KeyReused, what create_payment raises, WeChatNotConnected and ScansNotTaken.
    """
    auth_code = auth_code.strip().replace(" ", "")
    if not is_pay_code(auth_code):
        raise NotAPayCode
    config, client = clients.config(), clients.scan()
    make_room(bill_ids=bill_ids, wechat_user_id=None, trade_type=TradeType.SCAN, by=by, at=at)
    payment, is_new = actions.create_scan(
        bill_ids=bill_ids,
        auth_code=auth_code,
        shown_fen=shown_fen,
        key=key,
        account=(config.mchid, config.appid),
        node=settings.WECHAT_NODE,
        by=by,
        at=at,
    )
    if not is_new:
        settle_or_close(payment_id=payment.pk, attempt=schedule.QUIET, by=by, at=at)
        return Charged(payment=queries.payment(payment_id=payment.pk))
    leave_database()
    if clock.now() - payment.created_at > schedule.SCAN_SEND_WITHIN:
        # This process slept: the order may be taken back any moment, so it is not charged now.
        return Charged(payment=payment)
    outcome = client.pay(
        ScanOrder(
            out_trade_no=payment.out_trade_no,
            auth_code=auth_code,
            total_fen=payment.amount_fen,
            description=description(payment),
            client_ip=client_ip,
            device_id=device_id,
        )
    )
    return _record(payment, outcome, by=by, at=at)


def _record(payment: Payment, outcome: ScanOutcome, *, by: Actor, at: dt.datetime) -> Charged:
    declined = ""
    if isinstance(outcome, Paid):
        actions.record_result(paid=outcome, by=by, at=at)
    elif isinstance(outcome, ScanRefused):
        logger.info("scan refused", extra={"payment_id": payment.pk, "code": outcome.code})
        actions.record_closed(payment_id=payment.pk, reason=outcome.code, by=by, at=at)
        declined = outcome.message or "微信没有收款，请让患者刷新付款码后重试。"
    elif isinstance(outcome, Paying):
        actions.record_unpaid(payment_id=payment.pk, reason=outcome.reason, by=by, at=at)
    else:
        actions.record_scan_unknown(payment_id=payment.pk, reason=outcome.reason, by=by, at=at)
    found = queries.payment(payment_id=payment.pk)
    return Charged(payment=found, declined="" if found.is_received else declined)
