"""The channel's daily statements: fetched in the morning, whole or not at all, never twice."""

import datetime as dt
import gzip
import io
from collections.abc import Iterator

import pytest
from django.db import connection
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.payments import actions, gateway, jobs, queries
from hospital.payments.models import ChannelStatement, PaymentCase, StatementLine
from hospital.payments.schedule import statement_wait
from hospital.payments.statement_states import LineKind, StatementKind, StatementStatus
from hospital.payments.states import CaseKind
from hospital.payments.tests.world import later_on
from hospital.testing.jobs import run_jobs
from hospital.testing.wechat import StandIn
from hospital.wechat import clients
from hospital.wechat.pay import RefundOrder
from hospital.wechat.tests.test_pay import OPENID, paid

pytestmark = pytest.mark.django_db

REFUND = "10W00000001R01"


@pytest.fixture
def morning(wechat: StandIn) -> Iterator[dt.date]:
    """The day of two payments and a refund; now it is 10:15 on the next one, also at WeChat."""
    day = clock.today()
    client = paid(wechat, "10W00000001")
    paid(wechat, "10W00000002")
    client.refund(
        RefundOrder(
            out_trade_no="10W00000001",
            out_refund_no=REFUND,
            refund_fen=1000,
            total_fen=2500,
            reason="部分退费",
            notify_url=f"{wechat.letters.address}/callback/wechat/refund",
        )
    )
    wechat.refund_state(REFUND, "SUCCESS")
    next_morning = clock.at_local(day + dt.timedelta(days=1), dt.time(10, 15))
    with later_on(wechat, next_morning - clock.now()):
        yield day


def statement(day: dt.date, kind: StatementKind = StatementKind.TRADE) -> ChannelStatement:
    return ChannelStatement.objects.get(day=day, kind=kind)


def fetch_all() -> None:
    """What the periodic job does, and the jobs it starts; the ones for later stay."""
    jobs.expect_statements()
    assert run_jobs(only="payments.jobs.fetch_statement") == []


def waiting_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs"
            " WHERE status = 'todo' AND task_name = 'payments.jobs.fetch_statement'"
        )
        return int(cursor.fetchone()[0])


def test_yesterday_is_kept_with_its_lines(wechat: StandIn, morning: dt.date) -> None:
    fetch_all()
    trade = statement(morning)
    assert (trade.status, trade.line_count) == (StatementStatus.FETCHED, 3)
    assert trade.mchid == clients.config().mchid
    lines = list(trade.lines.order_by("kind", "out_trade_no"))
    assert [(line.kind, line.out_trade_no, line.amount_fen) for line in lines] == [
        (LineKind.PAYMENT, "10W00000001", 2500),
        (LineKind.PAYMENT, "10W00000002", 2500),
        (LineKind.REFUND, "10W00000001", 1000),
    ]
    assert (lines[2].out_refund_no, lines[2].state) == (REFUND, "SUCCESS")
    assert sorted(line.number for line in lines) == [1, 2, 3]
    assert all(clock.hospital_day(line.happened_at) == morning for line in lines)
    funds = statement(morning, StatementKind.FUND)
    assert funds.status == StatementStatus.FETCHED
    incomes = funds.lines.filter(kind=LineKind.INCOME, business="交易")
    assert sum(line.amount_fen for line in incomes) == 5000
    assert waiting_jobs() == 0
    assert PaymentCase.objects.count() == 0


def test_the_file_is_kept_as_it_came_and_sealed(wechat: StandIn, morning: dt.date) -> None:
    fetch_all()
    trade = statement(morning)
    assert trade.packed is not None
    text = gzip.decompress(trade.packed).decode()
    assert OPENID in text
    with connection.cursor() as cursor:
        cursor.execute("SELECT packed FROM payments_channelstatement WHERE id = %s", [trade.pk])
        stored = bytes(cursor.fetchone()[0])
    assert trade.packed not in stored
    assert OPENID.encode() not in stored


def test_running_again_changes_nothing(wechat: StandIn, morning: dt.date) -> None:
    fetch_all()
    before = list(StatementLine.objects.order_by("pk").values_list())
    fetch_all()
    for statement_id in ChannelStatement.objects.values_list("pk", flat=True):
        jobs.fetch_statement(statement_id=statement_id)
    assert list(StatementLine.objects.order_by("pk").values_list()) == before
    assert ChannelStatement.objects.count() == 2


def test_a_day_without_trade_is_a_statement_of_nothing(wechat: StandIn, morning: dt.date) -> None:
    wechat.fault("bill_none", times=1, match="tradebill")
    fetch_all()
    trade = statement(morning)
    assert (trade.status, trade.line_count, trade.packed) == (StatementStatus.NONE, 0, None)
    assert waiting_jobs() == 0


def test_days_missed_are_fetched_too(wechat: StandIn, morning: dt.date) -> None:
    ChannelStatement.objects.create(
        mchid=clients.config().mchid,
        day=morning - dt.timedelta(days=3),
        kind=StatementKind.TRADE,
        created_at=clock.now(),
    )
    fetch_all()
    found = queries.statements(mchid=clients.config().mchid, since=morning - dt.timedelta(days=9))
    assert [(each.day, each.kind, each.status) for each in found] == [
        (morning, "fund", "fetched"),
        (morning, "trade", "fetched"),
        (morning - dt.timedelta(days=1), "fund", "none"),
        (morning - dt.timedelta(days=1), "trade", "none"),
        (morning - dt.timedelta(days=2), "fund", "none"),
        (morning - dt.timedelta(days=2), "trade", "none"),
        (morning - dt.timedelta(days=3), "fund", "none"),
        (morning - dt.timedelta(days=3), "trade", "none"),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("bill_not_ready", "not_ready"),
        ("bill_bad_hash", "bill_hash"),
        ("bill_bad_gzip", "bill_gzip"),
        ("bill_token_expired", "INVALID_REQUEST"),
        ("http_500", "http_500"),
        ("response_bad_signature", "untrusted:bad_signature"),
    ],
)
def test_what_does_not_come_is_asked_for_again(
    wechat: StandIn, morning: dt.date, fault: str, reason: str
) -> None:
    path = "billdownload" if fault in ("bill_bad_gzip", "bill_token_expired") else "tradebill"
    wechat.fault(fault, times=2, match=path)
    fetch_trade_only(morning)
    trade = statement(morning)
    assert (trade.status, trade.problem) == (StatementStatus.WAITING, reason)
    assert StatementLine.objects.count() == 0
    assert PaymentCase.objects.count() == 0
    assert waiting_jobs() == 1
    assert run_jobs(only="payments.jobs.fetch_statement") == []
    assert waiting_jobs() == 1, "not before a quarter of an hour has passed"
    wechat.calm()
    jobs.fetch_statement(statement_id=trade.pk, attempt=1)
    trade = statement(morning)
    assert (trade.status, trade.problem, trade.line_count) == (StatementStatus.FETCHED, "", 3)


def fetch_trade_only(day: dt.date) -> None:
    trade = ChannelStatement.objects.create(
        mchid=clients.config().mchid, day=day, kind=StatementKind.TRADE, created_at=clock.now()
    )
    jobs.fetch_statement(statement_id=trade.pk)


def test_after_two_a_person_hears_of_it_until_it_comes(wechat: StandIn, morning: dt.date) -> None:
    wechat.fault("bill_not_ready", times=1, match="tradebill")
    trade = ChannelStatement.objects.create(
        mchid=clients.config().mchid, day=morning, kind=StatementKind.TRADE, created_at=clock.now()
    )
    before = late_count()
    two = clock.at_local(clock.today(), dt.time(13, 50))
    gateway.fetch_statement(statement_id=trade.pk, attempt=14, by=SYSTEM, at=two)
    case = PaymentCase.objects.get()
    assert (case.kind, case.number) == (CaseKind.STATEMENT_LATE, f"{morning:%Y%m%d}-trade")
    assert (case.detail, case.closed_at) == ("not_ready", None)
    assert waiting_jobs() == 0
    assert late_count() == before + 1
    next_morning = two + dt.timedelta(hours=21)
    gateway.fetch_statement(statement_id=trade.pk, attempt=0, by=SYSTEM, at=next_morning)
    case.refresh_from_db()
    assert statement(morning).status == StatementStatus.FETCHED
    assert case.closed_at is not None


def late_count() -> float:
    labels = {"kind": "trade", "outcome": "late"}
    return REGISTRY.get_sample_value("xinglin_channel_statements_total", labels) or 0.0


def test_a_bill_that_does_not_add_up_is_kept_by_nobody(wechat: StandIn, morning: dt.date) -> None:
    trade = ChannelStatement.objects.create(
        mchid=clients.config().mchid, day=morning, kind=StatementKind.TRADE, created_at=clock.now()
    )
    good = gzip.compress(wechat.bill(morning.isoformat()).encode())
    bad = gzip.compress(gzip.decompress(good).replace(b"`25.00", b"`26.00", 1))
    keep(trade, bad)
    trade.refresh_from_db()
    assert trade.status == StatementStatus.BROKEN
    assert trade.problem.startswith("does_not_add_up")
    assert StatementLine.objects.count() == 0
    case = PaymentCase.objects.get()
    assert (case.kind, case.closed_at) == (CaseKind.STATEMENT_BROKEN, None)
    assert waiting_jobs() == 1
    keep(trade, bad)
    assert PaymentCase.objects.count() == 1
    keep(trade, good)
    trade.refresh_from_db()
    case.refresh_from_db()
    assert (trade.status, trade.line_count) == (StatementStatus.FETCHED, 3)
    assert case.closed_at is not None


def keep(trade: ChannelStatement, packed: bytes) -> None:
    actions.keep_statement(
        statement_id=trade.pk,
        text=io.BytesIO(gzip.decompress(packed)),
        packed=packed,
        sha1="0" * 40,
        attempt=0,
        by=SYSTEM,
        at=clock.now(),
    )


def test_a_value_too_long_is_not_cut(wechat: StandIn, morning: dt.date) -> None:
    trade = ChannelStatement.objects.create(
        mchid=clients.config().mchid, day=morning, kind=StatementKind.TRADE, created_at=clock.now()
    )
    text = wechat.bill(morning.isoformat()).replace("10W00000002", "1" * 65)
    keep(trade, gzip.compress(text.encode()))
    trade.refresh_from_db()
    assert trade.status == StatementStatus.BROKEN
    assert trade.problem.startswith("long_value")
    assert StatementLine.objects.count() == 0


def test_nothing_is_wanted_without_an_account(settings: Settings) -> None:
    settings.WECHAT = None
    jobs.expect_statements()
    assert ChannelStatement.objects.count() == 0


@pytest.mark.parametrize(
    ("time", "waits"), [((10, 15), True), ((13, 45), True), ((13, 46), False), ((23, 50), False)]
)
def test_asking_ends_at_two(time: tuple[int, int], waits: object) -> None:
    at = clock.at_local(dt.date(2026, 11, 23), dt.time(*time))
    assert (statement_wait(at) is not None) == waits
