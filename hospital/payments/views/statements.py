"""渠道账单: WeChat's own books day by day, and a button to fetch what is missing."""

import datetime as dt

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock
from hospital.payments import case_words, gateway, queries
from hospital.payments.permissions import VIEW_STATEMENTS
from hospital.payments.statement_states import StatementStatus

_DAYS = 14
_TONES = {
    StatementStatus.WAITING: "info",
    StatementStatus.FETCHED: "brand",
    StatementStatus.NONE: "",
    StatementStatus.BROKEN: "danger",
}


@staff_page(VIEW_STATEMENTS)
@require_safe
def statements(request: StaffRequest) -> HttpResponse:
    """The latest two weeks: which bills are here, which are late or broken, and their totals."""
    at = clock.now()
    since = clock.hospital_day(at) - dt.timedelta(days=_DAYS)
    rows = queries.statement_rows(since=since, at=at)
    context = {
        "rows": [
            {
                "row": row,
                "tone": "danger" if row.is_late else _TONES[StatementStatus(row.statement.status)],
                "word": "逾期未取得" if row.is_late else row.statement.get_status_display(),
                "reason": case_words.reason(row.statement.problem),
                "fee_fen": round(row.fee_milli_fen / 1000),
            }
            for row in rows
        ],
        "missing": sum(row.is_wanted for row in rows),
        "late": sum(row.is_late for row in rows),
    }
    return render(request, "payments/staff/statements.html", context)


@staff_page(VIEW_STATEMENTS)
@require_POST
def fetch(request: StaffRequest, statement_id: int) -> HttpResponse:
    """Ask WeChat for one statement again, now."""
    gateway.fetch_statement(statement_id=statement_id, attempt=0, by=request.actor, at=clock.now())
    found = queries.statement(statement_id=statement_id)
    words = case_words.reason(found.problem) if found.problem else found.get_status_display()
    messages.info(request, f"{found.day:%m月%d日} {found.get_kind_display()}：{words}")
    return redirect("payments-statements")


@staff_page(VIEW_STATEMENTS)
@require_POST
def expect(request: StaffRequest) -> HttpResponse:
    """Want yesterday's statements and whatever is still missing; jobs fetch them."""
    count = gateway.expect_statements(at=clock.now())
    text = f"正在取 {count} 份账单，稍后刷新本页。" if count else "没有缺少的账单。"
    messages.info(request, text)
    return redirect("payments-statements")
