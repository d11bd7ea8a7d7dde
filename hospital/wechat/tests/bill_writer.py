"""Writes bills the way WeChat does, from rows, in every layout: the other direction of the reader.

The header names are spelled out here a second time on purpose: they are WeChat's, not the reader's.
"""

from collections.abc import Sequence
from datetime import datetime

from hospital.kernel import clock
from hospital.wechat.bill_rows import FundRow, TradeRow


def names(line: str) -> list[str]:
    return line.split(",")


START = names(
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额"
)
REFUND_PART = names("微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态")
ALL = [
    *START,
    *REFUND_PART,
    *names("商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"),
]
SUCCESS = [*START, *names("商品名称,商户数据包,手续费,费率,订单金额,费率备注")]
REFUND = [*START, "退款申请时间", "退款成功时间", *ALL[14:]]
TOTALS = names(
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
FUND = names(
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FUND_TOTALS = names("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额")


def trade_bill(
    rows: Sequence[TradeRow],
    *,
    columns: Sequence[str] = ALL,
    bom: str = "\ufeff",
    end: str = "\r\n",
) -> bytes:
    totals = [
        f"{len(rows)}.0",
        yuan(sum(row.settled_fen for row in rows)),
        yuan(sum(row.refund_fen for row in rows)),
        yuan(sum(row.refund_coupon_fen for row in rows)),
        fee(sum(row.fee_milli_fen for row in rows)),
        yuan(sum(row.order_fen for row in rows)),
        yuan(sum(row.asked_refund_fen for row in rows)),
    ]
    lines = [ticked(_trade_values(row)[name] for name in columns) for row in rows]
    return _file(columns, lines, TOTALS, totals, bom, end)


def fund_bill(rows: Sequence[FundRow], *, columns: Sequence[str] = FUND) -> bytes:
    incomes = [row.amount_fen for row in rows if row.is_income]
    expenses = [row.amount_fen for row in rows if not row.is_income]
    totals = [
        f"{len(rows)}.0",
        f"{len(incomes)}.0",
        yuan(sum(incomes)),
        f"{len(expenses)}.0",
        yuan(sum(expenses)),
    ]
    lines = [ticked(_fund_values(row)[_bare(name)] for name in columns) for row in rows]
    return _file(columns, lines, FUND_TOTALS, totals, "\ufeff", "\r\n")


def ticked(values: object) -> str:
    """A row: a back-tick before every value."""
    assert not isinstance(values, str)
    return ",".join(f"`{value}" for value in values)  # type: ignore[attr-defined]


def yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fee(milli_fen: int) -> str:
    sign = "-" if milli_fen < 0 else ""
    return f"{sign}{abs(milli_fen) // 100_000}.{abs(milli_fen) % 100_000:05d}"


def _file(
    columns: Sequence[str],
    lines: Sequence[str],
    total_names: Sequence[str],
    totals: Sequence[str],
    bom: str,
    end: str,
) -> bytes:
    whole = [",".join(columns), *lines, ",".join(total_names), ticked(totals)]
    return (bom + end.join(whole) + end).encode()


def _bare(name: str) -> str:
    return name.translate(str.maketrans("（）", "()")).partition("(")[0]


def _time(at: datetime | None) -> str:
    return clock.local(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _trade_values(row: TradeRow) -> dict[str, str]:
    return {
        "交易时间": _time(row.happened_at),
        "公众账号ID": row.appid,
        "商户号": row.mchid,
        "特约商户号": "0",
        "设备号": row.device,
        "微信订单号": row.transaction_id,
        "商户订单号": row.out_trade_no,
        "用户标识": row.openid,
        "交易类型": row.trade_type,
        "交易状态": row.trade_state,
        "付款银行": row.bank,
        "货币种类": row.currency,
        "应结订单金额": yuan(row.settled_fen),
        "代金券金额": yuan(row.coupon_fen),
        "退款申请时间": _time(row.refund_asked_at),
        "退款成功时间": _time(row.refund_done_at),
        "微信退款单号": row.refund_id or "0",
        "商户退款单号": row.out_refund_no or "0",
        "退款金额": yuan(row.refund_fen),
        "充值券退款金额": yuan(row.refund_coupon_fen),
        "退款类型": row.refund_type,
        "退款状态": row.refund_state,
        "商品名称": row.product,
        "商户数据包": row.attach,
        "手续费": fee(row.fee_milli_fen),
        "费率": row.rate,
        "订单金额": yuan(row.order_fen),
        "申请退款金额": yuan(row.asked_refund_fen),
        "费率备注": "",
    }


def _fund_values(row: FundRow) -> dict[str, str]:
    return {
        "记账时间": _time(row.booked_at),
        "微信支付业务单号": row.wechat_number,
        "资金流水单号": row.flow_number,
        "业务名称": row.business,
        "业务类型": row.kind,
        "收支类型": "收入" if row.is_income else "支出",
        "收支金额": yuan(row.amount_fen),
        "账户结余": yuan(row.balance_fen),
        "资金变更提交申请人": row.applicant,
        "备注": row.remark,
        "业务凭证号": row.voucher,
    }
