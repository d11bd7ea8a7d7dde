"""Changing the own password: works, wrong ones, strangers; nothing changes when refused."""

from __future__ import annotations

import pytest
from django.test import Client

from hospital.identity.states import Role
from hospital.kernel.models import AuditEntry
from hospital.testing.people import PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
PAGE = "/staff/password/"
NEW = "another-Long-One-2"


def test_it_changes_the_password_and_keeps_this_session_only() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    here, elsewhere = staff_client(account=account), staff_client(account=account)

    answer = here.post(PAGE, {"current": PASSWORD, "new": NEW, "again": NEW})

    assert answer.status_code == 302
    account.refresh_from_db()
    assert account.check_password(NEW)
    assert here.get(PAGE).status_code == 200
    assert elsewhere.get(PAGE).status_code == 302
    entry = AuditEntry.objects.get(act="identity.change_password")
    assert entry.by == f"staff:{account.pk}"
    assert (entry.before, entry.after) == ({}, {})


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, "当前密码不正确。"),
        ({"current": PASSWORD, "new": NEW, "again": NEW + "x"}, "两次输入的新密码不一致。"),
        ({"current": PASSWORD, "new": "shOrt", "again": "shOrt"}, "密码太短，至少要 10 个字符。"),
        ({"current": PASSWORD, "new": "qwertyuiop", "again": "qwertyuiop"}, "密码太常见"),
        ({"current": PASSWORD, "new": "linruoshui", "again": "linruoshui"}, "密码和登录名、姓名"),
        ({"current": "", "new": "", "again": ""}, "请输入当前密码。"),
    ],
)
def test_it_refuses_at_the_field_and_changes_nothing(typed: dict[str, str], sentence: str) -> None:
    account = a_staff(Role.REGISTRATION_CLERK)

    answer = staff_client(account=account).post(PAGE, typed)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    account.refresh_from_db()
    assert account.check_password(PASSWORD)
    assert not AuditEntry.objects.filter(act="identity.change_password").exists()


def test_guessing_the_present_one_at_an_open_desk_is_throttled_like_a_log_in() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    desk = staff_client(account=account)

    guesses = [{"current": f"guess-{n}", "new": NEW, "again": NEW} for n in range(5)]
    answers = [desk.post(PAGE, typed) for typed in guesses]
    locked = desk.post(PAGE, {"current": PASSWORD, "new": NEW, "again": NEW})

    assert [answer.status_code for answer in answers] == [422] * 5
    assert locked.status_code == 429
    assert "登录失败次数过多" in locked.content.decode()
    account.refresh_from_db()
    assert account.check_password(PASSWORD)
    assert desk.post("/staff/unlock/", {"password": PASSWORD}).status_code == 429


def test_a_stranger_is_sent_to_the_log_in(client: Client) -> None:
    answer = client.get(PAGE)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/staff/login/")
