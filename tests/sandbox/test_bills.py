"""Bills: layouts, days, links, and every way they can be wrong."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from hospital.testing.sandbox import SandboxControl
from tests.sandbox.merchant import Merchant, number, openid
from tests.sandbox.v2_merchant import V2Merchant
from wechat_sandbox.bill_layout import FUND, LAYOUTS, SUMMARY

BEIJING = timezone(timedelta(hours=8))
Bill = tuple[list[dict[str, str]], dict[str, str]]


def today() -> datetime:
    """Midnight in Beijing."""
    return datetime.now(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)


def move(control: SandboxControl, to: datetime) -> None:
    """Set the stand-in's clock."""
    control.clock((to - datetime.now(UTC)).total_seconds())


def next_morning(control: SandboxControl, days: int = 1) -> str:
    """10:30 in Beijing some days on; the bill date of the day just ended."""
    move(control, today() + timedelta(days=days, hours=10, minutes=30))
    return (today() + timedelta(days=days - 1)).date().isoformat()


def ask(merchant: Merchant, day: str, kind: str = "ALL", product: str = "tradebill") -> Any:
    """Ask for a bill's link."""
    name = "account_type" if product == "fundflowbill" else "bill_type"
    target = f"/v3/bill/{product}?bill_date={day}&{name}={kind}&tar_type=GZIP"
    return merchant.call("GET", target)


def fetch(merchant: Merchant, link: str) -> httpx.Response:
    """The file behind a link, unsigned."""
    target = link.removeprefix(str(merchant.facts["base"]))
    answer = merchant.http.get(target, headers=merchant.headers("GET", target))
    assert "Wechatpay-Signature" not in answer.headers
    return answer


def text_of(merchant: Merchant, *asked: str) -> str:
    """The whole file, its hash checked."""
    link = ask(merchant, *asked).json()
    answer = fetch(merchant, link["download_url"])
    assert answer.headers["Content-Type"] == "application/x-gzip"
    plain = gzip.decompress(answer.content)
    assert link["hash_type"] == "SHA1"
    assert hashlib.sha1(plain).hexdigest() == link["hash_value"]
    return plain.decode()


def rows_of(text: str) -> Bill:
    """Rows and summary by header name, split as the manual says."""
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == text.count("\n")
    lines = text.removeprefix("\ufeff").split("\r\n")
    assert lines.pop() == ""
    header, *rows, total_header, total = lines

    def cells(row: str) -> list[str]:
        assert row[0] == "`"
        return row[1:].split(",`")

    names = header.split(",")
    assert all(len(cells(row)) == len(names) for row in rows)
    return (
        [dict(zip(names, cells(row), strict=True)) for row in rows],
        dict(zip(total_header.split(","), cells(total), strict=True)),
    )


def refused(answer: httpx.Response, code: str) -> None:
    """The answer is this error."""
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


@pytest.fixture
def day(control: SandboxControl, merchant: Merchant, paid: str) -> str:
    """The morning after one payment of 25 yuan; the date of its bill."""
    return next_morning(control)


def test_the_layouts_have_the_published_columns() -> None:
    assert {kind: len(columns) for kind, columns in LAYOUTS.items()} == {
        "ALL": 27,
        "SUCCESS": 20,
        "REFUND": 29,
    }
    assert (len(SUMMARY), len(FUND)) == (7, 11)
    assert LAYOUTS["ALL"][14:20] == LAYOUTS["REFUND"][16:22]


def test_a_day_of_business(control: SandboxControl, merchant: Merchant) -> None:
    """Paid, partly refunded, scanned, reversed: two rows for what came and went."""
    cashier = V2Merchant(control.facts)
    person, kept, refund, undone = openid(), number(), number("R"), number()
    merchant.prepay(merchant.order(kept, person, 10_000, description="挂号费,骨伤科", attach="A,1"))
    control.pay(kept)
    cashier.micropay(undone, control.scan_code(person))
    cashier.reverse(undone)
    merchant.refund(kept, refund, 3_000, total=10_000)
    control.until(lambda: merchant.query_refund(refund).json()["status"] == "SUCCESS")
    unpaid = number()
    merchant.prepay(merchant.order(unpaid, person))
    day = next_morning(control)

    rows, total = rows_of(text_of(merchant, day))
    assert [(row["商户订单号"], row["交易状态"]) for row in rows] == [
        (kept, "SUCCESS"),
        (undone, "SUCCESS"),
        (undone, "REVOKED"),
        (kept, "REFUND"),
    ]
    paid, scanned, revoked, refunded = rows
    assert paid == {
        "交易时间": paid["交易时间"],
        "公众账号ID": merchant.facts["appid"],
        "商户号": merchant.facts["mchid"],
        "特约商户号": "0",
        "设备号": "",
        "微信订单号": merchant.query(kept).json()["transaction_id"],
        "商户订单号": kept,
        "用户标识": person,
        "交易类型": "JSAPI",
        "交易状态": "SUCCESS",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": "100.00",
        "代金券金额": "0.00",
        "微信退款单号": "0",
        "商户退款单号": "0",
        "退款金额": "0.00",
        "充值券退款金额": "0.00",
        "退款类型": "",
        "退款状态": "",
        "商品名称": "挂号费,骨伤科",
        "商户数据包": "A,1",
        "手续费": "0.60000",
        "费率": "0.60%",
        "订单金额": "100.00",
        "申请退款金额": "0.00",
        "费率备注": "",
    }
    assert paid["交易时间"].startswith(f"{day} ")
    assert (scanned["交易类型"], scanned["设备号"]) == ("MICROPAY", "窗口3")
    assert (refunded["商户退款单号"], refunded["退款状态"]) == (refund, "SUCCESS")
    assert (refunded["订单金额"], refunded["申请退款金额"]) == ("0.00", "30.00")
    assert refunded["手续费"] == "-0.18000"
    assert (revoked["申请退款金额"], revoked["退款状态"]) == ("25.00", "SUCCESS")
    assert total == {
        "总交易单数": "4.0",
        "应结订单总金额": "125.0",
        "退款总金额": "55.0",
        "充值券退款总金额": "0.0",
        "手续费总金额": "0.42",
        "订单总金额": "125.0",
        "申请退款总金额": "55.0",
    }

    successes, total = rows_of(text_of(merchant, day, "SUCCESS"))
    assert [row["商户订单号"] for row in successes] == [kept, undone]
    assert tuple(successes[0]) == LAYOUTS["SUCCESS"]
    assert total["订单总金额"] == "125.0"
    refunds, total = rows_of(text_of(merchant, day, "REFUND"))
    assert [row["交易状态"] for row in refunds] == ["REVOKED", "REFUND"]
    assert refunds[1]["退款成功时间"].startswith(f"{day} ")
    assert total["手续费总金额"] == "-0.33"

    flow, total = rows_of(text_of(merchant, day, "BASIC", "fundflowbill"))
    assert tuple(flow[0]) == FUND
    assert [(row["业务类型"], row["收支类型"], row["收支金额(元)"]) for row in flow] == [
        ("交易", "收入", "100.00"),
        ("扣除交易手续费", "支出", "0.60"),
        ("交易", "收入", "25.00"),
        ("扣除交易手续费", "支出", "0.15"),
        ("退款", "支出", "25.00"),
        ("退还交易手续费", "收入", "0.15"),
        ("退款", "支出", "30.00"),
        ("退还交易手续费", "收入", "0.18"),
    ]
    assert flow[-1]["账户结余(元)"] == "69.58"
    assert total == {
        "资金流水总笔数": "8.0",
        "收入笔数": "4.0",
        "收入金额": "125.33",
        "支出笔数": "4.0",
        "支出金额": "55.75",
    }
    assert len({row["资金流水单号"] for row in flow}) == 8


def test_days_end_at_midnight_in_beijing(control: SandboxControl, merchant: Merchant) -> None:
    orders = [number(), number()]
    for out_trade_no, second in zip(orders, (-2, 2), strict=True):
        move(control, today() + timedelta(days=1, seconds=second))
        merchant.prepay(merchant.order(out_trade_no, openid()))
        control.pay(out_trade_no)
    for days, out_trade_no in zip((1, 2), orders, strict=True):
        rows, _ = rows_of(text_of(merchant, next_morning(control, days)))
        assert [row["商户订单号"] for row in rows] == [out_trade_no]


def test_a_refund_shown_under_way_stays_so(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    refund = number("R")
    control.fault("refund_stuck")
    merchant.refund(paid, refund, 2500)
    day = next_morning(control)
    before = text_of(merchant, day)
    assert rows_of(before)[0][1]["退款状态"] == "PROCESSING"
    control.refund_state(refund, "SUCCESS")
    assert text_of(merchant, day) == before
    assert rows_of(text_of(merchant, day, "REFUND"))[0][0]["退款成功时间"] == ""


def test_a_bill_comes_at_ten_and_is_kept_three_months(
    control: SandboxControl, merchant: Merchant, paid: str
) -> None:
    day = today().date().isoformat()
    refused(ask(merchant, day), "INVALID_REQUEST")
    move(control, today() + timedelta(days=1, hours=9, minutes=59))
    refused(ask(merchant, day), "STATEMENT_CREATING")
    move(control, today() + timedelta(days=1, hours=10, seconds=1))
    assert ask(merchant, day).status_code == 200
    next_morning(control, 93)
    refused(ask(merchant, day), "INVALID_REQUEST")


def test_a_day_without_business_has_no_bill(control: SandboxControl, merchant: Merchant) -> None:
    day = next_morning(control)
    refused(ask(merchant, day), "NO_STATEMENT_EXIST")
    refused(ask(merchant, day, "BASIC", "fundflowbill"), "NO_STATEMENT_EXIST")


def test_other_accounts_never_move(merchant: Merchant, day: str) -> None:
    refused(ask(merchant, day, "FEES", "fundflowbill"), "NO_STATEMENT_EXIST")
    refused(ask(merchant, day, "REFUND"), "NO_STATEMENT_EXIST")


@pytest.mark.parametrize(
    "query",
    [
        "bill_date=20261123",
        "bill_type=ALL",
        "bill_date={day}&bill_type=MINE",
        "bill_date={day}&tar_type=ZIP",
    ],
)
def test_wrong_questions(merchant: Merchant, day: str, query: str) -> None:
    target = f"/v3/bill/tradebill?{query.format(day=day)}"
    refused(merchant.call("GET", target), "PARAM_ERROR")


def test_a_link_lives_five_minutes(control: SandboxControl, merchant: Merchant, day: str) -> None:
    link = ask(merchant, day).json()["download_url"]
    assert fetch(merchant, link).status_code == 200
    assert fetch(merchant, link).status_code == 200
    move(control, today() + timedelta(days=1, hours=10, minutes=36))
    refused(fetch(merchant, link), "INVALID_REQUEST")
    refused(fetch(merchant, f"{merchant.facts['base']}/v3/billdownload/file"), "INVALID_REQUEST")


def test_a_link_needs_a_signed_request(merchant: Merchant, day: str) -> None:
    answer = httpx.get(ask(merchant, day).json()["download_url"], trust_env=False)
    assert (answer.status_code, answer.json()["code"]) in [(401, "SIGN_ERROR")]


def test_a_plain_file_when_nobody_asks_for_gzip(merchant: Merchant, day: str) -> None:
    link = merchant.call("GET", f"/v3/bill/tradebill?bill_date={day}").json()
    assert "tartype" not in link["download_url"]
    plain = fetch(merchant, link["download_url"]).content
    assert hashlib.sha1(plain).hexdigest() == link["hash_value"]
    assert len(rows_of(plain.decode())[0]) == 1


def test_the_bill_so_far(control: SandboxControl, merchant: Merchant, paid: str) -> None:
    """A lever, for checks that cannot wait for the next morning."""
    assert [row["商户订单号"] for row in rows_of(control.bill())[0]] == [paid]
    assert rows_of(control.bill(kind="BASIC"))[1]["收入金额"] == "25.00"
    assert control.bill("2026-01-01") == ""
    with pytest.raises(AssertionError, match="400"):
        control.bill(kind="MINE")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("bill_not_ready", "STATEMENT_CREATING"), ("bill_none", "NO_STATEMENT_EXIST")],
)
def test_no_bill_although_there_is_one(
    control: SandboxControl, merchant: Merchant, day: str, kind: str, code: str
) -> None:
    control.fault(kind)
    refused(ask(merchant, day), code)
    assert ask(merchant, day).status_code == 200


def test_an_expired_link_is_asked_for_again(
    control: SandboxControl, merchant: Merchant, day: str
) -> None:
    control.fault("bill_token_expired")
    link = ask(merchant, day).json()["download_url"]
    refused(fetch(merchant, link), "INVALID_REQUEST")
    assert len(rows_of(text_of(merchant, day))[0]) == 1


def test_a_hash_of_something_else(control: SandboxControl, merchant: Merchant, day: str) -> None:
    control.fault("bill_bad_hash")
    link = ask(merchant, day).json()
    plain = gzip.decompress(fetch(merchant, link["download_url"]).content)
    assert hashlib.sha1(plain).hexdigest() != link["hash_value"]
    text_of(merchant, day)


def test_a_broken_file(control: SandboxControl, merchant: Merchant, day: str) -> None:
    control.fault("bill_bad_gzip")
    broken = fetch(merchant, ask(merchant, day).json()["download_url"])
    with pytest.raises((OSError, EOFError, ValueError, gzip.zlib.error)):  # type: ignore[attr-defined]
        gzip.decompress(broken.content)
    text_of(merchant, day)


@pytest.fixture
def two(control: SandboxControl, merchant: Merchant) -> tuple[str, str, str]:
    """The morning after two payments and a refund of the second: both order numbers, the
    refund's."""
    first, second, refund = number(), number(), number("R")
    for out_trade_no in (first, second):
        merchant.prepay(merchant.order(out_trade_no, openid()))
        control.pay(out_trade_no)
    merchant.refund(second, refund, 500)
    control.until(lambda: merchant.query_refund(refund).json()["status"] == "SUCCESS")
    next_morning(control)
    return first, second, refund


def seen(bill: Bill) -> list[tuple[str, str, str]]:
    """Numbers and amount of each row."""
    return [
        (row["商户订单号"], row["商户退款单号"], row["订单金额"])
        if row["交易状态"] == "SUCCESS"
        else (row["商户订单号"], row["商户退款单号"], f"-{row['申请退款金额']}")
        for row in bill[0]
    ]


CHANGES: dict[str, Callable[[str, str, str], tuple[str, list[tuple[str, str, str]], str]]] = {
    "bill_missing_row": lambda a, b, r: (b, [(a, "0", "25.00"), (b, r, "-5.00")], "25.0"),
    "bill_duplicate_row": lambda a, b, r: (
        a,
        [(a, "0", "25.00"), (a, "0", "25.00"), (b, "0", "25.00"), (b, r, "-5.00")],
        "75.0",
    ),
    "bill_changed_amount": lambda a, b, r: (
        b,
        [(a, "0", "25.00"), (b, "0", "26.00"), (b, r, "-5.00")],
        "51.0",
    ),
    "bill_extra_row": lambda a, b, r: (
        "X00000001",
        [(a, "0", "25.00"), (b, "0", "25.00"), (b, r, "-5.00"), ("X00000001", "0", "88.00")],
        "138.0",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_rows_that_are_not_true(
    control: SandboxControl, merchant: Merchant, two: tuple[str, str, str], kind: str
) -> None:
    """The file agrees with itself: only comparing finds it. The next one is true again."""
    first, second, refund = two
    value, rows, total = CHANGES[kind](first, second, refund)
    control.fault(kind, value=value)
    day = today().date().isoformat()
    changed = rows_of(text_of(merchant, day))
    assert seen(changed) == rows
    assert (changed[1]["总交易单数"], changed[1]["订单总金额"]) == (f"{len(rows)}.0", total)
    true = [(first, "0", "25.00"), (second, "0", "25.00"), (second, refund, "-5.00")]
    assert seen(rows_of(text_of(merchant, day))) == true


def test_a_refund_that_looks_unfinished_and_a_name_with_commas(
    control: SandboxControl, merchant: Merchant, two: tuple[str, str, str]
) -> None:
    control.fault("bill_refund_processing", value=two[2])
    control.fault("bill_comma_in_name", value=two[0])
    control.fault("bill_changed_amount", value=two[2])
    rows, _ = rows_of(text_of(merchant, today().date().isoformat()))
    assert rows[0]["商品名称"] == "挂号费,骨伤科,普通号"
    assert (rows[2]["退款状态"], rows[2]["申请退款金额"]) == ("PROCESSING", "6.00")
