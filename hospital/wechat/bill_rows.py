"""WeChat's bills as typed rows: amounts in fen, moments in UTC, columns found by their names.

Reading is lazy and keeps nothing. At the end the rows are added up and compared with the totals
WeChat wrote under them: a bill that does not add up is broken, and nobody should reconcile with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, BinaryIO, Generic, NamedTuple, Protocol, TypeVar

from hospital.kernel import money
from hospital.wechat.bill_lines import BillBroken as BillBroken
from hospital.wechat.bill_lines import BillLines

FEE_PLACES = 5
BEIJING = timedelta(hours=8)  # no daylight saving time for as long as there has been WeChat
MOMENT_LENGTH = len("2026-11-23 10:34:56")


class TradeRow(NamedTuple):
    """A payment (by the time it succeeded) or a refund (by the time it was accepted) of the day.

    Both of one order may be in one bill. A refund's `refund_state` is a snapshot and is never
    updated later. Fees are thousandths of a fen. Reconcile payments on `out_trade_no` with
    `order_fen`, refunds on `out_refund_no` with `asked_refund_fen`.
    """

    happened_at: datetime
    appid: str
    mchid: str
    device: str
    transaction_id: str
    out_trade_no: str
    openid: str
    trade_type: str
    trade_state: str
    bank: str
    currency: str
    settled_fen: int
    coupon_fen: int
    refund_id: str
    out_refund_no: str
    refund_fen: int
    refund_coupon_fen: int
    refund_type: str
    refund_state: str
    product: str
    attach: str
    fee_milli_fen: int
    rate: str
    order_fen: int
    asked_refund_fen: int
    refund_asked_at: datetime | None
    refund_done_at: datetime | None

    @property
    def is_refund(self) -> bool:
        return bool(self.refund_id)


class TradeSummary(NamedTuple):
    """The totals under a trade bill; the fee is what WeChat printed, rounded its own way."""

    rows: int
    settled_fen: int
    refund_fen: int
    refund_coupon_fen: int
    fee_milli_fen: int
    order_fen: int
    asked_refund_fen: int


class FundRow(NamedTuple):
    """A movement of the merchant's account; `amount_fen` is positive either way."""

    booked_at: datetime
    wechat_number: str
    flow_number: str
    business: str
    kind: str
    is_income: bool
    amount_fen: int
    balance_fen: int
    applicant: str
    remark: str
    voucher: str


class FundSummary(NamedTuple):
    """The totals under a fund-flow bill."""

    rows: int
    incomes: int
    income_fen: int
    expenses: int
    expense_fen: int


def read_trade_bill(stream: BinaryIO) -> "Bill[TradeRow, TradeSummary]":
    """The rows of a trade bill of any kind (ALL, SUCCESS, REFUND)."""
    return Bill(stream, TRADE, _TradeAdder())


def read_fund_bill(stream: BinaryIO) -> "Bill[FundRow, FundSummary]":
    """The rows of a fund-flow bill."""
    return Bill(stream, FUND, _FundAdder())


# ---------------------------------------------------------------- values


@lru_cache(maxsize=256)
def _moment(text: str) -> datetime:
    """Rows of a busy second stand together, so the last ones are remembered."""
    if len(text) != MOMENT_LENGTH:
        raise ValueError("not a moment")
    moment = datetime.fromisoformat(text)
    return (moment - BEIJING).replace(tzinfo=UTC)


def _moment_or_none(text: str) -> datetime | None:
    return _moment(text) if text else None


def _number(text: str) -> str:
    """A payment row has "0" where a refund's numbers stand."""
    return "" if text == "0" else text


def _fee(text: str) -> int:
    return money.parse_plain(text, places=FEE_PLACES)


def _is_income(text: str) -> bool:
    if text not in ("收入", "支出"):
        raise ValueError("neither income nor expense")
    return text == "收入"


Reader = Callable[[str], Any]
REQUIRED = object()


@dataclass(frozen=True)
class Column:
    """The name in the header, how a value is read, and what stands for it where a kind of bill has
    no such column (REQUIRED: every kind has it)."""

    header: str
    read: Reader | None = None
    absent: Any = REQUIRED


@dataclass(frozen=True)
class Layout:
    """The columns of a bill by the fields of its row."""

    make: Callable[[Sequence[Any]], Any]
    columns: Mapping[str, Column]

    def reader(self, lines: BillLines, header: list[str]) -> Callable[[list[Any]], Any]:
        """A function from a row's texts to the row. Raises BillBroken when a column is missing or
        there twice."""
        if len(set(header)) != len(header):
            raise lines.broken("repeated_column")
        absent: list[Any] = []
        places: list[int] = []
        reads: list[tuple[int, Reader]] = []
        for column in self.columns.values():
            if column.header in header:
                place = header.index(column.header)
                if column.read is not None:
                    reads.append((place, column.read))
            elif column.absent is REQUIRED:
                raise lines.broken("missing_column")
            else:
                place = len(header) + len(absent)
                absent.append(column.absent)
            places.append(place)
        pick, make = itemgetter(*places), self.make

        def read(values: list[Any]) -> Any:
            for place, convert in reads:
                values[place] = convert(values[place])
            values += absent
            return make(pick(values))

        return read


_fen = money.parse_plain

TRADE = Layout(
    make=TradeRow._make,
    columns={
        "happened_at": Column("交易时间", _moment),
        "appid": Column("公众账号ID"),
        "mchid": Column("商户号"),
        "device": Column("设备号"),
        "transaction_id": Column("微信订单号"),
        "out_trade_no": Column("商户订单号"),
        "openid": Column("用户标识"),
        "trade_type": Column("交易类型"),
        "trade_state": Column("交易状态"),
        "bank": Column("付款银行"),
        "currency": Column("货币种类"),
        "settled_fen": Column("应结订单金额", _fen),
        "coupon_fen": Column("代金券金额", _fen),
        # A bill of payments alone has no columns of refunds.
        "refund_id": Column("微信退款单号", _number, absent=""),
        "out_refund_no": Column("商户退款单号", _number, absent=""),
        "refund_fen": Column("退款金额", _fen, absent=0),
        "refund_coupon_fen": Column("充值券退款金额", _fen, absent=0),
        "refund_type": Column("退款类型", absent=""),
        "refund_state": Column("退款状态", absent=""),
        "product": Column("商品名称"),
        "attach": Column("商户数据包"),
        "fee_milli_fen": Column("手续费", _fee),
        "rate": Column("费率"),
        "order_fen": Column("订单金额", _fen),
        "asked_refund_fen": Column("申请退款金额", _fen, absent=0),
        # Only a bill of refunds alone has their times.
        "refund_asked_at": Column("退款申请时间", _moment_or_none, absent=None),
        "refund_done_at": Column("退款成功时间", _moment_or_none, absent=None),
    },
)
FUND = Layout(
    make=FundRow._make,
    columns={
        "booked_at": Column("记账时间", _moment),
        "wechat_number": Column("微信支付业务单号"),
        "flow_number": Column("资金流水单号"),
        "business": Column("业务名称"),
        "kind": Column("业务类型"),
        "is_income": Column("收支类型", _is_income),
        "amount_fen": Column("收支金额", _fen),
        "balance_fen": Column("账户结余", _fen),
        "applicant": Column("资金变更提交申请人"),
        "remark": Column("备注"),
        "voucher": Column("业务凭证号"),
    },
)


# ---------------------------------------------------------------- reading and adding up

Row = TypeVar("Row")
Summary_co = TypeVar("Summary_co", covariant=True)
AnyRow = TypeVar("AnyRow", contravariant=True)


class Adder(Protocol[AnyRow, Summary_co]):
    """Adds rows up, then compares with the totals: their Summary, or ValueError or KeyError."""

    def add(self, row: AnyRow, /) -> None: ...
    def compare(self, totals: Mapping[str, str], /) -> Summary_co | None: ...


class Bill(Generic[Row, Summary_co]):
    """An iterator over the rows of a bill; go through it once, then `summary` is there.

    Going through raises BillBroken, at the latest when the rows do not add up to the totals: do not
    keep anything from a bill before its last row has come.
    """

    def __init__(self, stream: BinaryIO, layout: Layout, adder: Adder[Row, Summary_co]) -> None:
        self._rows = self._read(BillLines(stream), layout, adder)
        self._summary: Summary_co | None = None

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    @property
    def summary(self) -> Summary_co:
        assert self._summary is not None, "a bill's summary comes after its last row"
        return self._summary

    def _read(
        self, lines: BillLines, layout: Layout, adder: Adder[Row, Summary_co]
    ) -> Iterator[Row]:
        header = lines.header()
        read = layout.reader(lines, header)
        for values in lines.rows(columns=len(header)):
            try:
                row: Row = read(values)
            except (ValueError, OverflowError) as error:
                raise lines.broken("unreadable_value") from error
            adder.add(row)
            yield row
        try:
            self._summary = adder.compare(lines.totals())
        except (ValueError, KeyError) as error:
            raise lines.broken("unreadable_totals") from error
        if self._summary is None:
            raise lines.broken("does_not_add_up")


class _TradeAdder:
    def __init__(self) -> None:
        self._rows = self._settled = self._refund = self._coupon = 0
        self._fee = self._order = self._asked = 0

    def add(self, row: TradeRow) -> None:
        self._rows += 1
        self._settled += row.settled_fen
        self._refund += row.refund_fen
        self._coupon += row.refund_coupon_fen
        self._fee += row.fee_milli_fen
        self._order += row.order_fen
        self._asked += row.asked_refund_fen

    def compare(self, totals: Mapping[str, str]) -> TradeSummary | None:
        fee = totals["手续费总金额"]
        told = TradeSummary(
            rows=_count(totals["总交易单数"]),
            settled_fen=_fen(totals["应结订单总金额"]),
            refund_fen=_fen(totals["退款总金额"]),
            refund_coupon_fen=_fen(totals["充值券退款总金额"]),
            fee_milli_fen=_fee(fee),
            order_fen=_fen(totals["订单总金额"]),
            asked_refund_fen=_fen(totals["申请退款总金额"]),
        )
        found = TradeSummary(
            self._rows,
            self._settled,
            self._refund,
            self._coupon,
            told.fee_milli_fen,
            self._order,
            self._asked,
        )
        # Rows carry five decimals of a fee, the total two or more: less than one unit of its last
        # decimal may be lost.
        decimals = max(2, len(fee.partition(".")[2]))
        is_near = abs(self._fee - told.fee_milli_fen) < 10 ** max(0, FEE_PLACES - decimals)
        return told if told == found and is_near else None


class _FundAdder:
    def __init__(self) -> None:
        self._counts = {True: 0, False: 0}
        self._sums = {True: 0, False: 0}

    def add(self, row: FundRow) -> None:
        self._counts[row.is_income] += 1
        self._sums[row.is_income] += row.amount_fen

    def compare(self, totals: Mapping[str, str]) -> FundSummary | None:
        told = FundSummary(
            rows=_count(totals["资金流水总笔数"]),
            incomes=_count(totals["收入笔数"]),
            income_fen=_fen(totals["收入金额"]),
            expenses=_count(totals["支出笔数"]),
            expense_fen=_fen(totals["支出金额"]),
        )
        found = FundSummary(
            rows=self._counts[True] + self._counts[False],
            incomes=self._counts[True],
            income_fen=self._sums[True],
            expenses=self._counts[False],
            expense_fen=self._sums[False],
        )
        return told if told == found else None


def _count(text: str) -> int:
    """A number of things, which WeChat may print as 45.0."""
    return money.parse_plain(text, places=0)
