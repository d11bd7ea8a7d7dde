"""What browsers may keep of our pages."""

import pytest
from django.test import Client

from hospital.identity.states import Role
from hospital.testing.people import staff_client

pytestmark = pytest.mark.django_db


def test_a_staff_page_is_not_kept_for_whoever_sits_down_next() -> None:
    answer = staff_client(Role.REGISTRATION_CLERK).get("/staff/board/")

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store, private"


def test_a_page_and_its_part_are_told_apart(client: Client) -> None:
    assert "HX-Request" in client.get("/staff/login/")["Vary"]
