"""Acceptance 5: guessing, telling apart, stealing and planting at the staff's log-in."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hospital.identity import actions
from hospital.identity.models import LoginAttempt, PasswordUsed, StaffAccount, StaffSession
from hospital.identity.states import AttemptOutcome, Role, SessionEnd
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.kernel.settings_rows import set_value
from hospital.testing.people import LONG_AGO, PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
LOGIN, PASSWORD_PAGE = "/staff/login/", "/staff/password/"
NEW = "another-Long-One-2"
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def log_in(client: Client, username: str = "clerk", password: str = PASSWORD) -> HttpResponse:
    answer = client.post(LOGIN, {"username": username, "password": password})
    assert isinstance(answer, HttpResponse)
    return answer


def change(account: StaffAccount, current: str, new: str) -> None:
    me = Actor("staff", account.pk)
    actions.change_password(
        account=account, current=current, new=new, address="10.0.0.5", by=me, at=AT
    )


def grant_again(account: StaffAccount) -> None:
    actions.save_staff(
        username=account.username,
        display_name=account.display_name,
        roles=[Role.REGISTRATION_CLERK],
        by=SYSTEM,
        at=clock.now(),
    )
    assert log_in(Client(), account.username).status_code == 302


def is_in(client: Client) -> bool:
    return client.get(PASSWORD_PAGE).status_code == 200


def without_token(answer: HttpResponse, username: str) -> str:
    page = re.sub(r'="\w{64}"', "", answer.content.decode())  # the form's own token
    return page.replace(username, "NAME")


def test_known_and_unknown_names_get_the_same_answer_for_the_same_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    a_staff(Role.SYSTEM_ADMIN, username="admin")
    a_staff(Role.REGISTRATION_CLERK, username="gone", is_active=False)
    hashed: list[str] = []
    for name in ("verify", "encode"):
        real = getattr(Argon2PasswordHasher, name)

        def counting(self: Argon2PasswordHasher, *args: object, real: object = real) -> object:
            hashed.append("once")
            return real(self, *args)  # type: ignore[operator]

        monkeypatch.setattr(Argon2PasswordHasher, name, counting)
    log_in(Client(), "warm-up", "wrong")
    seen = []
    for username in ("clerk", "admin", "gone", "nobody"):
        hashed.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = log_in(Client(), username, "wrong-Password-1")
        seen.append((answer.status_code, without_token(answer, username), len(asked), len(hashed)))

    assert len(set(seen)) == 1
    assert seen[0][0] == 422
    assert seen[0][3] == 1
    assert AuditEntry.objects.filter(act="identity.log_in_failed", result="refused").count() == 5


def test_a_locked_name_and_a_locked_nobody_read_the_same_too() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    answers = []
    for username in ("clerk", "nobody"):
        for _ in range(5):
            log_in(Client(), username, "wrong")
        locked = log_in(Client(), username)
        answers.append((locked.status_code, without_token(locked, username)))

    assert answers[0] == answers[1]
    assert answers[0][0] == 429


def test_the_security_administrator_sees_and_opens_the_lock() -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk", display_name="方芷若")
    for _ in range(5):
        log_in(Client(), password="wrong")
    officer = staff_client(Role.SECURITY_ADMIN)
    page = officer.get("/staff/log-ins/locked/").content.decode()
    assert "方芷若" in page
    assert "5 次" in page
    address = f"/staff/log-ins/unlock/{account.pk}/"
    assert staff_client(Role.SYSTEM_ADMIN).post(address, {"reason": "x"}).status_code == 403
    assert officer.post(address, {"reason": ""}).status_code == 422
    assert log_in(Client()).status_code == 429

    assert officer.post(address, {"reason": "本人输错，已核实"}).status_code == 302

    assert log_in(Client()).status_code == 302
    officer.get("/staff/log-ins/locked/")  # takes the toast that names him
    assert "方芷若" not in officer.get("/staff/log-ins/locked/").content.decode()
    assert AuditEntry.objects.get(act="identity.unlock_account").reason == "本人输错，已核实"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_address_guesses_many_names_at_once_and_is_throttled() -> None:
    set_value(setting=actions.FAILURES_PER_ADDRESS, value=5, by=SYSTEM, at=LONG_AGO)

    def guess(number: int) -> None:
        try:
            with pytest.raises((actions.LoginRefused, actions.TooManyAttempts)):
                actions.log_in_staff(
                    username=f"name{number}", password="x", address="10.9.9.9", at=clock.now()
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(guess, range(12)))

    outcomes = list(LoginAttempt.objects.values_list("outcome", flat=True))
    assert outcomes.count(AttemptOutcome.FAILED) == 5
    assert outcomes.count(AttemptOutcome.THROTTLED) == 7


def test_a_subscriber_of_ipv6_is_one_address() -> None:
    set_value(setting=actions.FAILURES_PER_ADDRESS, value=5, by=SYSTEM, at=LONG_AGO)

    def guess(number: int, address: str) -> int:
        typed = {"username": f"name{number}", "password": "x"}
        return Client().post(LOGIN, typed, REMOTE_ADDR=address).status_code

    assert [guess(n, f"2001:db8:1:1:{n}::{n}") for n in range(1, 6)] == [422] * 5
    assert guess(6, "2001:db8:1:1:ffff::6") == 429
    assert guess(7, "2001:db8:1:2::1") == 422


def test_a_new_password_ends_every_other_log_in() -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk")
    here, elsewhere = Client(), Client()
    log_in(here)
    log_in(elsewhere)

    typed = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert here.post(PASSWORD_PAGE, typed).status_code == 302

    assert is_in(here)
    assert not is_in(elsewhere)
    ended = StaffSession.objects.get(ended_at__isnull=False)
    assert (ended.how, ended.ended_by) == (SessionEnd.PASSWORD, f"staff:{account.pk}")


@pytest.mark.parametrize("what", ["reset", "off", "forced"])
def test_whoever_is_put_out_is_out_with_the_next_request(what: str) -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client, officer = Client(), staff_client(Role.SECURITY_ADMIN)
    log_in(client)
    row = StaffSession.objects.get(account=account)
    at = clock.now()
    if what == "reset":
        actions.reset_password(account_id=account.pk, password="a-Fresh-4321", by=SYSTEM, at=at)
    elif what == "off":
        actions.switch_off(account_id=account.pk, reason="离职", by=SYSTEM, at=at)
    else:
        page = f"/staff/log-ins/{row.pk}/end/"
        assert officer.post(page, {"reason": ""}).status_code == 422
        assert is_in(client)
        assert officer.post(page, {"reason": "可疑"}).status_code == 302

    row.refresh_from_db()
    assert row.ended_at is not None
    answer = client.post(PASSWORD_PAGE, {"current": "x"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["X-Locked"]) == (401, "ended")
    assert not is_in(client)


def test_a_log_in_that_began_while_its_owner_left_stays_dead() -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()
    log_in(client)
    at = clock.now()
    actions.switch_off(account_id=account.pk, reason="离职", by=SYSTEM, at=at)
    StaffSession.objects.update(ended_at=None, ended_by="", how="")  # its row came a moment later

    actions.switch_on(account_id=account.pk, reason="", by=SYSTEM, at=at)
    grant_again(account)

    assert not is_in(client)


def test_the_last_five_passwords_do_not_come_back() -> None:
    account = a_staff(Role.REGISTRATION_CLERK)
    used = [PASSWORD, *(f"my-own-Choice-{number}" for number in range(5))]
    for current, new in itertools.pairwise(used):
        change(account, current, new)

    for old in used[1:]:
        with pytest.raises(Invalid) as refusal:
            change(account, used[-1], old)
        assert refusal.value.errors == {"new": ["不能使用最近 5 次用过的密码。"]}
    change(account, used[-1], used[0])

    assert StaffAccount.objects.get().check_password(used[0])
    assert PasswordUsed.objects.count() == 4


def test_every_rule_about_passwords_has_a_chinese_sentence() -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="fangzhiruo")

    with pytest.raises(Invalid) as refusal:
        change(account, PASSWORD, "fang")

    assert refusal.value.errors == {"new": ["密码太短，至少要 10 个字符。"]}
    with pytest.raises(Invalid) as refusal:
        change(account, PASSWORD, "linruoshui")
    assert refusal.value.errors == {"new": ["密码和登录名、姓名或拼音太像。"]}
    with pytest.raises(Invalid) as refusal:
        change(account, PASSWORD, "1234567890")
    assert refusal.value.errors == {"new": ["密码太常见，容易被人猜到。"]}


@pytest.mark.parametrize("password", ["linruoshui1", "Lin-Ruoshui", "fangzhiruo-1", "1234567890"])
def test_a_password_is_not_ones_name_nor_everybodys(password: str) -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="fangzhiruo")

    with pytest.raises(Invalid):
        change(account, PASSWORD, password)

    assert StaffAccount.objects.get().check_password(PASSWORD)


def test_a_form_without_its_token_logs_nobody_in() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client(enforce_csrf_checks=True)
    client.get(LOGIN)

    assert log_in(client).status_code == 403
    for address in ("/staff/unlock/", "/staff/lock/", "/staff/login/code/"):
        assert client.post(address, {"password": PASSWORD}).status_code == 403
    assert not StaffSession.objects.exists()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()
    log_in(client)
    cookie = client.cookies["xinglin"]

    assert (bool(cookie["httponly"]), cookie["samesite"], cookie["path"]) == (True, "Lax", "/")


def test_an_ended_log_in_cannot_be_opened_again_with_its_cookie() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()
    log_in(client)
    stolen = client.cookies["xinglin"].value
    client.post("/staff/logout/")
    thief = Client()
    thief.cookies["xinglin"] = stolen

    assert not is_in(thief)
    assert thief.post("/staff/unlock/", {"password": PASSWORD}).status_code == 401


def test_whoever_stops_being_an_administrator_logs_in_anew() -> None:
    boss, asker = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.SYSTEM_ADMIN)
    officer = a_staff(Role.SECURITY_ADMIN)
    client, colleague = staff_client(account=boss), staff_client(account=asker)
    asked = actions.ask_for_roles(
        account=boss,
        wanted=[actions.Wanted(role=Role.REGISTRATION_CLERK)],
        reason="换岗",
        by=Actor("staff", asker.pk),
        at=clock.now(),
    )
    assert is_in(client)

    actions.approve_access(
        request_id=asked.pk, note="", by=Actor("staff", officer.pk), at=clock.now()
    )

    assert not is_in(client)
    assert is_in(colleague)
    assert StaffSession.objects.get(account=boss).how == SessionEnd.ROLES
