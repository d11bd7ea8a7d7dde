"""Who did it, by name: texts such as "staff:3" to display names."""

import pytest
from pytest_django import DjangoAssertNumQueries

from hospital.identity import queries
from hospital.identity.models import StaffAccount
from hospital.kernel.actors import SYSTEM, Actor
from hospital.testing.people import a_staff

pytestmark = pytest.mark.django_db


def _by(account: StaffAccount) -> str:
    return str(Actor("staff", account.pk))


def test_everybody_is_named_with_one_question(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    one, other = a_staff(display_name="欧阳若水"), a_staff(display_name="单知行", is_active=False)
    texts = [_by(one), _by(other), _by(one)]
    with django_assert_num_queries(1):
        names = queries.staff_names(actors=iter(texts))
    assert names == {_by(one): "欧阳若水", _by(other): "单知行"}


def test_a_patient_and_the_system_have_no_staff_name() -> None:
    known = a_staff(display_name="何婉清")
    patient = str(Actor("patient", known.pk))
    assert queries.staff_names(actors=[patient, str(SYSTEM), _by(known)]) == {_by(known): "何婉清"}


def test_a_deleted_account_is_left_out() -> None:
    gone, known = a_staff(display_name="关鹤年"), a_staff(display_name="何婉清")
    by = _by(gone)
    gone.delete()
    assert queries.staff_names(actors=[by, _by(known)]) == {_by(known): "何婉清"}


@pytest.mark.parametrize(
    "actors",
    [
        [],
        [""],
        ["patient:1", "system:0"],
        ["staff", "staff:", "staff:0", "staff:-1", "staff:1.0", "staff: 1", "staff:x"],
        ["Staff:1", "xstaff:1", "staff:1\n", "staff:1:1", "staff:١", "staff:²"],
        ["staff:" + "9" * 19, "staff:" + "9" * 400],
    ],
)
def test_what_is_nobody_on_the_staff_asks_nothing(
    actors: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert queries.staff_names(actors=actors) == {}


def test_only_the_text_an_actor_writes_of_itself_is_read() -> None:
    known = a_staff(display_name="何婉清")
    assert queries.staff_names(actors=[f"staff:0{known.pk}", f"staff:+{known.pk}"]) == {}
