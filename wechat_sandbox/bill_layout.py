"""How a bill is written down: WeChat's columns, back-ticks, summary, byte-order mark.

Every value starts with a back-tick, header rows do not; nothing is quoted, so a comma in a product
name stays as it is. Amounts are yuan with two decimals, fees with five.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from wechat_sandbox.clock import digits

FIRST = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号",
    "用户标识", "交易类型", "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额",
)  # fmt: skip
REFUNDED = ("微信退款单号", "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态")
NAMED = ("商品名称", "商户数据包", "手续费", "费率", "订单金额")
LAYOUTS = {
    "ALL": (*FIRST, *REFUNDED, *NAMED, "申请退款金额", "费率备注"),
    "SUCCESS": (*FIRST, *NAMED, "费率备注"),
    "REFUND": (
        *FIRST, "退款申请时间", "退款成功时间", *REFUNDED, *NAMED, "申请退款金额", "费率备注",
    ),
}  # fmt: skip
SUMMARY = (
    "总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额",
    "申请退款总金额",
)  # fmt: skip
FUND = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型",
    "收支金额(元)", "账户结余(元)", "资金变更提交申请人", "备注", "业务凭证号",
)  # fmt: skip
FUND_SUMMARY = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")
BOM = "\ufeff"


@dataclass(frozen=True)
class Trade:
    """One row of a trade bill; money in fen, moments in seconds. `state`: SUCCESS, REFUND, REVOKED.

    A payment has no refund numbers; a refund has no order amount of its own.
    """

    at: float
    appid: str
    mchid: str
    device_id: str
    transaction_id: str
    out_trade_no: str
    openid: str
    trade_type: str
    state: str
    bank_type: str
    order_fen: int
    title: str
    attach: str
    fee_fen: int
    refund_id: str = "0"
    out_refund_no: str = "0"
    refund_fen: int = 0
    refund_type: str = ""
    refund_status: str = ""
    ended_at: float | None = None


@dataclass(frozen=True)
class Fund:
    """One movement of the merchant's account; income is positive fen, expense negative."""

    at: float
    number: str
    flow_number: str
    name: str
    kind: str
    amount_fen: int
    balance_fen: int
    asked_by: str
    note: str
    voucher: str


def trade_bill(rows: Sequence[Trade], layout: str, rate: str) -> str:
    """A whole trade bill of type ALL, SUCCESS or REFUND; `rate` as `0.60%`."""
    columns = LAYOUTS[layout]
    cells = [_trade_cells(row, rate) for row in rows]
    total = (
        f"{len(rows)}.0",
        _short(sum(row.order_fen for row in rows)),
        _short(sum(row.refund_fen for row in rows)),
        "0.0",
        _short(sum(row.fee_fen for row in rows)),
        _short(sum(row.order_fen for row in rows)),
        _short(sum(row.refund_fen for row in rows)),
    )
    return _written(columns, ([cell[name] for name in columns] for cell in cells), SUMMARY, total)


def fund_bill(rows: Sequence[Fund]) -> str:
    """A whole fund-flow bill."""
    income = [row.amount_fen for row in rows if row.amount_fen > 0]
    expense = [-row.amount_fen for row in rows if row.amount_fen < 0]
    total = (
        f"{len(rows)}.0",
        f"{len(income)}.0",
        yuan(sum(income)),
        f"{len(expense)}.0",
        yuan(sum(expense)),
    )
    return _written(FUND, (_fund_cells(row) for row in rows), FUND_SUMMARY, total)


def yuan(fen: int) -> str:
    """`25.00`"""
    return f"{Decimal(fen) / 100:.2f}"


def _trade_cells(row: Trade, rate: str) -> dict[str, str]:
    return {
        "交易时间": _moment(row.at),
        "公众账号ID": row.appid,
        "商户号": row.mchid,
        "特约商户号": "0",
        "设备号": row.device_id,
        "微信订单号": row.transaction_id,
        "商户订单号": row.out_trade_no,
        "用户标识": row.openid,
        "交易类型": row.trade_type,
        "交易状态": row.state,
        "付款银行": row.bank_type,
        "货币种类": "CNY",
        "应结订单金额": yuan(row.order_fen),
        "代金券金额": "0.00",
        "退款申请时间": _moment(row.at),
        "退款成功时间": "" if row.ended_at is None else _moment(row.ended_at),
        "微信退款单号": row.refund_id,
        "商户退款单号": row.out_refund_no,
        "退款金额": yuan(row.refund_fen),
        "充值券退款金额": "0.00",
        "退款类型": row.refund_type,
        "退款状态": row.refund_status,
        "商品名称": row.title,
        "商户数据包": row.attach,
        "手续费": f"{Decimal(row.fee_fen) / 100:.5f}",
        "费率": rate,
        "订单金额": yuan(row.order_fen),
        "申请退款金额": yuan(row.refund_fen),
        "费率备注": "",
    }


def _fund_cells(row: Fund) -> list[str]:
    return [
        _moment(row.at),
        row.number,
        row.flow_number,
        row.name,
        row.kind,
        "收入" if row.amount_fen > 0 else "支出",
        yuan(abs(row.amount_fen)),
        yuan(row.balance_fen),
        row.asked_by,
        row.note,
        row.voucher,
    ]


def _written(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    summary: Sequence[str],
    total: Sequence[str],
) -> str:
    lines = [",".join(columns)]
    lines += [_row(cells) for cells in rows]
    lines += [",".join(summary), _row(total)]
    return BOM + "".join(f"{line}\r\n" for line in lines)


def _row(cells: Sequence[str]) -> str:
    return ",".join("`" + " ".join(cell.replace("`", "'").splitlines()) for cell in cells)


def _moment(at: float) -> str:
    return digits(at, "%Y-%m-%d %H:%M:%S")


def _short(fen: int) -> str:
    """As WeChat sums: `0.47`, `45.0`."""
    text = yuan(fen)
    return text[:-1] if text.endswith("0") else text
