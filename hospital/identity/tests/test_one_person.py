"""Somebody with two accounts is still one person: neither both pairs of eyes nor two chairs."""

from __future__ import annotations

import pytest

from hospital.identity import actions, queries
from hospital.identity.actions import Wanted
from hospital.identity.models import AccessRequest, BreakGlass, RoleAssignment, StaffAccount
from hospital.identity.states import RequestStatus, Role, Verdict
from hospital.kernel import clock
from hospital.kernel.actors import SYSTEM, Actor
from hospital.kernel.four_eyes import OwnRequest
from hospital.testing.organisation import a_practitioner
from hospital.testing.people import a_patient, a_staff, staff_client

pytestmark = pytest.mark.django_db
PHONE = "13900139000"


def by(account: StaffAccount) -> Actor:
    return Actor("staff", account.pk)


def with_phone(account: StaffAccount, phone: str = PHONE) -> StaffAccount:
    actions.change_account(
        account_id=account.pk,
        display_name=account.display_name,
        phone=phone,
        practitioner_id=None,
        by=SYSTEM,
        at=clock.now(),
    )
    return StaffAccount.objects.get(pk=account.pk)


def ask(about: StaffAccount, role: Role, *, asker: StaffAccount) -> AccessRequest:
    return actions.ask_for_roles(
        account=about, wanted=[Wanted(role)], reason="换岗", by=by(asker), at=clock.now()
    )


def approve(request: AccessRequest, guard: StaffAccount) -> None:
    actions.approve_access(request_id=request.pk, note="", by=by(guard), at=clock.now())


def test_accounts_are_one_persons_by_practitioner_or_phone() -> None:
    doctor = a_practitioner()
    one, two = a_staff(Role.DOCTOR, practitioner=doctor), a_staff(practitioner=doctor)
    three, four = with_phone(a_staff(Role.CASHIER)), with_phone(a_staff())
    nobody, other = a_staff(), a_staff()

    pairs = {
        (a.pk, b.pk): queries.is_one_person(str(by(a)), str(by(b)))
        for a, b in ((one, two), (three, four), (two, three), (nobody, other), (nobody, nobody))
    }

    assert list(pairs.values()) == [True, True, False, False, True]
    assert not queries.is_one_person("system:0", "system:0")
    assert not queries.is_one_person("", str(by(one)))


def test_nobody_approves_what_they_asked_with_the_other_account() -> None:
    asker, guard = a_staff(Role.SYSTEM_ADMIN), a_staff(Role.SECURITY_ADMIN)
    clerk = a_staff(Role.REGISTRATION_CLERK)
    asked = ask(clerk, Role.CASHIER, asker=asker)
    # Behind the rule that keeps the chairs apart: four eyes hold by themselves.
    StaffAccount.objects.filter(pk__in=(asker.pk, guard.pk)).update(phone_index="same")

    with pytest.raises(OwnRequest):
        approve(asked, guard)

    assert AccessRequest.objects.get().status == RequestStatus.WAITING
    assert "提出的人不能批准" in page(guard, asked)


def test_nobody_approves_the_roles_of_their_other_account() -> None:
    asker, guard = a_staff(Role.SYSTEM_ADMIN), with_phone(a_staff(Role.SECURITY_ADMIN))
    second = with_phone(a_staff(Role.REGISTRATION_CLERK))
    asked = ask(second, Role.FINANCE, asker=asker)

    with pytest.raises(actions.OwnAccess):
        approve(asked, guard)

    assert AccessRequest.objects.get().status == RequestStatus.WAITING
    assert "这是您自己的岗位" in page(guard, asked)
    approve(asked, a_staff(Role.SECURITY_ADMIN))


def page(guard: StaffAccount, asked: AccessRequest) -> str:
    answer = staff_client(account=guard).get(f"/staff/access/{asked.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_nobody_reviews_the_emergency_of_their_other_account() -> None:
    practitioner = a_practitioner()
    doctor = a_staff(Role.DOCTOR, practitioner=practitioner)
    reviewer = a_staff(Role.MEDICAL_AFFAIRS, practitioner=practitioner)
    at = clock.now()
    opened = actions.break_glass(
        account=doctor, patient_id=a_patient().pk, reason="昏迷送来需要病史", by=by(doctor), at=at
    )

    with pytest.raises(actions.OwnEmergency):
        actions.review_break_glass(
            break_glass_id=opened.pk,
            verdict=Verdict.JUSTIFIED,
            note="情况属实",
            reviewer=reviewer,
            by=by(reviewer),
            at=at,
        )

    assert BreakGlass.objects.get().verdict == ""


def test_one_person_sits_on_one_administrators_chair() -> None:
    keeper = with_phone(a_staff(Role.SYSTEM_ADMIN))
    second = with_phone(a_staff(Role.REGISTRATION_CLERK))
    colleague = with_phone(a_staff(Role.SECURITY_ADMIN), "13900139001")
    before = list(RoleAssignment.objects.order_by("pk").values())

    with pytest.raises(actions.AdministratorsApart, match="另一个账号"):
        ask(second, Role.AUDIT_ADMIN, asker=keeper)
    with pytest.raises(actions.AdministratorsApart, match="另一个账号"):
        with_phone(colleague)

    assert list(RoleAssignment.objects.order_by("pk").values()) == before
    assert not AccessRequest.objects.exists()
    assert StaffAccount.objects.get(pk=colleague.pk).phone == "13900139001"
    ask(second, Role.FINANCE, asker=keeper)  # other work with a second account is what it is for


def test_the_form_says_why_a_phone_cannot_be_shared() -> None:
    keeper, auditor = with_phone(a_staff(Role.SYSTEM_ADMIN)), a_staff(Role.AUDIT_ADMIN)
    typed = {"display_name": auditor.display_name, "phone": PHONE}

    answer = staff_client(account=keeper).post(f"/staff/people/{auditor.pk}/", typed)

    assert answer.status_code == 422
    assert "另一个账号已经是别的管理员" in answer.content.decode()
    assert StaffAccount.objects.get(pk=auditor.pk).phone == ""
