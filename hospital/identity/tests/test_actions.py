"""Staff accounts and roles, WeChat users, permissions: rules by action, refusals leave nothing."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from pytest_django import Settings

from hospital.identity import actions, jobs, queries
from hospital.identity.models import LoginAttempt, RoleAssignment, StaffAccount, WeChatUser
from hospital.identity.permissions import SIGNED_IN
from hospital.identity.states import AttemptOutcome, Role, Theme
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotAllowed, NotFound
from hospital.kernel.models import AuditEntry
from hospital.kernel.permissions import all_permissions
from hospital.patients.permissions import FIND_PATIENT, REVEAL
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import PASSWORD, a_staff, a_wechat_user

AT = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 22)


def save(**changes: object) -> bool:
    arguments: dict[str, object] = {
        "username": "he.wanqing",
        "display_name": "何婉清",
        "roles": ["registration_clerk"],
        "initial_password": PASSWORD,
        "by": SYSTEM,
        "at": AT,
    }
    return actions.save_staff(**{**arguments, **changes})  # type: ignore[arg-type]


@pytest.mark.django_db
class TestSavingStaff:
    def test_a_new_account_has_its_roles_and_an_argon2_password(self) -> None:
        department = a_department()
        practitioner = a_practitioner(department)

        assert save(
            username=" He.Wanqing ",
            roles=["doctor", "triage_nurse"],
            department=department.code,
            practitioner=practitioner.code,
        )

        account = StaffAccount.objects.get()
        assert (account.username, account.display_name) == ("he.wanqing", "何婉清")
        assert account.practitioner == practitioner
        assert account.password.startswith("argon2$argon2id$")
        assert account.check_password(PASSWORD)
        rows = queries.assignments(account=account, on=TODAY)
        assert {(row.role, row.department_id) for row in rows} == {
            ("doctor", department.pk),
            ("triage_nurse", department.pk),
        }
        entry = AuditEntry.objects.get(act="identity.save_staff")
        assert (entry.before, entry.after["display_name"]) == ({}, "何婉清")

    def test_the_same_again_changes_nothing(self) -> None:
        save()

        assert save() is False
        assert AuditEntry.objects.filter(act="identity.save_staff").count() == 1
        assert RoleAssignment.objects.count() == 1

    def test_a_changed_sheet_changes_just_that_and_keeps_the_past(self) -> None:
        save(roles=["registration_clerk", "cashier"])

        assert save(roles=["registration_clerk", "finance"], display_name="何婉青")

        account = StaffAccount.objects.get()
        assert account.display_name == "何婉青"
        with time_machine.travel(AT + dt.timedelta(days=1)):
            assert queries.roles_of(account=account) == [Role.FINANCE, Role.REGISTRATION_CLERK]
        ended = RoleAssignment.objects.get(role="cashier")
        assert (ended.valid_from, ended.valid_to) == (TODAY, TODAY)

    @pytest.mark.parametrize(("is_demo", "must_change"), [(False, True), (True, False)])
    def test_a_workbooks_password_is_changed_first_but_in_a_demo(
        self, settings: Settings, *, is_demo: bool, must_change: bool
    ) -> None:
        settings.DEMO_CODES = is_demo
        save()

        assert StaffAccount.objects.get().must_change_password is must_change
        save(display_name="何婉青")
        assert StaffAccount.objects.get().must_change_password is must_change

    def test_importing_again_does_not_undo_a_chosen_password(self) -> None:
        save()
        account = StaffAccount.objects.get()
        account.set_password("my-own-Choice-2")
        account.save()

        assert save(initial_password="another-One-3") is False

        account.refresh_from_db()
        assert account.check_password("my-own-Choice-2")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": ""}, "username"),
            ({"username": "何婉清"}, "username"),
            ({"username": ".x"}, "username"),
            ({"username": "x" * 41}, "username"),
            ({"display_name": "  "}, "display_name"),
            ({"roles": ["queen"]}, "roles"),
            ({"initial_password": "short"}, "initial_password"),
            ({"initial_password": None}, "initial_password"),
            ({"practitioner": "P404"}, "practitioner"),
            ({"department": "D404"}, "department"),
        ],
    )
    def test_what_is_wrong_is_named_and_nothing_is_written(
        self, changes: dict[str, object], field: str
    ) -> None:
        with pytest.raises(Invalid) as refusal:
            save(**changes)

        assert field in refusal.value.errors
        assert not StaffAccount.objects.exists()


@pytest.mark.django_db
class TestPermissions:
    def test_they_follow_from_todays_roles_alone(self) -> None:
        clerk, nobody = a_staff(Role.REGISTRATION_CLERK), a_staff()

        assert {REVEAL.code, FIND_PATIENT.code, SIGNED_IN.code} <= queries.permissions_of(clerk)
        assert queries.may(clerk, REVEAL)
        assert queries.permissions_of(nobody) == frozenset()
        assert not queries.may(a_staff(Role.CASHIER), REVEAL)

    def test_a_role_ends_with_its_last_day(self) -> None:
        account = a_staff(Role.REGISTRATION_CLERK)
        RoleAssignment.objects.update(valid_to=clock.today())

        assert not queries.may(account, REVEAL)

    def test_a_switched_off_account_may_nothing(self) -> None:
        assert queries.permissions_of(a_staff(Role.FINANCE, is_active=False)) == frozenset()

    def test_a_department_narrows_a_role(self) -> None:
        own, other = a_department(), a_department()
        account = a_staff(Role.DOCTOR, department=own)

        assert queries.may(account, VIEW_APPOINTMENTS)
        assert queries.may(account, VIEW_APPOINTMENTS, department_id=own.pk)
        assert not queries.may(account, VIEW_APPOINTMENTS, department_id=other.pk)
        assert queries.may(account, FIND_PATIENT, department_id=other.pk)  # does not narrow

    def test_every_permission_names_known_roles(self) -> None:
        for permission in all_permissions():
            assert set(permission.roles) <= set(Role.values), permission.code


@pytest.mark.django_db
class TestWeChatUsers:
    def test_an_openid_is_one_user_per_appid(self) -> None:
        first = actions.sign_in_wechat_user(appid="wx1", openid="o1", at=AT)

        again = actions.sign_in_wechat_user(appid="wx1", openid="o1", unionid="u1", at=AT)
        elsewhere = actions.sign_in_wechat_user(appid="wx2", openid="o1", unionid="u1", at=AT)

        assert again == first != elsewhere
        first.refresh_from_db()
        assert first.unionid == "u1"

    def test_only_the_user_chooses_the_display(self) -> None:
        user, stranger = a_wechat_user(), a_wechat_user()

        with pytest.raises(NotAllowed):
            actions.set_display(
                wechat_user_id=user.pk, care_mode=True, by=Actor("patient", stranger.pk)
            )
        actions.set_display(wechat_user_id=user.pk, theme=Theme.DARK, by=Actor("patient", user.pk))

        user.refresh_from_db()
        assert (user.care_mode, user.theme) == (False, Theme.DARK)

    def test_blocking_is_audited_with_its_reason(self) -> None:
        user = a_wechat_user()

        actions.set_blocked(
            wechat_user_id=user.pk, is_blocked=True, reason="倒号", by=Actor("staff", 3), at=AT
        )

        assert WeChatUser.objects.get().is_blocked
        entry = AuditEntry.objects.get(act="identity.set_blocked")
        assert (entry.before, entry.after) == ({"is_blocked": False}, {"is_blocked": True})
        assert entry.reason == "倒号"

    def test_locking_nobody_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            queries.lock_wechat_user(user_id=0)


@pytest.mark.django_db
def test_ended_sessions_are_swept_out() -> None:
    for seconds in (60, 3600):
        session = SessionStore()
        session["x"] = 1
        session.set_expiry(seconds)
        session.save()

    with time_machine.travel(clock.now() + dt.timedelta(minutes=30)):
        jobs.clear_sessions(timestamp=1)

    assert Session.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_are_counted_one_after_another() -> None:
    a_staff(Role.REGISTRATION_CLERK, username="clerk")

    def guess(_: int) -> None:
        try:
            with pytest.raises((actions.LoginRefused, actions.TooManyAttempts)):
                actions.log_in_staff(
                    username="clerk", password="wrong", address="10.0.0.1", at=clock.now()
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(16)))

    outcomes = list(LoginAttempt.objects.values_list("outcome", flat=True))
    assert outcomes.count(AttemptOutcome.FAILED) == 5
    assert outcomes.count(AttemptOutcome.THROTTLED) == 11
