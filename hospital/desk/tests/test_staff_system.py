"""Old bookmarks of the system page lead to monitoring, for who may go there."""

import pytest

from hospital.identity.states import Role
from hospital.testing.people import staff_client

pytestmark = pytest.mark.django_db
SYSTEM = "/staff/system/"


def test_the_old_address_leads_to_monitoring() -> None:
    answer = staff_client(Role.SYSTEM_ADMIN).get(SYSTEM)

    assert (answer.status_code, answer["Location"]) == (302, "/staff/monitoring/")


def test_it_leads_nobody_else_anywhere() -> None:
    assert staff_client(Role.SECURITY_ADMIN).get(SYSTEM).status_code == 403
    assert staff_client(Role.FINANCE).get(SYSTEM).status_code == 403
