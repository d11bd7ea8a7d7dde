"""Accounts found by name, and where they work."""

import datetime as dt

import pytest

from hospital.identity.queries.finding import account_ids, workplaces
from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.testing.organisation import a_department
from hospital.testing.people import a_staff

pytestmark = pytest.mark.django_db


def test_accounts_are_found_by_part_of_the_name_or_user_name() -> None:
    one = a_staff(Role.FINANCE, display_name="欧阳若水")
    a_staff(Role.FINANCE, display_name="王小明")
    assert account_ids("若水") == [one.pk]
    assert account_ids(one.username.upper()) == [one.pk]
    assert account_ids("没有这个人") == []


def test_a_workplace_is_the_department_of_a_role_in_force() -> None:
    today = clock.today()
    department = a_department(name="肺病科")
    here = a_staff(Role.DOCTOR)
    here.role_assignments.update(department=department)
    everywhere = a_staff(Role.FINANCE)
    gone = a_staff(Role.DOCTOR)
    gone.role_assignments.update(
        department=department, valid_from=today - dt.timedelta(days=9), valid_to=today
    )
    asked = [here.pk, everywhere.pk, gone.pk]
    assert workplaces(account_ids=asked, on=today) == {here.pk: "肺病科"}
    assert workplaces(account_ids=[gone.pk], on=today - dt.timedelta(days=1)) == {gone.pk: "肺病科"}
