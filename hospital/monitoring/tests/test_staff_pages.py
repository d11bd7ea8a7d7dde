"""The monitoring pages: for the right people, worst first; what is refused changes nothing."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.monitoring import actions
from hospital.monitoring.models import Alert
from hospital.monitoring.states import AlertStatus, BackupKind
from hospital.monitoring.tests.world import a_failed_job, processes, run
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db
BOARD = "/staff/monitoring/"
JOBS, HISTORY, BACKUPS = f"{BOARD}jobs/", f"{BOARD}alerts/", f"{BOARD}backups/"
RUN_AGAIN = f"{JOBS}run-again/"
PAGES = (BOARD, HISTORY, JOBS, BACKUPS)


@pytest.fixture
def client() -> Client:
    return staff_client(account=a_staff(Role.SYSTEM_ADMIN, display_name="沈工"))


def page(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def an_alert() -> Alert:
    return Alert.objects.create(
        probe="failed_jobs", level="bad", text="20 个任务失败。", opened_at=clock.now()
    )


def test_the_board_shows_the_worst_first_with_limits(client: Client) -> None:
    processes(clock.now())
    a_failed_job()

    shown = page(client, BOARD)

    assert shown.index("失败任务") < shown.index("到期任务"), "the worst of its group first"
    assert shown.index("失败任务") < shown.index("网页服务"), "and its group"
    assert "payments.jobs.look 1 个。请查明原因后重新执行。" in shown
    assert "达到 1 个提醒，20 个严重" in shown
    assert "低于 15% 提醒，5% 严重" in shown
    assert "刚刚" in shown


def test_the_board_asks_for_itself_again(client: Client) -> None:
    part = page(client, BOARD, **{"HX-Request": "true"})
    assert part.lstrip().startswith('<div id="standing"')
    assert 'data-live="monitoring"' in part
    assert "<html" not in part


def test_a_dead_worker_shows_without_any_round(client: Client) -> None:
    run("DELETE FROM procrastinate_workers", [])
    assert "没有后台任务进程在运行。" in page(client, BOARD)


def test_the_pages_cost_the_same_however_much_is_wrong(client: Client) -> None:
    processes(clock.now())
    page(client, BOARD)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(client, BOARD)
    for name in ("payments.jobs.look", "messaging.jobs.deliver", "billing.jobs.x"):
        a_failed_job(name)
    for kind in BackupKind:
        actions.note_backup(
            kind=kind, is_good=False, size_bytes=None, note="x", by=SYSTEM, at=clock.now()
        )
    an_alert()
    with CaptureQueriesContext(connection) as many:
        page(client, BOARD)
    # A savepoint around every probe is two statements in a test and none of its own when serving.
    reads = [one for one in many.captured_queries if "SAVEPOINT" not in one["sql"]]
    assert len(many) <= len(few)
    assert len(reads) <= 45


def test_a_banner_stands_above_other_pages_of_who_is_alerted(client: Client) -> None:
    other = "/staff/configuration/"
    assert "系统告警" not in page(client, other)
    an_alert()
    assert "严重 1 条" in page(client, other)
    assert "严重 1 条" not in page(client, BOARD)
    assert "系统告警" not in page(staff_client(Role.SECURITY_ADMIN), other)


def test_an_alert_is_taken_on_with_a_note(client: Client) -> None:
    alert = an_alert()
    address = f"{HISTORY}{alert.pk}/"
    assert "由我处理" in page(client, address)

    refused = client.post(f"{address}acknowledge/", {"note": " "})
    assert refused.status_code == 422
    assert "请写明怎么处理" in refused.content.decode()
    assert Alert.objects.get().status == AlertStatus.OPEN

    answer = client.post(f"{address}acknowledge/", {"note": "已联系\x00机房"}, follow=True)
    shown = answer.content.decode()
    assert "已记下，由您处理" in shown
    assert "由我处理</button>" not in shown
    assert "沈工" in shown
    assert Alert.objects.get().note == "已联系机房"

    again = client.post(f"{address}acknowledge/", {"note": "再来"})
    assert again.status_code == 409
    assert Alert.objects.get().note == "已联系机房"
    assert "沈工：已联系机房" in page(client, BOARD)
    assert client.get(f"{HISTORY}99999/").status_code == 404


def test_what_is_over_stands_in_the_history(client: Client) -> None:
    assert "没有已恢复的告警" in page(client, HISTORY)
    at = clock.now()
    Alert.objects.create(
        probe="gone_since", level="warn", status="over", text="旧", opened_at=at, over_at=at
    )
    shown = page(client, HISTORY)
    assert "gone_since" in shown
    assert "已恢复" in shown


def test_failed_jobs_are_run_again_by_name(client: Client) -> None:
    a_failed_job("registration.jobs.release_unpaid")
    a_failed_job()
    assert "重新执行" in page(client, JOBS)

    answer = client.post(RUN_AGAIN, {"name": "payments.jobs.look"}, follow=True)

    assert "已重新执行 1 个任务" in answer.content.decode()
    assert job_statuses() == {
        "registration.jobs.release_unpaid": "failed",
        "payments.jobs.look": "todo",
    }
    entry = AuditEntry.objects.get(act="kernel.run_failed_again")
    assert entry.after == {"job": "payments.jobs.look", "count": 1}
    answer = client.post(RUN_AGAIN, {"name": "payments.jobs.look"}, follow=True)
    assert "没有需要重新执行的任务" in answer.content.decode()
    assert AuditEntry.objects.filter(act="kernel.run_failed_again").count() == 1


def job_statuses() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text FROM procrastinate_jobs")
        return dict(cursor.fetchall())


def test_backups_are_listed_with_their_reason(client: Client) -> None:
    assert page(client, BACKUPS).count("还没有登记过") == 2
    actions.note_backup(
        kind=BackupKind.BACKUP,
        is_good=False,
        size_bytes=None,
        note="pg_dump: 磁盘已满",
        by=SYSTEM,
        at=clock.now(),
    )
    assert "pg_dump: 磁盘已满" in page(client, BACKUPS)


def test_others_are_refused_and_change_nothing() -> None:
    alert = an_alert()
    a_failed_job()
    # Every role at every address is tests/journeys/test_function_matrix.py.
    for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.OUTPATIENT_OFFICE):
        client = staff_client(role)
        for address in PAGES:
            assert client.get(address).status_code == 403, (role, address)
        assert client.get(f"{HISTORY}{alert.pk}/").status_code == 403
        posted = client.post(f"{HISTORY}{alert.pk}/acknowledge/", {"note": "我"})
        assert posted.status_code == 403
        assert client.post(RUN_AGAIN, {"name": "payments.jobs.look"}).status_code == 403
    assert Alert.objects.get().status == AlertStatus.OPEN
    assert job_statuses() == {"payments.jobs.look": "failed"}


def test_wrong_methods_and_strangers(client: Client) -> None:
    for address in PAGES:
        assert client.post(address).status_code == 405
        assert Client().get(address)["Location"].startswith("/staff/login/?next=")
    assert client.get(RUN_AGAIN).status_code == 405
