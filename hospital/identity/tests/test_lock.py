"""The lock over an idle page: nothing opens, nothing typed is lost, and only its owner opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from hospital.identity import actions
from hospital.identity import one_time_codes as codes
from hospital.identity.models import LoginAttempt, StaffSession
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.models import AuditEntry
from hospital.testing.people import PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
PAGE, STATE, LOCK, UNLOCK = (
    "/staff/password/",
    "/staff/lock/state/",
    "/staff/lock/",
    "/staff/unlock/",
)
TYPED = {"reason": "很长的理由 <b>", "permission": ["a", "b"]}
LOANS = "/staff/loans/"


@pytest.fixture
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(AT, tick=False) as moment:
        yield moment


def state(client: Client, awake: str = "") -> dict[str, object]:
    found = client.get(STATE, {"awake": awake}).json()
    assert isinstance(found, dict)
    return found


def test_an_idle_log_in_is_locked_and_the_password_opens_it(
    moment: time_machine.Traveller,
) -> None:
    account = a_staff(Role.REGISTRATION_CLERK, display_name="方芷若")
    client = staff_client(account=account)
    key = client.cookies["xinglin"].value
    moment.shift(dt.timedelta(minutes=15))

    assert state(client)["state"] == "locked"
    assert (state(client)["name"], state(client)["asks_code"]) == ("方芷若", False)
    asked = client.get(PAGE, headers={"HX-Request": "true"})
    assert (asked.status_code, asked["X-Locked"], asked.content) == (401, "locked", b"")
    wrong = client.post(UNLOCK, {"password": "wrong"})
    assert (wrong.status_code, wrong.json()["message"]) == (422, "密码不正确。")
    assert state(client)["state"] == "locked"

    opened = client.post(UNLOCK, {"password": PASSWORD})

    assert opened.status_code == 200
    assert client.cookies["xinglin"].value != key
    assert client.get(PAGE).status_code == 200
    assert StaffSession.objects.get().ended_at is None
    assert AuditEntry.objects.get(act="identity.unlock_session").subject_id == account.pk


def test_the_forms_of_the_page_still_hold_after_opening() -> None:
    """The token they carry is not renewed, in this window or another."""
    account = a_staff(Role.REGISTRATION_CLERK)
    client = Client(enforce_csrf_checks=True)
    client.cookies["xinglin"] = staff_client(account=account).cookies["xinglin"].value
    client.get(PAGE)
    token = client.cookies["xinglin_csrf"].value
    client.post(LOCK, headers={"X-CSRFToken": token})
    assert state(client)["state"] == "locked"

    opened = client.post(UNLOCK, {"password": PASSWORD}, headers={"X-CSRFToken": token})

    assert opened.status_code == 200
    assert client.cookies["xinglin_csrf"].value == token
    typed = {"current": "wrong", "new": "x", "again": "x", "csrfmiddlewaretoken": token}
    assert client.post(PAGE, typed).status_code == 422


def test_administrators_type_a_code_too_and_each_code_once(
    moment: time_machine.Traveller,
) -> None:
    account = a_staff(Role.SYSTEM_ADMIN)
    secret = codes.new_secret()
    actions.give_second_factor(account=account, secret=secret, at=AT)
    client = staff_client(account=account)
    client.post(LOCK)
    code = codes.code_of(secret, codes.step_at(AT))
    assert state(client)["asks_code"] is True

    assert client.post(UNLOCK, {"password": PASSWORD}).status_code == 422
    typed = {"password": PASSWORD, "one_time_code": code}
    assert client.post(UNLOCK, typed).status_code == 200
    client.post(LOCK)
    assert client.post(UNLOCK, typed).status_code == 422

    assert state(client)["state"] == "locked"


def test_guessing_at_an_unattended_desk_is_throttled() -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    client.post(LOCK)
    for _ in range(5):
        assert client.post(UNLOCK, {"password": "wrong"}).status_code == 422

    assert client.post(UNLOCK, {"password": PASSWORD}).status_code == 429
    assert state(client)["state"] == "locked"


def test_typing_keeps_a_log_in_awake_and_a_page_by_itself_does_not(
    moment: time_machine.Traveller,
) -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    for _ in range(3):
        moment.shift(dt.timedelta(minutes=10))
        assert state(client, awake="1")["state"] == "open"
    assert StaffSession.objects.get().seen_at == clock.now()
    moment.shift(dt.timedelta(minutes=10))
    assert state(client)["state"] == "open"
    moment.shift(dt.timedelta(minutes=5))

    assert state(client)["state"] == "locked"


def test_a_form_that_comes_too_late_comes_back_with_what_was_typed(
    moment: time_machine.Traveller,
) -> None:
    client = staff_client(Role.REGISTRATION_CLERK)
    moment.shift(dt.timedelta(minutes=16))

    answer = client.post(f"{LOANS}?page=2", TYPED)

    page = answer.content.decode()
    assert answer.status_code == 401
    assert "no-store" in answer["Cache-Control"]
    assert f'action="{LOANS}?page=2"' in page
    assert '<input type="hidden" name="reason" value="很长的理由 &lt;b&gt;" />' in page
    assert '<input type="hidden" name="permission" value="b" />' in page
    assert 'data-opens-as="locked"' in page


def test_passwords_do_not_come_back_and_empty_steps_go_to_the_log_in() -> None:
    client = Client()

    held = client.post(PAGE, {"current": PASSWORD, "new": "my-new-Secret-1", "again": "x"})
    plain = client.post(LOANS)

    assert held.status_code == 401
    assert "密码和上传的文件不能保留" in held.content.decode()
    assert PASSWORD not in held.content.decode()
    assert "my-new-Secret-1" not in held.content.decode()
    assert (plain.status_code, plain["Location"]) == (302, "/staff/login/?next=%2Fstaff%2F")
    assert not LoginAttempt.objects.exists()


def test_nobody_without_a_log_in_learns_a_name_or_locks_anything() -> None:
    client = Client()

    assert set(state(client)) == {"state", "token"}
    assert state(client)["state"] == "ended"
    assert client.post(LOCK).status_code == 204
    assert client.post(UNLOCK, {"password": PASSWORD}).status_code == 401
    for address in (LOCK, UNLOCK):
        assert client.get(address).status_code == 405


def test_own_log_ins_are_listed_and_ended() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    here, elsewhere = staff_client(account=account), staff_client(account=account)
    stranger = staff_client(Role.CASHIER)
    mine, other = StaffSession.objects.filter(account=account).order_by("pk")
    theirs = StaffSession.objects.exclude(account=account).get()
    page = here.get("/staff/sessions/").content.decode()
    assert (page.count("就是这里"), page.count(f"/staff/sessions/{other.pk}/end/")) == (1, 1)

    assert here.post(f"/staff/sessions/{theirs.pk}/end/").status_code == 404
    assert stranger.get(PAGE).status_code == 200
    assert here.post(f"/staff/sessions/{other.pk}/end/").status_code == 302

    assert elsewhere.get(PAGE).status_code == 302
    assert here.get(PAGE).status_code == 200
    mine.refresh_from_db()
    assert mine.ended_at is None
    staff_client(account=account)
    assert here.post("/staff/sessions/others/end/").status_code == 302
    assert StaffSession.objects.filter(account=account, ended_at=None).get() == mine
    assert AuditEntry.objects.filter(act="identity.end_session").count() == 2


def test_the_security_administrator_finds_everybodys_log_ins() -> None:
    staff_client(account=a_staff(Role.CASHIER, display_name="许晚棠", username="shoufei9"))
    officer = staff_client(Role.SECURITY_ADMIN)

    for word in ("许晚", "shoufei", "xwt", "127.0"):
        found = officer.get("/staff/log-ins/", {"q": word}, headers={"HX-Request": "true"})
        assert "许晚棠" in found.content.decode(), word
    assert "许晚棠" not in officer.get("/staff/log-ins/", {"q": "林"}).content.decode()
    for role in (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN, Role.CASHIER):
        assert staff_client(role).get("/staff/log-ins/").status_code == 403


def test_log_ins_nobody_came_back_to_are_ended_by_night(moment: time_machine.Traveller) -> None:
    staff_client(Role.CASHIER)
    moment.shift(dt.timedelta(hours=13))

    actions.clear_sessions(at=clock.now())

    row = StaffSession.objects.get()
    assert (row.ended_at, row.how, row.ended_by) == (clock.now(), "expired", "system:0")


def test_the_answer_to_a_page_opened_by_hand_is_the_log_in() -> None:
    client = staff_client(Role.CASHIER)
    client.post(LOCK)

    answer = client.get(LOANS)

    assert isinstance(answer, HttpResponse)
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/staff/login/?next=%2Fstaff%2Floans%2F",
    )
