"""Bills from the stand-in: fetched whole or not at all, and read to the fen."""

import gzip
import hashlib
import tracemalloc
from datetime import date, timedelta

import pytest

from hospital.kernel import clock
from hospital.testing.wechat import StandIn
from hospital.wechat import bills, clients
from hospital.wechat.bill_rows import BillBroken, read_fund_bill, read_trade_bill
from hospital.wechat.bills import BillFetched, NoBill, NotReady
from hospital.wechat.outcomes import RefundState, Refused, Unknown
from hospital.wechat.pay import RefundOrder
from hospital.wechat.tests.test_pay import OPENID, paid

TOMORROW_AT_TEN = 34 * 3600


def a_day_of_trade(wechat: StandIn) -> date:
    """Two payments and a refund of one of them today; the stand-in's clock then says that it is
    after ten on the next day."""
    day = clock.today()
    client = paid(wechat, "10W00000001")
    paid(wechat, "10W00000002")
    refund = RefundOrder(
        out_trade_no="10W00000001",
        out_refund_no="10W00000001R01",
        refund_fen=1000,
        total_fen=2500,
        reason="部分退费",
        notify_url=f"{wechat.letters.address}/callback/wechat/refund",
    )
    assert isinstance(client.refund(refund), RefundState)
    wechat.refund_state(refund.out_refund_no, "SUCCESS")
    since_midnight = clock.now() - clock.at_local(day)
    wechat.clock(TOMORROW_AT_TEN - since_midnight.total_seconds() + 60)
    return day


def fetched(outcome: bills.BillOutcome) -> BillFetched:
    assert isinstance(outcome, BillFetched)
    return outcome


def test_the_days_payments_and_refunds(wechat: StandIn) -> None:
    day = a_day_of_trade(wechat)
    with fetched(clients.pay().trade_bill(day=day)) as file:
        bill = read_trade_bill(file.text())
        rows = sorted(bill, key=lambda row: (row.is_refund, row.out_trade_no))
        text = file.text().read()
        assert gzip.decompress(file.packed()) == text
    assert [(row.out_trade_no, row.order_fen, row.openid) for row in rows[:2]] == [
        ("10W00000001", 2500, OPENID),
        ("10W00000002", 2500, OPENID),
    ]
    back = rows[2]
    assert (back.out_refund_no, back.asked_refund_fen) == ("10W00000001R01", 1000)
    assert (back.trade_state, back.refund_state, back.order_fen) == ("REFUND", "SUCCESS", 0)
    assert (bill.summary.rows, bill.summary.order_fen) == (3, 5000)
    assert bill.summary.asked_refund_fen == 1000
    assert all(clock.hospital_day(row.happened_at) == day for row in rows)
    assert file.size == len(text)
    assert file.sha1 == hashlib.sha1(text, usedforsecurity=False).hexdigest()


def test_bills_of_one_kind(wechat: StandIn) -> None:
    day = a_day_of_trade(wechat)
    with fetched(clients.pay().trade_bill(day=day, kind="SUCCESS")) as file:
        payments = list(read_trade_bill(file.text()))
    with fetched(clients.pay().trade_bill(day=day, kind="REFUND")) as file:
        refunds = list(read_trade_bill(file.text()))
    assert [row.is_refund for row in payments + refunds] == [False, False, True]
    assert refunds[0].refund_asked_at is not None


def test_the_movements_of_the_account(wechat: StandIn) -> None:
    day = a_day_of_trade(wechat)
    with fetched(clients.pay().fund_bill(day=day)) as file:
        bill = read_fund_bill(file.text())
        rows = list(bill)
    traded = [row for row in rows if "手续费" not in row.business + row.kind]
    assert sum(row.amount_fen for row in traded if row.is_income) == 5000
    assert sum(row.amount_fen for row in traded if not row.is_income) == 1000
    assert bill.summary.rows == len(rows)


def test_today_and_days_without_anything(wechat: StandIn) -> None:
    client = clients.pay()
    assert isinstance(client.trade_bill(day=clock.today()), Refused)
    day = clock.today() - timedelta(days=2)
    assert client.trade_bill(day=day) == NoBill()
    assert client.fund_bill(day=day) == NoBill()
    assert isinstance(client.trade_bill(day=day - timedelta(days=200)), Refused)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("bill_not_ready", NotReady()),
        ("bill_none", NoBill()),
        ("http_500", Unknown(reason="http_500")),
        ("response_bad_signature", Unknown(reason="untrusted:bad_signature")),
        ("bill_bad_hash", Unknown(reason="bill_hash")),
    ],
)
def test_what_comes_instead_of_a_bill(
    wechat: StandIn, fault: str, outcome: bills.BillOutcome
) -> None:
    day = a_day_of_trade(wechat)
    wechat.fault(fault, times=2)
    assert clients.pay().trade_bill(day=day) == outcome


@pytest.mark.parametrize("fault", ["bill_bad_hash", "bill_bad_gzip", "bill_token_expired"])
def test_a_file_that_did_not_come_is_asked_for_once_more(wechat: StandIn, fault: str) -> None:
    day = a_day_of_trade(wechat)
    wechat.fault(fault, times=1)
    with fetched(clients.pay().trade_bill(day=day)) as file:
        assert len(list(read_trade_bill(file.text()))) == 3
    wechat.fault(fault, times=2)
    assert isinstance(clients.pay().trade_bill(day=day), Refused | Unknown)


@pytest.mark.parametrize("fault", ["bill_missing_row", "bill_extra_row", "bill_changed_amount"])
def test_a_bill_that_differs_from_our_books_is_read_as_it_is(wechat: StandIn, fault: str) -> None:
    """WeChat's own totals agree with its rows: finding the difference is reconciliation's work."""
    day = a_day_of_trade(wechat)
    wechat.fault(fault, times=1)
    with fetched(clients.pay().trade_bill(day=day)) as file:
        bill = read_trade_bill(file.text())
        rows = list(bill)
    assert (len(rows), sum(row.order_fen for row in rows)) != (3, 5000)
    assert bill.summary.rows == len(rows)


def test_commas_and_refunds_under_way(wechat: StandIn) -> None:
    day = a_day_of_trade(wechat)
    wechat.fault("bill_comma_in_name", times=1)
    wechat.fault("bill_refund_processing", times=1, value="10W00000001R01")
    with fetched(clients.pay().trade_bill(day=day)) as file:
        rows = list(read_trade_bill(file.text()))
    assert any("," in row.product for row in rows)
    assert [row.refund_state for row in rows if row.is_refund] == ["PROCESSING"]


class _Pieces:
    """The receiver's own end of a download, with pieces as a network might cut them."""

    def __init__(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.file = (tmp_path_factory.mktemp("bill") / "bill.gz").open("w+b")
        self.receiver = bills._Receiver(self.file)

    def take_all(self, body: bytes) -> None:
        self.receiver.take(body)
        self.receiver.finish()


@pytest.mark.parametrize("size", [1, 7, 4096])
@pytest.mark.parametrize("is_packed", [True, False])
def test_pieces_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, size: int, is_packed: object
) -> None:
    text = ("`药," * 5000).encode()
    body = gzip.compress(text) if is_packed else text
    with (end := _Pieces(tmp_path_factory)).file:
        for start in range(0, len(body), size):
            end.receiver.take(body[start : start + size])
        end.receiver.finish()
        bill = BillFetched(file=end.file, sha1=end.receiver.sha1, size=end.receiver.size)
        assert bill.text().read() == text
        assert gzip.decompress(bill.packed()) == text
        assert bill.sha1 == hashlib.sha1(text, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (gzip.compress(b"`1," * 999)[:-9], "cut_off"),
        (gzip.compress(b"`1," * 999)[:-8] + b"\x00" * 8, "gzip"),
        (b"\x1f\x8b\x00\x00nothing", "gzip"),
    ],
    ids=["cut off", "wrong sum", "no stream"],
)
def test_broken_pieces(tmp_path_factory: pytest.TempPathFactory, body: bytes, reason: str) -> None:
    with (end := _Pieces(tmp_path_factory)).file, pytest.raises(bills._Broken, match=reason):
        end.take_all(body)


def test_a_bomb_is_unpacked_within_bounds(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bills, "MOST_BYTES", 20_000_000)
    bomb = gzip.compress(b"\x00" * 40_000_000)
    with (end := _Pieces(tmp_path_factory)).file:
        tracemalloc.start()
        with pytest.raises(bills._Broken, match="too_big"):
            end.receiver.take(bomb)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "facts",
    [
        {"hash_type": "MD5", "hash_value": "00", "download_url": "http://h/v3/billdownload/file"},
        {"hash_type": "SHA1", "download_url": "http://h/v3/billdownload/file?token=1"},
        {"hash_type": "SHA1", "hash_value": "00", "download_url": "http://h/v3/refund/x?token=1"},
        {"hash_type": "SHA1", "hash_value": "00", "download_url": "http://[/v3/billdownload/"},
        {"hash_type": "SHA1", "hash_value": "00", "download_url": 7},
    ],
)
def test_places_that_are_no_bill(facts: dict[str, object]) -> None:
    assert isinstance(bills._read_place(facts), Unknown)


def test_broken_is_told_by_its_line() -> None:
    assert str(BillBroken("long_line", line=7)) == "long_line in line 7"
