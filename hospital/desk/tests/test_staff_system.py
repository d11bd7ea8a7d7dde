"""The system page: jobs, the token, every configuration row; what is refused changes nothing."""

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel import events, settings_rows
from hospital.kernel.models import AuditEntry, ConfigurationRow
from hospital.registration import thresholds as registration
from hospital.scheduling import thresholds as scheduling
from hospital.testing.people import a_staff, a_wechat_user, patient_client, staff_client

pytestmark = pytest.mark.django_db
SYSTEM, CONFIGURE = "/staff/system/", "/staff/system/configure/"
RUN_AGAIN = "/staff/system/run-again/"
HOLD = registration.HOLD_MINUTES


@pytest.fixture
def client() -> Client:
    return staff_client(Role.SYSTEM_ADMIN)


def text(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def save(client: Client, value: str, *, key: str = HOLD.key, **more: str) -> HttpResponse:
    answer = client.post(CONFIGURE, {"key": key, "value": value, **more})
    assert isinstance(answer, HttpResponse)
    return answer


def test_every_setting_is_shown_with_its_rule_and_range(client: Client) -> None:
    shown = text(client.get(SYSTEM))

    for setting in settings_rows.all_settings():
        assert setting.label in shown
        assert f'value="{setting.key}"' in shown
    for words in ("M1.5", "2–60", 'value="15"', 'value="07:00"', "分钟"):
        assert words in shown, words


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


def test_a_value_is_saved_from_now_on_and_audited() -> None:
    account = a_staff(Role.SYSTEM_ADMIN)
    client = staff_client(account=account)

    answer = save(client, " 20 ", reason="节前试行")

    assert (answer.status_code, answer["Location"]) == (302, SYSTEM)
    assert HOLD.value() == 20
    row = ConfigurationRow.objects.get()
    assert (row.value, row.reason, row.set_by) == (20, "节前试行", f"staff:{account.pk}")
    entry = AuditEntry.objects.get(act="kernel.set_configuration")
    assert (entry.before, entry.after) == ({HOLD.key: 15}, {HOLD.key: 20})
    shown = text(client.get(SYSTEM))
    assert f"“{HOLD.label}”已改为 20分钟。" in shown
    assert 'value="20"' in shown


def test_the_same_value_again_writes_nothing(client: Client) -> None:
    assert save(client, "15").status_code == 302

    assert not ConfigurationRow.objects.exists()
    assert "已改为" not in text(client.get(SYSTEM))


@pytest.mark.parametrize("value", ["1", "61", "-5", "999999999999999999999", "", "abc", "1.5"])
def test_a_number_out_of_range_is_refused_and_nothing_changes(client: Client, value: str) -> None:
    answer = save(client, value)

    assert answer.status_code == 422
    assert HOLD.label in text(answer)
    assert HOLD.value() == 15
    assert not ConfigurationRow.objects.exists()
    assert client.get(SYSTEM).status_code == 200


@pytest.mark.parametrize("value", ["25:00", "7:00", "0700", "", "早上七点", "07:60", "07:00:00"])
def test_a_time_that_is_none_is_refused_and_booking_goes_on(client: Client, value: str) -> None:
    answer = save(client, value, key=scheduling.RELEASE_TIME.key)

    assert answer.status_code == 422
    assert "应填写成“07:00”的样子" in text(answer)
    assert not ConfigurationRow.objects.exists()
    assert patient_client(a_wechat_user()).get("/m/departments/").status_code == 200


def test_a_time_is_saved(client: Client) -> None:
    assert save(client, "06:30", key=scheduling.RELEASE_TIME.key).status_code == 302

    assert "每日 06:30 放出" in text(patient_client(a_wechat_user()).get("/m/departments/"))


@pytest.mark.parametrize("key", ["", "nonsense", "\x00"])
def test_an_unknown_setting_is_not_found(client: Client, key: str) -> None:
    answer = save(client, "20", key=key)

    assert answer.status_code == 404
    assert not ConfigurationRow.objects.exists()


def test_others_are_refused() -> None:
    for role in Role:
        if role is Role.SYSTEM_ADMIN:
            continue
        client = staff_client(role)
        assert client.get(SYSTEM).status_code == 403
        assert save(client, "20").status_code == 403
    assert HOLD.value() == 15


def test_wrong_methods_are_refused(client: Client) -> None:
    assert client.post(SYSTEM).status_code == 405
    assert client.get(CONFIGURE).status_code == 405


@pytest.mark.parametrize("address", [SYSTEM, CONFIGURE])
def test_without_a_log_in_everything_leads_to_it(address: str) -> None:
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/staff/login/?next=")


def test_saving_needs_the_csrf_token(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies

    assert save(strict, "20").status_code == 403
    assert HOLD.value() == 15
