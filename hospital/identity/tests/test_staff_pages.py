"""Staff log-in and log-out: works, wrong method, wrong password, throttled, switched off."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from hospital.identity import actions
from hospital.identity.models import LoginAttempt
from hospital.identity.states import AttemptOutcome, Role
from hospital.kernel.actors import SYSTEM
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import set_value
from hospital.testing.people import (
    LONG_AGO,
    PASSWORD,
    a_staff,
    a_wechat_user,
    patient_client,
    staff_client,
)

pytestmark = pytest.mark.django_db
LOGIN = "/staff/login/"
GENERIC = "用户名或密码不正确。"


def log_in(
    client: Client, username: str = "clerk", password: str = PASSWORD, next: str = ""
) -> HttpResponse:
    answer = client.post(LOGIN, {"username": username, "password": password, "next": next})
    assert isinstance(answer, HttpResponse)
    return answer


def test_it_shows_the_log_in_page(client: Client) -> None:
    answer = client.get(LOGIN, {"next": "/staff/desk/?q=1"})

    assert answer.status_code == 200
    assert 'value="/staff/desk/?q=1"' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_it_lets_staff_in_and_goes_on(client: Client) -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client.get(LOGIN)

    answer = log_in(client, username=" Clerk ", next="/staff/desk/")

    assert (answer.status_code, answer["Location"]) == (302, "/staff/desk/")
    cookie = client.cookies["xinglin"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    attempt = LoginAttempt.objects.get()
    assert (attempt.outcome, attempt.account) == (AttemptOutcome.SUCCEEDED, account)
    assert AuditEntry.objects.filter(act="identity.log_in_staff", subject_id=account.pk).exists()


def test_a_planted_session_key_is_worth_nothing_after_log_in(client: Client) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key

    log_in(client)

    assert client.cookies["xinglin"].value != planted


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example/", "/m/pay/"])
def test_it_goes_to_own_pages_only(client: Client, next_path: str) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")

    assert log_in(client, next=next_path)["Location"] == "/staff/"


def test_the_wrong_name_and_the_wrong_password_read_the_same(client: Client) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    a_staff(Role.REGISTRATION_CLERK, username="gone", is_active=False)

    for username, password in [("clerk", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)]:
        answer = log_in(client, username=username, password=password)
        assert answer.status_code == 422
        assert GENERIC in answer.content.decode()
        assert f'value="{username}"' in answer.content.decode()
        assert password not in answer.content.decode()
    assert "xinglin" not in client.cookies


def test_empty_fields_are_named(client: Client) -> None:
    answer = log_in(client, username="", password="")

    assert answer.status_code == 422
    assert "请输入用户名。" in answer.content.decode()
    assert "请输入密码。" in answer.content.decode()
    assert not LoginAttempt.objects.exists()


def test_five_failures_lock_the_name_for_a_quarter_of_an_hour(client: Client) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    with time_machine.travel(dt.datetime(2026, 11, 22, tzinfo=dt.UTC), tick=False) as moment:
        for _ in range(5):
            assert log_in(client, password="wrong").status_code == 422
        locked = log_in(client)
        assert locked.status_code == 429
        assert "15 分钟后再试" in locked.content.decode()
        moment.shift(dt.timedelta(minutes=14))
        assert log_in(client).status_code == 429
        moment.shift(dt.timedelta(minutes=2))
        assert log_in(client).status_code == 302


def test_an_unknown_name_is_locked_the_same_way_and_not_stored(client: Client) -> None:
    for _ in range(5):
        log_in(client, username="my-secret-password", password="x")

    assert log_in(client, username="my-secret-password").status_code == 429
    assert not LoginAttempt.objects.filter(username__contains="secret").exists()


def test_a_success_wipes_earlier_failures(client: Client) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    for _ in range(4):
        log_in(client, password="wrong")
    assert log_in(client).status_code == 302
    for _ in range(4):
        assert log_in(Client(), password="wrong").status_code == 422

    assert log_in(Client()).status_code == 302


def test_one_address_may_not_try_many_names(client: Client) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    set_value(setting=actions.FAILURES_PER_ADDRESS, value=5, by=SYSTEM, at=LONG_AGO)
    for number in range(5):
        log_in(client, username=f"name{number}", password="wrong")

    assert log_in(client).status_code == 429
    elsewhere = client.post(
        LOGIN, {"username": "clerk", "password": PASSWORD}, REMOTE_ADDR="10.0.0.9"
    )
    assert elsewhere.status_code == 302


def test_the_log_names_nobody(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerkname", display_name="林若水")
    with caplog.at_level(logging.DEBUG):
        log_in(client, username="clerkname", password="wrong-Password-1")
        log_in(client, username="clerkname")

    text = "\n".join(
        str(vars(record)) for record in caplog.records if record.name != "django.db.backends"
    )
    for secret in ("clerkname", "林若水", "wrong-Password-1", PASSWORD):
        assert secret not in text


def test_the_address_of_a_step_opened_as_a_page_explains_itself() -> None:
    """So it is after logging in again in the middle of a step."""
    client = staff_client(Role.REGISTRATION_CLERK)

    answer = client.get("/staff/logout/")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "什么也没有办理" in answer.content.decode()
    assert 'href="/staff/"' in answer.content.decode()
    assert client.put("/staff/logout/").content == b""


def test_log_out_ends_the_session() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)

    assert client.get("/staff/logout/").status_code == 405
    answer = client.post("/staff/logout/")

    assert (answer.status_code, answer["Location"]) == (302, LOGIN)
    assert "_auth_user_id" not in client.session
    assert AuditEntry.objects.filter(act="identity.log_out_staff").count() == 1


def test_logging_out_leaves_the_patient_in() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    phone = patient_client(a_wechat_user())
    client.cookies["xinglin_patient"] = phone.cookies["xinglin_patient"].value

    client.post("/staff/logout/")

    assert client.cookies["xinglin_patient"].value == phone.cookies["xinglin_patient"].value


def test_a_stranger_may_log_out_without_harm(client: Client) -> None:
    assert client.post("/staff/logout/").status_code == 302
    assert not AuditEntry.objects.exists()


def test_wrong_methods_are_refused(client: Client) -> None:
    assert client.put(LOGIN).status_code == 405
    assert client.delete(LOGIN).status_code == 405


def test_log_in_needs_the_csrf_token() -> None:
    strict = Client(enforce_csrf_checks=True)
    a_staff(Role.REGISTRATION_CLERK, username="clerk")

    assert log_in(strict).status_code == 403
    assert not LoginAttempt.objects.exists()
