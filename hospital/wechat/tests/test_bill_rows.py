"""Bills as rows: what is written comes back, what does not add up is broken."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital.wechat.bill_lines import MOST_LINE_BYTES, BillBroken
from hospital.wechat.bill_rows import (
    FundRow,
    FundSummary,
    TradeRow,
    TradeSummary,
    read_fund_bill,
    read_trade_bill,
)
from hospital.wechat.tests import bill_writer

AT = datetime(2026, 11, 22, 20, 1, 46, tzinfo=UTC)
PAYMENT = TradeRow(
    happened_at=AT,
    appid="wx1",
    mchid="1600000001",
    device="W01",
    transaction_id="4200000000000000000000000001",
    out_trade_no="10W00000001",
    openid="oAbc",
    trade_type="JSAPI",
    trade_state="SUCCESS",
    bank="OTHERS",
    currency="CNY",
    settled_fen=2500,
    coupon_fen=0,
    refund_id="",
    out_refund_no="",
    refund_fen=0,
    refund_coupon_fen=0,
    refund_type="",
    refund_state="",
    product="挂号费, 针灸推拿科,专家",
    attach="",
    fee_milli_fen=15000,
    rate="0.60%",
    order_fen=2500,
    asked_refund_fen=0,
    refund_asked_at=None,
    refund_done_at=None,
)
BACK = PAYMENT._replace(
    happened_at=AT + timedelta(hours=1),
    trade_state="REFUND",
    settled_fen=0,
    order_fen=0,
    fee_milli_fen=-6000,
    refund_id="50000709672019011908420787722",
    out_refund_no="10W00000001R01",
    refund_fen=1000,
    asked_refund_fen=1000,
    refund_type="ORIGINAL",
    refund_state="PROCESSING",
)
FLOW = FundRow(
    booked_at=AT,
    wechat_number="4200000000000000000000000001",
    flow_number="20261123000001",
    business="交易",
    kind="交易",
    is_income=True,
    amount_fen=2500,
    balance_fen=1_000_000,
    applicant="1600000001API",
    remark="挂号费, 备注",
    voucher="10W00000001",
)


def stream(body: bytes) -> io.BytesIO:
    return io.BytesIO(body)


def test_a_payment_and_its_refund_of_one_day() -> None:
    bill = read_trade_bill(stream(bill_writer.trade_bill([PAYMENT, BACK])))
    assert list(bill) == [PAYMENT, BACK]
    assert [row.is_refund for row in (PAYMENT, BACK)] == [False, True]
    assert bill.summary == TradeSummary(
        rows=2,
        settled_fen=2500,
        refund_fen=1000,
        refund_coupon_fen=0,
        fee_milli_fen=9000,
        order_fen=2500,
        asked_refund_fen=1000,
    )


def test_the_first_line_as_wechat_prints_it() -> None:
    """Times are Beijing's, numbers of refunds are 0 for payments, totals print as floats."""
    row = (
        "`2019-02-19 05:01:46,`wx1,`1921000401,`0,`,`4200000263,`auto_1,`oHk,`NATIVE,`SUCCESS,"
        "`OTHERS,`CNY,`0.03,`0.01,`0,`0,`0.00,`0.00,`,`,`a,b,`,`0.01000,`39.00%,`0.03,`0.00,`"
    )
    totals = "`1.0,`0.03,`0.0,`0.0,`0.01,`0.03,`0.00"
    lines = [",".join(bill_writer.ALL), row, ",".join(bill_writer.TOTALS), totals]
    bill = read_trade_bill(stream(("\n".join(lines)).encode()))
    (read,) = list(bill)
    assert read.happened_at == datetime(2019, 2, 18, 21, 1, 46, tzinfo=UTC)
    assert (read.order_fen, read.coupon_fen, read.fee_milli_fen) == (3, 1, 1000)
    assert (read.refund_id, read.product, read.is_refund) == ("", "a,b", False)


def test_a_day_without_anything() -> None:
    bill = read_trade_bill(stream(bill_writer.trade_bill([])))
    assert list(bill) == []
    assert bill.summary == TradeSummary(0, 0, 0, 0, 0, 0, 0)
    funds = read_fund_bill(stream(bill_writer.fund_bill([])))
    assert list(funds) == []
    assert funds.summary == FundSummary(0, 0, 0, 0, 0)


@pytest.mark.parametrize("units", ["(元)", "（元）", ""])
def test_fund_flow_headers_in_every_spelling(units: str) -> None:
    columns = [name.replace("(元)", units) for name in bill_writer.FUND]
    spent = FLOW._replace(is_income=False, amount_fen=15, kind="手续费")
    bill = read_fund_bill(stream(bill_writer.fund_bill([FLOW, spent], columns=columns)))
    assert list(bill) == [FLOW, spent]
    assert bill.summary == FundSummary(2, 1, 2500, 1, 15)


GOOD = bill_writer.trade_bill([PAYMENT, BACK]).decode()
LINES = GOOD.split("\r\n")


@pytest.mark.parametrize(
    ("body", "reason", "line"),
    [
        (GOOD.replace(LINES[1] + "\r\n", ""), "does_not_add_up", 4),
        (GOOD.replace(LINES[1], LINES[1] + "\r\n" + LINES[1]), "does_not_add_up", 6),
        (GOOD.replace("`25.00,`0.00,`", "`26.00,`0.00,`"), "does_not_add_up", 5),
        (GOOD.replace("0.15000", "0.25000"), "does_not_add_up", 5),
        (GOOD.replace("`25.00", "`25.001"), "unreadable_value", 2),
        (GOOD.replace("`25.00", "`2５.00"), "unreadable_value", 2),
        (GOOD.replace("`25.00", "`1e2"), "unreadable_value", 2),
        (GOOD.replace("2026-11-23 04:01:46", "2026-11-23"), "unreadable_value", 2),
        (GOOD.replace("2026-11-23 04:01:46", "2026-02-30 04:01:46"), "unreadable_value", 2),
        (GOOD.replace("专家", "专家,`"), "other_number_of_values", 2),
        (GOOD.replace("订单金额,申请", "金额,申请"), "missing_column", 1),
        (GOOD.replace("手续费,费率", "费率,费率"), "repeated_column", 1),
        (GOOD.replace("手续费总金额", "手续费"), "unreadable_totals", 5),
        (GOOD.replace("`2.0", "`2.5"), "unreadable_totals", 5),
        ("\r\n".join(LINES[:3]) + "\r\n", "ends_early", 3),
        ("\r\n".join(LINES[:4]) + "\r\n", "ends_early", 4),
        (GOOD[: len(GOOD) // 2], "other_number_of_values", 3),
        (GOOD + "`one more", "more_after_totals", 6),
        (GOOD.replace("专家", "药" * MOST_LINE_BYTES), "long_line", 2),
        ("", "ends_early", 0),
        ("<html>502</html>", "missing_column", 1),
    ],
)
def test_broken_bills(body: str, reason: str, line: int) -> None:
    with pytest.raises(BillBroken) as broken:
        list(read_trade_bill(stream(body.encode())))
    assert (broken.value.reason, broken.value.line) == (reason, line)


def test_other_bytes_are_no_bill() -> None:
    for other in (b"\xff", b"\x00"):
        with pytest.raises(BillBroken, match="not_text in line 2"):
            list(read_trade_bill(stream(GOOD.encode().replace("专家".encode(), other))))


def test_a_fund_bill_that_does_not_add_up() -> None:
    body = bill_writer.fund_bill([FLOW]).replace("`收入".encode(), "`支出".encode())
    with pytest.raises(BillBroken, match="does_not_add_up"):
        list(read_fund_bill(stream(body)))
    with pytest.raises(BillBroken, match="unreadable_value"):
        list(read_fund_bill(stream(body.replace("`支出".encode(), "`出入".encode()))))


ENDS = [{}, {"bom": "", "end": "\n"}]
words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="`\u2028\u2029\x85"),
    max_size=12,
).filter(lambda text: text != "0")
fen = st.integers(min_value=0, max_value=10**10)
moments = st.datetimes(
    min_value=datetime(2013, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=0))
trade_rows = st.builds(
    TradeRow,
    happened_at=moments,
    **{
        name: words if kind is str else fen
        for name, kind in TradeRow.__annotations__.items()
        if kind in (str, int) and name not in ("fee_milli_fen", "happened_at")
    },
    fee_milli_fen=st.integers(min_value=-(10**9), max_value=10**9),
    refund_asked_at=st.none() | moments,
    refund_done_at=st.none() | moments,
)
fund_rows = st.builds(
    FundRow,
    booked_at=moments,
    is_income=st.booleans(),
    **{name: words for name, kind in FundRow.__annotations__.items() if kind is str},
    amount_fen=fen,
    balance_fen=fen,
)


@settings(max_examples=60)
@given(st.lists(trade_rows, max_size=5), st.permutations(bill_writer.REFUND), st.sampled_from(ENDS))
def test_trade_rows_come_back_whatever_the_order(
    rows: list[TradeRow], columns: list[str], ends: dict[str, str]
) -> None:
    body = bill_writer.trade_bill(rows, columns=columns, **ends)
    assert list(read_trade_bill(stream(body))) == rows


@settings(max_examples=30)
@given(st.lists(trade_rows, max_size=3))
def test_a_bill_of_payments_lacks_refunds(rows: list[TradeRow]) -> None:
    payments = [
        row._replace(
            refund_id="",
            out_refund_no="",
            refund_fen=0,
            refund_coupon_fen=0,
            refund_type="",
            refund_state="",
            asked_refund_fen=0,
            refund_asked_at=None,
            refund_done_at=None,
        )
        for row in rows
    ]
    body = bill_writer.trade_bill(payments, columns=bill_writer.SUCCESS)
    assert list(read_trade_bill(stream(body))) == payments


@settings(max_examples=30)
@given(st.lists(fund_rows, max_size=4), st.permutations(bill_writer.FUND))
def test_fund_rows_come_back_whatever_the_order(rows: list[FundRow], columns: list[str]) -> None:
    assert list(read_fund_bill(stream(bill_writer.fund_bill(rows, columns=columns)))) == rows
