"""Roles asked for and decided in twos; three administrators apart; the last of each stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.db import Error, IntegrityError, connection, transaction

from hospital.identity import actions, queries, wording
from hospital.identity.actions import Wanted
from hospital.identity.models import (
    AccessRequest,
    CustomRole,
    GrantChange,
    RoleAssignment,
    StaffAccount,
)
from hospital.identity.states import ADMINISTRATORS, DataScope, Role
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotFound
from hospital.kernel.four_eyes import AlreadyAsked, AlreadyDecided, OwnRequest
from hospital.kernel.models import AuditEntry
from hospital.kernel.permissions import all_permissions
from hospital.patients.permissions import FIND_PATIENT, REVEAL
from hospital.payments.permissions import VIEW_PAYMENTS
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import PASSWORD, a_staff

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
TOMORROW = TODAY + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admin() -> StaffAccount:
    return a_staff(Role.SYSTEM_ADMIN, display_name="周砚")


@pytest.fixture
def guard() -> StaffAccount:
    return a_staff(Role.SECURITY_ADMIN, display_name="沈安衡")


def by(account: StaffAccount) -> Actor:
    return Actor("staff", account.pk)


def ask(account: StaffAccount, *wanted: Wanted, asker: StaffAccount) -> AccessRequest:
    return actions.ask_for_roles(
        account=account, wanted=wanted, reason="换岗", by=by(asker), at=clock.now()
    )


def approve(request: AccessRequest, guard: StaffAccount) -> AccessRequest:
    return actions.approve_access(request_id=request.pk, note="", by=by(guard), at=clock.now())


def rights(account: StaffAccount) -> frozenset[str]:
    return queries.permissions_of(StaffAccount.objects.get(pk=account.pk))


def rows() -> list[tuple[object, ...]]:
    return list(
        RoleAssignment.objects.order_by("pk").values_list(
            "account_id", "role", "department_id", "valid_from", "valid_to"
        )
    )


class TestAssignments:
    def test_a_role_holds_once_the_second_person_agrees(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        nurse = a_staff(Role.TRIAGE_NURSE)
        request = ask(nurse, Wanted(Role.CASHIER), asker=admin)
        assert VIEW_PAYMENTS.code not in rights(nurse)

        approve(request, guard)

        assert VIEW_PAYMENTS.code in rights(nurse)
        assert queries.roles_of(account=StaffAccount.objects.get(pk=nurse.pk)) == ["cashier"]
        row = RoleAssignment.objects.get(account=nurse, role="cashier")
        assert (row.valid_from, row.valid_to, row.request_id) == (TODAY, None, request.pk)
        entry = AuditEntry.objects.get(act="identity.approve_access")
        assert (entry.subject_id, entry.reason, entry.by) == (nurse.pk, "换岗", str(by(guard)))

    def test_nobody_decides_what_they_asked(self, admin: StaffAccount) -> None:
        nurse = a_staff(Role.TRIAGE_NURSE)
        request, before = ask(nurse, Wanted(Role.CASHIER), asker=admin), rows()

        with pytest.raises(OwnRequest):
            approve(request, admin)
        with pytest.raises(IntegrityError, match="two_persons"), transaction.atomic():
            AccessRequest.objects.filter(pk=request.pk).update(
                status="approved", decided_by=request.asked_by, decided_at=NOW
            )

        assert rows() == before

    def test_nobody_approves_the_own_account(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        request = ask(
            guard,
            Wanted(Role.SECURITY_ADMIN, None, None, None),
            Wanted(Role.SECURITY_ADMIN, a_department().pk),
            asker=admin,
        )
        before = rows()

        with pytest.raises(actions.OwnAccess):
            approve(request, guard)

        assert rows() == before
        approve(request, a_staff(Role.SECURITY_ADMIN))
        assert rows() != before

    def test_a_decision_is_made_once_and_a_refusal_says_why(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        nurse = a_staff(Role.TRIAGE_NURSE)
        request, before = ask(nurse, Wanted(Role.CASHIER), asker=admin), rows()
        with pytest.raises(Invalid):
            actions.reject_access(request_id=request.pk, note=" ", by=by(guard), at=NOW)

        actions.reject_access(request_id=request.pk, note="编制已满", by=by(guard), at=NOW)

        assert rows() == before
        with pytest.raises(AlreadyDecided):
            approve(request, guard)
        again = ask(nurse, Wanted(Role.CASHIER), asker=admin)
        with pytest.raises(AlreadyAsked):
            ask(nurse, Wanted(Role.FINANCE), asker=admin)
        assert AccessRequest.objects.filter(status="waiting").get() == again

    def test_periods_begin_and_end_by_themselves(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        clerk = a_staff(Role.REGISTRATION_CLERK)
        wanted = [
            Wanted(Role.REGISTRATION_CLERK, None, None, TOMORROW),
            Wanted(Role.FINANCE, None, TOMORROW, None),
        ]
        approve(ask(clerk, *wanted, asker=admin), guard)

        assert REVEAL.code in rights(clerk)
        assert VIEW_PAYMENTS.code not in rights(clerk)
        with time_machine.travel(NOW + dt.timedelta(days=1)):
            assert REVEAL.code not in rights(clerk)
            assert VIEW_PAYMENTS.code in rights(clerk)

    @pytest.mark.parametrize(
        ("wanted", "refusal"),
        [
            ([Wanted("queen")], Invalid),
            ([Wanted("cashier"), Wanted("cashier")], Invalid),
            ([Wanted("cashier", None, None, TODAY)], Invalid),
            ([Wanted("triage_nurse")], actions.NothingChanges),
            ([Wanted("system_admin"), Wanted("security_admin")], actions.AdministratorsApart),
            ([Wanted("audit_admin"), Wanted("system_admin")], actions.AdministratorsApart),
            ([Wanted("security_admin"), Wanted("doctor")], actions.AdministratorsApart),
        ],
    )
    def test_what_cannot_be_is_not_even_asked(
        self, admin: StaffAccount, wanted: list[Wanted], refusal: type[Exception]
    ) -> None:
        nurse = a_staff(Role.TRIAGE_NURSE)
        before = rows()

        with pytest.raises(refusal):
            ask(nurse, *wanted, asker=admin)

        assert rows() == before
        assert not AccessRequest.objects.exists()

    def test_a_request_out_of_date_is_checked_again(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        nurse = a_staff(Role.TRIAGE_NURSE)
        request = ask(nurse, Wanted(Role.CASHIER), asker=admin)
        actions.switch_off(account_id=nurse.pk, reason="离职", by=by(admin), at=NOW)
        before = rows()

        with pytest.raises(Invalid):
            approve(request, guard)

        assert rows() == before
        assert rights(nurse) == frozenset()


class TestTheLastAdministrator:
    @pytest.mark.parametrize("role", ADMINISTRATORS)
    def test_cannot_go_in_any_way(self, role: Role) -> None:
        asker = a_staff(Role.SYSTEM_ADMIN)
        last = asker if role is Role.SYSTEM_ADMIN else a_staff(role)
        before = rows()
        ways: list[Callable[[], object]] = [
            lambda: actions.switch_off(account_id=last.pk, reason="离职", by=SYSTEM, at=NOW),
            lambda: ask(last, Wanted(Role.CASHIER), asker=asker),
            lambda: ask(last, asker=asker),
            lambda: ask(last, Wanted(role, None, None, TODAY + dt.timedelta(90)), asker=asker),
            lambda: actions.save_staff(
                username=last.username, display_name="x", roles=[], by=SYSTEM, at=NOW
            ),
            lambda: actions.save_staff(
                username=last.username,
                display_name="x",
                roles=[role],
                is_active=False,
                by=SYSTEM,
                at=NOW,
            ),
        ]

        for way in ways:
            with pytest.raises(actions.LastAdministrator):
                way()

        assert rows() == before
        assert StaffAccount.objects.get(pk=last.pk).is_active

    def test_two_may_not_both_go(self, admin: StaffAccount, guard: StaffAccount) -> None:
        second = a_staff(Role.SYSTEM_ADMIN)
        first_goes = ask(admin, Wanted(Role.CASHIER), asker=second)
        second_goes = ask(second, Wanted(Role.CASHIER), asker=admin)
        approve(first_goes, guard)
        before = rows()

        with pytest.raises(actions.LastAdministrator):
            approve(second_goes, guard)

        assert rows() == before

    def test_a_colleague_with_an_end_does_not_count(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        deputy = a_staff(Role.CASHIER)
        until = TODAY + dt.timedelta(days=30)
        approve(ask(deputy, Wanted(Role.SYSTEM_ADMIN, None, None, until), asker=admin), guard)

        with pytest.raises(actions.LastAdministrator):
            actions.switch_off(account_id=admin.pk, reason="离职", by=by(deputy), at=NOW)

        assert StaffAccount.objects.get(pk=admin.pk).is_active


def test_every_permission_stands_under_a_chinese_heading() -> None:
    assert {one.area for one in all_permissions()} - set(wording.AREAS) == set()


class TestImports:
    def test_a_row_switched_off_leaves_nothing_to_come_back_to(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        clerk = a_staff(Role.REGISTRATION_CLERK, username="clerk")
        loan = actions.lend(
            giver=clerk,
            taker_id=a_staff(Role.TRIAGE_NURSE).pk,
            permissions=["patients.find_patient"],
            begins_at=NOW,
            ends_at=NOW + dt.timedelta(days=1),
            reason="请假",
            by=by(clerk),
            at=NOW,
        )

        changed = actions.save_staff(
            username="clerk",
            display_name="林若水",
            roles=[Role.REGISTRATION_CLERK],
            is_active=False,
            by=by(admin),
            at=NOW,
        )
        actions.switch_on(account_id=clerk.pk, reason="", by=by(admin), at=NOW)

        loan.refresh_from_db()
        assert changed
        assert (loan.ended_at, rights(clerk)) == (NOW, frozenset())
        assert not AccessRequest.objects.exists()

    def test_the_first_import_assigns_and_later_ones_ask(self) -> None:
        a_staff(Role.SECURITY_ADMIN)
        clerk = a_staff(Role.REGISTRATION_CLERK, username="guahao")
        assert REVEAL.code in rights(clerk)

        changed = actions.save_staff(
            username="guahao", display_name="林若水", roles=["finance"], by=SYSTEM, at=NOW
        )

        assert changed
        assert REVEAL.code in rights(clerk)
        request = AccessRequest.objects.get()
        assert (request.status, request.account_id) == ("waiting", clerk.pk)
        approve(request, a_staff(Role.SECURITY_ADMIN))
        assert REVEAL.code not in rights(clerk)

    def test_a_role_of_the_hospitals_own_survives(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        code = a_custom_role(admin, guard, {FIND_PATIENT.code: "hospital"})
        clerk = a_staff(Role.CASHIER, username="shoufei")
        approve(ask(clerk, Wanted(Role.CASHIER), Wanted(code), asker=admin), guard)

        assert not actions.save_staff(
            username="shoufei", display_name="林若水", roles=["cashier"], by=SYSTEM, at=NOW
        )

        assert {row[1] for row in rows() if row[0] == clerk.pk} == {"cashier", code}

    def test_administrators_stay_apart_in_a_workbook_too(self) -> None:
        with pytest.raises(actions.AdministratorsApart):
            actions.save_staff(
                username="both",
                display_name="何婉清",
                roles=["system_admin", "audit_admin"],
                initial_password=PASSWORD,
                by=SYSTEM,
                at=NOW,
            )

        assert not StaffAccount.objects.filter(username="both").exists()


def a_custom_role(admin: StaffAccount, guard: StaffAccount, wanted: dict[str, str]) -> str:
    request = actions.ask_for_new_role(
        label="体检前台", wanted=wanted, reason="体检中心", by=by(admin), at=clock.now()
    )
    approve(request, guard)
    return request.role


class TestGrants:
    def test_a_change_holds_over_the_default_and_is_kept(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        own, other = a_department(), a_department()
        doctor = a_staff(Role.DOCTOR, practitioner=a_practitioner(own))
        reach = queries.reach(doctor, VIEW_APPOINTMENTS)
        assert (reach.is_everything, reach.department_ids) == (False, frozenset([own.pk]))
        wanted = dict(queries.grants_of(role="doctor"))
        wanted[VIEW_APPOINTMENTS.code] = DataScope.HOSPITAL
        del wanted[FIND_PATIENT.code]

        request = actions.ask_for_grants(
            role="doctor", wanted=wanted, reason="试点", by=by(admin), at=NOW
        )
        assert FIND_PATIENT.code in rights(doctor)
        approve(request, guard)

        doctor = StaffAccount.objects.get(pk=doctor.pk)
        assert queries.reach(doctor, VIEW_APPOINTMENTS).covers(department_id=other.pk)
        assert FIND_PATIENT.code not in rights(doctor)
        assert queries.differences(role="doctor") == {
            FIND_PATIENT.code: ("hospital", ""),
            VIEW_APPOINTMENTS.code: ("department", "hospital"),
        }
        assert [row.pk for row in queries.grant_history(role="doctor")] == [request.pk]
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE identity_grantchange SET scope = 'own'")
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM identity_grantchange")
        assert GrantChange.objects.count() == 2

    def test_own_is_the_work_of_the_own_person(
        self, admin: StaffAccount, guard: StaffAccount
    ) -> None:
        wanted = dict(queries.grants_of(role="doctor")) | {VIEW_APPOINTMENTS.code: "own"}
        approve(
            actions.ask_for_grants(
                role="doctor", wanted=wanted, reason="试点", by=by(admin), at=NOW
            ),
            guard,
        )
        person = a_practitioner(a_department())
        doctor, nobody = a_staff(Role.DOCTOR, practitioner=person), a_staff(Role.DOCTOR)

        assert queries.reach(doctor, VIEW_APPOINTMENTS).covers(practitioner_id=person.pk)
        assert not queries.reach(doctor, VIEW_APPOINTMENTS).covers(practitioner_id=person.pk + 1)
        assert not queries.reach(nobody, VIEW_APPOINTMENTS).covers(practitioner_id=person.pk)

    @pytest.mark.parametrize(
        ("role", "wanted", "refusal"),
        [
            ("system_admin", {FIND_PATIENT.code: "hospital"}, actions.RoleIsFixed),
            ("cashier", {"identity.approve_access": "hospital"}, actions.AdministratorsDuty),
            ("cashier", {"identity.manage_staff": "hospital"}, actions.AdministratorsDuty),
            ("cashier", {VIEW_PAYMENTS.code: "department"}, Invalid),
            ("cashier", {VIEW_APPOINTMENTS.code: "galaxy"}, Invalid),
            ("cashier", {"nobody.knows": "hospital"}, Invalid),
            ("cashier", {"identity.signed_in": "hospital"}, Invalid),
            ("queen", {FIND_PATIENT.code: "hospital"}, NotFound),
        ],
    )
    def test_what_no_role_may_get_is_refused(
        self, admin: StaffAccount, role: str, wanted: dict[str, str], refusal: type[Exception]
    ) -> None:
        before = dict(queries.grants())

        with pytest.raises(refusal):
            actions.ask_for_grants(role=role, wanted=wanted, reason="试", by=by(admin), at=NOW)

        assert queries.grants() == before
        assert not AccessRequest.objects.exists()

    def test_an_unchanged_role_needs_nobody(self, admin: StaffAccount) -> None:
        wanted = dict(queries.grants_of(role="cashier"))

        with pytest.raises(actions.NothingChanges):
            actions.ask_for_grants(role="cashier", wanted=wanted, reason="试", by=by(admin), at=NOW)

        assert not AccessRequest.objects.exists()


class TestOwnRoles:
    def test_one_is_made_given_and_retired(self, admin: StaffAccount, guard: StaffAccount) -> None:
        code = a_custom_role(
            admin, guard, {FIND_PATIENT.code: "hospital", VIEW_APPOINTMENTS.code: "department"}
        )
        department, clerk = a_department(), a_staff()
        approve(ask(clerk, Wanted(code, department.pk), asker=admin), guard)
        clerk = StaffAccount.objects.get(pk=clerk.pk)
        assert rights(clerk) == {FIND_PATIENT.code, VIEW_APPOINTMENTS.code, "identity.signed_in"}
        assert queries.reach(clerk, VIEW_APPOINTMENTS).department_ids == {department.pk}
        assert queries.role_labels()[code] == "体检前台"

        with pytest.raises(actions.RoleIsHeld):
            actions.ask_to_retire(role=code, reason="撤并", by=by(admin), at=NOW)
        approve(ask(clerk, asker=admin), guard)
        approve(actions.ask_to_retire(role=code, reason="撤并", by=by(admin), at=NOW), guard)

        assert CustomRole.objects.get().retired_at == NOW
        assert code not in queries.role_labels(with_retired=False)
        with pytest.raises(Invalid):
            ask(clerk, Wanted(code), asker=admin)

    @pytest.mark.parametrize("label", ["", "x", "体检前台", "挂号员", "坏<名字>"])
    def test_a_name_is_one_nobody_has(
        self, admin: StaffAccount, guard: StaffAccount, label: str
    ) -> None:
        a_custom_role(admin, guard, {FIND_PATIENT.code: "hospital"})

        with pytest.raises(Invalid):
            actions.ask_for_new_role(
                label=label,
                wanted={FIND_PATIENT.code: "hospital"},
                reason="试",
                by=by(admin),
                at=NOW,
            )

        assert CustomRole.objects.count() == 1

    def test_a_shipped_role_does_not_retire(self, admin: StaffAccount) -> None:
        with pytest.raises(NotFound):
            actions.ask_to_retire(role="cashier", reason="撤并", by=by(admin), at=NOW)
