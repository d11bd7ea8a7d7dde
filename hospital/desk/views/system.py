"""For the system administrator: how jobs and tokens stand."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import connection
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from hospital.desk.permissions import CONFIGURE
from hospital.desk.views.typed import typed
from hospital.identity.access import StaffRequest, staff_page
from hospital.kernel import clock, jobs, shared_tokens

_JOBS = """
    SELECT task_name, count(*) FILTER (WHERE status = 'todo'),
        count(*) FILTER (WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()),
        count(*) FILTER (WHERE status = 'doing'), count(*) FILTER (WHERE status = 'failed'),
        max(attempts) FILTER (WHERE status = 'todo')
    FROM procrastinate_jobs GROUP BY task_name ORDER BY task_name
"""
_TOKEN = "wechat.access_token"  # noqa: S105 - the token's name, not the token


@dataclass(frozen=True)
class JobRow:
    """The job queue by name: waiting, of these due now, running, given up, most attempts."""

    name: str
    waiting: int
    due: int
    running: int
    failed: int
    attempts: int | None


@staff_page(CONFIGURE)
@require_safe
def system(request: StaffRequest) -> HttpResponse:
    """Jobs and the WeChat token."""
    rows = _jobs()
    left = shared_tokens.time_left(_TOKEN)
    context = {
        "jobs": rows,
        "waiting": sum(row.waiting for row in rows),
        "due": sum(row.due for row in rows),
        "failed": sum(row.failed for row in rows),
        "token_minutes": max(0, int(left.total_seconds() // 60)) if left else None,
    }
    return render(request, "desk/staff/system.html", context)


@staff_page(CONFIGURE)
@require_POST
def run_again(request: StaffRequest) -> HttpResponse:
    """Put the failed jobs of one name back into the queue, after their cause was mended."""
    name = typed(request.POST, "name", most=100)
    count = jobs.run_failed_again(name=name, by=request.actor, at=clock.now())
    if count:
        messages.success(request, f"已重新执行 {count} 个任务。")
    else:
        messages.info(request, "没有需要重新执行的任务。")
    return redirect("desk-system")


def _jobs() -> list[JobRow]:
    with connection.cursor() as cursor:
        cursor.execute(_JOBS)
        return [JobRow(*row) for row in cursor.fetchall()]
