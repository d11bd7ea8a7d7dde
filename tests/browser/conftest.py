"""One running hospital for the browser tests that walk through the whole product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from tests.browser.world import open_hospital
from tools.demo_place import Place


@pytest.fixture(scope="session")
def hospital(django_db_blocker: DjangoDbBlocker) -> Iterator[Place]:
    """Started when the first test asks for it, stopped when all tests are done."""
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            place = stack.enter_context(open_hospital())
        yield place


@pytest.fixture(autouse=True)
def _sms_go_out(settings: Settings) -> None:
    """Pages offer codes by SMS only where there is a platform; none is called in these tests."""
    settings.SMS_URL = "https://sms.example/"
