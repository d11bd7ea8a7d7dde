"""The system page: jobs and the token; what is refused changes nothing."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel import events
from hospital.kernel.models import AuditEntry
from hospital.testing.people import staff_client

pytestmark = pytest.mark.django_db
SYSTEM = "/staff/system/"
RUN_AGAIN = "/staff/system/run-again/"


@pytest.fixture
def client() -> Client:
    return staff_client(Role.SYSTEM_ADMIN)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def test_waiting_jobs_are_counted(client: Client) -> None:
    events.later("registration.jobs.release_unpaid", appointment_id=0)

    shown = text(client.get(SYSTEM))

    assert "registration.jobs.release_unpaid" in shown
    assert "等待中的任务" in shown


def test_failed_jobs_are_run_again_by_name(client: Client) -> None:
    for name in ("registration.jobs.release_unpaid", "payments.jobs.look"):
        events.later(name, appointment_id=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert "重新执行" in text(client.get(SYSTEM))

    answer = client.post(RUN_AGAIN, {"name": "payments.jobs.look"}, follow=True)

    assert "已重新执行 1 个任务" in text(answer)
    assert job_statuses() == {
        "registration.jobs.release_unpaid": "failed",
        "payments.jobs.look": "todo",
    }
    entry = AuditEntry.objects.get(act="kernel.run_failed_again")
    assert entry.after == {"job": "payments.jobs.look", "count": 1}

    answer = client.post(RUN_AGAIN, {"name": "payments.jobs.look"}, follow=True)
    assert "没有需要重新执行的任务" in text(answer)
    assert AuditEntry.objects.filter(act="kernel.run_failed_again").count() == 1


def job_statuses() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name, status::text FROM procrastinate_jobs")
        return dict(cursor.fetchall())


def test_others_are_refused() -> None:
    for role in Role:
        if role is Role.SYSTEM_ADMIN:
            continue
        client = staff_client(role)
        assert client.get(SYSTEM).status_code == 403
        assert client.post(RUN_AGAIN, {"name": "payments.jobs.look"}).status_code == 403


def test_wrong_methods_are_refused(client: Client) -> None:
    assert client.post(SYSTEM).status_code == 405
    assert client.get(RUN_AGAIN).status_code == 405


@pytest.mark.parametrize("address", [SYSTEM, RUN_AGAIN])
def test_without_a_log_in_everything_leads_to_it(address: str) -> None:
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/staff/login/?next=")
