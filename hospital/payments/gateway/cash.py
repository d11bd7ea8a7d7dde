"""Cash: whatever order stands in its way is ended at WeChat before the notes are taken."""

import datetime as dt

from hospital.kernel.actors import Actor
from hospital.payments import actions
from hospital.payments.gateway.orders import make_room
from hospital.payments.models import CashEntry
from hospital.payments.states import TradeType


def take_cash(
    *, bill_id: int, shown_fen: int, tendered_fen: int, key: str, by: Actor, at: dt.datetime
) -> CashEntry:
    """Settle a bill with notes, unless a phone pays it (M4.4). The same `key` again gives the same
    entry. Raises what the action raises."""
    make_room(bill_ids=[bill_id], wechat_user_id=None, trade_type=TradeType.SCAN, by=by, at=at)
    return actions.take_cash(
        bill_id=bill_id, shown_fen=shown_fen, tendered_fen=tendered_fen, key=key, by=by, at=at
    )
