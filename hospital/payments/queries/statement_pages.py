"""The channel's daily statements as finance reads them: state and totals a day."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Sum

from hospital.kernel import clock
from hospital.payments.models import ChannelStatement, StatementLine
from hospital.payments.schedule import STATEMENT_UNTIL
from hospital.payments.statement_states import WANTED, LineKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTotal:
    """So many lines of a kind; the sum in fen."""

    kind: LineKind
    count: int
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One statement; `is_late` when it should have been here by two in the afternoon."""

    statement: ChannelStatement
    totals: tuple[LineTotal, ...]
    fee_milli_fen: int
    is_wanted: bool
    is_late: bool


def statement_rows(*, since: dt.date, at: dt.datetime) -> list[StatementRow]:
    """All statements from a day on, newest day first, without their files."""
    found = list(
        ChannelStatement.objects.defer("packed").filter(day__gte=since).order_by("-day", "-kind")
    )
    sums = (
        StatementLine.objects.filter(statement__in=[row.pk for row in found])
        .values("statement_id", "kind")
        .annotate(count=Count("id"), fen=Sum("amount_fen"), fee=Sum("fee_milli_fen"))
        .order_by("kind")
    )
    by_statement: dict[int, list[LineTotal]] = {}
    fees: dict[int, int] = {}
    for row in sums:
        by_statement.setdefault(row["statement_id"], []).append(
            LineTotal(kind=LineKind(row["kind"]), count=row["count"], amount_fen=row["fen"])
        )
        fees[row["statement_id"]] = fees.get(row["statement_id"], 0) + row["fee"]
    return [
        StatementRow(
            statement=row,
            totals=tuple(by_statement.get(row.pk, [])),
            fee_milli_fen=fees.get(row.pk, 0),
            is_wanted=row.status in WANTED,
            is_late=row.status in WANTED and _is_late(row.day, at),
        )
        for row in found
    ]


def _is_late(day: dt.date, at: dt.datetime) -> bool:
    return at >= clock.at_local(day + dt.timedelta(days=1), STATEMENT_UNTIL)
