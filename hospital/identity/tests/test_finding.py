"""Accounts found by name."""

import pytest

from hospital.identity.queries.finding import account_ids
from hospital.identity.states import Role
from hospital.testing.people import a_staff

pytestmark = pytest.mark.django_db


def test_accounts_are_found_by_part_of_the_name_or_user_name() -> None:
    one = a_staff(Role.FINANCE, display_name="欧阳若水")
    a_staff(Role.FINANCE, display_name="王小明")
    assert account_ids("若水") == [one.pk]
    assert account_ids(one.username.upper()) == [one.pk]
    assert account_ids("没有这个人") == []
