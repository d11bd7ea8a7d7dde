"""Lending permissions for a while: never more than one has, never an administrator's duty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine

from hospital.identity import actions, queries
from hospital.identity.models import Delegation, StaffAccount
from hospital.identity.states import Role
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.errors import Invalid, NotAllowed, NotFound
from hospital.kernel.models import AuditEntry
from hospital.payments.permissions import APPROVE_REFUND, CLOSE_CASE, COLLECT, VIEW_PAYMENTS
from hospital.registration.permissions import VIEW_APPOINTMENTS
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff, staff_client

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def giver() -> StaffAccount:
    return a_staff(Role.CASHIER, display_name="许晚棠")


@pytest.fixture
def taker() -> StaffAccount:
    return a_staff(Role.ADMISSION_CLERK, display_name="李照微")


def lend(giver: StaffAccount, taker: StaffAccount, **changes: object) -> Delegation:
    values: dict[str, object] = {
        "giver": giver,
        "taker_id": taker.pk,
        "permissions": [COLLECT.code],
        "begins_at": NOW,
        "ends_at": NOW + HOUR,
        "reason": "请假",
        "by": Actor("staff", giver.pk),
        "at": NOW,
    }
    return actions.lend(**{**values, **changes})  # type: ignore[arg-type]


def may(account: StaffAccount, code: str) -> bool:
    return code in queries.permissions_of(StaffAccount.objects.get(pk=account.pk))


def test_a_loan_begins_ends_and_says_whose_it_is(giver: StaffAccount, taker: StaffAccount) -> None:
    lend(giver, taker, begins_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    assert not may(taker, COLLECT.code)

    with time_machine.travel(NOW + HOUR):
        assert may(taker, COLLECT.code)
        assert not may(taker, VIEW_PAYMENTS.code)
        found = {
            row.permission.code: row.reasons
            for row in queries.explain(account=StaffAccount.objects.get(pk=taker.pk))
        }
        (reason,) = found[COLLECT.code]
        assert (reason.giver, reason.role, reason.lent_until) == (
            "许晚棠",
            "cashier",
            NOW + 2 * HOUR,
        )
        holders = {row.account.pk for row in queries.who_may(permission=COLLECT)}
        assert holders == {giver.pk, taker.pk}
    with time_machine.travel(NOW + 2 * HOUR):
        assert not may(taker, COLLECT.code)
    entry = AuditEntry.objects.get(act="identity.lend")
    assert entry.after["permissions"] == [COLLECT.code]


def test_what_the_giver_loses_the_taker_loses(giver: StaffAccount, taker: StaffAccount) -> None:
    lend(giver, taker)
    assert may(taker, COLLECT.code)

    giver.role_assignments.update(valid_to=dt.date(2026, 11, 23))
    assert not may(taker, COLLECT.code)
    giver.role_assignments.update(valid_to=None)
    StaffAccount.objects.filter(pk=giver.pk).update(is_active=False)

    assert not may(taker, COLLECT.code)


def test_the_givers_department_goes_along(taker: StaffAccount) -> None:
    own = a_department()
    doctor = a_staff(Role.DOCTOR, department=own)
    lend(doctor, taker, permissions=[VIEW_APPOINTMENTS.code])

    reach = queries.reach(StaffAccount.objects.get(pk=taker.pk), VIEW_APPOINTMENTS)

    assert (reach.is_everything, reach.department_ids) == (False, frozenset([own.pk]))


def test_nothing_borrowed_is_lent_on(giver: StaffAccount, taker: StaffAccount) -> None:
    lend(giver, taker)
    taker = StaffAccount.objects.get(pk=taker.pk)

    with pytest.raises(actions.MoreThanOwn):
        lend(taker, a_staff(Role.FINANCE))

    assert Delegation.objects.count() == 1


@pytest.mark.parametrize("code", [APPROVE_REFUND.code, CLOSE_CASE.code, "identity.signed_in", "x"])
def test_more_than_one_has_is_refused(giver: StaffAccount, taker: StaffAccount, code: str) -> None:
    with pytest.raises(actions.MoreThanOwn):
        lend(giver, taker, permissions=[COLLECT.code, code])

    assert not Delegation.objects.exists()


@pytest.mark.parametrize("role", [Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN])
def test_administrators_neither_lend_nor_borrow(role: Role, giver: StaffAccount) -> None:
    keeper = a_staff(role)

    with pytest.raises(actions.NotToAdministrators):
        lend(giver, keeper)
    with pytest.raises(actions.NotToAdministrators):
        lend(keeper, giver, permissions=["identity.manage_staff"])

    assert not Delegation.objects.exists()
    Delegation.objects.create(
        giver=giver,
        taker=keeper,
        permissions=[COLLECT.code],
        reason="behind the action's back",
        begins_at=NOW,
        ends_at=NOW + HOUR,
        given_at=NOW,
    )
    assert not may(keeper, COLLECT.code)


@pytest.mark.parametrize(
    "changes",
    [
        {"permissions": []},
        {"reason": "  "},
        {"ends_at": NOW},
        {"ends_at": NOW - HOUR},
        {"begins_at": NOW + 2 * HOUR},
        {"ends_at": NOW + dt.timedelta(days=31)},
        {"taker_id": 0},
    ],
)
def test_what_is_wrong_lends_nothing(
    giver: StaffAccount, taker: StaffAccount, changes: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        lend(giver, taker, **changes)
    with pytest.raises(Invalid):
        lend(giver, giver)

    assert not Delegation.objects.exists()


def test_only_the_own_rights_are_lent(giver: StaffAccount, taker: StaffAccount) -> None:
    with pytest.raises(NotAllowed):
        lend(giver, taker, by=Actor("staff", taker.pk))

    assert not Delegation.objects.exists()


def test_either_side_ends_it_and_nobody_else(giver: StaffAccount, taker: StaffAccount) -> None:
    loan = lend(giver, taker)
    stranger = a_staff(Role.FINANCE)
    with pytest.raises(NotFound):
        actions.take_back(delegation_id=loan.pk, by=Actor("staff", stranger.pk), at=NOW)
    assert may(taker, COLLECT.code)

    actions.take_back(delegation_id=loan.pk, by=Actor("staff", taker.pk), at=NOW)

    assert not may(taker, COLLECT.code)
    with pytest.raises(NotFound):
        actions.take_back(delegation_id=loan.pk, by=Actor("staff", giver.pk), at=NOW)


def test_leaving_ends_it(giver: StaffAccount, taker: StaffAccount) -> None:
    loan = lend(giver, taker)

    actions.switch_off(account_id=giver.pk, reason="离职", by=SYSTEM, at=NOW)

    loan.refresh_from_db()
    assert loan.ended_at == NOW
    assert not may(taker, COLLECT.code)


@pytest.mark.parametrize(
    "typed",
    [
        {"begins_at": "tomorrow", "ends_at": "2026-11-24T00:00"},
        {"begins_at": "0001-01-01T00:00", "ends_at": "2026-11-24T00:00"},
        {"begins_at": "", "ends_at": "0001-01-01T00:00"},
        {"begins_at": "", "ends_at": "9999-12-31T23:59-10:00"},
        {"begins_at": "", "ends_at": ""},
    ],
)
def test_what_is_no_moment_lends_nothing(
    giver: StaffAccount, taker: StaffAccount, typed: dict[str, str]
) -> None:
    form = {"taker": str(taker.pk), "permission": [COLLECT.code], "reason": "请假"}

    answer = staff_client(account=giver).post("/staff/loans/", form | typed)

    assert answer.status_code == 422
    assert not Delegation.objects.exists()


def test_a_loan_for_later_says_so(giver: StaffAccount, taker: StaffAccount) -> None:
    client = staff_client(account=giver)
    form = {"taker": str(taker.pk), "permission": [COLLECT.code], "reason": "请假"}
    times = {"begins_at": "2026-11-24T08:00", "ends_at": "2026-11-24T12:00"}

    answer = client.post("/staff/loans/", form | times, follow=True)

    assert "到开始时间自动生效" in answer.content.decode()
    assert Delegation.objects.get().begins_at == dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    assert not may(taker, COLLECT.code)


def test_whoever_was_switched_off_meanwhile_lends_nothing(
    giver: StaffAccount, taker: StaffAccount
) -> None:
    asked = StaffAccount.objects.get(pk=giver.pk)  # as the request read it a moment before
    actions.switch_off(account_id=giver.pk, reason="离职", by=SYSTEM, at=NOW)

    with pytest.raises(NotAllowed):
        lend(asked, taker)

    assert not Delegation.objects.exists()


def test_the_page_lends_and_takes_back(giver: StaffAccount, taker: StaffAccount) -> None:
    client = staff_client(account=giver)
    typed = {
        "taker": str(taker.pk),
        "taker_text": "李照微",
        "ends_at": "2026-11-23T12:00",
        "permission": [COLLECT.code],
        "reason": "请假",
    }
    refused = client.post("/staff/loans/", typed | {"reason": ""})
    assert (refused.status_code, Delegation.objects.count()) == (422, 0)
    assert "请填写理由。" in refused.content.decode()

    assert client.post("/staff/loans/", typed).status_code == 302

    loan = Delegation.objects.get()
    assert loan.ends_at == dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
    assert "李照微" in client.get("/staff/loans/").content.decode()
    assert "许晚棠" in staff_client(account=taker).get("/staff/loans/").content.decode()
    assert staff_client(account=taker).get("/staff/collect/").status_code == 200
    assert client.post(f"/staff/loans/{loan.pk}/end/").status_code == 302
    assert staff_client(account=taker).get("/staff/collect/").status_code == 403
