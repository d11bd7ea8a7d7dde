"""The channel's daily statements: wanted every morning, kept whole or not at all.

A statement is stored before WeChat is asked for it. Asking again is harmless: one that is there is
left alone. What is late or does not add up becomes a case until a good one comes.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from django.db import transaction
from django.db.models import Max
from prometheus_client import Counter

from hospital.kernel import clock, events
from hospital.kernel.actors import Actor
from hospital.kernel.states import move
from hospital.payments.actions.cases import cure_cases, open_case
from hospital.payments.models import ChannelStatement, StatementLine
from hospital.payments.schedule import statement_wait
from hospital.payments.statement_states import (
    WANTED,
    LineKind,
    StatementKind,
    StatementStatus,
)
from hospital.payments.states import CaseKind
from hospital.wechat.bill_rows import (
    BillBroken,
    FundRow,
    TradeRow,
    read_fund_bill,
    read_trade_bill,
)

STATEMENTS = Counter(
    "xinglin_channel_statements", "Daily statements of the channel.", ["kind", "outcome"]
)

FETCH_JOB = "payments.jobs.fetch_statement"
LONGEST_BACK = dt.timedelta(days=85)  # WeChat keeps three months
LINES_AT_ONCE = 2000
REVERSED_STATE = "REVOKED"
CASES = (CaseKind.STATEMENT_LATE, CaseKind.STATEMENT_BROKEN)


def expect_statements(*, mchid: str, at: dt.datetime) -> int:
    """Want yesterday's statements, those of days missed since the last ones, and again whatever is
    still wanted; a job goes for each. How many."""
    yesterday = clock.hospital_day(at) - dt.timedelta(days=1)
    with transaction.atomic():
        known = ChannelStatement.objects.filter(mchid=mchid)
        last = known.aggregate(last=Max("day"))["last"] or yesterday
        first = max(min(last, yesterday), yesterday - LONGEST_BACK)
        ChannelStatement.objects.bulk_create(
            [
                ChannelStatement(
                    mchid=mchid, day=first + dt.timedelta(days=number), kind=kind, created_at=at
                )
                for number in range((yesterday - first).days + 1)
                for kind in StatementKind
            ],
            ignore_conflicts=True,
        )
        wanted = known.filter(status__in=WANTED, day__gte=yesterday - LONGEST_BACK)
        ids = list(wanted.order_by("day", "kind").values_list("pk", flat=True))
        for statement_id in ids:
            events.later(FETCH_JOB, statement_id=statement_id, attempt=0)
    return len(ids)


def keep_statement(
    *,
    statement_id: int,
    text: BinaryIO,
    packed: bytes,
    sha1: str,
    attempt: int,
    by: Actor,
    at: dt.datetime,
) -> None:
    """Keep the file and its lines, all or nothing. One that does not add up is broken: no line of
    it is kept, and it is asked for again."""
    try:
        with transaction.atomic():
            statement = _lock(statement_id)
            if statement is None:
                return
            count = _keep_lines(statement, text)
            move(
                statement,
                StatementStatus.FETCHED,
                by=by,
                at=at,
                asked_at=at,
                fetched_at=at,
                problem="",
                sha1=sha1,
                packed=packed,
                line_count=count,
            )
            cure_cases(number=statement.number, kinds=CASES, note="账单已取得", at=at)
    except BillBroken as broken:
        _note_broken(statement_id, broken, attempt=attempt, by=by, at=at)
        return
    STATEMENTS.labels(kind=statement.kind, outcome="fetched").inc()


def record_no_statement(*, statement_id: int, by: Actor, at: dt.datetime) -> None:
    """The channel says that nothing happened that day: a statement of zero lines."""
    with transaction.atomic():
        statement = _lock(statement_id)
        if statement is None:
            return
        move(statement, StatementStatus.NONE, by=by, at=at, asked_at=at, problem="")
        cure_cases(number=statement.number, kinds=CASES, note="当日无交易", at=at)
    STATEMENTS.labels(kind=statement.kind, outcome="none").inc()


def record_statement_missing(
    *, statement_id: int, reason: str, attempt: int, at: dt.datetime
) -> None:
    """No usable answer: ask again until two in the afternoon, then tell a person; the next morning
    asks again anyway."""
    with transaction.atomic():
        statement = _lock(statement_id)
        if statement is None:
            return
        ChannelStatement.objects.filter(pk=statement_id).update(asked_at=at, problem=reason[:64])
        _again_or_case(statement, CaseKind.STATEMENT_LATE, reason, attempt=attempt, at=at)


def _note_broken(
    statement_id: int, broken: BillBroken, *, attempt: int, by: Actor, at: dt.datetime
) -> None:
    """A person hears of it at once: the channel's own books do not add up."""
    reason = str(broken)[:64]
    with transaction.atomic():
        statement = _lock(statement_id)
        if statement is None:
            return
        if statement.status != StatementStatus.BROKEN:
            move(statement, StatementStatus.BROKEN, by=by, at=at, asked_at=at, problem=reason)
        _case(statement, CaseKind.STATEMENT_BROKEN, reason, at=at)
        _again_or_case(statement, CaseKind.STATEMENT_LATE, reason, attempt=attempt, at=at)
    STATEMENTS.labels(kind=statement.kind, outcome="broken").inc()


def _again_or_case(
    statement: ChannelStatement, kind: CaseKind, reason: str, *, attempt: int, at: dt.datetime
) -> None:
    wait = statement_wait(at)
    if wait is not None:
        events.later(FETCH_JOB, at=at + wait, statement_id=statement.pk, attempt=attempt + 1)
        return
    _case(statement, kind, reason, at=at)
    STATEMENTS.labels(kind=statement.kind, outcome="late").inc()


def _case(statement: ChannelStatement, kind: CaseKind, reason: str, *, at: dt.datetime) -> None:
    open_case(kind=kind, number=statement.number, detail=reason, at=at)


def _lock(statement_id: int) -> ChannelStatement | None:
    """The statement, locked, if it is still wanted."""
    return (
        ChannelStatement.objects.select_for_update(no_key=True)
        .defer("packed")
        .filter(pk=statement_id, status__in=WANTED)
        .first()
    )


def _keep_lines(statement: ChannelStatement, text: BinaryIO) -> int:
    """Insert the lines as they are read, a few thousand in memory at a time. Raises BillBroken, at
    the last line too: the caller's transaction then keeps none."""
    lines = _trade_lines(text) if statement.kind == StatementKind.TRADE else _fund_lines(text)
    count = 0
    while some := list(islice(lines, LINES_AT_ONCE)):
        for line in some:
            count += 1
            line.statement, line.number = statement, count
        StatementLine.objects.bulk_create(some)
    return count


def _trade_lines(text: BinaryIO) -> Iterator[StatementLine]:
    for number, row in enumerate(read_trade_bill(text), start=2):
        kind = _trade_kind(row)
        back = kind is not LineKind.PAYMENT
        yield _checked(
            StatementLine(
                kind=kind,
                happened_at=row.happened_at,
                amount_fen=row.asked_refund_fen if back else row.order_fen,
                fee_milli_fen=row.fee_milli_fen,
                out_trade_no=row.out_trade_no,
                transaction_id=row.transaction_id,
                out_refund_no=row.out_refund_no,
                refund_id=row.refund_id,
                state=row.refund_state if kind is LineKind.REFUND else row.trade_state,
                trade_type=row.trade_type,
            ),
            number,
        )


def _trade_kind(row: TradeRow) -> LineKind:
    if row.trade_state == REVERSED_STATE:
        return LineKind.REVERSAL
    return LineKind.REFUND if row.is_refund else LineKind.PAYMENT


def _fund_lines(text: BinaryIO) -> Iterator[StatementLine]:
    row: FundRow
    for number, row in enumerate(read_fund_bill(text), start=2):
        yield _checked(
            StatementLine(
                kind=LineKind.INCOME if row.is_income else LineKind.EXPENSE,
                happened_at=row.booked_at,
                amount_fen=row.amount_fen,
                transaction_id=row.wechat_number,
                flow_number=row.flow_number,
                business=row.kind,
                voucher=row.voucher,
            ),
            number,
        )


_TEXTS = [
    (field.attname, field.max_length or 0)
    for field in StatementLine._meta.concrete_fields
    if field.get_internal_type() == "CharField"
]


def _checked(line: StatementLine, number: int) -> StatementLine:
    """A value longer than anything the channel documents is not stored cut off."""
    if any(len(getattr(line, name)) > most for name, most in _TEXTS):
        raise BillBroken("long_value", line=number)
    return line
