"""The second step: who is asked, no page before it, codes and recovery codes that work once."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from hospital.identity import actions, queries, sessions
from hospital.identity import one_time_codes as codes
from hospital.identity.models import (
    LoginAttempt,
    RecoveryCode,
    SecondFactor,
    StaffAccount,
    StaffSession,
)
from hospital.identity.states import AttemptOutcome, Role, SecondStep
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid
from hospital.kernel.models import AuditEntry
from hospital.testing.people import PASSWORD, a_staff, staff_client

pytestmark = pytest.mark.django_db
AT = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OUTSIDE = "203.0.113.7"
INSIDE = "127.0.0.1"
CODE, ENROL = "/staff/login/code/", "/staff/login/enrol/"


@pytest.fixture(autouse=True)
def moment() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(AT, tick=False) as moment:
        yield moment


def a_bound(role: Role = Role.SYSTEM_ADMIN, username: str = "boss") -> StaffAccount:
    account = a_staff(role, username=username)
    actions.give_second_factor(account=account, secret=SECRET, at=AT)
    return account


def first_step(client: Client, username: str = "boss", address: str = INSIDE) -> HttpResponse:
    typed = {"username": username, "password": PASSWORD, "next": "/staff/password/"}
    answer = client.post("/staff/login/", typed, REMOTE_ADDR=address)
    assert isinstance(answer, HttpResponse)
    return answer


def second_step(client: Client, code: str, address: str = INSIDE) -> HttpResponse:
    answer = client.post(CODE, {"one_time_code": code}, REMOTE_ADDR=address)
    assert isinstance(answer, HttpResponse)
    return answer


def code_at(steps: int = 0) -> str:
    return codes.code_of(SECRET, codes.step_at(clock.now()) + steps)


def is_in(client: Client) -> bool:
    return client.get("/staff/password/").status_code == 200


def test_the_arithmetic_is_that_of_the_standard() -> None:
    """RFC 6238, appendix B, SHA-1, the last six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    known = {59: "287082", 1111111109: "081804", 1234567890: "005924", 2000000000: "279037"}

    assert {at: codes.code_of(secret, at // 30) for at in known} == known


def test_clerks_inside_the_hospital_need_a_password_only() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()

    assert first_step(client, "clerk")["Location"] == "/staff/password/"
    assert is_in(client)


def test_no_page_opens_before_the_second_step() -> None:
    a_bound()
    client = Client()

    assert first_step(client)["Location"] == CODE
    assert "_auth_user_id" not in client.session
    assert not is_in(client)
    assert client.post("/staff/password/", {"current": PASSWORD}).status_code == 401
    assert not StaffSession.objects.exists()
    assert not AuditEntry.objects.filter(act="identity.log_in_staff").exists()

    assert second_step(client, code_at())["Location"] == "/staff/password/"
    assert is_in(client)
    assert AuditEntry.objects.get(act="identity.log_in_staff").after["proof"] == "code"


def test_the_key_of_the_session_changes_at_both_steps() -> None:
    a_bound()
    client = Client()
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["xinglin"] = str(planted)

    first_step(client)
    after_one = client.cookies["xinglin"].value
    second_step(client, code_at())
    after_two = client.cookies["xinglin"].value

    assert len({planted, after_one, after_two}) == 3
    assert "planted" not in client.session


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 302), (1, 302), (2, 422)])
def test_a_phones_clock_may_be_one_step_off(steps: int, status: int) -> None:
    a_bound()
    client = Client()
    first_step(client)

    assert second_step(client, code_at(steps)).status_code == status
    assert is_in(client) is (status == 302)


def test_a_stolen_code_is_refused_and_so_are_older_ones() -> None:
    a_bound()
    owner, thief = Client(), Client()
    first_step(owner)
    first_step(thief)
    second_step(owner, code_at())

    for steps in (0, -1):
        answer = second_step(thief, code_at(steps))
        assert answer.status_code == 422
        assert "已经用过" in answer.content.decode()
    assert not is_in(thief)
    assert StaffSession.objects.count() == 1


def test_a_recovery_code_works_once() -> None:
    account = a_bound()
    fresh = actions.renew_recovery_codes(
        account=account,
        password=PASSWORD,
        code=code_at(),
        address=INSIDE,
        by=Actor("staff", account.pk),
        at=AT,
    )
    assert len(set(fresh)) == 10
    kept = list(RecoveryCode.objects.values_list("digest", flat=True))
    assert not set(kept) & set(fresh)
    client, thief = Client(), Client()
    first_step(client)
    first_step(thief)

    assert second_step(client, f" {fresh[3].upper().replace('-', ' ')} ").status_code == 302
    assert second_step(thief, fresh[3]).status_code == 422
    assert not is_in(thief)
    assert queries.recovery_codes_left(account=account) == 9
    entry = AuditEntry.objects.filter(act="identity.log_in_staff").latest("pk")
    assert entry.after["proof"] == "recovery_code"


def test_guessing_codes_locks_the_account_and_the_right_password_does_not_free_it() -> None:
    a_bound()
    client = Client()
    for _ in range(4):
        first_step(client)
        assert second_step(client, "000000").status_code == 422
    first_step(client)
    assert second_step(client, "000000").status_code == 422

    locked = second_step(client, code_at())

    assert locked.status_code == 429
    assert not is_in(client)
    assert first_step(Client()).status_code == 429


def test_from_outside_everybody_proves_twice() -> None:
    a_bound(Role.REGISTRATION_CLERK, "clerk")
    client = Client()

    assert first_step(client, "clerk", OUTSIDE)["Location"] == CODE
    assert second_step(client, code_at(), OUTSIDE).status_code == 302
    assert client.get("/staff/password/", REMOTE_ADDR=OUTSIDE).status_code == 200


def test_a_log_in_without_second_step_ends_at_the_hospitals_door() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()
    first_step(client, "clerk")

    assert client.get("/staff/password/", REMOTE_ADDR=OUTSIDE).status_code == 302
    assert is_in(client)


def test_a_clerk_who_becomes_an_administrator_proves_more_at_once() -> None:
    account = a_staff(Role.REGISTRATION_CLERK, username="clerk")
    client = Client()
    first_step(client, "clerk")
    actions.save_staff(
        username="clerk",
        display_name=account.display_name,
        roles=["system_admin"],
        by=SYSTEM,
        at=AT,
    )

    assert not is_in(client)


def typed_key(answer: object) -> str:
    assert isinstance(answer, HttpResponse)
    found = re.search(r'class="i-secret">([A-Z2-7 ]+)<', answer.content.decode())
    assert found
    return found[1].replace(" ", "")


def test_the_first_log_in_binds_a_phone_and_shows_the_recovery_codes_once() -> None:
    account = a_staff(Role.SYSTEM_ADMIN, username="boss")
    client = Client()
    assert first_step(client)["Location"] == ENROL
    key = typed_key(client.get(ENROL))

    wrong = client.post(ENROL, {"one_time_code": "000000"})
    assert wrong.status_code == 422
    assert not SecondFactor.objects.exists()
    assert typed_key(wrong) == key

    done = client.post(ENROL, {"one_time_code": codes.code_of(key, codes.step_at(AT))})

    shown = re.findall(r"<li>([a-z0-9]{5}-[a-z0-9]{5})</li>", done.content.decode())
    assert len(shown) == 10
    assert "no-store" in done["Cache-Control"]
    assert is_in(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM identity_secondfactor")
        assert key not in cursor.fetchone()[0]
        cursor.execute("SELECT session_data FROM django_session")
        assert key not in str(cursor.fetchall())
    assert AuditEntry.objects.filter(act="identity.enrol_second_factor").count() == 1
    again = Client()
    assert first_step(again)["Location"] == CODE
    assert again.get(ENROL).status_code == 302
    assert second_step(again, codes.code_of(key, codes.step_at(AT))).status_code == 422
    assert queries.recovery_codes_left(account=account) == 10


def test_a_stolen_password_binds_no_phone_outside_the_hospital() -> None:
    a_staff(Role.SYSTEM_ADMIN, username="boss")
    client = Client()
    assert first_step(client, "boss", OUTSIDE)["Location"] == ENROL
    page = client.get(ENROL, REMOTE_ADDR=OUTSIDE)
    assert "i-secret" not in page.content.decode()
    code = codes.code_of(sessions.secret_to_bind(client.session), codes.step_at(AT))
    answer = client.post(ENROL, {"one_time_code": code}, REMOTE_ADDR=OUTSIDE)

    assert answer.status_code == 422
    assert not SecondFactor.objects.exists()
    assert not StaffSession.objects.exists()


@pytest.mark.parametrize("change", ["password", "off", "late"])
def test_what_changes_between_the_steps_ends_the_way(
    change: str, moment: time_machine.Traveller
) -> None:
    account = a_bound()
    a_staff(Role.SYSTEM_ADMIN, username="second")
    client = Client()
    first_step(client)
    if change == "password":
        actions.reset_password(account_id=account.pk, password="a-Fresh-One-4321", by=SYSTEM, at=AT)
    elif change == "off":
        actions.switch_off(account_id=account.pk, reason="离职", by=SYSTEM, at=AT)
    else:
        moment.shift(dt.timedelta(minutes=11))

    answer = second_step(client, code_at())

    assert (answer.status_code, answer["Location"]) == (302, "/staff/login/")
    assert not is_in(client)
    assert SecondFactor.objects.get().last_counter == 0


def test_another_phone_needs_password_and_the_present_phone() -> None:
    account = a_bound()
    client = staff_client(account=account)
    page = "/staff/second-factor/"
    key = typed_key(client.get(page))
    typed = {
        "password": PASSWORD,
        "old_one_time_code": code_at(),
        "new_one_time_code": codes.code_of(key, codes.step_at(AT)),
    }

    for field in typed:
        wrong = client.post(page, typed | {field: "000000"})
        assert wrong.status_code == 422
        assert SecondFactor.objects.get().secret == SECRET
    assert client.post(page, typed).status_code == 200

    assert SecondFactor.objects.get().secret == key
    assert AuditEntry.objects.filter(act="identity.renew_second_factor").count() == 1


def test_the_security_administrator_resets_with_a_reason_but_not_the_own_one() -> None:
    account = a_bound()
    officer = a_bound(Role.SECURITY_ADMIN, "officer")
    theirs, client = staff_client(account=account), staff_client(account=officer)
    page = f"/staff/log-ins/factor/{account.pk}/"

    assert staff_client(Role.SYSTEM_ADMIN).post(page, {"reason": "x"}).status_code == 403
    assert client.post(page, {"reason": " "}).status_code == 422
    assert client.post(f"/staff/log-ins/factor/{officer.pk}/", {"reason": "x"}).status_code == 409
    assert SecondFactor.objects.count() == 2
    assert is_in(theirs)

    assert client.post(page, {"reason": "手机丢失，当面核实"}).status_code == 302

    assert SecondFactor.objects.get().account == officer
    assert not is_in(theirs)
    assert is_in(client)
    entry = AuditEntry.objects.get(act="identity.reset_second_factor")
    assert (entry.reason, entry.by) == ("手机丢失，当面核实", f"staff:{officer.pk}")


def test_the_demo_shows_the_code_and_nobody_else(settings: Settings) -> None:
    a_bound()
    client = Client()
    first_step(client)
    assert code_at() not in client.get(CODE).content.decode()

    settings.DEMO_CODES = True

    assert code_at() in client.get(CODE).content.decode()
    second_step(client, code_at())
    other = Client()
    first_step(other)
    assert code_at(1) in other.get(CODE).content.decode()


def test_the_server_binds_a_phone_by_command(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    a_staff(Role.SYSTEM_ADMIN, username="boss")
    with pytest.raises(CommandError, match="no such account"):
        call_command("second_factor", "nobody")
    with pytest.raises(CommandError, match="DEMO_CODES"):
        call_command("second_factor", "--demo")

    call_command("second_factor", "boss")

    factor = SecondFactor.objects.get()
    assert f"key to type: {factor.secret}" in capsys.readouterr().out
    settings.DEMO_CODES = True
    a_staff(Role.AUDIT_ADMIN, username="auditor")
    call_command("second_factor", "--demo")
    assert SecondFactor.objects.count() == 2
    assert SecondFactor.objects.get(account=factor.account).secret == factor.secret


def test_the_server_gives_a_password_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    boss = a_staff(Role.SYSTEM_ADMIN, username="boss")
    browser = staff_client(account=boss)
    with pytest.raises(CommandError, match="no such account"):
        call_command("reset_password", "nobody")

    call_command("reset_password", "boss")

    boss.refresh_from_db()
    given = capsys.readouterr().out.splitlines()[0].removeprefix("temporary password: ")
    assert (boss.check_password(given), boss.must_change_password) == (True, True)
    assert browser.get("/staff/password/").status_code == 302
    assert AuditEntry.objects.get(act="identity.reset_password").by == "system:0"


def test_a_reason_is_asked_for_unlocking() -> None:
    account = a_bound()
    with pytest.raises(Invalid):
        actions.unlock_account(account_id=account.pk, reason="", by=SYSTEM, at=AT)

    assert not LoginAttempt.objects.filter(outcome=AttemptOutcome.UNLOCKED).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_code_lets_in_once_however_many_come_at_once() -> None:
    account = a_bound()

    def use(_: int) -> str:
        try:
            actions.confirm_log_in(account=account, code=code_at(), address=INSIDE, at=AT)
        except actions.CodeRefused:
            return "refused"
        except actions.TooManyAttempts:
            return "throttled"
        finally:
            connection.close()
        return "in"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(use, range(4)))

    assert answers.count("in") == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_recovery_code_lets_one_of_two_windows_in() -> None:
    account = a_bound()
    fresh = actions.renew_recovery_codes(
        account=account,
        password=PASSWORD,
        code=code_at(),
        address=INSIDE,
        by=Actor("staff", account.pk),
        at=AT,
    )

    def use(_: int) -> bool:
        try:
            actions.confirm_log_in(account=account, code=fresh[0], address=INSIDE, at=AT)
        except actions.CodeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) == [False, True]
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_that_bind_the_first_phone_at_once_one_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = a_staff(Role.SYSTEM_ADMIN, username="boss")
    secrets = [codes.new_secret(), codes.new_secret()]
    both, asked = Barrier(2), queries.second_step

    def asked_by_both(**arguments: Any) -> SecondStep:
        answer = asked(**arguments)
        both.wait(timeout=30)
        return answer

    monkeypatch.setattr(queries, "second_step", asked_by_both)

    def bind(secret: str) -> bool:
        code = codes.code_of(secret, codes.step_at(AT))
        try:
            actions.enrol_at_log_in(
                account=account, secret=secret, code=code, address=INSIDE, at=AT
            )
        except actions.CodeRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        bound = list(pool.map(bind, secrets))

    assert sorted(bound) == [False, True]
    assert SecondFactor.objects.get().secret == secrets[bound.index(True)]
    assert RecoveryCode.objects.count() == codes.RECOVERY_CODES
    assert AuditEntry.objects.filter(act="identity.enrol_second_factor").count() == 1
