"""Our own QR code: the order is made when somebody scans it, for whoever that is (M5.1, M5.2)."""

import datetime as dt

from django.conf import settings

from hospital.billing.actions import BillNotPayable
from hospital.kernel.actors import Actor
from hospital.payments import actions, queries
from hospital.payments.gateway.orders import Ended, Sheet, Unreachable, make_room, place
from hospital.payments.states import Scene, TradeType
from hospital.wechat import clients


def start_code_payment(
    *, token: str, wechat_user_id: int, shown_fen: int, by: Actor, at: dt.datetime
) -> Sheet | Ended | Unreachable:
    """Place one order for everything the code's bills ask for now, with the sum the page showed.

    Raises NotFound, what create_payment raises, and WeChatNotConnected.
    """
    config = clients.config()
    bill_ids = queries.payable_by_code(token=token, at=at)
    if not bill_ids:
        raise BillNotPayable
    make_room(
        bill_ids=bill_ids,
        wechat_user_id=wechat_user_id,
        trade_type=TradeType.JSAPI,
        by=by,
        at=at,
    )
    payment = actions.create_payment(
        bill_ids=bill_ids,
        wechat_user_id=wechat_user_id,
        shown_fen=shown_fen,
        account=(config.mchid, config.appid),
        node=settings.WECHAT_NODE,
        scene=Scene.OWN_CODE,
        by=by,
        at=at,
    )
    return place(payment, by=by, at=at)
