"""Bills that do not agree with the truth: the rows changed before the file is written.

The file itself stays whole: its summary and its hash fit what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wechat_sandbox import ids
from wechat_sandbox.bill_layout import Trade
from wechat_sandbox.records import PendingFault

EXTRA_FEN = 8_800
CHANGE_FEN = 100


def tampered(
    rows: Sequence[Trade], struck: Sequence[PendingFault], *, mchid: str, appid: str, at: float
) -> list[Trade]:
    """The rows after the faults; a fault's `value` names the order or refund it means, else the
    first row is meant."""
    changed = list(rows)
    for fault in struck:
        kind, place = fault.kind, _place(changed, fault.value)
        if kind == "bill_extra_row":
            changed.append(_extra(fault.value, mchid=mchid, appid=appid, at=at))
        elif place is None:
            continue
        elif kind == "bill_missing_row":
            del changed[place]
        elif kind == "bill_duplicate_row":
            changed.insert(place + 1, changed[place])
        elif kind in _EDITS:
            changed[place] = _EDITS[kind](changed[place])
    return changed


def _place(rows: Sequence[Trade], number: str) -> int | None:
    for place, row in enumerate(rows):
        own = row.out_trade_no if row.state == "SUCCESS" else row.out_refund_no
        if number in ("", own):
            return place
    return None


def _dearer(row: Trade) -> Trade:
    if row.state == "SUCCESS":
        return replace(row, order_fen=row.order_fen + CHANGE_FEN)
    return replace(row, refund_fen=row.refund_fen + CHANGE_FEN)


def _unfinished(row: Trade) -> Trade:
    if row.state == "SUCCESS":
        return row
    return replace(row, refund_status="PROCESSING", ended_at=None)


def _with_comma(row: Trade) -> Trade:
    return replace(row, title="挂号费,骨伤科,普通号")


_EDITS = {
    "bill_changed_amount": _dearer,
    "bill_refund_processing": _unfinished,
    "bill_comma_in_name": _with_comma,
}


def _extra(number: str, *, mchid: str, appid: str, at: float) -> Trade:
    transaction_id = ids.transaction_id(at)
    return Trade(
        at=at,
        appid=appid,
        mchid=mchid,
        device_id="",
        transaction_id=transaction_id,
        out_trade_no=number or f"UNKNOWN{transaction_id[-12:]}",
        openid="o-nobody-knows-this-payer000",
        trade_type="JSAPI",
        state="SUCCESS",
        bank_type="OTHERS",
        order_fen=EXTRA_FEN,
        title="来源不明的收款",
        attach="",
        fee_fen=0,
    )
