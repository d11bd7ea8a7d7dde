"""Changes of access that come at the same moment, on the real database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from hospital.identity import actions, queries
from hospital.identity.actions import Wanted
from hospital.identity.models import AccessRequest, RoleAssignment, StaffAccount
from hospital.identity.states import ADMINISTRATORS, RequestStatus, Role
from hospital.kernel import clock
from hospital.kernel.actors import Actor
from hospital.kernel.errors import Refusal
from hospital.kernel.four_eyes import AlreadyAsked, AlreadyDecided
from hospital.kernel.models import AuditEntry
from hospital.testing.people import a_staff

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def by(account: StaffAccount) -> Actor:
    return Actor("staff", account.pk)


def at_once(*acts: Callable[[], object]) -> list[type[Refusal] | None]:
    """Do them in as many threads; say by what each was refused."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], object]) -> type[Refusal] | None:
        try:
            ready.wait(timeout=30)
            act()
        except Refusal as refusal:
            return type(refusal)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.parametrize("role", ADMINISTRATORS)
def test_two_administrators_do_not_switch_each_other_off(role: Role) -> None:
    one, two = a_staff(role), a_staff(role)

    def off(whom: StaffAccount, who: StaffAccount) -> None:
        actions.switch_off(account_id=whom.pk, reason="离职", by=by(who), at=clock.now())

    refused = at_once(lambda: off(one, two), lambda: off(two, one))

    assert set(refused) == {None, actions.LastAdministrator}
    left = StaffAccount.objects.get(is_active=True)
    assert queries.roles_of(account=left) == [role]
    assert AuditEntry.objects.filter(act="identity.switch_off").count() == 1


def test_of_two_decisions_the_first_counts() -> None:
    asker, clerk = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.REGISTRATION_CLERK)
    yes, no = a_staff(Role.SECURITY_ADMIN), a_staff(Role.SECURITY_ADMIN)
    asked = actions.ask_for_roles(
        account=clerk, wanted=[Wanted(Role.CASHIER)], reason="换岗", by=by(asker), at=clock.now()
    )

    refused = at_once(
        lambda: actions.approve_access(request_id=asked.pk, note="", by=by(yes), at=clock.now()),
        lambda: actions.reject_access(request_id=asked.pk, note="不", by=by(no), at=clock.now()),
    )

    assert set(refused) == {None, AlreadyDecided}
    is_approved = AccessRequest.objects.get().status == RequestStatus.APPROVED
    assert is_approved is (refused[0] is None)
    held = queries.roles_of(account=StaffAccount.objects.get(pk=clerk.pk))
    assert held == [Role.CASHIER if is_approved else Role.REGISTRATION_CLERK]
    acts = ("identity.approve_access", "identity.reject_access")
    assert AuditEntry.objects.filter(act__in=acts).count() == 1


def test_what_two_ask_for_one_person_is_asked_once() -> None:
    one, two = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.SYSTEM_ADMIN)
    clerk = a_staff(Role.REGISTRATION_CLERK)

    def ask(who: StaffAccount, role: Role) -> None:
        actions.ask_for_roles(
            account=clerk, wanted=[Wanted(role)], reason="换岗", by=by(who), at=clock.now()
        )

    refused = at_once(lambda: ask(one, Role.CASHIER), lambda: ask(two, Role.FINANCE))

    assert set(refused) == {None, AlreadyAsked}
    assert AccessRequest.objects.count() == 1


def test_whoever_leaves_gets_no_role_at_the_same_moment() -> None:
    asker, guard = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.SECURITY_ADMIN)
    clerk = a_staff(Role.REGISTRATION_CLERK)
    asked = actions.ask_for_roles(
        account=clerk, wanted=[Wanted(Role.FINANCE)], reason="换岗", by=by(asker), at=clock.now()
    )

    at_once(
        lambda: actions.approve_access(request_id=asked.pk, note="", by=by(guard), at=clock.now()),
        lambda: actions.switch_off(
            account_id=clerk.pk, reason="离职", by=by(asker), at=clock.now()
        ),
    )

    gone = StaffAccount.objects.get(pk=clerk.pk)
    assert not gone.is_active
    open_rows = RoleAssignment.objects.filter(account=clerk, valid_to__isnull=True)
    assert not open_rows.exists()
