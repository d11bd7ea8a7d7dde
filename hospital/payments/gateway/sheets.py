"""Orders paid in WeChat's own sheet on the payer's phone: one bill of theirs, or whatever a code of
ours asks for when they scan it (M5.1, M5.2)."""

import datetime as dt
from dataclasses import dataclass

from hospital.billing import queries as billing
from hospital.billing.actions import BillNotPayable
from hospital.kernel.actors import Actor
from hospital.payments import queries
from hospital.payments.gateway.placing import Ended, Unreachable, open_order, place
from hospital.payments.gateway.wire import jsapi_order
from hospital.payments.models import Payment
from hospital.payments.states import Scene, TradeType
from hospital.wechat import clients
from hospital.wechat.signing import PaySheet


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The order stands: the page may open WeChat's payment sheet with these parameters."""

    payment_id: int
    sheet: PaySheet


def start_wechat_payment(
    *, token: str, wechat_user_id: int, shown_fen: int, by: Actor, at: dt.datetime
) -> Sheet | Ended | Unreachable:
    """Place the bill's order, or the one that still stands again with the same bytes.

    Raises what create_payment raises, and WeChatNotConnected.
    """
    bill = billing.payable_bill_for(wechat_user_id=wechat_user_id, token=token)
    payment = open_order(
        bill_ids=[bill.id],
        wechat_user_id=wechat_user_id,
        shown_fen=shown_fen,
        trade_type=TradeType.JSAPI,
        scene=Scene.OFFICIAL_ACCOUNT,
        by=by,
        at=at,
    )
    return _sheet(payment, by, at)


def start_code_payment(
    *, token: str, wechat_user_id: int, shown_fen: int, by: Actor, at: dt.datetime
) -> Sheet | Ended | Unreachable:
    """Place one order for everything the code's bills ask for now, with the sum the page showed.

    Raises NotFound, what create_payment raises, and WeChatNotConnected.
    """
    bill_ids = queries.payable_by_code(token=token, at=at)
    if not bill_ids:
        raise BillNotPayable
    payment = open_order(
        bill_ids=bill_ids,
        wechat_user_id=wechat_user_id,
        shown_fen=shown_fen,
        trade_type=TradeType.JSAPI,
        scene=Scene.OWN_CODE,
        by=by,
        at=at,
    )
    return _sheet(payment, by, at)


def _sheet(payment: Payment, by: Actor, at: dt.datetime) -> Sheet | Ended | Unreachable:
    placed = place(payment, jsapi_order(payment), by=by, at=at)
    if not isinstance(placed, Payment):
        return placed
    sheet = clients.pay().sheet(prepay_id=placed.prepay_id, at=at)
    return Sheet(payment_id=placed.pk, sheet=sheet)
